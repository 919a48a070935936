#include "api/submit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "activation/list.h"
#include "activation/policy.h"
#include "api/api.h"
#include "api/keyed.h"
#include "api/refusals.h"
#include "api/rules.h"
#include "api/submission.h"
#include "base/digest.h"
#include "base/log.h"
#include "broker/person.h"

#define START_AHEAD_MAX_MS (366LL * 24 * 3600 * 1000) /* nobody plans a privileged hour further ahead */
#define FOR_EVER_MS        253402214400000LL          /* 9999-12-31: Graph's noExpiration */

/* What one submission needs besides its own value. */
struct asked {
	struct call *call;
	activation_done *done; /* answers the call */
	struct submission submission;
	struct ask ask;
	const struct config_group *group; /* NULL: the configuration does not know it (any more) */
	char application[APP_ID_SIZE];    /* of the group */
	bool repeatable;                  /* its id says whether it is a repetition */
	char principal[NAME_SIZE];
	char id[ID_SIZE];
	char fingerprint[FINGERPRINT_SIZE];
	struct buf person, limits;
	bool is_eligible; /* by an administrator's word */
	bool searched;    /* the application is the one of the person's own requests */
};

void submit_log_refusal(struct call *call, const char *why)
{
	call->api->metrics->refused++;
	log_info("request_refused", "request_id=%s person=%s why=%s", exchange_request_id(call->exchange),
		 call->caller.id, why);
}

static void asked_free(struct asked *a)
{
	buf_release(&a->person);
	buf_release(&a->limits);
	free(a);
}

/* A refusal, while the store is asked whether the very same request was made, and allowed, before. */
struct refusal {
	struct call *call;
	activation_done *done;
	enum err err;
	struct buf message, details; /* empty = none */
	char why[64];                /* for the log */
	char fingerprint[FINGERPRINT_SIZE];
};

/* The store's answer, or NULL when there was no reason to ask it. What was answered once is answered again,
 * whatever has become of policy. */
static void answer_refusal(void *ctx, enum err err, const struct request *before)
{
	struct refusal *r = ctx;

	if (err == ERR_OK && before != NULL) {
		bool same = strcmp(before->fingerprint, r->fingerprint) == 0;

		r->done(r->call, same ? ERR_OK : ERR_KEY_REUSED, before);
	} else {
		submit_log_refusal(r->call, r->why);
		call_error(r->call, r->err, r->message.len > 0 ? buf_text(&r->message) : NULL,
			   r->details.len > 0 && !buf_failed(&r->details) ? buf_text(&r->details) : NULL);
	}
	buf_release(&r->message);
	buf_release(&r->details);
	free(r);
}

static struct refusal *refusal_new(const struct asked *a, enum err err, const char *why)
{
	struct refusal *r = calloc(1, sizeof(*r));

	if (r == NULL) {
		call_error(a->call, ERR_NOMEM, NULL, NULL);
		return NULL;
	}
	r->call = a->call;
	r->done = a->done;
	r->err = err;
	buf_init(&r->message, 1024);
	buf_init(&r->details, 8192);
	snprintf(r->why, sizeof(r->why), "%s", why);
	snprintf(r->fingerprint, sizeof(r->fingerprint), "%s", a->fingerprint);
	return r;
}

static void refuse(struct asked *a, struct refusal *refusal)
{
	if (a->repeatable && a->call->about.kind == KIND_ELIGIBILITY)
		activation_get_eligibility(a->call->api->activation, a->id, answer_refusal, refusal);
	else if (a->repeatable)
		activation_get(a->call->api->activation, a->id, answer_refusal, refusal);
	else
		answer_refusal(refusal, ERR_NOT_FOUND, NULL);
}

/* With one sentence; frees `a`. */
static void refuse_with(struct asked *a, enum err err, const struct errctx *ec)
{
	struct refusal *refusal = refusal_new(a, err, err_code(err));

	if (refusal != NULL) {
		buf_adds(&refusal->message, ec->text);
		refuse(a, refusal);
	}
	asked_free(a);
}

static bool refuses(const struct policy_verdict *verdict, const char *rule)
{
	for (size_t i = 0; i < verdict->count; i++)
		if (strcmp(verdict->refusals[i].rule, rule) == 0)
			return true;
	return false;
}

void submit_refusal_sentence(const struct call *call, const struct policy *policy, struct buf *out)
{
	rules_sentence(&call->verdict, out);
	if (refuses(&call->verdict, "EligibilityRule") && caller_lacks_groups(call, &policy->eligible))
		buf_adds(out, ". The token does not say in which groups you are: the provider left them "
			      "out, for they are too many");
}

