#include "notice/courier.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "activation/activation.h"
#include "activation/notices.h"
#include "base/log.h"
#include "config/config.h"
#include "broker/metrics.h"
#include "http/http.h"
#include "notice/audience.h"
#include "notice/parcel.h"
#include "scim-push/retry.h"

/* A claim outlives the delivery's own deadline and the calls to the store around it. */
#define LEASE_MS       60000
#define AT_ONCE        8  /* deliveries to one target under way in this broker */
#define UNWRITTEN_MOST 10 /* attempts at one for which there was no memory: it may be larger than any */
#define BROKER_MAX     64 /* to all targets together */

/* Where deliveries go; made when one is due, kept until the broker ends. */
struct target {
	struct target *next;
	char name[NOTICE_TARGET_SIZE];
	size_t under_way;      /* deliveries, and those that are being asked for */
	bool waits[LANES_MAX]; /* this lane has more, as soon as there is room */
	unsigned turn;         /* the lane that had room last */
};

struct courier {
	struct courier_options options;
	struct http_client *http;
	struct config *config; /* one reference */
	struct target *targets;
	struct parcel *parcels;
	size_t under_way; /* of all targets */
	size_t calls;     /* to the store */
	bool opens[LANES_MAX];
	bool stopped;
};

/* A claim under way. */
struct claim {
	struct courier *courier;
	struct target *target;
	unsigned lane, most;
};

/* An outbox being emptied. */
struct opening {
	struct courier *courier;
	unsigned lane;
	size_t left; /* notices whose spreading is not yet acknowledged, and one for the reading of the list */
	bool failed; /* something stays in the outbox */
};

/* -- the outbox --------------------------------------------------------------------------------------------- */

static void open_outbox(struct courier *courier, unsigned lane);

/* One part of the opening is through; with the last one the next notices are looked at. */
static void opening_part(struct opening *opening)
{
	struct courier *courier = opening->courier;
	unsigned lane = opening->lane;
	bool failed = opening->failed;

	if (--opening->left > 0)
		return;
	free(opening);
	courier->opens[lane] = false;
	/* What could not be spread stays where it is, and its claim runs out. */
	if (!failed)
		open_outbox(courier, lane);
}

static void on_spread(void *ctx, enum err err, const char *word)
{
	struct opening *opening = ctx;

	(void)word;
	opening->courier->calls--;
	if (err != ERR_OK)
		opening->failed = true;
	opening_part(opening);
}

static void spread(struct opening *opening, const struct notice *notice)
{
	struct courier *courier = opening->courier;
	struct audience *audience = malloc(sizeof(*audience));
	struct notice_copy *copies = calloc(NOTICE_COPIES_MAX, sizeof(*copies));
	struct notice_spread all = {.lane = opening->lane, .number = notice->number, .copies = copies};

	if (audience == NULL || copies == NULL ||
	    audience_leaves(notice, activation_now_ms(courier->options.activation)) ||
	    audience_find(courier->config, notice, audience) != ERR_OK) {
		opening->failed = true;
	} else {
		for (; all.count < audience->count; all.count++) {
			const struct reader *reader = &audience->readers[all.count];

			id_make(opening->lane, copies[all.count].id);
			copies[all.count].target = reader->target;
			copies[all.count].to = reader->mailbox;
			copies[all.count].delay_ms = reader->delay_ms;
		}
		opening->left++;
		courier->calls++;
		notices_spread(courier->options.activation, &all, on_spread, opening);
	}
	free(copies);
	free(audience);
}

static void on_opened(void *ctx, enum err err, const struct notice_list *list)
{
	struct opening *opening = ctx;

	opening->courier->calls--;
	opening->failed = err != ERR_OK || list->count == 0 || opening->courier->stopped;
	for (size_t i = 0, count = opening->failed ? 0 : list->count; i < count; i++)
		spread(opening, &list->notices[i]);
	opening_part(opening);
}

