/* The mapping language: what is compiled, what is refused and where, and what it comes to for a person. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "scim-push/mapping.h"

static const struct scim_person amira = {
	.user_name = "Amira@Example.com",
	.display_name = "Amira Haddad",
	.given_name = "Amira",
	.family_name = "Haddad",
};

static const struct person_claim claims[] = {
	{"department", "Cloud; Ops"}, {"groups", "one"}, {"groups", "two"}, {"a.b", "dotted"}, {"empty", ""},
};

static const struct mapping_source source = {
	.names = &amira, .id = "p-1", .claims = claims, .claim_count = sizeof(claims) / sizeof(claims[0])};

static void values(void **state)
{
	static const struct {
		const char *expression, *value;
	} rows[] = {
		{"user_name", "Amira@Example.com"},
		{"  display_name  ", "Amira Haddad"},
		{"email", ""},
		{"id", "p-1"},
		{"\"JIT\"", "JIT"},
		{"\"a \\\"b\\\" \\\\ c\"", "a \"b\" \\ c"},
		{"\"\"", ""},
		{"claims.department", "Cloud; Ops"},
		{"claims.a.b", "dotted"},
		{"claims.unknown", ""},
		{"first(claims.groups)", "one"},
		{"lower(user_name)", "amira@example.com"},
		{"join(\" \", given_name, family_name)", "Amira Haddad"},
		{"join(\", \", family_name, email, given_name)", "Haddad, Amira"},
		{"join(\"-\", email)", ""},
		{"replace(claims.department, \"; \", \" and \")", "Cloud and Ops"},
		{"replace(\"aaa\", \"a\", \"aa\")", "aaaaaa"},
		{"replace(user_name, \"\", \"x\")", "Amira@Example.com"},
		{"default(email, claims.empty, \"nobody@example.com\")", "nobody@example.com"},
		{"default(email, claims.empty)", ""},
		{"lower(join(\".\",given_name,default(claims.middle,\"M\"),family_name))", "amira.m.haddad"},
		{"replace(lower(user_name), \"@example.com\", \"\")", "amira"},
		{"default(first(claims.groups), \"none\")", "one"},
		{"lower(\"\xc3\x84\")", "\xc3\x84"}, /* ASCII alone */
	};
	struct mapping_rule rule;
	struct errctx ec = {""};
	char out[MAPPING_VALUE_SIZE];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (mapping_compile("title", rows[i].expression, &rule, &ec) != ERR_OK)
			fail_msg("%s: %s", rows[i].expression, ec.text);
		assert_true(mapping_evaluate(&rule, &source, out, &ec));
		assert_string_equal(out, rows[i].value);
	}
	(void)state;
}

/* Not what a text comes to, but whether all that it is made of is known. */
static void known(void **state)
{
	static const struct {
		const char *expression;
		bool known;
	} rows[] = {
		{"user_name", true},
		{"email", false},
		{"\"JIT\"", true},
		{"claims.department", true},
		{"claims.unknown", false},
		{"claims.empty", false},
		{"first(claims.groups)", true},
		{"lower(email)", false},
		{"join(\" \", given_name, family_name)", true},
		{"join(\" \", given_name, email)", false},
		{"join(\" \", email, given_name)", false},
		{"replace(email, \"a\", \"b\")", false},
		{"default(given_name, email)", true},
		{"default(email, given_name)", false},
		{"default(email, \"none\")", false},
		{"join(\" \", default(given_name, email), family_name)", true},
		{"lower(join(\".\", given_name, default(claims.middle, \"M\"), family_name))", false},
	};
	struct mapping_rule rule;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(mapping_compile("title", rows[i].expression, &rule, NULL), ERR_OK);
		if (mapping_is_known(&rule, &source) != rows[i].known)
			fail_msg("%s", rows[i].expression);
	}
	(void)state;
}

