/* The pushes of a drain: batches of one group each, inside of the application's throttle, until they are confirmed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "recovery/drain_parts.h"
#include "scim-push/retry.h"

struct flight {
	struct push push;
	struct drain *drain;
	struct bucket *bucket;
	size_t token;
	size_t unanswered; /* questions to Redis */
	bool ended, wanted[PUSH_MEMBERS_MAX];
	size_t items[PUSH_MEMBERS_MAX];
	struct push_member members[PUSH_MEMBERS_MAX];
};

/* The application has confirmed that they are gone: so the next drain leaves them alone. */
static void note_gone(struct drain *drain, const struct escrow_line *line)
{
	struct escrow_line gone = *line;

	gone.kind = ESCROW_GONE;
	/* Right behind what it takes back: by this machine's clock it might be behind what is given later as well. */
	gone.at_ms = line->at_ms + 1;
	gone.end_ms = 0;
	escrow_note(drain->escrow, &gone);
	drain_print(line);
	log_info("escrow_removed", "app=%s group=%s user=%s late_ms=%lld", line->application,
		 line->group_name, line->user_name, (long long)(clock_wall_ms() - line->end_ms));
}

static void take_result(struct flight *flight, size_t i)
{
	struct item *item = &flight->drain->items[flight->items[i]];
	const struct push_member *member = &flight->push.members[i];
	int64_t now = clock_mono_ms();

	switch (member->verdict) {
	case PUSH_DONE:
		item->state = ITEM_REMOVED;
		note_gone(flight->drain, &item->line);
		return;
	case PUSH_SPLIT:
		item->most = flight->push.count / 2 > 0 ? flight->push.count / 2 : 1;
		item->not_before_ms = now;
		break;
	case PUSH_SKIPPED:
		if (item->state == ITEM_HELD)
			return;
		item->not_before_ms = now + 1000;
		break;
	case PUSH_RETRY:
	case PUSH_REFUSED:
		item->failures++;
		item->not_before_ms = now + retry_delay_ms(item->failures, true, retry_chance());
		break;
	}
	item->state = ITEM_WAITS;
	snprintf(item->why, sizeof(item->why), "%.150s", member->error);
}

static void on_end(void *ctx, struct push *push)
{
	struct flight *flight = ctx;
	struct drain *drain = flight->drain;
	int64_t now = clock_mono_ms();

	for (size_t i = 0; i < push->count; i++)
		take_result(flight, i);
	/* What was not answered may go on in the application for as long as the push might have. */
	flight->bucket->back_ms[flight->token] =
		(push->unanswered ? push->deadline_ms : now) + flight->bucket->app->throttle.per_ms;
	if (push->closed_for_ms > 0 && now + push->closed_for_ms > flight->bucket->closed_until_ms)
		flight->bucket->closed_until_ms = now + push->closed_for_ms;
	drain->flights--;
	flight->ended = true;
	if (flight->unanswered == 0)
		free(flight);
}

static void on_told(void *ctx, size_t item, bool can_say, bool is_held)
{
	struct flight *flight = ctx;
	bool ask_over = --flight->unanswered == 0;

	for (size_t i = 0; i < flight->push.count; i++)
		if (flight->items[i] == item)
			flight->wanted[i] = can_say && !is_held;
	if (can_say && is_held && !flight->ended)
		flight->drain->items[item].state = ITEM_HELD;
	if (ask_over && flight->ended)
		free(flight);
	else if (ask_over)
		push_send(&flight->push, flight->wanted);
}

/* Somebody may have been given access again since the drain has begun. */
static void on_ready(void *ctx, struct push *push)
{
	struct flight *flight = ctx;

	for (size_t i = 0; i < push->count; i++)
		flight->wanted[i] = true;
	if (flight->drain->store == NULL) {
		push_send(push, flight->wanted);
		return;
	}
	flight->unanswered = push->count;
	for (size_t i = 0; i < push->count; i++)
		drain_ask_one(flight->drain, flight->items[i], on_told, flight);
}

static bool goes_with(const struct item *first, const struct item *item)
{
	return item->app == first->app && strcmp(item->line.group, first->line.group) == 0 &&
	       strcmp(item->line.group_id, first->line.group_id) == 0 && item->most == first->most;
}

static void take_member(struct flight *flight, size_t index)
{
	struct drain *drain = flight->drain;
	struct item *item = &drain->items[index];
	size_t i = flight->push.count++;
	struct push_member *member = &flight->members[i];
	const struct config_person *person = config_person_by_id(drain->config, item->line.principal);

	item->state = ITEM_FLIES;
	flight->items[i] = index;
	if (person != NULL)
		member->person = person->names;
	if (item->line.user_name[0] != '\0')
		snprintf(member->person.user_name, sizeof(member->person.user_name), "%s",
			 item->line.user_name);
	snprintf(member->user_id, sizeof(member->user_id), "%s", item->line.user_id);
	member->principal = item->line.principal;
	member->failures = item->failures;
}

static void fill_push(struct flight *flight, const struct item *first)
{
	const struct escrow_line *line = &first->line;
	const struct config_group *group = config_group(flight->drain->config, line->group);
	struct push *push = &flight->push;

	push->target = &first->app->scim;
	snprintf(push->id, sizeof(push->id), "escrow-%zu", flight->items[0]);
	snprintf(push->group_id, sizeof(push->group_id), "%s", line->group_id);
	snprintf(push->group_name, sizeof(push->group_name), "%s",
		 group != NULL ? group->name : line->group_name);
	snprintf(push->group_external_id, sizeof(push->group_external_id), "%s",
		 group != NULL ? group->external_id : "");
	push->deadline_ms = clock_mono_ms() + first->app->push_timeout_ms;
	push->members = flight->members;
	push->on_ready = on_ready;
	push->on_end = on_end;
	push->ctx = flight;
}

/* All that is due in the group of that item, as far as it fits into one push. */
static void begin(struct drain *drain, struct bucket *bucket, size_t token, size_t first)
{
	struct flight *flight = calloc(1, sizeof(*flight));
	size_t most = dialect_batch(&bucket->app->scim.dialect);
	int64_t now = clock_mono_ms();

	if (flight == NULL)
		return;
	flight->drain = drain;
	flight->bucket = bucket;
	flight->token = token;
	most = drain->items[first].most < most ? drain->items[first].most : most;
	for (size_t i = first; i < drain->count && flight->push.count < most; i++)
		if (drain->items[i].state == ITEM_WAITS && drain->items[i].not_before_ms <= now &&
		    goes_with(&drain->items[first], &drain->items[i]))
			take_member(flight, i);
	fill_push(flight, &drain->items[first]);
	bucket->back_ms[token] = INT64_MAX;
	drain->flights++;
	push_start(drain->pusher, &flight->push);
}

/* A token that is there now; `pushes` = none. */
static size_t free_token(const struct bucket *bucket, int64_t now)
{
	size_t token = 0, pushes = (size_t)bucket->app->throttle.pushes;

	if (bucket->closed_until_ms > now)
		return pushes;
	while (token < pushes && bucket->back_ms[token] > now)
		token++;
	return token;
}

void drain_push(struct drain *drain)
{
	int64_t now = clock_mono_ms();

	for (size_t i = 0; i < drain->count; i++) {
		struct item *item = &drain->items[i];
		struct bucket *bucket;
		size_t token;

		if (item->state != ITEM_WAITS || item->not_before_ms > now)
			continue;
		bucket = &drain->buckets[item->app - drain->config->applications];
		token = free_token(bucket, now);
		if (token < (size_t)bucket->app->throttle.pushes)
			begin(drain, bucket, token, i);
	}
}
