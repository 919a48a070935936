/*
 * Whole configurations: each tests/golden/config/X.yaml is loaded and must report exactly X.errors; then what the
 * loaded value holds, its look-ups, and the example. All of it happens in a folder of its own that holds the files
 * which the configurations name.
 */
#include "tests/unit/test_config_folder.h"

/* Loads text that must be accepted without a word. */
static struct config *load_text(const char *text)
{
	char *report;

	write_file("test.yaml", text, strlen(text), 0600);
	struct config *config = load("test.yaml", &report);
	if (!config || report[0])
		fail_msg("%s", report);
	free(report);
	return config;
}

/* Are all lines of the report warnings? */
static bool only_warnings(const char *report)
{
	for (const char *line = report; *line; line += strcspn(line, "\n") + 1) {
		const char *message = strstr(line, ": ");

		if (!message || strncmp(message, ": warning: ", 11) != 0)
			return false;
	}
	return true;
}

/* `path` is the golden YAML file; it is copied, so that messages hold no folder. */
static void check_golden(const char *path)
{
	char expected_path[4200];
	const char *name = strrchr(path, '/') + 1;
	size_t len, expected_len;
	char *text = read_file(path, &len), *report;

	snprintf(expected_path, sizeof(expected_path), "%.*s.errors", (int)(strlen(path) - strlen(".yaml")),
		 path);
	char *expected = read_file(expected_path, &expected_len);
	write_file(name, text, len, 0600);
	struct config *config = load(name, &report);
	if (strcmp(report, expected) != 0)
		fail_msg("%s: expected\n%s\nbut got\n%s", name, expected, report);
	if ((config != NULL) != only_warnings(expected))
		fail_msg("%s: %s", name, config ? "accepted in spite of errors" : "refused for warnings");
	if (strstr(report, "s3cr3t"))
		fail_msg("%s: the report holds a secret", name);
	config_unref(config);
	free(report);
	free(expected);
	free(text);
}

static void test_golden_files(void **state)
{
	const struct fixture *fixture = *state;
	char pattern[4200];
	glob_t found;

	snprintf(pattern, sizeof(pattern), "%s/tests/golden/config/*.yaml", fixture->root);
	assert_int_equal(glob(pattern, 0, NULL, &found), 0);
	assert_true(found.gl_pathc >= 57);
	for (size_t i = 0; i < found.gl_pathc; i++)
		check_golden(found.gl_pathv[i]);
	globfree(&found);
}

static void test_everything_given(void **state)
{
	struct config *config = load_golden(*state, "complete.yaml");

	assert_int_equal(config->environment, ENV_DEMO);
	assert_string_equal(config->listen_host, "::1");
	assert_int_equal(config->listen_port, 0);
	assert_string_equal(config->listen_path, "");
	assert_string_equal(config->tls_certificate, "cert.pem");
	assert_string_equal(config->tls_key, "key.pem");
	assert_string_equal(config->redis_url, "redis://redis.example.com:6380/2");
	assert_true(config->redis_allow_volatile);
	assert_int_equal(config->redis_timeout_ms, 750);
	assert_int_equal(config->redis_lanes, 32);
	assert_int_equal(config->poll_ms, 100);
	assert_int_equal(config->history_ms, INT64_C(7) * 86400000);
	assert_int_equal(config->stop_ms, 5000);
	assert_int_equal(config->connections, 500);
	assert_int_equal(config->connections_per_address, 50);
	assert_int_equal(config->proxies.count, 3);
	assert_int_equal(config->people_count, 2);
	assert_int_equal(config->application_count, 2);
	assert_int_equal(config->group_count, 2);
	config_unref(config);
}

