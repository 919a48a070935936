/* Operators' words about an application, and the records that it keeps. */
#include "activation/operate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "activation/core.h"

struct question {
	struct activation *activation;
	unsigned lane;
	char app[APP_ID_SIZE];
	enum guard_answer answer; /* of one about the guard … */
	char *actor;              /* … and who gives it; owned */
	union {
		operate_done *word;
		cycles_done *cycles;
		log_done *log;
	} done;
	void *ctx;
};

static struct question *question_new(struct activation *activation, const char *app, void *ctx)
{
	struct question *q = calloc(1, sizeof(*q));

	if (q == NULL)
		return NULL;
	q->activation = activation;
	q->lane = core_lane(activation, app);
	snprintf(q->app, sizeof(q->app), "%s", app);
	q->ctx = ctx;
	return q;
}

/* -- words -------------------------------------------------------------------------------------------------- */

static void on_word(void *ctx, enum err err, const struct reply *reply)
{
	struct question *q = ctx;
	const char *word = err == ERR_OK ? core_answer(q->activation, q->lane, reply) : "";

	q->done.word(q->ctx, err, word);
	free(q);
}

/* Calls the function with the application's terms, one word more, and for a cycle its steps. */
static void call_with_terms(struct activation *activation, const char *function,
			    const struct operate_ask *ask, const char *more, struct question *q)
{
	char steps[STEPS_SIZE] = "";

	struct store_call call;
	struct terms terms;
	char text[TERMS_SIZE];

	if (!activation->options.terms(activation->options.ctx, ask->app, &terms)) {
		q->done.word(q->ctx, ERR_NOT_FOUND, "");
		free(q);
		return;
	}
	core_terms(&terms, text);
	core_call_by(activation, &call, function, q->lane, ask->actor);
	store_arg(&call, text);
	store_arg(&call, more);
	if (strcmp(function, "jit_cycle") == 0)
		activation->options.steps(activation->options.ctx, ask->app, steps);
	store_arg(&call, steps);
	store_call(activation->options.store, &call, on_word, q);
}

void operate(struct activation *activation, enum operation operation, const struct operate_ask *ask,
	     operate_done *done, void *ctx)
{
	static const char *const words[] = {
		[OPERATE_PAUSE] = "pause",
		[OPERATE_PAUSE_ALL] = "pause_all",
		[OPERATE_RESUME] = "resume",
		[OPERATE_RESTART] = "restart",
	};
	struct question *q = question_new(activation, ask->app, ctx);

	if (q == NULL) {
		done(ctx, ERR_NOMEM, "");
		return;
	}
	q->done.word = done;
	call_with_terms(activation, "jit_operate", ask, words[operation], q);
}

void operate_test(struct activation *activation, enum test_step step, const struct operate_ask *ask,
		  const char *text, struct operate_hook hook)
{
	static const char *const functions[] = {
		[TEST_TAKE] = "jit_test_take",
		[TEST_END] = "jit_test_end",
		[TEST_PASSED] = "jit_test_passed",
	};
	struct question *q = question_new(activation, ask->app, hook.ctx);

	if (q == NULL) {
		hook.done(hook.ctx, ERR_NOMEM, "");
		return;
	}
	q->done.word = hook.done;
	call_with_terms(activation, functions[step], ask, text, q);
}

void operate_cycle(struct activation *activation, const struct operate_ask *ask, operate_done *done,
		   void *ctx)
{
	struct question *q = question_new(activation, ask->app, ctx);

	if (q == NULL) {
		done(ctx, ERR_NOMEM, "");
		return;
	}
	q->done.word = done;
	call_with_terms(activation, "jit_cycle", ask, ask->who, q);
}

/* -- the guard ---------------------------------------------------------------------------------------------- */

static void answer_guard(struct question *q);

static void on_guard(void *ctx, enum err err, const struct reply *reply)
{
	struct question *q = ctx;
	const char *word = err == ERR_OK ? core_answer(q->activation, q->lane, reply) : "";

	if (strcmp(word, "more") == 0) {
		answer_guard(q);
		return;
	}
	q->done.word(q->ctx, err, word);
	free(q->actor);
	free(q);
}

/* One page of what is held. */
static void answer_guard(struct question *q)
{
	struct activation *activation = q->activation;
	struct store_call call;
	struct terms terms;
	char text[TERMS_SIZE];

	if (!activation->options.terms(activation->options.ctx, q->app, &terms)) {
		on_guard(q, ERR_NOT_FOUND, NULL);
		return;
	}
	core_terms(&terms, text);
	core_call_by(activation, &call, "jit_guard", q->lane, q->actor);
	store_arg(&call, text);
	store_arg(&call, q->answer == GUARD_REMOVE ? "remove" : "keep");
	store_call(activation->options.store, &call, on_guard, q);
}

