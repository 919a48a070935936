/* Lists of requests and of what they give now. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "activation/list.h"
#include "api/api.h"
#include "api/render.h"

enum field { FIELD_PRINCIPAL, FIELD_GROUP, FIELD_STATUS, FIELD_ACTION, FIELD_ACCESS };

static const char *const fields[] = {"principalId", "groupId", "status", "action", "accessId", NULL};

/* What Graph knows besides what happens here: such a filter is right and matches nothing. */
static const char *const other_statuses[] = {"Denied",          "PendingAdminDecision",
					     "PendingApproval", "PendingScheduleCreation",
					     "ScheduleCreated", NULL};
static const char *const actions[] = {
	"selfActivate", "selfDeactivate", "selfExtend",  "selfRenew",  "adminAssign",
	"adminUpdate",  "adminRemove",    "adminExtend", "adminRenew", NULL};

#define PAGE_DEFAULT 100

/* States in which a request gives access, as far as anybody knows. */
#define STATES_NOW (1u << ST_IN_FORCE | 1u << ST_EXPIRING | 1u << ST_REVOKING)

/* The link to the following page: this call again, from where this page ended. */
static void add_next_link(const struct call *call, struct buf *out, const char *next)
{
	const struct odata_query *q = &call->query;
	const char *path = exchange_path(call->exchange);

	buf_addf(out, ",\"@odata.nextLink\":\"%s%s?", exchange_base_url(call->exchange), path);
	for (size_t i = 0; i < q->count; i++) {
		buf_addf(out, "%s%s%%20eq%%20%%27", i == 0 ? "$filter=" : "%20and%20",
			 fields[q->terms[i].field]);
		for (const char *c = q->terms[i].value; *c != '\0'; c++)
			if (*c == '\'')
				buf_adds(out, "%27%27");
			else if (strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~",
					*c) != NULL)
				buf_add(out, c, 1);
			else
				buf_addf(out, "%%%02X", (unsigned char)*c);
		buf_adds(out, "%27");
	}
	if (q->top > 0)
		buf_addf(out, "%s$top=%d", q->count > 0 ? "&" : "", q->top);
	buf_addf(out, "%s$skiptoken=%s\"", q->count > 0 || q->top > 0 ? "&" : "", next);
}

static void on_page(void *ctx, enum err err, const struct list_page *page)
{
	struct call *call = ctx;
	struct buf body;
	size_t shown = 0;

	if (err != ERR_OK || page == NULL) {
		call_error(call, err == ERR_BAD_REQUEST ? ERR_INVALID_FILTER : err,
			   err == ERR_BAD_REQUEST ? "$skiptoken is not one that a page gave out." : NULL,
			   NULL);
		return;
	}
	buf_init(&body, RESPONSE_MAX);
	buf_adds(&body, "{");
	call_context(call, &body,
		     call->instances ? "assignmentScheduleInstances" : "assignmentScheduleRequests");
	buf_adds(&body, ",\"value\":[");
	for (size_t i = 0; i < page->count; i++) {
		if (call->to_approve && !approvals_may_decide(call, &page->requests[i]))
			continue;
		buf_adds(&body, shown++ > 0 ? "," : "");
		if (call->instances) {
			render_instance(&body, &page->requests[i]);
		} else {
			buf_adds(&body, "{");
			render_request(&body, &page->requests[i], false);
			buf_adds(&body, "}");
		}
	}
	buf_adds(&body, "]");
	if (page->next[0] != '\0')
		add_next_link(call, &body, page->next);
	buf_adds(&body, "}");
	call_answer(call, 200, NULL, &body);
}

/* All states that Graph calls by that name; 0 when it is no status of ours. */
static unsigned states_of(const char *status)
{
	unsigned states = 0;

	for (enum state s = 0; s < ST_COUNT; s++)
		if (s != ST_NEW && strcasecmp(state_status(s), status) == 0)
			states |= 1u << s;
	return states;
}

/* The name as it stands in the list, or NULL. */
static const char *find_name(const char *const *names, const char *name)
{
	for (; *names != NULL; names++)
		if (strcasecmp(*names, name) == 0)
			return *names;
	return NULL;
}

/* UUIDs are kept in lower case. A group's id is one; a person's may be whatever their provider calls them. */
static enum err read_id(const struct call *call, enum field field, char out[NAME_SIZE], struct errctx *ec)
{
	const char *value = odata_value(&call->query, field);
	bool is_uuid = value != NULL && id_valid(value);

