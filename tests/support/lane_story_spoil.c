/* Keys that cannot be read, and how what is set aside because of them is shown in a story. */
#include "tests/support/lane_story_line.h"

#include <string.h>

/* Of what was set aside, its place and the first word of Redis' error: the others differ from engine to engine. */
void story_say_claim(struct lane_story_line *line, const char *kind, const char *id)
{
	const char *error = strcmp(kind, "z") == 0 ? strstr(id, ": ") : NULL;

	if (error == NULL)
		line_word(line, id);
	else
		line_say(line, " %.*s", (int)(strcspn(error + 2, " ") + (size_t)(error + 2 - id)), id);
}

static void rename_key(struct lane_story_line *line, const char *from, const char *to)
{
	const char *key = line->word[2];
	redisReply *there = lane_command(line->lane, "EXISTS %s%s%s", LANE_PREFIX, from, key);

	if (lane_int(there) == 1)
		freeReplyObject(lane_command(line->lane, "RENAME %s%s%s %s%s%s", LANE_PREFIX, from, key,
					     LANE_PREFIX, to, key));
	freeReplyObject(there);
}

void story_do_spoil(struct lane_story_line *line)
{
	rename_key(line, "", "kept:");
	freeReplyObject(lane_command(line->lane, "LPUSH %s%s nonsense", LANE_PREFIX, line->word[2]));
}

void story_do_mend(struct lane_story_line *line)
{
	freeReplyObject(lane_command(line->lane, "DEL %s%s", LANE_PREFIX, line->word[2]));
	rename_key(line, "kept:", "");
}
