/* What an answer means for the member it is about, or for all: seats move, nothing is asked in here. */
#include "scim-push/run.h"

#include <stdio.h>
#include <string.h>

/* A look-up by name that finds nothing proves little: names change, and applications lag behind themselves. Only when
 * several pushes in a row, seconds apart, have found nothing is there nobody to remove. */
#define EMPTY_LOOKUPS 5

void nobody_to_remove(struct run *run, size_t seat, const char *words)
{
	bool proven = run->push->members[seat].failures + 1 >= EMPTY_LOOKUPS;

	seat_settle(run, seat, proven ? PUSH_DONE : PUSH_RETRY, words);
}

/* "the application has no user named": by the attribute that it was asked for. */
static void match_words(const struct run *run, const char *before, size_t seat, char out[TEXT_SIZE])
{
	const char *path = run->push->target->match.path;
	bool by_name = strcmp(path, "userName") == 0;
	char with[TEXT_SIZE];

	snprintf(with, sizeof(with), "%s%s%s", before, by_name ? " named" : " whose ", by_name ? "" : path);
	name_words(run, with, run->seats[seat].match, out);
}

static void user_is_missing(struct run *run, size_t seat)
{
	char words[TEXT_SIZE];

	if (!run->push->add) {
		match_words(run, "the application has no user", seat, words);
		nobody_to_remove(run, seat, words);
	} else if (run->seats[seat].clashed) {
		/* Perhaps the look-up lags behind the creation that won. */
		name_words(run, "the application refuses a second user of this name but does not find",
			   run->seats[seat].match, words);
		seat_settle(run, seat, PUSH_RETRY, words);
	} else if (!run->push->target->create_users) {
		match_words(run, "the application has no user", seat, words);
		seat_settle(run, seat, PUSH_REFUSED, words);
	} else {
		run->seats[seat].step = SEAT_CREATE;
	}
}

static void on_user(struct run *run, size_t seat, const struct http_answer *answer, enum outcome outcome)
{
	enum scim_hit hit = HIT_UNREADABLE;
	struct scim_find find;
	char id[SCIM_ID_SIZE];
	char words[TEXT_SIZE];

	seat_find(run, seat, &find);
	if (outcome == OUTCOME_DONE)
		hit = scim_read_found(answer->body, answer->len, &find, id);
	switch (hit) {
	case HIT_ONE:
		if (run->push->members[seat].maybe_created && person_is_ours(run, seat, answer))
			run->push->members[seat].created = true;
		learn_user(run, seat, id);
		return;
	case HIT_NONE:
		user_is_missing(run, seat);
		return;
	case HIT_SEVERAL:
		match_words(run, "the application has several users", seat, words);
		seat_settle(run, seat, PUSH_REFUSED, words);
		return;
	case HIT_UNREADABLE:
		answer_words(run, OP_FIND_USER, answer, words);
		if (outcome == OUTCOME_DONE)
			snprintf(words, sizeof(words),
				 "looking up the user: the answer is no complete SCIM list");
		seat_settle(run, seat, outcome == OUTCOME_REFUSED ? PUSH_REFUSED : PUSH_RETRY, words);
		return;
	}
}

static void on_creation(struct run *run, size_t seat, const struct http_answer *answer, enum outcome outcome)
{
	struct scim_find find;
	char id[SCIM_ID_SIZE];
	char words[TEXT_SIZE];

	seat_find(run, seat, &find);
	if (outcome == OUTCOME_DONE)
		run->push->members[seat].created = true;
	if (outcome == OUTCOME_DONE && scim_read_created(answer->body, answer->len, &find, id)) {
		learn_user(run, seat, id);
		return;
	}
	if (outcome == OUTCOME_DONE || outcome == OUTCOME_LOOK_AGAIN) {
		/* Somebody else was quicker, or an answer of an earlier attempt was lost. */
		run->seats[seat].clashed = true;
		run->seats[seat].step = SEAT_FIND;
		return;
	}
	answer_words(run, OP_CREATE_USER, answer, words);
	seat_settle(run, seat, outcome == OUTCOME_REFUSED ? PUSH_REFUSED : PUSH_RETRY, words);
}

