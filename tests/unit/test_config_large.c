/* Large and hostile configurations: look-ups among ten thousand, bounds on what is reported and on what is read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/digest.h"
#include "config/config.h"

#define MANY        10000
#define TOKENS_EACH 500 /* a token is compared with all: a few of them will do */

/* Parses the text without looking at files; *report is to be freed. NULL when it was refused. */
static struct config *parse(const char *text, size_t len, char **report)
{
	struct config_source source = {.name = "large.yaml", .text = text, .len = len, .skip_files = true};
	struct config *config = NULL;
	size_t report_len;
	FILE *memory = open_memstream(report, &report_len);

	assert_non_null(memory);
	enum err err = config_parse(&source, memory, &config);
	assert_int_equal(fclose(memory), 0);
	assert_int_equal(err, config ? ERR_OK : ERR_CONFIG);
	return config;
}

/* Numbers in an order that is not the sorted one; 7919 is prime to MANY. */
static int shuffled(int i)
{
	return i * 7919 % MANY;
}

static char *many_of_everything(size_t *len)
{
	char *text = NULL, token[32], hash[SHA256_HEX];
	FILE *out = open_memstream(&text, len);

	assert_non_null(out);
	fputs("environment: test\npeople:\n", out);
	for (int i = 0; i < MANY; i++) {
		snprintf(token, sizeof(token), "token-%d", shuffled(i));
		digest_sha256_hex(token, strlen(token), hash);
		fprintf(out, "  - {id: %08x-0000-4000-8000-000000000000, user_name: p%d, token_sha256: %s}\n",
			(unsigned)shuffled(i), shuffled(i), hash);
	}
	fputs("groups:\n", out);
	for (int i = 0; i < MANY; i++)
		fprintf(out,
			"  - {id: %08x-0000-4000-8000-000000000001, application: a%d, name: g, "
			"eligible: {principals: [p%d]}}\n",
			(unsigned)shuffled(i), shuffled(i), shuffled(i));
	fputs("applications:\n", out);
	for (int i = 0; i < MANY; i++)
		fprintf(out, "  - {id: a%d, scim: {url: \"https://scim.example.com/%d\", token: file:t}}\n",
			shuffled(i), shuffled(i));
	assert_int_equal(fclose(out), 0);
	return text;
}

static void check_one(const struct config *config, int i)
{
	char id[64], name[32];

	snprintf(name, sizeof(name), "A%d", i);
	const struct config_application *application = config_application(config, name);
	assert_non_null(application);
	assert_int_equal(strcasecmp(application->id, name), 0);
	snprintf(id, sizeof(id), "%08X-0000-4000-8000-000000000001", (unsigned)i);
	const struct config_group *group = config_group(config, id);
	assert_non_null(group);
	assert_ptr_equal(group->application, application);
	snprintf(id, sizeof(id), "%08x-0000-4000-8000-000000000000", (unsigned)i);
	const struct config_person *person = config_person_by_id(config, id);
	assert_non_null(person);
	assert_string_equal(person->names.user_name,
			    group->policy.eligible.list[0].people.principals.list[0]);
	if (i % TOKENS_EACH != 0)
		return;
	snprintf(name, sizeof(name), "token-%d", i);
	assert_ptr_equal(config_person_by_token(config, name), person);
}

static void test_lookups_among_many(void **state)
{
	char *report;
	size_t len;
	char *text = many_of_everything(&len);

	(void)state;
	assert_true(len < CONFIG_FILE_MAX);
	struct config *config = parse(text, len, &report);
	if (!config)
		fail_msg("%.2000s", report);
	assert_string_equal(report, "");
	for (int i = 0; i < MANY; i++)
		check_one(config, i);
	assert_null(config_application(config, "a"));
	assert_null(config_application(config, "a10000"));
	assert_null(config_group(config, ""));
	assert_null(config_group(config, "00000000-0000-4000-8000-000000000000"));
	assert_null(config_person_by_id(config, "00000000-0000-4000-8000-000000000001"));
	assert_null(config_person_by_token(config, "token-10000"));
	assert_null(config_person_by_token(config, ""));
	config_unref(config);
	free(report);
	free(text);
}

