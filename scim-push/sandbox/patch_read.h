/*
 * The operations of a PATCH of a group as they are written: which change is meant, and in which forms that are not
 * every server's. What a dialect does with a form is decided in group_patch.c. Pure.
 */
#ifndef SANDBOX_PATCH_READ_H
#define SANDBOX_PATCH_READ_H

#include <stdbool.h>
#include <stddef.h>

#include <cjson/cJSON.h>

#include "scim-push/sandbox/dialect.h"

#define PATCH_FORMS   6
#define PATCH_ID_SIZE 512

enum patch_kind {
	PATCH_ADD,           /* `members` */
	PATCH_REMOVE_VALUES, /* `members` */
	PATCH_REMOVE_ONE,    /* `id` */
	PATCH_REMOVE_ALL,
	PATCH_REPLACE,     /* `members` */
	PATCH_NAME,        /* `text` */
	PATCH_EXTERNAL_ID, /* `text` */
	PATCH_NO_EXTERNAL_ID,
	PATCH_NOTHING, /* nonsense, see B_NONSENSE among the forms */
};

struct patch_operation {
	enum patch_kind kind;
	size_t form_count;
	enum behaviour forms
		[PATCH_FORMS]; /* those whose setting decides; the first that is not to be applied does */
	const cJSON *members;  /* the first of a list of members, or NULL; borrowed from the body */
	const char *text;      /* borrowed from the body; NULL = it is no text */
	char id[PATCH_ID_SIZE];
};

struct patch_reader {
	bool exact; /* names of attributes count exactly as written */
	/* Called for each change of the operation, in order: one without a path may hold several. False stops. */
	bool (*take)(void *context, const struct patch_operation *operation);
	void *context;
};

/* False as soon as `take` says false. */
bool patch_read(const cJSON *operation, const struct patch_reader *reader);

#endif
