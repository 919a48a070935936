/* Tokens that wait for their provider's keys: until when, how many, and what ends it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/signin_scene.h"

/* Tokens that come before the keys do are answered when these arrive, each by its own issuer's. */
static void test_waiting_for_the_first_keys(void **state)
{
	struct signin_scene *s = *state;
	struct buf one = signin_scene_token(ONE, "k", s->first, 3600),
		   two = signin_scene_token(TWO, "k", s->second, 3600);

	s->peers[0].is_silent = s->peers[1].is_silent = true;
	signin_verify(s->signin, buf_text(&one), signin_scene_done, &s->said);
	signin_verify(s->signin, buf_text(&two), signin_scene_done, &s->said);
	assert_int_equal(s->said.times, 0);
	assert_int_equal(signin_waiting(s->signin), 2);
	buf_release(&one); /* not needed any more */
	buf_release(&two);
	signin_scene_answer(&s->peers[1]);
	assert_int_equal(s->said.times, 0);
	signin_scene_answer(&s->peers[1]);
	assert_int_equal(s->said.times, 1);
	assert_string_equal(s->said.groups, "r;");
	signin_scene_answer(&s->peers[0]);
	signin_scene_answer(&s->peers[0]);
	assert_int_equal(s->said.times, 2);
	assert_string_equal(s->said.groups, "a;b;");
	assert_int_equal(signin_waiting(s->signin), 0);
}

static void test_waiting_ends_with_a_failure(void **state)
{
	struct signin_scene *s = *state;
	struct buf token = signin_scene_token(ONE, "k", s->first, 3600);

	s->peers[0].is_silent = s->peers[0].is_down = true;
	signin_verify(s->signin, buf_text(&token), signin_scene_done, &s->said);
	assert_int_equal(s->said.times, 0);
	signin_scene_answer(&s->peers[0]);
	assert_int_equal(s->said.times, 1);
	assert_int_equal(s->said.err, ERR_UNAVAILABLE);
	assert_string_equal(s->said.text, DOWN);
	/* Until the next try, others hear the same without waiting. */
	assert_string_equal(signin_scene_verify(s, &token), DOWN);
	s->peers[0].is_silent = s->peers[0].is_down = false;
	signin_scene_pass(s, PROVIDER_RETRY_MIN_MS);
	assert_string_equal(signin_scene_verify(s, &token), "");
	buf_release(&token);
}

/* A provider that never answers: the fetch is given up, and with it the waiting. */
static void test_waiting_is_bounded_in_time(void **state)
{
	struct signin_scene *s = *state;
	struct buf token = signin_scene_token(ONE, "k", s->first, 3600);

	s->peers[0].is_silent = true;
	signin_verify(s->signin, buf_text(&token), signin_scene_done, &s->said);
	signin_scene_pass(s, PROVIDER_FETCH_TIMEOUT_MS - 1);
	assert_int_equal(s->said.times, 0);
	assert_true(signin_next_ms(s->signin) <= MONO_MS + PROVIDER_FETCH_TIMEOUT_MS);
	signin_scene_pass(s, 1);
	assert_int_equal(s->said.times, 1);
	assert_int_equal(s->said.err, ERR_UNAVAILABLE);
	buf_release(&token);
}

/* The discovery document comes late and the keys never: no token waits longer than it is told. */
static void test_waiting_ends_in_time(void **state)
{
	struct signin_scene *s = *state;
	struct buf token = signin_scene_token(ONE, "k", s->first, 3600);

	s->peers[0].is_silent = true;
	signin_verify(s->signin, buf_text(&token), signin_scene_done, &s->said);
	signin_scene_pass(s, PROVIDER_FETCH_TIMEOUT_MS - 1);
	signin_scene_answer(&s->peers[0]);
	assert_string_equal(s->peers[0].url, ONE "/keys");
	signin_scene_pass(s, SIGNIN_WAIT_MS - PROVIDER_FETCH_TIMEOUT_MS);
	assert_int_equal(s->said.times, 0);
	signin_scene_pass(s, 1);
	assert_int_equal(s->said.times, 1);
	assert_int_equal(s->said.err, ERR_UNAVAILABLE);
	assert_string_equal(s->said.text, "The sign-in provider did not answer in time.");
	buf_release(&token);
}

