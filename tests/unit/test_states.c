/* The table of states: complete, consistent, and what is printed from it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "activation/library.h"
#include "activation/states.h"
#include "tests/support/rules.h"

#define GOLDEN "tests/golden/states.txt"

static bool closes(enum state state)
{
	size_t count;
	const struct rule *rule = states_rules(&count);

	for (size_t i = 0; i < count; i++)
		if (rule[i].to == state)
			return (rule[i].effects & FX_CLOSE) != 0;
	return false;
}

/* One line for every state and event: "waiting push: provisioning by broker", or "-" when it does not happen. */
static void print_matrix(FILE *out)
{
	static const struct {
		enum effect effect;
		const char *name;
	} effects[] = {{FX_AT_START, "at_start"},       {FX_AT_END, "at_end"},
		       {FX_CONFIRMED, "confirmed"},     {FX_ASK, "ask"},
		       {FX_DECIDED, "decided"},         {FX_CLOSE, "close"},
		       {FX_TELL_ASKED, "tell:asked"},   {FX_TELL_DECIDED, "tell:decided"},
		       {FX_TELL_ACTIVE, "tell:active"}, {FX_TELL_DEFERRED, "tell:deferred"},
		       {FX_TELL_ENDED, "tell:ended"},   {FX_TELL_FAILED, "tell:failed"}};

	for (enum state state = 0; state < ST_COUNT; state++) {
		for (enum event event = 0; event < EV_COUNT; event++) {
			const struct rule *rule = rules_find(state, event);

			fprintf(out, "%s %s: %s", state_name(state), event_name(event),
				rule != NULL ? state_name(rule->to) : "-");
			if (rule != NULL)
				fprintf(out, " by %s", cause_name(rule->by));
			for (size_t i = 0; rule != NULL && i < sizeof(effects) / sizeof(effects[0]); i++)
				if (rule->effects & effects[i].effect)
					fprintf(out, " %s", effects[i].name);
			fprintf(out, "\n");
		}
	}
}

/* All of the stream; the caller frees it. */
static char *read_all(FILE *in)
{
	size_t len = 0, size = 1 << 16;
	char *text = malloc(size);

	assert_non_null(in);
	assert_non_null(text);
	len = fread(text, 1, size - 1, in);
	assert_true(len < size - 1);
	text[len] = '\0';
	fclose(in);
	return text;
}

static void test_matrix(void **state)
{
	char *matrix = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&matrix, &size);
	char *golden = read_all(fopen(GOLDEN, "r"));
	const char *a, *b;
	size_t line = 1;

	(void)state;
	assert_non_null(out);
	print_matrix(out);
	fclose(out);
	for (a = matrix, b = golden; *a != '\0' && *a == *b; a++, b++)
		line += *a == '\n';
	if (*a != *b) {
		fputs(matrix, stderr);
		fail_msg("%s:%zu differs; the code says what is above", GOLDEN, line);
	}
	free(matrix);
	free(golden);
}

static void test_each_rule_once(void **state)
{
	size_t count;
	const struct rule *rule = states_rules(&count);

	(void)state;
	for (size_t i = 0; i < count; i++)
		assert_ptr_equal(rules_find(rule[i].from, rule[i].on), &rule[i]);
	assert_null(rules_find(ST_EXPIRED, EV_PUSH));
}

/* A final state has no way out and all that leads there closes; from any other there is one. */
static void test_final_states(void **state)
{
	size_t count;
	const struct rule *rule = states_rules(&count);

	(void)state;
	for (enum state s = 0; s < ST_COUNT; s++) {
		size_t ways_out = 0;

		for (size_t i = 0; i < count; i++) {
			ways_out += rule[i].from == s;
			if (rule[i].to == s)
				assert_int_equal((rule[i].effects & FX_CLOSE) != 0, closes(s));
		}
		if ((ways_out == 0) != closes(s))
			fail_msg("%s: %zu ways out", state_name(s), ways_out);
	}
}

