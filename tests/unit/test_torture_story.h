/*
 * A story for the judge of `make torture`: the small history of test_torture_history.h, which a test changes before it is
 * judged. For the tests of the judge only.
 */
#ifndef TEST_TORTURE_STORY_H
#define TEST_TORTURE_STORY_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/torture/judge.h"
#include "tests/unit/test_torture_history.h"

#define STORY(test) cmocka_unit_test_setup_teardown(test, open_story, close_story)

/* A history and a log that a test changes before they are judged. */
struct story {
	char dir[64], log[96];
	const char *history[LINES_MAX], *requests[LINES_MAX];
	size_t lines, entries;
	struct judge judge;
};

static inline int open_story(void **state)
{
	struct story *story = calloc(1, sizeof(*story));

	if (story == NULL)
		return -1;
	*state = story;
	snprintf(story->dir, sizeof(story->dir), "/tmp/jit-judge-XXXXXX");
	if (mkdtemp(story->dir) == NULL)
		return -1;
	snprintf(story->log, sizeof(story->log), "%s/app.jsonl", story->dir);
	for (; story->lines < sizeof(history) / sizeof(history[0]); story->lines++)
		story->history[story->lines] = history[story->lines];
	for (; story->entries < sizeof(requests) / sizeof(requests[0]); story->entries++)
		story->requests[story->entries] = requests[story->entries];
	return 0;
}

static inline int close_story(void **state)
{
	struct story *story = *state;
	char path[128];

	judge_release(&story->judge);
	snprintf(path, sizeof(path), "%s/history.jsonl", story->dir);
	(void)unlink(path);
	(void)unlink(story->log);
	(void)rmdir(story->dir);
	free(story);
	return 0;
}

/* -- changes ----------------------------------------------------------------------------------------------------- */

static inline void say(struct story *story, const char *line)
{
	assert_true(story->lines < LINES_MAX);
	story->history[story->lines++] = line;
}

static inline void see(struct story *story, const char *entry)
{
	assert_true(story->entries < LINES_MAX);
	story->requests[story->entries++] = entry;
}

/* Takes the one line that holds the text out. */
static inline void drop_from(const char **lines, size_t *count, const char *text)
{
	size_t kept = 0, before = *count;

	for (size_t i = 0; i < before; i++)
		if (strstr(lines[i], text) == NULL)
			lines[kept++] = lines[i];
	assert_int_equal(kept, before - 1);
	*count = kept;
}

static inline void unsay(struct story *story, const char *text)
{
	drop_from(story->history, &story->lines, text);
}

static inline void unsee(struct story *story, const char *text)
{
	drop_from(story->requests, &story->entries, text);
}

static inline void write_lines(const char *path, const char *const *lines, size_t count, const char *log)
{
	FILE *file = fopen(path, "wbe");

	assert_non_null(file);
	for (size_t i = 0; i < count; i++) {
		const char *at = strstr(lines[i], "LOG");

		if (at != NULL)
			fprintf(file, "%.*s%s%s\n", (int)(at - lines[i]), lines[i], log, at + strlen("LOG"));
		else
			fprintf(file, "%s\n", lines[i]);
	}
	assert_int_equal(fclose(file), 0);
}

static inline void write_story(const struct story *story)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/history.jsonl", story->dir);
	write_lines(path, story->history, story->lines, story->log);
	write_lines(story->log, story->requests, story->entries, "");
}

static inline const struct judge *judge(struct story *story)
{
	write_story(story);
	judge_release(&story->judge);
	assert_true(judge_read(&story->judge, story->dir));
	judge_all(&story->judge);
	return &story->judge;
}

static inline void expect(struct story *story, size_t lost, size_t over, size_t overdue, size_t broken)
{
	const struct judge *found = judge(story);

	assert_int_equal(found->lost, lost);
	assert_int_equal(found->over_count, over);
	assert_int_equal(found->overdue, overdue);
	assert_int_equal(found->broken, broken);
	assert_int_equal(judge_is_clean(found), lost + over + overdue + broken == 0);
}

#endif
