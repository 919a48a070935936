/*
 * Answers of an application: lists, resources, errors and Retry-After. The first line of an input is the value of
 * Retry-After, the rest is the body.
 */
#include <string.h>

#include "base/utf8.h"
#include "scim-push/retry.h"
#include "scim-push/scim.h"
#include "tests/fuzz/fuzz.h"

#define TOKEN "tok3n"

/* An id is written when there is one, and only then; it is never empty. */
static void check_id(char id[SCIM_ID_SIZE], int written)
{
	REQUIRE(memchr(id, '\0', SCIM_ID_SIZE) != NULL);
	REQUIRE(written == (id[0] != '\0'));
	id[0] = '\0';
}

static void check_lists(const char *body, size_t len)
{
	static const struct attribute display_name = {.path = "displayName", .name = "displayName"};
	static const struct attribute user_name = {.path = "userName", .name = "userName"};
	struct scim_find admins = {.endpoint = "Groups", .attribute = &display_name, .value = "Admins"};
	struct scim_find ada = {.endpoint = "Users", .attribute = &user_name, .value = "ada@example.com"};
	char id[SCIM_ID_SIZE] = "";
	enum scim_hit group = scim_read_found(body, len, &admins, id);

	/* A list in which there is nobody, and one that shows something, are not the same. */
	if (group == HIT_ONE || group == HIT_SEVERAL)
		REQUIRE(scim_read_membership(body, len, id) != MEMBERSHIP_ABSENT);
	check_id(id, group == HIT_ONE);
	check_id(id, scim_read_found(body, len, &ada, id) == HIT_ONE);
	check_id(id, scim_read_created(body, len, &ada, id));
}

static void check_detail(const char *body, size_t len)
{
	char detail[SCIM_DETAIL_SIZE];

	scim_read_detail(body, len, TOKEN, detail);
	REQUIRE(memchr(detail, '\0', sizeof(detail)) != NULL);
	REQUIRE(strstr(detail, TOKEN) == NULL);
	for (const char *c = detail; *c != '\0';) {
		size_t step = utf8_char(c, strlen(c));
		REQUIRE(step > 0);
		REQUIRE((unsigned char)*c >= 0x20 && *c != 0x7f);
		c += step;
	}
}

static void check_retry_after(const char *value)
{
	int64_t ms = retry_after_ms(value, INT64_C(784111777000));

	REQUIRE(ms >= -1 && ms <= RETRY_AFTER_MAX_MS);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *end = size == 0 ? NULL : memchr(data, '\n', size);
	size_t line = end == NULL ? size : (size_t)(end - data);
	size_t skip = end == NULL ? size : line + 1;
	char *value = malloc(line + 1);
	/* Not terminated, and of exactly this size, so that reading on is found out. */
	char *body = malloc(size - skip + (size == skip ? 1 : 0));

	REQUIRE(value != NULL && body != NULL);
	if (line > 0)
		memcpy(value, data, line);
	value[line] = '\0';
	if (size > skip)
		memcpy(body, data + skip, size - skip);
	check_retry_after(value);
	check_lists(body, size - skip);
	check_detail(body, size - skip);
	free(value);
	free(body);
	return 0;
}
