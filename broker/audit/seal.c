#include "audit/seal.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"

#define LINES_MAX (32 * 1024 * 1024) /* of AUDIT_BATCH events; each is bounded by what the API takes */
#define TEXT_MAX  256

static void name_key(const char *key, char name[SEAL_KEY_SIZE])
{
	char text[512], digest[SHA256_HEX];

	snprintf(text, sizeof(text), "the name of a key of the audit\n%s", key);
	digest_sha256_hex(text, strlen(text), digest);
	digest_wipe(text, sizeof(text));
	snprintf(name, SEAL_KEY_SIZE, "%.8s", digest);
}

/* The key of that name, or NULL. */
static const char *find_key(const struct seal_keys *keys, const char *name)
{
	const char *const all[] = {keys->key, keys->former};
	char known[SEAL_KEY_SIZE];

	for (size_t i = 0; i < 2; i++) {
		if (all[i][0] == '\0')
			continue;
		name_key(all[i], known);
		if (strcmp(known, name) == 0)
			return all[i];
	}
	return NULL;
}

/* What is authenticated: "WORD LANE FROM TO LINK DIGEST". A seal has no link, an anchor no beginning. */
static void print_seal(const struct seal *seal, unsigned lane, char out[TEXT_MAX])
{
	snprintf(out, TEXT_MAX, "seal\n%u\n%lld\n%lld\n%s\n", lane, (long long)seal->from,
		 (long long)seal->to, seal->digest);
}

static void print_anchor(const struct audit_anchor *anchor, unsigned lane, char out[TEXT_MAX])
{
	snprintf(out, TEXT_MAX, "anchor\n%u\n%lld\n%.40s\n%.64s\n", lane, (long long)anchor->number,
		 anchor->link, anchor->digest);
}

static bool mac_holds(const char *key_name, const char *mac, const char *text, const struct seal_keys *keys,
		      struct errctx *why)
{
	const char *key = find_key(keys, key_name);
	char wanted[SHA256_HEX];

	if (keys->key[0] == '\0' && keys->former[0] == '\0')
		return true;
	if (key == NULL) {
		err_set(why, ERR_INTERNAL, "it is not by a key that this broker has");
		return false;
	}
	digest_hmac_hex(key, text, wanted);
	if (strlen(mac) == SHA256_HEX - 1 && digest_equal(mac, wanted, SHA256_HEX - 1))
		return true;
	err_set(why, ERR_INTERNAL, "it was not made with the key");
	return false;
}

void seal_lines_begin(struct buf *lines, const char *digest_before)
{
	buf_init(lines, LINES_MAX);
	buf_addf(lines, "%s\n", digest_before);
}

void seal_lines_add(struct buf *lines, unsigned lane, const struct audit_event *event)
{
	audit_event_line(event, lane, lines);
	buf_adds(lines, "\n");
}

bool seal_lines_end(struct buf *lines, char digest[SHA256_HEX])
{
	bool ok = !buf_failed(lines);

	if (ok)
		digest_sha256_hex(buf_text(lines), lines->len, digest);
	buf_release(lines);
	return ok;
}

void seal_make(struct seal *seal, unsigned lane, const struct seal_keys *keys)
{
	char text[TEXT_MAX];

	print_seal(seal, lane, text);
	name_key(keys->key, seal->key);
	digest_hmac_hex(keys->key, text, seal->mac);
}

void seal_print(const struct seal *seal, char out[SEAL_DETAILS_SIZE])
{
	snprintf(out, SEAL_DETAILS_SIZE,
		 "{\"first\":%lld,\"last\":%lld,\"digest\":\"%s\",\"key\":\"%s\",\"mac\":\"%s\"}",
		 (long long)seal->from, (long long)seal->to, seal->digest, seal->key, seal->mac);
}

static bool take_text(const cJSON *object, const char *name, char *out, size_t size)
{
	const char *text = json_string(object, name);

	if (text == NULL || strlen(text) != size - 1)
		return false;
	memcpy(out, text, size);
	return true;
}

enum err seal_read(struct seal *seal, const struct audit_text *details)
{
	cJSON *object = NULL;
	struct errctx ec;
	const cJSON *from, *to;
	enum err err = json_parse(details->text, details->len, &object, &ec);
	bool ok;

	if (err != ERR_OK)
		return err;
	from = cJSON_GetObjectItemCaseSensitive(object, "first");
	to = cJSON_GetObjectItemCaseSensitive(object, "last");
	ok = cJSON_IsNumber(from) && cJSON_IsNumber(to) &&
	     take_text(object, "digest", seal->digest, sizeof(seal->digest)) &&
	     take_text(object, "key", seal->key, sizeof(seal->key)) &&
	     take_text(object, "mac", seal->mac, sizeof(seal->mac));
	if (ok) {
		seal->from = (int64_t)from->valuedouble;
		seal->to = (int64_t)to->valuedouble;
	}
	cJSON_Delete(object);
	return ok ? ERR_OK : ERR_BAD_REQUEST;
}

bool seal_holds(const struct seal *seal, unsigned lane, const struct seal_keys *keys, struct errctx *why)
{
	char text[TEXT_MAX];

	print_seal(seal, lane, text);
	return mac_holds(seal->key, seal->mac, text, keys, why);
}

void seal_anchor(struct audit_anchor *anchor, unsigned lane, const struct seal_keys *keys, struct seal *texts)
{
	char text[TEXT_MAX];

	texts->key[0] = texts->mac[0] = '\0';
	if (keys->key[0] != '\0') {
		print_anchor(anchor, lane, text);
		name_key(keys->key, texts->key);
		digest_hmac_hex(keys->key, text, texts->mac);
	}
	anchor->key = texts->key;
	anchor->mac = texts->mac;
}

bool seal_anchor_holds(const struct audit_anchor *anchor, unsigned lane, const struct seal_keys *keys,
		       struct errctx *why)
{
	char text[TEXT_MAX];

	print_anchor(anchor, lane, text);
	return mac_holds(anchor->key, anchor->mac, text, keys, why);
}