/* The user is active again, or is not there any more; the next push looks them up then. */
static void on_activation(struct run *run, size_t seat, const struct http_answer *answer,
			  enum outcome outcome)
{
	char words[TEXT_SIZE];

	if (outcome == OUTCOME_DONE) {
		run->push->members[seat].activated = true;
		seat_known(run, seat);
		return;
	}
	forget_user(run, seat);
	answer_words(run, OP_CHANGE_USER, answer, words);
	seat_settle(run, seat, outcome == OUTCOME_REFUSED ? PUSH_REFUSED : PUSH_RETRY, words);
}

void read_back(struct run *run, size_t seat)
{
	struct seat *s = &run->seats[seat];

	if (run->push->target->dialect.verify != VERIFY_NONE) {
		s->step = SEAT_ASK;
	} else if (s->accepted) {
		run->push->members[seat].unverified = true;
		seat_settle(run, seat, PUSH_DONE, "");
	} else {
		seat_settle(run, seat, s->send_again ? PUSH_SPLIT : s->if_there, NULL);
	}
}

static void patch_accepted(struct run *run)
{
	run->settling = false;
	for (size_t i = 0; i < run->push->count; i++) {
		if (!run->seats[i].in_patch)
			continue;
		run->seats[i].accepted = true;
		read_back(run, i);
	}
}

/* A PATCH for one member was refused with the ids fresh: the answer is about this member. */
static void seat_refused(struct run *run, size_t seat, enum outcome outcome, const struct http_answer *answer)
{
	char words[TEXT_SIZE];

	answer_words(run, run->push->add ? OP_ADD_MEMBERS : OP_REMOVE_MEMBERS, answer, words);
	if (outcome == OUTCOME_ALREADY) {
		run->seats[seat].if_there = answer->status == 404 ? PUSH_RETRY : PUSH_REFUSED;
		snprintf(run->push->members[seat].error, TEXT_SIZE, "%s", words);
		read_back(run, seat);
		return;
	}
	if (outcome == OUTCOME_LOOK_AGAIN) {
		forget_group(run);
		forget_user(run, seat);
	}
	seat_settle(run, seat, outcome == OUTCOME_REFUSED ? PUSH_REFUSED : PUSH_RETRY, words);
}

/* Most likely some of them are gone already: reading is cheaper for the application than further pushes. */
static void ask_before_splitting(struct run *run, const char *words)
{
	for (size_t i = 0; i < run->push->count; i++) {
		if (!run->seats[i].in_patch)
			continue;
		run->seats[i].send_again = true;
		snprintf(run->push->members[i].error, TEXT_SIZE, "%s", words);
		read_back(run, i);
	}
}

/* Somebody in the batch is refused, and the answer does not say who: smaller pushes will tell, each with a token of its
 * own. */
static void split(struct run *run, const char *words)
{
	for (size_t i = 0; i < run->push->count; i++)
		if (run->seats[i].in_patch)
			seat_settle(run, i, PUSH_SPLIT, words);
}

/* The PATCH was not carried out. It is atomic (RFC 7644, 3.5.2), so it changed nothing for anybody. */
static void patch_refused(struct run *run, enum outcome outcome, const struct http_answer *answer)
{
	size_t sent = 0;
	size_t last = 0;
	char words[TEXT_SIZE];

	for (size_t i = 0; i < run->push->count; i++) {
		if (run->seats[i].in_patch) {
			sent++;
			last = i;
		}
	}
	if (rests_on_memory(run)) {
		look_again(run);
	} else if (sent > 1) {
		answer_words(run, run->push->add ? OP_ADD_MEMBERS : OP_REMOVE_MEMBERS, answer, words);
		if (outcome == OUTCOME_ALREADY)
			ask_before_splitting(run, words);
		else
			split(run, words);
	} else {
		seat_refused(run, last, outcome, answer);
	}
}

