#include "api/submit.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "activation/policy.h"
#include "api/api.h"
#include "api/submission.h"
#include "base/digest.h"
#include "base/json.h"
#include "base/log.h"
#include "broker/person.h"

#define START_AHEAD_MAX_MS (366LL * 24 * 3600 * 1000) /* nobody plans a privileged hour further ahead */
#define FOR_EVER_MS        253402214400000LL          /* 9999-12-31: Graph's noExpiration */
#define KEY_MAX            255
#define FINGERPRINT_SIZE   33

/* What one submission needs besides its own value. */
struct asked {
	struct submission submission;
	struct ask ask;
	const struct config_group *group;
	char principal[NAME_SIZE];
	char id[ID_SIZE];
	char fingerprint[FINGERPRINT_SIZE];
	struct buf person, limits;
};

void submit_log_refusal(struct call *call, const char *why)
{
	call->api->metrics->refused++;
	log_info("request_refused", "request_id=%s person=%s why=%s", exchange_request_id(call->exchange),
		 call->caller.id, why);
}

/* The rules that refuse, as Graph's text and as data. */
static void answer_policy(struct call *call, const struct policy_verdict *verdict)
{
	struct buf message, details;

	buf_init(&message, 1024);
	buf_init(&details, 8192);
	buf_adds(&message, "The following policy rules failed: [");
	buf_adds(&details, "[");
	for (size_t i = 0; i < verdict->count; i++) {
		const struct policy_refusal *r = &verdict->refusals[i];

		buf_addf(&message, "%s\"%s\"", i > 0 ? "," : "", r->rule);
		buf_addf(&details, "%s{\"rule\":\"%s\",\"limit\":", i > 0 ? "," : "", r->rule);
		json_add_string(&details, r->limit);
		buf_adds(&details, ",\"given\":");
		json_add_string(&details, r->given);
		buf_adds(&details, "}");
	}
	buf_adds(&message, "]");
	buf_adds(&details, "]");
	submit_log_refusal(call, verdict->refusals[0].rule);
	call_error(call, ERR_POLICY, buf_text(&message), buf_failed(&details) ? NULL : buf_text(&details));
	buf_release(&message);
	buf_release(&details);
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

/* Policy, for what people ask for themselves; false after having answered what refuses. */
static bool allowed_by_policy(struct call *call, struct asked *a, int64_t now)
{
	const struct policy *policy = &a->group->policy;
	const struct submission *s = &a->submission;
	struct policy_verdict verdict;
	struct policy_ask ask = {
		.person = caller_for_policy(&call->caller),
		.now_ms = now,
		.start_ms = s->start_ms,
		.justification = s->justification,
		.ticket_number = s->ticket_number,
	};

	ask.length_ms = a->ask.duration_ms;
	if (ask.length_ms == 0)
		ask.length_ms = a->ask.end_ms - (a->ask.start_ms > 0 ? a->ask.start_ms : now);
	policy_check(policy, &ask, &verdict);
	if (verdict.count > 0) {
		for (size_t i = 0; s->end == END_NEVER && i < verdict.count; i++)
			if (strcmp(verdict.refusals[i].rule, "ExpirationRule") == 0)
				snprintf(verdict.refusals[i].given, sizeof(verdict.refusals[i].given),
					 "noExpiration");
		answer_policy(call, &verdict);
		return false;
	}
	if (policy_needs_approval(policy, false))
		a->ask.approval_wait_ms = policy_timeout_ms(policy, 1);
	a->ask.counts_from_confirmation = policy->clock == POLICY_CLOCK_PROVISIONED && a->ask.duration_ms > 0;
	policy_print_limits(policy, &a->limits);
	a->ask.limits = buf_text(&a->limits);
	return true;
}

static bool key_valid(const char *key)
{
	size_t len = strlen(key);

	for (size_t i = 0; i < len; i++)
		if (key[i] < 0x21 || key[i] > 0x7e)
			return false;
	return len > 0 && len <= KEY_MAX;
}

/*
 * The id under which the request is kept. A caller's Idempotency-Key always leads to the same one, and so does a
 * Graph client's client-request-id with the same body, because Graph's SDK repeats a call under that id: the
 * store then finds the request there already. Keys are the caller's own, within the lane of the application.
 */
static enum err choose_id(struct call *call, struct asked *a, struct errctx *ec)
{
	unsigned lane = store_lane_of(call->api->store, a->group->application->id);
	const char *key = exchange_header(call->exchange, "Idempotency-Key");
	const char *client_id = exchange_client_request_id(call->exchange);
	size_t len;
	const char *body = exchange_body(call->exchange, &len);
	char digest[SHA256_HEX], text[KEY_MAX + NAME_SIZE + SHA256_HEX + 32];
	int written;

	digest_sha256_hex(body, len, digest);
	snprintf(a->fingerprint, sizeof(a->fingerprint), "%.32s", digest);
	if (key != NULL && !key_valid(key))
		return err_set(ec, ERR_BAD_REQUEST, "Idempotency-Key must be 1 to %d visible characters.",
			       KEY_MAX);
	if (call->only_try || (key == NULL && client_id == NULL)) {
		id_make(lane, a->id);
		return ERR_OK;
	}
	if (key != NULL)
		written = snprintf(text, sizeof(text), "key\n%s\n%s", call->caller.id, key);
	else
		written = snprintf(text, sizeof(text), "client-request-id\n%s\n%s\n%s", call->caller.id,
				   client_id, digest);
	id_derive(lane, text, (size_t)written, a->id);
	return ERR_OK;
}

/* Whom the request is for, and what the store shall know of them; empty when it has to know already. */
static enum err choose_principal(struct call *call, struct asked *a, struct errctx *ec)
{
	const char *principal = a->submission.principal;
	const struct config_person *person;
	struct policy_person nobody = {0}, self = caller_for_policy(&call->caller);

	if (!submission_is_admin(a->submission.action)) {
		if (principal[0] != '\0' && strcasecmp(principal, call->caller.id) != 0)
			return err_set(ec, ERR_FORBIDDEN,
				       "A self action is for the caller alone: principalId must be yours.");
		snprintf(a->principal, sizeof(a->principal), "%s", call->caller.id);
		person_write(&a->person, &call->caller.names, &self);
		return buf_failed(&a->person) ? ERR_NOMEM : ERR_OK;
	}
	if (!call->caller.is_operator)
		return err_set(ec, ERR_FORBIDDEN, "Only operators may assign and remove.");
	if (principal[0] == '\0')
		return err_set(ec, ERR_INVALID_REQUEST, "principalId is required.");
	person = config_person_by_id(call->config, principal);
	snprintf(a->principal, sizeof(a->principal), "%s", person != NULL ? person->id : principal);
	if (person != NULL)
		person_write(&a->person, &person->names, &nobody);
	return buf_failed(&a->person) ? ERR_NOMEM : ERR_OK;
}

static enum err prepare(struct call *call, struct asked *a, struct errctx *ec)
{
	enum err err;

	a->group = config_group(call->config, a->submission.group);
	if (a->group == NULL)
		return err_set(ec, ERR_NOT_FOUND, "There is no group %s here.", a->submission.group);
	err = choose_principal(call, a, ec);
	if (err == ERR_OK)
		err = choose_id(call, a, ec);
	a->ask.id = a->id;
	a->ask.fingerprint = a->fingerprint;
	a->ask.application = a->group->application->id;
	a->ask.group = a->group->id;
	a->ask.group_name = a->group->name;
	a->ask.principal = a->principal;
	a->ask.created_by = call->caller.id;
	a->ask.action = submission_action_name(a->submission.action);
	a->ask.person = buf_text(&a->person);
	a->ask.justification = a->submission.justification;
	a->ask.ticket_number = a->submission.ticket_number;
	a->ask.ticket_system = a->submission.ticket_system;
	a->ask.only_try = call->only_try;
	return err;
}

static void submit_read(struct call *call, struct asked *a, activation_done *done)
{
	enum submission_action action = a->submission.action;
	int64_t now = activation_now_ms(call->api->activation);
	struct errctx ec = {""};
	enum err err;

	call->only_try = a->submission.only_try;
	err = prepare(call, a, &ec);
	if (err == ERR_OK && !submission_ends(action))
		err = set_times(a, now, &ec);
	if (err != ERR_OK || a->group == NULL) {
		submit_log_refusal(call, err_code(err));
		call_error(call, err, ec.text[0] != '\0' ? ec.text : NULL, NULL);
		return;
	}
	if (submission_ends(action))
		activation_deactivate(call->api->activation, &a->ask, done, call);
	else if (submission_is_admin(action) || allowed_by_policy(call, a, now))
		activation_submit(call->api->activation, &a->ask, done, call);
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
	buf_init(&a->person, PERSON_TEXT_MAX);
	buf_init(&a->limits, 4096);
	err = submission_read(body, len, &a->submission, &ec);
	if (err != ERR_OK)
		call_error(call, err, ec.text, NULL);
	else
		submit_read(call, a, done);
	buf_release(&a->person);
	buf_release(&a->limits);
	free(a);
}
