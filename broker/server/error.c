#include "server/error.h"

#include <stddef.h>
#include <stdio.h>

#include "server/server.h"
#include "base/clock.h"
#include "base/iso8601.h"
#include "base/json.h"

#define ERROR_MAX (256 * 1024) /* details name every failed rule; more than this is a mistake of ours */

static void add_member(struct buf *out, const char *name, const char *value)
{
	if (!value)
		return;
	buf_addf(out, ",\"%s\":", name);
	json_add_string(out, value);
}

void error_render(struct buf *out, const struct error_body *body)
{
	char date[ISO8601_TIME_SIZE];

	iso8601_format_time(clock_wall_ms(), date);
	buf_adds(out, "{\"error\":{\"code\":");
	json_add_string(out, err_code(body->err));
	add_member(out, "message", body->message ? body->message : err_message(body->err));
	if (body->details_json) {
		buf_adds(out, ",\"details\":");
		buf_adds(out, body->details_json);
	}
	buf_addf(out, ",\"innerError\":{\"date\":\"%s\"", date);
	add_member(out, "request-id", body->request_id);
	add_member(out, "client-request-id", body->client_request_id);
	buf_adds(out, "}}}");
}

bool error_retry_later(enum err err)
{
	int status = err_status(err);

	return status == 429 || status == 503 || status == 504 || err == ERR_KEY_BUSY;
}

void exchange_retry_after(struct exchange *e, int64_t ms)
{
	char seconds[24];

	snprintf(seconds, sizeof(seconds), "%lld", (long long)(ms + 999) / 1000);
	exchange_set_header(e, "Retry-After", seconds);
}

void exchange_error(struct exchange *e, enum err err, const char *message, const char *details_json)
{
	struct error_body body = {err, message, details_json, exchange_request_id(e),
				  exchange_client_request_id(e)};
	struct buf out;

	if (err_status(err) == 401)
		exchange_set_header(e, "WWW-Authenticate",
				    exchange_header(e, "Authorization") ? "Bearer error=\"invalid_token\""
									: "Bearer");
	if (error_retry_later(err))
		exchange_set_header(e, "Retry-After", "1");
	buf_init(&out, ERROR_MAX);
	error_render(&out, &body);
	exchange_answer(e, err_status(err), NULL, buf_text(&out), out.len);
	buf_release(&out);
}
