/*
 * Every lane answers with its own newest requests; they are merged here. A lane that stopped looking early (it
 * looks at a bounded number of entries) has said nothing about what is older, so the page ends where the first of
 * those lanes stopped.
 */
#include "activation/list.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "activation/core.h"

/* A place in the order of lists: newest first, then the greater id. */
struct place {
	int64_t created_ms;
	char id[ID_SIZE];
};

struct gathering {
	struct activation *activation;
	list_done *done;
	void *ctx;
	size_t top;
	unsigned lanes_left;
	enum err err;
	size_t count, capacity;
	struct request *requests;
	bool stopped;      /* a lane stopped early … */
	struct place stop; /* … the newest place at which one did */
	int64_t total;
	bool total_part; /* there may be more */
};

struct lane_call {
	struct gathering *gathering;
	unsigned lane;
	bool counts;
};

/* An index that a lane is asked for. What somebody made is in two: their own requests, and those for others. */
struct source {
	const char *index, *id, *created_by;
};

/* Negative when a comes before b in a list. */
static int place_compare(int64_t a_ms, const char *a_id, int64_t b_ms, const char *b_id)
{
	if (a_ms != b_ms)
		return a_ms > b_ms ? -1 : 1;
	return -strcmp(a_id, b_id);
}

/* Nothing older than this place is known for sure. */
static void stop_at(struct gathering *g, int64_t created_ms, const char *id)
{
	if (g->stopped && place_compare(created_ms, id, g->stop.created_ms, g->stop.id) >= 0)
		return;
	g->stopped = true;
	g->stop.created_ms = created_ms;
	snprintf(g->stop.id, sizeof(g->stop.id), "%s", id);
}

static int request_compare(const void *a, const void *b)
{
	const struct request *x = a, *y = b;

	return place_compare(x->created_ms, x->id, y->created_ms, y->id);
}

/* Keeps the newest `top`: what follows them is for another page, whatever lane it is in. */
static void cut(struct gathering *g)
{
	const struct request *last;

	if (g->count <= g->top)
		return;
	qsort(g->requests, g->count, sizeof(*g->requests), request_compare);
	g->count = g->top;
	last = &g->requests[g->top - 1];
	stop_at(g, last->created_ms, last->id);
}

static enum err gather(struct gathering *g, const struct reply *reply)
{
	size_t more = reply_count(reply) > 5 ? reply_count(reply) - 5 : 0;
	struct request *grown;

	if (reply_text(reply_at(reply, 4))[0] != '\0') {
		int64_t created = reply_int(reply_at(reply, 3));
		const char *id = reply_text(reply_at(reply, 4));

		stop_at(g, created, id);
	}
	if (more == 0)
		return ERR_OK;
	grown = realloc(g->requests, (g->count + more) * sizeof(*grown));
	if (grown == NULL)
		return ERR_NOMEM;
	g->requests = grown;
	for (size_t i = 0; i < more; i++)
		if (request_read(&g->requests[g->count], reply_at(reply, 5 + i))) {
			g->requests[g->count].decisions = NULL;
			g->requests[g->count].person = NULL;
			g->count++;
		}
	cut(g);
	return ERR_OK;
}

static void finish(struct gathering *g)
{
	struct list_page page = {.requests = g->requests, .total = g->total, .total_whole = !g->total_part};
	const struct request *last;

	if (g->count > 0)
		qsort(g->requests, g->count, sizeof(*g->requests), request_compare);
	while (page.count < g->count && page.count < g->top) {
		const struct request *r = &g->requests[page.count];

		if (g->stopped && place_compare(r->created_ms, r->id, g->stop.created_ms, g->stop.id) > 0)
			break;
		page.count++;
	}
	last = page.count > 0 ? &g->requests[page.count - 1] : NULL;
	if (page.count == g->top && last != NULL && (g->stopped || g->count > page.count))
		snprintf(page.next, sizeof(page.next), "%lld_%s", (long long)last->created_ms, last->id);
	else if (g->stopped)
		snprintf(page.next, sizeof(page.next), "%lld_%s", (long long)g->stop.created_ms, g->stop.id);
	g->done(g->ctx, g->err, g->err == ERR_OK ? &page : NULL);
	free(g->requests);
	free(g);
}

static void on_lane(void *ctx, enum err err, const struct reply *reply)
{
	struct lane_call *call = ctx;
	struct gathering *g = call->gathering;

	if (err == ERR_OK) {
		core_answer(g->activation, call->lane, reply);
		if (call->counts) {
			g->total += reply_int(reply_at(reply, 3));
			g->total_part = g->total_part || reply_int(reply_at(reply, 4)) == 0;
		} else {
			err = gather(g, reply);
		}
	}
	if (err != ERR_OK)
		g->err = err;
	free(call);
	if (--g->lanes_left == 0)
		finish(g);
}

