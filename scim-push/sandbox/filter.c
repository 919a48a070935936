/* The filter parser: a cursor that walks the text term by term. */
#include "scim-push/sandbox/filter.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"

struct cursor {
	const char *at;
	struct filter *out;
	unsigned elements;
	struct errctx *ec;
};

static enum err refuse(const struct cursor *cursor, const char *why)
{
	return err_set(cursor->ec, ERR_INVALID_FILTER, "%s", why);
}

static void skip_blanks(struct cursor *cursor)
{
	cursor->at += strspn(cursor->at, " ");
}

/* One word up to a blank, a quote or a bracket; returns its length. */
static size_t word(struct cursor *cursor, const char **start)
{
	size_t len = strcspn(cursor->at, " \"[]");

	*start = cursor->at;
	cursor->at += len;
	return len;
}

/* An operator, in any case. */
static bool is_operator(struct cursor *cursor, const char *start, size_t len, const char *wanted)
{
	if (len != strlen(wanted) || strncasecmp(start, wanted, len) != 0)
		return false;
	if (memcmp(start, wanted, len) != 0)
		cursor->out->upper = true;
	return true;
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
		return refuse(cursor, "a value must be a string in double quotes");
	err = json_parse(cursor->at, len, &json, cursor->ec);
	if (err != ERR_OK)
		return err == ERR_NOMEM ? err : ERR_INVALID_FILTER;
	if (strlen(json->valuestring) < sizeof(term->value))
		(void)memcpy(term->value, json->valuestring, strlen(json->valuestring) + 1);
	else
		err = refuse(cursor, "a value is too long");
	cJSON_Delete(json);
	if (memchr(cursor->at, '\\', len) != NULL)
		cursor->out->escaped = true;
	cursor->at += len;
	return err;
}

/* Behind a name: ` eq "value"`. */
static enum err parse_comparison(struct cursor *cursor, struct filter_term *term)
{
	const char *operator;
	size_t len;

	skip_blanks(cursor);
	len = word(cursor, &operator);
	if (!is_operator(cursor, operator, len, "eq"))
		return refuse(cursor, "the only operator is eq");
	if (*cursor->at != ' ')
		return refuse(cursor, "a blank must follow eq");
	skip_blanks(cursor);
	return parse_value(cursor, term);
}

/* A new term about `owner` ("" = the resource itself) and a name of that length. */
static enum err add_term(struct cursor *cursor, const char *owner, const char *name, size_t len)
{
	struct filter *out = cursor->out;
	struct filter_term *term = &out->terms[out->count];
	int used;

	if (out->count == FILTER_TERMS)
		return refuse(cursor, "too many terms");
	used = snprintf(term->attribute, sizeof(term->attribute), "%s%s%.*s", owner,
			owner[0] != '\0' ? "." : "", (int)len, name);
	if (len == 0 || len >= sizeof(term->attribute) || used >= (int)sizeof(term->attribute))
		return refuse(cursor, "an attribute name is missing or too long");
	term->element = owner[0] != '\0' ? cursor->elements : 0;
	out->count++;
	return parse_comparison(cursor, term);
}

/* True when another term follows: steps over " and ". `end` is what ends the list of terms. */
static enum err parse_and(struct cursor *cursor, char end, bool *another)
{
	const char *start = cursor->at, *text;
	size_t len;

	skip_blanks(cursor);
	*another = *cursor->at != end;
	if (!*another)
		return ERR_OK;
	len = word(cursor, &text);
	if (text == start || !is_operator(cursor, text, len, "and") || *cursor->at != ' ')
		return refuse(cursor, "terms are joined by and");
	skip_blanks(cursor);
	return ERR_OK;
}

/* Behind `owner`: `[sub eq "value" and …]`, and perhaps `.sub eq "value"`. */
static enum err parse_brackets(struct cursor *cursor, const char *owner)
{
	bool another = true;
	const char *name;
	size_t len;

