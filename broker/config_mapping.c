/* Settings about attributes of SCIM users: the path of one, and the mapping that says what each is made from. */
#include "config_build.h"

#include <string.h>

static void read_rule(struct builder *builder, const struct setting *setting, struct mapping_rule *rules,
		      struct mapping *mapping, const yaml_node_pair_t *pair)
{
	struct report *report = builder->reading.report;
	const yaml_node_t *key = tree_node(builder->tree, pair->key);
	const yaml_node_t *node = tree_node(builder->tree, pair->value);
	char quoted[REPORT_QUOTE_SIZE];
	struct errctx ec;
	if (!tree_text(key) || !tree_text(node) || tree_is_null(node)) {
		report_error(report, tree_place(node), "%s: an attribute needs one expression",
			     setting->path);
		return;
	}
	if (mapping_compile(tree_text(key), tree_text(node), &rules[mapping->count], &ec) == ERR_OK)
		mapping->count++;
	else
		report_error(report, tree_place(node), "%s: %s: %s", setting->path,
			     report_quote(tree_text(key), quoted), ec.text);
}

void builder_read_mapping_rules(struct builder *builder, const struct setting *setting,
				struct mapping *mapping, const yaml_node_t *node)
{
	struct report *report = builder->reading.report;
	*mapping = (struct mapping){0};
	if (node->type != YAML_MAPPING_NODE) {
		report_error(report, tree_place(node), "%s must hold attributes and expressions, such as %s",
			     setting->path, setting->example);
		return;
	}
	const yaml_node_pair_t *start = node->data.mapping.pairs.start, *top = node->data.mapping.pairs.top;
	size_t count = (size_t)(top - start);
	if (count == 0 || count > (size_t)setting->max) {
		report_error(report, tree_place(node), "%s has %zu attributes, but must have from 1 to %lld",
			     setting->path, count, (long long)setting->max);
		return;
	}
	struct mapping_rule *rules = memory_take(builder->reading.memory, count, sizeof(*rules));
	if (!rules) {
		report_no_memory(report);
		return;
	}
	mapping->rules = rules;
	for (const yaml_node_pair_t *pair = start; pair < top; pair++)
		read_rule(builder, setting, rules, mapping, pair);
}

void value_read_attribute(const struct reading *reading, const struct setting *setting,
			  const struct value *value, void *base)
{
	char quoted[REPORT_QUOTE_SIZE];
	struct attribute attribute;
	if (attribute_parse(value->text, &attribute))
		memcpy((char *)base + setting->offset, &attribute, sizeof(attribute));
	else
		report_error(reading->report, value->place,
			     "%s is %s, but must be an attribute, such as userName, externalId or "
			     "emails[type eq \"work\"].value",
			     setting->path, report_quote(value->text, quoted));
}
