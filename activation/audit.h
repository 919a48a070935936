/*
 * The audit's keeping: its events are written by the functions that make changes; here they are read, and what a broker
 * does with them is noted (sealed, exported, forgotten). Every call is one function, harmless when repeated; two brokers
 * that do the same at once are told apart by what they believed before: the second one gets ERR_DECIDED.
 */
#ifndef ACTIVATION_AUDIT_H
#define ACTIVATION_AUDIT_H

#include "activation/activation.h"
#include "activation/audit_event.h"

#define AUDIT_BATCH 500 /* events in one call: about 250 KiB */

/* What is kept of the events that are forgotten: of the last of them, and of the last seal before. */
struct audit_anchor {
	int64_t number;
	const char *link, *digest, *key, *mac;
};

/* Borrowed from the answer. */
struct audit_page {
	int64_t now_ms;
	int64_t last; /* number of the lane's last event, 0 = none, and its link */
	const char *link;
	int64_t sealed_to; /* and the digest of that seal */
	const char *digest;
	int64_t exported_to;        /* -1 = nobody exports */
	struct audit_anchor anchor; /* its number is 0 when nothing has been forgotten */
	size_t count;
	const struct reply *reply;
};

typedef void audit_page_done(void *ctx, enum err err, const struct audit_page *page);
typedef void audit_done(void *ctx, enum err err);

/* `most` events, at most AUDIT_BATCH, after the one of that number. */
struct audit_range {
	unsigned lane;
	int64_t after;
	size_t most;
};
void audit_read(struct activation *activation, const struct audit_range *range, audit_page_done *done,
		void *ctx);
/* The index-th event of the page; false when it is none that we wrote. */
bool audit_page_event(const struct audit_page *page, size_t index, struct audit_event *event);

/* How this broker keeps the lane's events: how long they may wait for a seal, and whether it exports them. */
void audit_plan(struct activation *activation, unsigned lane, int64_t seal_ms, bool exports);

struct audit_note {
	const char *event, *why;
	const char *details; /* JSON or "" */
	const char *actor;   /* actor_write(); "" = the broker itself */
};
/* Writes an event that changes no request; what goes wrong is logged. */
void audit_note(struct activation *activation, unsigned lane, const struct audit_note *note);

/* Something that was refused; all texts are borrowed. */
struct audit_refusal {
	const char *who, *user_name;          /* id of who wanted it */
	const char *request, *group, *action; /* "" = none, or not known */
	const char *why;
	const char *details; /* JSON or "" */
	const char *actor;   /* actor_write() */
	const char *counted; /* whose refusals are counted together: theirs, or those of who names people */
};
/* Writes it, or counts it, where there have been many of those; what goes wrong is logged. The lane is that of `counted`. */
void audit_refused(struct activation *activation, unsigned lane, const struct audit_refusal *refusal);

struct audit_seal {
	int64_t before, to; /* the last event that was sealed before, and now */
	const char *digest, *details;
};
void audit_seal(struct activation *activation, unsigned lane, const struct audit_seal *seal, audit_done *done,
		void *ctx);

struct audit_export {
	int64_t before, to;
	int64_t lease_ms; /* of the events after them */
};
void audit_exported(struct activation *activation, unsigned lane, const struct audit_export *moved,
		    audit_done *done, void *ctx);

/* "seal" or "export" again, at the latest after so long. */
void audit_later(struct activation *activation, unsigned lane, const char *what, int64_t delay_ms);

/* The next events that may be forgotten: all up to that one. ERR_NOT_FOUND when there are none. */
struct audit_oldest {
	int64_t number;
	const char *link, *digest;
};
struct audit_age {
	unsigned lane;
	int64_t made_before_ms;
	bool exported_only; /* leaves what has not been exported */
};
typedef void audit_oldest_done(void *ctx, enum err err, const struct audit_oldest *oldest);
void audit_oldest(struct activation *activation, const struct audit_age *age, audit_oldest_done *done,
		  void *ctx);

/* Deletes the events up to the anchor, which then says where they begin. */
void audit_forget(struct activation *activation, unsigned lane, const struct audit_anchor *anchor,
		  audit_done *done, void *ctx);

#endif
