#include "api/list_query.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "api/api.h"
#include "api/object.h"
#include "api/refusals.h"

enum field { FIELD_PRINCIPAL, FIELD_GROUP, FIELD_STATUS, FIELD_ACTION, FIELD_ACCESS, FIELD_ID, FIELD_MAKER };

static const char *const fields[] = {"principalId", "groupId",           "status", "action", "accessId",
				     "id",          "createdBy/user/id", NULL};

/* What Graph knows besides what happens here: such a filter is right and matches nothing. */
static const char *const other_statuses[] = {"Denied",          "PendingAdminDecision",
					     "PendingApproval", "PendingScheduleCreation",
					     "ScheduleCreated", NULL};
static const char *const actions[] = {
	"selfActivate", "selfDeactivate", "selfExtend",  "selfRenew",  "adminAssign",
	"adminUpdate",  "adminRemove",    "adminExtend", "adminRenew", NULL};

#define BIT(state)        (1u << (state))
#define STATES_ALL        (BIT(ST_COUNT) - 1u - BIT(ST_NEW))
#define ELIGIBILITY_NOW   BIT(ST_IN_FORCE)
#define ELIGIBILITY_LATER (ELIGIBILITY_NOW | BIT(ST_SCHEDULED))
/* In which a request gives access, as far as anybody knows; and those that will. */
#define ASSIGNMENT_NOW (BIT(ST_IN_FORCE) | BIT(ST_EXPIRING) | BIT(ST_REVOKING))
#define ASSIGNMENT_LATER                                                                                     \
	(ASSIGNMENT_NOW | BIT(ST_SCHEDULED) | BIT(ST_WAITING) | BIT(ST_DEFERRED) | BIT(ST_PROVISIONING))

unsigned list_query_states(const struct about *about)
{
	bool eligibility = about->kind == KIND_ELIGIBILITY;

	switch (about->shown) {
	case SHOWN_REQUESTS:
		break;
	case SHOWN_SCHEDULES:
		return eligibility ? ELIGIBILITY_LATER : ASSIGNMENT_LATER;
	case SHOWN_INSTANCES:
		return eligibility ? ELIGIBILITY_NOW : ASSIGNMENT_NOW;
	}
	return STATES_ALL;
}

/* -- the following page ---------------------------------------------------------------------------------------- */

/* Percent-encoded but for what stands in `plain` and the unreserved characters. */
static void add_encoded(struct buf *out, const char *text, const char *plain)
{
	for (const char *c = text; *c != '\0'; c++)
		if (isalnum((unsigned char)*c) || strchr("-._~", *c) != NULL || strchr(plain, *c) != NULL)
			buf_add(out, c, 1);
		else
			buf_addf(out, "%%%02X", (unsigned char)*c);
}

static void add_filter(struct buf *out, const struct odata_query *q)
{
	for (size_t i = 0; i < q->count; i++) {
		buf_addf(out, "%s%s%%20%s%%20%%27", i == 0 ? "$filter=" : "%20and%20",
			 fields[q->terms[i].field], q->terms[i].differs ? "ne" : "eq");
		for (const char *c = q->terms[i].value; *c != '\0'; c++) {
			char one[2] = {*c, '\0'};

			add_encoded(out, one, "");
			buf_adds(out, *c == '\'' ? "%27" : "");
		}
		buf_adds(out, "%27");
	}
	buf_adds(out, q->count > 0 ? "&" : "");
}

static void add_names(struct buf *out, const char *option, const struct odata_names *names)
{
	for (size_t i = 0; i < names->count; i++) {
		buf_addf(out, "%s", i == 0 ? option : ",");
		add_encoded(out, names->names[i], "");
	}
	buf_adds(out, names->count > 0 ? "&" : "");
}

void list_query_add_next(const struct call *call, struct buf *out, const char *next)
{
	const struct odata_query *q = &call->query;

	buf_addf(out, ",\"@odata.nextLink\":\"%s", exchange_base_url(call->exchange));
	add_encoded(out, exchange_path(call->exchange), "/()'=");
	buf_adds(out, "?");
	add_filter(out, q);
	if (q->top > 0)
		buf_addf(out, "$top=%d&", q->top);
	buf_adds(out, q->newest_first ? "$orderby=createdDateTime%20desc&" : "");
	buf_adds(out, q->with_count ? "$count=true&" : "");
	add_names(out, "$select=", &q->select);
	add_names(out, "$expand=", &q->expand);
	buf_addf(out, "$skiptoken=%s\"", next);
}

/* -- filter ---------------------------------------------------------------------------------------------------- */

