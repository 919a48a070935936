#include "tests/support/story.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define WORDS_MAX 320
#define LINE_SIZE 8192

/* One row: its words, and what the answer says. */
struct line {
	struct lane *lane;
	size_t count;
	char *word[WORDS_MAX]; /* "" beyond the last */
	char text[LINE_SIZE];
	size_t used;
	char said[LINE_SIZE];
};

__attribute__((format(printf, 2, 3))) static void say(struct line *line, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	line->used +=
		(size_t)vsnprintf(line->said + line->used, sizeof(line->said) - line->used, format, args);
	va_end(args);
	assert_true(line->used < sizeof(line->said));
}

static void say_word(struct line *line, const char *word)
{
	say(line, "%s%s", line->used > 0 ? " " : "", word);
}

/* A value; what is a time counts from the story's start. */
static void say_value(struct line *line, const redisReply *value)
{
	int64_t number = lane_int(value);

	if (number >= LANE_EPOCH_MS / 2)
		say(line, "%lld", (long long)(number - LANE_EPOCH_MS));
	else if (value != NULL && value->type == REDIS_REPLY_INTEGER)
		say(line, "%lld", (long long)number);
	else
		say(line, "%s", lane_text(value));
}

static void say_push(struct line *line, const redisReply *order)
{
	if (lane_at(order, 0) == NULL)
		return;
	say_word(line, "| push");
	say(line, " %s %s%s %s", lane_text(lane_at(order, 0)), lane_text(lane_at(order, 3)),
	    lane_int(lane_at(order, 4)) != 0 ? " cycle" : "", lane_text(lane_at(order, 2)));
	for (size_t i = 6; lane_at(order, i + 2) != NULL; i += 3) {
		say(line, " %s", lane_text(lane_at(order, i)));
		if (lane_int(lane_at(order, i + 2)) > 0)
			say(line, "*%lld", (long long)lane_int(lane_at(order, i + 2)));
	}
}

/* The value of an option NAME=VALUE among the words, or `otherwise`. */
static const char *option(const struct line *line, const char *name, const char *otherwise)
{
	size_t len = strlen(name);

	for (size_t i = 2; i < line->count; i++)
		if (strncmp(line->word[i], name, len) == 0 && line->word[i][len] == '=')
			return line->word[i] + len + 1;
	return otherwise;
}

static void pair(struct line *line, const char *name, const char *value)
{
	lane_arg(line->lane, name);
	lane_arg(line->lane, value);
}

static void pair_time(struct line *line, const char *name, const char *value)
{
	if (value[0] != '\0') {
		lane_arg(line->lane, name);
		lane_argf(line->lane, "%lld", (long long)LANE_EPOCH_MS + strtoll(value, NULL, 10));
	}
}

static void request_pairs(struct line *line, const char *action)
{
	pair(line, "ac", option(line, "action", action));
	pair(line, "ap", "aws");
	pair(line, "g", line->word[3]);
	pair(line, "p", line->word[4]);
	pair(line, "by", line->word[4]);
	pair(line, "h", option(line, "h", "h"));
}

/* Sends and says the first word of the answer. */
static redisReply *ask(struct line *line)
{
	redisReply *reply = lane_send(line->lane);

	say_word(line, lane_text(lane_at(reply, 0)));
	return reply;
}

/* A request in an answer: its id unless it is the one that was asked for, its state, place and next cycle. */
static void say_request(struct line *line, const redisReply *request)
{
	const redisReply *place = lane_field(request, "place");

	if (lane_at(request, 0) == NULL)
		return;
	if (strcmp(lane_text(lane_field(request, "id")), line->word[2]) != 0)
		say_word(line, lane_text(lane_field(request, "id")));
	say_word(line, lane_text(lane_field(request, "st")));
	if (place != NULL) {
		say(line, " place=%lld next=", (long long)lane_int(place));
		say_value(line, lane_field(request, "next_cycle"));
	}
}

static void submit(struct line *line, const char *only_try)
{
	struct lane *lane = line->lane;
	redisReply *reply;

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
	pair_time(line, "a", option(line, "start", ""));
	pair_time(line, "e", option(line, "end", ""));
	reply = ask(line);
	say_request(line, lane_at(reply, 3));
	say_push(line, lane_at(reply, 4));
	freeReplyObject(reply);
}

static void do_submit(struct line *line)
{
	submit(line, "0");
}

static void do_try(struct line *line)
{
	submit(line, "1");
}

static void do_start(struct line *line)
{
	redisReply *reply;

	lane_begin(line->lane, "jit_start");
	lane_arg(line->lane, line->lane->terms);
	lane_arg(line->lane, line->word[2]);
	lane_argf(line->lane, "P%s", line->word[2]);
	reply = ask(line);
	say_push(line, lane_at(reply, 3));
	freeReplyObject(reply);
}

static void do_refuse(struct line *line)
{
	lane_begin(line->lane, "jit_refuse");
	lane_arg(line->lane, line->word[2]);
	lane_arg(line->lane, line->word[3]);
	freeReplyObject(ask(line));
}

