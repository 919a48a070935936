#include "activation/audit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "activation/core.h"
#include "base/log.h"

struct errand {
	struct activation *activation;
	unsigned lane;
	const char *what; /* a constant; for the log */
	union {
		audit_page_done *page;
		audit_oldest_done *oldest;
		audit_done *plain;
	} done;
	void *ctx;
};

static struct errand *errand_new(struct activation *activation, unsigned lane, const char *what, void *ctx)
{
	struct errand *errand = calloc(1, sizeof(*errand));

	if (errand != NULL)
		*errand = (struct errand){.activation = activation, .lane = lane, .what = what, .ctx = ctx};
	return errand;
}

static void add_number(struct store_call *call, int64_t number, char text[24])
{
	snprintf(text, 24, "%lld", (long long)number);
	store_arg(call, text);
}

static const struct reply *value_of(const struct reply *pairs, const char *name)
{
	for (size_t i = 0; i + 1 < reply_count(pairs); i += 2)
		if (strcmp(reply_text(reply_at(pairs, i)), name) == 0)
			return reply_at(pairs, i + 1);
	return NULL;
}

static void on_page(void *ctx, enum err err, const struct reply *reply)
{
	struct errand *errand = ctx;
	const struct reply *head = reply_at(reply, 3), *anchor = reply_at(reply, 4);
	struct audit_page page = {.reply = reply};

	if (err == ERR_OK) {
		page.now_ms = reply_int(reply_at(reply, 1));
		page.last = reply_int(value_of(head, "n"));
		page.link = reply_text(value_of(head, "h"));
		page.sealed_to = reply_int(value_of(head, "zt"));
		page.digest = reply_text(value_of(head, "zd"));
		page.exported_to = value_of(head, "x") != NULL ? reply_int(value_of(head, "x")) : -1;
		page.anchor.number = reply_int(value_of(anchor, "n"));
		page.anchor.link = reply_text(value_of(anchor, "h"));
		page.anchor.digest = reply_text(value_of(anchor, "d"));
		page.anchor.key = reply_text(value_of(anchor, "k"));
		page.anchor.mac = reply_text(value_of(anchor, "m"));
		page.count = reply_count(reply) > 5 ? reply_count(reply) - 5 : 0;
	}
	errand->done.page(errand->ctx, err, err == ERR_OK ? &page : NULL);
	free(errand);
}

void audit_read(struct activation *activation, const struct audit_range *range, audit_page_done *done,
		void *ctx)
{
	struct errand *errand = errand_new(activation, range->lane, "read", ctx);
	struct store_call call;
	char from[24], count[24];

	if (errand == NULL) {
		done(ctx, ERR_NOMEM, NULL);
		return;
	}
	errand->done.page = done;
	core_call(activation, &call, "jit_audit_read", range->lane);
	call.read_only = true;
	add_number(&call, range->after, from);
	add_number(&call, (int64_t)(range->most < AUDIT_BATCH ? range->most : AUDIT_BATCH), count);
	store_call(activation->options.store, &call, on_page, errand);
}

bool audit_page_event(const struct audit_page *page, size_t index, struct audit_event *event)
{
	return audit_event_read(event, reply_at(page->reply, 5 + index));
}

/* 'ok', 'more', or 'gone': another broker was faster. */
static void on_plain(void *ctx, enum err err, const struct reply *reply)
{
	struct errand *errand = ctx;

	if (err != ERR_OK)
		log_warn("audit", "what=%s lane=%u error=%s", errand->what, errand->lane, err_message(err));
	else if (strcmp(core_answer(errand->activation, errand->lane, reply), "gone") == 0)
		err = ERR_DECIDED;
	if (errand->done.plain != NULL)
		errand->done.plain(errand->ctx, err);
	free(errand);
}

static void tell(struct errand *errand, const struct store_call *call, audit_done *done)
{
	errand->done.plain = done;
	store_call(errand->activation->options.store, call, on_plain, errand);
}

void audit_plan(struct activation *activation, unsigned lane, int64_t seal_ms, bool exports)
{
	struct errand *errand = errand_new(activation, lane, "plan", NULL);
	struct store_call call;
	char seal[24];

	if (errand == NULL)
		return;
	core_call(activation, &call, "jit_audit_plan", lane);
	add_number(&call, seal_ms, seal);
	store_arg(&call, exports ? "1" : "0");
	tell(errand, &call, NULL);
}

