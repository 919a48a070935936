/* Whether those whom a policy names can come at all: sign in, and then ask or decide. See build.h. */
#include "config/build.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* What keeps a person, or everybody with certain claims, away. */
enum obstacle { NOTHING, NO_ISSUER, NO_SUCH_CLAIM, NOT_SIGNED_IN, WEAKLY_SIGNED_IN, LOOKS_ON };

static const char *const sentences[] = {
	[NO_ISSUER] = "claims come with the tokens of issuers, and sign_in names none",
	[NO_SUCH_CLAIM] = "no issuer's tokens have all claims that are named here (sign_in[].claim_prefix)",
	[NOT_SIGNED_IN] = "no issuer may name them (sign_in[].user_names), and nobody among people has that "
			  "user_name with a token_sha256",
	[WEAKLY_SIGNED_IN] = "a token of people says nothing of the authentication that is wanted, and no "
			     "issuer may name them",
	[LOOKS_ON] = "auditors and timer jobs ask for nothing and decide nothing",
};

/* What is wanted of those who come. */
struct wanted {
	bool sign_in;  /* a message of an approval source may also name them */
	bool strength; /* of the sign-in, which only issuers tell of */
};

static int compare_texts(const void *left, const void *right)
{
	return strcasecmp(*(const char *const *)left, *(const char *const *)right);
}

void builder_list_signers(struct builder *builder)
{
	const struct config *config = builder->config;
	builder->signers = calloc(config->people_count + 1, sizeof(*builder->signers));
	if (!builder->signers) {
		report_no_memory(builder->reading.report);
		return;
	}
	for (size_t i = 0; i < config->people_count; i++)
		if (builder->people[i].secret.line)
			builder->signers[builder->signer_count++] = config->people[i].names.user_name;
	qsort(builder->signers, builder->signer_count, sizeof(*builder->signers), compare_texts);
}

static bool is_operator(const struct config *config, const struct policy_person *person)
{
	if (policy_people_hold(&config->operators, person))
		return true;
	for (size_t i = 0; i < config->people_count; i++)
		if (config->people[i].is_operator &&
		    strcasecmp(config->people[i].names.user_name, person->user_name) == 0)
			return true;
	return false;
}

bool builder_only_looks_on(const struct config *config, const char *user_name)
{
	struct policy_person person = {.user_name = user_name};
	bool looks_on = policy_people_hold(&config->auditors, &person) ||
			policy_people_hold(&config->timers, &person);
	return looks_on && !is_operator(config, &person);
}

static enum obstacle find_obstacle(const struct builder *builder, const char *user_name, struct wanted wanted)
{
	const struct config *config = builder->config;
	bool named = !wanted.sign_in;
	if (builder_only_looks_on(config, user_name))
		return LOOKS_ON;
	for (size_t i = 0; i < config->issuer_count && !named; i++)
		named = config_issuer_may_name(&config->issuers[i], user_name);
	if (named)
		return NOTHING;
	if (!bsearch(&user_name, builder->signers, builder->signer_count, sizeof(*builder->signers),
		     compare_texts))
		return NOT_SIGNED_IN;
	return wanted.strength ? WEAKLY_SIGNED_IN : NOTHING;
}

/* The longest prefix of an issuer that the claim's name begins with, or NULL. Where issuers have prefixes, what looks
 * like one and is none's is a slip of the pen; "https://…" is what some providers call their claims. */
static const char *prefix_of(const struct config *config, const char *claim)
{
	const char *longest = NULL;
	bool any = false;
	for (size_t i = 0; i < config->issuer_count; i++) {
		const char *prefix = config->issuers[i].claim_prefix;
		any = any || prefix[0];
		if (strncmp(claim, prefix, strlen(prefix)) == 0 &&
		    (!longest || strlen(prefix) > strlen(longest)))
			longest = prefix;
	}
	bool slip = any && longest && !longest[0] && strchr(claim, '/') && !strstr(claim, "://");
	return slip ? NULL : longest;
}

/* One token must have all of them. */
static enum obstacle find_obstacle_of_claims(const struct config *config, const struct policy_claims *claims)
{
	if (config->issuer_count == 0)
		return NO_ISSUER;
	const char *first = prefix_of(config, claims->list[0].name);
	for (size_t i = 0; i < claims->count; i++) {
		const char *prefix = prefix_of(config, claims->list[i].name);
		if (!first || !prefix || strcmp(first, prefix) != 0)
			return NO_SUCH_CLAIM;
	}
	return NOTHING;
}

