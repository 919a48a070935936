/* Answers that are read: lists, resources and errors. */
#include "scim-push/scim.h"

#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "base/utf8.h"

/* The whole body as one JSON object, or NULL. */
static cJSON *parse_object(const char *body, size_t len)
{
	cJSON *value = NULL;

	if (json_parse(body, len, &value, NULL) != ERR_OK)
		return NULL;
	if (!cJSON_IsObject(value)) {
		cJSON_Delete(value);
		return NULL;
	}
	return value;
}

/* Copies the resource's id. False when it has none that could be used. */
static bool copy_id(const cJSON *resource, char id[SCIM_ID_SIZE])
{
	const char *text = json_string(resource, "id");

	if (text == NULL || text[0] == '\0' || strlen(text) >= SCIM_ID_SIZE)
		return false;
	memcpy(id, text, strlen(text) + 1);
	return true;
}

struct hits {
	const cJSON *first; /* NULL when there are none */
	bool whole;         /* false: the application has more hits than it shows */
};

/* Takes a ListResponse apart. An empty list may leave Resources out: RFC 7644, 3.4.2. */
static bool read_hits(const cJSON *list, struct hits *out)
{
	const cJSON *hits = cJSON_GetObjectItemCaseSensitive(list, "Resources");
	const cJSON *total = cJSON_GetObjectItemCaseSensitive(list, "totalResults");

	if ((hits == NULL && total == NULL) || (hits != NULL && !cJSON_IsArray(hits)) ||
	    (total != NULL && !cJSON_IsNumber(total)))
		return false;
	int shown = hits == NULL ? 0 : cJSON_GetArraySize(hits);
	out->first = hits == NULL ? NULL : hits->child;
	out->whole = total == NULL || total->valuedouble <= shown;
	return true;
}

struct lookup {
	const char *attribute;
	const char *wanted;
	int (*compare)(const char *, const char *);
};

static enum scim_hit search(const cJSON *list, const struct lookup *lookup, char id[SCIM_ID_SIZE])
{
	struct hits hits;
	size_t found = 0;
	char candidate[SCIM_ID_SIZE];

	if (!read_hits(list, &hits))
		return HIT_UNREADABLE;
	for (const cJSON *hit = hits.first; hit != NULL; hit = hit->next) {
		const char *name = json_string(hit, lookup->attribute);
		if (name == NULL || lookup->compare(name, lookup->wanted) != 0)
			continue;
		if (!copy_id(hit, candidate))
			return HIT_UNREADABLE;
		found++;
	}
	if (found > 1)
		return HIT_SEVERAL;
	if (!hits.whole)
		return HIT_UNREADABLE;
	if (found == 0)
		return HIT_NONE;
	memcpy(id, candidate, SCIM_ID_SIZE);
	return HIT_ONE;
}

static enum scim_hit read_list(const char *body, size_t len, const struct lookup *lookup,
			       char id[SCIM_ID_SIZE])
{
	cJSON *list = parse_object(body, len);
	enum scim_hit hit = list == NULL ? HIT_UNREADABLE : search(list, lookup, id);

	cJSON_Delete(list);
	return hit;
}

enum scim_hit scim_read_group(const char *body, size_t len, const char *display_name, char id[SCIM_ID_SIZE])
{
	struct lookup lookup = {"displayName", display_name, strcmp};

	return read_list(body, len, &lookup, id);
}

enum scim_hit scim_read_user(const char *body, size_t len, const char *user_name, char id[SCIM_ID_SIZE])
{
	struct lookup lookup = {"userName", user_name, strcasecmp};

	return read_list(body, len, &lookup, id);
}

bool scim_read_created(const char *body, size_t len, const char *user_name, char id[SCIM_ID_SIZE])
{
	cJSON *user = parse_object(body, len);
	const char *name = user == NULL ? NULL : json_string(user, "userName");
	bool ok = name != NULL && strcasecmp(name, user_name) == 0 && copy_id(user, id);

	cJSON_Delete(user);
	return ok;
}

static enum scim_membership membership(const cJSON *list, const char *group_id)
{
	struct hits hits;

	if (!read_hits(list, &hits) || !hits.whole)
		return MEMBERSHIP_UNCLEAR;
	/* Only this group can be the answer; any other one shows that the filter was not understood. */
	for (const cJSON *hit = hits.first; hit != NULL; hit = hit->next) {
		const char *id = json_string(hit, "id");
		if (id == NULL || strcmp(id, group_id) != 0)
			return MEMBERSHIP_UNCLEAR;
	}
	return hits.first == NULL ? MEMBERSHIP_ABSENT : MEMBERSHIP_PRESENT;
}

enum scim_membership scim_read_membership(const char *body, size_t len, const char *group_id)
{
	cJSON *list = parse_object(body, len);
	enum scim_membership answer = list == NULL ? MEMBERSHIP_UNCLEAR : membership(list, group_id);

	cJSON_Delete(list);
	return answer;
}

/* Is this character a control character: C0, DEL, C1 (U+0080 to U+009F) or a line or paragraph separator? */
static bool is_control(const unsigned char *c, size_t len)
{
	if (len == 1)
		return c[0] < 0x20 || c[0] == 0x7f;
	if (len == 2)
		return c[0] == 0xc2 && c[1] < 0xa0;
	return len == 3 && c[0] == 0xe2 && c[1] == 0x80 && (c[2] == 0xa8 || c[2] == 0xa9);
}

void scim_clean_text(const char *text, const char *secret, char *out, size_t size)
{
	static const char blot[] = "[token]";
	size_t secret_len = strlen(secret);
	size_t left = strlen(text);
	size_t used = 0;

	while (left > 0) {
		size_t len = utf8_char(text, left);
		size_t skip = len == 0 ? 1 : len;
		const char *add = text;
		if (secret_len > 0 && left >= secret_len && memcmp(text, secret, secret_len) == 0) {
			add = blot;
			len = sizeof(blot) - 1;
			skip = secret_len;
		} else if (len == 0 || is_control((const unsigned char *)text, len)) {
			add = " ";
			len = 1;
		}
		if (used + len >= size)
			break;
		memcpy(out + used, add, len);
		used += len;
		text += skip;
		left -= skip;
	}
	out[used] = '\0';
}

void scim_read_detail(const char *body, size_t len, const char *secret, char detail[SCIM_DETAIL_SIZE])
{
	cJSON *error = parse_object(body, len);
	const char *text = error == NULL ? NULL : json_string(error, "detail");

	scim_clean_text(text == NULL ? "" : text, secret, detail, SCIM_DETAIL_SIZE);
	cJSON_Delete(error);
}
