#include "scim-push/visit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/digest.h"
#include "scim-push/run.h"

enum visit_step {
	STEP_READ,   /* the user */
	STEP_GROUPS, /* of an end: are there groups that the broker does not know of? */
	STEP_READY,  /* the caller is asked */
	STEP_CHANGE,
	STEP_CONFIRM /* of a deactivation: is it shown? */
};

static void end(struct visit *visit, enum visit_end how, const char *words)
{
	if (words != visit->words)
		snprintf(visit->words, sizeof(visit->words), "%s", words);
	*visit->link = visit->next;
	if (visit->next != NULL)
		visit->next->link = visit->link;
	visit->request = NULL;
	visit->pusher->running--;
	free(visit->body);
	visit->body = NULL;
	visit->on_end(visit->ctx, visit, how);
}

/* -- requests -------------------------------------------------------------------------------------------------------- */

static enum scim_op op_of(const struct visit *visit)
{
	switch ((enum visit_step)visit->step) {
	case STEP_GROUPS:
		return OP_FIND_GROUP;
	case STEP_CHANGE:
		return visit->aim == VISIT_DELETE ? OP_DELETE_USER : OP_CHANGE_USER;
	case STEP_READ:
	case STEP_READY:
	case STEP_CONFIRM:
		break;
	}
	return OP_READ_USER;
}

static void on_answer(void *ctx, const struct http_answer *answer);

static void write_request(const struct visit *visit, struct buf *url, struct buf *body)
{
	const struct scim_target *target = visit->target;

	if (visit->step == STEP_GROUPS)
		scim_url_groups_of(url, target->url, visit->user_id);
	else
		scim_url_resource(url, target->url, "Users", visit->user_id);
	if (visit->step != STEP_CHANGE)
		return;
	if (visit->aim == VISIT_UPDATE)
		buf_adds(body, visit->body);
	else if (visit->aim == VISIT_DEACTIVATE)
		user_active_body(body, &target->dialect, false);
}

/* Asks for what the step needs; false when that cannot be. */
static bool ask(struct visit *visit, enum visit_step step)
{
	struct http_hook hook = {on_answer, visit};
	const struct scim_target *target = visit->target;
	struct buf url, body;
	struct http_call call;

	visit->step = (int)step;
	buf_init(&url, SCIM_URL_MAX);
	buf_init(&body, SCIM_BODY_MAX);
	write_request(visit, &url, &body);
	target_call(target, op_of(visit), pusher_uses_next_token(visit->pusher, target), &call);
	call.url = buf_text(&url);
	call.body = body.len > 0 ? buf_text(&body) : NULL;
	if (call.deadline_ms > visit->deadline_ms)
		call.deadline_ms = visit->deadline_ms;
	enum err err = buf_failed(&url) || buf_failed(&body)
			       ? ERR_NOMEM
			       : http_start(visit->pusher->http, &call, &hook, &visit->request);
	buf_release(&url);
	buf_release(&body);
	return err == ERR_OK;
}

static void ask_or_end(struct visit *visit, enum visit_step step)
{
	if (!ask(visit, step))
		end(visit, VISIT_RETRY, "no time or memory is left for the user");
}

static void get_ready(struct visit *visit)
{
	visit->step = STEP_READY;
	visit->on_ready(visit->ctx, visit);
}

/* -- an update ------------------------------------------------------------------------------------------------------- */

/* Writes what differs, and its digest. As user_differences(). */
static int compare(struct visit *visit, const struct user *user, const struct http_answer *answer)
{
	char hex[SHA256_HEX] = "";
	struct buf body, names;

	buf_init(&body, SCIM_BODY_MAX);
	buf_init(&names, SCIM_BODY_MAX);
	int count = user_differences(&body, user, &visit->target->dialect, answer->body, answer->len);
	if (count > 0) {
		user_differing(&names, user, answer->body, answer->len);
		snprintf(visit->changed, sizeof(visit->changed), "%s", buf_text(&names));
		visit->body = strdup(buf_text(&body));
		count = visit->body != NULL ? count : -1;
		digest_sha256_hex(buf_text(&body), body.len, hex);
	}
	bool heeded = count <= 0 || strncmp(visit->digest, hex, VISIT_DIGEST_SIZE - 1) != 0;
	snprintf(visit->digest, sizeof(visit->digest), "%.16s", count > 0 ? hex : "");
	buf_release(&body);
	buf_release(&names);
	return heeded ? count : -2;
}

