#include "tests/support/scene_ask.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"

void scene_ask(const struct world *world, const struct scene_ask *ask, struct http_response *response)
{
	char url[128], header[64], body[1024];
	struct http_request request = {.url = url, .bearer = world_token(world, ask->caller), .body = body};

	snprintf(url, sizeof(url), PIM "%sScheduleRequests", ask->eligibility ? "eligibility" : "assignment");
	snprintf(body, sizeof(body),
		 "{\"action\":\"%s\",\"accessId\":\"member\",\"principalId\":\"%s\",\"groupId\":\"%s\","
		 "\"justification\":\"why\",\"isValidationOnly\":%s,\"scheduleInfo\":%s}",
		 ask->action, world_person_id(world, ask->person), world_group_id(world, ask->group),
		 ask->only_try ? "true" : "false", ask->schedule != NULL ? ask->schedule : "null");
	snprintf(header, sizeof(header), "Idempotency-Key: %s", ask->key != NULL ? ask->key : "");
	request.headers[0] = ask->key != NULL ? header : NULL;
	broker_call(&world->brokers[0], &request, response);
}

void scene_expect(const struct world *world, const struct scene_ask *ask, int status, const char *word)
{
	struct http_response response;

	scene_ask(world, ask, &response);
	if (response.status != status)
		fprintf(stderr, "%s: %s\n", ask->action, buf_text(&response.body));
	assert_int_equal(response.status, status);
	assert_string_equal(scene_text(&response, status == 201 ? "status" : "error.code"), word);
	http_response_release(&response);
}

void scene_ask_ok(const struct world *world, const struct scene_ask *ask, char id[ID_SIZE])
{
	struct http_response response;

	scene_ask(world, ask, &response);
	if (response.status != 201)
		fprintf(stderr, "%s: %s\n", ask->action, buf_text(&response.body));
	assert_int_equal(response.status, 201);
	snprintf(id, ID_SIZE, "%s", scene_text(&response, "id"));
	http_response_release(&response);
}

void scene_activate_at_last(const struct world *world, const struct world_ask *ask, char id[ID_SIZE])
{
	int64_t until = clock_mono_ms() + SCENE_PATIENCE;
	int status = 0;

	while (status != 201) {
		struct http_response response;

		assert_true(clock_mono_ms() < until);
		world_activate(world, ask, &response);
		status = response.status;
		assert_true(status == 201 || status == 503 || status == 504);
		if (status == 201)
			snprintf(id, ID_SIZE, "%s", scene_text(&response, "id"));
		http_response_release(&response);
	}
}
