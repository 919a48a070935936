#include "tests/torture/closing.h"

#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/iso8601.h"
#include "tests/support/wait.h"

#define PAGE         "500"
#define LANES        16
#define PATH_MAX_LEN 512

/* -- settling ---------------------------------------------------------------------------------------------------- */

struct settling {
	struct ground *ground;
	const struct load *load;
};

static bool holds(const cJSON *group, const char *user)
{
	const cJSON *member;

	cJSON_ArrayForEach(member, group) {
		if (cJSON_IsString(member) && strcmp(member->valuestring, user) == 0)
			return true;
	}
	return false;
}

static bool app_is_settled(const struct settling *settling, size_t app)
{
	struct ground *ground = settling->ground;
	cJSON *state = sandbox_state(&ground->apps[app].sandbox);
	const cJSON *groups = cJSON_GetObjectItemCaseSensitive(state, "groups");
	bool settled = groups != NULL;

	for (size_t i = 0; i < ground->people && settled; i++) {
		const struct ground_person *person = &ground->person[i];
		const cJSON *group =
			cJSON_GetObjectItemCaseSensitive(groups, ground->group_names[person->group]);

		if (person->app == app && !load_in_doubt(settling->load, i))
			settled = holds(group, person->user_name) ==
				  load_wants(settling->load, i, clock_wall_ms());
	}
	cJSON_Delete(state);
	return settled;
}

static bool is_settled(void *ctx)
{
	const struct settling *settling = ctx;

	for (size_t i = 0; i < settling->ground->options.apps; i++)
		if (!app_is_settled(settling, i)) {
			wait_a_little(100);
			return false;
		}
	return true;
}

/* An operator looks after the applications once the trouble is over: quarantine ends. */
static void restart_apps(struct ground *ground)
{
	char path[128];

	for (size_t i = 0; i < ground->options.apps; i++) {
		struct http_response response;

		snprintf(path, sizeof(path), "/api/applications/%s/restart", ground->apps[i].id);
		ground_call(ground, 0,
			    &(struct http_request){.url = path,
						   .bearer = ground->person[ground->people].token,
						   .body = "{}"},
			    &response);
		http_response_release(&response);
	}
}

void closing_settle(struct ground *ground, const struct load *load, int64_t timeout_ms)
{
	struct settling settling = {ground, load};

	restart_apps(ground);
	if (!wait_until(is_settled, &settling, timeout_ms))
		fprintf(stderr, "the applications did not come to hold who is to be there\n");
}

/* -- taking ------------------------------------------------------------------------------------------------------ */

static bool get(struct ground *ground, const char *token, const char *path, struct http_response *response)
{
	const struct http_request request = {.url = path, .bearer = token};

	for (int tries = 0; tries < 10; tries++) {
		ground_call(ground, (size_t)tries % ground->options.brokers, &request, response);
		if (response->status == 200)
			return true;
		fprintf(stderr, "%s: %d %s\n", path, response->status, response->error);
		http_response_release(response);
		wait_a_little(200);
	}
	return false;
}

static const char *text(const cJSON *object, const char *name)
{
	const char *value = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));

	return value != NULL ? value : "";
}

static const char *group_name(const struct ground *ground, const char *id)
{
	for (size_t i = 0; i < ground->groups; i++)
		if (strcmp(ground->group_ids[i], id) == 0)
			return ground->group_names[i];
	return "?";
}

/* What the store says of its only stage. */
static bool take_approval(struct ground *ground, struct history *history, size_t person, const char *id)
{
	struct http_response response;
	struct errctx ec;
	const char *at, *by, *result;
	int64_t at_ms = 0;
	char path[128];

	snprintf(path, sizeof(path), PIM "assignmentApprovals/%s", id);
	if (!get(ground, ground->person[person].token, path, &response))
		return false;
	at = http_json_text(&response, "stages.0.reviewedDateTime");
	by = http_json_text(&response, "stages.0.reviewedBy.id");
	result = http_json_text(&response, "stages.0.reviewResult");
	if (at != NULL && iso8601_parse_time(at, &at_ms, &ec) != ERR_OK)
		at_ms = 0;
	history_note(history, "approval",
		     "\"request\":\"%s\",\"result\":\"%s\",\"by\":\"%s\",\"at\":%" PRId64, id,
		     result != NULL ? result : "", by != NULL ? by : "", at_ms);
	http_response_release(&response);
	return true;
}

