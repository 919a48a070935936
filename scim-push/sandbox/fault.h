/*
 * Faults on request. A rule is one line of text:
 *
 *     METHOD PATH [WHEN] -> ACTION
 *
 *     METHOD   GET, POST, PUT, PATCH, DELETE, or * for any
 *     PATH     prefix of the target below /scim/v2 as it is sent, query included: /Groups, /Users?filter=userName;
 *              * for any
 *     WHEN     always (the default), once, first N, nth N, every N, from N (the N-th and all later ones),
 *              chance PERCENT SEED (drawn for each, the same again with the same seed)
 *     ACTION   delay MS              wait, then apply and answer, whether or not the client is still there
 *              delay MS after        apply at once, answer later
 *              hang                  hold the request until it is released (then it is applied and answered) or
 *                                    its client goes away (then it is not applied)
 *              hang after            apply at once, hold the answer
 *              close                 close the connection, do nothing
 *              close after           apply, then close the connection: the reply is lost
 *              status CODE [retry-after SECONDS | http-date SECONDS] [after]
 *                                    answer that error, with Retry-After as a number or as a date; with `after`
 *                                    the change is applied first
 *              noop [CODE]           answer 204, do nothing
 *              html [CODE]           answer 200 with a page of HTML, do nothing
 *              truncate              apply, answer the first half of the body
 *              huge                  answer 200 with 10 MB of JSON, do nothing
 *              redirect [CODE] URL   answer that redirect (307), do nothing
 *
 * A request goes through the rules in their order. A rule that it matches counts it; the first rule whose WHEN
 * holds acts, and the rules behind it do not see the request. So a list of `once` rules is played one by one.
 * Pure.
 */
#ifndef SANDBOX_FAULT_H
#define SANDBOX_FAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "scim-push/sandbox/answer.h"
#include "scim-push/sandbox/words.h"

#define FAULTS_MAX 64

enum fault_when { WHEN_FIRST, WHEN_NTH, WHEN_EVERY, WHEN_FROM, WHEN_CHANCE };

enum fault_action {
	FAULT_NONE,
	FAULT_DELAY,
	FAULT_HANG,
	FAULT_CLOSE,
	FAULT_STATUS,
	FAULT_NOOP,
	FAULT_HTML,
	FAULT_TRUNCATE,
	FAULT_HUGE,
	FAULT_REDIRECT
};

struct fault {
	char text[RULE_TEXT]; /* the rule as it was given */
	char method[16];
	char path[512];
	enum fault_when when;
	long n; /* or the percentage */
	long seed;
	long seen; /* requests that matched so far */
	enum fault_action action;
	bool after; /* the request is applied before the fault */
	long delay_ms;
	int status;
	enum retry_after retry;
	long retry_s;
	char url[512];
};

struct faults {
	size_t count;
	struct fault rules[FAULTS_MAX];
};

/* ERR_BAD_REQUEST with the reason in `ec`. */
enum err fault_parse(const char *text, struct fault *out, struct errctx *ec) MUST_CHECK;
/* fault_parse() and append; ERR_TOO_MANY when the list is full. */
enum err faults_add(struct faults *faults, const char *text, struct errctx *ec) MUST_CHECK;
/* The rule that acts on this request, or NULL. Counts. `target` is below /scim/v2. Borrowed until the next change. */
const struct fault *faults_pick(struct faults *faults, const char *method, const char *target);

/* Is the request applied although the fault acts? */
bool fault_applies(const struct fault *fault);
/* Turns the answer, of the applied request or an empty one, into what the fault makes of it. */
void fault_spoil(const struct fault *fault, struct answer *answer, int64_t now_ms);

#endif
