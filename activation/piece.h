/*
 * A piece of one of the sync cycle's steps (activation/cycle_step.lua): what a cycle does besides pushing what was
 * deferred. The broker that holds a piece does it and says from where the step goes on; should it die, another one is
 * handed the same piece when the claim has run out.
 */
#ifndef ACTIVATION_PIECE_H
#define ACTIVATION_PIECE_H

#include <stdbool.h>
#include <stdint.h>

#include "activation/order.h"
#include "base/err.h"
#include "base/id.h"

struct activation;
struct reply;

#define STEP_NAME_SIZE 16
#define STEPS_SIZE     96 /* names of steps and how much work they have: "drift:12 users:30" */

struct piece {
	char id[ID_SIZE]; /* also of the token, where the step takes one */
	char application[APP_ID_SIZE];
	char step[STEP_NAME_SIZE];
	char at[NAME_SIZE];  /* where the step is; "" = at its beginning */
	int64_t begun_ms;    /* clock_mono_ms() */
	int64_t deadline_ms; /* clock_mono_ms() at which its requests must have been given up */

	/* Set by whoever carries it out: */
	char next_at[NAME_SIZE]; /* from where the step goes on */
	bool is_last;            /* the step is over */
	int64_t walked;          /* how much of the step's work this was, as counted when the cycle began */
	int64_t did;             /* and how much of it had something to do */
	int64_t failures;
	bool unanswered;       /* its last request may still be running in the application */
	int64_t closed_for_ms; /* the application asked for silence (Retry-After) */
	enum order_health health;
	const char
		*health_words; /* why it is not HEALTH_OK; borrowed until piece_end() returns; NULL = none */
	uint32_t chance;       /* a random number, for pauses */

	struct activation *activation;
};

/* Reads the answer of a function; NULL when it is no piece or memory is short (the claim then runs out). */
struct piece *piece_read(struct activation *activation, const struct reply *reply,
			 int64_t begun_ms) MUST_CHECK;

/* Tells what came of the piece, once, and frees it. Should the store not hear it, the claim runs out, and what the piece
 * did is done again. */
void piece_end(struct piece *piece);

#endif
