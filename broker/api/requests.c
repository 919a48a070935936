/* One assignmentScheduleRequest: asked for, shown, withdrawn. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "api/api.h"
#include "api/render.h"
#include "api/submission.h"
#include "base/digest.h"
#include "base/iso8601.h"
#include "base/json.h"
#include "base/log.h"
#include "broker/provision.h"

#define START_AHEAD_MAX_MS (366LL * 24 * 3600 * 1000) /* nobody plans a privileged hour further ahead */
#define KEY_MAX            255
#define FINGERPRINT_SIZE   33

/* What one submission needs besides its own value. */
struct asked {
	struct submission submission;
	struct ask ask;
	char id[ID_SIZE];
	char fingerprint[FINGERPRINT_SIZE];
	struct buf person;
};

static void count_outcome(struct metrics *metrics, const struct request *request)
{
	switch (request->state) {
	case ST_PROVISIONING:
		metrics->pushed++;
		break;
	case ST_DEFERRED:
		metrics->deferred++;
		break;
	case ST_WAITING:
		metrics->waited++;
		break;
	case ST_SCHEDULED:
		metrics->scheduled++;
		break;
	case ST_IN_FORCE:
		metrics->joined++;
		break;
	case ST_AWAITING:
		metrics->awaiting++;
		break;
	case ST_NEW:
	case ST_EXPIRING:
	case ST_REVOKING:
	case ST_EXPIRED:
	case ST_REVOKED:
	case ST_CANCELED:
	case ST_DENIED:
	case ST_LAPSED:
	case ST_FAILED:
	case ST_COUNT:
		break;
	}
}

static void answer_request(struct call *call, int status, const struct request *request)
{
	struct buf body, location;

	buf_init(&body, RESPONSE_MAX);
	buf_init(&location, URL_MAX);
	if (status == 201 && !call->only_try) {
		buf_addf(&location, "%s/%s" GRAPH_PATH "/assignmentScheduleRequests/%s",
			 exchange_base_url(call->exchange), call->beta ? "beta" : "v1.0", request->id);
		exchange_set_header(call->exchange, "Location", buf_text(&location));
	}
	buf_release(&location);
	buf_adds(&body, "{");
	call_context(call, &body, "assignmentScheduleRequests/$entity");
	buf_adds(&body, ",");
	render_request(&body, request, call->only_try);
	buf_adds(&body, "}");
	call_answer(call, status, NULL, &body);
}

static void log_refusal(struct call *call, const char *why)
{
	call->api->metrics->refused++;
	log_info("request_refused", "request_id=%s person=%s why=%s", exchange_request_id(call->exchange),
		 call->caller.id, why);
}

static void on_asked(void *ctx, enum err err, const struct request *request)
{
	struct call *call = ctx;
	char message[256], end[ISO8601_TIME_SIZE];

	if (err == ERR_OK && request != NULL) {
		if (!call->only_try) {
			count_outcome(call->api->metrics, request);
			log_info("request", "req=%s action=%s group=%s person=%s state=%s", request->id,
				 request->action, request->group, request->principal,
				 state_name(request->state));
		}
		answer_request(call, 201, request);
		return;
	}
	log_refusal(call, err_code(err));
	if ((err == ERR_EXISTS || err == ERR_PENDING) && request != NULL) {
		iso8601_format_time(request->end_ms, end);
		snprintf(message, sizeof(message), "%s Request %s gives it until %s.", err_message(err),
			 request->id, end);
		call_error(call, err, message, NULL);
		return;
	}
	call_error(call, err == ERR_OK ? ERR_INTERNAL : err, NULL, NULL);
}

/* The rules that refuse, as Graph's text and as data. */
static void answer_policy(struct call *call, const struct policy_verdict *verdict)
{
	struct buf message, details;

	buf_init(&message, 1024);
	buf_init(&details, 4096);
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
	log_refusal(call, verdict->refusals[0].rule);
	call_error(call, ERR_POLICY, buf_text(&message), buf_failed(&details) ? NULL : buf_text(&details));
	buf_release(&message);
	buf_release(&details);
}

