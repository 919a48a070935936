/*
 * See tree.h. The text is read twice: once event by event, because the finished document no longer tells
 * where anchors, aliases and tags stood and how many documents there were, and once into that document.
 */
#include "config/tree.h"

#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

/* Positions are counted as libyaml counts them: in characters. */
static struct place place_of_offset(const char *text, size_t offset)
{
	struct place place = {1, 1};
	for (size_t i = 0; i < offset; i++) {
		if (text[i] == '\n') {
			place.line++;
			place.column = 1;
		} else if (((unsigned char)text[i] & 0xc0) != 0x80) {
			place.column++;
		}
	}
	return place;
}

static struct place place_of_mark(yaml_mark_t mark)
{
	return (struct place){mark.line + 1, mark.column + 1};
}

static bool check_encoding(const char *text, size_t len, struct report *report)
{
	for (size_t at = 0, step = 0; at < len; at += step) {
		step = utf8_char(text + at, len - at);
		if (step)
			continue;
		report_error(report, place_of_offset(text, at), "this is not UTF-8");
		return false;
	}
	return true;
}

/* What libyaml found wrong. Its messages name kinds of things, never the text itself. */
static void report_problem(struct report *report, const yaml_parser_t *parser, const char *text, size_t len)
{
	const char *problem = parser->problem ? parser->problem : "it cannot be parsed";
	/* Where libyaml fails before it has begun to parse, it sets no error: only memory can be short then. */
	if (parser->error == YAML_MEMORY_ERROR || parser->error == YAML_NO_ERROR) {
		report_no_memory(report);
		return;
	}
	if (parser->error == YAML_READER_ERROR) {
		size_t offset = parser->problem_offset < len ? parser->problem_offset : len;
		report_error(report, place_of_offset(text, offset), "not valid YAML: %s", problem);
		return;
	}
	if (parser->context)
		report_error(report, place_of_mark(parser->problem_mark),
			     "not valid YAML: %s %s that begins at line %zu, column %zu", problem,
			     parser->context, parser->context_mark.line + 1, parser->context_mark.column + 1);
	else
		report_error(report, place_of_mark(parser->problem_mark), "not valid YAML: %s", problem);
}

struct scan {
	size_t depth, nodes, documents;
	bool done;
};

/* The reason why this event has no place in a configuration, or NULL. */
static const char *refuse_event(const yaml_event_t *event, struct scan *scan)
{
	const yaml_char_t *anchor = NULL, *tag = NULL;
	switch (event->type) {
	case YAML_DOCUMENT_START_EVENT:
		scan->documents++;
		return scan->documents > 1 ? "a second document begins here; a configuration is one document"
					   : NULL;
	case YAML_ALIAS_EVENT:
		return "aliases (*name) are not accepted; write the value out";
	case YAML_SCALAR_EVENT:
		anchor = event->data.scalar.anchor;
		tag = event->data.scalar.tag;
		break;
	case YAML_SEQUENCE_START_EVENT:
		anchor = event->data.sequence_start.anchor;
		tag = event->data.sequence_start.tag;
		scan->depth++;
		break;
	case YAML_MAPPING_START_EVENT:
		anchor = event->data.mapping_start.anchor;
		tag = event->data.mapping_start.tag;
		scan->depth++;
		break;
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		scan->depth--;
		return NULL;
	case YAML_STREAM_END_EVENT:
		scan->done = true;
		return NULL;
	case YAML_NO_EVENT:
	case YAML_STREAM_START_EVENT:
	case YAML_DOCUMENT_END_EVENT:
		return NULL;
	}
	if (anchor)
		return "anchors (&name) are not accepted";
	if (tag)
		return "tags (!name) are not accepted";
	if (scan->depth > TREE_DEPTH)
		return "this is nested too deeply";
	return ++scan->nodes > TREE_NODES ? "there are too many values" : NULL;
}

static void start_parser(yaml_parser_t *parser, const char *text, size_t len)
{
	yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(parser, (const unsigned char *)text, len);
}

static bool scan_events(const char *text, size_t len, struct report *report)
{
	yaml_parser_t parser;
	if (!yaml_parser_initialize(&parser)) {
		report_no_memory(report);
		return false;
	}
	start_parser(&parser, text, len);
	struct scan scan = {0};
	const char *refused = NULL;
	while (!scan.done && !refused) {
		yaml_event_t event;
		if (!yaml_parser_parse(&parser, &event)) {
			report_problem(report, &parser, text, len);
			break;
		}
		refused = refuse_event(&event, &scan);
		if (refused)
			report_error(report, place_of_mark(event.start_mark), "%s", refused);
		yaml_event_delete(&event);
	}
	yaml_parser_delete(&parser);
	return scan.done && !refused;
}

