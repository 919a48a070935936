/* What approval systems and buttons say: decisions read out of JSON, and what they are refused for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "webhook/approval.h"
#include "webhook/signing.h"
#include "webhook/slack.h"

#define LEN(a) (sizeof(a) / sizeof(*(a)))

#define ID      "0a1b2c3d-1111-8222-b333-444455556666"
#define UPPER   "0A1B2C3D-1111-8222-B333-444455556666"
#define HEAD    "{\"type\":\"approval.decided\",\"timestamp\":\"2026-11-24T09:00:00Z\",\"data\":"
#define DATA(m) HEAD "{" m "}}"
#define REQUEST "\"requestId\":\"" ID "\""
#define REST    "\"decision\":\"Approve\",\"approver\":\"lead@example.com\""

static enum err read_text(const char *body, struct approval *out, struct errctx *ec)
{
	ec->text[0] = '\0';
	return approval_read(body, strlen(body), out, ec);
}

static void test_whole(void **state)
{
	static const char body[] =
		"{\"type\": \"approval.decided\", \"timestamp\": \"2026-11-24T09:00:00.250+01:00\", \"id\": "
		"7,"
		" \"data\": {\"requestId\": \"" UPPER "\", \"decision\": \"deny\","
		" \"approver\": \"lead@example.com\", \"justification\": \"not\\ttoday\\nJ\\u00f6rg\"}}";
	struct approval approval;
	struct errctx ec;

	(void)state;
	assert_int_equal(read_text(body, &approval, &ec), ERR_OK);
	assert_string_equal(approval.id, ID);
	assert_int_equal(approval.decision, APPROVAL_DENY);
	assert_string_equal(approval.approver, "lead@example.com");
	assert_string_equal(approval.justification, "not\ttoday\nJ\xc3\xb6rg");
	assert_int_equal(approval.decided_ms, INT64_C(1795507200250));
}

static void test_optional(void **state)
{
	static const struct {
		const char *body;
		int64_t decided_ms;
	} rows[] = {
		{DATA(REQUEST "," REST), INT64_C(1795510800000)},
		{DATA("\"approvalId\":\"" ID "\"," REST), INT64_C(1795510800000)},
		{DATA("\"approvalId\":\"" UPPER "\"," REQUEST "," REST), INT64_C(1795510800000)},
		{DATA("\"approvalId\":null," REQUEST "," REST), INT64_C(1795510800000)},
		{DATA(REQUEST "," REST ",\"justification\":null"), INT64_C(1795510800000)},
		{DATA(REQUEST "," REST ",\"justification\":\"\""), INT64_C(1795510800000)},
		{"{\"type\":\"approval.decided\",\"data\":{" REQUEST "," REST "}}", 0},
		{"{\"type\":\"approval.decided\",\"timestamp\":null,\"x\":[{}],\"data\":{" REQUEST "," REST
		 "}}",
		 0},
	};

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		struct approval approval;
		struct errctx ec;

		if (read_text(rows[i].body, &approval, &ec) != ERR_OK)
			fail_msg("%s: %s", rows[i].body, ec.text);
		assert_string_equal(approval.id, ID);
		assert_int_equal(approval.decision, APPROVAL_APPROVE);
		assert_string_equal(approval.justification, "");
		assert_int_equal(approval.decided_ms, rows[i].decided_ms);
	}
}

static void test_decisions(void **state)
{
	static const struct {
		const char *word;
		int want; /* -1 = refused */
	} rows[] = {
		{"Approve", APPROVAL_APPROVE},
		{"approve", APPROVAL_APPROVE},
		{"APPROVED", APPROVAL_APPROVE},
		{"approved", APPROVAL_APPROVE},
		{"Deny", APPROVAL_DENY},
		{"deny", APPROVAL_DENY},
		{"Denied", APPROVAL_DENY},
		{"dEnIeD", APPROVAL_DENY},
		{"yes", -1},
		{"Approves", -1},
		{"Approve ", -1},
		{" deny", -1},
		{"NotReviewed", -1},
		{"true", -1},
		{"reject", -1},
	};
	char body[512];

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		struct approval approval;
		struct errctx ec;
		enum err err;

		snprintf(body, sizeof(body), DATA(REQUEST ",\"approver\":\"a\",\"decision\":\"%s\""),
			 rows[i].word);
		err = read_text(body, &approval, &ec);
		if (rows[i].want < 0) {
			assert_int_equal(err, ERR_BAD_REQUEST);
			assert_string_equal(ec.text, "data: The decision must be Approve or Deny.");
		} else {
			assert_int_equal(err, ERR_OK);
			assert_int_equal(approval.decision, rows[i].want);
		}
	}
	assert_string_equal(approval_decision_name(APPROVAL_APPROVE), "Approve");
	assert_string_equal(approval_decision_name(APPROVAL_DENY), "Deny");
}

