/*
 * The benchmark: the broker's figures, each beside a floor that was measured in the same run, because machines
 * differ and drift. Everything runs on loopback and ends by itself. Not a test: no row fails.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/digest.h"
#include "store/setup.h"
#include "tests/bench/bench.h"
#include "tests/bench/load.h"
#include "tests/support/sandbox_log.h"
#include "tests/support/wait.h"
#include "tests/support/world.h"

#define PEOPLE   100 /* few: each has a static token, and who has one is looked for among all of them */
#define GROUPS   50
#define MESSAGES ((size_t)PEOPLE * GROUPS)
#define ROUNDS   5 /* what else the machine does changes the rates of a single one */
#define SAMPLES  100

/* -- acknowledged activations ------------------------------------------------------------------------------ */

/*
 * Every message is of another person or for another group: none is a repetition. Everybody asks for equally many, fewer than
 * the broker allows one caller.
 */
static void write_activation(void *ctx, size_t index, struct buf *out)
{
	const struct world *world = ctx;
	char body[256];

	snprintf(body, sizeof(body),
		 "{\"action\":\"selfActivate\",\"accessId\":\"member\",\"groupId\":\"%s\",\"justification\":"
		 "\"bench\","
		 "\"scheduleInfo\":{\"expiration\":{\"type\":\"afterDuration\",\"duration\":\"PT1H\"}}}",
		 world_group_id(world, index / PEOPLE));
	buf_addf(out,
		 "POST " PIM
		 "assignmentScheduleRequests HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %s\r\n"
		 "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
		 world_token(world, index % PEOPLE), strlen(body), body);
}

static void add_argument(struct buf *out, const char *text)
{
	buf_addf(out, "$%zu\r\n%s\r\n", strlen(text), text);
}

/* The call that the broker makes for such a message, straight to Redis. */
static void write_call(void *ctx, size_t index, struct buf *out)
{
	const struct world *world = ctx;
	const char *group = world_group_id(world, index / PEOPLE),
		   *person = world_person_id(world, index % PEOPLE);
	char names[512], id[ID_SIZE], push[ID_SIZE];
	const char *arguments[] = {
		"FCALL",
		"jit_submit",
		"1",
		"{j0}:",
		"0",
		"2592000000",
		"app 5 10000 3 0 2400000 0 100 30000 32000",
		id,
		push,
		names,
		world_group_name(world, index / PEOPLE),
		"0",
		"h",
		"0123456789abcdef0123456789abcdef",
		"ap",
		"app",
		"g",
		group,
		"p",
		person,
		"by",
		person,
		"ac",
		"selfActivate",
		"j",
		"bench",
		"d",
		"3600000",
	};

	id_make(0, id);
	id_make(0, push);
	snprintf(names, sizeof(names),
		 "{\"userName\":\"%s\",\"displayName\":\"%s\",\"givenName\":\"Given\",\"familyName\":"
		 "\"Family\","
		 "\"email\":\"%s\"}",
		 world_user_name(world, index % PEOPLE), world_user_name(world, index % PEOPLE),
		 world_user_name(world, index % PEOPLE));
	buf_addf(out, "*%zu\r\n", sizeof(arguments) / sizeof(arguments[0]));
	for (size_t i = 0; i < sizeof(arguments) / sizeof(arguments[0]); i++)
		add_argument(out, arguments[i]);
}

/* Brokers that run would not go on with data that is lost; this is theirs. */
static bool empty(const struct world *world)
{
	return redis_server_do(&world->redis, "EVAL %s 1 " SETUP_STORE_KEY,
			       "local s = redis.call('GET', KEYS[1]); redis.call('FLUSHALL'); "
			       "return redis.call('SET', KEYS[1], s)",
			       0u);
}

struct round {
	struct load_result broker, direct;
	double ratio;
};

static double rate(const struct load_result *result)
{
	return (double)result->good * 1e6 / (double)result->took_us;
}

static bool measure_round(struct world *world, size_t connections, struct round *round)
{
	struct load broker = {.connections = connections,
			      .messages = MESSAGES / (connections == 1 ? 4 : 1),
			      .write = write_activation,
			      .complete = load_http_complete,
			      .ctx = world};
	struct load direct = {.socket_path = world->redis.socket_path,
			      .connections = connections,
			      .messages = broker.messages,
			      .write = write_call,
			      .complete = load_resp_complete,
			      .ctx = world};

	broker.port = (int)strtol(strrchr(world->brokers[0].root, ':') + 1, NULL, 10);
	if (!empty(world) || !load_run(&direct, &round->direct) || !empty(world) ||
	    !load_run(&broker, &round->broker))
		return false;
	round->ratio = rate(&round->broker) / rate(&round->direct);
	return true;
}

