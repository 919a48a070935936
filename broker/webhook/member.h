/* Texts out of the JSON of a webhook, bounded and checked: the same rules for every source. Pure. */
#ifndef WEBHOOK_MEMBER_H
#define WEBHOOK_MEMBER_H

#include <stdbool.h>
#include <stddef.h>

#include <cjson/cJSON.h>

#include "base/err.h"

/* One member that is wanted, and where it goes. */
struct member_text {
	const char *name;
	char *out; /* filled with the text and a NUL, "" when it is absent */
	size_t size;
	bool required; /* present and not empty */
	bool lines;    /* may hold tabs and line breaks; no other control character is ever accepted */
};

/*
 * Reads one text; null counts as absent, a text that does not fit is refused and never cut. ERR_BAD_REQUEST
 * names the member; *out is then untouched.
 */
enum err member_read(const cJSON *object, const struct member_text *want, struct errctx *ec) MUST_CHECK;

#endif
