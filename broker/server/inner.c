/* Requests inside a request: no connection is behind them, and their answer goes to a callback. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "server/exchange.h"

/* What is the outer request's alone: who calls it, where, and how its bytes came. */
static bool is_outer(const char *name)
{
	static const char *const names[] = {"Authorization", "Host",   "Content-Length", "Transfer-Encoding",
					    "Connection",    "Expect", "Accept-Encoding"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strcasecmp(name, names[i]) == 0)
			return true;
	return false;
}

struct exchange *exchange_inner(const struct exchange *outer, const struct inner *inner)
{
	struct exchange *e = exchange_new(outer->server, NULL, inner->target);
	const char *token = exchange_header(outer, "Authorization");

	if (!e)
		return NULL;
	e->phase = PHASE_DONE;
	e->answered = inner->answered;
	e->answered_ctx = inner->ctx;
	memcpy(e->base_url, outer->base_url, sizeof(e->base_url));
	memcpy(e->address, outer->address, sizeof(e->address));
	if (e->target.authority)
		exchange_refuse(e, ERR_BAD_REQUEST, "The URL must be relative.");
	if (!target_token_valid(inner->method, strlen(inner->method)) || strlen(inner->method) >= METHOD_SIZE)
		exchange_refuse(e, ERR_BAD_REQUEST, "The method is malformed.");
	snprintf(e->method, sizeof(e->method), "%s", inner->method);
	if (token)
		exchange_keep_header(e, "Authorization", token);
	exchange_add_body(e, inner->body, inner->len);
	return e;
}

void exchange_add_header(struct exchange *e, const char *name, const char *value)
{
	if (is_outer(name))
		return;
	if (!target_token_valid(name, strlen(name)) || !target_value_valid(value, strlen(value)))
		exchange_refuse(e, ERR_BAD_REQUEST, "A header field is malformed.");
	else if (exchange_header(e, name))
		exchange_refuse(e, ERR_BAD_REQUEST, "A header field is given twice.");
	else
		exchange_keep_header(e, name, value);
}

bool exchange_is_inner(const struct exchange *e)
{
	return e->answered != NULL;
}

bool exchange_abandoned(const struct exchange *e)
{
	return e->late || !e->connection;
}

void exchange_answer_inner(struct exchange *e, struct inner_answer answer, const char *content_type)
{
	const char *caller_id = exchange_client_request_id(e);

	if (answer.len > 0)
		exchange_set_header(e, "Content-Type", content_type ? content_type : "application/json");
	exchange_set_header(e, "request-id", e->request_id);
	if (caller_id)
		exchange_set_header(e, "client-request-id", caller_id);
	answer.headers = buf_text(&e->answer_headers);
	answer.headers_len = e->answer_headers.len;
	e->answered(e->answered_ctx, &answer);
}
