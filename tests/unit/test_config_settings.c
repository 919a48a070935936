/* The table of settings: every row is complete, its default and bounds hold, and keys are found in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "config/values.h"
#include "sign-in/signin.h"

/* Any of the structs that settings point into. */
union target {
	struct config config;
	struct config_issuer issuer;
	struct config_approval_source source;
	struct config_webhook webhook;
	struct config_person person;
	struct config_application application;
	struct config_group group;
	struct policy policy;
	struct policy_eligibility eligibility;
	struct policy_stage stage;
	struct policy_window window;
};

static size_t size_of_target(const struct setting *setting)
{
	switch (setting->owner) {
	case OF_ROOT:
		return sizeof(struct config);
	case OF_ISSUER:
		return sizeof(struct config_issuer);
	case OF_MACHINE:
		return sizeof(struct config_machine);
	case OF_SOURCE:
		return sizeof(struct config_approval_source);
	case OF_WEBHOOK:
		return sizeof(struct config_webhook);
	case OF_PERSON:
		return sizeof(struct config_person);
	case OF_APPLICATION:
		return sizeof(struct config_application);
	case OF_GROUP:
		return sizeof(struct config_group);
	case OF_POLICY:
		return sizeof(struct policy);
	case OF_ELIGIBILITY:
		return sizeof(struct policy_eligibility);
	case OF_STAGE:
		return sizeof(struct policy_stage);
	case OF_WINDOW:
		return sizeof(struct policy_window);
	}
	return 0;
}

/* Reads the text as that setting; the number of mistakes. */
static size_t read_text(const struct setting *setting, const char *text, union target *target)
{
	struct report report;
	struct reading reading = {.report = &report, .folder = "", .skip_files = true};
	struct value value = {text, {1, 1}};

	report_init(&report, "test");
	value_read(&reading, setting, &value, target);
	size_t errors = report.errors;
	report_release(&report);
	return errors;
}

static int64_t number_at(const union target *target, const struct setting *setting)
{
	int64_t number;

	memcpy(&number, (const char *)target + setting->offset, sizeof(number));
	return number;
}

static bool is_number(const struct setting *setting)
{
	return setting->type == TYPE_COUNT || setting->type == TYPE_DURATION;
}

static void test_rows_are_complete(void **state)
{
	(void)state;
	for (size_t i = 0; i < SETTING_COUNT; i++) {
		const struct setting *s = &settings[i];
		bool holds_others = s->type == TYPE_SECTION || s->type == TYPE_LIST ||
				    s->type == TYPE_ITEMS || s->type == TYPE_APPROVAL;

		assert_non_null(s->path);
		assert_non_null(s->help);
		assert_null(strchr(s->help, '\n'));
		assert_true(s->offset + s->size <= size_of_target(s));
		if (!holds_others && !s->fallback && !s->example)
			fail_msg("%s has nothing to show in the example", s->path);
		if (is_number(s) && (s->size != sizeof(int64_t) || s->min >= s->max))
			fail_msg("%s has no range", s->path);
		if ((s->type == TYPE_COUNT || s->type == TYPE_LIST) && !s->unit)
			fail_msg("%s counts nothing", s->path);
		if (!holds_others && !s->is_required && !s->fallback && !s->absent && !s->off_in_example)
			fail_msg("%s does not say what is taken when it is absent", s->path);
	}
}

/* Who may break the glass is the same kind of list as who is eligible: its settings share those fields. */
static bool is_in_glass(const struct setting *setting)
{
	return setting->owner == OF_ELIGIBILITY && strstr(setting->path, ".break_glass.");
}

/* No two settings write to one field. */
static void test_fields_are_apart(void **state)
{
	(void)state;
	for (size_t i = 0; i < SETTING_COUNT; i++) {
		for (size_t j = i + 1; j < SETTING_COUNT; j++) {
			const struct setting *a = &settings[i], *b = &settings[j];
			bool apart = a->offset + a->size <= b->offset || b->offset + b->size <= a->offset;

			bool same = a->owner == b->owner && !(is_in_glass(a) || is_in_glass(b));

			assert_string_not_equal(a->path, b->path);
			if (a->size && b->size && same && !apart)
				fail_msg("%s and %s share a field", a->path, b->path);
		}
	}
}

static void test_defaults_are_accepted(void **state)
{
	union target *target = calloc(1, sizeof(*target));

	(void)state;
	assert_non_null(target);
	for (size_t i = 0; i < SETTING_COUNT; i++)
		if (settings[i].fallback && read_text(&settings[i], settings[i].fallback, target))
			fail_msg("the default of %s is refused", settings[i].path);
	free(target);
}

