/*
 * The bodies of the webhooks that the broker sends: {"type": …, "timestamp": …, "data": {…}}, as Standard Webhooks
 * lays them out. Pure.
 */
#ifndef WEBHOOK_EVENT_H
#define WEBHOOK_EVENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#define EVENT_BODY_MAX 19999 /* the standard asks for less than 20 kB */

/*
 * What happened. Texts are borrowed UTF-8; NULL or "" leaves the member out, as 0 does for times, which are Unix
 * milliseconds. A text that is longer than the broker accepts it anywhere (base/id.h) is cut, and `reason` at 512
 * bytes, so that every event can be written.
 */
struct webhook_event {
	const char *type;        /* "approval.requested"; letters and dots, which are written as they are */
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
	const char *decision;   /* "Approve", "Deny"; "Timeout"; "Withdraw"; "Refuse": by policy or a limit */
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

/*
 * Writes the body, EVENT_BODY_MAX bytes at most, into `out`, which is emptied first and whose maximum is no
 * less. ERR_NOMEM when there is no memory; `out` is then failed.
 */
enum err event_write(const struct webhook_event *event, struct buf *out) MUST_CHECK;

#endif
