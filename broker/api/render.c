#include "api/render.h"

#include <string.h>

#include "base/iso8601.h"
#include "base/json.h"

void render_time(struct buf *out, const char *name, int64_t ms)
{
	char text[ISO8601_TIME_SIZE];

	if (ms == 0) {
		buf_addf(out, "\"%s\":null", name);
		return;
	}
	iso8601_format_time(ms, text);
	buf_addf(out, "\"%s\":\"%s\"", name, text);
}

void render_text(struct buf *out, const char *name, const char *text)
{
	buf_addf(out, "\"%s\":", name);
	if (text[0] == '\0')
		buf_adds(out, "null");
	else
		json_add_string(out, text);
}

/* Year 9999 is Graph's "never". */
static bool ends(const struct request *r)
{
	return r->end_ms < 253402214400000LL;
}

/* The end, as far as it is known: where the time counts from the confirmation, not before that has come. */
static int64_t known_end(const struct request *r)
{
	return !ends(r) || (r->counts_from_confirmation && r->confirmed_ms == 0) ? 0 : r->end_ms;
}

static void render_schedule(struct buf *out, const struct request *r)
{
	char duration[ISO8601_DURATION_SIZE];

	if (strcmp(r->action, "selfDeactivate") == 0 || strcmp(r->action, "adminRemove") == 0) {
		buf_adds(out, "\"scheduleInfo\":null");
		return;
	}
	buf_adds(out, "\"scheduleInfo\":{");
	render_time(out, "startDateTime", r->start_ms);
	buf_adds(out, ",\"recurrence\":null,\"expiration\":{");
	if (r->duration_ms > 0) {
		iso8601_format_duration(r->duration_ms, duration);
		buf_addf(out, "\"type\":\"afterDuration\",\"endDateTime\":null,\"duration\":\"%s\"",
			 duration);
	} else {
		buf_addf(out, "\"type\":\"%s\",", ends(r) ? "afterDateTime" : "noExpiration");
		render_time(out, "endDateTime", ends(r) ? r->end_ms : 0);
		buf_adds(out, ",\"duration\":null");
	}
	buf_adds(out, "}}");
}

/* How far the application has followed, why it has not, and when it will. */
static void render_provisioning(struct buf *out, const struct request *r)
{
	buf_addf(out, "\"provisioning\":{\"state\":\"%s\",",
		 r->removing ? "removing" : state_provisioning(r->state));
	render_text(out, "application", r->application);
	buf_adds(out, ",");
	render_time(out, "endDateTime", known_end(r));
	buf_adds(out, ",");
	render_time(out, "confirmedDateTime", r->confirmed_ms);
	buf_adds(out, ",");
	render_time(out, "nextCycleDateTime", r->next_cycle_ms);
	if (r->place > 0)
		buf_addf(out, ",\"placeInQueue\":%lld", (long long)r->place);
	else
		buf_adds(out, ",\"placeInQueue\":null");
	buf_addf(out, ",\"failedAttempts\":%lld,", (long long)r->attempts);
	render_time(out, "nextAttemptDateTime", r->next_try_ms);
	buf_adds(out, ",");
	render_text(out, "lastError", r->error);
	if (r->state == ST_IN_FORCE)
		buf_addf(out, ",\"verified\":%s,\"standing\":%s", r->unverified ? "false" : "true",
			 r->standing ? "true" : "false");
	buf_adds(out, "}");
}

static void render_ticket(struct buf *out, const struct request *r)
{
	buf_adds(out, "\"ticketInfo\":{");
	render_text(out, "ticketNumber", r->ticket_number);
	buf_adds(out, ",");
	render_text(out, "ticketSystem", r->ticket_system);
	buf_adds(out, "}");
}

static void render_who(struct buf *out, const struct request *r)
{
	render_text(out, "principalId", r->principal);
	buf_adds(out, ",\"accessId\":\"member\",");
	render_text(out, "groupId", r->group);
}

static void render_schedule_id(struct buf *out, const char *name, const struct request *r)
{
	buf_addf(out, "\"%s\":\"%s_member_%s\"", name, r->group, r->id);
}

