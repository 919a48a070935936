#include "api/bodies.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"

static enum err take_review(const cJSON *body, struct body_review *out, struct errctx *ec)
{
	const char *result = json_string(body, "reviewResult");
	const char *why = json_string(body, "justification");

	if (result == NULL || (strcasecmp(result, "Approve") != 0 && strcasecmp(result, "Deny") != 0))
		return err_set(ec, ERR_INVALID_REQUEST, "reviewResult must be 'Approve' or 'Deny'.");
	if (why != NULL && strlen(why) >= sizeof(out->justification))
		return err_set(ec, ERR_INVALID_REQUEST, "justification may have %d bytes at most.",
			       TEXT_SIZE - 1);
	out->approve = strcasecmp(result, "Approve") == 0;
	snprintf(out->justification, sizeof(out->justification), "%s", why != NULL ? why : "");
	return ERR_OK;
}

enum err body_read_review(const char *text, size_t len, struct body_review *out, struct errctx *ec)
{
	cJSON *body = NULL;
	enum err err = json_parse(text, len, &body, ec);

	if (err == ERR_OK)
		err = take_review(body, out, ec);
	cJSON_Delete(body);
	return err;
}

static void lower(char *text)
{
	for (; *text != '\0'; text++)
		*text = (char)tolower((unsigned char)*text);
}

static enum err take_membership(const cJSON *body, struct body_membership *out, struct errctx *ec)
{
	const char *person = json_string(body, "principalId"), *id = json_string(body, "groupId");

	if (person == NULL || person[0] == '\0' || strlen(person) >= sizeof(out->principal) || id == NULL ||
	    !id_valid(id))
		return err_set(ec, ERR_BAD_REQUEST,
			       "principalId and groupId are required; groupId is a UUID.");
	snprintf(out->principal, sizeof(out->principal), "%s", person);
	snprintf(out->group, sizeof(out->group), "%s", id);
	lower(out->group);
	if (id_valid(person))
		lower(out->principal);
	return ERR_OK;
}

enum err body_read_membership(const char *text, size_t len, struct body_membership *out, struct errctx *ec)
{
	cJSON *body = NULL;
	enum err err = json_parse(text, len, &body, ec);

	if (err == ERR_OK)
		err = take_membership(body, out, ec);
	cJSON_Delete(body);
	return err;
}

enum err body_read_pause(const char *text, size_t len, bool *removals, struct errctx *ec)
{
	const cJSON *value;
	cJSON *body = NULL;
	enum err err;

	*removals = false;
	if (len == 0)
		return ERR_OK;
	err = json_parse(text, len, &body, ec);
	if (err != ERR_OK)
		return err;
	value = cJSON_GetObjectItemCaseSensitive(body, "removals");
	*removals = cJSON_IsTrue(value);
	if (!cJSON_IsObject(body) || (value != NULL && !cJSON_IsBool(value)))
		err = err_set(ec, ERR_BAD_REQUEST, "The body is {\"removals\": true or false}, or left out.");
	cJSON_Delete(body);
	return err;
}

enum err body_read_guard(const char *text, size_t len, bool *remove, struct errctx *ec)
{
	cJSON *body = NULL;
	const char *word;
	enum err err = json_parse(text, len, &body, ec);

	if (err != ERR_OK)
		return err;
	word = json_string(body, "answer");
	*remove = word != NULL && strcmp(word, "remove") == 0;
	if (word == NULL || (!*remove && strcmp(word, "keep") != 0))
		err = err_set(ec, ERR_BAD_REQUEST,
			      "The body is {\"answer\": \"remove\"} or {\"answer\": \"keep\"}.");
	cJSON_Delete(body);
	return err;
}
