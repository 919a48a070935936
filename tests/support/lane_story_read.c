/* How the answers of the function library are shown in a story, and the commands that change nothing. */
#include "tests/support/lane_story_line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

void line_say(struct lane_story_line *line, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	line->used +=
		(size_t)vsnprintf(line->said + line->used, sizeof(line->said) - line->used, format, args);
	va_end(args);
	assert_true(line->used < sizeof(line->said));
}

void line_word(struct lane_story_line *line, const char *word)
{
	line_say(line, "%s%s", line->used > 0 ? " " : "", word);
}

/* A value; what is a time counts from the story's start. */
void line_value(struct lane_story_line *line, const redisReply *value)
{
	int64_t number = lane_int(value);

	if (number >= LANE_EPOCH_MS / 2)
		line_say(line, "%lld", (long long)(number - LANE_EPOCH_MS));
	else if (value != NULL && value->type == REDIS_REPLY_INTEGER)
		line_say(line, "%lld", (long long)number);
	else
		line_say(line, "%s", lane_text(value));
}

void line_push(struct lane_story_line *line, const redisReply *order)
{
	if (lane_at(order, 0) == NULL)
		return;
	line_word(line, "| push");
	line_say(line, " %s %s%s %s", lane_text(lane_at(order, 0)), lane_text(lane_at(order, 3)),
		 lane_int(lane_at(order, 4)) != 0 ? " cycle" : "", lane_text(lane_at(order, 2)));
	for (size_t i = 7; lane_at(order, i + 4) != NULL; i += 5) {
		line_say(line, " %s", lane_text(lane_at(order, i)));
		if (lane_int(lane_at(order, i + 2)) > 0)
			line_say(line, "*%lld", (long long)lane_int(lane_at(order, i + 2)));
		story_say_marks(line, lane_text(lane_at(order, i + 4)));
	}
}

const char *line_option(const struct lane_story_line *line, const char *name, const char *otherwise)
{
	size_t len = strlen(name);

	for (size_t i = 2; i < line->count; i++)
		if (strncmp(line->word[i], name, len) == 0 && line->word[i][len] == '=')
			return line->word[i] + len + 1;
	return otherwise;
}

/* Sends and says the first word of the answer. */
redisReply *line_ask(struct lane_story_line *line)
{
	redisReply *reply = lane_send(line->lane);

	line_word(line, lane_text(lane_at(reply, 0)));
	return reply;
}

void story_do_check(struct lane_story_line *line)
{
	redisReply *reply;

	lane_begin(line->lane, "jit_push_check");
	lane_arg(line->lane, line->word[2]);
	reply = line_ask(line);
	for (size_t i = 3; lane_at(reply, i) != NULL; i++) {
		line_say(line, " ");
		line_value(line, lane_at(reply, i));
	}
	freeReplyObject(reply);
}

static void say_fields(struct lane_story_line *line, const redisReply *pairs, size_t first)
{
	for (size_t i = first; i < line->count; i++) {
		const redisReply *value = lane_field(pairs, line->word[i]);

		line_word(line, line->word[i]);
		line_say(line, "=");
		if (value == NULL)
			line_say(line, "-");
		else
			line_value(line, value);
	}
}

static void get(struct lane_story_line *line, const char *function)
{
	redisReply *reply;

	lane_begin(line->lane, function);
	lane_arg(line->lane, line->word[2]);
	reply = lane_send(line->lane);
	if (strcmp(lane_text(lane_at(reply, 0)), "ok") != 0)
		line_word(line, lane_text(lane_at(reply, 0)));
	else
		say_fields(line, lane_at(reply, 3), 3);
	freeReplyObject(reply);
}

void story_do_get(struct lane_story_line *line)
{
	get(line, "jit_get");
}

void story_do_given(struct lane_story_line *line)
{
	get(line, "jit_eligibility_get");
}

void story_do_eligible(struct lane_story_line *line)
{
	const char *at = line_option(line, "at", "0");
	redisReply *reply;

	lane_begin(line->lane, "jit_eligible");
	lane_arg(line->lane, line->word[2]);
	lane_arg(line->lane, line->word[3]);
	lane_argf(line->lane, "%lld", (long long)LANE_EPOCH_MS + strtoll(at, NULL, 10));
	reply = lane_send(line->lane);
	line_word(line, lane_int(lane_at(reply, 3)) == 1 ? "yes" : "no");
	freeReplyObject(reply);
}

