/* The judge of `make torture` on what waits for an approver: as it should be, and then each with a mistake in it. */
#include "tests/unit/test_torture_story.h"

#define EVENT(number, event, by, from, to)                                                                   \
	"{\"t\":60004,\"k\":\"audit\",\"lane\":4,\"number\":" number                                         \
	",\"request\":\"r6\",\"event\":\"" event "\",\"by\":\"" by "\",\"from\":\"" from "\",\"to\":\"" to   \
	"\"}"
#define DECIDE(t, n, by, result)                                                                             \
	"{\"t\":" t ",\"k\":\"decide\",\"n\":" n ",\"try\":1,\"broker\":0,\"by\":\"" by                      \
	"\",\"request\":\"r6\",\"result\":\"" result "\"}"
#define DECIDED(t, n, status) "{\"t\":" t ",\"k\":\"decided\",\"n\":" n ",\"try\":1,\"status\":" status "}"
#define APPROVAL(result, by, at)                                                                             \
	"{\"t\":60001,\"k\":\"approval\",\"request\":\"r6\",\"result\":\"" result "\",\"by\":\"" by          \
	"\",\"at\":" at "}"

/* Person 6 asks at 20000 for five seconds. */
static const char *const asked[] = {
	"{\"t\":0,\"k\":\"person\",\"person\":6,\"app\":0,\"group\":\"g-6.\",\"user\":\"p6@example.com\","
	"\"id\":\"six\",\"approval\":true}",
	"{\"t\":20000,\"k\":\"ask\",\"op\":6,\"try\":1,\"broker\":0,\"person\":6,\"action\":\"selfActivate\","
	"\"of\":\"\",\"length\":5000,\"start\":0}",
	"{\"t\":20010,\"k\":\"answer\",\"op\":6,\"try\":1,\"status\":201,\"id\":\"r6\",\"start\":20005,"
	"\"end\":25005,\"created\":20005,\"state\":\"waiting\",\"error\":\"\"}",
	"{\"t\":60001,\"k\":\"request\",\"person\":6,\"id\":\"r6\",\"action\":\"selfActivate\",\"group\":"
	"\"g-6.\",\"why\":\"op-6\"}",
	"{\"t\":60003,\"k\":\"name\",\"app\":0,\"id\":\"G6\",\"name\":\"g-6.\"}",
	"{\"t\":60003,\"k\":\"name\",\"app\":0,\"id\":\"U6\",\"name\":\"p6@example.com\"}",
	EVENT("1", "ask", "six", "new", "awaiting"),
};

static void ask(struct story *story)
{
	for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++)
		say(story, asked[i]);
}

/* A lead agrees at 21000; another one is too late. */
static void ask_and_agree(struct story *story)
{
	ask(story);
	say(story, DECIDE("20995", "1", "lead", "Approve"));
	say(story, DECIDED("21005", "1", "204"));
	say(story, DECIDE("20996", "2", "deputy", "Deny"));
	say(story, DECIDED("21006", "2", "409"));
	say(story, EVENT("2", "approve", "lead", "awaiting", "awaiting"));
	say(story, EVENT("3", "push", "lead", "awaiting", "provisioning"));
	say(story, APPROVAL("Approve", "lead", "21000"));
	see(story, PATCH("21010", "21011", "G6", "add", "U6", "204", ""));
	see(story, PATCH("26002", "26003", "G6", "remove", "U6", "204", ""));
}

/* Nobody says anything for three seconds. */
static void ask_in_vain(struct story *story)
{
	ask(story);
	say(story, EVENT("2", "time_out", "time", "awaiting", "denied"));
	say(story, APPROVAL("NotReviewed", "", "0"));
}

static void who_agrees_grants(void **state)
{
	struct story *story = *state;

	ask_and_agree(story);
	expect(story, 0, 0, 0, 0);
	assert_int_equal(story->judge.acknowledged, 4);
	assert_int_equal(story->judge.approved, 1);
	assert_int_equal(story->judge.too_late, 1);
	assert_int_equal(story->judge.end_count, 2);
	assert_int_equal(story->judge.ends[1].end_ms, 26000);
}

static void who_is_not_answered_in_time_is_denied(void **state)
{
	struct story *story = *state;

	ask_in_vain(story);
	expect(story, 0, 0, 0, 0);
	assert_int_equal(story->judge.timed_out, 1);
}

static void a_grant_that_nobody_decided(void **state)
{
	ask_and_agree(*state);
	unsay(*state, "\"k\":\"decide\",\"n\":1");
	unsay(*state, "\"k\":\"decided\",\"n\":1");
	/* The outcome, the addition; and the store's word for it counts for nothing. */
	expect(*state, 0, 0, 0, 2);
}

static void a_grant_before_the_decision(void **state)
{
	ask_and_agree(*state);
	unsay(*state, "\"k\":\"approval\"");
	say(*state, APPROVAL("Approve", "lead", "20900"));
	expect(*state, 0, 0, 0, 2);
}

static void access_that_did_not_wait(void **state)
{
	ask_and_agree(*state);
	unsay(*state, "\"event\":\"ask\"");
	say(*state, EVENT("1", "push", "six", "new", "provisioning"));
	/* It did not wait, and the trail goes on from another state. */
	expect(*state, 0, 0, 0, 2);
}

static void access_while_it_waits(void **state)
{
	ask_in_vain(*state);
	see(*state, PATCH("20020", "20021", "G6", "add", "U6", "204", ""));
	see(*state, PATCH("25000", "25001", "G6", "remove", "U6", "204", ""));
	expect(*state, 0, 0, 0, 1);
}

