/*
 * Mail that really leaves the broker, as a real SMTP server takes it: by STARTTLS and signed in, to those concerned, in
 * the person's time zone; also when the server was away, and never more to a mailbox than it may be sent.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <hiredis/hiredis.h>

#include "tests/support/oidc_provider.h"
#include "tests/support/receivers.h"
#include "tests/support/scene.h"
#include "tests/support/wait.h"

#define ANN  3
#define LEAD 1

struct mail_world {
	struct world world;
	struct mail_server server;
	char password[32], more[1024];
};

static int begin(void **state)
{
	struct mail_world *w = calloc(1, sizeof(*w));
	int fd;

	*state = w;
	if (w == NULL || !mail_server_start(&w->server))
		return -1;
	snprintf(w->password, sizeof(w->password), "/tmp/jit-mail-pw-XXXXXX");
	fd = mkstemp(w->password);
	return fd >= 0 && write(fd, MAIL_PASSWORD, strlen(MAIL_PASSWORD)) == (ssize_t)strlen(MAIL_PASSWORD) &&
			       close(fd) == 0
		       ? 0
		       : -1;
}

static int end(void **state)
{
	struct mail_world *w = *state;
	bool clean = world_stop(&w->world);

	mail_server_end(&w->server);
	unlink(w->password);
	free(w);
	return clean ? 0 : -1;
}

static void open_world(struct mail_world *w, const char *mail, const char *group)
{
	struct world_options options = scene_defaults();

	snprintf(w->more, sizeof(w->more),
		 "notices:\n  public_url: https://jit.example.com\n  mail:\n"
		 "    server: \"smtp://127.0.0.1:%d\"\n    ca: \"%s\"\n    user: " MAIL_USER "\n"
		 "    password: \"file:%s\"\n    from: jit@example.com\n    zone: Asia/Kathmandu\n%s",
		 w->server.port, w->server.certificate, w->password, mail);
	options.more = w->more;
	options.groups = 6;
	options.group.more = group;
	assert_true(world_start(&w->world, &options));
}

static void expect_mail(struct mail_world *w, const char *text, char line[8192])
{
	assert_true(mail_server_wait(&w->server, text, SCENE_PATIENCE, line, 8192));
	assert_non_null(strstr(line, "\"tls\": true, \"authenticated\": true, \"defects\": []"));
}

static void expect_text(const char *line, const char *text)
{
	if (strstr(line, text) == NULL)
		fail_msg("%s is not in %s", text, line);
}

static void ask_approval(const struct mail_world *w, size_t person, size_t group, char id[ID_SIZE])
{
	scene_activate(&w->world,
		       &(struct world_ask){.person = person,
					   .group = group,
					   .duration = "PT2H",
					   .justification = "to rotate the keys"},
		       id);
}

static void decide(const struct mail_world *w, const char *id, const char *result, int status)
{
	struct http_response response;
	char url[256], body[128];

	snprintf(url, sizeof(url), PIM "assignmentApprovals/%s/stages", id);
	scene_get(&w->world, LEAD, url, &response);
	snprintf(url, sizeof(url), PIM "assignmentApprovals/%s/stages/%s", id,
		 http_json_text(&response, "value.0.id"));
	http_response_release(&response);
	snprintf(body, sizeof(body), "{\"reviewResult\":\"%s\",\"justification\":\"as agreed\"}", result);
	broker_call(
		&w->world.brokers[0],
		&(struct http_request){
			.method = "PATCH", .url = url, .bearer = world_token(&w->world, LEAD), .body = body},
		&response);
	assert_int_equal(response.status, status);
	http_response_release(&response);
}

static void test_approval(void **state)
{
	struct mail_world *w = *state;
	char line[8192], id[ID_SIZE], reference[128];

	open_world(
		w, "",
		"      approval: {approvers: [person1@example.com, person3@example.com, Boss@Example.com]}\n"
		"      notify: [security@example.com]\n");
	/* She has a zone of her own. */
	((struct broker_person *)(uintptr_t)w->world.config.people)[ANN].zone = "Pacific/Marquesas";
	assert_true(scene_reload(&w->world, 0));
	ask_approval(w, ANN, 0, id);
	expect_mail(w, "\"person1@example.com\"", line);
	expect_text(line, "[\"Subject\", \"Approval wanted: group-0, person3@example.com\"]");
	expect_text(line, "person3@example.com asks for the group group-0 (application app), for 2 hours.");
	expect_text(line, "Reason given: to rotate the keys");
	expect_text(line, "(Asia/Kathmandu, UTC+05:45)");
	expect_text(line, "https://jit.example.com");
	expect_text(line, "[\"Auto-Submitted\", \"auto-generated\"]");
	snprintf(reference, sizeof(reference), "[\"References\", \"<request-%s@example.com>\"]", id);
	expect_text(line, reference);
	expect_mail(w, "\"boss@example.com\"", line);
	decide(w, id, "Approve", 204);
	expect_mail(w, "Approved: group-0", line);
	expect_text(line, "\"mail\": [\"person3@example.com\"]");
	expect_text(line, "They wrote: as agreed");
	expect_mail(w, "\"security@example.com\"", line);
	expect_text(line, "[\"Subject\", \"Active: group-0, person3@example.com\"]");
	expect_mail(w, "You now have the group group-0", line);
	expect_text(line, "(Pacific/Marquesas, UTC-09:30)");
	/* Nobody is asked to decide about their own request. */
	assert_int_equal(mail_server_count(&w->server, "Approval wanted"), 2);
	world_passed(&w->world);
}