static void test_waiting_is_bounded_in_number(void **state)
{
	struct signin_scene *s = *state;
	struct buf token = signin_scene_token(ONE, "k", s->first, 3600);

	s->peers[0].is_silent = true;
	for (unsigned i = 0; i < SIGNIN_WAITING_MAX; i++)
		signin_verify(s->signin, buf_text(&token), signin_scene_done, &s->said);
	assert_int_equal(s->said.times, 0);
	assert_int_equal(s->peers[0].fetches, 1);
	signin_verify(s->signin, buf_text(&token), signin_scene_done, &s->said);
	assert_int_equal(s->said.times, 1);
	assert_int_equal(s->said.err, ERR_UNAVAILABLE);
	s->peers[0].is_silent = false;
	signin_scene_pass(s, 0);
	assert_int_equal(s->said.times, 1 + SIGNIN_WAITING_MAX);
	assert_int_equal(s->said.err, ERR_OK);
	buf_release(&token);
}

/* A token that ends while it waits is refused all the same. */
static void test_expires_while_waiting(void **state)
{
	struct signin_scene *s = *state;
	struct buf token = signin_scene_token(ONE, "k", s->first, -55);

	s->peers[0].is_silent = true;
	signin_verify(s->signin, buf_text(&token), signin_scene_done, &s->said);
	assert_int_equal(s->said.times, 0);
	s->passed_ms += 5000;
	signin_scene_answer(&s->peers[0]);
	signin_scene_answer(&s->peers[0]);
	assert_int_equal(s->said.times, 1);
	assert_string_equal(s->said.text, "The token has expired.");
	buf_release(&token);
}

static void test_freed_while_waiting(void **state)
{
	struct signin_scene *s = *state;
	struct buf token = signin_scene_token(ONE, "k", s->first, 3600);

	s->peers[0].is_silent = true;
	signin_verify(s->signin, buf_text(&token), signin_scene_done, &s->said);
	signin_free(s->signin);
	s->signin = NULL;
	assert_int_equal(s->said.times, 1);
	assert_int_equal(s->said.err, ERR_UNAVAILABLE);
	buf_release(&token);
}

/* A done() that signs in again at once. */
struct again {
	struct signin_scene *scene;
	const char *token;
	unsigned left, times;
};

static void on_done_again(void *ctx, enum err err, const struct identity *identity, const struct errctx *ec)
{
	struct again *again = ctx;

	(void)identity;
	(void)ec;
	assert_int_equal(err, ERR_OK);
	again->times++;
	if (again->left-- > 0)
		signin_verify(again->scene->signin, again->token, on_done_again, again);
}

static void test_again_from_done(void **state)
{
	struct signin_scene *s = *state;
	struct buf token = signin_scene_token(ONE, "k", s->first, 3600);
	struct again again = {s, buf_text(&token), 3, 0};

	s->peers[0].is_silent = true;
	signin_verify(s->signin, buf_text(&token), on_done_again, &again);
	signin_verify(s->signin, buf_text(&token), signin_scene_done, &s->said);
	s->peers[0].is_silent = false;
	signin_scene_pass(s, 0);
	assert_int_equal(again.times, 4);
	assert_int_equal(s->said.times, 1);
	buf_release(&token);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, signin_scene_set_up, signin_scene_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_waiting_for_the_first_keys),   TEST(test_waiting_ends_with_a_failure),
		TEST(test_waiting_is_bounded_in_time),   TEST(test_waiting_ends_in_time),
		TEST(test_waiting_is_bounded_in_number), TEST(test_expires_while_waiting),
		TEST(test_freed_while_waiting),          TEST(test_again_from_done),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
