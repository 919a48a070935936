/* The commented example: it names every setting, can be loaded, and is the file that deploy/ holds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/config.h"
#include "config/settings.h"

static char *print_example(size_t *len)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, len);

	assert_non_null(out);
	config_print_example(out);
	assert_int_equal(fclose(out), 0);
	return text;
}

/* Loads the text without its files, and without a remark but that the audit has no key yet. */
static struct config *parse(const char *text)
{
	struct config_source source = {
		.name = "example.yaml", .text = text, .len = strlen(text), .skip_files = true};
	struct config *config = NULL;
	char *report = NULL;
	size_t len;
	FILE *memory = open_memstream(&report, &len);

	assert_non_null(memory);
	enum err err = config_parse(&source, memory, &config);
	assert_int_equal(fclose(memory), 0);
	if (err || (report[0] && !strstr(report, "audit.key is missing")))
		fail_msg("%s", report);
	free(report);
	return config;
}

static void test_example_loads(void **state)
{
	size_t len;
	char *text = print_example(&len);
	struct config *config = parse(text);

	(void)state;
	assert_int_equal(config->application_count, 1);
	assert_int_equal(config->group_count, 1);
	assert_int_equal(config->people_count, 1);
	assert_int_equal(config->environment, ENV_PRODUCTION);
	assert_int_equal(config->issuer_count, 1);
	assert_string_equal(config->issuers[0].id_claim, "sub");
	assert_string_equal(config->issuers[0].authentication_claim, "");
	assert_int_equal(config->operators.principals.count, 1);
	assert_int_equal(config->operators.claims.count, 1);
	assert_int_equal(config->applications[0].throttle.pushes, 5);
	config_unref(config);
	free(text);
}

/* With the one file beside it that it names, the example passes every check. */
static void test_example_loads_from_a_folder(void **state)
{
	char folder[] = "/tmp/test_config_example.XXXXXX", path[64], token[64];
	struct config *config = NULL;
	FILE *file, *nowhere = fopen("/dev/null", "we");

	(void)state;
	assert_non_null(nowhere);
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/jit-broker.yaml", folder);
	snprintf(token, sizeof(token), "%s/aws.token", folder);
	file = fopen(path, "we");
	assert_non_null(file);
	config_print_example(file);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(config_load(path, nowhere, &config), ERR_CONFIG);
	file = fopen(token, "we");
	assert_non_null(file);
	assert_true(fputs("secret\n", file) >= 0);
	assert_int_equal(fclose(file), 0);
	enum err err = config_load(path, nowhere, &config);
	unlink(path);
	unlink(token);
	rmdir(folder);
	fclose(nowhere);
	assert_int_equal(err, ERR_OK);
	assert_string_equal(config->applications[0].scim.token, "secret");
	config_unref(config);
}

/* Does the text begin with the key of a setting, as a line of YAML would? */
static bool is_key(const char *text)
{
	size_t len = strcspn(text, ":\n");

	if (text[len] != ':' || (text[len + 1] != ' ' && text[len + 1] != '\n'))
		return false;
	for (size_t i = 0; i < SETTING_COUNT; i++)
		if (strlen(setting_key(&settings[i])) == len &&
		    strncmp(setting_key(&settings[i]), text, len) == 0)
			return true;
	return false;
}

/* What somebody takes out of its comment: "# " goes, the rest of the line stays. Sentences stay comments. */
static bool is_commented_out(const char *line)
{
	const char *text = line + strspn(line, " ");

	return strncmp(text, "#   ", 4) == 0 || (strncmp(text, "# ", 2) == 0 && is_key(text + 2));
}

/* Copies the text with everything in force that is commented out; the number of lines that changed. */
static int uncomment(const char *text, FILE *out)
{
	int changed = 0;

	for (const char *line = text; *line; line += strcspn(line, "\n") + 1) {
		int len = (int)strcspn(line, "\n");
		const char *mark = is_commented_out(line) ? strstr(line, "# ") : NULL;

		if (mark) {
			int indent = (int)(mark - line);

			fprintf(out, "%.*s%.*s\n", indent, line, len - indent - 2, mark + 2);
			changed++;
		} else {
			fprintf(out, "%.*s\n", len, line);
		}
	}
	return changed;
}

static void replace(char *text, const char *what, const char *with)
{
	char *at = strstr(text, what);

	assert_non_null(at);
	assert_int_equal(strlen(what), strlen(with));
	memcpy(at, with, strlen(with));
}

