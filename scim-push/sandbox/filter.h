/*
 * SCIM filters (RFC 7644 section 3.4.2.2) as far as AWS has them: `attribute eq "value"`, joined by `and`.
 * Attribute names and operators are taken in their canonical spelling only; values are JSON strings. Pure.
 */
#ifndef SANDBOX_FILTER_H
#define SANDBOX_FILTER_H

#include <stddef.h>

#include "base/err.h"

#define FILTER_TERMS 2
#define FILTER_VALUE 4100 /* 1024 characters of UTF-8 and a NUL, rounded up */

struct filter_term {
	char attribute[64];
	char value[FILTER_VALUE]; /* may be empty */
};

struct filter {
	size_t count; /* at least 1 */
	struct filter_term terms[FILTER_TERMS];
};

/* ERR_INVALID_FILTER with the reason in `ec`, ERR_NOMEM. */
enum err filter_parse(const char *text, struct filter *out, struct errctx *ec) MUST_CHECK;

/* The value the filter asks of that attribute, or NULL. */
const char *filter_value(const struct filter *filter, const char *attribute);

#endif
