/* What somebody has asked for, and what waits for them to decide. */
#include <stdio.h>

#include "base/buf.h"
#include "command/command.h"
#include "command/group.h"
#include "command/words.h"

#define REQUESTS PIM "assignmentScheduleRequests"

static void add_condition(struct buf *filter, const char *name, const char *value)
{
	if (value == NULL)
		return;
	if (filter->len > 0)
		buf_adds(filter, " and ");
	buf_addf(filter, "%s eq '", name);
	/* OData doubles an apostrophe inside a text. */
	for (; *value != '\0'; value++)
		buf_addf(filter, *value == '\'' ? "''" : "%c", *value);
	buf_adds(filter, "'");
}

/* GETs the list and prints it; says when there is more. */
static int show_list(const struct session *session, const char *path, const struct column *columns,
		     size_t count, const char *none)
{
	struct answer answer;
	int code = EXIT_DONE;

	call(&session->account, "GET", path, NULL, &answer);
	if (!answer_ok(&answer)) {
		code = words_error(&answer);
	} else if (session->options.json) {
		words_json(&answer);
	} else {
		words_table(words_at(answer.json, "value"), columns, count, none);
		if (words_at(answer.json, "@odata.nextLink") != NULL)
			puts("There are more; raise --limit.");
	}
	answer_release(&answer);
	return code;
}

static void add_query(struct buf *path, const struct options *o, const struct buf *filter)
{
	buf_adds(path, "?$expand=group,principal&$top=");
	call_add_encoded(path, o->limit != NULL ? o->limit : "50");
	if (filter->len > 0) {
		buf_adds(path, "&$filter=");
		call_add_encoded(path, buf_text(filter));
	}
}

int command_list(struct session *session)
{
	static const struct column columns[] = {
		{"REQUEST", "id", 36, AS_TEXT},
		{"ACTION", "action", 14, AS_TEXT},
		{"STATUS", "status", 19, AS_TEXT},
		{"STATE", "provisioning.state", 12, AS_TEXT},
		{"GROUP", "group.displayName", 28, AS_TEXT},
		{"UNTIL", "provisioning.endDateTime", 0, AS_TIME},
	};
	const struct options *o = &session->options;
	struct buf path, filter;
	char group[ID_SIZE];
	int code = EXIT_DONE;

	if (o->group != NULL)
		code = group_find(session, o->group, group);
	if (code != EXIT_DONE)
		return code;
	buf_init(&path, 4096);
	buf_init(&filter, 1024);
	add_condition(&filter, "groupId", o->group != NULL ? group : NULL);
	add_condition(&filter, "principalId", o->person);
	add_condition(&filter, "status", o->status);
	buf_adds(&path, REQUESTS);
	if (!o->everybody && o->person == NULL)
		buf_adds(&path, "/filterByCurrentUser(on='principal')");
	add_query(&path, o, &filter);
	code = show_list(session, buf_text(&path), columns, sizeof(columns) / sizeof(columns[0]),
			 "There are no requests.");
	buf_release(&path);
	buf_release(&filter);
	return code;
}

int command_approvals(struct session *session)
{
	static const struct column columns[] = {
		{"REQUEST", "id", 36, AS_TEXT},
		{"PERSON", "principal.displayName", 24, AS_TEXT},
		{"GROUP", "group.displayName", 28, AS_TEXT},
		{"ASKED", "createdDateTime", 14, AS_TIME},
		{"REASON", "justification", 0, AS_TEXT},
	};
	struct buf path, filter;
	int code;

	buf_init(&path, 4096);
	buf_init(&filter, 1024);
	add_condition(&filter, "status", "PendingApproval");
	buf_adds(&path, REQUESTS "/filterByCurrentUser(on='approver')");
	add_query(&path, &session->options, &filter);
	code = show_list(session, buf_text(&path), columns, sizeof(columns) / sizeof(columns[0]),
			 "Nothing waits for you.");
	buf_release(&path);
	buf_release(&filter);
	return code;
}