static void access_after_a_denial(void **state)
{
	ask_and_agree(*state);
	unsay(*state, "\"event\":\"push\",\"by\":\"lead\"");
	say(*state, EVENT("3", "deny", "lead", "awaiting", "denied"));
	/* The lead's word is lost; the outcome is not what they said; and the access is there. */
	expect(*state, 1, 0, 0, 2);
}

static void two_outcomes(void **state)
{
	ask_and_agree(*state);
	say(*state, EVENT("4", "deny", "deputy", "awaiting", "denied"));
	/* The last of them is what counts for the other checks: it is not what the lead was told. */
	assert_true(judge(*state)->broken >= 2);
	assert_int_equal(((struct story *)*state)->judge.lost, 1);
}

static void no_outcome(void **state)
{
	ask_in_vain(*state);
	unsay(*state, "\"event\":\"time_out\"");
	expect(*state, 0, 0, 0, 1);
}

static void two_who_were_told_that_they_decided(void **state)
{
	ask_and_agree(*state);
	unsay(*state, "\"k\":\"decided\",\"n\":2");
	say(*state, DECIDED("21006", "2", "204"));
	expect(*state, 1, 0, 0, 0);
}

static void a_decision_that_is_forgotten(void **state)
{
	ask_in_vain(*state);
	say(*state, DECIDE("20995", "1", "lead", "Approve"));
	say(*state, DECIDED("21005", "1", "204"));
	expect(*state, 1, 0, 0, 0);
}

static void a_decision_that_was_never_answered(void **state)
{
	ask_and_agree(*state);
	unsay(*state, "\"k\":\"decided\",\"n\":1");
	expect(*state, 1, 0, 0, 0);
}

static void one_s_own_decision(void **state)
{
	ask_and_agree(*state);
	say(*state, DECIDE("20900", "3", "six", "Approve"));
	say(*state, DECIDED("20901", "3", "403"));
	expect(*state, 0, 0, 0, 0);
	assert_int_equal(((struct story *)*state)->judge.own, 1);
	unsay(*state, "\"k\":\"decided\",\"n\":3");
	say(*state, DECIDED("20901", "3", "204"));
	/* Answered as if it counted, and it does not stand. */
	expect(*state, 1, 0, 0, 1);
}

static void one_s_own_decision_that_stands(void **state)
{
	ask(*state);
	say(*state, DECIDE("20995", "1", "six", "Deny"));
	say(*state, DECIDED("21005", "1", "204"));
	say(*state, EVENT("2", "deny", "six", "awaiting", "denied"));
	say(*state, APPROVAL("Deny", "six", "21000"));
	expect(*state, 0, 0, 0, 2);
}

#define WITHDRAW(t)                                                                                          \
	"{\"t\":" t ",\"k\":\"ask\",\"op\":7,\"try\":1,\"broker\":0,\"person\":6,\"action\":\"cancel\","     \
	"\"of\":\"r6\",\"length\":0,\"start\":0}"
#define WITHDRAWN(t)                                                                                         \
	"{\"t\":" t ",\"k\":\"answer\",\"op\":7,\"try\":1,\"status\":204,\"id\":\"\",\"start\":0,\"end\":0," \
	"\"created\":0,\"state\":\"\",\"error\":\"\"}"

static void a_withdrawal(void **state)
{
	ask(*state);
	say(*state, WITHDRAW("20500"));
	say(*state, WITHDRAWN("20510"));
	say(*state, EVENT("2", "cancel", "six", "awaiting", "canceled"));
	say(*state, APPROVAL("NotReviewed", "", "0"));
	expect(*state, 0, 0, 0, 0);
	unsay(*state, "\"event\":\"cancel\"");
	say(*state, EVENT("2", "time_out", "time", "awaiting", "denied"));
	expect(*state, 1, 0, 0, 0);
}

/* Deferred, and not yet brought: then it never is. */
static void a_withdrawal_after_the_decision(void **state)
{
	ask_and_agree(*state);
	say(*state, WITHDRAW("21500"));
	say(*state, WITHDRAWN("21510"));
	unsay(*state, "\"event\":\"push\",\"by\":\"lead\"");
	say(*state, EVENT("3", "defer", "lead", "awaiting", "deferred"));
	say(*state, EVENT("4", "cancel", "six", "deferred", "canceled"));
	unsee(*state, "21010");
	unsee(*state, "26002");
	expect(*state, 0, 0, 0, 0);
	see(*state, PATCH("25000", "25001", "G6", "add", "U6", "204", ""));
	see(*state, PATCH("25500", "25501", "G6", "remove", "U6", "204", ""));
	expect(*state, 0, 0, 1, 1);
	/* It was never carried out: the access is as it was granted, and its removal is against that. */
	unsay(*state, "\"event\":\"cancel\"");
	expect(*state, 1, 0, 0, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(who_agrees_grants),
		STORY(who_is_not_answered_in_time_is_denied),
		STORY(a_grant_that_nobody_decided),
		STORY(a_grant_before_the_decision),
		STORY(access_that_did_not_wait),
		STORY(access_while_it_waits),
		STORY(access_after_a_denial),
		STORY(two_outcomes),
		STORY(no_outcome),
		STORY(two_who_were_told_that_they_decided),
		STORY(a_decision_that_is_forgotten),
		STORY(a_decision_that_was_never_answered),
		STORY(one_s_own_decision),
		STORY(one_s_own_decision_that_stands),
		STORY(a_withdrawal),
		STORY(a_withdrawal_after_the_decision),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
