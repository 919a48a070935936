/* Ids that carry their lane. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/id.h"

static void test_made_ids(void **state)
{
	static const unsigned lanes[] = {0, 1, 15, 255, 256, LANES_MAX - 1};
	char id[ID_SIZE], other[ID_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(lanes) / sizeof(lanes[0]); i++) {
		id_make(lanes[i], id);
		id_make(lanes[i], other);
		assert_int_equal(strlen(id), ID_SIZE - 1);
		assert_true(id_valid(id));
		assert_int_equal(id_lane(id), lanes[i]);
		assert_string_not_equal(id, other);
	}
}

/* All bits but those of lane, version and variant are random: over many ids each takes both values. */
static void test_made_ids_are_random(void **state)
{
	char id[ID_SIZE], first[ID_SIZE];
	bool changed[ID_SIZE] = {false};

	(void)state;
	id_make(3, first);
	for (int i = 0; i < 200; i++) {
		id_make(3, id);
		for (size_t k = 0; k < ID_SIZE; k++)
			changed[k] = changed[k] || id[k] != first[k];
	}
	for (size_t k = 0; k < ID_SIZE; k++) {
		bool fixed = k < 4 || k == 8 || k == 13 || k == 14 || k == 18 || k == 23 || k == 36;

		assert_int_equal(changed[k], !fixed);
	}
}

static void test_derived_ids(void **state)
{
	char id[ID_SIZE], again[ID_SIZE], other[ID_SIZE];

	(void)state;
	id_derive(5, "app\0group", 9, id);
	/* SHA-256 of these bytes, its first 16 bytes with lane, version and variant stamped over them. */
	assert_string_equal(id, "00051e1f-96c2-8668-a179-0242cd7f14b5");
	id_derive(5, "app\0group", 9, again);
	assert_string_equal(id, again);
	assert_int_equal(id_lane(id), 5);

	id_derive(5, "app\0grouq", 9, other);
	assert_string_not_equal(id, other);
	id_derive(6, "app\0group", 9, other);
	assert_int_equal(id_lane(other), 6);
	assert_string_equal(id + 4, other + 4);
	id_derive(0, "", 0, other);
	assert_true(id_valid(other));
}

static void test_texts(void **state)
{
	static const struct {
		const char *text;
		bool valid;
		int lane;
	} rows[] = {
		{"000f1234-89ab-8def-8123-456789abcdef", true, 15},
		{"03ff1234-89ab-8def-b123-456789abcdef", true, 1023},
		{"04001234-89ab-8def-b123-456789abcdef", true, -1}, /* lane beyond LANES_MAX */
		{"ffff1234-89ab-8def-b123-456789abcdef", true, -1},
		{"000F1234-89ab-8def-8123-456789abcdef", true, -1}, /* upper case */
		{"000f1234-89ab-8def-8123-456789abcdeF", true, -1},
		{"000f1234-89ab-4def-8123-456789abcdef", true, -1}, /* version 4 */
		{"000f1234-89ab-8def-7123-456789abcdef", true, -1}, /* another variant */
		{"000f1234-89ab-8def-c123-456789abcdef", true, -1},
		{"00000000-0000-0000-0000-000000000000", true, -1},
		{"000f1234-89ab-8def-8123-456789abcde", false, -1},
		{"000f1234-89ab-8def-8123-456789abcdef0", false, -1},
		{"000f1234-89ab-8def-8123-456789abcdef ", false, -1},
		{"{00f1234-89ab-8def-8123-456789abcdef}", false, -1},
		{"000f123489ab-8def-8123-456789abcdef-", false, -1},
		{"000f1234-89ab-8def-8123-456789abcdeg", false, -1},
		{"000f1234-89ab-8def-8123-45678-abcdef", false, -1},
		{"000f1234-", false, -1},
		{"", false, -1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (id_valid(rows[i].text) != rows[i].valid || id_lane(rows[i].text) != rows[i].lane)
			fail_msg("%s: valid %d, lane %d", rows[i].text, id_valid(rows[i].text),
				 id_lane(rows[i].text));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_made_ids),
		cmocka_unit_test(test_made_ids_are_random),
		cmocka_unit_test(test_derived_ids),
		cmocka_unit_test(test_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
