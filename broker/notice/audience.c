#include "notice/audience.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "activation/states.h"
#include "base/digest.h"
#include "broker/person.h"
#include "notice/mail.h"

/* Who is told by mail, besides those who are asked to decide. */
enum {
	TO_REQUESTER = 1,
	TO_STAGE = 2,     /* the approvers of the stage whose turn it is */
	TO_APPROVERS = 4, /* of every stage */
	TO_NOTIFIED = 8,  /* those whom the group's rules name */
	TO_OPERATORS = 16
};

static const struct {
	const char *kind;
	unsigned to;
} rules[] = {
	{"approval.requested", TO_STAGE},
	{"approval.decided", TO_REQUESTER},
	{"activation.provisioned", TO_REQUESTER | TO_NOTIFIED},
	{"activation.deferred", TO_REQUESTER},
	{"activation.ending", TO_REQUESTER},
	{"activation.ended", TO_REQUESTER | TO_NOTIFIED},
	{"activation.failed", TO_REQUESTER | TO_NOTIFIED},
	{"removal.overdue", TO_NOTIFIED | TO_OPERATORS},
	{"application.quarantined", TO_OPERATORS},
	{"removals.held", TO_OPERATORS},
	{"token.ending", TO_OPERATORS},
	{"membership.drift", TO_NOTIFIED | TO_OPERATORS},
	{"breakglass.used", TO_APPROVERS | TO_NOTIFIED | TO_OPERATORS},
};

#define LEFT_MS ((int64_t)24 * 3600 * 1000)

bool audience_leaves(const struct notice *notice, int64_t now_ms)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (strcmp(rules[i].kind, notice->kind) == 0)
			return false;
	return strcmp(notice->kind, "notices.held") != 0 && now_ms - notice->told_ms < LEFT_MS;
}

/* -- webhooks ----------------------------------------------------------------------------------------------- */

static bool holds(const struct policy_names *names, const char *text)
{
	for (size_t i = 0; i < names->count; i++)
		if (strcasecmp(names->list[i], text) == 0)
			return true;
	return false;
}

/* An empty list means all. */
static bool wants(const struct policy_names *names, const char *text)
{
	return names->count == 0 || holds(names, text);
}

static void add_hooks(const struct config *config, const struct notice *n, struct audience *out)
{
	for (size_t i = 0; i < config->webhook_count && out->count < NOTICE_COPIES_MAX; i++) {
		const struct config_webhook *hook = &config->webhooks[i];
		struct reader *reader = &out->readers[out->count];

		if (!wants(&hook->events, n->kind) || !wants(&hook->groups, n->request.group))
			continue;
		memset(reader, 0, sizeof(*reader));
		snprintf(reader->target, sizeof(reader->target), "hook:%s", hook->name);
		out->count++;
	}
}

const struct config_webhook *audience_hook(const struct config *config, const char *target)
{
	for (size_t i = 0; strncmp(target, "hook:", 5) == 0 && i < config->webhook_count; i++)
		if (strcmp(config->webhooks[i].name, target + 5) == 0)
			return &config->webhooks[i];
	return NULL;
}

void audience_fingerprint(const struct config_webhook *hook, char out[AUDIENCE_FINGERPRINT_SIZE])
{
	char hex[SHA256_HEX];

	digest_sha256_hex(hook->url, strlen(hook->url), hex);
	snprintf(out, AUDIENCE_FINGERPRINT_SIZE, "%.32s", hex);
}

/* -- mailboxes ---------------------------------------------------------------------------------------------- */

/* False, with "", when the text is no address. */
static bool take_mailbox(const char *text, char out[NAME_SIZE])
{
	out[0] = '\0';
	if (!mail_address_valid(text))
		return false;
	snprintf(out, NAME_SIZE, "%s", text);
	for (char *at = out; *at != '\0'; at++)
		if (*at >= 'A' && *at <= 'Z')
			*at = (char)(*at - 'A' + 'a');
	return true;
}

enum err audience_requester(const struct notice *n, char out[NAME_SIZE])
{
	struct person person;
	enum err err;

	out[0] = '\0';
	if (n->request.person == NULL)
		return ERR_OK;
	err = person_read(&person, n->request.person);
	if (!take_mailbox(person.names.email, out))
		(void)take_mailbox(person.names.user_name, out);
	person_release(&person);
	return err;
}

static void add_mailbox(struct audience *out, const char *mailbox, int64_t delay_ms)
{
	struct reader *reader = &out->readers[out->count];

	if (mailbox[0] == '\0' || out->count == NOTICE_COPIES_MAX)
		return;
	for (size_t i = 0; i < out->count; i++)
		if (strcmp(out->readers[i].mailbox, mailbox) == 0)
			return;
	memset(reader, 0, sizeof(*reader));
	snprintf(reader->target, sizeof(reader->target), AUDIENCE_MAIL);
	snprintf(reader->mailbox, sizeof(reader->mailbox), "%s", mailbox);
	reader->delay_ms = delay_ms;
	out->count++;
}

