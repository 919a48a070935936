/*
 * The application's ids of groups and users that were looked up before, so that a push can begin with its PATCH.
 * A fixed number of places; a new entry overwrites the one in its place. An entry is only a hint: whoever finds
 * it wrong forgets it and looks up again.
 */
#ifndef SCIM_PUSH_NAMES_H
#define SCIM_PUSH_NAMES_H

#include <stdbool.h>

#include "scim-push/scim.h"

enum name_kind { NAME_GROUP, NAME_USER, NAME_TOKEN };

struct names;

struct names *names_new(void); /* NULL: no memory */
void names_free(struct names *names);

/* `url` is the application's: another tenant has other ids. False when it is not known; `id` untouched then. */
bool names_get(const struct names *names, const char *url, enum name_kind kind, const char *name,
	       char id[SCIM_ID_SIZE]);
void names_put(struct names *names, const char *url, enum name_kind kind, const char *name, const char *id);
void names_forget(struct names *names, const char *url, enum name_kind kind, const char *name);

#endif
