#include "base/utf8.h"

/* The table of RFC 3629, section 4: by first byte, the length and the range of the second byte. */
static const struct {
	unsigned char first_min, first_max, length, second_min, second_max;
} forms[] = {
	{0x00, 0x7F, 1, 0, 0},       {0xC2, 0xDF, 2, 0x80, 0xBF}, {0xE0, 0xE0, 3, 0xA0, 0xBF},
	{0xE1, 0xEC, 3, 0x80, 0xBF}, {0xED, 0xED, 3, 0x80, 0x9F}, {0xEE, 0xEF, 3, 0x80, 0xBF},
	{0xF0, 0xF0, 4, 0x90, 0xBF}, {0xF1, 0xF3, 4, 0x80, 0xBF}, {0xF4, 0xF4, 4, 0x80, 0x8F},
};

static bool is_tail(unsigned char byte)
{
	return (byte & 0xC0) == 0x80;
}

size_t utf8_char(const void *bytes, size_t left)
{
	const unsigned char *p = bytes;

	if (left == 0)
		return 0;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		if (p[0] < forms[i].first_min || p[0] > forms[i].first_max)
			continue;
		if (forms[i].length > left)
			return 0;
		if (forms[i].length > 1 && (p[1] < forms[i].second_min || p[1] > forms[i].second_max))
			return 0;
		for (size_t k = 2; k < forms[i].length; k++)
			if (!is_tail(p[k]))
				return 0;
		return forms[i].length;
	}
	return 0;
}

bool utf8_is_control(const void *bytes, size_t len)
{
	const unsigned char *p = bytes;

	if (len == 1)
		return p[0] < 0x20 || p[0] == 0x7F;
	if (len == 2)
		return p[0] == 0xC2 && p[1] < 0xA0;
	if (len == 3 && p[0] == 0xE2 && p[1] == 0x80)
		return p[2] >= 0xA8 && p[2] <= 0xAE;
	return len == 3 && p[0] == 0xE2 && p[1] == 0x81 && p[2] >= 0xA6 && p[2] <= 0xA9;
}

size_t utf8_cut(const char *text, size_t len)
{
	size_t start = len;

	while (start > 0 && len - start < 4) {
		start--;
		if (!is_tail((unsigned char)text[start]))
			return utf8_char(text + start, len - start) > 0 ? len : start;
	}
	return len;
}
