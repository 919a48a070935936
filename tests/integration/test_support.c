/* The tools of the integration tests, tried on the sandbox alone: what they report is what happened. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/support/sandbox_log.h"
#include "tests/support/sandbox_proc.h"
#include "tests/support/wait.h"

#define SECOND 1000

struct fixture {
	char dir[32];
	struct sandbox sandbox;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (f == NULL)
		return -1;
	*state = f;
	snprintf(f->dir, sizeof(f->dir), "/tmp/jit-test-XXXXXX");
	return mkdtemp(f->dir) != NULL && sandbox_start(&f->sandbox, f->dir, "app", NULL) &&
			       sandbox_make_group(&f->sandbox, "admins") &&
			       sandbox_make_user(&f->sandbox, "amira@example.com")
		       ? 0
		       : -1;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	bool clean = sandbox_stop(&f->sandbox);

	unlink(f->sandbox.requests_path);
	unlink(f->sandbox.proc.log_path);
	rmdir(f->dir);
	free(f);
	return clean ? 0 : -1;
}

/* The id of the only resource of that kind. */
static void only_id(const struct sandbox *sandbox, const char *list, char *id, size_t size)
{
	struct http_response response;
	const char *found;

	sandbox_scim(sandbox, "GET", list, NULL, &response);
	found = http_json_text(&response, "Resources.0.id");
	assert_non_null(found);
	snprintf(id, size, "%s", found);
	http_response_release(&response);
}

/* The path and the body of the PATCH that makes Amira a member. */
static void membership_patch(const struct sandbox *sandbox, char *path, char *body, size_t size)
{
	char group[64], user[64];

	only_id(sandbox, "/Groups", group, sizeof(group));
	only_id(sandbox, "/Users", user, sizeof(user));
	snprintf(path, size, "/Groups/%s", group);
	snprintf(body, size,
		 "{\"schemas\":[\"urn:ietf:params:scim:api:messages:2.0:PatchOp\"],\"Operations\":[{\"op\":"
		 "\"add\","
		 "\"path\":\"members\",\"value\":[{\"value\":\"%s\"}]}]}",
		 user);
}

static void a_push_is_seen_and_counted(void **state)
{
	struct fixture *f = *state;
	struct http_response response;
	struct sandbox_log log;
	char path[512], body[512];

	assert_false(sandbox_is_member(&f->sandbox, "admins", "amira@example.com"));
	membership_patch(&f->sandbox, path, body, sizeof(path));
	sandbox_scim(&f->sandbox, "PATCH", path, body, &response);
	assert_int_equal(response.status, 204);
	http_response_release(&response);
	assert_true(sandbox_wait_member(&f->sandbox, "admins", "amira@example.com", true, 5 * SECOND));

	assert_true(sandbox_log_read(f->sandbox.requests_path, &log));
	assert_int_equal(log.count, 3);
	assert_int_equal(sandbox_log_count(&log, "GET", "/scim/v2/Groups"), 1);
	assert_int_equal(sandbox_log_max_pushes(&log, 10 * SECOND), 1);
	assert_int_equal(log.entries[2].status, 204);
	assert_true(log.entries[2].received_ms <= log.entries[2].answered_ms);
	assert_string_equal(
		cJSON_GetStringValue(cJSON_GetObjectItem(
			cJSON_GetArrayItem(cJSON_GetObjectItem(log.entries[2].body, "Operations"), 0), "op")),
		"add");
	sandbox_log_release(&log);
}

static void an_answer_has_status_headers_and_body(void **state)
{
	struct fixture *f = *state;
	struct http_response response;
	char value[128];

	sandbox_scim(&f->sandbox, "GET", "/Groups/none", NULL, &response);
	assert_int_equal(response.status, 404);
	assert_true(http_header(&response, "content-type", value, sizeof(value)));
	assert_non_null(strstr(value, "json"));
	assert_false(http_header(&response, "x-not-there", value, sizeof(value)));
	assert_string_equal(http_json_text(&response, "status"), "404");
	assert_null(http_json_text(&response, "schemas.7"));
	assert_null(http_json_text(&response, "no.such.member"));
	http_response_release(&response);
}

