/*
 * A push that has its token: which memberships of one group are to be made present or absent. The broker that
 * holds the order carries it out; the claim that goes with it is in the timetable, so that another broker takes
 * over when this one dies.
 */
#ifndef ACTIVATION_ORDER_H
#define ACTIVATION_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/id.h"

struct activation;
struct reply;

enum order_verdict {
	ORDER_DONE,
	ORDER_UNVERIFIED, /* done, as far as the application says: it shows nothing that would prove it */
	ORDER_STANDING,   /* done already: they were a member before */
	ORDER_RETRY,
	ORDER_REFUSED,
	ORDER_SKIPPED,
	ORDER_SPLIT /* refused together with others, for none of whom anything was changed: pushed again in parts */
};

/* What a push has taught about the application itself. */
enum order_health {
	HEALTH_UNKNOWN, /* nothing: nothing was sent, or the application asked for silence */
	HEALTH_OK,
	HEALTH_FAILING,      /* it did not answer, or with 5xx */
	HEALTH_UNAUTHORISED, /* 401 or 403 */
	HEALTH_ALIEN         /* what answers there does not speak SCIM */
};

/* As the functions read it (activation/condition.lua). */
const char *order_health_word(enum order_health health);

#define ORDER_IDS_SIZE 264

struct order_member {
	char principal[NAME_SIZE];
	char *person; /* JSON object with what SCIM needs; owned by the order */
	/* How the application knows group and person, as told at the end of the push that added them; opaque here. In, for
	 * a removal; out, where they are known. */
	char ids[ORDER_IDS_SIZE];
	int64_t failures; /* pushes that failed in a row before this one */
	bool untouched;   /* an addition: the broker has not made them a member, nor tried to */
	/* An addition: what is kept of the person as a user of the application. */
	char user_id[ORDER_IDS_SIZE / 2]; /* they are one, as far as is known; "" = not */
	bool deleted;    /* the broker has deleted the user, or tried to: ids in memory may be out of date */
	bool inactive;   /* it has deactivated the user, or tried to */
	bool maybe_ours; /* an earlier creation has no answer: who is found may be the user that it made */
	bool missing;    /* an addition: the broker had made them a member, and they are not shown any more */
	bool foreign;    /* a removal: nobody has granted it, and who it is is not known */
	/* What came of it, set by whoever carried it out: */
	enum order_verdict verdict;
	bool in_doubt;     /* it may have been applied although it is not ORDER_DONE */
	int64_t delay_ms;  /* ORDER_RETRY: not before; -1 = leave it to the next cycle (activations only) */
	int status;        /* the application's HTTP status; 0 = none */
	const char *error; /* borrowed until order_end() returns; NULL = none */
	/* An addition, whatever the verdict: */
	bool created;       /* the broker has created the user */
	bool creation_lost; /* or perhaps: there was no answer */
	bool activated;     /* the user, who was inactive, is active again */
};

struct order {
	char id[ID_SIZE];
	char application[APP_ID_SIZE];
	char group[ID_SIZE];
	char group_name[NAME_SIZE]; /* displayName in the application, as of the last request */
	char group_ids
		[ORDER_IDS_SIZE]; /* how the application knew the group when it was last found; "" = not known */
	bool add;
	int64_t begun_ms;    /* clock_mono_ms() before the token was asked for */
	int64_t deadline_ms; /* clock_mono_ms() at which the push must have been aborted */
	int64_t checked_ms;  /* Redis' time when order_check() was answered last; 0 = not yet */
	size_t count;
	struct order_member *members;
	/* Of the whole push, set by whoever carried it out: */
	bool unanswered;       /* its last request may still be running in the application */
	int64_t closed_for_ms; /* the application asked for silence (Retry-After) */
	enum order_health health;
	const char
		*health_words; /* why it is not HEALTH_OK; borrowed until order_end() returns; NULL = none */
	uint32_t chance;       /* a random number, for pauses */

	struct activation *activation;
	struct order_question *question; /* an order_check() under way; this module's own */
};

/* Reads the answer of a function; NULL when it is not an order or memory is short (the claim then runs out). */
struct order *order_read(struct activation *activation, const struct reply *reply,
			 int64_t begun_ms) MUST_CHECK;

/* Would that answer be an order to add somebody? */
bool order_adds(const struct reply *reply);

/* One member, immediately before the PATCH. */
struct order_check {
	bool wanted;
	int64_t end_ms;      /* of an addition that is wanted: when the access is to end */
	char grant[ID_SIZE]; /* the request that grants it for so long; "" = not known */
};

/*
 * Which members are still wanted, asked immediately before the PATCH. `checks` has `count` elements and is NULL
 * when the claim is lost or the store cannot be asked: then nothing may be sent. Not called any more once the
 * order has been ended (its deadline may come before the store's answer).
 */
typedef void order_checked(void *ctx, const struct order_check *checks);
void order_check(struct order *order, order_checked *done, void *ctx);

/* Tells what came of the push, repeats that while the store is away, and frees the order. */
void order_end(struct order *order);

/* How many orders are out or still being ended. */
size_t orders_open(const struct activation *activation);

#endif
