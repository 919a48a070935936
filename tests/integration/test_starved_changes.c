/*
 * Each route of Graph's by which something is changed, while the broker's memory runs out (tests/support/starved.h): what was
 * not acknowledged can be asked again, and is then done once. The routes are those of the broker's own table: there is none
 * that is left out. Nothing is pushed meanwhile, so that what is given back is gone at once.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/scene_ask.h"
#include "tests/support/starved.h"

#define ASSIGNMENTS   "POST /assignmentScheduleRequests"
#define ELIGIBILITIES "POST /eligibilityScheduleRequests"
#define DECISIONS     "PATCH /assignmentApprovals/*/"
#define HOUR          "{\"expiration\":{\"type\":\"afterDuration\",\"duration\":\"PT1H\"}}"
#define LONGER        "{\"expiration\":{\"type\":\"afterDuration\",\"duration\":\"PT2H\"}}"

enum person { OPERATOR, ASKER, APPROVER, OTHER, FIRST_OF_ACTIONS, PEOPLE = FIRST_OF_ACTIONS + 11 };
enum group { PLAIN, APPROVED, FULL, NOBODYS, GROUPS };

static int open_world(void **state)
{
	static const char *eligible[PEOPLE + 1];
	static char names[PEOPLE][32];
	static const char *const nobody[] = {"nobody@example.com", NULL};
	static const struct broker_group groups[GROUPS] = {
		[PLAIN] = {.eligible = eligible, .min_ms = SECOND, .more = "      max_active: 1000\n"},
		[APPROVED] = {.eligible = eligible,
			      .min_ms = SECOND,
			      .more = "      approval: {approvers: [person2@example.com]}\n"},
		[FULL] = {.eligible = eligible, .more = "      max_active: 1\n"},
		[NOBODYS] = {.eligible = nobody},
	};
	struct world_options options = starved_options();

	for (size_t i = 0; i < PEOPLE; i++) {
		snprintf(names[i], sizeof(names[i]), "person%zu@example.com", i);
		eligible[i] = names[i];
	}
	options.people = PEOPLE;
	options.each_group = groups;
	options.groups = GROUPS;
	return starved_open(state, &options);
}

static int post(const struct world *world, size_t person, const char *path, const char *body)
{
	return starved_call(world, person,
			    &(struct http_request){.method = "POST", .url = path, .body = body});
}

/* -- one's own requests ------------------------------------------------------------------------------------- */

static char pending[ID_SIZE]; /* the request that the call is about */
static char stage[ID_SIZE];   /* the stage of its approval */

/* Keeps the id of a request that was made. */
static int keep(struct http_response *response)
{
	const char *id = http_json_text(response, "id");
	int status = response->status;

	if (status == 201 && id != NULL)
		snprintf(pending, sizeof(pending), "%s", id);
	http_response_release(response);
	return status;
}

static int ask_for(const struct world *world, enum group group, const char *key, bool only_try)
{
	struct world_ask ask = {.person = ASKER,
				.group = group,
				.duration = "PT1H",
				.idempotency_key = key,
				.only_try = only_try};
	struct http_response response;

	world_activate(world, &ask, &response);
	return keep(&response);
}

static int give_back(const struct world *world, enum group group)
{
	struct http_response response;
	int status;

	world_deactivate(world, &(struct world_ask){.person = ASKER, .group = group}, &response);
	status = response.status;
	http_response_release(&response);
	return status;
}

static int try_to_activate(const struct world *world, long n)
{
	(void)n;
	return ask_for(world, PLAIN, NULL, true);
}

static int activate(const struct world *world, long n)
{
	char key[32];

	snprintf(key, sizeof(key), "key-%ld", n);
	return ask_for(world, PLAIN, key, false);
}

static int activate_full(const struct world *world, long n)
{
	(void)n;
	return ask_for(world, FULL, NULL, false);
}

/* The same call again gets the request that there is, or makes it. */
static int activate_again(const struct world *world, long n)
{
	int status = activate(world, n);

	return status != 201 ? status : give_back(world, PLAIN) == 201 ? 0 : -1;
}

static int activate_well(const struct world *world, long n)
{
	(void)n;
	return ask_for(world, PLAIN, NULL, false) == 201 ? 0 : -1;
}

static int deactivate(const struct world *world, long n)
{
	(void)n;
	return give_back(world, PLAIN);
}

/* It is over by now, or is by this. */
static int deactivate_again(const struct world *world, long n)
{
	int status = give_back(world, PLAIN);

	(void)n;
	return status == 201 || status == 400 ? 0 : status;
}

static int cancel(const struct world *world, long n)
{
	char path[256];

	(void)n;
	snprintf(path, sizeof(path), PIM "assignmentScheduleRequests/%s/cancel", pending);
	return post(world, ASKER, path, NULL);
}

static int cancel_again(const struct world *world, long n)
{
	int status = cancel(world, n);

	return status == 204 || status == 400 ? 0 : status;
}

