/*
 * POST /api/applications/{app}/test: Test Connection. Each of its changes is a push, for which a token of the bucket
 * is taken; what it proves is kept in the store, for all brokers.
 */
#include <stdlib.h>

#include "activation/operate.h"
#include "api/api.h"
#include "api/handlers.h"
#include "api/render.h"
#include "base/log.h"
#include "scim-push/probe.h"

#define STAGE_MS  10000                           /* a stage may take so long, look-ups and all */
#define ANSWER_MS (STAGE_COUNT * STAGE_MS + 5000) /* and the whole test */
_Static_assert(ANSWER_MS < KEY_LEASE_MS, "nobody begins it anew under the same key meanwhile");

struct test {
	struct call *call;
	const struct config_application *application; /* held by the call's configuration */
	char token[ID_SIZE];                          /* of the change under way; "" = none */
	struct probe probe;
};

static struct operate_ask ask_of(const struct test *test)
{
	return (struct operate_ask){.app = test->application->id, .actor = buf_text(&test->call->actor)};
}

/* -- the answer ------------------------------------------------------------------------------------------------ */

static void render_step(struct buf *out, const struct probe_step *step)
{
	buf_addf(out, "{\"name\":\"%s\",\"method\":\"%s\",", step->name, step->method);
	render_text(out, "path", step->path);
	buf_adds(out, ",");
	render_text(out, "body", step->body);
	buf_addf(out, ",\"status\":%ld,\"durationMs\":%lld,\"outcome\":\"%s\",", step->status,
		 (long long)step->ms, step->outcome);
	render_text(out, "words", step->words);
	buf_adds(out, "}");
}

static void render_stage(struct buf *out, const struct probe *probe, enum probe_stage stage)
{
	static const char *const verdicts[] = {[PROBE_NOT_RUN] = "notRun",
					       [PROBE_PASSED] = "passed",
					       [PROBE_NOTED] = "noted",
					       [PROBE_FAILED] = "failed"};
	const struct probe_result *result = &probe->results[stage];

	buf_addf(out, "{\"name\":\"%s\",\"verdict\":\"%s\",", probe_stage_name(stage),
		 verdicts[result->verdict]);
	render_text(out, "words", result->words);
	buf_adds(out, ",\"requests\":[");
	for (size_t i = 0; i < result->count; i++) {
		buf_adds(out, i > 0 ? "," : "");
		render_step(out, &probe->steps[result->first + i]);
	}
	buf_adds(out, "]}");
}

static void answer(struct test *test)
{
	const struct probe *probe = &test->probe;
	struct buf body;

	buf_init(&body, RESPONSE_MAX);
	buf_addf(&body, "{\"passed\":%s,\"proved\":%s,\"stages\":[", probe->passed ? "true" : "false",
		 probe->proved ? "true" : "false");
	for (int i = 0; i < STAGE_COUNT; i++) {
		buf_adds(&body, i > 0 ? "," : "");
		render_stage(&body, probe, (enum probe_stage)i);
	}
	buf_adds(&body, "]}");
	log_info("test", "app=%s passed=%s proved=%s", test->application->id, probe->passed ? "yes" : "no",
		 probe->proved ? "yes" : "no");
	call_answer(test->call, 200, NULL, &body);
	free(test);
}

/* -- tokens ---------------------------------------------------------------------------------------------------- */

static void on_returned(void *ctx, enum err err, const char *word)
{
	(void)ctx;
	(void)word;
	if (err != ERR_OK) /* it comes back by itself, later */
		log_warn("test", "error=%s", err_message(err));
}

/* The change of the stage before is over. */
static void return_token(struct test *test)
{
	struct operate_ask ask = ask_of(test);

	if (test->token[0] != '\0')
		operate_test(test->call->api->activation, TEST_END, &ask, test->token,
			     (struct operate_hook){on_returned, NULL});
	test->token[0] = '\0';
}

static void on_taken(void *ctx, enum err err, const char *word)
{
	struct test *test = ctx;
	bool taken = err == ERR_OK && word[0] == 'o';

	if (!taken)
		test->token[0] = '\0';
	probe_go(&test->probe, taken,
		 err != ERR_OK ? err_message(err)
			       : "no push to this application is free now; try again in some seconds");
}

static void on_turn(void *ctx, struct probe *probe)
{
	struct test *test = ctx;
	struct operate_ask ask = ask_of(test);

	(void)probe;
	return_token(test);
	id_make(0, test->token);
	operate_test(test->call->api->activation, TEST_TAKE, &ask, test->token,
		     (struct operate_hook){on_taken, test});
}

/* -- the test -------------------------------------------------------------------------------------------------- */

static void on_proved(void *ctx, enum err err, const char *word)
{
	struct test *test = ctx;

	(void)word;
	if (err == ERR_OK) {
		answer(test);
		return;
	}
	call_error(test->call, err, NULL, NULL);
	free(test);
}

static void on_end(void *ctx, struct probe *probe)
{
	struct test *test = ctx;
	struct operate_ask ask = ask_of(test);
	char fingerprint[PROBE_FINGERPRINT_SIZE];

	return_token(test);
	if (!probe->proved) {
		answer(test);
		return;
	}
	probe_fingerprint(probe->target, fingerprint);
	operate_test(test->call->api->activation, TEST_PASSED, &ask, fingerprint,
		     (struct operate_hook){on_proved, test});
}

void applications_test(struct call *call)
{
	const struct config_application *application = config_application(call->config, call->param);
	struct test *test;

	if (application == NULL) {
		call_error(call, ERR_NOT_FOUND, "There is no such application.", NULL);
		return;
	}
	if (application->test.group[0] == '\0') {
		call_error(
			call, ERR_BAD_REQUEST,
			"The application's configuration names no canary group: applications[].test.group.",
			NULL);
		return;
	}
	test = calloc(1, sizeof(*test));
	if (test == NULL) {
		call_error(call, ERR_NOMEM, NULL, NULL);
		return;
	}
	test->call = call;
	test->application = application;
	test->probe.target = &application->scim;
	test->probe.group_name = application->test.group;
	test->probe.group_external_id = "";
	test->probe.users[0] = application->test.users.list[0];
	test->probe.users[1] = application->test.users.list[1];
	test->probe.stage_timeout_ms = STAGE_MS;
	test->probe.on_turn = on_turn;
	test->probe.on_end = on_end;
	test->probe.ctx = test;
	exchange_answer_within(call->exchange, ANSWER_MS);
	probe_start(call->api->pusher, &test->probe);
}
