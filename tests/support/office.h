/*
 * A world whose broker runs as in production and knows nobody by name: everybody comes with a token of a real OpenID
 * provider. Operators are olga@example.com and the group jit-operators. What goes wrong fails the test.
 */
#ifndef SUPPORT_OFFICE_H
#define SUPPORT_OFFICE_H

#include <stddef.h>

#include "tests/support/oidc_provider.h"
#include "tests/support/tokens.h"
#include "tests/support/world.h"

#define OFFICE_WAIT_MS      20000
#define OFFICE_MINE         PIM "assignmentScheduleRequests/filterByCurrentUser(on='principal')"
#define OFFICE_APPLICATIONS "/api/applications"

enum office_group {
	OFFICE_GROUP_BY_NAME,   /* for amira@example.com */
	OFFICE_GROUP_BY_CLAIM,  /* for the groups cloud and network */
	OFFICE_GROUP_BY_OTHERS, /* for the department platform on level 3; approved by the role lead */
	OFFICE_GROUP_STRONG,    /* for amira@example.com with mfa */
	OFFICE_GROUPS
};

struct office {
	struct oidc_provider provider;
	struct world world;
	const char *program;    /* of its broker, below the build folder; NULL = jit-broker */
	char sign_in[512];      /* lines of the broker's configuration */
	const char *algorithms; /* by which its tokens may be signed, "[ES256]"; NULL = all */
	const char *client;     /* of people who sign in there; NULL = desk */
	const char *step_up;    /* how it is asked for a stronger sign-in; NULL = by acr_values */
};

/* cmocka's setup and teardown: the provider runs, the world not yet. */
int office_setup(void **state);
int office_teardown(void **state);

/* Starts the world; world_passed() is the test's. */
void office_open(struct office *o);

/* Writes the lines of o->sign_in; they count from the next start or reload. */
void office_say(struct office *o, const char *audience, const char *operator);

/* A token of the provider; `wanted` is JSON, see tests/oidc/provider.mjs. The caller frees it. */
char *office_token(const struct office *o, const char *wanted);

/* A token that says it is the provider's, for amira@example.com, signed by somebody else. Release it. */
void office_forge(const struct office *o, struct buf *token, const char *header, enum tokens_method method);

/* `token` NULL = none. Release the response. */
void office_get(const struct office *o, const char *token, const char *url, struct http_response *response);
int office_status(const struct office *o, const char *token, const char *url);
void office_activate(const struct office *o, const char *token, size_t group, struct http_response *response);

/* Activates and waits until the application has the member. */
void office_expect_member(const struct office *o, const char *token, size_t group, const char *user_name);

/* 401 with its challenge and this sentence, and without the token. */
void office_expect_401(const struct office *o, const char *token, const char *why);

#endif
