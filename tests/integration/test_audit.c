/*
 * The audit: who did what is there, as lines of JSON; a seal is made in time; whoever touches the trail in Redis behind the
 * brokers' back is found out; old events go and leave a trail that still holds.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <hiredis/hiredis.h>

#include "base/clock.h"
#include "tests/support/scene.h"
#include "tests/support/wait.h"

#define KEY "0123456789abcdef0123456789abcdef"

struct trail {
	struct world world;
	char key_file[64], more[512];
	unsigned lane; /* of the application */
};

static int open_with(void **state, const char *settings, size_t brokers)
{
	struct trail *t = calloc(1, sizeof(*t));
	struct world_options options = scene_defaults();
	FILE *file;

	assert_non_null(t);
	snprintf(t->key_file, sizeof(t->key_file), "/tmp/jit-audit-key-%d", (int)getpid());
	file = fopen(t->key_file, "w");
	assert_non_null(file);
	fputs(KEY "\n", file);
	fchmod(fileno(file), 0600);
	fclose(file);
	snprintf(t->more, sizeof(t->more),
		 "audit: {key: \"file:%s\", %s}\nauditors: {principals: [person2@example.com]}\n",
		 t->key_file, settings);
	options.more = t->more;
	options.application.pushes = 100;
	options.brokers = brokers;
	*state = &t->world;
	return world_start(&t->world, &options) ? 0 : -1;
}

static int open_world(void **state)
{
	return open_with(state, "seal: 100ms", 1);
}

static int open_quick(void **state)
{
	return open_with(state, "seal: 100ms, keep: 1s", 1);
}

static int close_world(void **state)
{
	struct trail *t = *state;

	unlink(t->key_file);
	return scene_close(state);
}

static struct trail *trail_of(void **state)
{
	return *state;
}

static void command(const struct trail *t, const char *text)
{
	redisReply *reply = redis_server_command(&t->world.redis, text);

	assert_non_null(reply);
	if (reply->type == REDIS_REPLY_ERROR)
		fail_msg("%s: %s", text, reply->str);
	freeReplyObject(reply);
}

static int64_t number(const struct trail *t, const char *format, const char *what)
{
	redisReply *reply = redis_server_command(&t->world.redis, format, t->lane, what);
	int64_t value;

	assert_non_null(reply);
	value = reply->type == REDIS_REPLY_INTEGER ? reply->integer
		: reply->str != NULL               ? atoll(reply->str)
						   : 0;
	freeReplyObject(reply);
	return value;
}

static int64_t head(const struct trail *t, const char *field)
{
	return number(t, "HGET {j%u}:audit:head %s", field);
}

static void get(const struct trail *t, const char *path, struct http_response *response)
{
	scene_get(&t->world, 2, path, response);
}

/* -- what is there ---------------------------------------------------------------------------------------------- */

static void asks(struct trail *t, size_t person, char id[ID_SIZE])
{
	scene_activate(&t->world, &(struct world_ask){.person = person, .duration = "PT1H"}, id);
	scene_wait(&t->world, &(struct world_ask){.person = person}, id, "provisioned");
	t->lane = (unsigned)id_lane(id);
}

/* Waits until a seal covers all but the seals themselves. */
static void wait_sealed(const struct trail *t)
{
	int64_t until = clock_mono_ms() + SCENE_PATIENCE, last = head(t, "n");

	while (head(t, "zt") < last && clock_mono_ms() < until)
		wait_a_little(5);
	assert_true(head(t, "zt") >= last);
}

static bool verified(const struct trail *t, struct http_response *response)
{
	get(t, "/api/audit/verify", response);
	assert_int_equal(response->status, 200);
	return strstr(buf_text(&response->body), "\"intact\":true,\"done\":true") != NULL;
}

static void expect_intact(const struct trail *t)
{
	struct http_response response;

	if (!verified(t, &response))
		fail_msg("%s", buf_text(&response.body));
	http_response_release(&response);
}