/* All states that Graph calls by that name; 0 when it is no status of ours. */
static unsigned states_of(const char *status)
{
	unsigned states = 0;

	for (enum state s = 0; s < ST_COUNT; s++)
		if (s != ST_NEW && strcasecmp(state_status(s), status) == 0)
			states |= BIT(s);
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

/* That of a request, or of the schedule or instance that one gives. */
static enum err read_object_id(const struct call *call, struct list_query *query, struct errctx *ec)
{
	const char *value = odata_value(&call->query, FIELD_ID);
	const char *id = value != NULL ? object_request_id(value) : NULL;

	if (id == NULL)
		return ERR_OK;
	if (!id_valid(id) || (id != value) == (call->about.shown == SHOWN_REQUESTS))
		return err_set(ec, ERR_INVALID_FILTER, "There is nothing here with the id '%.90s'.", value);
	for (size_t i = 0; i < ID_SIZE; i++)
		query->id[i] = (char)tolower((unsigned char)id[i]);
	return ERR_OK;
}

static enum err read_ids(const struct call *call, struct list_query *query, struct errctx *ec)
{
	char group_id[NAME_SIZE] = "";
	enum err err = read_id(call, FIELD_PRINCIPAL, query->principal, ec);

	if (err == ERR_OK)
		err = read_id(call, FIELD_MAKER, query->maker, ec);
	if (err == ERR_OK)
		err = read_object_id(call, query, ec);
	if (err == ERR_OK)
		err = read_id(call, FIELD_GROUP, group_id, ec);
	snprintf(query->group, sizeof(query->group), "%.36s", group_id);
	return err;
}

static enum err read_statuses(const struct call *call, struct list_query *query, struct errctx *ec)
{
	query->states = list_query_states(&call->about);
	for (size_t i = 0; i < call->query.count; i++) {
		const struct odata_term *term = &call->query.terms[i];
		unsigned states = states_of(term->value);

		if (term->field != FIELD_STATUS && term->differs)
			return err_set(ec, ERR_INVALID_FILTER, "ne is supported for status only.");
		if (term->field != FIELD_STATUS)
			continue;
		if (states == 0 && find_name(other_statuses, term->value) == NULL)
			return err_set(ec, ERR_INVALID_FILTER, "The status '%.32s' is not known.",
				       term->value);
		query->states &= term->differs ? ~states : states;
	}
	return ERR_OK;
}

static enum err read_words(const struct call *call, struct list_query *query, struct errctx *ec)
{
	const char *action = odata_value(&call->query, FIELD_ACTION);
	const char *access = odata_value(&call->query, FIELD_ACCESS);

	if (action != NULL && find_name(actions, action) == NULL)
		return err_set(ec, ERR_INVALID_FILTER, "The action '%.32s' is not known.", action);
	if (action != NULL)
		snprintf(query->action, sizeof(query->action), "%s", find_name(actions, action));
	if (access != NULL && strcasecmp(access, "member") != 0)
		return err_set(ec, ERR_INVALID_FILTER, "accessId is always 'member' here.");
	return read_statuses(call, query, ec);
}

static enum err read_options(struct call *call, struct list_query *query, struct errctx *ec)
{
	size_t count;
	const struct query_param *params = exchange_query_list(call->exchange, &count);
	enum err err = odata_parse(params, count, fields, &call->query, ec);

	if (err == ERR_OK)
		err = object_check_expand(call, ec);
	if (err == ERR_OK)
		err = read_ids(call, query, ec);
	if (err == ERR_OK)
		err = read_words(call, query, ec);
	query->top = call->query.top > 0 ? (size_t)call->query.top : PAGE_DEFAULT;
	query->with_count = call->query.with_count;
	query->eligibilities = call->about.kind == KIND_ELIGIBILITY;
	snprintf(query->from, sizeof(query->from), "%.*s", LIST_FROM_SIZE - 1, call->query.skiptoken);
	return err;
}

/* -- who sees what --------------------------------------------------------------------------------------------- */

/* Everybody sees their own, operators see all. */
static enum err limit_to_own(const struct call *call, struct list_query *query, bool *none, struct errctx *ec)
{
	bool is_others = query->principal[0] != '\0' && strcmp(query->principal, call->caller.id) != 0;

	if (call->about.whose == WHOSE_MINE)
		*none = *none || is_others;
	else if (query->principal[0] == '\0' && query->group[0] == '\0')
		return err_set(ec, ERR_INVALID_FILTER, "$filter on principalId or groupId is required.");
	else if (is_others && !caller_sees_all(&call->caller))
		return refusals_set(ec, REFUSAL_LIST);
	if (call->about.whose == WHOSE_MINE || !caller_sees_all(&call->caller))
		snprintf(query->principal, sizeof(query->principal), "%s", call->caller.id);
	return ERR_OK;
}

enum err list_query_read(struct call *call, struct list_query *out, bool *none, struct errctx *ec)
{
	enum err err = read_options(call, out, ec);

	if (err != ERR_OK)
		return err;
	*none = out->states == 0;
	if (out->states == STATES_ALL)
		out->states = 0; /* any */
	switch (call->about.whose) {
	case WHOSE_TO_APPROVE:
		out->awaiting = true;
		return ERR_OK;
	case WHOSE_CREATED:
		*none = *none || (out->maker[0] != '\0' && strcmp(out->maker, call->caller.id) != 0);
		snprintf(out->created_by, sizeof(out->created_by), "%s", call->caller.id);
		return ERR_OK;
	case WHOSE_FILTERED:
	case WHOSE_MINE:
		break;
	}
	return limit_to_own(call, out, none, ec);
}
