/*
 * SCIM filters (RFC 7644 section 3.4.2.2) as far as clients that look things up need them: `attribute eq "value"`,
 * joined by `and`, and `attribute[sub eq "value" and …]`, also with `.sub eq "value"` behind it. Values are JSON
 * strings. Pure.
 */
#ifndef SANDBOX_FILTER_H
#define SANDBOX_FILTER_H

#include <stdbool.h>
#include <stddef.h>

#include <cjson/cJSON.h>

#include "base/err.h"

#define FILTER_TERMS 4
#define FILTER_NAME  130
#define FILTER_VALUE 4100 /* 1024 characters of UTF-8 and a NUL, rounded up */

struct filter_term {
	char attribute[FILTER_NAME]; /* "userName", "emails.value" */
	unsigned element;         /* terms with the same number, not 0, are about one element of an array */
	char value[FILTER_VALUE]; /* may be empty */
};

struct filter {
	size_t count; /* at least 1 */
	bool upper;   /* an operator was not in lower case */
	bool escaped; /* a value held a backslash */
	struct filter_term terms[FILTER_TERMS];
};

/* ERR_INVALID_FILTER with the reason in `ec`, ERR_NOMEM. */
enum err filter_parse(const char *text, struct filter *out, struct errctx *ec) MUST_CHECK;

/* The value the filter asks of that attribute, or NULL. `exact`: names of attributes compare case-sensitively. */
const char *filter_value(const struct filter *filter, const char *attribute, bool exact);

/* Does the resource, or one element of its arrays, have what the filter asks for? Texts only; without regard to
 * case if `any_case`. */
bool filter_matches(const struct filter *filter, const cJSON *resource, bool any_case);

/* Does this element of an array have it? The terms are all about one element. */
bool filter_matches_element(const struct filter *filter, const cJSON *element);

#endif
