/*
 * What the signature schemes of webhooks share: the secrets of one source, the HMAC, the judgement of a time
 * stamp, and why a message is refused. Pure: the time is an argument.
 */
#ifndef WEBHOOK_SIGNING_H
#define WEBHOOK_SIGNING_H

#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/err.h"

#define SIGNING_KEYS_MAX    4  /* the secret in use, its successor, and two more during a rotation */
#define SIGNING_KEY_BYTES   64 /* longer ones are hashed by HMAC first and gain nothing */
#define SIGNING_MAC_BYTES   SHA256_BYTES
#define SIGNING_TOLERANCE_S 300         /* either way: Standard Webhooks' and Slack's own */
#define SIGNING_TIME_DIGITS 12          /* enough for the year 33658 */
#define SIGNING_BODY_MAX    (64 * 1024) /* the broker's limit for any body */

struct signing_key {
	size_t len;
	unsigned char bytes[SIGNING_KEY_BYTES];
};

/* The secrets of one source, all equally valid. Starts as zeroes; wipe it before it goes out of scope. */
struct signing_keys {
	size_t count;
	struct signing_key keys[SIGNING_KEYS_MAX];
};

/* X(name, the reason as a sentence): it tells the sender what to mend and nothing about a secret. */
#define SIGNING_VERDICTS(X)                                                                                  \
	X(SIGNING_VALID, "The signature is valid.")                                                          \
	X(SIGNING_NO_KEY, "No secret is configured for this source.")                                        \
	X(SIGNING_BODY_TOO_BIG, "The body is larger than 64 KiB.")                                           \
	X(SIGNING_ID_MISSING, "The header webhook-id is missing or empty.")                                  \
	X(SIGNING_ID_INVALID,                                                                                \
	  "The header webhook-id has more than 128 characters, or a full stop, or one that is not "          \
	  "printable ASCII.")                                                                                \
	X(SIGNING_TIME_MISSING, "The header with the time stamp is missing or empty.")                       \
	X(SIGNING_TIME_INVALID,                                                                              \
	  "The header with the time stamp is not a whole number of seconds since 1970.")                     \
	X(SIGNING_TOO_OLD, "The time stamp is more than five minutes in the past.")                          \
	X(SIGNING_TOO_NEW, "The time stamp is more than five minutes in the future.")                        \
	X(SIGNING_MISSING, "The header with the signature is missing or empty.")                             \
	X(SIGNING_TOO_LONG,                                                                                  \
	  "The header with the signature has more than 2048 characters or more than 16 signatures.")         \
	X(SIGNING_UNKNOWN_VERSION, "The header holds no signature of a version that is known here.")         \
	X(SIGNING_WRONG, "No signature matches this message under any secret of this source.")

#define SIGNING_ENUM(name, reason) name,
enum signing_verdict { SIGNING_VERDICTS(SIGNING_ENUM) SIGNING_VERDICT_COUNT };
#undef SIGNING_ENUM

/* The sentence of a verdict; static. */
const char *signing_reason(enum signing_verdict verdict);

/*
 * Adds a copy of a secret of 1 to SIGNING_KEY_BYTES bytes; the caller wipes its own. ERR_CONFIG when it is too
 * long or there are SIGNING_KEYS_MAX already; the keys are then as before.
 */
enum err signing_add(struct signing_keys *keys, const void *bytes, size_t len, struct errctx *ec) MUST_CHECK;

/* Overwrites all secrets and leaves none. */
void signing_wipe(struct signing_keys *keys);

/* HMAC-SHA256 over the pieces, one behind the other. */
void signing_mac(const struct signing_key *key, const struct digest_piece *pieces, size_t count,
		 unsigned char out[SIGNING_MAC_BYTES]);

/*
 * The seconds in a text of 1 to SIGNING_TIME_DIGITS digits, or -1. A leading zero is refused, so that one time has
 * one text and with it one signature.
 */
int64_t signing_seconds(const char *text);

/*
 * SIGNING_VALID when the text is such a time and no more than SIGNING_TOLERANCE_S from `now_ms` (Unix time); the
 * fraction of the present second does not count. `timestamp` may be NULL: SIGNING_TIME_MISSING.
 */
enum signing_verdict signing_time(const char *timestamp, int64_t now_ms);

#endif