static void open_outbox(struct courier *courier, unsigned lane)
{
	struct opening *opening =
		courier->stopped || courier->opens[lane] ? NULL : calloc(1, sizeof(*opening));

	if (opening == NULL)
		return;
	opening->courier = courier;
	opening->lane = lane;
	opening->left = 1;
	courier->opens[lane] = true;
	courier->calls++;
	notices_open(courier->options.activation, lane, on_opened, opening);
}

/* -- deliveries --------------------------------------------------------------------------------------------- */

static void work(struct courier *courier, struct target *target, unsigned lane);

/* So many deliveries to the target are over: the lane that has waited longest gets the room. */
static void make_room(struct courier *courier, struct target *target, size_t count)
{
	target->under_way -= count;
	courier->under_way -= count;
	for (unsigned i = 1; i <= LANES_MAX && !courier->stopped; i++) {
		unsigned lane = (target->turn + i) % LANES_MAX;

		if (target->waits[lane]) {
			work(courier, target, lane);
			return;
		}
	}
}

static void parcel_take_out(struct parcel *parcel)
{
	*parcel->link = parcel->next;
	if (parcel->next != NULL)
		parcel->next->link = parcel->link;
	parcel_free(parcel);
}

static void on_end_told(void *ctx, enum err err, const char *word)
{
	struct parcel *parcel = ctx;
	struct courier *courier = parcel->courier;
	struct target *target = parcel->target;

	(void)word;
	courier->calls--;
	if (err != ERR_OK)
		log_warn("notice_end", "delivery=%s error=%s", parcel->id, err_message(err));
	parcel_take_out(parcel);
	make_room(courier, target, 1);
}

static void count(struct metrics *metrics, bool mail, const char *word)
{
	if (strcmp(word, "done") == 0)
		metrics->notices_sent[mail]++;
	else if (strcmp(word, "held") == 0)
		metrics->notices_held++;
	else
		metrics->notices_failed[mail]++;
}

static void tell_end(struct parcel *parcel, const struct parcel_result *result)
{
	struct notice_end end = {
		.word = result->word,
		.delay_ms = result->delay_ms,
		.silent_ms = result->silent_ms,
		.answer = result->answer,
		.fingerprint = parcel->fingerprint,
	};

	count(parcel->courier->options.metrics, parcel->hook == NULL, result->word);
	snprintf(end.id, sizeof(end.id), "%s", parcel->id);
	parcel->courier->calls++;
	notices_end(parcel->courier->options.activation, &end, on_end_told, parcel);
}

static void on_answer(void *ctx, const struct http_answer *answer)
{
	struct parcel *parcel = ctx;
	struct parcel_result result;

	parcel->request = NULL;
	parcel_judge(parcel, answer, retry_chance(), &result);
	log_event(strcmp(result.word, "done") == 0 ? LOG_INFO : LOG_WARN, "notice",
		  "delivery=%s target=%s attempt=%u result=%s status=%ld", parcel->id, parcel->target->name,
		  parcel->tries + 1, result.word, answer->status);
	tell_end(parcel, &result);
}

static void send_parcel(struct parcel *parcel)
{
	struct courier *courier = parcel->courier;
	struct parcel_result result = {
		.word = "again", .delay_ms = 60000, .answer = "The broker could not send it."};

	if (parcel_send(parcel, courier->http, activation_now_ms(courier->options.activation), on_answer) !=
	    ERR_OK)
		tell_end(parcel, &result);
}

static void on_may_mail(void *ctx, enum err err, const char *word)
{
	struct parcel *parcel = ctx;
	struct parcel_result result = {.word = "held"};

	parcel->courier->calls--;
	if (err == ERR_OK && strcmp(word, "send") == 0 && !parcel->courier->stopped) {
		send_parcel(parcel);
	} else if (err == ERR_OK && strcmp(word, "held") == 0) {
		tell_end(parcel, &result);
	} else {
		struct courier *courier = parcel->courier;
		struct target *target = parcel->target;

		/* Its claim runs out. */
		parcel_take_out(parcel);
		make_room(courier, target, 1);
	}
}

