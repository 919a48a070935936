#include "api/refusals.h"

#include <stdio.h>
#include <string.h>

#include "activation/audit.h"
#include "api/api.h"
#include "base/json.h"

#define DETAILS_MAX 4096
#define RULES_MAX   2048 /* bytes of the rules' own text; longer ones are left out: the message names them */
#define PATH_PART   200  /* bytes of the path */

struct refusal_text {
	const char *rule, *sentence;
};

#define REFUSAL_TEXT(name, rule, sentence) [name] = {rule, sentence},
static const struct refusal_text texts[] = {REFUSALS(REFUSAL_TEXT)};
#undef REFUSAL_TEXT

/* What is against a request by now that was allowed when it was asked for, as broker/recheck.c and activation/submit.lua
 * say it. */
#define NO_MORE(rule)                                                                                        \
	{                                                                                                    \
		rule, "Policy no longer allows it: " rule "."                                                \
	}
static const struct refusal_text lapsed[] = {
	NO_MORE("EligibilityRule"),
	NO_MORE("ExpirationRule"),
	NO_MORE("JustificationRule"),
	NO_MORE("TicketingRule"),
	NO_MORE("ActivationDayRule"),
	{"EligibilityRule", "The person is no longer eligible."},
	{"MaxActiveRule", "As many people as the group may have at once have it."},
	{"ExclusiveGroupsRule", "The person holds a group that excludes this one."},
};
#undef NO_MORE

const char *refusals_sentence(enum refused_by refusal)
{
	return texts[refusal].sentence;
}

enum err refusals_set(struct errctx *ec, enum refused_by refusal)
{
	return err_set(ec, ERR_FORBIDDEN, "%s", texts[refusal].sentence);
}

static const char *rule_of(const struct refusal_text *list, size_t count, const char *sentence)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(list[i].sentence, sentence) == 0)
			return list[i].rule;
	return NULL;
}

const char *refusals_details(const char *sentence, char out[REFUSALS_DETAILS_SIZE])
{
	const char *rule = rule_of(texts, REFUSAL_COUNT, sentence);

	if (rule == NULL)
		rule = rule_of(lapsed, sizeof(lapsed) / sizeof(lapsed[0]), sentence);
	if (rule == NULL)
		return NULL;
	snprintf(out, REFUSALS_DETAILS_SIZE, "[{\"rule\":\"%s\",\"result\":\"refused\"}]", rule);
	return out;
}

/* Policy, the roles, or what others hold already is against it. What is malformed or too late is no refusal. */
static bool is_refusal(enum err err)
{
	return err == ERR_POLICY || err == ERR_FORBIDDEN || err == ERR_OWN_REQUEST || err == ERR_FULL ||
	       err == ERR_EXCLUDED;
}

static void write_details(struct buf *out, const struct call *call, enum err err, const char *rules)
{
	char path[PATH_PART + 1];

	snprintf(path, sizeof(path), "%s", exchange_path(call->exchange));
	buf_addf(out, "{\"status\":%d,\"code\":", err_status(err));
	json_add_string(out, err_code(err));
	buf_addf(out, ",\"method\":\"%s\",\"path\":", exchange_method(call->exchange));
	json_add_string(out, path);
	if (rules != NULL && strlen(rules) <= RULES_MAX)
		buf_addf(out, ",\"rules\":%s", rules);
	buf_adds(out, "}");
}

void refusals_note(const struct call *call, enum err err, const char *why, const char *rules)
{
	const struct api *api = call->api;
	const struct caller *caller = &call->caller;
	/* Whoever names people could invent them. */
	const char *counted = caller->named_by != NULL ? caller->named_by : caller->id;
	bool looks = call->only_try || strcmp(exchange_method(call->exchange), "GET") == 0;
	struct buf details;

	/* Who only looks, or only tries, wants no change, unless as somebody else; and whoever has not signed in is nobody yet. */
	if (!is_refusal(err) || (looks && caller->named_by == NULL) || call->actor.len == 0 ||
	    store_lanes(api->store) == 0)
		return;
	buf_init(&details, DETAILS_MAX);
	write_details(&details, call, err, rules);
	audit_refused(api->activation, store_lane_of(api->store, counted),
		      &(struct audit_refusal){
			      .who = caller->id,
			      .user_name = caller->names.user_name,
			      .request = call->subject.request,
			      .group = call->subject.group,
			      .action = call->subject.action != NULL ? call->subject.action : "",
			      .why = why != NULL ? why : err_message(err),
			      .details = buf_failed(&details) ? "" : buf_text(&details),
			      .actor = buf_text(&call->actor),
			      .counted = counted,
		      });
	buf_release(&details);
}
