/*
 * From the checked tree to the value, in two steps: every key is looked up in the table and every element read
 * (build.c); then come the rules that need more than one setting, and the order that look-ups rely on
 * (check.c).
 */
#ifndef BROKER_CONFIG_BUILD_H
#define BROKER_CONFIG_BUILD_H

#include "config/config.h"
#include "config/tree.h"
#include "config/values.h"

/* One mapping that becomes one struct: the file itself, an element of a list, or a layer of policy. */
struct element {
	void *base;                        /* the owner of its settings, … */
	struct policy *policy;             /* … and of those of OF_POLICY; NULL where there are none */
	yaml_node_t *node;                 /* borrowed from the tree */
	yaml_node_t *given[SETTING_COUNT]; /* the values that are there */
};

/* Rules that groups inherit. */
struct layer {
	struct policy policy; /* what is not given is zero */
	bool given[SETTING_COUNT];
};

/* Where the parts of a list's element stand. */
struct marks {
	struct place id, name, reference, secret; /* line 0 = not given */
	struct place ca;                          /* of an issuer */
	const yaml_node_t *groups; /* of an approval source; borrowed from the tree; NULL = all */
	const char *referred;      /* application of a group; borrowed from the tree; NULL = none */
	struct layer *layer;       /* of an application; in the builder's memory; NULL = none */
	struct place exclusive;    /* of a group, wherever it has them from */
	bool own_exclusive;        /* it has them from nowhere else */
};

struct app_layer;

struct builder {
	struct reading reading;
	struct tree *tree;
	struct config *config; /* all zero at the start; usable only when nothing was reported as an error */
	struct element root;
	const char *layer; /* the path of the layer that is being read, with its last dot; "" = none */
	struct layer *defaults;
	struct app_layer *app_layers; /* those that there are, sorted by application */
	size_t app_layer_count;
	size_t layer_errors;  /* found in layers */
	size_t errors_before; /* found before the element that is being read */
	struct marks *issuers, *machines, *sources, *webhooks, *people, *applications,
		*groups;      /* one for each element, in the order of the file; owned */
	const char **signers; /* who has a token of their own, sorted; owned; the names are the people's */
	size_t signer_count;
	struct policy_zone *zones; /* in the configuration's memory */
	struct memory memory;      /* until the build is over */
};

void config_build(struct builder *builder);
void builder_release(struct builder *builder);

/* Where the setting's value stands, or the element when it is not given. */
struct place element_place(const struct element *element, enum setting_id id);

/* The items of a sequence. False when the node is none or has too many, which is reported. */
struct span {
	const yaml_node_item_t *items;
	size_t count;
};
bool builder_span(struct builder *builder, const struct setting *setting, const yaml_node_t *node,
		  struct span *out);

/* build.c: reads the members of a mapping, those of the table that begin with the prefix. */
void builder_read_mapping(struct builder *builder, struct element *element, const yaml_node_t *node,
			  const char *prefix);
void builder_apply_defaults(struct builder *builder, enum setting_owner owner, const struct element *element);
void builder_check_required(struct builder *builder, enum setting_owner owner, const char *prefix,
			    const struct element *element);

/* lists.c: `field` is the setting's own; `setting` bears the path that messages use. */
void builder_read_texts(struct builder *builder, const struct setting *setting, struct policy_names *field,
			const yaml_node_t *node);
void builder_read_claims(struct builder *builder, const struct setting *setting, struct policy_claims *field,
			 const yaml_node_t *node);
void builder_read_aliases(struct builder *builder, const struct setting *setting,
			  struct config_aliases *field, const yaml_node_t *node);
void builder_read_days(struct builder *builder, const struct setting *setting, unsigned *field,
		       const yaml_node_t *node);

/* scim.c */
void builder_read_mapping_rules(struct builder *builder, const struct setting *setting,
				struct mapping *mapping, const yaml_node_t *node);
void builder_check_test(struct builder *builder, const struct config_application *application,
			const struct element *element);
/* Whether each application says how its form is proved, where environment is production. */
void builder_check_tests(struct builder *builder);
/* Can the application, which is named at `place`, do what is wanted of its group? */
void builder_check_group(struct builder *builder, const struct config_group *group, struct place place);
/* What is not set for the application is as its dialect has it. */
void builder_take_dialect(struct builder *builder, struct config_application *application,
			  const struct element *element);

/* items.c */
void builder_read_items(struct builder *builder, const struct setting *setting, struct element *element,
			yaml_node_t *node);

/* layers.c */
void builder_read_layer(struct builder *builder, const struct setting *setting, struct element *element,
			yaml_node_t *node);
/* Once all applications are read: groups can look up what they inherit. */
void builder_sort_layers(struct builder *builder);
/* Completes the group's policy with what it inherits, and checks what is then there. */
void builder_finish_policy(struct builder *builder, size_t index, const struct element *element);

/* policy_check.c: rules over one group's whole policy, and over those of all groups. */
void builder_check_policy(struct builder *builder, const struct policy *policy,
			  const struct element *element);
/* Once the groups are sorted and complete. */
void builder_check_source(struct builder *builder, const struct config_approval_source *source,
			  struct place place);
void builder_check_exclusive(struct builder *builder); /* while the groups are in the order of the file */
void builder_join_exclusive(struct builder *builder);  /* once they are sorted */

/* reach.c: can those whom policies name come at all? The first before any group is read, with the people in the order of
 * the file. */
void builder_list_signers(struct builder *builder);
void builder_check_reach(struct builder *builder, const struct policy *policy, const struct element *element);
/* Is who has that name an auditor or a timer job, and nothing else? */
bool builder_only_looks_on(const struct config *config, const char *user_name);

/* issuers.c */
void builder_check_algorithms(struct builder *builder, const struct element *element);
void builder_check_user_names(struct builder *builder, const struct element *element);
void builder_check_several_issuers(struct builder *builder);

/* accounts.c: the order of struct config_aliases, for qsort(). */
int alias_compare(const void *left, const void *right);
/* Before any group is read. */
void builder_check_accounts(struct builder *builder);

/* claims.c: once all policies are there. */
void builder_gather_claims(struct builder *builder);
/* Sets config->policies. False: no memory. */
bool config_digest_policies(struct config *config);

/* receivers.c: can each notice about the group reach all who are to be told? */
void builder_check_receivers(struct builder *builder, const struct policy *policy,
			     const struct element *element);

/* proxies.c */
void builder_check_proxies(struct builder *builder);

/* redis.c */
void builder_check_redis(struct builder *builder);

/* audit.c */
void builder_check_audit(struct builder *builder);

/* The end of reading one element: rules within it, and defaults that depend on its other settings. */
void builder_finish_issuer(struct builder *builder, size_t index, const struct element *element);
void builder_finish_machine(struct builder *builder, size_t index, const struct element *element);
void builder_finish_source(struct builder *builder, size_t index, const struct element *element);
void builder_finish_webhook(struct builder *builder, size_t index, const struct element *element);
void builder_finish_person(struct builder *builder, size_t index, const struct element *element);
void builder_finish_application(struct builder *builder, size_t index, const struct element *element);
void builder_finish_group(struct builder *builder, size_t index, const struct element *element);

/* check.c: reports each id of the list at `path` that is no group's, once the groups are sorted. What is no id at all has
 * been reported when it was read. NULL: there is no list. */
void builder_check_groups(struct builder *builder, const char *path, const yaml_node_t *groups);

/* notices.c: once the groups and the people are sorted. */
void builder_check_notices(struct builder *builder);

/* The rules over everything; resolves references; sorts the lists by id. */
void builder_check_all(struct builder *builder);

#endif
