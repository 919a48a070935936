#include "tests/support/lane_story.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/lane_story_line.h"

static void pair(struct lane_story_line *line, const char *name, const char *value)
{
	lane_arg(line->lane, name);
	lane_arg(line->lane, value);
}

static void pair_time(struct lane_story_line *line, const char *name, const char *value)
{
	if (value[0] != '\0') {
		lane_arg(line->lane, name);
		lane_argf(line->lane, "%lld", (long long)LANE_EPOCH_MS + strtoll(value, NULL, 10));
	}
}

const char *line_limits(const struct lane_story_line *line, char out[64])
{
	snprintf(out, 64, "%s", line_option(line, "limits", ""));
	if (strchr(out, '_') != NULL)
		*strchr(out, '_') = ' ';
	if (line_option(line, "person", "")[0] != '\0')
		snprintf(out + strlen(out), 64 - strlen(out), "\n%s", line_option(line, "person", ""));
	return out;
}

static void request_pairs(struct lane_story_line *line, const char *action)
{
	pair(line, "ac", line_option(line, "action", action));
	pair(line, "ap", "aws");
	pair(line, "g", line->word[3]);
	pair(line, "p", line->word[4]);
	pair(line, "by", line->word[4]);
	pair(line, "h", line_option(line, "h", "h"));
}

/* A request in an answer: its id unless it is the one that was asked for, its state, place and next cycle. */
static void say_request(struct lane_story_line *line, const redisReply *request)
{
	const redisReply *place = lane_field(request, "place");

	if (lane_at(request, 0) == NULL)
		return;
	if (strcmp(lane_text(lane_field(request, "id")), line->word[2]) != 0)
		line_word(line, lane_text(lane_field(request, "id")));
	line_word(line, lane_text(lane_field(request, "st")));
	if (place != NULL) {
		line_say(line, " place=%lld next=", (long long)lane_int(place));
		line_value(line, lane_field(request, "next_cycle"));
	}
	if (lane_text(lane_field(request, "beyond"))[0] != '\0')
		line_say(line, " beyond=%s", lane_text(lane_field(request, "beyond")));
}

static void submit(struct lane_story_line *line, const char *only_try)
{
	struct lane *lane = line->lane;
	redisReply *reply;
	char limits[64];

	lane_begin(lane, "jit_submit");
	lane_arg(lane, lane->terms);
	lane_arg(lane, line->word[2]);
	lane_argf(lane, "P%s", line->word[2]);
	lane_argf(lane, "{\"userName\":\"%s\"}", line->word[4]);
	lane_argf(lane, "name of %s", line->word[3]);
	lane_arg(lane, only_try);
	request_pairs(line, "selfActivate");
	if (line->word[5][0] >= '0' && line->word[5][0] <= '9')
		pair(line, "d", line->word[5]);
	pair(line, "limits", line_limits(line, limits));
	pair(line, "aw", line_option(line, "wait", ""));
	pair(line, "bg", line_option(line, "glass", ""));
	pair(line, "ck", line_option(line, "ck", ""));
	pair_time(line, "a", line_option(line, "start", ""));
	pair_time(line, "e", line_option(line, "end", ""));
	reply = line_ask(line);
	say_request(line, lane_at(reply, 3));
	line_push(line, lane_at(reply, 4));
	freeReplyObject(reply);
}

static void do_submit(struct lane_story_line *line)
{
	submit(line, "0");
}

static void do_try(struct lane_story_line *line)
{
	submit(line, "1");
}

static void do_start(struct lane_story_line *line)
{
	redisReply *reply;
	char limits[64];

	lane_begin(line->lane, "jit_start");
	lane_arg(line->lane, line->lane->terms);
	lane_arg(line->lane, line->word[2]);
	lane_argf(line->lane, "P%s", line->word[2]);
	lane_arg(line->lane, line_limits(line, limits));
	reply = line_ask(line);
	line_push(line, lane_at(reply, 3));
	freeReplyObject(reply);
}

static void do_refuse(struct lane_story_line *line)
{
	lane_begin(line->lane, "jit_refuse");
	lane_arg(line->lane, line->word[2]);
	lane_arg(line->lane, line->word[3]);
	freeReplyObject(line_ask(line));
}

