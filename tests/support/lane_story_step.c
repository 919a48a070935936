/* Cycles and the pieces of their steps, in stories. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/lane_story_line.h"

void story_do_cycle(struct lane_story_line *line)
{
	char steps[64];

	snprintf(steps, sizeof(steps), "%s", line_option(line, "steps", ""));
	for (char *comma = steps; (comma = strchr(comma, ',')) != NULL;)
		*comma = ' ';
	lane_begin(line->lane, "jit_cycle");
	lane_arg(line->lane, line->lane->terms);
	lane_arg(line->lane, strchr(line->word[2], '=') == NULL ? line->word[2] : "");
	lane_arg(line->lane, steps);
	freeReplyObject(line_ask(line));
}

void story_say_piece(struct lane_story_line *line, const redisReply *piece)
{
	line_word(line, lane_text(lane_at(piece, 0)));
	line_word(line, lane_text(lane_at(piece, 2)));
	if (lane_text(lane_at(piece, 3))[0] != '\0')
		line_word(line, lane_text(lane_at(piece, 3)));
}

void story_do_step(struct lane_story_line *line)
{
	lane_begin(line->lane, "jit_step_end");
	lane_arg(line->lane, line->lane->terms);
	lane_arg(line->lane, line->word[2]);
	lane_arg(line->lane, strchr(line->word[3], '=') == NULL ? line->word[3] : "");
	lane_arg(line->lane, line_option(line, "over", "0"));
	lane_arg(line->lane, line_option(line, "walked", "0"));
	lane_arg(line->lane, line_option(line, "did", "0"));
	lane_arg(line->lane, "0");
	lane_arg(line->lane, line_option(line, "close", "0"));
	lane_arg(line->lane, line_option(line, "health", ""));
	lane_arg(line->lane, "");
	lane_arg(line->lane, "0.5");
	lane_arg(line->lane, line_option(line, "failed", "0"));
	freeReplyObject(line_ask(line));
}
