/* Who is told of what, by which way, as a configuration says; and what becomes of a delivery by its answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "activation/states.h"
#include "http/http.h"
#include "notice/audience.h"
#include "notice/parcel.h"

#define PLAIN  "11111111-2222-3333-4444-555555555555"
#define STAGED "11111111-2222-3333-4444-666666666666"

/* Files are not looked at: secrets stay empty. */
static const char text[] =
	"environment: test\n"
	"operators: {principals: [olga@example.com]}\n"
	"notices:\n"
	"  ending_before: 5m\n"
	"  overdue_after: 0s\n"
	"  webhooks:\n"
	"    - {name: all, url: \"https://all.example.com/x\", secret: \"file:s\"}\n"
	"    - {name: asks, url: \"https://asks.example.com/x\", secret: \"file:s\", events: "
	"[approval.requested]}\n"
	"    - {name: one, url: \"https://one.example.com/x\", secret: \"file:s\", groups: [" STAGED "]}\n"
	"  mail:\n"
	"    server: smtp://mail.example.com\n"
	"    from: jit@example.com\n"
	"accounts: {amira-admin@example.com: amira@example.com}\n"
	"people:\n"
	"  - {id: 00000000-0000-4000-8000-000000000001, user_name: lead, email: Lead@Example.com}\n"
	"  - {id: 00000000-0000-4000-8000-000000000002, user_name: nomail}\n"
	"applications:\n"
	"  - {id: aws, scim: {url: \"https://scim.example.com\", token: \"file:t\"}}\n"
	"groups:\n"
	"  - id: " PLAIN "\n"
	"    application: aws\n"
	"    name: plain\n"
	"    eligible: {principals: [amira@example.com]}\n"
	"    activation: {notify: [security@example.com, AMIRA@example.com, nomail]}\n"
	"  - id: " STAGED "\n"
	"    application: aws\n"
	"    name: staged\n"
	"    eligible: {principals: [amira@example.com]}\n"
	"    activation:\n"
	"      approval:\n"
	"        stages:\n"
	"          - {approvers: [LEAD, amira@example.com, Amira-Admin@example.com, \"no address\"],\n"
	"             escalation: {after: 1h, approvers: [boss@example.com]}}\n"
	"          - {approvers: [head@example.com]}\n"
	"          - {approver_claims: {groups: [cloud-leads]}, notify: [Cloud-Leads@example.com, "
	"amira-admin@example.com]}\n";

static int load(void **state)
{
	const struct config_source source = {
		.name = "test.yaml", .text = text, .len = strlen(text), .skip_files = true};
	struct config *config = NULL;

	if (config_parse(&source, stderr, &config) != ERR_OK)
		return -1;
	*state = config;
	return 0;
}

static int unload(void **state)
{
	config_unref(*state);
	return 0;
}

/* "hook:all amira@example.com boss@example.com+3600000", in the order of the audience. */
static void expect_audience(const struct config *config, const struct notice *notice, const char *readers)
{
	struct audience *audience = calloc(1, sizeof(*audience));
	char found[1024] = "";
	size_t used = 0;

	assert_non_null(audience);
	assert_int_equal(audience_find(config, notice, audience), ERR_OK);
	for (size_t i = 0; i < audience->count; i++) {
		const struct reader *reader = &audience->readers[i];
		bool mail = reader->mailbox[0] != '\0';

		assert_int_equal(mail, strcmp(reader->target, AUDIENCE_MAIL) == 0);
		used += (size_t)snprintf(found + used, sizeof(found) - used, "%s%s", used > 0 ? " " : "",
					 mail ? reader->mailbox : reader->target);
		if (reader->delay_ms > 0)
			used += (size_t)snprintf(found + used, sizeof(found) - used, "+%lld",
						 (long long)reader->delay_ms);
	}
	free(audience);
	if (strcmp(found, readers) != 0)
		fail_msg("%s: %s, but expected %s", notice->kind, found, readers);
}

static struct notice notice_of(const char *kind, const char *group, unsigned stage)
{
	struct notice n = {.lines = ""};

	snprintf(n.kind, sizeof(n.kind), "%s", kind);
	snprintf(n.request.group, sizeof(n.request.group), "%s", group);
	n.request.stage = stage;
	n.request.person = "{\"userName\":\"amira@example.com\",\"email\":\"amira@example.com\"}";
	return n;
}

