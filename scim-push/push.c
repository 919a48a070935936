/* The life of a push: begun, sent, ended by its steps, by its deadline or by the end of the process. */
#include "scim-push/push.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "scim-push/run.h"

static void set_results(struct push *push, enum push_verdict verdict, const char *words)
{
	push->nothing_reached = true;
	push->unanswered = false;
	push->closed_for_ms = 0;
	push->misconfigured = false;
	push->sick = false;
	push->alien = false;
	push->status = 0;
	for (size_t i = 0; i < push->count; i++) {
		push->members[i].verdict = verdict;
		push->members[i].in_doubt = false;
		push->members[i].unverified = false;
		push->members[i].created = false;
		push->members[i].creation_lost = false;
		push->members[i].activated = false;
		push->members[i].standing = false;
		push->members[i].status = 0;
		snprintf(push->members[i].error, sizeof(push->members[i].error), "%s", words);
	}
}

/* -- the end ----------------------------------------------------------------------------------------------- */

static void timer_closed(uv_handle_t *handle)
{
	struct run *run = handle->data;

	if (--run->timers_open == 0)
		free(run);
}

static void run_unlink(struct run *run)
{
	*run->link = run->next;
	if (run->next != NULL)
		run->next->link = run->link;
	run->pusher->running--;
}

/* The ids that the push begins with: a removal's are those of the addition, whatever the names are now. */
static void take_ids(struct run *run)
{
	const struct push *push = run->push;

	if (push->add)
		return;
	snprintf(run->group_id, sizeof(run->group_id), "%s", push->group_id);
	for (size_t i = 0; i < push->count; i++) {
		if (push->members[i].user_id[0] == '\0')
			continue;
		snprintf(run->seats[i].user_id, sizeof(run->seats[i].user_id), "%s",
			 push->members[i].user_id);
		run->seats[i].step = SEAT_KNOWN;
	}
}

void run_tell_ids(struct run *run)
{
	struct push *push = run->push;

	snprintf(push->group_id, sizeof(push->group_id), "%s", run->group_id);
	for (size_t i = 0; i < push->count; i++) {
		push->members[i].is_ready = run->seats[i].step == SEAT_KNOWN;
		snprintf(push->members[i].user_id, sizeof(push->members[i].user_id), "%s",
			 run->seats[i].user_id);
	}
}

/* The push is over and its verdicts stand: hands it back. `run` lives on until its timers are closed. */
static void run_end(struct run *run)
{
	struct push *push = run->push;

	push->nothing_reached = !run->reached;
	push->unanswered = run->unanswered;
	run_tell_ids(run);
	for (size_t i = 0; i < push->count; i++)
		push->unanswered = push->unanswered || run->seats[i].unanswered;
	run_unlink(run);
	uv_close((uv_handle_t *)&run->wake, timer_closed);
	uv_close((uv_handle_t *)&run->deadline, timer_closed);
	push->state = NULL;
	push->on_end(push->ctx, push);
}

static const char *deadline_words(enum phase phase)
{
	switch (phase) {
	case PHASE_GROUP:
		return "the push ran out of time looking up the group";
	case PHASE_USERS:
		return "the push ran out of time looking up the user";
	case PHASE_LOOK:
		return "the push ran out of time looking whether the user is a member already";
	case PHASE_READY:
		return "the push ran out of time before it was sent";
	case PHASE_PATCH:
		return "the push ran out of time: the application did not answer the change";
	case PHASE_CONFIRM:
		return "the push ran out of time before the application confirmed the change";
	case PHASE_OVER:
		break;
	}
	return "the push ran out of time";
}

static void on_deadline(uv_timer_t *timer)
{
	struct run *run = timer->data;

	all_heard(run, 0);
	run_settle_rest(run, PUSH_RETRY, deadline_words(run->phase));
	run_end(run);
}

static void on_wake(uv_timer_t *timer)
{
	struct run *run = timer->data;

	if (run->phase == PHASE_OVER)
		run_end(run);
	else
		steps_wake(run);
}

void run_wake_after(struct run *run, int64_t ms)
{
	uv_timer_start(&run->wake, on_wake, (uint64_t)ms, 0);
}

/* -- the beginning ----------------------------------------------------------------------------------------- */

