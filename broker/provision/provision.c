#include "provision/provision.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "broker/person.h"
#include "provision/deposit.h"
#include "provision/health.h"
#include "scim-push/retry.h"

struct job {
	struct push push;
	const struct provisioner *with;
	struct config *config; /* one reference */
	struct order *order;
	struct saving *saving; /* the escrow is writing down who is about to be sent */
	bool sent[PUSH_MEMBERS_MAX];
	bool unsaved;                 /* it could not, so nothing was sent */
	struct provision_watch watch; /* all NULL: nobody looks */
	uint32_t chance; /* one for all members, so that a batch that fails comes back as a batch */
	/* Not in the group that this push is for, or in one that is not exclusive any more. */
	bool elsewhere[PUSH_MEMBERS_MAX];
	/* The members' claims, and what their texts are borrowed from. */
	struct person_claim *claims[PUSH_MEMBERS_MAX];
	cJSON *people[PUSH_MEMBERS_MAX];
	struct push_member members[];
};

/* Whoever waits for the escrow. */
struct saving {
	struct job *job; /* NULL: its deadline came first */
};

static void on_saved(void *ctx, enum err err)
{
	struct saving *saving = ctx;
	struct job *job = saving->job;

	free(saving);
	if (job == NULL)
		return;
	job->saving = NULL;
	job->unsaved = err != ERR_OK && job->config->escrow_required;
	push_send(&job->push, job->unsaved ? NULL : job->sent);
}

/* An addition is sent once the escrow knows how to take it back. */
static void save(struct job *job)
{
	struct saving *saving = malloc(sizeof(*saving));

	if (saving != NULL) {
		saving->job = job;
		job->saving = saving;
		if (escrow_save(job->with->escrow, on_saved, saving))
			return;
	}
	free(saving);
	job->saving = NULL;
	push_send(&job->push, NULL);
}

static void on_checked(void *ctx, const struct order_check *checks)
{
	struct job *job = ctx;
	struct escrow *escrow = job->with->escrow;

	for (size_t i = 0; i < job->push.count; i++)
		job->sent[i] = checks != NULL && checks[i].wanted && !job->elsewhere[i];
	if (checks != NULL && escrow != NULL && job->order->add &&
	    deposit_addition(escrow, job->order, &job->push, checks, job->sent))
		save(job);
	else
		push_send(&job->push, checks != NULL ? job->sent : NULL);
}

static void on_ready(void *ctx, struct push *push)
{
	struct job *job = ctx;

	(void)push;
	order_check(job->order, on_checked, job);
}

static void take_result(struct job *job, size_t i)
{
	static const struct {
		enum order_verdict order;
		enum metrics_push metrics;
	} verdicts[] = {
		[PUSH_DONE] = {ORDER_DONE, METRICS_DONE},
		[PUSH_RETRY] = {ORDER_RETRY, METRICS_RETRY},
		[PUSH_REFUSED] = {ORDER_REFUSED, METRICS_REFUSED},
		[PUSH_SKIPPED] = {ORDER_SKIPPED, METRICS_SKIPPED},
		[PUSH_SPLIT] = {ORDER_SPLIT, METRICS_SPLIT},
	};
	struct order_member *to = &job->order->members[i];
	const struct push_member *from = &job->push.members[i];

	to->verdict = verdicts[from->verdict].order;
	if (from->verdict == PUSH_DONE && from->standing)
		to->verdict = ORDER_STANDING;
	else if (from->verdict == PUSH_DONE && from->unverified)
		to->verdict = ORDER_UNVERIFIED;
	to->in_doubt = from->in_doubt;
	to->created = from->created;
	to->creation_lost = from->creation_lost && !from->created;
	to->activated = from->activated;
	job->with->metrics->users[METRICS_CREATED] += from->created;
	to->error = from->error;
	to->status = (int)from->status;
	if (job->push.group_id[0] != '\0' && from->user_id[0] != '\0' && !job->elsewhere[i])
		snprintf(to->ids, sizeof(to->ids), "%s\n%s", job->push.group_id, from->user_id);
	if (job->unsaved && to->verdict == ORDER_SKIPPED) {
		to->verdict = ORDER_RETRY;
		to->error = "Not sent: the escrow of removals cannot be written.";
	}
	to->delay_ms = to->verdict == ORDER_RETRY || to->verdict == ORDER_REFUSED
			       ? retry_delay_ms((unsigned)to->failures + 1, !job->order->add, job->chance)
			       : 0;
	job->with->metrics->members[job->order->add][verdicts[from->verdict].metrics]++;
	if (to->missing && (to->verdict == ORDER_DONE || to->verdict == ORDER_UNVERIFIED))
		job->with->metrics->drift[METRICS_MISSING]++;
}

