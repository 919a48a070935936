/* Reads what the applications saw. */
#include "tests/torture/judge_log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *name_of(const struct judge *judge, int app, const char *id, size_t len)
{
	for (size_t i = 0; i < judge->name_count; i++)
		if (judge->names[i].app == app && strlen(judge->names[i].id) == len &&
		    strncmp(judge->names[i].id, id, len) == 0)
			return judge->names[i].name;
	return "?";
}

static void add_user(const struct judge *judge, int app, struct judge_entry *entry, const char *id,
		     size_t len)
{
	char *name = strdup(name_of(judge, app, id, len));

	entry->users = judge_grow(entry->users, entry->user_count, sizeof(*entry->users));
	if (name == NULL)
		abort();
	entry->users[entry->user_count++] = name;
}

/* {"op":"add","path":"members","value":[{"value":ID}, …]}, or "path":"members[value eq \"ID\"]". */
static void read_members(const struct judge *judge, int app, const cJSON *body, struct judge_entry *entry)
{
	const cJSON *operation, *member;

	cJSON_ArrayForEach(operation, cJSON_GetObjectItemCaseSensitive(body, "Operations")) {
		const char *path = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(operation, "path"));
		const char *op = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(operation, "op"));
		const char *quote = path != NULL ? strchr(path, '"') : NULL;

		entry->adds = op != NULL && strcmp(op, "add") == 0;
		if (quote != NULL)
			add_user(judge, app, entry, quote + 1, strcspn(quote + 1, "\""));
		cJSON_ArrayForEach(member, cJSON_GetObjectItemCaseSensitive(operation, "value")) {
			char id[160];

			judge_text(member, "value", id, sizeof(id));
			add_user(judge, app, entry, id, strlen(id));
		}
	}
}

/* Was the change made? Faults that say "after", that cut the answer off or that delay it make it; others do not. */
static bool is_applied(const struct judge_entry *entry)
{
	const char *action = strstr(entry->fault, "-> ");

	if (action == NULL)
		return entry->status / 100 == 2;
	action += strlen("-> ");
	return strstr(action, " after") != NULL || strncmp(action, "truncate", strlen("truncate")) == 0 ||
	       strncmp(action, "delay", strlen("delay")) == 0 ||
	       (strncmp(action, "hang", strlen("hang")) == 0 && entry->status / 100 == 2);
}

static void read_entry(const struct judge *judge, int app, const cJSON *line, struct judge_entry *entry)
{
	static const char before[] = "/Groups/";
	const cJSON *body = cJSON_GetObjectItemCaseSensitive(line, "body");
	const char *group;

	*entry = (struct judge_entry){.received_ms = judge_number(line, "received_ms"),
				      .answered_ms = judge_number(line, "answered_ms"),
				      .status = (int)judge_number(line, "status")};
	judge_text(line, "method", entry->method, sizeof(entry->method));
	judge_text(line, "path", entry->path, sizeof(entry->path));
	judge_text(line, "fault", entry->fault, sizeof(entry->fault));
	judge_text(body, "userName", entry->body_user, sizeof(entry->body_user));
	group = strstr(entry->path, before);
	entry->is_patch = strcmp(entry->method, "PATCH") == 0 && group != NULL;
	if (!entry->is_patch)
		return;
	group += strlen(before);
	snprintf(entry->group, sizeof(entry->group), "%s", name_of(judge, app, group, strlen(group)));
	read_members(judge, app, body, entry);
	entry->applied = is_applied(entry);
}

/* Of the application that is being read: the last one that has no line after it. */
static bool take_line(struct judge *judge, const char *text)
{
	struct judge_app *app = NULL;
	cJSON *line = cJSON_Parse(text);

	for (size_t i = 0; i < judge->app_count && app == NULL; i++)
		if (!judge->apps[i].is_read)
			app = &judge->apps[i];
	if (line == NULL || app == NULL) {
		fprintf(stderr, "the application logged what is not JSON: %.100s\n", text);
		cJSON_Delete(line);
		return false;
	}
	/* Later ones are the harness' own. */
	if (judge_number(line, "received_ms") <= judge->end_ms) {
		app->entries = judge_grow(app->entries, app->count, sizeof(*app->entries));
		read_entry(judge, (int)(app - judge->apps), line, &app->entries[app->count++]);
	}
	cJSON_Delete(line);
	return true;
}

static int by_arrival(const void *a, const void *b)
{
	const struct judge_entry *left = a, *right = b;

	return (left->received_ms > right->received_ms) - (left->received_ms < right->received_ms);
}

bool judge_read_logs(struct judge *judge)
{
	for (size_t i = 0; i < judge->app_count; i++) {
		struct judge_app *app = &judge->apps[i];

		if (!judge_lines(app->log, take_line, judge))
			return false;
		app->is_read = true;
		if (app->count > 0)
			qsort(app->entries, app->count, sizeof(*app->entries), by_arrival);
	}
	return true;
}

void judge_release_log(struct judge_app *app)
{
	for (size_t i = 0; i < app->count; i++) {
		for (size_t n = 0; n < app->entries[i].user_count; n++)
			free(app->entries[i].users[n]);
		free(app->entries[i].users);
	}
	free(app->entries);
}
