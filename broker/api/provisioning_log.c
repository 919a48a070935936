/*
 * The provisioning log of one application, or of all, merged: every application answers with its own newest entries.
 * A page ends where the first of them that has more stopped looking: what is older is not known yet.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "activation/operate.h"
#include "api/api.h"
#include "api/handlers.h"
#include "api/render_application.h"
#include "base/iso8601.h"

#define TOP_DEFAULT      100
#define APPLICATIONS_MAX 200 /* that are merged; beyond it one has to be named */

/* A place in the order of the log: newest first, then by the application's id, then the latest of a millisecond. */
struct place {
	int64_t ms, number;
	char app[APP_ID_SIZE];
};

struct entry {
	struct place place;
	size_t at, len; /* its JSON, in `text` */
};

struct gathering {
	struct call *call;
	struct log_query query;
	char principal[NAME_SIZE], group[ID_SIZE], result[16];
	int64_t until_ms;   /* 0 = from the newest */
	struct place after; /* the page begins behind this; ms 0 = at the beginning */
	size_t left;        /* applications that have not answered */
	enum err err;
	struct buf text;
	struct entry *entries;
	size_t count, capacity;
	bool stopped; /* an application has more than it has told … */
	struct place stop;
};

/* Negative when a comes before b. */
static int place_compare(const struct place *a, const struct place *b)
{
	int order;

	if (a->ms != b->ms)
		return a->ms > b->ms ? -1 : 1;
	order = strcmp(a->app, b->app);
	if (order != 0)
		return order;
	return a->number > b->number ? -1 : a->number < b->number;
}

static int entry_compare(const void *a, const void *b)
{
	return place_compare(&((const struct entry *)a)->place, &((const struct entry *)b)->place);
}

/* "MS-NUMBER" of that application; false when it is none. */
static bool place_read(struct place *place, const char *id, const char *app)
{
	char *end;

	place->ms = strtoll(id, &end, 10);
	if (end == id || *end != '-')
		return false;
	id = end + 1;
	place->number = strtoll(id, &end, 10);
	snprintf(place->app, sizeof(place->app), "%s", app);
	return end != id && place->ms > 0;
}

/* This list again, from where this page ended. */
static void add_next_link(struct buf *out, const struct gathering *g, const struct place *last)
{
	static const char *const kept[] = {"application", "person", "group", "result", "from", "to", "$top"};

	buf_addf(out, ",\"@odata.nextLink\":\"%s%s?", exchange_base_url(g->call->exchange),
		 exchange_path(g->call->exchange));
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
		const char *value = exchange_query(g->call->exchange, kept[i]);

		if (value == NULL)
			continue;
		buf_addf(out, "%s=", kept[i]);
		for (const char *c = value; *c != '\0'; c++)
			buf_addf(out, "%%%02X", (unsigned char)*c);
		buf_adds(out, "&");
	}
	buf_addf(out, "$skiptoken=%lld-%lld-%s\"", (long long)last->ms, (long long)last->number, last->app);
}

static void finish(struct gathering *g)
{
	const struct entry *last = NULL;
	size_t shown = 0;
	struct buf body;

	if (g->err != ERR_OK) {
		call_error(g->call, g->err, NULL, NULL);
	} else {
		if (g->count > 0)
			qsort(g->entries, g->count, sizeof(*g->entries), entry_compare);
		buf_init(&body, RESPONSE_MAX);
		buf_adds(&body, "{\"value\":[");
		for (; shown < g->count && shown < g->query.top; shown++) {
			const struct entry *e = &g->entries[shown];

			if (g->stopped && place_compare(&e->place, &g->stop) > 0)
				break;
			buf_adds(&body, shown > 0 ? "," : "");
			buf_add(&body, buf_text(&g->text) + e->at, e->len);
			last = e;
		}
		buf_adds(&body, "]");
		if (shown == g->query.top && shown < g->count)
			add_next_link(&body, g, &last->place);
		else if (g->stopped)
			add_next_link(&body, g,
				      last != NULL && shown == g->query.top ? &last->place : &g->stop);
		buf_adds(&body, "}");
		call_answer(g->call, 200, NULL, &body);
	}
	buf_release(&g->text);
	free(g->entries);
	free(g);
}

