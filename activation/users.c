#include "activation/users.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "activation/core.h"
#include "base/clock.h"
#include "base/log.h"

static const char *const aims[] = {
	[USERS_UPDATE] = "update", [USERS_DEACTIVATE] = "deactivate", [USERS_DELETE] = "delete"};

#define TASK_FIELDS 5 /* as user_task() of activation/users.lua writes it */

struct call {
	struct activation *activation;
	unsigned lane;
	union {
		users_taken *taken;
		users_checked *checked;
		users_told *told;
	} done;
	void *ctx;
};

static struct call *call_new(const struct piece *piece, void *ctx)
{
	struct call *call = calloc(1, sizeof(*call));

	if (call == NULL)
		return NULL;
	call->activation = piece->activation;
	call->lane = core_lane(piece->activation, piece->application);
	call->ctx = ctx;
	return call;
}

void users_free(struct users_work *work)
{
	for (size_t i = 0; work != NULL && i < work->count; i++)
		free(work->tasks[i].person);
	free(work);
}

/* -- taking ---------------------------------------------------------------------------------------------------------- */

static struct users_work *read_work(const struct reply *reply)
{
	size_t count = reply_count(reply) > 3 ? (reply_count(reply) - 3) / TASK_FIELDS : 0;
	struct users_work *work = calloc(1, sizeof(*work) + count * sizeof(work->tasks[0]));

	for (size_t i = 0; work != NULL && i < count; i++) {
		struct users_task *task = &work->tasks[i];
		size_t at = 3 + TASK_FIELDS * i;

		snprintf(task->principal, sizeof(task->principal), "%s", reply_text(reply_at(reply, at)));
		task->person = strdup(reply_text(reply_at(reply, at + 1)));
		snprintf(task->user_id, sizeof(task->user_id), "%s", reply_text(reply_at(reply, at + 2)));
		snprintf(task->digest, sizeof(task->digest), "%s", reply_text(reply_at(reply, at + 3)));
		task->again = reply_text(reply_at(reply, at + 4))[0] != '\0';
		task->verdict = USERS_SKIPPED;
		work->count++;
		if (task->person == NULL) {
			users_free(work);
			return NULL;
		}
	}
	return work;
}

static void on_taken(void *ctx, enum err err, const struct reply *reply)
{
	struct call *call = ctx;
	struct users_work *work = NULL;
	const char *word =
		err == ERR_OK ? core_answer(call->activation, call->lane, reply) : err_message(err);

	if (strcmp(word, "ok") == 0)
		work = read_work(reply);
	else if (err != ERR_OK)
		log_warn("users_take", "error=%s", word);
	call->done.taken(call->ctx, work, strcmp(word, "none") == 0);
	free(call);
}

void users_take(struct piece *piece, users_taken *done, void *ctx)
{
	struct call *call = call_new(piece, ctx);
	char text[TERMS_SIZE], most[16];
	struct store_call to_store;
	struct terms terms;

	if (call == NULL ||
	    !piece->activation->options.terms(piece->activation->options.ctx, piece->application, &terms)) {
		free(call);
		done(ctx, NULL, false);
		return;
	}
	call->done.taken = done;
	core_terms(&terms, text);
	snprintf(most, sizeof(most), "%d", USERS_MOST);
	core_call(call->activation, &to_store, "jit_users_take", call->lane);
	store_arg(&to_store, text);
	store_arg(&to_store, piece->id);
	store_arg(&to_store, piece->step);
	store_arg(&to_store, most);
	store_call(call->activation->options.store, &to_store, on_taken, call);
}

/* -- checking -------------------------------------------------------------------------------------------------------- */

static void on_checked(void *ctx, enum err err, const struct reply *reply)
{
	struct call *call = ctx;

	call->done.checked(call->ctx,
			   err == ERR_OK &&
				   strcmp(core_answer(call->activation, call->lane, reply), "ok") == 0);
	free(call);
}

void users_check(struct piece *piece, enum users_aim aim, const char *principal, users_checked *done,
		 void *ctx)
{
	struct call *call = call_new(piece, ctx);
	struct store_call to_store;

	if (call == NULL) {
		done(ctx, false);
		return;
	}
	call->done.checked = done;
	core_call(call->activation, &to_store, "jit_users_go", call->lane);
	store_arg(&to_store, piece->application);
	store_arg(&to_store, piece->id);
	store_arg(&to_store, principal);
	store_arg(&to_store, aims[aim]);
	store_call(call->activation->options.store, &to_store, on_checked, call);
}

/* -- telling --------------------------------------------------------------------------------------------------------- */

static void on_told(void *ctx, enum err err, const struct reply *reply)
{
	struct call *call = ctx;

	if (err == ERR_OK)
		core_answer(call->activation, call->lane, reply);
	else
		log_warn("users_end", "error=%s", err_message(err));
	call->done.told(call->ctx);
	free(call);
}

struct telling {
	char text[TERMS_SIZE], took[24];
	char status[USERS_MOST][12];
};

static void add_task(struct store_call *call, const struct users_task *task, char status[12])
{
	static const char *const words[] = {
		[USERS_DONE] = "done",       [USERS_SAME] = "same",       [USERS_GONE] = "gone",
		[USERS_KEPT] = "kept",       [USERS_SKIPPED] = "skipped", [USERS_RETRY] = "retry",
		[USERS_REFUSED] = "refused",
	};

	snprintf(status, 12, "%d", task->status);
	store_arg(call, task->principal);
	store_arg(call, words[task->verdict]);
	store_arg(call, task->in_doubt ? "1" : "0");
	store_arg(call, status);
	store_arg(call, task->words);
	store_arg(call, task->digest);
}

void users_tell(struct piece *piece, enum users_aim aim, const struct users_work *work, users_told *done,
		void *ctx)
{
	struct call *call = call_new(piece, ctx);
	struct store_call to_store;
	struct telling telling;
	struct terms terms;

	if (call == NULL ||
	    !piece->activation->options.terms(piece->activation->options.ctx, piece->application, &terms)) {
		free(call);
		done(ctx);
		return;
	}
	call->done.told = done;
	core_terms(&terms, telling.text);
	snprintf(telling.took, sizeof(telling.took), "%lld", (long long)(clock_mono_ms() - piece->begun_ms));
	core_call(call->activation, &to_store, "jit_users_end", call->lane);
	store_arg(&to_store, telling.text);
	store_arg(&to_store, piece->id);
	store_arg(&to_store, aims[aim]);
	store_arg(&to_store, telling.took);
	for (size_t i = 0; i < work->count && i < USERS_MOST; i++)
		if (work->tasks[i].verdict != USERS_SKIPPED || aim != USERS_UPDATE)
			add_task(&to_store, &work->tasks[i], telling.status[i]);
	store_call(call->activation->options.store, &to_store, on_told, call);
}
