#include "activation/timetable.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "activation/core.h"
#include "activation/review.h"
#include "base/clock.h"
#include "base/log.h"

/*
 * A broker that does not know an application (its configuration is older or newer than another's) and has claimed
 * something of it steps back in that lane: for some time it looks so much later than the brokers that do know it.
 */
#define STEP_BACK_MS     250
#define STEP_BACK_FOR_MS 600000
#define UNKNOWN_MAX      16 /* applications that are remembered to have been logged as unknown */

struct lane {
	int64_t due_ms;       /* clock_mono_ms() of the next look */
	int64_t back_till_ms; /* it has stepped back until then */
	bool asking;          /* a jit_due is under way */
};

struct timetable {
	struct activation *activation;
	uv_timer_t *timer; /* freed by its close callback */
	bool running;
	unsigned lane_count;
	struct lane lanes[LANES_MAX];
	char unknown[UNKNOWN_MAX][APP_ID_SIZE]; /* a ring */
	size_t unknown_count;
};

/* One call in a lane; `id` names the request or application it is about. */
struct errand {
	struct activation *activation;
	unsigned lane;
	int64_t begun_ms;
	char id[APP_ID_SIZE];
	char push_id[ID_SIZE]; /* of the push that it may begin; "" = none */
};

static void on_timer(uv_timer_t *timer);

static struct errand *errand_new(struct activation *activation, unsigned lane, const char *id)
{
	struct errand *errand = calloc(1, sizeof(*errand));

	if (errand == NULL)
		return NULL;
	errand->activation = activation;
	errand->lane = lane;
	errand->begun_ms = clock_mono_ms();
	snprintf(errand->id, sizeof(errand->id), "%s", id);
	return errand;
}

/* The end of the poll interval: the same for all lanes, so that those that have nothing due are asked together. */
static int64_t next_poll_ms(const struct timetable *timetable)
{
	int64_t poll_ms = timetable->activation->options.poll_ms;

	return (clock_mono_ms() / poll_ms + 1) * poll_ms;
}

/* Sets the timer to the earliest look that is due. */
static void set_timer(struct timetable *timetable)
{
	int64_t now = clock_mono_ms(), earliest = INT64_MAX;

	if (!timetable->running)
		return;
	for (unsigned i = 0; i < timetable->lane_count; i++)
		if (!timetable->lanes[i].asking && timetable->lanes[i].due_ms < earliest)
			earliest = timetable->lanes[i].due_ms;
	if (earliest == INT64_MAX)
		return;
	uv_update_time(timetable->timer->loop);
	uv_timer_start(timetable->timer, on_timer, earliest > now ? (uint64_t)(earliest - now) : 0, 0);
}

void timetable_note(struct timetable *timetable, unsigned lane, int64_t delay_ms)
{
	int64_t now = clock_mono_ms(), due = now + (delay_ms > 0 ? delay_ms : 0);

	if (lane < timetable->lane_count && timetable->lanes[lane].back_till_ms > now)
		due += STEP_BACK_MS;
	if (!timetable->running || lane >= timetable->lane_count || timetable->lanes[lane].due_ms <= due)
		return;
	timetable->lanes[lane].due_ms = due;
	set_timer(timetable);
}

static void find_order(const struct errand *errand, enum err err)
{
	if (err == ERR_TIMEOUT && errand->push_id[0] != '\0')
		core_find_order(errand->activation, errand->lane, errand->push_id, errand->begun_ms);
}

static void pump(struct activation *activation, unsigned lane, const char *app);

/* A piece that is not taken up comes again when its claim has run out. */
static void hand_piece(struct activation *activation, const struct reply *reply, int64_t begun_ms)
{
	struct piece *piece = piece_read(activation, reply, begun_ms);

	if (piece != NULL)
		activation->options.piece(activation->options.ctx, piece);
}

