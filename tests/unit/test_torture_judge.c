/*
 * The judge of `make torture` sees what it is there for: a small history that is as it should be, and then the same one
 * with a mistake in it.
 */
#include "tests/unit/test_torture_story.h"

/* -- what is as it should be -------------------------------------------------------------------------------------- */

static void all_is_well(void **state)
{
	struct story *story = *state;

	expect(story, 0, 0, 0, 0);
	assert_int_equal(story->judge.acknowledged, 2);
	assert_int_equal(story->judge.end_count, 1);
	assert_int_equal(story->judge.ends[0].gone_ms - story->judge.ends[0].end_ms, 13);
}

static void half_a_history_is_none(void **state)
{
	struct story *story = *state;

	unsay(story, "\"k\":\"end\"");
	write_story(story);
	assert_false(judge_read(&story->judge, story->dir));
}

/* -- lost --------------------------------------------------------------------------------------------------------- */

static void a_lost_request(void **state)
{
	unsay(*state, "\"k\":\"request\",\"person\":1");
	expect(*state, 1, 0, 0, 0);
}

static void a_request_that_is_another_s(void **state)
{
	unsay(*state, "\"k\":\"request\",\"person\":1");
	say(*state, "{\"t\":60001,\"k\":\"request\",\"person\":1,\"id\":\"r2\",\"action\":\"selfActivate\","
		    "\"group\":\"g-2.\",\"why\":\"op-2\"}");
	expect(*state, 1, 0, 0, 0);
}

static void a_call_that_was_carried_out_twice(void **state)
{
	say(*state, "{\"t\":60001,\"k\":\"request\",\"person\":1,\"id\":\"r2\",\"action\":\"selfActivate\","
		    "\"group\":\"g-1.\",\"why\":\"op-2\"}");
	expect(*state, 1, 0, 0, 0);
}

static void a_call_that_was_never_answered(void **state)
{
	unsay(*state, "\"k\":\"answer\",\"op\":2");
	expect(*state, 1, 0, 0, 0);
}

static void a_refused_call_that_was_carried_out(void **state)
{
	say(*state, "{\"t\":60001,\"k\":\"request\",\"person\":2,\"id\":\"r9\",\"action\":\"selfDeactivate\","
		    "\"group\":\"g-2.\",\"why\":\"op-3\"}");
	/* And no event tells of it. */
	expect(*state, 0, 0, 0, 2);
}

static void a_request_that_nobody_made(void **state)
{
	say(*state, "{\"t\":60001,\"k\":\"request\",\"person\":2,\"id\":\"r9\",\"action\":\"selfActivate\","
		    "\"group\":\"g-2.\",\"why\":\"op-99\"}");
	/* And no event tells of it. */
	expect(*state, 0, 0, 0, 2);
}

/* -- pushes ------------------------------------------------------------------------------------------------------- */

static void five_are_allowed_and_a_sixth_is_not(void **state)
{
	see(*state, PATCH("3000", "3001", "G2", "remove", "U2", "204", ""));
	see(*state, PATCH("3100", "3101", "G3", "remove", "U2", "204", ""));
	expect(*state, 0, 0, 0, 0);
	see(*state, PATCH("10900", "10901", "G4", "remove", "U2", "204", ""));
	expect(*state, 0, 1, 0, 0);
	unsee(*state, "10900");
	/* The window is over for the first one. */
	see(*state, PATCH("11013", "11014", "G4", "remove", "U2", "204", ""));
	expect(*state, 0, 0, 0, 0);
}

static void the_end_of_a_push_counts_as_its_beginning_does(void **state)
{
	see(*state, PATCH("3000", "3001", "G2", "remove", "U2", "204", ""));
	see(*state, PATCH("3100", "3101", "G3", "remove", "U2", "204", ""));
	see(*state,
	    PATCH("200", "14000", "G4", "remove", "U2", "0", ",\"fault\":\"PATCH * always -> hang\""));
	see(*state, PATCH("13000", "13001", "G5", "remove", "U2", "204", ""));
	/* It begins in the first window with five others, and ends in one with four. */
	expect(*state, 0, 1, 0, 0);
}

static void look_ups_are_pushes_too(void **state)
{
	see(*state, PATCH("3000", "3001", "G2", "remove", "U2", "204", ""));
	see(*state, PATCH("3100", "3101", "G3", "remove", "U2", "204", ""));
	see(*state, "{\"received_ms\":4000,\"answered_ms\":4001,\"method\":\"GET\",\"path\":\"/scim/v2/"
		    "Groups?filter=displayName%20eq%20%22g-4.%22\",\"status\":500,\"body\":null}");
	expect(*state, 0, 1, 0, 0);
}

