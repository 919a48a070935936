#include "activation/order.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "activation/core.h"
#include "base/clock.h"
#include "base/log.h"

#define END_AGAIN_MS 250 /* an end that the store did not take is told again after that */

/* Which members are still wanted? */
struct order_question {
	struct order *order; /* NULL: the order was ended meanwhile */
	order_checked *done;
	void *ctx;
};

static void order_free(struct order *order)
{
	if (order->question != NULL)
		order->question->order = NULL;
	for (size_t i = 0; i < order->count; i++)
		free(order->members[i].person);
	free(order->members);
	free(order);
}

/* As push_order() of activation/push.lua writes it. */
#define HEAD_FIELDS   7
#define MEMBER_FIELDS 5

/* activation/push.lua and user.lua say what they mean. */
static void read_marks(struct order_member *member, const char *marks)
{
	const char *id = strchr(marks, ':');
	size_t len = strcspn(marks, ":");

	member->untouched = memchr(marks, '1', len) != NULL;
	member->missing = memchr(marks, 'm', len) != NULL;
	member->foreign = memchr(marks, 'f', len) != NULL;
	member->deleted = memchr(marks, 'g', len) != NULL;
	member->inactive = memchr(marks, 'i', len) != NULL;
	member->maybe_ours = memchr(marks, 'd', len) != NULL;
	snprintf(member->user_id, sizeof(member->user_id), "%s", id != NULL ? id + 1 : "");
}

static bool read_members(struct order *order, const struct reply *reply)
{
	for (size_t i = 0; i < order->count; i++) {
		struct order_member *member = &order->members[i];
		size_t at = HEAD_FIELDS + MEMBER_FIELDS * i;

		snprintf(member->principal, sizeof(member->principal), "%s", reply_text(reply_at(reply, at)));
		member->person = strdup(reply_text(reply_at(reply, at + 1)));
		member->failures = reply_int(reply_at(reply, at + 2));
		snprintf(member->ids, sizeof(member->ids), "%s", reply_text(reply_at(reply, at + 3)));
		read_marks(member, reply_text(reply_at(reply, at + 4)));
		member->verdict = ORDER_RETRY;
		if (member->person == NULL)
			return false;
	}
	return true;
}

bool order_adds(const struct reply *reply)
{
	return strcmp(reply_text(reply_at(reply, 3)), "add") == 0;
}

struct order *order_read(struct activation *activation, const struct reply *reply, int64_t begun_ms)
{
	size_t count = reply_count(reply);
	struct terms terms;
	struct order *order;

	if (count < HEAD_FIELDS + MEMBER_FIELDS || (count - HEAD_FIELDS) % MEMBER_FIELDS != 0)
		return NULL;
	order = calloc(1, sizeof(*order));
	if (order == NULL)
		return NULL;
	order->activation = activation;
	snprintf(order->id, sizeof(order->id), "%s", reply_text(reply_at(reply, 0)));
	snprintf(order->application, sizeof(order->application), "%s", reply_text(reply_at(reply, 1)));
	snprintf(order->group, sizeof(order->group), "%s", reply_text(reply_at(reply, 2)));
	order->add = order_adds(reply);
	snprintf(order->group_name, sizeof(order->group_name), "%s", reply_text(reply_at(reply, 5)));
	order->begun_ms = begun_ms;
	snprintf(order->group_ids, sizeof(order->group_ids), "%s", reply_text(reply_at(reply, 6)));
	order->count = (count - HEAD_FIELDS) / MEMBER_FIELDS;
	order->members = calloc(order->count, sizeof(*order->members));
	if (order->members == NULL || !read_members(order, reply) ||
	    !activation->options.terms(activation->options.ctx, order->application, &terms)) {
		log_warn("order", "push=%s app=%s error=%s", order->id, order->application,
			 "cannot be taken up");
		if (order->members == NULL)
			order->count = 0;
		order_free(order);
		return NULL;
	}
	order->deadline_ms = begun_ms + terms.push_timeout_ms;
	activation->orders++;
	return order;
}

