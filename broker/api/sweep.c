/* POST /api/sweep: what a timer job calls, in case that no timetable has looked. */
#include "activation/sweep.h"

#include "api/api.h"
#include "api/handlers.h"
#include "base/log.h"
#include "escrow/forgotten.h"

#define PATIENCE_MS 5000 /* within the deadline of a request; what is left then is called for again */

static void on_swept(void *ctx, enum err err, const struct sweep_report *report)
{
	struct call *call = ctx;
	struct sweep_report whole;
	struct buf body;

	if (err != ERR_OK) {
		call_error(call, err, NULL, NULL);
		return;
	}
	log_info("sweep", "due=%lld overdue=%lld left=%lld", (long long)report->due,
		 (long long)report->removals, (long long)report->removals_left);
	buf_init(&body, 1024);
	whole = *report;
	whole.unknown = (int64_t)forgotten_count(call->api->forgotten);
	whole.complete = whole.complete && forgotten_is_known(call->api->forgotten);
	sweep_print(&whole, &body);
	call_answer(call, 200, NULL, &body);
}

void sweep_post(struct call *call)
{
	activation_sweep(call->api->activation, PATIENCE_MS, on_swept, call);
}
