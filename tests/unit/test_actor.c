/* Who asks, as the audit keeps it: what is known and nothing else, whatever the texts hold. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "activation/actor.h"
#include "base/id.h"

static void test_written(void **state)
{
	static const char *const strengths[] = {"mfa", "urn:\"gold\""};
	const struct {
		struct actor actor;
		const char *text;
	} rows[] = {
		{{0}, "{}"},
		{{.id = "", .how = "token"}, "{\"how\":\"token\"}"},
		{{.id = "i", .name = "a@example.com", .subject = "s", .how = "https://login.example.com"},
		 "{\"id\":\"i\",\"userName\":\"a@example.com\",\"subject\":\"s\",\"how\":\"https://"
		 "login.example.com\"}"},
		{{.id = "i", .address = "::1", .call = "c"},
		 "{\"id\":\"i\",\"address\":\"::1\",\"call\":\"c\"}"},
		{{.how = "x", .strengths = strengths, .strength_count = 2},
		 "{\"how\":\"x\",\"strengths\":[\"mfa\",\"urn:\\\"gold\\\"\"]}"},
		{{.strengths = strengths, .strength_count = 1}, "{\"strengths\":[\"mfa\"]}"},
		{{.name = "\"},\\\n"}, "{\"userName\":\"\\\"},\\\\\\n\"}"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf out;

		buf_init(&out, ACTOR_MAX);
		actor_write(&rows[i].actor, &out);
		assert_false(buf_failed(&out));
		assert_string_equal(buf_text(&out), rows[i].text);
		buf_release(&out);
	}
}

/* The longest texts that sign-in lets through, which holds no control characters back for us to escape. */
static void test_longest(void **state)
{
	char text[NAME_SIZE], how[512];
	const char *const strengths[ACTOR_STRENGTHS_MAX] = {text, text, text, text, text, text, text, text};
	struct actor actor = {
		.id = text, .name = text, .subject = text, .how = how, .address = "::1", .call = text};
	actor.strengths = strengths;
	actor.strength_count = ACTOR_STRENGTHS_MAX;
	struct buf out;

	(void)state;
	memset(text, '"', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	memset(how, '\\', sizeof(how) - 1);
	how[sizeof(how) - 1] = '\0';
	buf_init(&out, ACTOR_MAX);
	actor_write(&actor, &out);
	assert_false(buf_failed(&out));
	buf_release(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_written), cmocka_unit_test(test_longest)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
