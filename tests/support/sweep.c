#include "tests/support/sweep.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/starve.h"

#define REST_ALL        200   /* so many allocations are followed by no other, ... */
#define REST_EACH       16    /* ... and one in so many of the others */
#define ALLOCATIONS_MAX 20000 /* of one piece of work; beyond, the test would never end */

void seen_add(struct seen *seen, const char *format, ...)
{
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(seen->text + seen->len, sizeof(seen->text) - seen->len, format, args);
	va_end(args);
	if (len < 0 || (size_t)len >= sizeof(seen->text) - seen->len)
		fail_msg("too much was seen");
	seen->len += (size_t)len;
}

struct swept {
	const char *name;
	sweep_work *work;
	const void *input;
	struct seen expected;
};

/* One run in which the n-th allocation fails; false when there is no n-th. */
static bool run(const struct swept *swept, long n, enum starve_how how)
{
	static struct seen seen;
	long failed;
	bool done;

	seen.len = 0;
	seen.text[0] = '\0';
	starve_from(n, how);
	done = swept->work(swept->input, &seen);
	failed = starve_end();
	if (!done && failed == 0)
		fail_msg("%s: memory is called short, and was not", swept->name);
	if (done && strcmp(seen.text, swept->expected.text) != 0)
		fail_msg("%s: without allocation %ld%s:\n%s\ninstead of\n%s", swept->name, n,
			 how == STARVE_ONE ? "" : " and those after it", seen.text, swept->expected.text);
	return failed > 0;
}

long sweep(const char *name, sweep_work *work, const void *input)
{
	static struct swept swept;
	long n = 1;

	swept = (struct swept){.name = name, .work = work, .input = input};
	if (!work(input, &swept.expected))
		fail_msg("%s: does not work with memory enough", name);
	while (run(&swept, n, STARVE_ONE)) {
		if (n <= REST_ALL || n % REST_EACH == 0)
			run(&swept, n, STARVE_REST);
		if (++n > ALLOCATIONS_MAX)
			fail_msg("%s: there is no end", name);
	}
	return n - 1;
}
