/* Is the broker alive, can it serve, and its figures. */
#include <stdio.h>
#include <stdlib.h>

#include "activation/order.h"
#include "api/api.h"
#include "api/events.h"
#include "api/handlers.h"
#include "api/health_sign_in.h"
#include "audit/keeper.h"
#include "base/clock.h"
#include "base/json.h"
#include "escrow/forgotten.h"
#include "escrow/escrow.h"
#include "sign-in/signin.h"

void health_live(struct call *call)
{
	struct buf body;

	buf_init(&body, 64);
	buf_adds(&body, "{\"alive\":true}");
	call_answer(call, 200, NULL, &body);
}

#define FRESH_MS 250 /* anybody may ask, and as often as they like */

/* Somebody who asks for figures that lie in the store, lane by lane. */
struct reading {
	struct call *call;
	void (*render)(struct reading *reading); /* when they are all there; frees it */
	struct metrics_state state;
	struct reading *next;
};

/* How long the applications' tokens last, where their end is known. */
static void add_tokens(const struct call *call, struct buf *out)
{
	const struct config *config = call->config;
	int64_t now_ms = activation_now_ms(call->api->activation);

	buf_adds(out,
		 "# HELP jit_token_seconds Until the end of the application's secret token; below 0: it has "
		 "ended.\n# TYPE jit_token_seconds gauge\n");
	for (size_t i = 0; i < config->application_count; i++) {
		const struct config_application *application = &config->applications[i];

		if (application->scim.token_expires_ms != 0)
			buf_addf(out, "jit_token_seconds{application=\"%s\"} %lld\n", application->id,
				 (long long)(application->scim.token_expires_ms - now_ms) / 1000);
	}
}

static void read_escrow(const struct escrow *escrow, struct metrics_state *state)
{
	const struct escrow_figures *figures;

	if (escrow == NULL)
		return;
	figures = escrow_figures(escrow);
	state->has_escrow = true;
	state->escrow_ok = escrow_trouble(escrow) == NULL;
	state->escrow_lines = figures->lines;
	state->escrow_syncs = figures->syncs;
	state->escrow_failures = figures->failures;
	state->escrow_bytes = figures->bytes;
}

static void render_metrics(struct reading *reading)
{
	struct call *call = reading->call;
	const struct keeper_figures *figures = keeper_figures(call->api->keeper);
	struct buf body;

	reading->state.ready = store_ready(call->api->store, NULL);
	reading->state.open_exchanges = server_open_exchanges(call->api->server);
	reading->state.streams = events_open(call->api->events);
	reading->state.calls_waiting = store_waiting(call->api->store);
	reading->state.store = store_counts(call->api->store);
	reading->state.orders = orders_open(call->api->activation);
	read_escrow(call->api->escrow, &reading->state);
	reading->state.audit_seals = figures->seals;
	reading->state.audit_exported = figures->exported;
	reading->state.audit_failures = figures->failures;
	buf_init(&body, RESPONSE_MAX);
	metrics_render(call->api->metrics, &reading->state, &body);
	add_tokens(call, &body);
	health_sign_in_metrics(call->api->signin, &body);
	call_answer(call, 200, "text/plain; version=0.0.4; charset=utf-8", &body);
	free(reading);
}

/* The earlier of two times of which 0 is none. */
static int64_t earlier(int64_t a_ms, int64_t b_ms)
{
	return a_ms == 0 || (b_ms != 0 && b_ms < a_ms) ? b_ms : a_ms;
}

static int64_t seconds_since(const struct health *health, int64_t since_ms)
{
	return since_ms > 0 && since_ms < health->now_ms ? (health->now_ms - since_ms) / 1000 : 0;
}

