/* The target of a request below /scim/v2: its path segments and query parameters, decoded. Pure. */
#ifndef SANDBOX_QUERY_H
#define SANDBOX_QUERY_H

#include <stdbool.h>

#include "base/err.h"

#define QUERY_TEXT 8200

struct query {
	char resource[64]; /* "Users"; "" when there is no segment */
	char id[512];      /* second segment; "" when there is none */
	bool has_filter, has_cursor;
	char filter[QUERY_TEXT];
	char cursor[128];
	long count;           /* -1 when absent */
	long start_index;     /* the same */
	bool without_members; /* excludedAttributes has them, or attributes lacks them */
	bool with_members;    /* attributes names them */
	bool rfc_parameters;  /* startIndex, attributes or excludedAttributes are there, which AWS lacks */
};

/*
 * "/Users/ID?filter=…". ERR_NOT_FOUND: more than two segments, or one that is too long; ERR_BAD_REQUEST: characters
 * that a URI must not hold unencoded (RFC 3986), bad percent-encoding, unknown or repeated parameters, bad numbers.
 */
enum err query_parse(const char *target, struct query *out, struct errctx *ec) MUST_CHECK;

#endif
