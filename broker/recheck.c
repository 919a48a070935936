#include "broker/recheck.h"

#include <stdlib.h>

#include "broker/person.h"

bool recheck(const struct policy *policy, const struct request *request, int64_t now_ms, struct buf *limits,
	     struct errctx *why)
{
	struct person *person = calloc(1, sizeof(*person));
	struct policy_verdict verdict = {0};
	struct policy_ask ask = {
		.now_ms = now_ms,
		.start_ms = request->asked_start_ms,
		.length_ms = request->duration_ms,
		.justification = request->justification,
		.ticket_number = request->ticket_number,
		.break_glass = request->break_glass,
		.is_eligible = request->eligible,
		.is_recheck = true,
	};

	if (person == NULL) {
		err_set(why, ERR_NOMEM, "The broker was out of memory when it was to begin.");
		return false;
	}
	if (ask.length_ms == 0)
		ask.length_ms = request->end_ms - request->start_ms;
	person_read(person, request->person != NULL ? request->person : "");
	ask.person = person_for_policy(person);
	policy_check(policy, &ask, &verdict);
	policy_print_limits(policy, !ask.break_glass && !policy_is_eligible(policy, &ask.person, now_ms),
			    limits);
	if (verdict.count > 0)
		err_set(why, ERR_POLICY, "Policy no longer allows it: %s.", verdict.refusals[0].rule);
	person_release(person);
	free(person);
	return verdict.count == 0;
}