/* The rules that refuse, as Graph's text and as data. */
static void refuse_by_policy(struct asked *a)
{
	const struct policy_verdict *verdict = &a->call->verdict;
	struct refusal *refusal = refusal_new(a, ERR_POLICY, verdict->refusals[0].rule);

	if (refusal == NULL)
		return;
	submit_refusal_sentence(a->call, &a->group->policy, &refusal->message);
	rules_list(verdict, false, &refusal->details);
	refuse(a, refusal);
}

/* Start and end as they are asked for. */
static enum err set_times(struct asked *a, int64_t now, struct errctx *ec)
{
	const struct submission *s = &a->submission;
	bool is_admin = submission_is_admin(s->action);
	int64_t start = s->start_ms > now ? s->start_ms : now;

	if (start - now > START_AHEAD_MAX_MS)
		return err_set(ec, ERR_INVALID_REQUEST, "startDateTime is more than a year ahead.");
	if (s->end == END_AT_TIME && s->end_ms <= start)
		return err_set(ec, ERR_START_IN_PAST, "%s", err_message(ERR_START_IN_PAST));
	if (is_admin && s->end == END_DEFAULT)
		return err_set(ec, ERR_INVALID_REQUEST, "scheduleInfo.expiration is required.");
	a->ask.start_ms = s->start_ms > now ? s->start_ms : 0;
	if (s->end == END_AT_TIME)
		a->ask.end_ms = s->end_ms;
	else if (s->end == END_NEVER)
		a->ask.end_ms = FOR_EVER_MS;
	else
		a->ask.duration_ms = s->end == END_DEFAULT ? a->group->policy.default_ms : s->duration_ms;
	return ERR_OK;
}

/* Policy, for what people ask for themselves; false after having answered what refuses. Of a trial the store tells the
 * rest, whatever has refused it already. */
static bool allowed_by_policy(struct asked *a, int64_t now)
{
	struct call *call = a->call;
	const struct policy *policy = &a->group->policy;
	const struct submission *s = &a->submission;
	struct policy_verdict *verdict = &call->verdict;
	struct policy_ask ask = {
		.person = caller_for_policy(&call->caller),
		.now_ms = now,
		.start_ms = s->start_ms,
		.justification = s->justification,
		.ticket_number = s->ticket_number,
		.break_glass = s->break_glass,
		.is_eligible = a->is_eligible,
	};

	ask.length_ms = a->ask.duration_ms;
	if (ask.length_ms == 0)
		ask.length_ms = a->ask.end_ms - (a->ask.start_ms > 0 ? a->ask.start_ms : now);
	policy_check(policy, &ask, verdict);
	for (size_t i = 0; s->end == END_NEVER && i < verdict->count; i++)
		if (strcmp(verdict->refusals[i].rule, "ExpirationRule") == 0)
			snprintf(verdict->refusals[i].given, sizeof(verdict->refusals[i].given),
				 "noExpiration");
	if (verdict->count > 0 && !call->only_try) {
		refuse_by_policy(a);
		return false;
	}
	call->policy = policy;
	call->starts_later = a->ask.start_ms > 0;
	if (policy_needs_approval(policy, s->break_glass))
		a->ask.approval_wait_ms = policy_timeout_ms(policy, 1);
	a->ask.break_glass = s->break_glass;
	a->ask.counts_from_confirmation = policy->clock == POLICY_CLOCK_PROVISIONED && a->ask.duration_ms > 0;
	a->ask.lost_with_eligibility = policy->on_lost == POLICY_LOST_REMOVE;
	a->ask.eligible_until_ms = policy_eligible_until_ms(
		policy, &ask.person, a->ask.start_ms > 0 ? a->ask.start_ms : now, s->break_glass);
	policy_print_limits(policy, a->is_eligible, &a->limits);
	policy_print_person(config_person_of_several(call->config, call->caller.names.user_name), &a->limits);
	/* No limits at all would be what an empty text says. */
	if (buf_failed(&a->limits)) {
		call_error(call, ERR_NOMEM, NULL, NULL);
		return false;
	}
	a->ask.limits = buf_text(&a->limits);
	return true;
}

/*
 * The id under which the request is kept. A caller's Idempotency-Key always leads to the same one, and so does a
 * Graph client's client-request-id with the same body, because Graph's SDK repeats a call under that id: the
 * store then finds the request there already. Keys are the caller's own; that the same key is not about another
 * application, or another path, was seen to before (api/keyed.h).
 */
