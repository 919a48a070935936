#include "activation/drift.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "activation/core.h"
#include "base/log.h"

struct question {
	struct activation *activation;
	unsigned lane;
	union {
		drift_found_group *group;
		drift_paged *page;
		drift_told *told;
	} done;
	void *ctx;
};

/* Begins a call about the piece's application, with its terms; NULL: no memory, or it is not known any more. */
static struct question *begin(const struct piece *piece, const char *function, struct store_call *call,
			      char text[TERMS_SIZE], void *ctx)
{
	struct activation *activation = piece->activation;
	struct terms terms;
	struct question *q = NULL;

	if (activation->options.terms(activation->options.ctx, piece->application, &terms))
		q = calloc(1, sizeof(*q));
	if (q == NULL)
		return NULL;
	q->activation = activation;
	q->lane = core_lane(activation, piece->application);
	q->ctx = ctx;
	core_terms(&terms, text);
	core_call(activation, call, function, q->lane);
	store_arg(call, text);
	return q;
}

/* The answer's first word; "" when there is none. */
static const char *word_of(struct question *q, enum err err, const struct reply *reply)
{
	if (err == ERR_OK)
		return core_answer(q->activation, q->lane, reply);
	log_warn("drift", "lane=%u error=%s", q->lane, err_message(err));
	return "";
}

/* -- which group -------------------------------------------------------------------------------------------------- */

static void on_group(void *ctx, enum err err, const struct reply *reply)
{
	struct question *q = ctx;
	const char *word = word_of(q, err, reply);
	int64_t index = reply_int(reply_at(reply, 3));

	if (strcmp(word, "look") == 0 && index > 0)
		q->done.group(q->ctx, DRIFT_LOOK, (size_t)(index - 1), reply_text(reply_at(reply, 4)));
	else
		q->done.group(q->ctx,
			      strcmp(word, "nothing") == 0 ? DRIFT_NOTHING
			      : strcmp(word, "wait") == 0  ? DRIFT_WAIT
							   : DRIFT_LOST,
			      0, "");
	free(q);
}

static const char *exclusive_word(enum drift_exclusive exclusive)
{
	static const char *const words[] = {
		[DRIFT_OPEN] = "", [DRIFT_REPORT] = "report", [DRIFT_REMOVE] = "remove"};

	return words[exclusive];
}

void drift_find(const struct piece *piece, const struct drift_group groups[], size_t count,
		drift_found_group *done, void *ctx)
{
	struct store_call call;
	char text[TERMS_SIZE];
	struct question *q = begin(piece, "jit_drift_find", &call, text, ctx);

	if (q == NULL) {
		done(ctx, DRIFT_LOST, 0, "");
		return;
	}
	q->done.group = done;
	store_arg(&call, piece->id);
	for (size_t i = 0; i < count; i++) {
		store_arg(&call, groups[i].id);
		store_arg(&call, exclusive_word(groups[i].exclusive));
	}
	store_call(q->activation->options.store, &call, on_group, q);
}

/* -- whom the broker knows of ------------------------------------------------------------------------------------- */

static enum drift_kind kind_of(const char *word)
{
	if (strcmp(word, "expected") == 0)
		return DRIFT_EXPECTED;
	return strcmp(word, "gone") == 0 ? DRIFT_GONE : DRIFT_KNOWN;
}

#define HEAD   4 /* 'ok', now, 0, next */
#define FIELDS 3

static void on_page(void *ctx, enum err err, const struct reply *reply)
{
	struct question *q = ctx;
	bool ok = strcmp(word_of(q, err, reply), "ok") == 0 && reply_count(reply) >= HEAD;
	size_t count = ok ? (reply_count(reply) - HEAD) / FIELDS : 0;
	struct drift_row *rows = calloc(count + 1, sizeof(*rows));
	struct drift_page page = {.rows = rows, .count = count, .next = reply_text(reply_at(reply, 3))};

	for (size_t i = 0; rows != NULL && i < count; i++) {
		rows[i].user = reply_text(reply_at(reply, HEAD + FIELDS * i));
		rows[i].person = reply_text(reply_at(reply, HEAD + FIELDS * i + 1));
		rows[i].kind = kind_of(reply_text(reply_at(reply, HEAD + FIELDS * i + 2)));
	}
	q->done.page(q->ctx, ok && rows != NULL ? &page : NULL);
	free(rows);
	free(q);
}

