/* See config_build.h. Goes on after every mistake, so that all of them are found in one pass. */
#include "config_build.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX_SIZE 64 /* longer than any path of the table */

struct place element_place(const struct element *element, enum setting_id id)
{
	return tree_place(element->given[id] ? element->given[id] : element->node);
}

/* "people[].id" belongs to the struct of "people[]."; "people[].id" does not belong to that of "". */
static bool in_struct(const struct setting *setting, const char *prefix)
{
	size_t len = strlen(prefix);
	return strncmp(setting->path, prefix, len) == 0 && !strstr(setting->path + len, "[]");
}

static void apply_defaults(struct builder *builder, const char *prefix, const struct element *element)
{
	for (size_t i = 0; i < SETTING_COUNT; i++) {
		struct value value = {settings[i].fallback, tree_place(element->node)};
		if (value.text && in_struct(&settings[i], prefix))
			value_read(&builder->reading, &settings[i], &value, element->base);
	}
}

static void check_required(struct builder *builder, const char *prefix, const struct element *element)
{
	for (size_t i = 0; i < SETTING_COUNT; i++)
		if (settings[i].is_required && in_struct(&settings[i], prefix) && !element->given[i])
			report_error(builder->reading.report, tree_place(element->node), "%s is missing",
				     settings[i].path);
}

static void report_unknown(struct builder *builder, const char *prefix, const yaml_node_t *key)
{
	char quoted[REPORT_QUOTE_SIZE];
	char known[256] = "";
	const char *text = tree_text(key);
	const char *nearest = text ? setting_nearest(prefix, text) : NULL;
	if (!text) {
		report_error(builder->reading.report, tree_place(key), "a key must be a plain word");
		return;
	}
	if (nearest) {
		report_error(builder->reading.report, tree_place(key), "unknown key %s; did you mean \"%s\"?",
			     report_quote(text, quoted), nearest);
		return;
	}
	size_t used = 0;
	for (size_t i = 0; i < SETTING_COUNT && used < sizeof(known); i++)
		if (setting_within(&settings[i], prefix))
			used += (size_t)snprintf(known + used, sizeof(known) - used, "%s%s", used ? ", " : "",
						 setting_key(&settings[i]));
	report_error(builder->reading.report, tree_place(key), "unknown key %s; known here: %s",
		     report_quote(text, quoted), known);
}

static void read_scalar(struct builder *builder, const struct setting *setting, struct element *element,
			const yaml_node_t *node)
{
	struct value value = {tree_text(node), tree_place(node)};
	if (node->type != YAML_SCALAR_NODE || tree_is_null(node))
		report_error(builder->reading.report, value.place, "%s needs one value", setting->path);
	else if (!value.text)
		report_error(builder->reading.report, value.place, "%s holds a NUL character", setting->path);
	else
		value_read(&builder->reading, setting, &value, element->base);
}

/* One user name of a list, copied; NULL when it was reported. */
static char *copy_user_name(struct builder *builder, const struct setting *setting, const yaml_node_t *node)
{
	char name[NAME_SIZE];
	const struct setting text = {.path = setting->path, .min = 1, .size = sizeof(name)};
	struct value value = {tree_text(node), tree_place(node)};
	if (!value.text || tree_is_null(node)) {
		report_error(builder->reading.report, value.place,
			     "%s holds something that is not a user name", setting->path);
		return NULL;
	}
	if (!value_store_text(&builder->reading, &text, &value, name))
		return NULL;
	char *copy = strdup(name);
	if (!copy)
		report_no_memory(builder->reading.report);
	return copy;
}

static void read_user_names(struct builder *builder, const struct setting *setting, struct element *element,
			    const yaml_node_t *node)
{
	struct policy *policy = &((struct config_group *)element->base)->policy;
	if (node->type != YAML_SEQUENCE_NODE) {
		report_error(builder->reading.report, tree_place(node), "%s must be a list, such as %s",
			     setting->path, setting->example);
		return;
	}
	const yaml_node_item_t *items = node->data.sequence.items.start;
	size_t count = (size_t)(node->data.sequence.items.top - items);
	if (count == 0)
		return;
	policy->eligible = calloc(count, sizeof(char *));
	if (!policy->eligible) {
		report_no_memory(builder->reading.report);
		return;
	}
	for (size_t i = 0; i < count; i++) {
		char *name = copy_user_name(builder, setting, tree_node(builder->tree, items[i]));
		if (name)
			policy->eligible[policy->eligible_count++] = name;
	}
	policy_sort(policy);
}

static void read_mapping(struct builder *builder, struct element *element, const yaml_node_t *node,
			 const char *prefix);
static void read_list(struct builder *builder, const struct setting *setting, const yaml_node_t *node);

/* A section whose members are all commented out is empty, not wrong. */
static void read_section(struct builder *builder, const struct setting *setting, struct element *element,
			 const yaml_node_t *node)
{
	char prefix[PREFIX_SIZE];
	if (tree_is_null(node))
		return;
	if (node->type != YAML_MAPPING_NODE) {
		report_error(builder->reading.report, tree_place(node), "%s must hold keys and values",
			     setting->path);
		return;
	}
	snprintf(prefix, sizeof(prefix), "%s.", setting->path);
	read_mapping(builder, element, node, prefix);
}

