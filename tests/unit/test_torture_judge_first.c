/* The judge of `make torture` on the first five and the cycle: as it should be, and then with a mistake in it. */
#include "tests/unit/test_torture_story.h"

/* -- at once ----------------------------------------------------------------------------------------------------- */

/* Person 0 was answered at 1010 as being pushed, has access until 5000, and is brought three seconds later. */
static void push_late(struct story *story)
{
	unsee(story, "1012");
	see(story, PATCH("4000", "4001", "G0", "add", "U0", "204", ""));
}

static void who_is_pushed_at_once_comes_at_once(void **state)
{
	struct story *story = *state;

	expect(story, 0, 0, 0, 0);
	assert_int_equal(story->judge.at_once, 2);
	assert_int_equal(story->judge.deferred, 0);
	push_late(story);
	expect(story, 0, 0, 0, 1);
}

static void its_first_question_is_enough(void **state)
{
	push_late(*state);
	see(*state, "{\"received_ms\":1012,\"answered_ms\":1013,\"method\":\"GET\",\"path\":\"/scim/v2/"
		    "Users?filter=userName%20eq%20%22p0%40example.com%22\",\"status\":200,\"body\":null}");
	expect(*state, 0, 0, 0, 0);
}

static void a_fault_in_the_way(void **state)
{
	push_late(*state);
	say(*state,
	    "{\"t\":900,\"k\":\"fault\",\"n\":0,\"kind\":\"x\",\"class\":\"app\",\"app\":0,\"from\":900}");
	say(*state, "{\"t\":2000,\"k\":\"healed\",\"n\":0}");
	expect(*state, 0, 0, 0, 0);
}

/* The token was taken with the answer: that no other one is left excuses nothing but a second try. */
static void tokens_excuse_a_second_try_alone(void **state)
{
	push_late(*state);
	say(*state, "{\"t\":900,\"k\":\"tokens\",\"free\":[0]}");
	say(*state, "{\"t\":4000,\"k\":\"tokens\",\"free\":[0]}");
	expect(*state, 0, 0, 0, 1);
	say(*state,
	    "{\"t\":1,\"k\":\"fault\",\"n\":0,\"kind\":\"x\",\"class\":\"claim\",\"app\":-1,\"from\":1005}");
	say(*state, "{\"t\":1100,\"k\":\"healed\",\"n\":0}");
	expect(*state, 0, 0, 0, 0);
}

static void who_was_never_pushed(void **state)
{
	unsee(*state, "1012");
	unsee(*state, "5012");
	expect(*state, 0, 0, 0, 1);
	/* Given back meanwhile, there was nothing to be brought. */
	say(*state, "{\"t\":2000,\"k\":\"ask\",\"op\":4,\"try\":1,\"broker\":0,\"person\":0,"
		    "\"action\":\"selfDeactivate\",\"length\":0,\"start\":0}");
	say(*state,
	    "{\"t\":2010,\"k\":\"answer\",\"op\":4,\"try\":1,\"status\":201,\"id\":\"r4\",\"start\":0,"
	    "\"end\":0,\"created\":2005,\"state\":\"removed\",\"error\":\"\"}");
	say(*state, "{\"t\":60001,\"k\":\"request\",\"person\":0,\"id\":\"r4\",\"action\":\"selfDeactivate\","
		    "\"group\":\"g-0.\",\"why\":\"op-4\"}");
	say(*state, "{\"t\":60004,\"k\":\"audit\",\"lane\":3,\"number\":6,\"request\":\"r4\","
		    "\"event\":\"record\",\"from\":\"new\",\"to\":\"revoked\"}");
	expect(*state, 0, 0, 0, 0);
}

/* -- with the cycle ---------------------------------------------------------------------------------------------- */

#define ASK(op, t)                                                                                           \
	"{\"t\":" t ",\"k\":\"ask\",\"op\":" op ",\"try\":1,\"broker\":0,\"person\":6,\"action\":"           \
	"\"selfActivate\",\"of\":\"\",\"length\":30000,\"start\":0}"
#define ANSWER(op, t, state, created, end, next)                                                             \
	"{\"t\":" t ",\"k\":\"answer\",\"op\":" op ",\"try\":1,\"status\":201,\"id\":\"f" op                 \
	"\",\"start\":" created ",\"end\":" end ",\"created\":" created ",\"state\":\"" state                \
	"\",\"next\":" next ",\"error\":\"\"}"
