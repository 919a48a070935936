#include "server/target.h"

#include <string.h>
#include <strings.h>

#include "base/hex.h"
#include "base/utf8.h"

enum part { PART_PATH, PART_QUERY };

static bool utf8_valid(const char *text)
{
	size_t left = strlen(text);

	while (left > 0) {
		size_t len = utf8_char(text, left);

		if (len == 0)
			return false;
		text += len;
		left -= len;
	}
	return true;
}

/* Decodes in place. Returns NULL, or why not. */
static const char *decode(char *text, enum part part)
{
	bool ascii = true;
	char *out = text;

	for (const char *in = text; *in != '\0'; in++) {
		int c = (unsigned char)*in;

		if (c == '%') {
			c = hex_byte(in + 1);
			if (c < 0)
				return "A percent sign in the URL is not followed by two hexadecimal digits.";
			if (c == '/' && part == PART_PATH)
				return "The path holds an encoded slash.";
			in += 2;
		} else if (c == '+' && part == PART_QUERY) {
			c = ' ';
		} else if (c <= ' ' || c >= 0x7F || c == '#') {
			return "The URL holds a character that must be percent-encoded.";
		}
		if (c < ' ' || c == 0x7F)
			return "The URL holds a control character.";
		ascii = ascii && c < 0x80;
		*out++ = (char)c;
	}
	*out = '\0';
	if (!ascii && !utf8_valid(text))
		return "The URL is not valid UTF-8.";
	return NULL;
}

static const char *add_param(char *text, struct target *t)
{
	char *value = strchr(text, '=');
	const char *why;

	if (t->count == QUERY_MAX)
		return "The query has too many parameters.";
	if (value)
		*value++ = '\0';
	else
		value = text + strlen(text);
	why = decode(text, PART_QUERY);
	if (!why)
		why = decode(value, PART_QUERY);
	if (why)
		return why;
	if (*text == '\0')
		return "A parameter of the query has no name.";
	for (size_t i = 0; i < t->count; i++) {
		if (strcmp(t->params[i].name, text) == 0)
			return "A parameter of the query is given twice.";
	}
	t->params[t->count++] = (struct query_param){text, value};
	return NULL;
}

static const char *parse_query(char *query, struct target *t)
{
	while (query) {
		char *next = strchr(query, '&');
		const char *why;

		if (next)
			*next++ = '\0';
		why = *query ? add_param(query, t) : NULL;
		if (why)
			return why;
		query = next;
	}
	return NULL;
}

/* "http://host:port/path": keeps the authority in front, where the scheme was, and returns the rest. */
static char *split_absolute(char *text, struct target *t)
{
	size_t scheme = strncasecmp(text, "https://", 8) == 0  ? 8
			: strncasecmp(text, "http://", 7) == 0 ? 7
							       : 0;
	size_t len;

	if (scheme == 0)
		return text;
	len = strcspn(text + scheme, "/?");
	memmove(text, text + scheme, len);
	text[len] = '\0';
	t->authority = text;
	return text + scheme + len;
}

static const char *parse(char *text, struct target *t)
{
	char *path = split_absolute(text, t);
	char *query = strchr(path, '?');
	const char *why;

	if (query)
		*query++ = '\0';
	if (*path == '\0' && t->authority)
		t->path = "/";
	else if (*path == '/')
		t->path = path;
	else
		return "The request target is not a path.";
	why = decode(path, PART_PATH);
	return why ? why : parse_query(query, t);
}

const char *target_parse(char *text, struct target *t)
{
	const char *why;

	*t = (struct target){.path = "/"};
	why = parse(text, t);
	if (why)
		*t = (struct target){.path = "/"};
	return why;
}

static bool is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Length of the name or address in front of the port; 0 when there is none. */
static size_t host_name_len(const char *host)
{
	size_t len;

	if (*host == '[') {
		len = 1 + strspn(host + 1, "0123456789abcdefABCDEF:.");
		return len > 2 && host[len] == ']' ? len + 1 : 0;
	}
	for (len = 0; is_alnum(host[len]) || (host[len] != '\0' && strchr("-._~", host[len])); len++)
		;
	return len;
}

bool target_host_valid(const char *host)
{
	size_t len = host_name_len(host);
	size_t digits;

	if (len == 0 || strlen(host) > HOST_MAX)
		return false;
	if (host[len] == '\0')
		return true;
	digits = strspn(host + len + 1, "0123456789");
	return host[len] == ':' && digits >= 1 && digits <= 5 && host[len + 1 + digits] == '\0';
}

bool target_token_valid(const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (!is_alnum(bytes[i]) && (bytes[i] == '\0' || !strchr("!#$%&'*+-.^_`|~", bytes[i])))
			return false;
	}
	return len > 0;
}

bool target_value_valid(const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)bytes[i];

		if ((c < ' ' && c != '\t') || c == 0x7F)
			return false;
	}
	return true;
}