/* Somebody had said yes, but a limit has ended it: that is what the requester reads. */
static void test_limit(void **state)
{
	struct mail_world *w = *state;
	char line[8192], first[ID_SIZE], id[ID_SIZE];

	open_world(w, "    events: [approval.decided]\n",
		   "      approval: {approvers: [person1@example.com]}\n      max_active: 1\n");
	ask_approval(w, ANN, 0, first);
	ask_approval(w, ANN + 1, 0, id);
	decide(w, first, "Approve", 204);
	decide(w, id, "Approve", 400);
	expect_mail(w, "Not granted: group-0", line);
	expect_text(line, "\"mail\": [\"person4@example.com\"]");
	expect_text(line, "was not granted.\\r\\nAs many people as the group may have at once have "
			  "it.\\r\\n\\r\\nRequest");
	world_passed(&w->world);
}

static void break_glass(const struct mail_world *w, size_t person, size_t group)
{
	struct http_response response;
	char body[512];

	snprintf(body, sizeof(body),
		 "{\"accessId\":\"member\",\"action\":\"selfActivate\",\"breakGlass\":true,"
		 "\"groupId\":\"%s\",\"justification\":\"everything is on fire\"}",
		 world_group_id(&w->world, group));
	broker_call(&w->world.brokers[0],
		    &(struct http_request){.url = PIM "assignmentScheduleRequests",
					   .bearer = world_token(&w->world, person),
					   .body = body},
		    &response);
	assert_int_equal(response.status, 201);
	http_response_release(&response);
}

static void wait_count(const struct mail_world *w, const char *text, size_t count)
{
	for (int i = 0; mail_server_count(&w->server, text) < count; i++) {
		assert_true(i < SCENE_PATIENCE / 20);
		wait_a_little(20);
	}
}

/* Every approver learns that the glass was broken, of whatever stage, and operators by name do. */
static void test_break_glass(void **state)
{
	struct mail_world *w = *state;
	char line[8192];

	open_world(w,
		   "    events: [breakglass.used]\n    most: 1\n    most_for_one: 1\noperators: {principals: "
		   "[olga@example.com]}\n",
		   "      approval: {stages: [{approvers: [person1@example.com]}, {approvers: "
		   "[head@example.com]}]}\n"
		   "      break_glass: {principals: [person3@example.com]}\n");
	for (size_t group = 0; group < 2; group++)
		break_glass(w, ANN, group);
	/* An alarm comes through whatever else a mailbox was sent. */
	wait_count(w, "BREAK-GLASS USED", 6);
	expect_mail(w, "\"head@example.com\"", line);
	expect_text(line, "person3@example.com has activated the group group-");
	expect_text(line, "Reason given: everything is on fire");
	expect_mail(w, "\"olga@example.com\"", line);
	expect_mail(w, "\"person1@example.com\"", line);
	world_passed(&w->world);
}

/* Broken glasses of one person: so many mails to a mailbox, then one that tells of the rest; those of others come through,
 * and every one of them is marked in its request. */
static void test_break_glass_flood(void **state)
{
	struct mail_world *w = *state;
	struct http_response response;
	char line[8192];

	open_world(
		w,
		"    events: [breakglass.used]\n    most: 1\n    most_for_one: 1\n    most_break_glass: 2\n"
		"    per: 3s\n",
		"      approval: {approvers: [person1@example.com]}\n"
		"      break_glass: {principals: [person3@example.com, person4@example.com]}\n");
	for (size_t group = 0; group < 5; group++)
		break_glass(w, ANN, group);
	break_glass(w, ANN + 1, 0);
	expect_mail(w, "were held back", line);
	expect_text(line, "3 mails to you were held back");
	expect_text(line, "- BREAK-GLASS USED: group-");
	wait_count(w, "\"Subject\", \"BREAK-GLASS USED", 3);
	assert_int_equal(mail_server_count(&w->server, "\"Subject\", \"BREAK-GLASS USED"), 3);
	scene_get(&w->world, ANN, PIM "assignmentScheduleRequests/filterByCurrentUser(on='principal')",
		  &response);
	assert_int_equal(cJSON_GetArraySize(http_json(&response, "value")), 5);
	for (int i = 0; i < 5; i++) {
		char path[32];

		snprintf(path, sizeof(path), "value.%d.breakGlass", i);
		assert_true(cJSON_IsTrue(http_json(&response, path)));
	}
	http_response_release(&response);
	world_passed(&w->world);
}

