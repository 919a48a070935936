#include "activation/review.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "activation/core.h"
#include "base/log.h"

#define PAGE        20    /* requests that are looked at in one call: each may be some KiB */
#define AT_ONCE     16    /* groups planned in parallel after a reload */
#define TELL_MAX_MS 20000 /* the policies are told again at least so often */
#define TELL_MIN_MS 100
#define TOLD_MS     50

struct review {
	struct activation *activation;
	uv_timer_t *timer; /* freed by its close callback */
	size_t planned;    /* groups since the last start */
};

/* A look at one group, page by page. */
struct look {
	struct review *review;
	unsigned lane;
	char group[ID_SIZE];
	char last[ID_SIZE]; /* request of the page */
	int64_t again_ms;   /* when to look again, Unix ms; 0 = as usual */
	size_t losing;      /* calls under way */
	bool more;          /* a further page may follow */
	bool failed;        /* the store did not answer: the claim's lease brings the group up again */
};

static int64_t grace_ms(const struct review *review)
{
	return review->activation->options.policies.grace_ms;
}

static void on_answered(void *ctx, enum err err, const struct reply *reply)
{
	struct look *look = ctx;

	if (err == ERR_OK)
		core_answer(look->review->activation, look->lane, reply);
	else if (!look->review->activation->stopped) /* the next broker tells and looks */
		log_warn("review", "lane=%u group=%s error=%s", look->lane, look->group, err_message(err));
	free(look);
}

static struct look *look_new(struct review *review, unsigned lane, const char *group)
{
	struct look *look = calloc(1, sizeof(*look));

	if (look == NULL)
		return NULL;
	look->review = review;
	look->lane = lane;
	snprintf(look->group, sizeof(look->group), "%s", group);
	return look;
}

/* -- which policies this broker goes by --------------------------------------------------------------------- */

static void tell_lane(struct review *review, unsigned lane)
{
	struct look *look = look_new(review, lane, "");
	struct store_call call;
	char grace[24];

	if (look == NULL)
		return;
	snprintf(grace, sizeof(grace), "%lld", (long long)grace_ms(review));
	core_call(review->activation, &call, "jit_policies", lane);
	store_arg(&call, grace);
	store_call(review->activation->options.store, &call, on_answered, look);
}

static void on_timer(uv_timer_t *timer)
{
	struct review *review = timer->data;
	unsigned lanes = store_lanes(review->activation->options.store);

	for (unsigned lane = 0; review->activation->ready && lane < lanes; lane++)
		tell_lane(review, lane);
}

static int64_t tell_every_ms(const struct review *review)
{
	int64_t every = grace_ms(review) / 3;

	if (every > TELL_MAX_MS)
		return TELL_MAX_MS;
	return every < TELL_MIN_MS ? TELL_MIN_MS : every;
}

/* -- groups are planned ------------------------------------------------------------------------------------- */

static void plan_one(struct review *review);

static void on_planned(void *ctx, enum err err, const struct reply *reply)
{
	struct look *look = ctx;
	struct review *review = look->review;

	on_answered(ctx, err, reply);
	plan_one(review);
}

/* The next group that takes away; its answer goes on to the one after. */
static void plan_one(struct review *review)
{
	struct activation *activation = review->activation;
	char app[APP_ID_SIZE], group[ID_SIZE], delay[24];
	struct store_call call;
	struct look *look;

	if (!activation->ready || activation->stopped ||
	    !activation->options.reviewed(activation->options.ctx, &review->planned, app, group))
		return;
	look = look_new(review, core_lane(activation, app), group);
	if (look == NULL)
		return;
	/* The look comes when this broker has told which policies it goes by. It finds whom they take away, so that the
	 * guard knows them all when the grace is over and the next look may act. */
	snprintf(delay, sizeof(delay), "%d", TOLD_MS);
	core_call(activation, &call, "jit_plan_review", look->lane);
	store_arg(&call, group);
	store_arg(&call, delay);
	store_call(activation->options.store, &call, on_planned, look);
}

/* -- a look -------------------------------------------------------------------------------------------------- */

static void next_page(struct look *look);

static void look_again_at(struct look *look, int64_t at_ms)
{
	if (look->again_ms == 0 || at_ms < look->again_ms)
		look->again_ms = at_ms;
}

