#include "api/rules.h"

#include "base/json.h"

void rules_sentence(const struct policy_verdict *verdict, struct buf *out)
{
	buf_adds(out, "The following policy rules failed: [");
	for (size_t i = 0; i < verdict->count; i++)
		buf_addf(out, "%s\"%s\"", i > 0 ? "," : "", verdict->refusals[i].rule);
	buf_adds(out, "]");
}

void rules_list(const struct policy_verdict *verdict, bool all, struct buf *out)
{
	const char *separator = "";

	buf_adds(out, "[");
	for (size_t i = 0; i < verdict->count; i++, separator = ",") {
		const struct policy_refusal *r = &verdict->refusals[i];

		buf_addf(out, "%s{\"rule\":\"%s\",\"result\":\"refused\",\"limit\":", separator, r->rule);
		json_add_string(out, r->limit);
		buf_adds(out, ",\"given\":");
		json_add_string(out, r->given);
		buf_adds(out, "}");
	}
	for (size_t i = 0; all && i < verdict->passed_count; i++, separator = ",")
		buf_addf(out, "%s{\"rule\":\"%s\",\"result\":\"passed\"}", separator, verdict->passed[i]);
	buf_adds(out, "]");
}
