#include "api/odata.h"

#include <string.h>
#include <strings.h>

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_name_char(char c)
{
	return is_letter(c) || is_digit(c) || c == '_' || c == '.' || c == '@' || c == '/';
}

static const char *skip_blanks(const char *p)
{
	while (*p == ' ')
		p++;
	return p;
}

static size_t name_len(const char *p)
{
	size_t len = 0;

	while (is_name_char(p[len]))
		len++;
	return len;
}

/* Is the text at `p` this word and nothing that continues it? */
static bool at_word(const char *p, const char *word)
{
	size_t len = strlen(word);

	return strncasecmp(p, word, len) == 0 && !is_name_char(p[len]);
}

/* -- $filter ----------------------------------------------------------------------------------------------- */

static enum err read_field(const char **p, const char *const *fields, struct odata_term *term,
			   struct errctx *ec)
{
	size_t len = name_len(*p);

	if (**p == '(')
		return err_set(ec, ERR_INVALID_FILTER, "$filter: parentheses are not supported.");
	if (at_word(*p, "not"))
		return err_set(ec, ERR_INVALID_FILTER, "$filter: \"not\" is not supported.");
	for (size_t i = 0; len > 0 && fields[i]; i++) {
		if (strlen(fields[i]) == len && strncasecmp(*p, fields[i], len) == 0) {
			term->field = i;
			*p += len;
			return ERR_OK;
		}
	}
	if ((*p)[len] == '(')
		return err_set(ec, ERR_INVALID_FILTER, "$filter: functions are not supported.");
	if (len == 0)
		return err_set(ec, ERR_INVALID_FILTER, "$filter: the name of a field is expected.");
	return err_set(ec, ERR_INVALID_FILTER, "$filter: the field \"%.*s\" is not supported here.",
		       len < ODATA_NAME_SIZE ? (int)len : ODATA_NAME_SIZE, *p);
}

static enum err read_operator(const char **p, struct odata_term *term, struct errctx *ec)
{
	const char *word = skip_blanks(*p);

	term->differs = at_word(word, "ne");
	if (word == *p || (!at_word(word, "eq") && !term->differs) || word[2] != ' ')
		return err_set(ec, ERR_INVALID_FILTER,
			       "$filter: the operators supported are eq and ne, between two blanks.");
	*p = skip_blanks(word + 2);
	return ERR_OK;
}

/* A text in single quotes; two of them inside stand for one (OData 4.01 ABNF, SQUOTE-in-string). */
static enum err read_value(const char **p, struct odata_term *term, struct errctx *ec)
{
	const char *in = *p;
	size_t len = 0;

	if (*in != '\'')
		return err_set(ec, ERR_INVALID_FILTER, "$filter: a value stands in single quotes.");
	for (in++; *in != '\0'; in++) {
		if (*in == '\'' && in[1] != '\'')
			break;
		if (*in == '\'')
			in++;
		if ((unsigned char)*in < ' ')
			return err_set(ec, ERR_INVALID_FILTER, "$filter: a value holds a control character.");
		if (len + 1 == sizeof(term->value))
			return err_set(ec, ERR_INVALID_FILTER, "$filter: a value is too long.");
		term->value[len++] = *in;
	}
	if (*in == '\0')
		return err_set(ec, ERR_INVALID_FILTER, "$filter: a value lacks its closing quote.");
	term->value[len] = '\0';
	*p = in + 1;
	return ERR_OK;
}

static enum err read_term(const char **p, const char *const *fields, struct odata_query *q, struct errctx *ec)
{
	struct odata_term *term;
	enum err err;

	if (q->count == ODATA_TERMS)
		return err_set(ec, ERR_INVALID_FILTER, "$filter: more than %d terms.", ODATA_TERMS);
	term = &q->terms[q->count];
	err = read_field(p, fields, term, ec);
	if (err == ERR_OK)
		err = read_operator(p, term, ec);
	if (err == ERR_OK)
		err = read_value(p, term, ec);
	if (err != ERR_OK)
		return err;
	if (!term->differs && odata_value(q, term->field))
		return err_set(ec, ERR_INVALID_FILTER, "$filter: the field \"%s\" is given twice.",
			       fields[term->field]);
	q->count++;
	return ERR_OK;
}

