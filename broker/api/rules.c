#include "api/rules.h"

#include "base/json.h"

void rules_sentence(const struct policy_verdict *verdict, struct buf *out)
{
	buf_adds(out, "The following policy rules failed: [");
	for (size_t i = 0; i < verdict->count; i++)
		buf_addf(out, "%s\"%s\"", i > 0 ? "," : "", verdict->refusals[i].rule);
	buf_adds(out, "]");
}

/* Can it stand in acr_values, and in a quoted string as it is? */
static bool is_acr_value(const char *word)
{
	for (const char *p = word; *p != '\0'; p++)
		if (*p <= ' ' || *p > '~' || *p == '"' || *p == '\\')
			return false;
	return *word != '\0';
}

/* Appends them with `before` and `after` around; nothing where there are none. */
static void add_acr_values(const struct policy_refusal *refusal, const char *before, const char *after,
			   struct buf *out)
{
	bool any = false;

	for (size_t i = 0; refusal->sign_in != NULL && i < refusal->sign_in->count; i++)
		if (is_acr_value(refusal->sign_in->list[i])) {
			buf_addf(out, "%s%s", any ? " " : before, refusal->sign_in->list[i]);
			any = true;
		}
	buf_adds(out, any ? after : "");
}

void rules_challenge(const struct policy_verdict *verdict, struct buf *out)
{
	for (size_t i = 0; i < verdict->count; i++)
		add_acr_values(&verdict->refusals[i],
			       "Bearer error=\"insufficient_user_authentication\", acr_values=\"", "\"", out);
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
		add_acr_values(r, ",\"acrValues\":\"", "\"", out);
		buf_adds(out, "}");
	}
	for (size_t i = 0; all && i < verdict->passed_count; i++, separator = ",")
		buf_addf(out, "%s{\"rule\":\"%s\",\"result\":\"passed\"}", separator, verdict->passed[i]);
	buf_adds(out, "]");
}
