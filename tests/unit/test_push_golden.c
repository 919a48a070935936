/*
 * For each dialect one story, as bytes on the wire: ada is created and made a member of a group, then once more
 * together with bob, and both are removed again. tests/golden/scim/DIALECT.txt is what every request must be; what a run sends instead lies beside
 * this program as golden-DIALECT.txt.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/push_story.h"

#define GROUP_WITH(members) "{\"id\":\"g-1\",\"displayName\":\"aws-admins\",\"members\":[" members "]}"

/* Enough of an application for any dialect: it says what the story needs, in whatever way it is asked. */
static const struct peer_rule creating[] = {
	{.when = "GET /t/scim/v2/Groups?filter=id", .status = 200, .body = GROUP("g-1")},
	{.when = "GET /t/scim/v2/Groups?", .status = 200, .body = GROUP("g-1")},
	{.when = FIND_USER("ada"), .status = 200, .body = STORY_NONE},
	{.when = CREATE, .status = 201, .body = STORY_USER("u-1", "ada@example.com")},
	{.when = PATCH("g-1"), .status = 204, .body = ""},
	{.when = "GET /t/scim/v2/Groups/g-1", .status = 200, .body = GROUP_WITH(MEMBER("u-1"))},
};

static const struct peer_rule adding[] = {
	{.when = "GET /t/scim/v2/Groups?filter=id", .status = 200, .body = GROUP("g-1")},
	{.when = "GET /t/scim/v2/Groups?filter=id", .status = 200, .body = GROUP("g-1")},
	{.when = FIND_USER("bob"), .status = 200, .body = FOUND("bob", "u-2")},
	{.when = PATCH("g-1"), .status = 204, .body = ""},
	{.when = PATCH("g-1"), .status = 204, .body = ""},
	{.when = "GET /t/scim/v2/Groups/g-1",
	 .status = 200,
	 .body = GROUP_WITH(MEMBER("u-1") "," MEMBER("u-2"))},
};

static const struct peer_rule removing[] = {
	{.when = "GET /t/scim/v2/Groups?filter=id", .status = 200, .body = STORY_NONE},
	{.when = "GET /t/scim/v2/Groups?filter=id", .status = 200, .body = STORY_NONE},
	{.when = PATCH("g-1"), .status = 204, .body = ""},
	{.when = PATCH("g-1"), .status = 204, .body = ""},
	{.when = "GET /t/scim/v2/Groups/g-1", .status = 200, .body = GROUP_WITH("")},
};

static void read_file(const char *path, char *out, size_t size)
{
	FILE *file = fopen(path, "rb");
	size_t len = file == NULL ? 0 : fread(out, 1, size - 1, file);

	out[len] = '\0';
	if (file != NULL)
		(void)fclose(file);
}

static void keep(const char *name, const char *text)
{
	char path[4096];
	ssize_t len = 0;
	FILE *file;

	snprintf(path, sizeof(path), "%s", program_invocation_name);
	len = strrchr(path, '/') - path;
	snprintf(path + len, sizeof(path) - (size_t)len, "/golden-%s.txt", name);
	file = fopen(path, "wb");
	if (file != NULL) {
		(void)fputs(text, file);
		(void)fclose(file);
	}
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Questions are asked several at a time, and arrive in any order: those that follow each other are put into one. */
static void add_sorted(struct buf *out, const char *wire)
{
	char *copy = strdup(wire), *questions[32];
	size_t count = 0;

	assert_non_null(copy);
	for (char *at = copy; *at != '\0';) {
		bool question = strncmp(at, "GET ", 4) == 0;
		char *end = strstr(at, "\n\n");
		assert_non_null(end);
		end = question ? end : strstr(end + 2, "\n\n");
		assert_non_null(end);
		end[1] = '\0'; /* the second line end goes, and comes back below */
		if (question)
			questions[count++] = at;
		if (!question || strncmp(end + 2, "GET ", 4) != 0) {
			qsort(questions, count, sizeof(questions[0]), by_text);
			for (size_t i = 0; i < count; i++)
				buf_addf(out, "%s\n", questions[i]);
			count = 0;
		}
		if (!question)
			buf_addf(out, "%s\n", at);
		at = end + 2;
	}
	free(copy);
}

static void tell(enum dialect dialect, struct buf *wire)
{
	struct story *story = NULL;
	void *state = NULL;

	assert_int_equal(story_open(&state), 0);
	story = state;
	story->target.dialect = *dialect_row(dialect);
	story->target.dialect.settle_ms = 0; /* not to be seen in what is sent */
	STORY_RUN(story, creating);
	story_expect(story, 0, PUSH_DONE, "");
	buf_addf(wire, "# %s: a member is created and added\n\n", dialect_name(dialect));
	add_sorted(wire, buf_text(&story->peer.wire));
	story_member(story, "bob");
	STORY_RUN(story, adding);
	buf_addf(wire, "# %s: two members are added\n\n", dialect_name(dialect));
	add_sorted(wire, buf_text(&story->peer.wire));
	story->push.add = false;
	STORY_RUN(story, removing);
	story_expect(story, 0, PUSH_DONE, "");
	story_expect(story, 1, PUSH_DONE, "");
	buf_addf(wire, "# %s: and removed\n\n", dialect_name(dialect));
	add_sorted(wire, buf_text(&story->peer.wire));
	assert_int_equal(story_close(&state), 0);
}

static void golden_stories(void **state)
{
	static char golden[65536];
	char path[128];
	int different = 0;

	for (int i = 0; i < DIALECT_COUNT; i++) {
		const char *name = dialect_name((enum dialect)i);
		struct buf wire;
		buf_init(&wire, sizeof(golden));
		tell((enum dialect)i, &wire);
		snprintf(path, sizeof(path), "tests/golden/scim/%s.txt", name);
		read_file(path, golden, sizeof(golden));
		if (strcmp(golden, buf_text(&wire)) != 0) {
			keep(name, buf_text(&wire));
			print_error("%s is not what is sent\n", path);
			different++;
		}
		buf_release(&wire);
	}
	assert_int_equal(different, 0);
	(void)state;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(golden_stories),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