static void do_cancel(struct lane_story_line *line)
{
	lane_begin(line->lane, "jit_cancel");
	lane_arg(line->lane, line->word[2]);
	lane_arg(line->lane, line->word[3]);
	lane_arg(line->lane, strcmp(line->word[4], "operator") == 0 ? "1" : "0");
	freeReplyObject(line_ask(line));
}

static void deactivate(struct lane_story_line *line, const char *only_try)
{
	redisReply *reply;

	lane_begin(line->lane, "jit_deactivate");
	lane_arg(line->lane, line->word[2]);
	lane_arg(line->lane, only_try);
	request_pairs(line, "selfDeactivate");
	reply = line_ask(line);
	say_request(line, lane_at(reply, 3));
	freeReplyObject(reply);
}

static void do_deactivate(struct lane_story_line *line)
{
	deactivate(line, "0");
}

static void do_try_deactivate(struct lane_story_line *line)
{
	deactivate(line, "1");
}

static void do_due(struct lane_story_line *line)
{
	redisReply *reply;

	lane_begin(line->lane, "jit_due");
	lane_arg(line->lane, "5000");
	lane_arg(line->lane, line->count > 2 ? line->word[2] : "100");
	reply = lane_send(line->lane);
	for (size_t i = 3; lane_at(reply, i + 1) != NULL; i += 2) {
		line_word(line, lane_text(lane_at(reply, i)));
		story_say_claim(line, lane_text(lane_at(reply, i)), lane_text(lane_at(reply, i + 1)));
	}
	freeReplyObject(reply);
}

static void do_pump(struct lane_story_line *line)
{
	redisReply *reply;

	lane_begin(line->lane, "jit_pump");
	lane_arg(line->lane, line->lane->terms);
	lane_arg(line->lane, line->word[2]);
	reply = lane_send(line->lane);
	if (strcmp(lane_text(lane_at(reply, 0)), "push") != 0)
		line_word(line, lane_text(lane_at(reply, 0)));
	if (strcmp(lane_text(lane_at(reply, 0)), "piece") == 0)
		story_say_piece(line, lane_at(reply, 3));
	else
		line_push(line, lane_at(reply, 3));
	freeReplyObject(reply);
}

/* "PERSON:VERDICT[:doubt[:DELAY[:TEXT]]]" as the seven arguments of a member. */
static void member_result(struct lane_story_line *line, char *word)
{
	char *part[5] = {word};

	for (size_t i = 1; i < 5; i++) {
		char *colon = part[i - 1] != NULL ? strchr(part[i - 1], ':') : NULL;

		if (colon != NULL)
			*colon = '\0';
		part[i] = colon != NULL ? colon + 1 : NULL;
	}
	assert_non_null(part[1]);
	lane_arg(line->lane, part[0]);
	lane_arg(line->lane, part[1]);
	if (part[2] == NULL || strcmp(part[2], "sure") == 0)
		lane_arg(line->lane, "0");
	else
		lane_arg(line->lane, strcmp(part[2], "doubt") == 0 ? "1" : part[2]);
	lane_arg(line->lane, part[3] != NULL ? part[3] : "0");
	lane_arg(line->lane, "0");
	lane_arg(line->lane, part[4] != NULL ? part[4] : "");
	lane_argf(line->lane, "id of group\n%s%s", line_option(line, "user", "id of "), part[0]);
}

static void do_end(struct lane_story_line *line)
{
	bool keep = strcmp(line->word[3], "keep") == 0;

	lane_begin(line->lane, "jit_push_end");
	lane_arg(line->lane, line->lane->terms);
	lane_arg(line->lane, line->word[2]);
	lane_arg(line->lane, keep ? "1" : "0");
	lane_arg(line->lane, line_option(line, "close", "0"));
	lane_arg(line->lane, line_option(line, "health", ""));
	lane_arg(line->lane, line_option(line, "why", ""));
	lane_arg(line->lane, line_option(line, "chance", "0"));
	lane_arg(line->lane, "5");
	for (size_t i = 3; i < line->count; i++)
		if (strchr(line->word[i], ':') != NULL)
			member_result(line, line->word[i]);
	freeReplyObject(line_ask(line));
}

