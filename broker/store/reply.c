/* Reads the values of a reply. A wrong type reads as nil, so that a caller checks what it needs and no more. */
#include "store/reader.h"

#include <stdlib.h>
#include <string.h>

#define DIGITS_MAX 19 /* of an int64_t */

bool reply_is_error(const struct reply *reply)
{
	return reply != NULL && reply->kind == REPLY_ERROR;
}

size_t reply_count(const struct reply *reply)
{
	return reply != NULL && reply->kind == REPLY_ARRAY ? reply->count : 0;
}

const struct reply *reply_at(const struct reply *reply, size_t index)
{
	return index < reply_count(reply) ? reply->items[index] : NULL;
}

/* Optional minus and digits, nothing else, within int64_t; 0 otherwise. */
static int64_t read_digits(const char *text, size_t len)
{
	bool negative = len > 0 && text[0] == '-';
	size_t start = negative ? 1 : 0;
	uint64_t value = 0;
	if (len == start || len - start > DIGITS_MAX)
		return 0;
	for (size_t i = start; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return 0;
		value = value * 10 + (uint64_t)(text[i] - '0');
	}
	if (value > INT64_MAX)
		return 0;
	return negative ? -(int64_t)value : (int64_t)value;
}

int64_t reply_int(const struct reply *reply)
{
	if (reply == NULL)
		return 0;
	if (reply->kind == REPLY_INTEGER)
		return reply->integer;
	return reply->kind == REPLY_TEXT ? read_digits(reply->text, reply->len) : 0;
}

bool reply_is_text(const struct reply *reply)
{
	return reply != NULL && reply->kind == REPLY_TEXT;
}

const char *reply_text(const struct reply *reply)
{
	return reply_is_text(reply) ? reply->text : "";
}

size_t reply_text_len(const struct reply *reply)
{
	return reply_is_text(reply) ? reply->len : 0;
}

/* -- copies ----------------------------------------------------------------------------------------------- */

/* Values first, then the arrays' pointers, then the texts: so all of them are aligned. */
struct copying {
	struct reply *values;
	struct reply **items;
	char *texts;
};

/* The sum over the value and all within it; as deep as the reader lets a reply be. */
static void measure(const struct reply *reply, size_t *values, size_t *items, size_t *bytes)
{
	*values += 1;
	*items += reply->count;
	*bytes += reply->len + 1;
	for (size_t i = 0; i < reply->count; i++)
		measure(reply->items[i], values, items, bytes);
}

static struct reply *copy_value(struct copying *to, const struct reply *from)
{
	struct reply *reply = to->values++;
	*reply = *from;
	reply->text = to->texts;
	reply->items = to->items;
	if (from->len > 0)
		memcpy(to->texts, from->text, from->len);
	to->texts[from->len] = '\0';
	to->texts += from->len + 1;
	to->items += from->count;
	for (size_t i = 0; i < from->count; i++)
		reply->items[i] = copy_value(to, from->items[i]);
	return reply;
}

struct reply *reply_copy(const struct reply *reply)
{
	size_t values = 0, items = 0, bytes = 0;
	measure(reply, &values, &items, &bytes);
	/* What the reader has built is far below SIZE_MAX. */
	struct reply *memory = malloc(values * sizeof(*memory) + items * sizeof(struct reply *) + bytes);
	if (memory == NULL)
		return NULL;
	struct copying to = {.values = memory, .items = (struct reply **)(memory + values)};
	to.texts = (char *)(to.items + items);
	return copy_value(&to, reply);
}
