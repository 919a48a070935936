/* The scan decides what is JSON; cJSON only builds the tree out of text that has passed it. */
#include "base/json.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/utf8.h"

#define NUMBER_CHARS 30
#define NUMBER_MAX   1e15

struct scan {
	const char *start;
	const char *p;
	const char *end;
	size_t values, values_max;
	unsigned depth;
	bool in_object[JSON_DEPTH]; /* by depth: object or array */
	const char *wrong;          /* set once, when something is refused */
};

static bool refuse(struct scan *s, const char *why)
{
	s->wrong = why;
	return false;
}

/* The next byte, or NUL at the end: a NUL byte inside is refused by whoever reads it just as the end is. */
static char peek(const struct scan *s)
{
	return s->p < s->end ? *s->p : '\0';
}

static void skip_blanks(struct scan *s)
{
	while (s->p < s->end && (*s->p == ' ' || *s->p == '\t' || *s->p == '\n' || *s->p == '\r'))
		s->p++;
}

static bool take(struct scan *s, char wanted)
{
	if (peek(s) != wanted)
		return false;
	s->p++;
	return true;
}

/* -- strings ----------------------------------------------------------------------------------------------- */

/* Four hexadecimal digits behind a "\u", or -1. */
static int take_hex4(struct scan *s)
{
	int value = 0;

	for (int i = 0; i < 4; i++) {
		char c = peek(s);

		if (c >= '0' && c <= '9')
			value = value * 16 + (c - '0');
		else if (c >= 'a' && c <= 'f')
			value = value * 16 + (c - 'a' + 10);
		else if (c >= 'A' && c <= 'F')
			value = value * 16 + (c - 'A' + 10);
		else
			return -1;
		s->p++;
	}
	return value;
}

static bool scan_unicode_escape(struct scan *s)
{
	int high = take_hex4(s), low;

	if (high < 0)
		return refuse(s, "four hexadecimal digits expected");
	if (high == 0)
		return refuse(s, "\\u0000 is not accepted");
	if (high < 0xD800 || high > 0xDFFF)
		return true;
	if (high > 0xDBFF || !take(s, '\\') || !take(s, 'u'))
		return refuse(s, "lone surrogate");
	low = take_hex4(s);
	if (low < 0xDC00 || low > 0xDFFF)
		return refuse(s, "lone surrogate");
	return true;
}

static bool scan_escape(struct scan *s)
{
	char c = peek(s);

	if (c == '\0' || !strchr("\"\\/bfnrtu", c))
		return refuse(s, "unknown escape");
	s->p++;
	return c != 'u' || scan_unicode_escape(s);
}

/* A string behind its opening quote. */
static bool scan_string(struct scan *s)
{
	size_t step;

	for (;;) {
		if (s->p == s->end)
			return refuse(s, "string does not end");
		if (take(s, '"'))
			return true;
		if (take(s, '\\')) {
			if (!scan_escape(s))
				return false;
			continue;
		}
		if ((unsigned char)*s->p < 0x20)
			return refuse(s, "control character in a string");
		step = utf8_char(s->p, (size_t)(s->end - s->p));
		if (step == 0)
			return refuse(s, "invalid UTF-8");
		s->p += step;
	}
}

/* -- numbers and words ------------------------------------------------------------------------------------- */

static size_t skip_digits(struct scan *s)
{
	const char *start = s->p;

	while (peek(s) >= '0' && peek(s) <= '9')
		s->p++;
	return (size_t)(s->p - start);
}

/* The grammar of RFC 8259, section 6. */
static bool scan_number_form(struct scan *s)
{
	take(s, '-');
	if (!take(s, '0') && skip_digits(s) == 0)
		return false;
	if (take(s, '.') && skip_digits(s) == 0)
		return false;
	if (take(s, 'e') || take(s, 'E')) {
		if (!take(s, '+'))
			take(s, '-');
		return skip_digits(s) > 0;
	}
	return true;
}

static bool scan_number(struct scan *s)
{
	const char *start = s->p;
	char copy[NUMBER_CHARS + 1];
	double number;
	size_t len;

	if (!scan_number_form(s))
		return refuse(s, "value expected");
	len = (size_t)(s->p - start);
	if (len > NUMBER_CHARS)
		return refuse(s, "number has too many digits");
	memcpy(copy, start, len);
	copy[len] = '\0';
	number = strtod(copy, NULL);
	if (number > NUMBER_MAX || number < -NUMBER_MAX)
		return refuse(s, "number is too large");
	return true;
}

static bool scan_word(struct scan *s, const char *word)
{
	size_t len = strlen(word);

	if ((size_t)(s->end - s->p) < len || memcmp(s->p, word, len) != 0)
		return refuse(s, "value expected");
	s->p += len;
	return true;
}

static bool scan_scalar(struct scan *s)
{
	switch (peek(s)) {
	case '"':
		s->p++;
		return scan_string(s);
	case 't':
		return scan_word(s, "true");
	case 'f':
		return scan_word(s, "false");
	case 'n':
		return scan_word(s, "null");
	}
	return scan_number(s);
}

/* -- structure --------------------------------------------------------------------------------------------- */

static bool scan_name(struct scan *s)
{
	skip_blanks(s);
	if (!take(s, '"'))
		return refuse(s, "member name expected");
	if (!scan_string(s))
		return false;
	skip_blanks(s);
	return take(s, ':') || refuse(s, "':' expected");
}

