/* What the application saw and what it holds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/sandbox_log.h"
#include "tests/support/scene.h"
#include "tests/support/wait.h"

static void read_change(const struct sandbox_entry *entry, struct scene_change *change)
{
	const cJSON *operation = cJSON_GetArrayItem(cJSON_GetObjectItem(entry->body, "Operations"), 0);
	const cJSON *value = cJSON_GetObjectItem(operation, "value");
	const char *op = cJSON_GetStringValue(cJSON_GetObjectItem(operation, "op"));
	const char *first = cJSON_GetStringValue(cJSON_GetObjectItem(cJSON_GetArrayItem(value, 0), "value"));

	assert_non_null(op);
	assert_non_null(first);
	*change = (struct scene_change){
		.received_ms = entry->received_ms,
		.answered_ms = entry->answered_ms,
		.status = entry->status,
		.add = strcmp(op, "add") == 0,
		.members = (size_t)cJSON_GetArraySize(value),
	};
	snprintf(change->first, sizeof(change->first), "%s", first);
	snprintf(change->group, sizeof(change->group), "%s", strrchr(entry->path, '/') + 1);
}

void scene_changes(const struct world *world, struct scene_changes *out)
{
	struct sandbox_log log;

	memset(out, 0, sizeof(*out));
	assert_true(sandbox_log_read(world->sandbox.requests_path, &log));
	for (size_t i = 0; i < log.count; i++) {
		if (!sandbox_entry_is_push(&log.entries[i]))
			continue;
		assert_true(out->count < SCENE_CHANGES);
		read_change(&log.entries[i], &out->all[out->count]);
		out->adds += out->all[out->count].add;
		out->removes += !out->all[out->count].add;
		out->count++;
	}
	out->most = sandbox_log_max_pushes(&log, 10 * SECOND);
	sandbox_log_release(&log);
}

bool scene_mentions(const struct world *world, size_t person)
{
	const char *name = world_user_name(world, person);
	struct sandbox_log log;
	bool found = false;

	assert_true(sandbox_log_read(world->sandbox.requests_path, &log));
	for (size_t i = 0; i < log.count; i++) {
		char *body = cJSON_PrintUnformatted(log.entries[i].body);
		char quoted[128], escaped[128];

		/* In bodies "name", in filters %22name%22, where the at sign is encoded as well. */
		snprintf(quoted, sizeof(quoted), "\"%s\"", name);
		snprintf(escaped, sizeof(escaped), "%%22%.*s%%40", (int)strcspn(name, "@"), name);
		found = found || (body != NULL && strstr(body, quoted) != NULL) ||
			strstr(log.entries[i].path, escaped) != NULL;
		cJSON_free(body);
	}
	sandbox_log_release(&log);
	return found;
}

size_t scene_members(const struct world *world, size_t group)
{
	cJSON *state = sandbox_state(&world->sandbox);
	const cJSON *members =
		cJSON_GetObjectItem(cJSON_GetObjectItem(state, "groups"), world_group_name(world, group));
	size_t count = (size_t)cJSON_GetArraySize(members);

	assert_non_null(state);
	cJSON_Delete(state);
	return count;
}

struct counted {
	const struct world *world;
	size_t group, wanted;
	int hung;
};

static bool has_members(void *ctx)
{
	const struct counted *counted = ctx;

	return scene_members(counted->world, counted->group) == counted->wanted;
}

void scene_wait_members(const struct world *world, size_t group, size_t wanted)
{
	struct counted counted = {.world = world, .group = group, .wanted = wanted};

	if (!wait_until(has_members, &counted, SCENE_PATIENCE))
		fprintf(stderr, "group %zu has %zu members, not %zu\n", group, scene_members(world, group),
			wanted);
	assert_int_equal(scene_members(world, group), wanted);
}

static bool nothing_waits(void *ctx)
{
	const struct world *world = ctx;
	struct http_response response;
	int64_t waiting;

	scene_application(world, 0, &response);
	waiting = scene_number(&response, "removalsWaiting") + scene_number(&response, "waiting");
	http_response_release(&response);
	return waiting == 0;
}

void scene_wait_empty(const struct world *world)
{
	for (size_t i = 0; i < world->config.group_count; i++)
		scene_wait_members(world, i, 0);
	assert_true(wait_until(nothing_waits, (void *)(uintptr_t)world, SCENE_PATIENCE));
}

static bool hangs(void *ctx)
{
	const struct counted *counted = ctx;

	return sandbox_hung(&counted->world->sandbox) == counted->hung;
}

void scene_wait_hung(const struct world *world, int wanted)
{
	struct counted counted = {.world = world, .hung = wanted};

	assert_true(wait_until(hangs, &counted, SCENE_PATIENCE));
}
