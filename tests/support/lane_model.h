/*
 * People, groups and two applications in one lane: a world that asks the function library for everything that can
 * be asked, by chance, and lets everything happen to a push that can go wrong. The applications are simulated; what
 * they have is known. tests/unit/test_model.c walks through it and checks.
 */
#ifndef TESTS_SUPPORT_LANE_MODEL_H
#define TESTS_SUPPORT_LANE_MODEL_H

#include "tests/support/lane_snapshot.h"

#define MODEL_APPS         2
#define MODEL_GROUPS       4 /* of each application */
#define MODEL_PEOPLE       5
#define MODEL_FLIGHTS      64
#define MODEL_REQUESTS_MAX 40000
#define MODEL_DEADLINE_MS  3000
#define MODEL_LEASE_MS     4000
#define MODEL_KEEP_MS      20000
#define MODEL_NEVER        INT64_MAX
#define MODEL_NAME         16 /* names of people and groups */

/* A push that a broker carries out. */
struct model_flight {
	char id[16];
	int app, group;
	bool used, add, checked, sent;
	int64_t begin_ms;
	size_t count;
	int person[MODEL_PEOPLE];
	bool wanted[MODEL_PEOPLE], applied[MODEL_PEOPLE];
};

struct model {
	struct lane *lane;
	uint64_t seed;
	size_t step, requests, pushes, repeats;
	int64_t next_due_ms;
	bool calm; /* no more faults, nobody asks for anything */
	char audit_from[48];
	unsigned char *state;                                /* of each request, as the audit events say */
	bool member[MODEL_APPS][MODEL_GROUPS][MODEL_PEOPLE]; /* what the applications have */
	struct model_flight flight[MODEL_FLIGHTS];
	struct {
		bool add;
		char group[MODEL_NAME], person[MODEL_NAME];
	} handed[MODEL_PEOPLE]; /* by the last call */
	size_t handed_count;
	int64_t cycle_started[MODEL_APPS], cycle_done[MODEL_APPS];
	size_t seen[ST_COUNT], takeovers, joins, cycles;
	size_t told, delivered; /* deliveries made of notices, and attempts at them */
	struct snapshot snapshot;
};

uint32_t model_pick(struct model *m, uint32_t bound); /* by chance, below the bound */
int model_app(const char *group);                     /* whose group that is */
const char *model_group(int app, int group, char out[MODEL_NAME]);

/* Begins a call with the terms of that application. */
void model_begin(struct model *m, const char *function, int app);
/* Sends the call; now and then a second time, which must change nothing more. */
redisReply *model_call(struct model *m);

/* Things that people and approvers ask for, about whatever chance picks. */
void model_submit(struct model *m);
void model_decide(struct model *m);
void model_cancel(struct model *m);
void model_refuse(struct model *m);
void model_deactivate(struct model *m);

/* What brokers do. An order that they get becomes a flight. */
bool model_pump(struct model *m, int app);
void model_provision(struct model *m);
void model_cycle(struct model *m, int app);
void model_look(
	struct model *m); /* at the timetable, carrying out what is claimed unless the broker dies with it */

/* The next thing that happens to this push, or to any: asked, sent, ended, or its broker dies. */
void model_advance(struct model *m, struct model_flight *f);
void model_advance_some(struct model *m);

/* Takes a fresh snapshot. Nobody may have been handed out to be added without a wish, nor removed against one. */
void model_check_handed(struct model *m);

#endif