/* Those who are named: by the e-mail of a person who is known, or by a user name that is an address. `but` is left out:
 * who asks is not asked to decide, by whatever account. */
static void add_names(struct audience *out, const struct config *config, const struct policy_names *names,
		      const char *but, int64_t delay_ms)
{
	char mailbox[NAME_SIZE];

	for (size_t i = 0; i < names->count; i++) {
		const struct config_person *person = config_person_by_name(config, names->list[i]);

		if (but[0] != '\0' && config_same_person(config, names->list[i], but))
			continue;
		if (person == NULL || !take_mailbox(person->names.email, mailbox))
			(void)take_mailbox(names->list[i], mailbox);
		add_mailbox(out, mailbox, delay_ms);
	}
}

static enum err user_name_of(const struct notice *n, char out[NAME_SIZE])
{
	struct person person;
	enum err err;

	out[0] = '\0';
	if (n->request.person == NULL)
		return ERR_OK;
	err = person_read(&person, n->request.person);
	snprintf(out, NAME_SIZE, "%s", person.names.user_name);
	person_release(&person);
	return err;
}

static enum err add_stage(struct audience *out, const struct config *config, const struct policy *policy,
			  const struct notice *n)
{
	size_t stage = n->request.stage;
	const struct policy_stage *s;
	char asker[NAME_SIZE];

	if (stage == 0 || stage > policy->approval.count)
		return ERR_OK;
	s = &policy->approval.list[stage - 1];
	if (user_name_of(n, asker) != ERR_OK)
		return ERR_NOMEM;
	add_names(out, config, &s->approvers.principals, asker, 0);
	add_names(out, config, &s->escalation.principals, asker, s->escalation_after_ms);
	add_names(out, config, &s->notify, asker, 0);
	return ERR_OK;
}

static enum err add_group(struct audience *out, const struct config *config, const struct notice *n,
			  unsigned to)
{
	const struct config_group *group = config_group(config, n->request.group);

	if (group == NULL)
		return ERR_OK;
	if (to & TO_STAGE && add_stage(out, config, &group->policy, n) != ERR_OK)
		return ERR_NOMEM;
	for (size_t i = 0; (to & TO_APPROVERS) != 0 && i < group->policy.approval.count; i++) {
		const struct policy_stage *stage = &group->policy.approval.list[i];

		add_names(out, config, &stage->approvers.principals, "", 0);
		add_names(out, config, &stage->escalation.principals, "", 0);
		add_names(out, config, &stage->notify, "", 0);
	}
	if (to & TO_NOTIFIED)
		add_names(out, config, &group->policy.notify, "", 0);
	return ERR_OK;
}

enum err audience_find(const struct config *config, const struct notice *n, struct audience *out)
{
	char mailbox[NAME_SIZE];
	unsigned to = 0;

	out->count = 0;
	add_hooks(config, n, out);
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (strcmp(rules[i].kind, n->kind) == 0)
			to = rules[i].to;
	if (config->mail.server[0] == '\0' || !wants(&config->mail.events, n->kind))
		return ERR_OK;
	if (to & TO_REQUESTER) {
		if (audience_requester(n, mailbox) != ERR_OK)
			return ERR_NOMEM;
		add_mailbox(out, mailbox, 0);
	}
	if (add_group(out, config, n, to) != ERR_OK)
		return ERR_NOMEM;
	if (to & TO_OPERATORS)
		add_names(out, config, &config->operators.principals, "", 0);
	return ERR_OK;
}

/* -- what is to be told ------------------------------------------------------------------------------------- */

static bool anybody_wants(const struct config *config, const char *kind)
{
	if (config->mail.server[0] != '\0' && wants(&config->mail.events, kind))
		return true;
	for (size_t i = 0; i < config->webhook_count; i++)
		if (wants(&config->webhooks[i].events, kind))
			return true;
	return false;
}

void audience_tells(const struct config *config, char out[AUDIENCE_TELLS_SIZE])
{
	size_t count, used;
	const struct tell *tell = states_tells(&count);

	used = (size_t)snprintf(
		out, AUDIENCE_TELLS_SIZE, "%lld %lld |",
		anybody_wants(config, "activation.ending") ? (long long)config->ending_before_ms : 0,
		(long long)config->overdue_after_ms); /* the audit tells of it anyway */
	for (size_t i = 0; i < count; i++)
		if (anybody_wants(config, tell[i].name))
			used += (size_t)snprintf(out + used, AUDIENCE_TELLS_SIZE - used, "%s|", tell[i].name);
}