static void test_audience(void **state)
{
	static const struct {
		const char *kind, *group;
		unsigned stage;
		const char *readers;
	} rows[] = {
		{"approval.requested", STAGED, 1,
		 "hook:all hook:asks hook:one lead@example.com boss@example.com+3600000"},
		{"approval.requested", STAGED, 2, "hook:all hook:asks hook:one head@example.com"},
		{"approval.requested", STAGED, 3, "hook:all hook:asks hook:one cloud-leads@example.com"},
		{"approval.requested", STAGED, 4, "hook:all hook:asks hook:one"},
		{"approval.decided", STAGED, 1, "hook:all hook:one amira@example.com"},
		{"activation.provisioned", PLAIN, 0, "hook:all amira@example.com security@example.com"},
		{"activation.deferred", PLAIN, 0, "hook:all amira@example.com"},
		{"activation.ending", PLAIN, 0, "hook:all amira@example.com"},
		{"activation.ended", STAGED, 0, "hook:all hook:one amira@example.com"},
		{"activation.failed", PLAIN, 0, "hook:all amira@example.com security@example.com"},
		{"removal.overdue", PLAIN, 0,
		 "hook:all amira@example.com security@example.com olga@example.com"},
		{"breakglass.used", STAGED, 0,
		 "hook:all hook:one amira-admin@example.com amira@example.com lead@example.com "
		 "boss@example.com head@example.com cloud-leads@example.com olga@example.com"},
		{"application.quarantined", "", 0, "hook:all olga@example.com"},
		{"removals.held", "", 0, "hook:all olga@example.com"},
		{"token.ending", "", 0, "hook:all olga@example.com"},
		{"membership.drift", PLAIN, 0,
		 "hook:all amira@example.com security@example.com olga@example.com"},
		{"activation.ended", "11111111-0000-0000-0000-000000000000", 0, "hook:all amira@example.com"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct notice n = notice_of(rows[i].kind, rows[i].group, rows[i].stage);

		expect_audience(*state, &n, rows[i].readers);
	}
}

/* Somebody without an address, or of whom nothing is known, gets no mail. */
static void test_no_mailbox(void **state)
{
	struct notice n = notice_of("activation.ended", PLAIN, 0);

	n.request.person = "{\"userName\":\"amira\",\"email\":\"amira@example.com\\r\\nBcc: eve@evil\"}";
	expect_audience(*state, &n, "hook:all amira@example.com security@example.com");
	n.request.person = NULL;
	expect_audience(*state, &n, "hook:all amira@example.com security@example.com");
}

static void test_tells(void **state)
{
	struct config *config = *state;
	char tells[AUDIENCE_TELLS_SIZE];
	size_t webhooks = config->webhook_count;

	audience_tells(config, tells);
	assert_string_equal(tells, "300000 0 |approval.requested|approval.decided|activation.provisioned|"
				   "activation.deferred|activation.ending|activation.ended|activation.failed|"
				   "removal.overdue|application.quarantined|removals.held|token.ending|"
				   "membership.drift|breakglass.used|");
	/* Without mail and with but one webhook, only what that one wants. */
	config->mail.server[0] = '\0';
	config->webhooks++;
	config->webhook_count = 1;
	audience_tells(config, tells);
	assert_string_equal(tells, "0 0 |approval.requested|");
	/* Without anybody, what the audit tells. */
	config->webhook_count = 0;
	config->overdue_after_ms = 900000;
	audience_tells(config, tells);
	assert_string_equal(tells, "0 900000 |");
	config->webhooks--;
	config->webhook_count = webhooks;
	snprintf(config->mail.server, sizeof(config->mail.server), "smtp://mail.example.com");
}

static void test_hooks(void **state)
{
	const struct config *config = *state;
	char a[AUDIENCE_FINGERPRINT_SIZE], b[AUDIENCE_FINGERPRINT_SIZE];

	assert_ptr_equal(audience_hook(config, "hook:asks"), &config->webhooks[1]);
	assert_null(audience_hook(config, "asks"));
	assert_null(audience_hook(config, "hook:other"));
	assert_null(audience_hook(config, "mail"));
	audience_fingerprint(&config->webhooks[0], a);
	audience_fingerprint(&config->webhooks[1], b);
	assert_string_not_equal(a, b);
	assert_int_equal(strlen(a), AUDIENCE_FINGERPRINT_SIZE - 1);
}

static void test_judgement(void **state)
{
	static const struct {
		bool mail;
		unsigned tries;
		long status;
		const char *retry_after, *words;
		const char *word;
		int64_t delay_ms, silent_ms;
		const char *answer;
	} rows[] = {
		{false, 0, 204, "", "", "done", 0, 0, "The receiver answered 204."},
		{false, 0, 301, "", "", "again", 5000, 0, "The receiver answered 301."},
		{false, 0, 410, "", "", "gone", 0, 0, "The receiver answered 410."},
		{false, 0, 429, "600", "", "again", 600000, 600000, "The receiver answered 429."},
		{false, 1, 503, "", "", "again", 300000, 0, "The receiver answered 503."},
		{false, 0, 502, "", "", "again", 60000, 60000, "The receiver answered 502."},
		{false, 9, 500, "", "", "park", 0, 0, "The receiver answered 500."},
		{false, 0, 0, "", "no answer in time", "again", 5000, 0, "No answer: no answer in time."},
		{true, 0, 250, "", "", "done", 0, 0, "The receiver answered 250."},
		{true, 0, 550, "", "RCPT failed: 550", "park", 0, 0,
		 "The mail server answered 550: RCPT failed: 550."},
		{true, 0, 451, "", "RCPT failed: 451", "again", 5000, 0,
		 "The mail server answered 451: RCPT failed: 451."},
		{true, 0, 535, "", "Login denied", "again", 5000, 0,
		 "The mail server answered 535: Login denied."},
		{true, 9, 0, "", "it closed the connection", "park", 0, 0,
		 "No answer: it closed the connection."},
	};
	const struct config *config = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct parcel parcel = {.hook = rows[i].mail ? NULL : &config->webhooks[0],
					.tries = rows[i].tries};
		const struct http_answer answer = {.status = rows[i].status,
						   .retry_after = rows[i].retry_after,
						   .body = "",
						   .words = rows[i].words};
		struct parcel_result result;

		parcel_judge(&parcel, &answer, 0, &result);
		assert_string_equal(result.word, rows[i].word);
		assert_int_equal(result.delay_ms, rows[i].delay_ms);
		assert_int_equal(result.silent_ms, rows[i].silent_ms);
		assert_string_equal(result.answer, rows[i].answer);
	}
}

