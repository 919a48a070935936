#include "api/caller.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "activation/actor.h"
#include "api/api.h"
#include "api/refusals.h"
#include "server/error.h"
#include "sign-in/signin.h"
#include "base/log.h"

static void take_roles(struct caller *caller, const struct config *config)
{
	struct policy_person person = caller_for_policy(caller);

	caller->is_operator = policy_people_hold(&config->operators, &person);
	caller->is_auditor = policy_people_hold(&config->auditors, &person);
	caller->is_timer = policy_people_hold(&config->timers, &person);
}

/* A machine is nobody whom policy knows: its roles are all that it has. */
static void take_machine(struct caller *caller, const struct config_machine *machine)
{
	snprintf(caller->id, sizeof(caller->id), "machine:%s", machine->name);
	snprintf(caller->names.user_name, sizeof(caller->names.user_name), "%s", machine->name);
	caller->is_machine = true;
	caller->is_auditor = (machine->role_bits & ROLE_AUDITOR) != 0;
	caller->is_timer = (machine->role_bits & ROLE_TIMER) != 0;
}

static void take_person(struct caller *caller, const struct config *config,
			const struct config_person *person)
{
	snprintf(caller->id, sizeof(caller->id), "%s", person->id);
	caller->names = person->names;
	take_roles(caller, config);
	caller->is_operator = caller->is_operator || person->is_operator;
}

void caller_take_name(struct caller *caller, const struct config *config, const char *name)
{
	snprintf(caller->id, sizeof(caller->id), "%s", name);
	snprintf(caller->names.user_name, sizeof(caller->names.user_name), "%s", name);
	take_roles(caller, config);
}

bool caller_takes_part(const struct caller *caller)
{
	return caller->is_operator || !(caller->is_auditor || caller->is_timer || caller->is_machine);
}

static void take_text(char out[NAME_SIZE], const char *text, const char *otherwise)
{
	snprintf(out, NAME_SIZE, "%s", text[0] != '\0' ? text : otherwise);
}

/*
 * What one provider calls a person says nothing about whom another one calls so. The first provider's ids are taken
 * as they are; those of the others become ids of their own.
 */
static void choose_id(char out[NAME_SIZE], const struct config *config, const struct identity *identity)
{
	char text[sizeof(config->issuers[0].issuer) + NAME_SIZE + 1];
	int len;

	if (config->issuer_count == 0 || strcmp(config->issuers[0].issuer, identity->issuer) == 0) {
		take_text(out, identity->id, "");
		return;
	}
	len = snprintf(text, sizeof(text), "%s\n%s", identity->issuer, identity->id);
	id_derive(0, text, (size_t)len, out);
}

static void add_claim(struct caller *caller, const char *name, const char *value)
{
	caller->claims[caller->claim_count++] = (struct policy_attribute){.name = name, .value = value};
}

/* One value of a claim, when policies look at the claim, and (`named`) name that value or (not `named`) another one. */
static void add_value(struct caller *caller, const struct config *config, const char *name, const char *value,
		      bool named)
{
	if (name != NULL && config_names_claim(config, name, value) == named)
		add_claim(caller, name, value);
}

/* Values that a policy names at present, or (not `named`) other values of the claims that are named. */
static void add_claims(struct caller *caller, const struct config *config, const struct identity *identity,
		       bool named)
{
	const struct identity_claim_list *claims = &identity->claims;
	const struct config_issuer *issuer = config_issuer(config, identity->issuer);
	const char *prefix = issuer != NULL ? issuer->claim_prefix : "";
	const char *groups = config_claim_name(config, prefix, "groups");

	for (size_t i = 0; i < identity->groups.count; i++)
		add_value(caller, config, groups, identity->groups.texts[i], named);
	for (size_t i = 0; i < claims->count; i++)
		add_value(caller, config, config_claim_name(config, prefix, claims->list[i].name),
			  claims->list[i].value, named);
}

/*
 * Only what policies name is taken. What they name at present comes first, because the store keeps the first part of a
 * long list; other values may be named by the next configuration.
 */
static enum err take_claims(struct caller *caller, const struct config *config,
			    const struct identity *identity)
{
	caller->claims = calloc(identity->groups.count + identity->claims.count + 1, sizeof(*caller->claims));
	if (caller->claims == NULL)
		return ERR_NOMEM;
	add_claims(caller, config, identity, true);
	add_claims(caller, config, identity, false);
	if (identity->claims_left_out)
		log_warn("claims_left_out", "person=%s most=%d", caller->id, IDENTITY_CLAIMS_MAX);
	return ERR_OK;
}

/* A provider speaks for its own people only. */
static bool may_name(const struct config *config, const struct identity *identity, const char *user_name)
{
	const struct config_issuer *issuer = config_issuer(config, identity->issuer);

	if (issuer == NULL || config_issuer_may_name(issuer, user_name))
		return true;
	log_warn("foreign_user", "issuer=%s person=%s", identity->issuer, user_name);
	return false;
}

/* OpenID Connect Core, 5.1. */
static const char *zone_of(const struct identity *identity)
{
	for (size_t i = 0; i < identity->claims.count; i++)
		if (strcmp(identity->claims.list[i].name, "zoneinfo") == 0)
			return identity->claims.list[i].value;
	return NULL;
}