void audit_note(struct activation *activation, unsigned lane, const struct audit_note *note)
{
	struct errand *errand = errand_new(activation, lane, note->event, NULL);
	struct store_call call;

	if (errand == NULL)
		return;
	core_call_by(activation, &call, "jit_audit_note", lane, note->actor);
	store_arg(&call, note->event);
	store_arg(&call, note->why);
	store_arg(&call, note->details);
	tell(errand, &call, NULL);
}

void audit_refused(struct activation *activation, unsigned lane, const struct audit_refusal *refusal)
{
	struct errand *errand = errand_new(activation, lane, "refused", NULL);
	struct store_call call;

	if (errand == NULL)
		return;
	core_call_by(activation, &call, "jit_refused", lane, refusal->actor);
	store_arg(&call, refusal->who);
	store_arg(&call, refusal->user_name);
	store_arg(&call, refusal->request);
	store_arg(&call, refusal->group);
	store_arg(&call, refusal->action);
	store_arg(&call, refusal->why);
	store_arg(&call, refusal->details);
	store_arg(&call, refusal->counted);
	tell(errand, &call, NULL);
}

void audit_seal(struct activation *activation, unsigned lane, const struct audit_seal *seal, audit_done *done,
		void *ctx)
{
	struct errand *errand = errand_new(activation, lane, "seal", ctx);
	struct store_call call;
	char before[24], to[24];

	if (errand == NULL) {
		done(ctx, ERR_NOMEM);
		return;
	}
	core_call(activation, &call, "jit_audit_seal", lane);
	add_number(&call, seal->before, before);
	add_number(&call, seal->to, to);
	store_arg(&call, seal->digest);
	store_arg(&call, seal->details);
	tell(errand, &call, done);
}

void audit_exported(struct activation *activation, unsigned lane, const struct audit_export *moved,
		    audit_done *done, void *ctx)
{
	struct errand *errand = errand_new(activation, lane, "exported", ctx);
	struct store_call call;
	char before[24], to[24], lease[24];

	if (errand == NULL) {
		done(ctx, ERR_NOMEM);
		return;
	}
	core_call(activation, &call, "jit_audit_exported", lane);
	add_number(&call, moved->before, before);
	add_number(&call, moved->to, to);
	add_number(&call, moved->lease_ms, lease);
	tell(errand, &call, done);
}

void audit_later(struct activation *activation, unsigned lane, const char *what, int64_t delay_ms)
{
	struct errand *errand = errand_new(activation, lane, what, NULL);
	struct store_call call;
	char delay[24];

	if (errand == NULL)
		return;
	core_call(activation, &call, "jit_audit_later", lane);
	store_arg(&call, what);
	add_number(&call, delay_ms, delay);
	tell(errand, &call, NULL);
}

static void on_oldest(void *ctx, enum err err, const struct reply *reply)
{
	struct errand *errand = ctx;
	struct audit_oldest oldest;

	if (err == ERR_OK && strcmp(reply_text(reply_at(reply, 0)), "ok") != 0)
		err = ERR_NOT_FOUND;
	oldest = (struct audit_oldest){.number = reply_int(reply_at(reply, 3)),
				       .link = reply_text(reply_at(reply, 4)),
				       .digest = reply_text(reply_at(reply, 5))};
	errand->done.oldest(errand->ctx, err, err == ERR_OK ? &oldest : NULL);
	free(errand);
}

void audit_oldest(struct activation *activation, const struct audit_age *age, audit_oldest_done *done,
		  void *ctx)
{
	struct errand *errand = errand_new(activation, age->lane, "oldest", ctx);
	struct store_call call;
	char before[24];

	if (errand == NULL) {
		done(ctx, ERR_NOMEM, NULL);
		return;
	}
	errand->done.oldest = done;
	core_call(activation, &call, "jit_audit_oldest", age->lane);
	call.read_only = true;
	add_number(&call, age->made_before_ms, before);
	store_arg(&call, age->exported_only ? "1" : "0");
	store_call(activation->options.store, &call, on_oldest, errand);
}

void audit_forget(struct activation *activation, unsigned lane, const struct audit_anchor *anchor,
		  audit_done *done, void *ctx)
{
	struct errand *errand = errand_new(activation, lane, "forget", ctx);
	struct store_call call;
	char number[24];

	if (errand == NULL) {
		done(ctx, ERR_NOMEM);
		return;
	}
	core_call(activation, &call, "jit_audit_forget", lane);
	add_number(&call, anchor->number, number);
	store_arg(&call, anchor->link);
	store_arg(&call, anchor->digest);
	store_arg(&call, anchor->key);
	store_arg(&call, anchor->mac);
	tell(errand, &call, done);
}
