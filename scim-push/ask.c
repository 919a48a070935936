/* The requests of a push: each is built from its state, started, and kept in a slot until it is answered. */
#include "scim-push/run.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

static struct slot *free_slot(struct run *run)
{
	for (size_t i = 0; i < RUN_PARALLEL; i++) {
		if (run->slots[i].request == NULL)
			return &run->slots[i];
	}
	return NULL;
}

bool ask_busy(const struct run *run)
{
	for (size_t i = 0; i < RUN_PARALLEL; i++) {
		if (run->slots[i].request != NULL)
			return true;
	}
	return false;
}

static void forget_copies(struct slot *slot)
{
	free(slot->url);
	free(slot->body);
	slot->url = slot->body = NULL;
}

static void on_done(void *ctx, const struct http_answer *answer)
{
	struct slot *slot = ctx;
	struct slot answered = *slot;

	slot->request = NULL;
	slot->url = slot->body = NULL;
	steps_answer(answered.run, &answered, answer);
	free(answered.url);
	free(answered.body);
}

/* Some applications show all members of a group at once. */
static size_t answer_max(enum scim_op op)
{
	return op == OP_READ_MEMBERS || op == OP_LIST_MEMBERS ? SCIM_MEMBERS_MAX : 0;
}

void target_call(const struct scim_target *target, enum scim_op op, bool with_next, struct http_call *call)
{
	/* RFC 7644, 3.1; AWS answers with application/json whatever is asked for. */
	*call = (struct http_call){.method = scim_op_method(op),
				   .token = with_next ? target->next_token : target->token,
				   .accept = "application/scim+json, application/json;q=0.9",
				   .media_type = "application/scim+json",
				   .ca_file = target->ca_file,
				   .one_redirect = true,
				   .answer_max = answer_max(op),
				   .deadline_ms = clock_mono_ms() + target->request_timeout_ms};
}

/* Fills the slot and starts its request. `body` may be NULL. */
static enum err start(struct run *run, struct slot *slot, const struct buf *url, const struct buf *body)
{
	const struct scim_target *target = run->push->target;
	struct http_hook hook = {on_done, slot};
	struct http_call call;

	if (buf_failed(url) || (body != NULL && buf_failed(body)))
		return ERR_NOMEM;
	slot->run = run;
	if (run->push->on_step != NULL) { /* what cannot be copied is not shown */
		slot->url = strdup(buf_text(url));
		slot->body = body == NULL ? NULL : strdup(buf_text(body));
	}
	slot->started_ms = clock_mono_ms();
	slot->with_next = run->with_next;
	target_call(target, slot->op, slot->with_next, &call);
	call.url = buf_text(url);
	call.body = body == NULL ? NULL : buf_text(body);
	if (call.deadline_ms > run->push->deadline_ms)
		call.deadline_ms = run->push->deadline_ms;
	return http_start(run->pusher->http, &call, &hook, &slot->request);
}

/* Starts and releases both buffers; a failure ends the push. */
static bool start_or_end(struct run *run, struct slot *slot, struct buf *url, struct buf *body)
{
	enum err err = start(run, slot, url, body);

	buf_release(url);
	if (body != NULL)
		buf_release(body);
	if (err == ERR_OK)
		return true;
	forget_copies(slot);
	all_heard(run, 0);
	run_settle_rest(run, PUSH_RETRY,
			err == ERR_TIMEOUT ? "the push ran out of time" : "the broker is out of memory");
	return false;
}

/* What is asked about the group, by the step that it has come to. */
static enum scim_op group_request(const struct run *run, struct buf *url, struct buf *body)
{
	const struct push *push = run->push;
	const char *base = push->target->url;
	struct scim_find find;

	switch (run->group_step) {
	case GROUP_FIND:
		group_find(run, &find);
		scim_url_find(url, base, &find);
		return OP_FIND_GROUP;
	case GROUP_READ:
		scim_url_resource(url, base, "Groups", push->known_group_id);
		buf_adds(url, push->target->dialect.hide_members ? "?excludedAttributes=members" : "");
		return OP_READ_GROUP;
	case GROUP_CREATE:
		scim_url_endpoint(url, base, "Groups");
		scim_body_group(body, push->group_name, push->group_external_id);
		return OP_CREATE_GROUP;
	case GROUP_RENAME:
		scim_url_resource(url, base, "Groups", push->known_group_id);
		scim_body_rename(body, &push->target->dialect, push->group_name);
		return OP_RENAME_GROUP;
	}
	return OP_FIND_GROUP;
}

bool ask_group(struct run *run)
{
	struct slot *slot = free_slot(run);
	struct buf url, body;

	if (slot == NULL)
		return false;
	buf_init(&url, SCIM_URL_MAX);
	buf_init(&body, SCIM_BODY_MAX);
	slot->op = group_request(run, &url, &body);
	bool sends = body.len > 0 || buf_failed(&body);
	bool ok = start_or_end(run, slot, &url, sends ? &body : NULL);
	buf_release(&body);
	return ok;
}

/* A request for one member. */
static bool ask_for_seat(struct run *run, size_t seat, enum scim_op op, struct buf *url, struct buf *body)
{
	struct slot *slot = free_slot(run);

	slot->op = op;
	slot->seat = seat;
	run->seats[seat].busy = start_or_end(run, slot, url, body);
	return run->seats[seat].busy;
}

bool ask_user(struct run *run, size_t seat)
{
	struct scim_find find;
	struct buf url;

	if (free_slot(run) == NULL)
		return false;
	buf_init(&url, SCIM_URL_MAX);
	seat_find(run, seat, &find);
	scim_url_find(&url, run->push->target->url, &find);
	return ask_for_seat(run, seat, OP_FIND_USER, &url, NULL);
}