/* What is found while people are looked through. */
struct found {
	size_t able;          /* so many by name; SIZE_MAX where claims say who */
	enum obstacle first;  /* that was met, … */
	const char *met_with; /* … with this name, or with claims (NULL) */
};

static void note(struct found *found, enum obstacle obstacle, const char *name)
{
	if (found->first == NOTHING) {
		found->first = obstacle;
		found->met_with = name;
	}
}

/* Those of `people` who are not among `counted`, which may be NULL. Looks no further when there are `enough`. */
static void look_through(const struct builder *builder, const struct policy_people *people,
			 const struct policy_people *counted, struct wanted wanted, struct found *found)
{
	if (people->claims.count > 0) {
		enum obstacle obstacle = find_obstacle_of_claims(builder->config, &people->claims);
		if (obstacle == NOTHING) {
			found->able = SIZE_MAX;
			return;
		}
		note(found, obstacle, NULL);
	}
	for (size_t i = 0; i < people->principals.count && found->able < SIZE_MAX; i++) {
		struct policy_person person = {.user_name = people->principals.list[i]};
		if (counted && policy_people_hold(counted, &person))
			continue;
		enum obstacle obstacle = find_obstacle(builder, person.user_name, wanted);
		if (obstacle == NOTHING)
			found->able++;
		else
			note(found, obstacle, person.user_name);
	}
}

static void warn(struct builder *builder, struct place place, const char *what, const struct found *found)
{
	char quoted[REPORT_QUOTE_SIZE];
	const char *name = found->met_with ? report_quote(found->met_with, quoted) : NULL;
	report_warning(builder->reading.report, place, "%s%s%s: %s", what, name ? ": " : "", name ? name : "",
		       sentences[found->first]);
}

/* Does a source of signed messages decide for the group? Who is named by one does not sign in. */
static bool has_source(const struct config *config, const struct config_group *group)
{
	for (size_t i = 0; i < config->source_count; i++) {
		const struct policy_names *groups = &config->sources[i].groups;
		if (groups->count == 0)
			return true;
		for (size_t k = 0; k < groups->count; k++)
			if (strcasecmp(groups->list[k], group->id) == 0)
				return true;
	}
	return false;
}

/* Could anybody of these come and ask? */
static void check_askers(struct builder *builder, const struct policy_eligibilities *entries,
			 struct wanted wanted, struct place place, const char *what)
{
	struct found found = {0};
	for (size_t i = 0; i < entries->count && found.able == 0; i++)
		look_through(builder, &entries->list[i].people, NULL, wanted, &found);
	if (found.able == 0 && found.first != NOTHING)
		warn(builder, place, what, &found);
}

void builder_check_reach(struct builder *builder, const struct policy *policy, const struct element *element)
{
	const struct config *config = builder->config;
	const struct config_group *group = element->base;
	struct wanted asking = {.sign_in = true, .strength = policy->authentication.count > 0};
	/* That nobody at all can sign in is said once, elsewhere. */
	if (!builder->signers || (config->issuer_count == 0 && builder->signer_count == 0))
		return;
	check_askers(builder, &policy->eligible, asking, element_place(element, SET_GROUP_ELIGIBLE),
		     "nobody whom eligible names could activate this group");
	check_askers(builder, &policy->break_glass, asking, element_place(element, SET_GROUP_BREAK_GLASS),
		     "nobody whom break_glass names could break the glass");
	for (size_t i = 0; i < policy->approval.count; i++) {
		const struct policy_stage *stage = &policy->approval.list[i];
		struct wanted wanted = {.sign_in = !has_source(config, group)};
		struct found found = {0};
		look_through(builder, &stage->approvers, NULL, wanted, &found);
		if (found.able < SIZE_MAX)
			look_through(builder, &stage->escalation, &stage->approvers, wanted, &found);
		if (found.able < (size_t)stage->needed && found.first != NOTHING)
			warn(builder, element_place(element, SET_GROUP_APPROVAL),
			     "a stage of this group's approval could never be passed", &found);
	}
}
