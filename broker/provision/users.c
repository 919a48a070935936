#include "provision/users.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "activation/users.h"
#include "base/log.h"
#include "broker/person.h"
#include "provision/health.h"
#include "scim-push/retry.h"
#include "scim-push/visit.h"

/* A piece under way: its users are visited one after another, until one of them is changed. A change is a push, and has a
 * token of its own; looks before it go with it, as look-ups go with any push. */
struct round {
	struct piece *piece;
	struct pusher *pusher;
	struct metrics *metrics;
	struct config *config; /* one reference */
	const struct config_application *application;
	enum users_aim aim;
	struct users_work *work;
	size_t at; /* the user who is visited */
	struct visit visit;
	struct person person;
	struct person_claim *claims;
};

int64_t users_leavers_work(const struct config *config, const struct config_application *application)
{
	(void)config;
	return application->users_last_removal != LAST_KEEP;
}

int64_t users_attributes_work(const struct config *config, const struct config_application *application)
{
	(void)config;
	return application->users_update;
}

static void forget_person(struct round *round)
{
	free(round->claims);
	round->claims = NULL;
	person_release(&round->person);
}

static void round_end(struct round *round)
{
	struct piece *piece = round->piece;

	piece->chance = retry_chance();
	piece->health_words = round->visit.words;
	users_free(round->work);
	piece_end(piece);
	config_unref(round->config);
	free(round);
}

static void on_told(void *ctx)
{
	round_end(ctx);
}

/* What was visited has its verdict. */
static void finish(struct round *round)
{
	struct piece *piece = round->piece;

	for (size_t i = 0; i < round->work->count; i++) {
		enum users_verdict verdict = round->work->tasks[i].verdict;
		piece->walked += verdict != USERS_SKIPPED || round->aim != USERS_UPDATE;
		piece->did += verdict == USERS_DONE;
		piece->failures += verdict == USERS_RETRY || verdict == USERS_REFUSED;
	}
	users_tell(piece, round->aim, round->work, on_told, round);
}

/* -- whom ------------------------------------------------------------------------------------------------------------ */

/* A name that only stands in for another one is not known: it must not take the place of what the application has. */
static void drop_stand_ins(struct scim_person *names)
{
	if (strcmp(names->given_name, names->display_name) == 0)
		names->given_name[0] = '\0';
	if (strcmp(names->family_name, names->display_name) == 0)
		names->family_name[0] = '\0';
	if (strcmp(names->display_name, names->user_name) == 0)
		names->display_name[0] = '\0';
}

static void prefer(char out[NAME_SIZE], const char *text)
{
	if (text[0] != '\0')
		snprintf(out, NAME_SIZE, "%s", text);
}

/* What the file says of a person comes before what their token said once. */
static void take_names(struct round *round, const char *principal)
{
	const struct config_person *listed = config_person_by_id(round->config, principal);
	struct scim_person *names = &round->person.names, file;

	drop_stand_ins(names);
	if (listed == NULL)
		return;
	file = listed->names;
	drop_stand_ins(&file);
	prefer(names->user_name, file.user_name);
	prefer(names->display_name, file.display_name);
	prefer(names->given_name, file.given_name);
	prefer(names->family_name, file.family_name);
	prefer(names->email, file.email);
}

static bool take_person(struct round *round, const struct users_task *task)
{
	if (person_read(&round->person, task->person) != ERR_OK)
		return false;
	round->claims = person_claims(&round->person);
	if (round->claims == NULL)
		return false;
	take_names(round, task->principal);
	return true;
}

/* -- a visit --------------------------------------------------------------------------------------------------------- */

static void visit_next(struct round *round);

static enum order_health health(const struct visit *visit, enum visit_end how)
{
	struct health_signs signs = {
		.status = visit->status,
		.misconfigured = visit->misconfigured,
		.alien = visit->alien,
		.sick = visit->sick,
		.says_nothing = how == VISIT_RETRY || !visit->reached,
	};

	return health_of(&signs);
}

static const struct {
	enum users_verdict verdict;
	const char *word;
} ends[] = {
	[VISIT_SAME] = {USERS_SAME, "same"},          [VISIT_CHANGED] = {USERS_DONE, "done"},
	[VISIT_GONE] = {USERS_GONE, "gone"},          [VISIT_KEPT] = {USERS_KEPT, "kept"},
	[VISIT_SKIPPED] = {USERS_SKIPPED, "skipped"}, [VISIT_RETRY] = {USERS_RETRY, "retry"},
	[VISIT_REFUSED] = {USERS_REFUSED, "refused"},
};

