/* A time or duration that is accepted is within its bounds and reads the same after it was written. */
#include <string.h>

#include "base/iso8601.h"
#include "tests/fuzz/fuzz.h"

#define TEXT_MAX        64
#define TIME_END_MS     INT64_C(253402300800000)
#define DURATION_MAX_MS (36525 * INT64_C(86400000))

static void check_moment(const char *text)
{
	struct errctx ec = {.text = ""};
	char written[ISO8601_TIME_SIZE];
	int64_t ms = -1, again = -1;
	enum err err = iso8601_parse_time(text, &ms, &ec);

	if (err) {
		REQUIRE(err == ERR_BAD_REQUEST && ms == -1 && ec.text[0] != '\0');
		return;
	}
	REQUIRE(ms >= 0 && ms < TIME_END_MS);
	iso8601_format_time(ms, written);
	REQUIRE(iso8601_parse_time(written, &again, NULL) == ERR_OK && again == ms);
	/* In UTC the written text begins as the given one does. */
	if (text[19] == 'Z')
		REQUIRE(strncmp(text, written, 19) == 0);
}

static void check_duration_text(const char *text)
{
	struct errctx ec = {.text = ""};
	char written[ISO8601_DURATION_SIZE];
	int64_t ms = -1, again = -1;
	enum err err = iso8601_parse_duration(text, &ms, &ec);

	if (err) {
		REQUIRE(err == ERR_BAD_REQUEST && ms == -1 && ec.text[0] != '\0');
		return;
	}
	REQUIRE(ms > 0 && ms <= DURATION_MAX_MS);
	iso8601_format_duration(ms, written);
	REQUIRE(iso8601_parse_duration(written, &again, NULL) == ERR_OK && again == ms);
}

/* Any number can be written; what lies within the bounds can be read again. */
static void check_number(int64_t ms)
{
	char moment[ISO8601_TIME_SIZE], duration[ISO8601_DURATION_SIZE];
	int64_t again = -1;

	iso8601_format_time(ms, moment);
	REQUIRE((iso8601_parse_time(moment, &again, NULL) == ERR_OK) == (ms >= 0 && ms < TIME_END_MS));
	REQUIRE(again == -1 || again == ms);

	ms = ms < 0 ? -(ms + 1) : ms;
	again = -1;
	iso8601_format_duration(ms, duration);
	REQUIRE((iso8601_parse_duration(duration, &again, NULL) == ERR_OK) ==
		(ms > 0 && ms <= DURATION_MAX_MS));
	REQUIRE(again == -1 || again == ms);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[TEXT_MAX] = "";
	int64_t number = 0;

	memcpy(text, data, size < TEXT_MAX ? size : TEXT_MAX - 1);
	check_moment(text);
	check_duration_text(text);
	memcpy(&number, data, size < sizeof(number) ? size : sizeof(number));
	check_number(number);
	return 0;
}
