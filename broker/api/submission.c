#include "api/submission.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/iso8601.h"
#include "base/json.h"

static const char *const action_names[] = {
	[ACTION_SELF_ACTIVATE] = "selfActivate", [ACTION_SELF_DEACTIVATE] = "selfDeactivate",
	[ACTION_SELF_EXTEND] = "selfExtend",     [ACTION_SELF_RENEW] = "selfRenew",
	[ACTION_ADMIN_ASSIGN] = "adminAssign",   [ACTION_ADMIN_UPDATE] = "adminUpdate",
	[ACTION_ADMIN_EXTEND] = "adminExtend",   [ACTION_ADMIN_RENEW] = "adminRenew",
	[ACTION_ADMIN_REMOVE] = "adminRemove",
};

/* Members that a body may have; those marked are Graph's read-only ones, which are not looked at. */
static const char *const members[] = {
	"action",
	"accessId",
	"principalId",
	"groupId",
	"justification",
	"scheduleInfo",
	"ticketInfo",
	"isValidationOnly",
	"breakGlass",
	"customData",
	/* read-only: */ "id",
	"status",
	"approvalId",
	"createdBy",
	"createdDateTime",
	"completedDateTime",
	"targetScheduleId",
	NULL,
};
static const char *const schedule_members[] = {"startDateTime", "expiration", "recurrence", NULL};
static const char *const expiration_members[] = {"type", "duration", "endDateTime", NULL};
static const char *const ticket_members[] = {"ticketNumber", "ticketSystem", NULL};

const char *submission_action_name(enum submission_action action)
{
	return action_names[action];
}

bool submission_is_admin(enum submission_action action)
{
	return action >= ACTION_ADMIN_ASSIGN;
}

bool submission_ends(enum submission_action action)
{
	return action == ACTION_SELF_DEACTIVATE || action == ACTION_ADMIN_REMOVE;
}

static bool known(const char *name, const char *const *names)
{
	if (strstr(name, "@odata.") != NULL)
		return true;
	for (; *names != NULL; names++)
		if (strcmp(*names, name) == 0)
			return true;
	return false;
}

static enum err check_members(const cJSON *object, const char *where, const char *const *names,
			      struct errctx *ec)
{
	const cJSON *member;

	if (!cJSON_IsObject(object))
		return err_set(ec, ERR_INVALID_REQUEST, "%s must be an object.", where);
	cJSON_ArrayForEach(member, object)
		if (!known(member->string, names))
			return err_set(ec, ERR_INVALID_REQUEST, "%s has no property '%.64s'.", where,
				       member->string);
	return ERR_OK;
}

/* The member, or NULL when it is absent or null. */
static const cJSON *member_of(const cJSON *object, const char *name)
{
	const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, name);

	return cJSON_IsNull(value) ? NULL : value;
}

/* Copies an optional text; one that does not fit is refused, never cut. */
static enum err read_text(const cJSON *object, const char *name, char *out, size_t size, struct errctx *ec)
{
	const cJSON *value = member_of(object, name);

	out[0] = '\0';
	if (value == NULL)
		return ERR_OK;
	if (!cJSON_IsString(value))
		return err_set(ec, ERR_INVALID_REQUEST, "%s must be a string.", name);
	if (strlen(value->valuestring) >= size)
		return err_set(ec, ERR_INVALID_REQUEST, "%s may have %zu bytes at most.", name, size - 1);
	snprintf(out, size, "%s", value->valuestring);
	return ERR_OK;
}

static enum err read_action(const cJSON *body, struct submission *out, struct errctx *ec)
{
	const cJSON *value = member_of(body, "action");

	if (!cJSON_IsString(value))
		return err_set(ec, ERR_INVALID_REQUEST, "action is required.");
	for (size_t i = 0; i < sizeof(action_names) / sizeof(action_names[0]); i++)
		if (strcasecmp(action_names[i], value->valuestring) == 0) {
			out->action = (enum submission_action)i;
			return ERR_OK;
		}
	return err_set(ec, ERR_INVALID_REQUEST, "The action '%.32s' is not supported.", value->valuestring);
}

