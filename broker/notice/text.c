#include "notice/text.h"

#include <stdio.h>
#include <string.h>

#include "notice/words.h"

#define ESCALATED_MS 30000 /* a delivery that was made so much later than its notice was meant to be */
#define FOR_EVER_MS  INT64_C(253402214400000) /* 9999-12-31 */

/* One text being written: what it is about, for whom, and where it goes. */
struct writing {
	const struct notice *n;
	const struct text_names *names;
	const struct text_reader *reader;
	struct buf *out;
};

static bool is_granted(const struct notice *n)
{
	return n->request.state != ST_DENIED && n->request.state != ST_LAPSED &&
	       n->request.state != ST_CANCELED;
}

/* Texts from outside are one line of the mail: a break in them becomes a blank. */
static void add_clean(struct buf *out, const char *text)
{
	for (const char *at = text; *at != '\0'; at++) {
		char c = (unsigned char)*at < ' ' || *at == 0x7f ? ' ' : *at;

		buf_add(out, &c, 1);
	}
}

static void add_time(const struct writing *w, int64_t at_ms)
{
	char text[WORDS_SIZE];

	buf_adds(w->out, words_time(w->reader->zone, at_ms, text));
}

/* ", until TIME", or that there is no end: an administrator may give a membership for ever. */
static void add_until(const struct writing *w)
{
	if (w->n->request.end_ms >= FOR_EVER_MS) {
		buf_adds(w->out, ", without an end");
		return;
	}
	buf_adds(w->out, ", until ");
	add_time(w, w->n->request.end_ms);
}

static void add_duration(const struct writing *w, int64_t ms)
{
	char text[WORDS_SIZE];

	buf_adds(w->out, words_duration(ms, text));
}

/* "You", or "Amira Haddad (amira@example.com)". */
static void add_person(const struct writing *w)
{
	if (w->reader->is_requester) {
		buf_adds(w->out, "You");
		return;
	}
	add_clean(w->out, w->names->person);
	if (w->names->user_name[0] != '\0' && strcmp(w->names->user_name, w->names->person) != 0) {
		buf_adds(w->out, " (");
		add_clean(w->out, w->names->user_name);
		buf_adds(w->out, ")");
	}
}

/* "the group aws-admins (application aws)" */
static void add_group(const struct writing *w)
{
	buf_adds(w->out, "the group ");
	add_clean(w->out, w->names->group);
	buf_adds(w->out, " (application ");
	add_clean(w->out, w->names->application);
	buf_adds(w->out, ")");
}

static void add_reason(const struct writing *w)
{
	const struct request *r = &w->n->request;

	if (w->reader->with_justification && r->justification[0] != '\0') {
		buf_adds(w->out, "Reason given: ");
		add_clean(w->out, r->justification);
		buf_adds(w->out, "\n");
	}
	if (r->ticket_number[0] != '\0') {
		buf_adds(w->out, "Ticket: ");
		add_clean(w->out, r->ticket_number);
		buf_adds(w->out, "\n");
	}
}

/* Why, as the broker or the application said it. */
static void add_error(const struct writing *w, const char *lead)
{
	if (w->n->request.error[0] == '\0')
		return;
	buf_adds(w->out, lead);
	add_clean(w->out, w->n->request.error);
	buf_adds(w->out, "\n");
}

static void say_requested(const struct writing *w)
{
	const struct request *r = &w->n->request;

	add_person(w);
	buf_addf(w->out, " %s for ", w->reader->is_requester ? "have asked" : "asks");
	add_group(w);
	if (r->duration_ms > 0) {
		buf_adds(w->out, ", for ");
		add_duration(w, r->duration_ms);
	} else if (r->end_ms > 0) {
		add_until(w);
	}
	if (r->asked_start_ms > w->n->told_ms) {
		buf_adds(w->out, ", from ");
		add_time(w, r->asked_start_ms);
		buf_adds(w->out, " on");
	}
	buf_adds(w->out, ".\n");
	add_reason(w);
	if (!w->reader->is_requester && w->n->made_ms > w->n->told_ms + ESCALATED_MS) {
		buf_adds(w->out, "\nYou are asked because nobody has decided for ");
		add_duration(w, w->n->made_ms - w->n->told_ms);
		buf_adds(w->out, ".");
	}
	buf_adds(w->out, "\nAn approver has to decide. If nobody does until ");
	add_time(w, r->approval_until_ms);
	buf_adds(w->out, ", the request is denied.\n");
}

