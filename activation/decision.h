/*
 * An approver's word on a request. Whether that person may decide is policy, which the caller has asked; here the
 * decision counts once, in one atomic step, and the one who comes second is told who was first.
 */
#ifndef ACTIVATION_DECISION_H
#define ACTIVATION_DECISION_H

#include <stdbool.h>
#include <stdint.h>

#include "activation/activation.h"

/* All texts are borrowed for the call. */
struct decision {
	const struct request *request; /* as it was read; its stage is the one that is decided */
	const char *decider;           /* who decides … */
	const char *decider_name;      /* … how people know them … */
	const char *decider_names;     /* … and all names of that person, as a JSON array */
	bool approve;
	const char *justification;
	unsigned needed;         /* approvals that this stage needs */
	unsigned stages;         /* in all */
	int64_t next_timeout_ms; /* how long the stage after this one may wait */
	const char *limits;      /* of the group: struct ask */
	const char *
		declined; /* what policy has against it by now, which counts at the last approval; "" = nothing */
	const char *
		message; /* what brought it, when that may come twice: a webhook's source and id; "" = a person */
	const char *actor; /* who decides, as actor_write() has written it */
};

/* ERR_OK with the request as it stands then; ERR_FULL, ERR_EXCLUDED, ERR_POLICY or ERR_START_IN_PAST with the request,
 * which has ended by it and says why, when it was the last approval and nothing could be granted (each also when the same
 * person, by whatever account, says the same again); ERR_DECIDED with the request when somebody was faster or it waits no
 * more; ERR_OWN_REQUEST; ERR_NOT_FOUND. */
void activation_decide(struct activation *activation, const struct decision *decision, activation_done *done,
		       void *ctx);

/* A webhook that was refused; all texts are borrowed for the call. */
struct refused_message {
	const char *request, *id; /* what it is about, and its source and id */
	bool approve;
	const char *text; /* what it is refused with, as on_told gets it back */
};

/* `text`: what it was refused with when it came first, borrowed; NULL when it has decided before, as it says. */
typedef void activation_refused_done(void *ctx, enum err err, const char *text);

/* Keeps that, so that its repetition is answered like the first time, by whatever broker. ERR_NOT_FOUND: the id has no
 * lane. */
void activation_refuse_message(struct activation *activation, const struct refused_message *message,
			       activation_refused_done *done, void *ctx);

#endif