/* The hash of a token opens nothing, and neither does the empty one of a person who has none. */
static void test_tokens(void **state)
{
	static const char text[] = "environment: test\n"
				   "people:\n"
				   "- {id: 0d0f2a5c-7c0b-4f6e-9a51-3f1f5b8f7a10, user_name: a}\n"
				   "- {id: 1d0f2a5c-7c0b-4f6e-9a51-3f1f5b8f7a10, user_name: b, token_sha256: "
				   "571c3416abfc2349b319891033a7bdad98e10b14a503ea76f3e4ef16187a5a2e}\n";
	char *report;
	struct config *config = parse(text, strlen(text), &report);

	(void)state;
	assert_non_null(config);
	const struct config_person *person = config_person_by_token(config, "amira-token");
	assert_non_null(person);
	assert_string_equal(person->names.user_name, "b");
	assert_null(config_person_by_token(config, ""));
	assert_null(config_person_by_token(config, "amira-toke"));
	assert_null(config_person_by_token(config, person->token_sha256));
	config_unref(config);
	free(report);
}

static void test_lookups_in_an_empty_configuration(void **state)
{
	static const char text[] = "environment: test\n";
	char *report;
	struct config *config = parse(text, strlen(text), &report);

	(void)state;
	assert_non_null(config);
	assert_null(config_application(config, "a"));
	assert_null(config_group(config, "11111111-2222-3333-4444-555555555555"));
	assert_null(config_person_by_id(config, "11111111-2222-3333-4444-555555555555"));
	assert_null(config_person_by_token(config, "t"));
	config_unref(config);
	free(report);
}

/* `head`, then `piece` so many times, then `tail`; to be freed. */
static char *repeat(const char *head, const char *piece, size_t times, const char *tail)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	fputs(head, out);
	for (size_t i = 0; i < times; i++)
		fputs(piece, out);
	fputs(tail, out);
	assert_int_equal(fclose(out), 0);
	return text;
}

static size_t count_lines(const char *text)
{
	size_t lines = 0;

	for (const char *at = text; *at; at++)
		lines += *at == '\n';
	return lines;
}

/* Nonsense without end gives a report that has one. */
static void test_reports_are_bounded(void **state)
{
	char *text = repeat("", "x: 1\n", 50000, ""), *report;

	(void)state;
	assert_null(parse(text, strlen(text), &report));
	assert_int_equal(count_lines(report), 1001);
	/* Each is unknown, and all but the first are given twice. */
	assert_non_null(strstr(report, "\nlarge.yaml:1:1: 98999 more mistakes are not shown\n"));
	free(report);
	free(text);
}

static void test_counts_are_bounded(void **state)
{
	static const struct {
		const char *head, *piece;
		size_t times;
		const char *tail, *message;
	} rows[] = {
		{"applications: [", "{},", 20001, "]\n",
		 "large.yaml:1:15: applications has 20001 entries, but must have at most 20000\n"},
		{"people: [", "{},", 100001, "]\n",
		 "large.yaml:1:9: people has 100001 entries, but must have at most 100000\n"},
		{"poll: [", "a,", 1000001, "]\n", "large.yaml:1:2000002: there are too many values\n"},
		{"poll: ", "[", 100000, "\n", "large.yaml:1:22: this is nested too deeply\n"},
		{"poll: ", "{a: ", 100000, "\n", "large.yaml:1:67: this is nested too deeply\n"},
		{"poll: ", "- ", 100000, "\n",
		 "large.yaml:1:7: not valid YAML: block sequence entries are not allowed in this context\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *text = repeat(rows[i].head, rows[i].piece, rows[i].times, rows[i].tail), *report;

		assert_null(parse(text, strlen(text), &report));
		assert_string_equal(report, rows[i].message);
		free(report);
		free(text);
	}
}

/* What grows with the square of its input would take minutes of the processor here; half a minute is far above the
 * honest time, and does not depend on what else runs. */
static void test_duplicates_are_found_fast(void **state)
{
	char *text = NULL, *report;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	(void)state;
	assert_non_null(out);
	for (int i = 0; i < 100000; i++)
		fprintf(out, "k%d: 1\n", i);
	fputs("k77: 1\n", out);
	assert_int_equal(fclose(out), 0);
	clock_t start = clock();
	assert_null(parse(text, len, &report));
	assert_in_range((clock() - start) / CLOCKS_PER_SEC, 0, 30);
	assert_non_null(strstr(report, "99002 more mistakes"));
	free(report);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lookups_among_many),
		cmocka_unit_test(test_tokens),
		cmocka_unit_test(test_lookups_in_an_empty_configuration),
		cmocka_unit_test(test_reports_are_bounded),
		cmocka_unit_test(test_counts_are_bounded),
		cmocka_unit_test(test_duplicates_are_found_fast),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
