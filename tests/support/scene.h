/*
 * What the stories of the integration tests do with a world beyond the calls of world.h: many callers at once, a
 * cycle at a chosen moment, the configuration changed under a running broker, and what reached the application.
 */
#ifndef SUPPORT_SCENE_H
#define SUPPORT_SCENE_H

#include "base/digest.h"
#include "tests/support/world.h"

#define SECOND         1000
#define SCENE_NEVER_MS (7LL * 24 * 3600 * SECOND) /* a cycle that no test lives to see */
#define SCENE_CROWD    128
#define SCENE_CHANGES  256
#define SCENE_PATIENCE (20 * SECOND) /* what has not come by then does not come */

/* The usual options: short activations are allowed, and no cycle begins by itself. */
struct world_options scene_defaults(void);

/* cmocka: the world in *state, started with these options; its teardown. */
int scene_open(void **state, const struct world_options *options);
int scene_close(void **state);

/* -- callers ------------------------------------------------------------------------------------------------ */

/*
 * `count` activations at once, each over its own connection. Fails the test when one is not answered with 201.
 * The answers are for the caller to release; NULL when they do not matter.
 */
void scene_activate_many(const struct world *world, const struct world_ask *asks, size_t count,
			 struct http_response *responses);

/* One activation that must be answered with 201; its id. */
void scene_activate(const struct world *world, const struct world_ask *ask, char id[ID_SIZE]);

/* Waits until the request is in that provisioning.state; fails the test when it does not come in time. */
void scene_wait(const struct world *world, const struct world_ask *ask, const char *id, const char *state);

/* Waits until it is over, "removed" or "failed"; fails the test when that does not come in time. */
void scene_wait_over(const struct world *world, const struct world_ask *ask, const char *id);

/* The request as its owner sees it now; fails the test when it is not 200. Release the response. */
void scene_look(const struct world *world, const struct world_ask *ask, const char *id,
		struct http_response *response);

/* GET of a path as that person, whatever the answer. Release the response. */
void scene_get(const struct world *world, size_t person, const char *path, struct http_response *response);
/* Waits until that is answered with this status and this text; the first person asks. What is said of the lanes may be a moment
 * old. */
void scene_says(const struct world *world, const char *path, int status, const char *text);
/* POST …/{id}/cancel; the status. */
int scene_cancel(const struct world *world, size_t person, const char *id);

/* The application's condition, as that broker tells it. Release the response. */
void scene_application(const struct world *world, size_t broker, struct http_response *response);

/* Members of an answer; each fails the test when it is not there or of another type. A time that is null is 0. */
const char *scene_text(const struct http_response *response, const char *path);
int64_t scene_number(const struct http_response *response, const char *path);
int64_t scene_time(const struct http_response *response, const char *path);

/* -- time and configuration --------------------------------------------------------------------------------- */

/* Unix ms so many ms from now, as ISO 8601. */
void scene_from_now(int64_t ms, char out[32]);
/* Waits until that Unix ms has passed. */
void scene_wait_for(int64_t wall_ms);

/* Writes world->config, as the test has changed it, for this broker and makes it read it; false when it says that
 * the old one stays. */
bool scene_reload(struct world *world, size_t broker);

/* Changes the application's cycle on all brokers so that one begins in about `ms` (at most 15 s), the following at
 * least 20 s later; where the machine is too busy for that, later. When it begins, in Unix ms. */
int64_t scene_cycle_in(struct world *world, int64_t ms);

/* The operator begins a cycle of the application now, and waits until none runs any more; fails the test when that does
 * not come in time. */
void scene_cycle(const struct world *world);
/* The first half of that, and the second. */
void scene_begin_cycle(const struct world *world);
void scene_wait_no_cycle(const struct world *world, int64_t timeout_ms);

/* The digest of all that Redis holds but the audit, which a refusal enters too: to see that a call changes no key, no
 * field and no due time. Taken once what the brokers do by themselves after a start or a reload is done. Needs Redis'
 * `--enable-debug-command yes`. */
void scene_digest(const struct world *world, char out[SHA256_HEX]);

/* -- what reached the application --------------------------------------------------------------------------- */

/* One PATCH of members. */
struct scene_change {
	int64_t received_ms, answered_ms;
	int status; /* 0 = no answer */
	bool add;
	size_t members;
	char first[80]; /* the id of the first of them, in the application */
	char group[80]; /* the group's id there */
};

struct scene_changes {
	size_t count, adds, removes;
	size_t most; /* pushes in any 10 s */
	struct scene_change all[SCENE_CHANGES];
};

/* All PATCHes so far, in the order of their arrival. */
void scene_changes(const struct world *world, struct scene_changes *out);

/* Has any request, PATCH or not, named that person? */
bool scene_mentions(const struct world *world, size_t person);

/* How many members that group has in the application. */
size_t scene_members(const struct world *world, size_t group);
/* Waits until it has so many; fails the test when that does not come in time. */
void scene_wait_members(const struct world *world, size_t group, size_t wanted);
/* Waits until no group of the world has a member and no removal waits. */
void scene_wait_empty(const struct world *world);
/* Waits until a hanging request is held by the application. */
void scene_wait_hung(const struct world *world, int wanted);

#endif
