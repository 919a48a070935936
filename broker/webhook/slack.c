#include "webhook/slack.h"

#include <stdbool.h>
#include <string.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/hex.h"
#include "base/json.h"
#include "webhook/member.h"

#define VERSION     "v0="
#define VERSION_LEN (sizeof(VERSION) - 1)
#define MAC_HEX     (2 * (size_t)SIGNING_MAC_BYTES)
#define FIELD       "payload="
#define FIELD_LEN   (sizeof(FIELD) - 1)

/* -- signature --------------------------------------------------------------------------------------------- */

enum err slack_key_add(struct signing_keys *keys, const char *secret, struct errctx *ec)
{
	size_t len = 0;

	while (secret[len] > ' ' && secret[len] <= '~')
		len++;
	if (secret[len] != '\0' || len < SLACK_SECRET_MIN || len > SIGNING_KEY_BYTES)
		return err_set(ec, ERR_CONFIG,
			       "a Slack signing secret has %d to %d printable characters without blanks",
			       SLACK_SECRET_MIN, SIGNING_KEY_BYTES);
	return signing_add(keys, secret, len, ec);
}

static void mac_hex(const struct signing_key *key, const struct slack_message *message, char out[MAC_HEX])
{
	static const char digits[] = "0123456789abcdef";
	const struct digest_piece pieces[] = {
		{"v0:", 3},
		{message->timestamp, strlen(message->timestamp)},
		{":", 1},
		{message->body, message->len},
	};
	unsigned char mac[SIGNING_MAC_BYTES];

	signing_mac(key, pieces, sizeof(pieces) / sizeof(pieces[0]), mac);
	for (size_t i = 0; i < sizeof(mac); i++) {
		out[2 * i] = digits[mac[i] >> 4];
		out[2 * i + 1] = digits[mac[i] & 15];
	}
}

static enum signing_verdict compare(const struct signing_keys *keys, const struct slack_message *message,
				    const char *signature)
{
	unsigned matches = 0;
	char wanted[MAC_HEX];

	if (strncmp(signature, VERSION, VERSION_LEN) != 0)
		return SIGNING_UNKNOWN_VERSION;
	if (strnlen(signature, VERSION_LEN + MAC_HEX + 1) != VERSION_LEN + MAC_HEX)
		return SIGNING_WRONG;
	for (size_t i = 0; i < keys->count; i++) {
		mac_hex(&keys->keys[i], message, wanted);
		matches += digest_equal(wanted, signature + VERSION_LEN, MAC_HEX);
	}
	digest_wipe(wanted, sizeof(wanted));
	return matches > 0 ? SIGNING_VALID : SIGNING_WRONG;
}

enum signing_verdict slack_verify(const struct signing_keys *keys, const struct slack_message *message,
				  const char *signature, int64_t now_ms)
{
	enum signing_verdict verdict;

	if (keys->count == 0)
		return SIGNING_NO_KEY;
	if (message->len > SIGNING_BODY_MAX)
		return SIGNING_BODY_TOO_BIG;
	verdict = signing_time(message->timestamp, now_ms);
	if (verdict != SIGNING_VALID)
		return verdict;
	if (signature == NULL || *signature == '\0')
		return SIGNING_MISSING;
	return compare(keys, message, signature);
}

/* -- body -------------------------------------------------------------------------------------------------- */

/* What form encoders leave as it is (the URL standard's, and JavaScript's encodeURIComponent). */
static bool is_plain(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c != '\0' && strchr("-_.~*!'()", c) != NULL);
}

/* One character of the value at `p`; how many bytes it took, 0 when it is not well formed. */
static size_t decode_one(const char *p, const char *end, char *out)
{
	int byte;

	*out = *p == '+' ? ' ' : *p;
	if (*p != '%')
		return *p == '+' || is_plain(*p) ? 1 : 0;
	if (end - p < 3)
		return 0;
	byte = hex_byte(p + 1);
	if (byte < 0)
		return 0;
	*out = (char)byte;
	return 3;
}

static enum err decode_form(const char *body, size_t len, struct buf *json, struct errctx *ec)
{
	const char *end = body + len, *p = body + FIELD_LEN;

