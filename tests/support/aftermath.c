/* Puts together what is left in the sandbox's log and in the audit streams. */
#include "tests/support/aftermath.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hiredis/hiredis.h>

#include "tests/support/sandbox_log.h"

#define BASE      "/scim/v2"
#define SCIM_ID   64
#define LANES_ALL 16 /* the default number of lanes */

/* -- which membership a request is for ---------------------------------------------------------------------- */

enum kind { KIND_GROUP, KIND_USER, KIND_CREATE, KIND_PATCH, KIND_CONFIRM, KIND_OTHER };

struct names {
	const struct world *world;
	size_t count;
	char (*group_ids)[SCIM_ID]; /* in the application; owned */
};

static bool names_read(struct names *names, const struct world *world)
{
	char path[256];
	bool ok = true;

	*names = (struct names){.world = world, .count = world->config.group_count};
	names->group_ids = calloc(names->count, sizeof(names->group_ids[0]));
	for (size_t i = 0; names->group_ids != NULL && ok && i < names->count; i++) {
		struct http_response response;
		const char *id;

		snprintf(path, sizeof(path), "/Groups?filter=displayName%%20eq%%20%%22%s%%22",
			 world_group_name(world, i));
		sandbox_scim(&world->sandbox, "GET", path, NULL, &response);
		id = http_json_text(&response, "Resources.0.id");
		ok = id != NULL && strlen(id) < SCIM_ID;
		snprintf(names->group_ids[i], SCIM_ID, "%s", ok ? id : "");
		http_response_release(&response);
	}
	return ok && names->group_ids != NULL;
}

/* The number behind `before`, as in "…%22group-17%22". */
static bool number_after(const char *text, const char *before, size_t *number)
{
	const char *at = strstr(text, before);
	char *end;

	if (at == NULL)
		return false;
	*number = strtoul(at + strlen(before), &end, 10);
	return end != at + strlen(before);
}

static bool group_in(const struct names *names, const char *path, size_t *who)
{
	for (*who = 0; *who < names->count; (*who)++)
		if (strstr(path, names->group_ids[*who]) != NULL)
			return true;
	return false;
}

static enum kind kind_of(const struct names *names, const struct sandbox_entry *entry, size_t *who)
{
	const char *name = cJSON_GetStringValue(cJSON_GetObjectItem(entry->body, "userName"));

	if (sandbox_entry_is_push(entry))
		return group_in(names, entry->path, who) ? KIND_PATCH : KIND_OTHER;
	if (strcmp(entry->method, "POST") == 0)
		return name != NULL && number_after(name, "person", who) ? KIND_CREATE : KIND_OTHER;
	if (strncmp(entry->path, BASE "/Users?", strlen(BASE "/Users?")) == 0)
		return number_after(entry->path, "person", who) ? KIND_USER : KIND_OTHER;
	if (strncmp(entry->path, BASE "/Groups?filter=id", strlen(BASE "/Groups?filter=id")) == 0)
		return group_in(names, entry->path, who) ? KIND_CONFIRM : KIND_OTHER;
	return number_after(entry->path, "group-", who) ? KIND_GROUP : KIND_OTHER;
}

/* -- pushes ------------------------------------------------------------------------------------------------- */

/* Does this request begin a push, or does it belong to the membership's latest one? */
static bool begins_push(const struct push_seen *latest, enum kind before, enum kind now)
{
	bool failed = latest->last_status == 0 || latest->last_status >= 500 || latest->last_status == 429;

	/* It is asked for again after an error, but a push that is told to come later is over, and the next one may begin
	 * with the look whether somebody is a member already. */
	if (now == KIND_CONFIRM)
		return latest->changed && latest->last_status == 429;
	/* The look whether somebody is a member already may fail: the push then goes on without its answer. */
	if (before == KIND_CONFIRM && now == KIND_PATCH && !latest->changed)
		return false;
	/* Refused by what it remembered, a push looks up again and sends a second PATCH: once. */
	return latest->changed || failed || (now == before && now != KIND_CREATE);
}

/* What the application says to an id that it does not know, and to a member who is gone already. */
static bool is_stale(int status)
{
	return status == 400 || status == 404;
}

