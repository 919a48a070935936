/*
 * Prints the tables of states.c: `--lua` as the head of the Redis function library, `--markdown` as they stand in
 * deploy/states.md. A build tool: it is not part of the broker.
 */
#include <stdio.h>
#include <string.h>

#include "activation/states.h"

/* ", tell = { 'approval.decided' }" where the rule tells somebody. */
static void print_tells(const struct rule *rule)
{
	size_t count, told = 0;
	const struct tell *tell = states_tells(&count);

	for (size_t i = 0; i < count; i++)
		if ((rule->effects & tell[i].effect) != 0)
			printf("%s'%s'", told++ == 0 ? ", tell = { " : ", ", tell[i].name);
	if (told > 0)
		printf(" }");
}

static void print_alarms(void)
{
	size_t count;
	const struct tell *tell = states_tells(&count);

	printf("local ALARMS = {\n");
	for (size_t i = 0; i < count; i++)
		if (tell[i].is_alarm)
			printf("\t['%s'] = true,\n", tell[i].name);
	printf("}\n");
}

static void print_lua(void)
{
	size_t count;
	const struct rule *rule = states_rules(&count);

	printf("#!lua name=jit\n");
	printf("-- Printed from activation/states.c: the version of this library and the table of "
	       "transitions.\n");
	printf("local VERSION = %d\n", LIBRARY_VERSION);
	printf("local RULES = {\n");
	for (enum state from = 0; from < ST_COUNT; from++) {
		printf("\t['%s'] = {\n", state_name(from));
		for (size_t i = 0; i < count; i++) {
			if (rule[i].from != from)
				continue;
			printf("\t\t['%s'] = { to = '%s', by = '%s'%s%s%s%s%s%s", event_name(rule[i].on),
			       state_name(rule[i].to), cause_name(rule[i].by),
			       (rule[i].effects & FX_AT_START) ? ", at_start = true" : "",
			       (rule[i].effects & FX_AT_END) ? ", at_end = true" : "",
			       (rule[i].effects & FX_CONFIRMED) ? ", confirmed = true" : "",
			       (rule[i].effects & FX_ASK) ? ", ask = true" : "",
			       (rule[i].effects & FX_DECIDED) ? ", decided = true" : "",
			       (rule[i].effects & FX_CLOSE) ? ", close = true" : "");
			print_tells(&rule[i]);
			printf(" },\n");
		}
		printf("\t},\n");
	}
	printf("}\n");
	print_alarms();
}

static void print_states(void)
{
	printf("| state | means | Graph status | provisioning.state |\n");
	printf("| --- | --- | --- | --- |\n");
	for (enum state state = 0; state < ST_COUNT; state++)
		printf("| %s | %s | %s | %s |\n", state_name(state), state_meaning(state),
		       state_status(state), state_provisioning(state));
}

static void print_rules(void)
{
	size_t count;
	const struct rule *rule = states_rules(&count);

	printf("| from | event | to | caused by |\n");
	printf("| --- | --- | --- | --- |\n");
	for (size_t i = 0; i < count; i++)
		printf("| %s | %s: %s | %s | %s |\n", state_name(rule[i].from), event_name(rule[i].on),
		       event_meaning(rule[i].on), state_name(rule[i].to), cause_name(rule[i].by));
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "--lua") == 0) {
		print_lua();
		return 0;
	}
	if (argc == 2 && strcmp(argv[1], "--markdown") == 0) {
		print_states();
		printf("\n");
		print_rules();
		return 0;
	}
	fprintf(stderr, "usage: states-print --lua | --markdown\n");
	return 2;
}
