/* What people are told: times and durations in words, and the sentences about each kind of notice. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "activation/policy.h"
#include "activation/states.h"
#include "notice/text.h"
#include "notice/words.h"

#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)
#define NOON   INT64_C(1795608000000) /* Wed 25 Nov 2026 12:00 UTC */

static void test_durations(void **state)
{
	static const struct {
		int64_t ms;
		const char *words;
	} rows[] = {
		{-5, "less than a second"},
		{0, "less than a second"},
		{999, "less than a second"},
		{SECOND, "1 second"},
		{1499, "1 second"},
		{1500, "2 seconds"},
		{59 * SECOND, "59 seconds"},
		{59500, "1 minute"},
		{MINUTE, "1 minute"},
		{90 * SECOND, "1 minute 30 seconds"},
		{10 * MINUTE, "10 minutes"},
		{59 * MINUTE + 59900, "1 hour"},
		{HOUR, "1 hour"},
		{HOUR + MINUTE, "1 hour 1 minute"},
		{2 * HOUR + 29 * SECOND, "2 hours"},
		{23 * HOUR + 59 * MINUTE + 45 * SECOND, "1 day"},
		{DAY, "1 day"},
		{36 * HOUR, "1 day 12 hours"},
		{30 * DAY, "30 days"},
	};
	char text[WORDS_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(words_duration(rows[i].ms, text), rows[i].words);
}

static void test_times(void **state)
{
	struct policy_offset zurich[] = {{INT64_MIN, HOUR}, {NOON + DAY, 2 * HOUR}};
	struct policy_offset nepal[] = {{INT64_MIN, 5 * HOUR + 45 * MINUTE}};
	struct policy_offset west[] = {{INT64_MIN, -(9 * HOUR + 30 * MINUTE)}};
	struct policy_zone zones[] = {{.name = "Europe/Zurich", .offsets = zurich, .count = 2},
				      {.name = "Asia/Kathmandu", .offsets = nepal, .count = 1},
				      {.name = "Pacific/Marquesas", .offsets = west, .count = 1},
				      {.name = "UTC", .offsets = nepal, .count = 0}};
	char text[WORDS_SIZE];

	(void)state;
	assert_string_equal(words_time(NULL, NOON, text), "Wed 25 Nov 2026 12:00 (UTC)");
	assert_string_equal(words_time(&zones[0], NOON, text),
			    "Wed 25 Nov 2026 13:00 (Europe/Zurich, UTC+01:00)");
	assert_string_equal(words_time(&zones[0], NOON + 34 * HOUR, text),
			    "Fri 27 Nov 2026 00:00 (Europe/Zurich, UTC+02:00)");
	assert_string_equal(words_time(&zones[1], NOON + 7 * HOUR, text),
			    "Thu 26 Nov 2026 00:45 (Asia/Kathmandu, UTC+05:45)");
	assert_string_equal(words_time(&zones[2], NOON - 3 * HOUR, text),
			    "Tue 24 Nov 2026 23:30 (Pacific/Marquesas, UTC-09:30)");
	assert_string_equal(words_time(NULL, 0, text), "Thu 1 Jan 1970 00:00 (UTC)");
	assert_string_equal(words_time(NULL, INT64_C(1709208000000), text), "Thu 29 Feb 2024 12:00 (UTC)");
	assert_string_equal(words_mail_date(NOON + 5 * SECOND, text), "Wed, 25 Nov 2026 12:00:05 +0000");
}

static struct notice notice_of(const char *kind, enum state state)
{
	struct notice n = {.told_ms = NOON, .lines = ""};

	snprintf(n.kind, sizeof(n.kind), "%s", kind);
	n.request.state = state;
	snprintf(n.request.id, sizeof(n.request.id), "the-request");
	snprintf(n.request.justification, sizeof(n.request.justification), "rotate\r\nthe keys");
	snprintf(n.request.ticket_number, sizeof(n.request.ticket_number), "INC42");
	n.request.duration_ms = 2 * HOUR;
	n.request.start_ms = NOON;
	n.request.end_ms = NOON + 2 * HOUR;
	n.request.approval_until_ms = NOON + DAY;
	n.request.next_cycle_ms = NOON + 40 * MINUTE;
	n.overdue_ms = NOON - HOUR;
	return n;
}

static const struct text_names names = {.person = "Amira Haddad",
					.user_name = "amira@example.com",
					.group = "aws-admins",
					.application = "aws",
					.decided_by = "lead@example.com",
					.why = "go ahead"};

static void expect_text(const struct notice *n, const struct text_reader *reader, const char *subject,
			const char *body)
{
	char line[TEXT_LINE_MAX];
	struct buf out;

	assert_string_equal(text_subject(n, &names, line), subject);
	buf_init(&out, TEXT_BODY_MAX);
	text_body(n, &names, reader, &out);
	assert_string_equal(buf_text(&out), body);
	buf_release(&out);
}

static void test_requested(void **state)
{
	struct notice n = notice_of("approval.requested", ST_AWAITING);
	struct text_reader reader = {
		.with_justification = true, .public_url = "https://jit.example.com", .now_ms = NOON};

	(void)state;
	expect_text(&n, &reader, "Approval wanted: aws-admins, Amira Haddad",
		    "Amira Haddad (amira@example.com) asks for the group aws-admins (application aws), for 2 "
		    "hours.\nReason given: rotate  the keys\nTicket: INC42\n\nAn approver has to decide. If "
		    "nobody does until Thu 26 Nov 2026 12:00 (UTC), the request is denied.\n\nRequest "
		    "the-request\nhttps://jit.example.com\n");
	reader.with_justification = false;
	reader.public_url = "";
	n.request.duration_ms = 0;
	n.request.asked_start_ms = NOON + HOUR;
	expect_text(
		&n, &reader, "Approval wanted: aws-admins, Amira Haddad",
		"Amira Haddad (amira@example.com) asks for the group aws-admins (application aws), until "
		"Wed 25 Nov 2026 14:00 (UTC), from Wed 25 Nov 2026 13:00 (UTC) on.\nTicket: "
		"INC42\n\nAn approver has to decide. If nobody does until Thu 26 Nov 2026 12:00 (UTC), the "
		"request is denied.\n\nRequest the-request\n");
}

static void test_to_requester(void **state)
{
	static const struct {
		const char *kind;
		enum state state;
		const char *error, *subject, *body;
	} rows[] = {
		{"approval.decided", ST_PROVISIONING, "", "Approved: aws-admins, Amira Haddad",
		 "Your request for the group aws-admins (application aws) was approved by lead@example.com.\n"
		 "They wrote: go ahead\n"},
		{"approval.decided", ST_SCHEDULED, "", "Approved: aws-admins, Amira Haddad",
		 "Your request for the group aws-admins (application aws) was approved by lead@example.com.\n"
		 "They wrote: go ahead\nIt begins at Wed 25 Nov 2026 12:00 (UTC).\n"},
		{"approval.decided", ST_DENIED, "Denied by lead@example.com.",
		 "Not granted: aws-admins, Amira Haddad",
		 "Your request for the group aws-admins (application aws) was not granted.\nDenied by "
		 "lead@example.com.\nThey wrote: go ahead\n"},
		{"approval.decided", ST_CANCELED, "", "Withdrawn: aws-admins, Amira Haddad",
		 "Your request for the group aws-admins (application aws) was withdrawn.\nThey wrote: go "
		 "ahead\n"},
		{"activation.provisioned", ST_IN_FORCE, "", "Active: aws-admins, Amira Haddad",
		 "You now have the group aws-admins (application aws), until Wed 25 Nov 2026 14:00 (UTC), "
		 "for "
		 "2 hours.\n\nIf you need it no longer before that, please give it back.\n"},
		{"activation.deferred", ST_DEFERRED, "",
		 "Waits for the next sync cycle: aws-admins, Amira Haddad",
		 "Your activation of the group aws-admins (application aws) waits for the application's next "
		 "sync cycle, Wed 25 Nov 2026 12:40 (UTC).\nMore was asked of the application at once than "
		 "it "
		 "may be sent. Nothing has to be done: the broker takes it up by itself.\n"},
		{"activation.deferred", ST_DEFERRED, "503",
		 "Waits for the next sync cycle: aws-admins, Amira Haddad",
		 "Your activation of the group aws-admins (application aws) waits for the application's next "
		 "sync cycle, Wed 25 Nov 2026 12:40 (UTC).\nThe application could not be reached before: "
		 "503\n"},
		{"activation.ending", ST_IN_FORCE, "", "Ends soon: aws-admins, Amira Haddad",
		 "Your time in the group aws-admins (application aws) ends in 2 hours, at Wed 25 Nov 2026 "
		 "14:00 (UTC).\n\nIf you need it for longer, ask for an extension before it ends.\n"},
		{"activation.ended", ST_EXPIRED, "", "Ended: aws-admins, Amira Haddad",
		 "You no longer have the group aws-admins (application aws).\n"},
		{"activation.failed", ST_FAILED, "No such\ngroup.", "Failed: aws-admins, Amira Haddad",
		 "Your activation of the group aws-admins (application aws) has failed; it gave no "
		 "access.\nWhy: No such group.\n"},
	};
	const struct text_reader reader = {
		.is_requester = true, .with_justification = true, .public_url = "", .now_ms = NOON};
	char body[1024];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct notice n = notice_of(rows[i].kind, rows[i].state);

		snprintf(n.request.error, sizeof(n.request.error), "%s", rows[i].error);
		snprintf(body, sizeof(body), "%s\nRequest the-request\n", rows[i].body);
		expect_text(&n, &reader, rows[i].subject, body);
	}
}

