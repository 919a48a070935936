/*
 * A SCIM server of other people as the application of a test: tests/scim/server.mjs. Its log has the form of the
 * sandbox's. Functions that fail say why on standard error and return false.
 */
#ifndef SUPPORT_FOREIGN_SCIM_H
#define SUPPORT_FOREIGN_SCIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/support/proc.h"

struct foreign_scim {
	struct proc proc;
	char folder[PROC_PATH_SIZE];             /* holds its logs; removed at the end */
	char requests_path[PROC_PATH_SIZE + 16]; /* for sandbox_log_read() */
	char url[128];                           /* "http://127.0.0.1:PORT/…/scim/v2" */
};

/* `name` is "scimmy" or "better-auth". */
bool foreign_scim_start(struct foreign_scim *f, const char *name);
void foreign_scim_end(struct foreign_scim *f); /* legal also when it was not started */

/* Made by SCIM, as an administrator's other tool would. */
bool foreign_scim_make_user(const struct foreign_scim *f, const char *user_name);
bool foreign_scim_make_group(const struct foreign_scim *f, const char *display_name);
bool foreign_scim_join(const struct foreign_scim *f, const char *group, const char *user_name);
/* False where the server has no such group or user, or refuses; leaving a group that one is not in is done. */
bool foreign_scim_leave(const struct foreign_scim *f, const char *group, const char *user_name);
bool foreign_scim_change_user(const struct foreign_scim *f, const char *user_name, const char *attribute,
			      const char *value);
/* An attribute of the user as SCIM shows it: a text, "true" or "false"; "" when it is not there, or the user is not. */
void foreign_scim_user_text(const struct foreign_scim *f, const char *user_name, const char *attribute,
			    char out[128]);

/* How many entries of that user the group has, by the server's own state; -1 when there is no such group. */
int foreign_scim_entries(const struct foreign_scim *f, const char *group, const char *user_name);
/* How many entries it has in all; -1 when there is no such group. */
int foreign_scim_members(const struct foreign_scim *f, const char *group);
bool foreign_scim_has_user(const struct foreign_scim *f, const char *user_name);

/* Waits until the user has at least one entry, or none. */
bool foreign_scim_wait(const struct foreign_scim *f, const char *group, const char *user_name, bool wanted);

#endif