static void add_lane(struct health *health, const struct lane_status *status)
{
	struct metrics_state *state = &health->state;
	int64_t ahead_s = (status->now_ms - clock_wall_ms()) / 1000;

	health->now_ms = status->now_ms;
	if (llabs(ahead_s) > llabs(state->ahead_s))
		state->ahead_s = ahead_s;
	state->timetable += status->timetable;
	state->due += status->due;
	health->oldest_due_ms = earlier(health->oldest_due_ms, status->oldest_due_ms);
	state->set_aside += status->set_aside;
	health->oldest_aside_ms = earlier(health->oldest_aside_ms, status->oldest_aside_ms);
	state->removals += status->removals;
	health->oldest_ms = earlier(health->oldest_ms, status->oldest_removal_ms);
	state->held += status->held;
	state->stranded += status->stranded;
	state->audit_events += status->audit_events;
	if (status->audit_unsealed > 0)
		state->audit_unsealed += status->audit_unsealed;
	if (status->audit_unexported > 0)
		state->audit_unexported += status->audit_unexported;
	state->notices += status->notices;
	state->parked_notices += status->parked_notices;
	health->oldest_notice_ms = earlier(health->oldest_notice_ms, status->oldest_notice_ms);
}

static void on_lane(void *ctx, enum err err, const struct lane_status *status)
{
	struct health *health = ctx;
	struct reading *next;

	if (err == ERR_OK)
		add_lane(health, status);
	else
		health->state.known = false;
	if (--health->lanes_left > 0)
		return;
	health->state.oldest_due_s = seconds_since(health, health->oldest_due_ms);
	health->state.oldest_aside_s = seconds_since(health, health->oldest_aside_ms);
	health->state.oldest_removal_s = seconds_since(health, health->oldest_ms);
	health->state.oldest_notice_s = seconds_since(health, health->oldest_notice_ms);
	health->read_ms = clock_mono_ms();
	next = health->waiting;
	health->waiting = NULL;
	while (next != NULL) {
		struct reading *reading = next;

		next = reading->next;
		reading->state = health->state;
		reading->render(reading);
	}
}

static void ask_lanes(struct api *api)
{
	struct health *health = &api->health;
	unsigned lanes = store_lanes(api->store);

	*health = (struct health){.waiting = health->waiting, .lanes_left = lanes, .state.known = true};
	for (unsigned i = 0; i < lanes; i++)
		activation_lane(api->activation, i, on_lane, health);
}

/* Asks every lane, unless that was done just now or is under way; without a store there is nothing to ask. */
static void read_lanes(struct call *call, void (*render)(struct reading *reading))
{
	struct health *health = &call->api->health;
	struct reading *reading = calloc(1, sizeof(*reading));

	if (reading == NULL) {
		call_error(call, ERR_NOMEM, NULL, NULL);
		return;
	}
	reading->call = call;
	reading->render = render;
	if (!store_ready(call->api->store, NULL)) {
		render(reading);
		return;
	}
	if (health->lanes_left == 0 && health->read_ms > 0 && clock_mono_ms() - health->read_ms < FRESH_MS) {
		reading->state = health->state;
		render(reading);
		return;
	}
	reading->next = health->waiting;
	health->waiting = reading;
	if (health->lanes_left == 0)
		ask_lanes(call->api);
}

void health_metrics(struct call *call)
{
	read_lanes(call, render_metrics);
}

#define OVERDUE_S 60 /* a removal that is unconfirmed for so long is a warning */
#define CLOCK_S   10 /* so are clocks that differ by so much; an answer may be a while on its way */
#define LATE_S    10 /* so is what is due and not taken up; a broker looks every 5 s at the least (`poll`) */

static void add_sign_in_warnings(struct buf *out, const struct signin *signin, const char *comma)
{
	for (size_t i = 0; signin != NULL && i < signin_issuer_count(signin); i++) {
		char trouble[HEALTH_SIGN_IN_MAX];

		if (!health_sign_in_trouble(signin, i, trouble))
			continue;
		buf_adds(out, comma);
		json_add_string(out, trouble);
		comma = ",";
	}
}

