/*
 * kill -9 of a broker at every step of a push. Each step is a world of its own with a push that stands still there:
 * at the application (the sandbox holds the request) or at Redis (the gate holds the call or its answer). The
 * broker is killed, and another one, which knows nothing but what is in Redis, has to bring everything to its right
 * end. The worlds of a test run side by side, one thread each; what fails is printed under the step's name.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/iso8601.h"
#include "tests/support/aftermath.h"
#include "tests/support/redis_gate.h"
#include "tests/support/sandbox_log.h"
#include "tests/support/wait.h"
#include "tests/support/world.h"

#define SECOND        1000
#define PUSH_TIMEOUT  (2 * SECOND)
#define TAKE_OVER     (PUSH_TIMEOUT + 2 * SECOND) /* a push is taken over so long after it was begun */
#define PATIENCE      (15 * SECOND)
#define LATE_MS       1500 /* a removal leaves within one second of the end; the rest is for a busy machine */
#define BEFORE_END_MS 300
#define POLL_MS       (5 * SECOND)
#define KEY           "one-and-the-same"

enum { HEIR, VICTIM }; /* brokers of a world */

/* Where the push is when its broker dies. One of `fault` and `call` is set. */
struct step {
	const char *name;
	const char *fault; /* rule of the sandbox that holds a request */
	const char *call;  /* of a Redis function, held by the gate … */
	enum gate_way way; /* … or its answer */
	size_t patches_min,
		patches_max; /* that the application must have answered in the end, of this push's kind */
	bool heir_lives; /* the other broker runs all along, but stands still while the victim makes the push */
};

struct play {
	const struct step *step;
	bool (*run)(struct play *play);
	struct world world;
	struct redis_gate gate;
	pthread_t thread;
	bool passed;
};

/* -- parts of a play: each returns false after having said what is wrong --------------------------------------- */

static bool check(const struct play *play, bool ok, const char *what)
{
	if (!ok)
		fprintf(stderr, "%s: %s\n", play->step->name, what);
	return ok;
}

static bool open_world(struct play *play)
{
	struct world_options options = world_defaults();

	options.people = options.groups = 2;
	options.group.min_ms = SECOND;
	options.application.push_timeout_ms = PUSH_TIMEOUT;
	options.application.request_timeout_ms = PUSH_TIMEOUT;
	options.application.pushes = 50;
	options.application.cycle_reserve = 10;
	return check(play,
		     world_start(&play->world, &options) &&
			     redis_gate_start(&play->gate, play->world.dir, play->world.redis.socket_path),
		     "no world");
}

/* The victim reaches Redis through the gate, and looks at the timetable when something is due, not more often. */
static bool start_victim(struct play *play)
{
	struct broker_config config = play->world.config;

	config.redis_url = play->gate.url;
	config.poll_ms = POLL_MS;
	play->world.broker_count = 2;
	return check(play, broker_start(&play->world.brokers[VICTIM], play->world.dir, "victim", &config),
		     "no victim");
}

static bool lay_heir_aside(struct play *play)
{
	if (!play->step->heir_lives)
		return check(play, broker_stop(&play->world.brokers[HEIR]), "the heir did not stop");
	proc_stop(&play->world.brokers[HEIR].proc);
	return true;
}

static bool wake_heir(struct play *play)
{
	struct broker *heir = &play->world.brokers[HEIR];

	if (!play->step->heir_lives)
		return check(play, broker_restart(heir), "the heir did not start");
	proc_cont(&heir->proc);
	return check(play, broker_wait_ready(heir, PATIENCE), "the heir is not ready");
}

static bool arm(struct play *play)
{
	if (play->step->fault != NULL)
		return check(play, sandbox_add_fault(&play->world.sandbox, play->step->fault), "no fault");
	redis_gate_hold(&play->gate, play->step->way, play->step->call);
	return true;
}

static bool is_hung(void *ctx)
{
	return sandbox_hung(ctx) == 1;
}