#define IS_MEMBER(at, status)                                                                                \
	"{\"received_ms\":" at ",\"answered_ms\":" at ",\"method\":\"GET\",\"path\":\"/scim/v2/"             \
	"Groups?filter=id%20eq%20%22G0%22%20and%20members%20eq%20%22U0%22\",\"status\":" status              \
	",\"body\":null}"

/* After a removal: whether they are a member already is asked twice, because a connection was closed, and belongs to the
 * addition that follows. */
static void the_first_question_of_a_push_is_not_the_last_one_s(void **state)
{
	see(*state, PATCH("16000", "16001", "G2", "remove", "U2", "204", ""));
	see(*state, PATCH("16100", "16101", "G3", "remove", "U2", "204", ""));
	see(*state, PATCH("16200", "16201", "G4", "remove", "U2", "204", ""));
	see(*state, PATCH("16300", "16301", "G5", "remove", "U2", "204", ""));
	see(*state, IS_MEMBER("17000", "0"));
	see(*state, IS_MEMBER("17002", "0"));
	see(*state, PATCH("17004", "17005", "G0", "add", "U0", "500", ""));
	expect(*state, 0, 0, 0, 0);
}

/* The same where the first answer is an error. */
static void nor_is_one_that_is_answered_with_an_error(void **state)
{
	see(*state, PATCH("16000", "16001", "G2", "remove", "U2", "204", ""));
	see(*state, PATCH("16100", "16101", "G3", "remove", "U2", "204", ""));
	see(*state, PATCH("16200", "16201", "G4", "remove", "U2", "204", ""));
	see(*state, PATCH("16300", "16301", "G5", "remove", "U2", "204", ""));
	see(*state, IS_MEMBER("17000", "500"));
	see(*state, IS_MEMBER("17002", "200"));
	see(*state, PATCH("17004", "17005", "G0", "add", "U0", "500", ""));
	expect(*state, 0, 0, 0, 0);
}

/* After a removal, at once: whether they are gone is not answered, and the next addition needs no question. Taken for its
 * first one, it would be a sixth push, ten seconds long. */
static void an_unanswered_question_is_the_removal_s(void **state)
{
	see(*state, IS_MEMBER("5014", "503"));
	see(*state, PATCH("6000", "6001", "G2", "remove", "U2", "204", ""));
	see(*state, PATCH("6100", "6101", "G3", "remove", "U2", "204", ""));
	see(*state, PATCH("15100", "15101", "G0", "add", "U0", "500", ""));
	expect(*state, 0, 0, 0, 0);
}

/* Whether they are gone is asked for a while: nobody says so. The next addition needs no question. */
static void questions_after_a_removal_that_was_not_made(void **state)
{
	unsee(*state, "5012");
	see(*state,
	    PATCH("5012", "5013", "G0", "remove", "U0", "204", ",\"fault\":\"PATCH * always -> noop\""));
	see(*state, IS_MEMBER("5014", "200"));
	see(*state, IS_MEMBER("6214", "200"));
	see(*state, PATCH("6300", "6301", "G2", "remove", "U2", "204", ""));
	see(*state, PATCH("6400", "6401", "G3", "remove", "U2", "204", ""));
	see(*state, PATCH("16300", "16301", "G0", "add", "U0", "500", ""));
	expect(*state, 0, 0, 1, 0);
}

/* -- ends --------------------------------------------------------------------------------------------------------- */

static void remove_late(struct story *story)
{
	unsee(story, "5012");
	see(story, PATCH("9012", "9013", "G0", "remove", "U0", "204", ""));
}

static void a_late_removal(void **state)
{
	remove_late(*state);
	expect(*state, 0, 0, 1, 0);
}

static void a_removal_that_never_came(void **state)
{
	unsee(*state, "5012");
	say(*state,
	    "{\"t\":60002,\"k\":\"member\",\"app\":0,\"group\":\"g-0.\",\"user\":\"p0@example.com\"}");
	expect(*state, 0, 0, 1, 1);
}

static void a_removal_that_was_not_made(void **state)
{
	unsee(*state, "5012");
	see(*state,
	    PATCH("5012", "5013", "G0", "remove", "U0", "204", ",\"fault\":\"PATCH * always -> noop\""));
	say(*state,
	    "{\"t\":60002,\"k\":\"member\",\"app\":0,\"group\":\"g-0.\",\"user\":\"p0@example.com\"}");
	expect(*state, 0, 0, 1, 1);
}