static int compare_rounds(const void *a, const void *b)
{
	double x = ((const struct round *)a)->ratio, y = ((const struct round *)b)->ratio;

	return x < y ? -1 : x > y;
}

/* The round whose ratio is in the middle. */
static bool measure_acknowledged(struct world *world, size_t connections)
{
	struct round rounds[ROUNDS];
	size_t bad = 0;

	for (size_t i = 0; i < ROUNDS; i++) {
		if (!measure_round(world, connections, &rounds[i]))
			return false;
		bad += rounds[i].broker.bad + rounds[i].direct.bad;
	}
	qsort(rounds, ROUNDS, sizeof(rounds[0]), compare_rounds);
	const struct round *middle = &rounds[ROUNDS / 2];
	printf("| acknowledged activations, %2zu connections | %.0f/s (p50 %.2f ms, p99 %.2f ms) | %.0f/s "
	       "the "
	       "same function called directly | %.0f %% (%.0f to %.0f %% in %d rounds) |\n",
	       connections, rate(&middle->broker), (double)middle->broker.p50_us / 1000,
	       (double)middle->broker.p99_us / 1000, rate(&middle->direct), 100 * middle->ratio,
	       100 * rounds[0].ratio, 100 * rounds[ROUNDS - 1].ratio, ROUNDS);
	if (bad > 0)
		printf("  (%zu calls were refused)\n", bad);
	return true;
}

static bool bench_acknowledged(void)
{
	struct world_options options = world_defaults();
	struct world world = {0};
	const size_t connections[] = {1, 16, 64};
	bool done;

	options.plain_sandbox = true; /* the figures are the broker's */
	options.people = PEOPLE;
	options.groups = GROUPS;
	options.group.max_ms = 8LL * 3600 * 1000;
	done = world_start(&world, &options);
	for (size_t i = 0; done && i < sizeof(connections) / sizeof(connections[0]); i++)
		done = measure_acknowledged(&world, connections[i]);
	if (done)
		world_passed(&world);
	world_stop(&world);
	return done;
}

/* -- from asking to the application ------------------------------------------------------------------------ */

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static void print_times(const char *what, double *ms, size_t count, const char *floor, double floor_ms)
{
	qsort(ms, count, sizeof(*ms), compare);
	printf("| %s | p50 %.1f ms, p99 %.1f ms | %s %.2f ms | %.1f ms beyond |\n", what, ms[count / 2],
	       ms[count * 99 / 100], floor, floor_ms, ms[count / 2] - floor_ms);
}

/* The bare round trip to the application, over a new connection each time as a push's first request has it. */
static double round_trip_ms(const struct world *world)
{
	double ms[SAMPLES];

	for (size_t i = 0; i < SAMPLES; i++) {
		struct http_response response;
		int64_t before = clock_mono_ms();

		sandbox_scim(&world->sandbox, "GET", "/ServiceProviderConfig", NULL, &response);
		ms[i] = (double)(clock_mono_ms() - before);
		http_response_release(&response);
	}
	qsort(ms, SAMPLES, sizeof(*ms), compare);
	return ms[SAMPLES / 2];
}

/* When the last PATCH arrived, Unix ms; 0 when there are not `count` yet. */
static int64_t patch_received_ms(const struct world *world, size_t count)
{
	struct sandbox_log log;
	int64_t received = 0;
	size_t seen = 0;

	if (!sandbox_log_read(world->sandbox.requests_path, &log))
		return 0;
	for (size_t i = 0; i < log.count && seen < count; i++)
		if (sandbox_entry_is_push(&log.entries[i]) && ++seen == count)
			received = log.entries[i].received_ms;
	sandbox_log_release(&log);
	return received;
}

struct awaited {
	const struct world *world;
	size_t count;
	int64_t received_ms;
};

static bool patch_is_there(void *ctx)
{
	struct awaited *awaited = ctx;

	awaited->received_ms = patch_received_ms(awaited->world, awaited->count);
	return awaited->received_ms > 0;
}

