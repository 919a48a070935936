#include "webhook/member.h"

#include <string.h>

static bool control_free(const char *text, bool lines)
{
	for (; *text != '\0'; text++) {
		if (lines && (*text == '\n' || *text == '\r' || *text == '\t'))
			continue;
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return false;
	}
	return true;
}

enum err member_read(const cJSON *object, const struct member_text *want, struct errctx *ec)
{
	const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, want->name);
	const char *text = "";
	size_t len;

	if (value != NULL && !cJSON_IsNull(value)) {
		if (!cJSON_IsString(value))
			return err_set(ec, ERR_BAD_REQUEST, "%s must be a string.", want->name);
		text = value->valuestring;
	}
	len = strlen(text);
	if (len == 0 && want->required)
		return err_set(ec, ERR_BAD_REQUEST, "%s is required.", want->name);
	if (len >= want->size)
		return err_set(ec, ERR_BAD_REQUEST, "%s may have %zu bytes at most.", want->name,
			       want->size - 1);
	if (!control_free(text, want->lines))
		return err_set(ec, ERR_BAD_REQUEST, "%s holds a control character.", want->name);
	memcpy(want->out, text, len + 1);
	return ERR_OK;
}
