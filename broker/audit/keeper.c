#include "audit/keeper.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/export.h"
#include "base/log.h"

#define LEASE_MS     30000   /* of the events that are exported next; a disk may be slow */
#define AGAIN_MS     5000    /* after an export that failed */
#define LOOK_MS      3600000 /* for old events, where nothing new comes */
#define FORGET_STEPS 20      /* in one round; each forgets AUDIT_BATCH events at most */
#define EXPORT_MAX   (32 * 1024 * 1024)

struct keeper {
	uv_loop_t *loop;
	struct activation *activation;
	struct config *config; /* one reference */
	struct keeper_figures figures;
	struct errctx trouble;
	size_t writing;
	bool stopped;
	struct audit_witness witness[LANES_MAX];
};

/* One lane's round. */
struct round {
	struct keeper *keeper;
	struct config *config; /* one reference: of the keys and the file */
	unsigned lane;
	int64_t before, to; /* the events that are worked on: after `before` */
	int64_t now_ms;
	bool waiting; /* events wait for a seal whose time has not come */
	unsigned steps;
	struct audit_witness seen; /* the last of the events that are sealed */
};

static struct seal_keys keys_of(const struct config *config)
{
	return (struct seal_keys){.key = config->audit_key, .former = config->audit_former_key};
}

static struct round *round_new(struct keeper *keeper, unsigned lane)
{
	struct round *round = calloc(1, sizeof(*round));

	if (round != NULL) {
		round->keeper = keeper;
		round->config = config_ref(keeper->config);
		round->lane = lane;
	}
	return round;
}

static void round_free(struct round *round)
{
	config_unref(round->config);
	free(round);
}

/* -- forgetting ------------------------------------------------------------------------------------------------ */

static void forget(struct round *round);

/* All is done for now. */
static void rest(struct round *round)
{
	const struct config *config = round->config;
	int64_t delay = config->audit_keep_ms < LOOK_MS ? config->audit_keep_ms : LOOK_MS;

	if (round->waiting && config->audit_seal_ms < delay)
		delay = config->audit_seal_ms;
	audit_later(round->keeper->activation, round->lane, "seal", delay);
	round_free(round);
}

static void on_forgotten(void *ctx, enum err err)
{
	struct round *round = ctx;

	if (err == ERR_OK && ++round->steps < FORGET_STEPS && !round->keeper->stopped)
		forget(round);
	else
		rest(round);
}

static void on_oldest(void *ctx, enum err err, const struct audit_oldest *oldest)
{
	struct round *round = ctx;
	struct seal_keys keys = keys_of(round->config);
	struct audit_anchor anchor;
	struct seal texts;

	if (err != ERR_OK) {
		rest(round);
		return;
	}
	anchor = (struct audit_anchor){
		.number = oldest->number, .link = oldest->link, .digest = oldest->digest};
	seal_anchor(&anchor, round->lane, &keys, &texts);
	log_info("audit_forgotten", "lane=%u to=%lld", round->lane, (long long)oldest->number);
	audit_forget(round->keeper->activation, round->lane, &anchor, on_forgotten, round);
}

static void forget(struct round *round)
{
	audit_oldest(round->keeper->activation,
		     &(struct audit_age){round->lane, round->now_ms - round->config->audit_keep_ms,
					 round->config->audit_file[0] != '\0'},
		     on_oldest, round);
}

/* -- sealing --------------------------------------------------------------------------------------------------- */

static void read_unsealed(struct round *round);

static void on_sealed(void *ctx, enum err err)
{
	struct round *round = ctx;

	if (err != ERR_OK || round->keeper->stopped) {
		/* Another broker has sealed them, or the store is away. */
		rest(round);
		return;
	}
	round->keeper->figures.seals++;
	round->keeper->witness[round->lane] = round->seen;
	round->before = round->to;
	read_unsealed(round);
}

