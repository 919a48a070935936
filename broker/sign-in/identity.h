/*
 * Who a verified token speaks for: its claims as values, read by configurable claim names. Counted references, because
 * a request keeps it for its own life and the table of verified tokens for the token's.
 */
#ifndef SIGN_IN_IDENTITY_H
#define SIGN_IN_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/json.h"

#define IDENTITY_TEXT_MAX    256  /* bytes of each text; what the broker keeps of names is no longer */
#define IDENTITY_GROUPS_MAX  1024 /* a token of 8 KiB has room for about 150 ids, or more short names */
#define IDENTITY_METHODS_MAX 32
#define IDENTITY_CLAIMS_MAX  512 /* values of other claims; what is beyond is left out */

/*
 * Which claim is what. NULL takes the default, which stands behind; "" reads none. Names of OpenID Connect Core, section
 * 5.1, where it has one. A claim name is matched exactly, it is not a path.
 */
struct identity_claims {
	const char *id;             /* sub */
	const char *user_name;      /* preferred_username */
	const char *groups;         /* groups */
	const char *authentication; /* amr, acr and acrs together */
	const char *display_name;   /* name */
	const char *given_name;     /* given_name */
	const char *family_name;    /* family_name */
	const char *email;          /* email */
};

struct identity_list {
	size_t count;
	const char *const *texts;
};

/* One value of a claim that has no meaning here; a list of values is as many of these. */
struct identity_claim {
	const char *name, *value;
};

struct identity_claim_list {
	size_t count;
	const struct identity_claim *list;
};

/* Texts are never NULL; "" is an absent claim. All of it lives as long as the identity. */
struct identity {
	const char *issuer, *subject;
	const char *id; /* what the broker knows the principal by; never "" */
	const char *user_name, *display_name, *given_name, *family_name, *email;
	const char *oid;       /* Entra's id of the person, where there is one */
	const char *client_id; /* the program that got the token: client_id, azp or appid */
	const char *jti;       /* with the issuer, what names this token */
	struct identity_list groups;
	struct identity_list methods; /* how they authenticated: values of amr, acr, acrs */
	/* All of the token's claims that are texts, whole numbers, true or false, or lists of these, as texts, for policies.
	 * Not `groups`, which may be called otherwise, nor what is longer than IDENTITY_TEXT_MAX, which no policy names. */
	struct identity_claim_list claims;
	bool claims_left_out; /* there were more than IDENTITY_CLAIMS_MAX */
	bool groups_left_out; /* the provider left them out for their number (Entra's _claim_names) */
	int64_t expires_ms;   /* Unix time of `exp` */
	size_t size;          /* bytes of memory that this takes */
};

/*
 * Reads the claims of a token that has been verified. Groups and methods are a list of texts or one text; one text of
 * groups is split at commas. ERR_UNAUTHENTICATED with a fixed sentence when the claim for `id` is absent, `id` or
 * `user_name` is an e-mail address that the provider calls unverified, or a claim has the wrong type, is longer than
 * IDENTITY_TEXT_MAX, holds control characters, or lists too many; ERR_NOMEM. On ERR_OK the caller releases *out.
 */
enum err identity_make(const cJSON *token_claims, const struct identity_claims *names, int64_t expires_ms,
		       const struct identity **out, struct errctx *ec) MUST_CHECK;

const struct identity *identity_hold(const struct identity *identity); /* one more reference */
void identity_release(const struct identity *identity);                /* NULL is legal */

#endif
