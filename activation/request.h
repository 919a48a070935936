/*
 * A request as callers see it: a plain value with bounded texts, read from the answer of a Redis function. Times
 * are Unix milliseconds, 0 = none.
 */
#ifndef ACTIVATION_REQUEST_H
#define ACTIVATION_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "activation/states.h"
#include "base/id.h"

#define ACTION_SIZE      24
#define FINGERPRINT_SIZE 33

struct reply;

struct request {
	char id[ID_SIZE];
	enum state state;
	char action[ACTION_SIZE]; /* "selfActivate", "selfDeactivate" */
	char application[APP_ID_SIZE];
	char group[ID_SIZE];
	char principal[NAME_SIZE];
	char created_by[NAME_SIZE];
	char user_name[NAME_SIZE],
		display_name[NAME_SIZE]; /* the principal's; told where requests are read, "" = none */
	int64_t created_ms;
	int64_t asked_start_ms;
	int64_t start_ms; /* of the assignment: the asked start, or when it was granted */
	int64_t end_ms;
	int64_t duration_ms;  /* as asked; 0 when an end was asked */
	int64_t confirmed_ms; /* the application first confirmed the membership */
	int64_t closed_ms;    /* in a final state since */
	char justification[TEXT_SIZE];
	char ticket_number[TICKET_SIZE];
	char ticket_system[TICKET_SIZE];
	char custom_data[CUSTOM_SIZE];
	char person_key[41];                /* digest of `person`; of jit_review only */
	char fingerprint[FINGERPRINT_SIZE]; /* of all that was asked */
	char beyond[32];       /* of a trial: the limits that it would exceed (policy_add_limits) */
	char error[TEXT_SIZE]; /* why it failed, or what the application answered last */
	int64_t attempts;      /* failed pushes in a row */
	bool removing;         /* a deactivation whose removal is not yet confirmed */
	bool unverified; /* in force because the application accepted it; it shows nothing that proves it */
	bool standing;   /* the person was a member before, and will stay one */
	bool counts_from_confirmation; /* end_ms is not final before confirmed_ms is set */
	bool break_glass;              /* activated without approval and at any hour, by somebody who may */
	bool needed_approval;
	bool eligible; /* by an administrator's word, when it starts or now; told of one request that is not granted yet */
	unsigned stage;            /* of the approval, from 1; 0 = none was needed */
	int64_t approval_until_ms; /* nobody decides: denied */
	/* The decisions so far, a JSON array of {sg, by, name, res, at, why, no} (activation/approval.lua), and what SCIM and
	 * policy know of the person, a JSON object: borrowed, valid only while the answer is, NULL in lists. */
	const char *decisions, *person;
	int64_t place;       /* in the queue of the next cycle, 1 = first; 0 = not deferred */
	int64_t next_try_ms; /* of a push that failed, or a removal that waits */
	int64_t next_cycle_ms;
};

/* Reads name, value pairs. Unknown names are passed over (a newer library may send them); false when the answer
 * is no request at all. */
bool request_read(struct request *request, const struct reply *reply);

#endif
