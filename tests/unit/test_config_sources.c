/* Approval systems as configured: what is stored, who is found, and which secrets are accepted. */
#include "tests/unit/test_config_folder.h"

#include "config/settings.h"
#include "webhook/standard.h"

#define FIRST_GROUP  "11111111-2222-3333-4444-555555555555"
#define SECOND_GROUP "a1111111-2222-3333-4444-555555555555"

static void test_sources_given(void **state)
{
	struct config *config = load_golden(*state, "sources.yaml");
	const struct config_approval_source *first = &config->sources[0], *second = &config->sources[1];

	assert_int_equal(config->source_count, 2);
	assert_string_equal(first->name, "servicenow");
	assert_string_equal(first->secret, WEBHOOK_SECRET);
	assert_string_equal(first->next_secret, WEBHOOK_NEXT_SECRET);
	/* Sorted, in lower case, each once. */
	assert_int_equal(first->groups.count, 2);
	assert_string_equal(first->groups.list[0], FIRST_GROUP);
	assert_string_equal(first->groups.list[1], SECOND_GROUP);
	assert_string_equal(second->name, "Desk_2.a-b");
	assert_string_equal(second->secret, WEBHOOK_NEXT_SECRET);
	assert_string_equal(second->next_secret, "");
	assert_int_equal(second->groups.count, 0);
	config_unref(config);
}

static void test_sources_are_found_by_their_exact_name(void **state)
{
	struct config *config = load_golden(*state, "sources.yaml");

	assert_ptr_equal(config_approval_source(config, "servicenow"), &config->sources[0]);
	assert_ptr_equal(config_approval_source(config, "Desk_2.a-b"), &config->sources[1]);
	assert_null(config_approval_source(config, "ServiceNow"));
	assert_null(config_approval_source(config, "service"));
	assert_null(config_approval_source(config, "servicenow2"));
	assert_null(config_approval_source(config, ""));
	config_unref(config);
	config = load_golden(*state, "minimal.yaml");
	assert_int_equal(config->source_count, 0);
	assert_null(config_approval_source(config, "servicenow"));
	config_unref(config);
}

/* A secret of so many zero bytes, and what the file holds behind it. */
static void write_secret(const char *name, size_t bytes, const char *end)
{
	static const char *const rests[] = {"", "AA==", "AAA="};
	char whole[512], text[600];

	memset(whole, 'A', sizeof(whole));
	snprintf(text, sizeof(text), "whsec_%.*s%s%s", (int)(bytes / 3 * 4), whole, rests[bytes % 3], end);
	write_text(name, text);
}

/* What is accepted here must not be refused when a message comes. */
static void test_secrets(void **state)
{
	static const struct {
		size_t bytes;
		const char *end;
		bool accepted;
	} rows[] = {
		{WEBHOOK_SECRET_MIN - 1, "\n", false}, {WEBHOOK_SECRET_MIN, "\n", true},
		{WEBHOOK_SECRET_MIN, "", true},        {WEBHOOK_SECRET_MIN, "\r\n", true},
		{WEBHOOK_SECRET_MIN, "\n\n", false},   {WEBHOOK_SECRET_MIN, " \n", false},
		{WEBHOOK_SECRET_MIN, "=\n", false},    {WEBHOOK_SECRET_MAX, "\n", true},
		{WEBHOOK_SECRET_MAX + 1, "\n", false}, {300, "\n", false}, /* more than the field holds */
	};
	static const char text[] = "approval_sources: [{name: a, secret: file:test.whsec}]\n";

	(void)state;
	write_text("test.yaml", text);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *report;

		write_secret("test.whsec", rows[i].bytes, rows[i].end);
		struct config *config = load("test.yaml", &report);
		if ((config != NULL) != rows[i].accepted)
			fail_msg("row %zu: %s", i, report);
		if (config) {
			struct signing_keys keys = {0};
			struct errctx ec;

			assert_int_equal(webhook_key_add(&keys, config->sources[0].secret, &ec), ERR_OK);
			assert_int_equal(keys.keys[0].len, rows[i].bytes);
		} else {
			assert_non_null(strstr(report, "test.yaml:1:38: approval_sources[].secret: "));
			assert_null(strstr(report, "AAAA"));
		}
		config_unref(config);
		free(report);
	}
}

/* The bound of the list itself: one more is refused. */
static void test_most_sources(void **state)
{
	const size_t most = (size_t)settings[SET_SOURCES].max;

	(void)state;
	for (size_t count = most; count <= most + 1; count++) {
		FILE *file = fopen("test.yaml", "we");
		char *report;

		assert_non_null(file);
		fprintf(file, "approval_sources:\n");
		for (size_t i = 0; i < count; i++)
			fprintf(file, "  - {name: source-%zu, secret: file:good.whsec}\n", i);
		assert_int_equal(fclose(file), 0);
		struct config *config = load("test.yaml", &report);
		if ((config != NULL) != (count == most))
			fail_msg("%zu: %s", count, report);
		if (config)
			assert_ptr_equal(config_approval_source(config, "source-99"), &config->sources[99]);
		config_unref(config);
		free(report);
	}
}

/* Without the files, as the example is checked, there is no secret and no mistake. */
static void test_files_are_not_looked_at(void **state)
{
	static const char text[] = "approval_sources: [{name: a, secret: file:absent.whsec}]\n";
	struct config_source source = {
		.name = "x.yaml", .text = text, .len = strlen(text), .skip_files = true};
	FILE *nowhere = fopen("/dev/null", "we");
	struct config *config = NULL;

	(void)state;
	assert_non_null(nowhere);
	assert_int_equal(config_parse(&source, nowhere, &config), ERR_OK);
	fclose(nowhere);
	assert_string_equal(config->sources[0].secret, "");
	config_unref(config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sources_given),
		cmocka_unit_test(test_sources_are_found_by_their_exact_name),
		cmocka_unit_test(test_secrets),
		cmocka_unit_test(test_most_sources),
		cmocka_unit_test(test_files_are_not_looked_at),
	};

	return cmocka_run_group_tests(tests, enter_folder, leave_folder);
}