/* -- any action of Graph's ---------------------------------------------------------------------------------- */

static const struct scene_ask *asked; /* what is asked */

static int ask_keyed(const struct world *world, const struct scene_ask *ask, const char *prefix, long n)
{
	struct scene_ask whole = *ask;
	struct http_response response;
	char key[48];

	snprintf(key, sizeof(key), "%s-%zu-%s-%ld", prefix, ask->person, ask->action, n);
	whole.key = key;
	scene_ask(world, &whole, &response);
	return keep(&response);
}

static int ask_it(const struct world *world, long n)
{
	return ask_keyed(world, asked, "it", n);
}

/* What administrators do before and after, about the same person and group. */
static int ask_other(const struct world *world, const char *action, const char *schedule, long n)
{
	struct scene_ask other = *asked;

	other.caller = OPERATOR;
	other.action = action;
	other.schedule = schedule;
	return ask_keyed(world, &other, "other", n);
}

static int given_before(const struct world *world, long n)
{
	return ask_other(world, "adminAssign", HOUR, n) == 201 ? 0 : -1;
}

static int ended_before(const struct world *world, long n)
{
	return given_before(world, n) == 0 && ask_other(world, "adminRemove", NULL, n) == 201 ? 0 : -1;
}

/* The same again is as it was, or is done now; then there is nothing any more. */
static int removed_after(const struct world *world, long n)
{
	int status = ask_it(world, n);

	if (status != 201)
		return status;
	status = ask_keyed(world,
			   &(struct scene_ask){.eligibility = asked->eligibility,
					       .caller = OPERATOR,
					       .person = asked->person,
					       .group = asked->group,
					       .action = "adminRemove"},
			   "after", n);
	return status == 201 || (status == 400 && strcmp(asked->action, "adminRemove") == 0) ? 0 : status;
}

#define ASKED(about, who, group_, action_, schedule_)                                                        \
	{                                                                                                    \
		.eligibility = (about), .caller = (who), .person = ASKER, .group = (group_),                 \
		.action = (action_), .schedule = (schedule_)                                                 \
	}

/* -- eligibility -------------------------------------------------------------------------------------------- */

#define ELIGIBLE(schedule_) ASKED(true, OPERATOR, NOBODYS, "adminAssign", schedule_)

static int make_eligible(const struct world *world, long n)
{
	static const struct scene_ask now = ELIGIBLE(HOUR);

	return ask_keyed(world, &now, "eligible", n);
}

static int make_eligible_again(const struct world *world, long n)
{
	static const struct scene_ask end = ASKED(true, OPERATOR, NOBODYS, "adminRemove", NULL);
	int status = make_eligible(world, n);

	return status != 201 ? status : ask_keyed(world, &end, "end", n) == 201 ? 0 : -1;
}

static int make_eligible_later(const struct world *world, long n)
{
	char start[32], schedule[128];
	struct scene_ask later = ELIGIBLE(schedule);

	scene_from_now(3600 * SECOND, start);
	snprintf(schedule, sizeof(schedule),
		 "{\"startDateTime\":\"%s\",\"expiration\":{\"type\":\"noExpiration\"}}", start);
	later.person = OTHER;
	return ask_keyed(world, &later, "later", n) == 201 ? 0 : -1;
}

static int cancel_eligibility(const struct world *world, long n)
{
	char path[256];

	(void)n;
	snprintf(path, sizeof(path), PIM "eligibilityScheduleRequests/%s/cancel", pending);
	return post(world, OPERATOR, path, NULL);
}

static int cancel_eligibility_again(const struct world *world, long n)
{
	int status = cancel_eligibility(world, n);

	return status == 204 || status == 400 ? 0 : status;
}

/* -- approvals ---------------------------------------------------------------------------------------------- */

static int ask_approver(const struct world *world, long n)
{
	struct http_response response;
	char path[256];

	(void)n;
	if (ask_for(world, APPROVED, NULL, false) != 201)
		return -1;
	snprintf(path, sizeof(path), PIM "assignmentApprovals/%s", pending);
	scene_get(world, APPROVER, path, &response);
	snprintf(stage, sizeof(stage), "%s", scene_text(&response, "stages.0.id"));
	http_response_release(&response);
	return 0;
}

static int decide(const struct world *world, const char *base, const char *word)
{
	char path[256];

	snprintf(path, sizeof(path),
		 "%s/identityGovernance/privilegedAccess/group/assignmentApprovals/%s/%s/%s", base, pending,
		 word, stage);
	return starved_call(
		world, APPROVER,
		&(struct http_request){
			.method = "PATCH",
			.url = path,
			.body = "{\"reviewResult\":\"Approve\",\"justification\":\"it is needed\"}"});
}

static int approve(const struct world *world, long n)
{
	(void)n;
	return decide(world, "/v1.0", "stages");
}