/* As jit_push_check() of activation/push.lua answers. */
static void read_checks(const struct order *order, const struct reply *reply, struct order_check *checks)
{
	const char *ids = reply_text(reply_at(reply, 2));

	for (size_t i = 0; i < order->count; i++) {
		int64_t till = reply_int(reply_at(reply, 3 + i));
		size_t len = strcspn(ids, " ");

		checks[i] = (struct order_check){.wanted = till != 0, .end_ms = order->add ? till : 0};
		if (len == ID_SIZE - 1)
			memcpy(checks[i].grant, ids, len);
		ids += ids[len] == ' ' ? len + 1 : len;
	}
}

static void on_checked(void *ctx, enum err err, const struct reply *reply)
{
	struct order_question *question = ctx;
	struct order *order = question->order;
	struct order_check checks[PUSH_BATCH];
	bool held;

	if (order != NULL) {
		order->question = NULL;
		held = err == ERR_OK && strcmp(reply_text(reply_at(reply, 0)), "ok") == 0 &&
		       reply_count(reply) == 3 + order->count && clock_mono_ms() < order->deadline_ms;
		if (held)
			read_checks(order, reply, checks);
		else
			log_warn("push_not_sent", "push=%s app=%s error=%s", order->id, order->application,
				 err == ERR_OK ? "another broker has it" : err_message(err));
		order->checked_ms = reply_int(reply_at(reply, 1));
		question->done(question->ctx, held ? checks : NULL);
	}
	free(question);
}

void order_check(struct order *order, order_checked *done, void *ctx)
{
	struct activation *activation = order->activation;
	struct order_question *question = calloc(1, sizeof(*question));
	struct store_call call;

	if (question == NULL || order->count > PUSH_BATCH) {
		free(question);
		done(ctx, NULL);
		return;
	}
	question->order = order;
	question->done = done;
	question->ctx = ctx;
	order->question = question;
	core_call(activation, &call, "jit_push_check", core_lane(activation, order->application));
	call.read_only = true;
	store_arg(&call, order->id);
	store_call(activation->options.store, &call, on_checked, question);
}

/* The end of an order, kept until the store has taken it or the claim has run out. */
struct ending {
	struct activation *activation;
	unsigned lane;
	char id[ID_SIZE];
	char application[APP_ID_SIZE], group[ID_SIZE];
	int64_t until_ms;
	struct store_call call;
	uv_timer_t timer;
	size_t text_count;
	char *texts[]; /* the call's arguments; owned */
};

static void on_ending_closed(uv_handle_t *handle)
{
	struct ending *ending = handle->data;

	for (size_t i = 0; i < ending->text_count; i++)
		free(ending->texts[i]);
	free(ending);
}

static void tell_end(struct ending *ending);

#define END_TEXTS    8 /* arguments of jit_push_end before those of the members … */
#define MEMBER_TEXTS 7 /* … and of each, the person first */

/* Whose access has another end now that the push is over. */
static void take_ends(const struct ending *ending, const struct reply *reply)
{
	for (size_t i = 0; 3 + i < reply_count(reply); i++)
		if (END_TEXTS + MEMBER_TEXTS * i < ending->text_count)
			core_tell_end(ending->activation, reply, reply_int(reply_at(reply, 3 + i)),
				      &(struct access_end){
					      .application = ending->application,
					      .group = ending->group,
					      .principal = ending->texts[END_TEXTS + MEMBER_TEXTS * i]});
}

static void on_tell_again(uv_timer_t *timer)
{
	tell_end(timer->data);
}

static void on_told(void *ctx, enum err err, const struct reply *reply)
{
	struct ending *ending = ctx;
	struct activation *activation = ending->activation;

	if (err == ERR_OK) {
		const char *word = core_answer(activation, ending->lane, reply);

		take_ends(ending, reply);
		if (strcmp(word, "ok") != 0)
			log_warn("push_lost", "push=%s app=%s", ending->id, ending->application);
	} else if (clock_mono_ms() < ending->until_ms && !activation->stopped) {
		uv_timer_start(&ending->timer, on_tell_again, END_AGAIN_MS, 0);
		return;
	} else {
		log_warn("push_end", "push=%s app=%s error=%s", ending->id, ending->application,
			 err_message(err));
	}
	activation->orders--;
	uv_close((uv_handle_t *)&ending->timer, on_ending_closed);
}