/* Mail is looked at in its mailbox's lane first: nobody's requests may flood it, nor may their broken glasses. */
static void deliver(struct parcel *parcel)
{
	struct courier *courier = parcel->courier;
	const struct config_mail *mail = &parcel->config->mail;
	struct notice_mail question = {
		.mailbox = parcel->to,
		.delivery = parcel->id,
		.person = parcel->person,
		.line = parcel->line,
		.most = mail->most,
		.most_for_one = mail->most_for_one,
		.window_ms = mail->window_ms,
		.apart = "",
	};

	if (parcel->is_glass) {
		question.most = INT32_MAX; /* nobody's broken glass hides another's */
		question.most_for_one = mail->most_break_glass;
		question.apart = "glass";
	}
	if (parcel->hook != NULL || (parcel->is_alarm && !parcel->is_glass)) {
		send_parcel(parcel);
		return;
	}
	courier->calls++;
	notices_may_mail(courier->options.activation, &question, on_may_mail, parcel);
}

static void on_unwritten_told(void *ctx, enum err err, const char *word)
{
	struct courier *courier = ctx;

	(void)word;
	courier->calls--;
	if (err != ERR_OK)
		log_warn("notice_end", "error=%s", err_message(err));
}

/* What cannot be written will not be the next time either, but where memory was short. */
static void give_up(struct courier *courier, const struct notice *notice, enum err err)
{
	struct notice_end end = {
		.word = "park", .answer = "The broker could not write it.", .fingerprint = ""};

	log_warn("notice", "delivery=%s target=%s kind=%s error=%s", notice->delivery, notice->target,
		 notice->kind, err == ERR_NOT_FOUND ? "the target is not configured" : err_message(err));
	if (err == ERR_NOMEM && notice->tries < UNWRITTEN_MOST) {
		end.word = "again";
		end.delay_ms = LEASE_MS;
	}
	if (err == ERR_NOT_FOUND)
		return; /* the claim runs out; where no broker knows the target it is parked in time */
	count(courier->options.metrics, strcmp(notice->target, AUDIENCE_MAIL) == 0, end.word);
	snprintf(end.id, sizeof(end.id), "%s", notice->delivery);
	courier->calls++;
	notices_end(courier->options.activation, &end, on_unwritten_told, courier);
}

static void take_up(struct claim *claim, const struct notice *notice)
{
	struct courier *courier = claim->courier;
	struct parcel *parcel = NULL;
	int64_t now_ms = activation_now_ms(courier->options.activation);
	enum err err;

	if (audience_leaves(notice, now_ms))
		return; /* the claim runs out */
	err = parcel_new(courier->config, notice, now_ms, &parcel);
	if (err != ERR_OK) {
		give_up(courier, notice, err);
		return;
	}
	parcel->courier = courier;
	parcel->target = claim->target;
	parcel->lane = claim->lane;
	parcel->next = courier->parcels;
	parcel->link = &courier->parcels;
	if (parcel->next != NULL)
		parcel->next->link = &parcel->next;
	courier->parcels = parcel;
	claim->target->under_way++;
	courier->under_way++;
	deliver(parcel);
}

static void on_taken(void *ctx, enum err err, const struct notice_list *list)
{
	struct claim *claim = ctx;
	struct courier *courier = claim->courier;

	courier->calls--;
	if (err == ERR_OK) {
		claim->target->waits[claim->lane] =
			list->more || (list->count == claim->most && claim->most > 0);
		for (size_t i = 0; i < list->count && !courier->stopped; i++)
			take_up(claim, &list->notices[i]);
	}
	make_room(courier, claim->target, claim->most);
	free(claim);
}