static void do_operate(struct lane_story_line *line)
{
	lane_begin(line->lane, "jit_operate");
	lane_arg(line->lane, line->lane->terms);
	lane_arg(line->lane, line->word[2]);
	freeReplyObject(line_ask(line));
}

static void do_provision(struct lane_story_line *line)
{
	redisReply *reply;

	lane_begin(line->lane, "jit_provision");
	lane_arg(line->lane, line->lane->terms);
	lane_arg(line->lane, line->word[2]);
	lane_arg(line->lane, line->word[3]);
	lane_arg(line->lane, line->word[4]);
	reply = lane_send(line->lane);
	if (strcmp(lane_text(lane_at(reply, 0)), "push") != 0)
		line_word(line, lane_text(lane_at(reply, 0)));
	line_push(line, lane_at(reply, 3));
	freeReplyObject(reply);
}

static void do_leave(struct lane_story_line *line)
{
	redisReply *reply;

	lane_begin(line->lane, "jit_leave");
	lane_arg(line->lane, line->word[2]);
	lane_arg(line->lane, line->word[3]);
	lane_arg(line->lane, "");
	lane_arg(line->lane, line->word[4]);
	reply = line_ask(line);
	line_say(line, " %lld", (long long)lane_int(lane_at(reply, 3)));
	freeReplyObject(reply);
}

static void do_plan(struct lane_story_line *line)
{
	lane_begin(line->lane, "jit_plan_cycle");
	lane_arg(line->lane, line->lane->terms);
	if (line->count > 2) {
		long long days = strtoll(line_option(line, "token", "0"), NULL, 10);

		lane_arg(line->lane, "");
		lane_argf(line->lane, "%lld", days != 0 ? (long long)LANE_EPOCH_MS + days * 86400000 : 0);
	}
	freeReplyObject(line_ask(line));
}

/* An administrator's word on who is eligible: "ID GROUP PERSON ACTION [DURATION]". */
static void give(struct lane_story_line *line, const char *only_try)
{
	redisReply *reply;

	lane_begin(line->lane, "jit_eligibility");
	lane_arg(line->lane, line->word[2]);
	lane_arg(line->lane, only_try);
	pair(line, "ac", line->word[5]);
	pair(line, "ap", "aws");
	pair(line, "g", line->word[3]);
	pair(line, "p", line->word[4]);
	pair(line, "by", "admin");
	pair(line, "h", line_option(line, "h", "h"));
	if (line->word[6][0] >= '0' && line->word[6][0] <= '9')
		pair(line, "d", line->word[6]);
	pair_time(line, "a", line_option(line, "start", ""));
	pair_time(line, "e", line_option(line, "end", ""));
	reply = line_ask(line);
	say_request(line, lane_at(reply, 3));
	freeReplyObject(reply);
}

static void do_give(struct lane_story_line *line)
{
	give(line, "0");
}

static void do_try_give(struct lane_story_line *line)
{
	give(line, "1");
}

static void do_withdraw(struct lane_story_line *line)
{
	lane_begin(line->lane, "jit_eligibility_cancel");
	lane_arg(line->lane, line->word[2]);
	lane_arg(line->lane, "admin");
	freeReplyObject(line_ask(line));
}

