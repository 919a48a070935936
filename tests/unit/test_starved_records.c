/*
 * The configuration, and what is decided and told by it, while memory runs out: a configuration is taken whole or refused,
 * nobody loses or gets what they should not, and no notice or line of the audit says less than it should.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "activation/audit_event.h"
#include "audit/seal.h"
#include "broker/person.h"
#include "broker/recheck.h"
#include "config/config.h"
#include "escrow/line.h"
#include "notice/audience.h"
#include "notice/parcel.h"
#include "tests/support/starve.h"
#include "tests/support/sweep.h"

#define FILE_MAX 65536
#define NOW_MS   INT64_C(1800000000000)
#define GROUP    "11111111-2222-3333-4444-000000000002"
#define OTHER    "11111111-2222-3333-4444-000000000003"

/* libyaml forgets what it holds when memory is short; it is asked when a broker starts or reads its file anew. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:yaml_parser_load\n";
}

/* -- the configuration -------------------------------------------------------------------------------------- */

static const char *text_of(const char *path)
{
	static char text[FILE_MAX];
	FILE *file = fopen(path, "rb");
	size_t len;

	assert_non_null(file);
	len = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[len] = '\0';
	return text;
}

static struct config *parse(const char *text, char **report)
{
	struct config_source source = {
		.name = "test.yaml", .text = text, .len = strlen(text), .skip_files = true};
	struct config *config = NULL;
	size_t len;
	FILE *out = open_memstream(report, &len);
	enum err err;

	assert_non_null(out);
	err = config_parse(&source, out, &config);
	assert_int_equal(fclose(out), 0);
	assert_int_equal(err == ERR_OK, config != NULL);
	return config;
}

static void add_names(struct seen *seen, const struct policy_names *names)
{
	seen_add(seen, "[");
	for (size_t i = 0; i < names->count; i++)
		seen_add(seen, "%s ", names->list[i]);
	seen_add(seen, "]");
}

static void add_policy(struct seen *seen, const struct policy *policy)
{
	seen_add(seen, "\n%lld %lld %lld %lld %d", (long long)policy->min_ms, (long long)policy->max_ms,
		 (long long)policy->default_ms, (long long)policy->max_active, (int)policy->on_lost);
	for (size_t i = 0; i < policy->approval.count; i++) {
		add_names(seen, &policy->approval.list[i].approvers.principals);
		seen_add(seen, "%zu", policy->approval.list[i].approvers.claims.count);
	}
	add_names(seen, &policy->exclusive);
	add_names(seen, &policy->notify);
	add_names(seen, &policy->authentication);
	seen_add(seen, "%zu %d", policy->hours.count, policy->ticket_pattern != NULL);
}

static void add_config(struct seen *seen, const struct config *config)
{
	seen_add(seen, "%s %s %d %s %zu %zu %zu", config->policies, config->listen_host, config->listen_port,
		 config->redis_url, config->people_count, config->webhook_count, config->issuer_count);
	add_names(seen, &config->operators.principals);
	for (size_t i = 0; i < config->application_count; i++)
		seen_add(seen, " %s %s %zu", config->applications[i].id, config->applications[i].scim.url,
			 config->applications[i].scim.mapping.count);
	for (size_t i = 0; i < config->group_count; i++)
		add_policy(seen, &config->groups[i].policy);
}

static bool read_config(const void *given, struct seen *seen)
{
	char *report = NULL;
	struct config *config = parse(given, &report);
	bool is_short = strstr(report, "out of memory") != NULL;

	if (config != NULL)
		add_config(seen, config);
	else if (!is_short)
		seen_add(seen, "%s", report);
	/* Want of memory refuses the whole, and is said. */
	assert_false(config != NULL && is_short);
	config_unref(config);
	free(report);
	return !is_short;
}

static void configurations(void **state)
{
	static const char *const names[] = {"policy", "sources", "sign-in"};
	char path[256];

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "tests/golden/config/%s.yaml", names[i]);
		print_message("%s: %ld allocations\n", path, sweep(path, read_config, text_of(path)));
	}
}

/* -- what is decided by it ---------------------------------------------------------------------------------- */

