/*
 * Tokens whose signature has been checked, by the SHA-256 of their text, so that it is checked once. Bounded by
 * number and by memory: the one that was not seen for the longest time gives way. Knows no clock: each entry says
 * until when it counts, and with which key it was verified; the caller asks whether that key still stands.
 */
#ifndef SIGN_IN_REMEMBERED_H
#define SIGN_IN_REMEMBERED_H

#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "sign-in/identity.h"
#include "sign-in/jwt.h"

#define REMEMBERED_TOKENS_MAX 4096
#define REMEMBERED_BYTES_MAX  ((size_t)8 << 20) /* of the 32 MiB that a broker may take at rest */

struct remembered;

struct remembered_token {
	unsigned char digest[SHA256_BYTES];
	const struct identity *identity; /* held by the table while it keeps the entry */
	size_t issuer;                   /* the caller's number for it */
	char kid[JWT_KID_SIZE];
	unsigned char fingerprint[SHA256_BYTES]; /* of the key */
	int64_t until_ms;                        /* Unix time */
};

struct remembered *remembered_new(void); /* NULL when there is no memory */
void remembered_free(struct remembered *table);

/* The entry, now the one seen last, or NULL. Borrowed until the next call. */
const struct remembered_token *remembered_find(struct remembered *table,
					       const unsigned char digest[SHA256_BYTES]);

/*
 * Keeps a copy, and a reference of its identity, in place of an older entry of that digest. Keeps nothing when there
 * is no memory: the signature is then checked again.
 */
void remembered_keep(struct remembered *table, const struct remembered_token *token);

/* Without effect when it is not kept. */
void remembered_forget(struct remembered *table, const unsigned char digest[SHA256_BYTES]);

/* Forgets all that no longer count at that time. */
void remembered_sweep(struct remembered *table, int64_t wall_ms);

size_t remembered_count(const struct remembered *table);

#endif
