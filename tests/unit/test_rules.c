/* What refusals tell besides their sentence: with which words a stronger sign-in is asked for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "api/rules.h"

#define WORDS_MAX 4

/* "too weak", where one of these would do. */
static struct policy_verdict too_weak(const struct policy_names *words)
{
	struct policy_verdict verdict = {.count = 2};

	verdict.refusals[0] =
		(struct policy_refusal){.rule = "ExpirationRule", .limit = "PT1H", .given = "PT2H"};
	verdict.refusals[1] = (struct policy_refusal){
		.rule = "AcrsRule", .limit = "as printed", .given = "none", .sign_in = words};
	return verdict;
}

static void test_words(void **state)
{
	static const struct {
		const char *words[WORDS_MAX];
		size_t count;
		const char *challenge, *member;
	} rows[] = {
		{{"mfa"},
		 1,
		 "Bearer error=\"insufficient_user_authentication\", acr_values=\"mfa\"",
		 ",\"acrValues\":\"mfa\""},
		{{"c1", "urn:example:loa:2"},
		 2,
		 "Bearer error=\"insufficient_user_authentication\", acr_values=\"c1 urn:example:loa:2\"",
		 ",\"acrValues\":\"c1 urn:example:loa:2\""},
		/* What would be two words, or end the quoted string, or stand in no header field, is left out. */
		{{"c1", "two words", "quo\"te", "back\\slash"},
		 4,
		 "Bearer error=\"insufficient_user_authentication\", acr_values=\"c1\"",
		 ",\"acrValues\":\"c1\""},
		{{"z\xc3\xbcrich", "line\r\nfeed"}, 2, "", ""},
		{{NULL}, 0, "", ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *list[WORDS_MAX];
		struct policy_names words = {list, rows[i].count};
		struct policy_verdict verdict = too_weak(&words);
		struct buf challenge, details, expected;

		memcpy(list, rows[i].words, sizeof(list));
		buf_init(&challenge, 1024);
		buf_init(&details, 1024);
		buf_init(&expected, 1024);
		rules_challenge(&verdict, &challenge);
		rules_list(&verdict, false, &details);
		buf_addf(&expected,
			 "[{\"rule\":\"ExpirationRule\",\"result\":\"refused\",\"limit\":\"PT1H\",\"given\":"
			 "\"PT2H\"},"
			 "{\"rule\":\"AcrsRule\",\"result\":\"refused\",\"limit\":\"as "
			 "printed\",\"given\":\"none\"%s}]",
			 rows[i].member);
		assert_string_equal(buf_text(&challenge), rows[i].challenge);
		assert_string_equal(buf_text(&details), buf_text(&expected));
		buf_release(&challenge);
		buf_release(&details);
		buf_release(&expected);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