/* The push has come to its step. */
static bool wait_step(struct play *play)
{
	return check(play,
		     play->step->fault != NULL ? wait_until(is_hung, &play->world.sandbox, PATIENCE)
					       : redis_gate_wait_held(&play->gate, PATIENCE),
		     "the step was not reached");
}

static bool kill_victim(struct play *play)
{
	broker_kill9(&play->world.brokers[VICTIM]);
	redis_gate_cut(&play->gate);
	return check(play, sandbox_clear_faults(&play->world.sandbox), "the faults stay");
}

/* Activates by that broker. Where the call is held, the answer does not come: then `id` stays empty. */
static bool activate(struct play *play, size_t broker, const char *duration, char id[ID_SIZE])
{
	struct world_ask ask = {
		.broker = broker, .person = 1, .group = 1, .duration = duration, .idempotency_key = KEY};
	bool may_be_held = broker == VICTIM && play->step->call != NULL;
	struct http_response response;
	const char *given;
	struct post post;
	bool ok;

	post_fill(&post, &play->world, &ask);
	post.request.timeout_ms = may_be_held ? SECOND / 2 : 0;
	http_call(&post.request, &response);
	given = http_json_text(&response, "id");
	snprintf(id, ID_SIZE, "%s", given != NULL ? given : "");
	ok = response.status == 201 || (may_be_held && response.status == 0);
	if (!ok)
		fprintf(stderr, "%d %s %s\n", response.status, response.error, buf_text(&response.body));
	http_response_release(&response);
	return check(play, ok, "the activation was not accepted");
}

static int64_t end_of(const struct play *play, const char *id)
{
	struct http_response response;
	struct errctx ec;
	const char *text;
	int64_t end = 0;

	world_get_request(&play->world, &(struct world_ask){.broker = HEIR, .person = 1}, id, &response);
	text = http_json_text(&response, "provisioning.endDateTime");
	if (text == NULL || iso8601_parse_time(text, &end, &ec) != ERR_OK)
		end = 0;
	http_response_release(&response);
	return end;
}

static bool wait_state(const struct play *play, const char *id, const char *state)
{
	const struct world_ask ask = {.broker = HEIR, .person = 1};

	return check(play, world_wait_state(&play->world, &ask, id, state, PATIENCE), state);
}

/* -- what must be true afterwards ------------------------------------------------------------------------------ */

struct patches {
	size_t adds, removes; /* that the application carried out */
	int64_t first_remove_ms;
};

static bool count_patches(const struct play *play, struct patches *out)
{
	struct sandbox_log log;

	*out = (struct patches){0};
	if (!check(play, sandbox_log_read(play->world.sandbox.requests_path, &log), "no log"))
		return false;
	for (size_t i = 0; i < log.count; i++) {
		const struct sandbox_entry *entry = &log.entries[i];
		const cJSON *operation =
			cJSON_GetArrayItem(cJSON_GetObjectItem(entry->body, "Operations"), 0);
		const char *op = cJSON_GetStringValue(cJSON_GetObjectItem(operation, "op"));

		if (!sandbox_entry_is_push(entry) || op == NULL || entry->status / 100 != 2)
			continue;
		if (strcmp(op, "remove") == 0 && out->removes == 0)
			out->first_remove_ms = entry->received_ms;
		out->adds += strcmp(op, "add") == 0;
		out->removes += strcmp(op, "remove") == 0;
	}
	sandbox_log_release(&log);
	return true;
}

static bool check_count(const struct play *play, size_t count)
{
	if (count < play->step->patches_min || count > play->step->patches_max)
		fprintf(stderr, "%zu PATCHes, not %zu to %zu\n", count, play->step->patches_min,
			play->step->patches_max);
	return check(play, count >= play->step->patches_min && count <= play->step->patches_max,
		     "the number of PATCHes");
}

