#include "activation/actor.h"

#include <stddef.h>
#include <string.h>

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
	buf_adds(out, before[0] == '{' ? "{}" : "}");
}
