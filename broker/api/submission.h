/* The body of POST assignmentScheduleRequests, read into a plain value. Pure. */
#ifndef API_SUBMISSION_H
#define API_SUBMISSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/id.h"

enum submission_action {
	ACTION_SELF_ACTIVATE,
	ACTION_SELF_DEACTIVATE,
	ACTION_SELF_EXTEND,
	ACTION_SELF_RENEW, /* what one had and has no more, asked for anew: decided like an activation */
	ACTION_ADMIN_ASSIGN,
	ACTION_ADMIN_UPDATE,
	ACTION_ADMIN_EXTEND,
	ACTION_ADMIN_RENEW, /* what has ended is given anew: an assignment under another name */
	ACTION_ADMIN_REMOVE
};

enum submission_end { END_DEFAULT, END_AFTER_DURATION, END_AT_TIME, END_NEVER };

struct submission {
	enum submission_action action;
	char principal[NAME_SIZE]; /* "" when the body names none */
	char group[ID_SIZE];       /* lower case */
	char justification[TEXT_SIZE];
	char ticket_number[TICKET_SIZE];
	char ticket_system[TICKET_SIZE];
	char custom_data[CUSTOM_SIZE];
	bool only_try;    /* isValidationOnly */
	bool break_glass; /* breakGlass, a member of ours */
	int64_t start_ms; /* 0 = now */
	enum submission_end end;
	int64_t duration_ms; /* END_AFTER_DURATION */
	int64_t end_ms;      /* END_AT_TIME */
};

/*
 * Reads and checks the text. Member names are Graph's; enumerations are read in any case. Unknown members are
 * refused (Graph refuses them too), except OData annotations and Graph's read-only members, which a client that
 * sends a whole object back leaves in. ERR_BAD_REQUEST when it is no JSON object, ERR_INVALID_REQUEST when a value
 * is not acceptable; `ec` says which. *out is valid only with ERR_OK.
 */
enum err submission_read(const char *text, size_t len, struct submission *out, struct errctx *ec) MUST_CHECK;

const char *submission_action_name(enum submission_action action); /* "selfActivate" */
bool submission_is_admin(enum submission_action action); /* an administrator asks for somebody else */
bool submission_ends(enum submission_action action);     /* it ends access instead of giving it */

#endif
