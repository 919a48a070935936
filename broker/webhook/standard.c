#include "webhook/standard.h"

#include <string.h>

#include <openssl/evp.h>

#include "base/digest.h"

#define PREFIX     "whsec_"
#define PREFIX_LEN (sizeof(PREFIX) - 1)
#define VERSION    "v1,"
#define MAC_BASE64 (WEBHOOK_SIGNATURE_LEN - (sizeof(VERSION) - 1))

/* The base64 of WEBHOOK_SECRET_MAX bytes, and what OpenSSL decodes it to before padding is taken off. */
#define SECRET_CHARS ((WEBHOOK_SECRET_MAX + 2) / 3 * 4)
#define SECRET_ROOM  (SECRET_CHARS / 4 * 3)

/* -- secrets ----------------------------------------------------------------------------------------------- */

/*
 * Decodes canonical base64, or returns -1. OpenSSL's decoder passes over blanks and does not look at the bits
 * that padding leaves unused; only a text that encodes back to itself is taken.
 */
static int decode_secret(const char *text, unsigned char out[SECRET_ROOM])
{
	unsigned char again[SECRET_CHARS + 1];
	size_t len = strlen(text);
	int bytes;

	if (len == 0 || len > SECRET_CHARS || len % 4 != 0)
		return -1;
	bytes = EVP_DecodeBlock(out, (const unsigned char *)text, (int)len);
	if (bytes < 0)
		return -1;
	for (size_t i = len; i > len - 2 && text[i - 1] == '='; i--)
		bytes--;
	if (EVP_EncodeBlock(again, out, bytes) != (int)len || !digest_equal(again, text, len))
		bytes = -1;
	digest_wipe(again, sizeof(again));
	return bytes;
}

enum err webhook_key_add(struct signing_keys *keys, const char *secret, struct errctx *ec)
{
	unsigned char bytes[SECRET_ROOM];
	enum err err;
	int len;

	if (strncmp(secret, PREFIX, PREFIX_LEN) != 0)
		return err_set(ec, ERR_CONFIG, "a webhook secret begins with \"" PREFIX "\"");
	len = decode_secret(secret + PREFIX_LEN, bytes);
	if (len < WEBHOOK_SECRET_MIN || len > WEBHOOK_SECRET_MAX)
		err = err_set(ec, ERR_CONFIG,
			      "behind \"" PREFIX "\" stands the base64 (padded) of %d to %d bytes",
			      WEBHOOK_SECRET_MIN, WEBHOOK_SECRET_MAX);
	else
		err = signing_add(keys, bytes, (size_t)len, ec);
	digest_wipe(bytes, sizeof(bytes));
	return err;
}

/* -- signatures -------------------------------------------------------------------------------------------- */

bool webhook_id_valid(const char *id)
{
	size_t len = 0;

	for (; id[len] != '\0'; len++)
		if (len == WEBHOOK_ID_SIZE - 1 || id[len] <= ' ' || id[len] > '~' || id[len] == '.')
			return false;
	return len > 0;
}

/* Writes "v1,<base64>" and a NUL. */
static void sign_one(const struct signing_key *key, const struct webhook_message *message,
		     char out[WEBHOOK_SIGNATURE_LEN + 1])
{
	const struct digest_piece pieces[] = {
		{message->id, strlen(message->id)},
		{".", 1},
		{message->timestamp, strlen(message->timestamp)},
		{".", 1},
		{message->body, message->len},
	};
	unsigned char mac[SIGNING_MAC_BYTES];

	signing_mac(key, pieces, sizeof(pieces) / sizeof(pieces[0]), mac);
	memcpy(out, VERSION, sizeof(VERSION));
	EVP_EncodeBlock((unsigned char *)out + sizeof(VERSION) - 1, mac, sizeof(mac));
}

enum err webhook_sign(const struct signing_keys *keys, const struct webhook_message *message,
		      char header[WEBHOOK_HEADER_SIZE])
{
	if (keys->count == 0 || !webhook_id_valid(message->id) || signing_seconds(message->timestamp) < 0)
		return ERR_INTERNAL;
	for (size_t i = 0; i < keys->count; i++) {
		char *out = header + i * (WEBHOOK_SIGNATURE_LEN + 1);

		sign_one(&keys->keys[i], message, out);
		if (i > 0)
			out[-1] = ' ';
	}
	return ERR_OK;
}

/* The signatures of version 1 in a header, as pointers to their base64 in it. */
struct candidates {
	const char *base64[WEBHOOK_SIGNATURES_MAX];
	size_t count;
	size_t known; /* also those of version 1 whose length is wrong, which can match nothing */
};

static enum signing_verdict split(const char *header, struct candidates *found)
{
	size_t elements = 0;

	if (header == NULL || header[strspn(header, " ")] == '\0')
		return SIGNING_MISSING;
	if (strnlen(header, WEBHOOK_LIST_MAX + 1) > WEBHOOK_LIST_MAX)
		return SIGNING_TOO_LONG;
	for (const char *p = header + strspn(header, " "); *p != '\0'; p += strspn(p, " ")) {
		size_t len = strcspn(p, " ");

		if (++elements > WEBHOOK_SIGNATURES_MAX)
			return SIGNING_TOO_LONG;
		if (strncmp(p, VERSION, sizeof(VERSION) - 1) == 0) {
			found->known++;
			if (len == WEBHOOK_SIGNATURE_LEN)
				found->base64[found->count++] = p + sizeof(VERSION) - 1;
		}
		p += len;
	}
	return found->known > 0 ? SIGNING_VALID : SIGNING_UNKNOWN_VERSION;
}

static enum signing_verdict compare(const struct signing_keys *keys, const struct webhook_message *message,
				    const struct candidates *given)
{
	char wanted[WEBHOOK_SIGNATURE_LEN + 1];
	unsigned matches = 0;

	for (size_t i = 0; i < keys->count; i++) {
		sign_one(&keys->keys[i], message, wanted);
		for (size_t j = 0; j < given->count; j++)
			matches += digest_equal(wanted + sizeof(VERSION) - 1, given->base64[j], MAC_BASE64);
	}
	digest_wipe(wanted, sizeof(wanted));
	return matches > 0 ? SIGNING_VALID : SIGNING_WRONG;
}

enum signing_verdict webhook_verify(const struct signing_keys *keys, const struct webhook_message *message,
				    const char *signature, int64_t now_ms)
{
	struct candidates given = {.count = 0};
	enum signing_verdict verdict;

	if (keys->count == 0)
		return SIGNING_NO_KEY;
	if (message->len > SIGNING_BODY_MAX)
		return SIGNING_BODY_TOO_BIG;
	if (message->id == NULL || *message->id == '\0')
		return SIGNING_ID_MISSING;
	if (!webhook_id_valid(message->id))
		return SIGNING_ID_INVALID;
	verdict = signing_time(message->timestamp, now_ms);
	if (verdict == SIGNING_VALID)
		verdict = split(signature, &given);
	return verdict == SIGNING_VALID ? compare(keys, message, &given) : verdict;
}