bool ask_creation(struct run *run, size_t seat)
{
	struct errctx why;
	struct buf url, body;
	enum err err;

	if (free_slot(run) == NULL)
		return false;
	buf_init(&url, SCIM_URL_MAX);
	buf_init(&body, SCIM_BODY_MAX);
	scim_url_endpoint(&url, run->push->target->url, "Users");
	err = person_body(run, seat, &body, &why);
	if (err == ERR_OK)
		return ask_for_seat(run, seat, OP_CREATE_USER, &url, &body);
	buf_release(&url);
	buf_release(&body);
	run->seats[seat].heard = 0;
	seat_settle(run, seat, err == ERR_NOMEM ? PUSH_RETRY : PUSH_REFUSED, why.text);
	return true;
}

bool ask_activation(struct run *run, size_t seat)
{
	const struct scim_target *target = run->push->target;
	struct buf url, body;

	if (free_slot(run) == NULL)
		return false;
	buf_init(&url, SCIM_URL_MAX);
	buf_init(&body, SCIM_BODY_MAX);
	scim_url_resource(&url, target->url, "Users", run->seats[seat].user_id);
	user_active_body(&body, &target->dialect, true);
	return ask_for_seat(run, seat, OP_CHANGE_USER, &url, &body);
}

bool ask_membership(struct run *run, size_t seat)
{
	const char *base = run->push->target->url;
	struct slot *slot = free_slot(run);
	struct buf url;

	if (slot == NULL)
		return false;
	buf_init(&url, SCIM_URL_MAX);
	switch (run->push->target->dialect.verify) {
	case VERIFY_USER:
		scim_url_resource(&url, base, "Users", run->seats[seat].user_id);
		return ask_for_seat(run, seat, OP_READ_USER, &url, NULL);
	case VERIFY_FILTER:
		scim_url_confirm(&url, base, run->group_id, run->seats[seat].user_id);
		return ask_for_seat(run, seat, OP_CONFIRM, &url, NULL);
	case VERIFY_MEMBERS:
	case VERIFY_NONE: /* not asked at all: read_back() */
		break;
	}
	scim_url_members(&url, base, run->group_id, run->members_by_name);
	slot->op = OP_READ_MEMBERS;
	if (!start_or_end(run, slot, &url, NULL))
		return false;
	for (size_t i = 0; i < run->push->count; i++)
		run->seats[i].busy = run->seats[i].step == run->seats[seat].step;
	return true;
}

/* How many members the next PATCH may have. */
static size_t patch_limit(const struct run *run)
{
	const struct scim_dialect *dialect = &run->push->target->dialect;
	int64_t most = dialect->members_max;

	if (!run->push->add && dialect->removal == REMOVE_BY_FILTER && dialect->operations_max < most)
		most = dialect->operations_max;
	return (size_t)(most < PUSH_MEMBERS_MAX ? most : PUSH_MEMBERS_MAX);
}

/* Writes the body for the first so many that are to be sent; answers with their number. */
static size_t write_patch(struct run *run, struct buf *body, size_t most)
{
	struct scim_member members[PUSH_MEMBERS_MAX];
	size_t count = 0;

	for (size_t i = 0; i < run->push->count; i++) {
		struct seat *seat = &run->seats[i];
		seat->in_patch = seat->step == SEAT_KNOWN && count < most;
		if (seat->in_patch)
			members[count++] = (struct scim_member){
				.id = seat->user_id, .name = run->push->members[i].person.user_name};
	}
	buf_clear(body);
	scim_body_members(body, &run->push->target->dialect, run->push->add, members, count);
	return count;
}

bool ask_patch(struct run *run)
{
	int64_t body_max = run->push->target->dialect.body_max;
	struct slot *slot = free_slot(run);
	struct buf url, body;

	if (slot == NULL)
		return false;
	buf_init(&url, SCIM_URL_MAX);
	buf_init(&body, SCIM_BODY_MAX);
	scim_url_resource(&url, run->push->target->url, "Groups", run->group_id);
	size_t count = write_patch(run, &body, patch_limit(run));
	while (body_max > 0 && (int64_t)body.len > body_max && count > 1)
		count = write_patch(run, &body, count - 1);
	slot->op = run->push->add ? OP_ADD_MEMBERS : OP_REMOVE_MEMBERS;
	return start_or_end(run, slot, &url, &body);
}

/* A PATCH of which bytes have left may be carried out whatever happens to its connection; a creation as well. */
static void note_given_up(struct run *run, const struct slot *slot)
{
	run->reached = true;
	run->unanswered = true;
	if (slot->op == OP_CREATE_USER)
		run->push->members[slot->seat].creation_lost = true;
	if (!scim_op_is_patch(slot->op))
		return;
	for (size_t i = 0; i < run->push->count; i++) {
		if (run->seats[i].in_patch)
			run->push->members[i].in_doubt = true;
	}
}

void ask_cancel(struct run *run)
{
	for (size_t i = 0; i < RUN_PARALLEL; i++) {
		struct slot *slot = &run->slots[i];
		if (slot->request == NULL)
			continue;
		bool sent = http_cancel(slot->request);
		struct http_answer none = {.sent = sent,
					   .body = "",
					   .words = "given up",
					   .retry_after = "",
					   .rate_limit_reset = ""};
		if (sent)
			note_given_up(run, slot);
		show_step(run, slot, &none, OUTCOME_SICK);
		slot->request = NULL;
		forget_copies(slot);
	}
}
