/* What an answer means for the member it is about, or for all: seats move, nothing is asked in here. */
#include "scim-push/run.h"

#include <stdio.h>

/* A look-up by name that finds nothing proves little: names change, and applications lag behind themselves. Only when
 * several pushes in a row, seconds apart, have found nothing is there nobody to remove. */
#define EMPTY_LOOKUPS 5

static void nobody_to_remove(struct run *run, size_t seat, const char *words)
{
	bool proven = run->push->members[seat].failures + 1 >= EMPTY_LOOKUPS;

	seat_settle(run, seat, proven ? PUSH_DONE : PUSH_RETRY, words);
}

static void group_is_gone(struct run *run, const char *words)
{
	for (size_t i = 0; i < run->push->count; i++)
		if (run->seats[i].step != SEAT_SETTLED)
			nobody_to_remove(run, i, words);
	run_over(run);
}

static void on_group(struct run *run, const struct http_answer *answer, enum outcome outcome)
{
	struct push *push = run->push;
	enum scim_hit hit = HIT_UNREADABLE;
	char id[SCIM_ID_SIZE];
	char words[TEXT_SIZE];

	if (outcome == OUTCOME_DONE)
		hit = scim_read_group(answer->body, answer->len, push->group_name, id);
	switch (hit) {
	case HIT_ONE:
		learn_group(run, id);
		return;
	case HIT_NONE:
		name_words(run, "the application has no group named", push->group_name, words);
		if (push->add)
			run_settle_rest(run, PUSH_REFUSED, words);
		else
			group_is_gone(run, words);
		return;
	case HIT_SEVERAL:
		name_words(run, "the application has several groups named", push->group_name, words);
		run_settle_rest(run, PUSH_REFUSED, words);
		return;
	case HIT_UNREADABLE:
		answer_words(run, OP_FIND_GROUP, answer, words);
		if (outcome == OUTCOME_DONE)
			snprintf(words, sizeof(words),
				 "looking up the group: the answer is no complete SCIM list");
		run_settle_rest(run, outcome == OUTCOME_REFUSED ? PUSH_REFUSED : PUSH_RETRY, words);
		return;
	}
}

static void user_is_missing(struct run *run, size_t seat)
{
	const struct scim_person *person = &run->push->members[seat].person;
	const char *flaw = scim_person_flaw(person);
	char words[TEXT_SIZE];

	if (!run->push->add) {
		name_words(run, "the application has no user named", person->user_name, words);
		nobody_to_remove(run, seat, words);
	} else if (run->seats[seat].clashed) {
		/* Perhaps the look-up lags behind the creation that won. */
		name_words(run, "the application refuses a second user of this name but does not find",
			   person->user_name, words);
		seat_settle(run, seat, PUSH_RETRY, words);
	} else if (!run->push->target->create_users) {
		name_words(run, "the application has no user named", person->user_name, words);
		seat_settle(run, seat, PUSH_REFUSED, words);
	} else if (flaw != NULL) {
		seat_settle(run, seat, PUSH_REFUSED, flaw);
	} else {
		run->seats[seat].step = SEAT_CREATE;
	}
}

