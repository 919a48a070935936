/* The sandbox's quirks: they are there, the same ones again, and what they say is what would be said without them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "scim-push/sandbox/quirk.h"
#include "tests/unit/sandbox_world.h"

#define REQUESTS 400
#define SEED     7

/* -- is it the same? ------------------------------------------------------------------------------------------------- */

static bool has(const cJSON *said, const cJSON *usual);

static bool has_all_members(const cJSON *said, const cJSON *usual)
{
	const cJSON *member;

	cJSON_ArrayForEach(member, usual) {
		const cJSON *found = cJSON_GetObjectItem(said, member->string);
		if (found == NULL || !has(found, member))
			return false;
	}
	return true;
}

static bool has_all_elements(const cJSON *said, const cJSON *usual)
{
	const cJSON *element, *candidate;

	cJSON_ArrayForEach(element, usual) {
		bool found = false;
		cJSON_ArrayForEach(candidate, said)
			found = found || has(candidate, element);
		if (!found)
			return false;
	}
	return true;
}

/* Names in any case, lists in any order; more members may be there, and a schema more, but no element more. */
static bool has(const cJSON *said, const cJSON *usual)
{
	if (cJSON_IsObject(usual))
		return cJSON_IsObject(said) && has_all_members(said, usual);
	if (!cJSON_IsArray(usual))
		return cJSON_Compare(said, usual, true) != 0;
	return cJSON_IsArray(said) && has_all_elements(said, usual) &&
	       (cJSON_GetArraySize(said) == cJSON_GetArraySize(usual) ||
		strcasecmp(said->string, "schemas") == 0);
}

/* As strictly as a client may read it. */
static cJSON *read_strictly(const struct answer *answer)
{
	struct errctx ec = {""};
	cJSON *json = NULL;

	if (json_parse(buf_text(&answer->body), answer->body.len, &json, &ec) != ERR_OK)
		fail_msg("%s: %s", ec.text, buf_text(&answer->body));
	return json;
}

static void copy(const struct answer *from, struct answer *to)
{
	answer_init(to);
	to->status = from->status;
	to->type = from->type;
	buf_add(&to->body, buf_text(&from->body), from->body.len);
}

/* -- tests ----------------------------------------------------------------------------------------------------------- */

struct seen {
	unsigned blanks, escapes, names, unknown, unassigned, schema, order;
};

/* What of the oddities is in this text. */
static void look(struct seen *seen, const char *text, const cJSON *json)
{
	char *read = cJSON_PrintUnformatted(json);

	assert_non_null(read);
	seen->blanks += strchr(text, '\n') != NULL;
	seen->escapes += strstr(text, "\\u00") != NULL;
	seen->names += strstr(read, "\"totalResults\":") == NULL;
	seen->unknown += strcasestr(read, "\"x-vendor_") != NULL;
	seen->unassigned += strcasestr(read, "\"nickName\":null") != NULL;
	seen->schema += strstr(read, "extension:odd") != NULL;
	seen->order += strncasecmp(read, "{\"totalResults\"", 15) != 0;
	cJSON_free(read);
}

static void the_same_is_said(void **state)
{
	struct world *w = *state;
	struct seen seen = {0};
	cJSON *usual;

	world_speak(w, "rfc7644");
	assert_int_equal(world_call(w, "GET", "/Groups", ""), 200);
	usual = read_strictly(&w->answer);
	for (uint64_t i = 0; i < REQUESTS; i++) {
		struct quirk quirk = quirk_begin(SEED, i);
		struct answer answer;
		cJSON *said;

		copy(&w->answer, &answer);
		quirk_answer(&quirk, "GET", &answer);
		said = read_strictly(&answer);
		look(&seen, buf_text(&answer.body), said);
		if (!has(said, usual))
			fail_msg("it does not say the same: %s", buf_text(&answer.body));
		cJSON_Delete(said);
		answer_release(&answer);
	}
	cJSON_Delete(usual);
	assert_true(seen.blanks > 0 && seen.escapes > 0 && seen.names > 0 && seen.unknown > 0);
	assert_true(seen.unassigned > 0 && seen.schema > 0 && seen.order > 0);
}