static void what_is_given_back_ends_then(void **state)
{
	say(*state, "{\"t\":3500,\"k\":\"ask\",\"op\":4,\"try\":1,\"broker\":0,\"person\":1,"
		    "\"action\":\"selfDeactivate\",\"length\":0,\"start\":0}");
	say(*state,
	    "{\"t\":3510,\"k\":\"answer\",\"op\":4,\"try\":1,\"status\":201,\"id\":\"r4\",\"start\":0,"
	    "\"end\":0,\"created\":3505,\"state\":\"removed\",\"error\":\"\"}");
	say(*state, "{\"t\":60001,\"k\":\"request\",\"person\":1,\"id\":\"r4\",\"action\":\"selfDeactivate\","
		    "\"group\":\"g-1.\",\"why\":\"op-4\"}");
	say(*state, "{\"t\":60004,\"k\":\"audit\",\"lane\":3,\"number\":6,\"request\":\"r4\","
		    "\"event\":\"record\",\"from\":\"new\",\"to\":\"revoked\"}");
	/* It stays, and is there at the end. */
	expect(*state, 0, 0, 1, 1);
	see(*state, PATCH("3520", "3521", "G1", "remove", "U1", "204", ""));
	unsay(*state, "\"k\":\"member\",\"app\":0,\"group\":\"g-1.\"");
	expect(*state, 0, 0, 0, 0);
}

static void time_that_is_excused(void **state)
{
	static const struct {
		const char *begin, *heal;
		size_t overdue;
	} faults[] = {
		/* The application was away at its end. */
		{"\"class\":\"app\",\"app\":0,\"from\":4900", "6000", 0},
		{"\"class\":\"app\",\"app\":0,\"from\":1900", "2000", 1},
		{"\"class\":\"app\",\"app\":1,\"from\":4900", "6000", 1},
		{"\"class\":\"redis\",\"app\":-1,\"from\":4900", "5300", 0},
		{"\"class\":\"redis\",\"app\":-1,\"from\":1900", "2000", 0},
		{"\"class\":\"redis\",\"app\":-1,\"from\":3100", "3500", 1},
		/* Redis was full: ends come all the same. */
		{"\"class\":\"memory\",\"app\":-1,\"from\":4900", "9000", 1},
		/* A broker that died when the end had come; long before it; and after a push of this person's. */
		{"\"class\":\"claim\",\"app\":-1,\"from\":5005", "5100", 0},
		{"\"class\":\"claim\",\"app\":-1,\"from\":3900", "8000", 1},
		{"\"class\":\"claim\",\"app\":-1,\"from\":1900", "2000", 0},
		{"\"class\":\"grip\",\"app\":-1,\"from\":3900", "8000", 0},
		{"\"class\":\"none\",\"app\":-1,\"from\":4900", "9000", 1},
	};

	remove_late(*state);
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		struct story *story = *state;
		size_t lines = story->lines;
		char fault[256], healed[128];

		snprintf(fault, sizeof(fault), "{\"t\":1,\"k\":\"fault\",\"n\":0,\"kind\":\"x\",%s}",
			 faults[i].begin);
		snprintf(healed, sizeof(healed), "{\"t\":%s,\"k\":\"healed\",\"n\":0}", faults[i].heal);
		say(story, fault);
		say(story, healed);
		print_message("%s to %s\n", faults[i].begin, faults[i].heal);
		expect(story, 0, 0, faults[i].overdue, 0);
		story->lines = lines;
	}
}

static void time_without_tokens_or_machine(void **state)
{
	struct story *story = *state;

	remove_late(story);
	say(story, "{\"t\":5000,\"k\":\"tokens\",\"free\":[0]}");
	say(story, "{\"t\":6900,\"k\":\"tokens\",\"free\":[1]}");
	expect(story, 0, 0, 0, 0);
	story->lines -= 2;
	say(story, "{\"t\":6900,\"k\":\"tokens\",\"free\":[1]}");
	expect(story, 0, 0, 1, 0);
	story->lines--;
	say(story, "{\"t\":8000,\"k\":\"stall\",\"from\":4000,\"to\":7500}");
	expect(story, 0, 0, 0, 0);
}

static void an_answer_that_was_an_error_excuses_the_next_try(void **state)
{
	remove_late(*state);
	see(*state, PATCH("5012", "5013", "G0", "remove", "U0", "500", ""));
	expect(*state, 0, 0, 1, 0);
	see(*state, PATCH("6512", "6513", "G0", "remove", "U0", "500", ""));
	expect(*state, 0, 0, 0, 0);
}

