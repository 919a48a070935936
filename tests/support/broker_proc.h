/*
 * A private jit-broker. Several may share one Redis. Functions that fail say why on standard error and return
 * false.
 */
#ifndef SUPPORT_BROKER_PROC_H
#define SUPPORT_BROKER_PROC_H

#include <stdbool.h>
#include <stddef.h>

#include "tests/support/broker_config.h"
#include "tests/support/http.h"
#include "tests/support/proc.h"

#define PIM "/v1.0/identityGovernance/privilegedAccess/group/"

/* Words of this environment variable go before the broker's own on its command line: "valgrind -q …". */
#define BROKER_UNDER "JIT_TEST_UNDER"

struct broker {
	struct proc proc;
	const char *program; /* below the build folder; borrowed */
	char config_path[PROC_PATH_SIZE];
	char log_path[PROC_PATH_SIZE];
	char root[128];               /* "http://127.0.0.1:PORT", or https; another port after each start */
	char ca_file[PROC_PATH_SIZE]; /* of its authority; "" = no TLS */
	const char *const *variables; /* borrowed from its configuration */
};

/* Writes DIR/NAME.yaml, starts a broker on it and waits until /readyz says 200. Its log is DIR/NAME.log. */
bool broker_start(struct broker *broker, const char *dir, const char *name,
		  const struct broker_config *config);

/* Starts it without waiting for more than its port: for tests in which it cannot become ready. */
bool broker_start_unready(struct broker *broker, const char *dir, const char *name,
			  const struct broker_config *config);

/* Starts it again on the file that is there, after it was ended, and waits until it is ready. */
bool broker_restart(struct broker *broker);
bool broker_wait_ready(const struct broker *broker, int64_t timeout_ms);

void broker_kill9(struct broker *broker);
/* Ends it by SIGTERM, where it runs. False when it did not exit with 0 in time, or had crashed before. */
bool broker_stop(struct broker *broker);

/* One call: in `request`, `url` is what follows the root ("/readyz"). Release the response. */
void broker_call(const struct broker *broker, const struct http_request *request,
		 struct http_response *response);

#endif
