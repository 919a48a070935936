/* What the sandbox wrote down: every request with its times, and how many pushes that were. */
#ifndef SUPPORT_SANDBOX_LOG_H
#define SUPPORT_SANDBOX_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

struct sandbox_entry {
	int64_t received_ms;
	int64_t answered_ms; /* or the connection's end; Unix time both */
	char method[8];
	char path[1024]; /* as it was sent, with the query */
	int status;      /* 0: the connection ended without an answer */
	bool client_gone;
	cJSON *body; /* of the request; a JSON null when there was none; owned */
};

struct sandbox_log {
	size_t count;
	struct sandbox_entry *entries; /* owned, in the order of arrival */
};

/* Reads the whole file. Release `log` afterwards; on failure it is empty. */
bool sandbox_log_read(const char *path, struct sandbox_log *log);
void sandbox_log_release(struct sandbox_log *log);

/* Is this the request that changes memberships? A push has exactly one, unless its look-ups failed. */
bool sandbox_entry_is_push(const struct sandbox_entry *entry);

/* Is it a change to a user that is a push of its own? A user who is made active again is so by the push that adds them. */
bool sandbox_entry_changes_user(const struct sandbox_entry *entry);

/* How many requests of this method there were whose path begins with `prefix`. */
size_t sandbox_log_count(const struct sandbox_log *log, const char *method, const char *prefix);

/*
 * The largest number of pushes of which the beginning or the end lies in one window of `window_ms`, wherever the
 * window starts. The look-ups before a PATCH are not counted to the push, because several pushes may run at once.
 */
size_t sandbox_log_max_pushes(const struct sandbox_log *log, int64_t window_ms);

#endif
