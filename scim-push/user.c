#include "scim-push/user.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/utf8.h"
#include "scim-push/scim.h"

#define USER_URN "urn:ietf:params:scim:schemas:core:2.0:User"

/* Evaluates one rule; an empty value leaves the attribute out. */
static enum err add_value(struct user *user, const struct mapping_rule *rule,
			  const struct mapping_source *source, struct errctx *why)
{
	struct user_value *value = &user->values[user->count];
	char text[MAPPING_VALUE_SIZE];

	if (!mapping_evaluate(rule, source, text, why))
		return ERR_CONFIG;
	if (text[0] == '\0')
		return ERR_OK;
	value->attribute = &rule->attribute;
	value->text = strdup(text);
	if (value->text == NULL)
		return err_set(why, ERR_NOMEM, "the broker is out of memory");
	user->count++;
	return ERR_OK;
}

static enum err make(struct user *user, const struct mapping *mapping, const struct mapping_source *source,
		     bool only_known, struct errctx *why)
{
	user->count = 0;
	for (size_t i = 0; i < mapping->count; i++) {
		if (only_known && !mapping_is_known(&mapping->rules[i], source))
			continue;
		enum err err = add_value(user, &mapping->rules[i], source, why);
		if (err == ERR_OK)
			continue;
		user_release(user);
		return err;
	}
	return ERR_OK;
}

enum err user_make(struct user *user, const struct mapping *mapping, const struct mapping_source *source,
		   struct errctx *why)
{
	return make(user, mapping, source, false, why);
}

enum err user_make_known(struct user *user, const struct mapping *mapping,
			 const struct mapping_source *source, struct errctx *why)
{
	return make(user, mapping, source, true, why);
}

void user_release(struct user *user)
{
	for (size_t i = 0; i < user->count; i++)
		free(user->values[i].text);
	user->count = 0;
}

const char *user_text(const struct user *user, const char *path)
{
	for (size_t i = 0; i < user->count; i++)
		if (strcmp(user->values[i].attribute->path, path) == 0)
			return user->values[i].text;
	return NULL;
}

/* -- what an application takes --------------------------------------------------------------------------------- */

#define SHOWN_SIZE 81 /* of a value in a sentence */

static const char *shown(const char *text, char out[SHOWN_SIZE])
{
	scim_clean_text(text, "", out, SHOWN_SIZE);
	return out;
}

bool user_is_complete(const struct user *user, const struct scim_dialect *dialect, struct errctx *why)
{
	const char *at = dialect->required;

	while (*at != '\0') {
		size_t len = strcspn(at, ",");
		char path[DIALECT_LIST_SIZE];
		memcpy(path, at, len);
		path[len] = '\0';
		if (user_text(user, path) == NULL) {
			err_set(why, ERR_CONFIG,
				"the attribute %s is empty, and the application requires it of a new user",
				path);
			return false;
		}
		at += len + (at[len] == ',' ? 1 : 0);
	}
	return true;
}

static bool is_single(const struct user *user, const struct scim_dialect *dialect, struct errctx *why)
{
	char value[SHOWN_SIZE];

	for (size_t i = 0; i < user->count; i++) {
		const struct attribute *a = user->values[i].attribute;
		if (!dialect_lists(dialect->single_valued, a->name))
			continue;
		for (size_t j = 0; j < i; j++) {
			const struct attribute *b = user->values[j].attribute;
			if (strcmp(a->name, b->name) != 0 || strcmp(a->type, b->type) == 0)
				continue;
			err_set(why, ERR_CONFIG,
				"the attribute %s is \"%s\", but the application takes one value of %s and "
				"%s is another",
				a->path, shown(user->values[i].text, value), a->name, b->path);
			return false;
		}
	}
	return true;
}

static size_t characters(const char *text)
{
	size_t count = 0;

	for (size_t left = strlen(text); left > 0; count++) {
		size_t len = utf8_char(text, left);
		len = len == 0 ? 1 : len;
		text += len;
		left -= len;
	}
	return count;
}

