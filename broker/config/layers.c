/* What groups inherit: defaults, then their application's rules, then their own, setting by setting. See build.h. */
#include "config/build.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The layer of one application. */
struct app_layer {
	const char *app; /* borrowed from the configuration, which does not move its applications meanwhile */
	const struct layer *layer;
};

void builder_read_layer(struct builder *builder, const struct setting *setting, struct element *element,
			yaml_node_t *node)
{
	bool is_default = setting == &settings[SET_POLICY_DEFAULTS];
	struct layer *layer = memory_take(&builder->memory, 1, sizeof(*layer));
	struct element rules = {.node = node};
	if (!layer) {
		report_no_memory(builder->reading.report);
		return;
	}
	if (node->type != YAML_MAPPING_NODE) {
		report_error(builder->reading.report, tree_place(node), "%s must hold keys and values",
			     setting->path);
		return;
	}
	size_t errors = builder->reading.report->errors;
	rules.policy = &layer->policy;
	builder->layer = is_default ? "policy.defaults." : "applications[].policy.";
	builder_read_mapping(builder, &rules, node, builder->layer);
	builder->layer = "";
	builder->layer_errors += builder->reading.report->errors - errors;
	for (size_t i = 0; i < SETTING_COUNT; i++)
		layer->given[i] = rules.given[i] != NULL;
	if (is_default)
		builder->defaults = layer;
	else
		builder->applications[(struct config_application *)element->base -
				      builder->config->applications]
			.layer = layer;
}

static int compare_layers(const void *left, const void *right)
{
	const struct app_layer *a = left, *b = right;
	return strcasecmp(a->app, b->app);
}

void builder_sort_layers(struct builder *builder)
{
	const struct config *config = builder->config;
	builder->app_layers = calloc(config->application_count + 1, sizeof(*builder->app_layers));
	if (!builder->app_layers) {
		report_no_memory(builder->reading.report);
		return;
	}
	for (size_t i = 0; i < config->application_count; i++)
		if (builder->applications[i].layer)
			builder->app_layers[builder->app_layer_count++] = (struct app_layer){
				config->applications[i].id, builder->applications[i].layer};
	qsort(builder->app_layers, builder->app_layer_count, sizeof(*builder->app_layers), compare_layers);
}

static const struct layer *layer_of(const struct builder *builder, const char *app)
{
	struct app_layer key = {.app = app};
	if (!app || builder->app_layer_count == 0)
		return NULL;
	const struct app_layer *found = bsearch(&key, builder->app_layers, builder->app_layer_count,
						sizeof(*builder->app_layers), compare_layers);
	return found ? found->layer : NULL;
}

/* Where one group's settings may come from besides itself; each may be NULL. */
struct sources {
	const struct layer *application, *defaults;
};

static const struct layer *source_of(const struct sources *sources, size_t id)
{
	if (sources->application && sources->application->given[id])
		return sources->application;
	return sources->defaults && sources->defaults->given[id] ? sources->defaults : NULL;
}

static void inherit(const struct sources *sources, const struct element *element)
{
	for (size_t i = 0; i < SETTING_COUNT; i++) {
		const struct layer *source = source_of(sources, i);
		if (settings[i].owner == OF_POLICY && !element->given[i] && source)
			memcpy((char *)element->policy + settings[i].offset,
			       (const char *)&source->policy + settings[i].offset, settings[i].size);
	}
}

static int64_t clamp(int64_t value, int64_t min, int64_t max)
{
	if (value < min)
		return min;
	return value > max ? max : value;
}

static void check_lengths(struct builder *builder, const struct element *element)
{
	const struct policy *policy = element->policy;
	char min[DURATION_TEXT_SIZE], middle[DURATION_TEXT_SIZE], max[DURATION_TEXT_SIZE];
	struct report *report = builder->reading.report;
	duration_print(policy->min_ms, min);
	duration_print(policy->default_ms, middle);
	duration_print(policy->max_ms, max);
	if (policy->min_ms > policy->max_ms)
		report_error(report, element_place(element, SET_GROUP_MIN),
			     "groups[].activation.min is %s, more than the max of %s", min, max);
	else if (policy->default_ms < policy->min_ms || policy->default_ms > policy->max_ms)
		report_error(report, element_place(element, SET_GROUP_DEFAULT),
			     "groups[].activation.default is %s, but must be from min, %s, to max, %s",
			     middle, min, max);
}

/* Defaults that depend on each other, and whether the outcome makes sense. */
static void finish_lengths(struct builder *builder, const struct sources *sources,
			   const struct element *element)
{
	struct policy *policy = element->policy, usual;
	bool min = element->given[SET_GROUP_MIN] || source_of(sources, SET_GROUP_MIN);
	bool middle = element->given[SET_GROUP_DEFAULT] || source_of(sources, SET_GROUP_DEFAULT);
	if (policy->max_ms == 0)
		return; /* unreadable where it was inherited from, as is each that is zero below */
	policy_defaults(&usual);
	if (!min)
		policy->min_ms = clamp(usual.min_ms, 0, policy->max_ms);
	if (!middle && policy->min_ms <= policy->max_ms)
		policy->default_ms = clamp(usual.default_ms, policy->min_ms, policy->max_ms);
	if (policy->min_ms && (!middle || policy->default_ms))
		check_lengths(builder, element);
}

void builder_finish_policy(struct builder *builder, size_t index, const struct element *element)
{
	struct marks *marks = &builder->groups[index];
	struct sources sources = {layer_of(builder, marks->referred), builder->defaults};
	inherit(&sources, element);
	finish_lengths(builder, &sources, element);
	if (!element->given[SET_GROUP_ELIGIBLE] && !source_of(&sources, SET_GROUP_ELIGIBLE))
		report_error(builder->reading.report, tree_place(element->node),
			     "groups[].eligible is missing: nobody could activate this group");
	marks->exclusive = element_place(element, SET_GROUP_EXCLUSIVE);
	marks->own_exclusive = element->given[SET_GROUP_EXCLUSIVE];
	builder_check_policy(builder, element->policy, element);
}
