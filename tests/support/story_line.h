/* Shared by the files of story.c only: one row, its words, and what its answer says. */
#ifndef TESTS_SUPPORT_STORY_LINE_H
#define TESTS_SUPPORT_STORY_LINE_H

#include "tests/support/lane.h"

#define WORDS_MAX 320
#define LINE_SIZE 8192

struct story_line {
	struct lane *lane;
	size_t count;
	char *word[WORDS_MAX]; /* "" beyond the last */
	char text[LINE_SIZE];
	size_t used;
	char said[LINE_SIZE];
};

void story_say(struct story_line *line, const char *format, ...) __attribute__((format(printf, 2, 3)));
void story_word(struct story_line *line, const char *word); /* behind a blank */
void story_value(struct story_line *line,
		 const redisReply *value); /* what is a time counts from the story's start */
void story_push(struct story_line *line, const redisReply *order); /* nothing when there is none */
redisReply *story_ask(struct story_line *line); /* sends, says the first word of the answer */

/* The value of an option NAME=VALUE among the words, or `otherwise`. */
const char *story_option(const struct story_line *line, const char *name, const char *otherwise);

/* The commands that change nothing. */
void story_do_get(struct story_line *line);
void story_do_app(struct story_line *line);
void story_do_list(struct story_line *line);
void story_do_lane(struct story_line *line);
void story_do_removals(struct story_line *line);
void story_do_timetable(struct story_line *line);
void story_do_keys(struct story_line *line);
void story_do_audit(struct story_line *line);
void story_do_check(struct story_line *line);

#endif
