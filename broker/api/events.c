#include "api/events.h"

#include <stdlib.h>
#include <string.h>

#include "activation/changes.h"
#include "api/api.h"
#include "api/approvals.h"
#include "api/handlers.h"
#include "base/clock.h"
#include "base/json.h"
#include "sign-in/signin.h"

#define TICK_MS    1000
#define BEAT_TICKS 15 /* a sign of life, which also says where one would go on */
/* A stream ends after that and its token is looked at again, should its provider have withdrawn the key meanwhile. */
#define STREAM_MS (15 * 60 * 1000)
#define MOST_EACH 16   /* streams of one caller */
#define AGAIN_S   "10" /* when there are too many */
#define BACK_MS   2000 /* one who comes back is told again of so much: no clock needs to be better */
#define PIECE     2048 /* bytes that are said at once, and a little more */

enum told { TOLD_REQUEST = 1, TOLD_ELIGIBILITY = 2, TOLD_APPROVAL = 4, TOLD_APPLICATION = 8 };

struct listener {
	struct events *events;
	struct listener *prev, *next;
	struct call *call;         /* until the stream begins */
	struct exchange *exchange; /* of the stream */
	struct config *config;     /* by which the caller is judged; a reload ends the stream */
	struct caller caller;
	int64_t ends_ms; /* clock_wall_ms() */
	uint64_t at;     /* the number of the change that is looked at next */
	uint64_t joined; /* changes before that one are told if they were made … */
	int64_t from_ms; /* … then or later */
	bool anew;       /* some are missing */
	bool beat;       /* a sign of life is due */
	bool ended;
};

struct events {
	struct changes *changes;
	uv_timer_t *timer; /* freed by its close callback */
	struct listener *first;
	size_t count, most;
	unsigned ticks;
};

static void leave(struct listener *l)
{
	struct events *events = l->events;

	if (l->prev != NULL)
		l->prev->next = l->next;
	else
		events->first = l->next;
	if (l->next != NULL)
		l->next->prev = l->prev;
	caller_release(&l->caller);
	config_unref(l->config);
	free(l);
	if (--events->count > 0)
		return;
	changes_stop(events->changes);
	uv_timer_stop(events->timer);
}

/* -- what is told ---------------------------------------------------------------------------------------------- */

/* As what the change concerns the listener: of enum told; 0 = it does not. */
static unsigned concern(const struct listener *l, uint64_t number, const struct change *change)
{
	bool sees_all = caller_sees_all(&l->caller), moves = change->to[0] != '\0';
	unsigned told = 0;

	if (number < l->joined && change->at_ms < l->from_ms)
		return 0;
	if (!moves)
		return sees_all && change->application[0] != '\0' ? TOLD_APPLICATION : 0;
	if (sees_all || strcmp(change->principal, l->caller.id) == 0)
		told |= strncmp(change->event, "eligibility_", 12) == 0 ? TOLD_ELIGIBILITY : TOLD_REQUEST;
	if ((strcmp(change->from, state_name(ST_AWAITING)) == 0 ||
	     strcmp(change->to, state_name(ST_AWAITING)) == 0) &&
	    approvals_concern(l->config, &l->caller, change))
		told |= TOLD_APPROVAL;
	return told;
}

static void open_event(struct buf *out, const char *kind, const struct change *change)
{
	buf_addf(out, "event: %s\n", kind);
	if (change->mark_ms > 0)
		buf_addf(out, "id: %lld\n", (long long)change->mark_ms);
	buf_adds(out, "data: {\"id\":");
	json_add_string(out, change->to[0] != '\0' ? change->request : change->application);
}

static void tell_move(struct buf *out, const char *kind, const struct change *change)
{
	enum state state = state_by_name(change->to);

	open_event(out, kind, change);
	if (state != ST_COUNT)
		buf_addf(out, ",\"status\":\"%s\",\"state\":\"%s\"", state_status(state),
			 state_provisioning(state));
	buf_adds(out, "}\n\n");
}

