/* What policies and mappings look at in a token, over all of them, so that no more of it has to be kept. See build.h. */
#include "config/build.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"

/* The claims of all sets of people. Groups that inherit a set share its list, which then stands here more than once. */
struct gathering {
	const struct policy_claim **claims; /* NULL while they are counted */
	size_t count;
};

static void gather_people(struct gathering *g, const struct policy_people *people)
{
	for (size_t i = 0; i < people->claims.count; i++) {
		if (g->claims)
			g->claims[g->count] = &people->claims.list[i];
		g->count++;
	}
}

static void gather_all(struct gathering *g, const struct config *config)
{
	g->count = 0;
	gather_people(g, &config->operators);
	gather_people(g, &config->auditors);
	gather_people(g, &config->timers);
	for (size_t i = 0; i < config->group_count; i++) {
		const struct policy *policy = &config->groups[i].policy;
		for (size_t k = 0; k < policy->eligible.count; k++)
			gather_people(g, &policy->eligible.list[k].people);
		for (size_t k = 0; k < policy->break_glass.count; k++)
			gather_people(g, &policy->break_glass.list[k].people);
		for (size_t k = 0; k < policy->approval.count; k++) {
			gather_people(g, &policy->approval.list[k].approvers);
			gather_people(g, &policy->approval.list[k].escalation);
		}
	}
}

static int compare_pointers(const void *left, const void *right)
{
	const struct policy_claim *a = *(const struct policy_claim *const *)left;
	const struct policy_claim *b = *(const struct policy_claim *const *)right;
	return (a > b) - (a < b);
}

static int compare_attributes(const void *left, const void *right)
{
	const struct policy_attribute *a = left, *b = right;
	int order = strcmp(a->name, b->name);
	return order ? order : strcmp(a->value, b->value);
}

/* Each claim once; gives the number of all their values. */
static size_t drop_shared(struct gathering *g)
{
	size_t kept = 0, values = 0;
	if (g->count > 0)
		qsort(g->claims, g->count, sizeof(struct policy_claim *), compare_pointers);
	for (size_t i = 0; i < g->count; i++)
		if (kept == 0 || g->claims[kept - 1] != g->claims[i]) {
			g->claims[kept++] = g->claims[i];
			values += g->claims[i]->values.count;
		}
	g->count = kept;
	return values;
}

/* The claims that users' attributes are made from, whatever their values; gives their number. `out` may be NULL. */
static size_t mapped_claims(const struct config *config, struct policy_attribute *out)
{
	size_t count = 0;
	for (size_t i = 0; i < config->application_count; i++) {
		const struct mapping *mapping = &config->applications[i].scim.mapping;
		for (size_t k = 0; k < mapping->count; k++) {
			const struct mapping_rule *rule = &mapping->rules[k];
			for (size_t s = 0; s < rule->step_count; s++) {
				if (rule->steps[s].kind != MAPPING_CLAIM)
					continue;
				if (out)
					out[count] = (struct policy_attribute){
						.name = rule->text + rule->steps[s].at, .value = ""};
				count++;
			}
		}
	}
	return count;
}

static void list_values(struct config *config, const struct gathering *g)
{
	size_t count = mapped_claims(config, config->claims), kept = 0;
	for (size_t i = 0; i < g->count; i++)
		for (size_t k = 0; k < g->claims[i]->values.count; k++)
			config->claims[count++] = (struct policy_attribute){
				.name = g->claims[i]->name, .value = g->claims[i]->values.list[k]};
	if (count > 0)
		qsort(config->claims, count, sizeof(*config->claims), compare_attributes);
	for (size_t i = 0; i < count; i++)
		if (kept == 0 || compare_attributes(&config->claims[kept - 1], &config->claims[i]) != 0)
			config->claims[kept++] = config->claims[i];
	config->claim_count = kept;
}

static void gather_strengths(struct builder *builder)
{
	struct config *config = builder->config;
	struct policy_names *all = &config->strengths;
	size_t count = 0, kept = 0;
	for (size_t i = 0; i < config->group_count; i++)
		count += config->groups[i].policy.authentication.count;
	all->list = memory_take(&config->memory, count + 1, sizeof(*all->list));
	if (!all->list) {
		report_no_memory(builder->reading.report);
		return;
	}
	for (size_t i = 0; i < config->group_count; i++) {
		const struct policy_names *wanted = &config->groups[i].policy.authentication;
		for (size_t k = 0; k < wanted->count; k++)
			all->list[all->count++] = wanted->list[k];
	}
	policy_words_sort(all);
	for (size_t i = 0; i < all->count; i++)
		if (kept == 0 || strcmp(all->list[kept - 1], all->list[i]) != 0)
			all->list[kept++] = all->list[i];
	all->count = kept;
}

