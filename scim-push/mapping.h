/*
 * Which attributes a user gets in an application, and from what: a list of rules, each an attribute and one
 * expression, compiled when the configuration is read and evaluated for one person at a time. Pure.
 *
 *   expression  =  "text"                                   a constant
 *               |  user_name | display_name | given_name | family_name | email | id
 *               |  claims.NAME                              a claim of the person's token
 *               |  join("between", a, b, …)                 those that are not empty
 *               |  replace(a, "what", "with")               every occurrence
 *               |  lower(a)  |  first(a)                    first: of a claim that may have several values
 *               |  default(a, b, …)                         the first that is not empty
 *
 * An attribute whose expression comes out empty is left out.
 */
#ifndef SCIM_PUSH_MAPPING_H
#define SCIM_PUSH_MAPPING_H

#include <stddef.h>

#include "base/err.h"
#include "base/id.h"
#include "scim-push/attribute.h"

#define MAPPING_RULES_MAX  32
#define MAPPING_TEXT_SIZE  256  /* one expression */
#define MAPPING_STEPS_MAX  24   /* constants, sources and calls in one expression */
#define MAPPING_VALUE_SIZE 1025 /* what an expression comes to; AWS takes 1024 characters */

/* What is known of a person. All borrowed. */
struct scim_person {
	char user_name[NAME_SIZE];
	char display_name[NAME_SIZE];
	char given_name[NAME_SIZE];
	char family_name[NAME_SIZE];
	char email[NAME_SIZE]; /* may be "" */
};

struct person_claim {
	const char *name, *value;
};

struct mapping_source {
	const struct scim_person *names;
	const char *id;                    /* principalId */
	const struct person_claim *claims; /* one with several values stands there several times */
	size_t claim_count;
};

enum mapping_kind { MAPPING_CONSTANT, MAPPING_NAME, MAPPING_CLAIM, MAPPING_CALL };

/* Postfix: a call takes its arguments from those before it. */
struct mapping_step {
	enum mapping_kind kind;
	unsigned char which;     /* of the names, or of the functions */
	unsigned char arguments; /* of a call */
	unsigned short at;       /* where the constant or the claim's name begins in the rule's text */
};

struct mapping_rule {
	struct attribute attribute;
	char text[MAPPING_TEXT_SIZE]; /* the expression, its pieces each closed by a NUL */
	size_t step_count;
	struct mapping_step steps[MAPPING_STEPS_MAX];
};

struct mapping {
	const struct mapping_rule *rules;
	size_t count;
};

/* userName, name.givenName, name.familyName, displayName, emails[type eq "work"].value from the names. */
extern const struct mapping mapping_default;

/* Compiles one rule. ERR_CONFIG with the reason in `ec`: "column 7: …"; `out` is then unusable. */
enum err mapping_compile(const char *attribute, const char *expression, struct mapping_rule *out,
			 struct errctx *ec) MUST_CHECK;

/* The rule for that attribute, or NULL. */
const struct mapping_rule *mapping_find(const struct mapping *mapping, const char *path);

/* What the rule comes to for this person; "" = the attribute is left out. False with a sentence that names the
 * attribute when it comes to several values, or to one that is too long. */
bool mapping_evaluate(const struct mapping_rule *rule, const struct mapping_source *source,
		      char out[MAPPING_VALUE_SIZE], struct errctx *why) MUST_CHECK;

/* Is everything known that the rule is made of? What it comes to without that, a default or a part of a text, is good enough
 * for a new user, but must not take the place of what the application has. Of a default, the first choice decides. */
bool mapping_is_known(const struct mapping_rule *rule, const struct mapping_source *source);

#endif
