#include "recovery/drain.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "broker/arguments.h"
#include "provision/deposit.h"
#include "recovery/drain_parts.h"

#define PATIENCE_MS (24 * 3600 * 1000) /* removals are not given up lightly */
#define LOOK_MS     50                 /* between two looks at what may be pushed now */

/* -- what there is to do ----------------------------------------------------------------------------------- */

static enum drain_exit read_survey(const struct config *config, FILE *report, struct survey *out)
{
	const struct survey_place place = {config->escrow_path,
					   config->escrow_second_path,
					   {config->escrow_key, config->escrow_former_key}};
	struct errctx ec = {""};

	if (config->escrow_path[0] == '\0') {
		fputs("The configuration has no escrow.path.\n", stderr);
		return DRAIN_REFUSED;
	}
	if (survey_read(&place, report, out, &ec) == ERR_OK)
		return DRAIN_DONE;
	fprintf(stderr, "%s\n", ec.text);
	return DRAIN_LEFT;
}

void drain_print(const struct escrow_line *line)
{
	struct buf out;

	buf_init(&out, ESCROW_LINE_MAX * 4);
	survey_print(line, clock_wall_ms(), &out);
	puts(buf_text(&out));
	buf_release(&out);
}

static enum drain_exit show(const struct config *config)
{
	struct survey survey;
	enum drain_exit code = read_survey(config, stderr, &survey);

	if (code != DRAIN_DONE)
		return code;
	for (size_t i = 0; i < ledger_count(survey.ledger); i++)
		if (ledger_at(survey.ledger, i)->line.kind != ESCROW_GONE)
			drain_print(&ledger_at(survey.ledger, i)->line);
	code = survey.broken > 0 ? DRAIN_BROKEN : DRAIN_DONE;
	survey_release(&survey);
	return code;
}

static enum drain_exit verify(const struct config *config)
{
	struct survey survey;
	enum drain_exit code = read_survey(config, stdout, &survey);

	if (code != DRAIN_DONE)
		return code;
	code = survey.broken > 0 ? DRAIN_BROKEN : DRAIN_DONE;
	survey_release(&survey);
	return code;
}

/* Whoever has lost the line of the addition still has the configuration. */
static void take_names(const struct config *config, struct escrow_line *line)
{
	const struct config_person *person = config_person_by_id(config, line->principal);
	const struct config_group *group = config_group(config, line->group);

	if (line->user_name[0] == '\0' && person != NULL)
		line->user_name = person->names.user_name;
	if (line->group_name[0] == '\0' && group != NULL)
		line->group_name = group->name;
}

/* An item that nobody can remove as things are says why. */
static void take_item(struct drain *drain, const struct ledger_entry *entry)
{
	struct item *item = &drain->items[drain->count++];
	struct escrow_line *line = &item->line;

	*line = entry->line;
	take_names(drain->config, line);
	item->most = PUSH_MEMBERS_MAX;
	item->app = config_application(drain->config, line->application);
	if (item->app == NULL) {
		item->state = ITEM_STUCK;
		snprintf(item->why, sizeof(item->why), "The application is not in the configuration.");
	} else if ((line->user_id[0] == '\0' && line->user_name[0] == '\0') ||
		   (line->group_id[0] == '\0' && line->group_name[0] == '\0')) {
		item->state = ITEM_STUCK;
		snprintf(item->why, sizeof(item->why),
			 "Nothing says who, or which group, that is in the application.");
	}
}

static bool take_items(struct drain *drain)
{
	size_t count = ledger_count(drain->survey.ledger);
	int64_t now = clock_wall_ms();

	drain->items = calloc(count + 1, sizeof(*drain->items));
	for (size_t i = 0; i < count && drain->items != NULL; i++) {
		const struct ledger_entry *entry = ledger_at(drain->survey.ledger, i);

		if (entry->line.kind == ESCROW_GONE || (!drain->options.all && entry->line.end_ms > now))
			continue;
		take_item(drain, entry);
	}
	return drain->items != NULL;
}

/*
 * No token is there at first: whoever pushed before this process did may have taken all of them, and just have been killed,
 * and the application may still be at what they sent, for as long as their pushes might have lasted.
 */
static bool make_buckets(struct drain *drain)
{
	const struct config *config = drain->config;
	int64_t now = clock_mono_ms();

	drain->buckets = calloc(config->application_count + 1, sizeof(*drain->buckets));
	for (size_t i = 0; i < config->application_count && drain->buckets != NULL; i++) {
		const struct throttle *throttle = &config->applications[i].throttle;
		struct bucket *bucket = &drain->buckets[i];

		bucket->app = &config->applications[i];
		bucket->back_ms = calloc((size_t)throttle->pushes, sizeof(*bucket->back_ms));
		if (bucket->back_ms == NULL)
			return false;
		for (int64_t k = 0; k < throttle->pushes; k++)
			bucket->back_ms[k] = now + bucket->app->push_timeout_ms + throttle->per_ms;
	}
	return drain->buckets != NULL;
}