static void test_all_reachable(void **state)
{
	bool reached[ST_COUNT] = {[ST_NEW] = true};
	size_t count;
	const struct rule *rule = states_rules(&count);

	(void)state;
	for (size_t round = 0; round < ST_COUNT; round++)
		for (size_t i = 0; i < count; i++)
			if (reached[rule[i].from])
				reached[rule[i].to] = true;
	for (enum state s = 0; s < ST_COUNT; s++)
		if (!reached[s])
			fail_msg("nothing leads to %s", state_name(s));
	for (size_t i = 0; i < count; i++)
		assert_int_not_equal(rule[i].to, ST_NEW);
}

/* Nobody need act for a request to end: time's own events, and the application's word on a removal, close it. */
static void test_time_ends_all(void **state)
{
	bool ends[ST_COUNT];
	size_t count;
	const struct rule *rule = states_rules(&count);

	(void)state;
	for (enum state s = 0; s < ST_COUNT; s++)
		ends[s] = closes(s);
	for (size_t round = 0; round < ST_COUNT; round++)
		for (size_t i = 0; i < count; i++)
			if (ends[rule[i].to] && (rule[i].by == BY_TIME || rule[i].on == EV_RELEASE))
				ends[rule[i].from] = true;
	for (enum state s = ST_SCHEDULED; s < ST_COUNT; s++)
		if (!ends[s])
			fail_msg("%s is never over by itself", state_name(s));
}

/* Every state in which access is wanted can be ended by time and early, with and without a removal. */
static void test_wanting_states_can_end(void **state)
{
	static const enum state wanting[] = {ST_WAITING, ST_DEFERRED, ST_PROVISIONING, ST_IN_FORCE};

	(void)state;
	for (size_t i = 0; i < sizeof(wanting) / sizeof(wanting[0]); i++) {
		enum state s = wanting[i];

		assert_non_null(rules_find(s, s == ST_IN_FORCE ? EV_EXPIRE : EV_LAPSE));
		assert_non_null(rules_find(s, EV_EXPIRE_REMOVE));
		assert_non_null(rules_find(s, EV_REVOKE));
		assert_non_null(rules_find(s, EV_REVOKE_REMOVE));
		if (s != ST_IN_FORCE)
			assert_non_null(rules_find(s, EV_CONFIRM));
	}
}

/* The start is in the timetable while it is scheduled, the end from when access is wanted. */
static void test_timetable_effects(void **state)
{
	size_t count;
	const struct rule *rule = states_rules(&count);

	(void)state;
	for (size_t i = 0; i < count; i++) {
		bool begins =
			rule[i].from == ST_NEW || rule[i].from == ST_AWAITING || rule[i].from == ST_SCHEDULED;

		assert_int_equal((rule[i].effects & FX_AT_START) != 0, rule[i].to == ST_SCHEDULED);
		assert_int_equal((rule[i].effects & FX_AT_END) != 0, begins && rule[i].to != ST_SCHEDULED &&
									     rule[i].to != ST_AWAITING &&
									     !closes(rule[i].to));
		assert_int_equal((rule[i].effects & FX_ASK) != 0,
				 rule[i].from == ST_NEW && rule[i].to == ST_AWAITING);
		assert_int_equal((rule[i].effects & FX_DECIDED) != 0,
				 rule[i].from == ST_AWAITING && rule[i].to != ST_AWAITING);
		assert_int_equal((rule[i].effects & FX_CONFIRMED) != 0, rule[i].to == ST_IN_FORCE);
	}
}

static void test_names(void **state)
{
	(void)state;
	for (enum state a = 0; a < ST_COUNT; a++) {
		assert_int_equal(state_by_name(state_name(a)), a);
		assert_true(strlen(state_status(a)) > 0 && strlen(state_provisioning(a)) > 0);
		assert_true(strlen(state_meaning(a)) > 0);
		for (enum state b = 0; b < a; b++)
			assert_string_not_equal(state_name(a), state_name(b));
	}
	for (enum event a = 0; a < EV_COUNT; a++) {
		assert_true(strlen(event_meaning(a)) > 0);
		for (enum event b = 0; b < a; b++)
			assert_string_not_equal(event_name(a), event_name(b));
	}
	assert_int_equal(state_by_name("no such state"), ST_COUNT);
	assert_int_equal(state_by_name(""), ST_COUNT);
}

