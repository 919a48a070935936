/* See build.h. Goes on after every mistake, so that all of them are found in one pass. */
#include "config/build.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX_SIZE 64 /* longer than any path of the table */

struct place element_place(const struct element *element, enum setting_id id)
{
	return tree_place(element->given[id] ? element->given[id] : element->node);
}

void builder_apply_defaults(struct builder *builder, enum setting_owner owner, const struct element *element)
{
	void *base = owner == OF_POLICY ? (void *)element->policy : element->base;
	for (size_t i = 0; i < SETTING_COUNT; i++) {
		struct value value = {settings[i].fallback, tree_place(element->node)};
		if (value.text && settings[i].owner == owner)
			value_read(&builder->reading, &settings[i], &value, base);
	}
}

void builder_check_required(struct builder *builder, enum setting_owner owner, const char *prefix,
			    const struct element *element)
{
	char path[PATH_SIZE];
	for (size_t i = 0; i < SETTING_COUNT; i++)
		if (settings[i].is_required && settings[i].owner == owner && !element->given[i] &&
		    strncmp(settings[i].path, prefix, strlen(prefix)) == 0)
			report_error(builder->reading.report, tree_place(element->node), "%s is missing",
				     setting_path_in(&settings[i], builder->layer, path));
}

static void report_unknown(struct builder *builder, const char *prefix, const yaml_node_t *key)
{
	char quoted[REPORT_QUOTE_SIZE];
	char known[384] = "";
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

static void read_scalar(struct builder *builder, const struct setting *setting, void *base,
			const yaml_node_t *node)
{
	struct value value = {tree_text(node), tree_place(node)};
	if (node->type != YAML_SCALAR_NODE || tree_is_null(node))
		report_error(builder->reading.report, value.place, "%s needs one value", setting->path);
	else if (!value.text)
		report_error(builder->reading.report, value.place, "%s holds a NUL character", setting->path);
	else
		value_read(&builder->reading, setting, &value, base);
}

bool builder_span(struct builder *builder, const struct setting *setting, const yaml_node_t *node,
		  struct span *out)
{
	struct report *report = builder->reading.report;
	const char *example =
		setting->example && strcmp(setting->example, "[]") != 0 ? setting->example : NULL;
	if (node->type != YAML_SEQUENCE_NODE) {
		report_error(report, tree_place(node), "%s must be a list%s%s", setting->path,
			     example ? ", such as " : "", example ? example : "");
		return false;
	}
	out->items = node->data.sequence.items.start;
	out->count = (size_t)(node->data.sequence.items.top - out->items);
	if (setting->max == 0 || out->count <= (size_t)setting->max)
		return true;
	report_error(report, tree_place(node), "%s has %zu entries, but must have at most %lld",
		     setting->path, out->count, (long long)setting->max);
	return false;
}

static void read_list(struct builder *builder, const struct setting *setting, const yaml_node_t *node);

/* A section whose members are all commented out is empty, not wrong. */
static void read_section(struct builder *builder, const struct setting *setting, struct element *element,
			 const yaml_node_t *node)
{
	char prefix[PREFIX_SIZE], path[PATH_SIZE];
	if (tree_is_null(node))
		return;
	if (node->type != YAML_MAPPING_NODE) {
		report_error(builder->reading.report, tree_place(node), "%s must hold keys and values",
			     setting_path_in(setting, builder->layer, path));
		return;
	}
	snprintf(prefix, sizeof(prefix), "%s.", setting->path);
	builder_read_mapping(builder, element, node, prefix);
}

/* A setting that needs no other one of the table. */
static void read_value(struct builder *builder, const struct setting *setting, struct element *element,
		       const yaml_node_t *node)
{
	char path[PATH_SIZE];
	struct setting shown = *setting; /* under the name that it has here */
	void *base = setting->owner == OF_POLICY ? (void *)element->policy : element->base;
	void *field = (char *)base + setting->offset;
	shown.path = setting_path_in(setting, builder->layer, path);
	if (setting->type == TYPE_USER_NAMES || setting->type == TYPE_WORDS ||
	    setting->type == TYPE_GROUP_IDS)
		builder_read_texts(builder, &shown, field, node);
	else if (setting->type == TYPE_CLAIMS)
		builder_read_claims(builder, &shown, field, node);
	else if (setting->type == TYPE_ALIASES)
		builder_read_aliases(builder, &shown, field, node);
	else if (setting->type == TYPE_MAPPING)
		builder_read_mapping_rules(builder, &shown, field, node);
	else if (setting->type == TYPE_DAYS)
		builder_read_days(builder, &shown, field, node);
	else if (setting->type != TYPE_REFERENCE)
		read_scalar(builder, builder->layer[0] ? &shown : setting, base, node);
	else if (!tree_text(node) || tree_is_null(node)) /* resolved when all applications are known */
		report_error(builder->reading.report, tree_place(node), "%s needs one value", setting->path);
}

static void read_setting(struct builder *builder, const struct setting *setting, struct element *element,
			 yaml_node_t *node)
{
	/* clang-format off */
	switch (setting->type) {
	case TYPE_SECTION:
		read_section(builder, setting, element, node);
		break;
	case TYPE_LIST:
		if (setting != &settings[SET_GROUPS]) /* which come last, as they need the others */
			read_list(builder, setting, node);
		break;
	case TYPE_LAYER:
		builder_read_layer(builder, setting, element, node);
		break;
	case TYPE_ITEMS: case TYPE_APPROVAL:
		builder_read_items(builder, setting, element, node);
		break;
	case TYPE_STAGES: /* read with the approval that it is in */
		break;
	case TYPE_USER_NAMES: case TYPE_WORDS: case TYPE_GROUP_IDS: case TYPE_DAYS: case TYPE_CLAIMS:
	case TYPE_ALIASES:
	case TYPE_MAPPING: case TYPE_ATTRIBUTE:
	case TYPE_TIME: case TYPE_DAY_TIME: case TYPE_ZONE: case TYPE_PATTERN: case TYPE_REFERENCE:
	case TYPE_BOOL: case TYPE_COUNT: case TYPE_DURATION: case TYPE_CHOICE: case TYPE_TEXT: case TYPE_UUID:
	case TYPE_APP_ID: case TYPE_SHA256: case TYPE_FILE: case TYPE_PATH: case TYPE_SECRET: case TYPE_WEBHOOK_SECRET:
	case TYPE_LISTEN: case TYPE_REDIS_URL: case TYPE_ISSUER_URL: case TYPE_HOOK_URL: case TYPE_MAIL_URL: case TYPE_MAIL_ADDRESS:
	 case TYPE_SCIM_URL:
		read_value(builder, setting, element, node);
		break;
	}
	/* clang-format on */
}

/* What has nothing behind its key counts as not given where a group could inherit it. */
static bool is_left_out(const struct setting *setting, const yaml_node_t *node)
{
	bool inherited =
		setting->type == TYPE_ITEMS || setting->type == TYPE_APPROVAL || setting->type == TYPE_LAYER;
	return inherited && tree_is_null(node);
}

/* Recursion follows the table (section within section), not the input. */
void builder_read_mapping(struct builder *builder, struct element *element, const yaml_node_t *node,
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
		if (*given || is_left_out(setting, value))
			continue; /* what is given twice has been reported */
		*given = value;
		read_setting(builder, setting, element, value);
	}
}

