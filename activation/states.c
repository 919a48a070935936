/*
 * A request is what a person asked for; once granted it is an assignment of one person to one group from a start
 * to an end. Its state says how far the application has followed:
 *
 *   new -> (awaiting) -> scheduled -> provisioning -> in force -> expiring -> expired
 *                             \-> deferred (no token: the next cycle) -/        \-> revoking -> revoked (ended early)
 *
 * Access is wanted while a request is waiting, deferred, provisioning or in force and its end has not come. What
 * the application has is a property of the membership (membership.lua); the two are made equal by pushes.
 * Nothing but this table moves a request.
 */
#include "activation/states.h"

#include <string.h>

/* clang-format off */
static const struct rule rules[] = {
	/* from           on                 to               by              effects */
	{ST_NEW,          EV_SCHEDULE,       ST_SCHEDULED,    BY_PERSON,      FX_AT_START},
	{ST_NEW,          EV_JOIN,           ST_IN_FORCE,     BY_PERSON,      FX_AT_END | FX_CONFIRMED | FX_TELL_ACTIVE},
	{ST_NEW,          EV_PUSH,           ST_PROVISIONING, BY_PERSON,      FX_AT_END},
	{ST_NEW,          EV_WAIT,           ST_WAITING,      BY_PERSON,      FX_AT_END},
	{ST_NEW,          EV_DEFER,          ST_DEFERRED,     BY_PERSON,      FX_AT_END | FX_TELL_DEFERRED},
	{ST_NEW,          EV_RECORD,         ST_REVOKED,      BY_PERSON,      FX_CLOSE},
	{ST_NEW,          EV_ASK,            ST_AWAITING,     BY_PERSON,      FX_ASK | FX_TELL_ASKED},

	{ST_AWAITING,     EV_APPROVE,        ST_AWAITING,     BY_APPROVER,    FX_TELL_ASKED},
	{ST_AWAITING,     EV_SCHEDULE,       ST_SCHEDULED,    BY_APPROVER,    FX_DECIDED | FX_AT_START | FX_TELL_DECIDED},
	{ST_AWAITING,     EV_JOIN,           ST_IN_FORCE,     BY_APPROVER,    FX_DECIDED | FX_AT_END | FX_CONFIRMED | FX_TELL_DECIDED | FX_TELL_ACTIVE},
	{ST_AWAITING,     EV_PUSH,           ST_PROVISIONING, BY_APPROVER,    FX_DECIDED | FX_AT_END | FX_TELL_DECIDED},
	{ST_AWAITING,     EV_WAIT,           ST_WAITING,      BY_APPROVER,    FX_DECIDED | FX_AT_END | FX_TELL_DECIDED},
	{ST_AWAITING,     EV_DEFER,          ST_DEFERRED,     BY_APPROVER,    FX_DECIDED | FX_AT_END | FX_TELL_DECIDED | FX_TELL_DEFERRED},
	{ST_AWAITING,     EV_DENY,           ST_DENIED,       BY_APPROVER,    FX_DECIDED | FX_CLOSE | FX_TELL_DECIDED},
	{ST_AWAITING,     EV_REFUSE,         ST_DENIED,       BY_BROKER,      FX_DECIDED | FX_CLOSE | FX_TELL_DECIDED},
	{ST_AWAITING,     EV_TIME_OUT,       ST_DENIED,       BY_TIME,        FX_DECIDED | FX_CLOSE | FX_TELL_DECIDED},
	{ST_AWAITING,     EV_CANCEL,         ST_CANCELED,     BY_PERSON,      FX_DECIDED | FX_CLOSE | FX_TELL_DECIDED},
	{ST_AWAITING,     EV_LAPSE,          ST_LAPSED,       BY_TIME,        FX_DECIDED | FX_CLOSE | FX_TELL_DECIDED},

	{ST_SCHEDULED,    EV_JOIN,           ST_IN_FORCE,     BY_TIME,        FX_AT_END | FX_CONFIRMED | FX_TELL_ACTIVE},
	{ST_SCHEDULED,    EV_PUSH,           ST_PROVISIONING, BY_TIME,        FX_AT_END},
	{ST_SCHEDULED,    EV_WAIT,           ST_WAITING,      BY_TIME,        FX_AT_END},
	{ST_SCHEDULED,    EV_DEFER,          ST_DEFERRED,     BY_TIME,        FX_AT_END | FX_TELL_DEFERRED},
	{ST_SCHEDULED,    EV_REFUSE,         ST_FAILED,       BY_BROKER,      FX_CLOSE | FX_TELL_FAILED},
	{ST_SCHEDULED,    EV_CANCEL,         ST_CANCELED,     BY_PERSON,      FX_CLOSE},
	{ST_SCHEDULED,    EV_LAPSE,          ST_LAPSED,       BY_TIME,        FX_CLOSE | FX_TELL_FAILED},

	{ST_WAITING,      EV_PUSH,           ST_PROVISIONING, BY_BROKER,      FX_NONE},
	{ST_WAITING,      EV_DEFER,          ST_DEFERRED,     BY_BROKER,      FX_TELL_DEFERRED},
	{ST_WAITING,      EV_CONFIRM,        ST_IN_FORCE,     BY_APPLICATION, FX_CONFIRMED | FX_TELL_ACTIVE},
	{ST_WAITING,      EV_REFUSE,         ST_FAILED,       BY_APPLICATION, FX_CLOSE | FX_TELL_FAILED},
	{ST_WAITING,      EV_CANCEL,         ST_CANCELED,     BY_PERSON,      FX_CLOSE},
	{ST_WAITING,      EV_LAPSE,          ST_LAPSED,       BY_TIME,        FX_CLOSE | FX_TELL_FAILED},
	{ST_WAITING,      EV_EXPIRE_REMOVE,  ST_EXPIRING,     BY_TIME,        FX_NONE},
	{ST_WAITING,      EV_REVOKE,         ST_REVOKED,      BY_PERSON,      FX_CLOSE | FX_TELL_ENDED},
	{ST_WAITING,      EV_REVOKE_REMOVE,  ST_REVOKING,     BY_PERSON,      FX_NONE},

	{ST_DEFERRED,     EV_PUSH,           ST_PROVISIONING, BY_BROKER,      FX_NONE},
	{ST_DEFERRED,     EV_CONFIRM,        ST_IN_FORCE,     BY_APPLICATION, FX_CONFIRMED | FX_TELL_ACTIVE},
	{ST_DEFERRED,     EV_REFUSE,         ST_FAILED,       BY_APPLICATION, FX_CLOSE | FX_TELL_FAILED},
	{ST_DEFERRED,     EV_CANCEL,         ST_CANCELED,     BY_PERSON,      FX_CLOSE},
	{ST_DEFERRED,     EV_LAPSE,          ST_LAPSED,       BY_TIME,        FX_CLOSE | FX_TELL_FAILED},
	{ST_DEFERRED,     EV_EXPIRE_REMOVE,  ST_EXPIRING,     BY_TIME,        FX_NONE},
	{ST_DEFERRED,     EV_REVOKE,         ST_REVOKED,      BY_PERSON,      FX_CLOSE | FX_TELL_ENDED},
	{ST_DEFERRED,     EV_REVOKE_REMOVE,  ST_REVOKING,     BY_PERSON,      FX_NONE},

	{ST_PROVISIONING, EV_CONFIRM,        ST_IN_FORCE,     BY_APPLICATION, FX_CONFIRMED | FX_TELL_ACTIVE},
	{ST_PROVISIONING, EV_RETRY,          ST_WAITING,      BY_BROKER,      FX_NONE},
	{ST_PROVISIONING, EV_DEFER,          ST_DEFERRED,     BY_BROKER,      FX_TELL_DEFERRED},
	{ST_PROVISIONING, EV_REFUSE,         ST_FAILED,       BY_APPLICATION, FX_CLOSE | FX_TELL_FAILED},
	{ST_PROVISIONING, EV_LAPSE,          ST_LAPSED,       BY_TIME,        FX_CLOSE | FX_TELL_FAILED},
	{ST_PROVISIONING, EV_EXPIRE_REMOVE,  ST_EXPIRING,     BY_TIME,        FX_NONE},
	{ST_PROVISIONING, EV_REVOKE,         ST_REVOKED,      BY_PERSON,      FX_CLOSE | FX_TELL_ENDED},
	{ST_PROVISIONING, EV_REVOKE_REMOVE,  ST_REVOKING,     BY_PERSON,      FX_NONE},

	{ST_IN_FORCE,     EV_EXPIRE,         ST_EXPIRED,      BY_TIME,        FX_CLOSE | FX_TELL_ENDED},
	{ST_IN_FORCE,     EV_EXPIRE_REMOVE,  ST_EXPIRING,     BY_TIME,        FX_NONE},
	{ST_IN_FORCE,     EV_REVOKE,         ST_REVOKED,      BY_PERSON,      FX_CLOSE | FX_TELL_ENDED},
	{ST_IN_FORCE,     EV_REVOKE_REMOVE,  ST_REVOKING,     BY_PERSON,      FX_NONE},

	{ST_EXPIRING,     EV_RELEASE,        ST_EXPIRED,      BY_APPLICATION, FX_CLOSE | FX_TELL_ENDED},
	{ST_REVOKING,     EV_RELEASE,        ST_REVOKED,      BY_APPLICATION, FX_CLOSE | FX_TELL_ENDED},
};
/* clang-format on */

