/*
 * Lists of requests, of the schedules that they give and of what is in force, and one of each by its id. Eligibility
 * comes from two sources: the policy files' first, then what administrators gave.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "activation/list.h"
#include "api/api.h"
#include "api/approvals.h"
#include "api/eligible.h"
#include "api/handlers.h"
#include "api/list_query.h"
#include "api/object.h"
#include "api/render.h"

static const char *collection(const struct call *call)
{
	static const char *const names[][3] = {
		[KIND_ASSIGNMENT] = {"assignmentScheduleRequests", "assignmentSchedules",
				     "assignmentScheduleInstances"},
		[KIND_ELIGIBILITY] = {"eligibilityScheduleRequests", "eligibilitySchedules",
				      "eligibilityScheduleInstances"},
	};

	return names[call->about.kind][call->about.shown];
}

/* -- a page ---------------------------------------------------------------------------------------------------- */

/* A page whose first part is there already, while the store is asked for the rest. */
struct listing {
	struct call *call;
	struct list_query query;
	size_t first_count, first_total;
	bool first_part;        /* more than first_total are there */
	struct request first[]; /* of the policy files */
};

static void add_objects(struct buf *out, const struct call *call, const struct request *requests,
			size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (call->about.whose == WHOSE_TO_APPROVE && !approvals_may_decide(call, &requests[i]))
			continue;
		buf_adds(out, out->len > 0 ? ",{" : "{");
		object_add(out, call, &requests[i]);
		buf_adds(out, "}");
	}
}

static void answer_page(const struct listing *l, const struct list_page *page)
{
	struct call *call = l->call;
	struct buf body, objects;

	buf_init(&objects, RESPONSE_MAX);
	add_objects(&objects, call, l->first, l->first_count);
	add_objects(&objects, call, page->requests, page->count);
	buf_init(&body, RESPONSE_MAX);
	buf_adds(&body, "{");
	call_context(call, &body, collection(call));
	if (call->query.with_count) {
		buf_addf(&body, ",\"@odata.count\":%lld", (long long)l->first_total + (long long)page->total);
		/* Graph has no word for it: there are at least so many, nobody has counted further. */
		buf_adds(&body,
			 page->total_whole && !l->first_part ? "" : ",\"@jit.countIsLowerBound\":true");
	}
	buf_adds(&body, ",\"value\":[");
	buf_add(&body, buf_text(&objects), objects.len);
	buf_adds(&body, "]");
	if (page->next[0] != '\0')
		list_query_add_next(call, &body, page->next);
	buf_adds(&body, "}");
	if (buf_failed(&objects))
		buf_fail(&body);
	buf_release(&objects);
	call_answer(call, 200, NULL, &body);
}

static void on_page(void *ctx, enum err err, const struct list_page *page)
{
	struct listing *l = ctx;

	if (err == ERR_OK && page != NULL)
		answer_page(l, page);
	else if (err == ERR_BAD_REQUEST)
		call_error(l->call, ERR_INVALID_FILTER, "$skiptoken is not one that a page gave out.", NULL);
	else
		call_error(l->call, err == ERR_OK ? ERR_INTERNAL : err, NULL, NULL);
	free(l);
}

/* -- the policy files' part ------------------------------------------------------------------------------------ */

/* "f123" says that so many of the policy files' are on the pages before; false when it is a place in the store. */
static bool read_place(const char *from, size_t *skip)
{
	char *end = NULL;

	*skip = 0;
	if (from[0] == '\0')
		return true;
	if (from[0] != 'f' || !isdigit((unsigned char)from[1]) || strlen(from) > 8)
		return false;
	*skip = strtoul(from + 1, &end, 10);
	return *end == '\0';
}

/* Fills the listing's first part; true when that makes a whole page, whose successor is in `next`. */
static bool list_files(struct listing *l, struct list_query *query, struct list_page *page)
{
	struct eligible_ask ask = {
		.query = query, .now_ms = activation_now_ms(l->call->api->activation), .most = query->top};
	bool here = read_place(query->from, &ask.skip), more = false;

	if (!here)
		ask.most = 0; /* they are on the pages before; but they count */
	if (!here && !query->with_count)
		return false;
	l->first_count =
		eligible_list(l->call, &ask, l->first, &more, query->with_count ? &l->first_total : NULL);
	if (!here)
		return false;
	query->from[0] = '\0';
	query->top -= l->first_count;
	if (!more && query->top > 0)
		return false;
	snprintf(page->next, sizeof(page->next), "f%zu", ask.skip + l->first_count);
	return true;
}

/* -- lists ----------------------------------------------------------------------------------------------------- */

