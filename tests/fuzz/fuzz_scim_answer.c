/*
 * Answers of an application: lists, resources, errors and Retry-After. The first line of an input is the value of
 * Retry-After, the rest is the body.
 */
#include <string.h>

#include "base/utf8.h"
#include "scim-push/outcome.h"
#include "scim-push/retry.h"
#include "scim-push/scim.h"
#include "scim-push/user.h"
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
	/* Who has another attribute as well was found. */
	if (scim_found_has(body, len, &ada, &admins))
		REQUIRE(scim_read_found(body, len, &ada, id) != HIT_NONE);
	if (scim_read_any(body, len) == MEMBERSHIP_ABSENT)
		REQUIRE(scim_read_found(body, len, &admins, id) == HIT_NONE);
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

static void on_id(void *ctx, const char *id)
{
	REQUIRE(id != NULL);
	(*(size_t *)ctx)++;
}

/* Members, pages and groups: what is listed is not absent, and the other way round. */
static void check_members(const char *body, size_t len)
{
	struct scim_shown shown[] = {{.user_id = "u-1"}, {.user_id = "u-2"}};
	struct scim_page page = {.cursor = ""};
	size_t listed = 0;

	enum scim_members way = scim_read_members(body, len, "g-1", shown, 2);
	bool whole = way != MEMBERS_UNREADABLE;
	REQUIRE(scim_read_member_list(body, len, "g-1", on_id, &listed) == way);
	for (size_t i = 0; i < 2; i++) {
		REQUIRE(whole || shown[i].membership == MEMBERSHIP_UNCLEAR);
		REQUIRE(!whole || shown[i].membership != MEMBERSHIP_UNCLEAR);
	}
	listed = 0;
	REQUIRE(scim_read_page(body, len, on_id, &listed, &page) || listed == 0);
	REQUIRE(listed == page.shown);
	REQUIRE(memchr(page.cursor, '\0', sizeof(page.cursor)) != NULL);
	if (scim_read_groups(body, len, "u-1", "g-1") == MEMBERSHIP_PRESENT) {
		struct scim_account account;
		REQUIRE(scim_read_account(body, len, "u-1", &account) && account.in_groups);
	}
}

/* A user whose differences were sent differs no more in what the mapping names; here: the body is JSON, or nothing. */
static void check_differences(const char *body, size_t len)
{
	static const struct scim_person person = {"ada@example.com", "Ada L", "Ada", "L", "ada@example.com"};
	const struct mapping_source source = {.names = &person};
	struct user user;
	struct errctx why;
	struct buf patch, names;

	REQUIRE(user_make(&user, &mapping_default, &source, &why) == ERR_OK);
	buf_init(&patch, 65536);
	int count = user_differences(&patch, &user, dialect_row(DIALECT_AWS), body, len);
	REQUIRE((count > 0) == (patch.len > 0));
	buf_init(&names, 65536);
	user_differing(&names, &user, body, len);
	REQUIRE((count > 0) == (names.len > 0));
	user_release(&user);
	buf_release(&patch);
	buf_release(&names);
}

/* Every operation has an outcome for every answer, and nothing but a throttled one waits. */
static void check_outcomes(const char *value, const char *body, size_t len)
{
	static const long statuses[] = {0, 200, 201, 204, 400, 403, 404, 409, 429, 500, 503};
	struct http_answer answer = {.body = body,
				     .len = len,
				     .retry_after = value,
				     .rate_limit_reset = value,
				     .cache_control = "",
				     .words = ""};

	for (int op = 0; op < OP_COUNT; op++) {
		for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
			answer.status = statuses[i];
			struct scim_result result =
				outcome_of((enum scim_op)op, &answer, INT64_C(784111777000));
			REQUIRE(result.outcome < OUTCOME_COUNT);
			REQUIRE(result.wait_ms >= 0 && result.wait_ms <= RETRY_AFTER_MAX_MS);
			REQUIRE(result.wait_ms == 0 || result.outcome == OUTCOME_THROTTLED);
		}
	}
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
	check_members(body, size - skip);
	check_differences(body, size - skip);
	check_outcomes(value, body, size - skip);
	free(value);
	free(body);
	return 0;
}