static bool take_requests(struct ground *ground, struct history *history, size_t person)
{
	char path[2048] = PIM "assignmentScheduleRequests/filterByCurrentUser(on='principal')?$top=" PAGE;
	struct http_response response;
	const cJSON *item;
	bool good = true;

	while (path[0] != '\0') {
		const char *next, *rest;

		if (!get(ground, ground->person[person].token, path, &response))
			return false;
		cJSON_ArrayForEach(item, http_json(&response, "value")) {
			history_note(history, "request",
				     "\"person\":%zu,\"id\":\"%s\",\"action\":\"%s\",\"group\":\"%s\","
				     "\"why\":\"%s\"",
				     person, text(item, "id"), text(item, "action"),
				     group_name(ground, text(item, "groupId")), text(item, "justification"));
			if (ground->person[person].needs_approval && text(item, "approvalId")[0] != '\0')
				good = take_approval(ground, history, person, text(item, "approvalId")) &&
				       good;
		}
		/* The link is absolute; its path is what counts, whichever broker has made it. */
		next = cJSON_GetStringValue(
			cJSON_GetObjectItemCaseSensitive(response.json, "@odata.nextLink"));
		rest = next != NULL ? strstr(next, "/v1.0/") : NULL;
		snprintf(path, sizeof(path), "%s", rest != NULL ? rest : "");
		http_response_release(&response);
	}
	return good;
}

static bool take_members(struct ground *ground, struct history *history, size_t app)
{
	cJSON *state = sandbox_state(&ground->apps[app].sandbox);
	const cJSON *groups = cJSON_GetObjectItemCaseSensitive(state, "groups"), *group, *member;

	cJSON_ArrayForEach(group, groups) {
		cJSON_ArrayForEach(member, group) {
			history_note(history, "member", "\"app\":%zu,\"group\":\"%s\",\"user\":\"%s\"", app,
				     group->string, cJSON_GetStringValue(member));
		}
	}
	cJSON_Delete(state);
	return groups != NULL;
}

static int64_t time_in(const cJSON *object, const char *name)
{
	struct errctx ec;
	int64_t ms = 0;

	return iso8601_parse_time(text(object, name), &ms, &ec) == ERR_OK ? ms : 0;
}

static void note_cycle(struct history *history, size_t app, const cJSON *cycle)
{
	history_note(history, "cycle", "\"app\":%zu,\"started\":%" PRId64 ",\"ended\":%" PRId64, app,
		     time_in(cycle, "startedDateTime"), time_in(cycle, "endedDateTime"));
}

/* The one that runs before those that are over: it may end meanwhile, and is in both then. */
static bool take_cycles(struct ground *ground, struct history *history, size_t app)
{
	const char *token = ground->person[ground->people].token;
	struct http_response response;
	const cJSON *cycle;
	char path[128];

	snprintf(path, sizeof(path), "/api/applications/%s/cycles/current", ground->apps[app].id);
	if (!get(ground, token, path, &response))
		return false;
	if (cJSON_IsObject(http_json(&response, "current")))
		note_cycle(history, app, http_json(&response, "current"));
	http_response_release(&response);
	*strrchr(path, '/') = '\0';
	if (!get(ground, token, path, &response))
		return false;
	cJSON_ArrayForEach(cycle, http_json(&response, "value")) {
		note_cycle(history, app, cycle);
	}
	http_response_release(&response);
	return true;
}

/* The application's own ids, one question each: lists are cut. */
static bool take_name(struct ground *ground, struct history *history, size_t app, const char *name)
{
	bool is_user = strchr(name, '@') != NULL;
	struct http_response response;
	const char *id;
	char path[256];
	bool good;

	snprintf(path, sizeof(path), "/%s?filter=%s%%20eq%%20%%22%.*s%s%s%%22", is_user ? "Users" : "Groups",
		 is_user ? "userName" : "displayName", (int)strcspn(name, "@"), name, is_user ? "%40" : "",
		 is_user ? strchr(name, '@') + 1 : "");
	sandbox_scim(&ground->apps[app].sandbox, "GET", path, NULL, &response);
	good = response.status == 200;
	id = http_json_text(&response, "Resources.0.id");
	if (id != NULL)
		history_note(history, "name", "\"app\":%zu,\"id\":\"%s\",\"name\":\"%s\"", app, id, name);
	http_response_release(&response);
	return good;
}

static bool take_names(struct ground *ground, struct history *history, size_t app)
{
	bool good = take_name(ground, history, app, STANDING);

	for (size_t i = 0; i < ground->people; i++)
		if (ground->person[i].app == app)
			good = take_name(ground, history, app, ground->person[i].user_name) &&
			       take_name(ground, history, app, ground->group_names[i]) && good;
	return good;
}