static void add_warnings(struct buf *out, const struct reading *reading)
{
	const struct api *api = reading->call->api;
	char late[160], aside[192], overdue[128], held[128], stranded[192], clocks[128];
	const char *const warnings[] = {
		keeper_trouble(api->keeper),
		api->escrow != NULL ? escrow_trouble(api->escrow) : NULL,
		forgotten_trouble(api->forgotten),
		llabs(reading->state.ahead_s) >= CLOCK_S ? clocks : NULL,
		reading->state.held > 0 ? held : NULL,
		reading->state.stranded > 0 ? stranded : NULL,
		reading->state.oldest_removal_s >= OVERDUE_S ? overdue : NULL,
		reading->state.oldest_due_s >= LATE_S ? late : NULL,
		reading->state.set_aside > 0 ? aside : NULL,
		reading->state.known ? NULL : "Figures are missing: not all of the store could be asked.",
	};
	const char *comma = "";

	snprintf(late, sizeof(late),
		 "What is due, ends of access among it, is not taken up: %lld, the oldest for %lld seconds.",
		 (long long)reading->state.due, (long long)reading->state.oldest_due_s);
	snprintf(clocks, sizeof(clocks),
		 "Redis' clock, by which access ends, is %lld seconds %s this broker's.",
		 llabs(reading->state.ahead_s), reading->state.ahead_s > 0 ? "ahead of" : "behind");
	snprintf(held, sizeof(held),
		 "Removals that the configuration wants and that wait for an operator's answer: %lld.",
		 (long long)reading->state.held);
	snprintf(stranded, sizeof(stranded),
		 "Memberships whose time is over and that stay where they are, as no broker has their "
		 "application in its configuration any more: %lld.",
		 (long long)reading->state.stranded);
	snprintf(aside, sizeof(aside),
		 "What cannot be worked on, as a key in Redis cannot be read, and may be an end of access: "
		 "%lld, the "
		 "oldest for %lld seconds.",
		 (long long)reading->state.set_aside, (long long)reading->state.oldest_aside_s);
	snprintf(overdue, sizeof(overdue),
		 "Removals that are not confirmed: %lld, the oldest for %lld seconds.",
		 (long long)reading->state.removals, (long long)reading->state.oldest_removal_s);
	for (size_t i = 0; i < sizeof(warnings) / sizeof(warnings[0]); i++) {
		if (warnings[i] == NULL)
			continue;
		buf_adds(out, comma);
		json_add_string(out, warnings[i]);
		comma = ",";
	}
	add_sign_in_warnings(out, api->signin, comma);
}

/* What could not be asked for is null, not 0: an alarm would take 0 for its end. */
static void add_figures(struct buf *out, bool known, const char *name, int64_t value, int64_t oldest_s)
{
	if (known)
		buf_addf(out, "{\"%s\":%lld,\"oldestSeconds\":%lld}", name, (long long)value,
			 (long long)oldest_s);
	else
		buf_addf(out, "{\"%s\":null,\"oldestSeconds\":null}", name);
}

static void render_ready(struct reading *reading)
{
	struct call *call = reading->call;
	const struct metrics_state *state = &reading->state;
	const char *why = NULL;
	bool ready = store_ready(call->api->store, &why);
	struct buf body;

	buf_init(&body, 4096);
	buf_addf(&body, "{\"ready\":%s,\"reasons\":[", ready && !call->api->stopping ? "true" : "false");
	if (!ready)
		json_add_string(&body, why != NULL ? why : "The store is not ready.");
	if (call->api->stopping)
		buf_addf(&body, "%s\"The broker is stopping.\"", ready ? "" : ",");
	buf_adds(&body, "],\"warnings\":[");
	add_warnings(&body, reading);
	buf_adds(&body, "],\"removals\":");
	add_figures(&body, state->known, "unconfirmed", state->removals, state->oldest_removal_s);
	buf_adds(&body, ",\"due\":");
	add_figures(&body, state->known, "notTakenUp", state->due, state->oldest_due_s);
	buf_adds(&body, "}");
	call_answer(call, ready && !call->api->stopping ? 200 : 503, NULL, &body);
	free(reading);
}

void health_ready(struct call *call)
{
	read_lanes(call, render_ready);
}
