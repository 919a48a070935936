/*
 * What the Redis functions answer, read by everything that asks them: the input is JSON, a list of answers, given in turn to
 * each question. Whatever they are, every question is answered once, and what is shown of it is bounded.
 */
#include <string.h>

#include "activation/core.h"
#include "activation/decision.h"
#include "activation/list.h"
#include "activation/notices.h"
#include "activation/operate.h"
#include "audit/seal.h"
#include "base/json.h"
#include "store/reader.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/made_reply.h"

#define ID        "00010000-0000-8000-8000-000000000000"
#define GROUP     "11111111-2222-3333-4444-555555555555"
#define CALLS_MAX 40 /* for one question; then the store is away */

/* What the linker makes of the store, which is told --wrap=NAME. */
void __wrap_store_call(struct store *store, const struct store_call *wanted, store_done *done, void *ctx);
unsigned __wrap_store_lanes(const struct store *store);
unsigned __wrap_store_lane_of(const struct store *store, const char *app);
bool __wrap_store_ready(const struct store *store, const char **why);

/* -- the store ---------------------------------------------------------------------------------------------- */

struct asked {
	store_done *done;
	void *ctx;
};

/* The calls of one question that are not answered yet, and the answers that there are. */
static struct {
	const struct reply *answers;
	struct asked open[CALLS_MAX * 2];
	size_t first, count, given;
} redis;

void __wrap_store_call(struct store *store, const struct store_call *wanted, store_done *done, void *ctx)
{
	(void)store;
	REQUIRE(wanted->argc <= STORE_ARGS_MAX);
	for (int i = 0; i < wanted->argc; i++)
		REQUIRE(wanted->argv[i] != NULL);
	REQUIRE(redis.count < sizeof(redis.open) / sizeof(redis.open[0]));
	redis.open[redis.count++] = (struct asked){done, ctx};
}

unsigned __wrap_store_lanes(const struct store *store)
{
	(void)store;
	return 2;
}

unsigned __wrap_store_lane_of(const struct store *store, const char *app)
{
	(void)store;
	(void)app;
	return 1;
}

bool __wrap_store_ready(const struct store *store, const char **why)
{
	(void)store;
	(void)why;
	return true;
}

/* Answers all that was asked, and what is asked because of that. */
static void answer_all(void)
{
	while (redis.first < redis.count) {
		struct asked asked = redis.open[redis.first++];
		const struct reply *reply = NULL;

		if (redis.answers->count > 0 && redis.given < CALLS_MAX)
			reply = redis.answers->items[redis.given++ % redis.answers->count];
		if (asked.done != NULL)
			asked.done(asked.ctx, reply != NULL ? ERR_OK : ERR_UNAVAILABLE, reply);
	}
	redis.first = redis.count = redis.given = 0;
}

/* -- who asks ----------------------------------------------------------------------------------------------- */

static size_t told; /* answers to the question that is open */

static bool is_text(const char *text, size_t size)
{
	return memchr(text, '\0', size) != NULL;
}

static bool terms(void *ctx, const char *app, struct terms *out)
{
	(void)ctx;
	*out = (struct terms){.push_timeout_ms = 1000,
			      .batch = 10,
			      .throttle = {.pushes = 5, .per_ms = 10000, .cycle_ms = 60000}};
	snprintf(out->app, sizeof(out->app), "%s", app);
	return app[0] != '-';
}

static bool application(void *ctx, size_t index, struct terms *out)
{
	return index == 0 && terms(ctx, "app", out);
}

static bool reviewed(void *ctx, size_t *index, char app[APP_ID_SIZE], char group[ID_SIZE])
{
	(void)ctx;
	(void)index;
	(void)app;
	(void)group;
	return false;
}

static enum err allowed(void *ctx, const struct request *request, struct buf *limits, struct errctx *why)
{
	(void)ctx;
	(void)request;
	(void)limits;
	(void)why;
	return ERR_OK;
}

static enum eligible eligible(void *ctx, const struct request *request, int64_t *until_ms)
{
	(void)ctx;
	(void)request;
	(void)until_ms;
	return ELIGIBLE_YES;
}

static void steps(void *ctx, const char *app, char out[STEPS_SIZE])
{
	(void)ctx;
	(void)app;
	out[0] = '\0';
}

static void due(void *ctx, unsigned lane, const char *what)
{
	(void)ctx;
	(void)lane;
	(void)what;
}

/* Orders and pieces: their texts end, and then they are given up without a word. */
static void drop_order(void *ctx, struct order *order)
{
	(void)ctx;
	REQUIRE(order->count > 0 && is_text(order->id, sizeof(order->id)));
	for (size_t i = 0; i < order->count; i++) {
		REQUIRE(order->members[i].person != NULL);
		REQUIRE(is_text(order->members[i].ids, sizeof(order->members[i].ids)));
		free(order->members[i].person);
	}
	order->activation->orders--;
	free(order->members);
	free(order);
}