static bool add_entry(struct pushes_seen *out, size_t *latest, enum kind *before,
		      const struct sandbox_entry *entry, enum kind kind)
{
	struct push_seen *push = *latest == SIZE_MAX ? NULL : &out->all[*latest];

	if (push != NULL && entry->received_ms < push->ended_ms)
		out->overlaps++;
	if (push == NULL || begins_push(push, *before, kind)) {
		struct push_seen *longer = realloc(out->all, (out->count + 1) * sizeof(*longer));

		if (longer == NULL)
			return false;
		out->all = longer;
		*latest = out->count++;
		push = &out->all[*latest];
		*push = (struct push_seen){.begun_ms = entry->received_ms};
	}
	if (entry->answered_ms > push->ended_ms)
		push->ended_ms = entry->answered_ms;
	push->patches += kind == KIND_PATCH;
	push->changed =
		push->changed || (kind == KIND_PATCH && (push->patches > 1 || !is_stale(entry->status)));
	push->last_status = entry->status;
	*before = kind;
	return true;
}

static bool read_pushes(const struct names *names, const struct sandbox_log *log, struct pushes_seen *out)
{
	size_t *latest = calloc(names->count, sizeof(*latest)), who = 0;
	enum kind *before = calloc(names->count, sizeof(*before));
	bool ok = latest != NULL && before != NULL;

	for (size_t i = 0; ok && i < names->count; i++)
		latest[i] = SIZE_MAX;
	for (size_t i = 0; ok && i < log->count; i++) {
		enum kind kind = kind_of(names, &log->entries[i], &who);

		if (kind == KIND_OTHER || who >= names->count)
			continue;
		ok = add_entry(out, &latest[who], &before[who], &log->entries[i], kind);
		if (ok)
			out->all[latest[who]].who = who;
	}
	free(latest);
	free(before);
	return ok;
}

bool pushes_seen_read(const struct world *world, struct pushes_seen *out)
{
	struct sandbox_log log;
	struct names names;
	bool ok;

	*out = (struct pushes_seen){0};
	/* In this order: asking for the groups' ids is logged as well. */
	if (!sandbox_log_read(world->sandbox.requests_path, &log))
		return false;
	ok = names_read(&names, world) && read_pushes(&names, &log, out);
	if (!ok)
		fprintf(stderr, "the sandbox's log cannot be put together\n");
	free(names.group_ids);
	sandbox_log_release(&log);
	if (!ok)
		pushes_seen_release(out);
	return ok;
}

void pushes_seen_release(struct pushes_seen *pushes)
{
	free(pushes->all);
	*pushes = (struct pushes_seen){0};
}

static size_t most_from(const struct pushes_seen *pushes, int64_t from, int64_t to, size_t every,
			size_t which)
{
	size_t count = 0;

	for (size_t i = 0; i < pushes->count; i++) {
		const struct push_seen *p = &pushes->all[i];

		count += p->who % every == which && ((p->begun_ms >= from && p->begun_ms < to) ||
						     (p->ended_ms >= from && p->ended_ms < to));
	}
	return count;
}

size_t pushes_seen_most(const struct pushes_seen *pushes, int64_t window_ms, size_t every, size_t which)
{
	size_t most = 0;

	/* The fullest window can be moved to the right until it starts with a beginning or an end. */
	for (size_t i = 0; i < pushes->count; i++) {
		const int64_t starts[] = {pushes->all[i].begun_ms, pushes->all[i].ended_ms};

		for (size_t k = 0; k < 2 && pushes->all[i].who % every == which; k++) {
			size_t count = most_from(pushes, starts[k], starts[k] + window_ms, every, which);

			most = count > most ? count : most;
		}
	}
	return most;
}

/* -- audit -------------------------------------------------------------------------------------------------- */

#define STATE_SIZE 24

struct trail {
	char id[ID_SIZE];
	char state[STATE_SIZE];
};

struct trails {
	size_t count;
	struct trail *all; /* owned */
};

static const char *field(const struct redisReply *pairs, const char *name)
{
	for (size_t i = 0; i + 1 < pairs->elements; i += 2)
		if (strcmp(pairs->element[i]->str, name) == 0)
			return pairs->element[i + 1]->str;
	return "";
}

static struct trail *trail_of(struct trails *trails, const char *id)
{
	struct trail *longer;

	for (size_t i = trails->count; i > 0; i--)
		if (strcmp(trails->all[i - 1].id, id) == 0)
			return &trails->all[i - 1];
	longer = realloc(trails->all, (trails->count + 1) * sizeof(*longer));
	if (longer == NULL)
		return NULL;
	trails->all = longer;
	snprintf(longer[trails->count].id, ID_SIZE, "%s", id);
	snprintf(longer[trails->count].state, STATE_SIZE, "new");
	return &longer[trails->count++];
}