static void test_who_did_what(void **state)
{
	struct trail *t = trail_of(state);
	struct http_response response;
	char id[ID_SIZE], path[128], part[256];
	const char *body;

	asks(t, 1, id);
	wait_sealed(t);
	snprintf(path, sizeof(path), "/api/audit?request=%s", id);
	get(t, path, &response);
	assert_int_equal(response.status, 200);
	body = buf_text(&response.body);
	snprintf(part, sizeof(part),
		 "\"event\":\"push\",\"by\":\"%s\",\"actor\":{\"id\":\"%s\",\"userName\":\"person1@example."
		 "com\",\"how\":"
		 "\"token\",\"address\":\"127.0.0.1\",\"call\":\"",
		 world_person_id(&t->world, 1), world_person_id(&t->world, 1));
	assert_non_null(strstr(body, part));
	snprintf(part, sizeof(part),
		 "\"request\":\"%s\",\"from\":\"new\",\"to\":\"provisioning\",\"action\":\"selfActivate\"",
		 id);
	assert_non_null(strstr(body, part));
	assert_non_null(strstr(body, "\"event\":\"confirm\",\"by\":\"application\",\"request\""));
	assert_non_null(strstr(body, "\"userName\":\"person1@example.com\""));
	assert_non_null(strstr(body, "\"why\":\""));
	assert_null(strstr(body, "token-1"));
	http_response_release(&response);
	get(t, "/api/audit", &response);
	assert_non_null(strstr(buf_text(&response.body),
			       "\"event\":\"start\",\"by\":\"broker\",\"details\":{\"configuration\""));
	assert_non_null(strstr(buf_text(&response.body), "\"event\":\"seal\""));
	http_response_release(&response);
	expect_intact(t);
}

/* Page by page, each event once, until there is no more; then from the same position only what is new. */
static void test_positions(void **state)
{
	struct trail *t = trail_of(state);
	struct http_response response;
	char id[ID_SIZE], position[512] = "", path[640], more[16] = "true";
	size_t lines = 0, all = 0;

	for (size_t person = 3; person < 8; person++)
		scene_activate(&t->world, &(struct world_ask){.person = person, .duration = "PT1H"}, id);
	wait_sealed(t);
	while (strcmp(more, "true") == 0) {
		snprintf(path, sizeof(path), "/api/audit?limit=3%s%s", position[0] != '\0' ? "&after=" : "",
			 position);
		get(t, path, &response);
		assert_int_equal(response.status, 200);
		for (const char *at = buf_text(&response.body); (at = strchr(at, '\n')) != NULL; at++)
			lines++;
		assert_true(http_header(&response, "Audit-Position", position, sizeof(position)));
		assert_true(http_header(&response, "Audit-More", more, sizeof(more)));
		http_response_release(&response);
	}
	for (t->lane = 0; t->lane < 16; t->lane++)
		all += (size_t)head(t, "n");
	assert_int_equal(lines, all);
}

static void test_refused(void **state)
{
	static const char *const paths[] = {"/api/audit?limit=0",        "/api/audit?limit=1001",
					    "/api/audit?lane=16",        "/api/audit?lane=x",
					    "/api/audit?after=1,2",      "/api/audit?lane=0&after=-1",
					    "/api/audit?after=",         "/api/audit/verify?after=1.2.3",
					    "/api/audit/verify?lane=99", "/api/audit/verify?after=0.1..1.x"};
	struct http_response response;

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		get(trail_of(state), paths[i], &response);
		if (response.status != 400)
			fail_msg("%s: %d", paths[i], response.status);
		http_response_release(&response);
	}
}

/* -- who touches it is found ------------------------------------------------------------------------------------ */

/* Lua that works on the lane's trail: `k` is its key, `list` the events, put(list) writes them in place of what is
 * there, chain(list) computes numbers, links and the head anew, as who knows the library can. */
static const char tools[] =
	"local k = KEYS[1] local list = redis.call('XRANGE', k, '-', '+') "
	"local function put(l) redis.call('DEL', k) for _, e in ipairs(l) do redis.call('XADD', k, e[1], "
	"unpack(e[2])) end end "
	"local function find(name) for i, e in ipairs(list) do if e[2][2] == name then return i end end end "
	"local function chain(l) local h = '' for n, e in ipairs(l) do e[1] = n .. '-0' local parts = {h, "
	"tostring(n)} "
	"for i = 2, #e[2] - 2, 2 do parts[#parts + 1] = #e[2][i] .. ':' .. e[2][i] end "
	"h = redis.sha1hex(table.concat(parts, ' ')) e[2][#e[2]] = h end "
	"put(l) redis.call('HSET', k .. ':head', 'n', #l, 'h', h) end ";

