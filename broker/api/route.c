#include "api/route.h"

#include "api/handlers.h"

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
