/* What operators and timer jobs call: applications, their cycles, the logs, and the sweep. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "command/audit_file.h"
#include "command/command.h"
#include "command/here.h"
#include "command/words.h"

#define NEXT_SIZE 512 /* a place that an answer names */

/* One call whose answer is printed as it came, or by `say` where people read it. */
static int simple_call(const struct session *session, const char *method, const char *path, const char *body,
		       void (*say)(const cJSON *json))
{
	struct answer answer;
	int code = EXIT_DONE;

	call(&session->account, method, path, body, &answer);
	if (!answer_ok(&answer))
		code = words_error(&answer);
	else if (session->options.json || say == NULL)
		words_json(&answer);
	else
		say(answer.json);
	answer_release(&answer);
	return code;
}

static void application_path(const struct session *session, const char *rest, struct buf *out)
{
	buf_init(out, 1024);
	buf_adds(out, "/api/applications");
	if (session->options.word_count > 0) {
		buf_adds(out, "/");
		call_add_encoded(out, session->options.words[0]);
	}
	buf_adds(out, rest);
}

static int application_call(const struct session *session, const char *method, const char *rest,
			    void (*say)(const cJSON *json))
{
	struct buf path;
	int code;

	application_path(session, rest, &path);
	code = simple_call(session, method, buf_text(&path), NULL, say);
	buf_release(&path);
	return code;
}

static void say_applications(const cJSON *json)
{
	static const struct column columns[] = {
		{"APPLICATION", "id", 24, AS_TEXT},
		{"HEALTH", "health", 10, AS_TEXT},
		{"FREE", "throttle.tokensFree", 4, AS_TEXT},
		{"WAITING", "waiting", 7, AS_TEXT},
		{"DEFERRED", "deferred", 8, AS_TEXT},
		{"REMOVALS", "removalsWaiting", 8, AS_TEXT},
		{"HELD", "guard.held", 4, AS_TEXT},
		{"DONE", "cycle.current.done", 6, AS_TEXT},
		{"OF", "cycle.current.total", 6, AS_TEXT},
		{"CYCLE ENDS", "cycle.current.estimatedEndDateTime", 12, AS_TIME},
		{"NEXT CYCLE", "cycle.nextDateTime", 12, AS_TIME},
		{"TOKEN DAYS", "token.daysLeft", 0, AS_TEXT},
	};
	const cJSON *list = words_at(json, "value");

	words_table(list != NULL ? list : json, columns, sizeof(columns) / sizeof(columns[0]),
		    "There are no applications.");
}

int command_apps(struct session *session)
{
	return application_call(session, "GET", "",
				session->options.word_count == 0 ? say_applications : NULL);
}

static double number_at(const cJSON *json, const char *path)
{
	const cJSON *value = words_at(json, path);

	return cJSON_IsNumber(value) ? value->valuedouble : 0;
}

/* How far the running cycle is, and when the next one begins. */
static void say_progress(const cJSON *json)
{
	const cJSON *current = words_at(json, "current");
	char started[WORDS_SIZE], end[WORDS_SIZE], next[WORDS_SIZE];

	words_time(words_text(current, "startedDateTime"), started);
	words_time(words_text(current, "estimatedEndDateTime"), end);
	words_time(words_text(json, "nextDateTime"), next);
	if (cJSON_IsObject(current))
		printf("running since %s: %.0f of %.0f done, pushes: %.0f, failures: %.0f%s%s\n", started,
		       number_at(current, "done"), number_at(current, "total"), number_at(current, "pushes"),
		       number_at(current, "failures"), end[0] != '\0' ? ", estimated end: " : "", end);
	else
		puts("no cycle runs");
	if (next[0] != '\0')
		printf("next cycle: %s\n", next);
}

static void say_cycles(const cJSON *json)
{
	static const struct column columns[] = {
		{"CYCLE", "number", 6, AS_TEXT},         {"STARTED", "startedDateTime", 12, AS_TIME},
		{"ENDED", "endedDateTime", 12, AS_TIME}, {"DONE", "done", 6, AS_TEXT},
		{"TOTAL", "total", 6, AS_TEXT},          {"PUSHES", "pushes", 6, AS_TEXT},
		{"FAILURES", "failures", 8, AS_TEXT},    {"RESULT", "result", 10, AS_TEXT},
		{"STARTED BY", "startedBy", 0, AS_TEXT},
	};

	words_table(words_at(json, "value"), columns, sizeof(columns) / sizeof(columns[0]),
		    "No cycle had anything to do yet.");
}

int command_cycle(struct session *session)
{
	return application_call(session, "POST", "/cycles", say_progress);
}

int command_cycles(struct session *session)
{
	int code = EXIT_DONE;

	if (!session->options.json)
		code = application_call(session, "GET", "/cycles/current", say_progress);
	return code == EXIT_DONE ? application_call(session, "GET", "/cycles", say_cycles) : code;
}

int command_test(struct session *session)
{
	struct answer answer;
	struct buf path;
	int code = EXIT_DONE;

	application_path(session, "/test", &path);
	call(&session->account, "POST", buf_text(&path), NULL, &answer);
	buf_release(&path);
	if (!answer_ok(&answer))
		code = words_error(&answer);
	else
		words_json(&answer);
	if (code == EXIT_DONE && !cJSON_IsTrue(words_at(answer.json, "passed")))
		code = EXIT_REFUSED;
	answer_release(&answer);
	return code;
}

int command_pause(struct session *session)
{
	return application_call(session, "POST", "/pause", NULL);
}

int command_resume(struct session *session)
{
	return application_call(session, "POST", "/resume", NULL);
}

int command_restart(struct session *session)
{
	return application_call(session, "POST", "/restart", NULL);
}

