/*
 * Where the torture happens: a Redis (one server, or a cluster of six nodes), brokers, and applications, each a
 * program of its own on loopback, with people and groups made by number.
 *
 * Application A has PEOPLE_EACH people. In most applications each of them has a group of their own, so that every
 * request that the application sees tells which push it belongs to; in the last one they share two groups. In every
 * fourth one an approver has to agree: the two who do nothing else, and, as far as the configuration says, the people
 * themselves, so that nothing but the broker keeps anybody from deciding their own request.
 */
#ifndef TORTURE_GROUND_H
#define TORTURE_GROUND_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/id.h"
#include "tests/support/broker_proc.h"
#include "tests/support/redis_cluster.h"
#include "tests/support/redis_gate.h"
#include "tests/support/sandbox_proc.h"
#include "tests/torture/history.h"
#include "tests/torture/island.h"

#define GROUND_APPS       12
#define GROUND_BROKERS    4
#define GROUND_PEOPLE     96
#define GROUND_TEXT       64
#define PUSHES            5
#define WINDOW_MS         10000
#define PUSH_TIMEOUT_MS   4000
#define ANSWER_TIMEOUT_MS 1000 /* of one request to an application */
#define CYCLE_MS          15000
#define STANDING          "standing@example.com"
#define GROUND_APPROVERS  2
#define APPROVAL_TIMEOUT  "3s"

struct ground_options {
	size_t apps, people_each, brokers;
	bool cluster;
	uint64_t seed; /* of the odd ways in which each application says what it says */
};

struct ground_app {
	char id[GROUND_TEXT];
	struct sandbox sandbox;
};

struct ground_person {
	char id[ID_SIZE], user_name[GROUND_TEXT], token[GROUND_TEXT];
	size_t app, group; /* their number in `groups` */
	bool needs_approval;
	const char *eligible[GROUND_PEOPLE + 1];
};

struct ground {
	struct ground_options options;
	struct history *history;
	struct island island;
	char tools_log[PROC_PATH_SIZE + 16]; /* of programs that the island runs */
	char dir[PROC_PATH_SIZE];
	struct redis_server redis; /* without a cluster */
	struct redis_cluster cluster;
	struct redis_gate gates[GROUND_BROKERS]; /* between each broker and the one server */
	struct ground_app apps[GROUND_APPS];
	size_t people; /* without the operator, who comes behind them, and then the approvers */
	struct ground_person person[GROUND_PEOPLE + 1 + GROUND_APPROVERS];
	struct broker brokers[GROUND_BROKERS];
	/* What the configuration points to. */
	struct broker_config config[GROUND_BROKERS];
	struct broker_application app_config[GROUND_APPS];
	struct broker_group group_config[GROUND_PEOPLE];
	struct broker_person person_config[GROUND_PEOPLE + 1 + GROUND_APPROVERS];
	char approval[GROUND_PEOPLE][256], group_ids[GROUND_PEOPLE][ID_SIZE],
		group_names[GROUND_PEOPLE][GROUND_TEXT];
	char token_file[PROC_PATH_SIZE + 16], redis_more[GROUND_BROKERS][256], more[PROC_PATH_SIZE + 64];
	size_t groups, configured;
	/* The clock of each broker's machine: a file that its process goes by. */
	char clocks[GROUND_BROKERS][PROC_PATH_SIZE + 32], preload[320],
		clock_files[GROUND_BROKERS][PROC_PATH_SIZE + 64];
	const char *variables[GROUND_BROKERS][6];
	/* For all threads: where the brokers listen; "" = it does not run. */
	pthread_mutex_t lock;
	char roots[GROUND_BROKERS][128];
};

/* Starts everything and waits until all brokers are ready. False, with the reason on standard error, when not; end it
 * with ground_stop() in any case. */
bool ground_open(struct ground *ground, const struct ground_options *options, struct history *history);
/* Ends everything; the folders stay. What did not end cleanly is in the history. */
void ground_stop(struct ground *ground);
/* Removes the store's folders, and, unless it is to be kept, the one with history and logs. */
void ground_remove(struct ground *ground, bool keep);

/* The main thread's. A start does not wait for readiness: Redis may be away. */
bool ground_broker_start(struct ground *ground, size_t broker);
void ground_broker_kill(struct ground *ground, size_t broker);
bool ground_broker_end(struct ground *ground, size_t broker); /* by SIGTERM; false when it did not end well */
bool ground_wait_ready(struct ground *ground);
/* Starts brokers that have ended by themselves, as a service manager does, and notes that they did. */
bool ground_look_after(struct ground *ground);

/* Sets the clock of that broker's machine so many seconds off. */
bool ground_set_clock(struct ground *ground, size_t broker, int64_t seconds);
/* Has every master of the store a replica that is in step with it, so that one node may be lost? */
bool ground_store_is_whole(struct ground *ground);

/* Any thread's: sends the request to that broker; `url` is what follows the root. Status 0 when it does not run. */
void ground_call(struct ground *ground, size_t broker, const struct http_request *request,
		 struct http_response *response);

#endif
