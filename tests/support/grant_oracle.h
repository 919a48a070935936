/*
 * Who may have a group at this moment, reckoned from nothing but what people asked, decided and withdrew and what the
 * rules were then: a second opinion on policy and on the function library. It knows no states and reads no store. Pure.
 */
#ifndef TESTS_SUPPORT_GRANT_ORACLE_H
#define TESTS_SUPPORT_GRANT_ORACLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GRANT_GROUPS   3
#define GRANT_PEOPLE   5
#define GRANT_REQUESTS 8000

/* The last two are accounts of one person. */
#define GRANT_ACCOUNT (GRANT_PEOPLE - 1)
#define GRANT_OWNER   (GRANT_PEOPLE - 2)

/* A group's rules. Sets of people are bits. */
struct grant_rules {
	unsigned eligible, glass, approvers;
	int64_t eligible_until_ms; /* for all of them */
	int64_t max_ms;
	unsigned needed;   /* approvals; 0 = none */
	int64_t wait_ms;   /* for them */
	bool removes;      /* from who is no longer eligible */
	unsigned most;     /* may have it at once, as far as they ask themselves; 0 = any number */
	unsigned excludes; /* groups that nobody may ask for who has one of them; bits */
};

struct grant_asked {
	unsigned group, person;
	int64_t start_ms; /* 0 = now */
	int64_t length_ms;
	bool glass, admin;
	bool updates; /* takes the place of what is running; an administrator's */
};

struct grant_request {
	struct grant_asked asked;
	int64_t until_ms;   /* approvals count before that */
	unsigned approvers; /* who have agreed */
	bool pending;       /* waits for them */
	bool granted;       /* and begins at start_ms, … */
	bool started;       /* … which policy has allowed again, where that was later */
	bool over;          /* denied, withdrawn, given back, taken away, refused */
	int64_t start_ms, end_ms;
};

/* What an approver says. */
struct grant_word {
	unsigned person;
	bool yes;
};

struct grant_oracle {
	/* Until when administrators have made them eligible. */
	int64_t word_until_ms[GRANT_GROUPS][GRANT_PEOPLE];
	size_t count; /* requests are known by their number */
	struct grant_request request[GRANT_REQUESTS];
};

/* Do the rules allow it, as far as they look at nobody else? */
bool grant_allows(const struct grant_oracle *o, const struct grant_rules *rules,
		  const struct grant_asked *asked, int64_t now_ms);
/* Is the person eligible (or may break the glass) at that time? */
bool grant_eligible(const struct grant_oracle *o, const struct grant_rules *rules,
		    const struct grant_asked *asked, int64_t at_ms);

/* It was asked and allowed. */
void grant_asked(struct grant_oracle *o, size_t number, const struct grant_rules *rules,
		 const struct grant_asked *asked, int64_t now_ms);
/* An administrator has made the person eligible from now until then; now_ms: not any more. */
void grant_word(struct grant_oracle *o, unsigned group, unsigned person, int64_t until_ms);
/* Somebody said yes or no, by these rules. */
void grant_decided(struct grant_oracle *o, size_t number, const struct grant_rules *rules,
		   struct grant_word word, int64_t now_ms);
/* The time of a granted request came, and policy was asked again. */
void grant_started(struct grant_oracle *o, size_t number, const struct grant_rules *rules, int64_t now_ms);
void grant_over(struct grant_oracle *o, size_t number);
/* All that the person has running in the group is given back; `all`: what is yet to come, too. */
void grant_given_back(struct grant_oracle *o, unsigned group, unsigned person, bool all, int64_t now_ms);

/* May the person have the group now? */
bool grant_holds(const struct grant_oracle *o, unsigned group, unsigned person, int64_t now_ms);

#endif