static void test_people_given(void **state)
{
	struct config *config = load_golden(*state, "complete.yaml");
	const struct config_person *amira =
		config_person_by_id(config, "0d0f2a5c-7c0b-4f6e-9a51-3f1f5b8f7a10");
	const struct config_person *other =
		config_person_by_id(config, "00000000-7C0B-4F6E-9A51-3F1F5B8F7A10");

	assert_non_null(amira);
	assert_string_equal(amira->names.user_name, "amira@example.com");
	assert_string_equal(amira->names.display_name, "Amira Haddad");
	assert_string_equal(amira->names.given_name, "Amira");
	assert_string_equal(amira->names.family_name, "Haddad");
	assert_string_equal(amira->names.email, "a.haddad@example.com");
	assert_true(amira->is_operator);
	assert_ptr_equal(config_person_by_token(config, "amira-token"), amira);
	assert_non_null(other);
	assert_string_equal(other->names.user_name, "Łukasz 🦊");
	assert_string_equal(other->names.display_name, "Łukasz 🦊");
	assert_string_equal(other->names.given_name, "Łukasz 🦊");
	assert_string_equal(other->names.family_name, "Łukasz 🦊");
	assert_string_equal(other->names.email, "");
	assert_false(other->is_operator);
	assert_string_equal(other->token_sha256, "");
	config_unref(config);
}

static void test_applications_given(void **state)
{
	struct config *config = load_golden(*state, "complete.yaml");
	const struct config_application *aws = config_application(config, "aws");
	const struct config_application *local = config_application(config, "LOCAL.app_2-B");

	assert_non_null(aws);
	assert_string_equal(aws->id, "aws");
	assert_string_equal(aws->scim.app, "aws");
	assert_string_equal(aws->scim.url, "https://scim.example.com/tenant/scim/v2");
	assert_string_equal(aws->scim.token, TOKEN);
	assert_string_equal(aws->scim.ca_file, "cert.pem");
	assert_int_equal(aws->scim.request_timeout_ms, 2000);
	assert_false(aws->scim.create_users);
	assert_int_equal(aws->throttle.pushes, 2);
	assert_int_equal(aws->throttle.per_ms, 60000);
	assert_int_equal(aws->throttle.cycle_reserve, 1);
	assert_int_equal(aws->throttle.overflow_wait_ms, 3000);
	assert_int_equal(aws->throttle.cycle_ms, 3600000);
	assert_int_equal(aws->push_timeout_ms, 9000);
	assert_int_equal(aws->quarantine_slowest_ms, INT64_C(6) * 3600000);
	assert_non_null(local);
	assert_string_equal(local->id, "Local.App_2-b");
	assert_string_equal(local->scim.url, "http://[::1]:8443/scim");
	assert_string_equal(local->scim.token, TOKEN);
	assert_int_equal(local->throttle.cycle_reserve, 0);
	assert_int_equal(local->quarantine_slowest_ms, INT64_C(24) * 3600000);
	config_unref(config);
}

static void test_groups_given(void **state)
{
	struct config *config = load_golden(*state, "complete.yaml");
	const struct config_group *group = config_group(config, "11111111-2222-3333-4444-555555555555");
	const struct config_group *brief = config_group(config, "01111111-2222-3333-4444-555555555555");

	assert_non_null(group);
	assert_string_equal(group->name, "aws-admins");
	assert_ptr_equal(group->application, config_application(config, "aws"));
	assert_int_equal(group->policy.eligible.list[0].people.principals.count, 2);
	assert_string_equal(group->policy.eligible.list[0].people.principals.list[0], "amira@example.com");
	assert_string_equal(group->policy.eligible.list[0].people.principals.list[1],
			    "nobody-known@example.com");
	assert_int_equal(group->policy.max_ms, 7200000);
	assert_int_equal(group->policy.min_ms, 600000);
	assert_int_equal(group->policy.default_ms, 1800000);
	assert_false(group->policy.justification_required);
	assert_non_null(brief);
	assert_ptr_equal(brief->application, config_application(config, "local.app_2-b"));
	assert_int_equal(brief->policy.max_ms, 120000);
	assert_int_equal(brief->policy.min_ms, 120000);
	assert_int_equal(brief->policy.default_ms, 120000);
	assert_true(brief->policy.justification_required);
	config_unref(config);
}

