/* The sandbox as a program, over real HTTP: tokens, headers, the log, held requests, faults, control, its end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "tests/support/sandbox_log.h"
#include "tests/support/sandbox_proc.h"
#include "tests/support/wait.h"

#define PATIENCE_MS 10000
#define PATCH_START                                                                                          \
	"{\"schemas\":[\"urn:ietf:params:scim:api:messages:2.0:PatchOp\"],\"Operations\":[{\"op\":"

struct fixture {
	char dir[64];
	struct sandbox sandbox;
	char group_path[128]; /* "/Groups/ID" */
	char user_id[64];
};

/* The id of the first resource of a list. */
static void look_up(const struct sandbox *sandbox, const char *path, char *out, size_t size)
{
	struct http_response response;

	sandbox_scim(sandbox, "GET", path, NULL, &response);
	assert_int_equal(response.status, 200);
	assert_non_null(http_json_text(&response, "Resources.0.id"));
	(void)snprintf(out, size, "%s", http_json_text(&response, "Resources.0.id"));
	http_response_release(&response);
}

static int setup(void **state)
{
	static const char *const more[] = {"--token", SANDBOX_TOKEN,       "--group", "admins",
					   "--user",  "amira@example.com", NULL};
	struct fixture *f = calloc(1, sizeof(*f));
	char id[64];

	assert_non_null(f);
	(void)snprintf(f->dir, sizeof(f->dir), "/tmp/test_sandbox_http.XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	assert_true(sandbox_start(&f->sandbox, f->dir, "sandbox", more));
	look_up(&f->sandbox, "/Groups", id, sizeof(id));
	(void)snprintf(f->group_path, sizeof(f->group_path), "/Groups/%s", id);
	look_up(&f->sandbox, "/Users?filter=userName%20eq%20%22amira%40example.com%22", f->user_id,
		sizeof(f->user_id));
	*state = f;
	return 0;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *place)
{
	(void)status;
	(void)type;
	(void)place;
	return remove(path);
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	bool clean = sandbox_stop(&f->sandbox);

	(void)nftw(f->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(f);
	return clean ? 0 : -1;
}

static void patch_body(const struct fixture *f, const char *op, char *out, size_t size)
{
	(void)snprintf(out, size, PATCH_START "\"%s\",\"path\":\"members\",\"value\":[{\"value\":\"%s\"}]}]}",
		       op, f->user_id);
}

/* The PATCH that adds or removes the user; the status, 0 when no answer came. */
static int patch(const struct fixture *f, const char *op)
{
	struct http_response response;
	char body[512];
	int status;

	patch_body(f, op, body, sizeof(body));
	sandbox_scim(&f->sandbox, "PATCH", f->group_path, body, &response);
	status = response.status;
	http_response_release(&response);
	return status;
}

static bool is_member(const struct fixture *f)
{
	return sandbox_is_member(&f->sandbox, "admins", "amira@example.com");
}

/* Sends the PATCH by hand and leaves the connection open: its end is the test's to choose. */
static int send_patch(const struct fixture *f, const char *op)
{
	int fd = http_dial(f->sandbox.root), len;
	char body[512], request[1024];

	assert_true(fd >= 0);
	patch_body(f, op, body, sizeof(body));
	len = snprintf(request, sizeof(request),
		       "PATCH /scim/v2%s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " SANDBOX_TOKEN
		       "\r\nContent-Type: application/scim+json\r\nContent-Length: %zu\r\n\r\n%s",
		       f->group_path, strlen(body), body);
	assert_int_equal(write(fd, request, (size_t)len), len);
	return fd;
}

struct hung_wait {
	const struct sandbox *sandbox;
	int wanted;
};

static bool hung_is(void *ctx)
{
	const struct hung_wait *wait = ctx;

	return sandbox_hung(wait->sandbox) == wait->wanted;
}

static void wait_hung(const struct fixture *f, int wanted)
{
	struct hung_wait wait = {&f->sandbox, wanted};

	assert_true(wait_until(hung_is, &wait, PATIENCE_MS));
}

/* The last line of the log whose method is PATCH. */
static bool last_patch(const struct fixture *f, int *status, bool *client_gone)
{
	struct sandbox_log log;
	bool found = false;

	assert_true(sandbox_log_read(f->sandbox.requests_path, &log));
	for (size_t i = 0; i < log.count; i++) {
		if (strcmp(log.entries[i].method, "PATCH") != 0)
			continue;
		found = true;
		*status = log.entries[i].status;
		*client_gone = log.entries[i].client_gone;
		assert_true(log.entries[i].received_ms > 0);
		assert_true(log.entries[i].answered_ms >= log.entries[i].received_ms);
		assert_true(cJSON_IsObject(log.entries[i].body));
	}
	sandbox_log_release(&log);
	return found;
}

static void assert_last_patch(const struct fixture *f, int status, bool client_gone)
{
	int logged = -1;
	bool gone = false;

	assert_true(last_patch(f, &logged, &gone));
	assert_int_equal(logged, status);
	assert_int_equal(gone, client_gone);
}

static bool a_patch_is_logged(void *ctx)
{
	int status;
	bool gone;

	return last_patch(ctx, &status, &gone);
}

/* -- tests ------------------------------------------------------------------------------------------------------------ */

static void test_tokens(void **state)
{
	static const struct {
		const char *path, *bearer;
		int status;
	} rows[] = {
		{"/scim/v2/Users", SANDBOX_TOKEN, 200},       {"/scim/v2/Users", NULL, 401},
		{"/scim/v2/Users", SANDBOX_TOKEN "x", 401},   {"/scim/v2/Users", "", 401},
		{"/other/scim/v2/Users", SANDBOX_TOKEN, 401}, {"/scim/v2Users", SANDBOX_TOKEN, 401},
		{"/scim/v2/Nothing", SANDBOX_TOKEN, 404},
	};
	const struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct http_response response;
		char url[256], value[128];

		(void)snprintf(url, sizeof(url), "%s%s", f->sandbox.root, rows[i].path);
		http_call(&(struct http_request){.url = url, .bearer = rows[i].bearer}, &response);
		assert_int_equal(response.status, rows[i].status);
		assert_true(http_header(&response, "content-type", value, sizeof(value)));
		assert_string_equal(value, "application/json");
		assert_true(http_header(&response, "x-amzn-requestid", value, sizeof(value)));
		http_response_release(&response);
	}
}

static void test_bodies(void **state)
{
	const struct fixture *f = *state;
	struct http_response response;
	char *large = calloc(1, 1200001);

	assert_non_null(large);
	(void)memset(large, ' ', 1200000);
	sandbox_scim(&f->sandbox, "POST", "/Groups", large, &response);
	assert_int_equal(response.status, 413);
	http_response_release(&response);
	free(large);
	sandbox_scim(&f->sandbox, "POST", "/Groups", "{\"displayName\":\"a\",\"displayName\":\"b\"}",
		     &response);
	assert_int_equal(response.status, 400);
	http_response_release(&response);
	sandbox_scim(&f->sandbox, "POST", "/Groups", "{\"displayName\":\"a\"}", &response);
	assert_int_equal(response.status, 201);
	http_response_release(&response);
}

static void test_hang_and_release(void **state)
{
	const struct fixture *f = *state;
	char answer[16] = "";
	int fd;

	assert_true(sandbox_add_fault(&f->sandbox, "PATCH /Groups once -> hang"));
	fd = send_patch(f, "add");
	wait_hung(f, 1);
	assert_false(is_member(f));
	assert_true(sandbox_release_hung(&f->sandbox));
	assert_true(is_member(f));
	assert_int_equal(read(fd, answer, 12), 12);
	assert_string_equal(answer, "HTTP/1.1 204");
	wait_hung(f, 0);
	assert_last_patch(f, 204, false);
	(void)close(fd);
}

static void test_hang_and_leave(void **state)
{
	const struct fixture *f = *state;

	assert_true(sandbox_add_fault(&f->sandbox, "PATCH /Groups once -> hang"));
	(void)close(send_patch(f, "add"));
	assert_true(wait_until(a_patch_is_logged, *state, PATIENCE_MS));
	assert_last_patch(f, 0, true);
	assert_int_equal(sandbox_hung(&f->sandbox), 0);
	assert_false(is_member(f));
	assert_int_equal(patch(f, "add"), 204);
}

static void test_hang_after(void **state)
{
	const struct fixture *f = *state;
	int fd;

	assert_true(sandbox_add_fault(&f->sandbox, "PATCH /Groups once -> hang after"));
	fd = send_patch(f, "add");
	wait_hung(f, 1);
	assert_true(is_member(f));
	(void)close(fd);
	wait_hung(f, 0);
	assert_true(wait_until(a_patch_is_logged, *state, PATIENCE_MS));
	assert_last_patch(f, 0, true);
	assert_true(is_member(f));
}

/* Many held at once, one of them left; the others are served when they are released. */
static void test_many_hung(void **state)
{
	const struct fixture *f = *state;
	int fds[50];

	assert_true(sandbox_add_fault(&f->sandbox, "PATCH /Groups -> hang"));
	for (size_t i = 0; i < 50; i++)
		fds[i] = send_patch(f, "add");
	wait_hung(f, 50);
	(void)close(fds[20]);
	wait_hung(f, 49);
	assert_true(sandbox_clear_faults(&f->sandbox));
	assert_int_equal(patch(f, "add"), 204);
	assert_true(sandbox_release_hung(&f->sandbox));
	for (size_t i = 0; i < 50; i++) {
		char answer[16] = "";

		if (i == 20)
			continue;
		assert_int_equal(read(fds[i], answer, 12), 12);
		assert_string_equal(answer, "HTTP/1.1 204");
		(void)close(fds[i]);
	}
}

/* A slow service applies what it was slow with, although its client has gone. */
static void test_late_application(void **state)
{
	const struct fixture *f = *state;

	assert_true(sandbox_add_fault(&f->sandbox, "PATCH /Groups once -> delay 200"));
	(void)close(send_patch(f, "add"));
	assert_true(wait_until(a_patch_is_logged, *state, PATIENCE_MS));
	assert_last_patch(f, 0, true);
	assert_true(is_member(f));
}

static void test_delay(void **state)
{
	const struct fixture *f = *state;
	struct http_response response;
	char body[512];

	assert_true(sandbox_add_fault(&f->sandbox, "PATCH /Groups once -> delay 150"));
	patch_body(f, "add", body, sizeof(body));
	sandbox_scim(&f->sandbox, "PATCH", f->group_path, body, &response);
	assert_int_equal(response.status, 204);
	assert_true(response.ended_ms - response.sent_ms >= 150);
	http_response_release(&response);
}

/* What the client of one PATCH sees, and whether the change is made. */
static void test_faults(void **state)
{
	static const struct {
		const char *action;
		int status;
		bool applied;
	} rows[] = {
		{"close", 0, false},
		{"close after", 0, true},
		{"status 500", 500, false},
		{"status 500 after", 500, true},
		{"noop", 204, false},
		{"html", 200, false},
		{"truncate", 200, true},
		{"huge", 200, false},
		{"redirect http://127.0.0.1:1/", 307, false},
		{"status 429 retry-after 3", 429, false},
	};
	const struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char rule[128];
		int status;

		(void)snprintf(rule, sizeof(rule), "PATCH /Groups once -> %s", rows[i].action);
		assert_true(sandbox_add_fault(&f->sandbox, rule));
		status = patch(f, "add");
		if (status != rows[i].status || is_member(f) != rows[i].applied)
			fail_msg("%s: status %d", rule, status);
		assert_last_patch(f, rows[i].status, false);
		if (rows[i].applied)
			assert_int_equal(patch(f, "remove"), 204);
	}
}

