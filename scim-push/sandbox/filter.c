/* The filter parser: a cursor that walks the text term by term. */
#include "scim-push/sandbox/filter.h"

#include <stdbool.h>
#include <string.h>

#include "base/json.h"

struct cursor {
	const char *at;
	struct errctx *ec;
};

static void skip_blanks(struct cursor *cursor)
{
	cursor->at += strspn(cursor->at, " ");
}

/* One word up to a blank or a quote; returns its length. */
static size_t word(struct cursor *cursor, const char **start)
{
	size_t len = strcspn(cursor->at, " \"");

	*start = cursor->at;
	cursor->at += len;
	return len;
}

static bool is_word(const char *start, size_t len, const char *wanted)
{
	return len == strlen(wanted) && memcmp(start, wanted, len) == 0;
}

/* The length of the JSON string at the cursor with its quotes, or 0 when there is no whole one. */
static size_t literal_length(const char *text)
{
	size_t i = 1;

	if (text[0] != '"')
		return 0;
	while (text[i] != '\0' && text[i] != '"')
		i += text[i] == '\\' && text[i + 1] != '\0' ? 2 : 1;
	return text[i] == '"' ? i + 1 : 0;
}

static enum err parse_value(struct cursor *cursor, struct filter_term *term)
{
	size_t len = literal_length(cursor->at);
	cJSON *json = NULL;
	enum err err;

	if (len == 0)
		return err_set(cursor->ec, ERR_INVALID_FILTER, "a value must be a string in double quotes");
	err = json_parse(cursor->at, len, &json, cursor->ec);
	if (err != ERR_OK)
		return err == ERR_NOMEM ? err : ERR_INVALID_FILTER;
	if (strlen(json->valuestring) < sizeof(term->value))
		(void)memcpy(term->value, json->valuestring, strlen(json->valuestring) + 1);
	else
		err = err_set(cursor->ec, ERR_INVALID_FILTER, "a value is too long");
	cJSON_Delete(json);
	cursor->at += len;
	return err;
}

static enum err parse_term(struct cursor *cursor, struct filter_term *term)
{
	const char *name, *operator;
	size_t len = word(cursor, &name);

	if (len == 0 || len >= sizeof(term->attribute))
		return err_set(cursor->ec, ERR_INVALID_FILTER, "an attribute name is missing or too long");
	(void)memcpy(term->attribute, name, len);
	term->attribute[len] = '\0';
	skip_blanks(cursor);
	len = word(cursor, &operator);
	if (!is_word(operator, len, "eq"))
		return err_set(cursor->ec, ERR_INVALID_FILTER, "the only operator is eq");
	if (*cursor->at != ' ')
		return err_set(cursor->ec, ERR_INVALID_FILTER, "a blank must follow eq");
	skip_blanks(cursor);
	return parse_value(cursor, term);
}

/* True when another term follows: steps over " and ". */
static enum err parse_and(struct cursor *cursor, bool *another)
{
	const char *start = cursor->at, *text;
	size_t len;

	skip_blanks(cursor);
	*another = *cursor->at != '\0';
	if (!*another)
		return ERR_OK;
	len = word(cursor, &text);
	if (text == start || !is_word(text, len, "and") || *cursor->at != ' ')
		return err_set(cursor->ec, ERR_INVALID_FILTER, "terms are joined by and");
	skip_blanks(cursor);
	return ERR_OK;
}

enum err filter_parse(const char *text, struct filter *out, struct errctx *ec)
{
	struct cursor cursor = {text, ec};
	bool another = true;

	out->count = 0;
	skip_blanks(&cursor);
	while (another) {
		enum err err;

		if (out->count == FILTER_TERMS)
			return err_set(ec, ERR_INVALID_FILTER, "too many terms");
		err = parse_term(&cursor, &out->terms[out->count++]);
		if (err == ERR_OK)
			err = parse_and(&cursor, &another);
		if (err != ERR_OK)
			return err;
	}
	return ERR_OK;
}

const char *filter_value(const struct filter *filter, const char *attribute)
{
	for (size_t i = 0; i < filter->count; i++)
		if (strcmp(filter->terms[i].attribute, attribute) == 0)
			return filter->terms[i].value;
	return NULL;
}