static void read_setting(struct builder *builder, const struct setting *setting, struct element *element,
			 yaml_node_t *node)
{
	switch (setting->type) {
	case TYPE_SECTION:
		read_section(builder, setting, element, node);
		break;
	case TYPE_LIST:
		read_list(builder, setting, node);
		break;
	case TYPE_USER_NAMES:
		read_user_names(builder, setting, element, node);
		break;
	case TYPE_REFERENCE:
		if (!tree_text(node) || tree_is_null(node))
			report_error(builder->reading.report, tree_place(node), "%s needs one value",
				     setting->path);
		break; /* resolved when all applications are known */
	case TYPE_BOOL:
	case TYPE_COUNT:
	case TYPE_DURATION:
	case TYPE_CHOICE:
	case TYPE_TEXT:
	case TYPE_UUID:
	case TYPE_APP_ID:
	case TYPE_SHA256:
	case TYPE_FILE:
	case TYPE_SECRET:
	case TYPE_LISTEN:
	case TYPE_REDIS_URL:
	case TYPE_SCIM_URL:
		read_scalar(builder, setting, element, node);
		break;
	}
}

/* Recursion follows the table (section within section), not the input. */
static void read_mapping(struct builder *builder, struct element *element, const yaml_node_t *node,
			 const char *prefix)
{
	const yaml_node_pair_t *top = node->data.mapping.pairs.top;
	for (const yaml_node_pair_t *pair = node->data.mapping.pairs.start; pair < top; pair++) {
		const yaml_node_t *key = tree_node(builder->tree, pair->key);
		yaml_node_t *value = tree_node(builder->tree, pair->value);
		const char *text = tree_text(key);
		const struct setting *setting = text ? setting_find(prefix, text) : NULL;
		if (!setting) {
			report_unknown(builder, prefix, key);
			continue;
		}
		yaml_node_t **given = &element->given[setting - settings];
		if (*given)
			continue; /* given twice, which has been reported */
		*given = value;
		read_setting(builder, setting, element, value);
	}
}

/* What differs between the three lists. */
static const struct list {
	enum setting_id id;
	const char *prefix;
	void (*finish)(struct builder *builder, size_t index, const struct element *element);
} lists[] = {
	{SET_PEOPLE, "people[].", config_finish_person},
	{SET_APPLICATIONS, "applications[].", config_finish_application},
	{SET_GROUPS, "groups[].", config_finish_group},
};

static bool allocate_list(struct builder *builder, enum setting_id id, size_t count)
{
	struct config *config = builder->config;
	struct marks *marks = calloc(count, sizeof(*marks));
	if (!marks)
		return false;
	if (id == SET_PEOPLE) {
		builder->people = marks;
		config->people = calloc(count, sizeof(*config->people));
		config->people_count = config->people ? count : 0;
		return config->people;
	}
	if (id == SET_APPLICATIONS) {
		builder->applications = marks;
		config->applications = calloc(count, sizeof(*config->applications));
		config->application_count = config->applications ? count : 0;
		return config->applications;
	}
	builder->groups = marks;
	config->groups = calloc(count, sizeof(*config->groups));
	config->group_count = config->groups ? count : 0;
	return config->groups;
}

static void *list_item(struct config *config, enum setting_id id, size_t index)
{
	if (id == SET_PEOPLE)
		return &config->people[index];
	if (id == SET_APPLICATIONS)
		return &config->applications[index];
	return &config->groups[index];
}

static void read_item(struct builder *builder, const struct list *list, size_t index, yaml_node_t *node)
{
	struct element element = {.base = list_item(builder->config, list->id, index), .node = node};
	if (node->type != YAML_MAPPING_NODE) {
		report_error(builder->reading.report, tree_place(node), "%s[] must hold keys and values",
			     settings[list->id].path);
		return;
	}
	apply_defaults(builder, list->prefix, &element);
	read_mapping(builder, &element, node, list->prefix);
	check_required(builder, list->prefix, &element);
	list->finish(builder, index, &element);
}

static void read_list(struct builder *builder, const struct setting *setting, const yaml_node_t *node)
{
	struct report *report = builder->reading.report;
	const struct list *list = lists;
	while (&settings[list->id] != setting)
		list++;
	if (tree_is_null(node))
		return;
	if (node->type != YAML_SEQUENCE_NODE) {
		report_error(report, tree_place(node), "%s must be a list", setting->path);
		return;
	}
	const yaml_node_item_t *items = node->data.sequence.items.start;
	size_t count = (size_t)(node->data.sequence.items.top - items);
	if (count == 0)
		return;
	if (count > (size_t)setting->max)
		report_error(report, tree_place(node), "%s has %zu entries, but must have at most %lld",
			     setting->path, count, (long long)setting->max);
	else if (!allocate_list(builder, list->id, count))
		report_no_memory(report);
	else
		for (size_t i = 0; i < count; i++)
			read_item(builder, list, i, tree_node(builder->tree, items[i]));
}

void config_build(struct builder *builder)
{
	struct report *report = builder->reading.report;
	yaml_node_t *root = tree_root(builder->tree);
	if (!root || tree_is_null(root)) {
		/* Defaults alone run no broker, and a file cut to nothing must not take everything away. */
		report_error(report, (struct place){1, 1}, "the configuration is empty");
		return;
	}
	if (root->type != YAML_MAPPING_NODE) {
		report_error(report, tree_place(root), "the configuration must hold keys and values");
		return;
	}
	builder->root = (struct element){.base = builder->config, .node = root};
	apply_defaults(builder, "", &builder->root);
	read_mapping(builder, &builder->root, root, "");
	check_required(builder, "", &builder->root);
	config_check(builder);
}

void builder_release(struct builder *builder)
{
	free(builder->people);
	free(builder->applications);
	free(builder->groups);
	builder->people = builder->applications = builder->groups = NULL;
}
