/* Who a member is to the application: by which value they are found, and which attributes they are created with. */
#include "scim-push/run.h"

#include <string.h>

static struct mapping_source source_of(const struct run *run, size_t seat)
{
	const struct push_member *member = &run->push->members[seat];

	return (struct mapping_source){.names = &member->person,
				       .id = member->principal,
				       .claims = member->claims,
				       .claim_count = member->claim_count};
}

/* The value of the attribute by which users are found. */
static bool identify(struct run *run, size_t seat, struct errctx *why)
{
	const struct scim_target *target = run->push->target;
	const struct mapping_rule *rule = mapping_find(&target->mapping, target->match.path);
	struct mapping_source source = source_of(run, seat);
	struct seat *s = &run->seats[seat];
	char value[MAPPING_VALUE_SIZE] = "";

	if (rule != NULL && !mapping_evaluate(rule, &source, value, why))
		return false;
	if (value[0] == '\0' || strlen(value) >= sizeof(s->match)) {
		err_set(why, ERR_CONFIG,
			"the attribute %s, by which the application's users are found, is %s",
			target->match.path, value[0] == '\0' ? "empty" : "longer than 256 bytes");
		return false;
	}
	memcpy(s->match, value, strlen(value) + 1);
	return true;
}

/*
 * Who may have to be created is looked at before anything is sent. Values that the application takes of nobody end it
 * there: they come from the mapping, and no user who is there can have been made of them. A required attribute that is
 * missing is no reason yet, because who is there already needs none: a look-up of the user comes before all else then.
 * Who is known to be there is not to be created, and whatever is wrong with their values is the cycle's matter.
 */
static enum err could_be_created(struct run *run, size_t seat, struct errctx *why)
{
	const struct scim_target *target = run->push->target;
	struct mapping_source source = source_of(run, seat);
	char id[SCIM_ID_SIZE];
	struct user user;
	enum err err;
	bool known = run->push->members[seat].known_id[0] != '\0' ||
		     names_get(run->pusher->names, target->url, NAME_USER, run->seats[seat].match, id);

	if (!run->push->add || !target->create_users || known)
		return ERR_OK;
	err = user_make(&user, &target->mapping, &source, why);
	if (err != ERR_OK)
		return err;
	if (user_fits(&user, &target->dialect, why))
		run->seats[seat].incomplete = !user_is_complete(&user, &target->dialect, NULL);
	else
		err = ERR_CONFIG;
	user_release(&user);
	return err;
}

void identify_all(struct run *run)
{
	struct errctx why;

	for (size_t i = 0; i < run->push->count; i++) {
		bool needed = run->push->add || run->seats[i].step == SEAT_FIND;
		enum err err = identify(run, i, &why) ? could_be_created(run, i, &why) : ERR_CONFIG;
		bool for_good = run->push->add && err != ERR_NOMEM;
		if (!needed || err == ERR_OK)
			continue;
		/* A removal is never refused: the configuration may be mended. */
		seat_settle(run, i, for_good ? PUSH_REFUSED : PUSH_RETRY, why.text);
	}
}

enum err person_body(const struct run *run, size_t seat, struct buf *body, struct errctx *why)
{
	const struct scim_target *target = run->push->target;
	struct mapping_source source = source_of(run, seat);
	struct user user;
	enum err err = user_make(&user, &target->mapping, &source, why);

	if (err != ERR_OK)
		return err;
	if (user_fits(&user, &target->dialect, why) && user_is_complete(&user, &target->dialect, why))
		user_body(body, &user);
	else
		err = ERR_CONFIG;
	user_release(&user);
	return err;
}

bool person_is_ours(const struct run *run, size_t seat, const struct http_answer *answer)
{
	const struct mapping_rule *rule = mapping_find(&run->push->target->mapping, "externalId");
	struct mapping_source source = source_of(run, seat);
	char value[MAPPING_VALUE_SIZE] = "";
	struct scim_find find;

	if (rule == NULL || !mapping_evaluate(rule, &source, value, NULL) || value[0] == '\0')
		return false;
	seat_find(run, seat, &find);
	return scim_found_has(answer->body, answer->len, &find,
			      &(struct scim_find){.attribute = &rule->attribute, .value = value});
}

void seat_find(const struct run *run, size_t seat, struct scim_find *find)
{
	*find = (struct scim_find){
		.endpoint = "Users", .attribute = &run->push->target->match, .value = run->seats[seat].match};
}

void target_find_group(const struct scim_target *target, const char *name, const char *external_id,
		       struct scim_find *find)
{
	static const struct attribute attributes[] = {
		[GROUPS_BY_NAME] = {.path = "displayName", .name = "displayName"},
		[GROUPS_BY_EXTERNAL_ID] = {.path = "externalId", .name = "externalId"},
	};
	/* There are servers that break on an escaped character in a filter. */
	bool plain = strpbrk(name, "\"\\") == NULL;
	bool by_name = external_id[0] == '\0' || (target->match_groups == GROUPS_BY_NAME && plain);

	*find = (struct scim_find){.endpoint = "Groups",
				   .attribute = &attributes[by_name ? GROUPS_BY_NAME : GROUPS_BY_EXTERNAL_ID],
				   .value = by_name ? name : external_id,
				   .hide_members = target->dialect.hide_members};
}

void group_find(const struct run *run, struct scim_find *find)
{
	const struct push *push = run->push;

	target_find_group(push->target, push->group_name, push->group_external_id, find);
}