static void add_entry(struct gathering *g, const struct log_entry *from)
{
	struct entry *e;
	size_t capacity = g->capacity > 0 ? 2 * g->capacity : 128;

	if (g->count == g->capacity) {
		struct entry *grown = realloc(g->entries, capacity * sizeof(*grown));

		if (grown == NULL) {
			g->err = ERR_NOMEM;
			return;
		}
		g->entries = grown;
		g->capacity = capacity;
	}
	e = &g->entries[g->count];
	/* What an earlier page has shown of the millisecond in which it ended. */
	if (!place_read(&e->place, from->id, from->app) ||
	    (g->after.ms > 0 && place_compare(&e->place, &g->after) <= 0))
		return;
	e->at = g->text.len;
	render_log_entry(&g->text, from);
	e->len = g->text.len - e->at;
	g->count++;
}

static void on_page(void *ctx, enum err err, const struct log_page *page)
{
	struct gathering *g = ctx;
	struct place stop;

	if (err != ERR_OK)
		g->err = err;
	for (size_t i = 0; i < page->count; i++)
		add_entry(g, &page->entries[i]);
	if (buf_failed(&g->text))
		g->err = ERR_NOMEM;
	if (page->next[0] != '\0' && g->err == ERR_OK) {
		/* The application is known from its entries; a page without any has one all the same. */
		if (place_read(&stop, page->next, page->app) &&
		    (!g->stopped || place_compare(&stop, &g->stop) < 0)) {
			g->stop = stop;
			g->stopped = true;
		}
	}
	if (--g->left == 0)
		finish(g);
}

static void ask(struct gathering *g, const char *app)
{
	char before[LOG_ID_SIZE] = "";
	const struct place *after = &g->after;

	/* Of the millisecond in which the last page ended, all that this application has may be still to come. */
	if (after->ms > 0 && strcmp(after->app, app) == 0)
		snprintf(before, sizeof(before), "%lld-%lld", (long long)after->ms, (long long)after->number);
	else if (after->ms > 0)
		snprintf(before, sizeof(before), "%lld", (long long)after->ms);
	else if (g->until_ms > 0)
		snprintf(before, sizeof(before), "%lld", (long long)g->until_ms);
	g->query.app = app;
	g->query.before = before;
	operate_log(g->call->api->activation, &g->query, on_page, g);
}

/* -- what is asked for ------------------------------------------------------------------------------------- */

static enum err read_text(const struct gathering *g, const char *name, char *out, size_t size)
{
	const char *value = exchange_query(g->call->exchange, name);

	if (value != NULL && strlen(value) >= size)
		return ERR_INVALID_FILTER;
	snprintf(out, size, "%s", value != NULL ? value : "");
	return ERR_OK;
}

static enum err read_time(const struct gathering *g, const char *name, int64_t *ms, struct errctx *ec)
{
	const char *value = exchange_query(g->call->exchange, name);
	enum err err;

	if (value == NULL)
		return ERR_OK;
	err = iso8601_parse_time(value, ms, ec);
	if (err != ERR_OK)
		err_prefix(ec, "%s", name);
	return err != ERR_OK ? ERR_INVALID_FILTER : ERR_OK;
}

static enum err read_top(struct gathering *g, struct errctx *ec)
{
	const char *value = exchange_query(g->call->exchange, "$top");
	size_t digits = value != NULL ? strspn(value, "0123456789") : 0;

	g->query.top = TOP_DEFAULT;
	if (value == NULL)
		return ERR_OK;
	g->query.top = digits > 0 && digits < 4 && value[digits] == '\0' ? strtoul(value, NULL, 10) : 0;
	if (g->query.top == 0)
		return err_set(ec, ERR_INVALID_FILTER, "$top is a number from 1 to %d.", LOG_TOP_MAX);
	return ERR_OK;
}

