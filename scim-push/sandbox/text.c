/*
 * The identity store's patterns ([\p{L}\p{M}\p{S}\p{N}\p{P}]+, with or without white space) and the characters
 * that its SCIM layer refuses besides. Unicode's categories are approximated by what is excluded: control and
 * format characters, separators and private use.
 */
#include "scim-push/sandbox/text.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/utf8.h"

struct range {
	uint32_t first, last;
};

static const struct range blanks[] = {{0x20, 0x20}, {0xa0, 0xa0}, {0x3000, 0x3000}};

static const struct range excluded[] = {
	{0x00, 0x1f},     {0x7f, 0x9f},     {0xad, 0xad},        {0x1680, 0x1680},
	{0x2000, 0x200f}, {0x2028, 0x202f}, {0x205f, 0x206f},    {0xd800, 0xf8ff},
	{0xfeff, 0xfeff}, {0xfff9, 0xfffb}, {0xf0000, 0x10ffff},
};

static bool within(const struct range *ranges, size_t count, uint32_t code)
{
	for (size_t i = 0; i < count; i++)
		if (code >= ranges[i].first && code <= ranges[i].last)
			return true;
	return false;
}

/* The code point of a valid character of `len` bytes. */
static uint32_t code_point(const unsigned char *bytes, size_t len)
{
	uint32_t code = len == 1 ? bytes[0] : bytes[0] & (0xffU >> (len + 1));

	for (size_t i = 1; i < len; i++)
		code = code << 6 | (bytes[i] & 0x3fU);
	return code;
}

static bool character_allowed(enum text_kind kind, uint32_t code)
{
	bool blank = within(blanks, sizeof(blanks) / sizeof(blanks[0]), code);
	bool usual = blank || !within(excluded, sizeof(excluded) / sizeof(excluded[0]), code);
	bool special = code < 0x80 && code != 0 && strchr("<>;:%", (int)code) != NULL;

	switch (kind) {
	case TEXT_USER_NAME:
	case TEXT_EXTERNAL_ID:
		return usual && !blank && !special;
	case TEXT_DISPLAY_NAME:
		return usual && !special;
	case TEXT_OTHER:
		break;
	}
	return usual || code == '\t' || code == '\n' || code == '\r';
}

bool text_allowed(enum text_kind kind, const char *text)
{
	static const size_t most[] = {[TEXT_USER_NAME] = 128,
				      [TEXT_EXTERNAL_ID] = 256,
				      [TEXT_DISPLAY_NAME] = 1024,
				      [TEXT_OTHER] = 1024};
	size_t left = strlen(text), count = 0;

	while (left > 0) {
		size_t len = utf8_char(text, left);

		if (len == 0 || !character_allowed(kind, code_point((const unsigned char *)text, len)))
			return false;
		text += len;
		left -= len;
		count++;
	}
	return count >= 1 && count <= most[kind];
}
