/* What is accepted can be printed and read again with the same result; any text can be written as a string. */
#include <string.h>

#include "base/json.h"
#include "base/utf8.h"
#include "tests/fuzz/fuzz.h"

#define PRINTED_MAX ((size_t)64 << 20)

static void check_value(const char *text, size_t len)
{
	struct errctx ec = {.text = ""};
	struct buf first, second;
	cJSON *root = NULL, *again = NULL;
	enum err err = json_parse(text, len, &root, &ec);

	if (err) {
		/* ERR_NOMEM would mean that the scan accepts what cJSON does not. */
		REQUIRE(err == ERR_BAD_REQUEST && !root && ec.text[0] != '\0');
		return;
	}
	buf_init(&first, PRINTED_MAX);
	buf_init(&second, PRINTED_MAX);
	json_add_value(&first, root);
	REQUIRE(!buf_failed(&first));
	REQUIRE(json_parse(first.data, first.len, &again, &ec) == ERR_OK);
	REQUIRE(cJSON_Compare(root, again, true));
	json_add_value(&second, again);
	REQUIRE(strcmp(buf_text(&first), buf_text(&second)) == 0);
	buf_release(&first);
	buf_release(&second);
	cJSON_Delete(root);
	cJSON_Delete(again);
}

static int is_utf8(const char *text)
{
	size_t left = strlen(text), step;

	for (; left > 0; text += step, left -= step) {
		step = utf8_char(text, left);
		if (step == 0)
			return 0;
	}
	return 1;
}

static void check_string(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	cJSON *string = NULL;
	struct buf b;

	REQUIRE(text != NULL);
	memcpy(text, data, size);
	text[size] = '\0';
	buf_init(&b, PRINTED_MAX);
	json_add_string(&b, text);
	REQUIRE(!buf_failed(&b));
	REQUIRE(json_parse(b.data, b.len, &string, NULL) == ERR_OK);
	REQUIRE(cJSON_IsString(string));
	REQUIRE(is_utf8(string->valuestring));
	if (is_utf8(text))
		REQUIRE(strcmp(string->valuestring, text) == 0);
	cJSON_Delete(string);
	buf_release(&b);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check_value((const char *)data, size);
	check_string(data, size);
	return 0;
}
