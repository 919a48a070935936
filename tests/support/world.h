/*
 * A whole world for an integration test: a temporary folder, a durable Redis, one application (the sandbox) and any
 * number of brokers on them, with people and groups made by number.
 *
 *	person I:  id "000…I", user name "personI@example.com", token "token-I"; person 0 is also "the operator"
 *	group I:   id "a0…I", name "group-I", of application "app"; everybody is eligible
 */
#ifndef SUPPORT_WORLD_H
#define SUPPORT_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/id.h"
#include "tests/support/broker_proc.h"
#include "tests/support/redis_server.h"
#include "tests/support/sandbox_proc.h"

#define WORLD_BROKERS 4

struct world_options {
	size_t brokers;        /* 0 = 1; at most WORLD_BROKERS */
	bool without_brokers;  /* the test starts them itself, with world->config */
	size_t people, groups; /* 0 = 12 people, 2 groups */
	struct broker_application
		application; /* id and token_file are the world's, and url where it is NULL; cycle_reserve -1 = default */
	struct broker_group group;             /* what all groups have in common: durations, justification */
	const struct broker_group *each_group; /* `groups` of them instead of `group`, with who is eligible */
	bool tls;                              /* the brokers speak TLS, with a certificate of their own */
	const char *environment;               /* of the brokers; NULL = test */
	bool without_people;                   /* the brokers know nobody by name or static token */
	int64_t poll_ms, lanes, history_ms, redis_timeout_ms;
	int64_t requests_per_caller;          /* 0 = as many as can be */
	bool redis_volatile;                  /* the brokers do not insist on durability */
	const char *const *redis_arguments;   /* NULL-terminated; NULL = none: durable */
	const char *const *sandbox_arguments; /* NULL-terminated; NULL = none */
	bool plain_sandbox; /* it says everything in the usual way, and at once: neither quirks (scim-sandbox(1)) nor faults */
	bool without_groups_in_application; /* the sandbox starts empty */
	const char *more;                   /* further top-level lines of the brokers' configuration */
	const char *program;                /* of the brokers, below the build folder; NULL = jit-broker */
};

/* The values that most tests want: everything at the broker's defaults. Change what the test is about. */
struct world_options world_defaults(void);

struct world {
	char dir[PROC_PATH_SIZE]; /* removed at the end, unless the test failed and KEEP_WORLD is set */
	struct redis_server redis;
	struct sandbox sandbox;
	struct broker brokers[WORLD_BROKERS];
	size_t broker_count;
	struct broker_config config; /* points into the world; for further brokers */
	struct broker_application application;
	struct world_names *names; /* the texts of people and groups */
	bool passed;               /* set by world_passed(); without it the logs are printed at the end */
};

/*
 * Starts everything and waits until all brokers are ready. False, with the reason on standard error and everything
 * ended again, when something does not start. `world` must stay where it is.
 */
bool world_start(struct world *world, const struct world_options *options);

/* The test has seen all that it wanted to see. */
void world_passed(struct world *world);

/*
 * Ends everything. Prints all logs when the test did not get to world_passed(). False when a program did not end
 * cleanly. Legal on a world that was not started (all zero).
 */
bool world_stop(struct world *world);

/* Borrowed from the world. */
const char *world_person_id(const struct world *world, size_t person);
const char *world_user_name(const struct world *world, size_t person);
const char *world_token(const struct world *world, size_t person);
const char *world_group_id(const struct world *world, size_t group);
const char *world_group_name(const struct world *world, size_t group);

/* Who asks which broker for what. What is 0 or NULL is taken as said. */
struct world_ask {
	size_t broker, person, group;
	const char *duration;        /* ISO 8601; NULL = none named */
	const char *start;           /* ISO 8601; NULL = none named */
	const char *justification;   /* NULL = one that will do; "" = none */
	const char *idempotency_key; /* NULL = none */
	bool break_glass, only_try;  /* breakGlass, isValidationOnly */
};

/* POSTs the person's selfActivate, or selfDeactivate, for the group. Release the response. */
void world_activate(const struct world *world, const struct world_ask *ask, struct http_response *response);
void world_deactivate(const struct world *world, const struct world_ask *ask, struct http_response *response);

/* Activates, expects 201, and copies the request's id. False, with the answer on standard error, otherwise. */
bool world_activate_ok(const struct world *world, const struct world_ask *ask, char id[ID_SIZE]);

/* GETs the request of that id from ask->broker as ask->person. Release the response. */
void world_get_request(const struct world *world, const struct world_ask *ask, const char *id,
		       struct http_response *response);

/* Does that until its provisioning.state is `state`. False, with the last answer on standard error, when that does
 * not come within `timeout_ms`. */
bool world_wait_state(const struct world *world, const struct world_ask *ask, const char *id,
		      const char *state, int64_t timeout_ms);

/* Waits until the person is (or is not) a member of the group in the application. */
bool world_wait_member(const struct world *world, size_t person, size_t group, bool wanted,
		       int64_t timeout_ms);

#endif
