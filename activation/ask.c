/* What people ask for and decide: each call is one Redis function, whose word is answered as an error or none. */
#include "activation/activation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "activation/core.h"
#include "activation/decision.h"
#include "base/clock.h"

/* A call that somebody waits for. */
struct pending {
	struct activation *activation;
	unsigned lane;
	int64_t begun_ms;
	char push_id[ID_SIZE]; /* of the push that it may begin; "" = none */
	activation_done *done;
	void *ctx;
};

static struct pending *pending_new(struct activation *activation, unsigned lane, void *ctx)
{
	struct pending *p = calloc(1, sizeof(*p));

	if (p != NULL) {
		p->activation = activation;
		p->lane = lane;
		p->begun_ms = clock_mono_ms();
		p->ctx = ctx;
	}
	return p;
}

/* The functions' words, as errors. */
static enum err word_to_err(const char *word)
{
	static const struct {
		const char *word;
		enum err err;
	} words[] = {
		{"ok", ERR_OK},
		{"same", ERR_OK},
		{"reused", ERR_KEY_REUSED},
		{"past", ERR_START_IN_PAST},
		{"exists", ERR_EXISTS},
		{"pending", ERR_PENDING},
		{"many", ERR_TOO_MANY},
		{"none", ERR_NOT_FOUND},
		{"denied", ERR_FORBIDDEN},
		{"refused", ERR_FORBIDDEN},
		{"state", ERR_WRONG_STATE},
		{"full", ERR_FULL},
		{"unknown", ERR_SUBJECT},
		{"excluded", ERR_EXCLUDED},
		{"ineligible", ERR_POLICY},
		{"policy", ERR_POLICY},
		{"decided", ERR_DECIDED},
		{"own", ERR_OWN_REQUEST},
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(words[i].word, word) == 0)
			return words[i].err;
	return ERR_INTERNAL;
}

/* Answers {word, now, next, request or '', order or '', end}. */
static void on_request(void *ctx, enum err err, const struct reply *reply)
{
	struct pending *p = ctx;
	struct request *request = calloc(1, sizeof(*request));
	bool have = false;

	if (err == ERR_OK) {
		err = word_to_err(core_answer(p->activation, p->lane, reply));
		have = request != NULL && request_read(request, reply_at(reply, 3));
		if (request == NULL)
			err = ERR_NOMEM;
	}
	if (have && err == ERR_OK)
		core_tell_end(p->activation, reply, reply_int(reply_at(reply, 5)),
			      &(struct access_end){.application = request->application,
						   .group = request->group,
						   .principal = request->principal});
	p->done(p->ctx, err, have ? request : NULL);
	if (reply != NULL)
		core_hand_out(p->activation, reply_at(reply, 4), p->begun_ms);
	else if (err == ERR_TIMEOUT && p->push_id[0] != '\0')
		core_find_order(p->activation, p->lane, p->push_id, p->begun_ms);
	free(request);
	free(p);
}

/* An answer in which "none" means that the person has nothing running. */
static void on_granted(void *ctx, enum err err, const struct reply *reply)
{
	struct pending *p = ctx;

	if (err == ERR_OK && strcmp(reply_text(reply_at(reply, 0)), "none") == 0) {
		core_answer(p->activation, p->lane, reply);
		p->done(p->ctx, ERR_NO_ASSIGNMENT, NULL);
		free(p);
		return;
	}
	on_request(ctx, err, reply);
}

static void add_field(struct store_call *call, const char *name, const char *value)
{
	if (value == NULL || value[0] == '\0')
		return;
	store_arg(call, name);
	store_arg(call, value);
}

struct ask_numbers {
	char start[24], duration[24], end[24], wait[24], until[24];
};

static void add_ask(struct store_call *call, const struct ask *ask, struct ask_numbers *numbers)
{
	snprintf(numbers->start, sizeof(numbers->start), "%lld", (long long)ask->start_ms);
	snprintf(numbers->duration, sizeof(numbers->duration), "%lld", (long long)ask->duration_ms);
	snprintf(numbers->end, sizeof(numbers->end), "%lld", (long long)ask->end_ms);
	snprintf(numbers->until, sizeof(numbers->until), "%lld", (long long)ask->eligible_until_ms);
	snprintf(numbers->wait, sizeof(numbers->wait), "%lld", (long long)ask->approval_wait_ms);
	add_field(call, "h", ask->fingerprint);
	add_field(call, "ap", ask->application);
	add_field(call, "g", ask->group);
	add_field(call, "p", ask->principal);
	add_field(call, "by", ask->created_by);
	add_field(call, "ac", ask->action);
	add_field(call, "j", ask->justification);
	add_field(call, "tn", ask->ticket_number);
	add_field(call, "ts", ask->ticket_system);
	add_field(call, "cd", ask->custom_data);
	add_field(call, "limits", ask->limits);
	add_field(call, "aw", ask->approval_wait_ms > 0 ? numbers->wait : NULL);
	add_field(call, "ck", ask->counts_from_confirmation ? "1" : NULL);
	add_field(call, "ol", ask->lost_with_eligibility ? "1" : NULL);
	add_field(call, "lu",
		  ask->lost_with_eligibility && ask->eligible_until_ms > 0 ? numbers->until : NULL);
	add_field(call, "bg", ask->break_glass ? "1" : NULL);
	add_field(call, "a", ask->start_ms > 0 ? numbers->start : NULL);
	add_field(call, "d", ask->duration_ms > 0 ? numbers->duration : NULL);
	add_field(call, "e", ask->duration_ms == 0 && ask->end_ms > 0 ? numbers->end : NULL);
}

