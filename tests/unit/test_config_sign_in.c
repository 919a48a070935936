/* Who signs in and who operates, as configured: the providers, their addresses, and the operators. */
#include "tests/unit/test_config_folder.h"

#include "sign-in/discovery.h"
#include "sign-in/jwt.h"

static void test_issuers_given(void **state)
{
	struct config *config = load_golden(*state, "sign-in.yaml");
	const struct config_issuer *first = &config->issuers[0], *second = &config->issuers[1];

	assert_int_equal(config->environment, ENV_PRODUCTION);
	assert_int_equal(config->issuer_count, 2);
	assert_string_equal(first->issuer, "https://login.example.com/tenant/v2.0");
	assert_string_equal(first->audience, "api://jit");
	assert_string_equal(first->ca_file, "cert.pem");
	assert_string_equal(first->id_claim, "oid");
	assert_string_equal(first->user_name_claim, "upn");
	assert_string_equal(first->groups_claim, "roles");
	assert_string_equal(first->authentication_claim, "acr");
	/* Kept as it is written, with its last slash: tokens are compared with it byte by byte. */
	assert_string_equal(second->issuer, "http://127.0.0.1:8081/");
	assert_string_equal(second->audience, "jit");
	assert_string_equal(second->ca_file, "cert.pem");
	assert_string_equal(second->id_claim, "");
	assert_string_equal(second->user_name_claim, "");
	assert_string_equal(second->groups_claim, "");
	assert_string_equal(second->authentication_claim, "");
	assert_string_equal(first->claim_prefix, "");
	assert_string_equal(second->claim_prefix, "lab/");
	assert_ptr_equal(config_issuer(config, "http://127.0.0.1:8081/"), second);
	assert_null(config_issuer(config, "http://127.0.0.1:8081"));
	config_unref(config);
}

/* Whom tokens of the first may name: everybody at one domain, and one program. */
static void test_whom_issuers_name(void **state)
{
	static const struct {
		const char *user_name;
		bool may;
	} rows[] = {
		{"amira@example.com", true},
		{"AMIRA@EXAMPLE.COM", true},
		{"jit-sweep", true},
		{"JIT-Sweep", true},
		{"a@b@example.com", true},
		{"amira@example.com.evil", false},
		{"amira@evilexample.com", false},
		{"amira@sub.example.com", false},
		{"@example.com", false},
		{"amira@example.co", false},
		{"jit-sweep2", false},
		{"jit", false},
		{"*@example.com.evil", false},
		{"", false},
	};
	struct config *config = load_golden(*state, "sign-in.yaml");

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (config_issuer_may_name(&config->issuers[0], rows[i].user_name) != rows[i].may)
			fail_msg("row %zu", i);
		assert_false(config_issuer_may_name(&config->issuers[1], rows[i].user_name));
	}
	config_unref(config);
}

/* A claim is known by the issuer's prefix and its own name, where policies look at that. */
static void test_claim_names(void **state)
{
	struct config *config = load_golden(*state, "sign-in.yaml");
	char longest[2 * NAME_SIZE];

	assert_string_equal(config_claim_name(config, "", "groups"), "groups");
	assert_string_equal(config_claim_name(config, "gro", "ups"), "groups");
	assert_null(config_claim_name(config, "lab/", "groups"));
	assert_null(config_claim_name(config, "", "Groups"));
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_null(config_claim_name(config, "", longest));
	config_unref(config);
}

/* Whose claim it is goes by the longest prefix, whatever the claims of a token are called. */
static void test_claims_of_another(void **state)
{
	static const struct {
		const char *prefix, *claim, *name;
	} rows[] = {
		{"", "groups", "groups"}, {"p", "/groups", NULL},           {"p/", "groups", "p/groups"},
		{"", "p/groups", NULL},   {"p/q/", "groups", "p/q/groups"}, {"p/", "q/groups", NULL},
		{"", "p/q/groups", NULL}, {"p/q/", "other", NULL},
	};
	struct config *config;
	char *report;

	(void)state;
	write_text("test.yaml",
		   "environment: test\n"
		   "sign_in:\n"
		   "  - {issuer: \"https://a.example\", audience: a, user_names: [\"*@a.example\"]}\n"
		   "  - {issuer: \"https://p.example\", audience: a, user_names: [\"*@p.example\"], "
		   "claim_prefix: p/}\n"
		   "  - {issuer: \"https://q.example\", audience: a, user_names: [\"*@q.example\"], "
		   "claim_prefix: p/q/}\n"
		   "operators: {claims: {groups: [ops], p/groups: [ops], p/q/groups: [ops]}}\n"
		   "applications:\n"
		   "  - {id: aws, scim: {url: \"https://scim.example.com\", token: file:good.token}}\n"
		   "groups: [{id: 11111111-2222-3333-4444-000000000001, application: aws, name: a, eligible: "
		   "{principals: [ann@a.example]}}]\n");
	config = load("test.yaml", &report);
	if (config == NULL)
		fail_msg("%s", report);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *name = config_claim_name(config, rows[i].prefix, rows[i].claim);

		if ((name == NULL) != (rows[i].name == NULL) ||
		    (name != NULL && strcmp(name, rows[i].name) != 0))
			fail_msg("row %zu: %s", i, name != NULL ? name : "none");
	}
	config_unref(config);
	free(report);
}