/* What this version knows no words for waits for a broker that does, but not for ever. */
static void test_left(void **state)
{
	static const struct {
		const char *kind;
		int64_t since_ms;
		bool is_left;
	} rows[] = {
		{"something.later", 0, true},         {"something.later", 86399999, true},
		{"something.later", 86400000, false}, {"approval.requested", 0, false},
		{"breakglass.used", 0, false},        {"notices.held", 0, false},
	};
	size_t count;
	const struct tell *tell = states_tells(&count);

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct notice n = notice_of(rows[i].kind, PLAIN, 0);

		if (audience_leaves(&n, n.told_ms + rows[i].since_ms) != rows[i].is_left)
			fail_msg("row %zu", i);
	}
	for (size_t i = 0; i < count; i++) {
		struct notice n = notice_of(tell[i].name, PLAIN, 0);

		assert_false(audience_leaves(&n, n.told_ms));
	}
}

/* Which mail is sent whatever else is sent to that mailbox. */
static void test_alarms(void **state)
{
	static const struct {
		const char *kind;
		bool is_alarm;
	} rows[] = {
		{"breakglass.used", true},   {"removal.overdue", true},   {"application.quarantined", true},
		{"removals.held", true},     {"token.ending", true},      {"notices.held", true},
		{"membership.drift", false}, {"activation.ended", false}, {"approval.requested", false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct notice n = notice_of(rows[i].kind, PLAIN, 0);
		struct parcel *parcel;

		snprintf(n.target, sizeof(n.target), "%s", AUDIENCE_MAIL);
		snprintf(n.to, sizeof(n.to), "%s", "lead@example.com");
		id_make(0, n.delivery);
		assert_int_equal(parcel_new(*state, &n, 0, &parcel), ERR_OK);
		if (parcel->is_alarm != rows[i].is_alarm)
			fail_msg("%s", rows[i].kind);
		parcel_free(parcel);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_audience),  cmocka_unit_test(test_no_mailbox),
		cmocka_unit_test(test_tells),     cmocka_unit_test(test_hooks),
		cmocka_unit_test(test_judgement), cmocka_unit_test(test_left),
		cmocka_unit_test(test_alarms),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
