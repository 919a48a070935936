/*
 * The expiry escrow of a running broker: an addition is in it before it is sent, other ends and removals follow, a broker
 * that cannot write it adds nobody, or warns, as it is told, and goes on once it can.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/support/scene.h"
#include "tests/support/vault.h"
#include "tests/support/wait.h"

struct test {
	struct world world;
	struct vault vault;
	char more[4 * PROC_PATH_SIZE];
};

static int make_test(void **state)
{
	*state = calloc(1, sizeof(struct test));
	return *state != NULL ? 0 : -1;
}

static int end_test(void **state)
{
	struct test *t = *state;
	bool clean = world_stop(&t->world);

	vault_remove(&t->vault);
	free(t);
	return clean ? 0 : -1;
}

static void start(struct test *t, const char *more, struct world_options options)
{
	vault_make(&t->vault, more);
	options.more = t->vault.config;
	assert_true(world_start(&t->world, &options));
}

static void find(const struct test *t, size_t person, struct vault_entry *entry)
{
	vault_find(t->vault.path, world_person_id(&t->world, person), world_group_id(&t->world, 0), entry);
}

static void wait_kind(const struct test *t, size_t person, enum escrow_kind kind)
{
	assert_true(vault_wait(t->vault.path, world_person_id(&t->world, person),
			       world_group_id(&t->world, 0), kind));
}

static bool is_hung(void *ctx)
{
	return sandbox_hung(ctx) == 1;
}

/* While the PATCH is held, and nobody has answered anything yet, all that a removal needs is on the disk. */
static void an_addition_is_written_before_it_is_sent(void **state)
{
	struct test *t = *state;
	struct world_ask ask = {.duration = "PT1H", .person = 1};
	struct vault_entry entry;
	char id[ID_SIZE];
	int64_t now = clock_wall_ms();

	start(t, NULL, scene_defaults());
	assert_true(sandbox_add_fault(&t->world.sandbox, "PATCH /Groups once -> hang"));
	scene_activate(&t->world, &ask, id);
	assert_true(wait_until(is_hung, &t->world.sandbox, SCENE_PATIENCE));
	find(t, 1, &entry);
	assert_true(entry.found);
	assert_int_equal(entry.kind, ESCROW_ADD);
	assert_in_range(entry.end_ms, now + 3600 * SECOND, now + 3630 * SECOND);
	assert_string_equal(entry.group_name, world_group_name(&t->world, 0));
	assert_string_equal(entry.user_name, world_user_name(&t->world, 1));
	assert_string_not_equal(entry.group_id, "");
	assert_string_not_equal(entry.user_id, "");
	assert_string_equal(entry.assignment, id);
	broker_kill9(&t->world.brokers[0]);
	find(t, 1, &entry);
	assert_true(entry.found);
	sandbox_release_hung(&t->world.sandbox);
	world_passed(&t->world);
}

struct later {
	const struct test *t;
	int64_t than_ms;
};

static bool ends_later(void *ctx)
{
	const struct later *later = ctx;
	struct vault_entry entry;

	find(later->t, 0, &entry);
	return entry.end_ms > later->than_ms;
}

/* An extension is noted, what is given back ends now, and a removal that is confirmed is over. */
static void what_comes_later_is_written(void **state)
{
	struct test *t = *state;
	struct world_ask ask = {.duration = "PT1H"};
	struct http_response response;
	struct vault_entry first, second;
	char id[ID_SIZE], more[ID_SIZE];

	start(t, NULL, scene_defaults());
	scene_activate(&t->world, &ask, id);
	scene_wait(&t->world, &ask, id, "provisioned");
	find(t, 0, &first);
	ask.duration = "PT2H";
	scene_activate(&t->world, &ask, more);
	struct later later = {t, first.end_ms};
	assert_true(wait_until(ends_later, &later, SCENE_PATIENCE));
	find(t, 0, &second);
	assert_in_range(second.end_ms, first.end_ms + 3500 * SECOND, first.end_ms + 3700 * SECOND);
	assert_string_equal(second.user_id, first.user_id);
	world_deactivate(&t->world, &ask, &response);
	http_response_release(&response);
	wait_kind(t, 0, ESCROW_GONE);
	assert_true(world_wait_member(&t->world, 0, 0, false, 0));
	world_passed(&t->world);
}

