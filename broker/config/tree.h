/*
 * YAML text as a checked tree: one document of UTF-8, bounded in depth and size, without anchors, aliases, tags
 * or a key that is given twice. Knows no setting. Only this part and build.c see libyaml's types.
 */
#ifndef BROKER_CONFIG_TREE_H
#define BROKER_CONFIG_TREE_H

#include <stdbool.h>
#include <stddef.h>

#include <yaml.h>

#include "base/err.h"
#include "config/report.h"

#define TREE_DEPTH 16      /* the configuration itself needs ten */
#define TREE_NODES 1000000 /* some 160 bytes of memory each */

struct tree {
	yaml_document_t document;
};

/*
 * Parses the text. ERR_CONFIG when it cannot be used at all (the report says where and why; nothing to release).
 * Keys given twice are reported too, but leave a tree in which the search for more mistakes can go on.
 */
enum err tree_parse(struct tree *tree, const char *text, size_t len, struct report *report) MUST_CHECK;
void tree_release(struct tree *tree);

yaml_node_t *tree_root(struct tree *tree); /* NULL when the text holds nothing but comments */
yaml_node_t *tree_node(struct tree *tree, int index);
struct place tree_place(const yaml_node_t *node);

/* The text of a scalar, or NULL when the node is none, or holds a NUL character. Borrowed from the tree. */
const char *tree_text(const yaml_node_t *node);

/* Nothing is written after the key (or ~ or null). */
bool tree_is_null(const yaml_node_t *node);

#endif