static int64_t longest(const struct scim_dialect *dialect, const char *path)
{
	if (strcmp(path, "userName") == 0)
		return dialect->user_name_max;
	if (strcmp(path, "displayName") == 0)
		return dialect->display_name_max;
	return strcmp(path, "externalId") == 0 ? dialect->external_id_max : dialect->text_max;
}

/* Those by which an application tells its users apart; others may hold any text. */
static bool is_name(const char *path)
{
	return strcmp(path, "userName") == 0 || strcmp(path, "displayName") == 0 ||
	       strcmp(path, "externalId") == 0;
}

static void name_refused(const struct user_value *value, const struct scim_dialect *dialect,
			 struct errctx *why)
{
	char text[SHOWN_SIZE], set[64] = "";
	size_t used = 0;

	for (const char *c = dialect->refused; *c != '\0' && used + 8 < sizeof(set); c++) {
		const char *word = *c == '\t'   ? " tab"
				   : *c == '\n' ? " newline"
				   : *c == '\r' ? " return"
						: NULL;
		char one[3] = {' ', *c, '\0'};
		size_t len = strlen(word != NULL ? word : one);
		memcpy(set + used, word != NULL ? word : one, len + 1);
		used += len;
	}
	err_set(why, ERR_CONFIG, "the attribute %s is \"%s\", but the application takes none of%s in it",
		value->attribute->path, shown(value->text, text), set);
}

static bool value_fits(const struct user_value *value, const struct scim_dialect *dialect, struct errctx *why)
{
	const char *path = value->attribute->path;
	int64_t most = longest(dialect, path);
	char text[SHOWN_SIZE];

	if (is_name(path) && strpbrk(value->text, dialect->refused) != NULL) {
		name_refused(value, dialect, why);
	} else if (dialect_lists(dialect->unspaced, path) && strpbrk(value->text, " \t\r\n") != NULL) {
		err_set(why, ERR_CONFIG,
			"the attribute %s is \"%s\", but the application takes no blanks in it", path,
			shown(value->text, text));
	} else if (most > 0 && characters(value->text) > (size_t)most) {
		err_set(why, ERR_CONFIG,
			"the attribute %s is \"%s…\" with %zu characters, but the application takes %lld",
			path, shown(value->text, text), characters(value->text), (long long)most);
	} else if (attribute_is_boolean(value->attribute) && strcmp(value->text, "true") != 0 &&
		   strcmp(value->text, "false") != 0) {
		err_set(why, ERR_CONFIG, "the attribute %s is \"%s\", but must be true or false", path,
			shown(value->text, text));
	} else {
		return true;
	}
	return false;
}

bool user_fits(const struct user *user, const struct scim_dialect *dialect, struct errctx *why)
{
	for (size_t i = 0; i < user->count; i++)
		if (!value_fits(&user->values[i], dialect, why))
			return false;
	return is_single(user, dialect, why);
}

/* -- what is sent ---------------------------------------------------------------------------------------------- */

static bool add_schemas(cJSON *resource, const struct user *user)
{
	cJSON *schemas = cJSON_AddArrayToObject(resource, "schemas");
	bool ok = schemas != NULL && cJSON_AddItemToArray(schemas, cJSON_CreateString(USER_URN));

	for (size_t i = 0; ok && i < user->count; i++) {
		const char *urn = user->values[i].attribute->schema;
		bool known = urn[0] == '\0' || strcmp(urn, USER_URN) == 0;
		for (const cJSON *s = schemas->child; s != NULL; s = s->next)
			known = known || strcmp(s->valuestring, urn) == 0;
		ok = known || cJSON_AddItemToArray(schemas, cJSON_CreateString(urn));
	}
	return ok;
}