static void drop_piece(void *ctx, struct piece *piece)
{
	(void)ctx;
	REQUIRE(is_text(piece->step, sizeof(piece->step)) && is_text(piece->at, sizeof(piece->at)));
	piece->activation->orders--;
	free(piece);
}

static void on_end(void *ctx, const struct access_end *end)
{
	(void)ctx;
	REQUIRE(end->application != NULL && end->group != NULL && end->principal != NULL);
}

static void check_request(const struct request *request)
{
	REQUIRE(is_text(request->id, sizeof(request->id)) &&
		is_text(request->action, sizeof(request->action)));
	REQUIRE(is_text(request->principal, sizeof(request->principal)));
	REQUIRE(is_text(request->justification, sizeof(request->justification)));
	REQUIRE(is_text(request->error, sizeof(request->error)));
	REQUIRE(state_name(request->state) != NULL);
}

static void on_request(void *ctx, enum err err, const struct request *request)
{
	(void)ctx;
	(void)err;
	told++;
	if (request != NULL)
		check_request(request);
}

static void on_word(void *ctx, enum err err, const char *word)
{
	(void)ctx;
	told++;
	REQUIRE(err != ERR_OK || word != NULL);
}

static void on_text(void *ctx, enum err err, const char *text)
{
	(void)ctx;
	(void)err;
	(void)text;
	told++;
}

static void on_eligible(void *ctx, enum err err, bool is_eligible)
{
	(void)ctx;
	(void)err;
	(void)is_eligible;
	told++;
}

static void on_status(void *ctx, enum err err, const struct application_status *status)
{
	(void)ctx;
	told++;
	REQUIRE((err == ERR_OK) == (status != NULL));
	REQUIRE(status == NULL || is_text(status->quarantine_text, sizeof(status->quarantine_text)));
}

static void on_lane(void *ctx, enum err err, const struct lane_status *status)
{
	(void)ctx;
	told++;
	REQUIRE((err == ERR_OK) == (status != NULL));
}

static void on_page(void *ctx, enum err err, const struct list_page *page)
{
	(void)ctx;
	told++;
	for (size_t i = 0; err == ERR_OK && i < page->count; i++)
		check_request(&page->requests[i]);
	REQUIRE(err != ERR_OK || is_text(page->next, sizeof(page->next)));
}

static void on_cycles(void *ctx, enum err err, const struct cycle_record *cycles, size_t count)
{
	(void)ctx;
	told++;
	for (size_t i = 0; err == ERR_OK && i < count; i++)
		REQUIRE(is_text(cycles[i].by, sizeof(cycles[i].by)));
}

static void on_log(void *ctx, enum err err, const struct log_page *page)
{
	(void)ctx;
	told++;
	for (size_t i = 0; err == ERR_OK && i < page->count; i++)
		REQUIRE(page->entries[i].words != NULL && is_text(page->entries[i].id, LOG_ID_SIZE));
}

static void check_notices(const struct notice_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		REQUIRE(is_text(list->notices[i].kind, NOTICE_KIND_SIZE) && list->notices[i].lines != NULL);
		REQUIRE(is_text(list->notices[i].request.id, ID_SIZE));
	}
}

static void on_notices(void *ctx, enum err err, const struct notice_list *list)
{
	(void)ctx;
	told++;
	if (err == ERR_OK)
		check_notices(list);
}

static void on_deliveries(void *ctx, enum err err, const struct notice_targets *targets,
			  const struct notice_list *list)
{
	(void)ctx;
	told++;
	for (size_t i = 0; err == ERR_OK && i < targets->count; i++)
		REQUIRE(is_text(targets->targets[i].name, NOTICE_TARGET_SIZE));
	if (err == ERR_OK)
		check_notices(list);
}

static void on_events(void *ctx, enum err err, const struct audit_page *page)
{
	struct audit_event event;
	struct seal seal;
	struct buf line;

	(void)ctx;
	told++;
	for (size_t i = 0; err == ERR_OK && i < page->count; i++) {
		char link[SHA1_HEX];

		if (!audit_page_event(page, i, &event))
			continue;
		buf_init(&line, 1 << 20);
		audit_event_line(&event, 1, &line);
		REQUIRE(memchr(buf_text(&line), '\n', line.len) == NULL);
		buf_release(&line);
		REQUIRE(audit_event_link(&event, "", link) && strlen(link) == SHA1_HEX - 1);
		if (seal_read(&seal, &event.fields[AUDIT_DETAILS]) == ERR_OK)
			REQUIRE(is_text(seal.mac, sizeof(seal.mac)));
	}
}

static void on_oldest(void *ctx, enum err err, const struct audit_oldest *oldest)
{
	(void)ctx;
	told++;
	REQUIRE(err != ERR_OK || (oldest->link != NULL && oldest->digest != NULL));
}

static void on_order(void *ctx, enum err err, struct order *order, int64_t wait_ms)
{
	(void)err;
	(void)wait_ms;
	told++;
	if (order != NULL)
		drop_order(ctx, order);
}

