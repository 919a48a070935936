/* The members that an application has shown of a group, to be compared with those that it should have. Pure; bounded. */
#ifndef PROVISION_DRIFT_SET_H
#define PROVISION_DRIFT_SET_H

#include <stdbool.h>
#include <stddef.h>

#include "activation/drift.h"

#define DRIFT_SET_MAX (8 * 1024 * 1024) /* bytes of ids: 200,000 UUIDs */

struct drift_set {
	char *text; /* the ids, each with its NUL */
	size_t len, cap;
	const char **ids; /* into `text`, once sorted */
	bool *known;
	size_t count;
	bool failed; /* memory is short, or there are too many */
};

void drift_set_release(struct drift_set *set);

/* Before it is sorted. What cannot be an id is left out. */
void drift_set_add(struct drift_set *set, const char *id);
/* Makes it ready to be asked; false when it is not whole. */
bool drift_set_sort(struct drift_set *set);

/*
 * Compares one of those whom the broker knows of, who are not foreign from now on. True when there is something to say of
 * them: DRIFT_MISSING, DRIFT_RETURNED or DRIFT_ABSENT.
 */
bool drift_set_compare(struct drift_set *set, const struct drift_row *row, enum drift_what *what);

/* The first at or behind *from who was never compared; NULL when there is none. *from is then behind them. Borrowed. */
const char *drift_set_foreign(const struct drift_set *set, size_t *from);
/* How many of these there are at or behind `from`. */
size_t drift_set_foreigners(const struct drift_set *set, size_t from);

#endif