static void mistakes(void **state)
{
	static const struct {
		const char *attribute, *expression, *words;
	} rows[] = {
		{"title", "", "column 1: a constant, a name or a function is missing here"},
		{"title", "username",
		 "column 1: \"username\" is none of user_name, display_name, given_name, "
		 "family_name, email, id, claims.NAME"},
		{"title", "upper(email)",
		 "column 1: the functions are join, replace, lower, first and default"},
		{"title", "lower(email", "column 12: a comma or a closing bracket is missing here"},
		{"title", "lower(email))", "column 13: nothing may follow the expression"},
		{"title", "email given_name", "column 7: nothing may follow the expression"},
		{"title", "lower(email, id)", "column 16: it must be lower(a)"},
		{"title", "lower()", "column 7: a constant, a name or a function is missing here"},
		{"title", "join(\"x\")", "column 9: it must be join(\"between\", a, b, ...)"},
		{"title", "replace(email, \"x\")", "column 19: it must be replace(a, \"what\", \"with\")"},
		{"title", "join(\"x\", email,)",
		 "column 17: a constant, a name or a function is missing here"},
		{"title", "\"open", "column 1: a constant's closing quote is missing"},
		{"title", "\"open\\", "column 1: a constant's closing quote is missing"},
		{"title", "claims.", "column 1: claims. needs the name of a claim"},
		{"title", "lower(lower(lower(lower(lower(lower(lower(lower(lower(id)))))))))",
		 "column 49: the expression is nested too deep"},
		{"title", "join(id,id,id,id,id,id,id,id,id)", "column 32: the expression is nested too deep"},
		{"1title", "id",
		 "this is no attribute, such as userName, name.givenName or emails[type eq \"work\"].value"},
		{"emails", "email", "emails holds several: write emails[type eq \"work\"].value"},
	};
	struct mapping_rule rule;
	struct errctx ec;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(mapping_compile(rows[i].attribute, rows[i].expression, &rule, &ec),
				 ERR_CONFIG);
		assert_string_equal(ec.text, rows[i].words);
	}
	(void)state;
}

/* Single values single: which of several is meant, the broker does not guess. */
static void several_values(void **state)
{
	static const char *const expressions[] = {"claims.groups", "lower(claims.groups)",
						  "join(\",\", id, claims.groups)",
						  "default(claims.groups, id)"};
	struct mapping_rule rule;
	struct errctx ec;
	char out[MAPPING_VALUE_SIZE];

	for (size_t i = 0; i < sizeof(expressions) / sizeof(expressions[0]); i++) {
		assert_int_equal(mapping_compile("title", expressions[i], &rule, &ec), ERR_OK);
		assert_false(mapping_evaluate(&rule, &source, out, &ec));
		assert_string_equal(ec.text, "the attribute title holds one value, but the claim groups has "
					     "several of which the first is \"one\"");
	}
	(void)state;
}

static void too_long(void **state)
{
	char expression[MAPPING_TEXT_SIZE + 2] = "\"", out[MAPPING_VALUE_SIZE];
	struct mapping_rule rule;
	struct errctx ec;

	memset(expression + 1, 'x', MAPPING_TEXT_SIZE - 3);
	expression[MAPPING_TEXT_SIZE - 2] = '"';
	assert_int_equal(mapping_compile("title", expression, &rule, &ec), ERR_OK);
	assert_true(mapping_evaluate(&rule, &source, out, &ec));
	assert_int_equal(strlen(out), MAPPING_TEXT_SIZE - 3);
	expression[MAPPING_TEXT_SIZE - 2] = 'x';
	expression[MAPPING_TEXT_SIZE - 1] = '"';
	assert_int_equal(mapping_compile("title", expression, &rule, &ec), ERR_CONFIG);
	/* What is made larger by what is in it. */
	assert_int_equal(
		mapping_compile("title",
				"replace(replace(replace(\"aaaaaaaaaaaa\",\"a\",\"aaaaaaaaaaaa\"),\"a\","
				"\"aaaaaaaaaaaa\"),\"a\",\"aaaaaaaaaaaa\")",
				&rule, &ec),
		ERR_OK);
	assert_false(mapping_evaluate(&rule, &source, out, &ec));
	assert_string_equal(ec.text, "the attribute title would be longer than 1024 bytes");
	(void)state;
}

static void default_rules(void **state)
{
	char out[MAPPING_VALUE_SIZE];
	struct attribute parsed;

	for (size_t i = 0; i < mapping_default.count; i++) {
		const struct attribute *attribute = &mapping_default.rules[i].attribute;
		assert_true(attribute_parse(attribute->path, &parsed));
		assert_memory_equal(&parsed, attribute, sizeof(parsed));
	}
	assert_true(mapping_evaluate(mapping_find(&mapping_default, "name.givenName"), &source, out, NULL));
	assert_string_equal(out, "Amira");
	assert_null(mapping_find(&mapping_default, "title"));
	(void)state;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values),   cmocka_unit_test(mistakes),      cmocka_unit_test(several_values),
		cmocka_unit_test(too_long), cmocka_unit_test(default_rules), cmocka_unit_test(known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
