/*
 * One event of the audit, as the store keeps it (activation/audit.lua): its values, its link, and its line of JSON, which
 * is what auditors read, what is exported, and what the seals are made over. Pure.
 */
#ifndef ACTIVATION_AUDIT_EVENT_H
#define ACTIVATION_AUDIT_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/digest.h"

struct reply;

/* In the order of the stream's fields, which is also that of the link. */
enum audit_field {
	AUDIT_EVENT,
	AUDIT_REQUEST,
	AUDIT_FROM,
	AUDIT_TO,
	AUDIT_BY,
	AUDIT_GROUP,
	AUDIT_PERSON,
	AUDIT_USER_NAME,
	AUDIT_APPLICATION,
	AUDIT_ACTION,
	AUDIT_START,
	AUDIT_END,
	AUDIT_WHO,
	AUDIT_WHY,
	AUDIT_DETAILS,
	AUDIT_AT,
	AUDIT_FIELDS
};

struct audit_text {
	const char *text; /* NUL-terminated; may hold further NULs */
	size_t len;
};

/* Borrowed from what it was read from. */
struct audit_event {
	int64_t number;
	struct audit_text fields[AUDIT_FIELDS];
	const char *link;
};

/* Reads {id, {name, value ...}}. False when it is not an event in the only form that there is. */
bool audit_event_read(struct audit_event *event, const struct reply *reply);

/* When it was written, Unix ms by Redis' clock. */
int64_t audit_event_at_ms(const struct audit_event *event);

/* The link that the event must have after one with the link `before` ("" = it is the first). False: no memory. */
bool audit_event_link(const struct audit_event *event, const char *before, char out[SHA1_HEX]);

/* Appends the event as one line of JSON, without its end of line. Members that are empty are left out. */
void audit_event_line(const struct audit_event *event, unsigned lane, struct buf *out);

#endif