	cursor->at++;
	cursor->elements++;
	while (another) {
		enum err err;

		skip_blanks(cursor);
		len = word(cursor, &name);
		err = add_term(cursor, owner, name, len);
		if (err == ERR_OK)
			err = parse_and(cursor, ']', &another);
		if (err != ERR_OK)
			return err;
	}
	cursor->at++;
	if (*cursor->at != '.')
		return ERR_OK;
	cursor->at++;
	len = word(cursor, &name);
	return add_term(cursor, owner, name, len);
}

static enum err parse_term(struct cursor *cursor)
{
	const char *name;
	size_t len = word(cursor, &name);
	char owner[FILTER_NAME];

	if (*cursor->at != '[')
		return add_term(cursor, "", name, len);
	if (len == 0 || len >= sizeof(owner))
		return refuse(cursor, "an attribute name is missing or too long");
	(void)memcpy(owner, name, len);
	owner[len] = '\0';
	return parse_brackets(cursor, owner);
}

enum err filter_parse(const char *text, struct filter *out, struct errctx *ec)
{
	struct cursor cursor = {.at = text, .out = out, .ec = ec};
	bool another = true;

	out->count = 0;
	out->upper = out->escaped = false;
	skip_blanks(&cursor);
	while (another) {
		enum err err = parse_term(&cursor);

		if (err == ERR_OK)
			err = parse_and(&cursor, '\0', &another);
		if (err != ERR_OK)
			return err;
	}
	return ERR_OK;
}

const char *filter_value(const struct filter *filter, const char *attribute, bool exact)
{
	for (size_t i = 0; i < filter->count; i++) {
		const char *name = filter->terms[i].attribute;

		if (exact ? strcmp(name, attribute) == 0 : strcasecmp(name, attribute) == 0)
			return filter->terms[i].value;
	}
	return NULL;
}

/* -- evaluation ------------------------------------------------------------------------------------------------ */

static bool same(const cJSON *value, const char *wanted, bool any_case)
{
	if (!cJSON_IsString(value))
		return false;
	return any_case ? strcasecmp(value->valuestring, wanted) == 0
			: strcmp(value->valuestring, wanted) == 0;
}

/* Does this object have all that the terms with that number ask for? */
static bool element_matches(const struct filter *filter, unsigned number, const cJSON *element, bool any_case)
{
	for (size_t i = 0; i < filter->count; i++) {
		const struct filter_term *term = &filter->terms[i];
		const char *sub = strrchr(term->attribute, '.');

		if (term->element == number &&
		    (sub == NULL || !same(cJSON_GetObjectItem(element, sub + 1), term->value, any_case)))
			return false;
	}
	return true;
}

bool filter_matches_element(const struct filter *filter, const cJSON *element)
{
	return element_matches(filter, filter->terms[0].element, element, false);
}

/* The attribute in front of the last dot: an object, or an array of them. */
static const cJSON *owner_of(const cJSON *resource, const char *attribute, const char *dot)
{
	char owner[FILTER_NAME];

	(void)snprintf(owner, sizeof(owner), "%.*s", (int)(dot - attribute), attribute);
	return cJSON_GetObjectItem(resource, owner);
}

static bool term_matches(const struct filter *filter, const struct filter_term *term, const cJSON *resource,
			 bool any_case)
{
	const char *dot = strrchr(term->attribute, '.');
	const cJSON *owner;

	if (dot == NULL)
		return same(cJSON_GetObjectItem(resource, term->attribute), term->value, any_case);
	owner = owner_of(resource, term->attribute, dot);
	if (!cJSON_IsArray(owner))
		return same(cJSON_GetObjectItem(owner, dot + 1), term->value, any_case);
	for (const cJSON *element = owner->child; element != NULL; element = element->next) {
		if (term->element > 0 ? element_matches(filter, term->element, element, any_case)
				      : same(cJSON_GetObjectItem(element, dot + 1), term->value, any_case))
			return true;
	}
	return false;
}

bool filter_matches(const struct filter *filter, const cJSON *resource, bool any_case)
{
	for (size_t i = 0; i < filter->count; i++)
		if (!term_matches(filter, &filter->terms[i], resource, any_case))
			return false;
	return true;
}
