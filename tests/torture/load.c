#include "tests/torture/load.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/iso8601.h"
#include "tests/support/wait.h"
#include "tests/torture/decide.h"

#define REQUESTS     PIM "assignmentScheduleRequests"
#define CALL_MS      5000  /* of one sending */
#define GIVE_UP_MS   60000 /* of a call, over all sendings */
#define HOUR_MS      3600000
#define LONG_PERCENT 8   /* stay for an hour */
#define MARGIN_MS    700 /* nearer to its end nobody extends */

/* One call, over all its sendings. */
struct op {
	long number;
	const struct ground_person *who;
	size_t person;
	const char *action;
	char path[160], body[640], key[64];
	const char *withdraws; /* a request's id; "" = none */
	int64_t length_ms, start_ms;
	/* What came back. */
	int status;
	char id[ID_SIZE];
	int64_t answer_start_ms, answer_end_ms;
};

/* -- sending ---------------------------------------------------------------------------------------------------- */

static int64_t time_at(const struct http_response *response, const char *path)
{
	const char *text = http_json_text(response, path);
	struct errctx ec;
	int64_t ms = 0;

	return text != NULL && iso8601_parse_time(text, &ms, &ec) == ERR_OK ? ms : 0;
}

static const char *text_at(const struct http_response *response, const char *path)
{
	const char *text = http_json_text(response, path);

	return text != NULL ? text : "";
}

static void take_answer(struct load *load, struct op *op, int try_number,
			const struct http_response *response)
{
	op->status = response->status;
	snprintf(op->id, sizeof(op->id), "%s", text_at(response, "id"));
	op->answer_start_ms = time_at(response, "scheduleInfo.startDateTime");
	op->answer_end_ms = time_at(response, "provisioning.endDateTime");
	history_note(load->history, "answer",
		     "\"op\":%ld,\"try\":%d,\"status\":%d,\"id\":\"%s\",\"start\":%" PRId64
		     ",\"end\":%" PRId64 ",\"created\":%" PRId64 ",\"state\":\"%s\",\"next\":%" PRId64
		     ",\"error\":\"%s\"",
		     op->number, try_number, op->status, op->id, op->answer_start_ms, op->answer_end_ms,
		     time_at(response, "createdDateTime"), text_at(response, "provisioning.state"),
		     time_at(response, "provisioning.nextCycleDateTime"), text_at(response, "error.code"));
}

/* Errors that a repetition under the same key may turn into an answer. */
static bool may_repeat(int status)
{
	return status == 0 || status == 408 || status == 409 || status == 429 || status >= 500;
}

static void send_once(struct load_worker *worker, struct op *op, int try_number)
{
	struct load *load = worker->load;
	size_t broker = dice_roll(&worker->dice, (unsigned)load->ground->options.brokers);
	struct http_request request = {.url = op->path,
				       .bearer = op->who->token,
				       .body = op->body,
				       .headers = {op->key},
				       .timeout_ms = CALL_MS};
	struct http_response response;

	history_note(load->history, "ask",
		     "\"op\":%ld,\"try\":%d,\"broker\":%zu,\"person\":%zu,\"action\":\"%s\",\"of\":\"%s\","
		     "\"length\":%" PRId64 ",\"start\":%" PRId64,
		     op->number, try_number, broker, op->person, op->action, op->withdraws, op->length_ms,
		     op->start_ms);
	ground_call(load->ground, broker, &request, &response);
	take_answer(load, op, try_number, &response);
	http_response_release(&response);
}

/* False when it was never answered. */
static bool send_op(struct load_worker *worker, struct op *op)
{
	int64_t until = clock_mono_ms() + GIVE_UP_MS;

	for (int try_number = 1; clock_mono_ms() < until; try_number++) {
		send_once(worker, op, try_number);
		if (!may_repeat(op->status)) {
			worker->load->acknowledged += op->status / 100 == 2;
			return true;
		}
		wait_a_little((int)dice_between(&worker->dice, 50, 300));
	}
	return false;
}

/* -- calls ------------------------------------------------------------------------------------------------------ */

static void op_new(struct load_worker *worker, const struct load_person *person, const char *action,
		   struct op *op)
{
	struct load *load = worker->load;

	*op = (struct op){.number = ++load->ops,
			  .who = &load->ground->person[person->number],
			  .person = person->number,
			  .action = action,
			  .path = REQUESTS,
			  .withdraws = "",
			  .body = "{}"};
	snprintf(op->key, sizeof(op->key), "Idempotency-Key: op-%ld", op->number);
}