static const char config_text[] =
	"environment: test\n"
	"redis: {url: unix:/r}\n"
	"operators: {principals: [olga@example.com]}\n"
	"notices:\n"
	"  webhooks: [{name: all, url: \"https://hooks.example.com/x\", secret: file:x, next_secret: "
	"file:y}]\n"
	"  mail: {server: \"smtp://127.0.0.1:25\", from: jit@example.com}\n"
	"applications: [{id: app, scim: {url: \"https://scim.example.com\", token: file:x}}]\n"
	"groups:\n"
	"  - id: " GROUP "\n"
	"    application: app\n"
	"    name: admins\n"
	"    eligible: {claims: {groups: [staff]}}\n"
	"    activation:\n"
	"      on_lost_eligibility: remove\n"
	"      max_active: 3\n"
	"      exclusive_with: [" OTHER "]\n"
	"      approval: {approvers: [lead@example.com, amira@example.com]}\n"
	"      notify: [security@example.com]\n"
	"  - {id: " OTHER ", application: app, name: other, eligible: {principals: [bo@example.com]}}\n";

static struct config *config;

static int load(void **state)
{
	char *report = NULL;

	(void)state;
	config = parse(config_text, &report);
	if (config == NULL)
		fprintf(stderr, "%s", report);
	free(report);
	return config != NULL ? 0 : -1;
}

static int unload(void **state)
{
	(void)state;
	config_unref(config);
	return 0;
}

static struct notice make_notice(const char *kind, const char *target)
{
	struct notice n = {.lines = "", .told_ms = NOW_MS};

	snprintf(n.kind, sizeof(n.kind), "%s", kind);
	snprintf(n.delivery, sizeof(n.delivery), "00000000-0000-8000-8000-000000000001");
	snprintf(n.target, sizeof(n.target), "%s", target);
	snprintf(n.to, sizeof(n.to), "lead@example.com");
	snprintf(n.request.id, sizeof(n.request.id), "00000000-0000-8000-8000-000000000002");
	snprintf(n.request.action, sizeof(n.request.action), "selfActivate");
	snprintf(n.request.application, sizeof(n.request.application), "app");
	snprintf(n.request.group, sizeof(n.request.group), GROUP);
	snprintf(n.request.principal, sizeof(n.request.principal), "p");
	snprintf(n.request.justification, sizeof(n.request.justification), "the test asks");
	n.request.stage = 1;
	n.request.needed_approval = true;
	n.request.duration_ms = 3600000;
	n.request.person = "{\"userName\":\"amira@example.com\",\"displayName\":\"Amira\",\"email\":"
			   "\"amira@example.com\",\"claims\":[[\"groups\",\"staff\"]]}";
	n.request.decisions =
		"[{\"sg\":1,\"by\":\"l\",\"name\":\"lead@example.com\",\"res\":\"Approve\",\"at\":"
		"1800000000000,\"why\":\"fine\"}]";
	return n;
}

/* Is it allowed still, within which limits? */
static bool look_again(const void *given, struct seen *seen)
{
	struct errctx why = {""};
	struct buf limits;
	enum err err;

	buf_init(&limits, 4096);
	err = recheck_start(config, given, NOW_MS, &limits, &why);
	seen_add(seen, "%d %s %s", (int)err, buf_text(&limits), why.text);
	buf_release(&limits);
	return err != ERR_NOMEM;
}

/* Memory that is short takes nothing away: it says what would be said of somebody who is eligible. */
static bool still_eligible(const void *given, struct seen *seen)
{
	int64_t until_ms = 0;

	seen_add(seen, "%d", (int)recheck_eligible(config, given, NOW_MS, &until_ms));
	return true;
}

static void decisions(void **state)
{
	struct notice n = make_notice("approval.requested", "");

	(void)state;
	assert_true(sweep("a start", look_again, &n.request) > 5);
	assert_true(sweep("eligible", still_eligible, &n.request) > 5);
}

/* -- what is told ------------------------------------------------------------------------------------------- */

