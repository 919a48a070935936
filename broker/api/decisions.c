#include "api/decisions.h"

#include <stdio.h>
#include <string.h>

#include "base/iso8601.h"
#include "base/json.h"

const cJSON *decisions_last(const cJSON *decisions, unsigned stage)
{
	const cJSON *decision, *last = NULL;

	cJSON_ArrayForEach(decision, decisions) {
		const cJSON *of = cJSON_GetObjectItemCaseSensitive(decision, "sg");

		if (cJSON_IsNumber(of) && (unsigned)of->valuedouble == stage)
			last = decision;
	}
	return last;
}

int64_t decisions_time_ms(const cJSON *decision)
{
	const cJSON *at = cJSON_GetObjectItemCaseSensitive(decision, "at");

	return at != NULL && cJSON_IsNumber(at) ? (int64_t)at->valuedouble : 0;
}

bool decisions_read(const struct request *request, cJSON **out)
{
	struct errctx ec;

	*out = NULL;
	return request->decisions == NULL ||
	       json_parse(request->decisions, strlen(request->decisions), out, &ec) != ERR_NOMEM;
}

const char *decisions_text(const cJSON *decision, const char *name)
{
	const char *text = decision != NULL ? json_string(decision, name) : NULL;

	return text != NULL ? text : "";
}

void decisions_print_outcome(const struct request *request, char *out, size_t size)
{
	char when[ISO8601_TIME_SIZE];
	const cJSON *last;
	cJSON *decisions;
	bool known = decisions_read(request, &decisions);

	last = cJSON_GetArrayItem(decisions, cJSON_GetArraySize(decisions) - 1);
	iso8601_format_time(request->closed_ms, when);
	if (!known) {
		snprintf(out, size, "It has been decided."); /* by whom, there was no memory to read */
	} else if (request->state == ST_CANCELED) {
		snprintf(out, size, "It was withdrawn at %s.", when);
	} else if (request->state == ST_DENIED &&
		   (last == NULL || strcmp(decisions_text(last, "res"), "Deny") != 0)) {
		snprintf(out, size, "It was denied at %s: %s", when, request->error);
	} else if (last != NULL) {
		iso8601_format_time(decisions_time_ms(last), when);
		snprintf(out, size, "%s said %s at %s.", decisions_text(last, "name"),
			 decisions_text(last, "res"), when);
	} else {
		snprintf(out, size, "It waits for no approver any more.");
	}
	cJSON_Delete(decisions);
}