/* What nobody set is what the header says, and what the parts themselves call their defaults. */
static void test_defaults(void **state)
{
	struct config *config = load_golden(*state, "minimal.yaml");
	const struct config_application *aws = config_application(config, "aws");
	const struct config_group *group = config_group(config, "11111111-2222-3333-4444-555555555555");
	struct policy policy;

	assert_string_equal(config->listen_host, "127.0.0.1");
	assert_int_equal(config->listen_port, 8080);
	assert_string_equal(config->tls_certificate, "");
	assert_string_equal(config->redis_url, "unix:/run/jit/redis.sock");
	assert_false(config->redis_allow_volatile);
	assert_int_equal(config->redis_timeout_ms, 5000);
	assert_int_equal(config->redis_lanes, 16);
	assert_int_equal(config->poll_ms, 500);
	assert_int_equal(config->history_ms, INT64_C(30) * 86400000);
	assert_int_equal(config->stop_ms, 20000);
	assert_int_equal(config->connections, 10000);
	assert_int_equal(config->connections_per_address, 1000);
	assert_non_null(aws);
	assert_string_equal(aws->scim.url, "https://scim.example.com/tenant/scim/v2");
	assert_int_equal(aws->scim.request_timeout_ms, 10000);
	assert_true(aws->scim.create_users);
	assert_int_equal(aws->push_timeout_ms, 30000);
	/* As Entra ID's provisioning service. */
	assert_int_equal(aws->throttle.pushes, 5);
	assert_int_equal(aws->throttle.per_ms, 10000);
	assert_int_equal(aws->throttle.cycle_reserve, 3);
	assert_int_equal(aws->throttle.overflow_wait_ms, 0);
	assert_int_equal(aws->throttle.cycle_ms, 2400000);
	assert_non_null(group);
	policy_defaults(&policy);
	assert_int_equal(group->policy.max_ms, policy.max_ms);
	assert_int_equal(group->policy.min_ms, policy.min_ms);
	assert_int_equal(group->policy.default_ms, policy.default_ms);
	assert_int_equal(group->policy.justification_required, policy.justification_required);
	config_unref(config);
}

/* Defaults that follow from the other settings. */
static void test_dependent_defaults(void **state)
{
	static const struct {
		int pushes;
		int64_t reserve;
	} rows[] = {{1, 0}, {2, 1}, {3, 2}, {4, 3}, {5, 3}, {1000, 3}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[512], *report;

		snprintf(text, sizeof(text),
			 "applications: [{id: a, scim: {url: \"https://x\", token: file:good.token}, "
			 "test: {required: false}, throttle: {pushes: %d}}]\n",
			 rows[i].pushes);
		write_file("test.yaml", text, strlen(text), 0600);
		struct config *config = load("test.yaml", &report);
		if (!config)
			fail_msg("%s", report);
		assert_int_equal(config->applications[0].throttle.cycle_reserve, rows[i].reserve);
		config_unref(config);
		free(report);
	}
}

/* Relative paths begin at the file that names them, wherever the broker was started. */
static void test_paths_are_relative_to_the_file(void **state)
{
	const struct fixture *fixture = *state;
	struct config *config = load_golden(fixture, "complete.yaml"), *again;
	char path[200], expected[200], *report;

	config_unref(config);
	snprintf(path, sizeof(path), "%s/complete.yaml", fixture->folder);
	snprintf(expected, sizeof(expected), "%s/key.pem", fixture->folder);
	assert_int_equal(chdir("/"), 0);
	again = load(path, &report);
	assert_int_equal(chdir(fixture->folder), 0);
	if (!again)
		fail_msg("%s", report);
	assert_string_equal(again->tls_key, expected);
	assert_string_equal(config_application(again, "aws")->scim.token, TOKEN);
	config_unref(again);
	free(report);
}