static enum err read_access(const cJSON *body, struct errctx *ec)
{
	const cJSON *value = member_of(body, "accessId");

	if (!cJSON_IsString(value))
		return err_set(ec, ERR_INVALID_REQUEST, "accessId is required.");
	if (strcasecmp(value->valuestring, "member") != 0)
		return err_set(ec, ERR_INVALID_REQUEST, "accessId must be 'member'.");
	return ERR_OK;
}

static enum err read_group(const cJSON *body, struct submission *out, struct errctx *ec)
{
	const cJSON *value = member_of(body, "groupId");

	if (!cJSON_IsString(value) || !id_valid(value->valuestring))
		return err_set(ec, ERR_INVALID_REQUEST, "groupId must be a UUID.");
	for (size_t i = 0; i < ID_SIZE; i++)
		out->group[i] = (char)tolower((unsigned char)value->valuestring[i]);
	return ERR_OK;
}

static enum err read_time(const cJSON *object, const char *name, int64_t *ms, struct errctx *ec)
{
	const cJSON *value = member_of(object, name);

	*ms = 0;
	if (value == NULL)
		return ERR_OK;
	if (!cJSON_IsString(value) || iso8601_parse_time(value->valuestring, ms, ec) != ERR_OK) {
		if (!cJSON_IsString(value))
			return err_set(ec, ERR_INVALID_REQUEST, "%s must be a string.", name);
		err_prefix(ec, "%s", name);
		return ERR_INVALID_REQUEST;
	}
	return ERR_OK;
}

static enum err read_duration(const cJSON *expiration, struct submission *out, struct errctx *ec)
{
	const cJSON *value = member_of(expiration, "duration");

	if (!cJSON_IsString(value))
		return err_set(ec, ERR_INVALID_REQUEST,
			       "expiration.duration is required with afterDuration.");
	if (member_of(expiration, "endDateTime") != NULL)
		return err_set(ec, ERR_INVALID_REQUEST,
			       "expiration has a duration or an endDateTime, not both.");
	if (iso8601_parse_duration(value->valuestring, &out->duration_ms, ec) != ERR_OK) {
		err_prefix(ec, "expiration.duration");
		return ERR_INVALID_REQUEST;
	}
	out->end = END_AFTER_DURATION;
	return ERR_OK;
}

static enum err read_end(const cJSON *expiration, struct submission *out, struct errctx *ec)
{
	enum err err = read_time(expiration, "endDateTime", &out->end_ms, ec);

	if (err != ERR_OK)
		return err;
	if (out->end_ms == 0)
		return err_set(ec, ERR_INVALID_REQUEST,
			       "expiration.endDateTime is required with afterDateTime.");
	if (member_of(expiration, "duration") != NULL)
		return err_set(ec, ERR_INVALID_REQUEST,
			       "expiration has a duration or an endDateTime, not both.");
	out->end = END_AT_TIME;
	return ERR_OK;
}

static enum err read_expiration(const cJSON *schedule, struct submission *out, struct errctx *ec)
{
	const cJSON *expiration = member_of(schedule, "expiration");
	const cJSON *type;
	enum err err;

	if (expiration == NULL)
		return ERR_OK;
	err = check_members(expiration, "scheduleInfo.expiration", expiration_members, ec);
	if (err != ERR_OK)
		return err;
	type = member_of(expiration, "type");
	if (type == NULL && member_of(expiration, "duration") == NULL &&
	    member_of(expiration, "endDateTime") == NULL)
		return ERR_OK;
	if (type != NULL && !cJSON_IsString(type))
		return err_set(ec, ERR_INVALID_REQUEST, "expiration.type must be a string.");
	if (type == NULL)
		return member_of(expiration, "duration") != NULL ? read_duration(expiration, out, ec)
								 : read_end(expiration, out, ec);
	if (strcasecmp(type->valuestring, "afterDuration") == 0)
		return read_duration(expiration, out, ec);
	if (strcasecmp(type->valuestring, "afterDateTime") == 0)
		return read_end(expiration, out, ec);
	if (strcasecmp(type->valuestring, "noExpiration") == 0)
		out->end = END_NEVER;
	else if (strcasecmp(type->valuestring, "notSpecified") != 0)
		return err_set(ec, ERR_INVALID_REQUEST, "expiration.type '%.32s' is not known.",
			       type->valuestring);
	return ERR_OK;
}