static void on_patch(struct run *run, const struct http_answer *answer, enum outcome outcome)
{
	char words[TEXT_SIZE];

	switch (outcome) {
	case OUTCOME_DONE:
		patch_accepted(run);
		return;
	case OUTCOME_ALREADY:
	case OUTCOME_LOOK_AGAIN:
	case OUTCOME_REFUSED:
		patch_refused(run, outcome, answer);
		return;
	case OUTCOME_RETRY:
	case OUTCOME_THROTTLED:
	case OUTCOME_MISCONFIGURED:
	case OUTCOME_SICK:
	case OUTCOME_COUNT:
		break;
	}
	answer_words(run, run->push->add ? OP_ADD_MEMBERS : OP_REMOVE_MEMBERS, answer, words);
	for (size_t i = 0; i < run->push->count; i++) {
		if (run->seats[i].in_patch)
			seat_settle(run, i, PUSH_RETRY, words);
	}
}

/* The user's id is not known to the application (any more). */
static void member_is_gone(struct run *run, size_t seat)
{
	forget_user(run, seat);
	if (run->push->add)
		seat_settle(run, seat, PUSH_RETRY,
			    "the application no longer knows this user; it is looked up again");
	else if (run->seats[seat].from_memory && !run->looked_again)
		run->seats[seat].step =
			SEAT_STALE; /* created anew under another id, the user may still be in */
	else
		seat_settle(run, seat, PUSH_DONE, "");
}

static void on_shown(struct run *run, size_t seat, enum scim_membership shown)
{
	enum scim_membership wanted = run->push->add ? MEMBERSHIP_PRESENT : MEMBERSHIP_ABSENT;
	struct push_member *member = &run->push->members[seat];

	if (shown == wanted) {
		seat_settle(run, seat, PUSH_DONE, "");
	} else if (run->seats[seat].send_again || !run->seats[seat].accepted) {
		run->seats[seat].heard = run->seats[seat].patched;
		seat_settle(run, seat, run->seats[seat].send_again ? PUSH_SPLIT : run->seats[seat].if_there,
			    NULL);
	} else {
		run->seats[seat].step = SEAT_DOUBTED;
		snprintf(member->error, sizeof(member->error), "the application accepted the change but %s",
			 shown == MEMBERSHIP_UNCLEAR ? "its answer about the membership cannot be read"
			 : run->push->add            ? "does not show the membership"
						     : "still shows the membership");
	}
}

/* The look at one membership, or at all of them, could not be made: `gone` says that what was looked at is not there. */
static void not_shown(struct run *run, size_t seat, bool gone, enum outcome outcome, const char *words)
{
	if (gone) {
		member_is_gone(run, seat);
	} else if (outcome == OUTCOME_RETRY || outcome == OUTCOME_SICK) {
		run->seats[seat].step = SEAT_DOUBTED;
		snprintf(run->push->members[seat].error, TEXT_SIZE, "%s", words);
	} else {
		seat_settle(run, seat, PUSH_RETRY, words);
	}
}

/* Before the PATCH. Where the answer does not say it, a second one may; without one nothing is sent: a member who was one
 * before would lose that when the time of what they are given is over. 404: who that is will be looked up anew. */
static void on_looked(struct run *run, size_t seat, enum scim_membership shown, enum outcome outcome,
		      const char *words)
{
	struct seat *s = &run->seats[seat];

	if (shown == MEMBERSHIP_UNCLEAR && outcome != OUTCOME_LOOK_AGAIN) {
		if (s->unclear)
			seat_settle(run, seat, PUSH_RETRY,
				    outcome == OUTCOME_DONE
					    ? "the application's answer about the membership cannot be read"
					    : words);
		s->unclear = true;
		return;
	}
	s->looked = true;
	if (shown == MEMBERSHIP_PRESENT) {
		run->push->members[seat].standing = true;
		seat_settle(run, seat, PUSH_DONE, "");
	} else {
		s->step = SEAT_KNOWN;
	}
}