/* Did it leave anything undone that was wanted? */
static bool failed(const struct push *push)
{
	for (size_t i = 0; i < push->count; i++)
		if (push->members[i].verdict == PUSH_RETRY || push->members[i].verdict == PUSH_REFUSED)
			return true;
	return false;
}

static const char *summary(const struct push *push)
{
	enum push_verdict worst = PUSH_DONE;

	for (size_t i = 0; i < push->count; i++)
		if (push->members[i].verdict != PUSH_DONE)
			worst = push->members[i].verdict;
	return worst == PUSH_SPLIT     ? "split"
	       : worst == PUSH_DONE    ? "done"
	       : worst == PUSH_RETRY   ? "retry"
	       : worst == PUSH_REFUSED ? "refused"
				       : "skipped";
}

static bool any_done(const struct push *push)
{
	for (size_t i = 0; i < push->count; i++)
		if (push->members[i].verdict == PUSH_DONE)
			return true;
	return false;
}

static void take_health(struct order *order, const struct push *push)
{
	struct health_signs signs = {
		.status = push->status,
		.done = any_done(push),
		.misconfigured = push->misconfigured,
		.alien = push->alien,
		.sick = push->sick,
		.says_nothing = push->nothing_reached || push->status == 429 || push->closed_for_ms > 0,
	};

	order->health = health_of(&signs);
	for (size_t i = 0; i < push->count && order->health_words == NULL; i++)
		if (push->members[i].error[0] != '\0')
			order->health_words = push->members[i].error;
}

static void job_free(struct job *job)
{
	if (job->saving != NULL)
		job->saving->job = NULL;
	for (size_t i = 0; i < job->push.count; i++) {
		free(job->claims[i]);
		cJSON_Delete(job->people[i]);
	}
	config_unref(job->config);
	free(job);
}

static void on_end(void *ctx, struct push *push)
{
	struct job *job = ctx;
	struct order *order = job->order;
	int64_t took_ms = clock_mono_ms() - order->begun_ms;

	for (size_t i = 0; i < push->count; i++)
		take_result(job, i);
	order->unanswered = push->unanswered;
	order->closed_for_ms = push->closed_for_ms;
	order->chance = job->chance;
	take_health(order, push);
	job->with->metrics->pushes[order->add]++;
	job->with->metrics->push_ms[order->add] += (uint64_t)took_ms;
	if (job->with->escrow != NULL)
		deposit_outcome(job->with->escrow, order, push, activation_now_ms(order->activation));
	log_event(failed(push) ? LOG_WARN : LOG_INFO, "push_end",
		  "app=%s push=%s op=%s group=%s members=%zu result=%s ms=%lld error=%s", order->application,
		  order->id, order->add ? "add" : "remove", order->group, push->count, summary(push),
		  (long long)took_ms, push->members[0].error[0] != '\0' ? push->members[0].error : NULL);
	if (job->watch.on_end != NULL)
		job->watch.on_end(job->watch.ctx, push);
	order_end(order);
	job_free(job);
}

static void on_step(void *ctx, struct push *push, const struct push_step *step)
{
	struct job *job = ctx;

	(void)push;
	job->watch.on_step(job->watch.ctx, step);
}

/* What the store keeps of the user. */
static void take_user(struct push_member *member, const struct order_member *from)
{
	snprintf(member->known_id, sizeof(member->known_id), "%.*s", PUSH_ID_SIZE - 1, from->user_id);
	member->look_up = from->deleted;
	member->inactive = from->inactive;
	member->maybe_created = from->maybe_ours;
}

/* The person's names and claims. False without memory: what is not known of them must not be pushed as empty. */
static bool take_person(struct job *job, size_t i)
{
	struct push_member *member = &job->members[i];
	struct person person;

	if (person_read(&person, job->order->members[i].person) != ERR_OK)
		return false;
	job->people[i] = person.json;
	member->person = person.names;
	member->principal = job->order->members[i].principal;
	job->claims[i] = person_claims(&person);
	member->claims = job->claims[i];
	member->claim_count = person.claim_count;
	return member->claims != NULL;
}

