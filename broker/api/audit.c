/*
 * GET /api/audit: the audit's events as JSON lines, from a position on. GET /api/audit/verify: is it as it was written?
 * Both do a bounded part of the work in each call and say where the next one goes on.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "activation/audit.h"
#include "api/api.h"
#include "api/handlers.h"
#include "audit/keeper.h"
#include "base/json.h"

#define LIMIT_DEFAULT 200
#define LIMIT_MAX     1000
#define LOOKED_MAX    5000 /* events in one call, those that a filter leaves out included */
#define VERIFY_MAX    5000
#define LANES_AT_ONCE 64 /* of a position over all lanes: more would make it longer than a header may be */

/* A page of events that is put together, lane by lane. */
struct audit_list {
	struct call *call;
	unsigned lane, end;           /* the lane that is read, and the one where it stops */
	int64_t after[LANES_AT_ONCE]; /* in the lanes from `first` on */
	unsigned first;
	size_t left, looked;
	const char *request, *group, *person; /* NULL = any; the exchange's */
	struct buf body;
};

static void refuse(struct call *call, const char *why)
{
	call_error(call, ERR_INVALID_FILTER, why, NULL);
}

/* A number of at most `most`; `otherwise` when the call has no such option. False when it is something else. */
static bool read_number(const struct call *call, const char *name, int64_t otherwise, int64_t most,
			int64_t *out)
{
	const char *text = exchange_query(call->exchange, name);

	*out = otherwise;
	if (text == NULL)
		return true;
	if (text[0] == '\0' || strspn(text, "0123456789") != strlen(text) || strlen(text) > 15)
		return false;
	*out = strtoll(text, NULL, 10);
	return *out <= most;
}

/* "17" with one lane, "17,0,5" with several: the number of the last event that the caller has, lane by lane. */
static bool read_after(struct audit_list *list, const char *text)
{
	unsigned count = list->end - list->first;

	for (unsigned i = 0; text != NULL && i < count; i++) {
		size_t digits = strspn(text, "0123456789");

		if (digits == 0 || digits > 15 || text[digits] != (i + 1 < count ? ',' : '\0'))
			return false;
		list->after[i] = strtoll(text, NULL, 10);
		text += digits + 1;
	}
	return true;
}

static void finish(struct audit_list *list)
{
	struct buf position;

	buf_init(&position, 2048);
	for (unsigned i = 0; i < list->end - list->first; i++)
		buf_addf(&position, "%s%lld", i > 0 ? "," : "", (long long)list->after[i]);
	exchange_set_header(list->call->exchange, "Audit-Position", buf_text(&position));
	if (buf_failed(&position))
		buf_fail(&list->body);
	exchange_set_header(list->call->exchange, "Audit-More",
			    list->left == 0 || list->looked >= LOOKED_MAX ? "true" : "false");
	buf_release(&position);
	call_answer(list->call, 200, "application/jsonl; charset=utf-8", &list->body);
	free(list);
}

static bool fits(const char *wanted, const struct audit_text *text)
{
	return wanted == NULL || strcasecmp(wanted, text->text) == 0;
}

static bool is_wanted(const struct audit_list *list, const struct audit_event *event)
{
	return fits(list->request, &event->fields[AUDIT_REQUEST]) &&
	       fits(list->group, &event->fields[AUDIT_GROUP]) &&
	       (fits(list->person, &event->fields[AUDIT_PERSON]) ||
		fits(list->person, &event->fields[AUDIT_USER_NAME]));
}

static void read_next(struct audit_list *list);

static void on_events(void *ctx, enum err err, const struct audit_page *page)
{
	struct audit_list *list = ctx;
	struct audit_event event;
	size_t i = 0;

	if (err != ERR_OK) {
		buf_release(&list->body);
		call_error(list->call, err, NULL, NULL);
		free(list);
		return;
	}
	for (; i < page->count && list->left > 0 && audit_page_event(page, i, &event); i++) {
		list->after[list->lane - list->first] = event.number;
		list->looked++;
		if (!is_wanted(list, &event))
			continue;
		audit_event_line(&event, list->lane, &list->body);
		buf_adds(&list->body, "\n");
		list->left--;
	}
	/* What is no event of ours is the verification's affair; a list ends there. */
	if (page->count < AUDIT_BATCH || (i < page->count && list->left > 0))
		list->lane++;
	read_next(list);
}

static void read_next(struct audit_list *list)
{
	if (list->lane >= list->end || list->left == 0 || list->looked >= LOOKED_MAX)
		finish(list);
	else
		audit_read(
			list->call->api->activation,
			&(struct audit_range){list->lane, list->after[list->lane - list->first], AUDIT_BATCH},
			on_events, list);
}

/* Sets the lanes that the call is about. */
static bool choose_lanes(const struct call *call, unsigned *first, unsigned *end)
{
	int64_t lanes = store_lanes(call->api->store), lane;

	if (!read_number(call, "lane", -1, lanes - 1, &lane))
		return false;
	*first = lane < 0 ? 0 : (unsigned)lane;
	*end = lane < 0 ? (unsigned)lanes : *first + 1;
	return true;
}

