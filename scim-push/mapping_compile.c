/*
 * The mapping language's compiler: one pass over the text, which becomes the rule's own (its pieces are closed in
 * place), and an explicit stack of the calls that are open.
 */
#include <stdio.h>
#include <string.h>

#include "scim-push/dialect.h"
#include "scim-push/mapping.h"
#include "scim-push/mapping_words.h"

static const char *const names[] = {
	[NAME_OF_USER] = "user_name",  [NAME_DISPLAY] = "display_name", [NAME_GIVEN] = "given_name",
	[NAME_FAMILY] = "family_name", [NAME_EMAIL] = "email",          [NAME_ID] = "id",
};

static const struct {
	const char *name;
	unsigned char least, most;
	const char *form; /* for messages */
} functions[] = {
	[FUNCTION_JOIN] = {"join", 2, MAPPING_DEPTH_MAX, "join(\"between\", a, b, ...)"},
	[FUNCTION_REPLACE] = {"replace", 3, 3, "replace(a, \"what\", \"with\")"},
	[FUNCTION_LOWER] = {"lower", 1, 1, "lower(a)"},
	[FUNCTION_FIRST] = {"first", 1, 1, "first(claims.name)"},
	[FUNCTION_DEFAULT] = {"default", 2, MAPPING_DEPTH_MAX, "default(a, b, ...)"},
};

struct opened {
	unsigned char function, arguments;
};

struct compiler {
	struct mapping_rule *rule;
	struct errctx *ec;
	size_t at;    /* in the rule's text */
	size_t depth; /* values on the stack when this step has run */
	size_t open_count;
	struct opened open[MAPPING_DEPTH_MAX];
};

static bool wrong(struct compiler *c, size_t at, const char *words)
{
	err_set(c->ec, ERR_CONFIG, "column %zu: %s", at + 1, words);
	return false;
}

static void skip_blanks(struct compiler *c)
{
	c->at += strspn(c->rule->text + c->at, " ");
}

/* Takes the character when it is next. */
static bool take(struct compiler *c, char expected)
{
	skip_blanks(c);
	if (c->rule->text[c->at] != expected)
		return false;
	c->at++;
	return true;
}

static bool add_step(struct compiler *c, struct mapping_step step)
{
	if (c->rule->step_count == MAPPING_STEPS_MAX)
		return wrong(c, c->at, "the expression has too many parts");
	if (step.kind != MAPPING_CALL && c->depth == MAPPING_DEPTH_MAX)
		return wrong(c, c->at, "the expression is nested too deep");
	c->depth = step.kind == MAPPING_CALL ? c->depth - step.arguments + 1 : c->depth + 1;
	c->rule->steps[c->rule->step_count++] = step;
	return true;
}

/* A constant: its escapes (\" and \\) are undone in place, and it is closed by a NUL where its quote was. */
static bool compile_constant(struct compiler *c)
{
	char *text = c->rule->text;
	size_t start = ++c->at, end = start;

	for (; text[c->at] != '"'; c->at++) {
		if (text[c->at] == '\\' && (text[c->at + 1] == '"' || text[c->at + 1] == '\\'))
			c->at++;
		if (text[c->at] == '\0')
			return wrong(c, start - 1, "a constant's closing quote is missing");
		text[end++] = text[c->at];
	}
	text[end] = '\0';
	c->at++;
	return add_step(c, (struct mapping_step){.kind = MAPPING_CONSTANT, .at = (unsigned short)start});
}

/* The index of the word among `count` of them, or -1. */
static int find_name(const char *word, size_t len)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strlen(names[i]) == len && memcmp(names[i], word, len) == 0)
			return (int)i;
	return -1;
}

static int find_function(const char *word, size_t len)
{
	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++)
		if (strlen(functions[i].name) == len && memcmp(functions[i].name, word, len) == 0)
			return (int)i;
	return -1;
}

static bool unknown_word(struct compiler *c, size_t start, size_t len)
{
	char words[160];

	snprintf(words, sizeof(words),
		 "\"%.*s\" is none of user_name, display_name, given_name, family_name, email, id, "
		 "claims.NAME",
		 (int)(len < 40 ? len : 40), c->rule->text + start);
	return wrong(c, start, words);
}

