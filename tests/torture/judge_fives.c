/*
 * Never a sixth push in any window, measured where the application sees them. A push is its look-ups, the creation of
 * its user and its PATCH; it begins with the arrival of its first request and ends with the answer to its last one.
 *
 * Where each person has a group of their own every request tells whom it is for, and so which push it belongs to: a
 * request goes on with the person's last push as long as that is not over. Where it cannot be told, two pushes are taken
 * for one, never one for two. In a shared group only the PATCHes are counted, each as one push.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/torture/judge.h"

#define AGAIN_MS 100
#define NEAR_MS  1000 /* from a token to the application, on a busy machine */

enum kind { KIND_OTHER, KIND_GROUP, KIND_USER, KIND_CREATE, KIND_CONFIRM, KIND_PATCH };

struct push {
	int64_t begun_ms, ended_ms;
	bool patched;          /* its PATCH was not refused because of ids that are out of date */
	bool added;            /* by that PATCH */
	bool undone;           /* it was a removal, and was not made */
	bool unanswered, over; /* its last request failed: it does not go on */
	enum kind last;
};

/* One request of a person's. */
struct request {
	enum kind kind;
	const struct judge_entry *entry;
};

struct pushes {
	size_t count;
	struct push *all;
};

/* -- whom a request is for -------------------------------------------------------------------------------------- */

static bool is_named(const char *path, const char *name)
{
	char encoded[JUDGE_TEXT * 3];
	size_t n = 0;

	for (; *name != '\0' && n + 4 < sizeof(encoded); name++) {
		if (*name == '@')
			n += (size_t)snprintf(encoded + n, sizeof(encoded) - n, "%%40");
		else
			encoded[n++] = *name;
	}
	encoded[n] = '\0';
	/* Between its quotes, so that p1@ is not found in p11@. */
	const char *at = strstr(path, encoded);
	return at != NULL && at > path && at[-1] == '2' && at[n] == '%';
}

static bool holds_id_of(const struct judge *judge, int app, const char *path, const char *name)
{
	for (size_t i = 0; i < judge->name_count; i++)
		if (judge->names[i].app == app && strcmp(judge->names[i].name, name) == 0 &&
		    strstr(path, judge->names[i].id) != NULL)
			return true;
	return false;
}

static enum kind kind_for(const struct judge *judge, int app, const struct judge_entry *entry,
			  const struct judge_person *person)
{
	if (entry->is_patch)
		return strcmp(entry->group, person->group) == 0 ? KIND_PATCH : KIND_OTHER;
	if (strcmp(entry->method, "POST") == 0)
		return strcmp(entry->body_user, person->user) == 0 ? KIND_CREATE : KIND_OTHER;
	if (strstr(entry->path, "/Users") != NULL)
		return is_named(entry->path, person->user) ? KIND_USER : KIND_OTHER;
	if (holds_id_of(judge, app, entry->path, person->group))
		return KIND_CONFIRM;
	return is_named(entry->path, person->group) ? KIND_GROUP : KIND_OTHER;
}

bool judge_is_of_push(const struct judge *judge, const struct judge_entry *entry, size_t person)
{
	const struct judge_person *who = &judge->people[person];

	return kind_for(judge, (int)who->app, entry, who) != KIND_OTHER;
}

/* -- pushes ----------------------------------------------------------------------------------------------------- */

static bool is_stale(int status)
{
	return status == 400 || status == 404;
}

/* `next`: the person's request after this one; NULL = none. */
static bool goes_on(const struct push *last, const struct request *now, const struct request *next)
{
	enum kind kind = now->kind;

	/* On a connection that turns out to be closed an HTTP client sends its request once more. */
	if (last->unanswered && kind == last->last && now->entry->received_ms - last->ended_ms < AGAIN_MS)
		return true;
	/* The application is asked, some times, whether it shows what it has accepted, whatever it answered. After a
	 * removal the same question may be the next addition's first one: whether they are a member already. Not one that
	 * comes with the removal and is not answered: no addition is sent without that answer. Nor any after a removal that was
	 * not made: who may be a member is added without a question. */
	if (kind == KIND_CONFIRM)
		return !last->patched || last->added || last->undone || next == NULL ||
		       next->kind != KIND_PATCH || !next->entry->adds ||
		       (now->entry->status != 200 && now->entry->received_ms - last->ended_ms < NEAR_MS);
	/* A question that was answered with an error may have been the one whether they are a member already: the push goes
	 * on without its answer. */
	if (last->last == KIND_CONFIRM && kind == KIND_PATCH && !last->patched)
		return true;
	if (last->patched || last->over)
		return false;
	/* One and the same question twice: the second is another push's. */
	return kind != last->last || kind == KIND_CREATE;
}

static struct push *new_push(struct pushes *pushes, const struct judge_entry *entry)
{
	pushes->all = judge_grow(pushes->all, pushes->count, sizeof(*pushes->all));
	pushes->all[pushes->count] = (struct push){.begun_ms = entry->received_ms};
	return &pushes->all[pushes->count++];
}

static void go_on(struct push *push, const struct request *request)
{
	const struct judge_entry *entry = request->entry;

	if (entry->answered_ms > push->ended_ms)
		push->ended_ms = entry->answered_ms;
	push->last = request->kind;
	if (request->kind == KIND_PATCH && !is_stale(entry->status)) {
		push->patched = true;
		push->added = entry->adds;
		push->undone = !entry->adds && !entry->applied;
	}
	push->unanswered = entry->status == 0;
	push->over = entry->status == 0 || entry->status == 429 || entry->status >= 500;
}

static void collect_person(const struct judge *judge, size_t app, const struct judge_person *person,
			   struct pushes *pushes)
{
	const struct judge_app *log = &judge->apps[app];
	struct request *requests = NULL;
	struct push *push = NULL;
	size_t count = 0;

