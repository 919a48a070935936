#include "activation/changes.h"

#include <stdio.h>
#include <stdlib.h>

#include "activation/audit.h"
#include "activation/core.h"

#define EVERY_MS 250  /* each lane is read so often … */
#define LANE_MS  4    /* … but no more than one lane in that time: 250 short calls a second in all */
#define BATCH    100  /* events in one read: about 50 KiB */
#define BEFORE   32   /* events of each lane that are looked up at the start */
#define KEPT     1024 /* changes: 700 KiB, while somebody follows */
#define THE_END  INT64_C(999999999999999) /* no lane has so many events */

struct lane {
	struct changes *changes;
	unsigned index;
	bool asking, outdated; /* a read is under way; it was begun before the last stop */
	bool found;            /* its end is known, … */
	bool known;            /* … and it has been read up to there */
	int64_t number;        /* of the last event that was read */
	int64_t read_ms;       /* all that was made before then has been read */
};

struct changes {
	struct changes_options options;
	uv_timer_t *timer; /* freed by its close callback */
	bool running, begun;
	unsigned lane_count;
	struct lane lanes[LANES_MAX];
	struct change *kept; /* a ring; NULL while nobody follows */
	uint64_t next,
		first;    /* the numbers of the next change, and of the first since which none is missing */
	int64_t since_ms; /* none is missing that was made then or later */
};

static void read_lane(struct lane *lane);

/* -- what is kept ---------------------------------------------------------------------------------------------- */

uint64_t changes_next(const struct changes *changes)
{
	return changes->next;
}

const struct change *changes_at(const struct changes *changes, uint64_t number)
{
	return number >= changes->first && number < changes->next ? &changes->kept[number % KEPT] : NULL;
}

int64_t changes_mark_ms(const struct changes *changes)
{
	int64_t mark_ms = INT64_MAX;

	for (unsigned i = 0; i < changes->lane_count; i++)
		if (changes->lanes[i].read_ms < mark_ms)
			mark_ms = changes->lanes[i].read_ms;
	return changes->lane_count > 0 ? mark_ms : 0;
}

bool changes_since(const struct changes *changes, int64_t at_ms, uint64_t *number)
{
	*number = changes->first;
	return at_ms >= changes->since_ms;
}

static void not_before(struct changes *changes, int64_t at_ms)
{
	if (changes->since_ms < at_ms)
		changes->since_ms = at_ms;
}

/* Some have been missed: whoever follows is to look at everything anew. */
static void skip(struct changes *changes, int64_t now_ms)
{
	changes->first = ++changes->next;
	not_before(changes, now_ms + 1);
}

static void copy(char *out, size_t size, const struct audit_event *event, enum audit_field field)
{
	snprintf(out, size, "%s", event->fields[field].text);
}

static void keep(struct changes *changes, const struct audit_event *event, int64_t mark_ms)
{
	struct change *change = &changes->kept[changes->next % KEPT];

	if (changes->next - changes->first == KEPT) {
		not_before(changes, change->at_ms + 1);
		changes->first++;
	}
	change->at_ms = audit_event_at_ms(event);
	change->mark_ms = mark_ms;
	copy(change->event, sizeof(change->event), event, AUDIT_EVENT);
	copy(change->from, sizeof(change->from), event, AUDIT_FROM);
	copy(change->to, sizeof(change->to), event, AUDIT_TO);
	copy(change->request, sizeof(change->request), event, AUDIT_REQUEST);
	copy(change->group, sizeof(change->group), event, AUDIT_GROUP);
	copy(change->application, sizeof(change->application), event, AUDIT_APPLICATION);
	copy(change->principal, sizeof(change->principal), event, AUDIT_PERSON);
	copy(change->user_name, sizeof(change->user_name), event, AUDIT_USER_NAME);
	changes->next++;
}

/* -- reading --------------------------------------------------------------------------------------------------- */

static void end(struct changes *changes, enum err err)
{
	changes_stop(changes);
	changes->options.begun(changes->options.ctx, err);
}

static void note_begun(struct changes *changes)
{
	for (unsigned i = 0; i < changes->lane_count; i++)
		if (!changes->lanes[i].known)
			return;
	changes->begun = true;
	changes->options.begun(changes->options.ctx, ERR_OK);
}

/* Where the lane ends: a little before it is where the reading begins. */
static void find_end(struct lane *lane, const struct audit_page *page)
{
	lane->found = true;
	lane->number = page->last > BEFORE ? page->last - BEFORE : 0;
	read_lane(lane);
}