static void do_cancel(struct line *line)
{
	lane_begin(line->lane, "jit_cancel");
	lane_arg(line->lane, line->word[2]);
	lane_arg(line->lane, line->word[3]);
	lane_arg(line->lane, strcmp(line->word[4], "operator") == 0 ? "1" : "0");
	freeReplyObject(ask(line));
}

static void deactivate(struct line *line, const char *only_try)
{
	redisReply *reply;

	lane_begin(line->lane, "jit_deactivate");
	lane_arg(line->lane, line->lane->terms);
	lane_arg(line->lane, line->word[2]);
	lane_arg(line->lane, only_try);
	request_pairs(line, "selfDeactivate");
	reply = ask(line);
	say_request(line, lane_at(reply, 3));
	freeReplyObject(reply);
}

static void do_deactivate(struct line *line)
{
	deactivate(line, "0");
}

static void do_try_deactivate(struct line *line)
{
	deactivate(line, "1");
}

static void do_due(struct line *line)
{
	redisReply *reply;

	lane_begin(line->lane, "jit_due");
	lane_arg(line->lane, "5000");
	lane_arg(line->lane, line->count > 2 ? line->word[2] : "100");
	reply = lane_send(line->lane);
	for (size_t i = 3; lane_at(reply, i) != NULL; i++)
		say_word(line, lane_text(lane_at(reply, i)));
	freeReplyObject(reply);
}

static void do_pump(struct line *line)
{
	redisReply *reply;

	lane_begin(line->lane, "jit_pump");
	lane_arg(line->lane, line->lane->terms);
	lane_arg(line->lane, line->word[2]);
	reply = lane_send(line->lane);
	if (strcmp(lane_text(lane_at(reply, 0)), "push") != 0)
		say_word(line, lane_text(lane_at(reply, 0)));
	say_push(line, lane_at(reply, 3));
	freeReplyObject(reply);
}

static void do_check(struct line *line)
{
	redisReply *reply;

	lane_begin(line->lane, "jit_push_check");
	lane_arg(line->lane, line->word[2]);
	reply = ask(line);
	for (size_t i = 3; lane_at(reply, i) != NULL; i++)
		say(line, " %lld", (long long)lane_int(lane_at(reply, i)));
	freeReplyObject(reply);
}

/* "PERSON:VERDICT[:doubt[:DELAY[:TEXT]]]" as the five arguments of a member. */
static void member_result(struct line *line, char *word)
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
	lane_arg(line->lane, part[2] != NULL && strcmp(part[2], "doubt") == 0 ? "1" : "0");
	lane_arg(line->lane, part[3] != NULL ? part[3] : "0");
	lane_arg(line->lane, part[4] != NULL ? part[4] : "");
}

static void do_end(struct line *line)
{
	bool keep = strcmp(line->word[3], "keep") == 0;

	lane_begin(line->lane, "jit_push_end");
	lane_arg(line->lane, line->lane->terms);
	lane_arg(line->lane, line->word[2]);
	lane_arg(line->lane, keep ? "1" : "0");
	lane_arg(line->lane, option(line, "close", "0"));
	for (size_t i = 3; i < line->count; i++)
		if (strchr(line->word[i], ':') != NULL)
			member_result(line, line->word[i]);
	freeReplyObject(ask(line));
}

static void do_cycle(struct line *line)
{
	lane_begin(line->lane, "jit_cycle");
	lane_arg(line->lane, line->lane->terms);
	freeReplyObject(ask(line));
}

static void do_plan(struct line *line)
{
	lane_begin(line->lane, "jit_plan_cycle");
	lane_arg(line->lane, line->lane->terms);
	freeReplyObject(ask(line));
}

static void say_fields(struct line *line, const redisReply *pairs, size_t first)
{
	for (size_t i = first; i < line->count; i++) {
		const redisReply *value = lane_field(pairs, line->word[i]);

		say_word(line, line->word[i]);
		say(line, "=");
		if (value == NULL)
			say(line, "-");
		else
			say_value(line, value);
	}
}

static void do_get(struct line *line)
{
	redisReply *reply;

	lane_begin(line->lane, "jit_get");
	lane_arg(line->lane, line->word[2]);
	reply = lane_send(line->lane);
	if (strcmp(lane_text(lane_at(reply, 0)), "ok") != 0)
		say_word(line, lane_text(lane_at(reply, 0)));
	else
		say_fields(line, lane_at(reply, 3), 3);
	freeReplyObject(reply);
}

static void do_app(struct line *line)
{
	redisReply *reply;

	lane_begin(line->lane, "jit_application");
	lane_arg(line->lane, line->lane->terms);
	reply = lane_send(line->lane);
	say_fields(line, lane_at(reply, 3), 2);
	freeReplyObject(reply);
}

