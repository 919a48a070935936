#include "activation/actor.h"

#include <stddef.h>

#include "base/json.h"

void actor_write(const struct actor *actor, struct buf *out)
{
	const struct {
		const char *name, *value;
	} members[] = {
		{"id", actor->id},   {"userName", actor->name},   {"subject", actor->subject},
		{"how", actor->how}, {"address", actor->address}, {"call", actor->call},
	};
	const char *before = "{";

	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		if (members[i].value == NULL || members[i].value[0] == '\0')
			continue;
		buf_addf(out, "%s\"%s\":", before, members[i].name);
		json_add_string(out, members[i].value);
		before = ",";
	}
	for (size_t i = 0; i < actor->strength_count; i++) {
		buf_addf(out, "%s%s", i == 0 ? before : ",", i == 0 ? "\"strengths\":[" : "");
		json_add_string(out, actor->strengths[i]);
	}
	if (actor->strength_count > 0)
		buf_adds(out, "]");
	buf_adds(out, before[0] == '{' && actor->strength_count == 0 ? "{}" : "}");
}
