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

/* cmocka's setup and teardown: *state is a struct story with one member, ada@example.com, to be added. */
int story_open(void **state);
int story_close(void **state);

/* Fills the next member: "ada" -> ada@example.com, Ada Lovelace-like names. */
void story_member(struct story *story, const char *name);

/* Runs one push to its end against these rules. */
void story_run(struct story *story, const struct peer_rule *rules, size_t count);
#define STORY_RUN(story, rules) story_run((story), (rules), sizeof(rules) / sizeof((rules)[0]))

/* The same push once more, as if from the beginning; what is remembered stays. */
void story_again(struct story *story);

#endif
