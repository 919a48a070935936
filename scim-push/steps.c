/* The steps of a push: what every answer leaves behind, and what is to be asked next. */
#include "scim-push/run.h"

#include "base/clock.h"
#include "base/log.h"
#include "scim-push/retry.h"

/* Pauses before the membership is asked for again: AWS is eventually consistent now and then. */
static const int64_t confirm_pauses_ms[] = {200, 1000, 3000};
#define CONFIRM_PAUSES (sizeof(confirm_pauses_ms) / sizeof(confirm_pauses_ms[0]))

static bool any_seat(const struct run *run, enum seat_step step)
{
	for (size_t i = 0; i < run->push->count; i++) {
		if (run->seats[i].step == step)
			return true;
	}
	return false;
}

/* -- what holds for every answer --------------------------------------------------------------------------- */

static void note_answer(struct run *run, const struct slot *slot, const struct http_answer *answer)
{
	struct push *push = run->push;
	/* A connection that breaks off says nothing about what goes on behind it. */
	bool unanswered = answer->status == 0 && answer->sent;

	run->reached = run->reached || answer->sent;
	if (answer->status >= 300)
		push->status = answer->status;
	note_status(run, slot, answer->status);
	if (scim_op_is_for_seat(slot->op)) {
		run->seats[slot->seat].busy = false;
		run->seats[slot->seat].unanswered = unanswered;
	} else {
		run->unanswered = unanswered;
		for (size_t i = 0; slot->op == OP_READ_MEMBERS && i < push->count; i++)
			run->seats[i].busy = false;
	}
	if (slot->op == OP_CREATE_USER && answer->sent && (answer->status == 0 || answer->status >= 500))
		push->members[slot->seat].creation_lost = true;
	if (!scim_op_is_patch(slot->op) || !answer->sent || (answer->status >= 300 && answer->status < 500))
		return;
	/* No answer, one that does not say what was done before it went wrong, or success yet to be confirmed. */
	for (size_t i = 0; i < push->count; i++) {
		if (run->seats[i].in_patch)
			push->members[i].in_doubt = true;
	}
}

/* After such an answer no other request of this push would fare better. */
static bool ends_push(struct run *run, const struct slot *slot, const struct http_answer *answer,
		      const struct scim_result *result)
{
	char words[TEXT_SIZE];

	if (result->outcome == OUTCOME_MISCONFIGURED)
		run->push->misconfigured = true;
	else if (result->outcome == OUTCOME_SICK)
		run->push->sick = true;
	if (result->outcome == OUTCOME_SICK && answer->status >= 200 && answer->status < 400)
		run->push->alien = true;
	if (result->wait_ms > run->push->closed_for_ms)
		run->push->closed_for_ms = result->wait_ms;
	/* The look at what was changed is not the change: it may be repeated within the push. */
	bool is_look = slot->op == OP_CONFIRM || slot->op == OP_READ_MEMBERS || slot->op == OP_READ_USER;
	bool lost = result->outcome == OUTCOME_SICK && !is_look &&
		    (answer->status == 0 || scim_op_is_patch(slot->op));
	if (result->outcome != OUTCOME_MISCONFIGURED && result->outcome != OUTCOME_THROTTLED && !lost)
		return false;
	answer_words(run, slot->op, answer, words);
	all_heard(run, answer->status);
	run_settle_rest(run, PUSH_RETRY, words);
	return true;
}

/*
 * The application does not take this token: the other one is tried, once in a push, so that a rotation has no gap.
 * The request was not carried out, and its seats are where they were: what is to be done next is the same request.
 */
static bool other_token(struct run *run, const struct slot *slot, const struct http_answer *answer)
{
	const struct scim_target *target = run->push->target;

	if (answer->status != 401 || target->next_token[0] == '\0')
		return false;
	if (slot->with_next != run->with_next)
		return true; /* sent before the other answer came */
	if (run->switched)
		return false;
	run->switched = true;
	run->with_next = !run->with_next;
	remember_token(run->pusher, target, run->with_next);
	log_warn("scim_token", "app=%s uses=%s", target->app, run->with_next ? "next_token" : "token");
	return true;
}

void steps_answer(struct run *run, const struct slot *slot, const struct http_answer *answer)
{
	struct scim_result result = outcome_of(slot->op, answer, clock_wall_ms());

	note_answer(run, slot, answer);
	show_step(run, slot, answer, result.outcome);
	if (other_token(run, slot, answer)) {
		steps_advance(run);
		return;
	}
	if (ends_push(run, slot, answer, &result))
		return;
	reply_apply(run, slot, answer, result.outcome);
	steps_advance(run);
}

/* -- what is next: each returns true when its phase is finished ------------------------------------------- */

/* Who could not be created is looked up before all else: of those who are not there, nothing else reaches the
 * application, and no group is made for them. */
