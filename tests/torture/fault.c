/* When which fault comes and goes. */
#include "tests/torture/fault.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"

#define LAME_MOST 2 /* brokers that are dead, stopped or cut off at a time, beside kinds that strike all */

void faults_new(struct faults *faults, struct ground *ground, struct history *history, uint64_t seed)
{
	*faults = (struct faults){.ground = ground, .history = history, .dice = dice_new(seed, 1)};
}

static unsigned weight(const struct faults *faults, const struct fault_kind *kind, bool is_storm)
{
	bool possible = (kind->is_possible == NULL || kind->is_possible(faults->ground)) &&
			(is_storm || kind->scope <= SCOPE_CLOCK);

	return possible ? kind->weight : 0;
}

static const struct fault_kind *choose(struct faults *faults, bool is_storm)
{
	const struct fault_kind *kind = fault_kinds;
	unsigned sum = 0, at;

	for (; kind->name != NULL; kind++)
		sum += weight(faults, kind, is_storm);
	at = dice_roll(&faults->dice, sum);
	for (kind = fault_kinds; at >= weight(faults, kind, is_storm); kind++)
		at -= weight(faults, kind, is_storm);
	return kind;
}

static size_t count_active(const struct faults *faults, enum fault_scope scope)
{
	size_t count = 0;

	for (size_t i = 0; i < FAULTS_AT_ONCE; i++)
		count += faults->active[i].kind != NULL && faults->active[i].kind->scope == scope;
	return count;
}

static bool is_struck(const struct faults *faults, enum fault_scope scope, size_t target)
{
	for (size_t i = 0; i < FAULTS_AT_ONCE; i++) {
		const struct fault *fault = &faults->active[i];

		if (fault->kind != NULL && fault->kind->scope == scope && fault->target == target)
			return true;
	}
	return false;
}

/* A place for it that nothing else has struck; false when there is none. */
static bool aim(struct faults *faults, struct fault *fault)
{
	const struct ground_options *options = &faults->ground->options;
	enum fault_scope scope = fault->kind->scope;

	fault->target = 0;
	if (scope == SCOPE_APP) {
		fault->target = dice_roll(&faults->dice, (unsigned)options->apps);
		return !is_struck(faults, scope, fault->target);
	}
	if (scope == SCOPE_CLOCK) {
		fault->target = dice_roll(&faults->dice, (unsigned)options->brokers);
		return !is_struck(faults, scope, fault->target);
	}
	if (count_active(faults, SCOPE_ALL) > 0)
		return false;
	if (scope == SCOPE_BROKER) {
		fault->target = dice_roll(&faults->dice, (unsigned)options->brokers);
		return !is_struck(faults, scope, fault->target) && count_active(faults, scope) < LAME_MOST;
	}
	if (scope == SCOPE_REDIS) {
		fault->target = dice_roll(&faults->dice,
					  options->cluster ? (unsigned)faults->ground->cluster.count : 1);
		/* Whoever has one replica may lose one node at a time. */
		return count_active(faults, scope) == 0 && ground_store_is_whole(faults->ground);
	}
	/* An application where much goes on and nothing is wrong, for what strikes a push. */
	fault->target = 3 * (size_t)dice_roll(&faults->dice, (unsigned)options->apps / 3) + 2;
	return !is_struck(faults, SCOPE_APP, fault->target) && count_active(faults, SCOPE_BROKER) == 0 &&
	       count_active(faults, SCOPE_REDIS) == 0 && ground_store_is_whole(faults->ground);
}

static struct fault *free_place(struct faults *faults)
{
	for (size_t i = 0; i < FAULTS_AT_ONCE; i++)
		if (faults->active[i].kind == NULL)
			return &faults->active[i];
	return NULL;
}

void faults_add(struct faults *faults, bool is_storm)
{
	struct fault *place = free_place(faults);
	struct fault fault = {.kind = faults->wish != NULL ? faults->wish : choose(faults, is_storm)};
	int64_t length, from_ms;

	if (place == NULL)
		return;
	if (!aim(faults, &fault)) {
		if (fault.kind->scope != SCOPE_ALL)
			return;
		/* It would never come, were others begun meanwhile. */
		faults->wish = fault.kind;
		fault.kind = choose(faults, false);
		if (!aim(faults, &fault))
			return;
	} else if (fault.kind == faults->wish) {
		faults->wish = NULL;
	}
	length = dice_between(&faults->dice, fault.kind->shortest_ms, fault.kind->longest_ms);
	fault.chance = dice_roll(&faults->dice, 1000000);
	/* Whatever happens from before it begins on may be its doing. */
	from_ms = clock_wall_ms();
	if (!fault.kind->begin(faults->ground, &fault))
		return;
	fault.number = faults->count++;
	history_note(faults->history, "fault",
		     "\"n\":%ld,\"kind\":\"%s\",\"class\":\"%s\",\"app\":%d,\"target\":%zu,\"from\":%lld",
		     fault.number, fault.kind->name, fault.kind->class,
		     fault.kind->scope == SCOPE_APP ? (int)fault.target : -1, fault.target,
		     (long long)from_ms);
	fault.heal_at_ms = clock_mono_ms() + length;
	*place = fault;
}

bool faults_heal(struct faults *faults, bool all)
{
	bool good = true;

	for (size_t i = 0; i < FAULTS_AT_ONCE; i++) {
		struct fault *fault = &faults->active[i];

		if (fault->kind == NULL || (!all && clock_mono_ms() < fault->heal_at_ms))
			continue;
		if (!fault->kind->heal(faults->ground, fault)) {
			fprintf(stderr, "%s at %zu cannot be healed\n", fault->kind->name, fault->target);
			good = false;
		}
		history_note(faults->history, "healed", "\"n\":%ld", fault->number);
		fault->kind = NULL;
	}
	return good;
}
