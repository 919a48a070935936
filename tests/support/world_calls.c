/* The calls of the API that nearly every story makes. */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "tests/support/wait.h"
#include "tests/support/world.h"

#define REQUESTS PIM "assignmentScheduleRequests"
#define BODY_MAX (64 * 1024)

/* A member with a comma before it where it is not the first of its object; nothing for an empty text. */
static void add_member(struct buf *body, const char *name, const char *text)
{
	if (text == NULL || text[0] == '\0' || body->len == 0)
		return;
	buf_addf(body, "%s\"%s\":", body->data[body->len - 1] == '{' ? "" : ",", name);
	json_add_string(body, text);
}

static void add_schedule(struct buf *body, const struct world_ask *ask)
{
	if (ask->duration == NULL && ask->start == NULL)
		return;
	buf_adds(body, ",\"scheduleInfo\":{");
	add_member(body, "startDateTime", ask->start);
	if (ask->duration != NULL) {
		buf_adds(body, ask->start == NULL ? "\"expiration\":{" : ",\"expiration\":{");
		add_member(body, "type", "afterDuration");
		add_member(body, "duration", ask->duration);
		buf_adds(body, "}");
	}
	buf_adds(body, "}");
}

static void post(const struct world *world, const struct world_ask *ask, const char *action,
		 struct http_response *response)
{
	struct http_request request = {.url = REQUESTS, .bearer = world_token(world, ask->person)};
	char key[300];
	struct buf body;

	buf_init(&body, BODY_MAX);
	buf_adds(&body, "{");
	add_member(&body, "accessId", "member");
	add_member(&body, "action", action);
	add_member(&body, "principalId", world_person_id(world, ask->person));
	add_member(&body, "groupId", world_group_id(world, ask->group));
	add_member(&body, "justification", ask->justification == NULL ? "the test asks" : ask->justification);
	add_schedule(&body, ask);
	buf_adds(&body, ask->break_glass ? ",\"breakGlass\":true" : "");
	buf_adds(&body, ask->only_try ? ",\"isValidationOnly\":true" : "");
	buf_adds(&body, "}");
	request.body = buf_text(&body);
	if (ask->idempotency_key != NULL) {
		snprintf(key, sizeof(key), "Idempotency-Key: %s", ask->idempotency_key);
		request.headers[0] = key;
	}
	broker_call(&world->brokers[ask->broker], &request, response);
	buf_release(&body);
}

void world_activate(const struct world *world, const struct world_ask *ask, struct http_response *response)
{
	post(world, ask, "selfActivate", response);
}

void world_deactivate(const struct world *world, const struct world_ask *ask, struct http_response *response)
{
	struct world_ask plain = *ask;

	plain.duration = plain.start = NULL;
	post(world, &plain, "selfDeactivate", response);
}

bool world_activate_ok(const struct world *world, const struct world_ask *ask, char id[ID_SIZE])
{
	struct http_response response;
	const char *given;
	bool ok;

	world_activate(world, ask, &response);
	given = http_json_text(&response, "id");
	ok = response.status == 201 && given != NULL && strlen(given) < ID_SIZE;
	if (ok)
		snprintf(id, ID_SIZE, "%s", given);
	else
		fprintf(stderr, "activation: %d %s %s\n", response.status, response.error,
			buf_text(&response.body));
	http_response_release(&response);
	return ok;
}

void world_get_request(const struct world *world, const struct world_ask *ask, const char *id,
		       struct http_response *response)
{
	char path[256];

	snprintf(path, sizeof(path), REQUESTS "/%s", id);
	broker_call(&world->brokers[ask->broker],
		    &(struct http_request){.url = path, .bearer = world_token(world, ask->person)}, response);
}

bool world_wait_state(const struct world *world, const struct world_ask *ask, const char *id,
		      const char *state, int64_t timeout_ms)
{
	int64_t deadline = clock_mono_ms() + timeout_ms;
	bool there = false, late = false;

	while (!there && !late) {
		struct http_response response;
		const char *now;

		late = clock_mono_ms() >= deadline;
		world_get_request(world, ask, id, &response);
		now = http_json_text(&response, "provisioning.state");
		there = now != NULL && strcmp(now, state) == 0;
		if (!there && late)
			fprintf(stderr, "not %s: %d %s %s\n", state, response.status, response.error,
				buf_text(&response.body));
		http_response_release(&response);
		if (!there)
			wait_a_little(10);
	}
	return there;
}

bool world_wait_member(const struct world *world, size_t person, size_t group, bool wanted,
		       int64_t timeout_ms)
{
	return sandbox_wait_member(&world->sandbox, world_group_name(world, group),
				   world_user_name(world, person), wanted, timeout_ms);
}
