#include "webhook/event.h"

#include <assert.h>
#include <string.h>

#include "base/id.h"
#include "base/iso8601.h"
#include "base/json.h"
#include "base/utf8.h"

#define ID_MAX       (ID_SIZE - 1)
#define APP_MAX      (APP_ID_SIZE - 1)
#define NAME_MAX_LEN (NAME_SIZE - 1)
#define TICKET_MAX   (TICKET_SIZE - 1)
#define ACTION_MAX   32
#define WORD_MAX     32  /* a decision */
#define REASON_MAX   512 /* an application's own words: their beginning tells what is wrong */
#define TEXT_MAX     (TEXT_SIZE - 1)
#define OTHERS_MAX   1024 /* names of members, times, type and signs */

/* A byte becomes six at worst ("\u001f"): also such texts fit, so that no event is ever lost for its size. */
static_assert(6 * (2 * ID_MAX + APP_MAX + 4 * NAME_MAX_LEN + 2 * TICKET_MAX + ACTION_MAX + WORD_MAX +
		   REASON_MAX + TEXT_MAX) +
			      OTHERS_MAX <=
		      EVENT_BODY_MAX,
	      "an event cannot always be written");

/* Members of one object; the comma stands before each but the first. */
struct members {
	struct buf *out;
	bool any;
};

static void add_name(struct members *m, const char *name)
{
	buf_addf(m->out, "%s\"%s\":", m->any ? "," : "", name);
	m->any = true;
}

static void add_text(struct members *m, const char *name, const char *text, size_t max)
{
	char cut[TEXT_SIZE];
	size_t len;

	if (text == NULL || *text == '\0')
		return;
	len = strnlen(text, max + 1);
	if (len > max)
		len = utf8_cut(text, max);
	memcpy(cut, text, len);
	cut[len] = '\0';
	add_name(m, name);
	json_add_string(m->out, cut);
}

static void add_time(struct members *m, const char *name, int64_t ms)
{
	char text[ISO8601_TIME_SIZE];

	if (ms == 0)
		return;
	iso8601_format_time(ms, text);
	add_name(m, name);
	buf_addf(m->out, "\"%s\"", text);
}

static void add_duration(struct members *m, const char *name, int64_t ms)
{
	char text[ISO8601_DURATION_SIZE];

	if (ms <= 0)
		return;
	iso8601_format_duration(ms, text);
	add_name(m, name);
	buf_addf(m->out, "\"%s\"", text);
}

static void add_data(const struct webhook_event *e, struct buf *out)
{
	struct members m = {out, false};

	add_text(&m, "requestId", e->request_id, ID_MAX);
	add_text(&m, "applicationId", e->application, APP_MAX);
	add_text(&m, "groupId", e->group_id, ID_MAX);
	add_text(&m, "groupDisplayName", e->group_name, NAME_MAX_LEN);
	add_text(&m, "principalId", e->principal_id, NAME_MAX_LEN);
	add_text(&m, "userName", e->user_name, NAME_MAX_LEN);
	add_text(&m, "action", e->action, ACTION_MAX);
	add_text(&m, "ticketNumber", e->ticket_number, TICKET_MAX);
	add_text(&m, "ticketSystem", e->ticket_system, TICKET_MAX);
	if (e->stage > 0) {
		add_name(&m, "stage");
		buf_addf(m.out, "%u", e->stage);
	}
	add_duration(&m, "duration", e->duration_ms);
	add_text(&m, "decision", e->decision, WORD_MAX);
	add_text(&m, "decidedBy", e->decided_by, NAME_MAX_LEN);
	add_text(&m, "reason", e->reason, REASON_MAX);
	add_time(&m, "startDateTime", e->start_ms);
	add_time(&m, "endDateTime", e->end_ms);
	add_time(&m, "approvalUntilDateTime", e->approval_until_ms);
	add_time(&m, "nextCycleDateTime", e->next_cycle_ms);
	add_time(&m, "dueDateTime", e->due_ms);
	if (e->with_justification)
		add_text(&m, "justification", e->justification, TEXT_MAX);
}

enum err event_write(const struct webhook_event *event, struct buf *out)
{
	char at[ISO8601_TIME_SIZE];

	iso8601_format_time(event->at_ms, at);
	buf_clear(out);
	buf_addf(out, "{\"type\":\"%s\",\"timestamp\":\"%s\",\"data\":{", event->type, at);
	add_data(event, out);
	buf_adds(out, "}}");
	return buf_failed(out) ? ERR_NOMEM : ERR_OK;
}
