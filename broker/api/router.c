/* Which handler answers which method and path, and what comes before it: refused exchanges, sign-in, roles. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "api/refusals.h"
#include "api/api.h"
#include "activation/actor.h"
#include "server/error.h"
#include "api/keyed.h"
#include "api/quota.h"
#include "api/render.h"
#include "api/route.h"
#include "base/clock.h"

#define ASSIGNMENTS(shown, whose)                                                                            \
	{                                                                                                    \
		KIND_ASSIGNMENT, SHOWN_##shown, WHOSE_##whose                                                \
	}
#define ELIGIBILITIES(shown, whose)                                                                          \
	{                                                                                                    \
		KIND_ELIGIBILITY, SHOWN_##shown, WHOSE_##whose                                               \
	}

/* clang-format off */
static const struct route routes[] = {
	{"POST", "/assignmentScheduleRequests", true, NEED_PERSON, requests_post,
	 "Ask: activate, deactivate, extend, renew; for administrators also assign, update, extend, renew, remove", "scheduleRequest", "assignmentScheduleRequest", ASSIGNMENTS(REQUESTS, FILTERED)},
	{"GET", "/assignmentScheduleRequests", true, NEED_READER, lists_list,
	 "Requests of one person or one group, newest first", NULL, "[assignmentScheduleRequest", ASSIGNMENTS(REQUESTS, FILTERED)},
	{"GET", "/assignmentScheduleRequests/(principal)", true, NEED_READER, lists_list,
	 "The caller's own requests", NULL, "[assignmentScheduleRequest", ASSIGNMENTS(REQUESTS, MINE)},
	{"GET", "/assignmentScheduleRequests/(approver)", true, NEED_READER, lists_list,
	 "What waits for the caller's decision", NULL, "[assignmentScheduleRequest", ASSIGNMENTS(REQUESTS, TO_APPROVE)},
	{"GET", "/assignmentScheduleRequests/(createdBy)", true, NEED_READER, lists_list,
	 "Requests that the caller made, for whomever", NULL, "[assignmentScheduleRequest", ASSIGNMENTS(REQUESTS, CREATED)},
	{"GET", "/assignmentScheduleRequests/*", true, NEED_READER, lists_get,
	 "One request", NULL, "assignmentScheduleRequest", ASSIGNMENTS(REQUESTS, FILTERED)},
	{"POST", "/assignmentScheduleRequests/*/cancel", true, NEED_PERSON, requests_cancel,
	 "Withdraw a request that has not given access", NULL, NULL, ASSIGNMENTS(REQUESTS, FILTERED)},
	{"GET", "/assignmentSchedules", true, NEED_READER, lists_list,
	 "What is and what will be in force", NULL, "[assignmentSchedule", ASSIGNMENTS(SCHEDULES, FILTERED)},
	{"GET", "/assignmentSchedules/(principal)", true, NEED_READER, lists_list,
	 "The same of the caller", NULL, "[assignmentSchedule", ASSIGNMENTS(SCHEDULES, MINE)},
	{"GET", "/assignmentSchedules/*", true, NEED_READER, lists_get,
	 "One schedule", NULL, "assignmentSchedule", ASSIGNMENTS(SCHEDULES, FILTERED)},
	{"GET", "/assignmentScheduleInstances", true, NEED_READER, lists_list,
	 "What is in force now", NULL, "[assignmentScheduleInstance", ASSIGNMENTS(INSTANCES, FILTERED)},
	{"GET", "/assignmentScheduleInstances/(principal)", true, NEED_READER, lists_list,
	 "The same of the caller", NULL, "[assignmentScheduleInstance", ASSIGNMENTS(INSTANCES, MINE)},
	{"GET", "/assignmentScheduleInstances/*", true, NEED_READER, lists_get,
	 "One instance", NULL, "assignmentScheduleInstance", ASSIGNMENTS(INSTANCES, FILTERED)},
	{"POST", "/eligibilityScheduleRequests", true, NEED_OPERATOR, requests_post,
	 "Give, change, extend, renew or take away eligibility", "scheduleRequest", "eligibilityScheduleRequest", ELIGIBILITIES(REQUESTS, FILTERED)},
	{"GET", "/eligibilityScheduleRequests", true, NEED_READER, lists_list,
	 "Requests about the eligibility of one person or for one group", NULL, "[eligibilityScheduleRequest", ELIGIBILITIES(REQUESTS, FILTERED)},
	{"GET", "/eligibilityScheduleRequests/(principal)", true, NEED_READER, lists_list,
	 "Those about the caller", NULL, "[eligibilityScheduleRequest", ELIGIBILITIES(REQUESTS, MINE)},
	{"GET", "/eligibilityScheduleRequests/(createdBy)", true, NEED_READER, lists_list,
	 "Those that the caller made", NULL, "[eligibilityScheduleRequest", ELIGIBILITIES(REQUESTS, CREATED)},
	{"GET", "/eligibilityScheduleRequests/*", true, NEED_READER, lists_get,
	 "One such request", NULL, "eligibilityScheduleRequest", ELIGIBILITIES(REQUESTS, FILTERED)},
	{"POST", "/eligibilityScheduleRequests/*/cancel", true, NEED_OPERATOR, requests_cancel,
	 "Withdraw an eligibility that has not begun", NULL, NULL, ELIGIBILITIES(REQUESTS, FILTERED)},
	{"GET", "/eligibilitySchedules", true, NEED_READER, lists_list,
	 "Who is or will be eligible, by policy file and by request", NULL, "[eligibilitySchedule", ELIGIBILITIES(SCHEDULES, FILTERED)},
	{"GET", "/eligibilitySchedules/(principal)", true, NEED_READER, lists_list,
	 "What the caller is or will be eligible for", NULL, "[eligibilitySchedule", ELIGIBILITIES(SCHEDULES, MINE)},
	{"GET", "/eligibilitySchedules/*", true, NEED_READER, lists_get,
	 "One eligibility", NULL, "eligibilitySchedule", ELIGIBILITIES(SCHEDULES, FILTERED)},
	{"GET", "/eligibilityScheduleInstances", true, NEED_READER, lists_list,
	 "Who is eligible now", NULL, "[eligibilityScheduleInstance", ELIGIBILITIES(INSTANCES, FILTERED)},
	{"GET", "/eligibilityScheduleInstances/(principal)", true, NEED_READER, lists_list,
	 "What the caller is eligible for now", NULL, "[eligibilityScheduleInstance", ELIGIBILITIES(INSTANCES, MINE)},
	{"GET", "/eligibilityScheduleInstances/*", true, NEED_READER, lists_get,
	 "One eligibility that holds now", NULL, "eligibilityScheduleInstance", ELIGIBILITIES(INSTANCES, FILTERED)},
	{"GET", "/assignmentApprovals/*", true, NEED_READER, approvals_get,
	 "The approval of the request with that id", NULL, "approval"},
	{"GET", "/assignmentApprovals/*/stages", true, NEED_READER, approvals_stages,
	 "Its stages", NULL, "[approvalStage"},
	{"GET", "/assignmentApprovals/*/steps", true, NEED_READER, approvals_stages,
	 "Its stages, by their name in Graph's beta", NULL, "[approvalStage"},
	{"PATCH", "/assignmentApprovals/*/stages/*", true, NEED_PERSON, approvals_decide,
	 "Approve or deny", "approvalStage", NULL},
	{"PATCH", "/assignmentApprovals/*/steps/*", true, NEED_PERSON, approvals_decide,
	 "Approve or deny, by the name in Graph's beta", "approvalStage", NULL},
	{"GET", "/v1.0/me", false, NEED_READER, me_get, "Who the caller is, and with which roles", NULL, "me"},
	{"GET", "/beta/me", false, NEED_READER, me_get, "The same below /beta", NULL, "me"},
	{"POST", "/v1.0/$batch", false, NEED_READER, batches_post,
	 "Up to twenty calls in one, each with a result of its own", "batch", "batchResult"},
	{"POST", "/beta/$batch", false, NEED_READER, batches_post,
	 "The same below /beta", "batch", "batchResult"},
	{"POST", "/hooks/approvals/*", false, NEED_STORE, hooks_approval,
	 "An approval system's decision, signed", "webhook", NULL},
	{"POST", "/hooks/slack/*", false, NEED_STORE, hooks_slack,
	 "A decision by one of Slack's buttons, signed", "form", NULL},
	{"GET", "/api/applications", false, NEED_OVERSEER, applications_list,
	 "Every application's condition", NULL, "[application"},
	{"GET", "/api/applications/*", false, NEED_OVERSEER, applications_get,
	 "One application's condition", NULL, "application"},
	{"POST", "/api/applications/*/pause", false, NEED_OPERATOR, applications_pause,
	 "Add nobody and begin no cycle; removals go on unless the body says otherwise", "pause", "application"},
	{"POST", "/api/applications/*/resume", false, NEED_OPERATOR, applications_resume,
	 "End the pause", NULL, "application"},
	{"POST", "/api/applications/*/restart", false, NEED_OPERATOR, applications_restart,
	 "End quarantine and pause, and begin a cycle at once", NULL, "application"},
	{"POST", "/api/applications/*/guard", false, NEED_OPERATOR, applications_guard,
	 "Answer what becomes of removals that the guard holds, as the configuration wants many", "guard", "application"},
	{"POST", "/api/applications/*/test", false, NEED_OPERATOR, applications_test,
	 "Test Connection: prove with the canary group and users that changes are made and shown", NULL, "test"},
	{"POST", "/api/applications/*/provision", false, NEED_OPERATOR, applications_provision,
	 "Push one membership now and show each step; grants nothing", "membership", "provisioned"},
	{"POST", "/api/applications/*/cycles", false, NEED_OPERATOR, cycles_begin,
	 "Begin a cycle now", NULL, "cycles"},
	{"GET", "/api/applications/*/cycles", false, NEED_OVERSEER, cycles_list,
	 "The last hundred cycles that had something to do", NULL, "[cycle"},
	{"GET", "/api/applications/*/cycles/current", false, NEED_OVERSEER, cycles_current,
	 "The running cycle's progress, the last one and the next", NULL, "cycles"},
	{"GET", "/api/provisioning-log", false, NEED_OVERSEER, log_list,
	 "What was pushed for whom, and the applications' answers, newest first", NULL, "[provisioning"},
	{"GET", "/api/sign-in", false, NEED_NOTHING, sign_in_list,
	 "The providers that people can sign in with", NULL, "[signIn"},
	{"GET", "/api/notices", false, NEED_OVERSEER, notices_show,
	 "What is on its way to those who want to know, and what has not arrived"},
	{"POST", "/api/notices/*/send", false, NEED_OPERATOR, notices_send,
	 "Send a delivery again now"},
	{"POST", "/api/notices/*/discard", false, NEED_OPERATOR, notices_discard,
	 "Throw a delivery away"},
	{"GET", "/api/audit", false, NEED_OVERSEER, audit_events,
	 "The audit's events as JSON lines, from a position on"},
	{"GET", "/api/audit/verify", false, NEED_OVERSEER, audit_verify_all,
	 "Is the audit as it was written, and if not, where"},
	{"GET", "/api/events", false, NEED_READER, events_get,
	 "What changes, as server-sent events, as long as the caller listens", NULL, "events"},
	{"POST", "/api/sweep", false, NEED_TIMER, sweep_post,
	 "Do now all that is due; for timer jobs", NULL, "sweep"},
	{"GET", "/", false, NEED_NOTHING, page_get, "The page for people"},
	{"GET", "/page/*", false, NEED_NOTHING, page_file_get, "Its files"},
	{"GET", "/healthz", false, NEED_NOTHING, health_live, "The broker runs"},
	{"GET", "/readyz", false, NEED_NOTHING, health_ready, "The broker can serve, or why not"},
	{"GET", "/metrics", false, NEED_NOTHING, health_metrics, "Metrics, in Prometheus' text format"},
	{"GET", "/openapi.json", false, NEED_NOTHING, openapi_get, "This description"},
};
/* clang-format on */

#define ROUTES (sizeof(routes) / sizeof(routes[0]))

const struct route *routes_all(size_t *count)
{
	*count = ROUTES;
	return routes;
}

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

void call_error(struct call *call, enum err err, const char *message, const char *details_json)
{
	char rule[REFUSALS_DETAILS_SIZE];

	if (details_json == NULL)
		details_json = refusals_details(message != NULL ? message : err_message(err), rule);
	keyed_drop(call);
	call->api->metrics->requests[err_status(err) / 100]++;
	refusals_note(call, err, message, details_json);
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
	size_t at = 0;

	allow[0] = '\0';
	for (size_t i = 0; i < ROUTES; i++) {
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

const char *route_roles(enum need need)
{
	switch (need) {
	case NEED_NOTHING:
	case NEED_STORE:
		return "everybody";
	case NEED_PERSON:
		return "requester, operator";
	case NEED_READER:
		return "requester, operator, auditor";
	case NEED_OVERSEER:
		return "operator, auditor";
	case NEED_OPERATOR:
		return "operator";
	case NEED_TIMER:
		return "operator, timer";
	}
	return "";
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
