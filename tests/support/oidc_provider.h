/*
 * A real OpenID provider in a process of its own: tests/oidc/provider.mjs. Its signing keys are named ALGORITHM-N, with N
 * counting the rotations from 1. Functions that fail say why on standard error and return false.
 */
#ifndef SUPPORT_OIDC_PROVIDER_H
#define SUPPORT_OIDC_PROVIDER_H

#include <stdbool.h>
#include <stddef.h>

#include "tests/support/proc.h"

#define OIDC_AUDIENCE "api://jit" /* of its tokens, where nothing else is asked for */

struct oidc_provider {
	struct proc proc;
	char folder[PROC_PATH_SIZE]; /* holds its log; removed at the end */
	char issuer[64];
};

bool oidc_provider_start(struct oidc_provider *p);
void oidc_provider_end(struct oidc_provider *p); /* legal also when it was not started */

/* A token of its own making; `wanted` is JSON, see provider.mjs. The caller frees *token. */
bool oidc_provider_token(const struct oidc_provider *p, const char *wanted, char **token);

/* The same by its token endpoint, as a program gets it: client credentials. */
bool oidc_provider_client_token(const struct oidc_provider *p, char **token);

bool oidc_provider_rotate(const struct oidc_provider *p, bool keep);
bool oidc_provider_set_down(const struct oidc_provider *p, bool down);

/* A second factor is asked for by `claims` alone from now on, as with Entra ID. */
bool oidc_provider_be_entra(const struct oidc_provider *p);

/* How often its keys, or its discovery document, were asked for; -1 when it does not answer. */
int oidc_provider_key_fetches(const struct oidc_provider *p);
int oidc_provider_discoveries(const struct oidc_provider *p);

#endif
