/* Shared inside activation/ only: the module's state and how it calls the Redis functions. */
#ifndef ACTIVATION_CORE_H
#define ACTIVATION_CORE_H

#include "activation/activation.h"
#include "activation/actor.h"
#include "store/store.h"

#define DUE_LEASE_MS  5000 /* a start, pump or cycle that was claimed is claimed again after that */
#define DUE_BATCH     100  /* entries of the timetable in one call: about 1 ms of Redis */
#define PUSH_GRACE_MS 2000 /* a push is taken over so long after it must have been aborted */
#define PUSH_BATCH    100  /* most members in one push, whatever the application takes */
#define TERMS_SIZE    320
#define LIMITS_MAX    4096 /* a group's limits: some hundred ids */

struct timetable;
struct review;

struct activation {
	struct activation_options options;
	struct timetable *timetable;
	struct review *review;
	char telling[ACTIVATION_TELLS_SIZE + 2]; /* "0", Redis' time, and what somebody wants to be told */
	char history[48];            /* options.history_ms and the policies, as the functions' argument */
	char asking[48 + ACTOR_MAX]; /* the same with who asks, while a call is being built */
	int64_t clock_offset_ms;     /* Redis' clock minus clock_mono_ms() */
	size_t orders;
	size_t planned; /* applications whose cycle has been planned since the store became ready */
	bool ready, stopped;
};

/* Begins a call: function, lane, and the arguments that all functions share. */
void core_call(struct activation *activation, struct store_call *call, const char *function, unsigned lane);

/* The same for what somebody asks for: `actor` as actor_write() has written it; NULL or "" = the broker itself. The call
 * is to be given to the store before the next one is begun. */
void core_call_by(struct activation *activation, struct store_call *call, const char *function, unsigned lane,
		  const char *actor);

/* The lane of an application, or of one of our ids; the id's is -1 when it is none of ours. */
unsigned core_lane(const struct activation *activation, const char *app);
int core_lane_of_id(const struct activation *activation, const char *id);

/* Writes the terms as the functions read them (activation/lane.lua). */
void core_terms(const struct terms *terms, char out[TERMS_SIZE]);

/* What the application's guard lets go without asking, as the functions take it (activation/guard.lua); "" where this
 * broker does not know the application, and then it ends nothing either. */
#define GUARD_SIZE 80
void core_guard(const struct activation *activation, const char *app, char out[GUARD_SIZE]);

/* The first word of an answer; also notes Redis' time and the lane's next due time. */
const char *core_answer(struct activation *activation, unsigned lane, const struct reply *reply);

/* Tells when that access ends, as the answer has it; 0 = it does not say. */
void core_tell_end(struct activation *activation, const struct reply *reply, int64_t end_ms,
		   const struct access_end *whose);

/* Reads the order in the answer, if there is one, and hands it out to be carried out. */
void core_hand_out(struct activation *activation, const struct reply *reply, int64_t begun_ms);

/* A call that may have begun the push of this id has ended in doubt (ERR_TIMEOUT): hands the order out as soon as the
 * store says that there is one. */
void core_find_order(struct activation *activation, unsigned lane, const char *push_id, int64_t begun_ms);

#endif
