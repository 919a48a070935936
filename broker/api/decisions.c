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

cJSON *decisions_read(const struct request *request)
{
	cJSON *decisions = NULL;
	struct errctx ec;

	if (request->decisions == NULL ||
	    json_parse(request->decisions, strlen(request->decisions), &decisions, &ec) != ERR_OK)
		return NULL;
	return decisions;
}

const char *decisions_text(const cJSON *decision, const char *name)
{
	const char *text = decision != NULL ? json_string(decision, name) : NULL;

	return text != NULL ? text : "";
}

void decisions_print_outcome(const struct request *request, char *out, size_t size)
{
	cJSON *decisions = decisions_read(request);
	const cJSON *last = cJSON_GetArrayItem(decisions, cJSON_GetArraySize(decisions) - 1);
	char when[ISO8601_TIME_SIZE];

	iso8601_format_time(request->closed_ms, when);
	if (request->state == ST_CANCELED) {
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
