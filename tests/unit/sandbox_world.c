/* The world of the sandbox's tests. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/sandbox_world.h"

/* $0 is the group's id, $1 … $3 the users' */
static void fill_in(const struct world *w, const char *text, struct buf *out)
{
	buf_init(out, 1 << 20);
	for (; *text != '\0'; text++) {
		if (text[0] == '$' && text[1] >= '0' && text[1] <= '3')
			buf_adds(out, w->ids[*++text - '0']);
		else
			buf_add(out, text, 1);
	}
}

int world_call(struct world *w, const char *method, const char *target, const char *body)
{
	struct buf full_target, full_body;

	fill_in(w, target, &full_target);
	fill_in(w, body, &full_body);
	answer_release(&w->answer);
	answer_init(&w->answer);
	scim_handle(&w->scim,
		    &(struct scim_call){.method = method,
					.target = buf_text(&full_target),
					.base = "http://sandbox/scim/v2",
					.authorised = true,
					.media_type_ok = true,
					.body = buf_text(&full_body),
					.body_len = full_body.len,
					.now_ms = w->now_ms},
		    &w->answer);
	buf_release(&full_target);
	buf_release(&full_body);
	return w->answer.status;
}

bool world_holds(const struct world *w, const char *text)
{
	struct buf full;
	bool holds;

	fill_in(w, text, &full);
	holds = strstr(buf_text(&w->answer.body), buf_text(&full)) != NULL;
	buf_release(&full);
	return holds;
}

void world_speak(struct world *w, const char *dialect)
{
	const struct dialect_row *row = dialect_find(dialect);
	struct dialect behaviours;

	assert_non_null(row);
	behaviours = dialect_of(row);
	scim_use(&w->scim, &behaviours);
	scim_use_rates(&w->scim, row);
}

void world_behave(struct world *w, const char *behaviour)
{
	struct dialect dialect = w->scim.dialect;

	assert_int_equal(dialect_set(&dialect, behaviour, NULL), ERR_OK);
	scim_use(&w->scim, &dialect);
}

static const struct group *first_group(const struct world *w)
{
	return roll_at(&w->scim.directory.groups, 0);
}

int world_setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	w->now_ms = 1000000;
	answer_init(&w->answer);
	assert_int_equal(directory_init(&w->scim.directory), ERR_OK);
	world_speak(w, "aws");
	assert_int_equal(scim_make_group(&w->scim, "admins", w->now_ms), ERR_OK);
	assert_int_equal(scim_make_user(&w->scim, "u1", w->now_ms), ERR_OK);
	assert_int_equal(scim_make_user(&w->scim, "u2", w->now_ms), ERR_OK);
	assert_int_equal(scim_make_user(&w->scim, "u3", w->now_ms), ERR_OK);
	(void)snprintf(w->ids[0], SCIM_ID_SIZE, "%s", first_group(w)->id);
	for (size_t i = 1; i <= 3; i++) {
		const struct user *user = roll_at(&w->scim.directory.users, i - 1);

		(void)snprintf(w->ids[i], SCIM_ID_SIZE, "%s", user->id);
	}
	assert_int_equal(world_call(w, "PATCH", "/Groups/$0", PATCH(MEMBERS("add", ONE("$1") "," ONE("$2")))),
			 204);
	*state = w;
	return 0;
}

int world_teardown(void **state)
{
	struct world *w = *state;

	answer_release(&w->answer);
	directory_release(&w->scim.directory);
	free(w);
	return 0;
}

void world_members(const struct world *w, char out[4])
{
	const struct group *group = first_group(w);
	size_t len = 0;

	for (int i = 1; i <= 3; i++) {
		const struct user *user = directory_user(&w->scim.directory, w->ids[i]);

		if (user != NULL && directory_is_member(group, user))
			out[len++] = (char)('0' + i);
	}
	out[len] = '\0';
}

void world_make_users(struct world *w, int count)
{
	for (int i = 0; i < count; i++) {
		char name[32];

		(void)snprintf(name, sizeof(name), "many%d", i);
		assert_int_equal(scim_make_user(&w->scim, name, w->now_ms), ERR_OK);
	}
}
