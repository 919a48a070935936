#include "tests/support/drift.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/clock.h"
#include "tests/support/sandbox_log.h"
#include "tests/support/wait.h"

int drift_open(void **state, const char *const *sandbox, const char *scim, const char *exclusive)
{
	struct world_options options = scene_defaults();

	options.brokers = 2;
	options.sandbox_arguments = sandbox;
	options.application.scim = scim;
	options.application.checks_drift = true;
	options.application.pushes = 20;
	options.application.per_ms = DRIFT_WINDOW;
	options.application.cycle_reserve = 2;
	options.application.push_timeout_ms = SECOND;
	options.application.request_timeout_ms = SECOND;
	options.group.exclusive = exclusive;
	return scene_open(state, &options);
}

void drift_let_settle(void)
{
	scene_wait_for(clock_wall_ms() + DRIFT_WINDOW + 20);
}

void drift_cycle(struct world *world)
{
	drift_let_settle();
	scene_cycle(world);
}

void drift_activate(const struct world *world, size_t person)
{
	struct world_ask ask = {.person = person, .duration = "PT1H"};
	char id[ID_SIZE];

	scene_activate(world, &ask, id);
	scene_wait(world, &ask, id, "provisioned");
}

bool drift_is_member(const struct world *world, size_t person)
{
	return sandbox_is_member(&world->sandbox, DRIFT_GROUP, world_user_name(world, person));
}

void drift_change(const struct world *world, size_t person, bool member)
{
	assert_true(
		sandbox_change_by_hand(&world->sandbox, DRIFT_GROUP, world_user_name(world, person), member));
}

static size_t occurrences(const char *text, const char *word)
{
	size_t count = 0;

	for (; (text = strstr(text, word)) != NULL; text += strlen(word))
		count++;
	return count;
}

size_t drift_count(const struct world *world, const char *path, const char *word)
{
	struct http_response response;
	size_t count;

	scene_get(world, 0, path, &response);
	assert_int_equal(response.status, 200);
	count = occurrences(buf_text(&response.body), word);
	http_response_release(&response);
	return count;
}

size_t drift_events(const struct world *world, const char *event)
{
	char word[64];

	snprintf(word, sizeof(word), "\"event\":\"%s\"", event);
	return drift_count(world, "/api/audit?limit=1000", word);
}

size_t drift_requests(const struct world *world, const char *method, const char *prefix)
{
	struct sandbox_log log;
	size_t count;

	assert_true(sandbox_log_read(world->sandbox.requests_path, &log));
	count = sandbox_log_count(&log, method, prefix);
	sandbox_log_release(&log);
	return count;
}

size_t drift_changes(const struct world *world)
{
	struct scene_changes all;

	scene_changes(world, &all);
	return all.count;
}