	for (size_t i = 0; i < log->count; i++) {
		enum kind kind = kind_for(judge, (int)app, &log->entries[i], person);

		if (kind == KIND_OTHER)
			continue;
		requests = judge_grow(requests, count, sizeof(*requests));
		requests[count++] = (struct request){kind, &log->entries[i]};
	}
	for (size_t i = 0; i < count; i++) {
		size_t next = i + 1;

		/* Beyond the same once more: on another connection, or because the answer was none to the question. */
		while (next < count && requests[next].kind == requests[i].kind &&
		       (requests[next - 1].entry->status == 0 ||
			(requests[i].kind == KIND_CONFIRM && requests[next - 1].entry->status != 200)))
			next++;
		if (push == NULL || !goes_on(push, &requests[i], next < count ? &requests[next] : NULL))
			push = new_push(pushes, requests[i].entry);
		go_on(push, &requests[i]);
	}
	free(requests);
}

static bool is_shared(const struct judge *judge, size_t app, const char *group)
{
	for (size_t i = 0; i < judge->person_count; i++)
		if (judge->people[i].app == app && judge->people[i].shares &&
		    strcmp(judge->people[i].group, group) == 0)
			return true;
	return false;
}

static void collect_patches(const struct judge *judge, size_t app, struct pushes *pushes)
{
	const struct judge_app *log = &judge->apps[app];
	const struct judge_entry *last = NULL;

	for (size_t i = 0; i < log->count; i++) {
		const struct judge_entry *entry = &log->entries[i];
		bool again;

		if (!entry->is_patch || is_stale(entry->status) || !is_shared(judge, app, entry->group))
			continue;
		again = last != NULL && last->status == 0 && last->adds == entry->adds &&
			strcmp(last->group, entry->group) == 0 &&
			entry->received_ms - last->answered_ms < AGAIN_MS;
		if (!again)
			new_push(pushes, entry);
		pushes->all[pushes->count - 1].ended_ms = entry->answered_ms;
		last = entry;
	}
}

/* -- windows ---------------------------------------------------------------------------------------------------- */

static int by_begin(const void *a, const void *b)
{
	const struct push *left = a, *right = b;

	return (left->begun_ms > right->begun_ms) - (left->begun_ms < right->begun_ms);
}

/* How many others begin or end within the window that ends with `at`. */
static int64_t before(const struct pushes *pushes, size_t self, int64_t at, int64_t window)
{
	int64_t count = 0;

	for (size_t i = 0; i < pushes->count; i++) {
		const struct push *push = &pushes->all[i];

		if (i == self || push->begun_ms > at)
			continue;
		count += push->begun_ms > at - window ||
			 (push->ended_ms > at - window && push->ended_ms <= at);
	}
	return count;
}

static void check_windows(struct judge *judge, size_t app, const struct pushes *pushes)
{
	for (size_t i = 0; i < pushes->count; i++) {
		const struct push *push = &pushes->all[i];
		int64_t begin = before(pushes, i, push->begun_ms, judge->window_ms);
		int64_t end = before(pushes, i, push->ended_ms, judge->window_ms);

		if (begin < judge->pushes && end < judge->pushes)
			continue;
		judge->over_ms = judge_grow(judge->over_ms, judge->over_count, sizeof(*judge->over_ms));
		judge->over_ms[judge->over_count] = push->begun_ms;
		judge_say(judge, &judge->over_count,
			  "over: push %lld to %lld of application %zu is number %lld",
			  (long long)push->begun_ms, (long long)push->ended_ms, app,
			  (long long)(begin > end ? begin : end) + 1);
	}
}

/* -- tokens that are left ---------------------------------------------------------------------------------------- */

static bool is_deferred(const struct judge *judge, size_t app, const struct judge_op *op)
{
	return judge->people[op->person].app == app && !judge->people[op->person].needs_approval &&
	       op->status / 100 == 2 && strcmp(op->state, "deferred") == 0;
}

/* While nothing has been broken yet, nobody waits for a cycle who could have had a token. (One that is kept for a removal
 * is taken at once, too.) Later a token may be out of which the application has seen nothing. */
static void check_deferrals(struct judge *judge, size_t app, const struct pushes *pushes)
{
	int64_t before = judge->fault_count > 0 ? judge->faults[0].from_ms : judge->end_ms;

	for (size_t i = 0; i < judge->op_count; i++) {
		const struct judge_op *op = &judge->ops[i];
		int64_t out = 0;

		if (!is_deferred(judge, app, op) || op->answered_ms >= before)
			continue;
		for (size_t n = 0; n < pushes->count; n++)
			out += pushes->all[n].begun_ms <= op->created_ms + NEAR_MS &&
			       pushes->all[n].ended_ms >
				       op->created_ms - judge->window_ms - judge->push_timeout_ms;
		if (out < judge->pushes)
			judge_say(judge, NULL, "broken: op-%ld of person %zu was deferred after %lld pushes",
				  op->number, op->person, (long long)out);
	}
}

void judge_fives(struct judge *judge)
{
	for (size_t app = 0; app < judge->app_count; app++) {
		struct pushes pushes = {0};

		for (size_t i = 0; i < judge->person_count; i++) {
			const struct judge_person *person = &judge->people[i];

			if (person->app == app && !person->shares)
				collect_person(judge, app, person, &pushes);
		}
		collect_patches(judge, app, &pushes);
		if (pushes.count > 0)
			qsort(pushes.all, pushes.count, sizeof(*pushes.all), by_begin);
		check_windows(judge, app, &pushes);
		check_deferrals(judge, app, &pushes);
		free(pushes.all);
	}
}