/* Are there events of which the first has waited long enough? What seals alone would bring is no reason for one. */
static bool is_time(struct round *round, const struct audit_page *page)
{
	struct audit_event event;

	for (size_t i = 0; i < page->count; i++) {
		if (!audit_page_event(page, i, &event) || strcmp(event.fields[AUDIT_EVENT].text, "seal") == 0)
			continue;
		if (page->count == AUDIT_BATCH ||
		    audit_event_at_ms(&event) + round->config->audit_seal_ms <= page->now_ms)
			return true;
		round->waiting = true;
		return false;
	}
	return false;
}

/* Makes the seal over all events of the page. False: no memory. */
static bool make_seal(struct round *round, const struct audit_page *page, struct seal *seal)
{
	struct seal_keys keys = keys_of(round->config);
	struct audit_event event;
	struct buf lines;

	seal_lines_begin(&lines, page->digest);
	for (size_t i = 0; i < page->count && audit_page_event(page, i, &event); i++) {
		seal_lines_add(&lines, round->lane, &event);
		if (i == 0)
			seal->from = event.number;
		seal->to = event.number;
		round->seen.number = event.number;
		snprintf(round->seen.link, sizeof(round->seen.link), "%s", event.link);
	}
	if (!seal_lines_end(&lines, seal->digest))
		return false;
	seal_make(seal, round->lane, &keys);
	return true;
}

/* This broker has seen events that are not there any more, or others in their place. */
static void compare(const struct round *round, const struct audit_page *page)
{
	const struct audit_witness *witness = &round->keeper->witness[round->lane];

	if (witness->number > page->last)
		log_error("audit_broken", "lane=%u number=%lld why=%s", round->lane,
			  (long long)witness->number,
			  "events that this broker has seen are missing at the end");
}

static void on_unsealed(void *ctx, enum err err, const struct audit_page *page)
{
	struct round *round = ctx;
	struct seal seal = {0};
	char details[SEAL_DETAILS_SIZE];

	if (err != ERR_OK) {
		rest(round);
		return;
	}
	round->now_ms = page->now_ms;
	compare(round, page);
	if (round->config->audit_key[0] == '\0' || page->sealed_to != round->before ||
	    !is_time(round, page) || !make_seal(round, page, &seal)) {
		forget(round);
		return;
	}
	round->to = seal.to;
	seal_print(&seal, details);
	audit_seal(
		round->keeper->activation, round->lane,
		&(struct audit_seal){
			.before = round->before, .to = round->to, .digest = seal.digest, .details = details},
		on_sealed, round);
}

static void read_unsealed(struct round *round)
{
	audit_read(round->keeper->activation, &(struct audit_range){round->lane, round->before, AUDIT_BATCH},
		   on_unsealed, round);
}

static void on_seal_head(void *ctx, enum err err, const struct audit_page *page)
{
	struct round *round = ctx;

	if (err != ERR_OK) {
		rest(round);
		return;
	}
	round->before = page->sealed_to;
	read_unsealed(round);
}

/* -- exporting ------------------------------------------------------------------------------------------------- */

static void read_unexported(struct round *round);

static void on_exported(void *ctx, enum err err)
{
	struct round *round = ctx;

	if (err != ERR_OK || round->keeper->stopped) {
		round_free(round);
		return;
	}
	round->keeper->figures.exported += (uint64_t)(round->to - round->before);
	round->before = round->to;
	read_unexported(round);
}

static void on_written(void *ctx, enum err err, const struct errctx *ec)
{
	struct round *round = ctx;
	struct keeper *keeper = round->keeper;

	keeper->writing--;
	if (err != ERR_OK) {
		keeper->figures.failures++;
		if (strcmp(keeper->trouble.text, ec->text) != 0)
			log_error("audit_export", "lane=%u error=%s", round->lane, ec->text);
		keeper->trouble = *ec;
		if (!keeper->stopped)
			audit_later(keeper->activation, round->lane, "export", AGAIN_MS);
		round_free(round);
		return;
	}
	if (keeper->trouble.text[0] != '\0')
		log_info("audit_export", "result=%s", "it gets on again");
	keeper->trouble.text[0] = '\0';
	if (keeper->stopped) {
		round_free(round); /* the next broker writes them once more */
		return;
	}
	audit_exported(keeper->activation, round->lane,
		       &(struct audit_export){.before = round->before, .to = round->to, .lease_ms = LEASE_MS},
		       on_exported, round);
}

