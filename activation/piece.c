#include "activation/piece.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "activation/core.h"
#include "base/log.h"

#define FIELDS 4 /* as step_piece() of activation/cycle_step.lua writes it */

struct piece *piece_read(struct activation *activation, const struct reply *reply, int64_t begun_ms)
{
	struct terms terms;
	struct piece *piece = reply_count(reply) == FIELDS ? calloc(1, sizeof(*piece)) : NULL;

	if (piece == NULL)
		return NULL;
	snprintf(piece->id, sizeof(piece->id), "%s", reply_text(reply_at(reply, 0)));
	snprintf(piece->application, sizeof(piece->application), "%s", reply_text(reply_at(reply, 1)));
	snprintf(piece->step, sizeof(piece->step), "%s", reply_text(reply_at(reply, 2)));
	snprintf(piece->at, sizeof(piece->at), "%s", reply_text(reply_at(reply, 3)));
	if (!activation->options.terms(activation->options.ctx, piece->application, &terms)) {
		free(piece);
		return NULL;
	}
	piece->activation = activation;
	piece->begun_ms = begun_ms;
	piece->deadline_ms = begun_ms + terms.push_timeout_ms;
	snprintf(piece->next_at, sizeof(piece->next_at), "%s", piece->at);
	activation->orders++;
	return piece;
}

struct ended {
	struct activation *activation;
	unsigned lane;
	char application[APP_ID_SIZE], step[STEP_NAME_SIZE];
};

static void on_ended(void *ctx, enum err err, const struct reply *reply)
{
	struct ended *ended = ctx;
	struct activation *activation = ended->activation;

	if (err != ERR_OK)
		log_warn("step_end", "app=%s step=%s error=%s", ended->application, ended->step,
			 err_message(err));
	else if (strcmp(core_answer(activation, ended->lane, reply), "ok") != 0)
		log_warn("step_lost", "app=%s step=%s", ended->application, ended->step);
	activation->orders--;
	free(ended);
}

struct numbers {
	char walked[24], did[24], closed[24], chance[16], failures[24];
};

static void print_numbers(const struct piece *piece, struct numbers *n)
{
	snprintf(n->walked, sizeof(n->walked), "%lld", (long long)piece->walked);
	snprintf(n->did, sizeof(n->did), "%lld", (long long)piece->did);
	snprintf(n->closed, sizeof(n->closed), "%lld", (long long)piece->closed_for_ms);
	snprintf(n->chance, sizeof(n->chance), "%.6f", (double)piece->chance / UINT32_MAX);
	snprintf(n->failures, sizeof(n->failures), "%lld", (long long)piece->failures);
}

static void tell_end(const struct piece *piece, struct ended *ended, const struct terms *terms)
{
	char text[TERMS_SIZE];
	struct numbers n;
	struct store_call call;

	core_terms(terms, text);
	print_numbers(piece, &n);
	core_call(piece->activation, &call, "jit_step_end", ended->lane);
	store_arg(&call, text);
	store_arg(&call, piece->id);
	store_arg(&call, piece->next_at);
	store_arg(&call, piece->is_last ? "1" : "0");
	store_arg(&call, n.walked);
	store_arg(&call, n.did);
	store_arg(&call, piece->unanswered ? "1" : "0");
	store_arg(&call, n.closed);
	store_arg(&call, order_health_word(piece->health));
	store_arg(&call, piece->health_words != NULL ? piece->health_words : "");
	store_arg(&call, n.chance);
	store_arg(&call, n.failures);
	store_call(piece->activation->options.store, &call, on_ended, ended);
}

void piece_end(struct piece *piece)
{
	struct activation *activation = piece->activation;
	struct ended *ended = calloc(1, sizeof(*ended));
	struct terms terms;

	if (ended == NULL ||
	    !activation->options.terms(activation->options.ctx, piece->application, &terms)) {
		log_warn("step_end", "app=%s step=%s error=%s", piece->application, piece->step,
			 "its claim runs out");
		activation->orders--;
		free(ended);
	} else {
		ended->activation = activation;
		ended->lane = core_lane(activation, piece->application);
		snprintf(ended->application, sizeof(ended->application), "%s", piece->application);
		snprintf(ended->step, sizeof(ended->step), "%s", piece->step);
		tell_end(piece, ended, &terms);
	}
	free(piece);
}