static void test_fault_headers(void **state)
{
	const struct fixture *f = *state;
	struct http_response response;
	char value[128];

	assert_true(sandbox_add_fault(&f->sandbox, "GET /Users once -> status 503 retry-after 3"));
	assert_true(sandbox_add_fault(&f->sandbox, "GET /Users once -> redirect 301 http://127.0.0.1:1/x"));
	assert_true(sandbox_add_fault(&f->sandbox, "GET /Users once -> huge"));
	sandbox_scim(&f->sandbox, "GET", "/Users", NULL, &response);
	assert_int_equal(response.status, 503);
	assert_true(http_header(&response, "Retry-After", value, sizeof(value)));
	assert_string_equal(value, "3");
	http_response_release(&response);
	sandbox_scim(&f->sandbox, "GET", "/Users", NULL, &response);
	assert_int_equal(response.status, 301);
	assert_true(http_header(&response, "Location", value, sizeof(value)));
	assert_string_equal(value, "http://127.0.0.1:1/x");
	http_response_release(&response);
	sandbox_scim(&f->sandbox, "GET", "/Users", NULL, &response);
	assert_int_equal(response.status, 200);
	assert_true(response.body.len >= 10U << 20);
	http_response_release(&response);
}

static int control(const struct fixture *f, const char *method, const char *path, const char *body)
{
	struct http_response response;
	int status;

	sandbox_control(&f->sandbox, method, path, body, &response);
	status = response.status;
	http_response_release(&response);
	return status;
}

