/* The query options of lists, and functions in paths. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "api/odata.h"

#define LEN(a) (sizeof(a) / sizeof(*(a)))

static const char *const fields[] = {"principalId", "groupId", "status", "action", "a1",
				     "a2",          "a3",      "a4",     "a5",     NULL};

static enum err parse_one(const char *name, const char *value, struct odata_query *q, struct errctx *ec)
{
	struct query_param param = {name, value};

	return odata_parse(&param, 1, fields, q, ec);
}

/* A filter as "field=value;field=value;", or the sentence of its refusal. */
static void print_filter(const char *filter, char *out, size_t size)
{
	struct odata_query q;
	struct errctx ec;
	size_t at = 0;

	out[0] = '\0';
	if (parse_one("$filter", filter, &q, &ec) != ERR_OK) {
		snprintf(out, size, "%s", ec.text);
		return;
	}
	for (size_t i = 0; i < q.count; i++)
		at += (size_t)snprintf(out + at, size - at, "%s%s%s;", fields[q.terms[i].field],
				       q.terms[i].differs ? "!=" : "=", q.terms[i].value);
}

#define QUOTES    "$filter: a value stands in single quotes."
#define OPERATORS "$filter: the operators supported are eq and ne, between two blanks."
#define ONLY_AND  "$filter: terms can only be joined by \"and\"."
static const struct filter_row {
	const char *filter, *want;
} filter_rows[] = {
	{"groupId eq 'g'", "groupId=g;"},
	{"  groupId   eq   'g'  ", "groupId=g;"},
	{"GROUPID EQ 'G'", "groupId=G;"},
	{"groupId eq ''", "groupId=;"},
	{"groupId eq 'O''Brien'", "groupId=O'Brien;"},
	{"groupId eq ''''", "groupId=';"},
	{"groupId eq 'a and b eq c'", "groupId=a and b eq c;"},
	{"groupId eq '(x)\"\xc3\xa4'", "groupId=(x)\"\xc3\xa4;"},
	{"groupId eq 'g' and principalId eq 'p' AND status eq 's'", "groupId=g;principalId=p;status=s;"},
	{"", "$filter: the name of a field is expected."},
	{"'g' eq groupId", "$filter: the name of a field is expected."},
	{"(groupId eq 'g')", "$filter: parentheses are not supported."},
	{"groupId eq 'g' and (status eq 's')", "$filter: parentheses are not supported."},
	{"not groupId eq 'g'", "$filter: \"not\" is not supported."},
	{"startswith(groupId,'g')", "$filter: functions are not supported."},
	{"id eq 'x'", "$filter: the field \"id\" is not supported here."},
	{"groupIdx eq 'x'", "$filter: the field \"groupIdx\" is not supported here."},
	{"group eq 'x'", "$filter: the field \"group\" is not supported here."},
	{"groupId ne 'g'", "groupId!=g;"},
	{"status NE 'a' and status ne 'b' and status eq 'c'", "status!=a;status!=b;status=c;"},
	{"groupId ne'g'", OPERATORS},
	{"groupId nee 'g'", OPERATORS},
	{"groupId gt 'g'", OPERATORS},
	{"groupId eqx 'g'", OPERATORS},
	{"groupId eq'g'", OPERATORS},
	{"groupId=eq 'g'", OPERATORS},
	{"groupId", OPERATORS},
	{"groupId eq", OPERATORS},
	{"groupId eq ", QUOTES},
	{"groupId eq \"g\"", QUOTES},
	{"groupId eq g", QUOTES},
	{"groupId eq null", QUOTES},
	{"groupId eq 'g", "$filter: a value lacks its closing quote."},
	{"groupId eq 'g''", "$filter: a value lacks its closing quote."},
	{"groupId eq '", "$filter: a value lacks its closing quote."},
	{"groupId eq 'a\tb'", "$filter: a value holds a control character."},
	{"groupId eq 'g' or status eq 's'", ONLY_AND},
	{"groupId eq 'g'and status eq 's'", ONLY_AND},
	{"groupId eq 'g' status eq 's'", ONLY_AND},
	{"groupId eq 'g' and", ONLY_AND},
	{"groupId eq 'g' and ", "$filter: the name of a field is expected."},
	{"groupId eq 'g')", ONLY_AND},
	{"groupId eq 'g' and GroupId eq 'h'", "$filter: the field \"groupId\" is given twice."},
};
#undef QUOTES
#undef OPERATORS
#undef ONLY_AND

