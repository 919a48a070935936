/*
 * What Redis knows of a membership and of a request, for those who compare it with what is written elsewhere: they ask
 * the store by themselves, without an activation. Pure.
 */
#ifndef ACTIVATION_HELD_H
#define ACTIVATION_HELD_H

#include <stdbool.h>
#include <stdint.h>

#include "store/store.h"

/* All texts are borrowed until the call has been given to the store. */
struct held_question {
	const char *application, *group, *principal;
	const char *request; /* its id; "" = none is asked for */
};

struct held_answer {
	int64_t now_ms;  /* by Redis' clock */
	bool membership; /* it is granted, was asked for, or may be in the application */
	bool request;    /* the request is there, whatever has become of it */
};

/* The call that asks; the store must be ready. */
void held_call(const struct store *store, const struct held_question *question, struct store_call *call);
struct held_answer held_read(const struct reply *reply); /* NULL: nothing is known */

#endif
