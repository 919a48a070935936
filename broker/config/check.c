/* Rules between settings. See build.h. */
#include "config/build.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "config/settings.h"
#include "webhook/slack.h"
#include "webhook/standard.h"

static struct place given_place(const struct element *element, enum setting_id id)
{
	return element->given[id] ? tree_place(element->given[id]) : (struct place){0, 0};
}

static void default_text(char *text, const char *fallback)
{
	if (!text[0])
		memcpy(text, fallback, strlen(fallback) + 1);
}

void builder_finish_issuer(struct builder *builder, size_t index, const struct element *element)
{
	builder->issuers[index] = (struct marks){
		.id = given_place(element, SET_ISSUER),
		.ca = given_place(element, SET_ISSUER_CA),
		.reference = given_place(element, SET_ISSUER_CLAIM_PREFIX),
	};
	builder_check_user_names(builder, element);
	builder_check_algorithms(builder, element);
}

/* What is accepted here must not be refused when a message comes. */
static void check_source_secret(struct builder *builder, const struct element *element, enum setting_id id)
{
	const struct config_approval_source *source = element->base;
	const char *secret = id == SET_SOURCE_SECRET ? source->secret : source->next_secret;
	struct signing_keys keys = {0};
	struct errctx ec;
	if (secret[0] && (source->kind == SOURCE_SLACK ? slack_key_add(&keys, secret, &ec)
						       : webhook_key_add(&keys, secret, &ec)) != ERR_OK)
		report_error(builder->reading.report, element_place(element, id), "%s: %s", settings[id].path,
			     ec.text);
	signing_wipe(&keys);
}

/* What is there, but unreadable, has been reported. */
static bool is_empty_mapping(const yaml_node_t *node)
{
	return !node || (node->type == YAML_MAPPING_NODE &&
			 node->data.mapping.pairs.start == node->data.mapping.pairs.top);
}

static void check_source_kind(struct builder *builder, const struct element *element)
{
	const struct config_approval_source *source = element->base;
	struct report *report = builder->reading.report;
	bool workspace = element->given[SET_SOURCE_WORKSPACE];
	check_source_secret(builder, element, SET_SOURCE_SECRET);
	check_source_secret(builder, element, SET_SOURCE_NEXT_SECRET);
	if (source->kind == SOURCE_SLACK && is_empty_mapping(element->given[SET_SOURCE_APPROVERS]))
		report_error(
			report, element_place(element, SET_SOURCE_APPROVERS),
			"approval_sources[] of the kind slack needs approvers: nobody's click would count");
	if (source->kind != SOURCE_SLACK && (workspace || element->given[SET_SOURCE_APPROVERS]))
		report_error(report,
			     element_place(element, workspace ? SET_SOURCE_WORKSPACE : SET_SOURCE_APPROVERS),
			     "approval_sources[].%s belongs to the kind slack",
			     workspace ? "workspace" : "approvers");
}

void builder_finish_source(struct builder *builder, size_t index, const struct element *element)
{
	const struct config_approval_source *source = &builder->config->sources[index];
	struct report *report = builder->reading.report;
	const yaml_node_t *groups = element->given[SET_SOURCE_GROUPS];
	if (groups && groups->type == YAML_SEQUENCE_NODE &&
	    groups->data.sequence.items.start == groups->data.sequence.items.top)
		report_error(
			report, tree_place(groups),
			"approval_sources[].groups is empty: leave it out where the source decides for all "
			"groups");
	if (source->secret[0] && strcmp(source->secret, source->next_secret) == 0)
		report_warning(report, element_place(element, SET_SOURCE_NEXT_SECRET),
			       "approval_sources[].next_secret is the same as secret");
	check_source_kind(builder, element);
	builder->sources[index] = (struct marks){
		.id = given_place(element, SET_SOURCE_NAME),
		.groups = groups,
	};
}

