/* The one place that gives answers a meaning. */
#include "scim-push/outcome.h"

#include <string.h>

#include "base/json.h"
#include "scim-push/attribute.h"
#include "scim-push/retry.h"

/* Operations that fail alike. */
enum op_kind {
	KIND_FIND,   /* a list: 404 means that there is no such endpoint */
	KIND_READ,   /* one resource by its id: 404 means that it is gone */
	KIND_CREATE, /* 409: somebody was quicker */
	KIND_CHANGE, /* 404: an id is out of date */
	KIND_REMOVE  /* 400 and 404: perhaps it is gone already */
};

static const struct op_row {
	const char *name, *words;
	enum op_kind kind;
	enum http_method method;
	bool for_seat;
} ops[OP_COUNT] = {
	[OP_FIND_GROUP] = {"find_group", "looking up the group", KIND_FIND, HTTP_GET, false},
	[OP_READ_GROUP] = {"read_group", "reading the group", KIND_READ, HTTP_GET, false},
	[OP_CREATE_GROUP] = {"create_group", "creating the group", KIND_CREATE, HTTP_POST, false},
	[OP_RENAME_GROUP] = {"rename_group", "renaming the group", KIND_CHANGE, HTTP_PATCH, false},
	[OP_FIND_USER] = {"find_user", "looking up the user", KIND_FIND, HTTP_GET, true},
	[OP_CREATE_USER] = {"create_user", "creating the user", KIND_CREATE, HTTP_POST, true},
	[OP_ADD_MEMBERS] = {"add_members", "adding to the group", KIND_CHANGE, HTTP_PATCH, false},
	[OP_REMOVE_MEMBERS] = {"remove_members", "removing from the group", KIND_REMOVE, HTTP_PATCH, false},
	[OP_CONFIRM] = {"confirm", "confirming the membership", KIND_READ, HTTP_GET, true},
	[OP_READ_MEMBERS] = {"read_members", "reading the group's members", KIND_READ, HTTP_GET, false},
	[OP_READ_USER] = {"read_user", "reading the user", KIND_READ, HTTP_GET, true},
	[OP_CHANGE_USER] = {"change_user", "changing the user", KIND_CHANGE, HTTP_PATCH, true},
	[OP_DELETE_USER] = {"delete_user", "deleting the user", KIND_REMOVE, HTTP_DELETE, true},
	[OP_LIST_MEMBERS] = {"list_members", "listing the group's members", KIND_FIND, HTTP_GET, false},
	[OP_READ_CONFIG] = {"read_config", "reading the application's description of itself", KIND_READ,
			    HTTP_GET, false},
};

static bool is_success(enum op_kind kind, long status)
{
	switch (kind) {
	case KIND_FIND:
	case KIND_READ:
		return status == 200;
	case KIND_CREATE:
		return status == 200 || status == 201;
	case KIND_CHANGE:
	case KIND_REMOVE:
		return status == 200 || status == 204;
	}
	return false;
}

bool answer_is_page(const struct http_answer *answer)
{
	size_t blanks = 0;

	while (blanks < answer->len && strchr(" \t\r\n", answer->body[blanks]) != NULL)
		blanks++;
	return blanks < answer->len && answer->body[blanks] != '{';
}

/* scimType of an error (RFC 7644, 3.12); many applications send none. Without memory to read it any type may be: looking
 * again costs a request, being refused for good costs the membership. */
static bool has_type(const struct http_answer *answer, const char *type)
{
	cJSON *error = NULL;
	enum err err = json_parse(answer->body, answer->len, &error, NULL);
	const char *text;
	bool equal;

	if (err != ERR_OK)
		return err == ERR_NOMEM;
	text = attribute_member_text(error, "scimType");
	equal = text != NULL && strcmp(text, type) == 0;
	cJSON_Delete(error);
	return equal;
}