#define CYCLE(started, ended)                                                                                \
	"{\"t\":60001,\"k\":\"cycle\",\"app\":0,\"started\":" started ",\"ended\":" ended "}"
#define REQUEST(op)                                                                                          \
	"{\"t\":60001,\"k\":\"request\",\"person\":6,\"id\":\"f" op                                          \
	"\",\"action\":\"selfActivate\",\"group\":\"g-6.\",\"why\":\"op-" op "\"}"
#define TRAIL(op, number)                                                                                    \
	"{\"t\":60004,\"k\":\"audit\",\"lane\":4,\"number\":" number ",\"request\":\"f" op                   \
	"\",\"event\":\"defer\",\"by\":\"six\",\"from\":\"new\",\"to\":\"deferred\"}"
/* No fault of anything, but from now on a token may be out of which the application has seen nothing. */
#define TROUBLE "{\"t\":1,\"k\":\"fault\",\"n\":0,\"kind\":\"x\",\"class\":\"none\",\"app\":-1,\"from\":1}"
#define CALM    "{\"t\":2,\"k\":\"healed\",\"n\":0}"

static const char *const asked[] = {
	"{\"t\":0,\"k\":\"person\",\"person\":6,\"app\":0,\"group\":\"g-6.\",\"user\":\"p6@example.com\","
	"\"id\":\"six\"}",
	"{\"t\":60003,\"k\":\"name\",\"app\":0,\"id\":\"G6\",\"name\":\"g-6.\"}",
	"{\"t\":60003,\"k\":\"name\",\"app\":0,\"id\":\"U6\",\"name\":\"p6@example.com\"}",
	ASK("6", "20000"),
	REQUEST("6"),
	TRAIL("6", "1"),
};

static void ask(struct story *story, const char *answer)
{
	for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++)
		say(story, asked[i]);
	say(story, answer);
}

/* Person 6 asks at 20000 for half a minute and is deferred to 30000, when the cycle brings them. */
static void ask_and_wait(struct story *story)
{
	say(story, TROUBLE);
	say(story, CALM);
	ask(story, ANSWER("6", "20010", "deferred", "20005", "50005", "30000"));
	say(story, CYCLE("30000", "30500"));
	see(story, PATCH("30010", "30011", "G6", "add", "U6", "204", ""));
	see(story, PATCH("50010", "50011", "G6", "remove", "U6", "204", ""));
}

static void who_is_deferred_comes_with_the_cycle(void **state)
{
	struct story *story = *state;

	ask_and_wait(story);
	expect(story, 0, 0, 0, 0);
	assert_int_equal(story->judge.deferred, 1);
	assert_int_equal(story->judge.end_count, 2);
}

static void an_answer_that_does_not_say_when(void **state)
{
	ask_and_wait(*state);
	unsay(*state, "\"id\":\"f6\",\"start\"");
	say(*state, ANSWER("6", "20010", "deferred", "20005", "50005", "0"));
	expect(*state, 0, 0, 0, 1);
}

static void an_answer_that_says_much_too_late(void **state)
{
	ask_and_wait(*state);
	unsay(*state, "\"id\":\"f6\",\"start\"");
	say(*state, ANSWER("6", "20010", "deferred", "20005", "50005", "35200"));
	expect(*state, 0, 0, 0, 1);
	/* In quarantine it may be true. */
	say(*state,
	    "{\"t\":9,\"k\":\"fault\",\"n\":1,\"kind\":\"x\",\"class\":\"app\",\"app\":0,\"from\":9}");
	say(*state, "{\"t\":9,\"k\":\"healed\",\"n\":1}");
	expect(*state, 0, 0, 0, 0);
}

static void who_is_deferred_and_pushed_before_the_cycle(void **state)
{
	ask_and_wait(*state);
	unsee(*state, "30010");
	see(*state, PATCH("25000", "25001", "G6", "add", "U6", "204", ""));
	expect(*state, 0, 0, 0, 1);
	/* It was another call's push. */
	say(*state, ASK("7", "24980"));
	say(*state, ANSWER("7", "24990", "pushing", "24985", "54985", "0"));
	say(*state, REQUEST("7"));
	say(*state, TRAIL("7", "2"));
	unsee(*state, "50010");
	see(*state, PATCH("54990", "54991", "G6", "remove", "U6", "204", ""));
	expect(*state, 0, 0, 0, 0);
}

