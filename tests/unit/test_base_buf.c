/* The bounded buffer: growth, the maximum, failure, hand-over. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

/* Lets an allocation that is too large return NULL under ASan too, as it does without. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "allocator_may_return_null=1";
}

static void test_empty(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 10);
	assert_null(b.data);
	assert_string_equal(buf_text(&b), "");
	assert_false(buf_failed(&b));
	buf_release(&b);
}

static void test_additions(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 100);
	buf_adds(&b, "a=");
	buf_addf(&b, "%d/%s", 7, "x");
	buf_add(&b, "\0z", 2);
	buf_add(&b, NULL, 0);
	assert_int_equal(b.len, 7);
	assert_memory_equal(b.data, "a=7/x\0z", 8);
	assert_false(buf_failed(&b));
	buf_release(&b);
	assert_null(b.data);
	assert_int_equal(b.max, 100);
}

/* Every length up to the maximum is kept whole; the first byte beyond it fails. */
static void test_maximum(void **state)
{
	(void)state;
	for (size_t max = 0; max < 300; max += 7) {
		struct buf b;

		buf_init(&b, max);
		for (size_t i = 0; i < max; i++)
			buf_add(&b, "x", 1);
		assert_false(buf_failed(&b));
		assert_int_equal(b.len, max);
		assert_int_equal(strlen(buf_text(&b)), max);
		assert_true(b.cap <= max + 1);
		buf_add(&b, "y", 1);
		assert_true(buf_failed(&b));
		assert_null(b.data);
		buf_release(&b);
	}
}

static void test_failure_lasts(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 4);
	buf_adds(&b, "abc");
	buf_addf(&b, "%d", 12);
	assert_true(buf_failed(&b));
	buf_adds(&b, "d");
	buf_add(&b, "", 0);
	assert_true(buf_failed(&b));
	assert_string_equal(buf_text(&b), "");
	assert_null(buf_detach(&b));

	buf_clear(&b);
	assert_false(buf_failed(&b));
	buf_adds(&b, "full");
	assert_string_equal(buf_text(&b), "full");
	buf_fail(&b);
	assert_true(buf_failed(&b));
	buf_release(&b);
	assert_false(buf_failed(&b));
}

static void test_clear_keeps_memory(void **state)
{
	struct buf b;
	char *memory;

	(void)state;
	buf_init(&b, 1000);
	buf_adds(&b, "text");
	memory = b.data;
	buf_clear(&b);
	assert_ptr_equal(b.data, memory);
	assert_string_equal(buf_text(&b), "");
	buf_adds(&b, "new");
	assert_string_equal(buf_text(&b), "new");
	buf_release(&b);
}

static void test_detach(void **state)
{
	struct buf b;
	char *text;

	(void)state;
	buf_init(&b, 10);
	text = buf_detach(&b);
	assert_string_equal(text, "");
	free(text);
	buf_adds(&b, "0123456789");
	text = buf_detach(&b);
	assert_string_equal(text, "0123456789");
	assert_int_equal(b.len, 0);
	assert_null(b.data);
	free(text);
	buf_adds(&b, "again");
	assert_string_equal(buf_text(&b), "again");
	buf_release(&b);
}

static void test_no_memory(void **state)
{
	static const size_t maxima[] = {PTRDIFF_MAX, SIZE_MAX};
	volatile size_t huge = PTRDIFF_MAX - 100;

	(void)state;
	for (size_t i = 0; i < sizeof(maxima) / sizeof(maxima[0]); i++) {
		struct buf b;

		buf_init(&b, maxima[i]);
		buf_adds(&b, "kept so far");
		/* No byte is read, because the room for them cannot be had. */
		buf_add(&b, "", huge);
		assert_true(buf_failed(&b));
		assert_null(b.data);
		buf_release(&b);
	}
}

static void test_long_format(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 20000);
	buf_addf(&b, "%*s|", 9999, "right");
	assert_int_equal(b.len, 10000);
	assert_string_equal(b.data + 9994, "right|");
	buf_addf(&b, "%*s|", 9999, "right");
	assert_int_equal(b.len, 20000);
	assert_false(buf_failed(&b));
	buf_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_additions),
		cmocka_unit_test(test_maximum),
		cmocka_unit_test(test_failure_lasts),
		cmocka_unit_test(test_clear_keeps_memory),
		cmocka_unit_test(test_detach),
		cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_long_format),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
