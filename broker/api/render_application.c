#include "api/render_application.h"

#include <stdlib.h>

#include "api/render.h"
#include "broker/person.h"
#include "scim-push/expiry.h"

static void render_throttle(struct buf *out, const struct terms *t, const struct application_status *s)
{
	buf_addf(out, "\"throttle\":{\"pushes\":%lld,\"perSeconds\":%lld.%03lld,\"tokensFree\":%lld,",
		 (long long)t->throttle.pushes, (long long)t->throttle.per_ms / 1000,
		 (long long)t->throttle.per_ms % 1000, (long long)s->tokens_free);
	render_time(out, "nextTokenDateTime", s->next_token_ms);
	buf_adds(out, ",");
	render_time(out, "closedUntilDateTime", s->closed_until_ms > s->now_ms ? s->closed_until_ms : 0);
	buf_adds(out, "}");
}

static void render_current_cycle(struct buf *out, const struct application_status *s)
{
	if (!s->cycle_runs) {
		buf_adds(out, "\"current\":null");
		return;
	}
	buf_adds(out, "\"current\":{");
	render_time(out, "startedDateTime", s->cycle_started_ms);
	buf_addf(out, ",\"total\":%lld,\"done\":%lld,\"pushes\":%lld,\"failures\":%lld,",
		 (long long)s->cycle_total, (long long)(s->cycle_total - s->cycle_left),
		 (long long)s->cycle_pushes, (long long)s->cycle_failures);
	/* Nobody knows how long a pause lasts. */
	render_time(out, "estimatedEndDateTime", s->paused_ms > 0 ? 0 : s->cycle_eta_ms);
	buf_adds(out, "}");
}

static void render_last_cycle(struct buf *out, const struct application_status *s)
{
	if (s->last_started_ms == 0) {
		buf_adds(out, "\"last\":null");
		return;
	}
	buf_adds(out, "\"last\":{");
	render_time(out, "startedDateTime", s->last_started_ms);
	buf_adds(out, ",");
	render_time(out, "endedDateTime", s->last_ended_ms);
	buf_addf(out, ",\"total\":%lld,\"pushes\":%lld,\"failures\":%lld}", (long long)s->last_total,
		 (long long)s->last_pushes, (long long)s->last_failures);
}

void render_cycles(struct buf *out, const struct application_status *s)
{
	render_time(out, "nextDateTime", s->paused_ms > 0 ? 0 : s->next_cycle_ms);
	buf_adds(out, ",");
	render_current_cycle(out, s);
	buf_adds(out, ",");
	render_last_cycle(out, s);
}

void render_cycle(struct buf *out, const struct cycle_record *cycle)
{
	buf_addf(out, "{\"number\":%lld,", (long long)cycle->number);
	render_time(out, "startedDateTime", cycle->started_ms);
	buf_adds(out, ",");
	render_time(out, "endedDateTime", cycle->ended_ms);
	buf_addf(out, ",\"total\":%lld,\"done\":%lld,\"pushes\":%lld,\"failures\":%lld,",
		 (long long)cycle->total, (long long)cycle->done, (long long)cycle->pushes,
		 (long long)cycle->failures);
	render_text(out, "startedBy", cycle->by);
	buf_adds(out, ",");
	render_text(out, "result", cycle->result);
	buf_adds(out, "}");
}

/* The secret token's end, of which nothing is heard from the application. */
static void render_token(struct buf *out, const struct scim_target *target, int64_t now_ms)
{
	int warning = expiry_warning(target->token_expires_ms, now_ms);

	buf_adds(out, "\"token\":{");
	render_time(out, "expiresDateTime", target->token_expires_ms);
	if (target->token_expires_ms > 0)
		buf_addf(out, ",\"daysLeft\":%lld",
			 (long long)expiry_days_left(target->token_expires_ms, now_ms));
	else
		buf_adds(out, ",\"daysLeft\":null");
	if (warning != EXPIRY_NO_WARNING)
		buf_addf(out, ",\"warningDays\":%d", warning);
	else
		buf_adds(out, ",\"warningDays\":null");
	buf_addf(out, ",\"hasNext\":%s}", target->next_token[0] != '\0' ? "true" : "false");
}

static void render_test(struct buf *out, const struct application_status *s)
{
	buf_addf(out, "\"test\":{\"required\":%s,\"proved\":%s,", s->needs_test ? "true" : "false",
		 s->proved_ms > 0 && !s->unproved ? "true" : "false");
	render_time(out, "passedDateTime", s->proved_ms);
	buf_adds(out, "}");
}

static const char *health(const struct application_status *s)
{
	if (s->unproved)
		return "untested";
	if (s->quarantined_ms > 0)
		return "quarantined";
	if (s->paused_ms > 0)
		return "paused";
	if (s->closed_until_ms > s->now_ms)
		return "throttled";
	return s->failed_pushes > 0 ? "failing" : "ok";
}