/* Two mails to a mailbox on account of one person, three in all; what is beyond is told in one mail. */
static void test_flood(void **state)
{
	struct mail_world *w = *state;
	char line[8192], id[ID_SIZE];

	open_world(w,
		   "    justification: false\n    events: [approval.requested]\n    most: 3\n    "
		   "most_for_one: 2\n    per: 3s\n",
		   "      approval: {approvers: [person1@example.com]}\n");
	for (size_t group = 0; group < 5; group++)
		ask_approval(w, ANN, group, id);
	ask_approval(w, ANN + 1, 0, id);
	expect_mail(w, "were held back", line);
	expect_text(line, "3 mails to you were held back");
	expect_text(line, "- Approval wanted: group-");
	assert_int_equal(mail_server_count(&w->server, "\"Subject\", \"Approval wanted"), 3);
	assert_int_equal(mail_server_count(&w->server, "rotate"), 0);
	world_passed(&w->world);
}

/* Whoever asks by two accounts of theirs is one person, who has the mails of one. */
static void test_accounts(void **state)
{
	struct mail_world *w = *state;
	char line[8192], id[ID_SIZE];

	open_world(w,
		   "    events: [approval.requested]\n    most_for_one: 2\n    per: 3s\n"
		   "accounts: {Person4@Example.com: person3@example.com}\n",
		   "      approval: {approvers: [person1@example.com]}\n");
	for (size_t group = 0; group < 4; group++)
		ask_approval(w, ANN + group % 2, group, id);
	expect_mail(w, "were held back", line);
	expect_text(line, "2 mails to you were held back");
	assert_int_equal(mail_server_count(&w->server, "\"Subject\", \"Approval wanted"), 2);
	world_passed(&w->world);
}

/* The server is away, then refuses one mailbox for good; what can be delivered is. */
static void test_server_away(void **state)
{
	struct mail_world *w = *state;
	struct http_response response;
	char line[8192], id[ID_SIZE];

	open_world(w, "    events: [approval.requested]\n",
		   "      approval: {approvers: [person1@example.com, refused@example.com]}\n");
	mail_server_kill9(&w->server);
	ask_approval(w, ANN, 0, id);
	for (int i = 0;; i++) {
		scene_get(&w->world, 0, "/api/notices", &response);
		if (cJSON_GetArraySize(http_json(&response, "value")) == 2 &&
		    http_json_text(&response, "value.0.lastAnswer") != NULL &&
		    http_json_text(&response, "value.1.lastAnswer") != NULL)
			break;
		http_response_release(&response);
		assert_true(i < SCENE_PATIENCE / 20);
		wait_a_little(20);
	}
	assert_null(strstr(buf_text(&response.body), MAIL_PASSWORD));
	http_response_release(&response);
	assert_true(mail_server_start(&w->server));
	assert_true(notices_pass(&w->world, 7000));
	expect_mail(w, "\"person1@example.com\"", line);
	for (int i = 0;; i++) {
		const char *delivery_state;

		scene_get(&w->world, 0, "/api/notices", &response);
		delivery_state = http_json_text(&response, "value.0.state");
		if (delivery_state != NULL && strcmp(delivery_state, "parked") == 0)
			break;
		http_response_release(&response);
		assert_true(i < SCENE_PATIENCE / 20);
		wait_a_little(20);
	}
	assert_string_equal(http_json_text(&response, "value.0.mailbox"), "refused@example.com");
	assert_non_null(strstr(http_json_text(&response, "value.0.lastAnswer"), "550"));
	http_response_release(&response);
	world_passed(&w->world);
}

/* The first delivery of the list, once its answer holds that text. Release the response. */
static void wait_answer(const struct mail_world *w, const char *text, struct http_response *response)
{
	for (int i = 0;; i++) {
		const char *answer;

		scene_get(&w->world, 0, "/api/notices", response);
		answer = http_json_text(response, "value.0.lastAnswer");
		if (answer != NULL && strstr(answer, text) != NULL)
			return;
		http_response_release(response);
		assert_true(i < SCENE_PATIENCE / 20);
		wait_a_little(20);
	}
}

