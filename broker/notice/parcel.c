#include "notice/parcel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <cjson/cJSON.h>

#include "activation/states.h"
#include "base/clock.h"
#include "base/json.h"
#include "broker/person.h"
#include "http/http.h"
#include "http/http_mail.h"
#include "notice/mail.h"
#include "scim-push/retry.h"
#include "webhook/event.h"
#include "webhook/schedule.h"
#include "webhook/standard.h"

#define SEND_TIMEOUT_MS 20000 /* Standard Webhooks: 15 to 30 s */

/* Texts of a notice that lie in JSON: valid while it lives. */
struct sources {
	struct person person;
	cJSON *decisions;
};

/* -- what is said ------------------------------------------------------------------------------------------- */

/* Release them in any case. */
static enum err read_sources(const struct notice *n, struct sources *s)
{
	struct errctx ec;
	const char *text = n->request.decisions;

	memset(s, 0, sizeof(*s));
	if (person_read(&s->person, n->request.person != NULL ? n->request.person : "{}") != ERR_OK)
		return ERR_NOMEM;
	return text != NULL && json_parse(text, strlen(text), &s->decisions, &ec) == ERR_NOMEM ? ERR_NOMEM
											       : ERR_OK;
}

static void release_sources(struct sources *s)
{
	person_release(&s->person);
	cJSON_Delete(s->decisions);
}

static const char *or_empty(const char *text)
{
	return text != NULL ? text : "";
}

/* The decision that the request's outcome is: the last approval of one that was granted, the denial of one that was
 * denied. NULL where time, policy, a limit or who asked has ended it, whoever had approved before. */
static const cJSON *outcome_decision(const struct request *r, const struct sources *s)
{
	int count = cJSON_GetArraySize(s->decisions);
	const cJSON *last = count > 0 ? cJSON_GetArrayItem(s->decisions, count - 1) : NULL;
	bool ended = r->state == ST_DENIED || r->state == ST_LAPSED || r->state == ST_CANCELED;

	return last != NULL && strcmp(or_empty(json_string(last, "res")), ended ? "Deny" : "Approve") == 0
		       ? last
		       : NULL;
}

/* What became of a request that waited for approvers. */
static const char *outcome(const struct request *r, const struct sources *s)
{
	const cJSON *decision = outcome_decision(r, s);

	if (decision != NULL)
		return json_string(decision, "res");
	if (r->state == ST_CANCELED)
		return "Withdraw";
	return r->state == ST_LAPSED || r->closed_ms >= r->approval_until_ms ? "Timeout" : "Refuse";
}

static struct text_names names_of(const struct config *config, const struct notice *n,
				  const struct sources *s)
{
	const struct request *r = &n->request;
	const struct config_group *group = config_group(config, r->group);
	const cJSON *decision = outcome_decision(r, s);
	const struct scim_person *p = &s->person.names;
	struct text_names names = {
		.person = p->display_name[0] != '\0' ? p->display_name
			  : p->user_name[0] != '\0'  ? p->user_name
						     : r->principal,
		.user_name = p->user_name,
		.group = group != NULL ? group->name : n->group_name,
		.application = r->application,
		.decided_by = decision != NULL ? or_empty(json_string(decision, "name")) : "",
		.why = decision != NULL ? or_empty(json_string(decision, "why")) : "",
	};

	return names;
}

/* For how long it is asked, where that is still the question: a request may name its end instead. */
static int64_t asked_ms(const struct request *r)
{
	return r->duration_ms > 0 || r->state != ST_AWAITING ? r->duration_ms : r->end_ms - r->start_ms;
}

static enum err write_event(struct parcel *p, const struct notice *n, const struct sources *s)
{
	const struct request *r = &n->request;
	const struct text_names names = names_of(p->config, n, s);
	struct webhook_event event = {
		.type = n->kind,
		.at_ms = n->told_ms,
		.application = r->application,
		.request_id = r->id,
		.group_id = r->group,
		.group_name = names.group,
		.principal_id = r->principal,
		.user_name = names.user_name,
		.reason = r->error,
		.action = r->action,
		.ticket_number = r->ticket_number,
		.ticket_system = r->ticket_system,
		.stage = r->state == ST_AWAITING ? r->stage : 0,
		.duration_ms = asked_ms(r),
		.start_ms = r->start_ms,
		.end_ms = r->end_ms,
		.approval_until_ms = r->state == ST_AWAITING ? r->approval_until_ms : 0,
		.next_cycle_ms = r->next_cycle_ms,
		.due_ms = n->overdue_ms,
		.justification = r->justification,
		.with_justification = p->hook->justification,
	};