static void print_number(const struct setting *setting, int64_t number, char *out, size_t size)
{
	snprintf(out, size, "%lld%s", (long long)number, setting->type == TYPE_DURATION ? "ms" : "");
}

/* Both bounds are accepted and stored; what lies just beyond them is refused and changes nothing. */
static void test_bounds(void **state)
{
	union target *target = calloc(1, sizeof(*target));
	int tried = 0;

	(void)state;
	assert_non_null(target);
	for (size_t i = 0; i < SETTING_COUNT; i++) {
		const struct setting *s = &settings[i];
		const int64_t inside[] = {s->min, s->max}, outside[] = {s->min - 1, s->max + 1};
		char text[32];

		for (int k = 0; is_number(s) && k < 2; k++) {
			print_number(s, inside[k], text, sizeof(text));
			assert_int_equal(read_text(s, text, target), 0);
			assert_int_equal(number_at(target, s), inside[k]);
			print_number(s, outside[k], text, sizeof(text));
			if (read_text(s, text, target) != 1 || number_at(target, s) != inside[k])
				fail_msg("%s accepts %s", s->path, text);
			tried++;
		}
	}
	assert_true(tried > 20);
	free(target);
}

/* The configuration lets no more issuers through than sign-in takes. */
static void test_issuers_fit(void **state)
{
	(void)state;
	assert_int_equal(settings[SET_SIGN_IN].max, SIGNIN_ISSUERS_MAX);
}

