/*
 * Activations: what people ask for, carried out as atomic Redis functions, and what time makes of it. This module
 * knows no HTTP and no SCIM: whoever owns it answers people with what the callbacks bring, and carries out the
 * pushes that it hands out. Nothing blocks; callbacks run on the loop, and within the call itself only when it
 * fails at once (unknown application, no memory).
 */
#ifndef ACTIVATION_ACTIVATION_H
#define ACTIVATION_ACTIVATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uv.h>

#include "activation/order.h"
#include "activation/piece.h"
#include "activation/request.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/id.h"
#include "throttle/throttle.h"

struct store;
struct activation;

/* What the functions must know of an application. */
struct terms {
	char app[APP_ID_SIZE];
	struct throttle throttle;
	int64_t push_timeout_ms; /* a push is aborted after that */
	int64_t batch;           /* members in one push, 1 to PUSH_BATCH */
	/* It is quarantined when so many pushes have failed, and so many in a hundred. */
	int64_t quarantine_failures, quarantine_share;
	int64_t quarantine_slowest_ms; /* its trials come half as often each time, down to one in that time */
	/* So many memberships, and so many of a hundred, a change of the configuration may remove in a cycle's time before an
	 * operator is asked (activation/guard.lua). */
	int64_t guard_members, guard_share;
	int64_t log_keep_ms, log_most; /* its provisioning log */
	int64_t token_ends_ms;         /* its secret token; 0 = not known */
	char proof[40]; /* what Test Connection must have proved before anything is pushed; "" = nothing */
};

/* Which policies a broker goes by, for those who lose their eligibility (activation/review.h). */
#define POLICIES_SIZE 17
struct activation_policies {
	char digest[POLICIES_SIZE]; /* letters and digits; the same where the same people are eligible */
	int64_t grace_ms;           /* they end something only when no others have been in use for so long */
};

/* Access that is in the application, or may be, and its end. Borrowed. */
struct access_end {
	const char *application, *group, *principal;
	int64_t now_ms, end_ms; /* as of then, by Redis' clock; the end may be the present */
};

enum eligible { ELIGIBLE_YES, ELIGIBLE_LOST, ELIGIBLE_UNKNOWN };

struct activation_options {
	uv_loop_t *loop;
	struct store *store; /* borrowed; outlives the activation */
	int64_t poll_ms;     /* longest sleep of the timetable */
	int64_t history_ms;  /* ended requests are kept so long */

	/* The terms of that application; false when this broker does not know it. */
	bool (*terms)(void *ctx, const char *app, struct terms *out);
	/* The index-th application's terms; false beyond the last. */
	bool (*application)(void *ctx, size_t index, struct terms *out);
	/* Does policy still allow this scheduled request, now that it starts? ERR_OK: `limits` has those of its group (struct
	 * ask). ERR_POLICY: `why` says why not. Anything else is no answer: it is asked again. */
	enum err (*allowed)(void *ctx, const struct request *request, struct buf *limits, struct errctx *why);
	/* The lane's outbox (target "") or its deliveries to that target are due (activation/notices.h). */
	void (*notices)(void *ctx, unsigned lane, const char *target);
	/* The lane's audit is to be sealed or exported: `what` is "seal" or "export". */
	void (*audit)(void *ctx, unsigned lane, const char *what);
	/* Is who made this request, which gives access, eligible now? ELIGIBLE_YES also where the group takes nothing away;
	 * *until_ms is when that ends. ELIGIBLE_UNKNOWN: this broker does not know the group. */
	enum eligible (*eligible)(void *ctx, const struct request *request, int64_t *until_ms);
	/* The next group at or behind *index that takes away from who is no longer eligible; *index is then behind it. */
	bool (*reviewed)(void *ctx, size_t *index, char app[APP_ID_SIZE], char group[ID_SIZE]);
	struct activation_policies policies;
	/* The steps of that application's cycle, in their order, and how much work each has; "" = none. */
	void (*steps)(void *ctx, const char *app, char out[STEPS_SIZE]);
	/* Carry out this piece of one of them; its owner is now the callee, who gives it back by piece_end(). */
	void (*piece)(void *ctx, struct piece *piece);
	/* When a membership's access ends is known anew, without a push that would say so. */
	void (*ends)(void *ctx, const struct access_end *end);
	/* Carry out this push; its owner is now the callee, who gives it back by order_end(). */
	void (*push)(void *ctx, struct order *order);
	void *ctx;
};

