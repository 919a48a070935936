/*
 * Webhooks: headers, secrets and bodies. The first three lines of an input are the id, the time stamp and the
 * signature, the rest is the body.
 */
#include <string.h>

#include "base/json.h"
#include "tests/fuzz/fuzz.h"
#include "webhook/approval.h"
#include "webhook/event.h"
#include "webhook/slack.h"
#include "webhook/standard.h"

#define NOW_MS INT64_C(1614265330000)
#define SECRET "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

/* The next line as a text of its own; *data moves behind it. */
static char *take_line(const uint8_t **data, size_t *size)
{
	const uint8_t *end = *size == 0 ? NULL : memchr(*data, '\n', *size);
	size_t len = end == NULL ? *size : (size_t)(end - *data), skip = end == NULL ? len : len + 1;
	char *line = malloc(len + 1);

	REQUIRE(line != NULL);
	if (len > 0)
		memcpy(line, *data, len);
	line[len] = '\0';
	*data += skip;
	*size -= skip;
	return line;
}

/* What is called valid holds our own signature; what we sign is valid. */
static void check_standard(const struct webhook_message *message, const char *signature)
{
	struct signing_keys keys = {.count = 0};
	char header[WEBHOOK_HEADER_SIZE];
	enum signing_verdict verdict;

	REQUIRE(webhook_key_add(&keys, SECRET, NULL) == ERR_OK);
	verdict = webhook_verify(&keys, message, signature, NOW_MS);
	REQUIRE(signing_reason(verdict)[0] != '\0');
	if (webhook_sign(&keys, message, header) != ERR_OK) {
		REQUIRE(verdict != SIGNING_VALID);
		return;
	}
	REQUIRE(verdict != SIGNING_VALID || strstr(signature, header) != NULL);
	verdict = webhook_verify(&keys, message, header, NOW_MS);
	REQUIRE(verdict == SIGNING_VALID || verdict == SIGNING_TOO_OLD || verdict == SIGNING_TOO_NEW ||
		verdict == SIGNING_BODY_TOO_BIG);
}

static void check_secret(const char *secret)
{
	struct signing_keys keys = {.count = 0};
	struct errctx ec = {""};

	if (webhook_key_add(&keys, secret, &ec) == ERR_OK)
		REQUIRE(keys.count == 1 && keys.keys[0].len >= WEBHOOK_SECRET_MIN &&
			strlen(secret) == strlen("whsec_") + (keys.keys[0].len + 2) / 3 * 4);
	else
		REQUIRE(keys.count == 0 && ec.text[0] != '\0');
	signing_wipe(&keys);
	REQUIRE(slack_key_add(&keys, secret, &ec) != ERR_OK || keys.keys[0].len == strlen(secret));
}

static void check_slack(const struct webhook_message *message, const char *signature)
{
	struct slack_message slack = {message->timestamp, message->body, message->len};
	struct signing_keys keys = {.count = 0};

	REQUIRE(slack_key_add(&keys, "8f742231b10e8888abcd99yyyzzz85a5", NULL) == ERR_OK);
	REQUIRE(slack_verify(&keys, &slack, signature, NOW_MS) != SIGNING_VALID || strlen(signature) == 67);
}

static void check_approval(const struct approval *approval)
{
	REQUIRE(id_valid(approval->id));
	REQUIRE(approval->decision == APPROVAL_APPROVE || approval->decision == APPROVAL_DENY);
	REQUIRE(approval->approver[0] != '\0');
	REQUIRE(memchr(approval->approver, '\0', NAME_SIZE) != NULL);
	REQUIRE(memchr(approval->justification, '\0', TEXT_SIZE) != NULL);
}

static void check_bodies(const char *body, size_t len)
{
	struct slack_action action;
	struct approval approval;
	struct errctx ec = {""};

	if (approval_read(body, len, &approval, &ec) == ERR_OK)
		check_approval(&approval);
	else
		REQUIRE(ec.text[0] != '\0');
	ec.text[0] = '\0';
	if (slack_read(body, len, &action, &ec) != ERR_OK) {
		REQUIRE(ec.text[0] != '\0');
		return;
	}
	REQUIRE(action.user_id[0] != '\0' && memchr(action.user_id, '\0', SLACK_ID_SIZE) != NULL);
	REQUIRE(action.value[0] != '\0' && memchr(action.value, '\0', SLACK_VALUE_SIZE) != NULL);
	if (approval_from_slack(&action, &approval, &ec) == ERR_OK)
		check_approval(&approval);
}

/* Any text gives a body that is JSON and small enough. */
static void check_event(const char *text)
{
	struct webhook_event event = {
		.type = "approval.decided",
		.at_ms = NOW_MS,
		.application = text,
		.group_name = text,
		.user_name = text,
		.reason = text,
		.justification = text,
		.with_justification = true,
	};
	cJSON *root = NULL;
	struct buf out;

	buf_init(&out, EVENT_BODY_MAX);
	REQUIRE(event_write(&event, &out) == ERR_OK);
	REQUIRE(json_parse(buf_text(&out), out.len, &root, NULL) == ERR_OK);
	cJSON_Delete(root);
	buf_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *id = take_line(&data, &size), *timestamp = take_line(&data, &size);
	char *signature = take_line(&data, &size);
	/* Not terminated, and of exactly this size, so that reading on is found out. */
	char *body = malloc(size > 0 ? size : 1);
	struct webhook_message message = {id, timestamp, body, size};

	REQUIRE(body != NULL);
	if (size > 0)
		memcpy(body, data, size);
	check_standard(&message, signature);
	check_slack(&message, signature);
	check_secret(id);
	check_bodies(body, size);
	check_event(signature);
	free(id);
	free(timestamp);
	free(signature);
	free(body);
	return 0;
}
