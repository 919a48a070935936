/* Rules between the settings of notices. See build.h. */
#include "config/build.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "activation/states.h"
#include "notice/mail.h"
#include "webhook/standard.h"

/* Letters, digits and what RFC 5321 allows besides: what stands in a command as it is. */
void value_read_mail_address(const struct reading *reading, const struct setting *setting,
			     const struct value *value, void *base)
{
	char quoted[REPORT_QUOTE_SIZE];
	if (mail_address_valid(value->text))
		(void)value_store_text(reading, setting, value, base);
	else
		report_error(reading->report, value->place,
			     "%s is %s, but must be an e-mail address alone, such as jit@example.com",
			     setting->path, report_quote(value->text, quoted));
}

/* All types of events, "a, b, c". */
static void list_types(char *out, size_t size)
{
	size_t used = 0, count;
	const struct tell *tells = states_tells(&count);
	for (size_t i = 0; i < count && used < size; i++)
		used += (size_t)snprintf(out + used, size - used, "%s%s", i > 0 ? ", " : "", tells[i].name);
}

static void check_events(struct builder *builder, enum setting_id id, const struct policy_names *events,
			 struct place place)
{
	char quoted[REPORT_QUOTE_SIZE], types[512];
	list_types(types, sizeof(types));
	for (size_t i = 0; i < events->count; i++)
		if (states_tell(events->list[i]) == NULL)
			report_error(builder->reading.report, place,
				     "%s holds %s, which is no type of event; these are %s",
				     settings[id].path, report_quote(events->list[i], quoted), types);
}

/* What is accepted here must be good to sign with. */
static void check_secret(struct builder *builder, const struct element *element, enum setting_id id)
{
	const char *secret = (const char *)element->base + settings[id].offset;
	struct signing_keys keys = {0};
	struct errctx ec;
	if (secret[0] && webhook_key_add(&keys, secret, &ec) != ERR_OK)
		report_error(builder->reading.report, element_place(element, id), "%s: %s", settings[id].path,
			     ec.text);
	signing_wipe(&keys);
}

static bool is_empty_list(const yaml_node_t *node)
{
	return node && node->type == YAML_SEQUENCE_NODE &&
	       node->data.sequence.items.start == node->data.sequence.items.top;
}

static void refuse_empty(struct builder *builder, const struct element *element, enum setting_id id)
{
	if (is_empty_list(element->given[id]))
		report_error(builder->reading.report, element_place(element, id),
			     "%s is empty: leave it out where all are meant", settings[id].path);
}

void builder_finish_webhook(struct builder *builder, size_t index, const struct element *element)
{
	const struct config_webhook *hook = &builder->config->webhooks[index];
	struct report *report = builder->reading.report;
	check_events(builder, SET_WEBHOOK_EVENTS, &hook->events, element_place(element, SET_WEBHOOK_EVENTS));
	check_secret(builder, element, SET_WEBHOOK_SECRET);
	check_secret(builder, element, SET_WEBHOOK_NEXT_SECRET);
	refuse_empty(builder, element, SET_WEBHOOK_EVENTS);
	refuse_empty(builder, element, SET_WEBHOOK_GROUPS);
	if (strncasecmp(hook->url, "http://", 7) == 0 && !hook->allow_private)
		report_error(report, element_place(element, SET_WEBHOOK_URL),
			     "notices.webhooks[].url is a loopback address, which needs allow_private: true");
	if (hook->secret[0] && strcmp(hook->secret, hook->next_secret) == 0)
		report_warning(report, element_place(element, SET_WEBHOOK_NEXT_SECRET),
			       "notices.webhooks[].next_secret is the same as secret");
	for (size_t i = 0; i < index; i++)
		if (hook->name[0] && strcasecmp(builder->config->webhooks[i].name, hook->name) == 0)
			report_error(report, element_place(element, SET_WEBHOOK_NAME),
				     "another webhook has this name (upper and lower case are the same)");
	builder->webhooks[index] = (struct marks){.groups = element->given[SET_WEBHOOK_GROUPS]};
}

/* They are loaded with the others, so that nothing has to be when a mail is written. */
static void load_zones(struct builder *builder)
{
	const struct policy_names *zones = &builder->config->mail.zones;
	for (size_t i = 0; i < zones->count; i++) {
		struct value value = {zones->list[i], element_place(&builder->root, SET_MAIL_ZONES)};
		(void)value_find_zone(&builder->reading, &settings[SET_MAIL_ZONES], &value);
	}
}

static void check_mail(struct builder *builder)
{
	const struct element *root = &builder->root;
	const struct config_mail *mail = &builder->config->mail;
	struct report *report = builder->reading.report;
	check_events(builder, SET_MAIL_EVENTS, &mail->events, element_place(root, SET_MAIL_EVENTS));
	refuse_empty(builder, root, SET_MAIL_EVENTS);
	if (root->given[SET_MAIL_SERVER] && !root->given[SET_MAIL_FROM])
		report_error(report, element_place(root, SET_MAIL), "notices.mail.from is missing");
	if (!root->given[SET_MAIL_SERVER] && root->given[SET_MAIL_FROM])
		report_error(report, element_place(root, SET_MAIL), "notices.mail.server is missing");
	if (!root->given[SET_MAIL_USER] != !root->given[SET_MAIL_PASSWORD])
		report_error(report, element_place(root, SET_MAIL),
			     "notices.mail needs both, user and password, or neither");
	if (mail->most_for_one > mail->most && root->given[SET_MAIL_MOST_FOR_ONE])
		report_error(report, element_place(root, SET_MAIL_MOST_FOR_ONE),
			     "notices.mail.most_for_one is more than most");
}

/* Approvers and others who are told are known by their user names. */
static int compare_names(const void *left, const void *right)
{
	const struct config_person *a = *(const struct config_person *const *)left;
	const struct config_person *b = *(const struct config_person *const *)right;
	return strcasecmp(a->names.user_name, b->names.user_name);
}

static void index_names(struct builder *builder)
{
	struct config *config = builder->config;
	config->by_name = calloc(config->people_count + 1, sizeof(struct config_person *));
	if (!config->by_name) {
		report_no_memory(builder->reading.report);
		return;
	}
	for (size_t i = 0; i < config->people_count; i++)
		config->by_name[i] = &config->people[i];
	qsort(config->by_name, config->people_count, sizeof(struct config_person *), compare_names);
}

void builder_check_notices(struct builder *builder)
{
	index_names(builder);
	check_mail(builder);
	load_zones(builder);
	for (size_t i = 0; i < builder->config->webhook_count; i++)
		builder_check_groups(builder, "notices.webhooks[].groups", builder->webhooks[i].groups);
}