/* What differs between the lists. */
static const struct list {
	enum setting_id id;
	enum setting_owner owner;
	const char *prefix;
	void (*finish)(struct builder *builder, size_t index, const struct element *element);
} lists[] = {
	{SET_SIGN_IN, OF_ISSUER, "sign_in[].", builder_finish_issuer},
	{SET_MACHINES, OF_MACHINE, "machines[].", builder_finish_machine},
	{SET_SOURCES, OF_SOURCE, "approval_sources[].", builder_finish_source},
	{SET_WEBHOOKS, OF_WEBHOOK, "notices.webhooks[].", builder_finish_webhook},
	{SET_PEOPLE, OF_PERSON, "people[].", builder_finish_person},
	{SET_APPLICATIONS, OF_APPLICATION, "applications[].", builder_finish_application},
	{SET_GROUPS, OF_GROUP, "groups[].", builder_finish_group},
};

/* So many elements of that size, and a mark for each. NULL when memory is short; *count is 0 then. */
static void *allocate(size_t wanted, size_t size, struct marks **marks, size_t *count)
{
	void *list = calloc(wanted, size);
	*marks = calloc(wanted, sizeof(**marks));
	if (!*marks) {
		free(list);
		return NULL;
	}
	*count = list ? wanted : 0;
	return list;
}

