/* The drift check in stories. An id in the application and a person are told as one word, "USER/PERSON". */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/lane_story_line.h"

/* "find PIECE GROUP[:report|:remove] …" */
static void find(struct lane_story_line *line)
{
	redisReply *reply;

	lane_begin(line->lane, "jit_drift_find");
	lane_arg(line->lane, line->lane->terms);
	lane_arg(line->lane, line->word[3]);
	for (size_t i = 4; i < line->count; i++) {
		char *exclusive = strchr(line->word[i], ':');

		if (exclusive != NULL)
			*exclusive++ = '\0';
		lane_arg(line->lane, line->word[i]);
		lane_arg(line->lane, exclusive != NULL ? exclusive : "");
	}
	reply = line_ask(line);
	if (lane_at(reply, 3) != NULL)
		line_say(line, " %lld", (long long)lane_int(lane_at(reply, 3)));
	freeReplyObject(reply);
}

/* "page GROUP AT" */
static void page(struct lane_story_line *line)
{
	redisReply *reply;

	lane_begin(line->lane, "jit_drift_page");
	lane_arg(line->lane, line->lane->terms);
	lane_arg(line->lane, line->word[3]);
	lane_arg(line->lane, line->word[4]);
	reply = line_ask(line);
	for (size_t i = 4; lane_at(reply, i + 2) != NULL; i += 3)
		line_say(line, " %s/%s:%s", lane_text(lane_at(reply, i)), lane_text(lane_at(reply, i + 1)),
			 lane_text(lane_at(reply, i + 2)));
	freeReplyObject(reply);
}

/* "found PIECE GROUP WHAT ITEM …" */
static void found(struct lane_story_line *line)
{
	redisReply *reply;

	lane_begin(line->lane, "jit_drift_found");
	lane_arg(line->lane, line->lane->terms);
	lane_arg(line->lane, line->word[3]);
	lane_arg(line->lane, line->word[4]);
	for (char *at = line->word[5]; (at = strchr(at, '/')) != NULL;)
		*at = ' ';
	lane_arg(line->lane, line->word[5]);
	lane_arg(line->lane, "id of group");
	for (size_t i = 6; i < line->count; i++) {
		char *slash = strchr(line->word[i], '/');

		if (slash != NULL)
			*slash = '\n';
		lane_arg(line->lane, line->word[i]);
	}
	reply = line_ask(line);
	line_say(line, " %lld", (long long)lane_int(lane_at(reply, 3)));
	freeReplyObject(reply);
}

/* "end PIECE GROUP RETURNED FOREIGN" */
static void end(struct lane_story_line *line)
{
	lane_begin(line->lane, "jit_drift_end");
	lane_arg(line->lane, line->lane->terms);
	for (size_t i = 3; i < 7; i++)
		lane_arg(line->lane, line->word[i]);
	lane_arg(line->lane, "0");
	freeReplyObject(line_ask(line));
}

/* "unlearn GROUP PERSON": as a version has left them that kept nothing for comparing, nor whom it counted. */
static void unlearn(struct lane_story_line *line)
{
	static const char script[] =
		"local key = KEYS[1] .. 'm:' .. ARGV[1] .. ':' .. ARGV[2] "
		"local m = cmsgpack.unpack(redis.call('GET', key)) m.k, m.lk, m.cu = nil, nil, nil "
		"redis.call('SET', key, cmsgpack.pack(m)) "
		"redis.call('HDEL', KEYS[1] .. 'mu:' .. ARGV[1], string.match(m.id, '\\n(.+)$')) "
		"redis.call('HINCRBY', KEYS[1] .. 'lk', ARGV[1], -1) redis.call('DEL', KEYS[1] .. 'us:aws:' "
		".. ARGV[2])";

	freeReplyObject(lane_command(line->lane, "EVAL %s 1 %s %s %s", script, LANE_PREFIX, line->word[3],
				     line->word[4]));
}

void story_do_drift(struct lane_story_line *line)
{
	static const struct {
		const char *name;
		void (*run)(struct lane_story_line *line);
	} commands[] = {{"find", find}, {"page", page}, {"found", found}, {"end", end}, {"unlearn", unlearn}};

	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(commands[i].name, line->word[2]) == 0) {
			commands[i].run(line);
			return;
		}
	fail_msg("drift %s", line->word[2]);
}