void builder_gather_claims(struct builder *builder)
{
	struct config *config = builder->config;
	struct gathering g = {.claims = NULL};
	gather_strengths(builder);
	gather_all(&g, config);
	g.claims = calloc(g.count + 1, sizeof(struct policy_claim *));
	if (g.claims) {
		gather_all(&g, config);
		config->claims =
			memory_take(&config->memory, drop_shared(&g) + mapped_claims(config, NULL) + 1,
				    sizeof(*config->claims));
	}
	if (g.claims && config->claims)
		list_values(config, &g);
	else
		report_no_memory(builder->reading.report);
	free(g.claims);
}

static int compare_words(const void *word, const void *other)
{
	return strcmp(word, *(const char *const *)other);
}

bool config_names_strength(const struct config *config, const char *text)
{
	const struct policy_names *all = &config->strengths;
	return all->count > 0 &&
	       bsearch(text, all->list, all->count, sizeof(*all->list), compare_words) != NULL;
}

static int compare_names(const void *left, const void *right)
{
	return strcmp(((const struct policy_attribute *)left)->name,
		      ((const struct policy_attribute *)right)->name);
}

bool config_names_claim(const struct config *config, const char *name, const char *value)
{
	struct policy_attribute key = {.name = name, .value = value};
	return config->claim_count > 0 && bsearch(&key, config->claims, config->claim_count, sizeof(key),
						  value ? compare_attributes : compare_names) != NULL;
}

/* "partner/groups" is a claim of the issuer whose prefix is "partner/", also when a token of another calls one so. */
static bool is_of_another(const struct config *config, const char *prefix, const char *name)
{
	size_t len = strlen(prefix);
	for (size_t i = 0; i < config->issuer_count; i++) {
		const char *other = config->issuers[i].claim_prefix;
		size_t other_len = strlen(other);
		if (other_len > len && strncmp(name, other, other_len) == 0)
			return true;
	}
	return false;
}

const char *config_claim_name(const struct config *config, const char *prefix, const char *claim)
{
	char name[NAME_SIZE];
	if (snprintf(name, sizeof(name), "%s%s", prefix, claim) >= (int)sizeof(name))
		return NULL;
	if (is_of_another(config, prefix, name))
		return NULL;
	struct policy_attribute key = {.name = name};
	const struct policy_attribute *found = NULL;
	if (config->claim_count > 0)
		found = bsearch(&key, config->claims, config->claim_count, sizeof(key), compare_names);
	return found ? found->name : NULL;
}

/* -- which policies these are ---------------------------------------------------------------------------------- */

static void print_names(struct buf *out, const struct policy_names *names)
{
	for (size_t i = 0; i < names->count; i++)
		buf_addf(out, "%zu:%s", strlen(names->list[i]), names->list[i]);
	buf_adds(out, ";");
}

static void print_eligibilities(struct buf *out, const struct policy_eligibilities *entries)
{
	for (size_t i = 0; i < entries->count; i++) {
		const struct policy_eligibility *e = &entries->list[i];
		buf_addf(out, "%lld-%lld", (long long)e->start_ms, (long long)e->end_ms);
		print_names(out, &e->people.principals);
		for (size_t k = 0; k < e->people.claims.count; k++) {
			buf_addf(out, "%zu:%s", strlen(e->people.claims.list[k].name),
				 e->people.claims.list[k].name);
			print_names(out, &e->people.claims.list[k].values);
		}
	}
	buf_adds(out, "|");
}

/* One group's text at a time, each into the digest of all before it: they may be ten thousand. */
bool config_digest_policies(struct config *config)
{
	char digest[SHA256_HEX] = "";
	struct buf text;
	bool ok = true;
	buf_init(&text, CONFIG_FILE_MAX);
	for (size_t i = 0; ok && i < config->group_count; i++) {
		const struct config_group *group = &config->groups[i];
		buf_clear(&text);
		buf_addf(&text, "%s%s %d ", digest, group->id, (int)group->policy.on_lost);
		print_eligibilities(&text, &group->policy.eligible);
		print_eligibilities(&text, &group->policy.break_glass);
		digest_sha256_hex(buf_text(&text), text.len, digest);
		ok = !buf_failed(&text);
	}
	buf_release(&text);
	snprintf(config->policies, sizeof(config->policies), "%.16s", digest[0] ? digest : "none");
	return ok;
}
