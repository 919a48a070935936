/* Settings that are lists of texts, and claims, which are named lists of them. See build.h. */
#include "config/build.h"

#include <stdlib.h>
#include <string.h>

#define CLAIMS_MAX 20   /* of one set of people */
#define VALUES_MAX 1000 /* of one claim */

static const char *what_is_listed(const struct setting *setting)
{
	if (setting->type == TYPE_GROUP_IDS)
		return "the id of a group";
	return setting->type == TYPE_USER_NAMES ? "a user name" : "a text";
}

/* Group ids are kept in lower case, as the groups' own are. */
static void lower(char *text)
{
	for (; *text; text++)
		if (*text >= 'A' && *text <= 'Z')
			*text = (char)(*text - 'A' + 'a');
}

/* One text of a list, copied; NULL when it was reported. */
static char *copy_text(struct builder *builder, const struct setting *setting, const yaml_node_t *node)
{
	char text[NAME_SIZE];
	const struct setting as_text = {.path = setting->path, .min = 1, .size = sizeof(text)};
	struct value value = {tree_text(node), tree_place(node)};
	if (!value.text || tree_is_null(node) || (setting->type == TYPE_GROUP_IDS && !id_valid(value.text))) {
		report_error(builder->reading.report, value.place, "%s holds something that is not %s",
			     setting->path, what_is_listed(setting));
		return NULL;
	}
	if (!value_store_text(&builder->reading, &as_text, &value, text))
		return NULL;
	if (setting->type == TYPE_GROUP_IDS)
		lower(text);
	if (setting->type == TYPE_USER_NAMES && strchr(text, '*'))
		report_warning(builder->reading.report, value.place,
			       "%s holds a user name with a '*', which stands for nobody else: for many, "
			       "name a claim",
			       setting->path);
	char *copy = memory_copy(builder->reading.memory, text);
	if (!copy)
		report_no_memory(builder->reading.report);
	return copy;
}

static void drop_doubles(struct policy_names *names, int (*compare)(const char *a, const char *b))
{
	size_t kept = 0;
	for (size_t i = 0; i < names->count; i++)
		if (kept == 0 || compare(names->list[kept - 1], names->list[i]) != 0)
			names->list[kept++] = names->list[i];
	names->count = kept;
}

void builder_read_texts(struct builder *builder, const struct setting *setting, struct policy_names *field,
			const yaml_node_t *node)
{
	struct span span;
	*field = (struct policy_names){0};
	if (!builder_span(builder, setting, node, &span) || span.count == 0)
		return;
	field->list = memory_take(builder->reading.memory, span.count, sizeof(char *));
	if (!field->list) {
		report_no_memory(builder->reading.report);
		return;
	}
	for (size_t i = 0; i < span.count; i++) {
		char *text = copy_text(builder, setting, tree_node(builder->tree, span.items[i]));
		if (text)
			field->list[field->count++] = text;
	}
	if (setting->type == TYPE_WORDS) {
		policy_words_sort(field);
		drop_doubles(field, strcmp);
	} else {
		policy_names_sort(field);
		drop_doubles(field, strcasecmp);
	}
}

/* One claim; false when it was reported. */
static bool read_claim(struct builder *builder, const struct setting *setting, struct policy_claim *claim,
		       const yaml_node_pair_t *pair)
{
	char path[PATH_SIZE + REPORT_QUOTE_SIZE], quoted[REPORT_QUOTE_SIZE];
	const yaml_node_t *key = tree_node(builder->tree, pair->key);
	const yaml_node_t *values = tree_node(builder->tree, pair->value);
	struct setting words = {.type = TYPE_WORDS, .example = "[cloud-engineers]", .max = VALUES_MAX};
	claim->name = copy_text(builder, setting, key);
	if (!claim->name)
		return false;
	snprintf(path, sizeof(path), "%s: %s", setting->path, report_quote(claim->name, quoted));
	words.path = path;
	size_t errors = builder->reading.report->errors;
	builder_read_texts(builder, &words, &claim->values, values);
	if (claim->values.count == 0 && builder->reading.report->errors == errors)
		report_error(builder->reading.report, tree_place(values), "%s has no values: nobody has it",
			     path);
	return claim->values.count > 0;
}

