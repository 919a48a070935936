/* An approval system decides by signed webhook: as the approver whom it names, once, and only for its groups. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "tests/support/world.h"
#include "webhook/standard.h"

#define WAIT_MS 20000
#define ANN     3
#define SECRET  "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
#define OTHER   "whsec_QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVowMTIzNDU="

struct hook_world {
	struct world world;
	char secret_file[32], more[512];
};

static int open_world(void **state)
{
	static struct hook_world w;
	struct world_options options = world_defaults();
	int fd;

	memset(&w, 0, sizeof(w));
	snprintf(w.secret_file, sizeof(w.secret_file), "/tmp/jit-whsec-XXXXXX");
	fd = mkstemp(w.secret_file);
	if (fd < 0 || write(fd, SECRET "\n", strlen(SECRET) + 1) != (ssize_t)strlen(SECRET) + 1 ||
	    close(fd) != 0)
		return -1;
	snprintf(w.more, sizeof(w.more),
		 "approval_sources:\n"
		 "  - {name: desk, secret: \"file:%s\"}\n"
		 "  - {name: other, secret: \"file:%s\", groups: [a0000000-0000-4000-8000-000000000001]}\n",
		 w.secret_file, w.secret_file);
	options.more = w.more;
	options.group.min_ms = 1000;
	options.group.more =
		"      approval: {approvers: [person1@example.com, person2@example.com], timeout: 1h}\n";
	*state = &w;
	return world_start(&w.world, &options) ? 0 : -1;
}

static int close_world(void **state)
{
	struct hook_world *w = *state;

	unlink(w->secret_file);
	world_passed(&w->world);
	return world_stop(&w->world) ? 0 : -1;
}

struct hook {
	const char *source, *secret, *id, *approver, *decision;
	int64_t age_s;
};

/* Sends the webhook for that request; gives the status. */
static int send(const struct world *world, const struct hook *hook, const char *request)
{
	char body[512], timestamp[24], id[256], when[64], signature[WEBHOOK_HEADER_SIZE],
		line[WEBHOOK_HEADER_SIZE + 32];
	char url[128];
	struct signing_keys keys = {0};
	struct webhook_message message = {.id = hook->id, .timestamp = timestamp, .body = body};
	struct http_response response;
	int status;

	message.len = (size_t)snprintf(
		body, sizeof(body),
		"{\"type\":\"approval.decided\",\"timestamp\":\"2026-11-24T09:00:00Z\",\"data\":{"
		"\"requestId\":\"%s\",\"decision\":\"%s\",\"approver\":\"%s\"}}",
		request, hook->decision, hook->approver);
	snprintf(timestamp, sizeof(timestamp), "%lld", (long long)(clock_wall_ms() / 1000 - hook->age_s));
	assert_int_equal(webhook_key_add(&keys, hook->secret, NULL), ERR_OK);
	assert_int_equal(webhook_sign(&keys, &message, signature), ERR_OK);
	snprintf(id, sizeof(id), "webhook-id: %s", hook->id);
	snprintf(when, sizeof(when), "webhook-timestamp: %s", timestamp);
	snprintf(line, sizeof(line), "webhook-signature: %s", signature);
	snprintf(url, sizeof(url), "/hooks/approvals/%s", hook->source);
	broker_call(&world->brokers[0],
		    &(struct http_request){
			    .method = "POST", .url = url, .body = body, .headers = {id, when, line}},
		    &response);
	status = response.status;
	http_response_release(&response);
	return status;
}

static void ask(const struct world *world, char id[ID_SIZE])
{
	struct http_response response;

	world_activate(world, &(struct world_ask){.person = ANN, .duration = "PT20M"}, &response);
	assert_int_equal(response.status, 201);
	assert_string_equal(http_json_text(&response, "status"), "PendingApproval");
	snprintf(id, ID_SIZE, "%s", http_json_text(&response, "id"));
	http_response_release(&response);
}

static void expect_status(const struct world *world, const char *id, const char *status)
{
	struct http_response response;

	world_get_request(world, &(struct world_ask){.person = ANN}, id, &response);
	assert_string_equal(http_json_text(&response, "status"), status);
	http_response_release(&response);
}

/* Refusals first, with the request untouched; then the decision, and its repetition answered alike. */
static void test_webhook(void **state)
{
	static const struct {
		struct hook hook;
		int status;
	} rows[] = {
		{{"desk", OTHER, "m1", "person1@example.com", "Approve", 0}, 401},
		{{"desk", SECRET, "m2", "person1@example.com", "Approve", 301}, 401},
		{{"nobody", SECRET, "m3", "person1@example.com", "Approve", 0}, 404},
		{{"desk", SECRET, "m4", "person1@example.com", "Perhaps", 0}, 400},
		{{"desk", SECRET, "m5", "person4@example.com", "Approve", 0}, 403},
		{{"desk", SECRET, "m6", "person3@example.com", "Approve", 0}, 403},
		{{"other", SECRET, "m7", "person1@example.com", "Approve", 0}, 403},
	};
	struct hook_world *w = *state;
	struct hook good = {"desk", SECRET, "m8", "Person1@Example.com", "approved", 0};
	struct hook late = {"desk", SECRET, "m9", "person2@example.com", "Deny", 0};
	char id[ID_SIZE];

	ask(&w->world, id);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int status = send(&w->world, &rows[i].hook, id);

		if (status != rows[i].status)
			fail_msg("%s: %d", rows[i].hook.id, status);
		expect_status(&w->world, id, "PendingApproval");
	}
	assert_int_equal(send(&w->world, &good, "000f0000-0000-8000-8000-000000000000"), 404);
	assert_int_equal(send(&w->world, &good, id), 204);
	assert_int_equal(send(&w->world, &good, id), 204);
	assert_int_equal(send(&w->world, &late, id), 409);
	assert_true(
		world_wait_state(&w->world, &(struct world_ask){.person = ANN}, id, "provisioned", WAIT_MS));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_webhook, open_world, close_world),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