/* The page is done with. */
static void go_on(struct look *look)
{
	struct activation *activation = look->review->activation;
	struct store_call call;
	char due[24];

	if (look->losing > 0)
		return;
	if (look->failed || activation->stopped) {
		free(look);
		return;
	}
	if (look->more) {
		next_page(look);
		return;
	}
	snprintf(due, sizeof(due), "%lld", (long long)look->again_ms);
	core_call(activation, &call, "jit_reviewed", look->lane);
	store_arg(&call, look->group);
	store_arg(&call, due);
	store_call(activation->options.store, &call, on_answered, look);
}

/* What came of an end by policy. */
static void on_lost(void *ctx, enum err err, const struct reply *reply)
{
	struct look *look = ctx;
	struct activation *activation = look->review->activation;
	const char *word = err == ERR_OK ? core_answer(activation, look->lane, reply) : err_message(err);

	look->losing--;
	look->failed = look->failed || err != ERR_OK;
	if (strcmp(word, "disputed") == 0)
		look_again_at(look, activation_now_ms(activation) + grace_ms(look->review));
	log_info("eligibility_lost", "group=%s result=%s", look->group,
		 strcmp(word, "ok") == 0 ? "ended" : word);
	go_on(look);
}

static void lose(struct look *look, const struct request *request)
{
	struct activation *activation = look->review->activation;
	struct store_call call;
	char grace[24], guard[GUARD_SIZE];

	core_guard(activation, request->application, guard);
	if (guard[0] == '\0')
		return;
	snprintf(grace, sizeof(grace), "%lld", (long long)grace_ms(look->review));
	core_call(activation, &call, "jit_lose", look->lane);
	store_arg(&call, request->id);
	store_arg(&call, request->person_key);
	store_arg(&call, grace);
	store_arg(&call, "By policy: the person is no longer eligible for the group.");
	store_arg(&call, guard);
	look->losing++;
	store_call(activation->options.store, &call, on_lost, look);
}

static void judge(struct look *look, const struct request *request)
{
	struct activation *activation = look->review->activation;
	int64_t until_ms = INT64_MAX;

	switch (activation->options.eligible(activation->options.ctx, request, &until_ms)) {
	case ELIGIBLE_LOST:
		lose(look, request);
		break;
	case ELIGIBLE_YES:
		if (until_ms < INT64_MAX)
			look_again_at(look, until_ms);
		break;
	case ELIGIBLE_UNKNOWN: /* of a group that another broker may know */
		look->more = false;
		break;
	}
}

static void on_page(void *ctx, enum err err, const struct reply *reply)
{
	struct look *look = ctx;
	struct request *request = calloc(1, sizeof(*request));

	look->failed = err != ERR_OK || request == NULL;
	look->more = !look->failed && reply_count(reply) == 3 + PAGE;
	look->losing = 1; /* calls that fail at once must not end the look before its page is read */
	for (size_t i = 3; !look->failed && i < reply_count(reply); i++)
		if (request_read(request, reply_at(reply, i))) {
			snprintf(look->last, sizeof(look->last), "%s", request->id);
			judge(look, request);
		}
	free(request);
	look->losing--;
	go_on(look);
}

static void next_page(struct look *look)
{
	struct activation *activation = look->review->activation;
	struct store_call call;
	char most[16];

	snprintf(most, sizeof(most), "%d", PAGE);
	core_call(activation, &call, "jit_review", look->lane);
	call.read_only = true;
	store_arg(&call, look->group);
	store_arg(&call, look->last);
	store_arg(&call, most);
	store_call(activation->options.store, &call, on_page, look);
}

void review_group(struct review *review, unsigned lane, const char *group)
{
	struct look *look = look_new(review, lane, group);

	if (look != NULL)
		next_page(look);
}

/* -- life ---------------------------------------------------------------------------------------------------- */

struct review *review_new(struct activation *activation)
{
	struct review *review = calloc(1, sizeof(*review));

	if (review == NULL)
		return NULL;
	review->timer = calloc(1, sizeof(*review->timer));
	if (review->timer == NULL) {
		free(review);
		return NULL;
	}
	uv_timer_init(activation->options.loop, review->timer);
	review->timer->data = review;
	review->activation = activation;
	return review;
}

static void on_timer_closed(uv_handle_t *handle)
{
	free(handle);
}

void review_free(struct review *review)
{
	if (review == NULL)
		return;
	uv_close((uv_handle_t *)review->timer, on_timer_closed);
	free(review);
}

void review_start(struct review *review)
{
	review->planned = 0;
	uv_update_time(review->timer->loop);
	uv_timer_start(review->timer, on_timer, 0, (uint64_t)tell_every_ms(review));
	for (int i = 0; i < AT_ONCE; i++)
		plan_one(review);
}

void review_stop(struct review *review)
{
	uv_timer_stop(review->timer);
}