static enum err read_filter(const char *text, const char *const *fields, struct odata_query *q,
			    struct errctx *ec)
{
	const char *p = skip_blanks(text);

	for (;;) {
		enum err err = read_term(&p, fields, q, ec);
		const char *word;

		if (err != ERR_OK)
			return err;
		word = skip_blanks(p);
		if (*word == '\0')
			return ERR_OK;
		if (word == p || !at_word(word, "and") || word[3] != ' ')
			return err_set(ec, ERR_INVALID_FILTER,
				       "$filter: terms can only be joined by \"and\".");
		p = skip_blanks(word + 3);
	}
}

/* -- the other parameters ---------------------------------------------------------------------------------- */

static enum err read_top(const char *text, struct odata_query *q, struct errctx *ec)
{
	int top = 0;
	size_t len = 0;

	while (len < 4 && is_digit(text[len]))
		top = top * 10 + (text[len++] - '0');
	if (text[len] != '\0' || top < 1 || top > ODATA_TOP_MAX)
		return err_set(ec, ERR_INVALID_FILTER, "$top is a number from 1 to %d.", ODATA_TOP_MAX);
	q->top = top;
	return ERR_OK;
}

static enum err read_order(const char *text, struct odata_query *q, struct errctx *ec)
{
	const char *p = skip_blanks(text);
	const char *rest;

	if (at_word(p, "createdDateTime")) {
		p += strlen("createdDateTime");
		rest = skip_blanks(p);
		if (rest > p && at_word(rest, "desc") && *skip_blanks(rest + 4) == '\0') {
			q->newest_first = true;
			return ERR_OK;
		}
	}
	return err_set(ec, ERR_INVALID_FILTER, "$orderby: the only order supported is createdDateTime desc.");
}

static enum err read_skiptoken(const char *text, struct odata_query *q, struct errctx *ec)
{
	size_t len = 0;

	while (len < ODATA_TOKEN_SIZE &&
	       (is_letter(text[len]) || is_digit(text[len]) || text[len] == '_' || text[len] == '-'))
		len++;
	if (len == 0 || len >= ODATA_TOKEN_SIZE || text[len] != '\0')
		return err_set(ec, ERR_INVALID_FILTER, "$skiptoken: take it from @odata.nextLink as it is.");
	memcpy(q->skiptoken, text, len + 1);
	return ERR_OK;
}

static enum err read_count(const char *text, struct odata_query *q, struct errctx *ec)
{
	if (strcasecmp(text, "true") != 0 && strcasecmp(text, "false") != 0)
		return err_set(ec, ERR_INVALID_FILTER, "$count is true or false.");
	q->with_count = strcasecmp(text, "true") == 0;
	return ERR_OK;
}

/* Names with commas between them. */
static enum err read_names(const char *text, const char *what, struct odata_names *out, struct errctx *ec)
{
	const char *p = text;

	for (;;) {
		size_t len;

		p = skip_blanks(p);
		len = name_len(p);
		if (len == 0 || len >= ODATA_NAME_SIZE || out->count == ODATA_NAMES)
			break;
		memcpy(out->names[out->count], p, len);
		out->names[out->count++][len] = '\0';
		p = skip_blanks(p + len);
		if (*p == '\0')
			return ERR_OK;
		if (*p != ',')
			break;
		p++;
	}
	return err_set(ec, ERR_INVALID_FILTER, "%s is a list of at most %d names with commas between them.",
		       what, ODATA_NAMES);
}

enum option { OPT_FILTER, OPT_TOP, OPT_ORDERBY, OPT_SKIPTOKEN, OPT_COUNT, OPT_SELECT, OPT_EXPAND, OPT_OTHER };