/*
 * A removal is made by the ids of the addition: "GROUP\nUSER", as the push told them. All members of a push are in
 * one group of the application; one that was added to a predecessor of it (deleted, made again) is left to the next.
 */
static void take_ids(struct job *job, size_t i)
{
	const char *ids = job->order->members[i].ids;
	const char *end = strchr(ids, '\n');
	int len = end != NULL ? (int)(end - ids) : 0;

	if (job->order->add || end == NULL || len == 0 || len >= PUSH_ID_SIZE)
		return;
	if (job->push.group_id[0] == '\0')
		snprintf(job->push.group_id, sizeof(job->push.group_id), "%.*s", len, ids);
	job->elsewhere[i] =
		(int)strlen(job->push.group_id) != len || strncmp(job->push.group_id, ids, (size_t)len) != 0;
	snprintf(job->members[i].user_id, sizeof(job->members[i].user_id), "%s", end + 1);
}

static struct job *job_new(const struct provisioner *with, struct config *config, struct order *order)
{
	const struct config_application *application = config_application(config, order->application);
	const struct config_group *group = config_group(config, order->group);
	struct job *job;

	if (application == NULL)
		return NULL;
	job = calloc(1, sizeof(*job) + order->count * sizeof(job->members[0]));
	if (job == NULL)
		return NULL;
	job->with = with;
	job->config = config_ref(config);
	job->order = order;
	job->chance = retry_chance();
	job->push.target = &application->scim;
	snprintf(job->push.id, sizeof(job->push.id), "%s", order->id);
	/* A group that has left the configuration is still known by the name it had, so that its members can go. */
	snprintf(job->push.group_name, sizeof(job->push.group_name), "%s",
		 group != NULL ? group->name : order->group_name);
	snprintf(job->push.group_external_id, sizeof(job->push.group_external_id), "%s",
		 group != NULL ? group->external_id : "");
	snprintf(job->push.known_group_id, sizeof(job->push.known_group_id), "%.*s", PUSH_ID_SIZE - 1,
		 order->group_ids);
	job->push.add = order->add;
	job->push.deadline_ms = order->deadline_ms;
	job->push.count = order->count;
	job->push.members = job->members;
	for (size_t i = 0; i < order->count; i++) {
		if (!take_person(job, i)) {
			job_free(job);
			return NULL;
		}
		job->members[i].failures = (unsigned)order->members[i].failures;
		job->members[i].look_first = order->members[i].missing ||
					     (application->scim.keep_standing && order->members[i].untouched);
		take_ids(job, i);
		take_user(&job->members[i], &order->members[i]);
		if (order->members[i].foreign && (group == NULL || group->exclusive != DRIFT_REMOVE))
			job->elsewhere[i] = true;
	}
	job->push.on_ready = on_ready;
	job->push.on_end = on_end;
	job->push.ctx = job;
	return job;
}

/* The order ends as one to be tried again. */
static void give_up(struct order *order)
{
	for (size_t i = 0; i < order->count; i++) {
		order->members[i].verdict = ORDER_RETRY;
		order->members[i].delay_ms = retry_delay_ms(5, true, retry_chance());
		order->members[i].error = "The broker could not make the push.";
	}
	order_end(order);
}

static void start(struct job *job)
{
	struct order *order = job->order;

	if (job->with->escrow != NULL && !order->add)
		deposit_removal(job->with->escrow, order, activation_now_ms(order->activation));
	push_start(job->with->pusher, &job->push);
}

void provision(const struct provisioner *with, struct config *config, struct order *order)
{
	struct job *job = job_new(with, config, order);

	if (job == NULL)
		give_up(order);
	else
		start(job);
}

void provision_watched(const struct provisioner *with, struct config *config, struct order *order,
		       const struct provision_watch *watch)
{
	struct job *job = job_new(with, config, order);

	if (job == NULL) {
		watch->on_end(watch->ctx, NULL);
		give_up(order);
		return;
	}
	job->watch = *watch;
	job->push.on_step = on_step;
	if (watch->deadline_ms < job->push.deadline_ms)
		job->push.deadline_ms = watch->deadline_ms;
	start(job);
}