static int approve_step(const struct world *world, long n)
{
	(void)n;
	return decide(world, "/beta", "steps");
}

/* It is approved, by that call or by this one, and is given back. */
static int approve_again(const struct world *world, long n)
{
	int status = approve(world, n);

	if (status != 204 && status != 409)
		return status;
	return give_back(world, APPROVED) == 201 ? 0 : -1;
}

/* -- all of them -------------------------------------------------------------------------------------------- */

#define SWEEP(route_, before_, call_, after_, wanted_)                                                       \
	{                                                                                                    \
		.route = (route_), .name = #call_, .before = (before_), .call = (call_), .after = (after_),  \
		.wanted = (wanted_)                                                                          \
	}
#define DECISION(word, call_)                                                                                \
	{                                                                                                    \
		.route = DECISIONS word "/*", .name = #call_, .before = ask_approver, .call = (call_),       \
		.after = approve_again, .wanted = 204,                                                       \
		.also = 403 /* nobody decides their own, and whose it is cannot be told */                   \
	}

static const struct starved_sweep sweeps[] = {
	SWEEP(ASSIGNMENTS, NULL, try_to_activate, NULL, 201),
	SWEEP(ASSIGNMENTS, NULL, activate, activate_again, 201),
	SWEEP(ASSIGNMENTS, NULL, activate_full, NULL, 400),
	SWEEP(ASSIGNMENTS, activate_well, deactivate, deactivate_again, 201),
	SWEEP(ASSIGNMENTS "/*/cancel", ask_approver, cancel, cancel_again, 204),
	SWEEP(ELIGIBILITIES, NULL, make_eligible, make_eligible_again, 201),
	SWEEP(ELIGIBILITIES "/*/cancel", make_eligible_later, cancel_eligibility, cancel_eligibility_again,
	      204),
	DECISION("stages", approve),
	DECISION("steps", approve_step),
};

#define SWEEPS (sizeof(sweeps) / sizeof(sweeps[0]))

static void pause_all(const struct world *world)
{
	assert_int_equal(post(world, OPERATOR, "/api/applications/app/pause", "{}"), 200);
}

static void routes_swept(void **state)
{
	const struct world *world = *state;
	char id[ID_SIZE];

	pause_all(world);
	scene_activate(world, &(struct world_ask){.person = OTHER, .group = FULL, .duration = "PT1H"}, id);
	for (size_t i = 0; i < SWEEPS; i++)
		starved_run(world, &sweeps[i]);
	world_passed(*state);
}

static void actions(void **state)
{
	static const struct {
		starved_step *before;
		struct scene_ask ask;
	} rows[] = {
		{given_before, ASKED(false, ASKER, PLAIN, "selfExtend", LONGER)},
		{NULL, ASKED(false, OPERATOR, PLAIN, "adminAssign", HOUR)},
		{given_before, ASKED(false, OPERATOR, PLAIN, "adminUpdate", LONGER)},
		{given_before, ASKED(false, OPERATOR, PLAIN, "adminExtend", LONGER)},
		{ended_before, ASKED(false, OPERATOR, PLAIN, "adminRenew", HOUR)},
		{given_before, ASKED(false, OPERATOR, PLAIN, "adminRemove", NULL)},
		{NULL, ASKED(true, OPERATOR, NOBODYS, "adminAssign", HOUR)},
		{given_before, ASKED(true, OPERATOR, NOBODYS, "adminUpdate", LONGER)},
		{given_before, ASKED(true, OPERATOR, NOBODYS, "adminExtend", LONGER)},
		{ended_before, ASKED(true, OPERATOR, NOBODYS, "adminRenew", HOUR)},
		{given_before, ASKED(true, OPERATOR, NOBODYS, "adminRemove", NULL)},
	};
	const struct world *world = *state;

	pause_all(world);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct starved_sweep sweep = {.route = rows[i].ask.eligibility ? ELIGIBILITIES : ASSIGNMENTS,
					      .name = rows[i].ask.action,
					      .before = rows[i].before,
					      .call = ask_it,
					      .after = removed_after,
					      .wanted = 201};

		struct scene_ask ask = rows[i].ask;

		/* Each about somebody of their own: what one may have asked for in a short time is limited. */
		ask.person = FIRST_OF_ACTIONS + i;
		ask.caller = ask.caller == ASKER ? ask.person : ask.caller;
		asked = &ask;
		starved_run(world, &sweep);
	}
	world_passed(*state);
}

static bool is_change(const struct route *route)
{
	return route->graph && strcmp(route->method, "GET") != 0;
}

static void no_route_is_left_out(void **state)
{
	(void)state;
	starved_expect_routes(sweeps, SWEEPS, is_change);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_route_is_left_out),
		cmocka_unit_test_setup_teardown(routes_swept, open_world, starved_close),
		cmocka_unit_test_setup_teardown(actions, open_world, starved_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