void operate_guard(struct activation *activation, enum guard_answer answer, const struct operate_ask *ask,
		   operate_done *done, void *ctx)
{
	struct question *q = question_new(activation, ask->app, ctx);
	char *actor = strdup(ask->actor);

	if (q == NULL || actor == NULL) {
		free(q);
		free(actor);
		done(ctx, ERR_NOMEM, "");
		return;
	}
	q->actor = actor;
	q->answer = answer;
	q->done.word = done;
	answer_guard(q);
}

/* -- records ------------------------------------------------------------------------------------------------ */

static const struct reply *field(const struct reply *pairs, const char *name)
{
	for (size_t i = 0; i + 1 < reply_count(pairs); i += 2)
		if (strcmp(reply_text(reply_at(pairs, i)), name) == 0)
			return reply_at(pairs, i + 1);
	return NULL;
}

static void read_cycle(struct cycle_record *cycle, const struct reply *pairs)
{
	cycle->number = reply_int(field(pairs, "number"));
	cycle->started_ms = reply_int(field(pairs, "started"));
	cycle->ended_ms = reply_int(field(pairs, "ended"));
	cycle->total = reply_int(field(pairs, "total"));
	cycle->done = reply_int(field(pairs, "done"));
	cycle->pushes = reply_int(field(pairs, "pushes"));
	cycle->failures = reply_int(field(pairs, "failures"));
	snprintf(cycle->by, sizeof(cycle->by), "%s", reply_text(field(pairs, "by")));
	snprintf(cycle->result, sizeof(cycle->result), "%s", reply_text(field(pairs, "result")));
}

static void on_cycles(void *ctx, enum err err, const struct reply *reply)
{
	struct question *q = ctx;
	size_t count = reply_count(reply) > 3 ? reply_count(reply) - 3 : 0;
	struct cycle_record *cycles = calloc(count + 1, sizeof(*cycles));

	if (err == ERR_OK && cycles == NULL)
		err = ERR_NOMEM;
	for (size_t i = 0; err == ERR_OK && i < count; i++)
		read_cycle(&cycles[i], reply_at(reply, 3 + i));
	q->done.cycles(q->ctx, err, cycles, err == ERR_OK ? count : 0);
	free(cycles);
	free(q);
}

void operate_cycles(struct activation *activation, const char *app, cycles_done *done, void *ctx)
{
	struct question *q = question_new(activation, app, ctx);
	struct store_call call;

	if (q == NULL) {
		done(ctx, ERR_NOMEM, NULL, 0);
		return;
	}
	q->done.cycles = done;
	core_call(activation, &call, "jit_cycles", q->lane);
	call.read_only = true;
	store_arg(&call, app);
	store_call(activation->options.store, &call, on_cycles, q);
}

static void read_entry(struct log_entry *entry, const char *app, const struct reply *pairs)
{
	entry->app = app;
	snprintf(entry->id, sizeof(entry->id), "%s", reply_text(field(pairs, "id")));
	entry->push = reply_text(field(pairs, "i"));
	entry->group = reply_text(field(pairs, "g"));
	entry->principal = reply_text(field(pairs, "p"));
	entry->person = reply_text(field(pairs, "names"));
	entry->op = reply_text(field(pairs, "o"));
	entry->result = reply_text(field(pairs, "v"));
	entry->words = reply_text(field(pairs, "w"));
	entry->cause = reply_text(field(pairs, "c"));
	entry->status = reply_int(field(pairs, "s"));
	entry->took_ms = reply_int(field(pairs, "ms"));
	entry->attempt = reply_int(field(pairs, "n"));
}

static void on_log(void *ctx, enum err err, const struct reply *reply)
{
	struct question *q = ctx;
	struct log_page page = {.app = q->app, .next = reply_text(reply_at(reply, 3))};
	size_t count = reply_count(reply) > 4 ? reply_count(reply) - 4 : 0;
	struct log_entry *entries = calloc(count + 1, sizeof(*entries));

	if (err == ERR_OK && entries == NULL)
		err = ERR_NOMEM;
	for (size_t i = 0; err == ERR_OK && i < count; i++)
		read_entry(&entries[i], q->app, reply_at(reply, 4 + i));
	page.entries = entries;
	page.count = err == ERR_OK ? count : 0;
	q->done.log(q->ctx, err, &page);
	free(entries);
	free(q);
}

void operate_log(struct activation *activation, const struct log_query *query, log_done *done, void *ctx)
{
	struct question *q = question_new(activation, query->app, ctx);
	struct store_call call;
	char since[24], top[24];

	if (q == NULL) {
		done(ctx, ERR_NOMEM, &(struct log_page){.next = ""});
		return;
	}
	q->done.log = done;
	snprintf(since, sizeof(since), "%lld", (long long)query->since_ms);
	snprintf(top, sizeof(top), "%zu", query->top);
	core_call(activation, &call, "jit_log", q->lane);
	call.read_only = true;
	store_arg(&call, query->app);
	store_arg(&call, query->before[0] != '\0' ? query->before : "+");
	store_arg(&call, since);
	store_arg(&call, top);
	store_arg(&call, query->principal);
	store_arg(&call, query->group);
	store_arg(&call, query->result);
	store_call(activation->options.store, &call, on_log, q);
}
