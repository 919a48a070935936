/* The same, said otherwise. */
#include "scim-push/sandbox/quirk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#define BODY_MOST    (256U << 10) /* beyond that a body is not taken apart */
#define SHUFFLE_MOST 64           /* of that many at most the order is drawn */
#define DEPTH        16
#define SCHEMA       "urn:example:params:scim:schemas:extension:odd:2.0:Thing"

struct quirk quirk_begin(int64_t seed, uint64_t request)
{
	return (struct quirk){.on = seed != 0,
			      .state = (uint64_t)seed * UINT64_C(0x9e3779b97f4a7c15) ^
				       request * UINT64_C(0xd1342543de82ef95)};
}

/* splitmix64 */
unsigned quirk_draw(struct quirk *quirk, unsigned below)
{
	uint64_t x;

	if (!quirk->on)
		return 0;
	quirk->state += UINT64_C(0x9e3779b97f4a7c15);
	x = quirk->state;
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return (unsigned)((x ^ x >> 31) % below);
}

/* In one of so many cases. */
static bool now_and_then(struct quirk *quirk, unsigned of)
{
	return quirk->on && quirk_draw(quirk, of) == 0;
}

long quirk_delay_ms(struct quirk *quirk)
{
	return now_and_then(quirk, 8) ? (long)quirk_draw(quirk, 25) : 0;
}

/* RFC 7644, 3.4.2.4: there may be fewer in a page than were asked for. Where totalResults counts the page's own, and no
 * cursor leads on, they would be all. */
static void shorten_pages(struct quirk *quirk, struct dialect *dialect)
{
	static const int64_t parts[] = {1, 2, 3, 10};
	int64_t page = dialect->value[B_PAGE] / parts[quirk_draw(quirk, 4)];

	if (dialect->value[B_PAGING] == PAGING_CURSOR || dialect->value[B_TOTAL] != TOTAL_PAGE)
		dialect->value[B_PAGE] = page > 2 ? page : dialect->value[B_PAGE];
}

void quirk_dialect(struct quirk *quirk, struct dialect *dialect)
{
	int64_t *value = dialect->value;

	if (!quirk->on)
		return;
	shorten_pages(quirk, dialect);
	/* quirk_answer() makes a 204 of some. */
	if (value[B_PATCH_ANSWER] == PATCH_204)
		value[B_PATCH_ANSWER] = PATCH_200;
	if (value[B_LOCATION] == LOCATION_NONE || value[B_LOCATION] == LOCATION_ABSOLUTE)
		value[B_LOCATION] = now_and_then(quirk, 2) ? LOCATION_NONE : LOCATION_ABSOLUTE;
	value[B_MEDIA_TYPE] = quirk_draw(quirk, 2);
}

/* -- the tree: names, order, what more there is --------------------------------------------------------------------- */

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Some letters, or all, get the other case. */
static void change_case(struct quirk *quirk, char *text)
{
	unsigned which = 1 + quirk_draw(quirk, 3);

	for (; *text != '\0'; text++)
		if (is_letter(*text) && quirk_draw(quirk, which) == 0)
			*text = (char)(*text ^ 0x20);
}

/* Names of attributes are compared in any case: RFC 7643, 2.1. Those of schemas stay. */
static void change_names(struct quirk *quirk, cJSON *object)
{
	for (cJSON *item = object->child; item != NULL; item = item->next)
		if (strchr(item->string, ':') == NULL && now_and_then(quirk, 3))
			change_case(quirk, item->string);
}

/* Members of an object have no order, nor have multi-valued attributes: RFC 8259, 4; RFC 7643, 2.4. */
static void shuffle(struct quirk *quirk, cJSON *list)
{
	int count = cJSON_GetArraySize(list);

	for (int left = count > SHUFFLE_MOST ? 0 : count; left > 0; left--) {
		cJSON *item = cJSON_GetArrayItem(list, (int)quirk_draw(quirk, (unsigned)left));

		(void)cJSON_AddItemToArray(list, cJSON_DetachItemViaPointer(list, item));
	}
}

/* What the client has never heard of. */
static void add_unknown(struct quirk *quirk, cJSON *object)
{
	static const char *const values[] = {
		"null",
		"[]",
		"-12.5e-3",
		"{\"value\":\"unknown\",\"members\":[{\"value\":\"nobody\"}]}",
		"\"\\\"quoted\\\" \\\\ \\u00e4\\ud83d\\ude00\\t\"",
		"[{\"id\":\"not-it\",\"displayName\":null},true,[0]]",
	};
	char name[32];
	cJSON *value = cJSON_Parse(values[quirk_draw(quirk, sizeof(values) / sizeof(values[0]))]);

	(void)snprintf(name, sizeof(name), "x-vendor_%u", quirk_draw(quirk, 1000));
	if (value != NULL && !cJSON_AddItemToObject(object, name, value))
		cJSON_Delete(value);
}

