#include "activation/notices.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "activation/core.h"

#define OPEN_MOST "20" /* notices of the outbox in one call */

/* One call under way; the one of the callbacks that fits is set. */
struct question {
	struct activation *activation;
	unsigned lane;
	size_t first; /* where in the answer the notices begin */
	notices_done *done;
	notices_told *told;
	notices_listed *listed;
	void *ctx;
};

/* -- reading ------------------------------------------------------------------------------------------------ */

static const char *field(const struct reply *pairs, const char *name)
{
	for (size_t i = 0; i + 1 < reply_count(pairs); i += 2)
		if (strcmp(reply_text(reply_at(pairs, i)), name) == 0)
			return reply_text(reply_at(pairs, i + 1));
	return "";
}

static int64_t number(const struct reply *pairs, const char *name)
{
	for (size_t i = 0; i + 1 < reply_count(pairs); i += 2)
		if (strcmp(reply_text(reply_at(pairs, i)), name) == 0)
			return reply_int(reply_at(pairs, i + 1));
	return 0;
}

static void notice_read(struct notice *n, const struct reply *pairs)
{
	memset(n, 0, sizeof(*n));
	/* Where there is no request, what is known of it is read all the same. */
	(void)request_read(&n->request, pairs);
	snprintf(n->kind, sizeof(n->kind), "%s", field(pairs, "kind"));
	n->number = number(pairs, "number");
	n->told_ms = number(pairs, "told_at");
	n->overdue_ms = number(pairs, "overdue_since");
	snprintf(n->group_name, sizeof(n->group_name), "%s", field(pairs, "group_name"));
	snprintf(n->delivery, sizeof(n->delivery), "%s", field(pairs, "delivery"));
	snprintf(n->target, sizeof(n->target), "%s", field(pairs, "target"));
	snprintf(n->to, sizeof(n->to), "%s", field(pairs, "to"));
	snprintf(n->answer, sizeof(n->answer), "%s", field(pairs, "answer"));
	n->tries = (unsigned)number(pairs, "tries");
	n->made_ms = number(pairs, "made_at");
	n->due_ms = number(pairs, "due_at");
	n->parked_ms = number(pairs, "parked_at");
	n->held = number(pairs, "held");
	n->lines = field(pairs, "lines");
}

/* The notices of an answer; NULL with *count 0 when there are none or memory is short. */
static struct notice *read_all(const struct reply *reply, size_t first, size_t *count)
{
	size_t all = reply_count(reply) > first ? reply_count(reply) - first : 0;
	struct notice *list = all > 0 ? calloc(all, sizeof(*list)) : NULL;

	*count = list != NULL ? all : 0;
	for (size_t i = 0; i < *count; i++)
		notice_read(&list[i], reply_at(reply, first + i));
	return list;
}

/* -- asking ------------------------------------------------------------------------------------------------- */

static struct question *question_new(struct activation *activation, unsigned lane, void *ctx)
{
	struct question *q = calloc(1, sizeof(*q));

	if (q != NULL) {
		q->activation = activation;
		q->lane = lane;
		q->ctx = ctx;
	}
	return q;
}

static void on_list(void *ctx, enum err err, const struct reply *reply)
{
	struct question *q = ctx;
	struct notice_list list = {.count = 0};
	struct notice *all = NULL;

	if (err == ERR_OK) {
		core_answer(q->activation, q->lane, reply);
		all = read_all(reply, q->first, &list.count);
		list.notices = all;
		list.more = q->first > 3 && reply_int(reply_at(reply, 3)) != 0;
		if (all == NULL && reply_count(reply) > q->first)
			err = ERR_NOMEM;
	}
	q->done(q->ctx, err, err == ERR_OK ? &list : NULL);
	free(all);
	free(q);
}

static void on_word(void *ctx, enum err err, const struct reply *reply)
{
	struct question *q = ctx;

	q->told(q->ctx, err, err == ERR_OK ? core_answer(q->activation, q->lane, reply) : "");
	free(q);
}

