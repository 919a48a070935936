/* The sums of the audit: an event's link and line, seals and anchors, and places; from replies as Redis gives them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "audit/verify.h"

#define KEY    "0123456789abcdef0123456789abcdef"
#define FORMER "another key that is long enough for it"

/* An event as it would be read. */
static struct audit_event event_of(int64_t number, const char *name)
{
	struct audit_event event = {.number = number, .link = "l"};

	for (size_t i = 0; i < AUDIT_FIELDS; i++)
		event.fields[i] = (struct audit_text){"", 0};
	event.fields[AUDIT_EVENT] = (struct audit_text){name, strlen(name)};
	event.fields[AUDIT_AT] = (struct audit_text){"1800000000123", 13};
	return event;
}

static void set(struct audit_event *event, enum audit_field field, const char *text)
{
	event->fields[field] = (struct audit_text){text, strlen(text)};
}

static void expect_line(const struct audit_event *event, const char *line)
{
	struct buf out;

	buf_init(&out, 4096);
	audit_event_line(event, 3, &out);
	assert_string_equal(buf_text(&out), line);
	buf_release(&out);
}

static void test_lines(void **state)
{
	struct audit_event event = event_of(17, "deny");

	(void)state;
	expect_line(&event, "{\"lane\":3,\"number\":17,\"time\":\"2027-01-15T08:00:00.123Z\",\"event\":"
			    "\"deny\",\"link\":\"l\"}");
	set(&event, AUDIT_WHO, "{ \"id\" : \"i\" }");
	set(&event, AUDIT_WHY, "line\n\"two\"");
	set(&event, AUDIT_START, "0");
	expect_line(&event, "{\"lane\":3,\"number\":17,\"time\":\"2027-01-15T08:00:00.123Z\",\"event\":"
			    "\"deny\",\"actor\":{\"id\":"
			    "\"i\"},\"start\":\"1970-01-01T00:00:00.000Z\",\"why\":\"line\\n\\\"two\\\"\","
			    "\"link\":\"l\"}");
	/* What is no JSON cannot make a line of its own. */
	set(&event, AUDIT_WHO, "{}\n{\"lane\":4}");
	event.fields[AUDIT_START].len = event.fields[AUDIT_WHY].len = 0;
	expect_line(&event, "{\"lane\":3,\"number\":17,\"time\":\"2027-01-15T08:00:00.123Z\",\"event\":"
			    "\"deny\",\"actor\":\"{}\\n{"
			    "\\\"lane\\\":4}\",\"link\":\"l\"}");
}

/* Nothing can be moved from one value to the next, to another number, or behind another event. */
static void test_links(void **state)
{
	struct audit_event event = event_of(2, "ab");
	char first[SHA1_HEX], other[SHA1_HEX];

	(void)state;
	assert_true(audit_event_link(&event, "x", first));
	assert_true(audit_event_link(&event, "x", other));
	assert_string_equal(first, other);
	assert_true(audit_event_link(&event, "y", other));
	assert_string_not_equal(first, other);
	event.number = 3;
	assert_true(audit_event_link(&event, "x", other));
	assert_string_not_equal(first, other);
	event.number = 2;
	set(&event, AUDIT_EVENT, "a");
	set(&event, AUDIT_REQUEST, "b");
	assert_true(audit_event_link(&event, "x", other));
	assert_string_not_equal(first, other);
}

static void test_seals(void **state)
{
	const struct seal_keys keys = {KEY, ""}, later = {FORMER, KEY}, others = {FORMER, ""},
			       none = {"", ""};
	struct seal seal = {.from = 1, .to = 2}, read;
	struct audit_event event = event_of(1, "push");
	char details[SEAL_DETAILS_SIZE];
	struct errctx why;
	struct buf lines;

	(void)state;
	seal_lines_begin(&lines, "");
	seal_lines_add(&lines, 3, &event);
	event.number = 2;
	seal_lines_add(&lines, 3, &event);
	assert_true(seal_lines_end(&lines, seal.digest));
	seal_make(&seal, 3, &keys);
	seal_print(&seal, details);
	assert_int_equal(seal_read(&read, &(struct audit_text){details, strlen(details)}), ERR_OK);
	assert_int_equal(read.from, 1);
	assert_int_equal(read.to, 2);
	assert_string_equal(read.digest, seal.digest);
	assert_string_equal(read.key, seal.key);
	assert_string_equal(read.mac, seal.mac);
	assert_true(seal_holds(&seal, 3, &keys, &why));
	assert_true(seal_holds(&seal, 3, &later, &why));
	assert_true(seal_holds(&seal, 3, &none, &why));
	assert_false(seal_holds(&seal, 3, &others, &why));
	assert_false(seal_holds(&seal, 4, &keys, &why));
	read.to = 3;
	assert_false(seal_holds(&read, 3, &keys, &why));
	read = seal;
	read.digest[0] = read.digest[0] == '0' ? '1' : '0';
	assert_false(seal_holds(&read, 3, &keys, &why));
	read = seal;
	read.mac[0] = '\0';
	assert_false(seal_holds(&read, 3, &keys, &why));
	assert_int_equal(seal_read(&read, &(struct audit_text){"{}", 2}), ERR_BAD_REQUEST);
	assert_int_equal(seal_read(&read, &(struct audit_text){"", 0}), ERR_BAD_REQUEST);
}

static void test_anchors(void **state)
{
	const struct seal_keys keys = {KEY, ""}, others = {FORMER, ""};
	struct audit_anchor anchor = {.number = 500, .link = "l", .digest = "d"};
	struct seal texts;
	struct errctx why;

	(void)state;
	seal_anchor(&anchor, 3, &keys, &texts);
	assert_true(seal_anchor_holds(&anchor, 3, &keys, &why));
	assert_false(seal_anchor_holds(&anchor, 3, &others, &why));
	assert_false(seal_anchor_holds(&anchor, 2, &keys, &why));
	anchor.number = 501;
	assert_false(seal_anchor_holds(&anchor, 3, &keys, &why));
}

static void test_places(void **state)
{
	static const char *const wrong[] = {"",           "1",        "1.2",
					    "1.2.3.4.5",  "1.2..3.x", "1.2..3. ",
					    "1024.0..0.", "-1.0..0.", "1.9999999999999999..0.",
					    "1.0.zz.0.",  "1.0..0.0"};
	struct audit_place place = {.lane = 3, .number = 17, .sealed_to = 12}, read;
	char text[AUDIT_PLACE_SIZE];

	(void)state;
	assert_true(audit_place_read(&read, "0.0..0."));
	memset(place.link, 'a', SHA1_HEX - 1);
	memset(place.digest, 'b', SHA256_HEX - 1);
	audit_place_print(&place, text);
	assert_true(audit_place_read(&read, text));
	assert_int_equal(read.lane, place.lane);
	assert_int_equal(read.number, place.number);
	assert_int_equal(read.sealed_to, place.sealed_to);
	assert_string_equal(read.link, place.link);
	assert_string_equal(read.digest, place.digest);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		if (audit_place_read(&read, wrong[i]))
			fail_msg("%s is taken for a place", wrong[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),   cmocka_unit_test(test_links),  cmocka_unit_test(test_seals),
		cmocka_unit_test(test_anchors), cmocka_unit_test(test_places),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