struct activation *activation_new(const struct activation_options *options) MUST_CHECK; /* NULL: no memory */
void activation_free(struct activation *activation);                                    /* NULL is legal */

/* How many lanes there are has become known: what is due in those that are there is done, whatever is away. */
void activation_lanes_known(struct activation *activation);

/* The store became ready or stopped being so. */
void activation_store_ready(struct activation *activation, bool ready);
/* The configuration changed: plan the cycles of new applications, take up new settings. */
void activation_reload(struct activation *activation, int64_t poll_ms, int64_t history_ms,
		       const struct activation_policies *policies);
/* What somebody wants to be told from now on: "BEFORE OVERDUE |KIND|KIND|" (activation/lane.lua), "" = nothing. */
#define ACTIVATION_TELLS_SIZE 320
void activation_tell(struct activation *activation, const char *tells);
/* Take up no more work; orders that are out can still be ended. */
void activation_stop(struct activation *activation);
/* Redis' time as of the last answer, in Unix ms; this machine's before the first. */
int64_t activation_now_ms(const struct activation *activation);

/* What a person asks for. All texts are borrowed for the call; "" or NULL = none. */
struct ask {
	const char *id; /* of the request, with the lane of the application; a repetition has the same */
	const char *fingerprint; /* of all that was asked: another under the same id is ERR_KEY_REUSED */
	const char *application, *group, *principal, *created_by, *action;
	const char *person;     /* JSON object with what SCIM needs to know of the person */
	const char *group_name; /* displayName in the application */
	const char *justification, *ticket_number, *ticket_system, *custom_data;
	/* What the group allows besides: "MOST GROUP,GROUP", how many may have it at once (0 = any number) and which groups
	 * of the application exclude it; "" = no limits. "MOSTe …": only if an administrator has made the person
	 * eligible. In a line of its own the user name of the person behind several accounts, who counts as one. */
	const char *limits;
	int64_t approval_wait_ms; /* > 0: an approver has to decide, and has so long for the first stage */
	bool counts_from_confirmation; /* the time begins when the application has confirmed the membership */
	bool lost_with_eligibility;    /* it ends when the person's eligibility does, … */
	int64_t eligible_until_ms;     /* … which is then, as far as is known; 0 = not */
	bool break_glass;              /* marked so in the request and in the audit */
	int64_t start_ms;              /* 0 = now */
	int64_t duration_ms;           /* or 0 and … */
	int64_t end_ms;                /* … an end */
	bool only_try;     /* change nothing; a refusal brings a request as well, with what it would exceed */
	const char *actor; /* who asks, as actor_write() has written it */
};

/* `request` is NULL when there is none to show, and valid during the call only. */
typedef void activation_done(void *ctx, enum err err, const struct request *request);

/*
 * Activates, policy having allowed it. ERR_OK with the request, which tells whether it is being pushed, waits or is
 * deferred; ERR_EXISTS and ERR_PENDING with the request that gives all this already; ERR_START_IN_PAST,
 * ERR_TOO_MANY, ERR_FULL, ERR_EXCLUDED, ERR_POLICY (no longer eligible, where the limits ask), ERR_NO_ASSIGNMENT (an
 * extension of nothing), ERR_KEY_REUSED, and the store's errors.
 */
void activation_submit(struct activation *activation, const struct ask *ask, activation_done *done,
		       void *ctx);

/* Ends all that the person has running in the group, also where no broker knows the application any more.
 * ERR_NO_ASSIGNMENT when that is nothing. */
void activation_deactivate(struct activation *activation, const struct ask *ask, activation_done *done,
			   void *ctx);

/* Who withdraws a request; borrowed for the call. */
struct withdrawal {
	const char *by; /* principalId */
	bool is_operator;
	const char *actor; /* the same person, as actor_write() has written it */
};

