/*
 * The bodies of the webhooks that the broker sends: {"type": …, "timestamp": …, "data": {…}}, as Standard Webhooks
 * lays them out. Pure. The one table of event names is here; configuration and documentation read it too.
 */
#ifndef WEBHOOK_EVENT_H
#define WEBHOOK_EVENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#define EVENT_BODY_MAX 19999 /* the standard asks for less than 20 kB */

/* X(name, type, what it tells) */
#define EVENT_TABLE(X)                                                                                       \
	X(EVENT_APPROVAL_REQUESTED, "approval.requested", "a request waits for an approver")                 \
	X(EVENT_APPROVAL_DECIDED, "approval.decided",                                                        \
	  "a request was approved, denied, refused or timed out")                                            \
	X(EVENT_ACTIVATION_PROVISIONED, "activation.provisioned",                                            \
	  "the application has confirmed the membership")                                                    \
	X(EVENT_ACTIVATION_DEFERRED, "activation.deferred", "an activation waits for the next sync cycle")   \
	X(EVENT_ACTIVATION_ENDING, "activation.ending", "an activation ends soon")                           \
	X(EVENT_ACTIVATION_ENDED, "activation.ended", "the application has confirmed the removal")           \
	X(EVENT_ACTIVATION_FAILED, "activation.failed", "the application has refused for good")              \
	X(EVENT_REMOVAL_OVERDUE, "removal.overdue", "a membership should be gone and is not")                \
	X(EVENT_APPLICATION_QUARANTINED, "application.quarantined", "an application fails again and again")  \
	X(EVENT_REMOVALS_HELD, "removals.held", "the configuration would remove many; an operator is asked") \
	X(EVENT_TOKEN_ENDING, "token.ending", "an application's secret token ends soon, or has ended")       \
	X(EVENT_MEMBERSHIP_DRIFT, "membership.drift", "somebody changed memberships in the application")     \
	X(EVENT_BREAKGLASS_USED, "breakglass.used", "somebody activated without the usual approval")

#define EVENT_ENUM(name, type, meaning) name,
enum event_type { EVENT_TABLE(EVENT_ENUM) EVENT_TYPE_COUNT };
#undef EVENT_ENUM

/*
 * What happened. Texts are borrowed UTF-8; NULL or "" leaves the member out, as 0 does for times, which are Unix
 * milliseconds. A text that is longer than the broker accepts it anywhere (base/id.h) is cut, and `reason` at 512
 * bytes, so that every event can be written.
 */
struct webhook_event {
	enum event_type type;
	int64_t at_ms;           /* when it happened; always written */
	const char *application; /* its id */
	const char *request_id;  /* UUID */
	const char *group_id;
	const char *group_name;
	const char *principal_id;
	const char *user_name;
	const char *action; /* "selfActivate" */
	const char *ticket_number;
	const char *ticket_system;
	unsigned stage;         /* that waits for approvers, from 1; 0 leaves it out */
	int64_t duration_ms;    /* asked for; 0 or less leaves it out */
	const char *decision;   /* "Approve", "Deny"; "Timeout"; "Refuse": policy or a limit was against it */
	const char *decided_by; /* user name; of the first two */
	const char *reason; /* why it failed, was not granted, is deferred or quarantined, in plain words */
	int64_t start_ms;
	int64_t end_ms;
	int64_t approval_until_ms; /* when a request that nobody decides is denied */
	int64_t next_cycle_ms;     /* when a deferred activation is pushed */
	int64_t due_ms;            /* when an overdue removal was due */
	const char *justification; /* may be sensitive: ignored unless the next member says so */
	bool with_justification;   /* the configuration allows it for this receiver */
};

const char *event_type_name(enum event_type type);    /* "approval.requested"; static */
const char *event_type_meaning(enum event_type type); /* half a sentence for help and comments; static */

/* Finds a type by its exact name; false, and *type untouched, when there is none. */
bool event_type_find(const char *name, enum event_type *type);

/*
 * Writes the body, EVENT_BODY_MAX bytes at most, into `out`, which is emptied first and whose maximum is no
 * less. ERR_NOMEM when there is no memory; `out` is then failed.
 */
enum err event_write(const struct webhook_event *event, struct buf *out) MUST_CHECK;

#endif