static bool doubtful_users(struct run *run)
{
	bool room = true, left = false;

	for (size_t i = 0; i < run->push->count && room; i++) {
		const struct seat *seat = &run->seats[i];
		if (!seat->incomplete || seat->busy)
			continue;
		if (seat->step == SEAT_FIND)
			room = recall_user(run, i) || ask_user(run, i);
		else if (seat->step == SEAT_CREATE)
			ask_creation(run, i); /* which refuses it */
	}
	for (size_t i = 0; i < run->push->count; i++)
		left = left || (run->seats[i].incomplete && run->seats[i].step == SEAT_FIND);
	return run->phase == PHASE_GROUP && !left;
}

static bool group_phase(struct run *run)
{
	if (!doubtful_users(run))
		return false;
	if (run_is_settled(run)) {
		run_over(run);
		return false;
	}
	if (run->group_id[0] != '\0' || recall_group(run))
		return true;
	if (!ask_busy(run))
		ask_group(run);
	return false;
}

static bool users_phase(struct run *run)
{
	bool room = true;

	for (size_t i = 0; i < run->push->count && room; i++) {
		const struct seat *seat = &run->seats[i];
		if (seat->busy)
			continue;
		if (seat->step == SEAT_FIND)
			room = recall_user(run, i) || ask_user(run, i);
		else if (seat->step == SEAT_CREATE)
			room = ask_creation(run, i);
		/* As well of who was in memory. */
		if (room && seat->step == SEAT_ACTIVATE && !seat->busy)
			room = ask_activation(run, i);
	}
	return run->phase == PHASE_USERS && !any_seat(run, SEAT_FIND) && !any_seat(run, SEAT_CREATE) &&
	       !any_seat(run, SEAT_ACTIVATE);
}

/* Who was a member before is not made one, and is not removed later. */
static bool look_phase(struct run *run)
{
	for (size_t i = 0; i < run->push->count; i++) {
		if (run->seats[i].step == SEAT_LOOK && !run->seats[i].busy && !ask_membership(run, i))
			return false;
	}
	return !any_seat(run, SEAT_LOOK);
}

/* Before every PATCH the caller is asked which members are still wanted: a push may have looked up ids anew, or have
 * sent other members, since it was asked last. */
static bool patch_phase(struct run *run)
{
	if (ask_busy(run))
		return false;
	if (!any_seat(run, SEAT_KNOWN))
		return true;
	if (!run->answered) {
		run->phase = PHASE_READY;
		run_tell_ids(run);
		run->push->on_ready(run->push->ctx, run->push);
		return false;
	}
	run->answered = false;
	ask_patch(run);
	return false;
}

/* Some applications change what they have answered already: the first look waits for that. */
static bool settles(struct run *run)
{
	int64_t settle_ms = run->push->target->dialect.settle_ms;

	if (settle_ms == 0 || run->settling || clock_mono_ms() + settle_ms >= run->push->deadline_ms)
		return false;
	run->settling = true;
	run_wake_after(run, settle_ms);
	return true;
}

/* Pauses before asking again, or gives up: the next push begins with fresh ids then. */
static void pause_or_give_up(struct run *run)
{
	if (run->round < CONFIRM_PAUSES &&
	    clock_mono_ms() + confirm_pauses_ms[run->round] < run->push->deadline_ms) {
		run_wake_after(run, confirm_pauses_ms[run->round]);
		run->round++;
		return;
	}
	for (size_t i = 0; i < run->push->count; i++) {
		if (run->seats[i].step != SEAT_DOUBTED)
			continue;
		forget_group(run);
		forget_user(run, i);
		seat_settle(run, i, PUSH_RETRY, NULL);
	}
	run_over(run);
}

static void confirm_phase(struct run *run)
{
	if (any_seat(run, SEAT_ASK) && settles(run))
		return;
	for (size_t i = 0; i < run->push->count; i++) {
		if (run->seats[i].step == SEAT_ASK && !run->seats[i].busy && !ask_membership(run, i))
			return;
	}
	if (ask_busy(run))
		return;
	if (any_seat(run, SEAT_STALE)) {
		look_again(run);
		run_wake_after(run, 0);
	} else if (any_seat(run, SEAT_KNOWN)) {
		run->phase = PHASE_PATCH;
		run_wake_after(run, 0);
	} else if (any_seat(run, SEAT_DOUBTED)) {
		pause_or_give_up(run);
	} else {
		run_over(run);
	}
}

void steps_advance(struct run *run)
{
	if (run->phase == PHASE_GROUP && group_phase(run))
		run->phase = PHASE_USERS;
	if (run->phase == PHASE_USERS && users_phase(run))
		run->phase = PHASE_LOOK;
	if (run->phase == PHASE_LOOK && look_phase(run)) {
		if (any_seat(run, SEAT_KNOWN))
			run->phase = PHASE_PATCH;
		else
			run_over(run);
	}
	if (run->phase == PHASE_PATCH && patch_phase(run))
		run->phase = PHASE_CONFIRM;
	if (run->phase == PHASE_CONFIRM)
		confirm_phase(run);
}

void steps_wake(struct run *run)
{
	for (size_t i = 0; i < run->push->count; i++) {
		if (run->seats[i].step == SEAT_DOUBTED)
			run->seats[i].step = SEAT_ASK;
	}
	steps_advance(run);
}
