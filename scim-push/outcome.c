/* The one place that gives HTTP statuses a meaning. */
#include "scim-push/outcome.h"

#include <stdbool.h>

static bool is_success(enum scim_op op, long status)
{
	switch (op) {
	case OP_FIND_GROUP:
	case OP_FIND_USER:
	case OP_CONFIRM:
		return status == 200;
	case OP_CREATE_USER:
		return status == 200 || status == 201;
	case OP_ADD_MEMBERS:
	case OP_REMOVE_MEMBERS:
		return status == 200 || status == 204;
	}
	return false;
}

/* 400 and 404 depend on what was asked. */
static enum outcome not_there(enum scim_op op)
{
	switch (op) {
	case OP_FIND_GROUP:
	case OP_FIND_USER:
	case OP_CREATE_USER:
		/* There is no such endpoint: the URL is wrong, or a gateway is between. Configuration heals it. */
		return OUTCOME_RETRY;
	case OP_ADD_MEMBERS:
	case OP_CONFIRM:
		return OUTCOME_LOOK_AGAIN;
	case OP_REMOVE_MEMBERS:
		return OUTCOME_ALREADY;
	}
	return OUTCOME_RETRY;
}

static enum outcome conflict(enum scim_op op)
{
	/* On a PATCH it is a concurrent modification, on a creation a duplicate. */
	return op == OP_CREATE_USER ? OUTCOME_LOOK_AGAIN : OUTCOME_RETRY;
}

enum outcome outcome_of(enum scim_op op, long status)
{
	if (is_success(op, status))
		return OUTCOME_DONE;
	switch (status) {
	case 400: /* for a removal perhaps noTarget; AWS sends no scimType that would tell */
		return op == OP_REMOVE_MEMBERS ? OUTCOME_ALREADY : OUTCOME_REFUSED;
	case 401:
	case 403:
		return OUTCOME_UNAUTHORISED;
	case 404:
		return not_there(op);
	case 409:
		return conflict(op);
	case 408:
	case 412:
	case 425:
		return OUTCOME_RETRY;
	case 429:
	case 503:
		return OUTCOME_THROTTLED;
	default: /* any other number that a server may send */
		return status >= 400 && status < 500 ? OUTCOME_REFUSED : OUTCOME_RETRY;
	}
}

const char *scim_op_words(enum scim_op op)
{
	switch (op) {
	case OP_FIND_GROUP:
		return "looking up the group";
	case OP_FIND_USER:
		return "looking up the user";
	case OP_CREATE_USER:
		return "creating the user";
	case OP_ADD_MEMBERS:
		return "adding to the group";
	case OP_REMOVE_MEMBERS:
		return "removing from the group";
	case OP_CONFIRM:
		return "confirming the membership";
	}
	return "calling the application";
}

const char *scim_op_name(enum scim_op op)
{
	static const char *const names[] = {
		[OP_FIND_GROUP] = "find_group",         [OP_FIND_USER] = "find_user",
		[OP_CREATE_USER] = "create_user",       [OP_ADD_MEMBERS] = "add_members",
		[OP_REMOVE_MEMBERS] = "remove_members", [OP_CONFIRM] = "confirm",
	};

	return names[op];
}