void builder_finish_machine(struct builder *builder, size_t index, const struct element *element)
{
	static const char *const roles[] = {"auditor", "timer"}; /* in the order of enum config_role */
	struct config_machine *machine = &builder->config->machines[index];
	for (size_t i = 0; i < machine->roles.count; i++) {
		size_t role = 0;
		while (role < 2 && strcmp(machine->roles.list[i], roles[role]) != 0)
			role++;
		if (role == 2)
			report_error(builder->reading.report, element_place(element, SET_MACHINE_ROLES),
				     "machines[].roles may hold timer and auditor only");
		else
			machine->role_bits |= 1U << role;
	}
	builder->machines[index] = (struct marks){
		.id = element_place(element, SET_MACHINE_NAME),
		.secret = element_place(element, SET_MACHINE_TOKEN),
	};
}

void builder_finish_person(struct builder *builder, size_t index, const struct element *element)
{
	struct config_person *person = &builder->config->people[index];
	struct scim_person *names = &person->names;
	default_text(names->display_name, names->user_name);
	default_text(names->given_name, names->display_name);
	default_text(names->family_name, names->display_name);
	builder->people[index] = (struct marks){
		.id = given_place(element, SET_PERSON_ID),
		.name = given_place(element, SET_PERSON_USER_NAME),
		.secret = given_place(element, SET_PERSON_TOKEN),
	};
}

void builder_finish_application(struct builder *builder, size_t index, const struct element *element)
{
	struct config_application *application = &builder->config->applications[index];
	struct throttle *throttle = &application->throttle;
	struct errctx ec;
	memcpy(application->scim.app, application->id, sizeof(application->id));
	builder_take_dialect(builder, application, element);
	builder_check_test(builder, application, element);
	if (!element->given[SET_APP_CYCLE_RESERVE])
		throttle->cycle_reserve = throttle->pushes > 3 ? 3 : throttle->pushes - 1;
	if (throttle_check(throttle, &ec) != ERR_OK)
		report_error(builder->reading.report,
			     element_place(element, element->given[SET_APP_CYCLE_RESERVE]
							    ? SET_APP_CYCLE_RESERVE
							    : SET_APP_THROTTLE),
			     "%s", ec.text);
	builder->applications[index] = (struct marks){
		.id = given_place(element, SET_APP_ID),
		.reference = given_place(element, SET_APP_URL),
		.layer = builder->applications[index].layer,
	};
}

void builder_finish_group(struct builder *builder, size_t index, const struct element *element)
{
	const yaml_node_t *application = element->given[SET_GROUP_APPLICATION];
	builder->groups[index] = (struct marks){
		.id = given_place(element, SET_GROUP_ID),
		.name = given_place(element, SET_GROUP_NAME),
		.reference = given_place(element, SET_GROUP_APPLICATION),
		.referred = application && !tree_is_null(application) ? tree_text(application) : NULL,
	};
	builder_finish_policy(builder, index, element);
}

/* One text that must not occur twice, within its scope. */
struct claim {
	const char *scope, *text; /* borrowed */
	struct place place;
};

static int compare_places(struct place a, struct place b)
{
	if (a.line != b.line)
		return a.line < b.line ? -1 : 1;
	return (a.column > b.column) - (a.column < b.column);
}

static int compare_claims(const void *left, const void *right)
{
	const struct claim *a = left, *b = right;
	int order = strcasecmp(a->scope, b->scope);
	if (!order)
		order = strcasecmp(a->text, b->text);
	return order ? order : compare_places(a->place, b->place);
}

struct claims {
	struct claim *list;
	size_t count;
};

static void claims_add(struct claims *claims, const char *scope, const char *text, struct place place)
{
	if (place.line && text[0])
		claims->list[claims->count++] = (struct claim){scope, text, place};
}