/* Leaves every array and object that ends here; then either all is read or the next value is due. */
static bool scan_after_value(struct scan *s)
{
	while (s->depth > 0) {
		bool object = s->in_object[s->depth - 1];

		skip_blanks(s);
		if (take(s, ','))
			return !object || scan_name(s);
		if (!take(s, object ? '}' : ']'))
			return refuse(s, object ? "',' or '}' expected" : "',' or ']' expected");
		s->depth--;
	}
	return true;
}

/* Enters an array or object, behind its bracket; an empty one is left at once. */
static bool scan_open(struct scan *s, bool object)
{
	if (s->depth == JSON_DEPTH)
		return refuse(s, "nested too deep");
	s->in_object[s->depth++] = object;
	skip_blanks(s);
	if (take(s, object ? '}' : ']')) {
		s->depth--;
		return scan_after_value(s);
	}
	return !object || scan_name(s);
}

static bool scan_value(struct scan *s)
{
	skip_blanks(s);
	if (s->values++ == s->values_max)
		return refuse(s, "too many values");
	if (take(s, '{'))
		return scan_open(s, true);
	if (take(s, '['))
		return scan_open(s, false);
	return scan_scalar(s) && scan_after_value(s);
}

/* Reads value after value with its own stack, so that no input can use up the machine's. */
static bool scan_text(struct scan *s)
{
	do {
		if (!scan_value(s))
			return false;
	} while (s->depth > 0);
	skip_blanks(s);
	return s->p == s->end || refuse(s, "something follows the value");
}

/* -- duplicate names --------------------------------------------------------------------------------------- */

/* By name without case, so that equal names become neighbours. */
static int compare_names(const void *a, const void *b)
{
	const char *const *left = a;
	const char *const *right = b;

	return strcasecmp(*left, *right);
}

/* `names` has room for every member. */
static const char *duplicate_in(const cJSON *object, const char **names)
{
	const cJSON *member;
	size_t count = 0;

	cJSON_ArrayForEach(member, object)
		names[count++] = member->string;
	qsort(names, count, sizeof(names[0]), compare_names);
	for (size_t i = 1; i < count; i++)
		if (strcasecmp(names[i - 1], names[i]) == 0)
			return names[i];
	return NULL;
}

/* Looks into every object of the tree; the walk keeps its way back in `above`. */
static const char *find_duplicate(const cJSON *root, const char **names)
{
	const cJSON *above[JSON_DEPTH];
	const cJSON *at = root;
	const char *found;
	unsigned depth = 0;

	while (at) {
		if (cJSON_IsObject(at)) {
			found = duplicate_in(at, names);
			if (found)
				return found;
		}
		if (at->child) {
			above[depth++] = at;
			at = at->child;
			continue;
		}
		while (!at->next && depth > 0)
			at = above[--depth];
		at = at->next;
	}
	return NULL;
}

static enum err check_names(const cJSON *root, size_t values, struct errctx *ec)
{
	const char **names = calloc(values, sizeof(names[0]));
	const char *found;
	enum err err = ERR_OK;

	if (!names)
		return err_set(ec, ERR_NOMEM, "JSON: no memory");
	found = find_duplicate(root, names);
	if (found)
		err = err_set(ec, ERR_BAD_REQUEST, "JSON: the member \"%s\" comes twice in one object",
			      found);
	free(names);
	return err;
}

enum err json_parse(const char *text, size_t len, cJSON **out, struct errctx *ec)
{
	return json_parse_large(text, len, JSON_VALUES, out, ec);
}

enum err json_parse_large(const char *text, size_t len, size_t values_max, cJSON **out, struct errctx *ec)
{
	struct scan s = {.start = text, .p = text, .end = text + len, .values_max = values_max};
	enum err err;
	cJSON *root;

	if (!scan_text(&s))
		return err_set(ec, ERR_BAD_REQUEST, "JSON: %s at byte %zu", s.wrong,
			       (size_t)(s.p - s.start) + 1);
	root = cJSON_ParseWithLengthOpts(text, len, NULL, false);
	if (!root)
		return err_set(ec, ERR_NOMEM, "JSON: no memory");
	err = check_names(root, s.values, ec);
	if (err) {
		cJSON_Delete(root);
		return err;
	}
	*out = root;
	return ERR_OK;
}

/* -- reading and writing values ---------------------------------------------------------------------------- */

const char *json_string(const cJSON *object, const char *name)
{
	const cJSON *member = cJSON_GetObjectItemCaseSensitive(object, name);

	return cJSON_IsString(member) ? member->valuestring : NULL;
}

static void add_escaped(struct buf *b, char c)
{
	static const char plain[] = "\"\\\b\f\n\r\t";
	static const char letters[] = "\"\\bfnrt";
	const char *at = strchr(plain, c);

	if (at)
		buf_addf(b, "\\%c", letters[at - plain]);
	else
		buf_addf(b, "\\u%04x", (unsigned)(unsigned char)c);
}

void json_add_string(struct buf *b, const char *text)
{
	size_t left = strlen(text), run = 0;

	buf_add(b, "\"", 1);
	while (run < left) {
		size_t step = utf8_char(text + run, left - run);
		char c = text[run];

		if (step > 0 && (unsigned char)c >= 0x20 && c != '"' && c != '\\') {
			run += step;
			continue;
		}
		buf_add(b, text, run);
		if (step > 0)
			add_escaped(b, c);
		else
			buf_adds(b, "\xEF\xBF\xBD");
		text += run + 1;
		left -= run + 1;
		run = 0;
	}
	buf_add(b, text, run);
	buf_add(b, "\"", 1);
}

void json_add_value(struct buf *b, const cJSON *value)
{
	char *text = cJSON_PrintUnformatted(value);

	if (!text) {
		buf_fail(b);
		return;
	}
	buf_adds(b, text);
	cJSON_free(text);
}