static struct run *run_new(struct pusher *pusher, struct push *push)
{
	struct run *run = calloc(1, sizeof(*run) + push->count * sizeof(run->seats[0]));

	if (run == NULL)
		return NULL;
	run->pusher = pusher;
	run->push = push;
	run->with_next = pusher_uses_next_token(pusher, push->target);
	uv_timer_init(pusher->loop, &run->wake);
	uv_timer_init(pusher->loop, &run->deadline);
	run->wake.data = run;
	run->deadline.data = run;
	run->timers_open = 2;
	run->next = pusher->runs;
	run->link = &pusher->runs;
	if (run->next != NULL)
		run->next->link = &run->next;
	pusher->runs = run;
	take_ids(run);
	identify_all(run);
	return run;
}

static void on_late(uv_timer_t *timer)
{
	struct pusher *pusher = timer->data;

	while (pusher->unstarted != NULL) {
		struct push *push = pusher->unstarted;
		pusher->unstarted = push->state;
		pusher->running--;
		push->state = NULL;
		push->on_end(push->ctx, push);
	}
}

void push_start(struct pusher *pusher, struct push *push)
{
	assert(push->count <= PUSH_MEMBERS_MAX);
	set_results(push, PUSH_RETRY, "");
	struct run *run = run_new(pusher, push);
	pusher->running++;
	if (run == NULL) {
		set_results(push, PUSH_RETRY, "the broker is out of memory");
		push->state = pusher->unstarted;
		pusher->unstarted = push;
		uv_timer_start(&pusher->late, on_late, 0, 0);
		return;
	}
	push->state = run;
	int64_t left_ms = push->deadline_ms - clock_mono_ms();
	/* The loop's idea of now may be older than the clock's. */
	uv_update_time(pusher->loop);
	uv_timer_start(&run->deadline, on_deadline, left_ms > 0 ? (uint64_t)left_ms : 0, 0);
	if (run_is_settled(run)) /* of nobody, or of those who cannot be pushed anyway */
		run->phase = PHASE_OVER;
	run_wake_after(run, 0);
}

void push_send(struct push *push, const bool *wanted)
{
	struct run *run = push->state;

	/* The deadline may have ended the push while the caller was asking. */
	if (run == NULL || run->phase != PHASE_READY)
		return;
	if (wanted == NULL) {
		run_settle_rest(run, PUSH_SKIPPED, "");
		return;
	}
	for (size_t i = 0; i < push->count; i++) {
		if (run->seats[i].step == SEAT_KNOWN && !wanted[i])
			seat_settle(run, i, PUSH_SKIPPED, "");
	}
	run->phase = PHASE_PATCH;
	run->answered = true;
	steps_advance(run);
}

/* -- the pusher -------------------------------------------------------------------------------------------- */

struct pusher *pusher_new(uv_loop_t *loop, struct errctx *ec)
{
	struct pusher *pusher = calloc(1, sizeof(*pusher));
	struct names *names = names_new();

	if (pusher == NULL || names == NULL) {
		err_set(ec, ERR_NOMEM, "no memory for the SCIM client");
	} else if (http_client_new(loop, &pusher->http, ec) == ERR_OK) {
		pusher->loop = loop;
		pusher->names = names;
		uv_timer_init(loop, &pusher->late);
		pusher->late.data = pusher;
		return pusher;
	}
	names_free(names);
	free(pusher);
	return NULL;
}

static void late_closed(uv_handle_t *handle)
{
	free(handle->data);
}

void pusher_free(struct pusher *pusher)
{
	if (pusher == NULL)
		return;
	http_client_free(pusher->http);
	names_free(pusher->names);
	uv_close((uv_handle_t *)&pusher->late, late_closed);
}

size_t pusher_running(const struct pusher *pusher)
{
	return pusher->running;
}

void pusher_abort_all(struct pusher *pusher)
{
	probe_abort_all(pusher);
	listing_abort_all(pusher);
	visit_abort_all(pusher);
	while (pusher->runs != NULL) {
		struct run *run = pusher->runs;
		all_heard(run, 0);
		run_settle_rest(run, PUSH_RETRY, "the broker stops");
		run_end(run);
	}
	on_late(&pusher->late);
}