static void work(struct courier *courier, struct target *target, unsigned lane)
{
	bool known = strcmp(target->name, AUDIENCE_MAIL) == 0
			     ? courier->config->mail.server[0] != '\0'
			     : audience_hook(courier->config, target->name) != NULL;
	size_t room = target->under_way < AT_ONCE ? AT_ONCE - target->under_way : 0;
	size_t in_all = courier->under_way < BROKER_MAX ? BROKER_MAX - courier->under_way : 0;
	char fingerprint[AUDIENCE_FINGERPRINT_SIZE] = "";
	struct notice_claim question = {
		.lane = lane, .target = target->name, .lease_ms = LEASE_MS, .fingerprint = fingerprint};
	struct claim *claim;

	if (room > in_all)
		room = in_all;
	target->waits[lane] = known && room == 0;
	claim = known && room == 0 ? NULL : calloc(1, sizeof(*claim));
	if (claim == NULL)
		return;
	if (known && strcmp(target->name, AUDIENCE_MAIL) != 0)
		audience_fingerprint(audience_hook(courier->config, target->name), fingerprint);
	*claim = (struct claim){courier, target, lane, known ? (unsigned)room : 0};
	question.most = claim->most;
	target->turn = lane;
	/* What is asked for has its place already. */
	target->under_way += claim->most;
	courier->under_way += claim->most;
	courier->calls++;
	notices_take(courier->options.activation, &question, on_taken, claim);
}

static struct target *target_get(struct courier *courier, const char *name)
{
	struct target *target = courier->targets;

	while (target != NULL && strcmp(target->name, name) != 0)
		target = target->next;
	if (target != NULL)
		return target;
	target = calloc(1, sizeof(*target));
	if (target == NULL)
		return NULL;
	snprintf(target->name, sizeof(target->name), "%s", name);
	target->next = courier->targets;
	courier->targets = target;
	return target;
}

void courier_due(struct courier *courier, unsigned lane, const char *name)
{
	struct target *target;

	if (lane >= LANES_MAX || courier->stopped)
		return;
	if (name[0] == '\0') {
		open_outbox(courier, lane);
		return;
	}
	target = target_get(courier, name);
	if (target != NULL)
		work(courier, target, lane);
}

/* -- life --------------------------------------------------------------------------------------------------- */

enum err courier_new(const struct courier_options *options, struct courier **out, struct errctx *ec)
{
	struct courier *courier = calloc(1, sizeof(*courier));
	enum err err;

	if (courier == NULL)
		return err_set(ec, ERR_NOMEM, "out of memory");
	courier->options = *options;
	err = http_client_new(options->loop, &courier->http, ec);
	if (err != ERR_OK) {
		free(courier);
		return err;
	}
	courier->config = config_ref(options->config);
	*out = courier;
	return ERR_OK;
}

void courier_configure(struct courier *courier, struct config *config)
{
	config_unref(courier->config);
	courier->config = config_ref(config);
}

void courier_stop(struct courier *courier)
{
	courier->stopped = true;
}

/* Those that wait for the store's answer go when it comes; their claims run out. */
void courier_abort_all(struct courier *courier)
{
	struct parcel *next;

	for (struct parcel *parcel = courier->parcels; parcel != NULL; parcel = next) {
		next = parcel->next;
		if (parcel->request == NULL)
			continue;
		http_cancel(parcel->request);
		parcel->target->under_way--;
		courier->under_way--;
		parcel_take_out(parcel);
	}
}

size_t courier_busy(const struct courier *courier)
{
	return courier->under_way + courier->calls;
}

void courier_free(struct courier *courier)
{
	if (courier == NULL)
		return;
	http_client_free(courier->http);
	config_unref(courier->config);
	while (courier->targets != NULL) {
		struct target *next = courier->targets->next;

		free(courier->targets);
		courier->targets = next;
	}
	free(courier);
}