	if (states_tell(n->kind) == NULL)
		return ERR_INTERNAL;
	if (strcmp(n->kind, "approval.decided") == 0) {
		event.decision = outcome(r, s);
		event.decided_by = names.decided_by;
	}
	buf_init(&p->text, EVENT_BODY_MAX);
	return event_write(&event, &p->text);
}

/* By the clocks of the person whose mailbox it is, where they are known: `own` is what their token has said. */
static const struct policy_zone *zone_of(const struct config *config, const char *mailbox, const char *own)
{
	const struct policy_zone *zone = config_zone(config, own);

	for (size_t i = 0; i < config->people_count; i++) {
		const struct config_person *person = &config->people[i];

		if (person->zone != NULL && (strcasecmp(person->names.email, mailbox) == 0 ||
					     strcasecmp(person->names.user_name, mailbox) == 0))
			return person->zone;
	}
	return zone != NULL ? zone : config->mail.zone;
}

static enum err write_mail(struct parcel *p, const struct notice *n, const struct sources *s, int64_t now_ms)
{
	const struct text_names names = names_of(p->config, n, s);
	char requester[NAME_SIZE];
	struct text_reader reader = {
		.with_justification = p->config->mail.justification,
		.public_url = p->config->public_url,
		.now_ms = now_ms,
	};
	struct buf body;
	enum err err;

	/* What this version knows no words for was left to later ones for long enough (audience_leaves()). */
	if (strcmp(n->kind, "notices.held") != 0 && states_tell(n->kind) == NULL)
		return ERR_INTERNAL;
	if (audience_requester(n, requester) != ERR_OK)
		return ERR_NOMEM;
	reader.is_requester = requester[0] != '\0' && strcmp(requester, p->to) == 0;
	reader.zone = zone_of(p->config, p->to, reader.is_requester ? s->person.zone : "");
	text_subject(n, &names, p->line);
	buf_init(&body, TEXT_BODY_MAX);
	text_body(n, &names, &reader, &body);
	buf_init(&p->text, MAIL_MAX);
	err = buf_failed(&body) ? ERR_NOMEM
				: mail_write(&(struct mail){.from = p->config->mail.from,
							    .to = p->to,
							    .subject = p->line,
							    .body = buf_text(&body),
							    .id = p->id,
							    .thread = n->request.id,
							    .at_ms = n->told_ms},
					     &p->text);
	buf_release(&body);
	return err;
}

/* On whose account it is sent: whoever has several accounts is one person by all of them. */
static void take_person(struct parcel *p, const struct notice *n, const struct sources *s)
{
	const char *several = config_person_of_several(p->config, s->person.names.user_name);

	snprintf(p->person, sizeof(p->person), "%s", several != NULL ? several : n->request.principal);
}

static bool is_alarm(const char *kind)
{
	const struct tell *tell = states_tell(kind);

	/* A digest tells what was held back: it is not held back itself. */
	return tell != NULL ? tell->is_alarm : strcmp(kind, "notices.held") == 0;
}

enum err parcel_new(struct config *config, const struct notice *n, int64_t now_ms, struct parcel **out)
{
	const struct config_webhook *hook = audience_hook(config, n->target);
	struct sources sources;
	struct parcel *p;
	enum err err;

	if (hook == NULL && (strcmp(n->target, AUDIENCE_MAIL) != 0 || config->mail.server[0] == '\0'))
		return ERR_NOT_FOUND;
	p = calloc(1, sizeof(*p));
	if (p == NULL)
		return ERR_NOMEM;
	p->config = config_ref(config);
	p->hook = hook;
	p->tries = n->tries;
	p->is_alarm = is_alarm(n->kind);
	p->is_glass = strcmp(n->kind, "breakglass.used") == 0;
	snprintf(p->id, sizeof(p->id), "%s", n->delivery);
	snprintf(p->to, sizeof(p->to), "%s", n->to);
	if (hook != NULL)
		audience_fingerprint(hook, p->fingerprint);
	err = read_sources(n, &sources);
	take_person(p, n, &sources);
	if (err == ERR_OK)
		err = hook != NULL ? write_event(p, n, &sources) : write_mail(p, n, &sources, now_ms);
	release_sources(&sources);
	if (err == ERR_OK)
		*out = p;
	else
		parcel_free(p);
	return err;
}

void parcel_free(struct parcel *p)
{
	buf_release(&p->text);
	config_unref(p->config);
	free(p);
}

/* -- sending ------------------------------------------------------------------------------------------------ */

