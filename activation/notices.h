/*
 * Notices on their way to those who want to know: from the lane's outbox, by one delivery for each of them, which is
 * claimed, carried out by the module's owner, and told of. notices.lua says what is kept. A broker that dies in between
 * leaves its claims behind, which run out; so everything may be delivered more than once, always under the same id.
 */
#ifndef ACTIVATION_NOTICES_H
#define ACTIVATION_NOTICES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "activation/activation.h"

#define NOTICE_KIND_SIZE   32
#define NOTICE_TARGET_SIZE 72
#define NOTICE_COPIES_MAX  150 /* deliveries of one notice */

/* A notice, and of a delivery what has become of it. Texts behind pointers are borrowed, valid during the callback. */
struct notice {
	char kind[NOTICE_KIND_SIZE]; /* as in TELLS (states.h), or "notices.held" for a digest */
	int64_t number, told_ms;
	int64_t overdue_ms; /* since when a removal waits */
	char group_name[NAME_SIZE];
	struct request request; /* as it was then; without an id where an application alone is concerned */

	char delivery[ID_SIZE];
	char target[NOTICE_TARGET_SIZE];
	char to[NAME_SIZE];     /* mailbox; "" = none */
	char answer[TEXT_SIZE]; /* the receiver's last, in plain words */
	unsigned tries;
	int64_t made_ms, due_ms, parked_ms; /* parked_ms 0 = it waits */
	int64_t held;                       /* of a digest: how many it stands for, and, a line each, which */
	const char *lines;
};

struct notice_list {
	size_t count;
	const struct notice *notices;
	bool more; /* there may be more that are due, although fewer came than were asked for */
};

/* `list` is NULL unless err is ERR_OK. */
typedef void notices_done(void *ctx, enum err err, const struct notice_list *list);
/* `word` is the function's, "" unless err is ERR_OK. */
typedef void notices_told(void *ctx, enum err err, const char *word);

/* The first of the outbox, which stay there until they are spread. */
void notices_open(struct activation *activation, unsigned lane, notices_done *done, void *ctx);

struct notice_copy {
	char id[ID_SIZE]; /* of the delivery, in the lane of the notice */
	const char *target, *to;
	int64_t delay_ms;
};

struct notice_spread {
	unsigned lane;
	int64_t number;
	size_t count; /* at most NOTICE_COPIES_MAX; 0 = nobody wants to know */
	const struct notice_copy *copies;
};

/* The notice leaves the outbox, for these deliveries. "ok", or "gone" when another broker has done it. */
void notices_spread(struct activation *activation, const struct notice_spread *spread, notices_told *done,
		    void *ctx);

struct notice_claim {
	unsigned lane;
	const char *target;
	unsigned most;           /* 0 = this broker does not know the target */
	int64_t lease_ms;        /* the claim runs out after that */
	const char *fingerprint; /* of the target's configuration */
};

/* Claims deliveries that are due. */
void notices_take(struct activation *activation, const struct notice_claim *claim, notices_done *done,
		  void *ctx);

struct notice_end {
	char id[ID_SIZE];
	const char *word;        /* "done", "again", "park", "gone" (the target wants nothing more), "held" */
	int64_t delay_ms;        /* before it is tried again */
	int64_t silent_ms;       /* nothing else is sent to that target for so long */
	const char *answer;      /* what the receiver said, in plain words */
	const char *fingerprint; /* of the target's configuration */
};

/* What came of a delivery. "ok", or "none" when it is no more. */
void notices_end(struct activation *activation, const struct notice_end *end, notices_told *done, void *ctx);

struct notice_mail {
	const char *mailbox, *delivery;
	const char *person; /* on whose account it is sent */
	const char *line;   /* what a digest says of it */
	int64_t most, most_for_one, window_ms;
	const char *apart; /* what is counted apart from other mails; "" = nothing */
};

/* May this mail be sent now? "send", or "held": a digest will tell of it. */
void notices_may_mail(struct activation *activation, const struct notice_mail *mail, notices_told *done,
		      void *ctx);

struct notice_order {
	const char *id;    /* of a delivery */
	const char *word;  /* "send" it again now, "discard" it */
	const char *actor; /* who says so (activation/actor.h) */
};

/* An operator's word on a delivery. ERR_NOT_FOUND. */
void notices_order(struct activation *activation, const struct notice_order *order, notices_told *done,
		   void *ctx);

struct notice_target {
	char name[NOTICE_TARGET_SIZE];
	int64_t waiting, lost; /* lost: deliveries that found no room */
	int64_t silent_till_ms;
	bool gone;
};

/* Of one lane: its targets, and its deliveries, parked ones first, newest first. `targets` is NULL unless err is ERR_OK. */
struct notice_targets {
	size_t count;
	const struct notice_target *targets;
};

typedef void notices_listed(void *ctx, enum err err, const struct notice_targets *targets,
			    const struct notice_list *list);
struct notice_query {
	unsigned lane, most;
};
void notices_list(struct activation *activation, const struct notice_query *query, notices_listed *done,
		  void *ctx);

#endif
