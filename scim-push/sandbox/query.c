/* Taking a request target apart. A plus sign in the query is a blank, as in forms: that is the stricter reading. */
#include "scim-push/sandbox/query.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/hex.h"

/* One encoded character of at least one byte; the number of bytes read, 0 when it is malformed. */
static size_t decode_char(const char *in, size_t len, char *out)
{
	if (in[0] != '%') {
		unsigned char c = (unsigned char)in[0];

		*out = in[0];
		return c > 0x20 && c < 0x7f && strchr("\"<>\\^`{|}#", c) == NULL ? 1 : 0;
	}
	if (len < 3 || hex_byte(in + 1) < 0)
		return 0;
	*out = (char)hex_byte(in + 1);
	return *out != '\0' ? 3 : 0;
}

/* `blank` is the character that means a blank, 0 = none. ERR_TOO_BIG, ERR_BAD_REQUEST; `out` is then half written. */
static enum err decode(const char *in, size_t len, char blank, char *out, size_t size)
{
	size_t used = 0;

	while (len > 0) {
		size_t step;

		if (used + 1 >= size)
			return ERR_TOO_BIG;
		step = decode_char(in, len, &out[used]);
		if (step == 0)
			return ERR_BAD_REQUEST;
		if (in[0] == blank)
			out[used] = ' ';
		in += step;
		len -= step;
		used++;
	}
	out[used] = '\0';
	return ERR_OK;
}

static enum err parse_path(const char *path, size_t len, struct query *out)
{
	const char *slash;
	size_t first;

	if (len == 0)
		return ERR_OK;
	if (path[0] != '/')
		return ERR_NOT_FOUND;
	path++;
	len--;
	slash = memchr(path, '/', len);
	first = slash != NULL ? (size_t)(slash - path) : len;
	if (decode(path, first, '\0', out->resource, sizeof(out->resource)) != ERR_OK)
		return ERR_NOT_FOUND;
	if (slash == NULL)
		return ERR_OK;
	len -= first + 1;
	if (len == 0 || memchr(slash + 1, '/', len) != NULL ||
	    decode(slash + 1, len, '\0', out->id, sizeof(out->id)) != ERR_OK)
		return ERR_NOT_FOUND;
	return ERR_OK;
}

static enum err parse_number(const char *value, size_t len, long *out)
{
	char text[16], *end;

	if (*out >= 0 || decode(value, len, '+', text, sizeof(text)) != ERR_OK || text[0] < '0' ||
	    text[0] > '9' || strlen(text) > 9)
		return ERR_BAD_REQUEST;
	*out = strtol(text, &end, 10);
	return *end == '\0' ? ERR_OK : ERR_BAD_REQUEST;
}

/* Is "members" in the list "displayName,members"? */
static bool names_members(const char *list)
{
	while (*list != '\0') {
		size_t len = strcspn(list, ",");

		if (len == strlen("members") && strncasecmp(list, "members", len) == 0)
			return true;
		list += len;
		list += *list == ',';
	}
	return false;
}

/* attributes and excludedAttributes: only members are ever left out. */
static enum err parse_list(const char *value, size_t len, bool excluded, struct query *out)
{
	char list[QUERY_TEXT];
	enum err err = decode(value, len, '+', list, sizeof(list));

	if (err != ERR_OK)
		return err;
	out->rfc_parameters = true;
	out->without_members = out->without_members || names_members(list) == excluded;
	out->with_members = out->with_members || (!excluded && names_members(list));
	return ERR_OK;
}

static enum err parse_value(const char *name, const char *value, size_t len, struct query *out)
{
	if (strcmp(name, "filter") == 0 && !out->has_filter) {
		out->has_filter = true;
		return decode(value, len, '+', out->filter, sizeof(out->filter));
	}
	if (strcmp(name, "cursor") == 0 && !out->has_cursor) {
		out->has_cursor = true;
		return decode(value, len, '+', out->cursor, sizeof(out->cursor));
	}
	if (strcmp(name, "count") == 0)
		return parse_number(value, len, &out->count);
	if (strcmp(name, "startIndex") == 0) {
		out->rfc_parameters = true;
		return parse_number(value, len, &out->start_index);
	}
	if (strcmp(name, "attributes") == 0 || strcmp(name, "excludedAttributes") == 0)
		return parse_list(value, len, name[0] == 'e', out);
	return ERR_BAD_REQUEST;
}

static enum err parse_parameter(const char *text, size_t len, struct query *out)
{
	const char *equals = memchr(text, '=', len);
	size_t name_len = equals != NULL ? (size_t)(equals - text) : len;
	char name[32];

	if (len == 0)
		return ERR_OK;
	if (decode(text, name_len, '+', name, sizeof(name)) != ERR_OK)
		return ERR_BAD_REQUEST;
	return parse_value(name, equals != NULL ? equals + 1 : "", equals != NULL ? len - name_len - 1 : 0,
			   out);
}

enum err query_parse(const char *target, struct query *out, struct errctx *ec)
{
	size_t path = strcspn(target, "?");
	const char *at = target + path;
	enum err err;

	*out = (struct query){.count = -1, .start_index = -1};
	err = parse_path(target, path, out);
	if (err != ERR_OK)
		return err_set(ec, err, "no such endpoint");
	while (*at != '\0') {
		size_t len = strcspn(at + 1, "&");

		if (parse_parameter(at + 1, len, out) != ERR_OK)
			return err_set(ec, ERR_BAD_REQUEST, "the query %.*s is not understood", (int)len,
				       at + 1);
		at += len + 1;
	}
	return ERR_OK;
}
