/* A sandbox without HTTP for tests, in AWS' dialect: one group "admins", users u1, u2 and u3, of whom the first two are members. */
#ifndef UNIT_SANDBOX_WORLD_H
#define UNIT_SANDBOX_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "scim-push/sandbox/scim.h"

struct world {
	struct scim scim;
	struct answer answer; /* of the last call */
	int64_t now_ms;
	char ids[4][SCIM_ID_SIZE]; /* of the group and of users u1, u2 and u3 */
};

#define PATCH(operations)                                                                                    \
	"{\"schemas\":[\"urn:ietf:params:scim:api:messages:2.0:PatchOp\"],\"Operations\":[" operations "]}"
#define MEMBERS(op, list) "{\"op\":\"" op "\",\"path\":\"members\",\"value\":[" list "]}"
#define ONE(id)           "{\"value\":\"" id "\"}"

/* cmocka's fixtures; *state is the world. */
int world_setup(void **state);
int world_teardown(void **state);

/* In that dialect from now on; then with this one difference, "NAME=VALUE". */
void world_speak(struct world *w, const char *dialect);
void world_behave(struct world *w, const char *behaviour);

/* The status. $0 in target and body is the group's id, $1 to $3 are the users'. */
int world_call(struct world *w, const char *method, const char *target, const char *body);
/* Does the last answer's body hold this text, with $0 to $3 in it? */
bool world_holds(const struct world *w, const char *text);
/* "12" when u1 and u2 are members of the group. */
void world_members(const struct world *w, char out[4]);
void world_make_users(struct world *w, int count);

#endif
