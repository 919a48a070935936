/* One push against a scripted application, from beginning to end, on a loop of its own. */
#ifndef SUPPORT_PUSH_STORY_H
#define SUPPORT_PUSH_STORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uv.h>

#include "scim-push/push.h"
#include "tests/support/scim_peer.h"

#define STORY_MEMBERS_MAX 4
#define STORY_TOKEN       "s3cret-token"

/* Bodies as AWS IAM Identity Center writes them. */
#define STORY_LIST(total, resources)                                                                         \
	"{\"totalResults\":" total ",\"itemsPerPage\":" total ",\"startIndex\":1,"                           \
	"\"schemas\":[\"urn:ietf:params:scim:api:messages:2.0:ListResponse\"],\"Resources\":[" resources     \
	"]}"
#define STORY_GROUP(id)      "{\"id\":\"" id "\",\"displayName\":\"aws-admins\",\"members\":[]}"
#define STORY_USER(id, name) "{\"id\":\"" id "\",\"userName\":\"" name "\",\"active\":true}"
#define STORY_NONE           STORY_LIST("0", "")
#define STORY_ERROR(status, detail)                                                                          \
	"{\"schema\":[\"urn:ietf:params:scim:api:messages:2.0:Error\"],"                                     \
	"\"schemas\":[\"urn:ietf:params:scim:api:messages:2.0:Error\"],\"detail\":\"" detail "\","           \
	"\"status\":\"" status "\",\"exceptionRequestId\":\"0f6ab5a1-7a5e-4b53-a8f5-2a0f5a2d0e11\","         \
	"\"timeStamp\":\"2024-12-10 19:50:00.531\"}"

/* The requests of a push, as rules of the peer match them. */
#define FIND_GROUP    "GET /t/scim/v2/Groups?filter=displayName%20eq%20%22aws-admins%22"
#define FIND_USER(u)  "GET /t/scim/v2/Users?filter=userName%20eq%20%22" u "%40example.com%22"
#define CONFIRM(g, u) "GET /t/scim/v2/Groups?filter=id%20eq%20%22" g "%22%20and%20members%20eq%20%22" u "%22"
#define CREATE        "POST /t/scim/v2/Users"
#define PATCH(g)      "PATCH /t/scim/v2/Groups/" g
#define MEMBERS(op, m)                                                                                       \
	"{\"schemas\":[\"urn:ietf:params:scim:api:messages:2.0:PatchOp\"],\"Operations\":[{\"op\":\"" op     \
	"\",\"path\":\"members\",\"value\":[" m "]}]}"
#define MEMBER(u)    "{\"value\":\"" u "\"}"
#define FOUND(u, id) STORY_LIST("1", STORY_USER(id, u "@example.com"))
#define GROUP(id)    STORY_LIST("1", STORY_GROUP(id))

enum story_consent {
	CONSENT_AT_ONCE, /* push_send() from within on_ready, for the members in `wanted` */
	CONSENT_LATER,   /* the same, 5 ms later */
	CONSENT_NONE,    /* push_send(NULL) */
	CONSENT_NEVER,   /* on_ready is not answered */
	CONSENT_STALL    /* at once, and then the process stands still until the deadline has passed */
};

struct story {
	uv_loop_t loop;
	uv_timer_t later;
	struct peer peer;
	struct pusher *pusher;
	struct scim_target target;
	struct push push;
	struct push_member members[STORY_MEMBERS_MAX];
	bool wanted[STORY_MEMBERS_MAX];
	enum story_consent consent;
	int ready, ended; /* how often the callbacks came */
};

/* Users by userName, groups by displayName, the default mapping. */
void story_target(struct scim_target *target, enum dialect dialect);

/* cmocka's setup and teardown: *state is a struct story with one member, ada@example.com, to be added. */
int story_open(void **state);
int story_close(void **state);

/* Fills the next member: "ada" -> ada@example.com, Ada Lovelace-like names. */
void story_member(struct story *story, const char *name);

/* Runs the addition of ada, who is known, to the group g-1 as u-1; her ids are then remembered. */
void story_run_addition(struct story *story);

/* Fails unless the member's verdict and words are these. */
void story_expect(const struct story *story, size_t member, enum push_verdict verdict, const char *words);

/* Runs one push to its end against these rules. */
void story_run(struct story *story, const struct peer_rule *rules, size_t count);
#define STORY_RUN(story, rules) story_run((story), (rules), sizeof(rules) / sizeof((rules)[0]))

/* Runs the loop until `*ended` is more than 0. */
void story_wait(struct story *story, int *ended);

/* The same push once more, as if from the beginning; what is remembered stays. */
void story_again(struct story *story);

#endif