void story_do_app(struct lane_story_line *line)
{
	redisReply *reply;

	lane_begin(line->lane, "jit_application");
	lane_arg(line->lane, line->lane->terms);
	reply = lane_send(line->lane);
	say_fields(line, lane_at(reply, 3), 2);
	freeReplyObject(reply);
}

/* "NUMBER:RESULT DONE/TOTAL PUSHES!FAILURES WHO" of each. */
void story_do_cycles(struct lane_story_line *line)
{
	redisReply *reply;

	lane_begin(line->lane, "jit_cycles");
	lane_arg(line->lane, "aws");
	reply = lane_send(line->lane);
	for (size_t i = 3; lane_at(reply, i) != NULL; i++) {
		const redisReply *cycle = lane_at(reply, i);

		line_word(line, lane_text(lane_field(cycle, "number")));
		line_say(line, ":%s %s/%s %s!%s %s", lane_text(lane_field(cycle, "result")),
			 lane_text(lane_field(cycle, "done")), lane_text(lane_field(cycle, "total")),
			 lane_text(lane_field(cycle, "pushes")), lane_text(lane_field(cycle, "failures")),
			 lane_text(lane_field(cycle, "by")));
	}
	freeReplyObject(reply);
}

/* "OP GROUP PERSON:VERDICT/CAUSE*ATTEMPT" of each, newest first. */
void story_do_log(struct lane_story_line *line)
{
	const char *since = line_option(line, "since", "");
	redisReply *reply;

	lane_begin(line->lane, "jit_log");
	lane_arg(line->lane, "aws");
	lane_arg(line->lane, line_option(line, "before", "+"));
	if (since[0] == '\0')
		lane_arg(line->lane, "0");
	else
		lane_argf(line->lane, "%lld", (long long)LANE_EPOCH_MS + strtoll(since, NULL, 10));
	lane_arg(line->lane, line_option(line, "most", "100"));
	lane_arg(line->lane, line_option(line, "person", ""));
	lane_arg(line->lane, line_option(line, "group", ""));
	lane_arg(line->lane, line_option(line, "result", ""));
	reply = lane_send(line->lane);
	for (size_t i = 4; lane_at(reply, i) != NULL; i++) {
		const redisReply *entry = lane_at(reply, i);

		line_word(line, lane_text(lane_field(entry, "o")));
		line_say(line, " %s %s:%s/%s*%s", lane_text(lane_field(entry, "g")),
			 lane_text(lane_field(entry, "p")), lane_text(lane_field(entry, "v")),
			 lane_text(lane_field(entry, "c")), lane_text(lane_field(entry, "n")));
	}
	if (lane_text(lane_at(reply, 3))[0] != '\0')
		line_word(line, "| more");
	freeReplyObject(reply);
}

void story_do_list(struct lane_story_line *line)
{
	const char *from = line_option(line, "from", ""), *what = line_option(line, "what", "list");
	redisReply *reply;
	char function[48];

	snprintf(function, sizeof(function), "jit_%s", what);
	lane_begin(line->lane, function);
	lane_arg(line->lane, line->word[2]);
	lane_arg(line->lane, line->word[3]);
	if (from[0] == '\0')
		lane_arg(line->lane, "+inf");
	else
		lane_argf(line->lane, "%lld", (long long)LANE_EPOCH_MS + strtoll(from, NULL, 10));
	lane_arg(line->lane, line_option(line, "below", ""));
	lane_arg(line->lane, line_option(line, "most", "100"));
	lane_arg(line->lane, line_option(line, "states", ""));
	lane_arg(line->lane, line_option(line, "action", ""));
	lane_arg(line->lane, line_option(line, "group", ""));
	lane_arg(line->lane, line_option(line, "person", ""));
	lane_arg(line->lane, line_option(line, "by", ""));
	reply = lane_send(line->lane);
	if (strstr(what, "count") != NULL) {
		line_say(line, "%lld%s", (long long)lane_int(lane_at(reply, 3)),
			 lane_int(lane_at(reply, 4)) == 1 ? "" : " or more");
		freeReplyObject(reply);
		return;
	}
	for (size_t i = 5; lane_at(reply, i) != NULL; i++)
		line_word(line, lane_text(lane_field(lane_at(reply, i), "id")));
	if (lane_text(lane_at(reply, 4))[0] != '\0') {
		line_word(line, "| more from=");
		line_value(line, lane_at(reply, 3));
		line_say(line, " below=%s", lane_text(lane_at(reply, 4)));
	}
	freeReplyObject(reply);
}

