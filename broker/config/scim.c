/* Settings of SCIM: its dialects, attributes of users, and the mapping that says what each is made from. */
#include "config/build.h"

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

void builder_take_dialect(struct builder *builder, struct config_application *application,
			  const struct element *element)
{
	static const enum setting_id knobs[] = {
		SET_APP_REMOVAL,
		SET_APP_VERIFY,
		SET_APP_LIST,
		SET_APP_ADDITION,
		SET_APP_OP_CASE,
		SET_APP_OPERATIONS_KEY,
		SET_APP_MEMBER_VALUE,
		SET_APP_MEMBERS_MAX,
		SET_APP_OPERATIONS_MAX,
		SET_APP_BODY_MAX,
		SET_APP_SETTLE,
		SET_APP_HIDE_MEMBERS,
		SET_APP_SHOW_NAMES,
		SET_APP_USERS_REQUIRED,
		SET_APP_USERS_SINGLE,
		SET_APP_USERS_UNSPACED,
		SET_APP_USERS_REFUSED,
		SET_APP_LONGEST_USER_NAME,
		SET_APP_LONGEST_DISPLAY_NAME,
		SET_APP_LONGEST_EXTERNAL_ID,
		SET_APP_LONGEST_OTHER,
	};
	const struct scim_dialect *row = dialect_row(application->scim.dialect.name);
	const size_t base = offsetof(struct config_application, scim.dialect);
	for (size_t i = 0; i < sizeof(knobs) / sizeof(knobs[0]); i++) {
		const struct setting *knob = &settings[knobs[i]];
		if (!element->given[knobs[i]])
			memcpy((char *)application + knob->offset, (const char *)row + (knob->offset - base),
			       knob->size);
	}
	if (!element->given[SET_APP_PUSHES])
		application->throttle.pushes = row->pushes;
	if (!element->given[SET_APP_PER])
		application->throttle.per_ms = row->per_ms;
	if (application->scim.mapping.count == 0)
		application->scim.mapping = mapping_default;
	if (!mapping_find(&application->scim.mapping, application->scim.match.path))
		report_error(
			builder->reading.report,
			element_place(element, element->given[SET_APP_USERS_MATCH]
						       ? SET_APP_USERS_MATCH
						       : SET_APP_USERS_ATTRIBUTES),
			"applications[].users.attributes does not say what %s is, by which users are found",
			application->scim.match.path);
}

void builder_check_test(struct builder *builder, const struct config_application *application,
			const struct element *element)
{
	const struct config_test *test = &application->test;
	if (test->group[0] && test->users.count != 2)
		report_error(
			builder->reading.report,
			element_place(element, element->given[SET_APP_TEST_USERS] ? SET_APP_TEST_USERS
										  : SET_APP_TEST_GROUP),
			"applications[].test.users must name two users: one is removed, and the other must "
			"stay");
	else if (!test->group[0] && test->users.count > 0)
		report_error(builder->reading.report, element_place(element, SET_APP_TEST_USERS),
			     "applications[].test.users is given without applications[].test.group");
	else if (test->group[0] && test->required && application->scim.dialect.verify == VERIFY_NONE)
		report_error(builder->reading.report, element_place(element, SET_APP_TEST_GROUP),
			     "applications[].test can never prove anything, because nothing is read back "
			     "(scim.verify is none), and so nothing would ever be pushed: look at the canary "
			     "group in the application itself after jit test, and say test.required: false");
}

void builder_check_tests(struct builder *builder)
{
	const struct config *config = builder->config;
	if (builder->reading.report->errors)
		return; /* what seems to be missing may only be unreadable */
	for (size_t i = 0; config->environment == ENV_PRODUCTION && i < config->application_count; i++)
		if (!config->applications[i].test.group[0] && config->applications[i].test.required)
			report_error(
				builder->reading.report, builder->applications[i].id,
				"applications[].test is missing: some servers empty the whole group when "
				"members are removed in a form that they do not know. Name a canary group "
				"and "
				"two users, with which Test Connection proves the form, or do without: test: "
				"{required: false}");
}

void builder_check_group(struct builder *builder, const struct config_group *group, struct place place)
{
	const struct config_application *application = group->application;
	char quoted[REPORT_QUOTE_SIZE];
	const char *why = NULL;
	if (listing_way(&application->scim.dialect) != LISTING_ALL)
		why = "whose members cannot be listed";
	else if (!application->check_drift)
		why = "whose check_drift is false";
	if (group->exclusive != DRIFT_OPEN && why)
		report_error(builder->reading.report, place,
			     "groups[].exclusive is given for a group of %s, %s",
			     report_quote(application->id, quoted), why);
}
