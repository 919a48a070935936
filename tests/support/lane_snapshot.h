/*
 * All that a lane holds at one moment, and whether it agrees with itself: every request, membership, push, queue and
 * entry of the timetable is where the others say it is, and nothing is left over.
 */
#ifndef TESTS_SUPPORT_LANE_SNAPSHOT_H
#define TESTS_SUPPORT_LANE_SNAPSHOT_H

#include <stdbool.h>

#include "activation/states.h"
#include "tests/support/lane.h"

#define SNAPSHOT_MAX 1024

struct snapshot_request {
	const char *id, *group, *person, *app;
	enum state state;
	int64_t start_ms, end_ms, closed_ms;
};

struct snapshot_member {
	const char *group, *person, *app, *push, *queue; /* "" = none */
	int64_t has;                                     /* 0 absent, 1 present, 2 not known */
	bool leaving, live;
	const redisReply *requests; /* ids from element SNAPSHOT_IDS on */
};

#define SNAPSHOT_IDS 9

struct snapshot_push {
	const char *id, *app, *group;
	bool add, of_cycle;
	const redisReply *members; /* persons from element SNAPSHOT_IDS on */
};

struct snapshot {
	redisReply *reply; /* all texts point into it */
	int64_t now_ms;
	size_t request_count, member_count, push_count, set_count, key_count;
	struct snapshot_request request[SNAPSHOT_MAX];
	struct snapshot_member member[SNAPSHOT_MAX];
	struct snapshot_push push[SNAPSHOT_MAX];
	const redisReply *live, *live_of_apps; /* group, number … from element 1 on; NULL = none */
	const redisReply *set[SNAPSHOT_MAX];   /* sorted sets: name, then member, score … */
};

void snapshot_take(struct snapshot *snapshot, struct lane *lane);
void snapshot_release(struct snapshot *snapshot);

/* Does the request want access at this moment? */
bool snapshot_wants(const struct snapshot *snapshot, const struct snapshot_request *request);
/* Does any request of this person in this group? */
bool snapshot_desired(const struct snapshot *snapshot, const char *group, const char *person);

/* The member's score in a sorted set; -1 when it is not there. */
int64_t snapshot_score(const struct snapshot *snapshot, const char *set, const char *member);

/* Fails the test with a sentence about the first contradiction. */
void snapshot_check(const struct snapshot *snapshot);

#endif