static void say_decided(const struct writing *w)
{
	bool granted = is_granted(w->n);

	buf_adds(w->out, w->reader->is_requester ? "Your request for " : "The request of ");
	if (!w->reader->is_requester) {
		add_person(w);
		buf_adds(w->out, " for ");
	}
	add_group(w);
	buf_adds(w->out, granted                              ? " was approved"
			 : w->n->request.state == ST_CANCELED ? " was withdrawn"
							      : " was not granted");
	if (granted && w->names->decided_by[0] != '\0') {
		buf_adds(w->out, " by ");
		add_clean(w->out, w->names->decided_by);
	}
	buf_adds(w->out, ".\n");
	if (!granted)
		add_error(w, "");
	if (w->reader->with_justification && w->names->why[0] != '\0') {
		buf_adds(w->out, "They wrote: ");
		add_clean(w->out, w->names->why);
		buf_adds(w->out, "\n");
	}
	if (granted && w->n->request.state == ST_SCHEDULED) {
		buf_adds(w->out, "It begins at ");
		add_time(w, w->n->request.start_ms);
		buf_adds(w->out, ".\n");
	}
}

static void say_active(const struct writing *w)
{
	add_person(w);
	buf_addf(w->out, " now %s ", w->reader->is_requester ? "have" : "has");
	add_group(w);
	add_until(w);
	if (w->n->request.end_ms < FOR_EVER_MS) {
		buf_adds(w->out, ", for ");
		add_duration(w, w->n->request.end_ms - w->n->told_ms);
	}
	buf_adds(w->out, ".\n");
	if (!w->reader->is_requester)
		add_reason(w);
	else
		buf_adds(w->out, "\nIf you need it no longer before that, please give it back.\n");
}

static void say_deferred(const struct writing *w)
{
	const struct request *r = &w->n->request;

	buf_adds(w->out, w->reader->is_requester ? "Your activation of " : "The activation of ");
	add_group(w);
	if (!w->reader->is_requester) {
		buf_adds(w->out, " by ");
		add_person(w);
	}
	buf_adds(w->out, " waits for the application's next sync cycle");
	if (r->next_cycle_ms > 0) {
		buf_adds(w->out, ", ");
		add_time(w, r->next_cycle_ms);
	}
	buf_adds(w->out, ".\n");
	if (r->error[0] != '\0')
		add_error(w, "The application could not be reached before: ");
	else
		buf_adds(w->out,
			 "More was asked of the application at once than it may be sent. Nothing has to "
			 "be done: the broker takes it up by itself.\n");
}

static void say_ending(const struct writing *w)
{
	buf_adds(w->out, w->reader->is_requester ? "Your time in " : "The time of ");
	if (!w->reader->is_requester) {
		add_person(w);
		buf_adds(w->out, " in ");
	}
	add_group(w);
	buf_adds(w->out, " ends in ");
	add_duration(w, w->n->request.end_ms - w->reader->now_ms);
	buf_adds(w->out, ", at ");
	add_time(w, w->n->request.end_ms);
	buf_adds(w->out, ".\n");
	if (w->reader->is_requester)
		buf_adds(w->out, "\nIf you need it for longer, ask for an extension before it ends.\n");
}

static void say_ended(const struct writing *w)
{
	add_person(w);
	buf_addf(w->out, " no longer %s ", w->reader->is_requester ? "have" : "has");
	add_group(w);
	buf_adds(w->out, ".\n");
}

static void say_failed(const struct writing *w)
{
	buf_adds(w->out, w->reader->is_requester ? "Your activation of " : "The activation of ");
	add_group(w);
	if (!w->reader->is_requester) {
		buf_adds(w->out, " by ");
		add_person(w);
	}
	buf_adds(w->out, " has failed; it gave no access.\n");
	add_error(w, "Why: ");
}

static void say_overdue(const struct writing *w)
{
	add_person(w);
	buf_adds(w->out, " should no longer have ");
	add_group(w);
	buf_adds(w->out, ", but the application has not confirmed the removal for ");
	add_duration(w, w->reader->now_ms - w->n->overdue_ms);
	buf_adds(w->out, ". Until it does, the access may still work.\n");
	add_error(w, "The application's last answer: ");
	buf_adds(w->out, "\nThe broker keeps trying. Somebody should look at the application.\n");
}

static void say_quarantined(const struct writing *w)
{
	buf_adds(w->out, "The application ");
	add_clean(w->out, w->names->application);
	buf_adds(w->out, " is in quarantine, because its pushes fail.\n");
	add_error(w, "Why: ");
	buf_adds(w->out, "\nRemovals are still tried. Somebody should look at the application.\n");
}

static void say_removals_held(const struct writing *w)
{
	buf_adds(w->out, "In the application ");
	add_clean(w->out, w->names->application);
	buf_adds(w->out, ", removals wait for an operator's answer.\n");
	add_error(w, "Why: ");
	buf_adds(w->out, "\nIf the change was meant, let them go: jit guard ");
	add_clean(w->out, w->names->application);
	buf_adds(w->out, " remove. If it was a mistake, put the configuration right; or keep them until "
			 "their own ends: jit guard ");
	add_clean(w->out, w->names->application);
	buf_adds(w->out, " keep.\n");
}

