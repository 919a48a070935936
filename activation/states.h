/*
 * The life of a request, as one table: state × event → state, with who causes it and what else happens in the
 * same atomic step. The table is the only truth: C reads it here, the Redis functions get it printed as Lua at
 * build time (states_print.c), deploy/states.md gets it printed as Markdown.
 */
#ifndef ACTIVATION_STATES_H
#define ACTIVATION_STATES_H

#include <stdbool.h>
#include <stddef.h>

/* Raised whenever a function of the Redis library changes; a broker loads its library over an older one. */
#define LIBRARY_VERSION 4

/* The form of what the functions keep in Redis. Raised when an older library could not read it: its brokers then
 * refuse the store. */
#define SCHEMA_VERSION 1

/*
 * X(constant, name in the store, Graph's status, provisioning.state, what it means)
 * The name is what is kept in Redis: never renamed, only added to.
 */
#define STATES(X)                                                                                            \
	X(ST_NEW, "new", "-", "-", "not yet stored")                                                         \
	X(ST_AWAITING, "awaiting", "PendingApproval", "waiting", "waits for an approver")                    \
	X(ST_SCHEDULED, "scheduled", "Granted", "waiting", "granted, starts later")                          \
	X(ST_WAITING, "waiting", "PendingProvisioning", "waiting",                                           \
	  "waits for a token, a retry or a push under way")                                                  \
	X(ST_DEFERRED, "deferred", "PendingProvisioning", "deferred", "waits for the next sync cycle")       \
	X(ST_PROVISIONING, "provisioning", "PendingProvisioning", "pushing", "a push is under way")          \
	X(ST_IN_FORCE, "in_force", "Provisioned", "provisioned",                                             \
	  "the application has confirmed the membership")                                                    \
	X(ST_EXPIRING, "expiring", "Provisioned", "removing",                                                \
	  "its time is over, the removal is not yet confirmed")                                              \
	X(ST_REVOKING, "revoking", "Provisioned", "removing",                                                \
	  "ended early, the removal is not yet confirmed")                                                   \
	X(ST_EXPIRED, "expired", "Provisioned", "removed", "ended at its time")                              \
	X(ST_REVOKED, "revoked", "Revoked", "removed", "ended early")                                        \
	X(ST_CANCELED, "canceled", "Canceled", "removed", "withdrawn before it gave access")                 \
	X(ST_DENIED, "denied", "Denied", "failed", "denied, or nobody decided in time")                      \
	X(ST_LAPSED, "lapsed", "Failed", "failed", "its time ended before the application was reached")      \
	X(ST_FAILED, "failed", "Failed", "failed", "refused for good")

#define STATE_ENUM(constant, name, status, provisioning, meaning) constant,
enum state { STATES(STATE_ENUM) ST_COUNT };
#undef STATE_ENUM

/* X(constant, name in the store, what has happened) */
#define EVENTS(X)                                                                                            \
	X(EV_ASK, "ask", "asked for, an approver has to decide")                                             \
	X(EV_APPROVE, "approve", "approved by one, more have to")                                            \
	X(EV_DENY, "deny", "denied by an approver")                                                          \
	X(EV_TIME_OUT, "time_out", "nobody decided in time")                                                 \
	X(EV_SCHEDULE, "schedule", "granted, starts later")                                                  \
	X(EV_JOIN, "join", "its time has come; the membership is there already")                             \
	X(EV_PUSH, "push", "its time has come and a token is taken, in this step")                           \
	X(EV_WAIT, "wait", "its time has come; no token or a push under way, and it may wait")               \
	X(EV_DEFER, "defer", "no token: the next sync cycle takes it")                                       \
	X(EV_RECORD, "record", "a deactivation is asked for and carried out")                                \
	X(EV_CONFIRM, "confirm", "the application has confirmed the membership")                             \
	X(EV_RETRY, "retry", "the push failed for now")                                                      \
	X(EV_REFUSE, "refuse", "refused for good, by the application or by policy at the start")             \
	X(EV_CANCEL, "cancel", "withdrawn by the person")                                                    \
	X(EV_LAPSE, "lapse", "its time is over and it never gave access")                                    \
	X(EV_EXPIRE, "expire", "its time is over, nothing is to be removed")                                 \
	X(EV_EXPIRE_REMOVE, "expire_remove", "its time is over, the membership must go")                     \
	X(EV_REVOKE, "revoke", "ended early, nothing is to be removed")                                      \
	X(EV_REVOKE_REMOVE, "revoke_remove", "ended early, the membership must go")                          \
	X(EV_RELEASE, "release", "the membership is gone, or another assignment keeps it")

