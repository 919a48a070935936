/* Shared by the files of lane_story.c only: one row, its words, and what its answer says. */
#ifndef TESTS_SUPPORT_LANE_STORY_LINE_H
#define TESTS_SUPPORT_LANE_STORY_LINE_H

#include "tests/support/lane.h"

#define WORDS_MAX 320
#define LINE_SIZE 8192

struct lane_story_line {
	struct lane *lane;
	size_t count;
	char *word[WORDS_MAX]; /* "" beyond the last */
	char text[LINE_SIZE];
	size_t used;
	char said[LINE_SIZE];
};

void line_say(struct lane_story_line *line, const char *format, ...) __attribute__((format(printf, 2, 3)));
void line_word(struct lane_story_line *line, const char *word); /* behind a blank */
void line_value(struct lane_story_line *line,
		const redisReply *value); /* what is a time counts from the story's start */
void line_push(struct lane_story_line *line, const redisReply *order); /* nothing when there is none */
redisReply *line_ask(struct lane_story_line *line); /* sends, says the first word of the answer */

/* The value of an option NAME=VALUE among the words, or `otherwise`. */
const char *line_option(const struct lane_story_line *line, const char *name, const char *otherwise);

/* The option limits= is "MOST" or "MOST_GROUP,GROUP": the group's limits, with a blank in the place of the line. The option
 * person= is who is behind the account, where they have several. */
const char *line_limits(const struct lane_story_line *line, char out[64]);

/* The commands that change nothing. */
void story_do_get(struct lane_story_line *line);
void story_do_app(struct lane_story_line *line);
void story_do_cycles(struct lane_story_line *line);
void story_do_log(struct lane_story_line *line);
void story_do_list(struct lane_story_line *line);
void story_do_lane(struct lane_story_line *line);
void story_do_removals(struct lane_story_line *line);
void story_do_timetable(struct lane_story_line *line);
void story_do_keys(struct lane_story_line *line);
void story_do_audit(struct lane_story_line *line);
void story_do_eligible(struct lane_story_line *line);
void story_do_given(struct lane_story_line *line);
void story_do_check(struct lane_story_line *line);

/* lane_story_spoil.c: what cannot be read. */
void story_say_claim(struct lane_story_line *line, const char *kind, const char *id);
void story_do_spoil(struct lane_story_line *line);
void story_do_mend(struct lane_story_line *line);

/* lane_story_policy.c */
void story_do_policies(struct lane_story_line *line);
void story_do_lose(struct lane_story_line *line);
void story_do_guard(struct lane_story_line *line);

/* lane_story_user.c: what is kept of persons as users. */
void story_say_marks(struct lane_story_line *line, const char *marks);
void story_do_user(struct lane_story_line *line);
void story_do_users(struct lane_story_line *line);
void story_do_users_take(struct lane_story_line *line);
void story_do_users_go(struct lane_story_line *line);
void story_do_users_end(struct lane_story_line *line);

/* lane_story_notices.c */
void story_do_outbox(struct lane_story_line *line);
void story_do_spread(struct lane_story_line *line);
void story_do_fill(struct lane_story_line *line);
void story_do_take(struct lane_story_line *line);
void story_do_tell(struct lane_story_line *line);
void story_do_order(struct lane_story_line *line);
void story_do_mailbox(struct lane_story_line *line);
void story_do_notices(struct lane_story_line *line);
void story_do_decide(struct lane_story_line *line);
void story_do_message(struct lane_story_line *line);

/* lane_story_step.c: cycles and their steps. */
void story_do_cycle(struct lane_story_line *line);
void story_do_step(struct lane_story_line *line);
void story_do_drift(struct lane_story_line *line); /* lane_story_drift.c */
void story_say_piece(struct lane_story_line *line, const redisReply *piece);

#endif