/* A resource of one more schema, with an attribute that is unassigned: RFC 7643, 2.5 and 3.3. */
static void add_schema(struct quirk *quirk, cJSON *resource)
{
	cJSON *schemas = cJSON_GetObjectItemCaseSensitive(resource, "schemas");
	cJSON *extension = NULL;

	if (!cJSON_IsArray(schemas) || !cJSON_HasObjectItem(resource, "id"))
		return;
	if (now_and_then(quirk, 2) && !cJSON_HasObjectItem(resource, "nickName"))
		(void)cJSON_AddNullToObject(resource, "nickName");
	if (now_and_then(quirk, 2))
		return;
	(void)cJSON_AddItemToArray(schemas, cJSON_CreateString(SCHEMA));
	extension = cJSON_AddObjectToObject(resource, SCHEMA);
	if (extension != NULL)
		add_unknown(quirk, extension);
}

static void disturb(struct quirk *quirk, cJSON *value)
{
	if (cJSON_IsObject(value)) {
		add_schema(quirk, value);
		if (now_and_then(quirk, 4))
			add_unknown(quirk, value);
		change_names(quirk, value);
	}
	shuffle(quirk, value);
}

/* Every object and list, the outer ones first. */
static void disturb_all(struct quirk *quirk, cJSON *root)
{
	cJSON *outer[DEPTH] = {root};
	cJSON *next;
	size_t depth = 0;

	disturb(quirk, root);
	next = root->child;
	while (next != NULL || depth > 0) {
		if (next == NULL) {
			next = outer[depth--]->next;
			continue;
		}
		disturb(quirk, next);
		if (next->child != NULL && depth + 1 < DEPTH) {
			outer[++depth] = next;
			next = next->child;
		} else {
			next = next->next;
		}
	}
}

/* -- the text: white space and escapes ------------------------------------------------------------------------------- */

/* One character of a string, or an escape sequence of two; how many bytes of the text it was. */
static size_t add_character(struct quirk *quirk, const char *text, struct buf *out)
{
	size_t len = text[0] == '\\' ? 2 : 1;

	if (text[0] == '/' && now_and_then(quirk, 2))
		buf_adds(out, "\\/");
	else if (is_letter(text[0]) && now_and_then(quirk, 24))
		buf_addf(out, now_and_then(quirk, 2) ? "\\u%04x" : "\\u%04X", (unsigned)text[0]);
	else
		buf_add(out, text, len);
	return len;
}

/* RFC 8259, 2 and 7. The four digits of an escape that is there already are none of its letters. */
static void spread(struct quirk *quirk, const char *text, struct buf *out)
{
	static const char *const blanks[] = {" ", "\n", "\r\n\t", "   "};
	bool in_string = false;

	while (*text != '\0') {
		if (in_string && strncmp(text, "\\u", 2) == 0) {
			buf_add(out, text, 6);
			text += 6;
		} else if (in_string && *text != '"') {
			text += add_character(quirk, text, out);
		} else {
			in_string = *text == '"' ? !in_string : in_string;
			buf_add(out, text++, 1);
			if (!in_string && now_and_then(quirk, 4))
				buf_adds(out, strchr("{}[],:\"", text[-1]) != NULL
						      ? blanks[quirk_draw(quirk, 4)]
						      : "");
		}
	}
}

static void rewrite(struct quirk *quirk, struct buf *body)
{
	cJSON *root = body->len <= BODY_MOST ? cJSON_ParseWithLength(buf_text(body), body->len) : NULL;
	char *text = NULL;

	if (root != NULL && cJSON_IsObject(root)) {
		disturb_all(quirk, root);
		text = cJSON_PrintUnformatted(root);
	}
	if (text != NULL) {
		buf_clear(body);
		spread(quirk, text, body);
	}
	cJSON_free(text);
	cJSON_Delete(root);
}

/* -- the answer ------------------------------------------------------------------------------------------------------ */

/* RFC 9110, 8.3.1: type and parameters' names in any case, blanks around the semicolon, values quoted or not. */
static const char *spelling(struct quirk *quirk, const char *type)
{
	static const char *const scim[] = {"application/scim+json; charset=utf-8",
					   "application/scim+json;charset=\"UTF-8\"",
					   "Application/SCIM+JSON ; Charset=utf-8"};
	static const char *const json[] = {"application/json; charset=utf-8",
					   "application/json;charset=\"UTF-8\"",
					   "Application/JSON ; Charset=utf-8"};
	unsigned which = quirk_draw(quirk, 4);

	if (which == 3 || !quirk->on)
		return type;
	return strcmp(type, "application/scim+json") == 0 ? scim[which]
	       : strcmp(type, "application/json") == 0    ? json[which]
							  : type;
}

void quirk_answer(struct quirk *quirk, const char *method, struct answer *answer)
{
	if (!quirk->on)
		return;
	/* RFC 7644, 3.5.2: 200 and the resource, or 204. */
	if (strcmp(method, "PATCH") == 0 && answer->status == 200 && now_and_then(quirk, 2)) {
		answer->status = 204;
		buf_clear(&answer->body);
	}
	rewrite(quirk, &answer->body);
	answer->type = spelling(quirk, answer->type);
}

void quirk_header(struct quirk *quirk, char *name)
{
	if (now_and_then(quirk, 2))
		change_case(quirk, name);
}

size_t quirk_piece(struct quirk *quirk, size_t left)
{
	size_t piece = 1 + quirk_draw(quirk, (unsigned)(2 + left / 8));

	return quirk->on && piece < left ? piece : left;
}