/* -- the questions ------------------------------------------------------------------------------------------ */

static void one(void)
{
	answer_all();
	REQUIRE(told == 1);
	told = 0;
}

static void ask_of_requests(struct activation *a)
{
	const struct ask ask = {.id = ID,
				.fingerprint = "",
				.application = "app",
				.group = GROUP,
				.principal = "p",
				.created_by = "p",
				.action = "selfActivate",
				.person = "{}",
				.group_name = "g",
				.limits = "",
				.duration_ms = 1000,
				.actor = ""};
	const struct request request = {.id = ID, .group = GROUP, .application = "app", .stage = 1};
	const struct decision decision = {.request = &request,
					  .decider = "l",
					  .decider_name = "l",
					  .decider_names = "[]",
					  .justification = "",
					  .needed = 1,
					  .stages = 1,
					  .limits = "",
					  .message = "m",
					  .declined = "",
					  .actor = ""};

	activation_submit(a, &ask, on_request, NULL);
	one();
	activation_deactivate(a, &ask, on_request, NULL);
	one();
	activation_make_eligible(a, &ask, on_request, NULL);
	one();
	activation_ask_eligible(a, &ask, on_eligible, NULL);
	one();
	activation_get(a, ID, on_request, NULL);
	one();
	activation_get_eligibility(a, ID, on_request, NULL);
	one();
	activation_cancel(a, ID, &(struct withdrawal){.by = "p", .actor = ""}, on_request, NULL);
	one();
	activation_decide(a, &decision, on_request, NULL);
	one();
	activation_refuse_message(a, &(struct refused_message){.request = ID, .id = "m", .text = "t"},
				  on_text, NULL);
	one();
	list_requests(a, &(struct list_query){.principal = "p", .top = 10}, on_page, NULL);
	one();
}

static void ask_of_applications(struct activation *a)
{
	const struct operate_ask operator= {.app = "app", .actor = "", .who = "o"};

	activation_status(a, "app", on_status, NULL);
	one();
	activation_lane(a, 1, on_lane, NULL);
	one();
	operate(a, OPERATE_RESTART, &operator, on_word, NULL);
	one();
	operate_guard(a, GUARD_KEEP, &operator, on_word, NULL);
	one();
	operate_cycle(a, &operator, on_word, NULL);
	one();
	operate_cycles(a, "app", on_cycles, NULL);
	one();
	operate_log(
		a,
		&(struct log_query){
			.app = "app", .before = "", .top = 10, .principal = "", .group = "", .result = ""},
		on_log, NULL);
	one();
	operate_provision(
		a, &(struct provision_ask){.app = "app", .actor = "", .group = GROUP, .principal = "p"},
		on_order, NULL);
	one();
}

static void ask_of_notices_and_audit(struct activation *a)
{
	notices_open(a, 1, on_notices, NULL);
	one();
	notices_take(a, &(struct notice_claim){.lane = 1, .target = "mail", .most = 10, .fingerprint = ""},
		     on_notices, NULL);
	one();
	notices_order(a, &(struct notice_order){.id = ID, .word = "send", .actor = ""}, on_word, NULL);
	one();
	notices_list(a, &(struct notice_query){1, 10}, on_deliveries, NULL);
	one();
	audit_read(a, &(struct audit_range){.lane = 1, .most = 10}, on_events, NULL);
	one();
	audit_oldest(a, &(struct audit_age){.lane = 1}, on_oldest, NULL);
	one();
}

static void read_orders(struct activation *a)
{
	for (size_t i = 0; i < redis.answers->count; i++) {
		struct order *order = order_read(a, redis.answers->items[i], 0);
		struct piece *piece = piece_read(a, redis.answers->items[i], 0);
		struct request request;

		if (order != NULL)
			drop_order(NULL, order);
		if (piece != NULL)
			drop_piece(NULL, piece);
		if (request_read(&request, redis.answers->items[i]))
			check_request(&request);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct activation_options options = {.terms = terms,
					     .application = application,
					     .reviewed = reviewed,
					     .allowed = allowed,
					     .eligible = eligible,
					     .steps = steps,
					     .notices = due,
					     .audit = due,
					     .piece = drop_piece,
					     .push = drop_order,
					     .ends = on_end};
	struct activation *activation;
	struct reply *reply;
	struct errctx ec;
	uv_loop_t loop;
	cJSON *json = NULL;

	if (json_parse((const char *)data, size, &json, &ec) != ERR_OK)
		return 0;
	reply = reply_make(json, 1);
	redis.answers = reply;
	REQUIRE(uv_loop_init(&loop) == 0);
	options.loop = &loop;
	activation = activation_new(&options);
	REQUIRE(activation != NULL);
	read_orders(activation);
	ask_of_requests(activation);
	ask_of_applications(activation);
	ask_of_notices_and_audit(activation);
	activation_free(activation);
	uv_run(&loop, UV_RUN_DEFAULT);
	uv_loop_close(&loop);
	reply_free(reply);
	cJSON_Delete(json);
	return 0;
}
