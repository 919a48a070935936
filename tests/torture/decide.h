/* One decision about somebody's request: over any broker, and again until it is answered. Any thread's. */
#ifndef TORTURE_DECIDE_H
#define TORTURE_DECIDE_H

#include "tests/torture/dice.h"
#include "tests/torture/ground.h"

struct decision {
	const struct ground_person *by;
	const char *request; /* its id */
	bool approves;
};

/* The status of a GET over any broker, which is sent again as long as nothing definite comes, for a minute at most; 0 = it
 * never came. Release the response in any case. */
int decide_look(struct ground *ground, struct dice *dice, const struct ground_person *who, const char *path,
		struct http_response *response);

/* Sent again in the same way; notes "decide" and "decided" for each sending. The status that came in the end; 0 = none, or it was not sent because
 * its stage cannot be read. */
int decide(struct ground *ground, struct dice *dice, const struct decision *decision);

#endif
