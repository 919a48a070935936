/* The bodies of outgoing webhooks: their members, their size, and what stays out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "activation/states.h"
#include "base/id.h"
#include "base/json.h"
#include "webhook/event.h"

#define LEN(a) (sizeof(a) / sizeof(*(a)))

#define AT_MS   INT64_C(1795510800000)
#define AT      "2026-11-24T09:00:00.000Z"
#define HOUR_MS INT64_C(3600000)

/* Everything that can be told, so that each test takes away what it does not want. */
static struct webhook_event complete(const char *type)
{
	return (struct webhook_event){
		.type = type,
		.at_ms = AT_MS,
		.application = "aws",
		.request_id = "0a1b2c3d-1111-8222-b333-444455556666",
		.group_id = "11111111-2222-3333-4444-555555555555",
		.group_name = "aws-admins",
		.principal_id = "p-1",
		.user_name = "amira@example.com",
		.action = "selfActivate",
		.ticket_number = "INC42",
		.ticket_system = "desk",
		.stage = 2,
		.duration_ms = 2 * HOUR_MS,
		.decision = "Approve",
		.decided_by = "lead@example.com",
		.reason = "because",
		.start_ms = AT_MS + HOUR_MS,
		.end_ms = AT_MS + 2 * HOUR_MS,
		.approval_until_ms = AT_MS + 3 * HOUR_MS,
		.next_cycle_ms = AT_MS + 4 * HOUR_MS,
		.due_ms = AT_MS + 5 * HOUR_MS,
		.justification = "disk full",
		.with_justification = true,
	};
}

static void test_complete(void **state)
{
	struct webhook_event event = complete("approval.decided");
	struct buf out;

	(void)state;
	buf_init(&out, EVENT_BODY_MAX);
	assert_int_equal(event_write(&event, &out), ERR_OK);
	assert_string_equal(
		buf_text(&out),
		"{\"type\":\"approval.decided\",\"timestamp\":\"" AT "\",\"data\":{"
		"\"requestId\":\"0a1b2c3d-1111-8222-b333-444455556666\",\"applicationId\":\"aws\","
		"\"groupId\":\"11111111-2222-3333-4444-555555555555\",\"groupDisplayName\":\"aws-admins\","
		"\"principalId\":\"p-1\",\"userName\":\"amira@example.com\",\"action\":\"selfActivate\","
		"\"ticketNumber\":\"INC42\",\"ticketSystem\":\"desk\",\"stage\":2,\"duration\":\"PT2H\","
		"\"decision\":\"Approve\","
		"\"decidedBy\":\"lead@example.com\",\"reason\":\"because\","
		"\"startDateTime\":\"2026-11-24T10:00:00.000Z\",\"endDateTime\":\"2026-11-24T11:00:00.000Z\","
		"\"approvalUntilDateTime\":\"2026-11-24T12:00:00.000Z\","
		"\"nextCycleDateTime\":\"2026-11-24T13:00:00.000Z\",\"dueDateTime\":\"2026-11-24T14:00:00."
		"000Z\","
		"\"justification\":\"disk full\"}}");
	buf_release(&out);
}

static void test_little(void **state)
{
	struct webhook_event quarantine = {"application.quarantined", AT_MS, "aws", .group_name = ""};
	struct webhook_event nothing = {.type = "removal.overdue", .at_ms = AT_MS};
	struct buf out;

	(void)state;
	buf_init(&out, EVENT_BODY_MAX);
	assert_int_equal(event_write(&quarantine, &out), ERR_OK);
	assert_string_equal(buf_text(&out), "{\"type\":\"application.quarantined\",\"timestamp\":\"" AT
					    "\",\"data\":{\"applicationId\":\"aws\"}}");
	assert_int_equal(event_write(&nothing, &out), ERR_OK); /* and what was there before is gone */
	assert_string_equal(buf_text(&out),
			    "{\"type\":\"removal.overdue\",\"timestamp\":\"" AT "\",\"data\":{}}");
	buf_release(&out);
}

