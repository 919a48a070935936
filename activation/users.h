/*
 * Users of an application, apart from their memberships, as two steps of the sync cycle (activation/users.lua): those
 * whom the broker created and who have no membership any more are to be deactivated or deleted ("leavers"), and the
 * attributes of the others are to be looked at ("attributes"). The broker that holds the step's piece takes some users,
 * does what is to be done, tells what came of them, and then ends the piece.
 */
#ifndef ACTIVATION_USERS_H
#define ACTIVATION_USERS_H

#include <stdbool.h>
#include <stddef.h>

#include "activation/piece.h"

#define USERS_MOST        20 /* of one piece */
#define USERS_ID_SIZE     129
#define USERS_DIGEST_SIZE 17

enum users_aim { USERS_UPDATE, USERS_DEACTIVATE, USERS_DELETE };

enum users_verdict {
	USERS_DONE,
	USERS_SAME,
	USERS_GONE,
	USERS_KEPT,
	USERS_SKIPPED,
	USERS_RETRY,
	USERS_REFUSED
};

struct users_task {
	char principal[NAME_SIZE];
	char *person; /* JSON object with what is known of them; "" = forgotten */
	char user_id[USERS_ID_SIZE];
	char digest
		[USERS_DIGEST_SIZE]; /* of the update that the application accepted last; in and out, "" = none */
	bool again;                  /* an end that was tried before, without an answer */
	/* What came of it: */
	enum users_verdict verdict;
	bool in_doubt;         /* of an end */
	int status;            /* the application's HTTP status; 0 = none */
	char words[TEXT_SIZE]; /* the application's; of an update that is done, the attributes */
};

struct users_work {
	size_t count;
	struct users_task tasks[];
};

/* `work` is NULL where nothing is to be done in this piece: no token is free, or, with `is_over`, in this step. It is the
 * callee's, for users_free(). */
typedef void users_taken(void *ctx, struct users_work *work, bool is_over);
/* Takes a token for the piece, and users. The step's name says which. */
void users_take(struct piece *piece, users_taken *done, void *ctx);
void users_free(struct users_work *work); /* NULL is legal */

/* Is the user still to be deactivated or deleted? Asked immediately before, because from then on it counts as perhaps done,
 * whatever becomes of the broker; false as well when that cannot be told. */
typedef void users_checked(void *ctx, bool go);
void users_check(struct piece *piece, enum users_aim aim, const char *principal, users_checked *done,
		 void *ctx);

/* Tells what came of them (an update that was skipped is still to be looked at), and then calls `done`, whether the
 * store has heard it or not. */
typedef void users_told(void *ctx);
void users_tell(struct piece *piece, enum users_aim aim, const struct users_work *work, users_told *done,
		void *ctx);

#endif