static void on_user(struct run *run, size_t seat, const struct http_answer *answer, enum outcome outcome)
{
	const char *user_name = run->push->members[seat].person.user_name;
	enum scim_hit hit = HIT_UNREADABLE;
	char id[SCIM_ID_SIZE];
	char words[TEXT_SIZE];

	if (outcome == OUTCOME_DONE)
		hit = scim_read_user(answer->body, answer->len, user_name, id);
	switch (hit) {
	case HIT_ONE:
		learn_user(run, seat, id);
		return;
	case HIT_NONE:
		user_is_missing(run, seat);
		return;
	case HIT_SEVERAL:
		name_words(run, "the application has several users named", user_name, words);
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
	char id[SCIM_ID_SIZE];
	char words[TEXT_SIZE];

	if (outcome == OUTCOME_DONE &&
	    scim_read_created(answer->body, answer->len, run->push->members[seat].person.user_name, id)) {
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

static void patch_accepted(struct run *run)
{
	for (size_t i = 0; i < run->push->count; i++) {
		struct seat *seat = &run->seats[i];
		if (!seat->in_patch)
			continue;
		seat->step = SEAT_ASK;
		seat->accepted = true;
	}
}

/* A PATCH for one member was refused with the ids fresh: the answer is about this member. */
static void seat_refused(struct run *run, size_t seat, enum outcome outcome, const struct http_answer *answer)
{
	char words[TEXT_SIZE];

	answer_words(run, run->push->add ? OP_ADD_MEMBERS : OP_REMOVE_MEMBERS, answer, words);
	if (outcome == OUTCOME_ALREADY) {
		run->seats[seat].step = SEAT_ASK;
		run->seats[seat].if_there = answer->status == 404 ? PUSH_RETRY : PUSH_REFUSED;
		snprintf(run->push->members[seat].error, TEXT_SIZE, "%s", words);
		return;
	}
	if (outcome == OUTCOME_LOOK_AGAIN) {
		forget_group(run);
		forget_user(run, seat);
	}
	seat_settle(run, seat, outcome == OUTCOME_REFUSED ? PUSH_REFUSED : PUSH_RETRY, words);
}

/* Most likely some of them are gone already: reading is cheaper for the application than a PATCH for each. */
static void ask_before_resending(struct run *run)
{
	for (size_t i = 0; i < run->push->count; i++) {
		if (!run->seats[i].in_patch)
			continue;
		run->seats[i].step = SEAT_ASK;
		run->seats[i].send_again = true;
	}
}

/* The PATCH was not carried out. It is atomic (RFC 7644, 3.5.2), so it changed nothing for anybody. */
static void patch_refused(struct run *run, enum outcome outcome, const struct http_answer *answer)
{
	size_t sent = 0;
	size_t last = 0;

	for (size_t i = 0; i < run->push->count; i++) {
		if (run->seats[i].in_patch) {
			sent++;
			last = i;
		}
	}
	if (rests_on_memory(run)) {
		look_again(run);
	} else if (sent > 1) {
		run->one_by_one = true;
		if (outcome == OUTCOME_ALREADY)
			ask_before_resending(run);
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
	case OUTCOME_UNAUTHORISED:
	case OUTCOME_THROTTLED:
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
	} else if (run->seats[seat].send_again) {
		run->seats[seat].send_again = false;
		run->seats[seat].step = SEAT_KNOWN;
	} else if (!run->seats[seat].accepted) {
		seat_settle(run, seat, run->seats[seat].if_there, NULL);
	} else {
		run->seats[seat].step = SEAT_DOUBTED;
		snprintf(member->error, sizeof(member->error), "the application accepted the change but %s",
			 shown == MEMBERSHIP_UNCLEAR ? "its answer about the membership cannot be read"
			 : run->push->add            ? "does not show the membership"
						     : "still shows the membership");
	}
}

static void on_confirmation(struct run *run, size_t seat, const struct http_answer *answer,
			    enum outcome outcome)
{
	char words[TEXT_SIZE];

	if (outcome == OUTCOME_DONE) {
		on_shown(run, seat, scim_read_membership(answer->body, answer->len, run->group_id));
		return;
	}
	if (outcome == OUTCOME_LOOK_AGAIN) {
		member_is_gone(run, seat);
		return;
	}
	answer_words(run, OP_CONFIRM, answer, words);
	if (outcome == OUTCOME_RETRY) {
		run->seats[seat].step = SEAT_DOUBTED;
		snprintf(run->push->members[seat].error, TEXT_SIZE, "%s", words);
		return;
	}
	seat_settle(run, seat, PUSH_RETRY, words);
}

void reply_apply(struct run *run, const struct slot *slot, const struct http_answer *answer,
		 enum outcome outcome)
{
	switch (slot->op) {
	case OP_FIND_GROUP:
		on_group(run, answer, outcome);
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
		on_confirmation(run, slot->seat, answer, outcome);
		return;
	}
}