void audit_events(struct call *call)
{
	struct audit_list *list = calloc(1, sizeof(*list));
	const char *why = NULL;
	int64_t limit = 0;

	if (list == NULL) {
		call_error(call, ERR_NOMEM, NULL, NULL);
		return;
	}
	list->call = call;
	list->request = exchange_query(call->exchange, "request");
	list->group = exchange_query(call->exchange, "group");
	list->person = exchange_query(call->exchange, "person");
	if (!choose_lanes(call, &list->first, &list->end))
		why = "lane is a number below that of the lanes.";
	else if (list->end - list->first > LANES_AT_ONCE)
		why = "With so many lanes, name one: lane=NUMBER.";
	else if (!read_after(list, exchange_query(call->exchange, "after")))
		why = "after is a position as the header Audit-Position gives it.";
	else if (!read_number(call, "limit", LIMIT_DEFAULT, LIMIT_MAX, &limit) || limit == 0)
		why = "limit is from 1 to 1000.";
	if (why != NULL) {
		free(list);
		refuse(call, why);
		return;
	}
	list->left = (size_t)limit;
	list->lane = list->first;
	buf_init(&list->body, RESPONSE_MAX);
	read_next(list);
}

/* -- verify ---------------------------------------------------------------------------------------------------- */

struct verification {
	struct call *call;
	unsigned end;
	struct audit_check check;
	struct audit_place place;
	int64_t events, seals, most; /* so many events in this call */
};

static void answer(struct verification *v, const struct audit_verdict *verdict, bool done)
{
	char place[AUDIT_PLACE_SIZE];
	struct buf body;

	buf_init(&body, 4096);
	buf_addf(&body,
		 "{\"intact\":%s,\"done\":%s,\"events\":%lld,\"seals\":%lld,\"sealed\":%s,\"lane\":%u,"
		 "\"number\":%lld,"
		 "\"sealedTo\":%lld,",
		 verdict->broken_at > 0 ? "false" : "true", done ? "true" : "false", (long long)v->events,
		 (long long)v->seals, v->check.keys.key[0] != '\0' ? "true" : "false", verdict->place.lane,
		 (long long)verdict->place.number, (long long)verdict->place.sealed_to);
	if (verdict->broken_at > 0) {
		buf_addf(&body, "\"break\":{\"lane\":%u,\"number\":%lld,\"what\":", verdict->place.lane,
			 (long long)verdict->broken_at);
		json_add_string(&body, verdict->why.text);
		buf_adds(&body, "},\"next\":null}");
	} else if (done) {
		buf_adds(&body, "\"break\":null,\"next\":null}");
	} else {
		audit_place_print(&v->place, place);
		buf_addf(&body, "\"break\":null,\"next\":\"%s\"}", place);
	}
	call_answer(v->call, 200, NULL, &body);
	free(v);
}

static void verify_next(struct verification *v);

static void on_verified(void *ctx, enum err err, const struct audit_verdict *verdict)
{
	struct verification *v = ctx;

	if (err != ERR_OK) {
		call_error(v->call, err, NULL, NULL);
		free(v);
		return;
	}
	v->events += verdict->events;
	v->seals += verdict->seals;
	v->place = verdict->place;
	if (verdict->at_end && verdict->broken_at == 0)
		v->place = (struct audit_place){.lane = verdict->place.lane + 1};
	if (verdict->broken_at > 0 || v->place.lane >= v->end || v->events >= v->most)
		answer(v, verdict, verdict->broken_at > 0 || v->place.lane >= v->end);
	else
		verify_next(v);
}

static void verify_next(struct verification *v)
{
	v->check.most = v->most - v->events;
	v->check.witness = keeper_witness(v->call->api->keeper, v->place.lane);
	audit_verify(&v->check, &v->place, on_verified, v);
}

void audit_verify_all(struct call *call)
{
	const char *after = exchange_query(call->exchange, "after");
	struct verification *v = calloc(1, sizeof(*v));
	unsigned first;

	if (v == NULL) {
		call_error(call, ERR_NOMEM, NULL, NULL);
		return;
	}
	v->call = call;
	v->check = (struct audit_check){
		.activation = call->api->activation,
		.keys = {.key = call->config->audit_key, .former = call->config->audit_former_key},
	};
	if (!read_number(call, "limit", VERIFY_MAX, VERIFY_MAX, &v->most) || v->most == 0 ||
	    !choose_lanes(call, &first, &v->end) ||
	    (after != NULL &&
	     (!audit_place_read(&v->place, after) || v->place.lane < first || v->place.lane >= v->end))) {
		free(v);
		refuse(call, "lane is a number below that of the lanes, after what an answer gave as next, "
			     "limit from 1 to "
			     "5000.");
		return;
	}
	if (after == NULL)
		v->place.lane = first;
	verify_next(v);
}
