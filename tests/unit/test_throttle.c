/* The settings of an application's bucket. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "throttle/throttle.h"

static void test_contradictions(void **state)
{
	/* What is set, and a part of the sentence that refuses it; NULL = accepted. */
	static const struct {
		struct throttle throttle;
		const char *refusal;
	} rows[] = {
		{{1, 1, 0, 0, 1}, NULL},
		{{5, 10000, 0, 0, 2400000}, NULL},
		{{5, 10000, 4, 3600000, 2400000}, NULL},
		{{5, 10000, 5, 0, 2400000}, "a cycle_reserve of 5 out of 5 pushes"},
		{{5, 10000, 6, 0, 2400000}, "at most 4"},
		{{1, 10000, 1, 0, 2400000}, "at most 0"},
		{{5, 10000, -1, 0, 2400000}, "reserve"},
		{{0, 10000, 0, 0, 2400000}, "without tokens"},
		{{-5, 10000, -6, 0, 2400000}, "without tokens"},
		{{5, 0, 3, 0, 2400000}, "throttle nothing"},
		{{5, 10000, 3, -1, 2400000}, "wait"},
		{{5, 10000, 3, 0, 0}, "cycles"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct errctx ec = {.text = ""};
		enum err err = throttle_check(&rows[i].throttle, &ec);

		if (err != (rows[i].refusal ? ERR_CONFIG : ERR_OK))
			fail_msg("row %zu: err %d, %s", i, (int)err, ec.text);
		if (rows[i].refusal && !strstr(ec.text, rows[i].refusal))
			fail_msg("row %zu: %s", i, ec.text);
		assert_int_equal(throttle_check(&rows[i].throttle, NULL), err);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_contradictions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