/* The justification is the call's own, so that what is in the store can be told apart. */
static void write_body(const struct load *load, struct op *op)
{
	char duration[ISO8601_DURATION_SIZE], start[ISO8601_TIME_SIZE], schedule[256] = "";

	if (op->length_ms > 0) {
		iso8601_format_duration(op->length_ms, duration);
		iso8601_format_time(op->start_ms, start);
		snprintf(schedule, sizeof(schedule),
			 ",\"scheduleInfo\":{%s%s%s\"expiration\":{\"type\":\"afterDuration\",\"duration\":"
			 "\"%s\"}}",
			 op->start_ms > 0 ? "\"startDateTime\":\"" : "", op->start_ms > 0 ? start : "",
			 op->start_ms > 0 ? "\"," : "", duration);
	}
	snprintf(op->body, sizeof(op->body),
		 "{\"action\":\"%s\",\"accessId\":\"member\",\"principalId\":\"%s\",\"groupId\":\"%s\","
		 "\"justification\":\"op-%ld\"%s}",
		 op->action, op->who->id, load->ground->group_ids[op->who->group], op->number, schedule);
}

static void activate(struct load_worker *worker, struct load_person *person, int64_t start_ms)
{
	struct op op;

	op_new(worker, person, "selfActivate", &op);
	op.start_ms = start_ms;
	op.length_ms = dice_roll(&worker->dice, 100) < LONG_PERCENT ? HOUR_MS
								    : dice_between(&worker->dice, 1500, 6000);
	write_body(worker->load, &op);
	person->in_doubt = !send_op(worker, &op) || person->in_doubt;
	if (op.status != 201)
		return;
	if (op.who->needs_approval) {
		snprintf(person->pending, sizeof(person->pending), "%s", op.id);
		return;
	}
	if (start_ms > 0) {
		snprintf(person->scheduled, sizeof(person->scheduled), "%s", op.id);
		person->start_ms = op.answer_start_ms;
	}
	if (op.answer_end_ms > person->end_ms)
		person->end_ms = op.answer_end_ms;
}

static void extend(struct load_worker *worker, struct load_person *person)
{
	struct op op;

	op_new(worker, person, "selfExtend", &op);
	op.length_ms = person->end_ms - clock_wall_ms() + dice_between(&worker->dice, 1000, 4000);
	write_body(worker->load, &op);
	person->in_doubt = !send_op(worker, &op) || person->in_doubt;
	if (op.status == 201 && op.who->needs_approval)
		snprintf(person->pending, sizeof(person->pending), "%s", op.id);
	else if (op.status == 201 && op.answer_end_ms > person->end_ms)
		person->end_ms = op.answer_end_ms;
}

static void give_back(struct load_worker *worker, struct load_person *person)
{
	struct op op;

	op_new(worker, person, "selfDeactivate", &op);
	write_body(worker->load, &op);
	person->in_doubt = !send_op(worker, &op) || person->in_doubt;
	if (op.status == 201)
		person->end_ms = 0;
}

static int cancel(struct load_worker *worker, struct load_person *person, const char *id)
{
	struct op op;

	op_new(worker, person, "cancel", &op);
	op.withdraws = id;
	snprintf(op.path, sizeof(op.path), REQUESTS "/%s/cancel", id);
	person->in_doubt = !send_op(worker, &op) || person->in_doubt;
	return op.status;
}

static void withdraw(struct load_worker *worker, struct load_person *person)
{
	if (cancel(worker, person, person->scheduled) == 204)
		person->end_ms = 0;
	person->scheduled[0] = '\0';
}

/* -- what waits for an approver --------------------------------------------------------------------------------- */

/* Nothing to wait for any more when it has been decided. */
static void look_at_pending(struct load_worker *worker, struct load_person *person)
{
	struct http_response response;
	char path[160];

	snprintf(path, sizeof(path), REQUESTS "/%s", person->pending);
	if (decide_look(worker->load->ground, &worker->dice, &worker->load->ground->person[person->number],
			path, &response) != 200) {
		person->in_doubt = true;
		person->pending[0] = '\0';
	} else if (strcmp(text_at(&response, "status"), "PendingApproval") != 0) {
		int64_t end_ms = time_at(&response, "provisioning.endDateTime");
		bool granted = strcmp(text_at(&response, "status"), "Denied") != 0 &&
			       strcmp(text_at(&response, "status"), "Canceled") != 0;

		if (granted && end_ms > person->end_ms)
			person->end_ms = end_ms;
		person->pending[0] = '\0';
	}
	http_response_release(&response);
}

static void act_while_pending(struct load_worker *worker, struct load_person *person)
{
	struct ground *ground = worker->load->ground;
	unsigned mood = dice_roll(&worker->dice, 100);

	if (mood < 12)
		(void)decide(ground, &worker->dice,
			     &(struct decision){.by = &ground->person[person->number],
						.request = person->pending,
						.approves = mood < 9});
	else if (mood < 20)
		(void)cancel(worker, person, person->pending);
	look_at_pending(worker, person);
}