static const struct refusal_row {
	const char *body, *want;
} refusal_rows[] = {
	{"[]", "The body must be an object."},
	{"null", "The body must be an object."},
	{"{}", "type must be \"approval.decided\"."},
	{"{\"type\":\"approval.requested\"}", "type must be \"approval.decided\"."},
	{"{\"type\":\"Approval.Decided\"}", "type must be \"approval.decided\"."},
	{"{\"type\":1}", "type must be \"approval.decided\"."},
	{"{\"type\":\"approval.decided\"}", "data: It must be an object."},
	{HEAD "[]}", "data: It must be an object."},
	{HEAD "\"x\"}", "data: It must be an object."},
	{"{\"type\":\"approval.decided\",\"timestamp\":1,\"data\":{}}", "timestamp must be a string."},
	{"{\"type\":\"approval.decided\",\"timestamp\":"
	 "\"2026-11-24T09:00:00.0000000000000000000000000000+00:00\",\"data\":{}}",
	 "timestamp may have 47 bytes at most."},
	{DATA(REST), "data: requestId or approvalId is required."},
	{DATA("\"requestId\":\"\"," REST), "data: requestId or approvalId is required."},
	{DATA("\"requestId\":7," REST), "data: requestId must be a string."},
	{DATA("\"requestId\":\"7\"," REST), "data: The id of a request is a UUID."},
	{DATA("\"requestId\":\"" ID "0\"," REST), "data: requestId may have 36 bytes at most."},
	{DATA(REQUEST ",\"approvalId\":\"1a1b2c3d-1111-8222-b333-444455556666\"," REST),
	 "data: requestId and approvalId differ."},
	{DATA(REQUEST ",\"approver\":\"a\""), "data: decision is required."},
	{DATA(REQUEST ",\"approver\":\"a\",\"decision\":true"), "data: decision must be a string."},
	{DATA(REQUEST ",\"approver\":\"a\",\"decision\":\"approved with a smile\""),
	 "data: decision may have 15 bytes at most."},
	{DATA(REQUEST ",\"decision\":\"Deny\""), "data: approver is required."},
	{DATA(REQUEST ",\"decision\":\"Deny\",\"approver\":\"\""), "data: approver is required."},
	{DATA(REQUEST ",\"decision\":\"Deny\",\"approver\":{\"id\":\"a\"}"),
	 "data: approver must be a string."},
	{DATA(REQUEST ",\"decision\":\"Deny\",\"approver\":\"a\\nb\""),
	 "data: approver holds a control character."},
	{DATA(REQUEST "," REST ",\"justification\":[]"), "data: justification must be a string."},
	{DATA(REQUEST "," REST ",\"justification\":\"a\\u001bb\""),
	 "data: justification holds a control character."},
	{DATA(REQUEST "," REST ",\"justification\":\"a\\u007fb\""),
	 "data: justification holds a control character."},
	{DATA(REQUEST "," REST ",\"justifcation\":\"x\""), "data: There is no member 'justifcation'."},
	{DATA(REQUEST "," REST ",\"Approved\":\"x\""), "data: There is no member 'Approved'."},
};

static void test_refusals(void **state)
{
	struct approval approval, before;

	(void)state;
	memset(&before, 'x', sizeof(before));
	approval = before;
	for (size_t i = 0; i < LEN(refusal_rows); i++) {
		struct errctx ec;
		enum err err = read_text(refusal_rows[i].body, &approval, &ec);

		if (err != ERR_BAD_REQUEST || strcmp(ec.text, refusal_rows[i].want) != 0)
			fail_msg("%s gives %d \"%s\"", refusal_rows[i].body, err, ec.text);
		assert_memory_equal(&approval, &before, sizeof(before));
	}
}