static void tell(struct buf *out, const struct change *change, unsigned told)
{
	if ((told & TOLD_REQUEST) != 0)
		tell_move(out, "request", change);
	if ((told & TOLD_ELIGIBILITY) != 0)
		tell_move(out, "eligibility", change);
	if ((told & TOLD_APPROVAL) != 0) {
		open_event(out, "approval", change);
		buf_addf(out, ",\"status\":\"%s\"}\n\n",
			 strcmp(change->to, state_name(ST_AWAITING)) == 0 ? "InProgress" : "Completed");
	}
	if ((told & TOLD_APPLICATION) != 0) {
		open_event(out, "application", change);
		buf_adds(out, ",\"event\":");
		json_add_string(out, change->event);
		buf_adds(out, "}\n\n");
	}
}

/* Is there anything to say? Passes over what does not concern the listener. */
static bool has_something(struct listener *l)
{
	const struct changes *changes = l->events->changes;

	for (; l->at < changes_next(changes); l->at++) {
		const struct change *change = changes_at(changes, l->at);

		if (change == NULL || concern(l, l->at, change) != 0)
			return true;
	}
	return l->anew || l->beat;
}

static void give(void *ctx, struct buf *out)
{
	struct listener *l = ctx;
	const struct changes *changes = l->events->changes;

	while (out->len < PIECE && l->at < changes_next(changes)) {
		const struct change *change = changes_at(changes, l->at);

		if (change == NULL) {
			l->at = changes_next(changes);
			l->anew = true;
		} else {
			tell(out, change, concern(l, l->at, change));
			l->at++;
		}
	}
	if (l->at < changes_next(changes) || !(l->anew || l->beat))
		return;
	buf_addf(out, "%sid: %lld\n\n", l->anew ? "event: anew\ndata: {}\n" : "",
		 (long long)changes_mark_ms(changes));
	l->anew = l->beat = false;
}

static void on_gone(void *ctx)
{
	leave(ctx);
}

/* -- the whole ------------------------------------------------------------------------------------------------- */

static void end(struct listener *l)
{
	if (!l->ended)
		exchange_end(l->exchange);
	l->ended = true;
}

/* The stream is not to begin. */
static void refuse(struct listener *l, enum err err)
{
	call_error(l->call, err, NULL, NULL);
	leave(l);
}

void events_end_all(struct events *events)
{
	for (struct listener *l = events != NULL ? events->first : NULL, *next; l != NULL; l = next) {
		next = l->next;
		if (l->call != NULL)
			refuse(l, ERR_UNAVAILABLE);
		else
			end(l);
	}
}

static void tell_all(struct events *events, bool beat)
{
	for (struct listener *l = events->first; l != NULL; l = l->next) {
		l->beat = l->beat || beat;
		if (l->call == NULL && has_something(l))
			exchange_stir(l->exchange);
	}
}

static void on_more(void *ctx)
{
	tell_all(ctx, false);
}

static void on_tick(uv_timer_t *timer)
{
	struct events *events = timer->data;
	int64_t now_ms = clock_wall_ms();

	if (!changes_known(events->changes))
		return;
	for (struct listener *l = events->first; l != NULL; l = l->next)
		if (!l->ended && (now_ms >= l->ends_ms || exchange_left(l->exchange)))
			end(l);
	if (++events->ticks % BEAT_TICKS == 0)
		tell_all(events, true);
}

/* -- the beginning --------------------------------------------------------------------------------------------- */

/* Where the listener has been told everything up to; "" when it does not say, and begins now. */
static void take_place(struct listener *l, const char *last)
{
	const struct changes *changes = l->events->changes;
	size_t digits = strspn(last, "0123456789");

	l->at = l->joined = changes_next(changes);
	if (last[0] == '\0')
		return;
	l->from_ms = strtoll(last, NULL, 10) - BACK_MS;
	l->anew = last[digits] != '\0' || digits > 15 || !changes_since(changes, l->from_ms, &l->at);
	if (l->anew)
		l->at = l->joined;
}