static void choose_id(struct call *call, struct asked *a)
{
	unsigned lane = store_lane_of(call->api->store, a->application);
	const char *key = exchange_header(call->exchange, "Idempotency-Key");
	const char *client_id = exchange_client_request_id(call->exchange);
	size_t len;
	const char *body = exchange_body(call->exchange, &len);
	char digest[SHA256_HEX], text[KEYED_MAX + NAME_SIZE + SHA256_HEX + 32];
	int written;

	digest_sha256_hex(body, len, digest);
	snprintf(a->fingerprint, sizeof(a->fingerprint), "%.32s", digest);
	if (call->only_try || (key == NULL && client_id == NULL)) {
		id_make(lane, a->id);
		return;
	}
	if (key != NULL)
		written = snprintf(text, sizeof(text), "key\n%s\n%s", call->caller.id, key);
	else
		written = snprintf(text, sizeof(text), "client-request-id\n%s\n%s\n%s", call->caller.id,
				   client_id, digest);
	id_derive(lane, text, (size_t)written, a->id);
	a->repeatable = true;
}

/* Whom the request is for, and what the store shall know of them; empty when it has to know already. */
static enum err choose_principal(struct call *call, struct asked *a, struct errctx *ec)
{
	const char *principal = a->submission.principal;
	const struct config_person *person;
	struct policy_person nobody = {0}, self = caller_for_policy(&call->caller);

	if (!submission_is_admin(a->submission.action)) {
		if (principal[0] != '\0' && strcasecmp(principal, call->caller.id) != 0)
			return refusals_set(ec, REFUSAL_SELF);
		snprintf(a->principal, sizeof(a->principal), "%s", call->caller.id);
		person_write(&a->person, &call->caller.names, call->caller.zone, &self);
		return buf_failed(&a->person) ? ERR_NOMEM : ERR_OK;
	}
	if (!call->caller.is_operator)
		return refusals_set(ec, REFUSAL_ADMIN);
	if (principal[0] == '\0')
		return err_set(ec, ERR_INVALID_REQUEST, "principalId is required.");
	person = config_person_by_id(call->config, principal);
	snprintf(a->principal, sizeof(a->principal), "%s", person != NULL ? person->id : principal);
	if (person != NULL)
		person_write(&a->person, &person->names, NULL, &nobody);
	return buf_failed(&a->person) ? ERR_NOMEM : ERR_OK;
}

static void fill_ask(struct asked *a)
{
	a->ask.id = a->id;
	a->ask.fingerprint = a->fingerprint;
	a->ask.application = a->application;
	a->ask.group = a->submission.group;
	a->ask.group_name = a->group != NULL ? a->group->name : "";
	a->ask.principal = a->principal;
	a->ask.created_by = a->call->caller.id;
	a->ask.action = submission_action_name(a->submission.action);
	a->ask.person = buf_text(&a->person);
	a->ask.justification = a->submission.justification;
	a->ask.ticket_number = a->submission.ticket_number;
	a->ask.ticket_system = a->submission.ticket_system;
	a->ask.custom_data = a->submission.custom_data;
	a->ask.only_try = a->call->only_try;
	a->ask.actor = buf_text(&a->call->actor);
}

/* What an administrator gives is bound by what holds between people and groups alone. */
static void assign(struct asked *a)
{
	struct call *call = a->call;
	const struct config_person *person = config_person_by_id(call->config, a->principal);

	call->policy = &a->group->policy;
	call->starts_later = a->ask.start_ms > 0;
	policy_print_limits(call->policy, false, &a->limits);
	if (person != NULL)
		policy_print_person(config_person_of_several(call->config, person->names.user_name),
				    &a->limits);
	a->ask.limits = buf_text(&a->limits);
	if (buf_failed(&a->limits))
		call_error(call, ERR_NOMEM, NULL, NULL);
	else
		activation_submit(call->api->activation, &a->ask, a->done, call);
}

/* The store has been asked who is eligible, so policy can be. Ends with `a` freed. */
static void on_eligible(void *ctx, enum err err, bool is_eligible)
{
	struct asked *a = ctx;
	struct activation *activation = a->call->api->activation;

	a->is_eligible = is_eligible;
	if (err != ERR_OK)
		call_error(a->call, err, NULL, NULL);
	else if (allowed_by_policy(a, activation_now_ms(activation)))
		activation_submit(activation, &a->ask, a->done, a->call);
	asked_free(a);
}

/* What people ask for themselves. The store is asked only about those whom the policy's own lists do not name. */
static void submit_own(struct asked *a, int64_t now)
{
	struct policy_person self = caller_for_policy(&a->call->caller);
	int64_t start = a->ask.start_ms > 0 ? a->ask.start_ms : now;

	if (a->submission.break_glass || policy_is_eligible(&a->group->policy, &self, start))
		on_eligible(a, ERR_OK, false);
	else
		activation_ask_eligible(a->call->api->activation, &a->ask, on_eligible, a);
}

static void search_group(struct asked *a);

/* Nothing is running in the group's application. It may have been in another one when the person got it. */
static void on_ended(void *ctx, enum err err, const struct request *request)
{
	struct asked *a = ctx;

	if (err == ERR_NO_ASSIGNMENT && !a->searched) {
		search_group(a);
		return;
	}
	a->done(a->call, err, request);
	asked_free(a);
}