/* Times and length of an activation; false after having answered why not. */
static bool settle_times(struct call *call, struct asked *a, const struct config_group *group)
{
	struct submission *s = &a->submission;
	int64_t now = activation_now_ms(call->api->activation);
	int64_t start = s->start_ms > now ? s->start_ms : now;
	struct policy_verdict verdict;
	struct policy_ask ask = {.user_name = call->caller.names.user_name,
				 .justification = s->justification};

	if (start - now > START_AHEAD_MAX_MS) {
		call_error(call, ERR_INVALID_REQUEST, "startDateTime is more than a year ahead.", NULL);
		return false;
	}
	if (s->end == END_AT_TIME && s->end_ms <= start) {
		call_error(call, ERR_START_IN_PAST, NULL, NULL);
		return false;
	}
	a->ask.start_ms = s->start_ms > now ? s->start_ms : 0;
	if (s->end == END_AT_TIME)
		a->ask.end_ms = s->end_ms;
	else if (s->end == END_NEVER)
		a->ask.duration_ms = INT64_MAX;
	else
		a->ask.duration_ms = s->end == END_DEFAULT ? group->policy.default_ms : s->duration_ms;
	ask.length_ms = s->end == END_AT_TIME ? s->end_ms - start : a->ask.duration_ms;
	policy_check(&group->policy, &ask, &verdict);
	if (verdict.count == 0)
		return true;
	for (size_t i = 0; s->end == END_NEVER && i < verdict.count; i++)
		if (strcmp(verdict.refusals[i].rule, "ExpirationRule") == 0)
			snprintf(verdict.refusals[i].given, sizeof(verdict.refusals[i].given),
				 "noExpiration");
	answer_policy(call, &verdict);
	return false;
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
static enum err choose_id(struct call *call, struct asked *a, unsigned lane, struct errctx *ec)
{
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

static void fill_ask(struct call *call, struct asked *a, const struct config_group *group)
{
	a->ask.id = a->id;
	a->ask.fingerprint = a->fingerprint;
	a->ask.application = group->application->id;
	a->ask.group = group->id;
	a->ask.group_name = group->name;
	a->ask.principal = call->caller.id;
	a->ask.created_by = call->caller.id;
	a->ask.action = submission_action_name(a->submission.action);
	a->ask.person = buf_text(&a->person);
	a->ask.justification = a->submission.justification;
	a->ask.ticket_number = a->submission.ticket_number;
	a->ask.ticket_system = a->submission.ticket_system;
	a->ask.only_try = call->only_try;
}

/* The checks that come before policy; ERR_OK with the group. */
static enum err check_submission(struct call *call, struct asked *a, const struct config_group **group,
				 struct errctx *ec)
{
	const char *principal = a->submission.principal;

	if (principal[0] != '\0' && strcasecmp(principal, call->caller.id) != 0)
		return err_set(ec, ERR_FORBIDDEN,
			       "A self action is for the caller alone: principalId must be yours.");
	*group = config_group(call->config, a->submission.group);
	if (*group == NULL)
		return err_set(ec, ERR_NOT_FOUND, "There is no group %s here.", a->submission.group);
	if (!provision_write_person(&call->caller.names, &a->person))
		return err_set(ec, ERR_NOMEM, "The broker is out of memory.");
	return choose_id(call, a, store_lane_of(call->api->store, (*group)->application->id), ec);
}

static void submit(struct call *call, struct asked *a)
{
	const struct config_group *group = NULL;
	struct errctx ec = {""};
	enum err err;

	call->only_try = a->submission.only_try;
	err = check_submission(call, a, &group, &ec);
	if (err != ERR_OK || group == NULL) {
		call_error(call, err, ec.text, NULL);
		return;
	}
	fill_ask(call, a, group);
	if (a->submission.action == ACTION_SELF_DEACTIVATE)
		activation_deactivate(call->api->activation, &a->ask, on_asked, call);
	else if (settle_times(call, a, group))
		activation_submit(call->api->activation, &a->ask, on_asked, call);
}

static bool is_json(const char *content_type)
{
	const char *json = "application/json";

	return content_type != NULL && strncasecmp(content_type, json, strlen(json)) == 0 &&
	       strchr("; \t", content_type[strlen(json)]) != NULL;
}

void requests_post(struct call *call)
{
	struct asked *a;
	struct errctx ec = {""};
	size_t len;
	const char *body = exchange_body(call->exchange, &len);
	enum err err;

	if (!is_json(exchange_header(call->exchange, "Content-Type"))) {
		call_error(call, ERR_MEDIA_TYPE, NULL, NULL);
		return;
	}
	a = calloc(1, sizeof(*a));
	if (a == NULL) {
		call_error(call, ERR_NOMEM, NULL, NULL);
		return;
	}
	buf_init(&a->person, 16 * 1024);
	err = submission_read(body, len, &a->submission, &ec);
	if (err != ERR_OK)
		call_error(call, err, ec.text, NULL);
	else
		submit(call, a);
	buf_release(&a->person);
	free(a);
}

static void on_got(void *ctx, enum err err, const struct request *request)
{
	struct call *call = ctx;

	/* Another's request is not told from one that does not exist. */
	if (err == ERR_OK && request != NULL && strcmp(request->principal, call->caller.id) != 0 &&
	    !call->caller.is_operator)
		err = ERR_NOT_FOUND;
	if (err != ERR_OK || request == NULL) {
		call_error(call, err == ERR_OK ? ERR_INTERNAL : err, NULL, NULL);
		return;
	}
	answer_request(call, 200, request);
}

void requests_get(struct call *call)
{
	activation_get(call->api->activation, call->param, on_got, call);
}

static void on_cancelled(void *ctx, enum err err, const struct request *request)
{
	struct call *call = ctx;
	struct buf body;

	(void)request;
	if (err != ERR_OK) {
		call_error(call, err == ERR_FORBIDDEN ? ERR_NOT_FOUND : err, NULL, NULL);
		return;
	}
	buf_init(&body, 1);
	call_answer(call, 204, NULL, &body);
}

void requests_cancel(struct call *call)
{
	struct actor actor = {.id = call->caller.id, .is_operator = call->caller.is_operator};

	activation_cancel(call->api->activation, call->param, &actor, on_cancelled, call);
}