/* What no words can be found for is not left to later versions for ever: operators see it among what is parked. */
static void test_unwritable(void **state)
{
	struct mail_world *w = *state;
	struct http_response response;
	char id[ID_SIZE], url[128];
	redisReply *reply;

	open_world(w, "    events: [approval.requested]\n",
		   "      approval: {approvers: [person1@example.com]}\n");
	mail_server_kill9(&w->server);
	ask_approval(w, ANN, 0, id);
	wait_answer(w, "", &response);
	snprintf(id, sizeof(id), "%s", http_json_text(&response, "value.0.id"));
	http_response_release(&response);
	reply = redis_server_command(
		&w->world.redis, "EVAL %s 1 {j%d}:nd:%s",
		"local d = cmsgpack.unpack(redis.call('GET', KEYS[1])) d.no.k = 'other' "
		"d.no.t = d.no.t - 24 * 3600 * 1000 redis.call('SET', KEYS[1], cmsgpack.pack(d)) return 1",
		id_lane(id), id);
	assert_non_null(reply);
	assert_int_equal(reply->type, REDIS_REPLY_INTEGER);
	freeReplyObject(reply);
	snprintf(url, sizeof(url), "/api/notices/%s/send", id);
	broker_call(&w->world.brokers[0],
		    &(struct http_request){.method = "POST", .url = url, .bearer = world_token(&w->world, 0)},
		    &response);
	assert_int_equal(response.status / 100, 2);
	http_response_release(&response);
	wait_answer(w, "could not write it", &response);
	assert_string_equal(http_json_text(&response, "value.0.state"), "parked");
	http_response_release(&response);
	world_passed(&w->world);
}

static void ask_as(const struct mail_world *w, const char *token, size_t group,
		   struct http_response *response)
{
	char body[256];

	snprintf(body, sizeof(body),
		 "{\"accessId\":\"member\",\"action\":\"selfActivate\",\"groupId\":\"%s\",\"justification\":"
		 "\"x\"}",
		 world_group_id(&w->world, group));
	broker_call(&w->world.brokers[0],
		    &(struct http_request){
			    .url = PIM "assignmentScheduleRequests", .bearer = token, .body = body},
		    response);
}

/* The person's mails go by the clocks that their token names, where the configuration knows them; whatever else it names is
 * none. */
static void test_zone_of_the_token(void **state)
{
	static const struct {
		const char *zone, *shown;
	} rows[] = {
		{"\"Pacific/Marquesas\"", "(Pacific/Marquesas, UTC-09:30)"},
		{"\"America/Lima\"", "(Asia/Kathmandu, UTC+05:45)"}, /* which is not configured */
		{"\"../../../etc/localtime\"", "(Asia/Kathmandu, UTC+05:45)"},
		{"{\"Pacific/Marquesas\":1}", "(Asia/Kathmandu, UTC+05:45)"},
		{"null", "(Asia/Kathmandu, UTC+05:45)"},
	};
	struct mail_world *w = *state;
	struct oidc_provider provider;
	char more[512], line[8192];

	assert_true(oidc_provider_start(&provider));
	snprintf(more, sizeof(more),
		 "    zones: [Pacific/Marquesas]\nsign_in: [{issuer: \"%s\", audience: \"" OIDC_AUDIENCE
		 "\"}]\n",
		 provider.issuer);
	open_world(w, more, "");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char wanted[256], text[64], *token;
		struct http_response response;

		snprintf(wanted, sizeof(wanted),
			 "{\"claims\":{\"preferred_username\":\"person3@example.com\",\"zoneinfo\":%s}}",
			 rows[i].zone);
		assert_true(oidc_provider_token(&provider, wanted, &token));
		ask_as(w, token, i, &response);
		assert_int_equal(response.status, 201);
		http_response_release(&response);
		free(token);
		snprintf(text, sizeof(text), "You now have the group group-%zu", i);
		expect_mail(w, text, line);
		expect_text(line, rows[i].shown);
	}
	oidc_provider_end(&provider);
	world_passed(&w->world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_approval, begin, end),
		cmocka_unit_test_setup_teardown(test_limit, begin, end),
		cmocka_unit_test_setup_teardown(test_break_glass, begin, end),
		cmocka_unit_test_setup_teardown(test_break_glass_flood, begin, end),
		cmocka_unit_test_setup_teardown(test_flood, begin, end),
		cmocka_unit_test_setup_teardown(test_accounts, begin, end),
		cmocka_unit_test_setup_teardown(test_server_away, begin, end),
		cmocka_unit_test_setup_teardown(test_unwritable, begin, end),
		cmocka_unit_test_setup_teardown(test_zone_of_the_token, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
