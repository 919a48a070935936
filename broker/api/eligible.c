#include "api/eligible.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "api/api.h"

#define FOR_EVER_MS 253402214400000LL /* 9999-12-31: Graph's noExpiration */

/* One eligibility of a person that is being looked at. */
struct candidate {
	const struct config_group *group;
	const struct policy_eligibility *entry;
	const char *user_name;
	const char *id; /* the principal's; NULL = to be found by the name */
};

/* What is done with each of them; false ends the walk. */
struct walk {
	const struct call *call;
	bool (*visit)(struct walk *walk, const struct candidate *c);
	const struct eligible_ask *ask;
	struct request *out;
	size_t seen, count;
	bool more, counts_all;
	const char *wanted; /* id */
};

static void derive_id(const struct walk *walk, const struct candidate *c, char out[ID_SIZE])
{
	char text[ID_SIZE + NAME_SIZE + 64];
	int len = snprintf(text, sizeof(text), "eligibility\n%s\n%s\n%lld\n%lld", c->group->id, c->user_name,
			   (long long)c->entry->start_ms, (long long)c->entry->end_ms);

	for (char *p = text; *p != '\0'; p++)
		*p = (char)tolower((unsigned char)*p);
	id_derive(store_lane_of(walk->call->api->store, c->group->application->id), text, (size_t)len, out);
}

/* The principal's id: known of the caller and of people of the configuration; otherwise the name stands for it. */
static const char *principal_of(const struct walk *walk, const struct candidate *c)
{
	const struct config *config = walk->call->config;

	if (c->id != NULL)
		return c->id;
	if (strcasecmp(walk->call->caller.names.user_name, c->user_name) == 0)
		return walk->call->caller.id;
	for (size_t i = 0; i < config->people_count; i++)
		if (strcasecmp(config->people[i].names.user_name, c->user_name) == 0)
			return config->people[i].id;
	return c->user_name;
}

static void make(const struct walk *walk, const struct candidate *c, struct request *out)
{
	memset(out, 0, sizeof(*out));
	derive_id(walk, c, out->id);
	snprintf(out->application, sizeof(out->application), "%s", c->group->application->id);
	snprintf(out->group, sizeof(out->group), "%s", c->group->id);
	snprintf(out->principal, sizeof(out->principal), "%s", principal_of(walk, c));
	out->start_ms = c->entry->start_ms;
	out->end_ms = c->entry->end_ms < FOR_EVER_MS ? c->entry->end_ms : FOR_EVER_MS;
	out->state = c->entry->start_ms > walk->ask->now_ms ? ST_SCHEDULED : ST_IN_FORCE;
}

/* -- lists ----------------------------------------------------------------------------------------------------- */

static bool visit_for_list(struct walk *walk, const struct candidate *c)
{
	const struct eligible_ask *ask = walk->ask;

	if (ask->query->id[0] != '\0') {
		char id[ID_SIZE];

		derive_id(walk, c, id);
		if (strcmp(id, ask->query->id) != 0)
			return true;
	}
	if (walk->seen++ < ask->skip)
		return true;
	if (walk->count < ask->most)
		make(walk, c, &walk->out[walk->count++]);
	else
		walk->more = true;
	return walk->counts_all || !walk->more;
}

static bool fits(const struct list_query *query, const struct policy_eligibility *entry, int64_t now_ms)
{
	enum state state = entry->start_ms > now_ms ? ST_SCHEDULED : ST_IN_FORCE;

	return entry->end_ms > now_ms && query->action[0] == '\0' && query->maker[0] == '\0' &&
	       (query->states == 0 || (query->states & 1u << state) != 0);
}

/* All whom the entry names. */
static bool walk_names(struct walk *walk, struct candidate *c)
{
	const struct policy_names *names = &c->entry->people.principals;

	for (size_t i = 0; i < names->count; i++) {
		c->user_name = names->list[i];
		if (!walk->visit(walk, c))
			return false;
	}
	return true;
}

/* One group's entries, for that person, or for all that are named when it is NULL. */
static bool walk_group(struct walk *walk, const struct config_group *group,
		       const struct policy_person *person, const char *id)
{
	const struct policy_eligibilities *entries = &group->policy.eligible;

	for (size_t i = 0; i < entries->count; i++) {
		struct candidate c = {.group = group, .entry = &entries->list[i], .id = id};

		if (!fits(walk->ask->query, c.entry, walk->ask->now_ms))
			continue;
		if (person == NULL) {
			if (!walk_names(walk, &c))
				return false;
		} else if (policy_people_hold(&c.entry->people, person)) {
			c.user_name = person->user_name;
			if (!walk->visit(walk, &c))
				return false;
		}
	}
	return true;
}

/* Whom the query is about: the caller, with their claims; somebody whom only a name is known of; or everybody. */
static const struct policy_person *choose_person(const struct call *call, const char *principal,
						 struct policy_person *out, const char **id)
{
	const struct config_person *known;

	*id = NULL;
	if (principal[0] == '\0')
		return NULL;
	*id = principal;
	*out = (struct policy_person){.user_name = principal};
	known = config_person_by_id(call->config, principal);
	if (strcmp(principal, call->caller.id) == 0)
		*out = caller_for_policy(&call->caller);
	else if (known != NULL)
		out->user_name = known->names.user_name;
	return out;
}

static void walk_all(struct walk *walk)
{
	const struct call *call = walk->call;
	const char *id, *group_id = walk->ask->query->group;
	struct policy_person person;
	const struct policy_person *who = choose_person(call, walk->ask->query->principal, &person, &id);
	const struct config_group *group = group_id[0] != '\0' ? config_group(call->config, group_id) : NULL;

	if (group_id[0] != '\0') {
		if (group != NULL)
			walk_group(walk, group, who, id);
		return;
	}
	for (size_t i = 0; i < call->config->group_count; i++)
		if (!walk_group(walk, &call->config->groups[i], who, id))
			return;
}

size_t eligible_list(const struct call *call, const struct eligible_ask *ask, struct request *out, bool *more,
		     size_t *total)
{
	struct walk walk = {
		.call = call, .visit = visit_for_list, .ask = ask, .out = out, .counts_all = total != NULL};

	walk_all(&walk);
	*more = walk.more;
	if (total != NULL)
		*total = walk.seen;
	return walk.count;
}

/* -- one ------------------------------------------------------------------------------------------------------- */

static bool visit_for_id(struct walk *walk, const struct candidate *c)
{
	char id[ID_SIZE];

	derive_id(walk, c, id);
	if (strcasecmp(id, walk->wanted) != 0)
		return true;
	make(walk, c, walk->out);
	walk->count = 1;
	return false;
}

bool eligible_find(const struct call *call, const char *group, const char *id, struct request *out)
{
	struct list_query query = {0};
	struct eligible_ask ask = {.query = &query, .now_ms = activation_now_ms(call->api->activation)};
	struct walk walk = {.call = call, .visit = visit_for_id, .ask = &ask, .out = out, .wanted = id};

	snprintf(query.group, sizeof(query.group), "%s", group);
	snprintf(query.principal, sizeof(query.principal), "%s", call->caller.id);
	walk_all(&walk);
	query.principal[0] = '\0';
	if (walk.count == 0 && caller_sees_all(&call->caller))
		walk_all(&walk);
	return walk.count > 0;
}
