#include "activation/key.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "activation/core.h"
#include "base/log.h"

/* A call about a key. */
struct use {
	struct activation *activation;
	unsigned lane;
	key_done *done; /* NULL = nobody waits */
	void *ctx;
};

static struct use *use_new(struct activation *activation, const struct key *key, key_done *done, void *ctx)
{
	struct use *use = malloc(sizeof(*use));

	if (use != NULL)
		*use = (struct use){activation, core_lane(activation, key->name), done, ctx};
	return use;
}

static void on_taken(void *ctx, enum err err, const struct reply *reply)
{
	struct use *use = ctx;
	const char *word = err == ERR_OK ? core_answer(use->activation, use->lane, reply) : "";
	struct key_answer answer;
	bool same = strcmp(word, "same") == 0;

	if (same)
		answer = (struct key_answer){.status = (int)reply_int(reply_at(reply, 3)),
					     .body = reply_text(reply_at(reply, 4)),
					     .len = reply_text_len(reply_at(reply, 4))};
	else if (strcmp(word, "reused") == 0)
		err = ERR_KEY_REUSED;
	else if (strcmp(word, "busy") == 0)
		err = ERR_KEY_BUSY;
	use->done(use->ctx, err, same ? &answer : NULL);
	free(use);
}

void key_take(struct activation *activation, const struct key *key, key_done *done, void *ctx)
{
	struct use *use = use_new(activation, key, done, ctx);
	struct store_call call;
	char lease[24];

	if (use == NULL) {
		done(ctx, ERR_NOMEM, NULL);
		return;
	}
	snprintf(lease, sizeof(lease), "%d", key->owner[0] != '\0' ? KEY_LEASE_MS : 0);
	core_call(activation, &call, "jit_key_take", use->lane);
	store_arg(&call, key->name);
	store_arg(&call, key->digest);
	store_arg(&call, key->owner);
	store_arg(&call, lease);
	store_call(activation->options.store, &call, on_taken, use);
}

static void on_ended(void *ctx, enum err err, const struct reply *reply)
{
	struct use *use = ctx;

	if (err == ERR_OK)
		core_answer(use->activation, use->lane, reply);
	else
		log_warn("key_end", "error=%s", err_message(err));
	if (use->done != NULL)
		use->done(use->ctx, err, NULL);
	free(use);
}

static void end(struct use *use, const struct key *key, const char *status, const struct key_answer *answer)
{
	struct store_call call;

	core_call(use->activation, &call, "jit_key_end", use->lane);
	store_arg(&call, key->name);
	store_arg(&call, key->owner);
	store_arg(&call, status);
	store_arg_bytes(&call, answer->body, answer->len);
	store_call(use->activation->options.store, &call, on_ended, use);
}

void key_keep(struct activation *activation, const struct key *key, const struct key_answer *answer,
	      key_done *done, void *ctx)
{
	struct use *use = use_new(activation, key, done, ctx);
	char status[16];

	snprintf(status, sizeof(status), "%d", answer->status);
	if (use == NULL)
		done(ctx, ERR_NOMEM, NULL);
	else
		end(use, key, status, answer);
}

void key_drop(struct activation *activation, const struct key *key)
{
	struct use *use = use_new(activation, key, NULL, NULL);

	if (use != NULL)
		end(use, key, "", &(struct key_answer){.body = ""});
}