static void on_confirmation(struct run *run, const struct slot *slot, const struct http_answer *answer,
			    enum outcome outcome)
{
	const char *user_id = run->seats[slot->seat].user_id;
	enum scim_membership shown = MEMBERSHIP_UNCLEAR;
	char words[TEXT_SIZE];

	if (outcome == OUTCOME_DONE && slot->op == OP_READ_USER)
		shown = scim_read_groups(answer->body, answer->len, user_id, run->group_id);
	else if (outcome == OUTCOME_DONE)
		shown = scim_read_membership(answer->body, answer->len, run->group_id);
	answer_words(run, slot->op, answer, words);
	if (run->seats[slot->seat].step == SEAT_LOOK)
		on_looked(run, slot->seat, shown, outcome, words);
	else if (outcome == OUTCOME_DONE)
		on_shown(run, slot->seat, shown);
	else
		not_shown(run, slot->seat, outcome == OUTCOME_LOOK_AGAIN, outcome, words);
}

/* The group is gone: so are its members. For an addition it is looked up anew by the next push. */
static void on_members_gone(struct run *run, const char *words)
{
	forget_group(run);
	for (size_t i = 0; i < run->push->count; i++) {
		if (run->seats[i].step != SEAT_ASK)
			continue;
		if (run->push->add || run->group_from_memory)
			seat_settle(run, i, PUSH_RETRY, words);
		else
			seat_settle(run, i, PUSH_DONE, "");
	}
}

static void on_members(struct run *run, const struct http_answer *answer, enum outcome outcome)
{
	struct scim_shown shown[PUSH_MEMBERS_MAX] = {{NULL, MEMBERSHIP_UNCLEAR}};
	enum scim_members way = MEMBERS_UNREADABLE;
	char words[TEXT_SIZE];

	answer_words(run, OP_READ_MEMBERS, answer, words);
	if (outcome == OUTCOME_LOOK_AGAIN && run->phase == PHASE_CONFIRM) {
		on_members_gone(run, words);
		return;
	}
	for (size_t i = 0; i < run->push->count; i++)
		shown[i] = (struct scim_shown){run->seats[i].user_id, MEMBERSHIP_UNCLEAR};
	if (outcome == OUTCOME_DONE)
		way = scim_read_members(answer->body, answer->len, run->group_id, shown, run->push->count);
	/* That proves nothing yet: the seats stay where they are, and are asked about once more. */
	if (way == MEMBERS_LEFT_OUT && !run->members_by_name) {
		run->members_by_name = true;
		return;
	}
	for (size_t i = 0; i < run->push->count; i++) {
		if (run->seats[i].step == SEAT_LOOK)
			on_looked(run, i, shown[i].membership, outcome, words);
		else if (run->seats[i].step == SEAT_ASK && outcome == OUTCOME_DONE)
			on_shown(run, i, shown[i].membership);
		else if (run->seats[i].step == SEAT_ASK)
			not_shown(run, i, false, outcome, words);
	}
}

void reply_apply(struct run *run, const struct slot *slot, const struct http_answer *answer,
		 enum outcome outcome)
{
	switch (slot->op) {
	case OP_FIND_GROUP:
	case OP_READ_GROUP:
	case OP_CREATE_GROUP:
	case OP_RENAME_GROUP:
		reply_group(run, slot, answer, outcome);
		return;
	case OP_FIND_USER:
		on_user(run, slot->seat, answer, outcome);
		return;
	case OP_CREATE_USER:
		on_creation(run, slot->seat, answer, outcome);
		return;
	case OP_ADD_MEMBERS:
	case OP_REMOVE_MEMBERS:
		on_patch(run, answer, outcome);
		return;
	case OP_CONFIRM:
	case OP_READ_USER:
		on_confirmation(run, slot, answer, outcome);
		return;
	case OP_READ_MEMBERS:
		on_members(run, answer, outcome);
		return;
	case OP_CHANGE_USER:
		on_activation(run, slot->seat, answer, outcome);
		return;
	case OP_DELETE_USER: /* not part of a push of memberships */
	case OP_LIST_MEMBERS:
	case OP_READ_CONFIG:
	case OP_COUNT:
		return;
	}
}
