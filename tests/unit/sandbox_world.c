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
	return strstr(buf_text(&w->answer.body), text) != NULL;
}

int world_setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	const struct user *user;

	assert_non_null(w);
	w->scim.dialect = dialect_aws();
	w->now_ms = 1000000;
	answer_init(&w->answer);
	assert_int_equal(directory_init(&w->scim.directory, 0), ERR_OK);
	assert_int_equal(scim_make_group(&w->scim, "admins", w->now_ms), ERR_OK);
	assert_int_equal(scim_make_user(&w->scim, "u1", w->now_ms), ERR_OK);
	assert_int_equal(scim_make_user(&w->scim, "u2", w->now_ms), ERR_OK);
	assert_int_equal(scim_make_user(&w->scim, "u3", w->now_ms), ERR_OK);
	(void)snprintf(w->ids[0], SCIM_ID_SIZE, "%s", w->scim.directory.first_group->id);
	user = w->scim.directory.first_user;
	for (int i = 1; i <= 3; i++, user = user->next)
		(void)snprintf(w->ids[i], SCIM_ID_SIZE, "%s", user->id);
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
	const struct group *group = w->scim.directory.first_group;
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