static void tell_end(struct ending *ending)
{
	store_call(ending->activation->options.store, &ending->call, on_told, ending);
}

static bool add_owned(struct ending *ending, const char *text)
{
	char *copy = strdup(text);

	if (copy == NULL)
		return false;
	ending->texts[ending->text_count++] = copy;
	store_arg(&ending->call, copy);
	return true;
}

static bool add_number(struct ending *ending, int64_t number)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", (long long)number);
	return add_owned(ending, text);
}

static bool add_result(struct ending *ending, const struct order_member *member)
{
	static const char *const words[] = {
		[ORDER_DONE] = "done",   [ORDER_UNVERIFIED] = "unverified", [ORDER_STANDING] = "standing",
		[ORDER_RETRY] = "retry", [ORDER_REFUSED] = "refused",       [ORDER_SKIPPED] = "skipped",
		[ORDER_SPLIT] = "split",
	};

	char marks[8];

	snprintf(marks, sizeof(marks), "%s%s%s%s", member->in_doubt ? "1" : "0", member->created ? "c" : "",
		 member->creation_lost ? "l" : "", member->activated ? "a" : "");
	return add_owned(ending, member->principal) && add_owned(ending, words[member->verdict]) &&
	       add_owned(ending, marks) && add_number(ending, member->delay_ms) &&
	       add_number(ending, member->status) &&
	       add_owned(ending, member->error != NULL ? member->error : "") &&
	       add_owned(ending, member->ids);
}

const char *order_health_word(enum order_health health)
{
	static const char *const words[] = {
		[HEALTH_UNKNOWN] = "",        [HEALTH_OK] = "ok",
		[HEALTH_FAILING] = "failing", [HEALTH_UNAUTHORISED] = "unauthorised",
		[HEALTH_ALIEN] = "alien",
	};

	return words[health];
}

static bool add_health(struct ending *ending, const struct order *order)
{
	char chance[16];

	snprintf(chance, sizeof(chance), "%.6f", (double)order->chance / UINT32_MAX);
	return add_owned(ending, order_health_word(order->health)) &&
	       add_owned(ending, order->health_words != NULL ? order->health_words : "") &&
	       add_owned(ending, chance) && add_number(ending, clock_mono_ms() - order->begun_ms);
}

static bool add_ending(struct ending *ending, const struct order *order, const struct terms *terms)
{
	char text[TERMS_SIZE];

	core_terms(terms, text);
	if (!add_owned(ending, text) || !add_owned(ending, order->id) ||
	    !add_number(ending, order->unanswered) || !add_number(ending, order->closed_for_ms) ||
	    !add_health(ending, order))
		return false;
	for (size_t i = 0; i < order->count; i++)
		if (!add_result(ending, &order->members[i]))
			return false;
	return true;
}

static struct ending *ending_new(const struct order *order)
{
	struct activation *activation = order->activation;
	struct terms terms;
	struct ending *ending = calloc(1, sizeof(*ending) + (END_TEXTS + MEMBER_TEXTS * order->count) *
								    sizeof(ending->texts[0]));

	if (ending == NULL)
		return NULL;
	ending->activation = activation;
	ending->lane = core_lane(activation, order->application);
	ending->until_ms = order->deadline_ms + PUSH_GRACE_MS;
	snprintf(ending->id, sizeof(ending->id), "%s", order->id);
	snprintf(ending->application, sizeof(ending->application), "%s", order->application);
	snprintf(ending->group, sizeof(ending->group), "%s", order->group);
	core_call(activation, &ending->call, "jit_push_end", ending->lane);
	uv_timer_init(activation->options.loop, &ending->timer);
	ending->timer.data = ending;
	if (!activation->options.terms(activation->options.ctx, order->application, &terms) ||
	    !add_ending(ending, order, &terms)) {
		uv_close((uv_handle_t *)&ending->timer, on_ending_closed);
		return NULL;
	}
	return ending;
}

void order_end(struct order *order)
{
	struct ending *ending = ending_new(order);

	if (ending == NULL) {
		log_warn("push_end", "push=%s app=%s error=%s", order->id, order->application,
			 "its claim runs out");
		order->activation->orders--;
	} else {
		tell_end(ending);
	}
	order_free(order);
}