/* What takes away. Ends with `a` freed. */
static void end(struct asked *a)
{
	if (a->call->about.kind == KIND_ELIGIBILITY)
		activation_make_eligible(a->call->api->activation, &a->ask, on_ended, a);
	else
		activation_deactivate(a->call->api->activation, &a->ask, on_ended, a);
}

/* The group's application is known. Ends with `a` freed. */
static void submit_to(struct asked *a)
{
	struct activation *activation = a->call->api->activation;
	enum submission_action action = a->submission.action;
	int64_t now = activation_now_ms(activation);
	struct errctx ec = {""};
	enum err err = ERR_OK;

	choose_id(a->call, a);
	fill_ask(a);
	if (a->group == NULL && !submission_ends(action))
		err = err_set(&ec, ERR_NOT_FOUND, "There is no group %s here.", a->submission.group);
	if (err == ERR_OK && !submission_ends(action))
		err = set_times(a, now, &ec);
	if (err != ERR_OK) {
		refuse_with(a, err, &ec);
		return;
	}
	if (submission_ends(action)) {
		end(a);
		return;
	}
	if (!submission_is_admin(action)) {
		submit_own(a, now);
		return;
	}
	if (a->call->about.kind == KIND_ELIGIBILITY)
		activation_make_eligible(activation, &a->ask, a->done, a->call);
	else
		assign(a);
	asked_free(a);
}

/* The newest request in another application than the one where was looked, best one that is not closed. */
static const struct request *find_elsewhere(const struct asked *a, const struct list_page *page)
{
	const struct request *found = NULL;

	for (size_t i = 0; i < page->count; i++) {
		const struct request *request = &page->requests[i];

		if (strcmp(request->application, a->application) != 0 &&
		    (found == NULL || (request->closed_ms == 0 && found->closed_ms != 0)))
			found = request;
	}
	return found;
}

/* The application of a group that is known from the person's requests alone. */
static void on_group_searched(void *ctx, enum err err, const struct list_page *page)
{
	struct asked *a = ctx;
	const struct request *found = err == ERR_OK && page != NULL ? find_elsewhere(a, page) : NULL;
	struct errctx ec = {""};

	if (found == NULL && err == ERR_OK && a->group != NULL) {
		on_ended(a, ERR_NO_ASSIGNMENT, NULL);
		return;
	}
	if (found == NULL) {
		if (err == ERR_OK)
			err = err_set(&ec, ERR_NOT_FOUND, "There is no group %s here.", a->submission.group);
		refuse_with(a, err, &ec);
		return;
	}
	snprintf(a->application, sizeof(a->application), "%s", found->application);
	submit_to(a);
}

/* A group that has left the configuration, or its application: what it has given can still be taken back, and a repetition
 * is answered as before. */
static void search_group(struct asked *a)
{
	struct list_query query = {.top = 100, .eligibilities = a->call->about.kind == KIND_ELIGIBILITY};

	a->searched = true;
	snprintf(query.principal, sizeof(query.principal), "%s", a->principal);
	snprintf(query.group, sizeof(query.group), "%s", a->submission.group);
	list_requests(a->call->api->activation, &query, on_group_searched, a);
}

static void submit_read(struct asked *a)
{
	struct errctx ec = {""};
	enum err err = choose_principal(a->call, a, &ec);

	if (a->call->about.kind == KIND_ELIGIBILITY && !submission_is_admin(a->submission.action))
		err = err_set(&ec, ERR_INVALID_REQUEST, "The action '%s' is not for eligibility.",
			      submission_action_name(a->submission.action));
	a->group = config_group(a->call->config, a->submission.group);
	if (err != ERR_OK) {
		refuse_with(a, err, &ec);
	} else if (a->group == NULL) {
		search_group(a);
	} else {
		snprintf(a->application, sizeof(a->application), "%s", a->group->application->id);
		submit_to(a);
	}
}

void submit(struct call *call, activation_done *done)
{
	struct asked *a = calloc(1, sizeof(*a));
	struct errctx ec = {""};
	size_t len;
	const char *body = exchange_body(call->exchange, &len);
	enum err err;

	if (a == NULL) {
		call_error(call, ERR_NOMEM, NULL, NULL);
		return;
	}
	a->call = call;
	a->done = done;
	buf_init(&a->person, PERSON_TEXT_MAX);
	buf_init(&a->limits, LIMITS_TEXT_MAX);
	err = submission_read(body, len, &a->submission, &ec);
	if (err != ERR_OK) {
		call_error(call, err, ec.text, NULL);
		asked_free(a);
		return;
	}
	call->only_try = a->submission.only_try;
	call->subject.action = submission_action_name(a->submission.action);
	snprintf(call->subject.group, ID_SIZE, "%s", a->submission.group);
	submit_read(a);
}