#define EVENT_ENUM(constant, name, meaning) constant,
enum event { EVENTS(EVENT_ENUM) EV_COUNT };
#undef EVENT_ENUM

/* What else happens in the same atomic step. Every transition also writes one audit event. */
enum effect {
	FX_NONE = 0,
	FX_AT_START = 1 << 0,  /* enter the start into the timetable */
	FX_AT_END = 1 << 1,    /* enter the end into the timetable, take the start out */
	FX_CONFIRMED = 1 << 2, /* note when the application confirmed */
	FX_ASK = 1 << 3,       /* enter the approval's end into the timetable, and the approvers' list */
	FX_DECIDED = 1 << 4,   /* leave both again */
	FX_CLOSE = 1 << 5,     /* it is over: out of the timetable, kept as history, then deleted */
	/* Those who should know are told (notice.lua), where somebody wants to be: */
	FX_TELL_ASKED = 1 << 6, /* an approver has to decide, or one of the next stage */
	FX_TELL_DECIDED = 1 << 7,
	FX_TELL_ACTIVE = 1 << 8,
	FX_TELL_DEFERRED = 1 << 9,
	FX_TELL_ENDED = 1 << 10, /* unless another assignment still gives the same */
	FX_TELL_FAILED = 1 << 11
};

/*
 * X(effect or 0, alarm, name): everything that somebody can be told of; those without an effect are no transition's. The
 * names are the types of the events that webhooks get. Alarms are not held back, whatever else is sent, and have room
 * of their own where a receiver is away.
 */
#define TELLS(X)                                                                                             \
	X(FX_TELL_ASKED, false, "approval.requested")                                                        \
	X(FX_TELL_DECIDED, false, "approval.decided")                                                        \
	X(FX_TELL_ACTIVE, false, "activation.provisioned")                                                   \
	X(FX_TELL_DEFERRED, false, "activation.deferred")                                                    \
	X(0, false, "activation.ending")                                                                     \
	X(FX_TELL_ENDED, false, "activation.ended")                                                          \
	X(FX_TELL_FAILED, false, "activation.failed")                                                        \
	X(0, true, "removal.overdue")                                                                        \
	X(0, true, "application.quarantined")                                                                \
	X(0, true, "removals.held")                                                                          \
	X(0, true, "token.ending")                                                                           \
	X(0, false, "membership.drift")                                                                      \
	X(0, true, "breakglass.used")

struct tell {
	unsigned effect;
	bool is_alarm;
	const char *name;
};

enum cause { BY_PERSON, BY_APPROVER, BY_TIME, BY_APPLICATION, BY_BROKER };

struct rule {
	enum state from;
	enum event on;
	enum state to;
	enum cause by;
	unsigned effects; /* of enum effect */
};

/* All rules, in the order of the table. */
const struct rule *states_rules(size_t *count);

/* The list above; and the one of that name, or NULL. */
const struct tell *states_tells(size_t *count);
const struct tell *states_tell(const char *name);

const char *state_name(enum state state);         /* "in_force" */
const char *state_status(enum state state);       /* Graph's: "Provisioned" */
const char *state_provisioning(enum state state); /* "provisioned" */
const char *state_meaning(enum state state);
const char *event_name(enum event event);
const char *event_meaning(enum event event);
const char *cause_name(enum cause cause);

/* The state of that name; ST_COUNT when there is none. */
enum state state_by_name(const char *name);

#endif