static enum option find_option(const char *name)
{
	static const char *const names[OPT_OTHER] = {
		[OPT_FILTER] = "$filter",       [OPT_TOP] = "$top",     [OPT_ORDERBY] = "$orderby",
		[OPT_SKIPTOKEN] = "$skiptoken", [OPT_COUNT] = "$count", [OPT_SELECT] = "$select",
		[OPT_EXPAND] = "$expand",
	};

	for (enum option i = OPT_FILTER; i < OPT_OTHER; i++) {
		if (strcasecmp(name, names[i]) == 0 || strcasecmp(name, names[i] + 1) == 0)
			return i;
	}
	return OPT_OTHER;
}

static enum err read_option(const struct query_param *param, const char *const *fields, struct odata_query *q,
			    struct errctx *ec)
{
	switch (find_option(param->name)) {
	case OPT_FILTER:
		return read_filter(param->value, fields, q, ec);
	case OPT_TOP:
		return read_top(param->value, q, ec);
	case OPT_ORDERBY:
		return read_order(param->value, q, ec);
	case OPT_SKIPTOKEN:
		return read_skiptoken(param->value, q, ec);
	case OPT_COUNT:
		return read_count(param->value, q, ec);
	case OPT_SELECT:
		return read_names(param->value, "$select", &q->select, ec);
	case OPT_EXPAND:
		return read_names(param->value, "$expand", &q->expand, ec);
	case OPT_OTHER:
		break;
	}
	if (param->name[0] == '$')
		return err_set(ec, ERR_INVALID_FILTER, "The parameter \"%.*s\" is not supported.",
			       ODATA_NAME_SIZE, param->name);
	return ERR_OK;
}

enum err odata_parse(const struct query_param *params, size_t count, const char *const *fields,
		     struct odata_query *out, struct errctx *ec)
{
	struct odata_query q = {0};
	unsigned seen = 0;

	for (size_t i = 0; i < count; i++) {
		unsigned bit = 1U << find_option(params[i].name);
		enum err err;

		/* "$top=1&$TOP=2" and "$top=1&top=2" give one parameter twice. */
		if (bit != 1U << OPT_OTHER && (seen & bit) != 0)
			return err_set(ec, ERR_INVALID_FILTER, "The parameter \"%s\" is given twice.",
				       params[i].name);
		seen |= bit;
		err = read_option(&params[i], fields, &q, ec);
		if (err != ERR_OK)
			return err;
	}
	*out = q;
	return ERR_OK;
}

const char *odata_value(const struct odata_query *query, size_t field)
{
	for (size_t i = 0; i < query->count; i++) {
		if (query->terms[i].field == field && !query->terms[i].differs)
			return query->terms[i].value;
	}
	return NULL;
}

bool odata_selects(const struct odata_query *query, const char *member)
{
	for (size_t i = 0; i < query->select.count; i++) {
		if (strcasecmp(query->select.names[i], member) == 0)
			return true;
	}
	return query->select.count == 0;
}

/* -- functions in paths ------------------------------------------------------------------------------------ */

/* Behind the character (and the blanks around it), or NULL. */
static const char *expect(const char *p, char c)
{
	p = skip_blanks(p);
	return *p == c ? skip_blanks(p + 1) : NULL;
}

bool odata_function(const char *segment, const char *name, char *arg, size_t size)
{
	size_t len = strlen(name);
	const char *p, *value;

	if (strncasecmp(segment, name, len) != 0)
		return false;
	p = expect(segment + len, '(');
	if (!p || strncasecmp(p, "on", 2) != 0)
		return false;
	p = expect(p + 2, '=');
	if (!p || *p != '\'')
		return false;
	value = ++p;
	while (is_letter(*p))
		p++;
	len = (size_t)(p - value);
	if (*p != '\'' || len == 0 || len >= size)
		return false;
	p = expect(p + 1, ')');
	if (!p || *p != '\0')
		return false;
	memcpy(arg, value, len);
	arg[len] = '\0';
	return true;
}
