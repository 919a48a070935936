/* Which handler answers which method and path, and what comes before it: refused exchanges, sign-in, roles. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "activation/actor.h"
#include "api/api.h"
#include "api/keyed.h"
#include "api/quota.h"
#include "api/refusals.h"
#include "api/render.h"
#include "api/route.h"
#include "api/rules.h"
#include "base/clock.h"
#include "server/error.h"

/* Bytes: balancers let no much longer header field through, and `details` say the same. */
#define CHALLENGE_MAX 2048

void call_answer(struct call *call, int status, const char *content_type, struct buf *body)
{
	if (buf_failed(body)) {
		buf_release(body);
		call_error(call, ERR_NOMEM, NULL, NULL);
		return;
	}
	if (keyed_keep(call, status, body))
		return;
	call->api->metrics->requests[status / 100]++;
	exchange_answer(call->exchange, status, content_type, buf_text(body), body->len);
	buf_release(body);
	buf_release(&call->actor);
	caller_release(&call->caller);
	config_unref(call->config);
	free(call);
}

/* What a stronger sign-in would change. The status stays Graph's 400: 401 would be that of a token that has ended. */
static void challenge(const struct call *call)
{
	struct buf text;

	buf_init(&text, CHALLENGE_MAX);
	rules_challenge(&call->verdict, &text);
	if (text.len > 0 && !buf_failed(&text))
		exchange_set_header(call->exchange, "WWW-Authenticate", buf_text(&text));
	buf_release(&text);
}

void call_error(struct call *call, enum err err, const char *message, const char *details_json)
{
	char rule[REFUSALS_DETAILS_SIZE];

	if (details_json == NULL)
		details_json = refusals_details(message != NULL ? message : err_message(err), rule);
	keyed_drop(call);
	call->api->metrics->requests[err_status(err) / 100]++;
	refusals_note(call, err, message, details_json);
	if (err == ERR_POLICY)
		challenge(call);
	exchange_error(call->exchange, err, message, details_json);
	buf_release(&call->actor);
	caller_release(&call->caller);
	config_unref(call->config);
	free(call);
}

void call_stream(struct call *call, const struct stream *stream, struct caller *caller,
		 struct config **config)
{
	call->api->metrics->requests[2]++;
	exchange_stream(call->exchange, stream);
	*caller = call->caller;
	*config = call->config;
	buf_release(&call->actor);
	free(call);
}

bool call_is_json(const struct call *call)
{
	const char *content_type = exchange_header(call->exchange, "Content-Type");
	const char *json = "application/json";

	return content_type != NULL && strncasecmp(content_type, json, strlen(json)) == 0 &&
	       strchr("; \t", content_type[strlen(json)]) != NULL;
}

void call_context(const struct call *call, struct buf *out, const char *what)
{
	buf_addf(out, "\"@odata.context\":\"%s/%s/$metadata#identityGovernance/privilegedAccess/group/%s\"",
		 exchange_base_url(call->exchange), call->beta ? "beta" : "v1.0", what);
}

/* The path below Graph's base, or NULL; says whether it was asked under /beta. */
static const char *below_graph(const char *path, bool *beta)
{
	*beta = strncasecmp(path, "/beta/", 6) == 0;
	if (*beta)
		path += strlen("/beta");
	else if (strncasecmp(path, "/v1.0/", 6) == 0)
		path += strlen("/v1.0");
	else
		return NULL;
	if (strncasecmp(path, GRAPH_PATH "/", strlen(GRAPH_PATH) + 1) != 0)
		return NULL;
	return path + strlen(GRAPH_PATH);
}

/* Is the segment the function filterByCurrentUser with this argument, which stands in parentheses? */
static bool is_filter_by(const char *segment, const char *argument)
{
	char on[16];

	return odata_function(segment, "filterByCurrentUser", on, sizeof(on)) &&
	       strlen(on) + 2 == strlen(argument) && strncasecmp(on, argument + 1, strlen(on)) == 0;
}

/* Compares one segment; a variable one is kept as the call's first or second parameter. */
static bool segment_matches(struct call *call, const char *pattern, const char *segment)
{
	char *param = call->param[0] == '\0' ? call->param : call->param2;
	size_t len = strlen(segment);

	if (pattern[0] == '(')
		return is_filter_by(segment, pattern);
	if (strcmp(pattern, "*") != 0)
		return strcasecmp(pattern, segment) == 0;
	if (len == 0 || len >= NAME_SIZE)
		return false;
	memcpy(param, segment, len + 1);
	return true;
}

/* Copies the segment that begins after the '/' at *at and moves *at behind it; false when it does not fit. */
static bool next_segment(const char **at, char *out, size_t size)
{
	size_t len = strcspn(*at + 1, "/");

	if (len >= size)
		return false;
	memcpy(out, *at + 1, len);
	out[len] = '\0';
	*at += 1 + len;
	return true;
}