/* Begins a call that is answered with a word; NULL, the callback told, when it cannot be made. */
static struct question *begin_word(struct activation *activation, struct store_call *call,
				   const char *function, int lane, notices_told *told)
{
	struct question *q = lane >= 0 ? question_new(activation, (unsigned)lane, NULL) : NULL;

	if (q == NULL)
		return NULL;
	q->told = told;
	core_call(activation, call, function, (unsigned)lane);
	return q;
}

static void send_word(struct question *q, const struct store_call *call, void *ctx)
{
	q->ctx = ctx;
	store_call(q->activation->options.store, call, on_word, q);
}

void notices_open(struct activation *activation, unsigned lane, notices_done *done, void *ctx)
{
	struct question *q = question_new(activation, lane, ctx);
	struct store_call call;

	if (q == NULL) {
		done(ctx, ERR_NOMEM, NULL);
		return;
	}
	q->done = done;
	q->first = 3;
	core_call(activation, &call, "jit_notices", lane);
	store_arg(&call, OPEN_MOST);
	store_call(activation->options.store, &call, on_list, q);
}

void notices_spread(struct activation *activation, const struct notice_spread *spread, notices_told *done,
		    void *ctx)
{
	struct store_call call;
	struct question *q = begin_word(activation, &call, "jit_notice_spread", (int)spread->lane, done);
	char which[24], delays[NOTICE_COPIES_MAX][24];

	if (q == NULL) {
		done(ctx, ERR_NOMEM, "");
		return;
	}
	snprintf(which, sizeof(which), "%lld", (long long)spread->number);
	store_arg(&call, which);
	for (size_t i = 0; i < spread->count && i < NOTICE_COPIES_MAX; i++) {
		const struct notice_copy *copy = &spread->copies[i];

		snprintf(delays[i], sizeof(delays[i]), "%lld", (long long)copy->delay_ms);
		store_arg(&call, copy->id);
		store_arg(&call, copy->target);
		store_arg(&call, copy->to);
		store_arg(&call, delays[i]);
	}
	send_word(q, &call, ctx);
}

void notices_take(struct activation *activation, const struct notice_claim *claim, notices_done *done,
		  void *ctx)
{
	struct question *q = question_new(activation, claim->lane, ctx);
	struct store_call call;
	char most[12], lease[24];

	if (q == NULL) {
		done(ctx, ERR_NOMEM, NULL);
		return;
	}
	q->done = done;
	q->first = 4;
	snprintf(most, sizeof(most), "%u", claim->most);
	snprintf(lease, sizeof(lease), "%lld", (long long)claim->lease_ms);
	core_call(activation, &call, "jit_notice_take", claim->lane);
	store_arg(&call, claim->target);
	store_arg(&call, most);
	store_arg(&call, lease);
	store_arg(&call, claim->fingerprint);
	store_call(activation->options.store, &call, on_list, q);
}

void notices_end(struct activation *activation, const struct notice_end *end, notices_told *done, void *ctx)
{
	struct store_call call;
	struct question *q =
		begin_word(activation, &call, "jit_notice_end", core_lane_of_id(activation, end->id), done);
	char delay[24], silent[24];

	if (q == NULL) {
		done(ctx, ERR_NOMEM, "");
		return;
	}
	snprintf(delay, sizeof(delay), "%lld", (long long)end->delay_ms);
	snprintf(silent, sizeof(silent), "%lld", (long long)end->silent_ms);
	store_arg(&call, end->id);
	store_arg(&call, end->word);
	store_arg(&call, delay);
	store_arg(&call, end->answer);
	store_arg(&call, silent);
	store_arg(&call, end->fingerprint);
	send_word(q, &call, ctx);
}