/* Withdraws a request that has not given access. ERR_NOT_FOUND, ERR_FORBIDDEN (not theirs), ERR_WRONG_STATE. */
void activation_cancel(struct activation *activation, const char *id, const struct withdrawal *who,
		       activation_done *done, void *ctx);

/* ERR_NOT_FOUND when there is no such request. */
void activation_get(struct activation *activation, const char *id, activation_done *done, void *ctx);

/*
 * Eligibility that administrators give, beside the policy's own lists: the ask's action is adminAssign, adminUpdate,
 * adminExtend or adminRemove. The request that is answered is one of its own kind, with the fields that mean something
 * for it. ERR_EXISTS with the one that gives all this already; ERR_NO_ASSIGNMENT where there is nothing to change;
 * ERR_START_IN_PAST, ERR_TOO_MANY, ERR_KEY_REUSED.
 */
void activation_make_eligible(struct activation *activation, const struct ask *ask, activation_done *done,
			      void *ctx);
/* Withdraws one that has not begun. ERR_NOT_FOUND, ERR_WRONG_STATE. */
void activation_cancel_eligibility(struct activation *activation, const char *id,
				   const struct withdrawal *who, activation_done *done, void *ctx);
void activation_get_eligibility(struct activation *activation, const char *id, activation_done *done,
				void *ctx);

/* Is ask->principal eligible for ask->group at ask->start_ms (0 = now) because an administrator said so? */
typedef void activation_eligible_done(void *ctx, enum err err, bool is_eligible);
void activation_ask_eligible(struct activation *activation, const struct ask *ask,
			     activation_eligible_done *done, void *ctx);

/* An application's condition. */
struct application_status {
	int64_t now_ms;
	int64_t tokens_free, next_token_ms, closed_until_ms; /* 0 = all free, not closed */
	int64_t waiting, deferred, removals;
	int64_t next_cycle_ms;
	bool cycle_runs;
	int64_t cycle_started_ms, cycle_total, cycle_left, cycle_pushes, cycle_failures, cycle_eta_ms;
	int64_t last_started_ms, last_ended_ms, last_total, last_pushes,
		last_failures;                     /* 0 = none had work yet */
	int64_t paused_ms;                         /* since when; 0 = it is not */
	bool removals_rest;                        /* paused, removals as well */
	int64_t quarantined_ms, quarantine_trials; /* since when, and cycles that have tried it */
	char quarantine_why[16], quarantine_text[TEXT_SIZE];
	int64_t failed_pushes, passed_pushes; /* since the first that failed */
	bool needs_test, unproved; /* it is switched on by a passed Test Connection, which it has not */
	int64_t proved_ms;         /* when the last one passed; 0 = none */
	int64_t members;           /* memberships that are wanted */
	int64_t users_created, users_updated, users_deactivated,
		users_deleted; /* since the application is here */
	int64_t held, held_ms; /* those whose removal the guard holds, and since when; 0 = none */
};

/* `status` is NULL unless err is ERR_OK. ERR_NOT_FOUND: this broker does not know the application; ERR_NOMEM; the store's. */
typedef void activation_status_done(void *ctx, enum err err, const struct application_status *status);
void activation_status(struct activation *activation, const char *app, activation_status_done *done,
		       void *ctx);

/* The lane's figures. */
struct lane_status {
	int64_t now_ms, timetable;
	int64_t due, oldest_due_ms;          /* entries that are due and not claimed; 0 = none is */
	int64_t removals, oldest_removal_ms; /* 0 = none waits */
	int64_t notices, oldest_notice_ms, parked_notices;
	int64_t audit_events, audit_unsealed, audit_unexported; /* -1 = nobody seals, exports */
	int64_t held;                                           /* removals that guards hold */
	int64_t stranded;                   /* removals in applications that no broker knows any more */
	int64_t set_aside, oldest_aside_ms; /* what cannot be worked on, and is tried again and again */
};

/* `status` is NULL unless err is ERR_OK: ERR_NOMEM and the store's errors. */
typedef void activation_lane_done(void *ctx, enum err err, const struct lane_status *status);
void activation_lane(struct activation *activation, unsigned lane, activation_lane_done *done, void *ctx);

#endif
