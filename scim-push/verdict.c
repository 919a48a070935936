/* How a push ends for its members, and in which words. */
#include "scim-push/run.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"

void all_heard(struct run *run, long status)
{
	for (size_t i = 0; i < run->push->count; i++)
		run->seats[i].heard = status;
}

void note_status(struct run *run, const struct slot *slot, long status)
{
	if (scim_op_is_for_seat(slot->op)) {
		run->seats[slot->seat].heard = status;
		return;
	}
	if (!scim_op_is_patch(slot->op)) {
		all_heard(run, status);
		return;
	}
	for (size_t i = 0; i < run->push->count; i++)
		if (run->seats[i].in_patch)
			run->seats[i].heard = run->seats[i].patched = status;
}

/* What is confirmed was decided by the PATCH, unless that was refused. */
static long deciding_status(const struct seat *seat, enum push_verdict verdict)
{
	if (verdict == PUSH_SKIPPED)
		return 0;
	return verdict == PUSH_DONE && seat->patched >= 200 && seat->patched < 300 ? seat->patched
										   : seat->heard;
}

void seat_settle(struct run *run, size_t seat, enum push_verdict verdict, const char *words)
{
	struct push_member *member = &run->push->members[seat];

	run->seats[seat].step = SEAT_SETTLED;
	member->verdict = verdict;
	member->status = deciding_status(&run->seats[seat], verdict);
	if (words != NULL)
		snprintf(member->error, sizeof(member->error), "%s", words);
	if (verdict == PUSH_DONE) {
		member->in_doubt = false;
		member->error[0] = '\0';
	}
}

bool run_is_settled(const struct run *run)
{
	for (size_t i = 0; i < run->push->count; i++)
		if (run->seats[i].step != SEAT_SETTLED)
			return false;
	return true;
}

void run_over(struct run *run)
{
	run->phase = PHASE_OVER;
	ask_cancel(run);
	run_wake_after(run, 0);
}

void run_settle_rest(struct run *run, enum push_verdict verdict, const char *words)
{
	/* First the requests: giving them up decides what is in doubt. */
	run_over(run);
	for (size_t i = 0; i < run->push->count; i++) {
		if (run->seats[i].step != SEAT_SETTLED)
			seat_settle(run, i, verdict, words);
	}
}

void clean_words(const struct scim_target *target, const char *text, char out[TEXT_SIZE])
{
	char once[TEXT_SIZE];

	scim_clean_text(text, target->token, once, sizeof(once));
	scim_clean_text(once, target->next_token, out, TEXT_SIZE);
}

void answer_text(const struct scim_target *target, enum scim_op op, const struct http_answer *answer,
		 char out[TEXT_SIZE])
{
	const char *doing = scim_op_words(op);
	char detail[SCIM_DETAIL_SIZE];
	char clean[TEXT_SIZE];

	if (answer->status == 0) {
		clean_words(target, answer->words, clean);
		snprintf(out, TEXT_SIZE, "%s: the application %s: %.400s", doing,
			 answer->sent ? "did not answer" : "cannot be reached", clean);
		return;
	}
	scim_read_detail(answer->body, answer->len, target->token, detail);
	clean_words(target, detail, clean);
	if (answer->status >= 300 && answer->status < 400)
		snprintf(clean, sizeof(clean), "a redirect, which is not followed");
	else if (answer->status < 300 && answer_is_page(answer))
		snprintf(clean, sizeof(clean), "a page that is no SCIM");
	snprintf(out, TEXT_SIZE, "%s: the application answered %ld%s%.900s", doing, answer->status,
		 clean[0] == '\0' ? "" : ": ", clean);
}

void answer_words(const struct run *run, enum scim_op op, const struct http_answer *answer,
		  char out[TEXT_SIZE])
{
	answer_text(run->push->target, op, answer, out);
}

void name_words(const struct run *run, const char *before, const char *name, char out[TEXT_SIZE])
{
	char clean[TEXT_SIZE];

	clean_words(run->push->target, name, clean);
	snprintf(out, TEXT_SIZE, "%s \"%.256s\"", before, clean);
}

static const char *method_name(enum http_method method)
{
	switch (method) {
	case HTTP_GET:
		return "GET";
	case HTTP_POST:
		return "POST";
	case HTTP_PATCH:
		return "PATCH";
	case HTTP_DELETE:
		return "DELETE";
	}
	return "";
}

void show_step(struct run *run, const struct slot *slot, const struct http_answer *answer,
	       enum outcome outcome)
{
	struct push *push = run->push;
	char detail[SCIM_DETAIL_SIZE], words[TEXT_SIZE];

	if (push->on_step == NULL)
		return;
	scim_read_detail(answer->body, answer->len, push->target->token, detail);
	clean_words(push->target, answer->status == 0 ? answer->words : detail, words);
	struct push_step step = {.name = scim_op_name(slot->op),
				 .method = method_name(scim_op_method(slot->op)),
				 .path = slot->url == NULL ? "" : slot->url + strlen(push->target->url),
				 .body = slot->body == NULL ? "" : slot->body,
				 .status = answer->status,
				 .ms = clock_mono_ms() - slot->started_ms,
				 .outcome = outcome_name(outcome),
				 .words = words};
	push->on_step(push->ctx, push, &step);
}
