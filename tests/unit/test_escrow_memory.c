/* What a large escrow takes while it is read goes back to the system: the broker that has read it lives on. */
#include "tests/unit/test_escrow_folder.h"

#include <uv.h>

#define MIB (1024 * 1024)

static long resident(void)
{
	FILE *file = fopen("/proc/self/statm", "r");
	long pages = 0;

	assert_non_null(file);
	assert_int_equal(fscanf(file, "%*d %ld", &pages), 1);
	fclose(file);
	return pages * sysconf(_SC_PAGESIZE);
}

/* As libuv's pool does it: the thread has a heap of its own. */
static void fill(void *ctx)
{
	char person[32];

	for (int i = 0; i < 100000; i++) {
		struct escrow_line line;

		snprintf(person, sizeof(person), "person-%d@example.com", i);
		line = line_of(ESCROW_ADD, person, i, 1000);
		if (!ledger_take(ctx, 0, &line))
			return;
	}
}

static void test_memory_goes_back(void **state)
{
	long before = resident(), with;
	struct ledger *ledger = ledger_new();
	uv_thread_t thread;

	(void)state;
	assert_non_null(ledger);
	assert_int_equal(uv_thread_create(&thread, fill, ledger), 0);
	assert_int_equal(uv_thread_join(&thread), 0);
	assert_int_equal(ledger_count(ledger), 100000);
	with = resident();
	ledger_free(ledger);
	assert_true(with - before > 16 * MIB);
	assert_true(resident() - before < 4 * MIB);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_memory_goes_back)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