/* The application has refused it: there is nothing to remove. */
static void what_was_not_added_is_not_removed(void **state)
{
	struct test *t = *state;
	struct world_ask ask = {.duration = "PT1H"};
	char id[ID_SIZE];

	start(t, NULL, scene_defaults());
	assert_true(sandbox_add_fault(&t->world.sandbox, "PATCH /Groups always -> status 403"));
	scene_activate(&t->world, &ask, id);
	wait_kind(t, 0, ESCROW_GONE);
	world_passed(&t->world);
}

struct seen {
	struct test *t;
	const char *text;
	bool there;
};

/* What /readyz or /metrics says. */
static bool is_said(struct test *t, const char *path, const char *text)
{
	struct http_response response;
	bool said;

	broker_call(&t->world.brokers[0], &(struct http_request){.method = "GET", .url = path}, &response);
	said = strstr(buf_text(&response.body), text) != NULL;
	http_response_release(&response);
	return said;
}

static bool looks_so(void *ctx)
{
	const struct seen *seen = ctx;

	return is_said(seen->t, "/readyz", seen->text) == seen->there;
}

static void wait_ready(struct test *t, const char *text, bool there)
{
	struct seen seen = {t, text, there};

	assert_true(wait_until(looks_so, &seen, SCENE_PATIENCE));
}

/* What the request says went wrong last. */
static bool is_unsaved(void *ctx)
{
	struct test *t = ctx;
	struct http_response response;
	struct world_ask ask = {0};
	bool said;

	world_get_request(&t->world, &ask, t->more, &response);
	said = strstr(buf_text(&response.body), "the escrow of removals cannot be written") != NULL;
	http_response_release(&response);
	return said;
}

/* Something else is where the folder should be. */
static void replace_folder(const struct test *t)
{
	int fd;

	assert_int_equal(rmdir(t->vault.path), 0);
	fd = creat(t->vault.path, 0600);
	assert_true(fd >= 0);
	close(fd);
}

/* Nobody is added until it is there; then they are, without being asked. */
static void without_it_nobody_is_added(void **state)
{
	struct test *t = *state;
	struct world_ask ask = {.duration = "PT1H"};
	struct scene_changes changes;

	vault_make(&t->vault, NULL);
	replace_folder(t);
	struct world_options options = scene_defaults();
	options.more = t->vault.config;
	options.application.overflow_wait_ms = 60 * SECOND;
	assert_true(world_start(&t->world, &options));
	wait_ready(t, "The escrow:", true);
	assert_true(is_said(t, "/metrics", "jit_escrow_ok 0"));
	scene_activate(&t->world, &ask, t->more);
	assert_true(wait_until(is_unsaved, t, SCENE_PATIENCE));
	scene_changes(&t->world, &changes);
	assert_int_equal(changes.adds, 0);
	assert_int_equal(unlink(t->vault.path), 0);
	assert_int_equal(mkdir(t->vault.path, 0700), 0);
	assert_true(world_wait_member(&t->world, 0, 0, true, SCENE_PATIENCE));
	wait_kind(t, 0, ESCROW_ADD);
	wait_ready(t, "The escrow:", false);
	assert_true(is_said(t, "/metrics", "jit_escrow_ok 1"));
	world_passed(&t->world);
}