/* "MS-NUMBER-APPLICATION" */
static enum err read_token(struct gathering *g, struct errctx *ec)
{
	const char *value = exchange_query(g->call->exchange, "$skiptoken");
	const char *dash = value != NULL ? strchr(value, '-') : NULL;

	if (value == NULL)
		return ERR_OK;
	dash = dash != NULL ? strchr(dash + 1, '-') : NULL;
	if (dash == NULL || strlen(dash + 1) >= APP_ID_SIZE ||
	    strspn(value, "0123456789-") < (size_t)(dash - value) || !place_read(&g->after, value, dash + 1))
		return err_set(ec, ERR_INVALID_FILTER, "$skiptoken is not one that a page gave out.");
	return ERR_OK;
}

static enum err read_query(struct gathering *g, struct errctx *ec)
{
	static const char *const results[] = {"", "done", "retry", "refused", "skipped", "split", "kept"};
	bool known = false;
	enum err err = read_top(g, ec);

	if (err == ERR_OK)
		err = read_token(g, ec);
	if (err == ERR_OK)
		err = read_time(g, "from", &g->query.since_ms, ec);
	if (err == ERR_OK)
		err = read_time(g, "to", &g->until_ms, ec);
	if (err != ERR_OK)
		return err;
	if (read_text(g, "person", g->principal, sizeof(g->principal)) != ERR_OK ||
	    read_text(g, "group", g->group, sizeof(g->group)) != ERR_OK ||
	    read_text(g, "result", g->result, sizeof(g->result)) != ERR_OK)
		return err_set(ec, ERR_INVALID_FILTER, "person, group or result is longer than any is.");
	for (size_t i = 0; i < sizeof(results) / sizeof(results[0]); i++)
		known = known || strcmp(g->result, results[i]) == 0;
	if (!known)
		return err_set(ec, ERR_INVALID_FILTER,
			       "result is done, retry, refused, skipped, split or kept.");
	g->query.principal = g->principal;
	g->query.group = g->group;
	g->query.result = g->result;
	return ERR_OK;
}

static void ask_all(struct gathering *g)
{
	const struct config *config = g->call->config;

	/* One more, so that no answer ends it before all are asked. */
	g->left = config->application_count + 1;
	for (size_t i = 0; i < config->application_count; i++)
		ask(g, config->applications[i].id);
	if (--g->left == 0)
		finish(g);
}

static void refuse(struct gathering *g, enum err err, const char *why)
{
	call_error(g->call, err, why, NULL);
	free(g);
}

void log_list(struct call *call)
{
	const char *app = exchange_query(call->exchange, "application");
	const struct config_application *application =
		app != NULL ? config_application(call->config, app) : NULL;
	struct gathering *g = calloc(1, sizeof(*g));
	struct errctx ec = {""};
	enum err err;

	if (g == NULL) {
		call_error(call, ERR_NOMEM, NULL, NULL);
		return;
	}
	g->call = call;
	buf_init(&g->text, 4 * RESPONSE_MAX);
	err = read_query(g, &ec);
	if (err != ERR_OK) {
		refuse(g, err, ec.text);
	} else if (app != NULL && application == NULL) {
		refuse(g, ERR_NOT_FOUND, "There is no such application.");
	} else if (app != NULL) {
		g->left = 1;
		ask(g, application->id);
	} else if (call->config->application_count > APPLICATIONS_MAX) {
		err_set(&ec, ERR_INVALID_FILTER,
			"The log of %d applications at most is shown as one list, and there are %zu: name "
			"one as "
			"`application`.",
			APPLICATIONS_MAX, call->config->application_count);
		refuse(g, ERR_INVALID_FILTER, ec.text);
	} else {
		ask_all(g);
	}
}