/* Reports every text that was claimed before; `what` names it, and `consequence` says why that matters. */
static void claims_check(struct claims *claims, struct report *report, const char *what, bool only_warn)
{
	if (claims->count)
		qsort(claims->list, claims->count, sizeof(*claims->list), compare_claims);
	const struct claim *first = claims->list;
	for (size_t i = 1; i < claims->count; i++) {
		const struct claim *next = &claims->list[i];
		if (strcasecmp(first->scope, next->scope) != 0 || strcasecmp(first->text, next->text) != 0)
			first = next;
		else if (only_warn)
			report_warning(report, next->place, "%s; first at line %zu, column %zu", what,
				       first->place.line, first->place.column);
		else
			report_error(report, next->place, "%s; first at line %zu, column %zu", what,
				     first->place.line, first->place.column);
	}
	claims->count = 0;
}

static void check_people_unique(struct builder *builder, struct claims *claims)
{
	const struct config *config = builder->config;
	struct report *report = builder->reading.report;
	for (size_t i = 0; i < config->people_count; i++)
		claims_add(claims, "", config->people[i].id, builder->people[i].id);
	claims_check(claims, report, "another person has this id", false);
	for (size_t i = 0; i < config->people_count; i++)
		claims_add(claims, "", config->people[i].names.user_name, builder->people[i].name);
	claims_check(claims, report, "another person has this user_name (upper and lower case are the same)",
		     false);
	for (size_t i = 0; i < config->people_count; i++)
		claims_add(claims, "", config->people[i].token_sha256, builder->people[i].secret);
	claims_check(claims, report, "another person has this token", false);
}

static void check_applications_unique(struct builder *builder, struct claims *claims)
{
	const struct config *config = builder->config;
	struct report *report = builder->reading.report;
	for (size_t i = 0; i < config->application_count; i++)
		claims_add(claims, "", config->applications[i].id, builder->applications[i].id);
	claims_check(claims, report, "another application has this id (upper and lower case are the same)",
		     false);
	for (size_t i = 0; i < config->application_count; i++)
		claims_add(claims, "", config->applications[i].scim.url, builder->applications[i].reference);
	claims_check(claims, report,
		     "another application has this scim.url: each is throttled on its own, so together they "
		     "send more than either may",
		     true);
}

static void check_groups_unique(struct builder *builder, struct claims *claims)
{
	const struct config *config = builder->config;
	struct report *report = builder->reading.report;
	for (size_t i = 0; i < config->group_count; i++)
		claims_add(claims, "", config->groups[i].id, builder->groups[i].id);
	claims_check(claims, report, "another group has this id", false);
	for (size_t i = 0; i < config->group_count; i++)
		if (builder->groups[i].referred)
			claims_add(claims, builder->groups[i].referred, config->groups[i].name,
				   builder->groups[i].name);
	/* RFC 7643 section 8.7.1: a group's displayName is compared without regard to case. */
	claims_check(claims, report,
		     "another group of this application has this name (upper and lower case are the same)",
		     false);
}

static void check_sources_unique(struct builder *builder, struct claims *claims)
{
	const struct config *config = builder->config;
	for (size_t i = 0; i < config->source_count; i++)
		claims_add(claims, "", config->sources[i].name, builder->sources[i].id);
	claims_check(claims, builder->reading.report,
		     "another approval source has this name (upper and lower case are the same)", false);
}

static void check_machines_unique(struct builder *builder, struct claims *claims)
{
	const struct config *config = builder->config;
	for (size_t i = 0; i < config->machine_count; i++)
		claims_add(claims, "", config->machines[i].name, builder->machines[i].id);
	claims_check(claims, builder->reading.report,
		     "another machine has this name (upper and lower case are the same)", false);
	for (size_t i = 0; i < config->machine_count; i++)
		claims_add(claims, "", config->machines[i].token_sha256, builder->machines[i].secret);
	claims_check(claims, builder->reading.report, "another machine has this token", false);
}