/* What the configuration takes is what sign-in knows, and all of it. */
static void test_algorithms(void **state)
{
	static const char *const names[] = {"RS256", "PS256", "ES256", "EdDSA", "HS256", "none", "rs256"};
	unsigned accepted = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char text[256], *report;
		struct config *config;

		snprintf(text, sizeof(text),
			 "sign_in: [{issuer: \"https://a.example\", audience: a, algorithms: [%s]}]\n",
			 names[i]);
		write_text("test.yaml", text);
		config = load("test.yaml", &report);
		if (config != NULL) {
			assert_int_not_equal(jwt_alg_bit(config->issuers[0].algorithms.list[0]), 0);
			accepted |= jwt_alg_bit(names[i]);
		} else if (jwt_alg_bit(names[i]) != 0 || strstr(report, "algorithms holds") == NULL) {
			fail_msg("%s: %s", names[i], report);
		}
		config_unref(config);
		free(report);
	}
	assert_int_equal(accepted, JWT_ALGS_ALL);
}

static void test_operators_given(void **state)
{
	struct config *config = load_golden(*state, "sign-in.yaml");
	const struct policy_attribute group = {.name = "groups", .value = "jit-operators"};
	const struct policy_person olga = {.user_name = "OLGA@example.com"};
	const struct policy_person other = {.user_name = "other@example.com"};
	const struct policy_person member = {
		.user_name = "other@example.com", .attributes = &group, .attribute_count = 1};

	assert_int_equal(config->operators.principals.count, 2);
	assert_true(policy_people_hold(&config->operators, &olga));
	assert_true(policy_people_hold(&config->operators, &member));
	assert_false(policy_people_hold(&config->operators, &other));
	config_unref(config);
	config = load_golden(*state, "minimal.yaml");
	assert_int_equal(config->operators.principals.count + config->operators.claims.count, 0);
	config_unref(config);
}

/* Which issuers are accepted; what is accepted here must not be refused when sign-in starts. */
static void test_issuer_addresses(void **state)
{
	static const struct {
		const char *issuer;
		bool accepted;
	} rows[] = {
		{"https://login.example.com", true},
		{"https://login.example.com/", true},
		{"https://login.example.com/a//b", true},
		{"https://LOGIN.example.com:8443/tenant/v2.0", true},
		{"https://[2001:db8::1]/x", true},
		{"http://localhost:8080/realms/x", true},
		{"http://127.0.0.1:8080", true},
		{"http://[::1]:8080", true},
		{"http://login.example.com", false},
		{"http://localhost.example.com", false},
		{"http://LOCALHOST", false},
		{"http://127.0.0.1.example.com", false},
		{"http://[::2]", false},
		{"HTTPS://login.example.com", false},
		{"Http://localhost", false},
		{"https://", false},
		{"https:///x", false},
		{"https://login.example.com:", false},
		{"https://login.example.com:0", false},
		{"https://login.example.com:65536", false},
		{"https://me@login.example.com", false},
		{"https://login.example.com/?x=1", false},
		{"https://login.example.com/#x", false},
		{"https://login.example.com/a b", false},
		{"https://login.example.com/ä", false},
		{"https://login.example.com/{tenant}", false},
		{"https://login.example.com/a|b", false},
		{"login.example.com", false},
		{"ftp://login.example.com", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[512], *report;

		snprintf(text, sizeof(text), "sign_in: [{issuer: \"%s\", audience: a}]\n", rows[i].issuer);
		write_file("test.yaml", text, strlen(text), 0600);
		struct config *config = load("test.yaml", &report);
		if ((config != NULL) != rows[i].accepted)
			fail_msg("%s: %s", rows[i].issuer, report);
		if (config)
			assert_true(discovery_issuer_valid(config->issuers[0].issuer));
		config_unref(config);
		free(report);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_issuers_given),     cmocka_unit_test(test_whom_issuers_name),
		cmocka_unit_test(test_claim_names),       cmocka_unit_test(test_operators_given),
		cmocka_unit_test(test_issuer_addresses),  cmocka_unit_test(test_algorithms),
		cmocka_unit_test(test_claims_of_another),
	};

	return cmocka_run_group_tests(tests, enter_folder, leave_folder);
}
