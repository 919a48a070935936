#include "activation/audit_event.h"

#include <stdlib.h>
#include <string.h>

#include "base/iso8601.h"
#include "base/json.h"
#include "store/store.h"

/* What an event can hold is bounded by the texts that make it; this is far beyond. */
#define EVENT_MAX 65536

static const char *const names[AUDIT_FIELDS] = {
	[AUDIT_EVENT] = "e",       [AUDIT_REQUEST] = "r", [AUDIT_FROM] = "f",    [AUDIT_TO] = "t",
	[AUDIT_BY] = "b",          [AUDIT_GROUP] = "g",   [AUDIT_PERSON] = "p",  [AUDIT_USER_NAME] = "u",
	[AUDIT_APPLICATION] = "a", [AUDIT_ACTION] = "ac", [AUDIT_START] = "s",   [AUDIT_END] = "x",
	[AUDIT_WHO] = "w",         [AUDIT_WHY] = "y",     [AUDIT_DETAILS] = "d", [AUDIT_AT] = "at",
};

/* "17-0" as 17; -1 when it is something else. */
static int64_t number_of(const char *id)
{
	char *end = NULL;
	long long number = strtoll(id, &end, 10);

	return id[0] >= '1' && id[0] <= '9' && strcmp(end, "-0") == 0 ? number : -1;
}

bool audit_event_read(struct audit_event *event, const struct reply *reply)
{
	const struct reply *pairs = reply_at(reply, 1);

	event->number = number_of(reply_text(reply_at(reply, 0)));
	if (event->number < 1 || reply_count(pairs) != 2 * (AUDIT_FIELDS + 1))
		return false;
	for (size_t i = 0; i < AUDIT_FIELDS; i++) {
		const struct reply *value = reply_at(pairs, 2 * i + 1);

		if (strcmp(reply_text(reply_at(pairs, 2 * i)), names[i]) != 0 || !reply_is_text(value))
			return false;
		event->fields[i] = (struct audit_text){reply_text(value), reply_text_len(value)};
	}
	event->link = reply_text(reply_at(pairs, 2 * AUDIT_FIELDS + 1));
	return strcmp(reply_text(reply_at(pairs, 2 * AUDIT_FIELDS)), "h") == 0;
}

int64_t audit_event_at_ms(const struct audit_event *event)
{
	return strtoll(event->fields[AUDIT_AT].text, NULL, 10);
}

bool audit_event_link(const struct audit_event *event, const char *before, char out[SHA1_HEX])
{
	struct buf text;
	bool ok;

	buf_init(&text, EVENT_MAX);
	buf_addf(&text, "%s %lld", before, (long long)event->number);
	for (size_t i = 0; i < AUDIT_FIELDS; i++) {
		buf_addf(&text, " %zu:", event->fields[i].len);
		buf_add(&text, event->fields[i].text, event->fields[i].len);
	}
	ok = !buf_failed(&text);
	if (ok)
		digest_sha1_hex(buf_text(&text), text.len, out);
	buf_release(&text);
	return ok;
}

static void add_text(const struct audit_event *event, enum audit_field field, const char *name,
		     struct buf *out)
{
	if (event->fields[field].len == 0)
		return;
	buf_addf(out, ",\"%s\":", name);
	json_add_string(out, event->fields[field].text);
}

static void add_time(const struct audit_event *event, enum audit_field field, const char *name,
		     struct buf *out)
{
	char text[ISO8601_TIME_SIZE];

	if (event->fields[field].len == 0)
		return;
	iso8601_format_time(strtoll(event->fields[field].text, NULL, 10), text);
	buf_addf(out, ",\"%s\":\"%s\"", name, text);
}

/* JSON as it is, when it is that; else as a text, so that whatever the store holds makes one line of JSON. */
static void add_object(const struct audit_event *event, enum audit_field field, const char *name,
		       struct buf *out)
{
	const struct audit_text *text = &event->fields[field];
	cJSON *value = NULL;
	struct errctx ec;
	enum err err;

	if (text->len == 0)
		return;
	err = json_parse(text->text, text->len, &value, &ec);
	if (err == ERR_NOMEM) {
		/* A line that is another one would be sealed as it is. */
		buf_fail(out);
		return;
	}
	if (err != ERR_OK) {
		add_text(event, field, name, out);
		return;
	}
	buf_addf(out, ",\"%s\":", name);
	json_add_value(out, value);
	cJSON_Delete(value);
}

void audit_event_line(const struct audit_event *event, unsigned lane, struct buf *out)
{
	buf_addf(out, "{\"lane\":%u,\"number\":%lld", lane, (long long)event->number);
	add_time(event, AUDIT_AT, "time", out);
	add_text(event, AUDIT_EVENT, "event", out);
	add_text(event, AUDIT_BY, "by", out);
	add_object(event, AUDIT_WHO, "actor", out);
	add_text(event, AUDIT_REQUEST, "request", out);
	add_text(event, AUDIT_FROM, "from", out);
	add_text(event, AUDIT_TO, "to", out);
	add_text(event, AUDIT_ACTION, "action", out);
	add_text(event, AUDIT_APPLICATION, "application", out);
	add_text(event, AUDIT_GROUP, "group", out);
	add_text(event, AUDIT_PERSON, "person", out);
	add_text(event, AUDIT_USER_NAME, "userName", out);
	add_time(event, AUDIT_START, "start", out);
	add_time(event, AUDIT_END, "end", out);
	add_text(event, AUDIT_WHY, "why", out);
	add_object(event, AUDIT_DETAILS, "details", out);
	buf_adds(out, ",\"link\":");
	json_add_string(out, event->link);
	buf_adds(out, "}");
}
