#include "activation/request.h"

#include <stdio.h>
#include <string.h>

#include "store/store.h"

enum kind { TEXT, BORROWED, NUMBER, COUNT, STATE, FLAG };

struct field {
	const char *name; /* in the store: activation/request.lua */
	enum kind kind;
	size_t offset, size;
};

#define TEXT_FIELD(name, member)                                                                             \
	{                                                                                                    \
		name, TEXT, offsetof(struct request, member), sizeof(((struct request *)0)->member)          \
	}
#define NUMBER_FIELD(name, member)                                                                           \
	{                                                                                                    \
		name, NUMBER, offsetof(struct request, member), 0                                            \
	}

static const struct field fields[] = {
	TEXT_FIELD("id", id),
	{"st", STATE, offsetof(struct request, state), 0},
	TEXT_FIELD("ac", action),
	TEXT_FIELD("ap", application),
	TEXT_FIELD("g", group),
	TEXT_FIELD("p", principal),
	TEXT_FIELD("by", created_by),
	TEXT_FIELD("user_name", user_name),
	TEXT_FIELD("display_name", display_name),
	NUMBER_FIELD("c", created_ms),
	NUMBER_FIELD("a", asked_start_ms),
	NUMBER_FIELD("s", start_ms),
	NUMBER_FIELD("e", end_ms),
	NUMBER_FIELD("d", duration_ms),
	NUMBER_FIELD("cf", confirmed_ms),
	NUMBER_FIELD("en", closed_ms),
	TEXT_FIELD("j", justification),
	TEXT_FIELD("tn", ticket_number),
	TEXT_FIELD("ts", ticket_system),
	TEXT_FIELD("cd", custom_data),
	TEXT_FIELD("pk", person_key),
	TEXT_FIELD("h", fingerprint),
	TEXT_FIELD("er", error),
	TEXT_FIELD("beyond", beyond),
	TEXT_FIELD("member_error", error),
	NUMBER_FIELD("attempts", attempts),
	NUMBER_FIELD("ax", approval_until_ms),
	{"sg", COUNT, offsetof(struct request, stage), 0},
	{"aw", FLAG, offsetof(struct request, needed_approval), 0},
	{"eligible", FLAG, offsetof(struct request, eligible), 0},
	{"ck", FLAG, offsetof(struct request, counts_from_confirmation), 0},
	{"bg", FLAG, offsetof(struct request, break_glass), 0},
	{"decisions", BORROWED, offsetof(struct request, decisions), 0},
	{"person", BORROWED, offsetof(struct request, person), 0},
	{"removing", FLAG, offsetof(struct request, removing), 0},
	{"unverified", FLAG, offsetof(struct request, unverified), 0},
	{"standing", FLAG, offsetof(struct request, standing), 0},
	NUMBER_FIELD("place", place),
	NUMBER_FIELD("next_try", next_try_ms),
	NUMBER_FIELD("next_cycle", next_cycle_ms),
};

static void read_field(struct request *request, const struct field *field, const struct reply *value)
{
	char *at = (char *)request + field->offset;

	switch (field->kind) {
	case TEXT:
		snprintf(at, field->size, "%s", reply_text(value));
		break;
	case BORROWED:
		*(const char **)(void *)at = reply_text(value);
		break;
	case COUNT:
		*(unsigned *)(void *)at = (unsigned)reply_int(value);
		break;
	case NUMBER:
		*(int64_t *)(void *)at = reply_int(value);
		break;
	case STATE:
		*(enum state *)(void *)at = state_by_name(reply_text(value));
		break;
	case FLAG:
		*(bool *)(void *)at = reply_int(value) != 0;
		break;
	}
}

bool request_read(struct request *request, const struct reply *reply)
{
	size_t count = reply_count(reply);

	if (count < 2)
		return false;
	memset(request, 0, sizeof(*request));
	request->state = ST_COUNT;
	for (size_t i = 0; i + 1 < count; i += 2)
		for (size_t f = 0; f < sizeof(fields) / sizeof(fields[0]); f++)
			if (strcmp(fields[f].name, reply_text(reply_at(reply, i))) == 0)
				read_field(request, &fields[f], reply_at(reply, i + 1));
	return request->id[0] != '\0' && request->state != ST_COUNT;
}