static void test_to_others(void **state)
{
	static const struct {
		const char *kind, *subject, *body;
	} rows[] = {
		{"removal.overdue", "REMOVAL OVERDUE: aws-admins, Amira Haddad",
		 "Amira Haddad (amira@example.com) should no longer have the group aws-admins (application "
		 "aws), but the application has not confirmed the removal for 1 hour. Until it does, the "
		 "access "
		 "may still work.\nThe application's last answer: 503\n\nThe broker keeps trying. Somebody "
		 "should look at the application.\n"},
		{"application.quarantined", "Application in quarantine: aws",
		 "The application aws is in quarantine, because its pushes fail.\nWhy: "
		 "503\n\nRemovals "
		 "are still tried. Somebody should look at the application.\n"},
		{"removals.held", "REMOVALS HELD: aws",
		 "In the application aws, removals wait for an operator's answer.\nWhy: 503\n\nIf the change "
		 "was "
		 "meant, let them go: jit guard aws remove. If it was a mistake, put the configuration "
		 "right; or "
		 "keep them until their own ends: jit guard aws keep.\n"},
		{"token.ending", "Token ends: aws",
		 "The secret token of the application aws ends Wed 25 Nov 2026 14:00 (UTC). Without a good "
		 "one nothing "
		 "can be pushed, not even removals.\n\nMake another one in the application, and set it as "
		 "scim.next_token; then there is no gap.\n"},
		{"membership.drift", "Changed by hand: aws",
		 "The members of the group aws-admins (application aws) were not as they should be.\nWhat "
		 "was "
		 "found: 503\n\nThe audit says who. If you know nothing of a change by hand, look into "
		 "it.\n"},
		{"breakglass.used", "BREAK-GLASS USED: aws-admins, Amira Haddad",
		 "Amira Haddad (amira@example.com) has activated the group aws-admins (application aws) "
		 "without "
		 "approval (break-glass), until Wed 25 Nov 2026 14:00 (UTC).\nTicket: INC42\n\nIf you know "
		 "nothing of an emergency, look into it now.\n"},
		{"activation.provisioned", "Active: aws-admins, Amira Haddad",
		 "Amira Haddad (amira@example.com) now has the group aws-admins (application aws), until Wed "
		 "25 "
		 "Nov 2026 14:00 (UTC), for 2 hours.\nTicket: INC42\n"},
	};
	const struct text_reader reader = {.public_url = "", .now_ms = NOON};
	char body[1024];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct notice n = notice_of(rows[i].kind, ST_EXPIRING);

		snprintf(n.request.error, sizeof(n.request.error), "503");
		snprintf(body, sizeof(body), "%s\nRequest the-request\n", rows[i].body);
		expect_text(&n, &reader, rows[i].subject, body);
	}
}

