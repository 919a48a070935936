/* The sandbox as a program: behaviours, rates, twins and seeds, on the command line and while it runs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "tests/support/sandbox_proc.h"
#include "tests/support/wait.h"

#define PATIENCE_MS 10000

#define SEED                                                                                                 \
	"{\"users\":[\"amira\",{\"userName\":\"bob\",\"externalId\":\"b-1\",\"title\":\"t\"}],"              \
	"\"groups\":{\"admins\":[\"amira\",\"bob\"],\"ops\":[]}}"
#define REMOVAL                                                                                              \
	"{\"schemas\":[\"urn:ietf:params:scim:api:messages:2.0:PatchOp\"],\"Operations\":[{\"op\":"          \
	"\"remove\",\"path\":\"members\",\"value\":[{\"value\":\"%s\"}]}]}"

struct fixture {
	char dir[64], seed[96];
	struct sandbox sandbox;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	const char *const more[] = {"--seed", f->seed, NULL};
	FILE *file;

	assert_non_null(f);
	(void)snprintf(f->dir, sizeof(f->dir), "/tmp/test_sandbox_control.XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	(void)snprintf(f->seed, sizeof(f->seed), "%s/seed.json", f->dir);
	file = fopen(f->seed, "we");
	assert_non_null(file);
	(void)fputs(SEED, file);
	(void)fclose(file);
	assert_true(sandbox_start(&f->sandbox, f->dir, "sandbox", more));
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	bool clean = sandbox_stop(&f->sandbox);

	(void)unlink(f->seed);
	(void)unlink(f->sandbox.requests_path);
	(void)unlink(f->sandbox.proc.log_path);
	(void)rmdir(f->dir);
	free(f);
	return clean ? 0 : -1;
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

static int scim(const struct fixture *f, const char *method, const char *path, const char *body)
{
	struct http_response response;
	int status;

	sandbox_scim(&f->sandbox, method, path, body, &response);
	status = response.status;
	http_response_release(&response);
	return status;
}

/* The id of the first resource that is found, and how many are. */
static int find(const struct fixture *f, const char *path, char id[128])
{
	struct http_response response;
	const cJSON *total;
	int found;

	sandbox_scim(&f->sandbox, "GET", path, NULL, &response);
	assert_int_equal(response.status, 200);
	total = http_json(&response, "totalResults");
	assert_non_null(total);
	found = total->valueint;
	if (found > 0)
		(void)snprintf(id, 128, "%s", http_json_text(&response, "Resources.0.id"));
	http_response_release(&response);
	return found;
}

static void test_seed(void **state)
{
	const struct fixture *f = *state;
	char id[128];

	assert_true(sandbox_is_member(&f->sandbox, "admins", "amira"));
	assert_true(sandbox_is_member(&f->sandbox, "admins", "bob"));
	assert_false(sandbox_is_member(&f->sandbox, "ops", "bob"));
	assert_int_equal(find(f, "/Users?filter=externalId%20eq%20%22b-1%22", id), 1);
}

/* The same removal, before and after the server has been told to be another one. */
static void test_behaviours(void **state)
{
	const struct fixture *f = *state;
	struct http_response response;
	char group[128], user[128], path[256], body[512];

	assert_int_equal(find(f, "/Groups?filter=displayName%20eq%20%22admins%22", group), 1);
	assert_int_equal(find(f, "/Users?filter=userName%20eq%20%22amira%22", user), 1);
	(void)snprintf(path, sizeof(path), "/Groups/%s", group);
	(void)snprintf(body, sizeof(body), REMOVAL, user);
	assert_int_equal(scim(f, "PATCH", path, body), 204);
	assert_false(sandbox_is_member(&f->sandbox, "admins", "amira"));
	assert_true(sandbox_is_member(&f->sandbox, "admins", "bob"));

	assert_int_equal(control(f, "POST", "/sandbox/behaviours", "{\"dialect\":\"scim2-server\"}"), 200);
	assert_int_equal(scim(f, "PATCH", path, body), 204);
	assert_false(sandbox_is_member(&f->sandbox, "admins", "bob"));

	/* All or nothing. */
	assert_int_equal(control(f, "POST", "/sandbox/behaviours",
				 "{\"behaviours\":[\"remove-value=error\",\"page=none\"]}"),
			 400);
	assert_int_equal(control(f, "POST", "/sandbox/behaviours", "{\"dialect\":\"nobody's\"}"), 400);
	assert_int_equal(scim(f, "PATCH", path, body), 204);
	assert_int_equal(
		control(f, "POST", "/sandbox/behaviours", "{\"behaviours\":[\"remove-value=error\"]}"), 200);
	assert_int_equal(scim(f, "PATCH", path, body), 500);
	sandbox_control(&f->sandbox, "GET", "/sandbox/behaviours", NULL, &response);
	assert_string_equal(http_json_text(&response, "remove-value"), "error");
	assert_string_equal(http_json_text(&response, "re-add"), "twice");
	http_response_release(&response);
}