/* Graph's words, and only those. */
static void test_graph_words(void **state)
{
	static const char *const words =
		"|PendingApproval|Granted|PendingProvisioning|Provisioned|Revoked|Canceled|Denied|Failed|";

	(void)state;
	for (enum state s = ST_AWAITING; s < ST_COUNT; s++) {
		char word[40];

		snprintf(word, sizeof(word), "|%s|", state_status(s));
		if (strstr(words, word) == NULL)
			fail_msg("%s: %s", state_name(s), state_status(s));
	}
}

/* Receivers of webhooks know them by these names. */
static void test_tells(void **state)
{
	static const char *const names[] = {
		"approval.requested",  "approval.decided",  "activation.provisioned",
		"activation.deferred", "activation.ending", "activation.ended",
		"activation.failed",   "removal.overdue",   "application.quarantined",
		"removals.held",       "token.ending",      "membership.drift",
		"breakglass.used",
	};
	size_t count;
	const struct tell *tells = states_tells(&count);

	(void)state;
	assert_int_equal(count, sizeof(names) / sizeof(names[0]));
	for (size_t i = 0; i < count; i++) {
		assert_string_equal(tells[i].name, names[i]);
		assert_ptr_equal(states_tell(names[i]), &tells[i]);
	}
	assert_null(states_tell("approval.request"));
	assert_null(states_tell("Approval.Requested"));
	assert_null(states_tell(""));
}

/* What stands behind a rule in the library names exactly those whom its effects tell, and the rule ends. */
static void expect_tells(const char *at, unsigned effects)
{
	char line[160];
	size_t count, used = 0;
	const struct tell *tell = states_tells(&count);

	for (size_t i = 0; i < count; i++)
		if (effects & tell[i].effect)
			used += (size_t)snprintf(line + used, sizeof(line) - used, "%s'%s'",
						 used == 0 ? ", tell = { " : ", ", tell[i].name);
	snprintf(line + used, sizeof(line) - used, used > 0 ? " } }," : " },");
	if (strncmp(at, line, strlen(line)) != 0)
		fail_msg("%.*s, but it should tell: %s", (int)strcspn(at, "\n"), at, line);
}

/* The library begins with the version and holds each rule as it stands in C. */
static void test_printed_lua(void **state)
{
	char line[160];
	size_t count;
	const struct rule *rule = states_rules(&count);
	const char *at;

	(void)state;
	assert_int_equal(strncmp(jit_library, "#!lua name=jit\n", 15), 0);
	assert_int_equal(strlen(jit_library), jit_library_len);
	snprintf(line, sizeof(line), "\nVERSION = %d\n", LIBRARY_VERSION);
	assert_non_null(strstr(jit_library, line));
	at = strstr(jit_library, "\nRULES = {");
	assert_non_null(at);
	for (size_t i = 0; i < count; i++) {
		snprintf(line, sizeof(line), "['%s'] = { to = '%s', by = '%s'%s%s%s%s%s%s",
			 event_name(rule[i].on), state_name(rule[i].to), cause_name(rule[i].by),
			 rule[i].effects & FX_AT_START ? ", at_start = true" : "",
			 rule[i].effects & FX_AT_END ? ", at_end = true" : "",
			 rule[i].effects & FX_CONFIRMED ? ", confirmed = true" : "",
			 rule[i].effects & FX_ASK ? ", ask = true" : "",
			 rule[i].effects & FX_DECIDED ? ", decided = true" : "",
			 rule[i].effects & FX_CLOSE ? ", close = true" : "");
		at = strstr(at + 1, line);
		if (at == NULL)
			fail_msg("not in its place in the library: %s", line);
		expect_tells(at + strlen(line), rule[i].effects);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_matrix),
		cmocka_unit_test(test_each_rule_once),
		cmocka_unit_test(test_final_states),
		cmocka_unit_test(test_all_reachable),
		cmocka_unit_test(test_time_ends_all),
		cmocka_unit_test(test_wanting_states_can_end),
		cmocka_unit_test(test_timetable_effects),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_tells),
		cmocka_unit_test(test_graph_words),
		cmocka_unit_test(test_printed_lua),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
