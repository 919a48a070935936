/* More receivers than one notice goes to are refused while the configuration is read; as many as it goes to are not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"

struct row {
	size_t approvers, escalation, notify; /* of a stage */
	size_t stages;
	bool same; /* all stages ask the same people */
	size_t group_notify, operators;
	bool break_glass, hook;
	const char *refused; /* how many; NULL = not */
};

/* NAME0@example.com, NAME1@… */
static void add_names(FILE *out, const char *name, size_t count)
{
	fputs("[", out);
	for (size_t i = 0; i < count; i++)
		fprintf(out, "%s%s%zu@example.com", i > 0 ? ", " : "", name, i);
	fputs("]", out);
}

static void add_stages(FILE *out, const struct row *row)
{
	fputs("approval: {stages: [", out);
	for (size_t i = 0; i < row->stages; i++) {
		char name[32];

		snprintf(name, sizeof(name), "s%zu-", row->same ? 0 : i);
		fputs(i > 0 ? ", {approvers: " : "{approvers: ", out);
		add_names(out, name, row->approvers);
		if (row->escalation > 0) {
			fputs(", escalation: {after: 1h, approvers: ", out);
			add_names(out, "e", row->escalation);
			fputs("}", out);
		}
		fputs(", notify: ", out);
		add_names(out, "n", row->notify);
		fputs("}", out);
	}
	fputs("]}, ", out);
}

static char *write_config(const struct row *row, bool mail, size_t *len)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, len);

	assert_non_null(out);
	fprintf(out, "environment: test\nnotices: {%s%s}\noperators: {principals: ",
		mail ? "mail: {server: \"smtp://mail.example.com\", from: jit@example.com}, " : "",
		row->hook ? "webhooks: [{name: h, url: \"https://h.example.com\", secret: \"file:x\"}]" : "");
	add_names(out, "o", row->operators);
	fputs("}\nsign_in: [{issuer: \"https://login.example.com\", audience: jit}]\n"
	      "applications: [{id: aws, scim: {url: \"https://scim.example.com\", token: \"file:x\"}}]\n"
	      "groups:\n  - {id: 11111111-2222-3333-4444-000000000001, application: aws, name: g, eligible: "
	      "{principals: [a@example.com]}, activation: {",
	      out);
	if (row->stages > 0)
		add_stages(out, row);
	if (row->break_glass)
		fputs("break_glass: {principals: [a@example.com]}, justification: required, ", out);
	fputs("notify: ", out);
	add_names(out, "g", row->group_notify);
	fputs("}}\n", out);
	assert_int_equal(fclose(out), 0);
	return text;
}

/* Is it refused, and for this alone? The report stays in `report`, to be freed. */
static bool is_refused(const struct row *row, bool mail, char **report)
{
	size_t len, report_len;
	char *text = write_config(row, mail, &len);
	struct config_source source = {
		.name = "receivers.yaml", .text = text, .len = len, .skip_files = true};
	struct config *config = NULL;
	FILE *out = open_memstream(report, &report_len);
	enum err err;

	assert_non_null(out);
	err = config_parse(&source, out, &config);
	assert_int_equal(fclose(out), 0);
	config_unref(config);
	free(text);
	if (err != ERR_OK && strstr(*report, "receivers could have to be told") == NULL)
		fail_msg("%s", *report);
	return err != ERR_OK;
}

static void test_receivers(void **state)
{
	static const struct row rows[] = {
		{.approvers = 150, .stages = 1},
		{.approvers = 151, .stages = 1, .refused = "151"},
		{.approvers = 150, .stages = 1, .hook = true, .refused = "151"},
		{.approvers = 100, .escalation = 50, .stages = 1},
		{.approvers = 100, .escalation = 50, .notify = 1, .stages = 1, .refused = "151"},
		/* One stage is asked after the other; but everybody is told of a broken glass. */
		{.approvers = 50, .stages = 8},
		{.approvers = 50, .stages = 8, .break_glass = true, .refused = "400"},
		{.approvers = 50, .stages = 8, .same = true, .break_glass = true},
		{.approvers = 100, .operators = 51, .stages = 1},
		{.approvers = 100, .operators = 51, .stages = 1, .break_glass = true, .refused = "151"},
		/* Who has asked is told besides. */
		{.group_notify = 149},
		{.group_notify = 150, .refused = "151"},
		{.group_notify = 150, .break_glass = true, .refused = "151"},
		{.group_notify = 100, .operators = 50},
		{.group_notify = 100, .operators = 51, .refused = "151"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *report = NULL, count[32];
		bool refused = is_refused(&rows[i], true, &report);

		snprintf(count, sizeof(count), ": %s receivers", rows[i].refused ? rows[i].refused : "-");
		if (refused != (rows[i].refused != NULL) || (refused && strstr(report, count) == NULL))
			fail_msg("row %zu: %s", i, report);
		free(report);
		assert_false(is_refused(&rows[i], false, &report)); /* nobody is told by mail */
		free(report);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_receivers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
