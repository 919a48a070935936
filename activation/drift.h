/*
 * The drift check as the store sees it (activation/drift_check.lua): which group is to be read next, whom the broker
 * knows of in it, and what the comparison has found. Whoever reads the application holds the piece of the cycle's step,
 * which stays theirs. Each call takes its `done` once, perhaps before it returns; what it is handed is borrowed until then.
 */
#ifndef ACTIVATION_DRIFT_H
#define ACTIVATION_DRIFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "activation/piece.h"
#include "base/err.h"

struct activation;

#define DRIFT_FOUND_MAX 100 /* in one call */

/* What is to be done about those who do not belong into a group. */
enum drift_exclusive { DRIFT_OPEN, DRIFT_REPORT, DRIFT_REMOVE };

struct drift_group {
	const char *id; /* borrowed for the call */
	enum drift_exclusive exclusive;
};

enum drift_word {
	DRIFT_LOOK,    /* this group; a token is taken under the piece's id */
	DRIFT_NOTHING, /* in none of the groups there is anything to compare */
	DRIFT_WAIT,    /* no token is free for the cycle */
	DRIFT_LOST     /* another broker has the piece, or the store did not answer */
};

/* `index` and `group_id` (how the application knows the group, "" = not known; borrowed) with DRIFT_LOOK. */
typedef void drift_found_group(void *ctx, enum drift_word word, size_t index, const char *group_id);
void drift_find(const struct piece *piece, const struct drift_group groups[], size_t count,
		drift_found_group *done, void *ctx);

enum drift_kind {
	DRIFT_EXPECTED, /* is to be there */
	DRIFT_GONE,     /* was removed a while ago, and is not to be there */
	DRIFT_KNOWN     /* nothing can be said */
};

struct drift_row {
	const char *user, *person; /* borrowed: id in the application, principalId */
	enum drift_kind kind;
};

struct drift_page {
	const struct drift_row *rows;
	size_t count;
	const char *next; /* what to ask for next; "" = this was the last */
};

/* Whom the broker knows of: `at` is "0", or what the page before named. `page` is NULL when the store did not answer. */
typedef void drift_paged(void *ctx, const struct drift_page *page);
void drift_page(const struct piece *piece, const char *group, const char *at, drift_paged *done, void *ctx);

enum drift_what {
	DRIFT_MISSING,  /* principalIds: expected, and not there */
	DRIFT_RETURNED, /* "USER\nPERSON": gone, and there */
	DRIFT_ABSENT,   /* "USER\nPERSON": gone, and not there */
	DRIFT_FOREIGN   /* ids in the application: there, and nobody knows of them */
};

struct drift_finding {
	enum drift_what what;
	const struct drift_group *group;
	const char *group_id; /* in the application */
	char *const *items;   /* borrowed for the call */
	size_t count;         /* to DRIFT_FOUND_MAX */
	size_t left;          /* of DRIFT_FOREIGN: how many the store has not been told of, these included */
};

/* `count` = how many of them are new; < 0: the piece is lost. */
typedef void drift_told(void *ctx, int64_t count);
void drift_found(const struct piece *piece, const struct drift_finding *finding, drift_told *done, void *ctx);

/* The group is compared; so many were found that had returned, and that are foreign. `done` gets 0, or -1. */
void drift_end(const struct piece *piece, const struct drift_group *group, const int64_t found[2],
	       drift_told *done, void *ctx);

#endif
