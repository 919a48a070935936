#include "tests/support/rules.h"

const struct rule *rules_find(enum state from, enum event on)
{
	size_t count;
	const struct rule *rule = states_rules(&count);

	for (size_t i = 0; i < count; i++)
		if (rule[i].from == from && rule[i].on == on)
			return &rule[i];
	return NULL;
}
