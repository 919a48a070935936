#include "webhook/signing.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "base/digest.h"

const char *signing_reason(enum signing_verdict verdict)
{
#define SIGNING_REASON(name, reason) [name] = (reason),
	static const char *const reasons[] = {SIGNING_VERDICTS(SIGNING_REASON)};
#undef SIGNING_REASON

	return reasons[verdict];
}

enum err signing_add(struct signing_keys *keys, const void *bytes, size_t len, struct errctx *ec)
{
	struct signing_key *key;

	if (keys->count == SIGNING_KEYS_MAX)
		return err_set(ec, ERR_CONFIG, "more than %d secrets for one source", SIGNING_KEYS_MAX);
	if (len == 0 || len > SIGNING_KEY_BYTES)
		return err_set(ec, ERR_CONFIG, "a secret has 1 to %d bytes", SIGNING_KEY_BYTES);
	key = &keys->keys[keys->count];
	memcpy(key->bytes, bytes, len);
	key->len = len;
	keys->count++;
	return ERR_OK;
}

void signing_wipe(struct signing_keys *keys)
{
	digest_wipe(keys, sizeof(*keys));
}

static bool mac_pieces(EVP_MAC_CTX *ctx, const struct signing_piece *pieces, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (pieces[i].len > 0 && EVP_MAC_update(ctx, pieces[i].bytes, pieces[i].len) != 1)
			return false;
	return true;
}

void signing_mac(const struct signing_key *key, const struct signing_piece *pieces, size_t count,
		 unsigned char out[SIGNING_MAC_BYTES])
{
	char sha256[] = "SHA256";
	const OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, sha256, 0),
		OSSL_PARAM_construct_end(),
	};
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	EVP_MAC_CTX *ctx = EVP_MAC_CTX_new(mac); /* NULL for NULL */
	size_t len = 0;

	if (ctx == NULL || EVP_MAC_init(ctx, key->bytes, key->len, params) != 1 ||
	    !mac_pieces(ctx, pieces, count) || EVP_MAC_final(ctx, out, &len, SIGNING_MAC_BYTES) != 1 ||
	    len != SIGNING_MAC_BYTES)
		abort();
	EVP_MAC_CTX_free(ctx);
	EVP_MAC_free(mac);
}

int64_t signing_seconds(const char *text)
{
	size_t digits = strspn(text, "0123456789");
	int64_t seconds = 0;

	if (digits == 0 || digits > SIGNING_TIME_DIGITS || text[digits] != '\0' || text[0] == '0')
		return -1;
	for (; *text != '\0'; text++)
		seconds = seconds * 10 + (*text - '0');
	return seconds;
}

enum signing_verdict signing_time(const char *timestamp, int64_t now_ms)
{
	int64_t now_s = now_ms / 1000, seconds;

	if (timestamp == NULL || *timestamp == '\0')
		return SIGNING_TIME_MISSING;
	seconds = signing_seconds(timestamp);
	if (seconds < 0)
		return SIGNING_TIME_INVALID;
	if (seconds < now_s - SIGNING_TOLERANCE_S)
		return SIGNING_TOO_OLD;
	if (seconds > now_s + SIGNING_TOLERANCE_S)
		return SIGNING_TOO_NEW;
	return SIGNING_VALID;
}
