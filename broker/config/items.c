/*
 * Settings that are one mapping or a list of them: eligibility, hours, the broken glass, and the stages of an approval.
 * See build.h.
 */
#include "config/build.h"

#include <string.h>

#include "base/clock.h"

static size_t size_of(enum setting_owner owner)
{
	if (owner == OF_ELIGIBILITY)
		return sizeof(struct policy_eligibility);
	return owner == OF_WINDOW ? sizeof(struct policy_window) : sizeof(struct policy_stage);
}

static void set_defaults(struct builder *builder, enum setting_owner owner, const struct element *element)
{
	if (owner == OF_ELIGIBILITY)
		((struct policy_eligibility *)element->base)->end_ms = INT64_MAX;
	else if (owner == OF_WINDOW)
		((struct policy_window *)element->base)->days = 0x7f;
	builder_apply_defaults(builder, owner, element);
}

static bool is_empty_list(const yaml_node_t *node)
{
	return node && node->type == YAML_SEQUENCE_NODE &&
	       node->data.sequence.items.start == node->data.sequence.items.top;
}

/* Somebody is named, or what should name them has been reported. */
static bool is_given(const struct element *element, enum setting_id id)
{
	const yaml_node_t *node = element->given[id];
	bool nothing = node && node->type == YAML_MAPPING_NODE &&
		       node->data.mapping.pairs.start == node->data.mapping.pairs.top;
	return node && !nothing && !is_empty_list(node);
}

static void finish_eligibility(struct builder *builder, const char *path, const struct element *element)
{
	const struct policy_eligibility *entry = element->base;
	struct report *report = builder->reading.report;
	bool by_name = is_given(element, SET_GROUP_PRINCIPALS) || is_given(element, SET_GLASS_PRINCIPALS);
	bool by_claim = is_given(element, SET_GROUP_CLAIMS) || is_given(element, SET_GLASS_CLAIMS);
	if (!by_name && !by_claim && is_empty_list(element->given[SET_GROUP_PRINCIPALS]))
		report_error(report, element_place(element, SET_GROUP_PRINCIPALS),
			     "%s.principals is empty: nobody could activate this group", path);
	else if (!by_name && !by_claim)
		report_error(report, tree_place(element->node),
			     "%s names nobody: it needs principals or claims", path);
	if (entry->start_ms >= entry->end_ms)
		report_error(report, element_place(element, SET_GROUP_END), "%s.end is not after its start",
			     path);
	else if (entry->end_ms <= clock_wall_ms())
		report_warning(report, element_place(element, SET_GROUP_END), "%s.end is past", path);
}

static void finish_window(struct builder *builder, const char *path, const struct element *element)
{
	const struct policy_window *window = element->base;
	if (window->from == window->to || window->from == POLICY_DAY_MINUTES)
		report_error(builder->reading.report, element_place(element, SET_HOURS_FROM),
			     "%s.from must be before 24:00 and not the same as to: these hours would never "
			     "come (a whole day is 00:00 to 24:00)",
			     path);
}

static void check_escalation(struct builder *builder, const char *path, const struct element *element)
{
	const struct policy_stage *stage = element->base;
	struct report *report = builder->reading.report;
	struct place place = element_place(element, SET_STAGE_ESCALATION);
	if (!element->given[SET_STAGE_ESCALATION] || tree_is_null(element->given[SET_STAGE_ESCALATION]))
		return;
	if (!is_given(element, SET_STAGE_OTHERS) && !is_given(element, SET_STAGE_OTHER_CLAIMS))
		report_error(report, place,
			     "%s.escalation names nobody: it needs approvers or approver_claims", path);
	else if (!element->given[SET_STAGE_AFTER])
		report_error(report, place, "%s.escalation.after is missing", path);
	else if (stage->escalation_after_ms >= stage->timeout_ms)
		report_error(report, element_place(element, SET_STAGE_AFTER),
			     "%s.escalation.after would come no earlier than the timeout", path);
}

static void finish_stage(struct builder *builder, const char *path, const struct element *element)
{
	const struct policy_stage *stage = element->base;
	struct report *report = builder->reading.report;
	size_t errors = report->errors;
	if (!is_given(element, SET_STAGE_APPROVERS) && !is_given(element, SET_STAGE_APPROVER_CLAIMS))
		report_error(report, tree_place(element->node),
			     "%s has a stage without approvers: nobody could approve it", path);
	check_escalation(builder, path, element);
	size_t named = policy_stage_named(stage);
	if (report->errors == errors && (size_t)stage->needed > named)
		report_error(report, element_place(element, SET_STAGE_NEEDED),
			     "%s.needed is %lld, but only %zu may decide: this stage could never be passed",
			     path, (long long)stage->needed, named);
}

static void finish_item(struct builder *builder, const struct setting *setting, const struct element *element)
{
	char path[PATH_SIZE];
	setting_path_in(setting, builder->layer, path);
	if (setting->items == OF_ELIGIBILITY)
		finish_eligibility(builder, path, element);
	else if (setting->items == OF_WINDOW)
		finish_window(builder, path, element);
	else
		finish_stage(builder, path, element);
}

/* Reads what is given over what is there. False when it is not a mapping, which is reported. */
static bool read_members(struct builder *builder, const struct setting *setting, struct element *element)
{
	char path[PATH_SIZE], prefix[PATH_SIZE];
	if (element->node->type != YAML_MAPPING_NODE) {
		report_error(builder->reading.report, tree_place(element->node),
			     "%s must hold keys and values", setting_path_in(setting, builder->layer, path));
		return false;
	}
	snprintf(prefix, sizeof(prefix), "%s.", setting->path);
	builder_read_mapping(builder, element, element->node, prefix);
	builder_check_required(builder, setting->items, prefix, element);
	return true;
}

