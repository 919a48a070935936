/* Error bodies. */
#include "scim-push/sandbox/answer.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/id.h"
#include "base/iso8601.h"
#include "base/json.h"

#define ERROR_SCHEMA "[\"urn:ietf:params:scim:api:messages:2.0:Error\"]"

static const struct {
	const char *aws, *plain, *type;
} problems[] = {
#define PROBLEM_ROW(constant, aws, plain, type) [constant] = {aws, plain, type},
	PROBLEMS(PROBLEM_ROW)
#undef PROBLEM_ROW
};

void answer_init(struct answer *answer)
{
	*answer = (struct answer){.status = 500, .type = "application/json", .errors = ERRORS_AWS};
	buf_init(&answer->body, ANSWER_MAX);
}

void answer_release(struct answer *answer)
{
	buf_release(&answer->body);
}

void answer_speak(struct answer *answer, const struct dialect *dialect)
{
	answer->errors = (enum errors)dialect->value[B_ERRORS];
	answer->scim_type = dialect->value[B_SCIM_TYPE] == 0;
	answer->type = dialect->value[B_MEDIA_TYPE] == 0 ? "application/scim+json" : "application/json";
}

/* `schema` and `schemas`, no scimType, status as a string. */
static void add_aws(struct answer *answer, enum problem problem, int64_t now_ms)
{
	char id[ID_SIZE], time[ISO8601_TIME_SIZE];

	id_make(0, id);
	iso8601_format_time(now_ms, time);
	/* "2024-12-10 19:50:00.531": AWS writes neither the T nor the Z. */
	time[strcspn(time, "Z")] = '\0';
	if (strchr(time, 'T') != NULL)
		*strchr(time, 'T') = ' ';
	buf_addf(&answer->body, "{\"schema\":%s,\"schemas\":%s,\"detail\":", ERROR_SCHEMA, ERROR_SCHEMA);
	json_add_string(&answer->body, problems[problem].aws);
	buf_addf(&answer->body, ",\"status\":\"%d\",\"exceptionRequestId\":\"%s\",\"timeStamp\":\"%s\"}",
		 answer->status, id, time);
}

/* RFC 7644 section 3.12. */
static void add_plain(struct answer *answer, enum problem problem, const char *quote)
{
	buf_addf(&answer->body, "{\"schemas\":%s,\"detail\":", ERROR_SCHEMA);
	json_add_string(&answer->body, problems[problem].plain);
	if (answer->scim_type && problems[problem].type[0] != '\0')
		buf_addf(&answer->body, ",\"scimType\":\"%s\"", problems[problem].type);
	buf_addf(&answer->body, ",\"status\":%s%d%s}", quote, answer->status, quote);
}

void answer_error(struct answer *answer, int status, enum problem problem, int64_t now_ms)
{
	answer->status = status;
	answer->location[0] = '\0';
	buf_clear(&answer->body);
	switch (answer->errors) {
	case ERRORS_AWS:
		add_aws(answer, problem, now_ms);
		break;
	case ERRORS_RFC:
		add_plain(answer, problem, "\"");
		break;
	case ERRORS_NUMBER:
		add_plain(answer, problem, "");
		break;
	case ERRORS_HTML:
		answer->type = "text/html";
		buf_addf(&answer->body, "<!DOCTYPE html><html><body><h1>%d</h1></body></html>", status);
		break;
	case ERRORS_EMPTY:
		break;
	}
}

void answer_retry(struct answer *answer, enum retry_after form, int64_t seconds, int64_t now_ms)
{
	time_t then = (time_t)(now_ms / 1000 + seconds);
	struct tm tm;

	if (form == AFTER_SECONDS)
		(void)snprintf(answer->retry_after, sizeof(answer->retry_after), "%" PRId64, seconds);
	if (form == AFTER_DATE && gmtime_r(&then, &tm) != NULL)
		(void)strftime(answer->retry_after, sizeof(answer->retry_after), "%a, %d %b %Y %H:%M:%S GMT",
			       &tm);
}
