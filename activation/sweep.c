#include "activation/sweep.h"

#include <stdlib.h>

#include "activation/core.h"
#include "activation/timetable.h"
#include "base/clock.h"

#define LOOK_MS 50 /* between two rounds over the lanes */

struct sweep {
	struct activation *activation;
	uv_timer_t timer;
	sweep_done *done;
	void *ctx;
	int64_t begun_ms, till_ms; /* clock_mono_ms() */
	unsigned open;             /* lanes of this round that have not answered */
	enum err err;              /* of the first of them that could not */
	bool is_first;             /* the round that sees what there is to do */
	int64_t due, removals;     /* so far in this round */
	struct sweep_report report;
};

static void on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static void finish(struct sweep *sweep, enum err err)
{
	struct sweep_report *report = &sweep->report;

	report->due_left = sweep->due;
	report->removals_left = sweep->removals;
	report->took_ms = clock_mono_ms() - sweep->begun_ms;
	report->complete = sweep->due == 0 && sweep->removals == 0 && sweep->activation->orders == 0;
	report->late =
		report->due_late_ms >= SWEEP_DUE_LATE_MS || report->removal_late_ms >= SWEEP_REMOVAL_LATE_MS;
	sweep->done(sweep->ctx, err, err == ERR_OK ? report : NULL);
	uv_close((uv_handle_t *)&sweep->timer, on_closed);
}

static void begin_round(struct sweep *sweep);

static void on_timer(uv_timer_t *timer)
{
	begin_round(timer->data);
}

static void end_round(struct sweep *sweep)
{
	bool is_idle = sweep->due == 0 && sweep->removals == 0 && sweep->activation->orders == 0;

	if (sweep->err != ERR_OK) {
		finish(sweep, sweep->err);
		return;
	}
	if (sweep->is_first) {
		sweep->report.due = sweep->due;
		sweep->report.removals = sweep->removals;
		sweep->is_first = false;
	}
	if (is_idle || clock_mono_ms() >= sweep->till_ms) {
		finish(sweep, ERR_OK);
		return;
	}
	timetable_wake(sweep->activation->timetable);
	uv_timer_start(&sweep->timer, on_timer, LOOK_MS, 0);
}

static int64_t later_of(int64_t late_ms, int64_t now_ms, int64_t since_ms)
{
	return since_ms > 0 && now_ms - since_ms > late_ms ? now_ms - since_ms : late_ms;
}

static void on_lane(void *ctx, enum err err, const struct lane_status *status)
{
	struct sweep *sweep = ctx;
	struct sweep_report *report = &sweep->report;

	if (err != ERR_OK) {
		sweep->err = err;
	} else {
		sweep->due += status->due;
		sweep->removals += status->removals;
	}
	if (err == ERR_OK && sweep->is_first) {
		report->due_late_ms = later_of(report->due_late_ms, status->now_ms, status->oldest_due_ms);
		report->removal_late_ms =
			later_of(report->removal_late_ms, status->now_ms, status->oldest_removal_ms);
	}
	if (--sweep->open == 0)
		end_round(sweep);
}

/* Asks all lanes in one pipelined round. */
static void begin_round(struct sweep *sweep)
{
	unsigned lanes = store_lanes(sweep->activation->options.store);

	/* The store goes away soon after. */
	if (sweep->activation->stopped || lanes == 0) {
		finish(sweep, ERR_UNAVAILABLE);
		return;
	}
	sweep->due = sweep->removals = 0;
	sweep->open = lanes;
	for (unsigned lane = 0; lane < lanes; lane++)
		activation_lane(sweep->activation, lane, on_lane, sweep);
}

void activation_sweep(struct activation *activation, int64_t patience_ms, sweep_done *done, void *ctx)
{
	struct sweep *sweep;

	if (!store_ready(activation->options.store, NULL) || activation->stopped) {
		done(ctx, ERR_UNAVAILABLE, NULL);
		return;
	}
	sweep = calloc(1, sizeof(*sweep));
	if (sweep == NULL) {
		done(ctx, ERR_NOMEM, NULL);
		return;
	}
	sweep->activation = activation;
	sweep->done = done;
	sweep->ctx = ctx;
	sweep->begun_ms = clock_mono_ms();
	sweep->till_ms = sweep->begun_ms + patience_ms;
	sweep->is_first = true;
	uv_timer_init(activation->options.loop, &sweep->timer);
	sweep->timer.data = sweep;
	begin_round(sweep);
}

enum sweep_status sweep_status(const struct sweep_report *report)
{
	if (report == NULL || !report->complete || report->unknown > 0)
		return SWEEP_LEFT;
	return report->late ? SWEEP_LATE : SWEEP_DONE;
}

void sweep_print(const struct sweep_report *report, struct buf *out)
{
	buf_addf(out,
		 "{\"due\":%lld,\"longestDueSeconds\":%.3f,\"overdueRemovals\":%lld,"
		 "\"longestOverdueSeconds\":%.3f,\"dueLeft\":%lld,\"removalsLeft\":%lld,\"removalsUnknown\":%"
		 "lld,"
		 "\"seconds\":%.3f,"
		 "\"complete\":%s,\"late\":%s}",
		 (long long)report->due, (double)report->due_late_ms / 1000, (long long)report->removals,
		 (double)report->removal_late_ms / 1000, (long long)report->due_left,
		 (long long)report->removals_left, (long long)report->unknown, (double)report->took_ms / 1000,
		 report->complete && report->unknown == 0 ? "true" : "false",
		 report->late ? "true" : "false");
}