	if (value == NULL)
		return ERR_OK;
	if (!is_uuid && field == FIELD_GROUP)
		return err_set(ec, ERR_INVALID_FILTER, "%s must be a UUID.", fields[field]);
	snprintf(out, NAME_SIZE, "%s", value);
	for (char *c = out; is_uuid && *c != '\0'; c++)
		*c = (char)tolower((unsigned char)*c);
	return ERR_OK;
}

static enum err read_ids(const struct call *call, struct list_query *query, struct errctx *ec)
{
	const struct config_group *group;
	char group_id[NAME_SIZE] = "";
	enum err err = read_id(call, FIELD_PRINCIPAL, query->principal, ec);

	if (err == ERR_OK)
		err = read_id(call, FIELD_GROUP, group_id, ec);
	snprintf(query->group, sizeof(query->group), "%.36s", group_id);
	group = query->group[0] != '\0' ? config_group(call->config, query->group) : NULL;
	if (group != NULL)
		snprintf(query->application, sizeof(query->application), "%s", group->application->id);
	return err;
}

/* Sets *none when nothing can match. */
static enum err read_words(const struct call *call, struct list_query *query, bool *none, struct errctx *ec)
{
	const char *status = odata_value(&call->query, FIELD_STATUS);
	const char *action = odata_value(&call->query, FIELD_ACTION);
	const char *access = odata_value(&call->query, FIELD_ACCESS);

	if (status != NULL && (query->states = states_of(status)) == 0) {
		if (find_name(other_statuses, status) == NULL)
			return err_set(ec, ERR_INVALID_FILTER, "The status '%.32s' is not known.", status);
		*none = true;
	}
	if (action != NULL && find_name(actions, action) == NULL)
		return err_set(ec, ERR_INVALID_FILTER, "The action '%.32s' is not known.", action);
	if (action != NULL)
		snprintf(query->action, sizeof(query->action), "%s", find_name(actions, action));
	if (access != NULL && strcasecmp(access, "member") != 0)
		return err_set(ec, ERR_INVALID_FILTER, "accessId is always 'member' here.");
	return ERR_OK;
}

static enum err read_query(struct call *call, struct list_query *query, bool *none, struct errctx *ec)
{
	size_t count;
	const struct query_param *params = exchange_query_list(call->exchange, &count);
	enum err err = odata_parse(params, count, fields, &call->query, ec);

	if (err == ERR_OK)
		err = read_ids(call, query, ec);
	if (err == ERR_OK)
		err = read_words(call, query, none, ec);
	query->top = call->query.top > 0 ? (size_t)call->query.top : PAGE_DEFAULT;
	snprintf(query->from, sizeof(query->from), "%.*s", LIST_FROM_SIZE - 1, call->query.skiptoken);
	return err;
}

static void list(struct call *call, bool mine)
{
	struct list_query query = {0};
	struct list_page empty = {0};
	struct errctx ec = {""};
	bool none = false;
	enum err err = read_query(call, &query, &none, &ec);

	query.awaiting = call->to_approve;
	if (err == ERR_OK && !mine && !call->to_approve && query.principal[0] == '\0' &&
	    query.group[0] == '\0')
		err = err_set(&ec, ERR_INVALID_FILTER, "$filter on principalId or groupId is required.");
	if (err == ERR_OK && !call->to_approve && !call->caller.is_operator && query.principal[0] != '\0' &&
	    strcmp(query.principal, call->caller.id) != 0)
		err = err_set(&ec, ERR_FORBIDDEN, "You may list your own requests.");
	if (err != ERR_OK) {
		call_error(call, err, ec.text, NULL);
		return;
	}
	none = none || (mine && query.principal[0] != '\0' && strcmp(query.principal, call->caller.id) != 0);
	if (mine || (!call->to_approve && !call->caller.is_operator))
		snprintf(query.principal, sizeof(query.principal), "%s", call->caller.id);
	if (call->instances) {
		none = none || (query.states != 0 && (query.states & STATES_NOW) == 0);
		query.states = query.states != 0 ? query.states & STATES_NOW : STATES_NOW;
	}
	if (none) {
		on_page(call, ERR_OK, &empty);
		return;
	}
	list_requests(call->api->activation, &query, on_page, call);
}

void requests_list(struct call *call)
{
	list(call, false);
}

void requests_mine(struct call *call)
{
	list(call, true);
}

/* An approver's inbox: what waits for this caller's decision now. */
void requests_to_approve(struct call *call)
{
	call->to_approve = true;
	list(call, false);
}

void instances_list(struct call *call)
{
	call->instances = true;
	list(call, false);
}

void instances_mine(struct call *call)
{
	call->instances = true;
	list(call, true);
}
