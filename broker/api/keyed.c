#include "api/keyed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/api.h"
#include "api/handlers.h"

static bool is_valid(const char *key)
{
	size_t len = strlen(key);

	for (size_t i = 0; i < len; i++)
		if (key[i] < 0x21 || key[i] > 0x7e)
			return false;
	return len > 0 && len <= KEYED_MAX;
}

/* Does what the route does have a way of its own to know a repetition? A request for access has an id that follows from
 * the key, what has been withdrawn stays so, and a batch gives each of its calls a key. */
static bool knows_repetitions(const struct route *route)
{
	return route->handle == requests_post || route->handle == requests_cancel ||
	       route->handle == batches_post;
}

/* The caller's own: nobody gets another's answer. */
static void name_key(struct call *call, const char *text)
{
	char whose[NAME_SIZE + KEYED_MAX + 2];
	int len = snprintf(whose, sizeof(whose), "%s\n%s", call->caller.id, text);

	digest_sha256_hex(whose, (size_t)len, call->key.name);
}

/* What is asked: the path as it was named, and the body. */
static enum err digest_request(struct call *call)
{
	size_t len;
	const char *body = exchange_body(call->exchange, &len);
	struct buf text;
	bool failed;

	buf_init(&text, URL_MAX + BODY_MAX + 2);
	buf_addf(&text, "%s\n", exchange_path(call->exchange));
	buf_add(&text, body, len);
	digest_sha256_hex(buf_text(&text), text.len, call->key.digest);
	failed = buf_failed(&text);
	buf_release(&text);
	return failed ? ERR_NOMEM : ERR_OK;
}

static void forget(struct call *call)
{
	call->key.owner[0] = '\0';
}

static void on_taken(void *ctx, enum err err, const struct key_answer *answer)
{
	struct call *call = ctx;
	struct buf body;

	if (err == ERR_OK && answer == NULL) {
		call->route->handle(call);
		return;
	}
	/* Whether it is ours is not known when the store has not answered in time; otherwise it is not. */
	if (err != ERR_TIMEOUT)
		forget(call);
	if (answer == NULL) {
		call_error(call, err, NULL, NULL);
		return;
	}
	buf_init(&body, answer->len + 1);
	buf_add(&body, answer->body, answer->len);
	call_answer(call, answer->status, NULL, &body);
}

void keyed_run(struct call *call)
{
	const char *key = exchange_header(call->exchange, "Idempotency-Key");
	enum err err;

	if (key == NULL || strcmp(call->route->method, "POST") != 0 || call->route->need < NEED_PERSON) {
		call->route->handle(call);
		return;
	}
	if (!is_valid(key)) {
		call_error(call, ERR_BAD_REQUEST, "Idempotency-Key must be 1 to 255 visible characters.",
			   NULL);
		return;
	}
	name_key(call, key);
	err = digest_request(call);
	if (err != ERR_OK) {
		call_error(call, err, NULL, NULL);
		return;
	}
	if (!knows_repetitions(call->route))
		id_make(0, call->key.owner);
	key_take(call->api->activation, &call->key, on_taken, call);
}

/* A good answer, while it is being kept. */
struct keeping {
	struct call *call;
	int status;
	struct buf body;
};

static void on_kept(void *ctx, enum err err, const struct key_answer *answer)
{
	struct keeping *keeping = ctx;

	(void)err;
	(void)answer;
	call_answer(keeping->call, keeping->status, NULL, &keeping->body);
	free(keeping);
}

bool keyed_keep(struct call *call, int status, struct buf *body)
{
	struct keeping *keeping;
	struct key key = call->key;

	if (key.owner[0] == '\0' || status >= 300 || body->len > KEY_ANSWER_MAX) {
		keyed_drop(call);
		return false;
	}
	forget(call);
	keeping = malloc(sizeof(*keeping));
	if (keeping == NULL)
		return false;
	*keeping = (struct keeping){call, status, *body};
	key_keep(call->api->activation, &key,
		 &(struct key_answer){status, buf_text(&keeping->body), keeping->body.len}, on_kept, keeping);
	return true;
}

void keyed_drop(struct call *call)
{
	if (call->key.owner[0] != '\0')
		key_drop(call->api->activation, &call->key);
	forget(call);
}
