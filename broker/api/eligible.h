/*
 * Eligibility as the policy files give it, in the shape of what administrators give: by name one for each person, by
 * claim for the caller alone, because of nobody else the claims are known. Their ids are made from group, person and
 * times, and so stay what they are over restarts and reloads. Pure but for the configuration that it reads.
 */
#ifndef API_ELIGIBLE_H
#define API_ELIGIBLE_H

#include <stdbool.h>
#include <stddef.h>

#include "activation/list.h"

struct call;

/* Which of them: those that fit the query, in an order of their own, without the first `skip`. */
struct eligible_ask {
	const struct list_query *query;
	size_t skip, most;
	int64_t now_ms;
};

/*
 * Fills `out`, which has room for `most` of them; how many. *total, where it is not NULL, gets how many fit in all.
 * *more says whether others follow.
 */
size_t eligible_list(const struct call *call, const struct eligible_ask *ask, struct request *out, bool *more,
		     size_t *total);

/* The one of that group with that id, if the caller may see it. */
bool eligible_find(const struct call *call, const char *group, const char *id, struct request *out);

#endif