void activation_submit(struct activation *activation, const struct ask *ask, activation_done *done, void *ctx)
{
	struct store_call call;
	struct terms terms;
	struct ask_numbers numbers = {0};
	char text[TERMS_SIZE];
	unsigned lane = core_lane(activation, ask->application);
	struct pending *p = pending_new(activation, lane, ctx);

	if (p == NULL || !activation->options.terms(activation->options.ctx, ask->application, &terms)) {
		free(p);
		done(ctx, p == NULL ? ERR_NOMEM : ERR_NOT_FOUND, NULL);
		return;
	}
	p->done = done;
	core_terms(&terms, text);
	id_make(lane, p->push_id);
	core_call_by(activation, &call, "jit_submit", lane, ask->actor);
	store_arg(&call, text);
	store_arg(&call, ask->id);
	store_arg(&call, p->push_id);
	store_arg(&call, ask->person);
	store_arg(&call, ask->group_name);
	store_arg(&call, ask->only_try ? "1" : "0");
	add_ask(&call, ask, &numbers);
	store_call(activation->options.store, &call, on_granted, p);
}

/* What needs no terms of the application. */
static void ask_without_terms(struct activation *activation, const char *function, const struct ask *ask,
			      activation_done *done, void *ctx)
{
	struct store_call call;
	struct ask_numbers numbers = {0};
	unsigned lane = core_lane(activation, ask->application);
	struct pending *p = pending_new(activation, lane, ctx);

	if (p == NULL) {
		done(ctx, ERR_NOMEM, NULL);
		return;
	}
	p->done = done;
	core_call_by(activation, &call, function, lane, ask->actor);
	store_arg(&call, ask->id);
	store_arg(&call, ask->only_try ? "1" : "0");
	add_ask(&call, ask, &numbers);
	store_call(activation->options.store, &call, on_granted, p);
}

void activation_deactivate(struct activation *activation, const struct ask *ask, activation_done *done,
			   void *ctx)
{
	ask_without_terms(activation, "jit_deactivate", ask, done, ctx);
}

void activation_make_eligible(struct activation *activation, const struct ask *ask, activation_done *done,
			      void *ctx)
{
	ask_without_terms(activation, "jit_eligibility", ask, done, ctx);
}

/* Somebody waits to hear whether a person is eligible. */
struct question {
	struct activation *activation;
	unsigned lane;
	activation_eligible_done *done;
	void *ctx;
};

static void on_eligible(void *ctx, enum err err, const struct reply *reply)
{
	struct question *q = ctx;

	if (err == ERR_OK)
		core_answer(q->activation, q->lane, reply);
	q->done(q->ctx, err, err == ERR_OK && reply_int(reply_at(reply, 3)) == 1);
	free(q);
}

void activation_ask_eligible(struct activation *activation, const struct ask *ask,
			     activation_eligible_done *done, void *ctx)
{
	struct question *q = malloc(sizeof(*q));
	struct store_call call;
	char when[24];

	if (q == NULL) {
		done(ctx, ERR_NOMEM, false);
		return;
	}
	*q = (struct question){activation, core_lane(activation, ask->application), done, ctx};
	snprintf(when, sizeof(when), "%lld", (long long)ask->start_ms);
	core_call(activation, &call, "jit_eligible", q->lane);
	call.read_only = true;
	store_arg(&call, ask->group);
	store_arg(&call, ask->principal);
	store_arg(&call, when);
	store_call(activation->options.store, &call, on_eligible, q);
}

/* A call about one request, whose lane is in its id. NULL after having answered `done`. */
static struct pending *about_request(struct activation *activation, const char *id, activation_done *done,
				     void *ctx)
{
	int lane = core_lane_of_id(activation, id);
	struct pending *p = lane < 0 ? NULL : pending_new(activation, (unsigned)lane, ctx);

	if (p == NULL)
		done(ctx, lane < 0 ? ERR_NOT_FOUND : ERR_NOMEM, NULL);
	else
		p->done = done;
	return p;
}