static void check_unique(struct builder *builder)
{
	const struct config *config = builder->config;
	size_t most = config->people_count + config->application_count + config->group_count +
		      config->source_count + config->machine_count;
	struct claims claims = {.list = calloc(most + 1, sizeof(struct claim))};
	if (!claims.list) {
		report_no_memory(builder->reading.report);
		return;
	}
	check_machines_unique(builder, &claims);
	check_sources_unique(builder, &claims);
	check_people_unique(builder, &claims);
	check_applications_unique(builder, &claims);
	check_groups_unique(builder, &claims);
	free(claims.list);
}

static void check_references(struct builder *builder)
{
	struct config *config = builder->config;
	char quoted[REPORT_QUOTE_SIZE];
	for (size_t i = 0; i < config->group_count; i++) {
		const char *referred = builder->groups[i].referred;
		if (!referred)
			continue;
		config->groups[i].application = config_application(config, referred);
		if (!config->groups[i].application)
			report_error(builder->reading.report, builder->groups[i].reference,
				     "groups[].application is %s, which is not among the applications",
				     report_quote(referred, quoted));
		else
			builder_check_group(builder, &config->groups[i], builder->groups[i].reference);
	}
}

void builder_check_groups(struct builder *builder, const char *path, const yaml_node_t *groups)
{
	const yaml_node_item_t *top;

	if (groups == NULL || groups->type != YAML_SEQUENCE_NODE)
		return;
	top = groups->data.sequence.items.top;
	for (const yaml_node_item_t *item = groups->data.sequence.items.start; item < top; item++) {
		const yaml_node_t *node = tree_node(builder->tree, *item);
		const char *id = tree_text(node);

		if (id && id_valid(id) && !config_group(builder->config, id))
			report_error(builder->reading.report, tree_place(node),
				     "%s holds %s, which is not among the groups", path, id);
	}
}

static void check_sources(struct builder *builder)
{
	for (size_t i = 0; i < builder->config->source_count; i++) {
		builder_check_groups(builder, "approval_sources[].groups", builder->sources[i].groups);
		builder_check_source(builder, &builder->config->sources[i], builder->sources[i].id);
	}
}

static void check_tls(struct builder *builder)
{
	const struct element *root = &builder->root;
	struct report *report = builder->reading.report;
	bool certificate = root->given[SET_TLS_CERTIFICATE], key = root->given[SET_TLS_KEY];
	if (certificate != key)
		report_error(report, element_place(root, SET_TLS), "tls needs both, certificate and key");
	if (!certificate && !key && !config_listens_on_loopback(builder->config))
		report_error(report, element_place(root, SET_LISTEN),
			     "listen is not a loopback address, so tls is needed: sign-in tokens would be "
			     "readable on the way");
}

/* Was the issuer's file read, or none given? Otherwise it has been reported. */
static bool knows_ca(const struct builder *builder, size_t index)
{
	return (builder->issuers[index].ca.line != 0) == (builder->config->issuers[index].ca_file[0] != 0);
}

/* All issuers are reached through one fetcher, which has one set of authorities. */
static void check_issuer_ca(struct builder *builder, size_t index)
{
	const struct config_issuer *issuers = builder->config->issuers;
	const struct marks *marks = &builder->issuers[index], *first = &builder->issuers[0];
	if (!marks->id.line || !first->id.line || !knows_ca(builder, index) || !knows_ca(builder, 0) ||
	    strcmp(issuers[index].ca_file, issuers[0].ca_file) == 0)
		return;
	report_error(builder->reading.report, marks->ca.line ? marks->ca : marks->id,
		     "sign_in[].ca must be the same for all issuers: that of the first, at line %zu, is used "
		     "for all of them",
		     first->id.line);
}

