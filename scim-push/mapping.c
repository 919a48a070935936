/* Evaluation: the steps of a rule over a small stack of values. Compiling is mapping_compile.c's. */
#include "scim-push/mapping.h"

#include <string.h>

#include "scim-push/mapping_words.h"

#define DEFAULT(attribute_path, attribute_name, attribute_type, attribute_sub, source)                       \
	{                                                                                                    \
		.attribute = {.path = attribute_path,                                                        \
			      .name = attribute_name,                                                        \
			      .type = attribute_type,                                                        \
			      .sub = attribute_sub},                                                         \
		.step_count = 1, .steps = {{.kind = MAPPING_NAME, .which = source}},                         \
	}

static const struct mapping_rule default_rules[] = {
	DEFAULT("userName", "userName", "", "", NAME_OF_USER),
	DEFAULT("name.givenName", "name", "", "givenName", NAME_GIVEN),
	DEFAULT("name.familyName", "name", "", "familyName", NAME_FAMILY),
	DEFAULT("displayName", "displayName", "", "", NAME_DISPLAY),
	DEFAULT("emails[type eq \"work\"].value", "emails", "work", "value", NAME_EMAIL),
};

const struct mapping mapping_default = {default_rules, sizeof(default_rules) / sizeof(default_rules[0])};

const struct mapping_rule *mapping_find(const struct mapping *mapping, const char *path)
{
	for (size_t i = 0; i < mapping->count; i++)
		if (strcmp(mapping->rules[i].attribute.path, path) == 0)
			return &mapping->rules[i];
	return NULL;
}

struct value {
	char text[MAPPING_VALUE_SIZE];
	const char *claim; /* it has several values; NULL = one */
};

struct machine {
	const struct mapping_rule *rule;
	const struct mapping_source *source;
	struct errctx *why;
	size_t depth;
	struct value stack[MAPPING_DEPTH_MAX];
};

static bool too_long(const struct machine *m)
{
	err_set(m->why, ERR_CONFIG, "the attribute %s would be longer than %d bytes", m->rule->attribute.path,
		MAPPING_VALUE_SIZE - 1);
	return false;
}

/* A text that does not fit into a value fails. */
static bool set_text(const struct machine *m, struct value *value, const char *text)
{
	size_t len = strlen(text);

	value->claim = NULL;
	if (len >= sizeof(value->text))
		return too_long(m);
	memcpy(value->text, text, len + 1);
	return true;
}

static const char *name_text(const struct mapping_source *source, unsigned char which)
{
	switch ((enum mapping_name)which) {
	case NAME_OF_USER:
		return source->names->user_name;
	case NAME_DISPLAY:
		return source->names->display_name;
	case NAME_GIVEN:
		return source->names->given_name;
	case NAME_FAMILY:
		return source->names->family_name;
	case NAME_EMAIL:
		return source->names->email;
	case NAME_ID:
		return source->id != NULL ? source->id : "";
	}
	return "";
}

static bool take_claim(struct machine *m, struct value *value, const char *name)
{
	const char *first = NULL;
	size_t count = 0;

	for (size_t i = 0; i < m->source->claim_count; i++) {
		if (strcmp(m->source->claims[i].name, name) != 0)
			continue;
		first = first != NULL ? first : m->source->claims[i].value;
		count++;
	}
	if (!set_text(m, value, first != NULL ? first : ""))
		return false;
	value->claim = count > 1 ? name : NULL;
	return true;
}

static bool one_value(const struct machine *m, const struct value *value)
{
	if (value->claim == NULL)
		return true;
	err_set(m->why, ERR_CONFIG,
		"the attribute %s holds one value, but the claim %s has several of which the first is \"%s\"",
		m->rule->attribute.path, value->claim, value->text);
	return false;
}

/* -- the functions: arguments in `arg`, the result replaces the first ---------------------------------------- */

static bool append(const struct machine *m, struct value *out, const char *text, size_t len)
{
	size_t used = strlen(out->text);

	if (used + len >= sizeof(out->text))
		return too_long(m);
	memcpy(out->text + used, text, len);
	out->text[used + len] = '\0';
	return true;
}

static bool do_join(struct machine *m, struct value *arg, size_t count)
{
	struct value joined = {.text = ""};

	for (size_t i = 1; i < count; i++) {
		if (arg[i].text[0] == '\0')
			continue;
		if (joined.text[0] != '\0' && !append(m, &joined, arg[0].text, strlen(arg[0].text)))
			return false;
		if (!append(m, &joined, arg[i].text, strlen(arg[i].text)))
			return false;
	}
	arg[0] = joined;
	return true;
}

