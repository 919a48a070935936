/*
 * The books of a test that changes memberships at random: who is to be in which group of the application, and until
 * when. Compared with what the application holds, and its log with what a client may do. Functions that fail say why on
 * standard error.
 */
#ifndef SUPPORT_BOOKS_H
#define SUPPORT_BOOKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/support/world.h"

#define BOOKS_FOREVER INT64_MAX

struct books {
	const struct world *world;
	const char *const
		*standing; /* user names, NULL-terminated: members of every group by somebody else's hand */
	int64_t *until_ms; /* owned; of each person in each group, Unix time; 0 = not to be a member */
};

/* Makes the standing members in the application, too. */
bool books_open(struct books *books, const struct world *world, const char *const *standing);
void books_close(struct books *books);

/* The person is to be a member at least until then. */
void books_extend(struct books *books, size_t person, size_t group, int64_t until_ms);
/* Not any more. */
void books_end(struct books *books, size_t person, size_t group);
int64_t books_until(const struct books *books, size_t person, size_t group);
bool books_wants(const struct books *books, size_t person, size_t group, int64_t now_ms);
/* When the last of those that end has ended; 0 = none does. */
int64_t books_last_end(const struct books *books);

/* Does each group hold the standing members and the wanted ones and nobody else, each at least once? Says nothing. */
bool books_right(const struct books *books);
/* Waits until that is so. */
bool books_wait(const struct books *books, int64_t timeout_ms);
/* Are the standing members in all groups now? */
bool books_standing(const struct books *books);

/* Were there never more than `most` pushes in any window, as the application's log tells it? A PATCH that goes again
 * because an id was out of date belongs to its push; a change to a user is a push of its own. */
bool books_throttled(const struct books *books, size_t most, int64_t window_ms);
/* How many of these there were. */
size_t books_user_changes(const struct books *books);

#endif
