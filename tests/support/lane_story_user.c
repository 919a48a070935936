/* Persons as users of the application, in stories. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/lane_story_line.h"

/* Those that are worth a word: not that the user is there, nor that the broker gave no membership. */
void story_say_marks(struct lane_story_line *line, const char *marks)
{
	const char *sign = "+";

	for (; *marks != '\0' && *marks != ':'; marks++) {
		if (strchr("gid", *marks) == NULL)
			continue;
		line_say(line, "%s%c", sign, *marks);
		sign = "";
	}
}

void story_do_user(struct lane_story_line *line)
{
	/* The fields that there are, in the order of the alphabet. */
	static const char script[] = "local raw = redis.call('GET', KEYS[1]) if not raw then return {} end "
				     "local u, names, out = cmsgpack.unpack(raw), {}, {} "
				     "for name in pairs(u) do names[#names + 1] = name end table.sort(names) "
				     "for _, name in ipairs(names) do local v = u[name] "
				     "if type(v) == 'table' then v = table.concat(v, ',') "
				     "elseif type(v) == 'number' then v = string.format('%.0f', v) end "
				     "out[#out + 1] = name out[#out + 1] = tostring(v) end return out";
	redisReply *reply =
		lane_command(line->lane, "EVAL %s 1 %sus:aws:%s", script, LANE_PREFIX, line->word[2]);

	for (size_t i = 0; lane_at(reply, i + 1) != NULL; i += 2) {
		const redisReply *value = lane_at(reply, i + 1);

		line_word(line, lane_text(lane_at(reply, i)));
		line_say(line, "=");
		if (lane_int(value) > LANE_EPOCH_MS / 2)
			line_say(line, "%lld", (long long)(lane_int(value) - LANE_EPOCH_MS));
		else
			line_say(line, "%s", lane_text(value));
	}
	freeReplyObject(reply);
}

static void say_set(struct lane_story_line *line, const char *set)
{
	redisReply *reply = lane_command(line->lane, "ZRANGE %s%s:aws 0 -1", LANE_PREFIX, set);

	for (size_t i = 0; lane_at(reply, i) != NULL; i++)
		line_word(line, lane_text(lane_at(reply, i)));
	freeReplyObject(reply);
}

void story_do_users(struct lane_story_line *line)
{
	say_set(line, "uq");
	line_word(line, "|");
	say_set(line, "ul");
}

/* "ann*" after an end in doubt, "ann=DIGEST" after an update. */
void story_do_users_take(struct lane_story_line *line)
{
	redisReply *reply;

	lane_begin(line->lane, "jit_users_take");
	lane_arg(line->lane, line->lane->terms);
	lane_arg(line->lane, line->word[2]);
	lane_arg(line->lane, line->word[3]);
	lane_arg(line->lane, line_option(line, "most", "20"));
	reply = line_ask(line);
	for (size_t i = 3; lane_at(reply, i + 4) != NULL; i += 5) {
		line_word(line, lane_text(lane_at(reply, i)));
		line_say(line, "%s%s%s", lane_text(lane_at(reply, i + 3))[0] != '\0' ? "=" : "",
			 lane_text(lane_at(reply, i + 3)), lane_int(lane_at(reply, i + 4)) != 0 ? "*" : "");
	}
	freeReplyObject(reply);
}

void story_do_users_go(struct lane_story_line *line)
{
	lane_begin(line->lane, "jit_users_go");
	lane_arg(line->lane, "aws");
	for (size_t i = 2; i < 5; i++)
		lane_arg(line->lane, line->word[i]);
	freeReplyObject(line_ask(line));
}

void story_do_users_end(struct lane_story_line *line)
{
	lane_begin(line->lane, "jit_users_end");
	lane_arg(line->lane, line->lane->terms);
	lane_arg(line->lane, line->word[2]);
	lane_arg(line->lane, line->word[3]);
	lane_arg(line->lane, "7");
	for (size_t i = 4; i < line->count; i++) {
		char *rest = line->word[i];
		const char *part[4];

		for (size_t n = 0; n < 4; n++)
			part[n] = strsep(&rest, ":");
		lane_arg(line->lane, part[0]);
		lane_arg(line->lane, part[1]);
		lane_arg(line->lane, part[2] != NULL && strcmp(part[2], "doubt") == 0 ? "1" : "0");
		lane_arg(line->lane, "200");
		lane_arg(line->lane, "words");
		lane_arg(line->lane, part[3] != NULL ? part[3] : "");
	}
	freeReplyObject(line_ask(line));
}