static bool do_replace(struct machine *m, struct value *arg, size_t count)
{
	struct value replaced = {.text = ""};
	size_t what = strlen(arg[1].text);
	const char *at = arg[0].text;

	(void)count;
	for (const char *found = strstr(at, arg[1].text); what > 0 && found != NULL;
	     found = strstr(at, arg[1].text)) {
		if (!append(m, &replaced, at, (size_t)(found - at)) ||
		    !append(m, &replaced, arg[2].text, strlen(arg[2].text)))
			return false;
		at = found + what;
	}
	if (!append(m, &replaced, at, strlen(at)))
		return false;
	arg[0] = replaced;
	return true;
}

/* ASCII: what user names and addresses are compared by. */
static bool do_lower(struct machine *m, struct value *arg, size_t count)
{
	(void)m;
	(void)count;
	for (char *c = arg[0].text; *c != '\0'; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
	return true;
}

static bool do_first(struct machine *m, struct value *arg, size_t count)
{
	(void)m;
	(void)count;
	arg[0].claim = NULL;
	return true;
}

static bool do_default(struct machine *m, struct value *arg, size_t count)
{
	size_t i = 0;

	(void)m;
	while (i + 1 < count && arg[i].text[0] == '\0')
		i++;
	if (i > 0)
		arg[0] = arg[i];
	return true;
}

static bool (*const doers[])(struct machine *m, struct value *arg, size_t count) = {
	[FUNCTION_JOIN] = do_join,   [FUNCTION_REPLACE] = do_replace, [FUNCTION_LOWER] = do_lower,
	[FUNCTION_FIRST] = do_first, [FUNCTION_DEFAULT] = do_default,
};

/* `first` alone may be given a claim of several values; `default` hands one on. */
static bool call(struct machine *m, const struct mapping_step *step)
{
	struct value *arg = &m->stack[m->depth - step->arguments];
	bool takes_several = step->which == FUNCTION_FIRST || step->which == FUNCTION_DEFAULT;

	for (size_t i = 0; !takes_several && i < step->arguments; i++)
		if (!one_value(m, &arg[i]))
			return false;
	m->depth -= step->arguments - 1u;
	return doers[step->which](m, arg, step->arguments);
}

static bool run_step(struct machine *m, const struct mapping_step *step)
{
	const char *text = m->rule->text + step->at;

	switch (step->kind) {
	case MAPPING_CONSTANT:
		return set_text(m, &m->stack[m->depth++], text);
	case MAPPING_NAME:
		return set_text(m, &m->stack[m->depth++], name_text(m->source, step->which));
	case MAPPING_CLAIM:
		return take_claim(m, &m->stack[m->depth++], text);
	case MAPPING_CALL:
		return call(m, step);
	}
	return false;
}

bool mapping_evaluate(const struct mapping_rule *rule, const struct mapping_source *source,
		      char out[MAPPING_VALUE_SIZE], struct errctx *why)
{
	struct machine m;

	m.rule = rule;
	m.source = source;
	m.why = why;
	m.depth = 0;
	m.stack[0].claim = NULL;
	m.stack[0].text[0] = '\0';
	for (size_t i = 0; i < rule->step_count; i++)
		if (!run_step(&m, &rule->steps[i]))
			return false;
	if (!one_value(&m, &m.stack[0]))
		return false;
	memcpy(out, m.stack[0].text, strlen(m.stack[0].text) + 1);
	return true;
}

static bool has_claim(const struct mapping_source *source, const char *name)
{
	for (size_t i = 0; i < source->claim_count; i++)
		if (strcmp(source->claims[i].name, name) == 0 && source->claims[i].value[0] != '\0')
			return true;
	return false;
}

bool mapping_is_known(const struct mapping_rule *rule, const struct mapping_source *source)
{
	bool known[MAPPING_DEPTH_MAX] = {false};
	size_t depth = 0;

	for (size_t i = 0; i < rule->step_count; i++) {
		const struct mapping_step *step = &rule->steps[i];
		switch (step->kind) {
		case MAPPING_CONSTANT:
			known[depth++] = true;
			break;
		case MAPPING_NAME:
			known[depth++] = name_text(source, step->which)[0] != '\0';
			break;
		case MAPPING_CLAIM:
			known[depth++] = has_claim(source, rule->text + step->at);
			break;
		case MAPPING_CALL:
			depth -= step->arguments - 1u;
			for (size_t k = 0; k + 1 < step->arguments && step->which != FUNCTION_DEFAULT; k++)
				known[depth - 1] = known[depth - 1] && known[depth + k];
			break;
		}
	}
	return known[0];
}
