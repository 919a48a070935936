#include "recovery/backup.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uv.h>

#include "activation/activation.h"
#include "activation/states.h"
#include "audit/verify.h"
#include "base/log.h"
#include "recovery/offline.h"
#include "store/store.h"

#define READY_MS  15000 /* a Redis that loads a large file takes its time */
#define PAGE      200   /* requests in one call: some ms of Redis */
#define PAGE_TEXT "200"
#define AUDIT     500 /* events at once */
#define PROBLEMS  100 /* more are only counted */

/* A group, in the lane of its application. */
struct place {
	unsigned lane;
	char group[ID_SIZE];
};

struct backup {
	struct config *config;
	uv_loop_t loop;
	uv_timer_t timer;
	struct store *store;
	struct activation *activation; /* for the audit: it is not started */
	struct place *places;
	size_t count, room, at;
	int64_t from; /* the next request of places[at] */
	unsigned lane, asked;
	bool begun;
	int64_t requests, open, live, events, seals, problems;
	int status;
};

static void finish(struct backup *backup, int status)
{
	backup->status = status;
	if (backup->store != NULL)
		store_close(backup->store);
	backup->store = NULL;
	if (!uv_is_closing((uv_handle_t *)&backup->timer))
		uv_close((uv_handle_t *)&backup->timer, NULL);
}

static void fail(struct backup *backup, const char *why)
{
	fprintf(stderr, "%s\n", why);
	finish(backup, 1);
}

static void problem(struct backup *backup, const char *text)
{
	if (++backup->problems <= PROBLEMS)
		printf("%s\n", text);
}

static void report(struct backup *backup)
{
	printf("{\"lanes\":%u,\"groups\":%zu,\"requests\":%lld,\"open\":%lld,\"live\":%lld,\"auditEvents\":%"
	       "lld,"
	       "\"auditSeals\":%lld,\"problems\":%lld,\"whole\":%s}\n",
	       store_lanes(backup->store), backup->count, (long long)backup->requests,
	       (long long)backup->open, (long long)backup->live, (long long)backup->events,
	       (long long)backup->seals, (long long)backup->problems,
	       backup->problems == 0 ? "true" : "false");
	fflush(stdout);
	finish(backup, backup->problems == 0 ? 0 : 7);
}

/* -- the audit, lane by lane ------------------------------------------------------------------------------- */

static void check_audit(struct backup *backup, const struct audit_place *from);

static void next_audit(struct backup *backup)
{
	struct audit_place from = {.lane = backup->lane};

	if (backup->lane < store_lanes(backup->store))
		check_audit(backup, &from);
	else
		report(backup);
}

static void on_audit(void *ctx, enum err err, const struct audit_verdict *verdict)
{
	struct backup *backup = ctx;
	char text[512];

	if (err != ERR_OK || verdict == NULL) {
		fail(backup, err_message(err));
		return;
	}
	backup->events += verdict->events;
	backup->seals += verdict->seals;
	if (verdict->broken_at == 0 && !verdict->at_end) {
		check_audit(backup, &verdict->place);
		return;
	}
	if (verdict->broken_at != 0) {
		snprintf(text, sizeof(text), "audit, lane %u, event %lld: %s", backup->lane,
			 (long long)verdict->broken_at, verdict->why.text);
		problem(backup, text);
	}
	backup->lane++;
	next_audit(backup);
}

static void check_audit(struct backup *backup, const struct audit_place *from)
{
	const struct audit_check check = {
		.activation = backup->activation,
		.keys = {backup->config->audit_key, backup->config->audit_former_key},
		.most = AUDIT,
	};

	audit_verify(&check, from, on_audit, backup);
}

/* -- requests and memberships, group by group -------------------------------------------------------------- */

static void begin_call(struct store_call *call, const char *function, unsigned lane)
{
	memset(call, 0, offsetof(struct store_call, argv));
	call->function = function;
	call->lane = lane;
	call->read_only = true;
	store_arg(call, "0");
	store_arg(call, "0");
}

static void check_next(struct backup *backup);

static void on_checked(void *ctx, enum err err, const struct reply *reply)
{
	struct backup *backup = ctx;
	int64_t looked = reply_int(reply_at(reply, 3));

	if (err != ERR_OK) {
		if (backup->store != NULL)
			fail(backup, err_message(err));
		return;
	}
	backup->requests += looked;
	backup->open += reply_int(reply_at(reply, 4));
	backup->live += reply_int(reply_at(reply, 5));
	for (size_t i = 6; i < reply_count(reply); i++)
		problem(backup, reply_text(reply_at(reply, i)));
	backup->from += looked;
	if (looked < PAGE) {
		backup->from = 0;
		backup->at++;
	}
	check_next(backup);
}

