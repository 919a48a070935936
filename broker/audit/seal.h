/*
 * The seals of the audit. Who can write to Redis can write a whole new chain of events; but not the seals, whose key is
 * with the brokers alone. A seal covers the events since the one before: its digest is SHA-256 over that one's digest and
 * their lines of JSON, and its mac is HMAC-SHA-256 over the lane, the range and the digest. The same for the anchor, which
 * says up to where old events have been forgotten. Pure.
 */
#ifndef AUDIT_SEAL_H
#define AUDIT_SEAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "activation/audit.h"
#include "base/buf.h"
#include "base/digest.h"
#include "base/err.h"

#define SEAL_KEY_SIZE     9 /* the key's name: the beginning of a hash of it */
#define SEAL_DETAILS_SIZE 320

struct seal_keys {
	const char *key, *former; /* "" = none; borrowed */
};

struct seal {
	int64_t from, to; /* numbers of the first and last event */
	char digest[SHA256_HEX];
	char key[SEAL_KEY_SIZE];
	char mac[SHA256_HEX];
};

/* Lines, gathered for a digest: begin, add each event, end. */
void seal_lines_begin(struct buf *lines, const char *digest_before);
void seal_lines_add(struct buf *lines, unsigned lane, const struct audit_event *event);
/* False: no memory. Releases the buffer. */
bool seal_lines_end(struct buf *lines, char digest[SHA256_HEX]);

/* Completes a seal whose range and digest are set, with the first of the keys. */
void seal_make(struct seal *seal, unsigned lane, const struct seal_keys *keys);
void seal_print(const struct seal *seal, char out[SEAL_DETAILS_SIZE]); /* the details of its event */
/* ERR_BAD_REQUEST when it is none; ERR_NOMEM. */
enum err seal_read(struct seal *seal, const struct audit_text *details) MUST_CHECK;
/* Is it by one of these keys? `why` says what is wrong. Without any key there is nothing to compare: true. */
bool seal_holds(const struct seal *seal, unsigned lane, const struct seal_keys *keys, struct errctx *why);

/* The anchor's key and mac, into these texts. */
void seal_anchor(struct audit_anchor *anchor, unsigned lane, const struct seal_keys *keys,
		 struct seal *texts);
bool seal_anchor_holds(const struct audit_anchor *anchor, unsigned lane, const struct seal_keys *keys,
		       struct errctx *why);

#endif
