#include "command/group.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "command/words.h"

#define MINE                                                                                                 \
	PIM "eligibilityScheduleInstances/filterByCurrentUser(on='principal')?$expand=group,policy&$top=999"

/* Two groups of one name, in two applications, are told apart by their ids only. */
static int pick(const cJSON *list, const char *name, char out[ID_SIZE])
{
	const cJSON *item;
	char found[ID_SIZE] = "";

	cJSON_ArrayForEach(item, list) {
		const char *id = words_text(item, "groupId");

		if (strcasecmp(words_text(item, "group.displayName"), name) != 0 || !id_valid(id) ||
		    strcmp(found, id) == 0)
			continue;
		if (found[0] != '\0') {
			fprintf(stderr,
				"jit: more than one group is called %.100s; `jit groups` shows their ids\n",
				name);
			return EXIT_REFUSED;
		}
		snprintf(found, sizeof(found), "%s", id);
	}
	if (found[0] == '\0') {
		fprintf(stderr,
			"jit: you may not activate a group called %.100s; `jit groups` shows which you may\n",
			name);
		return EXIT_REFUSED;
	}
	memcpy(out, found, ID_SIZE);
	return EXIT_DONE;
}

int group_find(const struct session *session, const char *name, char out[ID_SIZE])
{
	struct answer answer;
	int code;

	if (id_valid(name)) {
		snprintf(out, ID_SIZE, "%s", name);
		return EXIT_DONE;
	}
	call(&session->account, "GET", MINE, NULL, &answer);
	if (answer_ok(&answer))
		code = pick(words_at(answer.json, "value"), name, out);
	else
		code = words_error(&answer);
	answer_release(&answer);
	return code;
}

int command_groups(struct session *session)
{
	static const struct column columns[] = {
		{"GROUP", "group.displayName", 28, AS_TEXT},
		{"ID", "groupId", 36, AS_TEXT},
		{"USUAL", "policy.defaultDuration", 6, AS_LENGTH},
		{"AT MOST", "policy.maximumDuration", 7, AS_LENGTH},
		{"REASON", "policy.isJustificationRequired", 6, AS_TEXT},
		{"TICKET", "policy.isTicketRequired", 6, AS_TEXT},
		{"APPROVALS", "policy.approvalStages", 9, AS_TEXT},
		{"ELIGIBLE UNTIL", "endDateTime", 0, AS_TIME},
	};
	struct answer answer;
	int code = EXIT_DONE;

	call(&session->account, "GET", MINE, NULL, &answer);
	if (!answer_ok(&answer))
		code = words_error(&answer);
	else if (session->options.json)
		words_json(&answer);
	else
		words_table(words_at(answer.json, "value"), columns, sizeof(columns) / sizeof(columns[0]),
			    "There is no group that you may activate.");
	answer_release(&answer);
	return code;
}
