/* The whole verdict, and the table by kind of fault. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/torture/judge.h"

#define PATIENCE_MS 10000
#define AFTER_MS    6000 /* what happens so long after a fault's healing is put down to it, too */

void judge_all(struct judge *judge)
{
	judge_kept(judge);
	judge_approvals(judge);
	judge_fives(judge);
	judge_access(judge);
	judge_first(judge);
	judge_trail(judge);
	judge_end_state(judge);
}

bool judge_is_clean(const struct judge *judge)
{
	return judge->lost == 0 && judge->over_count == 0 && judge->overdue == 0 && judge->broken == 0;
}

/* -- the table -------------------------------------------------------------------------------------------------- */

struct row {
	const char *kind; /* NULL = while nothing was wrong; "" = all */
	size_t injected, acknowledged, lost, over, ends;
	int64_t *late; /* of each end; owned */
};

static bool overlaps(const struct judge_fault *fault, int64_t from_ms, int64_t to_ms)
{
	return fault->from_ms <= to_ms && fault->to_ms + AFTER_MS >= from_ms;
}

/* Does this belong to the row? */
static bool is_of(const struct judge *judge, const struct row *row, int app, struct judge_span span)
{
	bool any = false;

	if (row->kind != NULL && row->kind[0] == '\0')
		return true;
	for (size_t i = 0; judge->faults != NULL && i < judge->fault_count; i++) {
		const struct judge_fault *fault = &judge->faults[i];

		if ((fault->app >= 0 && fault->app != app) || !overlaps(fault, span.from_ms, span.to_ms))
			continue;
		any = true;
		if (row->kind != NULL && strcmp(row->kind, fault->kind) == 0)
			return true;
	}
	return row->kind == NULL && !any;
}

static int by_size(const void *a, const void *b)
{
	const int64_t *left = a, *right = b;

	return (*left > *right) - (*left < *right);
}

static void fill_row(const struct judge *judge, struct row *row)
{
	for (size_t i = 0; i < judge->op_count; i++) {
		const struct judge_op *op = &judge->ops[i];

		if (!op->lost && op->status / 100 != 2)
			continue;
		if (!is_of(judge, row, (int)judge->people[op->person].app,
			   (struct judge_span){op->first_ms,
					       op->status != 0 ? op->answered_ms : judge->end_ms}))
			continue;
		row->acknowledged += op->status / 100 == 2;
		row->lost += op->lost;
	}
	for (size_t i = 0; i < judge->decision_count; i++) {
		const struct judge_decision *decision = &judge->decisions[i];

		if (!is_of(judge, row, -1,
			   (struct judge_span){decision->first_ms, decision->status != 0
									   ? decision->answered_ms
									   : judge->end_ms}))
			continue;
		row->acknowledged += decision->status / 100 == 2;
		row->lost += decision->lost;
	}
	for (size_t i = 0; i < judge->end_count; i++) {
		const struct judge_end *end = &judge->ends[i];

		if (!is_of(judge, row, (int)judge->people[end->person].app,
			   (struct judge_span){end->end_ms, end->gone_ms}))
			continue;
		row->late = judge_grow(row->late, row->ends, sizeof(*row->late));
		row->late[row->ends++] = end->gone_ms - end->end_ms;
	}
	for (size_t i = 0; i < judge->over_count; i++)
		row->over += is_of(judge, row, -1, (struct judge_span){judge->over_ms[i], judge->over_ms[i]});
	if (row->ends > 0)
		qsort(row->late, row->ends, sizeof(*row->late), by_size);
}

static void print_late(const struct row *row, size_t percent)
{
	size_t place = row->ends > 0 ? (row->ends - 1) * percent / 100 : 0;

	if (row->ends == 0)
		printf(" - |");
	else
		printf(" %.2f s |", (double)row->late[place] / 1000);
}

static void print_row(const struct judge *judge, struct row *row)
{
	fill_row(judge, row);
	printf("| %s | ", row->kind == NULL ? "(no fault near)" : row->kind[0] == '\0' ? "all" : row->kind);
	if (row->kind == NULL)
		printf("-");
	else
		printf("%zu", row->injected);
	printf(" | %zu | %zu | %zu |", row->acknowledged, row->lost, row->ends);
	print_late(row, 50);
	print_late(row, 99);
	print_late(row, 100);
	printf(" %zu |\n", row->over);
	free(row->late);
}

static void print_table(const struct judge *judge)
{
	struct row rows[JUDGE_KINDS] = {0};
	size_t count = 0;

	for (size_t i = 0; i < judge->fault_count; i++) {
		size_t n = 0;

		while (n < count && strcmp(rows[n].kind, judge->faults[i].kind) != 0)
			n++;
		if (n == count && count < JUDGE_KINDS)
			rows[count++].kind = judge->faults[i].kind;
		if (n < count)
			rows[n].injected++;
	}
	printf("| fault | times | acknowledged | lost | accesses that ended | outliving their end: p50 | p99 "
	       "| max | "
	       "pushes beyond five |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n");
	for (size_t n = 0; n < count; n++)
		print_row(judge, &rows[n]);
	print_row(judge, &(struct row){.kind = NULL});
	print_row(judge, &(struct row){.kind = "", .injected = judge->fault_count});
}

void judge_print(const struct judge *judge)
{
	size_t seen = 0;
	int64_t worst = 0;

	for (size_t i = 0; i < judge->end_count; i++) {
		const struct judge_end *end = &judge->ends[i];

		seen += PATIENCE_MS -
				judge_excused(judge, end->person, end->end_ms, end->end_ms + PATIENCE_MS) >
			judge->target_ms;
		if (end->gone_ms - end->end_ms - end->excused_ms > worst)
			worst = end->gone_ms - end->end_ms - end->excused_ms;
	}
	print_table(judge);
	printf("\n%zu accesses ended; the latest removal was %.2f s late after excuses (target %.1f s). %zu "
	       "of them would have "
	       "been found overdue, had they gone on for %d s.\n",
	       judge->end_count, (double)worst / 1000, (double)judge->target_ms / 1000, seen,
	       PATIENCE_MS / 1000);
	printf("%zu activations were answered as being pushed at once, %zu as deferred to the next cycle.\n",
	       judge->at_once, judge->deferred);
	printf("%zu requests for an approver's word: %zu approved, %zu denied, %zu withdrawn, %zu timed out; "
	       "%zu "
	       "decisions came "
	       "too late, %zu were about one's own and refused.\n",
	       judge->approved + judge->denied + judge->withdrawn + judge->timed_out, judge->approved,
	       judge->denied, judge->withdrawn, judge->timed_out, judge->too_late, judge->own);
	if (judge->broken > 0)
		printf("%zu breaches of other invariants\n", judge->broken);
}

struct judge_tally judge_tally(const struct judge *judge)
{
	return (struct judge_tally){.faults = judge->fault_count,
				    .acknowledged = judge->acknowledged,
				    .lost = judge->lost,
				    .over = judge->over_count,
				    .overdue = judge->overdue};
}

void judge_print_tally(const struct judge_tally *tally)
{
	printf("torture: %zu faults, %zu acknowledged, %zu lost, %zu over-pushes, %zu overdue beyond "
	       "target\n",
	       tally->faults, tally->acknowledged, tally->lost, tally->over, tally->overdue);
}