static const struct {
	const char *what, *does, *found;
} tampers[] = {
	{"an event is deleted", "redis.call('XDEL', k, list[2][1])", "This event is missing"},
	{"the first event is deleted", "redis.call('XDEL', k, list[1][1])", "This event is missing"},
	{"the last events are cut off", "for i = #list - 2, #list do redis.call('XDEL', k, list[i][1]) end",
	 "The last events are missing"},
	{"the end is cut off, and the head set back",
	 "local l = {} for i = 1, #list - 2 do l[i] = list[i] end put(l) redis.call('HSET', k .. ':head', "
	 "'n', #l, 'h', "
	 "l[#l][2][#l[#l][2]])",
	 "missing"},
	{"a field is altered", "list[2][2][10] = 'somebody' put(list)", "is not as it was written"},
	{"two events change places", "list[2][2], list[3][2] = list[3][2], list[2][2] put(list)",
	 "is not as it was written"},
	{"an event is inserted",
	 "table.insert(list, 3, {'0-0', {unpack(list[2][2])}}) for i, e in ipairs(list) do e[1] = i .. '-0' "
	 "end put(list)",
	 "is not as it was written"},
	{"another kind of entry is inserted",
	 "redis.call('XADD', k, list[#list][1]:gsub('-0', '-1'), 'a', 'b')", "Something that is no event"},
	{"a field is altered and all links are made anew", "list[2][2][10] = 'somebody' chain(list)",
	 "not those that were sealed"},
	{"an event is removed and all links are made anew", "table.remove(list, 2) chain(list)", "seal"},
	{"an event is inserted and all links are made anew",
	 "table.insert(list, 2, {'0-0', {unpack(list[2][2])}}) chain(list)", "seal"},
	{"a seal is altered",
	 "local i = find('seal') local d = list[i][2][30] list[i][2][30] = d:gsub('\"mac\":\"....', "
	 "'\"mac\":\"0000') chain(list)",
	 "This seal is not genuine"},
	{"all seals are taken out and the rest is linked anew",
	 "local l = {} for _, e in ipairs(list) do if e[2][2] ~= 'seal' then l[#l + 1] = e end end chain(l)",
	 "missing"},
	{"a seal of nothing", "list[1][2][2] = 'seal' chain(list)", "This is no seal"},
	{"a false note of what was forgotten",
	 "redis.call('HSET', k .. ':anchor', 'n', 2, 'h', list[2][2][#list[2][2]], 'd', '', 'k', '', 'm', "
	 "'') "
	 "redis.call('XDEL', k, '1-0', '2-0')",
	 "not genuine"},
	{"everything is deleted", "redis.call('DEL', k)", "missing"},
	{"everything and the head is deleted", "redis.call('DEL', k, k .. ':head')", "missing"},
};

static void tamper(const struct trail *t, const char *does)
{
	char script[4096], key[32];
	redisReply *reply;

	snprintf(script, sizeof(script), "%s%s", tools, does);
	snprintf(key, sizeof(key), "{j%u}:audit", t->lane);
	reply = redis_server_command(&t->world.redis, "EVAL %s 1 %s", script, key);
	assert_non_null(reply);
	if (reply->type == REDIS_REPLY_ERROR)
		fail_msg("%s: %s", does, reply->str);
	freeReplyObject(reply);
}

/* Keeps the trail as it is now, and puts it back. */
static void keep(const struct trail *t, const char *from, const char *to)
{
	static const char *const parts[] = {"audit", "audit:head", "audit:seals", "audit:anchor"};
	char text[160];

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		snprintf(text, sizeof(text), "DEL {j%u}:%s%s", t->lane, to, parts[i]);
		command(t, text);
		snprintf(text, sizeof(text), "COPY {j%u}:%s%s {j%u}:%s%s", t->lane, from, parts[i], t->lane,
			 to, parts[i]);
		command(t, text);
	}
}

static void test_tampering(void **state)
{
	struct trail *t = trail_of(state);
	struct http_response response;
	char id[ID_SIZE];

	asks(t, 8, id);
	wait_sealed(t);
	asks(t, 9, id);
	wait_sealed(t);
	expect_intact(t);
	keep(t, "", "kept:");
	for (size_t i = 0; i < sizeof(tampers) / sizeof(tampers[0]); i++) {
		tamper(t, tampers[i].does);
		if (verified(t, &response))
			fail_msg("%s: not found", tampers[i].what);
		if (strstr(buf_text(&response.body), tampers[i].found) == NULL)
			fail_msg("%s: %s", tampers[i].what, buf_text(&response.body));
		http_response_release(&response);
		keep(t, "kept:", "");
		expect_intact(t);
	}
}

