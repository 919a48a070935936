/* The body of a batch: what is read of it, and what is refused with which sentence. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "api/batch.h"

#define LEN(a)      (sizeof(a) / sizeof(*(a)))
#define ITEM(id)    "{\"id\":\"" id "\",\"method\":\"GET\",\"url\":\"/u\"}"
#define AFTER(i, d) "{\"id\":\"" i "\",\"method\":\"GET\",\"url\":\"/u\",\"dependsOn\":[" d "]}"
#define BATCH(list) "{\"requests\":[" list "]}"
#define HOW_MANY    "requests must be a list of 1 to 20 requests."
#define NEEDS_ID    "Each request needs an id, a string of at most 64 bytes."
#define TEN                                                                                                  \
	ITEM("a")                                                                                            \
	"," ITEM("b") "," ITEM("c") "," ITEM("d") "," ITEM("e") "," ITEM("f") "," ITEM("g") "," ITEM(        \
		"h") "," ITEM("i") "," ITEM("j")
#define TEN_MORE                                                                                             \
	ITEM("A")                                                                                            \
	"," ITEM("B") "," ITEM("C") "," ITEM("D") "," ITEM("E") "," ITEM("F") "," ITEM("G") "," ITEM(        \
		"H") "," ITEM("I") "," ITEM("J")
#define ID_64 "0123456789012345678901234567890123456789012345678901234567890123"

static const struct row {
	const char *text, *says; /* "ID:METHOD:URL<after;…", or the sentence of the refusal */
} rows[] = {
	{BATCH(ITEM("1")), "1:GET:/u<0;"},
	{BATCH(ITEM("1") "," AFTER("2", "\"1\"")), "1:GET:/u<0;2:GET:/u<1;"},
	/* Also on one that comes later, and on several. */
	{BATCH(AFTER("1", "\"2\"") "," ITEM("2") "," AFTER("3", "\"1\",\"2\"")),
	 "1:GET:/u<2;2:GET:/u<0;3:GET:/u<3;"},
	{BATCH("{\"id\":\"1\",\"method\":\"POST\",\"url\":\"x\",\"body\":{\"a\":1},\"headers\":{\"N\":\"v\"},"
	       "\"dependsOn\":null}"),
	 "1:POST:x<0;"},
	{BATCH(ITEM(ID_64)), ID_64 ":GET:/u<0;"},
	{BATCH(ITEM(ID_64 "x")), NEEDS_ID},
	{BATCH(ITEM("")), NEEDS_ID},
	{BATCH("{\"id\":1,\"method\":\"GET\",\"url\":\"/u\"}"), NEEDS_ID},
	{BATCH("1"), NEEDS_ID},
	{BATCH("[]"), NEEDS_ID},
	{"{}", HOW_MANY},
	{"{\"requests\":{}}", HOW_MANY},
	{BATCH(""), HOW_MANY},
	{BATCH(TEN "," TEN_MORE "," ITEM("x")), HOW_MANY},
	{BATCH("{\"id\":\"1\",\"url\":\"/u\"}"), "Request '1' needs a method and a url."},
	{BATCH("{\"id\":\"1\",\"method\":\"GET\"}"), "Request '1' needs a method and a url."},
	{BATCH(ITEM("1") "," ITEM("1")), "The id '1' is given twice."},
	{BATCH("{\"id\":\"1\",\"method\":\"GET\",\"url\":\"/u\",\"body\":\"eA==\"}"),
	 "The body of '1' must be a JSON object."},
	{BATCH("{\"id\":\"1\",\"method\":\"GET\",\"url\":\"/u\",\"headers\":[]}"),
	 "headers of '1' must be an object of at most 16 strings."},
	{BATCH("{\"id\":\"1\",\"method\":\"GET\",\"url\":\"/u\",\"headers\":{\"a\":1}}"),
	 "headers of '1' must be strings."},
	{BATCH("{\"id\":\"1\",\"method\":\"GET\",\"url\":\"/u\",\"dependsOn\":\"1\"}"),
	 "dependsOn of '1' must be a list of ids."},
	{BATCH(AFTER("1", "\"2\"")), "dependsOn of '1' names no request of the batch."},
	{BATCH(AFTER("1", "2")), "dependsOn of '1' names no request of the batch."},
	{BATCH(AFTER("1", "\"1\"")), "dependsOn goes in a circle."},
	{BATCH(AFTER("1", "\"3\"") "," AFTER("2", "\"1\"") "," AFTER("3", "\"2\"")),
	 "dependsOn goes in a circle."},
};

static void print(const struct batch *batch, char *out, size_t size)
{
	size_t at = 0;

	out[0] = '\0';
	for (size_t i = 0; i < batch->count; i++)
		at += (size_t)snprintf(out + at, size - at, "%s:%s:%s<%u;", batch->items[i].id,
				       batch->items[i].method, batch->items[i].url, batch->items[i].after);
}

static void bodies_are_read_or_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		struct batch batch;
		struct errctx ec = {""};
		char seen[512];

		if (batch_read(rows[i].text, strlen(rows[i].text), &batch, &ec) == ERR_OK) {
			print(&batch, seen, sizeof(seen));
			batch_release(&batch);
		} else {
			snprintf(seen, sizeof(seen), "%s", ec.text);
		}
		if (strcmp(seen, rows[i].says) != 0)
			fail_msg("%s\n  says     %s\n  expected %s", rows[i].text, seen, rows[i].says);
	}
}

static void twenty_fit(void **state)
{
	struct batch batch;
	struct errctx ec;

	(void)state;
	assert_int_equal(batch_read(BATCH(TEN "," TEN_MORE), strlen(BATCH(TEN "," TEN_MORE)), &batch, &ec),
			 ERR_OK);
	assert_int_equal(batch.count, BATCH_MAX);
	batch_release(&batch);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bodies_are_read_or_refused),
		cmocka_unit_test(twenty_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
