/* Any action of Graph's, asked by anybody for anybody; world.h has the two that people ask for most. */
#ifndef SUPPORT_SCENE_ASK_H
#define SUPPORT_SCENE_ASK_H

#include "tests/support/scene.h"

struct scene_ask {
	bool eligibility; /* about eligibility instead of an assignment */
	size_t caller, person, group;
	const char *action;
	const char *schedule; /* scheduleInfo, JSON; NULL = none */
	const char *key;      /* Idempotency-Key; NULL = none */
	bool only_try;
};

/* POSTs it to the first broker. Release the response. */
void scene_ask(const struct world *world, const struct scene_ask *ask, struct http_response *response);

/* Fails the test unless the answer has this status, and the word: the request's status, or the error's code. */
void scene_expect(const struct world *world, const struct scene_ask *ask, int status, const char *word);

/* Activates, again under the same key (ask->idempotency_key) while the store is away or does not know, as a good client
 * does; the request's id. Fails the test when that is not answered with 201 in time, or with anything else. */
void scene_activate_at_last(const struct world *world, const struct world_ask *ask, char id[ID_SIZE]);

/* Expects 201, and copies the request's id. */
void scene_ask_ok(const struct world *world, const struct scene_ask *ask, char id[ID_SIZE]);

#endif
