/*
 * What the broker's lists take of OData: $filter as a conjunction of eq and ne, $top, $orderby, $skiptoken,
 * $count, $select, $expand. Everything else is refused with a sentence that says what is supported. Pure.
 */
#ifndef API_ODATA_H
#define API_ODATA_H

#include <stdbool.h>
#include <stddef.h>

#include "server/target.h"
#include "base/err.h"
#include "base/id.h"

#define ODATA_TERMS      8   /* no list has more fields to filter by */
#define ODATA_TOP_MAX    999 /* Graph's largest page */
#define ODATA_TOKEN_SIZE 257
#define ODATA_NAMES      32 /* Graph's objects have fewer members */
#define ODATA_NAME_SIZE  64

struct odata_term {
	size_t field; /* index in the caller's list of fields */
	bool differs; /* ne */
	char value[NAME_SIZE];
};

struct odata_names {
	char names[ODATA_NAMES][ODATA_NAME_SIZE]; /* as written; letters, digits, '_', '.', '@', '/' */
	size_t count;
};

struct odata_query {
	struct odata_term terms[ODATA_TERMS]; /* all of them hold; no field twice with eq */
	size_t count;
	int top;                          /* 1 to ODATA_TOP_MAX; 0 = not given */
	bool newest_first;                /* $orderby=createdDateTime desc was given */
	bool with_count;                  /* $count=true */
	char skiptoken[ODATA_TOKEN_SIZE]; /* letters, digits, '_', '-'; "" = not given */
	struct odata_names select, expand;
};

/*
 * Reads the parameters of a query. `fields` are the names that $filter may use, ended by NULL; names, of fields
 * and of parameters, are compared without regard to case. Graph reads its parameters with and without the '$';
 * so does this. Other parameters without '$' are the caller's. ERR_INVALID_FILTER with the reason otherwise; then
 * *out is untouched.
 */
enum err odata_parse(const struct query_param *params, size_t count, const char *const *fields,
		     struct odata_query *out, struct errctx *ec) MUST_CHECK;

/* The value that field number `field` must have (eq), or NULL. Borrowed. */
const char *odata_value(const struct odata_query *query, size_t field);

/* Does $select leave the member in the answer? True for all when there is no $select. */
bool odata_selects(const struct odata_query *query, const char *member);

/*
 * Is the path segment this function with its one argument, e.g. filterByCurrentUser(on='principal')? Blanks may
 * stand around the parts; the name and "on" are read in any case. The argument is made of letters and is copied.
 */
bool odata_function(const char *segment, const char *name, char *arg, size_t size);

#endif