static void test_control(void **state)
{
	const struct fixture *f = *state;
	struct http_response response;

	assert_int_equal(control(f, "POST", "/sandbox/state",
				 "{\"group\":\"admins\",\"add\":[\"amira@example.com\"]}"),
			 200);
	assert_true(is_member(f));
	assert_int_equal(control(f, "POST", "/sandbox/state", "{\"group\":\"admins\",\"add\":[\"nobody\"]}"),
			 404);
	assert_int_equal(
		control(f, "POST", "/sandbox/state",
			"{\"users\":[\"bob\"],\"groups\":[\"ops\"],\"group\":\"ops\",\"add\":[\"bob\"]}"),
		200);
	assert_true(sandbox_is_member(&f->sandbox, "ops", "bob"));
	assert_int_equal(control(f, "DELETE", "/sandbox/users/amira%40example.com", NULL), 204);
	assert_int_equal(control(f, "DELETE", "/sandbox/users/amira%40example.com", NULL), 404);
	assert_false(is_member(f));
	assert_int_equal(control(f, "DELETE", "/sandbox/groups/ops", NULL), 204);
	assert_int_equal(control(f, "GET", "/sandbox/nothing", NULL), 404);
	/* One bad rule in a list, and none of them is taken. */
	assert_int_equal(
		control(f, "POST", "/sandbox/faults", "[{\"rule\":\"* * -> close\"},{\"rule\":\"x\"}]"), 400);
	assert_int_equal(
		control(f, "POST", "/sandbox/faults", "[\"GET * -> close\",{\"rule\":\"PUT * -> noop\"}]"),
		200);
	sandbox_control(&f->sandbox, "GET", "/sandbox/faults", NULL, &response);
	assert_int_equal(cJSON_GetArraySize(response.json), 2);
	http_response_release(&response);
	assert_true(sandbox_clear_faults(&f->sandbox));
}

