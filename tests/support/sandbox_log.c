/* Reader of the sandbox's request log. */
#include "tests/support/sandbox_log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int64_t number(const cJSON *object, const char *name)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);

	return cJSON_IsNumber(item) ? (int64_t)item->valuedouble : 0;
}

static void copy_text(const cJSON *object, const char *name, char *out, size_t size)
{
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));

	snprintf(out, size, "%s", text == NULL ? "" : text);
}

static bool add_line(struct sandbox_log *log, const char *text)
{
	cJSON *line = cJSON_Parse(text);
	struct sandbox_entry *longer, *entry;

	/* Doubling whenever the count is a power of two. */
	if (line != NULL && (log->count & (log->count - 1)) == 0) {
		longer = realloc(log->entries, (log->count * 2 + 1) * sizeof(*longer));
		if (longer == NULL) {
			cJSON_Delete(line);
			return false;
		}
		log->entries = longer;
	}
	if (line == NULL) {
		fprintf(stderr, "the sandbox logged something that is not JSON: %.100s\n", text);
		return false;
	}
	entry = &log->entries[log->count++];
	*entry = (struct sandbox_entry){
		.received_ms = number(line, "received_ms"),
		.answered_ms = number(line, "answered_ms"),
		.status = (int)number(line, "status"),
		.client_gone = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(line, "client_gone")),
		.body = cJSON_DetachItemFromObjectCaseSensitive(line, "body"),
	};
	copy_text(line, "method", entry->method, sizeof(entry->method));
	copy_text(line, "path", entry->path, sizeof(entry->path));
	cJSON_Delete(line);
	return true;
}

static int by_arrival(const void *a, const void *b)
{
	const struct sandbox_entry *left = a, *right = b;

	return (left->received_ms > right->received_ms) - (left->received_ms < right->received_ms);
}

bool sandbox_log_read(const char *path, struct sandbox_log *log)
{
	FILE *file = fopen(path, "rb");
	char *line = NULL;
	size_t size = 0;
	ssize_t len;
	bool ok = file != NULL;

	memset(log, 0, sizeof(*log));
	while (ok && (len = getline(&line, &size, file)) > 0)
		/* The last line may be half written; the next reading has it. */
		if (line[len - 1] == '\n')
			ok = add_line(log, line);
	free(line);
	if (file != NULL)
		fclose(file);
	if (!ok)
		sandbox_log_release(log);
	else if (log->count > 0)
		qsort(log->entries, log->count, sizeof(*log->entries), by_arrival);
	return ok;
}

void sandbox_log_release(struct sandbox_log *log)
{
	for (size_t i = 0; i < log->count; i++)
		cJSON_Delete(log->entries[i].body);
	free(log->entries);
	memset(log, 0, sizeof(*log));
}

bool sandbox_entry_is_push(const struct sandbox_entry *entry)
{
	return strcmp(entry->method, "PATCH") == 0 && strstr(entry->path, "/Groups/") != NULL;
}

bool sandbox_entry_changes_user(const struct sandbox_entry *entry)
{
	const cJSON *operation = cJSON_GetArrayItem(cJSON_GetObjectItem(entry->body, "Operations"), 0);
	const cJSON *value = cJSON_GetObjectItem(operation, "value");

	if (cJSON_IsTrue(value) || cJSON_IsTrue(cJSON_GetObjectItem(value, "active")))
		return false;
	return strstr(entry->path, "/Users/") != NULL &&
	       (strcmp(entry->method, "PATCH") == 0 || strcmp(entry->method, "PUT") == 0 ||
		strcmp(entry->method, "DELETE") == 0);
}

size_t sandbox_log_count(const struct sandbox_log *log, const char *method, const char *prefix)
{
	size_t count = 0;

	for (size_t i = 0; i < log->count; i++)
		count += strcmp(log->entries[i].method, method) == 0 &&
			 strncmp(log->entries[i].path, prefix, strlen(prefix)) == 0;
	return count;
}

static size_t pushes_in(const struct sandbox_log *log, int64_t from, int64_t to)
{
	size_t count = 0;

	for (size_t i = 0; i < log->count; i++) {
		const struct sandbox_entry *e = &log->entries[i];

		count += sandbox_entry_is_push(e) && ((e->received_ms >= from && e->received_ms < to) ||
						      (e->answered_ms >= from && e->answered_ms < to));
	}
	return count;
}

size_t sandbox_log_max_pushes(const struct sandbox_log *log, int64_t window_ms)
{
	size_t most = 0, count;

	/* The fullest window can be moved to the right until it starts with a beginning or an end. */
	for (size_t i = 0; i < log->count; i++) {
		const struct sandbox_entry *e = &log->entries[i];

		if (!sandbox_entry_is_push(e))
			continue;
		count = pushes_in(log, e->received_ms, e->received_ms + window_ms);
		most = count > most ? count : most;
		count = pushes_in(log, e->answered_ms, e->answered_ms + window_ms);
		most = count > most ? count : most;
	}
	return most;
}