static bool sign(const struct parcel *p, const char *timestamp, char header[WEBHOOK_HEADER_SIZE])
{
	const struct webhook_message message = {
		.id = p->id, .timestamp = timestamp, .body = buf_text(&p->text), .len = p->text.len};
	struct signing_keys keys = {0};
	struct errctx ec;
	bool ok = webhook_key_add(&keys, p->hook->secret, &ec) == ERR_OK &&
		  (p->hook->next_secret[0] == '\0' ||
		   webhook_key_add(&keys, p->hook->next_secret, &ec) == ERR_OK) &&
		  webhook_sign(&keys, &message, header) == ERR_OK;

	signing_wipe(&keys);
	return ok;
}

static enum err send_hook(struct parcel *p, struct http_client *http, int64_t now_ms,
			  const struct http_hook *done)
{
	char timestamp[24], signature[WEBHOOK_HEADER_SIZE];
	char id[ID_SIZE + 16], when[48], signed_by[WEBHOOK_HEADER_SIZE + 24];
	const char *headers[] = {id, when, signed_by, NULL};
	struct http_call call = {
		.method = HTTP_POST,
		.url = p->hook->url,
		.accept = "*/*",
		.media_type = "application/json",
		.ca_file = p->hook->ca_file,
		.body = buf_text(&p->text),
		.headers = headers,
		.public_only = !p->hook->allow_private,
		.status_only = true,
		.deadline_ms = clock_mono_ms() + SEND_TIMEOUT_MS,
	};

	snprintf(timestamp, sizeof(timestamp), "%lld", (long long)(now_ms / 1000));
	if (!sign(p, timestamp, signature))
		return ERR_INTERNAL;
	snprintf(id, sizeof(id), "webhook-id: %s", p->id);
	snprintf(when, sizeof(when), "webhook-timestamp: %s", timestamp);
	snprintf(signed_by, sizeof(signed_by), "webhook-signature: %s", signature);
	return http_start(http, &call, done, &p->request);
}

static enum err send_mail(struct parcel *p, struct http_client *http, const struct http_hook *done)
{
	const struct config_mail *mail = &p->config->mail;
	struct http_mail call = {
		.url = mail->server,
		.user = mail->user,
		.password = mail->password,
		.ca_file = mail->ca_file,
		.from = mail->from,
		.to = p->to,
		.message = buf_text(&p->text),
		.deadline_ms = clock_mono_ms() + SEND_TIMEOUT_MS,
	};

	return http_mail_start(http, &call, done, &p->request);
}

enum err parcel_send(struct parcel *p, struct http_client *http, int64_t now_ms,
		     void (*done)(void *ctx, const struct http_answer *answer))
{
	const struct http_hook hook = {.done = done, .ctx = p};

	return p->hook != NULL ? send_hook(p, http, now_ms, &hook) : send_mail(p, http, &hook);
}

/* A refusal of this mail or mailbox for good (RFC 5321, 4.2.3); other failures may be the server's. */
static bool is_refused_mail(long status)
{
	return status >= 550 && status <= 555;
}

void parcel_judge(const struct parcel *p, const struct http_answer *answer, uint32_t chance,
		  struct parcel_result *out)
{
	bool mailed = p->hook == NULL && answer->status >= 200 && answer->status < 300;
	struct schedule_try tried = {
		.made = p->tries + 1,
		.status = p->hook != NULL ? (int)answer->status
			  : mailed        ? 200
					  : 0,
		.retry_after_ms = p->hook != NULL ? retry_after_ms(answer->retry_after, clock_wall_ms()) : -1,
		.random = chance,
	};
	struct schedule_step step = schedule_next(&tried);
	static const char *const words[] = {
		[SCHEDULE_DONE] = "done",
		[SCHEDULE_AGAIN] = "again",
		[SCHEDULE_PARK] = "park",
		[SCHEDULE_DISABLE] = "gone",
	};

	memset(out, 0, sizeof(*out));
	out->word = words[step.action];
	out->delay_ms = step.action == SCHEDULE_AGAIN ? step.delay_ms : 0;
	if (p->hook == NULL && is_refused_mail(answer->status)) {
		out->word = "park";
		out->delay_ms = 0;
	}
	out->silent_ms = step.throttle ? step.delay_ms : 0;
	if (answer->status == 0)
		snprintf(out->answer, sizeof(out->answer), "No answer: %s.", answer->words);
	else if (p->hook == NULL && !mailed)
		snprintf(out->answer, sizeof(out->answer), "The mail server answered %ld: %s.",
			 answer->status, answer->words);
	else
		snprintf(out->answer, sizeof(out->answer), "The receiver answered %ld.", answer->status);
}
