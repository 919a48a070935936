/*
 * The history of a run: one JSON line for everything that the harness did or saw, in the order in which it was
 * written, from any thread. Whoever judges the run reads this, the applications' logs and nothing else.
 *
 * Each line has "t" (Unix ms) and "k", which says what else is there:
 *
 *	limits   pushes, window, cycle, push_timeout, request_timeout, target, back: what the run goes by
 *	app      app (number), log (path of its requests)
 *	person   person (number), app, group, user, id, approval (bool): who may be in which group of which application, and
 *	         whether somebody has to agree
 *	standing app, group, user: a member by somebody else's hand
 *	secret   text, what: must be found in no file, and what it is
 *	file     path: where secrets are looked for
 *	name     app, what (user|group), id, name: the application's own ids
 *	begin    the people come
 *	ask      op, try, broker, person, action, of, length, start: one sending of a call; the same op has the same
 *	         Idempotency-Key; of: the request that is withdrawn
 *	answer   op, try, status, id, start, end, created, state, next (cycle, as it was told): what came back; 0 = no answer;
 *	         times in Unix ms
 *	decide   n, try, broker, by (id), request, result: one sending of a decision
 *	decided  n, try, status: what came back
 *	tokens   free: of each application by number, as a broker says
 *	stall    from, to: the machine itself stood still
 *	fault    n, kind, class, app (-1 = all), from: already begun
 *	healed   n
 *	end      the people have gone and all faults are healed; what is in the logs later is the harness' own
 *	request  person, id, action, group, state, why: what is in the store at the end
 *	approval request, result, by (id), at: what the store says of its only stage at the end
 *	cycle    app, started, ended (0 = it runs): the application's cycles that had something to do
 *	member   app, group, user: who is in the application at the end
 *	audit    lane, number, request, event, by, from, to: the trail
 *	verify   intact: what the broker's own verification says of it
 *	unclean  what: a program that did not end as it should
 */
#ifndef TORTURE_HISTORY_H
#define TORTURE_HISTORY_H

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>

struct history {
	FILE *file;
	pthread_mutex_t lock;
};

/* Begins the file anew. False, with the reason on standard error, when it cannot. */
bool history_open(struct history *history, const char *path);
/* False when a line could not be written; then the run says nothing. */
bool history_close(struct history *history);

/* Writes a line; `format` makes the members behind "t" and "k", without a comma at either end. */
void history_note(struct history *history, const char *kind, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
