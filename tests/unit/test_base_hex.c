/* Every byte as a digit, and pairs of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/hex.h"

static void test_digits(void **state)
{
	static const char lower[] = "0123456789abcdef", upper[] = "0123456789ABCDEF";

	(void)state;
	for (int c = 0; c < 256; c++) {
		const char *low = c != 0 ? strchr(lower, c) : NULL, *high = c != 0 ? strchr(upper, c) : NULL;
		int expected = low != NULL ? (int)(low - lower) : high != NULL ? (int)(high - upper) : -1;

		assert_int_equal(hex_value((char)c), expected);
	}
}

static void test_bytes(void **state)
{
	char text[3];

	(void)state;
	for (int byte = 0; byte < 256; byte++) {
		snprintf(text, sizeof(text), byte % 2 == 0 ? "%02x" : "%02X", (unsigned)byte);
		assert_int_equal(hex_byte(text), byte);
	}
	assert_int_equal(hex_byte(""), -1);
	assert_int_equal(hex_byte("f"), -1);
	assert_int_equal(hex_byte("g0"), -1);
	assert_int_equal(hex_byte("0:"), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_digits),
		cmocka_unit_test(test_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
