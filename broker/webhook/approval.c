#include "webhook/approval.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/iso8601.h"
#include "base/json.h"
#include "webhook/member.h"
#include "webhook/signing.h"
#include "webhook/slack.h"

#define TYPE      "approval.decided"
#define WORD_SIZE 16 /* of a decision */
#define TIME_SIZE 48 /* of a time stamp in any precision that is read */

static const char *const data_members[] = {"requestId", "approvalId", "decision", "approver",
					   "justification"};

static const struct {
	const char *word;
	enum approval_decision decision;
} decisions[] = {
	{"Approve", APPROVAL_APPROVE},
	{"Deny", APPROVAL_DENY},
	{"Approved", APPROVAL_APPROVE},
	{"Denied", APPROVAL_DENY},
};

const char *approval_decision_name(enum approval_decision decision)
{
	return decisions[decision].word;
}

static enum err read_decision(const char *word, enum approval_decision *out, struct errctx *ec)
{
	for (size_t i = 0; i < sizeof(decisions) / sizeof(decisions[0]); i++)
		if (strcasecmp(word, decisions[i].word) == 0) {
			*out = decisions[i].decision;
			return ERR_OK;
		}
	return err_set(ec, ERR_BAD_REQUEST, "The decision must be Approve or Deny.");
}

static enum err read_id(const char *text, char out[ID_SIZE], struct errctx *ec)
{
	if (!id_valid(text))
		return err_set(ec, ERR_BAD_REQUEST, "The id of a request is a UUID.");
	for (size_t i = 0; i < ID_SIZE; i++)
		out[i] = (char)tolower((unsigned char)text[i]);
	return ERR_OK;
}

static enum err read_ids(const cJSON *data, char out[ID_SIZE], struct errctx *ec)
{
	char request[ID_SIZE], approval[ID_SIZE];
	const struct member_text wanted[] = {
		{"requestId", request, sizeof(request), false, false},
		{"approvalId", approval, sizeof(approval), false, false},
	};
	enum err err = member_read(data, &wanted[0], ec);

	if (err == ERR_OK)
		err = member_read(data, &wanted[1], ec);
	if (err != ERR_OK)
		return err;
	if (request[0] == '\0' && approval[0] == '\0')
		return err_set(ec, ERR_BAD_REQUEST, "requestId or approvalId is required.");
	if (request[0] != '\0' && approval[0] != '\0' && strcasecmp(request, approval) != 0)
		return err_set(ec, ERR_BAD_REQUEST, "requestId and approvalId differ.");
	return read_id(request[0] != '\0' ? request : approval, out, ec);
}

static enum err check_members(const cJSON *data, struct errctx *ec)
{
	const cJSON *member;

	cJSON_ArrayForEach(member, data) {
		bool known = false;

		for (size_t i = 0; i < sizeof(data_members) / sizeof(data_members[0]); i++)
			known = known || strcmp(member->string, data_members[i]) == 0;
		if (!known)
			return err_set(ec, ERR_BAD_REQUEST, "There is no member '%.64s'.", member->string);
	}
	return ERR_OK;
}

static enum err read_data(const cJSON *data, struct approval *out, struct errctx *ec)
{
	char word[WORD_SIZE];
	const struct member_text wanted[] = {
		{"decision", word, sizeof(word), true, false},
		{"approver", out->approver, sizeof(out->approver), true, false},
		{"justification", out->justification, sizeof(out->justification), false, true},
	};
	enum err err;

	if (!cJSON_IsObject(data))
		return err_set(ec, ERR_BAD_REQUEST, "It must be an object.");
	err = check_members(data, ec);
	if (err == ERR_OK)
		err = read_ids(data, out->id, ec);
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]) && err == ERR_OK; i++)
		err = member_read(data, &wanted[i], ec);
	return err == ERR_OK ? read_decision(word, &out->decision, ec) : err;
}

static enum err read_body(const cJSON *root, struct approval *out, struct errctx *ec)
{
	const char *type = json_string(root, "type");
	char time[TIME_SIZE];
	const struct member_text timestamp = {"timestamp", time, sizeof(time), false, false};
	enum err err;

	if (!cJSON_IsObject(root))
		return err_set(ec, ERR_BAD_REQUEST, "The body must be an object.");
	if (type == NULL || strcmp(type, TYPE) != 0)
		return err_set(ec, ERR_BAD_REQUEST, "type must be \"" TYPE "\".");
	err = member_read(root, &timestamp, ec);
	if (err != ERR_OK)
		return err;
	if (time[0] != '\0' && iso8601_parse_time(time, &out->decided_ms, ec) != ERR_OK) {
		err_prefix(ec, "timestamp");
		return ERR_BAD_REQUEST;
	}
	err = read_data(cJSON_GetObjectItemCaseSensitive(root, "data"), out, ec);
	if (err != ERR_OK)
		err_prefix(ec, "data");
	return err;
}

enum err approval_read(const char *body, size_t len, struct approval *out, struct errctx *ec)
{
	struct approval approval = {.decided_ms = 0};
	cJSON *root = NULL;
	enum err err;

	if (len > SIGNING_BODY_MAX)
		return err_set(ec, ERR_TOO_BIG, "The body is larger than 64 KiB.");
	err = json_parse(body, len, &root, ec);
	if (err != ERR_OK)
		return err;
	err = read_body(root, &approval, ec);
	cJSON_Delete(root);
	if (err == ERR_OK)
		*out = approval;
	return err;
}

enum err approval_from_slack(const struct slack_action *action, struct approval *out, struct errctx *ec)
{
	struct approval approval = {.decided_ms = 0};
	size_t len = strcspn(action->value, ":");
	char word[WORD_SIZE];
	enum err err;

	if (action->value[len] != ':' || len >= sizeof(word))
		return err_set(ec, ERR_BAD_REQUEST,
			       "A button's value is Approve:{request id} or Deny:{request id}.");
	memcpy(word, action->value, len);
	word[len] = '\0';
	err = read_decision(word, &approval.decision, ec);
	if (err == ERR_OK)
		err = read_id(action->value + len + 1, approval.id, ec);
	if (err != ERR_OK)
		return err;
	memcpy(approval.approver, action->user_id, sizeof(action->user_id));
	*out = approval;
	return ERR_OK;
}