static void no_answer_is_status_0(void **state)
{
	struct fixture *f = *state;
	struct http_response response;

	assert_true(sandbox_add_fault(&f->sandbox, "GET /Groups once -> close"));
	sandbox_scim(&f->sandbox, "GET", "/Groups", NULL, &response);
	assert_int_equal(response.status, 0);
	assert_string_not_equal(response.error, "");
	http_response_release(&response);
	http_call(&(struct http_request){.url = "http://127.0.0.1:1/"}, &response);
	assert_int_equal(response.status, 0);
	http_response_release(&response);
}

static void faults_are_added_and_cleared(void **state)
{
	struct fixture *f = *state;
	struct http_response response;

	assert_false(sandbox_add_fault(&f->sandbox, "no rule"));
	assert_true(sandbox_add_fault(&f->sandbox, "GET /Users -> status 503 retry-after 7"));
	sandbox_scim(&f->sandbox, "GET", "/Users", NULL, &response);
	assert_int_equal(response.status, 503);
	http_response_release(&response);
	assert_true(sandbox_clear_faults(&f->sandbox));
	sandbox_scim(&f->sandbox, "GET", "/Users", NULL, &response);
	assert_int_equal(response.status, 200);
	http_response_release(&response);
}

#define CROWD 40

static void many_at_once_are_answered_each(void **state)
{
	struct fixture *f = *state;
	struct http_request requests[CROWD] = {{0}};
	struct http_response responses[CROWD];
	char urls[CROWD][256];

	for (size_t i = 0; i < CROWD; i++) {
		snprintf(urls[i], sizeof(urls[i]), "%s%s", f->sandbox.url,
			 i % 2 == 0 ? "/Users" : "/Groups/none");
		requests[i] = (struct http_request){.url = urls[i], .bearer = SANDBOX_TOKEN};
	}
	assert_true(http_many(requests, CROWD, 7, responses));
	for (size_t i = 0; i < CROWD; i++) {
		assert_int_equal(responses[i].status, i % 2 == 0 ? 200 : 404);
		http_response_release(&responses[i]);
	}
}

static bool none_hangs_and_one_is_logged(void *ctx)
{
	const struct sandbox *sandbox = ctx;
	struct sandbox_log log;
	size_t count;

	if (sandbox_hung(sandbox) != 0)
		return false;
	assert_true(sandbox_log_read(sandbox->requests_path, &log));
	count = log.count;
	sandbox_log_release(&log);
	return count == 1;
}

static void a_client_that_goes_away_is_logged(void **state)
{
	struct fixture *f = *state;
	struct http_response response;
	struct sandbox_log log;
	char url[256];

	snprintf(url, sizeof(url), "%s/Users", f->sandbox.url);
	assert_true(sandbox_add_fault(&f->sandbox, "GET /Users once -> hang"));
	http_call(&(struct http_request){.url = url, .bearer = SANDBOX_TOKEN, .timeout_ms = 200}, &response);
	assert_int_equal(response.status, 0);
	http_response_release(&response);
	assert_true(wait_until(none_hangs_and_one_is_logged, &f->sandbox, 10 * SECOND));
	assert_true(sandbox_release_hung(&f->sandbox));
	assert_true(sandbox_log_read(f->sandbox.requests_path, &log));
	assert_true(log.entries[0].client_gone);
	assert_int_equal(log.entries[0].status, 0);
	sandbox_log_release(&log);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_push_is_seen_and_counted, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_answer_has_status_headers_and_body, set_up, tear_down),
		cmocka_unit_test_setup_teardown(no_answer_is_status_0, set_up, tear_down),
		cmocka_unit_test_setup_teardown(faults_are_added_and_cleared, set_up, tear_down),
		cmocka_unit_test_setup_teardown(many_at_once_are_answered_each, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_client_that_goes_away_is_logged, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
