/* Stories' commands about policies: by which ones the caller goes, who loses what they have by them, and the guard. */
#include <stdio.h>
#include <string.h>

#include "tests/support/lane_story_line.h"

#define GRACE "1000"

/* The caller goes by those in lane->policies, and tells so. */
void story_do_policies(struct lane_story_line *line)
{
	lane_begin(line->lane, "jit_policies");
	lane_arg(line->lane, GRACE);
	freeReplyObject(line_ask(line));
}

/* The digest of the person is that of the names that a story's submit gives. */
static void digest_of(struct lane_story_line *line, const char *id)
{
	static const char script[] =
		"local r = cmsgpack.unpack(redis.call('GET', KEYS[1] .. 'r:' .. ARGV[1])) "
		"return redis.sha1hex(redis.call('GET', KEYS[1] .. 'u:' .. r.p))";
	redisReply *reply = lane_command(line->lane, "EVAL %s 1 %s %s", script, LANE_PREFIX, id);

	lane_arg(line->lane, lane_text(reply));
	freeReplyObject(reply);
}

/* The guard's terms are "MOST/SHARE/WINDOW". */
void story_do_lose(struct lane_story_line *line)
{
	char terms[64];

	snprintf(terms, sizeof(terms), "%s", line_option(line, "guard", ""));
	for (char *at = terms; (at = strchr(at, '/')) != NULL;)
		*at = ' ';
	lane_begin(line->lane, "jit_lose");
	lane_arg(line->lane, line->word[2]);
	digest_of(line, line->word[2]);
	lane_arg(line->lane, GRACE);
	lane_arg(line->lane, "by policy");
	lane_arg(line->lane, terms);
	freeReplyObject(line_ask(line));
}

void story_do_guard(struct lane_story_line *line)
{
	lane_begin(line->lane, "jit_guard");
	lane_arg(line->lane, line->lane->terms);
	lane_arg(line->lane, line->word[2]);
	freeReplyObject(line_ask(line));
}