/* A trail that is broken stands in nobody's way: access is still given and taken. */
static void test_goes_on(void **state)
{
	struct trail *t = trail_of(state);
	struct http_response response;
	char id[ID_SIZE];

	asks(t, 10, id);
	tamper(t, "redis.call('XDEL', k, list[#list][1]) redis.call('HSET', k .. ':head', 'n', 1, 'h', 'x')");
	world_deactivate(&t->world, &(struct world_ask){.person = 10}, &response);
	assert_int_equal(response.status, 201);
	http_response_release(&response);
	assert_true(world_wait_member(&t->world, 10, 0, false, SCENE_PATIENCE));
	assert_false(verified(t, &response));
	http_response_release(&response);
	world_passed(&t->world);
}

/* Nor does one that cannot be read: it is put away and told. */
static void unreadable(struct trail *t, const char *key, bool intact)
{
	struct http_response response;
	char id[ID_SIZE], does[96];

	asks(t, 11, id);
	wait_sealed(t);
	snprintf(does, sizeof(does), "redis.call('DEL', k .. '%s') redis.call('LPUSH', k .. '%s', 'x')", key,
		 key);
	tamper(t, does);
	assert_true(proc_wait_text(&t->world.brokers[0].proc, "event=set_aside", SCENE_PATIENCE, NULL, 0));
	world_deactivate(&t->world, &(struct world_ask){.person = 11}, &response);
	assert_int_equal(response.status, 201);
	http_response_release(&response);
	assert_true(world_wait_member(&t->world, 11, 0, false, SCENE_PATIENCE));
	assert_int_equal(verified(t, &response), intact);
	http_response_release(&response);
	world_passed(&t->world);
}

static void test_unreadable(void **state)
{
	unreadable(trail_of(state), "", false);
}

/* Where it stands the events say, too. */
static void test_unreadable_head(void **state)
{
	unreadable(trail_of(state), ":head", true);
}

/* -- old events ------------------------------------------------------------------------------------------------- */

static void test_forgotten(void **state)
{
	struct trail *t = trail_of(state);
	struct http_response response;
	int64_t until;
	char id[ID_SIZE];

	asks(t, 1, id);
	asks(t, 3, id);
	until = clock_mono_ms() + SCENE_PATIENCE;
	while (number(t, "HGET {j%u}:audit:anchor %s", "n") < 4 && clock_mono_ms() < until)
		wait_a_little(5);
	assert_true(number(t, "HGET {j%u}:audit:anchor %s", "n") >= 4);
	expect_intact(t);
	asks(t, 4, id);
	wait_sealed(t);
	expect_intact(t);
	get(t, "/api/audit", &response);
	assert_non_null(strstr(buf_text(&response.body), "person4@example.com"));
	http_response_release(&response);
	/* Nobody but a broker can have more forgotten. */
	tamper(t, "redis.call('HINCRBY', k .. ':anchor', 'n', -1)");
	assert_false(verified(t, &response));
	assert_non_null(strstr(buf_text(&response.body), "not genuine"));
	http_response_release(&response);
	world_passed(&t->world);
}

int main(void)
{
	const struct CMUnitTest one[] = {
		cmocka_unit_test(test_who_did_what), cmocka_unit_test(test_positions),
		cmocka_unit_test(test_refused),      cmocka_unit_test(test_tampering),
		cmocka_unit_test(test_goes_on),
	};
	const struct CMUnitTest quick[] = {cmocka_unit_test(test_forgotten)};
	const struct CMUnitTest own[] = {
		cmocka_unit_test_setup_teardown(test_unreadable, open_world, close_world),
		cmocka_unit_test_setup_teardown(test_unreadable_head, open_world, close_world),
	};
	int failed = cmocka_run_group_tests(one, open_world, close_world);

	failed += cmocka_run_group_tests(own, NULL, NULL);
	return failed + cmocka_run_group_tests(quick, open_quick, close_world);
}
