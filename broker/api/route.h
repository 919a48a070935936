/*
 * The table of routes: which method and path is answered by whom, for whom, and what it is for. The router finds the
 * row of a call in it; the description at /openapi.json is printed from it.
 */
#ifndef API_ROUTE_H
#define API_ROUTE_H

#include <stdbool.h>
#include <stddef.h>

struct call;

/* Who may call. From NEED_PERSON on, one has to sign in. */
enum need {
	NEED_NOTHING,
	NEED_STORE,    /* everybody, once the store has been seen */
	NEED_PERSON,   /* asks or decides, as policy says: everybody but auditors, timer jobs and machines */
	NEED_READER,   /* reads what is theirs, auditors everything: everybody but timer jobs */
	NEED_OVERSEER, /* reads what concerns everybody: operators and auditors */
	NEED_OPERATOR, /* changes what concerns everybody */
	NEED_TIMER     /* does what is due: timer jobs and operators */
};

/* What a route of Graph's collections is about. */
enum kind { KIND_ASSIGNMENT, KIND_ELIGIBILITY };
enum shown { SHOWN_REQUESTS, SHOWN_SCHEDULES, SHOWN_INSTANCES };
enum whose { WHOSE_FILTERED, WHOSE_MINE, WHOSE_TO_APPROVE, WHOSE_CREATED };

struct about {
	enum kind kind;
	enum shown shown;
	enum whose whose;
};

struct route {
	const char *method;
	/* Below the base of Graph's PIM for groups when `graph`. "*" is one variable segment; "(principal)", "(approver)" and
	 * "(createdBy)" are the function filterByCurrentUser with that argument. */
	const char *path;
	bool graph;
	enum need need;
	void (*handle)(struct call *call);
	const char *summary; /* one sentence, for the description */
	const char *takes,
		*gives; /* the schemas of the bodies (api/openapi.c); NULL = none. A list gives "[schema" */
	struct about about;
};

/* Whom the route is for: "requester, operator". */
const char *route_roles(enum need need);

/* All rows, in the order in which they are tried. */
const struct route *routes_all(size_t *count);

#endif