int command_guard(struct session *session)
{
	const char *word = session->options.words[1];
	struct buf path, body;
	int code;

	if (strcmp(word, "remove") != 0 && strcmp(word, "keep") != 0) {
		fputs("jit: `jit guard APPLICATION remove` lets go what is held, `… keep` keeps it\n",
		      stderr);
		return EXIT_USAGE;
	}
	application_path(session, "/guard", &path);
	buf_init(&body, 64);
	buf_addf(&body, "{\"answer\":\"%s\"}", word);
	code = simple_call(session, "POST", buf_text(&path), buf_text(&body), NULL);
	buf_release(&path);
	buf_release(&body);
	return code;
}

int command_provision(struct session *session)
{
	struct buf path, body;
	int code;

	application_path(session, "/provision", &path);
	buf_init(&body, 4096);
	buf_adds(&body, "{\"principalId\":");
	json_add_string(&body, session->options.words[1]);
	buf_adds(&body, ",\"groupId\":");
	json_add_string(&body, session->options.words[2]);
	buf_adds(&body, "}");
	code = simple_call(session, "POST", buf_text(&path), buf_text(&body), NULL);
	buf_release(&path);
	buf_release(&body);
	return code;
}

static void add_parameter(struct buf *path, const char *name, const char *value)
{
	if (value == NULL)
		return;
	buf_addf(path, "%c%s=", strchr(buf_text(path), '?') != NULL ? '&' : '?', name);
	call_add_encoded(path, value);
}

int command_log(struct session *session)
{
	const struct options *o = &session->options;
	struct buf path;
	int code;

	buf_init(&path, 4096);
	buf_adds(&path, "/api/provisioning-log");
	add_parameter(&path, "application", o->application);
	add_parameter(&path, "person", o->person);
	add_parameter(&path, "group", o->group);
	add_parameter(&path, "result", o->result);
	add_parameter(&path, "$skiptoken", o->after);
	add_parameter(&path, "$top", o->limit);
	code = simple_call(session, "GET", buf_text(&path), NULL, NULL);
	buf_release(&path);
	return code;
}

/* The last part's answer, in words; `events` and `seals` are of all parts. */
static void say_verified(const cJSON *json, double events, double seals)
{
	char why[WORDS_SIZE];

	if (cJSON_IsTrue(words_at(json, "intact"))) {
		printf("%.0f events and %.0f seals: as they were written.\n", events, seals);
		if (!cJSON_IsTrue(words_at(json, "sealed")))
			puts("No key seals them: who can write to Redis could have written all of it anew.");
		return;
	}
	printf("Not as it was written: lane %.0f, event %.0f. %s\n", number_at(json, "break.lane"),
	       number_at(json, "break.number"), words_safe(words_text(json, "break.what"), why));
}

/* Part after part: each answer is about some of the events, and says where the next one goes on. */
static int verify(const struct session *session)
{
	const struct options *o = &session->options;
	char next[NEXT_SIZE];
	double events = 0, seals = 0;
	struct answer answer;
	struct buf path;
	int code = -1;

	snprintf(next, sizeof(next), "%s", o->after != NULL ? o->after : "");
	while (code < 0) {
		buf_init(&path, 4096);
		buf_adds(&path, "/api/audit/verify");
		add_parameter(&path, "after", next[0] != '\0' ? next : NULL);
		add_parameter(&path, "limit", o->limit);
		call(&session->account, "GET", buf_text(&path), NULL, &answer);
		buf_release(&path);
		events += number_at(answer.json, "events");
		seals += number_at(answer.json, "seals");
		snprintf(next, sizeof(next), "%s", words_text(answer.json, "next"));
		if (!answer_ok(&answer))
			code = words_error(&answer);
		else if (!cJSON_IsTrue(words_at(answer.json, "intact")))
			code = EXIT_BROKEN;
		else if (next[0] == '\0')
			code = cJSON_IsTrue(words_at(answer.json, "done")) ? EXIT_DONE : EXIT_UNAVAILABLE;
		if (o->json && answer_ok(&answer))
			words_json(&answer);
		else if (code == EXIT_DONE || code == EXIT_BROKEN)
			say_verified(answer.json, events, seals);
		answer_release(&answer);
	}
	return code;
}

int command_audit(struct session *session)
{
	const struct options *o = &session->options;
	struct buf path;
	int code;

	if (o->word_count > 0 && strcmp(o->words[0], "verify") != 0) {
		fputs("jit: `jit audit` prints the events, `jit audit verify [FILE]` checks them\n", stderr);
		return EXIT_USAGE;
	}
	if (o->word_count > 1)
		return audit_verify_file(o);
	if (o->word_count > 0)
		return verify(session);
	buf_init(&path, 4096);
	buf_adds(&path, "/api/audit");
	add_parameter(&path, "after", o->after);
	add_parameter(&path, "limit", o->limit);
	code = simple_call(session, "GET", buf_text(&path), NULL, NULL);
	buf_release(&path);
	return code;
}

int command_sweep(struct session *session)
{
	struct answer answer;
	int code = EXIT_DONE;

	if (session->options.config != NULL)
		return here_run(
			(const char *[]){"jit-broker", "--config", session->options.config, "--sweep", NULL});
	call(&session->account, "POST", "/api/sweep", NULL, &answer);
	if (!answer_ok(&answer)) {
		code = words_error(&answer);
	} else {
		words_json(&answer);
		if (!cJSON_IsTrue(words_at(answer.json, "complete")))
			code = EXIT_REFUSED;
		else if (cJSON_IsTrue(words_at(answer.json, "late")))
			code = EXIT_LATE;
	}
	answer_release(&answer);
	return code;
}