/* Whoever has to leave does, though it cannot be written down. */
static void without_it_removals_go_on(void **state)
{
	struct test *t = *state;
	struct world_ask ask = {.duration = "PT1H"};
	struct http_response response;
	char id[ID_SIZE], path[PROC_PATH_SIZE];

	start(t, NULL, scene_defaults());
	scene_activate(&t->world, &ask, id);
	scene_wait(&t->world, &ask, id, "provisioned");
	assert_true(vault_file(t->vault.path, path));
	assert_int_equal(unlink(path), 0);
	memcpy(strrchr(path, '.'), ".lock", sizeof(".lock"));
	assert_int_equal(unlink(path), 0);
	replace_folder(t);
	world_deactivate(&t->world, &ask, &response);
	http_response_release(&response);
	assert_true(world_wait_member(&t->world, 0, 0, false, SCENE_PATIENCE));
	wait_ready(t, "The escrow:", true);
	world_passed(&t->world);
}

/* A disk that is full, where that is no reason to add nobody: it is told, and written once there is room. */
static void a_full_disk_is_told(void **state)
{
	struct test *t = *state;
	struct world_ask ask = {.duration = "PT1H"};
	char path[PROC_PATH_SIZE], block[4096] = {0};
	int fd;

	vault_make(&t->vault, "  required: false\n");
	if (mount("none", t->vault.path, "tmpfs", 0, "size=32k") != 0) {
		fprintf(stderr, "not root, so no small disk: %s\n", strerror(errno));
		return;
	}
	struct world_options options = scene_defaults();
	options.more = t->vault.config;
	options.application.pushes = 40;
	options.people = 30;
	assert_true(world_start(&t->world, &options));
	wait_ready(t, "The escrow:", false);
	snprintf(path, sizeof(path), "%s/ballast", t->vault.path);
	fd = open(path, O_WRONLY | O_CREAT, 0600);
	while (write(fd, block, sizeof(block)) > 0)
		;
	close(fd);
	/* The page that the manifest has takes a few. */
	for (ask.person = 0; ask.person < 30; ask.person++)
		world_activate_ok(&t->world, &ask, t->more);
	wait_ready(t, "No space left on device", true);
	assert_true(world_wait_member(&t->world, 0, 0, true, SCENE_PATIENCE));
	assert_int_equal(unlink(path), 0);
	for (size_t person = 0; person < 30; person++)
		wait_kind(t, person, ESCROW_ADD);
	wait_ready(t, "The escrow:", false);
	world_passed(&t->world);
	assert_true(broker_stop(&t->world.brokers[0]));
	assert_int_equal(umount(t->vault.path), 0);
}

/* One of two folders is away: the other one is enough, and the first has all of it when it is back. */
static void one_of_two_is_enough(void **state)
{
	struct test *t = *state;
	struct world_ask ask = {.duration = "PT1H"};
	struct vault_entry entry;
	char id[ID_SIZE];

	vault_make(&t->vault, NULL);
	snprintf(t->more, sizeof(t->more), "%s  second_path: %s\n", t->vault.config, t->vault.second);
	assert_int_equal(rmdir(t->vault.path), 0);
	struct world_options options = scene_defaults();
	options.more = t->more;
	assert_true(world_start(&t->world, &options));
	wait_ready(t, "The escrow:", true);
	scene_activate(&t->world, &ask, id);
	assert_true(world_wait_member(&t->world, 0, 0, true, SCENE_PATIENCE));
	vault_find(t->vault.second, world_person_id(&t->world, 0), world_group_id(&t->world, 0), &entry);
	assert_true(entry.found);
	assert_int_equal(mkdir(t->vault.path, 0700), 0);
	ask.person = 1;
	scene_activate(&t->world, &ask, id);
	wait_kind(t, 1, ESCROW_ADD);
	wait_kind(t, 0, ESCROW_ADD);
	world_passed(&t->world);
}

#define ROW(test) cmocka_unit_test_setup_teardown(test, make_test, end_test)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROW(an_addition_is_written_before_it_is_sent),
		ROW(what_comes_later_is_written),
		ROW(what_was_not_added_is_not_removed),
		ROW(without_it_nobody_is_added),
		ROW(without_it_removals_go_on),
		ROW(a_full_disk_is_told),
		ROW(one_of_two_is_enough),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