/* The membership is gone for good, and every request has gone the whole way. */
static bool check_over(const struct play *play, const char *id)
{
	return check(play, world_wait_member(&play->world, 1, 1, false, PATIENCE), "the membership stays") &&
	       wait_state(play, id, "removed") &&
	       check(play, audit_check(&play->world) == 1, "the audit events");
}

/* -- the two plays --------------------------------------------------------------------------------------------- */

static bool kill_while_bringing(struct play *play)
{
	struct patches patches;
	char lost[ID_SIZE], id[ID_SIZE];
	int64_t end;

	if (!open_world(play) || !lay_heir_aside(play) || !start_victim(play) || !arm(play) ||
	    !activate(play, VICTIM, "PT10S", lost) || !wait_step(play) || !kill_victim(play) ||
	    !wake_heir(play) || !activate(play, HEIR, "PT10S", id))
		return false;
	end = end_of(play, id);
	if (!check(play, lost[0] == '\0' || strcmp(lost, id) == 0, "the same key made another request") ||
	    !check(play, world_wait_member(&play->world, 1, 1, true, TAKE_OVER + 4 * SECOND), "no member") ||
	    !wait_state(play, id, "provisioned") ||
	    !check(play, clock_wall_ms() < end, "it came when its time was over") || !check_over(play, id) ||
	    !count_patches(play, &patches) || !check_count(play, patches.adds))
		return false;
	return check(play, patches.removes == 1, "it was not removed once") &&
	       check(play, patches.first_remove_ms >= end, "it was removed too early") &&
	       check(play, patches.first_remove_ms < end + LATE_MS, "it was removed too late");
}

static bool has_come(void *ctx)
{
	return clock_wall_ms() >= *(const int64_t *)ctx;
}

/* Brokers look at the timetable at each multiple of `poll`, too: no such look comes shortly before an end that is a whole number of
 * them away. */
static bool is_between_looks(void *ctx)
{
	int64_t since_ms = clock_mono_ms() % POLL_MS;

	(void)ctx;
	return since_ms > 2 * BEFORE_END_MS && since_ms < POLL_MS / 2;
}

static bool kill_while_removing(struct play *play)
{
	struct patches patches;
	char id[ID_SIZE];
	int64_t end, armed;

	if (!open_world(play) || !check(play, wait_until(is_between_looks, NULL, PATIENCE), "no time") ||
	    !activate(play, HEIR, "PT5S", id) || !wait_state(play, id, "provisioned"))
		return false;
	end = end_of(play, id);
	armed = end - BEFORE_END_MS;
	/* Until the end nears, so that no earlier look at the timetable is taken for the one that is meant. */
	if (!lay_heir_aside(play) || !start_victim(play) ||
	    !check(play, wait_until(has_come, &armed, PATIENCE), "no time") || !arm(play) ||
	    !wait_step(play) || !check(play, clock_wall_ms() >= end, "the step came before the end") ||
	    !kill_victim(play) || !wake_heir(play) || !check_over(play, id) ||
	    !count_patches(play, &patches) || !check_count(play, patches.removes))
		return false;
	return check(play, patches.adds == 1, "it was brought again");
}

/* -- side by side ---------------------------------------------------------------------------------------------- */

static void *run_play(void *ctx)
{
	struct play *play = ctx;

	play->passed = play->run(play);
	if (play->passed)
		world_passed(&play->world);
	play->passed = check(play, world_stop(&play->world), "the world did not end well") && play->passed;
	redis_gate_stop(&play->gate);
	return NULL;
}

static void run_all(const struct step *steps, size_t count, bool (*run)(struct play *play))
{
	struct play *plays = calloc(count, sizeof(*plays));
	size_t passed = 0;

	assert_non_null(plays);
	for (size_t i = 0; i < count; i++) {
		plays[i].step = &steps[i];
		plays[i].run = run;
		assert_int_equal(pthread_create(&plays[i].thread, NULL, run_play, &plays[i]), 0);
	}
	for (size_t i = 0; i < count; i++) {
		pthread_join(plays[i].thread, NULL);
		passed += plays[i].passed;
	}
	free(plays);
	assert_int_equal(passed, count);
}