static void on_pumped(void *ctx, enum err err, const struct reply *reply)
{
	struct errand *errand = ctx;
	struct activation *activation = errand->activation;
	const char *word = err == ERR_OK ? core_answer(activation, errand->lane, reply) : "";

	if (err != ERR_OK) {
		log_warn("pump", "app=%s error=%s", errand->id, err_message(err));
		find_order(errand, err);
	} else if (strcmp(word, "push") == 0) {
		core_hand_out(activation, reply_at(reply, 3), errand->begun_ms);
		if (!activation->stopped)
			pump(activation, errand->lane, errand->id);
	} else if (strcmp(word, "piece") == 0 && !activation->stopped) {
		hand_piece(activation, reply_at(reply, 3), errand->begun_ms);
	}
	free(errand);
}

static void on_left(void *ctx, enum err err, const struct reply *reply)
{
	struct errand *errand = ctx;

	if (err == ERR_OK) {
		core_answer(errand->activation, errand->lane, reply);
		/* Of all brokers one is told so, once. */
		if (reply_int(reply_at(reply, 3)) == 1)
			log_error("application_left", "app=%s error=%s", errand->id,
				  "no broker has it any more: memberships stay in it");
	}
	free(errand);
}

/* Once for each application: what nobody knows comes up again and again. */
static void log_unknown(struct timetable *timetable, unsigned lane, const char *app)
{
	for (size_t i = 0; i < UNKNOWN_MAX; i++)
		if (strcmp(timetable->unknown[i], app) == 0)
			return;
	snprintf(timetable->unknown[timetable->unknown_count++ % UNKNOWN_MAX], APP_ID_SIZE, "%s", app);
	log_warn("unknown_application", "app=%s lane=%u", app, lane);
}

/*
 * This broker does not know the application: gives back the claim on the entry, of this kind and id, for another
 * broker to take up at once. Once only: while it has stepped back it claims nothing that another one wants, and
 * what nobody knows comes up again with each lease. `app` is the application whose own entry it is; "" = the lane's.
 */
static void leave(struct activation *activation, unsigned lane, const char *kind, const char *id,
		  const char *app)
{
	struct lane *l = &activation->timetable->lanes[lane];
	int64_t now = clock_mono_ms();
	bool first = l->back_till_ms <= now;
	struct errand *errand = errand_new(activation, lane, id);
	struct store_call call;

	l->back_till_ms = now + STEP_BACK_FOR_MS;
	if (errand == NULL)
		return;
	core_call(activation, &call, "jit_leave", lane);
	store_arg(&call, kind);
	store_arg(&call, id);
	store_arg(&call, app);
	store_arg(&call, first ? "" : "1");
	store_call(activation->options.store, &call, on_left, errand);
}

/* Begins a call about an application with its terms; false when this broker does not know it. `kind` is that of the
 * entry that it has claimed. */
static bool application_call(const struct errand *errand, const char *kind, struct store_call *call,
			     const char *function, char text[TERMS_SIZE])
{
	struct activation *activation = errand->activation;
	struct terms terms;

	if (!activation->options.terms(activation->options.ctx, errand->id, &terms)) {
		log_unknown(activation->timetable, errand->lane, errand->id);
		leave(activation, errand->lane, kind, errand->id, "");
		return false;
	}
	core_terms(&terms, text);
	core_call(activation, call, function, errand->lane);
	store_arg(call, text);
	return true;
}

static void pump(struct activation *activation, unsigned lane, const char *app)
{
	struct store_call call;
	char text[TERMS_SIZE];
	struct errand *errand = errand_new(activation, lane, app);

	if (errand == NULL || !application_call(errand, "q", &call, "jit_pump", text)) {
		free(errand);
		return;
	}
	id_make(lane, errand->push_id);
	store_arg(&call, errand->push_id);
	store_call(activation->options.store, &call, on_pumped, errand);
}

static void on_cycle(void *ctx, enum err err, const struct reply *reply)
{
	struct errand *errand = ctx;

	if (err == ERR_OK) {
		const char *word = core_answer(errand->activation, errand->lane, reply);

		if (strcmp(word, "empty") != 0 && strcmp(word, "early") != 0)
			log_info("cycle", "app=%s state=%s total=%lld", errand->id, word,
				 (long long)reply_int(reply_at(reply, 3)));
	} else {
		log_warn("cycle", "app=%s error=%s", errand->id, err_message(err));
	}
	free(errand);
}