static void test_filters(void **state)
{
	char got[512];

	(void)state;
	for (size_t i = 0; i < LEN(filter_rows); i++) {
		print_filter(filter_rows[i].filter, got, sizeof(got));
		if (strcmp(got, filter_rows[i].want) != 0)
			fail_msg("\"%s\" gives \"%s\"", filter_rows[i].filter, got);
	}
}

static void test_filter_bounds(void **state)
{
	char filter[1024], got[1024];
	struct odata_query q;
	struct errctx ec;
	size_t at = 0;

	(void)state;
	for (size_t i = 0; i < ODATA_TERMS; i++)
		at += (size_t)snprintf(filter + at, sizeof(filter) - at, "%s%s eq 'x'", i > 0 ? " and " : "",
				       fields[i]);
	assert_int_equal(parse_one("$filter", filter, &q, &ec), ERR_OK);
	assert_int_equal(q.count, ODATA_TERMS);
	snprintf(filter + at, sizeof(filter) - at, " and %s eq 'x'", fields[ODATA_TERMS]);
	print_filter(filter, got, sizeof(got));
	assert_string_equal(got, "$filter: more than 8 terms.");

	snprintf(filter, sizeof(filter), "groupId eq '%0*d'", NAME_SIZE - 1, 0);
	assert_int_equal(parse_one("$filter", filter, &q, &ec), ERR_OK);
	assert_int_equal(strlen(odata_value(&q, 1)), NAME_SIZE - 1);
	snprintf(filter, sizeof(filter), "groupId eq '%0*d'", NAME_SIZE, 0);
	print_filter(filter, got, sizeof(got));
	assert_string_equal(got, "$filter: a value is too long.");
}

static void test_other_options(void **state)
{
	static const struct {
		const char *name, *value;
		bool valid;
	} rows[] = {
		{"$top", "1", true},
		{"$top", "999", true},
		{"top", "5", true},
		{"$TOP", "5", true},
		{"$top", "0", false},
		{"$top", "1000", false},
		{"$top", "-1", false},
		{"$top", "1x", false},
		{"$top", "", false},
		{"$top", "99999999999999999999", false},
		{"$orderby", "createdDateTime desc", true},
		{"$orderby", " createddatetime  DESC ", true},
		{"$orderby", "createdDateTime", false},
		{"$orderby", "createdDateTime asc", false},
		{"$orderby", "createdDateTimedesc", false},
		{"$orderby", "createdDateTime desc,id", false},
		{"$orderby", "id desc", false},
		{"$count", "true", true},
		{"$count", "False", true},
		{"$count", "1", false},
		{"$skiptoken", "Ab_9-", true},
		{"$skiptoken", "", false},
		{"$skiptoken", "a b", false},
		{"$skiptoken", "a'", false},
		{"$select", "id, status,principal/id", true},
		{"$select", "", false},
		{"$select", "id,", false},
		{"$select", "id status", false},
		{"$select", "id;status", false},
		{"$expand", "group", true},
		{"$expand", "group($select=id)", false},
		{"$search", "x", false},
		{"$skip", "1", false},
		{"$", "1", false},
		{"application", "anything (at) all", true},
	};

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		struct odata_query q;
		struct errctx ec = {""};
		enum err err = parse_one(rows[i].name, rows[i].value, &q, &ec);

		if ((err == ERR_OK) != rows[i].valid || (err != ERR_OK && err != ERR_INVALID_FILTER))
			fail_msg("%s=%s gives %d \"%s\"", rows[i].name, rows[i].value, err, ec.text);
		if (err != ERR_OK)
			assert_string_not_equal(ec.text, "");
	}
}

static void test_bounds_of_names_and_tokens(void **state)
{
	char token[ODATA_TOKEN_SIZE + 1], list[2 * (ODATA_NAMES + 1)];
	struct odata_query q;
	struct errctx ec;

	(void)state;
	memset(token, 'a', sizeof(token));
	token[ODATA_TOKEN_SIZE] = '\0';
	assert_int_equal(parse_one("$skiptoken", token, &q, &ec), ERR_INVALID_FILTER);
	token[ODATA_TOKEN_SIZE - 1] = '\0';
	assert_int_equal(parse_one("$skiptoken", token, &q, &ec), ERR_OK);
	assert_string_equal(q.skiptoken, token);

	token[ODATA_NAME_SIZE] = '\0';
	assert_int_equal(parse_one("$select", token, &q, &ec), ERR_INVALID_FILTER);
	token[ODATA_NAME_SIZE - 1] = '\0';
	assert_int_equal(parse_one("$select", token, &q, &ec), ERR_OK);

	for (size_t i = 0; i <= ODATA_NAMES; i++)
		memcpy(list + 2 * i, "a,", 2);
	list[2 * ODATA_NAMES + 1] = '\0';
	assert_int_equal(parse_one("$select", list, &q, &ec), ERR_INVALID_FILTER);
	list[2 * ODATA_NAMES - 1] = '\0';
	assert_int_equal(parse_one("$select", list, &q, &ec), ERR_OK);
	assert_int_equal(q.select.count, ODATA_NAMES);
}