void render_request(struct buf *out, const struct request *r, enum kind kind, bool only_try,
		    const char *maker)
{
	int64_t completed = r->confirmed_ms > 0 ? r->confirmed_ms : r->closed_ms;

	render_text(out, "id", only_try ? "" : r->id);
	buf_addf(out, ",\"status\":\"%s\",", state_status(r->state));
	render_time(out, "createdDateTime", r->created_ms);
	buf_adds(out, ",");
	render_time(out, "completedDateTime", kind == KIND_ELIGIBILITY ? r->created_ms : completed);
	buf_adds(out, ",");
	render_text(out, "approvalId", r->needed_approval && !only_try ? r->id : "");
	buf_adds(out, ",");
	render_text(out, "customData", r->custom_data);
	buf_adds(out, ",\"createdBy\":{\"user\":{");
	render_text(out, "id", r->created_by);
	buf_adds(out, ",");
	render_text(out, "displayName", maker);
	buf_addf(out, "}},\"action\":\"%s\",\"isValidationOnly\":%s,", r->action,
		 only_try ? "true" : "false");
	render_text(out, "justification", r->justification);
	buf_adds(out, ",");
	render_who(out, r);
	buf_adds(out, ",");
	if (only_try)
		buf_adds(out, "\"targetScheduleId\":null");
	else
		render_schedule_id(out, "targetScheduleId", r);
	buf_adds(out, ",");
	render_schedule(out, r);
	buf_adds(out, ",");
	render_ticket(out, r);
	if (kind == KIND_ELIGIBILITY)
		return;
	buf_addf(out, ",\"breakGlass\":%s,", r->break_glass ? "true" : "false");
	render_provisioning(out, r);
}

/* What tells an assignment from an eligibility. */
static void render_kind(struct buf *out, const struct request *r, enum kind kind)
{
	if (kind == KIND_ASSIGNMENT) {
		buf_addf(out, ",\"assignmentType\":\"%s\",",
			 strncmp(r->action, "admin", 5) == 0 ? "assigned" : "activated");
		render_provisioning(out, r);
	} else {
		/* Eligibility that no request has made stands in the policy file. */
		buf_addf(out, ",\"source\":\"%s\"", r->action[0] != '\0' ? "request" : "policy");
	}
}

static void render_schedule_object(struct buf *out, const struct request *r, enum kind kind)
{
	render_schedule_id(out, "id", r);
	buf_adds(out, ",");
	render_who(out, r);
	buf_adds(out, ",\"memberType\":\"direct\",");
	render_schedule(out, r);
	buf_addf(out, ",\"status\":\"%s\",", state_status(r->state));
	render_text(out, "createdUsing", r->action[0] != '\0' ? r->id : "");
	buf_adds(out, ",");
	render_time(out, "createdDateTime", r->created_ms);
	buf_adds(out, ",");
	render_time(out, "modifiedDateTime", r->confirmed_ms);
	render_kind(out, r, kind);
}

static void render_instance(struct buf *out, const struct request *r, enum kind kind)
{
	render_schedule_id(out, "id", r);
	buf_adds(out, ",");
	render_who(out, r);
	buf_adds(out, ",");
	render_time(out, "startDateTime", r->start_ms);
	buf_adds(out, ",");
	render_time(out, "endDateTime", known_end(r));
	buf_adds(out, ",\"memberType\":\"direct\",");
	render_schedule_id(out, kind == KIND_ASSIGNMENT ? "assignmentScheduleId" : "eligibilityScheduleId",
			   r);
	render_kind(out, r, kind);
}

void render_shown(struct buf *out, const struct request *r, const struct about *about, const char *maker)
{
	switch (about->shown) {
	case SHOWN_REQUESTS:
		render_request(out, r, about->kind, false, maker);
		break;
	case SHOWN_SCHEDULES:
		render_schedule_object(out, r, about->kind);
		break;
	case SHOWN_INSTANCES:
		render_instance(out, r, about->kind);
		break;
	}
}
