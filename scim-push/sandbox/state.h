/*
 * The directory's state, printed and changed by hand: behind SCIM's back and outside its rules. What GET state prints can
 * be given to POST state or --seed of another sandbox.
 */
#ifndef SANDBOX_STATE_H
#define SANDBOX_STATE_H

#include "scim-push/sandbox/control.h"

struct control_call {
	const struct control *control;
	const cJSON *body; /* NULL when there is none */
	const char *name;  /* decoded last segment of users/NAME and groups/NAME */
	int64_t now_ms;
};

void state_get(const struct control_call *call, struct answer *answer);
void state_post(const struct control_call *call, struct answer *answer);
void state_delete_user(const struct control_call *call, struct answer *answer);
void state_delete_group(const struct control_call *call, struct answer *answer);

/*
 * {"users":[userName or a whole resource, …], "groups":{NAME:[userName, …]} or [NAME, …], "twins":[NAME, …],
 * "group":NAME, "add":[userName, …], "remove":[…]}; every part is optional. Users and groups are made where they are
 * missing; of twins there is one more each time. ERR_BAD_REQUEST, ERR_NOT_FOUND, ERR_NOMEM; what was done until then
 * stays.
 */
enum err state_change(struct scim *scim, const cJSON *body, int64_t now_ms) MUST_CHECK;

#endif