static bool find_audience(const void *given, struct seen *seen)
{
	static struct audience audience;
	enum err err = audience_find(config, given, &audience);

	for (size_t i = 0; i < audience.count; i++)
		seen_add(seen, "%s %s ", audience.readers[i].target, audience.readers[i].mailbox);
	return err == ERR_OK;
}

static bool make_parcel(const void *given, struct seen *seen)
{
	struct parcel *parcel = NULL;

	if (parcel_new(config, given, NOW_MS, &parcel) != ERR_OK)
		return false;
	seen_add(seen, "%s %s", parcel->line, buf_text(&parcel->text));
	parcel_free(parcel);
	return true;
}

static void notices(void **state)
{
	struct notice asked = make_notice("approval.requested", "mail");
	struct notice decided = make_notice("approval.decided", "hook:all");
	struct notice given = make_notice("activation.provisioned", "mail");

	(void)state;
	assert_true(sweep("an audience", find_audience, &asked) > 5);
	assert_true(sweep("of the requester", find_audience, &given) > 5);
	assert_true(sweep("a mail", make_parcel, &asked) > 5);
	assert_true(sweep("a webhook", make_parcel, &decided) > 5);
}

/* -- the audit ---------------------------------------------------------------------------------------------- */

static bool write_line(const void *given, struct seen *seen)
{
	char digest[SHA256_HEX] = "";
	struct buf lines;
	bool ok;

	seal_lines_begin(&lines, "");
	seal_lines_add(&lines, 3, given);
	seen_add(seen, "%s", buf_text(&lines));
	ok = seal_lines_end(&lines, digest);
	seen_add(seen, "%s", digest);
	return ok;
}

static bool link_line(const void *given, struct seen *seen)
{
	char link[SHA1_HEX] = "";
	bool ok = audit_event_link(given, "", link);

	seen_add(seen, "%s", link);
	return ok;
}

static bool read_seal(const void *given, struct seen *seen)
{
	const struct audit_event *event = given;
	struct seal seal = {0};
	enum err err = seal_read(&seal, &event->fields[AUDIT_DETAILS]);

	seen_add(seen, "%d %lld", (int)err, (long long)seal.to);
	return err != ERR_NOMEM;
}

static void the_audit(void **state)
{
	struct audit_event event = {.number = 17, .link = "l"};
	struct seal seal = {.from = 1, .to = 16};
	const struct seal_keys keys = {.key = "0123456789abcdef0123456789abcdef", .former = ""};
	char details[SEAL_DETAILS_SIZE];

	(void)state;
	memset(seal.digest, 'a', sizeof(seal.digest) - 1);
	seal_make(&seal, 3, &keys);
	seal_print(&seal, details);
	for (size_t i = 0; i < AUDIT_FIELDS; i++)
		event.fields[i] = (struct audit_text){"", 0};
	event.fields[AUDIT_EVENT] = (struct audit_text){"seal", 4};
	event.fields[AUDIT_AT] = (struct audit_text){"1800000000123", 13};
	event.fields[AUDIT_WHO] = (struct audit_text){"{\"id\":\"i\"}", 10};
	event.fields[AUDIT_DETAILS] = (struct audit_text){details, strlen(details)};
	assert_true(sweep("a line", write_line, &event) > 5);
	assert_true(sweep("a link", link_line, &event) > 0);
	assert_true(sweep("a seal", read_seal, &event) > 5);
}

/* A manifest whose seals do not hold would be found only when it is needed. */
static void a_seal_of_the_escrow(void **state)
{
	char calm[SHA256_HEX] = "", starved[SHA256_HEX] = "";

	(void)state;
	escrow_seal("0123456789abcdef0123456789abcdef", "a line", calm);
	starve_from(1, STARVE_REST);
	escrow_seal("0123456789abcdef0123456789abcdef", "a line", starved);
	assert_int_equal(starve_end(), 0);
	assert_string_equal(starved, calm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(configurations),
		cmocka_unit_test_setup_teardown(decisions, load, unload),
		cmocka_unit_test_setup_teardown(notices, load, unload),
		cmocka_unit_test(the_audit),
		cmocka_unit_test(a_seal_of_the_escrow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
