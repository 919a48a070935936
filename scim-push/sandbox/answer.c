/* AWS' error bodies. */
#include "scim-push/sandbox/answer.h"

#include <string.h>

#include "base/id.h"
#include "base/iso8601.h"
#include "base/json.h"

#define ERROR_SCHEMA "[\"urn:ietf:params:scim:api:messages:2.0:Error\"]"

void answer_init(struct answer *answer)
{
	*answer = (struct answer){.status = 500, .type = "application/json"};
	buf_init(&answer->body, ANSWER_MAX);
}

void answer_release(struct answer *answer)
{
	buf_release(&answer->body);
}

void answer_error(struct answer *answer, int status, const char *detail, int64_t now_ms)
{
	char id[ID_SIZE], time[ISO8601_TIME_SIZE];

	id_make(0, id);
	iso8601_format_time(now_ms, time);
	/* "2024-12-10 19:50:00.531": AWS writes neither the T nor the Z. */
	time[strcspn(time, "Z")] = '\0';
	if (strchr(time, 'T') != NULL)
		*strchr(time, 'T') = ' ';
	answer->status = status;
	answer->type = "application/json";
	buf_clear(&answer->body);
	buf_addf(&answer->body, "{\"schema\":%s,\"schemas\":%s,\"detail\":", ERROR_SCHEMA, ERROR_SCHEMA);
	json_add_string(&answer->body, detail);
	buf_addf(&answer->body, ",\"status\":\"%d\",\"exceptionRequestId\":\"%s\",\"timeStamp\":\"%s\"}",
		 status, id, time);
}

void answer_add_meta(struct buf *body, const char *type, int64_t created_ms, int64_t modified_ms)
{
	char created[ISO8601_TIME_SIZE], modified[ISO8601_TIME_SIZE];

	iso8601_format_time(created_ms, created);
	iso8601_format_time(modified_ms, modified);
	buf_addf(body, "\"meta\":{\"resourceType\":\"%s\",\"created\":\"%s\",\"lastModified\":\"%s\"}", type,
		 created, modified);
}