static bool open_call(struct compiler *c, size_t start, size_t len)
{
	int function = find_function(c->rule->text + start, len);

	if (function < 0)
		return wrong(c, start, "the functions are join, replace, lower, first and default");
	if (c->open_count == MAPPING_DEPTH_MAX)
		return wrong(c, start, "the expression is nested too deep");
	c->open[c->open_count++] = (struct opened){.function = (unsigned char)function};
	return true;
}

/*
 * A claim's name is any text up to a blank, a comma or a bracket. It cannot be closed in place, because what follows
 * it is still to be read: it is moved one to the left, over the dot.
 */
static bool compile_claim(struct compiler *c, size_t start, size_t len)
{
	char *text = c->rule->text;
	size_t prefix = strlen("claims.");

	if (len == prefix)
		return wrong(c, start, "claims. needs the name of a claim");
	memmove(text + start + prefix - 1, text + start + prefix, len - prefix);
	text[start + len - 1] = '\0';
	return add_step(
		c, (struct mapping_step){.kind = MAPPING_CLAIM, .at = (unsigned short)(start + prefix - 1)});
}

/* A name, a claim, or the beginning of a call; *opened says that an argument must follow. */
static bool compile_word(struct compiler *c, bool *opened)
{
	char *text = c->rule->text;
	size_t start = c->at, len = strcspn(text + start, " ,()\"");
	int name = find_name(text + start, len);

	c->at += len;
	if (len == 0)
		return wrong(c, start, "a constant, a name or a function is missing here");
	if (strncmp(text + start, "claims.", 7) == 0)
		return compile_claim(c, start, len);
	if (name >= 0)
		return add_step(c, (struct mapping_step){.kind = MAPPING_NAME, .which = (unsigned char)name});
	*opened = take(c, '(');
	return *opened ? open_call(c, start, len) : unknown_word(c, start, len);
}

static bool close_call(struct compiler *c)
{
	const struct opened *call = &c->open[--c->open_count];
	char words[96];

	if (call->arguments < functions[call->function].least ||
	    call->arguments > functions[call->function].most) {
		snprintf(words, sizeof(words), "it must be %s", functions[call->function].form);
		return wrong(c, c->at - 1, words);
	}
	return add_step(c, (struct mapping_step){.kind = MAPPING_CALL,
						 .which = call->function,
						 .arguments = call->arguments});
}

/* After a value: closes what ends here. *more says that another argument follows. */
static bool compile_end(struct compiler *c, bool *more)
{
	*more = false;
	while (c->open_count > 0) {
		c->open[c->open_count - 1].arguments++;
		if (take(c, ',')) {
			*more = true;
			return true;
		}
		if (!take(c, ')'))
			return wrong(c, c->at, "a comma or a closing bracket is missing here");
		if (!close_call(c))
			return false;
	}
	skip_blanks(c);
	return c->rule->text[c->at] == '\0' || wrong(c, c->at, "nothing may follow the expression");
}

static bool compile(struct compiler *c)
{
	bool more = true;

	while (more) {
		bool opened = false;
		skip_blanks(c);
		if (!(c->rule->text[c->at] == '"' ? compile_constant(c) : compile_word(c, &opened)))
			return false;
		if (!opened && !compile_end(c, &more))
			return false;
	}
	return true;
}

/* The multi-valued attributes of RFC 7643, 4.1.2: one element of them is meant. */
#define SEVERAL "emails,phoneNumbers,ims,photos,addresses,entitlements,roles,x509Certificates"

enum err mapping_compile(const char *attribute, const char *expression, struct mapping_rule *out,
			 struct errctx *ec)
{
	struct compiler compiler = {.rule = out, .ec = ec};

	memset(out, 0, sizeof(*out));
	if (!attribute_parse(attribute, &out->attribute))
		return err_set(ec, ERR_CONFIG,
			       "this is no attribute, such as userName, name.givenName or "
			       "emails[type eq \"work\"].value");
	if (out->attribute.type[0] == '\0' && dialect_lists(SEVERAL, out->attribute.name))
		return err_set(ec, ERR_CONFIG, "%s holds several: write %s[type eq \"work\"].value",
			       out->attribute.name, out->attribute.name);
	if (strlen(expression) >= sizeof(out->text))
		return err_set(ec, ERR_CONFIG, "the expression is longer than %d bytes",
			       MAPPING_TEXT_SIZE - 1);
	memcpy(out->text, expression, strlen(expression) + 1);
	return compile(&compiler) ? ERR_OK : ERR_CONFIG;
}