/* -- what somebody feels like ----------------------------------------------------------------------------------- */

/* In every third application more people come than it takes pushes. */
static bool is_rush(const struct load *load, const struct load_person *person)
{
	return load->ground->person[person->number].app % 3 == 2;
}

static bool needs_approval(const struct load *load, const struct load_person *person)
{
	return load->ground->person[person->number].needs_approval;
}

static void act_with_access(struct load_worker *worker, struct load_person *person, int64_t now)
{
	unsigned mood = dice_roll(&worker->dice, 100);

	if (mood < 45 && person->end_ms - now > MARGIN_MS)
		extend(worker, person);
	else if (mood < 65)
		give_back(worker, person);
	else if (mood < 80)
		activate(worker, person, 0);
}

static void act(struct load_worker *worker, struct load_person *person)
{
	int64_t now = clock_wall_ms();

	if (person->pending[0] != '\0') {
		act_while_pending(worker, person);
	} else if (person->scheduled[0] != '\0' && person->start_ms > now) {
		if (dice_roll(&worker->dice, 3) == 0)
			withdraw(worker, person);
	} else {
		person->scheduled[0] = '\0';
		if (person->end_ms > now)
			act_with_access(worker, person, now);
		else if (!needs_approval(worker->load, person) && dice_roll(&worker->dice, 5) == 0)
			activate(worker, person, now + dice_between(&worker->dice, 500, 3000));
		else
			activate(worker, person, 0);
	}
	now = clock_mono_ms();
	if (person->pending[0] != '\0')
		person->next_ms = now + dice_between(&worker->dice, 200, 700);
	else if (person->end_ms > clock_wall_ms())
		person->next_ms = now + dice_between(&worker->dice, 200, 1500);
	else
		person->next_ms =
			now + (is_rush(worker->load, person) ? dice_between(&worker->dice, 200, 1500)
							     : dice_between(&worker->dice, 4000, 16000));
}

static struct load_person *next_person(struct load_worker *worker)
{
	struct load_person *next = &worker->person[0];

	for (size_t i = 1; i < worker->people; i++)
		if (worker->person[i].next_ms < next->next_ms)
			next = &worker->person[i];
	return next;
}

static void *run_worker(void *ctx)
{
	struct load_worker *worker = ctx;

	while (!worker->load->stop) {
		struct load_person *person = next_person(worker);

		if (person->next_ms > clock_mono_ms())
			wait_a_little(10);
		else
			act(worker, person);
	}
	/* Each has an outcome by then, or the judge says that it has none. */
	int64_t until = clock_mono_ms() + GIVE_UP_MS;
	for (size_t i = 0; i < worker->people; i++)
		while (worker->person[i].pending[0] != '\0' && clock_mono_ms() < until) {
			wait_a_little(100);
			look_at_pending(worker, &worker->person[i]);
		}
	return NULL;
}

/* -- all of them ------------------------------------------------------------------------------------------------ */

bool load_begin(struct load *load, struct ground *ground, struct history *history, uint64_t seed)
{
	load->ground = ground;
	load->history = history;
	for (size_t i = 0; i < LOAD_WORKERS; i++) {
		load->workers[i].load = load;
		load->workers[i].dice = dice_new(seed, 100 + i);
	}
	for (size_t i = 0; i < ground->people; i++) {
		struct load_worker *worker = &load->workers[i % LOAD_WORKERS];

		worker->person[worker->people++] = (struct load_person){
			.number = i, .next_ms = clock_mono_ms() + dice_between(&worker->dice, 0, 4000)};
	}
	history_note(history, "begin", "\"seed\":%" PRIu64, seed);
	for (; load->started < LOAD_WORKERS; load->started++)
		if (pthread_create(&load->workers[load->started].thread, NULL, run_worker,
				   &load->workers[load->started]) != 0)
			return false;
	return true;
}

void load_end(struct load *load)
{
	load->stop = true;
	for (; load->started > 0; load->started--)
		pthread_join(load->workers[load->started - 1].thread, NULL);
}

static const struct load_person *find(const struct load *load, size_t person)
{
	return &load->workers[person % LOAD_WORKERS].person[person / LOAD_WORKERS];
}

bool load_wants(const struct load *load, size_t person, int64_t now_ms)
{
	const struct load_person *p = find(load, person);

	return p->end_ms > now_ms && (p->scheduled[0] == '\0' || p->start_ms <= now_ms);
}

bool load_in_doubt(const struct load *load, size_t person)
{
	return find(load, person)->in_doubt;
}
