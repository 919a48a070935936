/* The request log. */
#include "scim-push/sandbox/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/log.h"

#define LINE_MAX_BYTES (4U << 20) /* a body of the greatest size, every byte of it escaped */

enum err journal_open(struct journal *journal, const char *path, struct errctx *ec)
{
	journal->fd = -1;
	if (path[0] == '\0')
		return ERR_OK;
	journal->fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	if (journal->fd < 0)
		return err_set(ec, ERR_IO, "%s: %s", path, strerror(errno));
	return ERR_OK;
}

void journal_close(struct journal *journal)
{
	if (journal->fd >= 0)
		(void)close(journal->fd);
	journal->fd = -1;
}

/* The JSON value where the body is one, else the text. */
static void add_body(struct buf *line, const char *body, size_t len)
{
	cJSON *json = NULL;

	if (len == 0) {
		buf_adds(line, "null");
	} else if (json_parse(body, len, &json, NULL) == ERR_OK) {
		json_add_value(line, json);
		cJSON_Delete(json);
	} else {
		json_add_string(line, body);
	}
}

void journal_write(const struct journal *journal, const struct journal_entry *entry)
{
	struct buf line;

	if (journal->fd < 0)
		return;
	buf_init(&line, LINE_MAX_BYTES);
	buf_addf(&line,
		 "{\"received_ms\":%" PRId64 ",\"answered_ms\":%" PRId64 ",\"method\":", entry->received_ms,
		 entry->answered_ms);
	json_add_string(&line, entry->method);
	buf_adds(&line, ",\"path\":");
	json_add_string(&line, entry->path);
	buf_addf(&line, ",\"status\":%d,\"client_gone\":%s", entry->status,
		 entry->client_gone ? "true" : "false");
	if (entry->fault[0] != '\0') {
		buf_adds(&line, ",\"fault\":");
		json_add_string(&line, entry->fault);
	}
	buf_adds(&line, ",\"body\":");
	add_body(&line, entry->body, entry->body_len);
	buf_adds(&line, "}\n");
	if (buf_failed(&line))
		log_error("sandbox_log", "reason=%s", "out of memory");
	else if (write(journal->fd, line.data, line.len) != (ssize_t)line.len)
		log_error("sandbox_log", "reason=%s", strerror(errno));
	buf_release(&line);
}
