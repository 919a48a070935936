/*
 * Whatever Redis sends, in whatever pieces: a reply is read whole or refused, its copy is equal, a map of slots and a
 * sentinel name only masters that can be reached, and the start-up conversation comes to a verdict. The first byte is the size of
 * the pieces.
 */
#include <stdbool.h>
#include <string.h>

#include <hiredis/hiredis.h>

#include "store/answer.h"
#include "store/sentinel.h"
#include "store/setup.h"
#include "store/slots.h"
#include "tests/fuzz/fuzz.h"

static bool is_equal(const struct reply *a, const struct reply *b)
{
	bool equal = a->kind == b->kind && a->integer == b->integer && a->len == b->len &&
		     a->count == b->count && memcmp(a->text, b->text, a->len) == 0 && b->text[b->len] == '\0';
	for (size_t i = 0; equal && i < a->count; i++)
		equal = is_equal(a->items[i], b->items[i]);
	return equal;
}

static void check_copy(const struct reply *reply)
{
	struct reply *copy = reply_copy(reply);
	REQUIRE(copy != NULL && is_equal(reply, copy));
	free(copy);
}

static void check_address(const struct address *address)
{
	REQUIRE(address->host[0] != '\0' && strtol(address->port, NULL, 10) > 0 && address->with_tls);
}

static void check_slots(const struct reply *reply)
{
	const struct address asked = {.host = "asked", .port = "7000", .with_tls = true};
	struct slots *slots = malloc(sizeof(*slots));
	struct address to;
	unsigned slot;
	REQUIRE(slots != NULL);
	if (slots_read(slots, reply, &asked)) {
		REQUIRE(slots->count > 0 && slots->count <= MASTERS_MAX);
		for (size_t i = 0; i < slots->count; i++)
			check_address(&slots->masters[i]);
		for (size_t i = 0; i < SLOTS; i++)
			REQUIRE(slots->master_of[i] < slots->count || slots->master_of[i] == MASTER_NONE);
	}
	if (reply_is_error(reply) && slots_read_moved(reply->text, &asked, &slot, &to)) {
		REQUIRE(slot < SLOTS && answer_of(reply) == ANSWER_MOVED);
		check_address(&to);
	}
	if (sentinel_read(&to, reply, &asked))
		check_address(&to);
	free(slots);
}

/* Each command can be written, and the lanes are bounded where the conversation ends well. */
static bool converse(struct setup *setup, const struct reply *reply)
{
	char *text;
	size_t len;
	if (setup_command(setup, &text, &len) != ERR_OK)
		return false;
	REQUIRE(len > 0 && text[0] == '*');
	redisFreeCommand(text);
	switch (setup_reply(setup, reply)) {
	case SETUP_MORE:
		REQUIRE(setup->step < SETUP_STEPS);
		return true;
	case SETUP_READY:
		REQUIRE(setup->wish->known_lanes <= 1024);
		return false;
	case SETUP_REFUSED:
		REQUIRE(setup->why.text[0] != '\0');
		return false;
	}
	return false;
}

/* False once the peer has been found out. */
static bool check_replies(struct reader *reader, struct setup *setup, bool *talking)
{
	const struct reply *reply;
	enum reader_result result;
	while ((result = reader_next(reader, &reply)) == READER_REPLY) {
		check_copy(reply);
		check_slots(reply);
		REQUIRE((answer_of(reply) == ANSWER_VALUE) == !reply_is_error(reply));
		*talking = *talking && converse(setup, reply);
	}
	REQUIRE(result == READER_MORE || reader_why(reader)[0] != '\0');
	return result == READER_MORE;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct setup_wish wish = {.db = 1,
				  .user = "user",
				  .password = "password",
				  .schema = 1,
				  .waits = true,
				  .is_cluster = true,
				  .library = "x",
				  .library_len = 1,
				  .library_version = 2,
				  .lanes = 16};
	struct reader *reader = reader_new();
	struct setup setup;
	bool talking = true;
	size_t piece = size > 0 && data[0] > 0 ? data[0] : 1;
	REQUIRE(reader != NULL);
	setup_begin(&setup, &wish);
	for (size_t at = 1; at < size; at += piece) {
		size_t len = piece < size - at ? piece : size - at;
		REQUIRE(reader_feed(reader, (const char *)data + at, len));
		if (!check_replies(reader, &setup, &talking))
			break;
	}
	reader_free(reader);
	return 0;
}