static bool follow(struct trails *trails, const struct redisReply *event)
{
	const struct redisReply *pairs = event->element[1];
	struct trail *trail;

	/* Not every event moves a request. */
	if (field(pairs, "f")[0] == '\0')
		return true;
	trail = trail_of(trails, field(pairs, "r"));
	if (trail == NULL)
		return false;
	if (strcmp(trail->state, field(pairs, "f")) != 0) {
		fprintf(stderr, "audit: request %s was %s; event %s of %s moves it from %s to %s\n",
			trail->id, trail->state, event->element[0]->str, field(pairs, "e"), field(pairs, "f"),
			field(pairs, "t"));
		return false;
	}
	snprintf(trail->state, STATE_SIZE, "%s", field(pairs, "t"));
	return true;
}

int audit_check(const struct world *world)
{
	struct trails trails = {0};
	bool ok = true;
	int count;

	for (unsigned lane = 0; ok && lane < LANES_ALL; lane++) {
		struct redisReply *events =
			redis_server_command(&world->redis, "XRANGE {j%u}:audit - +", lane);

		ok = events != NULL && events->type == REDIS_REPLY_ARRAY;
		for (size_t i = 0; ok && i < events->elements; i++)
			ok = follow(&trails, events->element[i]);
		if (events != NULL)
			freeReplyObject(events);
	}
	count = (int)trails.count;
	free(trails.all);
	return ok ? count : -1;
}

/* -- calls -------------------------------------------------------------------------------------------------- */

void post_fill(struct post *post, const struct world *world, const struct world_ask *ask)
{
	char start[80] = "";

	memset(post, 0, sizeof(*post));
	snprintf(post->url, sizeof(post->url), "%s" PIM "assignmentScheduleRequests",
		 world->brokers[ask->broker].root);
	if (ask->start != NULL)
		snprintf(start, sizeof(start), "\"startDateTime\":\"%s\",", ask->start);
	snprintf(post->body, sizeof(post->body),
		 "{\"action\":\"selfActivate\",\"accessId\":\"member\",\"principalId\":\"%s\","
		 "\"groupId\":\"%s\",\"justification\":\"the test asks\",\"scheduleInfo\":{%s\"expiration\":{"
		 "\"type\":\"afterDuration\",\"duration\":\"%s\"}}}",
		 world_person_id(world, ask->person), world_group_id(world, ask->group), start,
		 ask->duration == NULL ? "PT1H" : ask->duration);
	post->request = (struct http_request){
		.url = post->url, .body = post->body, .bearer = world_token(world, ask->person)};
	if (ask->idempotency_key != NULL) {
		snprintf(post->key, sizeof(post->key), "Idempotency-Key: %s", ask->idempotency_key);
		post->request.headers[0] = post->key;
	}
}

static void *run_posting(void *ctx)
{
	struct posting *posting = ctx;

	posting->done = http_many(posting->requests, posting->count, posting->at_once, posting->responses);
	return NULL;
}

bool posting_begin(struct posting *posting, const struct world *world, const struct world_ask *asks,
		   size_t count, size_t at_once)
{
	*posting = (struct posting){.count = count, .at_once = at_once};
	posting->posts = calloc(count, sizeof(*posting->posts));
	posting->requests = calloc(count, sizeof(*posting->requests));
	posting->responses = calloc(count, sizeof(*posting->responses));
	if (posting->posts == NULL || posting->requests == NULL || posting->responses == NULL)
		return false;
	for (size_t i = 0; i < count; i++) {
		post_fill(&posting->posts[i], world, &asks[i]);
		posting->requests[i] = posting->posts[i].request;
	}
	return pthread_create(&posting->thread, NULL, run_posting, posting) == 0;
}

bool posting_wait(struct posting *posting)
{
	return pthread_join(posting->thread, NULL) == 0 && posting->done;
}

void posting_release(struct posting *posting)
{
	for (size_t i = 0; i < posting->count; i++)
		http_response_release(&posting->responses[i]);
	free(posting->posts);
	free(posting->requests);
	free(posting->responses);
	*posting = (struct posting){0};
}

int count_requests(const struct world *world, size_t broker, size_t person)
{
	struct http_response response;
	int count;

	broker_call(&world->brokers[broker],
		    &(struct http_request){.url = PIM
					   "assignmentScheduleRequests/filterByCurrentUser(on='principal')",
					   .bearer = world_token(world, person)},
		    &response);
	count = response.status == 200 ? cJSON_GetArraySize(http_json(&response, "value")) : -1;
	http_response_release(&response);
	return count;
}