static void say_token(const struct writing *w)
{
	buf_adds(w->out, "The secret token of the application ");
	add_clean(w->out, w->names->application);
	buf_addf(w->out, " %s ", w->n->request.end_ms > w->reader->now_ms ? "ends" : "has ended");
	add_time(w, w->n->request.end_ms);
	buf_adds(w->out,
		 ". Without a good one nothing can be pushed, not even removals.\n\nMake another one in the "
		 "application, and set it as scim.next_token; then there is no gap.\n");
}

static void say_drift(const struct writing *w)
{
	buf_adds(w->out, "The members of ");
	add_group(w);
	buf_adds(w->out, " were not as they should be.\n");
	add_error(w, "What was found: ");
	buf_adds(w->out, "\nThe audit says who. If you know nothing of a change by hand, look into it.\n");
}

static void say_break_glass(const struct writing *w)
{
	add_person(w);
	buf_addf(w->out, " %s activated ", w->reader->is_requester ? "have" : "has");
	add_group(w);
	buf_adds(w->out, " without approval (break-glass)");
	add_until(w);
	buf_adds(w->out, ".\n");
	add_reason(w);
	buf_adds(w->out, "\nIf you know nothing of an emergency, look into it now.\n");
}

static void say_held(const struct writing *w)
{
	int64_t lines = 0;

	buf_addf(w->out, "%lld mail%s to you %s held back since ", (long long)w->n->held,
		 w->n->held == 1 ? "" : "s", w->n->held == 1 ? "was" : "were");
	add_time(w, w->n->told_ms);
	buf_adds(w->out, ", because there were more than a mailbox is sent. This is what they said:\n\n");
	for (const char *at = w->n->lines; *at != '\0'; at += strcspn(at, "\n"), at += *at == '\n') {
		buf_addf(w->out, "- %.*s\n", (int)strcspn(at, "\n"), at);
		lines++;
	}
	if (w->n->held > lines)
		buf_addf(w->out, "- and %lld more\n", (long long)(w->n->held - lines));
}

static const struct telling {
	const char *kind, *subject;
	bool of_person; /* the subject goes on with who and what */
	void (*say)(const struct writing *w);
} tellings[] = {
	{"approval.requested", "Approval wanted", true, say_requested},
	{"approval.decided", NULL, true, say_decided},
	{"activation.provisioned", "Active", true, say_active},
	{"activation.deferred", "Waits for the next sync cycle", true, say_deferred},
	{"activation.ending", "Ends soon", true, say_ending},
	{"activation.ended", "Ended", true, say_ended},
	{"activation.failed", "Failed", true, say_failed},
	{"removal.overdue", "REMOVAL OVERDUE", true, say_overdue},
	{"application.quarantined", "Application in quarantine", false, say_quarantined},
	{"removals.held", "REMOVALS HELD", false, say_removals_held},
	{"token.ending", "Token ends", false, say_token},
	{"membership.drift", "Changed by hand", false, say_drift},
	{"breakglass.used", "BREAK-GLASS USED", true, say_break_glass},
	{"notices.held", "Mails were held back", false, say_held},
};

static const struct telling *telling_of(const struct notice *n)
{
	for (size_t i = 0; i < sizeof(tellings) / sizeof(tellings[0]); i++)
		if (strcmp(tellings[i].kind, n->kind) == 0)
			return &tellings[i];
	return NULL;
}

const char *text_subject(const struct notice *n, const struct text_names *names, char out[TEXT_LINE_MAX])
{
	const struct telling *telling = telling_of(n);
	const char *subject = telling != NULL ? telling->subject : "Notice";

	if (subject == NULL)
		subject = is_granted(n)                     ? "Approved"
			  : n->request.state == ST_CANCELED ? "Withdrawn"
							    : "Not granted";
	if (telling != NULL && telling->of_person)
		snprintf(out, TEXT_LINE_MAX, "%s: %.100s, %.100s", subject, names->group, names->person);
	else if (names->application[0] != '\0')
		snprintf(out, TEXT_LINE_MAX, "%s: %.63s", subject, names->application);
	else
		snprintf(out, TEXT_LINE_MAX, "%s", subject);
	for (char *at = out; *at != '\0'; at++)
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			*at = ' ';
	return out;
}

void text_body(const struct notice *n, const struct text_names *names, const struct text_reader *reader,
	       struct buf *out)
{
	const struct writing w = {n, names, reader, out};
	const struct telling *telling = telling_of(n);

	if (telling != NULL)
		telling->say(&w);
	if (n->tries > 0) {
		buf_adds(out, "\nThis mail is late: it could not be delivered when it was written, ");
		add_time(&w, n->made_ms);
		buf_adds(out, ".\n");
	}
	if (n->request.id[0] != '\0')
		buf_addf(out, "\nRequest %s\n", n->request.id);
	if (reader->public_url[0] != '\0')
		buf_addf(out, "%s%s\n", n->request.id[0] != '\0' ? "" : "\n", reader->public_url);
}
