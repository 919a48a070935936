/* Desired members against the application's own state and its log. */
#include "tests/support/books.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "tests/support/sandbox_log.h"
#include "tests/support/wait.h"

#define REPEAT_MS   1000 /* two look-ups lie between */
#define DIFFERENCES 12   /* that many are told of */

static int64_t *entry(const struct books *books, size_t person, size_t group)
{
	return &books->until_ms[person * books->world->config.group_count + group];
}

/* {"users":[…],"group":NAME,"add":[…]} */
static bool make_standing(const struct books *books, size_t group)
{
	struct http_response response;
	struct buf names, body;
	bool ok;

	buf_init(&names, 65536);
	buf_init(&body, 1 << 20);
	for (size_t i = 0; books->standing[i] != NULL; i++) {
		buf_adds(&names, i > 0 ? "," : "");
		json_add_string(&names, books->standing[i]);
	}
	buf_addf(&body, "{\"users\":[%s],\"group\":\"%s\",\"add\":[%s]}", buf_text(&names),
		 world_group_name(books->world, group), buf_text(&names));
	sandbox_control(&books->world->sandbox, "POST", "/sandbox/state", buf_text(&body), &response);
	ok = response.status == 200;
	if (!ok)
		fprintf(stderr, "standing members: %d %s\n", response.status, buf_text(&response.body));
	http_response_release(&response);
	buf_release(&names);
	buf_release(&body);
	return ok;
}

bool books_open(struct books *books, const struct world *world, const char *const *standing)
{
	bool ok;

	*books = (struct books){.world = world, .standing = standing};
	books->until_ms =
		calloc(world->config.people_count * world->config.group_count, sizeof(books->until_ms[0]));
	ok = books->until_ms != NULL;
	for (size_t group = 0; ok && group < world->config.group_count; group++)
		ok = make_standing(books, group);
	return ok;
}

void books_close(struct books *books)
{
	free(books->until_ms);
	*books = (struct books){0};
}

void books_extend(struct books *books, size_t person, size_t group, int64_t until_ms)
{
	if (until_ms > *entry(books, person, group))
		*entry(books, person, group) = until_ms;
}

void books_end(struct books *books, size_t person, size_t group)
{
	*entry(books, person, group) = 0;
}

int64_t books_until(const struct books *books, size_t person, size_t group)
{
	return *entry(books, person, group);
}

bool books_wants(const struct books *books, size_t person, size_t group, int64_t now_ms)
{
	return *entry(books, person, group) > now_ms;
}

int64_t books_last_end(const struct books *books)
{
	size_t count = books->world->config.people_count * books->world->config.group_count;
	int64_t last = 0;

	for (size_t i = 0; i < count; i++)
		if (books->until_ms[i] != BOOKS_FOREVER && books->until_ms[i] > last)
			last = books->until_ms[i];
	return last;
}

/* -- comparison -------------------------------------------------------------------------------------------------- */

struct comparison {
	const struct books *books;
	bool tell;
	size_t differences;
};

static void differ(struct comparison *c, const char *group, const char *name, const char *how)
{
	if (c->tell && c->differences < DIFFERENCES)
		fprintf(stderr, "%s: %s %s\n", group, name, how);
	c->differences++;
}

static bool holds(const cJSON *members, const char *name)
{
	const cJSON *member;

	cJSON_ArrayForEach(member, members)
		if (cJSON_IsString(member) && strcmp(member->valuestring, name) == 0)
			return true;
	return false;
}

/* Is somebody of that name wanted there? */
static bool wanted_by_name(const struct books *books, size_t group, const char *name, int64_t now_ms)
{
	for (size_t i = 0; books->standing[i] != NULL; i++)
		if (strcmp(books->standing[i], name) == 0)
			return true;
	for (size_t person = 0; person < books->world->config.people_count; person++)
		if (strcmp(world_user_name(books->world, person), name) == 0)
			return books_wants(books, person, group, now_ms);
	return false;
}

static void compare_group(struct comparison *c, size_t group, const cJSON *members, int64_t now_ms)
{
	const struct books *books = c->books;
	const char *name = world_group_name(books->world, group);
	const cJSON *member;

	for (size_t i = 0; books->standing[i] != NULL; i++)
		if (!holds(members, books->standing[i]))
			differ(c, name, books->standing[i], "was a member before, and is none now");
	for (size_t person = 0; person < books->world->config.people_count; person++)
		if (books_wants(books, person, group, now_ms) &&
		    !holds(members, world_user_name(books->world, person)))
			differ(c, name, world_user_name(books->world, person), "should be a member");
	cJSON_ArrayForEach(member, members)
		if (!wanted_by_name(books, group, member->valuestring, now_ms))
			differ(c, name, member->valuestring, "should be no member");
}

static void compare(struct comparison *c)
{
	cJSON *state = sandbox_state(&c->books->world->sandbox);
	const cJSON *groups = cJSON_GetObjectItemCaseSensitive(state, "groups");
	int64_t now_ms = clock_wall_ms();

	c->differences = groups == NULL;
	for (size_t group = 0; groups != NULL && group < c->books->world->config.group_count; group++)
		compare_group(
			c, group,
			cJSON_GetObjectItemCaseSensitive(groups, world_group_name(c->books->world, group)),
			now_ms);
	cJSON_Delete(state);
}

static bool is_right(void *ctx)
{
	struct comparison *c = ctx;

	compare(c);
	return c->differences == 0;
}

bool books_right(const struct books *books)
{
	struct comparison c = {.books = books};

	return is_right(&c);
}

