/*
 * One lane of a private redis-server with the function library in it, and a clock of the test's own: every call
 * passes `now_ms`, so hours pass in microseconds. Calls are made of text arguments and are sent as they stand, at
 * once or once more. Asserts by cmocka: a call that Redis answers with an error fails the test.
 *
 *	lane_begin(&lane, "jit_pump");
 *	lane_arg(&lane, lane.terms);
 *	lane_arg(&lane, "push-1");
 *	reply = lane_send(&lane);
 */
#ifndef TESTS_SUPPORT_LANE_H
#define TESTS_SUPPORT_LANE_H

#include <stddef.h>
#include <stdint.h>

#include <hiredis/hiredis.h>

#include "tests/support/redis_server.h"

#define LANE_PREFIX   "{j3}:"
#define LANE_EPOCH_MS INT64_C(1800000000000) /* where the clock starts; a multiple of 40 minutes */
#define LANE_TERMS    "aws 5 10000 3 0 2400000 0 100 30000 32000"
#define LANE_KINDS                                                                                           \
	"|approval.requested|approval.decided|activation.provisioned|activation.deferred|activation.ending|" \
	"activation.ended|activation.failed|removal.overdue|application.quarantined|removals.held|token."    \
	"ending|membership.drift|breakglass.used|"
#define LANE_ARGS_MAX  640
#define LANE_TEXT_SIZE 65536

struct lane {
	struct redis_server redis;
	redisContext *context;
	int64_t now_ms;
	int64_t keep_ms;      /* how long ended requests are kept */
	const char *terms;    /* of the application; borrowed */
	const char *policies; /* by which the caller goes; borrowed; NULL = none */
	char tells[320];      /* what somebody wants to be told, as it stands behind the time; "" = nothing */
	/* The call that is being made, or was made last. */
	size_t count, used;
	size_t at[LANE_ARGS_MAX], len[LANE_ARGS_MAX]; /* the arguments, in `text` */
	char text[LANE_TEXT_SIZE];
};

void lane_open(struct lane *lane); /* starts the server, without a file, and loads the library */
void lane_close(struct lane *lane);
void lane_empty(struct lane *lane); /* no keys, the clock at its start, the usual terms, history of an hour */

void lane_begin(struct lane *lane, const char *function);
void lane_arg(struct lane *lane, const char *text);
void lane_argf(struct lane *lane, const char *format, ...) __attribute__((format(printf, 2, 3)));
redisReply *lane_send(struct lane *lane); /* again sends the same once more; the caller frees the reply */

/* Any other command; the caller frees the reply. */
redisReply *lane_command(struct lane *lane, const char *format, ...);

/* Parts of a reply: "" and 0 when there is no such element. Numbers are read from texts as well. */
const redisReply *lane_at(const redisReply *reply, size_t index);
const char *lane_text(const redisReply *reply);
int64_t lane_int(const redisReply *reply);
/* The value of that name among name, value pairs; NULL when it is not there. */
const redisReply *lane_field(const redisReply *pairs, const char *name);

/* Repeatable random numbers: below `bound`, from a seed that the test prints. */
uint32_t lane_random(uint64_t *seed, uint32_t bound);

#endif