static bool path_matches(struct call *call, const char *pattern, const char *path)
{
	char expected[64], segment[URL_MAX];

	call->param[0] = call->param2[0] = '\0';
	while (*pattern == '/' && *path == '/')
		if (!next_segment(&pattern, expected, sizeof(expected)) ||
		    !next_segment(&path, segment, sizeof(segment)) ||
		    !segment_matches(call, expected, segment))
			return false;
	return *pattern == '\0' && *path == '\0';
}

/* The route, or NULL with the methods that the path would take in `allow` ("" when it is not known at all). */
static const struct route *find_route(struct call *call, char *allow, size_t size)
{
	const char *path = exchange_path(call->exchange);
	const char *graph = below_graph(path, &call->beta);
	size_t at = 0, count;
	const struct route *routes = routes_all(&count);

	allow[0] = '\0';
	for (size_t i = 0; i < count; i++) {
		const char *below = routes[i].graph ? graph : path;

		if (below == NULL || !path_matches(call, routes[i].path, below))
			continue;
		if (strcmp(routes[i].method, exchange_method(call->exchange)) == 0) {
			call->about = routes[i].about;
			return &routes[i];
		}
		if (at < size)
			at += (size_t)snprintf(allow + at, size - at, "%s%s", at > 0 ? ", " : "",
					       routes[i].method);
	}
	return NULL;
}

/* What the caller is known as; the widest role counts. */
static const char *role_of(const struct caller *caller)
{
	if (caller->is_operator)
		return "operator";
	if (caller->is_auditor)
		return "auditor";
	return caller->is_timer || caller->is_machine ? "timer" : "requester";
}

/* Why the caller's roles do not let them call, or NULL. */
static const char *refused_role(enum need need, const struct caller *caller)
{
	bool is_narrow = caller->is_auditor || caller->is_timer || caller->is_machine;

	if (caller->is_operator)
		return NULL;
	switch (need) {
	case NEED_NOTHING:
	case NEED_STORE:
		return NULL;
	case NEED_PERSON:
		return caller_takes_part(caller) ? NULL : refusals_sentence(REFUSAL_LOOKS_ON);
	case NEED_READER:
		return is_narrow && !caller->is_auditor ? "Timer jobs may call nothing else." : NULL;
	case NEED_OVERSEER:
		return caller->is_auditor ? NULL : "Only operators and auditors may see that.";
	case NEED_OPERATOR:
		return "Only operators may do that.";
	case NEED_TIMER:
		return caller->is_timer ? NULL : "Only timer jobs and operators may do that.";
	}
	return "";
}

/* The caller is known, or need not be. */
static void run(struct call *call)
{
	const char *refusal = refused_role(call->route->need, &call->caller);
	char details[128];

	if (refusal != NULL) {
		snprintf(details, sizeof(details),
			 "[{\"rule\":\"RoleRule\",\"limit\":\"%s\",\"given\":\"%s\"}]",
			 route_roles(call->route->need), role_of(&call->caller));
		call_error(call, ERR_FORBIDDEN, refusal, details);
		return;
	}
	/* Which lane an object is in cannot be told before the store has been seen. */
	if (call->route->need != NEED_NOTHING && store_lanes(call->api->store) == 0) {
		call_error(call, ERR_UNAVAILABLE, NULL, NULL);
		return;
	}
	keyed_run(call);
}

/* Has the caller, or the address of one who is nobody, asked for more than one may? Then it is answered. */
static bool is_over_quota(struct call *call, enum err err)
{
	const char *who = err == ERR_OK ? call->caller.id : exchange_address(call->exchange);
	int64_t wait_ms = quota_take(call->api->quota, who, (unsigned)call->config->requests_per_caller,
				     clock_mono_ms());

	if (wait_ms == 0)
		return false;
	exchange_retry_after(call->exchange, wait_ms);
	call_error(call, ERR_THROTTLED, NULL, NULL);
	return true;
}

static void on_identified(struct call *call, enum err err, const char *why)
{
	if (is_over_quota(call, err))
		return;
	if (err == ERR_OK)
		err = caller_name(call, NULL);
	if (err != ERR_OK)
		call_error(call, err, why, NULL);
	else
		run(call);
}

void api_handle(void *ctx, struct exchange *exchange)
{
	struct api *api = ctx;
	struct call *call = calloc(1, sizeof(*call));
	char allow[64];

	if (call == NULL) {
		exchange_error(exchange, ERR_NOMEM, NULL, NULL);
		return;
	}
	call->api = api;
	call->exchange = exchange;
	buf_init(&call->actor, ACTOR_MAX);
	call->config = config_ref(api->config);
	if (exchange_refused(exchange) != ERR_OK) {
		call_error(call, exchange_refused(exchange), exchange_refused_reason(exchange), NULL);
		return;
	}
	call->route = find_route(call, allow, sizeof(allow));
	if (call->route != NULL && call->route->need >= NEED_PERSON) {
		caller_identify(call, on_identified);
	} else if (call->route != NULL) {
		run(call);
	} else if (allow[0] != '\0') {
		exchange_set_header(exchange, "Allow", allow);
		call_error(call, ERR_METHOD, NULL, NULL);
	} else {
		call_error(call, ERR_NOT_FOUND, "There is nothing at this path.", NULL);
	}
}