static bool fill(cJSON *resource, const struct user *user)
{
	if (resource == NULL || !add_schemas(resource, user))
		return false;
	for (size_t i = 0; i < user->count; i++)
		if (!attribute_set(resource, user->values[i].attribute, user->values[i].text))
			return false;
	return cJSON_GetObjectItemCaseSensitive(resource, "active") != NULL ||
	       cJSON_AddTrueToObject(resource, "active") != NULL;
}

void user_body(struct buf *body, const struct user *user)
{
	cJSON *resource = cJSON_CreateObject();

	if (fill(resource, user))
		json_add_value(body, resource);
	else
		buf_fail(body);
	cJSON_Delete(resource);
}

static void add_op(struct buf *body, const struct scim_dialect *dialect, const char *op, const char *path)
{
	scim_add_op(body, dialect, op);
	buf_adds(body, ",\"path\":");
	json_add_string(body, path);
	buf_adds(body, ",\"value\":");
}

/* One that is not there yet, or the only one that the application takes, is written as a whole list. */
static void add_element(struct buf *body, const struct user_value *value, const struct scim_dialect *dialect,
			bool replaces)
{
	const struct attribute *a = value->attribute;

	add_op(body, dialect, replaces ? "replace" : "add", a->name);
	buf_adds(body, "[{");
	json_add_string(body, a->sub);
	buf_adds(body, ":");
	json_add_string(body, value->text);
	buf_adds(body, ",\"type\":");
	json_add_string(body, a->type);
	buf_adds(body, replaces ? ",\"primary\":true}]}" : "}]}");
}

static void add_difference(struct buf *body, const struct user_value *value,
			   const struct scim_dialect *dialect, const char *has)
{
	const struct attribute *a = value->attribute;

	if (a->type[0] != '\0' && (has == NULL || dialect_lists(dialect->single_valued, a->name))) {
		add_element(body, value, dialect, dialect_lists(dialect->single_valued, a->name));
		return;
	}
	add_op(body, dialect, has == NULL ? "add" : "replace", a->path);
	if (attribute_is_boolean(a))
		buf_adds(body, value->text);
	else
		json_add_string(body, value->text);
	buf_adds(body, "}");
}

/* Compared exactly: a name whose case has changed is to be shown as it is now. */
static bool differs(const struct user_value *value, const char *has)
{
	return has == NULL || strcmp(has, value->text) != 0;
}

int user_differences(struct buf *body, const struct user *user, const struct scim_dialect *dialect,
		     const char *resource, size_t len)
{
	cJSON *has = NULL;
	int count = 0;

	if (json_parse(resource, len, &has, NULL) != ERR_OK)
		return -1;
	for (size_t i = 0; i < user->count; i++) {
		const struct user_value *value = &user->values[i];
		const char *text = attribute_text(has, value->attribute);
		if (!differs(value, text))
			continue;
		if (count++ == 0)
			scim_begin_patch(body, dialect);
		else
			buf_adds(body, ",");
		add_difference(body, value, dialect, text);
	}
	buf_adds(body, count > 0 ? "]}" : "");
	cJSON_Delete(has);
	return buf_failed(body) ? -1 : count;
}

void user_differing(struct buf *names, const struct user *user, const char *resource, size_t len)
{
	cJSON *has = NULL;

	if (json_parse(resource, len, &has, NULL) != ERR_OK)
		return;
	for (size_t i = 0; i < user->count; i++) {
		const struct user_value *value = &user->values[i];
		if (differs(value, attribute_text(has, value->attribute)))
			buf_addf(names, "%s%s", names->len > 0 ? ", " : "", value->attribute->path);
	}
	cJSON_Delete(has);
}

void user_active_body(struct buf *body, const struct scim_dialect *dialect, bool active)
{
	scim_begin_patch(body, dialect);
	add_op(body, dialect, "replace", "active");
	buf_adds(body, active ? "true}]}" : "false}]}");
}
