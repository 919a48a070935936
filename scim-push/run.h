/*
 * A push under way: the state shared by push.c (its life), steps.c (its steps), ask.c (its requests), reply.c and
 * reply_group.c (its answers), person.c (who its members are) and verdict.c (its results). Private to this folder.
 *
 *   group ─> users ─> look ─> ready ─> patch ─> confirm ─> over
 *     ^                                  │         │
 *     └──── an id from memory is out of date (once)
 *
 * Each member has a seat, which walks from SEAT_FIND to SEAT_SETTLED on its own; a phase is over when no seat is
 * left that has something to do in it.
 */
#ifndef SCIM_PUSH_RUN_H
#define SCIM_PUSH_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uv.h>

#include "http/http.h"
#include "scim-push/names.h"
#include "scim-push/outcome.h"
#include "scim-push/push.h"
#include "scim-push/scim.h"
#include "scim-push/user.h"

#define RUN_PARALLEL                                                                                         \
	4 /* requests of one push at a time: kind to the application, quick enough for 100 members */

enum phase {
	PHASE_GROUP,   /* the group's id */
	PHASE_USERS,   /* the users' ids; missing users are created */
	PHASE_LOOK,    /* who is a member already, of those for whom that is to be found out */
	PHASE_READY,   /* on_ready was called, push_send() is awaited */
	PHASE_PATCH,   /* one PATCH at a time, each after having asked again */
	PHASE_CONFIRM, /* does the application show what was changed? */
	PHASE_OVER     /* verdicts stand; on_end follows from the loop */
};

/* What is to be asked about the group next. */
enum group_step {
	GROUP_FIND, /* by the name (or external id) that the configuration gives */
	GROUP_READ, /* that name is not found, or not known yet: by the id under which it was known before */
	GROUP_CREATE, /* it is missing and is to be created */
	GROUP_RENAME  /* its id is known, and its name is not the configuration's */
};

enum seat_step {
	SEAT_FIND,     /* the user's id is not known */
	SEAT_CREATE,   /* the user is missing and is to be created */
	SEAT_ACTIVATE, /* the user's id is known; the user is to be made active */
	SEAT_LOOK,     /* the user's id is known; are they a member already? */
	SEAT_KNOWN,    /* the user's id is known; the membership is to be changed */
	SEAT_ASK,      /* the PATCH was answered; the membership is to be read back */
	SEAT_DOUBTED,  /* not shown yet: ask again after a pause */
	SEAT_STALE,    /* the application does not know the id that memory gave: look up again */
	SEAT_SETTLED   /* the member's verdict stands */
};

struct seat {
	enum seat_step step;
	bool busy;        /* a request for it is under way */
	bool from_memory; /* the id was looked up by an earlier push */
	bool looked;      /* it was asked whether they are a member already */
	bool unclear;     /* that was asked, and there was no answer that says it */
	bool clashed;     /* its creation was answered 409, or without an id */
	bool incomplete;  /* the user could not be created: an attribute that is required is not known */
	bool accepted;    /* the PATCH was answered 2xx; else the membership may have been so already */
	bool unanswered;  /* its latest request was given up without an answer */
	bool send_again; /* its removal was refused together with others: for a smaller push if it is still there */
	bool in_patch; /* part of the PATCH under way */
	/* The verdict when a removal was not accepted and the member is still there. */
	enum push_verdict if_there;
	long heard;            /* status of the latest answer that concerns it; 0 = none */
	long patched;          /* of its latest PATCH */
	char match[NAME_SIZE]; /* by which the user is found */
	char user_id[SCIM_ID_SIZE];
};

struct slot { /* one request under way */
	struct run *run;
	struct http_request *request; /* NULL = free */
	enum scim_op op;
	size_t seat;    /* its member; unused for the group's look-up and the PATCH */
	bool with_next; /* sent with the target's next token */
	int64_t started_ms;
	char *url, *body; /* copies, where somebody looks; owned */
};

struct run {
	struct run *next, **link; /* `link` is what points to this one */
	struct pusher *pusher;
	struct push *push;
	enum phase phase;
	enum group_step group_step;
	bool group_clashed;       /* its creation was answered 409, or without an id */
	bool settling;            /* the application has been given its time since the latest PATCH */
	bool with_next, switched; /* the next token is used; the other one was tried: once in a push */
	bool answered;            /* push_send() has said what is wanted, and no PATCH has gone out since */
	bool group_from_memory;
	bool looked_again;    /* ids from memory were looked up anew: once in a push */
	bool reached;         /* bytes of some request have left */
	bool unanswered;      /* the latest group look-up or PATCH was given up without an answer */
	bool members_by_name; /* the group left its members out: they are asked for by their name */
	unsigned round;       /* how often the confirmation was asked */
	char group_id[SCIM_ID_SIZE];
	struct slot slots[RUN_PARALLEL];
	uv_timer_t wake; /* the next step, from the loop */
	uv_timer_t deadline;
	unsigned timers_open;
	struct seat seats[]; /* push->count */
};

struct probe;
struct listing;
struct visit;

struct pusher {
	uv_loop_t *loop;
	struct http_client *http;
	struct names *names;
	struct run *runs;
	size_t running;
	struct probe *describing; /* tests whose first request is under way */
	struct listing *listings; /* under way */
	struct visit *visits;     /* under way */
	struct push *unstarted;   /* found no memory; chained through push->state */
	uv_timer_t late;          /* ends them */
};

/* push.c: lets the loop go on with this push after so long; 0 = at once. */
void run_wake_after(struct run *run, int64_t ms);

/* push.c: tells the ids that the push works with, and who is about to be sent. */
void run_tell_ids(struct run *run);

