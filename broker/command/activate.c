/* Asking for a group, for more time, giving it back; and waiting for what becomes of it. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/id.h"
#include "base/json.h"
#include "command/command.h"
#include "command/follow.h"
#include "command/group.h"
#include "command/login.h"
#include "command/words.h"

#define WAIT_FOR_MS (60 * 60 * 1000LL) /* a cycle away, and some */

static void add_text(struct buf *body, const char *name, const char *text)
{
	if (text == NULL)
		return;
	buf_addf(body, ",\"%s\":", name);
	json_add_string(body, text);
}

/* scheduleInfo out of --start, --for and --until; false, having said why, when they make no sense. */
static bool add_schedule(struct buf *body, const struct options *o)
{
	char duration[64];

	if (o->duration != NULL && o->until != NULL) {
		fputs("jit: --for and --until exclude each other\n", stderr);
		return false;
	}
	if (o->duration != NULL && !words_duration(o->duration, duration)) {
		fprintf(stderr, "jit: --for %s: write 2h, 90m, 1h30m or PT2H\n", o->duration);
		return false;
	}
	if (o->duration == NULL && o->until == NULL && o->start == NULL)
		return true;
	buf_adds(body, ",\"scheduleInfo\":{\"startDateTime\":");
	if (o->start != NULL)
		json_add_string(body, o->start);
	else
		buf_adds(body, "null");
	if (o->duration != NULL) {
		buf_adds(body, ",\"expiration\":{\"type\":\"afterDuration\"");
		add_text(body, "duration", duration);
		buf_adds(body, "}");
	} else if (o->until != NULL) {
		buf_adds(body, ",\"expiration\":{\"type\":\"afterDateTime\"");
		add_text(body, "endDateTime", o->until);
		buf_adds(body, "}");
	}
	buf_adds(body, "}");
	return true;
}

static void add_ticket(struct buf *body, const struct options *o)
{
	if (o->ticket == NULL && o->ticket_system == NULL)
		return;
	buf_adds(body, ",\"ticketInfo\":{\"ticketNumber\":");
	json_add_string(body, o->ticket != NULL ? o->ticket : "");
	add_text(body, "ticketSystem", o->ticket_system);
	buf_adds(body, "}");
}

/* What a request is at, in one line. */
static void say_state(const cJSON *request)
{
	char when[WORDS_SIZE], text[WORDS_SIZE];
	const char *status = words_text(request, "status");
	const char *state = words_text(request, "provisioning.state");
	const char *error = words_text(request, "provisioning.lastError");

	if (strcmp(status, "PendingApproval") == 0) {
		puts("waiting for an approver");
	} else if (strcmp(state, "deferred") == 0) {
		printf("deferred: the application may not be sent more just now; its next sync cycle is at "
		       "%s",
		       words_time(words_text(request, "provisioning.nextCycleDateTime"), when));
		if (cJSON_IsNumber(words_at(request, "provisioning.placeInQueue")))
			printf(", place %.0f in the queue",
			       words_at(request, "provisioning.placeInQueue")->valuedouble);
		putchar('\n');
	} else if (strcmp(state, "provisioned") == 0) {
		printf("active until %s\n",
		       words_time(words_text(request, "provisioning.endDateTime"), when));
	} else if (strcmp(status, "Granted") == 0) {
		printf("granted, begins at %s\n",
		       words_time(words_text(request, "scheduleInfo.startDateTime"), when));
	} else {
		printf("%s (%s)\n", words_safe(state, text), words_safe(status, when));
	}
	if (error[0] != '\0')
		printf("  %s\n", words_safe(error, text));
}

static bool is_over(const cJSON *request)
{
	const char *state = words_text(request, "provisioning.state");

	return strcmp(state, "failed") == 0 || strcmp(state, "removed") == 0;
}

static bool is_given(const cJSON *request)
{
	return strcmp(words_text(request, "provisioning.state"), "provisioned") == 0;
}

static void get_request(const struct session *session, const char *id, struct answer *out)
{
	char path[sizeof(PIM) + 64 + ID_SIZE];

	snprintf(path, sizeof(path), PIM "assignmentScheduleRequests/%s", id);
	call(&session->account, "GET", path, NULL, out);
}

/* Looks until the request gives access, or has ended, or the time is over; tells each change as it comes. */
static int wait_for(const struct session *session, const char *id)
{
	const char *patience = session->options.timeout;
	int64_t till = clock_mono_ms() + (patience != NULL ? words_duration_ms(patience) : WAIT_FOR_MS);
	struct follow *follow = follow_new(&session->account, id);
	char before[WORDS_SIZE] = "";
	int code = -1;

	if (follow == NULL) {
		fputs("jit: out of memory\n", stderr);
		return EXIT_UNAVAILABLE;
	}
	while (code < 0) {
		struct answer answer;

		get_request(session, id, &answer);
		if (!answer_ok(&answer)) {
			code = words_error(&answer);
		} else {
			const char *state = words_text(answer.json, "provisioning.state");

			if (strcmp(state, before) != 0 && !session->options.json) {
				say_state(answer.json);
				fflush(stdout);
			}
			words_safe(state, before);
			if (is_given(answer.json))
				code = EXIT_DONE;
			else if (is_over(answer.json))
				code = EXIT_NOT_GIVEN;
			else if (clock_mono_ms() >= till)
				code = EXIT_PENDING;
			if (code >= 0 && session->options.json)
				words_json(&answer);
		}
		answer_release(&answer);
		if (code < 0)
			follow_wait(follow, till);
	}
	follow_free(follow);
	return code;
}