static void do_list(struct line *line)
{
	const char *from = option(line, "from", "");
	redisReply *reply;

	lane_begin(line->lane, "jit_list");
	lane_arg(line->lane, line->word[2]);
	lane_arg(line->lane, line->word[3]);
	if (from[0] == '\0')
		lane_arg(line->lane, "+inf");
	else
		lane_argf(line->lane, "%lld", (long long)LANE_EPOCH_MS + strtoll(from, NULL, 10));
	lane_arg(line->lane, option(line, "below", ""));
	lane_arg(line->lane, option(line, "most", "100"));
	lane_arg(line->lane, option(line, "states", ""));
	lane_arg(line->lane, option(line, "action", ""));
	lane_arg(line->lane, option(line, "group", ""));
	lane_arg(line->lane, option(line, "person", ""));
	reply = lane_send(line->lane);
	for (size_t i = 5; lane_at(reply, i) != NULL; i++)
		say_word(line, lane_text(lane_field(lane_at(reply, i), "id")));
	if (lane_text(lane_at(reply, 4))[0] != '\0') {
		say_word(line, "| more from=");
		say_value(line, lane_at(reply, 3));
		say(line, " below=%s", lane_text(lane_at(reply, 4)));
	}
	freeReplyObject(reply);
}

static void do_lane(struct line *line)
{
	redisReply *reply;

	lane_begin(line->lane, "jit_lane");
	reply = lane_send(line->lane);
	say(line, "timetable=%lld removals=%lld oldest=", (long long)lane_int(lane_at(reply, 3)),
	    (long long)lane_int(lane_at(reply, 4)));
	say_value(line, lane_at(reply, 5));
	freeReplyObject(reply);
}

static void say_sorted_set(struct line *line, const char *key)
{
	redisReply *reply = lane_command(line->lane, "ZRANGE %s%s 0 -1 WITHSCORES", LANE_PREFIX, key);

	for (size_t i = 0; lane_at(reply, i + 1) != NULL; i += 2) {
		say_word(line, lane_text(lane_at(reply, i)));
		say(line, "@");
		say_value(line, lane_at(reply, i + 1));
	}
	freeReplyObject(reply);
}

static void do_removals(struct line *line)
{
	say_sorted_set(line, "x");
}

static void do_timetable(struct line *line)
{
	say_sorted_set(line, "tt");
}

static void do_keys(struct line *line)
{
	/* Names, indexes and the history stay; all else should go with what it was there for. */
	static const char script[] =
		"local all = redis.call('KEYS', '*') table.sort(all) local out = {} "
		"for _, k in ipairs(all) do k = k:sub(6) "
		"if not k:match('^u:') and not k:match('^gn:') and not k:match('^i[pg]:') "
		"and k ~= 'audit' then out[#out + 1] = k end end return out";
	redisReply *reply = lane_command(line->lane, "EVAL %s 0", script);

	for (size_t i = 0; lane_at(reply, i) != NULL; i++)
		say_word(line, lane_text(lane_at(reply, i)));
	freeReplyObject(reply);
}

static void do_audit(struct line *line)
{
	redisReply *reply = lane_command(line->lane, "XRANGE %saudit - +", LANE_PREFIX);

	for (size_t i = 0; lane_at(reply, i) != NULL; i++) {
		const redisReply *event = lane_at(lane_at(reply, i), 1);

		if (strcmp(lane_text(lane_field(event, "r")), line->word[2]) != 0)
			continue;
		say_word(line, lane_text(lane_field(event, "e")));
		say(line, ">%s/%s", lane_text(lane_field(event, "t")), lane_text(lane_field(event, "b")));
	}
	freeReplyObject(reply);
}

static const struct {
	const char *name;
	void (*run)(struct line *line);
} commands[] = {
	{"submit", do_submit},
	{"try", do_try},
	{"start", do_start},
	{"refuse", do_refuse},
	{"cancel", do_cancel},
	{"deactivate", do_deactivate},
	{"try-deactivate", do_try_deactivate},
	{"due", do_due},
	{"pump", do_pump},
	{"check", do_check},
	{"end", do_end},
	{"cycle", do_cycle},
	{"plan", do_plan},
	{"get", do_get},
	{"app", do_app},
	{"list", do_list},
	{"lane", do_lane},
	{"removals", do_removals},
	{"timetable", do_timetable},
	{"keys", do_keys},
	{"audit", do_audit},
};

static void split(struct line *line, const char *does)
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

static void run_row(struct line *line, const struct story_row *row)
{
	struct lane *lane = line->lane;

	split(line, row->does);
	lane->now_ms = LANE_EPOCH_MS + strtoll(line->word[0], NULL, 10);
	if (strcmp(line->word[1], "terms") == 0) {
		lane->terms = strstr(row->does, "terms") + strlen("terms ");
		return;
	}
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(commands[i].name, line->word[1]) == 0) {
			commands[i].run(line);
			return;
		}
	}
	fail_msg("%s: no such command", row->does);
}

void story_run(struct lane *lane, const char *name, const struct story_row *rows)
{
	static struct line line;

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

int story_open(void **state)
{
	struct lane *lane = malloc(sizeof(*lane));

	if (lane == NULL)
		return -1;
	lane_open(lane);
	*state = lane;
	return 0;
}

int story_close(void **state)
{
	lane_close(*state);
	free(*state);
	return 0;
}