static void cycle(struct activation *activation, unsigned lane, const char *app)
{
	struct store_call call;
	char text[TERMS_SIZE], steps[STEPS_SIZE] = "";
	struct errand *errand = errand_new(activation, lane, app);

	if (errand == NULL || !application_call(errand, "c", &call, "jit_cycle", text)) {
		free(errand);
		return;
	}
	activation->options.steps(activation->options.ctx, app, steps);
	store_arg(&call, "");
	store_arg(&call, steps);
	store_call(activation->options.store, &call, on_cycle, errand);
}

static void on_started(void *ctx, enum err err, const struct reply *reply)
{
	struct errand *errand = ctx;

	if (err == ERR_OK) {
		core_answer(errand->activation, errand->lane, reply);
		core_hand_out(errand->activation, reply_at(reply, 3), errand->begun_ms);
		core_tell_end(errand->activation, reply, reply_int(reply_at(reply, 4)),
			      &(struct access_end){.application = reply_text(reply_at(reply, 5)),
						   .group = reply_text(reply_at(reply, 6)),
						   .principal = reply_text(reply_at(reply, 7))});
	} else {
		log_warn("start", "req=%s error=%s", errand->id, err_message(err));
		find_order(errand, err);
	}
	free(errand);
}

/* The call that carries out what policy says of a scheduled request; false when this broker does not know its
 * application: then it does not know the policy either, and leaves the request to one that does; or when policy cannot
 * be asked now. */
static bool start_call(struct errand *errand, const struct request *request)
{
	struct activation *activation = errand->activation;
	struct store_call call;
	struct errctx why = {""};
	struct terms terms;
	char text[TERMS_SIZE];
	struct buf limits;
	enum err err;

	if (!activation->options.terms(activation->options.ctx, request->application, &terms)) {
		log_unknown(activation->timetable, errand->lane, request->application);
		leave(activation, errand->lane, "s", request->id, request->application);
		return false;
	}
	buf_init(&limits, LIMITS_MAX);
	err = activation->options.allowed(activation->options.ctx, request, &limits, &why);
	if (err != ERR_OK && err != ERR_POLICY) {
		/* Its claim runs out, and it comes again. */
		log_warn("start", "req=%s error=%s", request->id, err_message(err));
		buf_release(&limits);
		return false;
	}
	if (err == ERR_OK) {
		core_terms(&terms, text);
		id_make(errand->lane, errand->push_id);
		core_call(activation, &call, "jit_start", errand->lane);
		store_arg(&call, text);
		store_arg(&call, request->id);
		store_arg(&call, errand->push_id);
		store_arg(&call, buf_text(&limits));
	} else {
		log_info("start_refused", "req=%s group=%s", request->id, request->group);
		core_call(activation, &call, "jit_refuse", errand->lane);
		store_arg(&call, request->id);
		store_arg(&call, why.text);
	}
	store_call(activation->options.store, &call, on_started, errand);
	buf_release(&limits);
	return true;
}

/* The scheduled request is read: policy has its word again before it starts. */
static void on_start_read(void *ctx, enum err err, const struct request *request)
{
	struct errand *errand = ctx;

	errand->begun_ms = clock_mono_ms();
	if (err == ERR_OK && request != NULL && request->state == ST_SCHEDULED && start_call(errand, request))
		return;
	if (err != ERR_OK && err != ERR_NOT_FOUND)
		log_warn("start", "req=%s error=%s", errand->id, err_message(err));
	free(errand);
}

static void start(struct activation *activation, unsigned lane, const char *id)
{
	struct errand *errand = errand_new(activation, lane, id);

	if (errand != NULL)
		activation_get(activation, id, on_start_read, errand);
}

