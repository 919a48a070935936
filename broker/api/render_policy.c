#include "api/render_policy.h"

#include "api/render.h"
#include "base/iso8601.h"
#include "base/json.h"

static void add_duration(struct buf *out, const char *name, int64_t ms)
{
	char text[ISO8601_DURATION_SIZE];

	iso8601_format_duration(ms, text);
	buf_addf(out, "\"%s\":\"%s\",", name, text);
}

static void add_flag(struct buf *out, const char *name, bool value)
{
	buf_addf(out, "\"%s\":%s,", name, value ? "true" : "false");
}

static void add_words(struct buf *out, const char *name, const struct policy_names *words)
{
	buf_addf(out, "\"%s\":[", name);
	for (size_t i = 0; i < words->count; i++) {
		buf_adds(out, i > 0 ? "," : "");
		json_add_string(out, words->list[i]);
	}
	buf_adds(out, "],");
}

/* Days by Graph's names. */
static void add_window(struct buf *out, const struct policy_window *window)
{
	static const char *const names[] = {"monday", "tuesday",  "wednesday", "thursday",
					    "friday", "saturday", "sunday"};
	const char *comma = "";

	buf_adds(out, "{\"daysOfWeek\":[");
	for (size_t day = 0; day < sizeof(names) / sizeof(names[0]); day++) {
		if ((window->days & 1u << day) == 0)
			continue;
		buf_addf(out, "%s\"%s\"", comma, names[day]);
		comma = ",";
	}
	buf_addf(out, "],\"from\":\"%02d:%02d\",\"to\":\"%02d:%02d\",\"timeZone\":", (int)(window->from / 60),
		 (int)(window->from % 60), (int)(window->to / 60), (int)(window->to % 60));
	json_add_string(out, window->zone->name);
	buf_adds(out, "}");
}

static void add_hours(struct buf *out, const struct policy_windows *hours)
{
	buf_adds(out, "\"hours\":[");
	for (size_t i = 0; i < hours->count; i++) {
		buf_adds(out, i > 0 ? "," : "");
		add_window(out, &hours->list[i]);
	}
	buf_adds(out, "],");
}

void render_policy(struct buf *out, const struct policy *policy, bool may_break_glass)
{
	add_duration(out, "minimumDuration", policy->min_ms);
	add_duration(out, "defaultDuration", policy->default_ms);
	add_duration(out, "maximumDuration", policy->max_ms);
	buf_addf(out, "\"countsFrom\":\"%s\",",
		 policy->clock == POLICY_CLOCK_PROVISIONED ? "provisioned" : "grant");
	add_flag(out, "isJustificationRequired", policy->justification_required);
	buf_addf(out, "\"minimumJustificationLength\":%lld,", (long long)policy->justification_min);
	add_flag(out, "isTicketRequired", policy->ticket_required);
	render_text(out, "ticketPattern", policy->ticket_pattern != NULL ? policy->ticket_pattern->text : "");
	buf_adds(out, ",");
	add_words(out, "authentication", &policy->authentication);
	add_hours(out, &policy->hours);
	add_flag(out, "isBreakGlassAllowed", may_break_glass);
	buf_addf(out, "\"approvalStages\":%zu", policy->approval.count);
}
