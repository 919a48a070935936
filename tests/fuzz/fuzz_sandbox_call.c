/*
 * One call to the sandbox, in a dialect, over a group with two members. An input's first line is the name of a dialect,
 * the second "METHOD TARGET", the rest the body; $0 is the group's id, $1 to $3 are the users'. What is refused has
 * changed nothing, every body is JSON where it says so, and what the directory counts is what it holds.
 */
#include <string.h>

#include "base/json.h"
#include "scim-push/sandbox/scim.h"
#include "scim-push/sandbox/state.h"
#include "tests/fuzz/fuzz.h"

#define TEXT_MAX 65536
#define NOW_MS   INT64_C(1000000)

static void make_world(struct scim *scim, const struct dialect_row *row)
{
	static const char state[] =
		"{\"users\":[\"u1\",\"u2\",\"u3\"],\"groups\":{\"admins\":[\"u1\",\"u2\"]}}";
	struct dialect dialect = dialect_of(row);
	cJSON *json = cJSON_Parse(state);

	REQUIRE(directory_init(&scim->directory) == ERR_OK);
	scim_use(scim, &dialect);
	REQUIRE(state_change(scim, json, NOW_MS - 100000) == ERR_OK);
	cJSON_Delete(json);
}

static const char *id_of(const struct scim *scim, char which)
{
	if (which == '0')
		return ((const struct group *)roll_at(&scim->directory.groups, 0))->id;
	return ((const struct user *)roll_at(&scim->directory.users, (size_t)(which - '1')))->id;
}

static void fill_in(const struct scim *scim, const char *text, size_t len, struct buf *out)
{
	buf_init(out, (size_t)8 << 20);
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '$' && i + 1 < len && text[i + 1] >= '0' && text[i + 1] <= '3')
			buf_adds(out, id_of(scim, text[++i]));
		else
			buf_add(out, text + i, 1);
	}
}

/* The state as text, and whether the counts are right. */
static void print_state(struct scim *scim, struct answer *out)
{
	struct control control = {.scim = scim};
	struct control_call call = {.control = &control, .now_ms = NOW_MS};

	answer_init(out);
	state_get(&call, out);
	for (size_t i = 0; i < scim->directory.groups.count; i++) {
		const struct group *group = roll_at(&scim->directory.groups, i);
		size_t present = 0;

		for (const struct membership *m = group->memberships; m != NULL; m = m->next_of_group) {
			REQUIRE(m->group == group && *m->place_of_group == m && *m->place_of_user == m);
			REQUIRE(m->copies > 0 && m->user->pins == 0);
			present += m->present;
		}
		REQUIRE(present == group->member_count);
	}
}

static void check_answer(const struct answer *answer)
{
	cJSON *json;

	REQUIRE(answer->status >= 200 && answer->status < 600);
	REQUIRE(!buf_failed(&answer->body));
	REQUIRE(answer->status != 204 || answer->body.len == 0);
	if (answer->body.len == 0)
		return;
	json = cJSON_ParseWithLength(buf_text(&answer->body), answer->body.len);
	REQUIRE(cJSON_IsObject(json));
	cJSON_Delete(json);
}

static void call(struct scim *scim, const char *method, const char *target, const struct buf *body)
{
	struct answer before, answer, after;
	struct scim_call request = {
		.method = method,
		.target = target,
		.base = "http://sandbox/scim/v2",
		.authorised = true,
		.media_type_ok = true,
		.body = buf_text(body),
		.body_len = body->len,
		.now_ms = NOW_MS,
	};

	print_state(scim, &before);
	answer_init(&answer);
	scim_handle(scim, &request, &answer);
	check_answer(&answer);
	print_state(scim, &after);
	if (answer.status >= 300 || strcmp(method, "GET") == 0)
		REQUIRE(strcmp(buf_text(&before.body), buf_text(&after.body)) == 0);
	answer_release(&before);
	answer_release(&answer);
	answer_release(&after);
}

/* The next line, without its end, as a text of its own; moves on. False: there is none, or it is too long. */
static bool take_line(const uint8_t **data, size_t *size, char *out, size_t room)
{
	const uint8_t *end = memchr(*data, '\n', *size);
	size_t len = end != NULL ? (size_t)(end - *data) : 0;

	if (end == NULL || len >= room)
		return false;
	memcpy(out, *data, len);
	out[len] = '\0';
	*data = end + 1;
	*size -= len + 1;
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char dialect[32], line[8192];
	const struct dialect_row *row;
	struct buf target, body;
	struct scim scim = {0};
	char *space;

	if (size > TEXT_MAX || !take_line(&data, &size, dialect, sizeof(dialect)) ||
	    !take_line(&data, &size, line, sizeof(line)))
		return 0;
	row = dialect_find(dialect);
	space = strchr(line, ' ');
	if (row == NULL || space == NULL)
		return 0;
	*space = '\0';
	make_world(&scim, row);
	fill_in(&scim, space + 1, strlen(space + 1), &target);
	fill_in(&scim, (const char *)data, size, &body);
	call(&scim, line, buf_text(&target), &body);
	buf_release(&target);
	buf_release(&body);
	directory_release(&scim.directory);
	return 0;
}
