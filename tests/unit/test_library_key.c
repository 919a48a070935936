/* The function library on Idempotency-Keys: one who does what is asked, one answer for everybody after that. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/support/lane_story.h"

#define LEASE "3000"

/* What it answers: "ok", "busy", "reused", "gone", or "same STATUS BODY". */
static void ask(struct lane *lane, int64_t at_ms, const char *const args[5], const char *wanted)
{
	redisReply *reply;
	char said[64];

	lane->now_ms = LANE_EPOCH_MS + at_ms;
	lane_begin(lane, args[0]);
	for (int i = 1; i < 5; i++)
		lane_arg(lane, args[i]);
	reply = lane_send(lane);
	snprintf(said, sizeof(said), "%s", lane_text(lane_at(reply, 0)));
	if (lane_at(reply, 3) != NULL)
		snprintf(said, sizeof(said), "%s %lld %s", lane_text(lane_at(reply, 0)),
			 (long long)lane_int(lane_at(reply, 3)), lane_text(lane_at(reply, 4)));
	assert_string_equal(said, wanted);
	freeReplyObject(reply);
}

#define TAKE(at, key, digest, who, lease, wanted)                                                            \
	ask(*state, at, (const char *const[]){"jit_key_take", key, digest, who, lease}, wanted)
#define KEEP(at, key, who, status, body, wanted)                                                             \
	ask(*state, at, (const char *const[]){"jit_key_end", key, who, status, body}, wanted)

static void test_one_does_it(void **state)
{
	lane_empty(*state);
	TAKE(0, "k", "d", "me", LEASE, "ok");
	TAKE(1, "k", "d", "me", LEASE, "ok"); /* the call itself was in doubt */
	TAKE(2, "k", "d", "you", LEASE, "busy");
	TAKE(2, "k", "e", "you", LEASE, "reused");
	TAKE(2, "other", "e", "you", LEASE, "ok");
	KEEP(3, "k", "you", "200", "yours", "gone");
	KEEP(4, "k", "me", "200", "mine", "ok");
	TAKE(5, "k", "d", "you", LEASE, "same 200 mine");
	TAKE(6, "k", "d", "me", LEASE, "same 200 mine");
	TAKE(7, "k", "e", "you", LEASE, "reused");
	KEEP(8, "k", "me", "200", "again", "gone");
	TAKE(9, "k", "d", "you", LEASE, "same 200 mine");
}

/* Where nothing came of it somebody may try again at once; where its broker died, after a while. */
static void test_done_again(void **state)
{
	lane_empty(*state);
	TAKE(0, "k", "d", "me", LEASE, "ok");
	KEEP(1, "k", "me", "", "", "ok");
	TAKE(2, "k", "e", "you", LEASE, "reused");
	TAKE(2, "k", "d", "you", LEASE, "ok");
	TAKE(3001, "k", "d", "me", LEASE, "busy");
	TAKE(3002, "k", "d", "me", LEASE, "ok");
	KEEP(3003, "k", "you", "204", "", "gone"); /* too late: another one does it now */
	KEEP(3004, "k", "me", "204", "", "ok");
	TAKE(3005, "k", "d", "you", LEASE, "same 204 ");
}

/* What can be repeated by itself is kept from nobody; but something else it is not. */
static void test_by_itself(void **state)
{
	redisReply *reply;

	lane_empty(*state);
	TAKE(0, "k", "d", "", "0", "ok");
	TAKE(0, "k", "d", "", "0", "ok");
	TAKE(1, "k", "e", "", "0", "reused");
	TAKE(1, "k", "e", "you", LEASE, "reused");
	reply = lane_command(*state, "PTTL %sik:k", LANE_PREFIX);
	assert_in_range(lane_int(reply), 23 * 3600 * 1000, 24 * 3600 * 1000);
	freeReplyObject(reply);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_does_it),
		cmocka_unit_test(test_done_again),
		cmocka_unit_test(test_by_itself),
	};

	return LANE_STORY_TESTS(tests);
}
