/*
 * An attribute of a SCIM resource by its path (RFC 7644, 3.10): `userName`, `name.givenName`,
 * `emails[type eq "work"].value`, `urn:…:enterprise:2.0:User:department`. Read, compared, set and asked for by it.
 * Pure.
 */
#ifndef SCIM_PUSH_ATTRIBUTE_H
#define SCIM_PUSH_ATTRIBUTE_H

#include <stdbool.h>
#include <stddef.h>

#include <cjson/cJSON.h>

#include "base/buf.h"

#define ATTRIBUTE_SIZE      128 /* a whole path */
#define ATTRIBUTE_NAME_SIZE 48

struct attribute {
	char path[ATTRIBUTE_SIZE];   /* as it was written */
	char schema[ATTRIBUTE_SIZE]; /* URN of an extension; "" = the core */
	char name[ATTRIBUTE_NAME_SIZE];
	char type[ATTRIBUTE_NAME_SIZE]; /* of [type eq "…"]; "" = none */
	char sub[ATTRIBUTE_NAME_SIZE];  /* "" = none */
};

/* The member of that name in an answer: names of attributes match in any case (RFC 7643, 2.1). NULL when there is none.
 * Borrowed. */
const cJSON *attribute_member(const cJSON *object, const char *name);
/* Its text; NULL when it is absent or no text. Borrowed. */
const char *attribute_member_text(const cJSON *object, const char *name);

/* False when the text is no such path; `out` is untouched then. */
bool attribute_parse(const char *text, struct attribute *out);

/* The attribute's value in the resource: a string, true or false; of several, the first. NULL when there is none. Borrowed. */
const cJSON *attribute_value(const cJSON *resource, const struct attribute *attribute);

/* Its text; "true" and "false" for booleans; NULL when there is none. Borrowed. */
const char *attribute_text(const cJSON *resource, const struct attribute *attribute);

/* Does it have this value, among others perhaps? userName and e-mail addresses are compared without regard to
 * (ASCII) case (RFC 7643, 4.1.1), everything else exactly. */
bool attribute_is(const cJSON *resource, const struct attribute *attribute, const char *value);

/* Are these two the same to an application? By the same rule. */
bool attribute_same(const struct attribute *attribute, const char *a, const char *b);

/* Writes the value into the resource, making what is missing on the way. False when memory is short. */
bool attribute_set(cJSON *resource, const struct attribute *attribute, const char *value);

/* Appends the filter that finds resources by it: `userName eq "ada"`, `emails[type eq "work" and value eq "a@b"]`. */
void attribute_filter(struct buf *out, const struct attribute *attribute, const char *value);

/* Is it one of those that hold true or false? */
bool attribute_is_boolean(const struct attribute *attribute);

#endif