void builder_read_claims(struct builder *builder, const struct setting *setting, struct policy_claims *field,
			 const yaml_node_t *node)
{
	struct report *report = builder->reading.report;
	*field = (struct policy_claims){0};
	if (node->type != YAML_MAPPING_NODE) {
		report_error(report, tree_place(node),
			     "%s must hold the names of claims and their values, such as %s", setting->path,
			     setting->example);
		return;
	}
	const yaml_node_pair_t *pairs = node->data.mapping.pairs.start;
	size_t count = (size_t)(node->data.mapping.pairs.top - pairs);
	if (count > CLAIMS_MAX) {
		report_error(report, tree_place(node), "%s has %zu entries, but must have at most %d",
			     setting->path, count, CLAIMS_MAX);
		return;
	}
	field->list = count ? memory_take(builder->reading.memory, count, sizeof(*field->list)) : NULL;
	if (count && !field->list)
		report_no_memory(report);
	for (size_t i = 0; field->list && i < count; i++)
		if (read_claim(builder, setting, &field->list[field->count], &pairs[i]))
			field->count++;
}

void builder_read_aliases(struct builder *builder, const struct setting *setting,
			  struct config_aliases *field, const yaml_node_t *node)
{
	struct report *report = builder->reading.report;
	struct setting name = {.path = setting->path, .type = TYPE_USER_NAMES};
	*field = (struct config_aliases){0};
	if (node->type != YAML_MAPPING_NODE) {
		report_error(report, tree_place(node),
			     "%s must hold names, each with a user name, such as %s", setting->path,
			     setting->example);
		return;
	}
	const yaml_node_pair_t *pairs = node->data.mapping.pairs.start;
	size_t count = (size_t)(node->data.mapping.pairs.top - pairs);
	if (count > (size_t)setting->max) {
		report_error(report, tree_place(node), "%s has %zu entries, but must have at most %lld",
			     setting->path, count, (long long)setting->max);
		return;
	}
	field->list = count ? memory_take(builder->reading.memory, count, sizeof(*field->list)) : NULL;
	if (count && !field->list)
		report_no_memory(report);
	for (size_t i = 0; field->list && i < count; i++) {
		struct config_alias *alias = &field->list[field->count];
		alias->name = copy_text(builder, &name, tree_node(builder->tree, pairs[i].key));
		alias->user_name = copy_text(builder, &name, tree_node(builder->tree, pairs[i].value));
		field->count += alias->name && alias->user_name;
	}
	if (field->list)
		qsort(field->list, field->count, sizeof(*field->list), alias_compare);
}

static const char day_names[][4] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

/* The day whose name the text begins with, or 7. */
static unsigned day_of(const char *text)
{
	unsigned day = 0;
	while (day < 7 && strncmp(text, day_names[day], 3) != 0)
		day++;
	return day;
}

/* "fri" or "fri..mon" as bits; 0 when it is neither. */
static unsigned days_of(const char *text)
{
	unsigned first = day_of(text);
	if (first == 7)
		return 0;
	if (text[3] == '\0')
		return 1U << first;
	if (strncmp(text + 3, "..", 2) != 0)
		return 0;
	unsigned last = day_of(text + 5), days = 1U << first;
	if (last == 7 || text[8] != '\0')
		return 0;
	for (unsigned day = first; day != last; day = (day + 1) % 7)
		days |= 1U << ((day + 1) % 7);
	return days;
}

void builder_read_days(struct builder *builder, const struct setting *setting, unsigned *field,
		       const yaml_node_t *node)
{
	struct report *report = builder->reading.report;
	struct span span;
	char quoted[REPORT_QUOTE_SIZE];
	if (!builder_span(builder, setting, node, &span))
		return;
	*field = 0;
	if (span.count == 0)
		report_error(report, tree_place(node), "%s is empty: these hours would never come",
			     setting->path);
	for (size_t i = 0; i < span.count; i++) {
		const yaml_node_t *item = tree_node(builder->tree, span.items[i]);
		const char *text = tree_text(item);
		unsigned days = text ? days_of(text) : 0;
		if (days == 0)
			report_error(
				report, tree_place(item),
				"%s holds %s, but must hold mon, tue, wed, thu, fri, sat, sun, or two of "
				"them as mon..fri",
				setting->path, text ? report_quote(text, quoted) : "a list");
		*field |= days;
	}
}