/* Is it within a section or a list that is commented out as a whole? */
static bool is_within_another(const struct setting *setting)
{
	for (size_t i = 0; i < SETTING_COUNT; i++) {
		size_t len = strlen(settings[i].path);

		if (settings[i].off_in_example && strncmp(setting->path, settings[i].path, len) == 0 &&
		    (setting->path[len] == '.' || setting->path[len] == '['))
			return true;
	}
	return false;
}

static int lines_off(void)
{
	int lines = 0;

	for (size_t i = 0; i < SETTING_COUNT; i++) {
		if (!settings[i].off_in_example)
			continue;
		lines++;
		if (is_within_another(&settings[i]))
			lines += settings[i].type == TYPE_SECTION ? 1 : 2;
	}
	return lines;
}

static void test_what_is_commented_out_loads_too(void **state)
{
	char *text, *opened = NULL;
	size_t len;
	FILE *out = open_memstream(&opened, &len);
	struct config *config = NULL;

	(void)state;
	assert_non_null(out);
	text = print_example(&len);
	/* Of each setting that is off one line, and of each within another one two comments besides. */
	assert_int_equal(uncomment(text, out), lines_off());
	assert_int_equal(fclose(out), 0);
	replace(opened, "environment: production", "environment: test      ");
	/* Static tokens of people are for this machine alone. */
	replace(opened, "proxies: [10.0.0.0/8, unix]", "proxies: [127.0.0.0/8,unix]");
	/* One of three. */
	replace(opened, "\n  url: unix:", "\n# url: unix:");
	replace(opened, "\n  cluster: [", "\n# cluster: [");
	struct config_source source = {
		.name = "x", .text = opened, .len = strlen(opened), .skip_files = true};
	assert_int_equal(config_parse(&source, stderr, &config), ERR_OK);
	assert_string_equal(config->redis_master, "jit");
	assert_int_equal(config->redis_sentinels.count, 2);
	assert_string_equal(config->redis_user, "jit-broker");
	assert_string_equal(config->redis_ca, "/etc/jit/redis-ca.pem");
	assert_string_equal(config->tls_key, "/etc/jit/tls.key");
	assert_string_equal(config->tls_certificate, "/etc/jit/tls.crt");
	assert_string_equal(config->applications[0].scim.ca_file, "/etc/jit/aws-ca.pem");
	assert_string_equal(config->issuers[0].ca_file, "/etc/jit/login-ca.pem");
	assert_string_equal(config->issuers[0].authentication_claim, "amr");
	assert_int_equal(config->source_count, 1);
	assert_ptr_equal(config_approval_source(config, "chat"), config->sources);
	assert_int_equal(config->sources[0].groups.count, 1);
	assert_int_equal(config->groups[0].policy.approval.count, 1);
	assert_int_equal(config->groups[0].policy.hours.count, 1);
	assert_int_equal(config->groups[0].policy.break_glass.count, 1);
	assert_string_equal(config->groups[0].policy.ticket_pattern->text, "^INC[0-9]+$");
	config_unref(config);
	free(opened);
	free(text);
}

static void test_example_names_every_setting(void **state)
{
	size_t len;
	char *text = print_example(&len), key[64];
	const char *at = text;

	(void)state;
	for (size_t i = 0; i < SETTING_COUNT; i++) {
		snprintf(key, sizeof(key), "%s:", setting_key(&settings[i]));
		at = strstr(at, settings[i].help); /* in the table's order */
		if (!at)
			fail_msg("%s is not explained", settings[i].path);
		at = strstr(at, key);
		if (!at)
			fail_msg("%s is not shown", settings[i].path);
	}
	free(text);
}

static void test_deployed_example_is_the_printed_one(void **state)
{
	size_t len, i = 0;
	char *text = print_example(&len);
	FILE *file = fopen("deploy/jit-broker.yaml", "re");

	(void)state;
	if (!file)
		fail_msg("deploy/jit-broker.yaml cannot be read; tests run in the top folder");
	for (int c = fgetc(file); c != EOF; c = fgetc(file), i++)
		if (i >= len || text[i] != (char)c)
			fail_msg("deploy/jit-broker.yaml is not what config_print_example() prints, from "
				 "byte %zu",
				 i);
	fclose(file);
	assert_int_equal(i, len);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_example_loads),
		cmocka_unit_test(test_example_loads_from_a_folder),
		cmocka_unit_test(test_what_is_commented_out_loads_too),
		cmocka_unit_test(test_example_names_every_setting),
		cmocka_unit_test(test_deployed_example_is_the_printed_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
