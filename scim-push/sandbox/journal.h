/* The log of the sandbox: one JSON line for each SCIM request, written whole at the moment of its answer. */
#ifndef SANDBOX_JOURNAL_H
#define SANDBOX_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct journal {
	int fd; /* -1 = no log */
};

struct journal_entry {
	int64_t received_ms; /* Unix time at which the request's headers were there */
	int64_t answered_ms; /* … at which the answer was handed over, or the connection ended */
	const char *method;
	const char *path; /* as it was sent, with the query */
	int status;       /* 0 = the connection ended without an answer */
	const char *body;
	size_t body_len;
	const char *fault; /* the rule that acted, "" = none */
	bool client_gone;  /* the client had gone away before the answer */
};

/* Opens the file for appending; an empty path is no log. ERR_IO. */
enum err journal_open(struct journal *journal, const char *path, struct errctx *ec) MUST_CHECK;
void journal_close(struct journal *journal);
/* One write. Failures are logged to standard error. */
void journal_write(const struct journal *journal, const struct journal_entry *entry);

#endif