static void test_not_json(void **state)
{
	static const char *const bodies[] = {
		"",
		"approval",
		HEAD,
		DATA(REQUEST "," REST) "x",
		DATA(REQUEST "," REST "," REQUEST),
		"{\"type\":\"approval.decided\",\"timestamp\":\"24.11.2026\",\"data\":{" REQUEST "," REST
		"}}",
	};

	(void)state;
	for (size_t i = 0; i < LEN(bodies); i++) {
		struct approval approval;
		struct errctx ec;

		assert_int_equal(read_text(bodies[i], &approval, &ec), ERR_BAD_REQUEST);
		assert_string_not_equal(ec.text, "");
	}
}

/* A body whose approver and justification have that many bytes. */
static enum err read_sized(int approver, int justification, struct approval *out, struct errctx *ec)
{
	char body[2048];

	snprintf(body, sizeof(body),
		 DATA(REQUEST ",\"decision\":\"Deny\",\"approver\":\"%0*d\",\"justification\":\"%0*d\""),
		 approver, 0, justification, 0);
	return read_text(body, out, ec);
}

static void test_bounds(void **state)
{
	static char body[SIGNING_BODY_MAX + 1];
	const char *data = DATA(REQUEST "," REST);
	struct approval approval;
	struct errctx ec;

	(void)state;
	assert_int_equal(read_sized(NAME_SIZE - 1, TEXT_SIZE - 1, &approval, &ec), ERR_OK);
	assert_int_equal(strlen(approval.approver), NAME_SIZE - 1);
	assert_int_equal(strlen(approval.justification), TEXT_SIZE - 1);
	assert_int_equal(read_sized(NAME_SIZE, 1, &approval, &ec), ERR_BAD_REQUEST);
	assert_string_equal(ec.text, "data: approver may have 256 bytes at most.");
	assert_int_equal(read_sized(1, TEXT_SIZE, &approval, &ec), ERR_BAD_REQUEST);
	assert_string_equal(ec.text, "data: justification may have 1024 bytes at most.");

	memset(body, ' ', sizeof(body));
	memcpy(body, data, strlen(data));
	assert_int_equal(approval_read(body, SIGNING_BODY_MAX, &approval, &ec), ERR_OK);
	assert_int_equal(approval_read(body, SIGNING_BODY_MAX + 1, &approval, &ec), ERR_TOO_BIG);
}

static void test_buttons(void **state)
{
	static const struct {
		const char *value;
		int want; /* -1 = refused */
	} rows[] = {
		{"Approve:" ID, APPROVAL_APPROVE},
		{"deny:" UPPER, APPROVAL_DENY},
		{"", -1},
		{ID, -1},
		{":" ID, -1},
		{"Approve", -1},
		{"Approve:", -1},
		{"Approve: " ID, -1},
		{"Approve:" ID " ", -1},
		{"Approve:" ID ":" ID, -1},
		{"Grant:" ID, -1},
		{"Approveapprov_16:" ID, -1},
		{"Approveapproveapprove:" ID, -1},
	};

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		struct slack_action action = {.user_id = "U2CERLKJA", .user_name = "ada"};
		struct approval approval = {.id = "as before"}, before = approval;
		struct errctx ec = {""};
		enum err err;

		snprintf(action.value, sizeof(action.value), "%s", rows[i].value);
		err = approval_from_slack(&action, &approval, &ec);
		if (rows[i].want < 0) {
			assert_int_equal(err, ERR_BAD_REQUEST);
			assert_string_not_equal(ec.text, "");
			assert_memory_equal(&approval, &before, sizeof(before));
			continue;
		}
		assert_int_equal(err, ERR_OK);
		assert_int_equal(approval.decision, rows[i].want);
		assert_string_equal(approval.id, ID);
		assert_string_equal(approval.approver, "U2CERLKJA");
		assert_string_equal(approval.justification, "");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),     cmocka_unit_test(test_optional),
		cmocka_unit_test(test_decisions), cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_not_json),  cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_buttons),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