static void cancel(struct pending *p, const char *function, const char *id, const struct withdrawal *who)
{
	struct store_call call;

	if (p == NULL)
		return;
	core_call_by(p->activation, &call, function, p->lane, who->actor);
	store_arg(&call, id);
	store_arg(&call, who->by);
	store_arg(&call, who->is_operator ? "1" : "0");
	store_call(p->activation->options.store, &call, on_request, p);
}

void activation_cancel(struct activation *activation, const char *id, const struct withdrawal *who,
		       activation_done *done, void *ctx)
{
	cancel(about_request(activation, id, done, ctx), "jit_cancel", id, who);
}

void activation_cancel_eligibility(struct activation *activation, const char *id,
				   const struct withdrawal *who, activation_done *done, void *ctx)
{
	cancel(about_request(activation, id, done, ctx), "jit_eligibility_cancel", id, who);
}

static void get(struct pending *p, const char *function, const char *id)
{
	struct store_call call;

	if (p == NULL)
		return;
	core_call(p->activation, &call, function, p->lane);
	call.read_only = true;
	store_arg(&call, id);
	store_call(p->activation->options.store, &call, on_request, p);
}

void activation_get(struct activation *activation, const char *id, activation_done *done, void *ctx)
{
	get(about_request(activation, id, done, ctx), "jit_get", id);
}

void activation_get_eligibility(struct activation *activation, const char *id, activation_done *done,
				void *ctx)
{
	get(about_request(activation, id, done, ctx), "jit_eligibility_get", id);
}

void activation_decide(struct activation *activation, const struct decision *decision, activation_done *done,
		       void *ctx)
{
	const struct request *request = decision->request;
	struct pending *p = about_request(activation, request->id, done, ctx);
	struct store_call call;
	struct terms terms;
	char text[TERMS_SIZE], stage[16], needed[16], stages[16], timeout[24];

	if (p == NULL)
		return;
	if (!activation->options.terms(activation->options.ctx, request->application, &terms)) {
		free(p);
		done(ctx, ERR_NOT_FOUND, NULL);
		return;
	}
	core_terms(&terms, text);
	id_make(p->lane, p->push_id);
	snprintf(stage, sizeof(stage), "%u", request->stage);
	snprintf(needed, sizeof(needed), "%u", decision->needed);
	snprintf(stages, sizeof(stages), "%u", decision->stages);
	snprintf(timeout, sizeof(timeout), "%lld", (long long)decision->next_timeout_ms);
	core_call_by(activation, &call, "jit_decide", p->lane, decision->actor);
	store_arg(&call, text);
	store_arg(&call, request->id);
	store_arg(&call, p->push_id);
	store_arg(&call, decision->limits);
	store_arg(&call, stage);
	store_arg(&call, decision->decider);
	store_arg(&call, decision->decider_name);
	store_arg(&call, decision->approve ? "Approve" : "Deny");
	store_arg(&call, decision->justification);
	store_arg(&call, needed);
	store_arg(&call, stages);
	store_arg(&call, timeout);
	store_arg(&call, decision->message);
	store_arg(&call, decision->decider_names);
	store_arg(&call, decision->declined);
	store_call(activation->options.store, &call, on_request, p);
}

/* Somebody waits to hear what a message is answered with. */
struct refusing {
	struct activation *activation;
	unsigned lane;
	activation_refused_done *done;
	void *ctx;
};

static void on_message_refused(void *ctx, enum err err, const struct reply *reply)
{
	struct refusing *r = ctx;
	const char *word = err == ERR_OK ? core_answer(r->activation, r->lane, reply) : "";

	r->done(r->ctx, err, strcmp(word, "refused") == 0 ? reply_text(reply_at(reply, 3)) : NULL);
	free(r);
}

void activation_refuse_message(struct activation *activation, const struct refused_message *message,
			       activation_refused_done *done, void *ctx)
{
	int lane = core_lane_of_id(activation, message->request);
	struct refusing *r = lane < 0 ? NULL : malloc(sizeof(*r));
	struct store_call call;

	if (r == NULL) {
		done(ctx, lane < 0 ? ERR_NOT_FOUND : ERR_NOMEM, NULL);
		return;
	}
	*r = (struct refusing){activation, (unsigned)lane, done, ctx};
	core_call(activation, &call, "jit_message_refused", r->lane);
	store_arg(&call, message->request);
	store_arg(&call, message->id);
	store_arg(&call, message->approve ? "Approve" : "Deny");
	store_arg(&call, message->text);
	store_call(activation->options.store, &call, on_message_refused, r);
}