/* Who may decide is not known to the store: of what waits for approvers, those that wait for the caller are counted here. */
static void on_inbox(void *ctx, enum err err, const struct list_page *page)
{
	struct listing *l = ctx;

	if (err != ERR_OK || page == NULL) {
		on_page(l, err, NULL);
		return;
	}
	for (size_t i = 0; i < page->count; i++)
		l->first_total += approvals_may_decide(l->call, &page->requests[i]);
	l->first_part = page->next[0] != '\0';
	list_requests(l->call->api->activation, &l->query, on_page, l);
}

static void ask_store(struct listing *l)
{
	struct list_query whole = l->query;

	l->query.with_count = l->query.with_count && !l->query.awaiting;
	if (l->query.with_count == whole.with_count) {
		list_requests(l->call->api->activation, &l->query, on_page, l);
		return;
	}
	whole.top = LIST_TOP_MAX;
	whole.from[0] = '\0';
	whole.with_count = false;
	list_requests(l->call->api->activation, &whole, on_inbox, l);
}

void lists_list(struct call *call)
{
	struct list_query query = {0};
	struct list_page page = {.total_whole = true};
	struct errctx ec = {""};
	bool none = false,
	     has_files = call->about.kind == KIND_ELIGIBILITY && call->about.shown != SHOWN_REQUESTS;
	enum err err = list_query_read(call, &query, &none, &ec);
	struct listing *l;

	if (err != ERR_OK) {
		call_error(call, err, ec.text, NULL);
		return;
	}
	l = calloc(1, sizeof(*l) + (has_files ? query.top * sizeof(l->first[0]) : 0));
	if (l == NULL) {
		call_error(call, ERR_NOMEM, NULL, NULL);
		return;
	}
	l->call = call;
	if (none || (has_files && list_files(l, &query, &page))) {
		on_page(l, ERR_OK, &page);
		return;
	}
	l->query = query;
	ask_store(l);
}

/* -- one ------------------------------------------------------------------------------------------------------- */

static void answer_one(struct call *call, const struct request *request)
{
	char what[64];
	struct buf body;

	snprintf(what, sizeof(what), "%s/$entity", collection(call));
	buf_init(&body, RESPONSE_MAX);
	buf_adds(&body, "{");
	call_context(call, &body, what);
	buf_adds(&body, ",");
	object_add(&body, call, request);
	buf_adds(&body, "}");
	call_answer(call, 200, NULL, &body);
}

static bool is_of_group(const char *id, const struct request *request)
{
	return object_request_id(id) == id || strncasecmp(id, request->group, ID_SIZE - 1) == 0;
}

/* One's own, and the requests of others that one may decide or has decided. */
static bool may_see(const struct call *call, const struct request *request)
{
	return strcmp(request->principal, call->caller.id) == 0 || caller_sees_all(&call->caller) ||
	       (call->about.kind == KIND_ASSIGNMENT && call->about.shown == SHOWN_REQUESTS &&
		approvals_may_read(call, request));
}

static void on_got(void *ctx, enum err err, const struct request *request)
{
	struct call *call = ctx;

	/* Another's request is not told from one that does not exist; nor is one that gives nothing now. */
	if (err == ERR_OK && request != NULL &&
	    (!may_see(call, request) || !is_of_group(call->param, request) ||
	     (list_query_states(&call->about) & 1u << request->state) == 0))
		err = ERR_NOT_FOUND;
	if (err == ERR_OK && request != NULL)
		answer_one(call, request);
	else
		call_error(call, err == ERR_OK ? ERR_INTERNAL : err, NULL, NULL);
}

/* Is it one of the policy files? Then it is answered. */
static bool get_of_files(struct call *call, const char *id)
{
	struct request found;
	char group[ID_SIZE];

	if (id == call->param)
		return false;
	snprintf(group, sizeof(group), "%.36s", call->param);
	if (!eligible_find(call, group, id, &found))
		return false;
	on_got(call, ERR_OK, &found);
	return true;
}

void lists_get(struct call *call)
{
	const char *id = object_request_id(call->param);
	static const char *const no_fields[] = {NULL};
	struct errctx ec = {""};
	size_t count;
	const struct query_param *params = exchange_query_list(call->exchange, &count);
	enum err err = odata_parse(params, count, no_fields, &call->query, &ec);

	if (err == ERR_OK)
		err = object_check_expand(call, &ec);
	if (err != ERR_OK) {
		call_error(call, err, ec.text, NULL);
		return;
	}
	if (call->about.kind == KIND_ASSIGNMENT)
		activation_get(call->api->activation, id, on_got, call);
	else if (call->about.shown == SHOWN_REQUESTS || !get_of_files(call, id))
		activation_get_eligibility(call->api->activation, id, on_got, call);
}