struct state_text {
	const char *name, *status, *provisioning, *meaning;
};

#define STATE_TEXT(constant, name, status, provisioning, meaning)                                            \
	[constant] = {name, status, provisioning, meaning},
static const struct state_text state_texts[ST_COUNT] = {STATES(STATE_TEXT)};
#undef STATE_TEXT

struct event_text {
	const char *name, *meaning;
};

#define EVENT_TEXT(constant, name, meaning) [constant] = {name, meaning},
static const struct event_text event_texts[EV_COUNT] = {EVENTS(EVENT_TEXT)};
#undef EVENT_TEXT

static const char *const cause_names[] = {
	[BY_PERSON] = "person",           [BY_APPROVER] = "approver", [BY_TIME] = "time",
	[BY_APPLICATION] = "application", [BY_BROKER] = "broker",
};

const struct rule *states_rules(size_t *count)
{
	*count = sizeof(rules) / sizeof(rules[0]);
	return rules;
}

const struct tell *states_tells(size_t *count)
{
#define TELL_ROW(effect, alarm, name) {effect, alarm, name},
	static const struct tell tells[] = {TELLS(TELL_ROW)};
#undef TELL_ROW

	*count = sizeof(tells) / sizeof(tells[0]);
	return tells;
}

const struct tell *states_tell(const char *name)
{
	size_t count;
	const struct tell *tells = states_tells(&count);

	for (size_t i = 0; i < count; i++)
		if (strcmp(tells[i].name, name) == 0)
			return &tells[i];
	return NULL;
}

const char *state_name(enum state state)
{
	return state_texts[state].name;
}

const char *state_status(enum state state)
{
	return state_texts[state].status;
}

const char *state_provisioning(enum state state)
{
	return state_texts[state].provisioning;
}

const char *state_meaning(enum state state)
{
	return state_texts[state].meaning;
}

const char *event_name(enum event event)
{
	return event_texts[event].name;
}

const char *event_meaning(enum event event)
{
	return event_texts[event].meaning;
}

const char *cause_name(enum cause cause)
{
	return cause_names[cause];
}

enum state state_by_name(const char *name)
{
	for (enum state s = 0; s < ST_COUNT; s++)
		if (strcmp(state_texts[s].name, name) == 0)
			return s;
	return ST_COUNT;
}
