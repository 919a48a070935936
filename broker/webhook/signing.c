#include "webhook/signing.h"

#include <string.h>

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

void signing_mac(const struct signing_key *key, const struct digest_piece *pieces, size_t count,
		 unsigned char out[SIGNING_MAC_BYTES])
{
	digest_hmac(key->bytes, key->len, pieces, count, out);
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