static void test_held(void **state)
{
	struct notice n = {.kind = "notices.held", .told_ms = NOON, .held = 3, .lines = "one\ntwo\n"};
	const struct text_names nobody = {"", "", "", "", "", ""};
	const struct text_reader reader = {.public_url = "", .now_ms = NOON};
	char line[TEXT_LINE_MAX];
	struct buf out;

	(void)state;
	assert_string_equal(text_subject(&n, &nobody, line), "Mails were held back");
	buf_init(&out, TEXT_BODY_MAX);
	text_body(&n, &nobody, &reader, &out);
	assert_string_equal(
		buf_text(&out),
		"3 mails to you were held back since Wed 25 Nov 2026 12:00 (UTC), because there "
		"were more than a mailbox is sent. This is what they said:\n\n- one\n- two\n- and 1 "
		"more\n");
	buf_release(&out);
}

static void test_late(void **state)
{
	struct notice n = notice_of("approval.requested", ST_AWAITING);
	const struct text_reader reader = {.public_url = "", .now_ms = NOON + 3 * HOUR};

	(void)state;
	n.made_ms = NOON + HOUR;
	n.tries = 1;
	n.request.ticket_number[0] = '\0';
	expect_text(&n, &reader, "Approval wanted: aws-admins, Amira Haddad",
		    "Amira Haddad (amira@example.com) asks for the group aws-admins (application aws), for 2 "
		    "hours.\n\nYou are asked because nobody has decided for 1 hour.\nAn approver has to "
		    "decide. If "
		    "nobody does until Thu 26 Nov 2026 12:00 (UTC), the request is denied.\n\nThis mail is "
		    "late: it "
		    "could not be delivered when it was written, Wed 25 Nov 2026 13:00 (UTC).\n\nRequest "
		    "the-request\n");
}

