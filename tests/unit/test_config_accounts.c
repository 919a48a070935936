/* Second accounts as configured: who is behind a user name, and who is the same person. */
#include "tests/unit/test_config_folder.h"

static const char text[] =
	"environment: test\n"
	"approval_sources:\n"
	"  - {name: chat, kind: slack, secret: file:slack.secret, approvers: {U2: cy@x, u1: ann@x, UA: "
	"dee@x, U1: bo@x}}\n"
	"accounts: {Ann-Admin@x: ann@x, ann-2@x: ANN@x, bo-admin@x: bo@x}\n"
	"applications:\n"
	"  - {id: aws, scim: {url: \"https://scim.example.com\", token: file:good.token}}\n"
	"groups:\n"
	"  - {id: 11111111-2222-3333-4444-000000000001, application: aws, name: g, eligible: "
	"{principals: [ann@x]}}\n"
	"people: [{id: 0d0f2a5c-7c0b-4f6e-9a51-3f1f5b8f7a10, user_name: ann@x, token_sha256: "
	"571c3416abfc2349b319891033a7bdad98e10b14a503ea76f3e4ef16187a5a2e}]\n";

static struct config *load_accounts(void)
{
	struct config *config;
	char *report;

	write_text("test.yaml", text);
	write_text("slack.secret", "8f742231b10e8888abcd99yyyzzz85a5");
	config = load("test.yaml", &report);
	if (config == NULL || report[0] != '\0')
		fail_msg("%s", report);
	free(report);
	return config;
}

static void test_same_person(void **state)
{
	static const struct {
		const char *one, *other;
		bool same;
	} rows[] = {
		{"ann@x", "ann@x", true},           {"ann@x", "ANN@X", true},
		{"ann-admin@x", "ann@x", true},     {"ann@x", "Ann-ADMIN@x", true},
		{"ann-admin@x", "ann-2@x", true},   {"ann-2@x", "ann-2@x", true},
		{"ann@x", "bo@x", false},           {"ann-admin@x", "bo-admin@x", false},
		{"ann-admin@x", "bo@x", false},     {"ann-admin@x.evil", "ann@x", false},
		{"ann-admin", "ann@x", false},      {"", "ann@x", false},
		{"somebody@x", "somebody@x", true}, {"somebody@x", "somebody-admin@x", false},
	};
	struct config *config = load_accounts();

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (config_same_person(config, rows[i].one, rows[i].other) != rows[i].same ||
		    config_same_person(config, rows[i].other, rows[i].one) != rows[i].same)
			fail_msg("row %zu", i);
	config_unref(config);
}

static void test_names_of_a_person(void **state)
{
	static const struct {
		const char *name, *all;
	} rows[] = {
		{"ann@x", "[\"ann@x\",\"ann-2@x\",\"Ann-Admin@x\"]"},
		{"ANN-2@x", "[\"ANN@x\",\"ann-2@x\",\"Ann-Admin@x\"]"},
		{"bo-admin@x", "[\"bo@x\",\"bo-admin@x\"]"},
		{"some\"body", "[\"some\\\"body\"]"},
	};
	struct config *config = load_accounts();

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf out;

		buf_init(&out, 1024);
		config_print_accounts(config, rows[i].name, &out);
		assert_string_equal(buf_text(&out), rows[i].all);
		buf_release(&out);
	}
	config_unref(config);
}

/* Only who has several is somebody behind an account. */
static void test_several(void **state)
{
	static const struct {
		const char *name, *person;
	} rows[] = {{"ann@x", "ann@x"},
		    {"Ann-ADMIN@x", "ann@x"},
		    {"ANN-2@x", "ANN@x"},
		    {"bo-admin@x", "bo@x"},
		    {"BO@x", "bo@x"},
		    {"cy@x", NULL},
		    {"", NULL}};
	struct config *config = load_accounts();

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *found = config_person_of_several(config, rows[i].name);

		if ((found == NULL) != (rows[i].person == NULL) ||
		    (found != NULL && strcasecmp(found, rows[i].person) != 0))
			fail_msg("behind %s is %s", rows[i].name, found != NULL ? found : "nobody");
	}
	config_unref(config);
}

/* What a source calls people are its own names: those that differ in their case are different. */
static void test_approvers(void **state)
{
	static const struct {
		const char *name, *user_name;
	} rows[] = {{"u1", "ann@x"}, {"U1", "bo@x"}, {"U2", "cy@x"}, {"UA", "dee@x"},
		    {"u2", NULL},    {"ua", NULL},   {"U", NULL},    {"", NULL}};
	struct config *config = load_accounts();

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *found = config_source_approver(&config->sources[0], rows[i].name);

		if ((found == NULL) != (rows[i].user_name == NULL) ||
		    (found != NULL && strcmp(found, rows[i].user_name) != 0))
			fail_msg("%s is %s", rows[i].name, found != NULL ? found : "nobody");
	}
	config_unref(config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_same_person, enter_folder, leave_folder),
		cmocka_unit_test_setup_teardown(test_names_of_a_person, enter_folder, leave_folder),
		cmocka_unit_test_setup_teardown(test_several, enter_folder, leave_folder),
		cmocka_unit_test_setup_teardown(test_approvers, enter_folder, leave_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