static enum outcome bad_request(enum op_kind kind, const struct http_answer *answer)
{
	/* Perhaps noTarget; AWS sends no scimType that would tell. */
	if (kind == KIND_REMOVE)
		return OUTCOME_ALREADY;
	if (kind == KIND_CREATE && has_type(answer, "uniqueness"))
		return OUTCOME_LOOK_AGAIN;
	if (kind == KIND_CHANGE && has_type(answer, "noTarget"))
		return OUTCOME_LOOK_AGAIN;
	return OUTCOME_REFUSED;
}

static enum outcome not_there(enum op_kind kind)
{
	switch (kind) {
	case KIND_FIND:
	case KIND_CREATE:
		/* There is no such endpoint: the URL is wrong, or a gateway is between. */
		return OUTCOME_MISCONFIGURED;
	case KIND_READ:
	case KIND_CHANGE:
		return OUTCOME_LOOK_AGAIN;
	case KIND_REMOVE:
		return OUTCOME_ALREADY;
	}
	return OUTCOME_SICK;
}

static enum outcome by_status(enum op_kind kind, const struct http_answer *answer, bool asks_to_wait)
{
	switch (answer->status) {
	case 400:
		return bad_request(kind, answer);
	case 401:
		return OUTCOME_MISCONFIGURED;
	case 403: /* some applications throttle with it, and then say for how long */
		return asks_to_wait ? OUTCOME_THROTTLED : OUTCOME_MISCONFIGURED;
	case 404:
		return not_there(kind);
	case 409: /* on a PATCH it is a concurrent modification, on a creation a duplicate */
		return kind == KIND_CREATE ? OUTCOME_LOOK_AGAIN : OUTCOME_RETRY;
	case 408:
	case 412:
	case 425:
		return OUTCOME_RETRY;
	case 429:
	case 503:
		return OUTCOME_THROTTLED;
	default: /* any other number that a server may send */
		return answer->status >= 400 && answer->status < 500 ? OUTCOME_REFUSED : OUTCOME_SICK;
	}
}

struct scim_result outcome_of(enum scim_op op, const struct http_answer *answer, int64_t now_ms)
{
	enum op_kind kind = ops[op].kind;
	int64_t after_ms = retry_after_ms(answer->retry_after, now_ms);
	struct scim_result result = {OUTCOME_SICK, after_ms > 0 ? after_ms : 0};

	if (after_ms < 0)
		result.wait_ms = retry_reset_ms(answer->rate_limit_reset, now_ms);
	if (answer->status == 0)
		result.wait_ms = 0;
	else if (is_success(kind, answer->status))
		result.outcome = answer_is_page(answer) && kind != KIND_CREATE ? OUTCOME_SICK : OUTCOME_DONE;
	else
		result.outcome = by_status(kind, answer, after_ms >= 0);
	if (result.outcome != OUTCOME_THROTTLED)
		result.wait_ms = 0;
	return result;
}

const char *outcome_name(enum outcome outcome)
{
	static const char *const names[OUTCOME_COUNT] = {
		[OUTCOME_DONE] = "done",
		[OUTCOME_ALREADY] = "already",
		[OUTCOME_LOOK_AGAIN] = "look_again",
		[OUTCOME_RETRY] = "retry",
		[OUTCOME_THROTTLED] = "throttled",
		[OUTCOME_REFUSED] = "refused",
		[OUTCOME_MISCONFIGURED] = "misconfigured",
		[OUTCOME_SICK] = "sick",
	};

	return names[outcome];
}

enum http_method scim_op_method(enum scim_op op)
{
	return ops[op].method;
}

bool scim_op_is_for_seat(enum scim_op op)
{
	return ops[op].for_seat;
}

bool scim_op_is_patch(enum scim_op op)
{
	return op == OP_ADD_MEMBERS || op == OP_REMOVE_MEMBERS;
}

const char *scim_op_words(enum scim_op op)
{
	return ops[op].words;
}

const char *scim_op_name(enum scim_op op)
{
	return ops[op].name;
}