static void take_events(struct history *history, const char *lines)
{
	while (*lines != '\0') {
		size_t len = strcspn(lines, "\n");
		cJSON *event = cJSON_ParseWithLength(lines, len);
		const cJSON *lane = cJSON_GetObjectItemCaseSensitive(event, "lane"),
			    *number = cJSON_GetObjectItemCaseSensitive(event, "number");

		if (cJSON_IsNumber(lane) && cJSON_IsNumber(number))
			history_note(history, "audit",
				     "\"lane\":%.0f,\"number\":%.0f,\"request\":\"%s\",\"event\":\"%s\","
				     "\"by\":\"%s\",\"from\":\"%s\",\"to\":\"%s\"",
				     lane->valuedouble, number->valuedouble, text(event, "request"),
				     text(event, "event"), text(event, "by"), text(event, "from"),
				     text(event, "to"));
		cJSON_Delete(event);
		lines += len + (lines[len] == '\n');
	}
}

static bool take_lane(struct ground *ground, struct history *history, unsigned lane)
{
	const char *token = ground->person[ground->people].token;
	char position[64] = "0", more[16] = "true", path[128];
	struct http_response response;

	while (strcmp(more, "true") == 0) {
		snprintf(path, sizeof(path), "/api/audit?lane=%u&after=%s&limit=1000", lane, position);
		if (!get(ground, token, path, &response))
			return false;
		take_events(history, buf_text(&response.body));
		if (!http_header(&response, "Audit-Position", position, sizeof(position)) ||
		    !http_header(&response, "Audit-More", more, sizeof(more)))
			snprintf(more, sizeof(more), "false");
		http_response_release(&response);
	}
	return true;
}

static bool take_verification(struct ground *ground, struct history *history)
{
	const char *token = ground->person[ground->people].token;
	char path[512] = "/api/audit/verify";
	bool intact = true;
	struct http_response response;

	while (path[0] != '\0') {
		const char *next;

		if (!get(ground, token, path, &response))
			return false;
		intact = intact && cJSON_IsTrue(http_json(&response, "intact"));
		next = http_json_text(&response, "next");
		if (next != NULL)
			snprintf(path, sizeof(path), "/api/audit/verify?after=%s", next);
		else
			path[0] = '\0';
		http_response_release(&response);
	}
	history_note(history, "verify", "\"intact\":%s", intact ? "true" : "false");
	return true;
}

bool closing_take(struct ground *ground, struct history *history)
{
	bool good = true;

	history_note(history, "end", "\"apps\":%zu", ground->options.apps);
	/* Times are in whole milliseconds: what is asked from now on is the harness' own. */
	wait_a_little(5);
	/* Who is there now, before anybody's time ends: the requests take seconds. */
	for (size_t i = 0; i < ground->options.apps; i++)
		good = take_members(ground, history, i) && good;
	for (size_t i = 0; i < ground->people; i++)
		good = take_requests(ground, history, i) && good;
	for (size_t i = 0; i < ground->options.apps; i++)
		good = take_cycles(ground, history, i) && take_names(ground, history, i) && good;
	for (unsigned lane = 0; lane < LANES; lane++)
		good = take_lane(ground, history, lane) && good;
	return take_verification(ground, history) && good;
}

/* -- files -------------------------------------------------------------------------------------------------------- */

/* By which a program says of itself that it is broken, when it was built to. */
static const char *const reports[] = {"Sanitizer: ", "runtime error: "};

static void note_secret(struct history *history, const char *text_to_find, const char *what)
{
	history_note(history, "secret", "\"text\":\"%s\",\"what\":\"%s\"", text_to_find, what);
}

static struct history *walker; /* nftw() has no context */

static int note_file(const char *path, const struct stat *st, int kind, struct FTW *where)
{
	(void)where;
	if (kind == FTW_F && (st == NULL || S_ISREG(st->st_mode)))
		history_note(walker, "file", "\"path\":\"%s\"", path);
	return 0;
}

void closing_files(struct ground *ground, struct history *history)
{
	walker = history;
	for (size_t i = 0; i <= ground->people + GROUND_APPROVERS; i++)
		note_secret(history, ground->person[i].token, "a secret");
	note_secret(history, SANDBOX_TOKEN, "a secret");
	for (size_t i = 0; i < sizeof(reports) / sizeof(reports[0]); i++)
		note_secret(history, reports[i], "a sanitizer's report");
	for (size_t i = 0; i < ground->options.brokers; i++)
		note_file(ground->brokers[i].log_path, NULL, FTW_F, NULL);
	for (size_t i = 0; i < ground->options.apps; i++)
		note_file(ground->apps[i].sandbox.proc.log_path, NULL, FTW_F, NULL);
	if (!ground->options.cluster)
		nftw(ground->redis.dir, note_file, 8, FTW_PHYS);
	for (size_t i = 0; i < ground->cluster.count; i++)
		nftw(ground->cluster.nodes[i].dir, note_file, 8, FTW_PHYS);
}
