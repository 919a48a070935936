/*
 * Slack's interactive buttons: the request signature "v0" and the form body of a click
 * (api.slack.com/authentication/verifying-requests-from-slack, api.slack.com/reference/interaction-payloads).
 * Pure; nothing is fetched from or answered to Slack here.
 */
#ifndef WEBHOOK_SLACK_H
#define WEBHOOK_SLACK_H

#include <stddef.h>
#include <stdint.h>

#include "base/id.h"
#include "webhook/signing.h"

#define SLACK_SECRET_MIN 16  /* Slack's have 32 */
#define SLACK_ID_SIZE    33  /* Slack's ids have about a dozen characters */
#define SLACK_VALUE_SIZE 256 /* Slack allows an action_id 255 characters; a value of ours is far shorter */

/* What is signed: headers as received, NULL when absent, and the raw body; all borrowed. */
struct slack_message {
	const char *timestamp; /* X-Slack-Request-Timestamp, Unix seconds */
	const void *body;
	size_t len;
};

/* The one button that was clicked, and by whom. */
struct slack_action {
	char action_id[SLACK_VALUE_SIZE];
	char value[SLACK_VALUE_SIZE];
	char team_id[SLACK_ID_SIZE]; /* workspace; "" when Slack names none */
	char user_id[SLACK_ID_SIZE];
	char user_name[NAME_SIZE]; /* for people to read: its owner can change it, so it identifies nobody */
};

/*
 * Adds the app's signing secret, which is used as it stands: SLACK_SECRET_MIN to SIGNING_KEY_BYTES printable
 * ASCII characters without blanks. ERR_CONFIG otherwise; the keys are then as before.
 */
enum err slack_key_add(struct signing_keys *keys, const char *secret, struct errctx *ec) MUST_CHECK;

/*
 * Is `signature` (the header X-Slack-Signature, NULL when absent) "v0=" and the lower-case hexadecimal
 * HMAC-SHA256 of "v0:{timestamp}:{body}" under one of the keys, and the time stamp within the tolerance?
 */
enum signing_verdict slack_verify(const struct signing_keys *keys, const struct slack_message *message,
				  const char *signature, int64_t now_ms) MUST_CHECK;

/*
 * Reads a body whose signature was verified: exactly the one form field "payload", whose value is the JSON of a
 * "block_actions" interaction with one action. Members that are not needed are passed over. ERR_BAD_REQUEST
 * with the reason, ERR_TOO_BIG or ERR_NOMEM otherwise; *out is then untouched.
 */
enum err slack_read(const char *body, size_t len, struct slack_action *out, struct errctx *ec) MUST_CHECK;

#endif
