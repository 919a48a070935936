/* The audit trail, and what is there at the end. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/torture/judge.h"

#define EDGE_MS 1000 /* so near to the end of the run an access may be there or not */

/* -- 5: the trail ----------------------------------------------------------------------------------------------- */

static int by_place(const void *a, const void *b)
{
	const struct judge_event *left = a, *right = b;

	if (left->lane != right->lane)
		return left->lane - right->lane;
	return (left->number > right->number) - (left->number < right->number);
}

static int by_request(const void *a, const void *b)
{
	const struct judge_event *left = a, *right = b;
	int order = strcmp(left->request, right->request);

	return order != 0 ? order : by_place(a, b);
}

static void check_numbers(struct judge *judge)
{
	for (size_t i = 0; i < judge->event_count; i++) {
		const struct judge_event *event = &judge->events[i];
		bool first = i == 0 || event->lane != event[-1].lane;
		long long wanted = first ? 1 : event[-1].number + 1;

		if (event->number != wanted)
			judge_say(judge, NULL, "broken: the audit of lane %d has %lld where %lld is wanted",
				  event->lane, event->number, wanted);
	}
}

/* Each request begins in "new", and goes on from where the event before has left it. */
static void check_chains(struct judge *judge)
{
	const char *state = "new", *request = "";

	for (size_t i = 0; i < judge->event_count; i++) {
		const struct judge_event *event = &judge->events[i];

		if (event->request[0] == '\0' || event->from[0] == '\0')
			continue;
		if (strcmp(request, event->request) != 0)
			state = "new";
		request = event->request;
		if (strcmp(event->from, state) != 0)
			judge_say(judge, NULL, "broken: the audit moves %s from %s, which was %s", request,
				  event->from, state);
		state = event->to;
	}
}

static bool has_trail(const struct judge *judge, const char *id)
{
	struct judge_event key = {.lane = -1};
	size_t low = 0, high = judge->event_count;

	snprintf(key.request, sizeof(key.request), "%s", id);
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (by_request(&judge->events[middle], &key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < judge->event_count && strcmp(judge->events[low].request, id) == 0;
}

void judge_trail(struct judge *judge)
{
	if (!judge->is_intact)
		judge_say(judge, NULL, "broken: the audit is not as it was written");
	if (judge->event_count > 0)
		qsort(judge->events, judge->event_count, sizeof(*judge->events), by_place);
	check_numbers(judge);
	if (judge->event_count > 0)
		qsort(judge->events, judge->event_count, sizeof(*judge->events), by_request);
	check_chains(judge);
	for (size_t i = 0; i < judge->request_count; i++)
		if (!has_trail(judge, judge->requests[i].id))
			judge_say(judge, NULL, "broken: the audit knows nothing of %s",
				  judge->requests[i].id);
}

/* -- the end ---------------------------------------------------------------------------------------------------- */

static bool is_member(const struct judge *judge, size_t app, const char *group, const char *user)
{
	for (size_t i = 0; i < judge->member_count; i++)
		if (judge->members[i].app == (int)app && strcmp(judge->members[i].group, group) == 0 &&
		    strcmp(judge->members[i].user, user) == 0)
			return true;
	return false;
}

static void check_person(struct judge *judge, size_t person)
{
	const struct judge_person *who = &judge->people[person];
	bool granted = false, may_be_either = false;
	size_t count;
	struct judge_span *spans = judge_grants(judge, person, true, &count);

	for (size_t i = 0; i < count; i++) {
		granted = granted || (spans[i].from_ms <= judge->end_ms && spans[i].to_ms > judge->end_ms);
		may_be_either = may_be_either || llabs(spans[i].from_ms - judge->end_ms) < EDGE_MS ||
				llabs(spans[i].to_ms - judge->end_ms) < EDGE_MS;
	}
	free(spans);
	if (!may_be_either && granted != is_member(judge, who->app, who->group, who->user))
		judge_say(judge, NULL, "broken: at the end person %zu is %s of %s, application %zu", person,
			  granted ? "no member" : "a member", who->group, who->app);
}

/* Nobody is in a group who has no business there. */
static void check_strangers(struct judge *judge)
{
	for (size_t i = 0; i < judge->member_count; i++) {
		const struct judge_member *member = &judge->members[i];
		bool known = false;

		for (size_t n = 0; n < judge->person_count && !known; n++)
			known = (int)judge->people[n].app == member->app &&
				strcmp(judge->people[n].group, member->group) == 0 &&
				strcmp(judge->people[n].user, member->user) == 0;
		for (size_t n = 0; n < judge->standing_count && !known; n++)
			known = judge->standing[n].app == member->app &&
				strcmp(judge->standing[n].group, member->group) == 0 &&
				strcmp(judge->standing[n].user, member->user) == 0;
		if (!known)
			judge_say(judge, NULL, "broken: %s is a member of %s, application %d", member->user,
				  member->group, member->app);
	}
}

/* Members by somebody else's hand are there, and were never touched. */
static void check_standing(struct judge *judge)
{
	for (size_t i = 0; i < judge->standing_count; i++) {
		const struct judge_member *member = &judge->standing[i];
		const struct judge_app *app = &judge->apps[member->app];

		if (!is_member(judge, (size_t)member->app, member->group, member->user))
			judge_say(judge, NULL, "broken: the standing member of %s has gone", member->group);
		for (size_t n = 0; n < app->count; n++)
			for (size_t u = 0; u < app->entries[n].user_count; u++)
				if (strcmp(app->entries[n].group, member->group) == 0 &&
				    strcmp(app->entries[n].users[u], member->user) == 0)
					judge_say(judge, NULL,
						  "broken: the standing member of %s was touched",
						  member->group);
	}
}

/* Secrets are in no log and in none of the store's files. */
static void check_secrets(struct judge *judge, const char *path)
{
	FILE *file = fopen(path, "rbe");
	char *text = NULL;
	long size = file != NULL && fseek(file, 0, SEEK_END) == 0 ? ftell(file) : -1;

	if (size >= 0 && (text = malloc((size_t)size + 1)) != NULL) {
		rewind(file);
		size = (long)fread(text, 1, (size_t)size, file);
		for (size_t i = 0; i < judge->secret_count; i++)
			if (memmem(text, (size_t)size, judge->secrets[i].text,
				   strlen(judge->secrets[i].text)) != NULL)
				judge_say(judge, NULL, "broken: %s is in %s", judge->secrets[i].what, path);
		judge->searched++;
	}
	free(text);
	if (file != NULL)
		fclose(file);
}

void judge_end_state(struct judge *judge)
{
	for (size_t i = 0; i < judge->person_count; i++)
		if (!judge->people[i].in_doubt)
			check_person(judge, i);
	check_strangers(judge);
	check_standing(judge);
	for (size_t i = 0; i < judge->file_count; i++)
		check_secrets(judge, judge->files[i]);
	/* Those of a store that was thrown away cannot be. */
	if (judge->file_count > 0 && judge->searched == 0)
		judge_say(judge, NULL, "broken: no file could be searched for secrets");
}