/* Issuers are compared as tokens name them, byte by byte. */
static void check_issuers(struct builder *builder)
{
	const struct config *config = builder->config;
	for (size_t i = 1; i < config->issuer_count; i++) {
		size_t first = 0;
		while (strcmp(config->issuers[first].issuer, config->issuers[i].issuer) != 0)
			first++;
		if (first < i && config->issuers[i].issuer[0])
			report_error(builder->reading.report, builder->issuers[i].id,
				     "this issuer is there already; first at line %zu, column %zu",
				     builder->issuers[first].id.line, builder->issuers[first].id.column);
		check_issuer_ca(builder, i);
	}
}

/* Why a static token cannot be accepted here, or NULL. */
static const char *refuse_tokens(const struct config *config)
{
	if (config->environment == ENV_PRODUCTION)
		return "people[].token_sha256 is accepted only where environment is demo or test";
	if (!config_listens_on_loopback(config))
		return "people[].token_sha256 is accepted only where listen is a loopback address or a "
		       "socket";
	return NULL;
}

static void check_sign_in(struct builder *builder)
{
	const struct element *root = &builder->root;
	const struct config *config = builder->config;
	struct report *report = builder->reading.report;
	const char *refused = refuse_tokens(config);
	size_t tokens = 0;
	check_issuers(builder);
	builder_check_several_issuers(builder);
	for (size_t i = 0; i < config->people_count; i++) {
		if (builder->people[i].secret.line == 0)
			continue;
		tokens++;
		if (refused)
			report_error(report, builder->people[i].secret, "%s", refused);
	}
	if (tokens || config->issuer_count || report->errors)
		return;
	report_warning(report, element_place(root, SET_SIGN_IN),
		       config->environment == ENV_PRODUCTION
			       ? "nobody can sign in: sign_in names no issuer"
			       : "nobody can sign in: sign_in names no issuer, and nobody among people has a "
				 "token_sha256");
}

static void check_usefulness(struct builder *builder)
{
	const struct element *root = &builder->root;
	const struct config *config = builder->config;
	struct report *report = builder->reading.report;
	if (report->errors)
		return; /* what seems to be missing may only be unreadable */
	if (config->application_count == 0)
		report_warning(report, element_place(root, SET_APPLICATIONS), "there are no applications");
	if (config->group_count == 0)
		report_warning(report, element_place(root, SET_GROUPS), "there are no groups to activate");
	if (config->environment == ENV_PRODUCTION && config->redis_allow_volatile)
		report_warning(
			report, element_place(root, SET_REDIS_ALLOW_VOLATILE),
			"in production, a Redis that may forget loses requests that were acknowledged");
}

static int compare_people(const void *left, const void *right)
{
	const struct config_person *a = left, *b = right;
	return strcasecmp(a->id, b->id);
}

static int compare_applications(const void *left, const void *right)
{
	const struct config_application *a = left, *b = right;
	return strcasecmp(a->id, b->id);
}

static int compare_groups(const void *left, const void *right)
{
	const struct config_group *a = left, *b = right;
	return strcasecmp(a->id, b->id);
}

void builder_check_all(struct builder *builder)
{
	struct config *config = builder->config;
	check_unique(builder);
	check_tls(builder);
	check_sign_in(builder);
	builder_check_proxies(builder);
	builder_check_redis(builder);
	builder_check_audit(builder);
	builder_check_tests(builder);
	check_usefulness(builder);
	builder_check_exclusive(builder);
	/* The marks are in the order of the file: what needs them comes before its list is sorted. */
	if (config->application_count)
		qsort(config->applications, config->application_count, sizeof(*config->applications),
		      compare_applications);
	check_references(builder);
	if (config->group_count)
		qsort(config->groups, config->group_count, sizeof(*config->groups), compare_groups);
	check_sources(builder);
	if (builder->reading.report->errors == 0)
		builder_join_exclusive(builder);
	builder_gather_claims(builder);
	if (config->people_count)
		qsort(config->people, config->people_count, sizeof(*config->people), compare_people);
	builder_check_notices(builder);
}