static void test_everything_together(void **state)
{
	static const struct query_param params[] = {
		{"$filter", "status eq 'PendingApproval' and groupId eq 'g'"},
		{"$top", "20"},
		{"$orderby", "createdDateTime desc"},
		{"$count", "true"},
		{"$skiptoken", "t-1"},
		{"$select", "id,Status"},
		{"$expand", "principal,group"},
	};
	struct odata_query q;
	struct errctx ec;

	(void)state;
	assert_int_equal(odata_parse(params, LEN(params), fields, &q, &ec), ERR_OK);
	assert_string_equal(odata_value(&q, 2), "PendingApproval");
	assert_string_equal(odata_value(&q, 1), "g");
	assert_null(odata_value(&q, 0));
	assert_int_equal(q.top, 20);
	assert_true(q.newest_first);
	assert_true(q.with_count);
	assert_string_equal(q.skiptoken, "t-1");
	assert_int_equal(q.select.count, 2);
	assert_true(odata_selects(&q, "status"));
	assert_false(odata_selects(&q, "action"));
	assert_int_equal(q.expand.count, 2);
	assert_string_equal(q.expand.names[1], "group");
}

static void test_nothing_given(void **state)
{
	struct odata_query q;
	struct errctx ec;

	(void)state;
	assert_int_equal(odata_parse(NULL, 0, fields, &q, &ec), ERR_OK);
	assert_int_equal(q.count, 0);
	assert_int_equal(q.top, 0);
	assert_false(q.newest_first);
	assert_true(odata_selects(&q, "anything"));
}

static void test_given_twice(void **state)
{
	static const struct query_param params[] = {{"$top", "1"}, {"Top", "2"}};
	static const struct query_param others[] = {{"a", "1"}, {"b", "2"}};
	struct odata_query q = {.top = 7};
	struct errctx ec;

	(void)state;
	assert_int_equal(odata_parse(params, 2, fields, &q, &ec), ERR_INVALID_FILTER);
	assert_string_equal(ec.text, "The parameter \"Top\" is given twice.");
	assert_int_equal(q.top, 7); /* untouched */
	assert_int_equal(odata_parse(others, 2, fields, &q, &ec), ERR_OK);
}

static void test_functions(void **state)
{
	static const struct {
		const char *segment, *arg; /* NULL = no */
	} rows[] = {
		{"filterByCurrentUser(on='principal')", "principal"},
		{"filterbycurrentuser(ON='approver')", "approver"},
		{"filterByCurrentUser( on = 'createdBy' )", "createdBy"},
		{"filterByCurrentUser (on='x')", "x"},
		{"filterByCurrentUser", NULL},
		{"filterByCurrentUser()", NULL},
		{"filterByCurrentUser(on=principal)", NULL},
		{"filterByCurrentUser(on=\"principal\")", NULL},
		{"filterByCurrentUser(on='')", NULL},
		{"filterByCurrentUser(on='a''b')", NULL},
		{"filterByCurrentUser(on='a b')", NULL},
		{"filterByCurrentUser(on='principal'", NULL},
		{"filterByCurrentUser(on='principal)", NULL},
		{"filterByCurrentUser(on='principal')x", NULL},
		{"filterByCurrentUser(by='principal')", NULL},
		{"filterByCurrentUserX(on='principal')", NULL},
		{"xfilterByCurrentUser(on='principal')", NULL},
		{"filterByCurrentUser(on='abcdefghijklmno')", "abcdefghijklmno"},
		{"filterByCurrentUser(on='abcdefghijklmnop')", NULL},
		{"", NULL},
	};

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		char arg[16] = "-";
		bool is = odata_function(rows[i].segment, "filterByCurrentUser", arg, sizeof(arg));

		if (is != (rows[i].arg != NULL))
			fail_msg("\"%s\"", rows[i].segment);
		assert_string_equal(arg, rows[i].arg ? rows[i].arg : "-");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_filters),
		cmocka_unit_test(test_filter_bounds),
		cmocka_unit_test(test_other_options),
		cmocka_unit_test(test_bounds_of_names_and_tokens),
		cmocka_unit_test(test_everything_together),
		cmocka_unit_test(test_nothing_given),
		cmocka_unit_test(test_given_twice),
		cmocka_unit_test(test_functions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
