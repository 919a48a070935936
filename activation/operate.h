/*
 * What operators do to an application: pause and resume its provisioning, restart it, begin its cycle; and what they
 * look at: its last cycles and its provisioning log. Callbacks as in activation.h.
 */
#ifndef ACTIVATION_OPERATE_H
#define ACTIVATION_OPERATE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/id.h"

struct activation;
struct order;

enum operation {
	OPERATE_PAUSE,     /* nobody is added and no cycle begins; removals go on */
	OPERATE_PAUSE_ALL, /* removals rest as well */
	OPERATE_RESUME,
	OPERATE_RESTART /* quarantine and pause are over, and a cycle begins at once */
};

/* An operator's answer to the guard (activation/guard.lua). */
enum guard_answer {
	GUARD_REMOVE, /* what is held is removed */
	GUARD_KEEP    /* it is kept until its own end */
};

/* `word` says what there is to say besides: "ok", "same" (it was so already); of a cycle "started", "empty" (there is
 * nothing to do), "running", "paused". Borrowed for the call. */
typedef void operate_done(void *ctx, enum err err, const char *word);

/* `actor` as actor_write() has written it. ERR_NOT_FOUND when there is no such application. */
struct operate_ask {
	const char *app, *actor;
	const char *who; /* begins the cycle: for its record */
};

void operate(struct activation *activation, enum operation operation, const struct operate_ask *ask,
	     operate_done *done, void *ctx);
/* "ok", "none" (nothing is held). A large number is answered for in several calls to the store; when the last ones
 * fail, the rest is still held. */
void operate_guard(struct activation *activation, enum guard_answer answer, const struct operate_ask *ask,
		   operate_done *done, void *ctx);
void operate_cycle(struct activation *activation, const struct operate_ask *ask, operate_done *done,
		   void *ctx);

/* What Test Connection needs (activation/connection_test.lua). */
enum test_step {
	TEST_TAKE,  /* a token for one change, under the id `text`: "ok" or "wait" */
	TEST_END,   /* that change is over */
	TEST_PASSED /* `text` is proved: the application may be switched on */
};

struct operate_hook {
	operate_done *done;
	void *ctx;
};

void operate_test(struct activation *activation, enum test_step step, const struct operate_ask *ask,
		  const char *text, struct operate_hook hook);
/* What an operator wants to see pushed. */
struct provision_ask {
	const char *app, *actor;
	const char *group, *principal;
};

/* `order` is the callee's, who carries it out and gives it back by order_end(). NULL otherwise: ERR_OK, there is nothing
 * to do; ERR_BUSY, ERR_PAUSED, ERR_THROTTLED (`wait_ms` until a token is free), ERR_NOT_FOUND, and the store's. */
typedef void provision_done(void *ctx, enum err err, struct order *order, int64_t wait_ms);
void operate_provision(struct activation *activation, const struct provision_ask *ask, provision_done *done,
		       void *ctx);

/* A cycle that is over. */
struct cycle_record {
	int64_t number, started_ms, ended_ms;
	int64_t total, done, pushes, failures; /* memberships, and pushes made for them */
	char by[NAME_SIZE];                    /* "schedule", or who began it */
	char result[32];                       /* "completed", "quarantine": it was stopped by that */
};

/* Newest first, valid during the call. */
typedef void cycles_done(void *ctx, enum err err, const struct cycle_record *cycles, size_t count);
void operate_cycles(struct activation *activation, const char *app, cycles_done *done, void *ctx);

#define LOG_ID_SIZE 48
#define LOG_TOP_MAX 999

struct log_query {
	const char *app;
	const char *
		before; /* entries older than the one with this id, or than this Unix ms; "" = from the newest */
	int64_t since_ms;
	size_t top;
	const char *principal, *group, *result; /* "" = any */
};

/* What came of one member of a push. Texts are borrowed for the call. */
struct log_entry {
	const char *app;
	char id[LOG_ID_SIZE]; /* "MS-NUMBER": when, and which of that time */
	const char *push, *group, *principal, *person;
	const char *op, *result, *words, *cause;
	int64_t status, took_ms, attempt;
};

/* `next`: where the look stopped, for query.before; "" = there is no more. */
struct log_page {
	const char *app;
	size_t count;
	const struct log_entry *entries;
	const char *next;
};

typedef void log_done(void *ctx, enum err err, const struct log_page *page);
/* Entries of the application's provisioning log, newest first. `page` is borrowed, NULL unless err is ERR_OK. */
void operate_log(struct activation *activation, const struct log_query *query, log_done *done, void *ctx);

#endif