static bool timeout_makes_sense(const struct options *o)
{
	if (o->timeout == NULL || words_duration_ms(o->timeout) > 0)
		return true;
	fprintf(stderr, "jit: --timeout %s: write 30s, 5m or PT5M\n", o->timeout);
	return false;
}

/* POSTs the request and tells what came of it. */
static int submit(struct session *session, const char *body)
{
	const struct options *o = &session->options;
	char id[ID_SIZE] = "", text[WORDS_SIZE];
	struct answer answer;
	int code = EXIT_DONE;

	call(&session->account, "POST", PIM "assignmentScheduleRequests", body, &answer);
	if (!answer_ok(&answer)) {
		if (o->json)
			words_json(&answer);
		code = words_error(&answer);
		login_hint(session, &answer);
		answer_release(&answer);
		return code;
	}
	snprintf(id, sizeof(id), "%s", words_text(answer.json, "id"));
	if (o->json && !(o->wait && id[0] != '\0')) {
		words_json(&answer);
	} else if (!o->json) {
		if (id[0] != '\0')
			printf("request %s\n", words_safe(id, text));
		else
			puts("this would be allowed; nothing was asked for");
		if (!o->wait || id[0] == '\0')
			say_state(answer.json);
	}
	answer_release(&answer);
	return o->wait && id_valid(id) ? wait_for(session, id) : code;
}

static int ask(struct session *session, const char *action, bool with_schedule)
{
	const struct options *o = &session->options;
	struct buf body;
	char group[ID_SIZE];
	int code;

	if (!timeout_makes_sense(o))
		return EXIT_USAGE;
	code = group_find(session, o->words[0], group);
	if (code != EXIT_DONE)
		return code;
	buf_init(&body, 65536);
	buf_addf(&body, "{\"action\":\"%s\",\"accessId\":\"member\",\"groupId\":\"%s\"", action, group);
	add_text(&body, "justification", o->reason);
	add_ticket(&body, o);
	if (o->try_only)
		buf_adds(&body, ",\"isValidationOnly\":true");
	if (o->break_glass)
		buf_adds(&body, ",\"breakGlass\":true");
	code = !with_schedule || add_schedule(&body, o) ? EXIT_DONE : EXIT_USAGE;
	buf_adds(&body, "}");
	if (code == EXIT_DONE && buf_failed(&body)) {
		fputs("jit: that is too long\n", stderr);
		code = EXIT_USAGE;
	}
	if (code == EXIT_DONE)
		code = submit(session, buf_text(&body));
	buf_release(&body);
	return code;
}

int command_activate(struct session *session)
{
	return ask(session, "selfActivate", true);
}

int command_extend(struct session *session)
{
	return ask(session, "selfExtend", true);
}

int command_deactivate(struct session *session)
{
	session->options.wait = false;
	return ask(session, "selfDeactivate", false);
}

static bool is_request_id(const char *id)
{
	if (id_valid(id))
		return true;
	fprintf(stderr, "jit: %.80s is not the id of a request\n", id);
	return false;
}

int command_cancel(struct session *session)
{
	char path[sizeof(PIM) + 64 + ID_SIZE];
	struct answer answer;
	int code = EXIT_DONE;

	if (!is_request_id(session->options.words[0]))
		return EXIT_USAGE;
	snprintf(path, sizeof(path), PIM "assignmentScheduleRequests/%s/cancel", session->options.words[0]);
	call(&session->account, "POST", path, NULL, &answer);
	if (!answer_ok(&answer))
		code = words_error(&answer);
	else if (!session->options.json)
		puts("withdrawn");
	answer_release(&answer);
	return code;
}

static void say_request(const cJSON *request)
{
	static const struct column lines[] = {
		{"request", "id", 0, AS_TEXT},
		{"action", "action", 0, AS_TEXT},
		{"person", "principalId", 0, AS_TEXT},
		{"group", "groupId", 0, AS_TEXT},
		{"reason", "justification", 0, AS_TEXT},
		{"ticket", "ticketInfo.ticketNumber", 0, AS_TEXT},
		{"asked", "createdDateTime", 0, AS_TIME},
		{"status", "status", 0, AS_TEXT},
	};

	words_lines(request, lines, sizeof(lines) / sizeof(lines[0]));
	say_state(request);
}

int command_show(struct session *session)
{
	struct answer answer;
	int code = EXIT_DONE;

	if (!is_request_id(session->options.words[0]) || !timeout_makes_sense(&session->options))
		return EXIT_USAGE;
	if (session->options.wait)
		return wait_for(session, session->options.words[0]);
	get_request(session, session->options.words[0], &answer);
	if (!answer_ok(&answer))
		code = words_error(&answer);
	else if (session->options.json)
		words_json(&answer);
	else
		say_request(answer.json);
	answer_release(&answer);
	return code;
}