struct list_args {
	char created[24], id[ID_SIZE], most[24], states[512];
};

/* "1795540368343_UUID" as an earlier page gave it out. */
static bool read_from(const char *from, struct list_args *args)
{
	size_t digits = strspn(from, "0123456789");

	if (from[0] == '\0') {
		snprintf(args->created, sizeof(args->created), "+inf");
		args->id[0] = '\0';
		return true;
	}
	if (digits == 0 || digits > 15 || from[digits] != '_' || id_lane(from + digits + 1) < 0)
		return false;
	snprintf(args->created, sizeof(args->created), "%.*s", (int)digits, from);
	snprintf(args->id, sizeof(args->id), "%s", from + digits + 1);
	return true;
}

static void list_states(unsigned states, char *out, size_t size)
{
	size_t at = 0;

	out[0] = '\0';
	for (enum state s = 0; s < ST_COUNT; s++)
		if (states & 1u << s)
			at += (size_t)snprintf(out + at, size - at, "%s,", state_name(s));
}

static const char *function_of(const struct list_query *query, bool counts)
{
	if (query->eligibilities)
		return counts ? "jit_eligibility_count" : "jit_eligibility_list";
	return counts ? "jit_count" : "jit_list";
}

static void ask_lane(const struct lane_call *what, const struct list_query *query,
		     const struct source *source, const struct list_args *args)
{
	struct gathering *g = what->gathering;
	struct lane_call *lane_call = malloc(sizeof(*lane_call));
	struct store_call call;

	if (lane_call == NULL) {
		g->err = ERR_NOMEM;
		return;
	}
	*lane_call = *what;
	g->lanes_left++;
	core_call(g->activation, &call, function_of(query, what->counts), what->lane);
	call.read_only = true;
	store_arg(&call, source->index);
	store_arg(&call, source->id);
	store_arg(&call, what->counts ? "+inf" : args->created);
	store_arg(&call, what->counts ? "" : args->id);
	store_arg(&call, args->most);
	store_arg(&call, args->states);
	store_arg(&call, query->action);
	store_arg(&call, query->group);
	store_arg(&call, query->principal);
	store_arg(&call, source->created_by[0] != '\0' ? source->created_by : query->maker);
	store_arg(&call, query->id);
	store_call(g->activation->options.store, &call, on_lane, lane_call);
}

static size_t choose_sources(const struct list_query *query, struct source out[2])
{
	size_t count = 0;

	if (query->created_by[0] != '\0') {
		out[count++] = (struct source){"b", query->created_by, ""};
		/* Eligibility is all in the first one. */
		if (!query->eligibilities)
			out[count++] = (struct source){"p", query->created_by, query->created_by};
	} else if (query->awaiting) {
		out[count++] = (struct source){"a", "", ""};
	} else if (query->principal[0] != '\0') {
		out[count++] = (struct source){"p", query->principal, ""};
	} else {
		out[count++] = (struct source){"g", query->group, ""};
	}
	return count;
}

void list_requests(struct activation *activation, const struct list_query *query, list_done *done, void *ctx)
{
	struct list_args args;
	struct source sources[2];
	size_t source_count = choose_sources(query, sources);
	struct gathering *g;
	unsigned lanes = store_lanes(activation->options.store);

	if (!read_from(query->from, &args)) {
		done(ctx, ERR_BAD_REQUEST, NULL);
		return;
	}
	g = lanes == 0 ? NULL : calloc(1, sizeof(*g));
	if (g == NULL) {
		done(ctx, lanes == 0 ? ERR_UNAVAILABLE : ERR_NOMEM, NULL);
		return;
	}
	list_states(query->states, args.states, sizeof(args.states));
	g->top = query->top > 0 && query->top <= LIST_TOP_MAX ? query->top : LIST_TOP_MAX;
	snprintf(args.most, sizeof(args.most), "%zu", g->top);
	g->activation = activation;
	g->done = done;
	g->ctx = ctx;
	g->lanes_left = 1; /* for this loop: a lane that cannot be asked must not end it early */
	for (unsigned i = 0; i < lanes; i++) {
		struct lane_call what = {g, i, false};

		for (size_t k = 0; k < source_count; k++) {
			ask_lane(&what, query, &sources[k], &args);
			what.counts = true;
			if (query->with_count)
				ask_lane(&what, query, &sources[k], &args);
			what.counts = false;
		}
	}
	if (--g->lanes_left == 0)
		finish(g);
}