static void take_result(struct round *round, enum visit_end how)
{
	static const enum metrics_user changes[] = {[USERS_UPDATE] = METRICS_UPDATED,
						    [USERS_DEACTIVATE] = METRICS_DEACTIVATED,
						    [USERS_DELETE] = METRICS_DELETED};
	struct users_task *task = &round->work->tasks[round->at];
	struct visit *visit = &round->visit;

	task->verdict = ends[how].verdict;
	round->metrics->users[changes[round->aim]] += how == VISIT_CHANGED;
	task->in_doubt = visit->in_doubt;
	task->status = how == VISIT_CHANGED ? 0 : (int)visit->status;
	snprintf(task->words, sizeof(task->words), "%s",
		 how == VISIT_CHANGED ? visit->changed : visit->words);
	if (how == VISIT_SAME || how == VISIT_CHANGED)
		snprintf(task->digest, sizeof(task->digest), "%s", visit->digest);
	round->piece->unanswered = visit->unanswered;
	round->piece->closed_for_ms = visit->closed_for_ms;
	round->piece->health = health(visit, how);
	log_event(how == VISIT_RETRY || how == VISIT_REFUSED ? LOG_WARN : LOG_INFO, "user",
		  "app=%s person=%s step=%s result=%s error=%s", round->piece->application, task->principal,
		  round->piece->step, ends[how].word, visit->words[0] != '\0' ? visit->words : "-");
}

static void on_visited(void *ctx, struct visit *visit, enum visit_end how)
{
	struct round *round = ctx;

	(void)visit;
	take_result(round, how);
	forget_person(round);
	round->at++;
	/* A change is what the token was for; who has failed may stand for an application that fails. */
	if (how == VISIT_CHANGED || how == VISIT_RETRY || visit->unanswered)
		finish(round);
	else
		visit_next(round);
}

static void on_checked(void *ctx, bool go)
{
	struct round *round = ctx;

	visit_go(&round->visit, go);
}

/* Immediately before an end; an update does no harm to anybody. */
static void on_ready(void *ctx, struct visit *visit)
{
	struct round *round = ctx;

	if (round->aim == USERS_UPDATE)
		visit_go(visit, true);
	else
		users_check(round->piece, round->aim, round->work->tasks[round->at].principal, on_checked,
			    round);
}

static void start_visit(struct round *round, struct users_task *task)
{
	static const enum visit_aim aims[] = {[USERS_UPDATE] = VISIT_UPDATE,
					      [USERS_DEACTIVATE] = VISIT_DEACTIVATE,
					      [USERS_DELETE] = VISIT_DELETE};
	struct visit *visit = &round->visit;

	memset(visit, 0, sizeof(*visit));
	visit->target = &round->application->scim;
	visit->user_id = task->user_id;
	visit->aim = aims[round->aim];
	visit->source = (struct mapping_source){.names = &round->person.names,
						.id = task->principal,
						.claims = round->claims,
						.claim_count = round->person.claim_count};
	snprintf(visit->digest, sizeof(visit->digest), "%s", task->digest);
	visit->again = task->again;
	visit->deadline_ms = round->piece->deadline_ms;
	visit->on_ready = on_ready;
	visit->on_end = on_visited;
	visit->ctx = round;
	if (visit_start(round->pusher, visit))
		return;
	forget_person(round);
	finish(round);
}

static void visit_next(struct round *round)
{
	while (round->at < round->work->count) {
		struct users_task *task = &round->work->tasks[round->at];

		if (round->aim == USERS_UPDATE && task->person[0] == '\0') {
			task->verdict = USERS_SAME; /* nothing is known of them any more */
			round->at++;
			continue;
		}
		if (take_person(round, task))
			start_visit(round, task);
		else
			finish(round);
		return;
	}
	finish(round);
}

static void on_taken(void *ctx, struct users_work *work, bool is_over)
{
	struct round *round = ctx;

	round->work = work;
	round->piece->is_last = is_over;
	if (work == NULL)
		round_end(round);
	else
		visit_next(round);
}

static enum users_aim aim_of(const struct config_application *application, const char *step)
{
	if (strcmp(step, "leavers") != 0)
		return USERS_UPDATE;
	return application->users_last_removal == LAST_DELETE ? USERS_DELETE : USERS_DEACTIVATE;
}

void users_take_step(const struct step_tools *tools, struct piece *piece)
{
	const struct config_application *application = config_application(tools->config, piece->application);
	/* The configuration may have changed since the cycle began. */
	bool has_work =
		application != NULL &&
		(strcmp(piece->step, "leavers") == 0 ? users_leavers_work(tools->config, application)
						     : users_attributes_work(tools->config, application)) > 0;
	struct round *round = has_work ? calloc(1, sizeof(*round)) : NULL;

	if (round == NULL) {
		piece->is_last = !has_work;
		piece_end(piece);
		return;
	}
	round->piece = piece;
	round->pusher = tools->pusher;
	round->metrics = tools->metrics;
	round->config = config_ref(tools->config);
	round->application = application;
	round->aim = aim_of(application, piece->step);
	users_take(piece, on_taken, round);
}