/* A credential is a file in the folder that systemd names, and nowhere else. */
static void test_credentials(void **state)
{
	static const char *const names[] = {"good.token", "../good.token", "/good.token", ".", ""};
	const struct fixture *fixture = *state;

	assert_int_equal(setenv("CREDENTIALS_DIRECTORY", fixture->folder, 1), 0);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char text[512], *report;
		struct config *config;

		snprintf(text, sizeof(text),
			 "applications: [{id: a, scim: {url: \"https://x\", token: \"credential:%s\"}, "
			 "test: {required: false}}]\n",
			 names[i]);
		write_file("test.yaml", text, strlen(text), 0600);
		config = load("test.yaml", &report);
		assert_int_equal(config != NULL, i == 0);
		if (config != NULL)
			assert_string_equal(config->applications[0].scim.token, TOKEN);
		else
			assert_non_null(strstr(report, "credential:NAME"));
		config_unref(config);
		free(report);
	}
	assert_int_equal(unsetenv("CREDENTIALS_DIRECTORY"), 0);

	static const char outside[] =
		"applications: [{id: a, scim: {url: \"https://x\", token: \"credential:good.token\"}}]\n";
	char *report;

	write_file("test.yaml", outside, strlen(outside), 0600);
	assert_null(load("test.yaml", &report));
	assert_non_null(strstr(report, "only in a unit"));
	free(report);
}

/* Whatever it is warned of. */
static struct config *load_warned(const char *text)
{
	struct config *config;
	char *report;

	write_file("test.yaml", text, strlen(text), 0600);
	config = load("test.yaml", &report);
	if (config == NULL)
		fail_msg("%s", report);
	free(report);
	return config;
}

/* A group that is open to those alone whom an operator makes eligible says so; one that forgot it is refused. */
static void test_eligible_none(void **state)
{
	struct config *config =
		load_warned("applications: [{id: a, scim: {url: \"https://x\", token: file:good.token}, "
			    "test: {required: false}}]\n"
			    "policy: {defaults: {eligible: {principals: [a@example.com]}}}\n"
			    "groups: [{id: 11111111-2222-3333-4444-555555555555, application: a, name: g, "
			    "eligible: none}]\n");

	(void)state;
	assert_int_equal(config->groups[0].policy.eligible.count, 0);
	config_unref(config);
}