static void render_quarantine(struct buf *out, const struct application_status *s)
{
	if (s->quarantined_ms == 0) {
		buf_adds(out, "\"quarantine\":null");
		return;
	}
	buf_adds(out, "\"quarantine\":{");
	render_time(out, "sinceDateTime", s->quarantined_ms);
	buf_adds(out, ",");
	render_text(out, "reason", s->quarantine_why);
	buf_adds(out, ",");
	render_text(out, "lastError", s->quarantine_text);
	buf_addf(out, ",\"trials\":%lld,", (long long)s->quarantine_trials);
	render_time(out, "nextAttemptDateTime", s->next_cycle_ms);
	buf_adds(out, "}");
}

static void render_pause(struct buf *out, const struct application_status *s)
{
	if (s->paused_ms == 0) {
		buf_adds(out, "\"pause\":null");
		return;
	}
	buf_adds(out, "\"pause\":{");
	render_time(out, "sinceDateTime", s->paused_ms);
	buf_addf(out, ",\"removals\":%s}", s->removals_rest ? "true" : "false");
}

/* Removals that the configuration wants and that wait for an operator's answer. */
static void render_guard(struct buf *out, const struct terms *t, const struct application_status *s)
{
	buf_addf(out, "\"guard\":{\"held\":%lld,", (long long)s->held);
	render_time(out, "sinceDateTime", s->held > 0 ? s->held_ms : 0);
	buf_addf(out, ",\"members\":%lld,\"share\":%lld}", (long long)t->guard_members,
		 (long long)t->guard_share);
}

/* Users of the application that were changed. */
static void render_users(struct buf *out, const struct application_status *s)
{
	buf_addf(out, "\"users\":{\"created\":%lld,\"updated\":%lld,\"deactivated\":%lld,\"deleted\":%lld}",
		 (long long)s->users_created, (long long)s->users_updated, (long long)s->users_deactivated,
		 (long long)s->users_deleted);
}

void render_application(struct buf *out, const struct scim_target *target, const struct terms *t,
			const struct application_status *s)
{
	buf_adds(out, "{");
	render_text(out, "id", t->app);
	buf_addf(out, ",\"health\":\"%s\",\"pushes\":{\"failed\":%lld,\"succeeded\":%lld},", health(s),
		 (long long)s->failed_pushes, (long long)s->passed_pushes);
	render_quarantine(out, s);
	buf_adds(out, ",");
	render_pause(out, s);
	buf_adds(out, ",");
	render_guard(out, t, s);
	buf_adds(out, ",");
	render_throttle(out, t, s);
	buf_adds(out, ",");
	render_token(out, target, s->now_ms);
	buf_adds(out, ",");
	render_test(out, s);
	buf_adds(out, ",");
	render_users(out, s);
	buf_addf(out,
		 ",\"members\":%lld,\"waiting\":%lld,\"deferred\":%lld,\"removalsWaiting\":%lld,\"cycle\":{",
		 (long long)s->members, (long long)s->waiting, (long long)s->deferred,
		 (long long)s->removals);
	render_cycles(out, s);
	buf_adds(out, "}}");
}

/* An entry's id begins with its time. */
static void render_entry_person(struct buf *out, const struct log_entry *entry)
{
	struct person *person = person_new(entry->person);

	if (person == NULL) {
		buf_fail(out);
		return;
	}
	render_text(out, "principalId", entry->principal);
	buf_adds(out, ",");
	/* Forgotten with the person's last request. */
	render_text(out, "userName", person->names.user_name);
	person_free(person);
}

void render_log_entry(struct buf *out, const struct log_entry *entry)
{
	buf_adds(out, "{");
	render_text(out, "id", entry->id);
	buf_adds(out, ",");
	render_time(out, "activityDateTime", strtoll(entry->id, NULL, 10));
	buf_adds(out, ",");
	render_text(out, "application", entry->app);
	buf_adds(out, ",");
	render_text(out, "action", entry->op);
	buf_adds(out, ",");
	render_entry_person(out, entry);
	buf_adds(out, ",");
	render_text(out, "groupId", entry->group);
	buf_adds(out, ",");
	render_text(out, "result", entry->result);
	if (entry->status > 0)
		buf_addf(out, ",\"applicationStatus\":%lld,", (long long)entry->status);
	else
		buf_adds(out, ",\"applicationStatus\":null,");
	render_text(out, "reason", entry->words);
	buf_addf(out, ",\"durationInMilliseconds\":%lld,\"attempt\":%lld,", (long long)entry->took_ms,
		 (long long)entry->attempt);
	render_text(out, "initiatedBy", entry->cause);
	buf_adds(out, ",");
	render_text(out, "pushId", entry->push);
	buf_adds(out, "}");
}