void drift_page(const struct piece *piece, const char *group, const char *at, drift_paged *done, void *ctx)
{
	struct store_call call;
	char text[TERMS_SIZE];
	struct question *q = begin(piece, "jit_drift_page", &call, text, ctx);

	if (q == NULL) {
		done(ctx, NULL);
		return;
	}
	q->done.page = done;
	call.read_only = true;
	store_arg(&call, group);
	store_arg(&call, at);
	store_call(q->activation->options.store, &call, on_page, q);
}

/* -- what was found ----------------------------------------------------------------------------------------------- */

static void on_told(void *ctx, enum err err, const struct reply *reply)
{
	struct question *q = ctx;
	const char *word = word_of(q, err, reply);

	if (strcmp(word, "ok") == 0)
		q->done.told(q->ctx, reply_count(reply) > 3 ? reply_int(reply_at(reply, 3)) : 0);
	else
		q->done.told(q->ctx, strcmp(word, "unsure") == 0 ? 0 : -1);
	free(q);
}

/* What is to become of strangers, as drift_rule() of activation/drift_check.lua reads it. */
#define FOREIGN_SIZE (GUARD_SIZE + 40)
static void foreign_word(const struct piece *piece, const struct drift_finding *finding,
			 char out[FOREIGN_SIZE])
{
	char guard[GUARD_SIZE];

	core_guard(piece->activation, piece->application, guard);
	if (finding->group->exclusive == DRIFT_REMOVE && guard[0] != '\0')
		snprintf(out, FOREIGN_SIZE, "remove %s %zu", guard, finding->left);
	else
		snprintf(out, FOREIGN_SIZE, "report");
}

void drift_found(const struct piece *piece, const struct drift_finding *finding, drift_told *done, void *ctx)
{
	static const char *const words[] = {
		[DRIFT_MISSING] = "missing", [DRIFT_RETURNED] = "returned", [DRIFT_ABSENT] = "absent"};
	struct store_call call;
	char text[TERMS_SIZE], foreign[FOREIGN_SIZE];
	struct question *q = begin(piece, "jit_drift_found", &call, text, ctx);

	if (q == NULL) {
		done(ctx, -1);
		return;
	}
	q->done.told = done;
	store_arg(&call, piece->id);
	store_arg(&call, finding->group->id);
	foreign_word(piece, finding, foreign);
	store_arg(&call, finding->what == DRIFT_FOREIGN ? foreign : words[finding->what]);
	store_arg(&call, finding->group_id);
	for (size_t i = 0; i < finding->count; i++)
		store_arg(&call, finding->items[i]);
	store_call(q->activation->options.store, &call, on_told, q);
}

void drift_end(const struct piece *piece, const struct drift_group *group, const int64_t found[2],
	       drift_told *done, void *ctx)
{
	struct store_call call;
	char text[TERMS_SIZE], returned[24], foreign[24];
	struct question *q = begin(piece, "jit_drift_end", &call, text, ctx);

	if (q == NULL) {
		done(ctx, -1);
		return;
	}
	q->done.told = done;
	snprintf(returned, sizeof(returned), "%lld", (long long)found[0]);
	snprintf(foreign, sizeof(foreign), "%lld", (long long)found[1]);
	store_arg(&call, piece->id);
	store_arg(&call, group->id);
	store_arg(&call, returned);
	store_arg(&call, foreign);
	store_arg(&call, group->exclusive == DRIFT_REMOVE ? "1" : "0");
	store_call(q->activation->options.store, &call, on_told, q);
}