/* A reload says so when it brings what only a restart can take up. */
static void test_needs_restart(void **state)
{
	static const struct {
		const char *before, *after;
		bool needed;
	} rows[] = {
		{"history: 1d\n", "history: 2d\n", false},
		{"listen: 127.0.0.1:80\n", "listen: 127.0.0.1:81\n", true},
		{"listen: 127.0.0.1:80\n", "listen: 127.0.0.2:80\n", true},
		{"redis: {timeout: 1s}\n", "redis: {timeout: 2s}\n", true},
		{"redis: {url: \"unix:/a\"}\n", "redis: {url: \"unix:/b\"}\n", true},
		{"connections: 10\n", "connections: 11\n", true},
		{"sign_in: []\n", "sign_in: [{issuer: \"https://a\", audience: x}]\n", true},
		{"sign_in: [{issuer: \"https://a\", audience: x}]\n",
		 "sign_in: [{issuer: \"https://a\", audience: y}]\n", true},
		{"sign_in: [{issuer: \"https://a\", audience: x}]\n",
		 "sign_in: [{issuer: \"https://a\", audience: x, client_id: c}]\n", false},
		{"sign_in: [{issuer: \"https://a\", audience: x, algorithms: [ES256]}]\n",
		 "sign_in: [{issuer: \"https://a\", audience: x, algorithms: [PS256]}]\n", true},
		{"sign_in: [{issuer: \"https://a\", audience: x, algorithms: [ES256]}]\n",
		 "sign_in: [{issuer: \"https://a\", audience: x}]\n", true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct config *before = load_warned(rows[i].before), *after = load_warned(rows[i].after);

		if (config_needs_restart(before, after) != rows[i].needed)
			fail_msg("row %zu", i);
		assert_false(config_needs_restart(before, before));
		config_unref(before);
		config_unref(after);
	}
}

static void test_sockets(void **state)
{
	struct config *config = load_golden(*state, "production.yaml");

	assert_string_equal(config->listen_host, "unix");
	assert_string_equal(config->listen_path, "run/http.sock");
	assert_string_equal(config->redis_url, "unix:redis.sock");
	assert_int_equal(config->environment, ENV_PRODUCTION);
	config_unref(config);
}

static void test_longest_token(void **state)
{
	struct config *config = load_text(
		"environment: test\n"
		"people: [{id: 0d0f2a5c-7c0b-4f6e-9a51-3f1f5b8f7a10, user_name: a, token_sha256: "
		"571c3416abfc2349b319891033a7bdad98e10b14a503ea76f3e4ef16187a5a2e}]\n"
		"applications: [{id: a, scim: {url: \"http://localhost:80/\", token: file:longest.token}}]\n"
		"groups: [{id: 11111111-2222-3333-4444-555555555555, application: a, name: a, "
		"eligible: {principals: [a]}}]\n");

	(void)state;
	assert_int_equal(strlen(config->applications[0].scim.token), 4095);
	assert_string_equal(config->applications[0].scim.url, "http://localhost:80");
	config_unref(config);
}

static void test_unreadable_files(void **state)
{
	char *report;

	(void)state;
	assert_null(load("absent.yaml", &report));
	assert_string_equal(report,
			    "absent.yaml:1:1: the configuration cannot be read: No such file or directory\n");
	free(report);
	assert_null(load(".", &report));
	assert_string_equal(report, ".:1:1: the configuration cannot be read: Is a directory\n");
	free(report);
}

/* One byte too many is refused, whatever the text says. */
static void test_too_large(void **state)
{
	char *text = malloc(CONFIG_FILE_MAX + 1), *report;

	(void)state;
	assert_non_null(text);
	memset(text, '\n', CONFIG_FILE_MAX + 1);
	memcpy(text, "environment: test", strlen("environment: test"));
	write_file("large.yaml", text, CONFIG_FILE_MAX, 0600);
	struct config *config = load("large.yaml", &report);
	assert_non_null(config);
	config_unref(config);
	free(report);
	write_file("large.yaml", text, CONFIG_FILE_MAX + 1, 0600);
	assert_null(load("large.yaml", &report));
	assert_string_equal(report, "large.yaml:1:1: the configuration is larger than 16777216 bytes\n");
	free(report);
	free(text);
}

static void test_references(void **state)
{
	struct config *config = load_golden(*state, "minimal.yaml");

	assert_int_equal(config->references, 1);
	assert_ptr_equal(config_ref(config), config);
	config_unref(config);
	assert_int_equal(config->references, 1);
	assert_non_null(config_application(config, "aws"));
	config_unref(config);
	config_unref(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden_files),
		cmocka_unit_test(test_everything_given),
		cmocka_unit_test(test_people_given),
		cmocka_unit_test(test_applications_given),
		cmocka_unit_test(test_groups_given),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_dependent_defaults),
		cmocka_unit_test(test_paths_are_relative_to_the_file),
		cmocka_unit_test(test_eligible_none),
		cmocka_unit_test(test_needs_restart),
		cmocka_unit_test(test_sockets),
		cmocka_unit_test(test_credentials),
		cmocka_unit_test(test_longest_token),
		cmocka_unit_test(test_unreadable_files),
		cmocka_unit_test(test_too_large),
		cmocka_unit_test(test_references),
	};

	return cmocka_run_group_tests(tests, enter_folder, leave_folder);
}