static void test_durations(void **state)
{
	static const struct {
		const char *text;
		bool valid;
		int64_t ms;
	} rows[] = {
		{"0s", true, 0},
		{"0d", true, 0},
		{"1ms", true, 1},
		{"90s", true, 90000},
		{"5m", true, 300000},
		{"8h", true, 28800000},
		{"30d", true, 2592000000},
		{"9999999999d", true, INT64_C(9999999999) * 86400000},
		{"99999999999ms", true, INT64_C(99999999999)},
		{"106751991167d", true, INT64_C(106751991167) * 86400000},
		{"106751991168d", true, INT64_MAX},
		{"999999999999999999ms", true, INT64_C(999999999999999999)},
		{"1000000000000000000ms", true, INT64_MAX},
		{"", false, 0},
		{"s", false, 0},
		{"5", false, 0},
		{"0", false, 0},
		{"05s", false, 0},
		{"-5s", false, 0},
		{"+5s", false, 0},
		{"1.5h", false, 0},
		{"5 s", false, 0},
		{" 5s", false, 0},
		{"5s ", false, 0},
		{"5S", false, 0},
		{"5sec", false, 0},
		{"1h30m", false, 0},
		{"5M", false, 0},
		{"PT5M", false, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int64_t ms = -7;
		bool valid = duration_parse(rows[i].text, &ms);

		if (valid != rows[i].valid || ms != (valid ? rows[i].ms : -7))
			fail_msg("\"%s\": %d, %lld", rows[i].text, valid, (long long)ms);
	}
}

static void test_durations_are_printed_in_the_largest_unit(void **state)
{
	static const struct {
		int64_t ms;
		const char *text;
	} rows[] = {{0, "0s"},         {1, "1ms"},
		    {1500, "1500ms"},  {60000, "1m"},
		    {90000, "90s"},    {3600000, "1h"},
		    {5400000, "90m"},  {86400000, "1d"},
		    {90000000, "25h"}, {INT64_MAX, "9223372036854775807ms"}};
	char text[DURATION_TEXT_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(duration_print(rows[i].ms, text), rows[i].text);
}

static void test_choices(void **state)
{
	char text[CHOICES_TEXT_SIZE];

	(void)state;
	assert_string_equal(choices_print("a", text), "a");
	assert_string_equal(choices_print("a|b", text), "a or b");
	assert_string_equal(choices_print("a|b|c", text), "a, b or c");
}

static void test_find(void **state)
{
	static const struct {
		const char *prefix, *key;
		int id; /* -1 = none */
	} rows[] = {
		{"", "poll", SET_POLL},
		{"", "redis", SET_REDIS},
		{"redis.", "url", SET_REDIS_URL},
		{"applications[].scim.", "url", SET_APP_URL},
		{"people[].", "id", SET_PERSON_ID},
		{"sign_in[].", "issuer", SET_ISSUER},
		{"sign_in[].claims.", "id", SET_ISSUER_ID},
		{"operators.", "claims", SET_OPERATORS_CLAIMS},
		{"", "approval_sources", SET_SOURCES},
		{"approval_sources[].", "groups", SET_SOURCE_GROUPS},
		{"groups[].", "id", SET_GROUP_ID},
		{"groups[].", "eligible", SET_GROUP_ELIGIBLE},
		{"policy.defaults.", "eligible", SET_GROUP_ELIGIBLE},
		{"applications[].policy.", "activation", SET_GROUP_ACTIVATION},
		{"groups[].activation.approval.", "needed", SET_STAGE_NEEDED},
		{"policy.defaults.", "name", -1},
		{"policy.defaults.", "max", -1},
		{"groups[].", "policy", -1},
		{"", "url", -1},
		{"", "redis.url", -1},
		{"redis.", "redis", -1},
		{"applications[].", "url", -1},
		{"", "", -1},
		{"", "Poll", -1},
		{"", "people[]", -1},
		{"redi", "s.url", -1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct setting *found = setting_find(rows[i].prefix, rows[i].key);

		if (found != (rows[i].id < 0 ? NULL : &settings[rows[i].id]))
			fail_msg("\"%s\" in \"%s\": %s", rows[i].key, rows[i].prefix,
				 found ? found->path : "none");
	}
}

static void test_paths_in_layers(void **state)
{
	static const struct {
		enum setting_id id;
		const char *layer, *path;
	} rows[] = {
		{SET_GROUP_MAX, "", "groups[].activation.max"},
		{SET_GROUP_MAX, "policy.defaults.", "policy.defaults.activation.max"},
		{SET_GROUP_MAX, "applications[].policy.", "applications[].policy.activation.max"},
		{SET_APP_URL, "policy.defaults.", "applications[].scim.url"},
	};
	char path[PATH_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(setting_path_in(&settings[rows[i].id], rows[i].layer, path),
				    rows[i].path);
	/* The longest of them fits. */
	for (size_t i = 0; i < SETTING_COUNT; i++)
		assert_true(strlen(setting_path_in(&settings[i], "applications[].policy.", path)) <
			    PATH_SIZE - 1);
}

static void test_nearest(void **state)
{
	static const struct {
		const char *prefix, *key, *nearest;
	} rows[] = {
		{"", "histroy", "history"},
		{"", "pol", "poll"},
		{"", "polll", "poll"},
		{"", "LISTEN", NULL},
		{"", "Listen", "listen"},
		{"", "connections_per_adress", "connections_per_address"},
		{"", "application", "applications"},
		{"", "xyz", NULL},
		{"", "", NULL},
		{"", "a", NULL},
		{"redis.", "uri", "url"},
		{"applications[].throttle.", "prr", "per"},
		{"people[].", "token", NULL},
		{"people[].", "userName", "user_name"},
		{"", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *nearest = setting_nearest(rows[i].prefix, rows[i].key);
		const char *wanted = rows[i].nearest;

		if ((nearest != NULL) != (wanted != NULL) || (wanted && strcmp(nearest, wanted) != 0))
			fail_msg("\"%s\": %s", rows[i].key, nearest ? nearest : "none");
	}
}

static void test_quotes(void **state)
{
	static const struct {
		const char *text, *quoted;
	} rows[] = {
		{"", "\"\""},
		{"plain", "\"plain\""},
		{"\x1b[2J\x7f", "\"?[2J?\""},
		{"a\xc2\x9b"
		 "b",
		 "\"a?b\""},
		{"äöü", "\"äöü\""},
		/* 58 bytes fit; a longer text is cut before the character that does not. */
		{"1234567890123456789012345678901234567890123456789012345678",
		 "\"1234567890123456789012345678901234567890123456789012345678\""},
		{"12345678901234567890123456789012345678901234567890123456789",
		 "\"1234567890123456789012345678901234567890123456789012345678…\""},
		{"123456789012345678901234567890123456789012345678901234567ä",
		 "\"123456789012345678901234567890123456789012345678901234567…\""},
	};
	char quoted[REPORT_QUOTE_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(report_quote(rows[i].text, quoted), rows[i].quoted);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows_are_complete),
		cmocka_unit_test(test_fields_are_apart),
		cmocka_unit_test(test_defaults_are_accepted),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_issuers_fit),
		cmocka_unit_test(test_durations),
		cmocka_unit_test(test_durations_are_printed_in_the_largest_unit),
		cmocka_unit_test(test_choices),
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_paths_in_layers),
		cmocka_unit_test(test_nearest),
		cmocka_unit_test(test_quotes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