static void check_next(struct backup *backup)
{
	struct store_call call;
	char from[24];

	if (backup->at == backup->count) {
		next_audit(backup);
		return;
	}
	snprintf(from, sizeof(from), "%lld", (long long)backup->from);
	begin_call(&call, "jit_check", backup->places[backup->at].lane);
	store_arg(&call, backup->places[backup->at].group);
	store_arg(&call, from);
	store_arg(&call, PAGE_TEXT);
	store_call(backup->store, &call, on_checked, backup);
}

/* -- which groups there are -------------------------------------------------------------------------------- */

static bool add_place(struct backup *backup, unsigned lane, const char *group)
{
	if (backup->count == backup->room) {
		size_t room = backup->room > 0 ? 2 * backup->room : 64;
		struct place *grown = realloc(backup->places, room * sizeof(*grown));

		if (grown == NULL)
			return false;
		backup->places = grown;
		backup->room = room;
	}
	backup->places[backup->count].lane = lane;
	snprintf(backup->places[backup->count++].group, ID_SIZE, "%s", group);
	return true;
}

static int compare_places(const void *left, const void *right)
{
	const struct place *a = left, *b = right;

	return a->lane != b->lane ? (a->lane > b->lane) - (a->lane < b->lane) : strcmp(a->group, b->group);
}

/* Those of the configuration, and those of the store, each once. */
static void sort_places(struct backup *backup)
{
	size_t kept = 0;

	if (backup->count > 1)
		qsort(backup->places, backup->count, sizeof(*backup->places), compare_places);
	for (size_t i = 0; i < backup->count; i++)
		if (kept == 0 || compare_places(&backup->places[kept - 1], &backup->places[i]) != 0)
			backup->places[kept++] = backup->places[i];
	backup->count = kept;
}

struct question {
	struct backup *backup;
	unsigned lane;
};

static void on_groups(void *ctx, enum err err, const struct reply *reply)
{
	struct question *question = ctx;
	struct backup *backup = question->backup;
	bool ok = err == ERR_OK;

	for (size_t i = 3; ok && i < reply_count(reply); i++)
		ok = add_place(backup, question->lane, reply_text(reply_at(reply, i)));
	free(question);
	backup->asked--;
	if (backup->store == NULL)
		return;
	if (!ok) {
		fail(backup, err_message(err != ERR_OK ? err : ERR_NOMEM));
	} else if (backup->asked == 0) {
		sort_places(backup);
		check_next(backup);
	}
}

static void begin(struct backup *backup)
{
	const struct config *config = backup->config;
	struct store_call call;

	for (size_t i = 0; i < config->group_count; i++)
		if (!add_place(backup, store_lane_of(backup->store, config->groups[i].application->id),
			       config->groups[i].id)) {
			fail(backup, err_message(ERR_NOMEM));
			return;
		}
	for (unsigned lane = 0; lane < store_lanes(backup->store); lane++) {
		struct question *question = malloc(sizeof(*question));

		if (question == NULL) {
			fail(backup, err_message(ERR_NOMEM));
			return;
		}
		*question = (struct question){backup, lane};
		backup->asked++;
		begin_call(&call, "jit_check_groups", lane);
		store_call(backup->store, &call, on_groups, question);
	}
}

/* -- its life ---------------------------------------------------------------------------------------------- */

static void on_ready(void *ctx, bool ready, const char *why)
{
	struct backup *backup = ctx;

	if (!ready)
		log_info("backup_verify", "redis=%s", why);
	if (!ready || backup->begun)
		return;
	backup->begun = true;
	uv_timer_stop(&backup->timer);
	begin(backup);
}

/* The last reason is in the log: away, loading, of another schema. */
static void on_late(uv_timer_t *timer)
{
	fail(timer->data, "Redis cannot be used by this version, or not yet; the log says why.");
}

static bool start(struct backup *backup, const char *url)
{
	const struct config *config = backup->config;
	struct errctx ec = {""};
	struct store_options options = offline_store(config);

	options.allow_volatile = true; /* a copy that is only looked at */
	options.queue_max = LANES_MAX + 16;
	options.on_ready = on_ready;
	options.ctx = backup;
	if (url[0] != '\0')
		options.place = (struct store_place){.url = url};
	backup->store = store_new(&backup->loop, &options, &ec);
	backup->activation =
		activation_new(&(struct activation_options){.loop = &backup->loop, .store = backup->store});
	uv_timer_start(&backup->timer, on_late, READY_MS, 0);
	if (backup->store == NULL)
		fprintf(stderr, "%s\n", ec.text);
	return backup->store != NULL && backup->activation != NULL;
}

int backup_verify(struct config *config, const char *url)
{
	struct backup backup = {.config = config};

	signal(SIGPIPE, SIG_IGN);
	uv_loop_init(&backup.loop);
	uv_timer_init(&backup.loop, &backup.timer);
	backup.timer.data = &backup;
	if (!start(&backup, url))
		finish(&backup, 1);
	uv_run(&backup.loop, UV_RUN_DEFAULT);
	activation_free(backup.activation);
	uv_run(&backup.loop, UV_RUN_DEFAULT);
	uv_loop_close(&backup.loop);
	free(backup.places);
	return backup.status;
}