static void on_attributes(struct visit *visit, const struct http_answer *answer)
{
	struct errctx why = {""};
	struct user user;
	enum err err = user_make_known(&user, &visit->target->mapping, &visit->source, &why);
	int count = -1;

	if (err == ERR_NOMEM) {
		end(visit, VISIT_RETRY, why.text);
		return;
	}
	if (err != ERR_OK || !user_fits(&user, &visit->target->dialect, &why)) {
		user_release(&user);
		end(visit, VISIT_REFUSED, why.text);
		return;
	}
	count = compare(visit, &user, answer);
	user_release(&user);
	if (count > 0) {
		get_ready(visit);
	} else if (count == 0) {
		end(visit, VISIT_SAME, "");
	} else if (count == -2) {
		/* It would go on for ever. */
		err_set(&why, ERR_CONFIG,
			"the application has accepted the change of %s, but does not show it",
			visit->changed);
		end(visit, VISIT_REFUSED, why.text);
	} else {
		end(visit, VISIT_RETRY, "reading the user: the answer is no user that could be compared");
	}
}

/* -- an end ---------------------------------------------------------------------------------------------------------- */

/* Who is in groups of which the broker knows nothing, or was made inactive by somebody else, is left as they are. */
static void on_account(struct visit *visit, const struct http_answer *answer)
{
	struct scim_account account;

	if (!scim_read_account(answer->body, answer->len, visit->user_id, &account))
		end(visit, VISIT_RETRY, "reading the user: the answer is another user, or none");
	else if (account.in_groups)
		end(visit, VISIT_KEPT, "the user is in groups that the broker did not give");
	else if (account.active == ACTIVE_NO && visit->aim == VISIT_DEACTIVATE)
		end(visit, visit->again ? VISIT_CHANGED : VISIT_KEPT,
		    visit->again ? "" : "the user is inactive already, which was not the broker's doing");
	else if (visit->target->dialect.list == LIST_USERS)
		ask_or_end(visit, STEP_GROUPS);
	else
		get_ready(visit);
}

static void on_groups(struct visit *visit, const struct http_answer *answer)
{
	switch (scim_read_any(answer->body, answer->len)) {
	case MEMBERSHIP_PRESENT:
		end(visit, VISIT_KEPT, "the user is in groups that the broker did not give");
		return;
	case MEMBERSHIP_ABSENT:
		get_ready(visit);
		return;
	case MEMBERSHIP_UNCLEAR:
		break;
	}
	end(visit, VISIT_RETRY, "looking up the user's groups: the answer is no complete SCIM list");
}

static void on_confirmed(struct visit *visit, const struct http_answer *answer)
{
	struct scim_account account;

	if (scim_read_account(answer->body, answer->len, visit->user_id, &account) &&
	    account.active != ACTIVE_YES) {
		end(visit, VISIT_CHANGED, "");
		return;
	}
	visit->in_doubt = true;
	end(visit, VISIT_RETRY, "the application accepted the change but still shows the user as active");
}

/* -- answers --------------------------------------------------------------------------------------------------------- */

static void note(struct visit *visit, const struct http_answer *answer, const struct scim_result *result)
{
	bool changes = visit->step == STEP_CHANGE && visit->aim != VISIT_UPDATE;

	visit->reached = visit->reached || answer->sent;
	visit->unanswered = answer->status == 0 && answer->sent;
	visit->status = answer->status;
	visit->closed_for_ms = result->wait_ms;
	visit->misconfigured = result->outcome == OUTCOME_MISCONFIGURED;
	visit->sick = result->outcome == OUTCOME_SICK;
	visit->alien = visit->sick && answer->status >= 200 && answer->status < 400;
	if (changes && answer->sent && (answer->status < 300 || answer->status >= 500))
		visit->in_doubt = true;
}

