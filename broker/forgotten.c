#include "broker/forgotten.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/id.h"
#include "base/log.h"
#include "escrow/survey.h"

#define AGAIN_MS 60000

struct forgotten {
	struct config *config;
	int64_t born_ms[LANES_MAX]; /* of the lanes' data */
	uv_timer_t again;
	uv_work_t work;
	bool working, closed;
	size_t count, found; /* as told; as the thread has found it */
	char trouble[192];
};

static void release(struct forgotten *forgotten)
{
	if (!forgotten->closed || forgotten->working)
		return;
	config_unref(forgotten->config);
	free(forgotten);
}

/* By the clock of the broker that began the data, and by Redis' when the line was written: they may differ a little. */
static size_t count_older(const struct ledger *ledger, const int64_t *born_ms)
{
	size_t count = 0;

	for (size_t i = 0; i < ledger_count(ledger); i++) {
		const struct escrow_line *line = &ledger_at(ledger, i)->line;

		/* Where nobody said which request it was for, the lane is not known: lane 0 stands for all. */
		int lane = id_lane(line->assignment);

		count += line->kind != ESCROW_GONE && line->at_ms < born_ms[lane >= 0 ? lane : 0] ? 1 : 0;
	}
	return count;
}

/* In the thread. What cannot be read is escrow_trouble()'s to tell. */
static void work(uv_work_t *request)
{
	struct forgotten *forgotten = request->data;
	const struct config *config = forgotten->config;
	const struct survey_place place = {config->escrow_path,
					   config->escrow_second_path,
					   {config->escrow_key, config->escrow_former_key}};
	struct survey survey;
	struct errctx ec = {""};
	char *text = NULL;
	size_t len;
	FILE *report = open_memstream(&text, &len);

	if (report != NULL && survey_read(&place, report, &survey, &ec) == ERR_OK) {
		forgotten->found = count_older(survey.ledger, forgotten->born_ms);
		survey_release(&survey);
	}
	if (report != NULL)
		fclose(report);
	free(text);
}

static void begin(struct forgotten *forgotten);

static void on_again(uv_timer_t *timer)
{
	begin(timer->data);
}

static void on_worked(uv_work_t *request, int status)
{
	struct forgotten *forgotten = request->data;

	(void)status;
	forgotten->working = false;
	if (forgotten->found > 0 && !uv_is_closing((uv_handle_t *)&forgotten->again)) {
		snprintf(forgotten->trouble, sizeof(forgotten->trouble),
			 "The escrow holds %zu removals that Redis does not know: jit escrow drain "
			 "--beside-redis, as deploy/restore.md says.",
			 forgotten->found);
		uv_timer_start(&forgotten->again, on_again, AGAIN_MS, 0);
	}
	if (forgotten->found > 0 && forgotten->found != forgotten->count)
		log_error("escrow_unknown", "error=%s", forgotten->trouble);
	forgotten->count = forgotten->found;
	release(forgotten);
}

static void begin(struct forgotten *forgotten)
{
	forgotten->working = true;
	forgotten->found = 0;
	uv_queue_work(forgotten->again.loop, &forgotten->work, work, on_worked);
}

struct forgotten *forgotten_new(uv_loop_t *loop, struct config *config, const struct store *store)
{
	struct forgotten *forgotten = calloc(1, sizeof(*forgotten));

	if (forgotten == NULL)
		return NULL;
	forgotten->config = config_ref(config);
	for (unsigned lane = 0; lane < store_lanes(store); lane++)
		forgotten->born_ms[lane] = store_born_ms(store, lane);
	uv_timer_init(loop, &forgotten->again);
	forgotten->again.data = forgotten->work.data = forgotten;
	begin(forgotten);
	return forgotten;
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
