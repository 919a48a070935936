/* The requests of a push: each is built from its state, started, and kept in a slot until it is answered. */
#include "scim-push/run.h"

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

static void on_done(void *ctx, const struct http_answer *answer)
{
	struct slot *slot = ctx;
	struct slot answered = *slot;

	slot->request = NULL;
	steps_answer(answered.run, &answered, answer);
}

static enum http_method method_of(enum scim_op op)
{
	switch (op) {
	case OP_FIND_GROUP:
	case OP_FIND_USER:
	case OP_CONFIRM:
		return HTTP_GET;
	case OP_CREATE_USER:
		return HTTP_POST;
	case OP_ADD_MEMBERS:
	case OP_REMOVE_MEMBERS:
		return HTTP_PATCH;
	}
	return HTTP_GET;
}

/* Fills the slot and starts its request. `body` may be NULL. */
static enum err start(struct run *run, struct slot *slot, const struct buf *url, const struct buf *body)
{
	const struct scim_target *target = run->push->target;
	struct http_hook hook = {on_done, slot};
	/* RFC 7644, 3.1; AWS answers with application/json whatever is asked for. */
	struct http_call call = {.token = target->token,
				 .accept = "application/scim+json, application/json;q=0.9",
				 .media_type = "application/scim+json",
				 .ca_file = target->ca_file};

	if (buf_failed(url) || (body != NULL && buf_failed(body)))
		return ERR_NOMEM;
	slot->run = run;
	slot->started_ms = clock_mono_ms();
	call.method = method_of(slot->op);
	call.url = buf_text(url);
	call.body = body == NULL ? NULL : buf_text(body);
	call.deadline_ms = slot->started_ms + target->request_timeout_ms;
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
	if (err != ERR_OK)
		run_settle_rest(run, PUSH_RETRY,
				err == ERR_TIMEOUT ? "the push ran out of time"
						   : "the broker is out of memory");
	return err == ERR_OK;
}

bool ask_group(struct run *run)
{
	struct slot *slot = free_slot(run);
	struct buf url;

	if (slot == NULL)
		return false;
	buf_init(&url, SCIM_URL_MAX);
	scim_url_find_group(&url, run->push->target->url, run->push->group_name);
	slot->op = OP_FIND_GROUP;
	return start_or_end(run, slot, &url, NULL);
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
	struct buf url;

	if (free_slot(run) == NULL)
		return false;
	buf_init(&url, SCIM_URL_MAX);
	scim_url_find_user(&url, run->push->target->url, run->push->members[seat].person.user_name);
	return ask_for_seat(run, seat, OP_FIND_USER, &url, NULL);
}

bool ask_creation(struct run *run, size_t seat)
{
	struct buf url, body;

	if (free_slot(run) == NULL)
		return false;
	buf_init(&url, SCIM_URL_MAX);
	buf_init(&body, SCIM_BODY_MAX);
	scim_url_users(&url, run->push->target->url);
	scim_body_user(&body, &run->push->members[seat].person);
	return ask_for_seat(run, seat, OP_CREATE_USER, &url, &body);
}

bool ask_confirmation(struct run *run, size_t seat)
{
	struct buf url;

	if (free_slot(run) == NULL)
		return false;
	buf_init(&url, SCIM_URL_MAX);
	scim_url_confirm(&url, run->push->target->url, run->group_id, run->seats[seat].user_id);
	return ask_for_seat(run, seat, OP_CONFIRM, &url, NULL);
}

bool ask_patch(struct run *run)
{
	const char *ids[PUSH_MEMBERS_MAX];
	size_t count = 0;
	size_t most = run->one_by_one ? 1 : PUSH_MEMBERS_MAX;
	struct slot *slot = free_slot(run);
	struct buf url, body;

	if (slot == NULL)
		return false;
	for (size_t i = 0; i < run->push->count; i++) {
		struct seat *seat = &run->seats[i];
		seat->in_patch = seat->step == SEAT_KNOWN && count < most;
		if (seat->in_patch)
			ids[count++] = seat->user_id;
	}
	buf_init(&url, SCIM_URL_MAX);
	buf_init(&body, SCIM_BODY_MAX);
	scim_url_group(&url, run->push->target->url, run->group_id);
	scim_body_members(&body, run->push->add, ids, count);
	slot->op = run->push->add ? OP_ADD_MEMBERS : OP_REMOVE_MEMBERS;
	return start_or_end(run, slot, &url, &body);
}

/* A PATCH of which bytes have left may be carried out whatever happens to its connection. */
static void note_given_up(struct run *run, enum scim_op op)
{
	run->reached = true;
	run->unanswered = true;
	if (op != OP_ADD_MEMBERS && op != OP_REMOVE_MEMBERS)
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
		if (http_cancel(slot->request))
			note_given_up(run, slot->op);
		slot->request = NULL;
	}
}