void story_do_lane(struct lane_story_line *line)
{
	redisReply *reply;

	lane_begin(line->lane, "jit_lane");
	reply = lane_send(line->lane);
	line_say(line, "timetable=%lld removals=%lld oldest=", (long long)lane_int(lane_at(reply, 3)),
		 (long long)lane_int(lane_at(reply, 4)));
	line_value(line, lane_at(reply, 5));
	if (lane_int(lane_at(reply, 16)) > 0) {
		line_say(line, " aside=%lld since=", (long long)lane_int(lane_at(reply, 16)));
		line_value(line, lane_at(reply, 17));
	}
	if (lane_int(lane_at(reply, 15)) > 0)
		line_say(line, " stranded=%lld", (long long)lane_int(lane_at(reply, 15)));
	freeReplyObject(reply);
}

static void say_scores(struct lane_story_line *line, const redisReply *scores)
{
	for (size_t i = 0; lane_at(scores, i + 1) != NULL; i += 2) {
		line_word(line, lane_text(lane_at(scores, i)));
		line_say(line, "@");
		line_value(line, lane_at(scores, i + 1));
	}
}

void story_do_removals(struct lane_story_line *line)
{
	redisReply *reply = lane_command(line->lane, "ZRANGE " LANE_PREFIX "x 0 -1 WITHSCORES");

	say_scores(line, reply);
	freeReplyObject(reply);
}

/* All of its entries, those of the applications' own among them. */
void story_do_timetable(struct lane_story_line *line)
{
	static const char script[] =
		"local all, out = {}, {} for _, k in ipairs(redis.call('KEYS', '" LANE_PREFIX "t[txy]*')) do "
		"local v = redis.call('ZRANGE', k, 0, -1, 'WITHSCORES') for i = 1, #v, 2 do "
		"if not v[i]:match('^[xy]:') then all[#all + 1] = { v[i], tonumber(v[i + 1]) } end end end "
		"table.sort(all, function(a, b) if a[2] ~= b[2] then return a[2] < b[2] end return a[1] < "
		"b[1] end) "
		"for _, e in ipairs(all) do out[#out + 1] = e[1] out[#out + 1] = e[2] end return out";
	redisReply *reply = lane_command(line->lane, "EVAL %s 0", script);

	say_scores(line, reply);
	freeReplyObject(reply);
}

void story_do_keys(struct lane_story_line *line)
{
	/* Names, indexes and the history stay; all else should go with what it was there for. The applications' own
	 * parts of the timetable are told as the timetable. */
	static const char script[] =
		"local all = redis.call('KEYS', '*') table.sort(all) local out = {} "
		"for _, k in ipairs(all) do k = k:sub(6) "
		"if not k:match('^u:') and not k:match('^g[ni]:') and not k:match('^i[pg]:') "
		"and not k:match('^t[xy]:') and not k:match('^audit') and not k:match('^ch:') and not "
		"k:match('^l:') then "
		"out[#out + 1] = k end end return out";
	redisReply *reply = lane_command(line->lane, "EVAL %s 0", script);

	for (size_t i = 0; lane_at(reply, i) != NULL; i++)
		line_word(line, lane_text(lane_at(reply, i)));
	freeReplyObject(reply);
}

/* How long access has outlived its end, where the event's details say so. */
static void say_outlived(struct lane_story_line *line, const char *details)
{
	static const char name[] = "\"outlivedMilliseconds\":";
	const char *at = strstr(details, name);

	if (at != NULL)
		line_say(line, "+%ld", strtol(at + sizeof(name) - 1, NULL, 10));
}

void story_do_audit(struct lane_story_line *line)
{
	redisReply *reply = lane_command(line->lane, "XRANGE %saudit - +", LANE_PREFIX);

	for (size_t i = 0; lane_at(reply, i) != NULL; i++) {
		const redisReply *event = lane_at(lane_at(reply, i), 1);

		if (strcmp(lane_text(lane_field(event, "r")), line->word[2]) != 0)
			continue;
		line_word(line, lane_text(lane_field(event, "e")));
		line_say(line, ">%s/%s", lane_text(lane_field(event, "t")),
			 lane_text(lane_field(event, "b")));
		say_outlived(line, lane_text(lane_field(event, "d")));
	}
	freeReplyObject(reply);
}
