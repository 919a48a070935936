/* A broker whose callers have tokens of a real OpenID provider, while its memory runs out: nobody is let in or kept out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "tests/support/office.h"
#include "tests/support/starve.h"

#define ALLOCATIONS_MAX 5000

struct starved_office {
	struct office office; /* first: what cmocka hands around */
	char file[64];
};

static int open_office(void **state)
{
	struct starved_office *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return -1;
	*state = &s->office;
	snprintf(s->file, sizeof(s->file), "/tmp/jit-starve-%d", (int)getpid());
	s->office.program = "tests/starved/jit-broker";
	return starve_others(s->file) && oidc_provider_start(&s->office.provider) ? 0 : -1;
}

static int close_office(void **state)
{
	struct starved_office *s = *state;
	char file[64];

	snprintf(file, sizeof(file), "%s", s->file);
	unlink(file);
	return office_teardown(state);
}

static bool is_refusal(int status, const char *words)
{
	/* OpenSSL does not always tell want of memory from a signature that is wrong. */
	return status == 0 || status == 500 || status == 503 ||
	       (status == 401 && strcmp(words, "The token's signature is wrong.") == 0);
}

/* One call with a token of its own: one that was verified before is remembered. False when there is no n-th allocation. */
static bool called_without(const struct office *o, const char *wanted, long n)
{
	char *token = office_token(o, wanted);
	struct http_response response;
	const char *words;
	long failed;

	starve_from(n, STARVE_ONE);
	office_get(o, token, OFFICE_MINE, &response);
	failed = starve_end();
	words = http_json_text(&response, "error.message");
	if (response.status != 200 &&
	    (failed == 0 || !is_refusal(response.status, words != NULL ? words : "")))
		fail_msg("%s: without allocation %ld: %s", wanted, n, buf_text(&response.body));
	http_response_release(&response);
	assert_int_equal(office_status(o, token, OFFICE_MINE), 200);
	free(token);
	return failed > 0;
}

static void tokens_are_verified(void **state)
{
	static const char *const wanted[] = {"{\"alg\":\"RS256\"}", "{\"alg\":\"PS256\"}",
					     "{\"alg\":\"ES256\"}", "{\"alg\":\"EdDSA\"}"};
	struct office *o = *state;

	office_open(o);
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		long n = 1;

		while (called_without(o, wanted[i], n))
			assert_true(++n < ALLOCATIONS_MAX);
		print_message("%s and a list: %ld allocations\n", wanted[i], n - 1);
		assert_true(n > 50);
	}
	world_passed(&o->world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(tokens_are_verified, open_office, close_office),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
