/*
 * An exported audit file with anything in it: it is read to its end or to the first thing that is wrong, which is told with
 * its line. With a key no more is found right than without, and what is right is so when it comes twice.
 */
#include <string.h>

#include "audit/exported.h"
#include "tests/fuzz/fuzz.h"

#define KEY "0123456789abcdef0123456789abcdef"

static struct exported_report check(const char *text, size_t len, const char *key)
{
	const struct exported_keys keys = {key, ""};
	struct exported_report report;
	FILE *in = len > 0 ? fmemopen((void *)(uintptr_t)text, len, "r") : fopen("/dev/null", "r");

	REQUIRE(in != NULL);
	REQUIRE(exported_check(in, &keys, &report) == ERR_OK);
	fclose(in);
	REQUIRE((report.line == 0) == (report.why.text[0] == '\0'));
	REQUIRE(report.events >= report.lanes && report.events >= report.seals);
	REQUIRE(report.unsealed >= 0 && report.unsealed <= report.events);
	REQUIRE(report.unchecked >= 0 && report.unchecked <= report.events);
	return report;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *twice = malloc(2 * size + 2);

	REQUIRE(twice != NULL);
	memcpy(twice, data, size);
	twice[size] = '\n';
	memcpy(twice + size + 1, data, size);
	twice[2 * size + 1] = '\n';
	struct exported_report once = check(twice, size + 1, "");
	struct exported_report again = check(twice, 2 * size + 2, "");
	struct exported_report keyed = check(twice, size + 1, KEY);
	REQUIRE(keyed.seals <= once.seals && (once.line == 0 || keyed.line != 0));
	/* What is wrong is so in the same place. What is right is repeated, as far back as is looked. */
	REQUIRE(once.line == 0 || (again.line == once.line && again.events == once.events));
	REQUIRE(once.line != 0 || again.line != 0 ||
		(again.events == once.events && again.repeated == 2 * once.repeated + once.events));
	free(twice);
	return 0;
}