static void a_cycle_that_comes_earlier(void **state)
{
	ask_and_wait(*state);
	unsee(*state, "30010");
	unsay(*state, "\"k\":\"cycle\"");
	say(*state, CYCLE("25000", "25500"));
	see(*state, PATCH("25010", "25011", "G6", "add", "U6", "204", ""));
	expect(*state, 0, 0, 0, 0);
	/* One that had begun before they asked does not take them. */
	unsay(*state, "\"k\":\"cycle\"");
	say(*state, CYCLE("19000", "31000"));
	expect(*state, 0, 0, 0, 1);
}

static void a_cycle_that_does_not_come_when_it_was_told(void **state)
{
	ask_and_wait(*state);
	unsee(*state, "30010");
	unsay(*state, "\"k\":\"cycle\"");
	say(*state, CYCLE("34000", "34500"));
	see(*state, PATCH("34010", "34011", "G6", "add", "U6", "204", ""));
	expect(*state, 0, 0, 0, 1);
	/* The one before it had not ended. */
	say(*state, CYCLE("19000", "31000"));
	expect(*state, 0, 0, 0, 0);
	unsay(*state, "\"started\":19000");
	/* The brokers were away, or Redis was full. */
	say(*state,
	    "{\"t\":9,\"k\":\"fault\",\"n\":1,\"kind\":\"x\",\"class\":\"redis\",\"app\":-1,\"from\":29900}");
	say(*state, "{\"t\":31000,\"k\":\"healed\",\"n\":1}");
	expect(*state, 0, 0, 0, 0);
	unsay(*state, "\"n\":1}");
	unsay(*state, "\"class\":\"redis\"");
	expect(*state, 0, 0, 0, 1);
	say(*state, "{\"t\":9,\"k\":\"fault\",\"n\":1,\"kind\":\"x\",\"class\":\"memory\",\"app\":-1,"
		    "\"from\":29900}");
	say(*state, "{\"t\":31000,\"k\":\"healed\",\"n\":1}");
	expect(*state, 0, 0, 0, 0);
}

static void what_ends_before_its_cycle_is_never_pushed(void **state)
{
	ask_and_wait(*state);
	unsay(*state, "\"id\":\"f6\",\"start\"");
	say(*state, ANSWER("6", "20010", "deferred", "20005", "25005", "30000"));
	unsee(*state, "30010");
	unsee(*state, "50010");
	expect(*state, 0, 0, 0, 0);
	see(*state, PATCH("30010", "30011", "G6", "add", "U6", "204", ""));
	see(*state, PATCH("30020", "30021", "G6", "remove", "U6", "204", ""));
	/* It is there without a grant, and outlives its end. */
	expect(*state, 0, 0, 1, 1);
}

/* -- tokens that are left ---------------------------------------------------------------------------------------- */

static void who_is_deferred_although_a_token_is_left(void **state)
{
	ask_and_wait(*state);
	unsay(*state, "\"class\":\"none\"");
	unsay(*state, "\"k\":\"healed\"");
	see(*state, PATCH("15000", "15001", "G2", "remove", "U2", "204", ""));
	see(*state, PATCH("15100", "15101", "G3", "remove", "U2", "204", ""));
	see(*state, PATCH("15200", "15201", "G4", "remove", "U2", "204", ""));
	see(*state, PATCH("15300", "15301", "G5", "remove", "U2", "204", ""));
	expect(*state, 0, 0, 0, 1);
	/* The fifth is a removal for which a token was kept. */
	see(*state, PATCH("20020", "20021", "G1", "remove", "U2", "204", ""));
	expect(*state, 0, 0, 0, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(who_is_pushed_at_once_comes_at_once),
		STORY(its_first_question_is_enough),
		STORY(a_fault_in_the_way),
		STORY(tokens_excuse_a_second_try_alone),
		STORY(who_was_never_pushed),
		STORY(who_is_deferred_comes_with_the_cycle),
		STORY(an_answer_that_does_not_say_when),
		STORY(an_answer_that_says_much_too_late),
		STORY(who_is_deferred_and_pushed_before_the_cycle),
		STORY(a_cycle_that_comes_earlier),
		STORY(a_cycle_that_does_not_come_when_it_was_told),
		STORY(what_ends_before_its_cycle_is_never_pushed),
		STORY(who_is_deferred_although_a_token_is_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