bool books_wait(const struct books *books, int64_t timeout_ms)
{
	struct comparison c = {.books = books};

	if (wait_until(is_right, &c, timeout_ms))
		return true;
	c.tell = true;
	compare(&c);
	fprintf(stderr, "%zu memberships of %s are not as they should be\n", c.differences,
		books->world->sandbox.url);
	return c.differences == 0;
}

bool books_standing(const struct books *books)
{
	cJSON *state = sandbox_state(&books->world->sandbox);
	const cJSON *groups = cJSON_GetObjectItemCaseSensitive(state, "groups");
	bool all = groups != NULL;

	for (size_t group = 0; group < books->world->config.group_count; group++)
		for (size_t i = 0; books->standing[i] != NULL; i++) {
			const char *name = world_group_name(books->world, group);

			if (holds(cJSON_GetObjectItemCaseSensitive(groups, name), books->standing[i]))
				continue;
			fprintf(stderr, "%s: %s was a member before, and is none now\n", name,
				books->standing[i]);
			all = false;
		}
	cJSON_Delete(state);
	return all;
}

/* -- pushes ------------------------------------------------------------------------------------------------------ */

struct push {
	const struct sandbox_entry *last; /* its latest PATCH */
	int64_t begun_ms, ended_ms;
	bool repeated;
};

/* Refused because of an id that it remembered, a push looks ids up again and sends a second PATCH to the same group:
 * once, and at once. Any other PATCH is a push of its own. */
static bool goes_on(const struct push *push, const struct sandbox_entry *entry)
{
	return !push->repeated && (push->last->status == 404 || push->last->status == 400) &&
	       entry->received_ms - push->ended_ms <= REPEAT_MS && strcmp(push->last->path, entry->path) == 0;
}

/* The pushes of a log; `all` has room for each entry. */
static size_t find_pushes(const struct sandbox_log *log, struct push *all)
{
	size_t count = 0;

	for (size_t i = 0; i < log->count; i++) {
		const struct sandbox_entry *entry = &log->entries[i];
		struct push *push = NULL;

		if (sandbox_entry_changes_user(entry)) {
			all[count] = (struct push){
				.last = entry, .begun_ms = entry->received_ms, .repeated = true};
			all[count++].ended_ms = entry->client_gone ? entry->received_ms : entry->answered_ms;
		}
		if (!sandbox_entry_is_push(entry))
			continue;
		for (size_t j = count; j > 0 && push == NULL; j--)
			if (strcmp(all[j - 1].last->path, entry->path) == 0)
				push = &all[j - 1];
		if (push == NULL || !goes_on(push, entry)) {
			push = &all[count++];
			*push = (struct push){.begun_ms = entry->received_ms};
		} else {
			push->repeated = true;
		}
		push->last = entry;
		/* A client that has given up was gone before the application, being slow, took note of it. */
		push->ended_ms = entry->client_gone ? entry->received_ms : entry->answered_ms;
	}
	return count;
}

static size_t pushes_in(const struct push *all, size_t count, int64_t from_ms, int64_t to_ms)
{
	size_t found = 0;

	for (size_t i = 0; i < count; i++)
		found += (all[i].begun_ms >= from_ms && all[i].begun_ms < to_ms) ||
			 (all[i].ended_ms >= from_ms && all[i].ended_ms < to_ms);
	return found;
}

/* The fullest window can be moved to the right until it starts with a beginning or an end. */
static size_t fullest(const struct push *all, size_t count, int64_t window_ms, int64_t *from_ms)
{
	size_t most = 0;

	*from_ms = 0;
	for (size_t i = 0; i < count * 2; i++) {
		int64_t from = i % 2 == 0 ? all[i / 2].begun_ms : all[i / 2].ended_ms;
		size_t seen = pushes_in(all, count, from, from + window_ms);

		if (seen > most) {
			most = seen;
			*from_ms = from;
		}
	}
	return most;
}

/* The changes of that window, for who has to find out. */
static void tell(const struct sandbox_log *log, int64_t from_ms, int64_t to_ms)
{
	for (size_t i = 0; i < log->count; i++) {
		const struct sandbox_entry *e = &log->entries[i];
		char *body;

		if ((!sandbox_entry_is_push(e) && !sandbox_entry_changes_user(e)) ||
		    e->answered_ms < from_ms || e->received_ms >= to_ms)
			continue;
		body = cJSON_PrintUnformatted(e->body);
		fprintf(stderr, "%lld-%lld %d %s %.300s\n", (long long)(e->received_ms - from_ms),
			(long long)(e->answered_ms - from_ms), e->status, e->path, body != NULL ? body : "");
		cJSON_free(body);
	}
}

bool books_throttled(const struct books *books, size_t most, int64_t window_ms)
{
	struct sandbox_log log;
	struct push *all;
	size_t count, seen = SIZE_MAX;
	int64_t from_ms = 0;

	if (!sandbox_log_read(books->world->sandbox.requests_path, &log))
		return false;
	all = calloc(log.count + 1, sizeof(*all));
	if (all != NULL) {
		count = find_pushes(&log, all);
		seen = fullest(all, count, window_ms, &from_ms);
	}
	if (seen > most) {
		fprintf(stderr, "%zu pushes in %lld ms; %zu are allowed\n", seen, (long long)window_ms, most);
		tell(&log, from_ms, from_ms + window_ms);
	}
	free(all);
	sandbox_log_release(&log);
	return seen <= most;
}

size_t books_user_changes(const struct books *books)
{
	struct sandbox_log log;
	size_t count = 0;

	if (!sandbox_log_read(books->world->sandbox.requests_path, &log))
		return 0;
	for (size_t i = 0; i < log.count; i++)
		count += sandbox_entry_changes_user(&log.entries[i]);
	sandbox_log_release(&log);
	return count;
}
