/*
 * From the checked tree to the value, in two steps: every key is looked up in the table and every element read
 * (config_build.c); then come the rules that need more than one setting, and the order that look-ups rely on
 * (config_check.c).
 */
#ifndef BROKER_CONFIG_BUILD_H
#define BROKER_CONFIG_BUILD_H

#include "config.h"
#include "config_tree.h"
#include "config_values.h"

/* One mapping that becomes one struct: the file itself, or an element of a list. */
struct element {
	void *base;
	yaml_node_t *node;                 /* borrowed from the tree */
	yaml_node_t *given[SETTING_COUNT]; /* the values that are there */
};

/* Where the parts of a list's element stand. */
struct marks {
	struct place id, name, reference, secret; /* line 0 = not given */
	const char *referred; /* application of a group; borrowed from the tree; NULL = none */
};

struct builder {
	struct reading reading;
	struct tree *tree;
	struct config *config; /* all zero at the start; usable only when nothing was reported as an error */
	struct element root;
	struct marks *people, *applications,
		*groups; /* one for each element, in the order of the file; owned */
};

void config_build(struct builder *builder);
void builder_release(struct builder *builder);

/* Where the setting's value stands, or the element when it is not given. */
struct place element_place(const struct element *element, enum setting_id id);

/* The end of reading one element: rules within it, and defaults that depend on its other settings. */
void config_finish_person(struct builder *builder, size_t index, const struct element *element);
void config_finish_application(struct builder *builder, size_t index, const struct element *element);
void config_finish_group(struct builder *builder, size_t index, const struct element *element);

/* The rules over everything; resolves references; sorts the lists by id. */
void config_check(struct builder *builder);

#endif