static enum err read_schedule(const cJSON *body, struct submission *out, struct errctx *ec)
{
	const cJSON *schedule = member_of(body, "scheduleInfo");
	enum err err;

	if (schedule == NULL)
		return ERR_OK;
	err = check_members(schedule, "scheduleInfo", schedule_members, ec);
	if (err != ERR_OK)
		return err;
	if (member_of(schedule, "recurrence") != NULL)
		return err_set(ec, ERR_INVALID_REQUEST, "scheduleInfo.recurrence is not supported.");
	err = read_time(schedule, "startDateTime", &out->start_ms, ec);
	return err != ERR_OK ? err : read_expiration(schedule, out, ec);
}

static enum err read_ticket(const cJSON *body, struct submission *out, struct errctx *ec)
{
	const cJSON *ticket = member_of(body, "ticketInfo");
	enum err err;

	if (ticket == NULL)
		return ERR_OK;
	err = check_members(ticket, "ticketInfo", ticket_members, ec);
	if (err == ERR_OK)
		err = read_text(ticket, "ticketNumber", out->ticket_number, sizeof(out->ticket_number), ec);
	if (err == ERR_OK)
		err = read_text(ticket, "ticketSystem", out->ticket_system, sizeof(out->ticket_system), ec);
	return err;
}

static enum err read_bool(const cJSON *body, const char *name, bool *out, struct errctx *ec)
{
	const cJSON *value = member_of(body, name);

	if (value != NULL && !cJSON_IsBool(value))
		return err_set(ec, ERR_INVALID_REQUEST, "%s must be true or false.", name);
	*out = cJSON_IsTrue(value);
	return ERR_OK;
}

/* Only who asks for access can need it at once. */
static enum err read_break_glass(const cJSON *body, struct submission *out, struct errctx *ec)
{
	enum err err = read_bool(body, "breakGlass", &out->break_glass, ec);

	if (err == ERR_OK && out->break_glass && out->action != ACTION_SELF_ACTIVATE &&
	    out->action != ACTION_SELF_EXTEND)
		return err_set(ec, ERR_INVALID_REQUEST,
			       "breakGlass goes with selfActivate and selfExtend only.");
	return err;
}

static enum err read_body(const cJSON *body, struct submission *out, struct errctx *ec)
{
	enum err err = check_members(body, "The request", members, ec);

	if (err == ERR_OK)
		err = read_action(body, out, ec);
	if (err == ERR_OK)
		err = read_access(body, ec);
	if (err == ERR_OK)
		err = read_group(body, out, ec);
	if (err == ERR_OK)
		err = read_text(body, "principalId", out->principal, sizeof(out->principal), ec);
	if (err == ERR_OK)
		err = read_text(body, "justification", out->justification, sizeof(out->justification), ec);
	if (err == ERR_OK)
		err = read_schedule(body, out, ec);
	if (err == ERR_OK)
		err = read_ticket(body, out, ec);
	if (err == ERR_OK)
		err = read_text(body, "customData", out->custom_data, sizeof(out->custom_data), ec);
	if (err == ERR_OK)
		err = read_bool(body, "isValidationOnly", &out->only_try, ec);
	if (err == ERR_OK)
		err = read_break_glass(body, out, ec);
	return err;
}

enum err submission_read(const char *text, size_t len, struct submission *out, struct errctx *ec)
{
	cJSON *body = NULL;
	enum err err = json_parse(text, len, &body, ec);

	memset(out, 0, sizeof(*out));
	if (err != ERR_OK)
		return err;
	err = read_body(body, out, ec);
	cJSON_Delete(body);
	return err;
}
