/* Reading one operation. */
#include "scim-push/sandbox/patch_read.h"

#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "scim-push/sandbox/filter.h"

#define GROUP_URN "urn:ietf:params:scim:schemas:core:2.0:Group:"

enum op { OP_ADD, OP_REMOVE, OP_REPLACE, OP_UNKNOWN };

static void add_form(struct patch_operation *out, enum behaviour form)
{
	if (out->form_count < PATCH_FORMS)
		out->forms[out->form_count++] = form;
}

static void is_nonsense(struct patch_operation *out)
{
	out->kind = PATCH_NOTHING;
	add_form(out, B_NONSENSE);
}

static enum op read_op(const cJSON *operation, struct patch_operation *out)
{
	static const char *const names[] = {
		[OP_ADD] = "add", [OP_REMOVE] = "remove", [OP_REPLACE] = "replace"};
	const char *op = json_string(operation, "op");

	for (size_t i = 0; op != NULL && i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcasecmp(op, names[i]) != 0)
			continue;
		if (strcmp(op, names[i]) != 0)
			add_form(out, B_UPPER_OP);
		return (enum op)i;
	}
	return OP_UNKNOWN;
}

static bool is_name(const char *text, size_t len, const char *name, bool exact)
{
	return len == strlen(name) && (exact ? memcmp(text, name, len) : strncasecmp(text, name, len)) == 0;
}

/* members[value eq "ID"] */
static void read_filter(const char *path, bool exact, struct patch_operation *out)
{
	struct filter filter;
	const char *id = NULL;

	add_form(out, B_REMOVE_FILTER);
	if (filter_parse(path, &filter, NULL) == ERR_OK && filter.count == 1 && filter.terms[0].element == 1)
		id = filter_value(&filter, "members.value", exact);
	if (id == NULL || strlen(id) >= sizeof(out->id) || path[strlen(path) - 1] != ']') {
		is_nonsense(out);
		return;
	}
	if (filter.upper)
		add_form(out, B_UPPER_EQ);
	out->kind = PATCH_REMOVE_ONE;
	(void)memcpy(out->id, id, strlen(id) + 1);
}

/* The members in a value: an array, or one of the forms that some servers take besides. */
static bool read_list(const cJSON *value, struct patch_operation *out)
{
	if (cJSON_IsArray(value)) {
		out->members = value->child;
		return out->members != NULL;
	}
	if (json_string(value, "value") != NULL) {
		add_form(out, B_BARE_VALUE);
		out->members = value;
		return true;
	}
	value = cJSON_GetObjectItem(value, "members");
	add_form(out, B_NESTED_VALUE);
	out->members = cJSON_IsArray(value) ? value->child : NULL;
	return out->members != NULL;
}

static void read_members(enum op op, const cJSON *value, struct patch_operation *out)
{
	/* Replaced by nobody is all removed. */
	bool empty = op == OP_REPLACE ? cJSON_IsArray(value) && value->child == NULL
				      : op == OP_REMOVE && value == NULL;

	if (op == OP_REPLACE)
		add_form(out, B_REPLACE_MEMBERS);
	if (empty) {
		out->kind = PATCH_REMOVE_ALL;
		add_form(out, B_REMOVE_ALL);
		return;
	}
	out->kind = op == OP_REPLACE ? PATCH_REPLACE : PATCH_ADD;
	if (op == OP_REMOVE) {
		out->kind = PATCH_REMOVE_VALUES;
		add_form(out, B_REMOVE_VALUE);
	}
	if (!read_list(value, out))
		is_nonsense(out);
}

/* An attribute and its value, with the path already taken apart. */
static void read_attribute(enum op op, const char *path, bool exact, const cJSON *value,
			   struct patch_operation *out)
{
	size_t len = strcspn(path, "[");

	if (is_name(path, len, "members", exact)) {
		if (path[len] == '\0')
			read_members(op, value, out);
		else if (op == OP_REMOVE)
			read_filter(path, exact, out);
		else
			is_nonsense(out);
	} else if (is_name(path, strlen(path), "displayName", exact) && op != OP_REMOVE) {
		out->kind = PATCH_NAME;
		out->text = cJSON_GetStringValue(value);
		add_form(out, B_RENAME);
	} else if (is_name(path, strlen(path), "externalId", exact)) {
		out->kind = op == OP_REMOVE ? PATCH_NO_EXTERNAL_ID : PATCH_EXTERNAL_ID;
		out->text = cJSON_GetStringValue(value);
	} else {
		is_nonsense(out);
	}
}

/* An id may stand beside them, as in AWS' examples. */
static bool is_attribute(const cJSON *child)
{
	return strcmp(child->string, "id") != 0 && strcmp(child->string, "schemas") != 0;
}

static size_t count_attributes(const cJSON *value)
{
	size_t count = 0;

	for (const cJSON *child = value->child; child != NULL; child = child->next)
		count += is_attribute(child);
	return count;
}

/* {"op":"replace","value":{"id":"…","displayName":"…"}} */
static bool read_without_path(enum op op, const cJSON *value, const struct patch_operation *first,
			      const struct patch_reader *reader)
{
	size_t count = cJSON_IsObject(value) ? count_attributes(value) : 0;
	struct patch_operation operation = *first;

	if (op == OP_REMOVE || count == 0) {
		add_form(&operation, B_PATHLESS_MANY);
		is_nonsense(&operation);
		return reader->take(reader->context, &operation);
	}
	for (const cJSON *child = value->child; child != NULL; child = child->next) {
		if (!is_attribute(child))
			continue;
		operation = *first;
		if (count > 1)
			add_form(&operation, B_PATHLESS_MANY);
		if (is_name(child->string, strlen(child->string), "members", reader->exact))
			add_form(&operation, B_PATHLESS_MEMBERS);
		read_attribute(op, child->string, reader->exact, child, &operation);
		if (!reader->take(reader->context, &operation))
			return false;
	}
	return true;
}

bool patch_read(const cJSON *operation, const struct patch_reader *reader)
{
	const cJSON *path = cJSON_GetObjectItemCaseSensitive(operation, "path");
	const cJSON *value = cJSON_GetObjectItemCaseSensitive(operation, "value");
	struct patch_operation out = {.kind = PATCH_NOTHING};
	enum op op = read_op(operation, &out);
	const char *name;

	if (op == OP_UNKNOWN || (path != NULL && !cJSON_IsString(path))) {
		is_nonsense(&out);
		return reader->take(reader->context, &out);
	}
	if (path == NULL)
		return read_without_path(op, value, &out, reader);
	name = path->valuestring;
	if (strncasecmp(name, GROUP_URN, strlen(GROUP_URN)) == 0) {
		add_form(&out, B_URN_PATH);
		name += strlen(GROUP_URN);
	}
	read_attribute(op, name, reader->exact, value, &out);
	return reader->take(reader->context, &out);
}
