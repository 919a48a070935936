/* Reads the values of a reply. A wrong type reads as nil, so that a caller checks what it needs and no more. */
#include "store/reader.h"

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