/* steps.c: does all that can be done now. Never ends the push itself: it leaves PHASE_OVER behind. */
void steps_advance(struct run *run);

/* steps.c: the pause before the next confirmation is over, or the push has just begun. */
void steps_wake(struct run *run);

/* steps.c: the answer to a request of this push. */
void steps_answer(struct run *run, const struct slot *slot, const struct http_answer *answer);

/* ask.c: what is the same in every request to this application. */
void target_call(const struct scim_target *target, enum scim_op op, bool with_next, struct http_call *call);

/* ask.c: starts a request. False when all slots are taken, or when it failed and the push is over for it. */
bool ask_group(struct run *run);
bool ask_user(struct run *run, size_t seat);
bool ask_creation(struct run *run, size_t seat);
bool ask_activation(struct run *run, size_t seat);
/* Asks for the membership of this seat, or for those of all in the same step at once, as the dialect has it. */
bool ask_membership(struct run *run, size_t seat);
/* Sends the PATCH for the seats that are SEAT_KNOWN, as many as the dialect lets into one. */
bool ask_patch(struct run *run);

/* listing.c: for the end of the process. */
void listing_abort_all(struct pusher *pusher);

/* visit.c: for the end of the process. */
void visit_abort_all(struct pusher *pusher);

/* probe.c: for the end of the process: ends the tests whose first request is under way. */
void probe_abort_all(struct pusher *pusher);

/* verdict.c: shows the request of the slot and its answer to whoever looks. */
void show_step(struct run *run, const struct slot *slot, const struct http_answer *answer,
	       enum outcome outcome);

/* ask.c: gives up all requests under way, noting what may have reached the application. */
void ask_cancel(struct run *run);
bool ask_busy(const struct run *run);

/* reply.c: what the answer means for its seats, which it moves. May end the push, asks nothing. */
void reply_apply(struct run *run, const struct slot *slot, const struct http_answer *answer,
		 enum outcome outcome);

/* reply_group.c: the same, about the group itself. */
void reply_group(struct run *run, const struct slot *slot, const struct http_answer *answer,
		 enum outcome outcome);

/* reply.c: a removal looks for somebody, or for a group, who is not found: proof only after several pushes. */
void nobody_to_remove(struct run *run, size_t seat, const char *words);

/* reply.c: the PATCH is answered; the seat is read back, or left as it is where the application shows nothing. */
void read_back(struct run *run, size_t seat);

/* person.c: who the members are in the application: settles those of whom that cannot be said. */
void identify_all(struct run *run);
/* person.c: appends the body of the user's creation. ERR_CONFIG with words when the application would not take it, or
 * ERR_NOMEM. */
enum err person_body(const struct run *run, size_t seat, struct buf *body, struct errctx *why);
/* person.c: is the user in this list, whom the look-up has found, one that an earlier creation without an answer made? */
bool person_is_ours(const struct run *run, size_t seat, const struct http_answer *answer);
/* person.c: the look-up of this member, and that of the group. */
void seat_find(const struct run *run, size_t seat, struct scim_find *find);
void group_find(const struct run *run, struct scim_find *find);
/* person.c: the look-up of a group of these names: a name that would have to be escaped gives way to the external id. */
void target_find_group(const struct scim_target *target, const char *name, const char *external_id,
		       struct scim_find *find);

/* recall.c: takes an id from memory; false when it is not there. */
bool recall_group(struct run *run);
bool recall_user(struct run *run, size_t seat);
/* recall.c: which of the two tokens is the one that this application takes. */
void remember_token(struct pusher *pusher, const struct scim_target *target, bool next);
/* recall.c: the seat's id is known: what comes next for it. */
void seat_known(struct run *run, size_t seat);
/* recall.c: an answer gave this id: keeps it, here and in memory. */
void learn_group(struct run *run, const char *id);
void learn_user(struct run *run, size_t seat, const char *id);
/* recall.c: the next push looks up again. */
void forget_group(struct run *run);
void forget_user(struct run *run, size_t seat);
/* recall.c: does the latest PATCH rest on an id from memory that was not looked up anew in this push? */
bool rests_on_memory(const struct run *run);
/* recall.c: forgets the ids that came from memory and begins again with looking them up. Once in a push. */
void look_again(struct run *run);

/* verdict.c: the answer's status, for the members that it concerns: it may be what decides about them. */
void note_status(struct run *run, const struct slot *slot, long status);
void all_heard(struct run *run, long status);

/* verdict.c: the member's verdict stands. `words` NULL keeps the text that is there. */
void seat_settle(struct run *run, size_t seat, enum push_verdict verdict, const char *words);

/* verdict.c: has every member its verdict? */
bool run_is_settled(const struct run *run);

/* verdict.c: every member that has no verdict yet gets this one, and the push is over. */
void run_settle_rest(struct run *run, enum push_verdict verdict, const char *words);

/* verdict.c: requests under way are given up and on_end follows from the loop. All seats are settled. */
void run_over(struct run *run);

/* verdict.c: what the answer says, as one sentence for people. */
void answer_text(const struct scim_target *target, enum scim_op op, const struct http_answer *answer,
		 char out[TEXT_SIZE]);
void answer_words(const struct run *run, enum scim_op op, const struct http_answer *answer,
		  char out[TEXT_SIZE]);

/* verdict.c: text from outside, without control characters and without the target's tokens. */
void clean_words(const struct scim_target *target, const char *text, char out[TEXT_SIZE]);

/* verdict.c: `before "name"`, cleaned. */
void name_words(const struct run *run, const char *before, const char *name, char out[TEXT_SIZE]);

#endif