/* -- its life ---------------------------------------------------------------------------------------------- */

static size_t count_state(const struct drain *drain, enum item_state state)
{
	size_t count = 0;

	for (size_t i = 0; i < drain->count; i++)
		count += drain->items[i].state == state ? 1 : 0;
	return count;
}

static void report(struct drain *drain)
{
	size_t removed = count_state(drain, ITEM_REMOVED), held = count_state(drain, ITEM_HELD);
	size_t left = drain->count - removed - held, stuck = count_state(drain, ITEM_STUCK);

	for (size_t i = 0; i < drain->count && drain->options.dry_run && drain->exit == DRAIN_DONE; i++)
		if (drain->items[i].state == ITEM_WAITS)
			drain_print(&drain->items[i].line);
	for (size_t i = 0; i < drain->count; i++)
		if (drain->items[i].state == ITEM_STUCK ||
		    (drain->items[i].state == ITEM_WAITS && !drain->options.dry_run))
			log_error("escrow_left", "app=%s group=%s person=%s user=%s error=%s",
				  drain->items[i].line.application, drain->items[i].line.group,
				  drain->items[i].line.principal, drain->items[i].line.user_name,
				  drain->items[i].why);
	if (drain->exit == DRAIN_DONE && (drain->options.dry_run ? stuck : left) > 0)
		drain->exit = DRAIN_LEFT;
	else if (drain->exit == DRAIN_DONE && drain->survey.broken > 0)
		drain->exit = DRAIN_BROKEN;
	printf("{\"due\":%zu,\"removed\":%zu,\"known\":%zu,\"left\":%zu,\"manifests\":%zu,\"broken\":%zu,"
	       "\"seconds\":%.3f,\"complete\":%s}\n",
	       drain->count, removed, held, left, drain->survey.manifests, drain->survey.broken,
	       (double)(clock_mono_ms() - drain->begun_ms) / 1000,
	       drain->exit == DRAIN_DONE ? "true" : "false");
	fflush(stdout);
}

/* Nothing more is begun; the loop runs out of handles. */
static void finish(struct drain *drain)
{
	if (drain->pusher != NULL)
		pusher_abort_all(drain->pusher);
	if (drain->store != NULL)
		store_close(drain->store);
	drain->store = NULL;
	if (drain->escrow != NULL)
		escrow_stop(drain->escrow);
	uv_close((uv_handle_t *)&drain->timer, NULL);
}

/* An escrow that cannot be written is waited for no longer: what is gone is gone. */
static void on_saved(void *ctx, enum err err)
{
	struct drain *drain = ctx;

	if (err != ERR_OK) {
		log_error("escrow_drain", "error=%s",
			  "what was removed could not be written down: the next drain removes it again");
		drain->exit = DRAIN_LEFT;
	}
	finish(drain);
}

static void on_look(uv_timer_t *timer)
{
	struct drain *drain = timer->data;
	bool is_over = drain->options.dry_run || clock_mono_ms() >= drain->till_ms;

	if (drain->asked > 0)
		return;
	if (!is_over)
		drain_push(drain);
	if (drain->flights > 0 || drain->asked > 0 || (!is_over && count_state(drain, ITEM_WAITS) > 0))
		return;
	uv_timer_stop(timer);
	if (drain->escrow == NULL || count_state(drain, ITEM_REMOVED) == 0)
		finish(drain);
	else if (!escrow_save(drain->escrow, on_saved, drain))
		on_saved(drain, ERR_NOMEM);
}

static void on_first_told(void *ctx, size_t index, bool can_say, bool is_held)
{
	struct item *item = &((struct drain *)ctx)->items[index];

	if (item->state == ITEM_WAITS && can_say && is_held)
		item->state = ITEM_HELD;
	if (item->state != ITEM_WAITS || can_say)
		return;
	item->state = ITEM_STUCK;
	snprintf(item->why, sizeof(item->why), "Redis could not be asked about it.");
}

static void refuse(struct drain *drain, const char *why)
{
	fprintf(stderr, "%s\n", why);
	drain->exit = DRAIN_REFUSED;
	finish(drain);
}

