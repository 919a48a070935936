#include "escrow/forgotten.h"

#include <stdio.h>
#include <stdlib.h>

#include "activation/held.h"
#include "base/id.h"
#include "base/log.h"
#include "escrow/survey.h"

#define AGAIN_MS 60000
#define WINDOW   64 /* questions at a time, so that nobody waits for them */

struct forgotten {
	struct config *config;
	struct store *store;
	int64_t born_ms[LANES_MAX]; /* of the lanes' data */
	uv_timer_t again;
	uv_work_t work;
	bool working, closed;
	bool busy, behind; /* a look is under way; another one is wanted then */
	/* Of the look that is under way: */
	struct survey survey;
	bool is_read, failed;
	size_t next, asked, found;
	size_t count;          /* as told */
	bool is_known;         /* the last look that has ended could read all and ask for all */
	forgotten_known *done; /* who waits for the end of the look, or NULL */
	void *ctx;
	char trouble[192];
};

/* An entry that Redis is asked for. */
struct question {
	struct forgotten *forgotten;
	int64_t at_ms;
	bool is_older; /* than the data of its lane */
};

static void release(struct forgotten *forgotten)
{
	if (!forgotten->closed || forgotten->working || forgotten->asked > 0)
		return;
	survey_release(&forgotten->survey);
	config_unref(forgotten->config);
	free(forgotten);
}

/* In the thread. What cannot be read is escrow_trouble()'s to tell. */
static void work(uv_work_t *request)
{
	struct forgotten *forgotten = request->data;
	const struct config *config = forgotten->config;
	const struct survey_place place = {config->escrow_path,
					   config->escrow_second_path,
					   {config->escrow_key, config->escrow_former_key}};
	struct errctx ec = {""};
	char *text = NULL;
	size_t len;
	FILE *report = open_memstream(&text, &len);

	forgotten->is_read = report != NULL && survey_read(&place, report, &forgotten->survey, &ec) == ERR_OK;
	if (report != NULL)
		fclose(report);
	free(text);
}

/* -- what Redis knows -------------------------------------------------------------------------------------- */

static void go_on(struct forgotten *forgotten);

/*
 * A request is kept for `history` after its end: so one that was made since, and is not there, is lost, and likewise one from
 * before the data began. That alone says nothing: the note of that may be younger than the data. Brokers that do not share
 * a folder leave lines of what others have removed; those requests are there.
 */
static void on_answer(void *ctx, enum err err, const struct reply *reply)
{
	struct question *question = ctx;
	struct forgotten *forgotten = question->forgotten;
	const struct held_answer held = held_read(reply);
	bool is_recent = question->at_ms > held.now_ms - forgotten->config->history_ms;
	bool is_known = held.membership || held.request;

	forgotten->asked--;
	forgotten->failed = forgotten->failed || err != ERR_OK;
	forgotten->found += err == ERR_OK && (is_recent || question->is_older) && !is_known ? 1 : 0;
	free(question);
	go_on(forgotten);
}

static void ask(struct forgotten *forgotten, const struct escrow_line *line, bool is_older)
{
	struct question *question = malloc(sizeof(*question));
	const struct held_question held = {.application = line->application,
					   .group = line->group,
					   .principal = line->principal,
					   .request = line->assignment};
	struct store_call call;

	forgotten->failed = forgotten->failed || question == NULL;
	if (question == NULL)
		return;
	*question = (struct question){forgotten, line->at_ms, is_older};
	forgotten->asked++;
	held_call(forgotten->store, &held, &call);
	store_call(forgotten->store, &call, on_answer, question);
}

static void consider(struct forgotten *forgotten, const struct escrow_line *line)
{
	/* Where nobody said which request it was for, the lane is not known: lane 0 stands for all. */
	int lane = id_lane(line->assignment);
	/* By the clock of the broker that began the data, and by Redis' when the line was written: they may differ. */
	bool is_older = line->at_ms < forgotten->born_ms[lane >= 0 ? lane : 0];

	if (line->kind != ESCROW_GONE && (is_older || lane >= 0))
		ask(forgotten, line, is_older);
}

/* -- a look ------------------------------------------------------------------------------------------------ */

static void on_worked(uv_work_t *request, int status);