static void read_item(struct builder *builder, const struct setting *setting, void *base, yaml_node_t *node)
{
	struct element item = {.base = base, .node = node};
	set_defaults(builder, setting->items, &item);
	size_t errors = builder->reading.report->errors;
	if (read_members(builder, setting, &item) && builder->reading.report->errors == errors)
		finish_item(builder, setting, &item);
}

static void *take_list(struct builder *builder, const struct setting *setting, size_t count)
{
	void *list = memory_take(builder->reading.memory, count, size_of(setting->items));
	if (!list)
		report_no_memory(builder->reading.report);
	return list;
}

/* The list of an approval's stages, each of which begins as a copy of what is common to them. */
static void read_stage_list(struct builder *builder, const struct setting *setting,
			    const struct element *common, struct policy_stages *out)
{
	char path[PATH_SIZE];
	struct report *report = builder->reading.report;
	const yaml_node_t *node = common->given[SET_APPROVAL_STAGES];
	struct setting stages = settings[SET_APPROVAL_STAGES];
	struct span span;
	stages.path = setting_path_in(&settings[SET_APPROVAL_STAGES], builder->layer, path);
	stages.example = NULL;
	if (!builder_span(builder, &stages, node, &span))
		return;
	if (span.count == 0)
		report_error(report, tree_place(node), "%s is empty; write approval: none for no approval",
			     stages.path);
	out->list = span.count ? take_list(builder, setting, span.count) : NULL;
	for (size_t i = 0; out->list && i < span.count; i++) {
		struct element item = *common;
		item.base = &out->list[out->count++];
		item.node = tree_node(builder->tree, span.items[i]);
		memset(item.given, 0, sizeof(item.given));
		memcpy(item.base, common->base, sizeof(struct policy_stage));
		size_t errors = report->errors;
		if (!read_members(builder, setting, &item) || report->errors > errors)
			continue;
		if (item.given[SET_APPROVAL_STAGES])
			report_error(report, element_place(&item, SET_APPROVAL_STAGES),
				     "a stage has no stages of its own");
		for (size_t k = 0; k < SETTING_COUNT; k++)
			if (!item.given[k])
				item.given[k] = common->given[k];
		finish_item(builder, setting, &item);
	}
}

/* So many equal stages. */
static void repeat_stage(struct builder *builder, const struct setting *setting, const struct element *common,
			 struct policy_stages *out)
{
	char path[PATH_SIZE];
	int64_t count = 1;
	const yaml_node_t *node = common->given[SET_APPROVAL_STAGES];
	if (node) {
		struct value value = {tree_text(node), tree_place(node)};
		struct setting number = settings[SET_APPROVAL_STAGES];
		number.path = setting_path_in(&settings[SET_APPROVAL_STAGES], builder->layer, path);
		number.type = TYPE_COUNT;
		number.unit = "stages";
		number.offset = 0;
		number.size = sizeof(count);
		value_read(&builder->reading, &number, &value, &count);
	}
	finish_item(builder, setting, common);
	out->list = take_list(builder, setting, (size_t)count);
	while (out->list && out->count < (size_t)count)
		memcpy(&out->list[out->count++], common->base, sizeof(struct policy_stage));
}

static void read_approval(struct builder *builder, const struct setting *setting, yaml_node_t *node,
			  struct policy_stages *out)
{
	struct policy_stage stage = {0};
	struct element common = {.base = &stage, .node = node};
	set_defaults(builder, OF_STAGE, &common);
	size_t errors = builder->reading.report->errors;
	if (!read_members(builder, setting, &common) || builder->reading.report->errors > errors)
		return;
	const yaml_node_t *stages = common.given[SET_APPROVAL_STAGES];
	if (stages && !tree_text(stages))
		read_stage_list(builder, setting, &common, out);
	else
		repeat_stage(builder, setting, &common, out);
}

static void read_item_list(struct builder *builder, const struct setting *setting, yaml_node_t *node,
			   struct setting_items *out)
{
	char path[PATH_SIZE];
	struct setting shown = *setting;
	struct span span;
	shown.path = setting_path_in(setting, builder->layer, path);
	if (!builder_span(builder, &shown, node, &span))
		return;
	if (span.count == 0)
		report_error(builder->reading.report, tree_place(node), "%s is empty", shown.path);
	out->list = span.count ? take_list(builder, setting, span.count) : NULL;
	for (; out->list && out->count < span.count; out->count++)
		read_item(builder, setting, (char *)out->list + out->count * size_of(setting->items),
			  tree_node(builder->tree, span.items[out->count]));
}

static bool is_none(const struct setting *setting, const yaml_node_t *node)
{
	const char *text = tree_text(node);
	bool may_be_none = setting == &settings[SET_GROUP_ELIGIBLE] ||
			   (setting->absent && strcmp(setting->absent, "none") == 0);
	return text && may_be_none && strcmp(text, "none") == 0;
}

void builder_read_items(struct builder *builder, const struct setting *setting, struct element *element,
			yaml_node_t *node)
{
	struct setting_items out = {0};
	struct policy_stages stages = {0};
	if (is_none(setting, node)) {
		/* Said to be empty, whatever is inherited. */
	} else if (setting->type == TYPE_APPROVAL) {
		read_approval(builder, setting, node, &stages);
		out = (struct setting_items){stages.list, stages.count};
	} else if (node->type == YAML_SEQUENCE_NODE) {
		read_item_list(builder, setting, node, &out);
	} else {
		out.list = take_list(builder, setting, 1);
		out.count = out.list ? 1 : 0;
		if (out.list)
			read_item(builder, setting, out.list, node);
	}
	memcpy((char *)element->policy + setting->offset, &out, sizeof(out));
}