void drain_decided(struct drain *drain, bool is_there)
{
	drain->begun = true;
	if (is_there && drain->options.redis == DRAIN_REFUSE) {
		refuse(drain,
		       "Redis can be used: `jit sweep` does what is due. Redis was restored from a backup, "
		       "or came back empty: --beside-redis removes what it knows nothing of. To leave it out "
		       "all the same: --without-redis.");
		return;
	}
	if (!is_there && drain->options.redis == DRAIN_BESIDE) {
		refuse(drain, "Redis cannot be asked. Should it be lost for good: without --beside-redis.");
		return;
	}
	if (!is_there && drain->store != NULL) {
		store_close(drain->store);
		drain->store = NULL;
	}
	for (size_t i = 0; i < drain->count && drain->store != NULL; i++)
		if (drain->items[i].state == ITEM_WAITS)
			drain_ask_one(drain, i, on_first_told, drain);
	uv_timer_start(&drain->timer, on_look, 0, LOOK_MS);
}

static bool start(struct drain *drain, struct errctx *ec)
{
	bool is_dry = drain->options.dry_run;

	drain->pusher = pusher_new(&drain->loop, ec);
	if (drain->pusher == NULL)
		return false;
	if (!take_items(drain) || !make_buckets(drain)) {
		err_set(ec, ERR_NOMEM, "%s", err_message(ERR_NOMEM));
		return false;
	}
	if (!is_dry && !deposit_open(&drain->loop, drain->config, &drain->escrow, ec))
		return false;
	if (drain->options.redis == DRAIN_BESIDE || (drain->options.redis == DRAIN_REFUSE && !is_dry))
		return drain_ask(drain, ec);
	drain_decided(drain, false);
	return true;
}

static void release(struct drain *drain)
{
	if (drain->pusher != NULL)
		pusher_free(drain->pusher);
	escrow_free(drain->escrow);
	uv_run(&drain->loop, UV_RUN_DEFAULT);
	uv_loop_close(&drain->loop);
	for (size_t i = 0; drain->buckets != NULL && i < drain->config->application_count; i++)
		free(drain->buckets[i].back_ms);
	free(drain->buckets);
	free(drain->items);
	survey_release(&drain->survey);
}

static enum drain_exit run(struct config *config, const struct drain_options *options)
{
	struct drain drain = {.options = *options, .config = config};
	struct errctx ec = {""};

	drain.exit = read_survey(config, stderr, &drain.survey);
	if (drain.exit != DRAIN_DONE)
		return drain.exit;
	signal(SIGPIPE, SIG_IGN);
	uv_loop_init(&drain.loop);
	uv_timer_init(&drain.loop, &drain.timer);
	drain.timer.data = &drain;
	drain.begun_ms = clock_mono_ms();
	drain.till_ms = drain.begun_ms + options->patience_ms;
	if (!start(&drain, &ec)) {
		log_error("escrow_drain", "error=%s", ec.text);
		drain.exit = DRAIN_LEFT;
		finish(&drain);
	}
	uv_run(&drain.loop, UV_RUN_DEFAULT);
	report(&drain);
	release(&drain);
	return drain.exit;
}

/* Two of them would push twice as much as the applications take. Where a folder cannot be locked, nobody is held up. */
static enum drain_exit run_alone(struct config *config, const struct drain_options *options)
{
	const char *const folders[] = {config->escrow_path, config->escrow_second_path};
	int locks[2] = {-1, -1};
	enum drain_exit code = DRAIN_DONE;

	for (size_t i = 0; i < 2; i++) {
		locks[i] = open(folders[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (locks[i] >= 0 && flock(locks[i], LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
			code = DRAIN_REFUSED;
	}
	if (code == DRAIN_DONE)
		code = run(config, options);
	else
		fputs("Another drain of this escrow is at work.\n", stderr);
	for (size_t i = 0; i < 2; i++)
		if (locks[i] >= 0)
			close(locks[i]);
	return code;
}

int drain_main(struct config *config, const struct arguments *arguments)
{
	struct drain_options options = {
		.redis = arguments->without_redis  ? DRAIN_WITHOUT
			 : arguments->beside_redis ? DRAIN_BESIDE
						   : DRAIN_REFUSE,
		.all = arguments->all,
		.dry_run = arguments->dry_run,
		.patience_ms = arguments->sweep_for_ms > 0 ? arguments->sweep_for_ms : PATIENCE_MS,
	};

	if (strcmp(arguments->escrow, "show") == 0)
		return (int)show(config);
	if (strcmp(arguments->escrow, "verify") == 0)
		return (int)verify(config);
	return (int)(options.dry_run ? run(config, &options) : run_alone(config, &options));
}