static void test_for_ever(void **state)
{
	struct notice n = notice_of("activation.provisioned", ST_IN_FORCE);
	const struct text_reader reader = {.is_requester = true, .public_url = "", .now_ms = NOON};

	(void)state;
	n.request.end_ms = INT64_C(253402214400000);
	expect_text(&n, &reader, "Active: aws-admins, Amira Haddad",
		    "You now have the group aws-admins (application aws), without an end.\n\nIf you need it "
		    "no longer "
		    "before that, please give it back.\n\nRequest the-request\n");
}

/* Each kind that the table of states tells has a subject of its own. */
static void test_every_kind(void **state)
{
	size_t count;
	const struct tell *tells = states_tells(&count);
	char line[TEXT_LINE_MAX];

	(void)state;
	for (size_t i = 0; i < count; i++) {
		struct notice n = notice_of(tells[i].name, ST_IN_FORCE);

		text_subject(&n, &names, line);
		assert_int_not_equal(strncmp(line, "Notice", strlen("Notice")), 0);
		assert_true(strlen(tells[i].name) < NOTICE_KIND_SIZE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_durations),  cmocka_unit_test(test_times),
		cmocka_unit_test(test_requested),  cmocka_unit_test(test_to_requester),
		cmocka_unit_test(test_to_others),  cmocka_unit_test(test_held),
		cmocka_unit_test(test_for_ever),   cmocka_unit_test(test_late),
		cmocka_unit_test(test_every_kind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