static bool measure_push(struct world *world, size_t person, size_t count, bool activate, double *ms)
{
	struct world_ask ask = {.person = person, .duration = "PT1H"};
	struct awaited awaited = {.world = world, .count = count};
	struct http_response response;
	int64_t before = clock_wall_ms();
	bool good;

	if (activate)
		world_activate(world, &ask, &response);
	else
		world_deactivate(world, &ask, &response);
	good = response.status == 201;
	http_response_release(&response);
	if (!good || !wait_until(patch_is_there, &awaited, 5000) ||
	    !world_wait_member(world, person, 0, activate, 5000))
		return false;
	*ms = (double)(awaited.received_ms - before);
	return true;
}

static bool bench_latency(void)
{
	struct world_options options = world_defaults();
	struct world world = {0};
	double first[SAMPLES], removal[SAMPLES], again[SAMPLES], floor_ms;
	size_t pushes = 0;
	bool done;

	options.plain_sandbox = true; /* the figures are the broker's */
	options.people = SAMPLES;
	options.application.pushes = 1000;
	options.application.per_ms = 1000;
	done = world_start(&world, &options);
	for (size_t i = 0; done && i < SAMPLES; i++)
		done = measure_push(&world, i, ++pushes, true, &first[i]) &&
		       measure_push(&world, i, ++pushes, false, &removal[i]) &&
		       measure_push(&world, i, ++pushes, true, &again[i]);
	if (done) {
		floor_ms = round_trip_ms(&world);
		print_times("activation -> membership PATCH arrives, user unknown (looked up, created)",
			    first, SAMPLES, "bare HTTP round trip", floor_ms);
		print_times("activation -> membership PATCH arrives, user known", again, SAMPLES,
			    "bare HTTP round trip", floor_ms);
		print_times("deactivation -> removal PATCH arrives", removal, SAMPLES, "bare HTTP round trip",
			    floor_ms);
		world_passed(&world);
	}
	world_stop(&world);
	return done;
}

/* -- never a sixth ------------------------------------------------------------------------------------------ */

static bool bench_bucket(void)
{
	struct world_options options = world_defaults();
	struct world world = {0};
	struct sandbox_log log;
	int64_t until;
	size_t asked = 0;
	bool done;

	options.plain_sandbox = true; /* the figures are the broker's */
	options.people = 100;
	options.brokers = 2;
	options.application.cycle_ms = 7000;
	done = world_start(&world, &options);
	until = clock_mono_ms() + 25000;
	while (done && clock_mono_ms() < until) {
		struct world_ask ask = {.broker = asked % 2,
					.person = asked / 2 % 100,
					.group = asked % 2,
					.duration = "PT5M"};
		struct http_response response;

		if (asked / 200 % 2 == 0)
			world_activate(&world, &ask, &response);
		else
			world_deactivate(&world, &ask, &response);
		http_response_release(&response);
		asked++;
	}
	if (done && sandbox_log_read(world.sandbox.requests_path, &log)) {
		printf("| most pushes in any 10 s, as the application saw them | %zu | limit 5 | two "
		       "brokers, 25 s, %zu calls, "
		       "%zu pushes |\n",
		       sandbox_log_max_pushes(&log, 10000), asked,
		       sandbox_log_count(&log, "PATCH", "/scim/v2/Groups"));
		sandbox_log_release(&log);
		world_passed(&world);
	}
	world_stop(&world);
	return done;
}

static const struct {
	const char *name;
	bool (*measure)(void);
} parts[] = {{"acknowledged", bench_acknowledged},
	     {"latency", bench_latency},
	     {"bucket", bench_bucket},
	     {"live", bench_live},
	     {"idle", bench_idle}};

static bool is_named(const char *part, int count, char **names)
{
	for (int i = 0; i < count; i++)
		if (strcmp(names[i], part) == 0)
			return true;
	return false;
}

/* Those parts that the arguments name, or all. */
int main(int argc, char **argv)
{
	bool done = true;

	printf("| what | broker | floor | ratio |\n| --- | --- | --- | --- |\n");
	for (size_t i = 0; done && i < sizeof(parts) / sizeof(parts[0]); i++)
		if (argc == 1 || is_named(parts[i].name, argc - 1, argv + 1))
			done = parts[i].measure();
	return done ? 0 : 1;
}