static const struct step bringing[] = {
	{"bringing: asked for, not in Redis", .call = "jit_submit", .way = GATE_REQUESTS, .patches_min = 1,
	 .patches_max = 1},
	{"bringing: claimed, nothing sent", .call = "jit_submit", .way = GATE_REPLIES, .patches_min = 1,
	 .patches_max = 1},
	{"bringing: group looked up", .fault = "GET /Groups?filter=displayName once -> hang",
	 .patches_min = 1, .patches_max = 1},
	{"bringing: user looked up", .fault = "GET /Users once -> hang", .patches_min = 1, .patches_max = 1,
	 .heir_lives = true},
	{"bringing: user being created", .fault = "POST /Users once -> hang", .patches_min = 1,
	 .patches_max = 1},
	{"bringing: user created, answer lost", .fault = "POST /Users once -> hang after", .patches_min = 1,
	 .patches_max = 1},
	{"bringing: asking whether it is wanted", .call = "jit_push_check", .way = GATE_REPLIES,
	 .patches_min = 1, .patches_max = 1},
	{"bringing: PATCH sent, not applied", .fault = "PATCH /Groups once -> hang", .patches_min = 1,
	 .patches_max = 1, .heir_lives = true},
	{"bringing: PATCH applied, answer lost", .fault = "PATCH /Groups once -> hang after",
	 .patches_min = 1, .patches_max = 2},
	{"bringing: being confirmed", .fault = "GET /Groups?filter=id once -> hang", .patches_min = 2,
	 .patches_max = 2},
	{"bringing: confirmed, end not in Redis", .call = "jit_push_end", .way = GATE_REQUESTS,
	 .patches_min = 2, .patches_max = 2, .heir_lives = true},
	{"bringing: end in Redis, not seen", .call = "jit_push_end", .way = GATE_REPLIES, .patches_min = 1,
	 .patches_max = 1},
};

/* A removal goes by the ids under which the person was let in: it has no look-ups. */
static const struct step removing[] = {
	{"removing: end not in Redis", .call = "jit_due", .way = GATE_REQUESTS, .patches_min = 1,
	 .patches_max = 1},
	{"removing: ended, not seen", .call = "jit_due", .way = GATE_REPLIES, .patches_min = 1,
	 .patches_max = 1},
	{"removing: claimed, nothing sent", .call = "jit_pump", .way = GATE_REPLIES, .patches_min = 1,
	 .patches_max = 1, .heir_lives = true},
	{"removing: asking whether it is wanted", .call = "jit_push_check", .way = GATE_REPLIES,
	 .patches_min = 1, .patches_max = 1},
	{"removing: PATCH sent, not applied", .fault = "PATCH /Groups once -> hang", .patches_min = 1,
	 .patches_max = 1},
	{"removing: PATCH applied, answer lost", .fault = "PATCH /Groups once -> hang after",
	 .patches_min = 0, .patches_max = 1, .heir_lives = true},
	{"removing: being confirmed", .fault = "GET /Groups?filter=id once -> hang", .patches_min = 1,
	 .patches_max = 2},
	{"removing: confirmed, end not in Redis", .call = "jit_push_end", .way = GATE_REQUESTS,
	 .patches_min = 1, .patches_max = 2},
	{"removing: end in Redis, not seen", .call = "jit_push_end", .way = GATE_REPLIES, .patches_min = 1,
	 .patches_max = 1, .heir_lives = true},
};

static void at_every_step_of_bringing_it(void **state)
{
	(void)state;
	run_all(bringing, sizeof(bringing) / sizeof(bringing[0]), kill_while_bringing);
}

static void at_every_step_of_removing_it(void **state)
{
	(void)state;
	run_all(removing, sizeof(removing) / sizeof(removing[0]), kill_while_removing);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(at_every_step_of_bringing_it),
		cmocka_unit_test(at_every_step_of_removing_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
