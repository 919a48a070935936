/*
 * Standard Webhooks 1.0.0, symmetric signatures ("v1"): the headers webhook-id, webhook-timestamp and
 * webhook-signature, where the signature is "v1," and the base64 of HMAC-SHA256 over "{id}.{timestamp}.{body}".
 * Pure; nothing is kept but the keys that the caller holds.
 */
#ifndef WEBHOOK_STANDARD_H
#define WEBHOOK_STANDARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "webhook/signing.h"

#define WEBHOOK_ID_SIZE        129 /* 128 characters and a NUL */
#define WEBHOOK_SECRET_MIN     24  /* bytes, as the standard says */
#define WEBHOOK_SECRET_MAX     64
#define WEBHOOK_LIST_MAX       2048 /* characters of a webhook-signature header that is read */
#define WEBHOOK_SIGNATURES_MAX 16   /* in one header: bounds the comparisons */
#define WEBHOOK_SIGNATURE_LEN  47   /* "v1," and 44 characters of base64 */
/* The header that webhook_sign() writes: one signature a key, blanks between them, a NUL. */
#define WEBHOOK_HEADER_SIZE (SIGNING_KEYS_MAX * (WEBHOOK_SIGNATURE_LEN + 1))

/* What is signed. The texts are the headers as received or to be sent, NULL when absent; all borrowed. */
struct webhook_message {
	const char *id;
	const char *timestamp; /* Unix seconds in decimal */
	const void *body;
	size_t len;
};

/*
 * Adds the secret "whsec_" + base64 of WEBHOOK_SECRET_MIN to WEBHOOK_SECRET_MAX bytes; the base64 is padded and
 * canonical. What was decoded on the way is wiped; the caller wipes `secret`. ERR_CONFIG with the reason, which
 * holds nothing of the secret, otherwise; the keys are then as before.
 */
enum err webhook_key_add(struct signing_keys *keys, const char *secret, struct errctx *ec) MUST_CHECK;

/* 1 to 128 printable ASCII characters without blank and full stop: ours, and those that are accepted. */
bool webhook_id_valid(const char *id);

/*
 * Writes the webhook-signature header: one signature for each key, so that the receiver can rotate its secret.
 * ERR_INTERNAL when there is no key or the id or the time stamp could not be verified by anybody.
 */
enum err webhook_sign(const struct signing_keys *keys, const struct webhook_message *message,
		      char header[WEBHOOK_HEADER_SIZE]) MUST_CHECK;

/*
 * Is one of the signatures in the header `signature` (NULL when absent) that of the message under one of the
 * keys, and the time stamp within the tolerance of `now_ms` (Unix time)? Signatures of other versions are
 * passed over. Every signature is compared with every key in constant time, whether or not one matched before.
 */
enum signing_verdict webhook_verify(const struct signing_keys *keys, const struct webhook_message *message,
				    const char *signature, int64_t now_ms) MUST_CHECK;

#endif