static void begin(struct forgotten *forgotten)
{
	forgotten->busy = forgotten->working = true;
	forgotten->behind = forgotten->failed = false;
	forgotten->next = forgotten->found = 0;
	uv_timer_stop(&forgotten->again);
	uv_queue_work(forgotten->again.loop, &forgotten->work, work, on_worked);
}

static void on_again(uv_timer_t *timer)
{
	begin(timer->data);
}

static void tell(struct forgotten *forgotten)
{
	if (forgotten->found > 0)
		snprintf(forgotten->trouble, sizeof(forgotten->trouble),
			 "The escrow holds %zu removals that Redis does not know: jit escrow drain "
			 "--beside-redis, as deploy/restore.md says.",
			 forgotten->found);
	if (forgotten->found > 0 && forgotten->found != forgotten->count)
		log_error("escrow_unknown", "error=%s", forgotten->trouble);
	forgotten->count = forgotten->found;
}

static void end(struct forgotten *forgotten)
{
	forgotten_known *done = forgotten->done;

	forgotten->busy = false;
	forgotten->done = NULL;
	survey_release(&forgotten->survey);
	forgotten->is_known = !forgotten->failed;
	if (forgotten->failed)
		log_warn("escrow_uncompared", "why=%s",
			 forgotten->is_read ? "Redis has not answered for all of it" : "it cannot be read");
	/* One that cannot be asked for hides none of those that were found. */
	if (forgotten->is_known || forgotten->found > forgotten->count)
		tell(forgotten);
	if (forgotten->behind)
		begin(forgotten);
	else if (forgotten->count > 0 || forgotten->failed)
		uv_timer_start(&forgotten->again, on_again, AGAIN_MS, 0);
	if (done != NULL)
		done(forgotten->ctx);
}

static void go_on(struct forgotten *forgotten)
{
	const struct ledger *ledger = forgotten->survey.ledger;
	size_t count = forgotten->is_read ? ledger_count(ledger) : 0;

	if (uv_is_closing((uv_handle_t *)&forgotten->again)) {
		release(forgotten);
		return;
	}
	while (forgotten->next < count && forgotten->asked < WINDOW)
		consider(forgotten, &ledger_at(ledger, forgotten->next++)->line);
	if (forgotten->next == count && forgotten->asked == 0)
		end(forgotten);
}

static void on_worked(uv_work_t *request, int status)
{
	struct forgotten *forgotten = request->data;

	(void)status;
	forgotten->working = false;
	forgotten->failed = !forgotten->is_read;
	go_on(forgotten);
}

struct forgotten *forgotten_new(uv_loop_t *loop, struct config *config, struct store *store)
{
	struct forgotten *forgotten = calloc(1, sizeof(*forgotten));

	if (forgotten == NULL)
		return NULL;
	forgotten->config = config_ref(config);
	forgotten->store = store;
	for (unsigned lane = 0; lane < store_lanes(store); lane++)
		forgotten->born_ms[lane] = store_born_ms(store, lane);
	uv_timer_init(loop, &forgotten->again);
	forgotten->again.data = forgotten->work.data = forgotten;
	begin(forgotten);
	return forgotten;
}

void forgotten_look(struct forgotten *forgotten)
{
	forgotten->behind = forgotten->busy;
	if (!forgotten->busy)
		begin(forgotten);
}

size_t forgotten_count(const struct forgotten *forgotten)
{
	return forgotten != NULL ? forgotten->count : 0;
}

bool forgotten_is_known(const struct forgotten *forgotten)
{
	return forgotten == NULL || forgotten->is_known;
}

void forgotten_when_known(struct forgotten *forgotten, forgotten_known *done, void *ctx)
{
	forgotten->done = forgotten->busy ? done : NULL;
	forgotten->ctx = ctx;
	if (!forgotten->busy)
		done(ctx);
}

static void on_closed(uv_handle_t *handle)
{
	struct forgotten *forgotten = handle->data;

	forgotten->closed = true;
	release(forgotten);
}

void forgotten_free(struct forgotten *forgotten)
{
	if (forgotten != NULL)
		uv_close((uv_handle_t *)&forgotten->again, on_closed);
}

const char *forgotten_trouble(const struct forgotten *forgotten)
{
	return forgotten != NULL && forgotten->count > 0 ? forgotten->trouble : NULL;
}