static void carry_on(struct activation *activation, unsigned lane, const struct reply *reply)
{
	for (size_t i = 3; i + 1 < reply_count(reply); i += 2) {
		const char *kind = reply_text(reply_at(reply, i));
		const char *id = reply_text(reply_at(reply, i + 1));

		/* activation/lane.lua says what the kinds of entries are. */
		switch (kind[0]) {
		case 's':
			start(activation, lane, id);
			break;
		case 'q':
			pump(activation, lane, id);
			break;
		case 'v':
			review_group(activation->review, lane, id);
			break;
		case 'c':
			cycle(activation, lane, id);
			break;
		case 'n':
		case 'd':
			activation->options.notices(activation->options.ctx, lane, id);
			break;
		case 'u':
			activation->options.audit(activation->options.ctx, lane, id);
			break;
		case 'z':
			log_error("set_aside", "lane=%u what=%s", lane, id);
			break;
		default:
			log_warn("timetable", "lane=%u kind=%s", lane, kind);
		}
	}
}

static void on_due(void *ctx, enum err err, const struct reply *reply)
{
	struct errand *errand = ctx;
	struct activation *activation = errand->activation;
	struct timetable *timetable = activation->timetable;
	struct lane *lane = &timetable->lanes[errand->lane];

	lane->asking = false;
	lane->due_ms = next_poll_ms(timetable);
	if (err == ERR_OK) {
		core_answer(activation, errand->lane, reply);
		if (!activation->stopped)
			carry_on(activation, errand->lane, reply);
	}
	set_timer(timetable);
	free(errand);
}

static void look(struct timetable *timetable, unsigned lane)
{
	struct activation *activation = timetable->activation;
	struct errand *errand = errand_new(activation, lane, "");
	struct store_call call;
	char lease[24], most[24];

	if (errand == NULL) {
		timetable->lanes[lane].due_ms = next_poll_ms(timetable);
		return;
	}
	timetable->lanes[lane].asking = true;
	snprintf(lease, sizeof(lease), "%d", DUE_LEASE_MS);
	snprintf(most, sizeof(most), "%d", DUE_BATCH);
	core_call(activation, &call, "jit_due", lane);
	/* It acknowledges nothing to anybody, and access ends also while the replicas are away. */
	call.at_once = true;
	store_arg(&call, lease);
	store_arg(&call, most);
	store_call(activation->options.store, &call, on_due, errand);
}

static void on_timer(uv_timer_t *timer)
{
	struct timetable *timetable = timer->data;
	int64_t now = clock_mono_ms();

	for (unsigned i = 0; i < timetable->lane_count; i++)
		if (!timetable->lanes[i].asking && timetable->lanes[i].due_ms <= now)
			look(timetable, i);
	set_timer(timetable);
}

struct timetable *timetable_new(struct activation *activation)
{
	struct timetable *timetable = calloc(1, sizeof(*timetable));

	if (timetable == NULL)
		return NULL;
	timetable->timer = calloc(1, sizeof(*timetable->timer));
	if (timetable->timer == NULL) {
		free(timetable);
		return NULL;
	}
	uv_timer_init(activation->options.loop, timetable->timer);
	timetable->timer->data = timetable;
	timetable->activation = activation;
	return timetable;
}

static void on_timer_closed(uv_handle_t *handle)
{
	free(handle);
}

void timetable_free(struct timetable *timetable)
{
	if (timetable == NULL)
		return;
	uv_close((uv_handle_t *)timetable->timer, on_timer_closed);
	free(timetable);
}

void timetable_wake(struct timetable *timetable)
{
	for (unsigned i = 0; i < timetable->lane_count; i++)
		if (!timetable->lanes[i].asking)
			timetable->lanes[i].due_ms = clock_mono_ms();
	set_timer(timetable);
}

void timetable_start(struct timetable *timetable)
{
	timetable->running = true;
	timetable->lane_count = store_lanes(timetable->activation->options.store);
	timetable_wake(timetable);
}

void timetable_stop(struct timetable *timetable)
{
	timetable->running = false;
	uv_timer_stop(timetable->timer);
}