/* SIGTERM while requests are held: a clean exit, and their lines are in the log. */
static void test_end_while_hung(void **state)
{
	struct fixture *f = *state;
	struct sandbox_log log;
	int fds[3], unanswered = 0;

	assert_true(sandbox_add_fault(&f->sandbox, "PATCH /Groups -> hang"));
	for (int i = 0; i < 3; i++)
		fds[i] = send_patch(f, "add");
	wait_hung(f, 3);
	assert_int_equal(proc_end(&f->sandbox.proc, SIGTERM, PATIENCE_MS), 0);
	assert_true(sandbox_log_read(f->sandbox.requests_path, &log));
	for (size_t i = 0; i < log.count; i++)
		if (log.entries[i].status == 0 && !log.entries[i].client_gone)
			unanswered++;
	assert_int_equal(unanswered, 3);
	sandbox_log_release(&log);
	for (int i = 0; i < 3; i++)
		(void)close(fds[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_tokens, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bodies, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hang_and_release, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hang_and_leave, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hang_after, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many_hung, setup, teardown),
		cmocka_unit_test_setup_teardown(test_late_application, setup, teardown),
		cmocka_unit_test_setup_teardown(test_delay, setup, teardown),
		cmocka_unit_test_setup_teardown(test_faults, setup, teardown),
		cmocka_unit_test_setup_teardown(test_fault_headers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_control, setup, teardown),
		cmocka_unit_test_setup_teardown(test_end_while_hung, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