static void on_change(struct visit *visit)
{
	visit->in_doubt = false;
	if (visit->aim == VISIT_DEACTIVATE) {
		visit->in_doubt = true; /* until it is shown */
		ask_or_end(visit, STEP_CONFIRM);
	} else {
		end(visit, VISIT_CHANGED, "");
	}
}

static void on_done(struct visit *visit, const struct http_answer *answer)
{
	switch ((enum visit_step)visit->step) {
	case STEP_READ:
		if (visit->aim == VISIT_UPDATE)
			on_attributes(visit, answer);
		else
			on_account(visit, answer);
		return;
	case STEP_GROUPS:
		on_groups(visit, answer);
		return;
	case STEP_CHANGE:
		on_change(visit);
		return;
	case STEP_CONFIRM:
		on_confirmed(visit, answer);
		return;
	case STEP_READY:
		return;
	}
}

/* Not there: what was to be ended has come to its end. */
static bool is_gone(const struct visit *visit, const struct http_answer *answer)
{
	return answer->status == 404 && visit->step != STEP_GROUPS && !answer_is_page(answer);
}

static void on_answer(void *ctx, const struct http_answer *answer)
{
	struct visit *visit = ctx;
	enum scim_op op = op_of(visit);
	struct scim_result result = outcome_of(op, answer, clock_wall_ms());
	char words[TEXT_SIZE];

	visit->request = NULL;
	note(visit, answer, &result);
	if (result.outcome == OUTCOME_DONE) {
		on_done(visit, answer);
		return;
	}
	answer_text(visit->target, op, answer, words);
	if (is_gone(visit, answer)) {
		visit->in_doubt = false;
		end(visit,
		    visit->step == STEP_CHANGE && visit->aim == VISIT_DELETE ? VISIT_CHANGED : VISIT_GONE,
		    "");
		return;
	}
	/* A removal that is refused is no proof of anything for a membership; for a user, 400 is a refusal. */
	bool refused = result.outcome == OUTCOME_REFUSED || result.outcome == OUTCOME_ALREADY;
	end(visit, refused ? VISIT_REFUSED : VISIT_RETRY, words);
}

/* -- life ------------------------------------------------------------------------------------------------------------ */

bool visit_start(struct pusher *pusher, struct visit *visit)
{
	visit->pusher = pusher;
	visit->body = NULL;
	visit->words[0] = visit->changed[0] = '\0';
	visit->in_doubt = visit->unanswered = visit->reached = false;
	visit->misconfigured = visit->sick = visit->alien = false;
	visit->closed_for_ms = 0;
	visit->status = 0;
	if (!ask(visit, STEP_READ)) {
		snprintf(visit->words, sizeof(visit->words), "%s", "no time or memory is left for the user");
		return false;
	}
	visit->next = pusher->visits;
	visit->link = &pusher->visits;
	if (visit->next != NULL)
		visit->next->link = &visit->next;
	pusher->visits = visit;
	pusher->running++;
	return true;
}

void visit_go(struct visit *visit, bool go)
{
	if (!go)
		end(visit, VISIT_SKIPPED, "");
	else
		ask_or_end(visit, STEP_CHANGE);
}

void visit_abort_all(struct pusher *pusher)
{
	struct visit *visit, *next;

	/* One that waits for its caller ends when that answers: nothing is asked any more then. */
	for (visit = pusher->visits; visit != NULL; visit = next) {
		next = visit->next;
		if (visit->step == STEP_READY) {
			visit->deadline_ms = 0;
			continue;
		}
		visit->unanswered = http_cancel(visit->request);
		visit->in_doubt = visit->in_doubt || (visit->unanswered && visit->step == STEP_CHANGE &&
						      visit->aim != VISIT_UPDATE);
		end(visit, VISIT_RETRY, "the broker stops");
	}
}
