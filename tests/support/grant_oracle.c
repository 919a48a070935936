#include "tests/support/grant_oracle.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static bool has(unsigned people, unsigned person)
{
	return (people >> person & 1u) != 0;
}

bool grant_eligible(const struct grant_oracle *o, const struct grant_rules *rules,
		    const struct grant_asked *asked, int64_t at_ms)
{
	if (asked->admin)
		return true;
	if (asked->glass)
		return has(rules->glass, asked->person);
	return (has(rules->eligible, asked->person) && at_ms < rules->eligible_until_ms) ||
	       at_ms < o->word_until_ms[asked->group][asked->person];
}

bool grant_allows(const struct grant_oracle *o, const struct grant_rules *rules,
		  const struct grant_asked *asked, int64_t now_ms)
{
	int64_t start = asked->start_ms > now_ms ? asked->start_ms : now_ms;

	return asked->admin || (grant_eligible(o, rules, asked, start) && asked->length_ms <= rules->max_ms);
}

static bool is_running(const struct grant_request *r, int64_t now_ms)
{
	return r->granted && r->started && !r->over && r->start_ms <= now_ms && now_ms < r->end_ms;
}

bool grant_holds(const struct grant_oracle *o, unsigned group, unsigned person, int64_t now_ms)
{
	for (size_t i = 0; i < o->count; i++) {
		const struct grant_request *r = &o->request[i];

		if (r->asked.group == group && r->asked.person == person && is_running(r, now_ms))
			return true;
	}
	return false;
}

void grant_given_back(struct grant_oracle *o, unsigned group, unsigned person, bool all, int64_t now_ms)
{
	for (size_t i = 0; i < o->count; i++) {
		struct grant_request *r = &o->request[i];

		if (r->asked.group == group && r->asked.person == person && (all || is_running(r, now_ms)))
			r->over = true;
	}
}

static unsigned person_behind(unsigned account)
{
	return account == GRANT_ACCOUNT ? GRANT_OWNER : account;
}

/* By any of their accounts. */
static bool person_holds(const struct grant_oracle *o, unsigned group, unsigned person, int64_t now_ms)
{
	for (unsigned account = 0; account < GRANT_PEOPLE; account++)
		if (person_behind(account) == person && grant_holds(o, group, account, now_ms))
			return true;
	return false;
}

/* Is there room for them now, whoever asks? Whoever has it takes up no more of it. */
static bool has_room(const struct grant_oracle *o, const struct grant_rules *rules,
		     const struct grant_asked *asked, int64_t now_ms)
{
	unsigned holders = 0, me = person_behind(asked->person);

	for (unsigned group = 0; group < GRANT_GROUPS; group++)
		if (has(rules->excludes, group) && person_holds(o, group, me, now_ms))
			return false;
	for (unsigned person = 0; person < GRANT_PEOPLE; person++)
		holders += person != me && person_holds(o, asked->group, person, now_ms);
	return rules->most == 0 || holders < rules->most || person_holds(o, asked->group, me, now_ms);
}

/* Its time has come. */
static void begin(struct grant_oracle *o, struct grant_request *r, const struct grant_rules *rules,
		  int64_t now_ms)
{
	if (!has_room(o, rules, &r->asked, now_ms)) {
		r->over = true;
		return;
	}
	if (r->asked.updates && now_ms < r->end_ms)
		grant_given_back(o, r->asked.group, r->asked.person, false, now_ms);
	r->started = true;
}

/* From now or its start on; what starts later is looked at again. */
static void grant(struct grant_oracle *o, struct grant_request *r, const struct grant_rules *rules,
		  int64_t now_ms)
{
	r->pending = false;
	r->granted = true;
	r->start_ms = r->asked.start_ms > now_ms ? r->asked.start_ms : now_ms;
	r->end_ms = r->start_ms + r->asked.length_ms;
	if (r->start_ms == now_ms)
		begin(o, r, rules, now_ms);
}

void grant_asked(struct grant_oracle *o, size_t number, const struct grant_rules *rules,
		 const struct grant_asked *asked, int64_t now_ms)
{
	struct grant_request *r = &o->request[number];

	assert_true(number < GRANT_REQUESTS);
	*r = (struct grant_request){.asked = *asked};
	if (number >= o->count)
		o->count = number + 1;
	r->over = !grant_allows(o, rules, asked, now_ms);
	r->pending = !asked->admin && !asked->glass && rules->needed > 0;
	r->until_ms = now_ms + rules->wait_ms;
	if (!r->pending && !r->over)
		grant(o, r, rules, now_ms);
}

void grant_word(struct grant_oracle *o, unsigned group, unsigned person, int64_t until_ms)
{
	o->word_until_ms[group][person] = until_ms;
}

static unsigned number_of(unsigned people)
{
	unsigned count = 0;

	for (; people != 0; people >>= 1)
		count += people & 1u;
	return count;
}

void grant_decided(struct grant_oracle *o, size_t number, const struct grant_rules *rules,
		   struct grant_word word, int64_t now_ms)
{
	struct grant_request *r = &o->request[number];

	if (!r->pending || r->over || rules->needed == 0 || now_ms >= r->until_ms ||
	    word.person == r->asked.person || !has(rules->approvers, word.person))
		return;
	if (!word.yes) {
		r->over = true;
		return;
	}
	r->approvers |= 1u << word.person;
	if (number_of(r->approvers) < rules->needed)
		return;
	if (grant_allows(o, rules, &r->asked, now_ms))
		grant(o, r, rules, now_ms);
	else
		r->over = true;
}

void grant_started(struct grant_oracle *o, size_t number, const struct grant_rules *rules, int64_t now_ms)
{
	struct grant_request *r = &o->request[number];

	if (!r->granted || r->started || now_ms < r->start_ms)
		return;
	if (grant_allows(o, rules, &r->asked, now_ms))
		begin(o, r, rules, now_ms);
	else
		r->over = true;
}

void grant_over(struct grant_oracle *o, size_t number)
{
	o->request[number].over = true;
}
