/* A store on a loop of its own, with a small function library, for the tests of the store. Asserts by cmocka. */
#ifndef TESTS_SUPPORT_STORE_FIXTURE_H
#define TESTS_SUPPORT_STORE_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uv.h>

#include "store/store.h"

#define FIXTURE_LIBRARY_SIZE 2048
#define FIXTURE_WAIT_MS      20000 /* a test that waits longer has failed */

/* What on_ready and the loop told. */
struct store_fixture {
	uv_loop_t loop;
	uv_timer_t guard;
	struct store *store;
	bool has_loop;
	bool is_late;       /* the guard fired */
	size_t times_ready; /* on_ready(true) */
	size_t times_lost;  /* on_ready(false) */
	char why[256];      /* the last reason */
	char library[FIXTURE_LIBRARY_SIZE];
};

/* One call and what came of it. */
struct outcome {
	size_t times; /* `done` ran: 1 in the end */
	enum err err;
	int64_t integer;
	size_t len;
	char text[64]; /* of a text reply, cut */
	size_t *all;   /* counted up as well, unless NULL */
	size_t order;  /* its place among those that share `all` */
};

/*
 * The library of the tests: t_echo (first argument back), t_incr (counts the key's counter, returns it), t_busy
 * (loops so many thousand times), t_fail (error reply), t_nested ({1,{2,{3,{}}}}), t_big (text of so many bytes),
 * t_pair (difference of two counters that it counts up), t_note and t_noted (keeps a text; is it kept?), t_version_N,
 * and jit_version, which answers `version`.
 */
void fixture_library(char *text, size_t size, int version);

/* Options for `url` with the library of version 7, 16 lanes, 2 s, a queue of 50000. */
struct store_options fixture_options(struct store_fixture *f, const char *url);

/* Makes the loop, for tests that need it before the store; fixture_open() does it otherwise. */
void fixture_prepare(struct store_fixture *f);

/* Makes the store on the loop that is there. False, with the reason in `why`, when it cannot. */
bool fixture_try(struct store_fixture *f, struct store_options *options);

/* Makes loop and store. The options' on_ready and ctx are set here. */
void fixture_open(struct store_fixture *f, struct store_options *options);
void fixture_close(struct store_fixture *f); /* asserts that nothing is left on the loop */

/* Runs the loop until *counter has reached `wanted`; fails the test after FIXTURE_WAIT_MS. */
void fixture_wait(struct store_fixture *f, const size_t *counter, size_t wanted);

/* The same until `ms` have passed on the loop. */
void fixture_run_for(struct store_fixture *f, int64_t ms);

/* Sends a call with at most one argument (NULL for none); `outcome` must live until it is done. */
void fixture_send(struct store_fixture *f, const char *function, const char *arg, struct outcome *outcome);

/* The same in a lane of one's choice; fixture_send() takes lane 3. */
void fixture_send_in(struct store_fixture *f, unsigned lane, const char *function, const char *arg,
		     struct outcome *outcome);

/* Sends and waits. */
struct outcome fixture_ask(struct store_fixture *f, const char *function, const char *arg);

#endif
