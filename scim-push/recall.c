/* The ids that a push works with: remembered, learnt, and forgotten when they prove out of date. */
#include "scim-push/run.h"

#include <string.h>

#include "base/digest.h"

bool recall_group(struct run *run)
{
	struct scim_find find;

	group_find(run, &find);
	if (run->group_step == GROUP_FIND &&
	    names_get(run->pusher->names, run->push->target->url, NAME_GROUP, find.value, run->group_id))
		run->group_from_memory = true;
	return run->group_from_memory;
}

bool recall_user(struct run *run, size_t seat)
{
	struct seat *s = &run->seats[seat];
	const struct push_member *member = &run->push->members[seat];
	char id[SCIM_ID_SIZE];

	/* What memory says of a user who was just refused as a duplicate, or deleted since, is of no use. */
	if (s->clashed || member->look_up ||
	    !names_get(run->pusher->names, run->push->target->url, NAME_USER, s->match, id))
		return false;
	/* By now somebody else may know better: there are applications that take an id of nobody for a member. */
	if (run->push->add && member->known_id[0] != '\0' && strcmp(member->known_id, id) != 0)
		return false;
	memcpy(s->user_id, id, sizeof(id));
	s->from_memory = true;
	seat_known(run, seat);
	return true;
}

void learn_group(struct run *run, const char *id)
{
	struct scim_find find;

	group_find(run, &find);
	memcpy(run->group_id, id, strlen(id) + 1);
	names_put(run->pusher->names, run->push->target->url, NAME_GROUP, find.value, id);
}

void forget_group(struct run *run)
{
	struct scim_find find;

	group_find(run, &find);
	names_forget(run->pusher->names, run->push->target->url, NAME_GROUP, find.value);
}

void forget_user(struct run *run, size_t seat)
{
	names_forget(run->pusher->names, run->push->target->url, NAME_USER, run->seats[seat].match);
}

void seat_known(struct run *run, size_t seat)
{
	const struct push *push = run->push;
	const struct push_member *member = &push->members[seat];
	bool looks = push->add && member->look_first && !member->created && !run->seats[seat].looked &&
		     push->target->dialect.verify != VERIFY_NONE;

	if (push->add && member->inactive && !member->created && !member->activated)
		run->seats[seat].step = SEAT_ACTIVATE;
	else
		run->seats[seat].step = looks ? SEAT_LOOK : SEAT_KNOWN;
}

void learn_user(struct run *run, size_t seat, const char *id)
{
	seat_known(run, seat);
	memcpy(run->seats[seat].user_id, id, strlen(id) + 1);
	names_put(run->pusher->names, run->push->target->url, NAME_USER, run->seats[seat].match, id);
}

bool rests_on_memory(const struct run *run)
{
	if (run->looked_again)
		return false;
	if (run->group_from_memory)
		return true;
	for (size_t i = 0; i < run->push->count; i++) {
		if (run->seats[i].in_patch && run->seats[i].from_memory)
			return true;
	}
	return false;
}

void look_again(struct run *run)
{
	run->looked_again = true;
	if (run->group_from_memory) {
		forget_group(run);
		run->group_from_memory = false;
		run->group_step = GROUP_FIND;
		run->group_id[0] = '\0';
	}
	for (size_t i = 0; i < run->push->count; i++) {
		struct seat *seat = &run->seats[i];
		if (seat->step != SEAT_KNOWN && seat->step != SEAT_STALE)
			continue;
		/* Whom that was asked about may have been another, or in another group. */
		seat->looked = false;
		if (!seat->from_memory) {
			seat_known(run, i);
			continue;
		}
		forget_user(run, i);
		seat->from_memory = false;
		seat->step = SEAT_FIND;
	}
	run->phase = PHASE_GROUP;
}

/* Kept under the first token's digest: another first token is tried before the next one. */
static const char *token_key(const struct scim_target *target, char out[SHA256_HEX])
{
	digest_sha256_hex(target->token, strlen(target->token), out);
	return out;
}

bool pusher_uses_next_token(const struct pusher *pusher, const struct scim_target *target)
{
	char key[SHA256_HEX], id[SCIM_ID_SIZE];

	return target->next_token[0] != '\0' &&
	       names_get(pusher->names, target->url, NAME_TOKEN, token_key(target, key), id);
}

void remember_token(struct pusher *pusher, const struct scim_target *target, bool next)
{
	char key[SHA256_HEX];

	if (next)
		names_put(pusher->names, target->url, NAME_TOKEN, token_key(target, key), "next");
	else
		names_forget(pusher->names, target->url, NAME_TOKEN, token_key(target, key));
}