static void begin(struct listener *l)
{
	const char *last = exchange_header(l->call->exchange, "Last-Event-ID");
	struct call *call = l->call;
	const struct stream stream = {"text/event-stream", give, on_gone, l};

	take_place(l, last != NULL ? last : "");
	l->beat = true;
	l->ends_ms = clock_wall_ms() + STREAM_MS;
	if (call->caller.identity != NULL && call->caller.identity->expires_ms + SIGNIN_SKEW_MS < l->ends_ms)
		l->ends_ms = call->caller.identity->expires_ms + SIGNIN_SKEW_MS;
	l->exchange = call->exchange;
	l->call = NULL;
	call_stream(call, &stream, &l->caller, &l->config);
}

/* It is known where everything is now: those who have waited for that begin. */
static void on_begun(void *ctx, enum err err)
{
	struct events *events = ctx;

	for (struct listener *l = events->first, *next; l != NULL; l = next) {
		next = l->next;
		if (l->call == NULL)
			continue;
		if (err != ERR_OK || exchange_abandoned(l->call->exchange))
			refuse(l, err != ERR_OK ? err : ERR_UNAVAILABLE);
		else
			begin(l);
	}
}

/* Who has gone is not counted for long: on_tick(). */
static enum err find_room(const struct events *events, const struct caller *caller)
{
	size_t theirs = 0;

	for (struct listener *l = events->first; l != NULL; l = l->next)
		theirs += strcmp(l->call != NULL ? l->call->caller.id : l->caller.id, caller->id) == 0;
	if (theirs >= MOST_EACH)
		return ERR_THROTTLED;
	return events->count >= events->most ? ERR_UNAVAILABLE : ERR_OK;
}

static enum err join(struct events *events, struct call *call)
{
	enum err err = find_room(events, &call->caller);
	struct listener *l;

	if (err == ERR_OK)
		err = changes_start(events->changes);
	if (err != ERR_OK)
		return err;
	l = calloc(1, sizeof(*l));
	if (l == NULL)
		return ERR_NOMEM;
	*l = (struct listener){.events = events, .call = call, .next = events->first};
	if (l->next != NULL)
		l->next->prev = l;
	events->first = l;
	if (events->count++ == 0)
		uv_timer_start(events->timer, on_tick, TICK_MS, TICK_MS);
	if (changes_known(events->changes))
		begin(l);
	return ERR_OK;
}

void events_get(struct call *call)
{
	struct events *events = call->api->events;
	enum err err;

	err = call->api->stopping || exchange_abandoned(call->exchange) ? ERR_UNAVAILABLE
									: join(events, call);
	if (err == ERR_OK)
		return;
	if (events->count == 0)
		changes_stop(events->changes);
	if (err == ERR_THROTTLED || err == ERR_UNAVAILABLE)
		exchange_set_header(call->exchange, "Retry-After", AGAIN_S);
	call_error(call, err, NULL, NULL);
}

/* -- life ------------------------------------------------------------------------------------------------------ */

struct events *events_new(const struct changes_options *from, size_t most)
{
	struct events *events = calloc(1, sizeof(*events));
	struct changes_options options = *from;

	if (events == NULL)
		return NULL;
	options.begun = on_begun;
	options.more = on_more;
	options.ctx = events;
	events->most = most;
	events->changes = changes_new(&options);
	events->timer = events->changes != NULL ? calloc(1, sizeof(*events->timer)) : NULL;
	if (events->timer == NULL) {
		changes_free(events->changes);
		free(events);
		return NULL;
	}
	uv_timer_init(options.loop, events->timer);
	events->timer->data = events;
	return events;
}

static void on_closed(uv_handle_t *handle)
{
	free(handle);
}

void events_free(struct events *events)
{
	if (events == NULL)
		return;
	uv_close((uv_handle_t *)events->timer, on_closed);
	changes_free(events->changes);
	free(events);
}

size_t events_open(const struct events *events)
{
	return events->count;
}