static void test_rates(void **state)
{
	const struct fixture *f = *state;
	struct http_response response;
	char value[64];

	assert_int_equal(
		control(f, "POST", "/sandbox/behaviours", "{\"behaviours\":[\"retry-after=seconds\"]}"), 200);
	assert_int_equal(control(f, "POST", "/sandbox/rates", "{\"rate\":\"GET /Users 1 per 60000\"}"), 200);
	assert_int_equal(control(f, "POST", "/sandbox/rates", "{\"rate\":\"GET /Users often\"}"), 400);
	assert_int_equal(scim(f, "GET", "/Users", NULL), 200);
	sandbox_scim(&f->sandbox, "GET", "/Users", NULL, &response);
	assert_int_equal(response.status, 429);
	assert_true(http_header(&response, "Retry-After", value, sizeof(value)));
	assert_in_range(strtol(value, NULL, 10), 30, 60);
	http_response_release(&response);
	assert_int_equal(scim(f, "GET", "/Groups", NULL), 200);
	sandbox_control(&f->sandbox, "GET", "/sandbox/rates", NULL, &response);
	assert_int_equal(http_json(&response, "0.refused")->valueint, 1);
	http_response_release(&response);
	assert_int_equal(control(f, "DELETE", "/sandbox/rates", NULL), 204);
	assert_int_equal(scim(f, "GET", "/Users", NULL), 200);
}

static void test_twins(void **state)
{
	const struct fixture *f = *state;
	char id[128];

	assert_int_equal(control(f, "POST", "/sandbox/state", "{\"twins\":[\"ops\"]}"), 200);
	assert_int_equal(find(f, "/Groups?filter=displayName%20eq%20%22ops%22", id), 2);
	assert_int_equal(scim(f, "POST", "/Groups", "{\"displayName\":\"ops\"}"), 409);
}

static bool has_ended(void *ctx)
{
	return !proc_alive(ctx);
}

/* What is wrong ends the program with 2, or with 1 where it shows only at the start, and a reason. */
static void test_command_lines(void **state)
{
	static const struct {
		const char *arguments[4];
		int code;
		const char *reason;
	} rows[] = {
		{{"--dialect", "none"}, 2, "there is no none"},
		{{"--behaviour", "page"}, 2, "page=NUMBER is wanted"},
		{{"--behaviour", "page=x"}, 2, "a number is wanted"},
		{{"--rate", "often"}, 2, "METHOD PATH"},
		{{"--fault", "often"}, 2, "starts with a method"},
		{{"--behaviour", "page=5", "--dialect", "aws"}, 2, "comes before"},
		{{"--seed", "/nowhere"}, 1, "/nowhere"},
		{{"--page", "5"}, 2, "page"},
	};
	const struct fixture *f = *state;
	char program[PROC_PATH_SIZE], log[128];

	assert_true(proc_build_path("scim-sandbox", program, sizeof(program)));
	(void)snprintf(log, sizeof(log), "%s/wrong.log", f->dir);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *const *more = rows[i].arguments;
		const char *const argv[] = {program, "--token", "t",     more[0],
					    more[1], more[2],   more[3], NULL};
		struct proc proc = {0};

		assert_true(proc_start(&proc, argv, NULL, log));
		assert_true(wait_until(has_ended, &proc, PATIENCE_MS));
		if (proc_end(&proc, 0, PATIENCE_MS) != rows[i].code || !proc_log_holds(&proc, rows[i].reason))
			fail_msg("%s %s", more[0], more[1]);
		(void)unlink(log);
	}
}

/* What of its quirks is on the wire: asked so often that each has been seen. */
static void test_quirks(void **state)
{
	struct fixture *f = *state;
	size_t pieces = 0, closed = 0, spelled = 0, asked = 0;
	struct http_response response;

	sandbox_control(&f->sandbox, "POST", "/sandbox/behaviours", "{\"behaviours\":[\"quirks=7\"]}",
			&response);
	assert_int_equal(response.status, 200);
	http_response_release(&response);
	for (; asked < 100; asked++) {
		char value[64];

		sandbox_scim(&f->sandbox, "GET", "/Users", NULL, &response);
		assert_int_equal(response.status, 200);
		assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(response.json, "Resources")), 2);
		pieces += http_header(&response, "Transfer-Encoding", value, sizeof(value));
		closed += http_header(&response, "Connection", value, sizeof(value)) &&
			  strcmp(value, "close") == 0;
		spelled += strstr(buf_text(&response.headers), "Content-Type: ") == NULL;
		http_response_release(&response);
	}
	assert_in_range(pieces, 1, asked - 1);
	assert_in_range(closed, 1, asked - 1);
	assert_in_range(spelled, 1, asked - 1);
	/* Control is as it was. */
	sandbox_control(&f->sandbox, "GET", "/sandbox/behaviours", NULL, &response);
	assert_non_null(strstr(buf_text(&response.body), "\"quirks\":7"));
	assert_false(http_header(&response, "Set-Cookie", (char[8]){""}, 8));
	http_response_release(&response);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_seed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_behaviours, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rates, setup, teardown),
		cmocka_unit_test_setup_teardown(test_twins, setup, teardown),
		cmocka_unit_test_setup_teardown(test_command_lines, setup, teardown),
		cmocka_unit_test_setup_teardown(test_quirks, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