static const struct {
	const char *name;
	void (*run)(struct lane_story_line *line);
} commands[] = {
	{"spoil", story_do_spoil},
	{"mend", story_do_mend},
	{"give", do_give},
	{"try-give", do_try_give},
	{"withdraw", do_withdraw},
	{"eligible", story_do_eligible},
	{"given", story_do_given},
	{"submit", do_submit},
	{"try", do_try},
	{"start", do_start},
	{"refuse", do_refuse},
	{"cancel", do_cancel},
	{"deactivate", do_deactivate},
	{"try-deactivate", do_try_deactivate},
	{"due", do_due},
	{"policies", story_do_policies},
	{"lose", story_do_lose},
	{"guard", story_do_guard},
	{"pump", do_pump},
	{"check", story_do_check},
	{"end", do_end},
	{"cycle", story_do_cycle},
	{"step", story_do_step},
	{"drift", story_do_drift},
	{"operate", do_operate},
	{"provision", do_provision},
	{"plan", do_plan},
	{"leave", do_leave},
	{"get", story_do_get},
	{"app", story_do_app},
	{"cycles", story_do_cycles},
	{"log", story_do_log},
	{"list", story_do_list},
	{"lane", story_do_lane},
	{"removals", story_do_removals},
	{"timetable", story_do_timetable},
	{"keys", story_do_keys},
	{"user", story_do_user},
	{"users", story_do_users},
	{"users-take", story_do_users_take},
	{"users-go", story_do_users_go},
	{"users-end", story_do_users_end},
	{"audit", story_do_audit},
	{"decide", story_do_decide},
	{"message", story_do_message},
	{"outbox", story_do_outbox},
	{"spread", story_do_spread},
	{"fill", story_do_fill},
	{"take", story_do_take},
	{"tell", story_do_tell},
	{"order", story_do_order},
	{"mailbox", story_do_mailbox},
	{"notices", story_do_notices},
};

static void split(struct lane_story_line *line, const char *does)
{
	char *at = line->text;

	snprintf(line->text, sizeof(line->text), "%s", does);
	for (size_t i = 0; i < WORDS_MAX; i++) {
		size_t len = strcspn(at, " ");

		line->word[i] = at;
		line->count += len > 0;
		at += len;
		if (*at == ' ')
			*at++ = '\0';
	}
}

/* Runs the command in word[1]. */
static void run_command(struct lane_story_line *line)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(commands[i].name, line->word[1]) == 0) {
			commands[i].run(line);
			return;
		}
	}
	fail_msg("%s: no such command", line->word[1]);
}

void lane_story_look(struct lane *lane, const char *does)
{
	struct lane_story_line line;
	char row[256];

	memset(&line, 0, sizeof(line));
	line.lane = lane;
	snprintf(row, sizeof(row), "now %s", does);
	split(&line, row);
	run_command(&line);
}

static void run_row(struct lane_story_line *line, const struct lane_story_row *row)
{
	struct lane *lane = line->lane;

	split(line, row->does);
	lane->now_ms = LANE_EPOCH_MS + strtoll(line->word[0], NULL, 10);
	if (strcmp(line->word[1], "policies") == 0)
		lane->policies = strstr(row->does, "policies") + strlen("policies ");
	if (strcmp(line->word[1], "terms") == 0)
		lane->terms = strstr(row->does, "terms") + strlen("terms ");
	else if (strcmp(line->word[1], "tells") == 0)
		snprintf(lane->tells, sizeof(lane->tells), " %s %s %s", line->word[2], line->word[3],
			 LANE_KINDS);
	else
		run_command(line);
}

void lane_story_run(struct lane *lane, const char *name, const struct lane_story_row *rows)
{
	struct lane_story_line line;

	lane_empty(lane);
	for (size_t i = 0; rows[i].does != NULL; i++) {
		memset(&line, 0, sizeof(line));
		line.lane = lane;
		run_row(&line, &rows[i]);
		if (strcmp(line.said, rows[i].says) != 0)
			fail_msg("%s, row %zu, %s:\n  said     %s\n  expected %s", name, i + 1, rows[i].does,
				 line.said, rows[i].says);
	}
}

static int open_lane(void **state)
{
	struct lane *lane = malloc(sizeof(*lane));

	if (lane == NULL)
		return -1;
	lane_open(lane);
	*state = lane;
	return 0;
}

static int close_lane(void **state)
{
	lane_close(*state);
	free(*state);
	return 0;
}

int lane_story_tests(const struct CMUnitTest *tests, size_t count)
{
	const char *engine;
	int failed = 0;

	for (size_t i = 0; (engine = redis_server_engine(i)) != NULL; i++) {
		(void)setenv(REDIS_SERVER_PROGRAM, engine, 1);
		failed += _cmocka_run_group_tests(engine, tests, count, open_lane, close_lane);
	}
	return failed;
}