static void on_unexported(void *ctx, enum err err, const struct audit_page *page)
{
	struct round *round = ctx;
	struct keeper *keeper = round->keeper;
	struct audit_event event;
	struct buf lines;

	if (err != ERR_OK || page->count == 0 || page->exported_to != round->before) {
		round_free(round);
		return;
	}
	buf_init(&lines, EXPORT_MAX);
	buf_adds(&lines, "\n");
	for (size_t i = 0; i < page->count && audit_page_event(page, i, &event); i++) {
		audit_event_line(&event, round->lane, &lines);
		buf_adds(&lines, "\n");
		round->to = event.number;
	}
	keeper->writing++;
	export_append(keeper->loop, round->config->audit_file, &lines, on_written, round);
}

static void read_unexported(struct round *round)
{
	audit_read(round->keeper->activation, &(struct audit_range){round->lane, round->before, AUDIT_BATCH},
		   on_unexported, round);
}

static void on_export_head(void *ctx, enum err err, const struct audit_page *page)
{
	struct round *round = ctx;

	if (err != ERR_OK || page->exported_to < 0) {
		round_free(round);
		return;
	}
	round->before = page->exported_to;
	/* Nothing is left: takes the entry out of the timetable. */
	if (page->last <= page->exported_to) {
		round->to = round->before;
		audit_exported(round->keeper->activation, round->lane,
			       &(struct audit_export){
				       .before = round->before, .to = round->to, .lease_ms = LEASE_MS},
			       on_exported, round);
		return;
	}
	read_unexported(round);
}

/* -- the keeper ------------------------------------------------------------------------------------------------ */

struct keeper *keeper_new(uv_loop_t *loop, struct activation *activation, struct config *config)
{
	struct keeper *keeper = calloc(1, sizeof(*keeper));

	if (keeper == NULL)
		return NULL;
	keeper->loop = loop;
	keeper->activation = activation;
	keeper->config = config_ref(config);
	return keeper;
}

void keeper_free(struct keeper *keeper)
{
	if (keeper == NULL)
		return;
	config_unref(keeper->config);
	free(keeper);
}

void keeper_plan(struct keeper *keeper, unsigned lanes)
{
	for (unsigned lane = 0; lane < lanes; lane++)
		audit_plan(keeper->activation, lane, keeper->config->audit_seal_ms,
			   keeper->config->audit_file[0] != '\0');
}

void keeper_reload(struct keeper *keeper, struct config *config)
{
	config_unref(keeper->config);
	keeper->config = config_ref(config);
}

void keeper_note_config(struct keeper *keeper, const char *event)
{
	char details[128];

	snprintf(details, sizeof(details), "{\"configuration\":\"%s\"}", keeper->config->sha256);
	audit_note(keeper->activation, 0,
		   &(struct audit_note){.event = event, .why = "", .details = details, .actor = ""});
}

void keeper_due(void *ctx, unsigned lane, const char *what)
{
	struct keeper *keeper = ctx;
	bool exports = strcmp(what, "export") == 0;
	struct round *round;

	if (keeper->stopped || (exports && keeper->config->audit_file[0] == '\0'))
		return;
	round = round_new(keeper, lane);
	if (round != NULL)
		audit_read(keeper->activation, &(struct audit_range){lane, 0, 1},
			   exports ? on_export_head : on_seal_head, round);
}

void keeper_stop(struct keeper *keeper)
{
	keeper->stopped = true;
}

bool keeper_busy(const struct keeper *keeper)
{
	return keeper->writing > 0;
}

const char *keeper_trouble(const struct keeper *keeper)
{
	return keeper->trouble.text[0] != '\0' ? keeper->trouble.text : NULL;
}

const struct keeper_figures *keeper_figures(const struct keeper *keeper)
{
	return &keeper->figures;
}

const struct audit_witness *keeper_witness(const struct keeper *keeper, unsigned lane)
{
	return &keeper->witness[lane];
}