static void the_same_again(void **state)
{
	struct world *w = *state;
	struct quirk quirks[] = {quirk_begin(SEED, 3), quirk_begin(SEED, 3), quirk_begin(SEED, 4),
				 quirk_begin(SEED + 1, 3)};
	struct answer answers[4];

	assert_int_equal(world_call(w, "GET", "/Users", ""), 200);
	for (size_t i = 0; i < 4; i++) {
		copy(&w->answer, &answers[i]);
		quirk_answer(&quirks[i], "GET", &answers[i]);
	}
	assert_string_equal(buf_text(&answers[0].body), buf_text(&answers[1].body));
	assert_string_not_equal(buf_text(&answers[0].body), buf_text(&answers[2].body));
	assert_string_not_equal(buf_text(&answers[0].body), buf_text(&answers[3].body));
	for (size_t i = 0; i < 4; i++)
		answer_release(&answers[i]);
}

/* RFC 7644, 3.5.2, for a PATCH alone. */
static void with_or_without_a_body(void **state)
{
	struct world *w = *state;
	size_t empty = 0;

	world_speak(w, "rfc7644");
	assert_int_equal(world_call(w, "GET", "/Groups/$0", ""), 200);
	for (uint64_t i = 0; i < REQUESTS; i++) {
		struct quirk quirk = quirk_begin(SEED, i);
		struct answer answer;

		copy(&w->answer, &answer);
		quirk_answer(&quirk, i % 2 == 0 ? "PATCH" : "GET", &answer);
		assert_int_equal(answer.status == 204, answer.body.len == 0);
		assert_true(answer.status == 200 || i % 2 == 0);
		assert_int_equal(strncasecmp(answer.type, "application/scim+json", 21), 0);
		empty += answer.status == 204;
		answer_release(&answer);
	}
	assert_in_range(empty, 1, REQUESTS / 2 - 1);
}

static void pages_may_be_shorter(void **state)
{
	struct world *w = *state;
	struct dialect usual, other;
	size_t shorter = 0;

	world_speak(w, "rfc7644");
	usual = w->scim.dialect;
	for (uint64_t i = 0; i < REQUESTS; i++) {
		struct quirk quirk = quirk_begin(SEED, i);

		other = usual;
		quirk_dialect(&quirk, &other);
		assert_in_range(other.value[B_PAGE], 10, usual.value[B_PAGE]);
		shorter += other.value[B_PAGE] < usual.value[B_PAGE];
		/* What is not on such a page would not be there at all. */
		other = usual;
		other.value[B_TOTAL] = TOTAL_PAGE;
		quirk_dialect(&quirk, &other);
		assert_int_equal(other.value[B_PAGE], usual.value[B_PAGE]);
	}
	assert_in_range(shorter, 1, REQUESTS - 1);
}

static void the_rest(void **state)
{
	size_t late = 0, spelled = 0, whole = 0;

	(void)state;
	for (uint64_t i = 0; i < REQUESTS; i++) {
		struct quirk quirk = quirk_begin(SEED, i);
		char name[] = "Retry-After";

		quirk_header(&quirk, name);
		assert_int_equal(strcasecmp(name, "Retry-After"), 0);
		spelled += strcmp(name, "Retry-After") != 0;
		late += quirk_delay_ms(&quirk) > 0;
		assert_in_range(quirk_piece(&quirk, 100), 1, 100);
		whole += quirk_piece(&quirk, 100) == 100;
		assert_int_equal(quirk_piece(&quirk, 1), 1);
	}
	assert_in_range(spelled, 1, REQUESTS - 1);
	assert_in_range(late, 1, REQUESTS / 4);
	assert_true(whole < REQUESTS / 10);
}

static void none_is_none(void **state)
{
	struct world *w = *state;
	struct quirk quirk = quirk_begin(0, 3);
	struct dialect usual = w->scim.dialect, other = usual;
	struct answer answer;
	char name[] = "ETag";

	assert_int_equal(usual.value[B_QUIRKS], 0);
	assert_int_equal(world_call(w, "GET", "/Users", ""), 200);
	copy(&w->answer, &answer);
	quirk_answer(&quirk, "PATCH", &answer);
	assert_int_equal(answer.status, 200);
	assert_string_equal(buf_text(&answer.body), buf_text(&w->answer.body));
	assert_string_equal(answer.type, "application/json");
	answer_release(&answer);
	quirk_dialect(&quirk, &other);
	assert_memory_equal(&other, &usual, sizeof(usual));
	quirk_header(&quirk, name);
	assert_string_equal(name, "ETag");
	assert_int_equal(quirk_delay_ms(&quirk), 0);
	assert_int_equal(quirk_piece(&quirk, 100), 100);
}

#define WORLD(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD(the_same_is_said),     WORLD(the_same_again), WORLD(with_or_without_a_body),
		WORLD(pages_may_be_shorter), WORLD(the_rest),       WORLD(none_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
