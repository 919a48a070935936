#include "tests/support/starved.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/support/starve.h"

#define ALLOCATIONS_MAX 5000 /* of one call; beyond, the test would never end */
#define ROUTE_SIZE      128

static const char *const volatile_redis[] = {"--appendonly", "no", NULL};

struct starved {
	struct world world; /* first: what cmocka hands around */
	char file[64];
};

struct world_options starved_options(void)
{
	struct world_options options = scene_defaults();

	options.program = "tests/starved/jit-broker";
	options.redis_volatile = true;
	options.redis_arguments = volatile_redis;
	options.application.pushes = 1000;
	options.application.per_ms = SECOND;
	options.application.push_timeout_ms = 3 * SECOND;
	return options;
}

int starved_open(void **state, const struct world_options *options)
{
	struct starved *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return -1;
	*state = &s->world;
	snprintf(s->file, sizeof(s->file), "/tmp/jit-starve-%d", (int)getpid());
	return starve_others(s->file) && world_start(&s->world, options) ? 0 : -1;
}

int starved_close(void **state)
{
	struct starved *s = *state;
	bool clean = world_stop(&s->world);

	unlink(s->file);
	free(s);
	return clean ? 0 : -1;
}

/* -- one call after the other ------------------------------------------------------------------------------- */

static bool is_refusal(int status)
{
	return status == 0 || status == 500 || status == 503;
}

static const char *name_of(const struct starved_sweep *sweep)
{
	return sweep->name != NULL ? sweep->name : sweep->route;
}

static void expect_well(const struct world *world, const struct starved_sweep *sweep, starved_step *step,
			long n)
{
	int status = step != NULL ? step(world, n) : 0;

	if (status != 0)
		fail_msg("%s: %s the call without allocation %ld: %d", name_of(sweep),
			 step == sweep->before ? "before" : "after", n, status);
}

/* False when the call has no n-th allocation. */
static bool without(const struct world *world, const struct starved_sweep *sweep, long n)
{
	long failed;
	int status;

	expect_well(world, sweep, sweep->before, n);
	starve_from(n, STARVE_ONE);
	status = sweep->call(world, n);
	failed = starve_end();
	if (status != sweep->wanted && (failed == 0 || (!is_refusal(status) && status != sweep->also)))
		fail_msg("%s: without allocation %ld: %d", name_of(sweep), n, status);
	expect_well(world, sweep, sweep->after, n);
	return failed > 0;
}

void starved_run(const struct world *world, const struct starved_sweep *sweep)
{
	long n = 1;

	while (without(world, sweep, n)) {
		n += sweep->each > 0 && n >= sweep->each_after ? sweep->each : 1;
		if (n > ALLOCATIONS_MAX)
			fail_msg("%s: there is no end", name_of(sweep));
	}
	print_message("%s: %ld allocations\n", name_of(sweep), n - 1);
	assert_true(n > 5);
	assert_true(broker_wait_ready(&world->brokers[0], SECOND));
}

/* Is it text of another kind than JSON, whose length says whether it is whole? */
static bool is_other_text(const struct http_response *response)
{
	char type[64];

	return http_header(response, "Content-Type", type, sizeof(type)) &&
	       (strstr(type, "json") == NULL || strstr(type, "jsonl") != NULL);
}

int starved_call(const struct world *world, size_t person, const struct http_request *request)
{
	struct http_request whole = *request;
	struct http_response response;
	int status;

	whole.bearer = world_token(world, person);
	broker_call(&world->brokers[0], &whole, &response);
	status = response.status;
	if (status == 200 && response.json == NULL && !is_other_text(&response))
		fail_msg("%s: %s", request->url, buf_text(&response.body));
	http_response_release(&response);
	return status;
}

/* -- the table of routes ------------------------------------------------------------------------------------ */

static void print_route(const struct route *route, char out[ROUTE_SIZE])
{
	snprintf(out, ROUTE_SIZE, "%s %s", route->method, route->path);
}

void starved_expect_routes(const struct starved_sweep *sweeps, size_t count,
			   bool (*concerned)(const struct route *route))
{
	size_t routes, known = 0;
	const struct route *all = routes_all(&routes);
	char text[ROUTE_SIZE];

	for (size_t r = 0; r < routes; r++) {
		size_t found = 0;

		print_route(&all[r], text);
		for (size_t i = 0; i < count; i++)
			found += strcmp(sweeps[i].route, text) == 0;
		if (found == 0 && concerned(&all[r]))
			fail_msg("%s is asked nowhere while memory runs out", text);
		known += found;
	}
	assert_int_equal(known, count);
}