/* Events that are gone, or were never read: Redis was restored from an older copy, or this broker was asleep for long. */
static bool has_gap(const struct lane *lane, const struct audit_page *page)
{
	struct audit_event event;

	if (page->count == 0)
		return page->last > 0 && page->last != lane->number;
	return !audit_page_event(page, 0, &event) || event.number != lane->number + 1;
}

/* Of the lane's first page: what was made before it is not kept. */
static void note_beginning(struct lane *lane, const struct audit_page *page)
{
	struct audit_event event;

	if (page->count > 0 && audit_page_event(page, 0, &event)) {
		lane->number = event.number - 1;
		if (event.number > 1)
			not_before(lane->changes, audit_event_at_ms(&event) + 1);
	} else if (page->last > 0) {
		lane->number = page->last;
		not_before(lane->changes, page->now_ms + 1);
	}
}

static void take(struct lane *lane, const struct audit_page *page)
{
	struct changes *changes = lane->changes;
	int64_t mark_ms = changes_mark_ms(changes);
	uint64_t before = changes->next;
	struct audit_event event;

	if (!lane->known)
		note_beginning(lane, page);
	if (has_gap(lane, page)) {
		skip(changes, page->now_ms);
		lane->number = page->last;
	} else {
		for (size_t i = 0; i < page->count && audit_page_event(page, i, &event); i++) {
			keep(changes, &event, mark_ms);
			lane->number = event.number;
		}
	}
	if (lane->number < page->last)
		read_lane(lane);
	else
		lane->read_ms = page->now_ms;
	if (!lane->known && lane->read_ms > 0) {
		lane->known = true;
		note_begun(changes);
	} else if (changes->begun && changes->next > before) {
		changes->options.more(changes->options.ctx);
	}
}

static void on_page(void *ctx, enum err err, const struct audit_page *page)
{
	struct lane *lane = ctx;
	bool outdated = lane->outdated;

	lane->asking = lane->outdated = false;
	if (!lane->changes->running)
		return;
	if (outdated)
		read_lane(lane);
	else if (err != ERR_OK && !lane->known)
		end(lane->changes, err);
	else if (err == ERR_OK && !lane->found)
		find_end(lane, page);
	else if (err == ERR_OK)
		take(lane, page);
}

static void read_lane(struct lane *lane)
{
	struct audit_range range = {lane->index, lane->found ? lane->number : THE_END, BATCH};

	if (lane->asking)
		return;
	lane->asking = true;
	audit_read(lane->changes->options.activation, &range, on_page, lane);
}

static void on_timer(uv_timer_t *timer)
{
	struct changes *changes = timer->data;

	for (unsigned i = 0; i < changes->lane_count && changes->running; i++)
		read_lane(&changes->lanes[i]);
}

/* -- life ------------------------------------------------------------------------------------------------------ */

enum err changes_start(struct changes *changes)
{
	unsigned every_ms;

	if (changes->running)
		return ERR_OK;
	changes->kept = calloc(KEPT, sizeof(*changes->kept));
	if (changes->kept == NULL)
		return ERR_NOMEM;
	changes->running = true;
	changes->lane_count = store_lanes(changes->options.store);
	for (unsigned i = 0; i < changes->lane_count; i++) {
		struct lane *lane = &changes->lanes[i];

		*lane = (struct lane){
			.changes = changes, .index = i, .asking = lane->asking, .outdated = lane->asking};
	}
	every_ms = changes->lane_count * LANE_MS > EVERY_MS ? changes->lane_count * LANE_MS : EVERY_MS;
	uv_timer_start(changes->timer, on_timer, 0, every_ms);
	return ERR_OK;
}

void changes_stop(struct changes *changes)
{
	uv_timer_stop(changes->timer);
	changes->running = changes->begun = false;
	changes->first = changes->next;
	changes->since_ms = 0;
	free(changes->kept);
	changes->kept = NULL;
}

bool changes_known(const struct changes *changes)
{
	return changes->begun;
}

struct changes *changes_new(const struct changes_options *options)
{
	struct changes *changes = calloc(1, sizeof(*changes));

	if (changes == NULL)
		return NULL;
	changes->timer = calloc(1, sizeof(*changes->timer));
	if (changes->timer == NULL) {
		free(changes);
		return NULL;
	}
	changes->options = *options;
	uv_timer_init(options->loop, changes->timer);
	changes->timer->data = changes;
	return changes;
}

static void on_closed(uv_handle_t *handle)
{
	free(handle);
}

void changes_free(struct changes *changes)
{
	if (changes == NULL)
		return;
	changes_stop(changes);
	uv_close((uv_handle_t *)changes->timer, on_closed);
	free(changes);
}
