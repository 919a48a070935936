#include "tests/torture/watch.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "tests/support/wait.h"

#define EVERY_MS 200
#define LOOK_MS  10
#define STALL_MS 150 /* beyond what was asked for */
#define CALL_MS  700

/* {"value":[{"id":"app-0","throttle":{"tokensFree":5, …}, …}, …]} */
static void note_tokens(struct watch *watch, const struct http_response *response)
{
	int tokens[GROUND_APPS];
	char text[GROUND_APPS * 4 + 1];
	size_t n = 0;
	const cJSON *app;

	for (size_t i = 0; i < GROUND_APPS; i++)
		tokens[i] = -1;
	cJSON_ArrayForEach(app, http_json(response, "value")) {
		const char *id = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(app, "id"));
		const cJSON *free_now = cJSON_GetObjectItemCaseSensitive(
			cJSON_GetObjectItemCaseSensitive(app, "throttle"), "tokensFree");

		for (size_t i = 0; i < watch->ground->options.apps && id != NULL; i++)
			if (strcmp(watch->ground->apps[i].id, id) == 0 && cJSON_IsNumber(free_now))
				tokens[i] = free_now->valueint;
	}
	for (size_t i = 0; i < GROUND_APPS; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%d", i > 0 ? "," : "", tokens[i]);
	history_note(watch->history, "tokens", "\"free\":[%s]", text);
}

/* Asks one broker after the other until one answers. */
static void look_at_tokens(struct watch *watch)
{
	const struct ground *ground = watch->ground;
	bool told = false;

	for (size_t i = 0; i < ground->options.brokers && !told; i++) {
		struct http_response response;

		ground_call(watch->ground, i,
			    &(struct http_request){.url = "/api/applications",
						   .bearer = ground->person[ground->people].token,
						   .timeout_ms = CALL_MS},
			    &response);
		told = response.status == 200;
		if (told)
			note_tokens(watch, &response);
		http_response_release(&response);
	}
}

static void *run(void *ctx)
{
	struct watch *watch = ctx;
	int64_t next = 0;

	while (!watch->stop) {
		int64_t before = clock_mono_ms(), now;

		wait_a_little(LOOK_MS);
		now = clock_mono_ms();
		if (now - before > LOOK_MS + STALL_MS) {
			int64_t wall = clock_wall_ms();

			history_note(watch->history, "stall", "\"from\":%" PRId64 ",\"to\":%" PRId64,
				     wall - (now - before), wall);
		}
		if (now < next)
			continue;
		look_at_tokens(watch);
		next = clock_mono_ms() + EVERY_MS;
	}
	return NULL;
}

bool watch_begin(struct watch *watch, struct ground *ground, struct history *history)
{
	watch->ground = ground;
	watch->history = history;
	watch->runs = pthread_create(&watch->thread, NULL, run, watch) == 0;
	return watch->runs;
}

void watch_end(struct watch *watch)
{
	watch->stop = true;
	if (watch->runs)
		pthread_join(watch->thread, NULL);
	watch->runs = false;
}
