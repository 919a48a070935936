/* An approver's word. */
#include <stdio.h>
#include <string.h>

#include "base/id.h"
#include "base/json.h"
#include "command/command.h"
#include "command/words.h"

#define APPROVALS PIM "assignmentApprovals/"

/* The stage that waits for this caller: its id; "" when none does that has one. */
static void open_stage(const cJSON *approval, char out[ID_SIZE])
{
	const cJSON *stage;

	out[0] = '\0';
	cJSON_ArrayForEach(stage, words_at(approval, "stages"))
		if (out[0] == '\0' && strcmp(words_text(stage, "status"), "InProgress") == 0 &&
		    id_valid(words_text(stage, "id")))
			snprintf(out, ID_SIZE, "%s", words_text(stage, "id"));
}

/* Who was faster, and when; or that it has ended otherwise. */
static void say_decided(const cJSON *approval)
{
	char name[WORDS_SIZE], result[WORDS_SIZE], when[WORDS_SIZE];
	const cJSON *stage, *last = NULL;

	cJSON_ArrayForEach(stage, words_at(approval, "stages"))
		if (words_text(stage, "reviewedDateTime")[0] != '\0')
			last = stage;
	if (last == NULL)
		fputs("jit: nobody has to decide about this request any more\n", stderr);
	else
		fprintf(stderr, "jit: %s said %s at %s; nobody has to decide any more\n",
			words_safe(words_text(last, "reviewedBy.displayName"), name),
			words_safe(words_text(last, "reviewResult"), result),
			words_time(words_text(last, "reviewedDateTime"), when));
}

static int find_stage(const struct session *session, const char *id, char stage[ID_SIZE])
{
	char path[sizeof(APPROVALS) + ID_SIZE];
	struct answer answer;
	int code = EXIT_DONE;

	snprintf(path, sizeof(path), APPROVALS "%s", id);
	call(&session->account, "GET", path, NULL, &answer);
	if (!answer_ok(&answer)) {
		code = words_error(&answer);
	} else {
		open_stage(answer.json, stage);
		if (stage[0] == '\0') {
			say_decided(answer.json);
			code = EXIT_REFUSED;
		}
	}
	answer_release(&answer);
	return code;
}

static int send_decision(const struct session *session, const char *path, const char *result)
{
	struct answer answer;
	struct buf body;
	int code = EXIT_DONE;

	buf_init(&body, 65536);
	buf_addf(&body, "{\"reviewResult\":\"%s\",\"justification\":", result);
	json_add_string(&body, session->options.reason != NULL ? session->options.reason : "");
	buf_adds(&body, "}");
	call(&session->account, "PATCH", path, buf_text(&body), &answer);
	if (!answer_ok(&answer))
		code = words_error(&answer);
	else if (!session->options.json)
		puts(strcmp(result, "Deny") == 0 ? "denied" : "approved");
	answer_release(&answer);
	buf_release(&body);
	return code;
}

static int decide(struct session *session, const char *result)
{
	const char *id = session->options.words[0];
	char path[sizeof(APPROVALS) + 2 * ID_SIZE + 16], stage[ID_SIZE];
	int code;

	if (!id_valid(id)) {
		fprintf(stderr, "jit: %.80s is not the id of a request; see `jit approvals`\n", id);
		return EXIT_USAGE;
	}
	code = find_stage(session, id, stage);
	if (code != EXIT_DONE)
		return code;
	snprintf(path, sizeof(path), APPROVALS "%s/stages/%s", id, stage);
	return send_decision(session, path, result);
}

int command_approve(struct session *session)
{
	return decide(session, "Approve");
}

int command_deny(struct session *session)
{
	return decide(session, "Deny");
}