/* What a token says, as the broker needs it. A person without a user name is known by their id. */
static enum err take_identity(struct caller *caller, const struct config *config,
			      const struct identity *identity)
{
	struct scim_person *names = &caller->names;
	const struct config_person *known;

	caller->identity = identity_hold(identity);
	choose_id(caller->id, config, identity);
	take_text(names->user_name, identity->user_name, identity->id);
	if (!may_name(config, identity, names->user_name)) {
		caller->named_by = identity->issuer;
		return ERR_FORBIDDEN;
	}
	/* One user of the applications is one principal, whatever the token calls them. */
	known = config_person_by_name(config, names->user_name);
	if (known != NULL)
		snprintf(caller->id, sizeof(caller->id), "%s", known->id);
	take_text(names->display_name, identity->display_name, names->user_name);
	take_text(names->given_name, identity->given_name, names->display_name);
	take_text(names->family_name, identity->family_name, names->display_name);
	take_text(names->email, identity->email, "");
	if (take_claims(caller, config, identity) != ERR_OK)
		return ERR_NOMEM;
	caller->zone = zone_of(identity);
	caller->methods = identity->methods.texts;
	caller->method_count = identity->methods.count;
	take_roles(caller, config);
	return ERR_OK;
}

/* A call whose token is being verified. */
struct waiting {
	struct call *call;
	caller_done *done;
};

static void on_verified(void *ctx, enum err err, const struct identity *identity, const struct errctx *ec)
{
	struct waiting *waiting = ctx;
	struct call *call = waiting->call;
	caller_done *done = waiting->done;

	free(waiting);
	if (err == ERR_UNAVAILABLE && signin_again_ms(call->api->signin) > 0)
		exchange_retry_after(call->exchange, signin_again_ms(call->api->signin));
	if (err == ERR_OK)
		err = take_identity(&call->caller, call->config, identity);
	if (call->caller.named_by != NULL && caller_name(call, NULL) != ERR_OK)
		err = ERR_NOMEM;
	if (err == ERR_FORBIDDEN)
		done(call, err, refusals_sentence(REFUSAL_PROVIDER));
	else
		done(call, err, ec != NULL && ec->text[0] != '\0' ? ec->text : err_message(err));
}

void caller_identify(struct call *call, caller_done *done)
{
	const char *header = exchange_header(call->exchange, "Authorization");
	const struct config_machine *machine;
	const struct config_person *person;
	struct waiting *waiting;

	if (header == NULL || strncasecmp(header, "Bearer ", 7) != 0) {
		done(call, ERR_UNAUTHENTICATED, "Send a token: Authorization: Bearer ...");
		return;
	}
	header += 7;
	header += strspn(header, " ");
	machine = config_machine_by_token(call->config, header);
	if (machine != NULL) {
		take_machine(&call->caller, machine);
		done(call, ERR_OK, NULL);
		return;
	}
	person = call->config->environment == ENV_PRODUCTION ? NULL
							     : config_person_by_token(call->config, header);
	if (person != NULL) {
		take_person(&call->caller, call->config, person);
		done(call, ERR_OK, NULL);
		return;
	}
	if (call->api->signin == NULL) {
		done(call, ERR_UNAUTHENTICATED, "The token is not known here.");
		return;
	}
	waiting = malloc(sizeof(*waiting));
	if (waiting == NULL) {
		done(call, ERR_NOMEM, err_message(ERR_NOMEM));
		return;
	}
	*waiting = (struct waiting){.call = call, .done = done};
	signin_verify(call->api->signin, header, on_verified, waiting);
}

/* How they proved who they are, as far as a policy could ask for it. */
static size_t list_strengths(const struct call *call, const char *out[ACTOR_STRENGTHS_MAX])
{
	const struct caller *caller = &call->caller;
	size_t count = 0;

	for (size_t i = 0; i < caller->method_count && count < ACTOR_STRENGTHS_MAX; i++)
		if (config_names_strength(call->config, caller->methods[i]))
			out[count++] = caller->methods[i];
	return count;
}

enum err caller_name(struct call *call, const char *how)
{
	const struct identity *identity = call->caller.identity;
	const char *strengths[ACTOR_STRENGTHS_MAX];
	struct actor actor = {
		.id = call->caller.id,
		.name = call->caller.names.user_name,
		.how = identity != NULL          ? identity->issuer
		       : call->caller.is_machine ? "machine-token"
						 : "token",
		.strengths = strengths,
		.strength_count = list_strengths(call, strengths),
		.address = exchange_address(call->exchange),
		.call = exchange_request_id(call->exchange),
	};

	if (how != NULL)
		actor.how = how;
	if (identity != NULL && strcmp(identity->subject, actor.id) != 0)
		actor.subject = identity->subject;
	actor_write(&actor, &call->actor);
	return buf_failed(&call->actor) ? ERR_NOMEM : ERR_OK;
}

bool caller_sees_all(const struct caller *caller)
{
	return caller->is_operator || caller->is_auditor;
}

bool caller_lacks_groups(const struct call *call, const struct policy_eligibilities *entries)
{
	const struct identity *identity = call->caller.identity;
	const struct config_issuer *issuer;
	const char *groups;

	if (identity == NULL || !identity->groups_left_out)
		return false;
	issuer = config_issuer(call->config, identity->issuer);
	groups = config_claim_name(call->config, issuer != NULL ? issuer->claim_prefix : "", "groups");
	for (size_t i = 0; groups != NULL && i < entries->count; i++) {
		const struct policy_claims *claims = &entries->list[i].people.claims;

		for (size_t k = 0; k < claims->count; k++)
			if (strcmp(claims->list[k].name, groups) == 0)
				return true;
	}
	return false;
}

void caller_release(struct caller *caller)
{
	free(caller->claims);
	caller->claims = NULL;
	identity_release(caller->identity);
	caller->identity = NULL;
}

struct policy_person caller_for_policy(const struct caller *caller)
{
	return (struct policy_person){
		.user_name = caller->names.user_name,
		.attributes = caller->claims,
		.attribute_count = caller->claim_count,
		.methods = caller->methods,
		.method_count = caller->method_count,
	};
}