static bool allocate_list(struct builder *builder, enum setting_id id, size_t count)
{
	struct config *config = builder->config;
	void *list;
	if (id == SET_SIGN_IN)
		list = config->issuers =
			allocate(count, sizeof(*config->issuers), &builder->issuers, &config->issuer_count);
	else if (id == SET_MACHINES)
		list = config->machines = allocate(count, sizeof(*config->machines), &builder->machines,
						   &config->machine_count);
	else if (id == SET_SOURCES)
		list = config->sources =
			allocate(count, sizeof(*config->sources), &builder->sources, &config->source_count);
	else if (id == SET_WEBHOOKS)
		list = config->webhooks = allocate(count, sizeof(*config->webhooks), &builder->webhooks,
						   &config->webhook_count);
	else if (id == SET_PEOPLE)
		list = config->people =
			allocate(count, sizeof(*config->people), &builder->people, &config->people_count);
	else if (id == SET_APPLICATIONS)
		list = config->applications = allocate(count, sizeof(*config->applications),
						       &builder->applications, &config->application_count);
	else
		list = config->groups =
			allocate(count, sizeof(*config->groups), &builder->groups, &config->group_count);
	return list;
}

static void *list_item(struct config *config, enum setting_id id, size_t index)
{
	if (id == SET_SIGN_IN)
		return &config->issuers[index];
	if (id == SET_MACHINES)
		return &config->machines[index];
	if (id == SET_SOURCES)
		return &config->sources[index];
	if (id == SET_WEBHOOKS)
		return &config->webhooks[index];
	if (id == SET_PEOPLE)
		return &config->people[index];
	if (id == SET_APPLICATIONS)
		return &config->applications[index];
	return &config->groups[index];
}

static void read_item(struct builder *builder, const struct list *list, size_t index, yaml_node_t *node)
{
	struct element element = {.base = list_item(builder->config, list->id, index), .node = node};
	builder->errors_before = builder->reading.report->errors;
	if (node->type != YAML_MAPPING_NODE) {
		report_error(builder->reading.report, tree_place(node), "%s[] must hold keys and values",
			     settings[list->id].path);
		return;
	}
	builder_apply_defaults(builder, list->owner, &element);
	if (list->id == SET_GROUPS) {
		element.policy = &builder->config->groups[index].policy;
		builder_apply_defaults(builder, OF_POLICY, &element);
	}
	builder_read_mapping(builder, &element, node, list->prefix);
	builder_check_required(builder, list->owner, list->prefix, &element);
	list->finish(builder, index, &element);
}

static void read_list(struct builder *builder, const struct setting *setting, const yaml_node_t *node)
{
	const struct list *list = lists;
	while (&settings[list->id] != setting)
		list++;
	if (tree_is_null(node))
		return;
	struct span span;
	if (!builder_span(builder, setting, node, &span) || span.count == 0)
		return;
	if (!allocate_list(builder, list->id, span.count))
		report_no_memory(builder->reading.report);
	else
		for (size_t i = 0; i < span.count; i++)
			read_item(builder, list, i, tree_node(builder->tree, span.items[i]));
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
	builder_apply_defaults(builder, OF_ROOT, &builder->root);
	builder_read_mapping(builder, &builder->root, root, "");
	builder_check_required(builder, OF_ROOT, "", &builder->root);
	builder_sort_layers(builder);
	builder_check_accounts(builder);
	builder_list_signers(builder);
	if (builder->root.given[SET_GROUPS])
		read_list(builder, &settings[SET_GROUPS], builder->root.given[SET_GROUPS]);
	builder_check_all(builder);
}

void builder_release(struct builder *builder)
{
	free(builder->issuers);
	free(builder->machines);
	free(builder->sources);
	free(builder->webhooks);
	free(builder->people);
	free(builder->applications);
	free(builder->groups);
	free(builder->app_layers);
	free(builder->signers);
	memory_release(&builder->memory);
	builder->app_layers = NULL;
	builder->signers = NULL;
	builder->issuers = builder->machines = builder->sources = builder->webhooks = builder->people =
		builder->applications = builder->groups = NULL;
}