static void test_justification(void **state)
{
	size_t count;
	const struct tell *tells = states_tells(&count);
	struct buf out;

	(void)state;
	buf_init(&out, EVENT_BODY_MAX);
	for (size_t i = 0; i < count; i++) {
		struct webhook_event event = complete(tells[i].name);

		assert_int_equal(event_write(&event, &out), ERR_OK);
		assert_non_null(strstr(buf_text(&out), "disk full"));
		event.with_justification = false;
		assert_int_equal(event_write(&event, &out), ERR_OK);
		assert_null(strstr(buf_text(&out), "disk full"));
		assert_null(strstr(buf_text(&out), "justification"));
	}
	buf_release(&out);
}

/* What a receiver's parser finds under that name. */
static void check_member(const char *body, const char *name, const char *want)
{
	cJSON *root = NULL;
	struct errctx ec = {""};

	if (json_parse(body, strlen(body), &root, &ec) != ERR_OK)
		fail_msg("%s", ec.text);
	assert_string_equal(json_string(cJSON_GetObjectItemCaseSensitive(root, "data"), name), want);
	cJSON_Delete(root);
}

static void test_any_text(void **state)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{"\"},{\\", "\"},{\\"},
		{"line\nline\x1b", "line\nline\x1b"},
		{"</script>", "</script>"},
		{"\xf0\x9f\x94\x91 J\xc3\xb6rg", "\xf0\x9f\x94\x91 J\xc3\xb6rg"},
		{"a\xff"
		 "b",
		 "a\xef\xbf\xbd"
		 "b"},
	};
	struct buf out;

	(void)state;
	buf_init(&out, EVENT_BODY_MAX);
	for (size_t i = 0; i < LEN(rows); i++) {
		struct webhook_event event = {.at_ms = AT_MS, .group_name = rows[i].text};

		assert_int_equal(event_write(&event, &out), ERR_OK);
		check_member(buf_text(&out), "groupDisplayName", rows[i].want);
	}
	buf_release(&out);
}

/* Texts of any length, each byte of which takes six: cut, and the body is whole and small enough. */
static void test_largest(void **state)
{
	static char text[64 * 1024];
	struct webhook_event event = complete("breakglass.used");
	char want[TEXT_SIZE];
	struct buf out;

	(void)state;
	memset(text, '\x1f', sizeof(text) - 1);
	memset(want, '\x1f', sizeof(want));
	want[sizeof(want) - 1] = '\0';
	event.application = event.request_id = event.group_id = event.group_name = text;
	event.principal_id = event.user_name = event.decision = event.decided_by = text;
	event.reason = event.justification = event.action = text;
	event.ticket_number = event.ticket_system = text;
	buf_init(&out, EVENT_BODY_MAX);
	assert_int_equal(event_write(&event, &out), ERR_OK);
	assert_in_range(out.len, EVENT_BODY_MAX / 2, EVENT_BODY_MAX);
	check_member(buf_text(&out), "justification", want);
	want[512] = '\0';
	check_member(buf_text(&out), "reason", want);
	want[NAME_SIZE - 1] = '\0';
	check_member(buf_text(&out), "userName", want);
	buf_release(&out);
}

/* A text is not cut inside a character. */
static void test_cut(void **state)
{
	struct webhook_event event = {.type = "activation.failed", .at_ms = AT_MS};
	char name[NAME_SIZE + 2], want[NAME_SIZE];
	struct buf out;

	(void)state;
	memset(name, 'n', sizeof(name));
	memcpy(name + NAME_SIZE - 2, "\xc3\xa4", 3);
	memset(want, 'n', sizeof(want));
	want[NAME_SIZE - 2] = '\0';
	event.user_name = name;
	buf_init(&out, EVENT_BODY_MAX);
	assert_int_equal(event_write(&event, &out), ERR_OK);
	check_member(buf_text(&out), "userName", want);
	buf_release(&out);
}

static void test_no_room(void **state)
{
	struct webhook_event event = complete("activation.ended");
	struct buf out;

	(void)state;
	buf_init(&out, 100);
	assert_int_equal(event_write(&event, &out), ERR_NOMEM);
	assert_true(buf_failed(&out));
	buf_release(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_complete),      cmocka_unit_test(test_little),
		cmocka_unit_test(test_justification), cmocka_unit_test(test_any_text),
		cmocka_unit_test(test_largest),       cmocka_unit_test(test_cut),
		cmocka_unit_test(test_no_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
