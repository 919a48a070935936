/* Several providers: whom each may name, so that none speaks for another's people. See build.h and config.h. */
#include "config/build.h"

#include <string.h>
#include <strings.h>

const struct config_issuer *config_issuer(const struct config *config, const char *issuer)
{
	for (size_t i = 0; i < config->issuer_count; i++)
		if (strcmp(config->issuers[i].issuer, issuer) == 0)
			return &config->issuers[i];
	return NULL;
}

/* "*" is everybody, "*@example.com" whose name ends so, anything else one user; upper and lower case are the same. */
static bool covers(const char *pattern, const char *user_name)
{
	size_t len = strlen(user_name);
	if (pattern[0] != '*')
		return strcasecmp(pattern, user_name) == 0;
	size_t tail = strlen(pattern + 1);
	return tail == 0 || (len > tail && strcasecmp(user_name + len - tail, pattern + 1) == 0);
}

bool config_issuer_may_name(const struct config_issuer *issuer, const char *user_name)
{
	for (size_t i = 0; i < issuer->user_names.count; i++)
		if (covers(issuer->user_names.list[i], user_name))
			return true;
	return issuer->user_names.count == 0;
}

/* Is there a name that both cover? */
static bool overlap(const char *one, const char *other)
{
	if (one[0] != '*')
		return covers(other, one);
	if (other[0] != '*')
		return covers(one, other);
	size_t len = strlen(one), other_len = strlen(other), tail = len < other_len ? len - 1 : other_len - 1;
	return strcasecmp(one + len - tail, other + other_len - tail) == 0;
}

/* An asterisk stands for a whole name before its domain, or for all: "*example.com" would also be evilexample.com. */
void builder_check_user_names(struct builder *builder, const struct element *element)
{
	const struct config_issuer *issuer = element->base;
	char quoted[REPORT_QUOTE_SIZE];
	for (size_t i = 0; i < issuer->user_names.count; i++) {
		const char *text = issuer->user_names.list[i];
		const char *star = strrchr(text, '*');
		bool whole = strcmp(text, "*") == 0 || (star == text && text[1] == '@' && text[2] != '\0');
		if (star && !whole)
			report_error(
				builder->reading.report, element_place(element, SET_ISSUER_USER_NAMES),
				"sign_in[].user_names holds %s, but an asterisk may only be all of it, or "
				"stand before an @",
				report_quote(text, quoted));
	}
	const yaml_node_t *node = element->given[SET_ISSUER_USER_NAMES];
	if (node && node->type == YAML_SEQUENCE_NODE && issuer->user_names.count == 0)
		report_error(builder->reading.report, tree_place(node),
			     "sign_in[].user_names is empty: nobody could sign in");
}

/* Those of sign-in/jwt.h, each by one name. */
void builder_check_algorithms(struct builder *builder, const struct element *element)
{
	static const char *const known[] = {"RS256", "PS256", "ES256", "EdDSA"};
	const struct policy_names *given = &((const struct config_issuer *)element->base)->algorithms;
	const yaml_node_t *node = element->given[SET_ISSUER_ALGORITHMS];
	char quoted[REPORT_QUOTE_SIZE];
	for (size_t i = 0; i < given->count; i++) {
		size_t k = 0;
		while (k < sizeof(known) / sizeof(known[0]) && strcmp(given->list[i], known[k]) != 0)
			k++;
		if (k == sizeof(known) / sizeof(known[0]))
			report_error(builder->reading.report, tree_place(node),
				     "sign_in[].algorithms holds %s, but may hold RS256, PS256, ES256 and "
				     "EdDSA only",
				     report_quote(given->list[i], quoted));
	}
	if (node && node->type == YAML_SEQUENCE_NODE && given->count == 0)
		report_error(builder->reading.report, tree_place(node),
			     "sign_in[].algorithms is empty: nobody could sign in");
}

/* Whom this one and an earlier one may both name: they would be two people with one account in every application. */
static void check_overlaps(struct builder *builder, size_t which)
{
	const struct config_issuer *issuers = builder->config->issuers;
	const struct policy_names *names = &issuers[which].user_names;
	char quoted[REPORT_QUOTE_SIZE], other[REPORT_QUOTE_SIZE];
	for (size_t k = 0; k < names->count; k++)
		for (size_t i = 0; i < which; i++)
			for (size_t n = 0; n < issuers[i].user_names.count; n++) {
				if (!overlap(names->list[k], issuers[i].user_names.list[n]))
					continue;
				report_error(
					builder->reading.report, builder->issuers[which].id,
					"sign_in[].user_names holds %s, but an issuer before this one may "
					"name %s: a user belongs to one issuer",
					report_quote(names->list[k], quoted),
					report_quote(issuers[i].user_names.list[n], other));
				return;
			}
}

/* What is the same name with two providers is the same person here, and the same group: somebody has to have said so. */
void builder_check_several_issuers(struct builder *builder)
{
	const struct config *config = builder->config;
	struct report *report = builder->reading.report;
	if (config->issuer_count < 2 || report->errors)
		return;
	for (size_t i = 0; i < config->issuer_count; i++) {
		const struct marks *marks = &builder->issuers[i];
		if (config->issuers[i].user_names.count == 0)
			report_error(
				report, marks->id,
				"sign_in[].user_names is missing: there are several issuers, and this one "
				"could speak for the people of another");
		if (i > 0 && marks->reference.line == 0)
			report_error(report, marks->id,
				     "sign_in[].claim_prefix is missing: there are several issuers, and the "
				     "groups of this one would be those of the first (\"\" where they are)");
		check_overlaps(builder, i);
	}
}