static bool load_document(struct tree *tree, const char *text, size_t len, struct report *report)
{
	yaml_parser_t parser;
	if (!yaml_parser_initialize(&parser)) {
		report_no_memory(report);
		return false;
	}
	start_parser(&parser, text, len);
	bool loaded = yaml_parser_load(&parser, &tree->document) != 0;
	if (!loaded)
		report_problem(report, &parser, text, len);
	yaml_parser_delete(&parser);
	return loaded;
}

static int compare_keys(const void *left, const void *right)
{
	const yaml_node_t *a = *(yaml_node_t *const *)left, *b = *(yaml_node_t *const *)right;
	size_t a_len = a->data.scalar.length, b_len = b->data.scalar.length;
	int order = memcmp(a->data.scalar.value, b->data.scalar.value, a_len < b_len ? a_len : b_len);
	if (!order)
		order = (a_len > b_len) - (a_len < b_len);
	if (!order) /* equal keys stay in the order of the file */
		order = (a->start_mark.index > b->start_mark.index) -
			(a->start_mark.index < b->start_mark.index);
	return order;
}

static bool same_key(const yaml_node_t *a, const yaml_node_t *b)
{
	return a->data.scalar.length == b->data.scalar.length &&
	       memcmp(a->data.scalar.value, b->data.scalar.value, a->data.scalar.length) == 0;
}

static void report_duplicates(yaml_node_t **keys, size_t count, struct report *report)
{
	char quoted[REPORT_QUOTE_SIZE];
	size_t first = 0;
	for (size_t i = 1; i < count; i++) {
		if (!same_key(keys[first], keys[i])) {
			first = i;
			continue;
		}
		struct place place = tree_place(keys[first]);
		report_error(report, tree_place(keys[i]),
			     "the key %s is given twice; first at line %zu, column %zu",
			     report_quote((const char *)keys[i]->data.scalar.value, quoted), place.line,
			     place.column);
	}
}

/* Sorting finds duplicates without comparing every key with every other: a hostile mapping may be long. */
static void check_mapping(struct tree *tree, const yaml_node_t *mapping, struct report *report)
{
	const yaml_node_pair_t *start = mapping->data.mapping.pairs.start;
	size_t pairs = (size_t)(mapping->data.mapping.pairs.top - start);
	if (pairs == 0)
		return;
	yaml_node_t **keys = calloc(pairs, sizeof(yaml_node_t *));
	if (!keys) {
		report_no_memory(report);
		return;
	}
	size_t count = 0;
	for (size_t i = 0; i < pairs; i++) {
		yaml_node_t *key = tree_node(tree, start[i].key);
		if (key->type == YAML_SCALAR_NODE)
			keys[count++] = key;
	}
	if (count)
		qsort(keys, count, sizeof(yaml_node_t *), compare_keys);
	report_duplicates(keys, count, report);
	free(keys);
}

enum err tree_parse(struct tree *tree, const char *text, size_t len, struct report *report)
{
	if (!check_encoding(text, len, report) || !scan_events(text, len, report) ||
	    !load_document(tree, text, len, report))
		return ERR_CONFIG;
	const yaml_node_t *end = tree->document.nodes.top;
	for (const yaml_node_t *node = tree->document.nodes.start; node < end; node++)
		if (node->type == YAML_MAPPING_NODE)
			check_mapping(tree, node, report);
	return ERR_OK;
}

void tree_release(struct tree *tree)
{
	yaml_document_delete(&tree->document);
}

yaml_node_t *tree_root(struct tree *tree)
{
	return yaml_document_get_root_node(&tree->document);
}

yaml_node_t *tree_node(struct tree *tree, int index)
{
	return yaml_document_get_node(&tree->document, index);
}

struct place tree_place(const yaml_node_t *node)
{
	return place_of_mark(node->start_mark);
}

const char *tree_text(const yaml_node_t *node)
{
	if (node->type != YAML_SCALAR_NODE)
		return NULL;
	const char *text = (const char *)node->data.scalar.value;
	return strlen(text) == node->data.scalar.length ? text : NULL;
}

bool tree_is_null(const yaml_node_t *node)
{
	if (node->type != YAML_SCALAR_NODE || node->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
		return false;
	const char *text = (const char *)node->data.scalar.value;
	return text[0] == '\0' || strcmp(text, "~") == 0 || strcmp(text, "null") == 0;
}