/* -- the others --------------------------------------------------------------------------------------------------- */

static void access_without_a_grant(void **state)
{
	see(*state, PATCH("20000", "20001", "G0", "add", "U0", "204", ""));
	see(*state, PATCH("20100", "20101", "G0", "remove", "U0", "204", ""));
	expect(*state, 0, 0, 1, 1);
}

static void a_removal_against_a_grant(void **state)
{
	see(*state, PATCH("30000", "30001", "G1", "remove", "U1", "204", ""));
	see(*state, PATCH("30100", "30101", "G1", "add", "U1", "204", ""));
	expect(*state, 0, 0, 0, 1);
}

static void a_granted_member_who_is_missing(void **state)
{
	unsay(*state, "\"k\":\"member\",\"app\":0,\"group\":\"g-1.\"");
	expect(*state, 0, 0, 0, 1);
}

static void standing_members(void **state)
{
	see(*state, PATCH("30000", "30001", "G0", "remove", "S", "204", ""));
	expect(*state, 0, 0, 0, 1);
	unsay(*state, "\"k\":\"member\",\"app\":0,\"group\":\"g-0.\"");
	expect(*state, 0, 0, 0, 2);
}

static void a_stranger(void **state)
{
	say(*state, "{\"t\":60002,\"k\":\"member\",\"app\":0,\"group\":\"g-0.\",\"user\":\"x@example.com\"}");
	expect(*state, 0, 0, 0, 1);
}

static void a_gap_in_the_trail(void **state)
{
	unsay(*state, "\"event\":\"seal\"");
	expect(*state, 0, 0, 0, 1);
}

static void a_missing_step(void **state)
{
	unsay(*state, "\"event\":\"confirm\"");
	/* The number that is missing, and the state that nobody has led to. */
	expect(*state, 0, 0, 0, 2);
}

static void a_trail_that_was_altered(void **state)
{
	unsay(*state, "\"k\":\"verify\"");
	say(*state, "{\"t\":60005,\"k\":\"verify\",\"intact\":false}");
	expect(*state, 0, 0, 0, 1);
}

static void a_secret_in_a_file(void **state)
{
	say(*state, "{\"t\":60006,\"k\":\"secret\",\"text\":\"hunter2-hunter2\",\"what\":\"a secret\"}");
	say(*state, "{\"t\":60006,\"k\":\"file\",\"path\":\"LOG\"}");
	expect(*state, 0, 0, 0, 0);
	see(*state, PATCH("30000", "30001", "hunter2-hunter2", "remove", "U2", "204", ""));
	expect(*state, 0, 0, 0, 1);
}

static void a_program_that_crashed(void **state)
{
	say(*state, "{\"t\":60006,\"k\":\"unclean\",\"what\":\"broker 1\"}");
	expect(*state, 0, 0, 0, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(all_is_well),
		STORY(half_a_history_is_none),
		STORY(a_lost_request),
		STORY(a_request_that_is_another_s),
		STORY(a_call_that_was_carried_out_twice),
		STORY(a_call_that_was_never_answered),
		STORY(a_refused_call_that_was_carried_out),
		STORY(a_request_that_nobody_made),
		STORY(five_are_allowed_and_a_sixth_is_not),
		STORY(the_end_of_a_push_counts_as_its_beginning_does),
		STORY(look_ups_are_pushes_too),
		STORY(the_first_question_of_a_push_is_not_the_last_one_s),
		STORY(nor_is_one_that_is_answered_with_an_error),
		STORY(an_unanswered_question_is_the_removal_s),
		STORY(questions_after_a_removal_that_was_not_made),
		STORY(a_late_removal),
		STORY(a_removal_that_never_came),
		STORY(a_removal_that_was_not_made),
		STORY(what_is_given_back_ends_then),
		STORY(time_that_is_excused),
		STORY(time_without_tokens_or_machine),
		STORY(an_answer_that_was_an_error_excuses_the_next_try),
		STORY(access_without_a_grant),
		STORY(a_removal_against_a_grant),
		STORY(a_granted_member_who_is_missing),
		STORY(standing_members),
		STORY(a_stranger),
		STORY(a_gap_in_the_trail),
		STORY(a_missing_step),
		STORY(a_trail_that_was_altered),
		STORY(a_secret_in_a_file),
		STORY(a_program_that_crashed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