	if (len < FIELD_LEN || memcmp(body, FIELD, FIELD_LEN) != 0)
		return err_set(ec, ERR_BAD_REQUEST, "The body must be the form field \"payload\".");
	while (p < end) {
		char c;
		size_t took = decode_one(p, end, &c);

		if (took == 0 && *p == '&')
			return err_set(ec, ERR_BAD_REQUEST, "The body must be one form field only.");
		if (took == 0)
			return err_set(ec, ERR_BAD_REQUEST, "The form is not well encoded at byte %zu.",
				       (size_t)(p - body));
		buf_add(json, &c, 1);
		p += took;
	}
	return buf_failed(json) ? ERR_NOMEM : ERR_OK;
}

static enum err read_texts(const cJSON *object, const struct member_text *wanted, size_t count,
			   struct errctx *ec)
{
	for (size_t i = 0; i < count; i++) {
		enum err err = member_read(object, &wanted[i], ec);

		if (err != ERR_OK)
			return err;
	}
	return ERR_OK;
}

static enum err read_user(const cJSON *root, struct slack_action *out, struct errctx *ec)
{
	const cJSON *user = cJSON_GetObjectItemCaseSensitive(root, "user");
	const struct member_text wanted[] = {
		{"id", out->user_id, sizeof(out->user_id), true, false},
		{"team_id", out->team_id, sizeof(out->team_id), false, false},
		{"username", out->user_name, sizeof(out->user_name), false, false},
	};
	const struct member_text name = {"name", out->user_name, sizeof(out->user_name), false, false};
	enum err err;

	if (!cJSON_IsObject(user))
		return err_set(ec, ERR_BAD_REQUEST, "user must be an object.");
	err = read_texts(user, wanted, sizeof(wanted) / sizeof(wanted[0]), ec);
	/* Slack writes "username" in block actions and "name" elsewhere, often both. */
	if (err == ERR_OK && out->user_name[0] == '\0')
		err = member_read(user, &name, ec);
	if (err != ERR_OK)
		err_prefix(ec, "user");
	return err;
}

static enum err read_action(const cJSON *root, struct slack_action *out, struct errctx *ec)
{
	const cJSON *actions = cJSON_GetObjectItemCaseSensitive(root, "actions");
	const struct member_text wanted[] = {
		{"action_id", out->action_id, sizeof(out->action_id), true, false},
		{"value", out->value, sizeof(out->value), true, false},
	};
	enum err err;

	if (!cJSON_IsArray(actions) || cJSON_GetArraySize(actions) != 1 || !cJSON_IsObject(actions->child))
		return err_set(ec, ERR_BAD_REQUEST, "actions must be an array of one action.");
	err = read_texts(actions->child, wanted, sizeof(wanted) / sizeof(wanted[0]), ec);
	if (err != ERR_OK)
		err_prefix(ec, "actions");
	return err;
}

static enum err read_payload(const cJSON *root, struct slack_action *out, struct errctx *ec)
{
	const char *type = json_string(root, "type");
	enum err err;

	if (!cJSON_IsObject(root))
		return err_set(ec, ERR_BAD_REQUEST, "It must be an object.");
	if (type == NULL || strcmp(type, "block_actions") != 0)
		return err_set(ec, ERR_BAD_REQUEST, "type must be \"block_actions\".");
	err = read_user(root, out, ec);
	return err == ERR_OK ? read_action(root, out, ec) : err;
}

enum err slack_read(const char *body, size_t len, struct slack_action *out, struct errctx *ec)
{
	struct slack_action action = {.value = ""};
	cJSON *root = NULL;
	struct buf json;
	enum err err;

	if (len > SIGNING_BODY_MAX)
		return err_set(ec, ERR_TOO_BIG, "The body is larger than 64 KiB.");
	buf_init(&json, SIGNING_BODY_MAX);
	err = decode_form(body, len, &json, ec);
	if (err == ERR_OK) {
		err = json_parse(buf_text(&json), json.len, &root, ec);
		if (err == ERR_OK)
			err = read_payload(root, &action, ec);
		if (err != ERR_OK)
			err_prefix(ec, "payload");
	}
	if (err == ERR_OK)
		*out = action;
	cJSON_Delete(root);
	buf_release(&json);
	return err;
}