void notices_may_mail(struct activation *activation, const struct notice_mail *mail, notices_told *done,
		      void *ctx)
{
	unsigned lane = core_lane(activation, mail->mailbox);
	struct store_call call;
	struct question *q = begin_word(activation, &call, "jit_mailbox", (int)lane, done);
	char most[24], one[24], window[24], digest[ID_SIZE];

	if (q == NULL) {
		done(ctx, ERR_NOMEM, "");
		return;
	}
	snprintf(most, sizeof(most), "%lld", (long long)mail->most);
	snprintf(one, sizeof(one), "%lld", (long long)mail->most_for_one);
	snprintf(window, sizeof(window), "%lld", (long long)mail->window_ms);
	id_make(lane, digest);
	store_arg(&call, mail->mailbox);
	store_arg(&call, mail->delivery);
	store_arg(&call, mail->person);
	store_arg(&call, most);
	store_arg(&call, one);
	store_arg(&call, window);
	store_arg(&call, digest);
	store_arg(&call, mail->line);
	store_arg(&call, mail->apart);
	send_word(q, &call, ctx);
}

/* A delivery that is not there is told as an error. */
static void on_ordered(void *ctx, enum err err, const struct reply *reply)
{
	struct question *q = ctx;
	const char *word = err == ERR_OK ? core_answer(q->activation, q->lane, reply) : "";

	if (strcmp(word, "none") == 0)
		err = ERR_NOT_FOUND;
	q->told(q->ctx, err, word);
	free(q);
}

void notices_order(struct activation *activation, const struct notice_order *order, notices_told *done,
		   void *ctx)
{
	int lane = core_lane_of_id(activation, order->id);
	struct question *q = lane >= 0 ? question_new(activation, (unsigned)lane, ctx) : NULL;
	struct store_call call;

	if (q == NULL) {
		done(ctx, lane < 0 ? ERR_NOT_FOUND : ERR_NOMEM, "");
		return;
	}
	q->told = done;
	core_call_by(activation, &call, "jit_notice_order", (unsigned)lane, order->actor);
	store_arg(&call, order->id);
	store_arg(&call, order->word);
	store_call(activation->options.store, &call, on_ordered, q);
}

static struct notice_target *read_targets(const struct reply *rows, size_t *count)
{
	size_t all = reply_count(rows);
	struct notice_target *targets = calloc(all + 1, sizeof(*targets));

	*count = targets != NULL ? all : 0;
	for (size_t i = 0; i < *count; i++) {
		const struct reply *row = reply_at(rows, i);

		snprintf(targets[i].name, sizeof(targets[i].name), "%s", reply_text(reply_at(row, 0)));
		targets[i].waiting = reply_int(reply_at(row, 1));
		targets[i].silent_till_ms = reply_int(reply_at(row, 2));
		targets[i].gone = reply_int(reply_at(row, 3)) != 0;
		targets[i].lost = reply_int(reply_at(row, 4));
	}
	return targets;
}

static void on_listed(void *ctx, enum err err, const struct reply *reply)
{
	struct question *q = ctx;
	struct notice_list list = {.count = 0};
	struct notice_targets targets = {.count = 0};
	struct notice_target *rows = NULL;
	struct notice *all = NULL;

	if (err == ERR_OK) {
		rows = read_targets(reply_at(reply, 3), &targets.count);
		all = read_all(reply, q->first, &list.count);
		targets.targets = rows;
		list.notices = all;
		if (rows == NULL || (all == NULL && reply_count(reply) > q->first))
			err = ERR_NOMEM;
	}
	q->listed(q->ctx, err, err == ERR_OK ? &targets : NULL, err == ERR_OK ? &list : NULL);
	free(rows);
	free(all);
	free(q);
}

void notices_list(struct activation *activation, const struct notice_query *query, notices_listed *done,
		  void *ctx)
{
	struct question *q = question_new(activation, query->lane, ctx);
	struct store_call call;
	char most[12];

	if (q == NULL) {
		done(ctx, ERR_NOMEM, NULL, NULL);
		return;
	}
	q->listed = done;
	q->first = 4;
	snprintf(most, sizeof(most), "%u", query->most);
	core_call(activation, &call, "jit_notice_list", query->lane);
	call.read_only = true;
	store_arg(&call, most);
	store_call(activation->options.store, &call, on_listed, q);
}
