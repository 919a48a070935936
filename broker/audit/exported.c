#include "audit/exported.h"

#include <stdlib.h>
#include <string.h>

#include "audit/seal.h"
#include "base/id.h"
#include "base/json.h"

#define PENDING_MAX (64 * 1024 * 1024) /* bytes of one lane's events between two seals */
#define RECENT      1024 /* lines of a lane that may come once more: twice what is exported at once */

struct lane {
	int64_t last;          /* number of the last event */
	int64_t first_pending; /* number of the first of `pending` */
	struct buf pending;    /* lines that no seal has covered yet */
	bool knows_digest;     /* of the last seal, "" before the first event */
	char digest[SHA256_HEX];
	unsigned char recent[RECENT][SHA256_BYTES]; /* of the last lines, by number */
};

struct check {
	const struct seal_keys keys;
	struct exported_report *report;
	struct lane *lanes[LANES_MAX];
};

/* One line of the file, without its end. */
struct line {
	const char *text;
	size_t len;
	int64_t at, number;
	unsigned lane;
	cJSON *json;
};

static enum err broken(const struct check *c, const struct line *line, const char *why)
{
	struct exported_report *r = c->report;

	r->line = line->at;
	r->lane = line->lane;
	r->number = line->number;
	return err_set(&r->why, ERR_CONFIG, "%s", why);
}

static struct lane *lane_of(struct check *c, const struct line *line)
{
	struct lane *lane = c->lanes[line->lane];

	if (lane != NULL)
		return lane;
	lane = calloc(1, sizeof(*lane));
	if (lane == NULL)
		return NULL;
	buf_init(&lane->pending, PENDING_MAX);
	lane->last = line->number - 1;
	lane->first_pending = line->number;
	lane->knows_digest = line->number == 1;
	c->lanes[line->lane] = lane;
	c->report->lanes++;
	return lane;
}

/* -- seals ------------------------------------------------------------------------------------------------------ */

/* How many bytes so many lines are. */
static size_t length_of(const struct buf *lines, int64_t count)
{
	const char *at = buf_text(lines), *end = at + lines->len;

	while (count-- > 0 && at < end)
		at = (const char *)memchr(at, '\n', (size_t)(end - at)) + 1;
	return (size_t)(at - buf_text(lines));
}

static enum err drop(struct lane *lane, size_t len, int64_t to)
{
	struct buf rest;

	buf_init(&rest, PENDING_MAX);
	buf_add(&rest, buf_text(&lane->pending) + len, lane->pending.len - len);
	buf_release(&lane->pending);
	lane->pending = rest;
	lane->first_pending = to + 1;
	return buf_failed(&rest) ? ERR_NOMEM : ERR_OK;
}

static bool digest_holds(const struct lane *lane, const struct seal *seal, size_t len)
{
	char digest[SHA256_HEX];
	struct buf lines;

	seal_lines_begin(&lines, lane->digest);
	buf_add(&lines, buf_text(&lane->pending), len);
	return seal_lines_end(&lines, digest) && strcmp(digest, seal->digest) == 0;
}

static enum err take_seal(struct check *c, struct lane *lane, const struct line *line)
{
	const cJSON *details = cJSON_GetObjectItemCaseSensitive(line->json, "details");
	char *text = details != NULL ? cJSON_PrintUnformatted(details) : NULL;
	struct audit_text shown = {text != NULL ? text : "", text != NULL ? strlen(text) : 0};
	struct errctx why = {""};
	struct seal seal;
	enum err err = seal_read(&seal, &shown);
	size_t len;

	cJSON_free(text);
	if (err == ERR_NOMEM)
		return err;
	if (err != ERR_OK || seal.to < seal.from || seal.to >= line->number)
		return broken(c, line, "The seal cannot be read.");
	if (!seal_holds(&seal, line->lane, &c->keys, &why)) {
		err_prefix(&why, "The seal");
		return broken(c, line, why.text);
	}
	c->report->seals++;
	/* A seal stands behind what came while it was made: all that it covers may be before the file. */
	if (!lane->knows_digest && seal.to < lane->first_pending - 1)
		return ERR_OK;
	/* The file may begin amid what its first seal covers, but not before that. */
	if (!lane->knows_digest && seal.from > lane->first_pending)
		return broken(c, line, "Seals before this one are missing.");
	if (!lane->knows_digest)
		c->report->unchecked += seal.to - lane->first_pending + 1;
	else if (seal.from != lane->first_pending)
		return broken(c, line, "The seal does not begin behind the one before.");
	len = length_of(&lane->pending, seal.to - lane->first_pending + 1);
	if (lane->knows_digest && !digest_holds(lane, &seal, len))
		return broken(c, line, "What the seal covers is not what it was made over.");
	lane->knows_digest = true;
	memcpy(lane->digest, seal.digest, sizeof(lane->digest));
	return drop(lane, len, seal.to);
}

/* -- lines ------------------------------------------------------------------------------------------------------ */

/* An event that is there already must be the same. */
static enum err take_again(const struct check *c, const struct lane *lane, const struct line *line)
{
	unsigned char digest[SHA256_BYTES];

	digest_sha256(line->text, line->len, digest);
	if (line->number <= lane->last - RECENT ||
	    memcmp(lane->recent[line->number % RECENT], digest, SHA256_BYTES) != 0)
		return broken(c, line, "The event is there already, and is another one.");
	c->report->repeated++;
	return ERR_OK;
}

static enum err take_event(struct check *c, const struct line *line)
{
	struct lane *lane = lane_of(c, line);
	const char *event = json_string(line->json, "event");
	enum err err = ERR_OK;

	if (lane == NULL)
		return ERR_NOMEM;
	if (line->number <= lane->last)
		return take_again(c, lane, line);
	if (line->number > lane->last + 1)
		return broken(c, line, "Events before this one are missing.");
	lane->last = line->number;
	digest_sha256(line->text, line->len, lane->recent[line->number % RECENT]);
	c->report->events++;
	if (event != NULL && strcmp(event, "seal") == 0)
		err = take_seal(c, lane, line);
	buf_add(&lane->pending, line->text, line->len);
	buf_adds(&lane->pending, "\n");
	return err == ERR_OK && buf_failed(&lane->pending) ? ERR_NOMEM : err;
}

static bool read_number(const cJSON *json, const char *name, int64_t most, int64_t *out)
{
	const cJSON *number = cJSON_GetObjectItemCaseSensitive(json, name);

	if (!cJSON_IsNumber(number) || number->valuedouble < 0 || number->valuedouble > (double)most)
		return false;
	*out = (int64_t)number->valuedouble;
	return true;
}

static enum err take_line(struct check *c, struct line *line)
{
	struct errctx ec;
	int64_t lane;
	enum err err = json_parse(line->text, line->len, &line->json, &ec);

	if (err == ERR_NOMEM)
		return err;
	if (err != ERR_OK) {
		c->report->cut++;
		return ERR_OK;
	}
	if (!read_number(line->json, "lane", LANES_MAX - 1, &lane) ||
	    !read_number(line->json, "number", (int64_t)1 << 53, &line->number) || line->number == 0) {
		err = broken(c, line, "The line is no event.");
	} else {
		line->lane = (unsigned)lane;
		err = take_event(c, line);
	}
	cJSON_Delete(line->json);
	return err;
}

enum err exported_check(FILE *in, const struct exported_keys *keys, struct exported_report *report)
{
	struct check c = {.keys = {.key = keys->key, .former = keys->former}, .report = report};
	char *text = NULL;
	size_t size = 0;
	ssize_t len;
	enum err err = ERR_OK;

	*report = (struct exported_report){0};
	for (int64_t at = 1; err == ERR_OK && (len = getline(&text, &size, in)) >= 0; at++) {
		struct line line = {.text = text, .len = (size_t)len, .at = at};

		if (len > 0 && text[len - 1] == '\n')
			line.len--;
		if (line.len > 0)
			err = take_line(&c, &line);
	}
	if (err == ERR_OK && ferror(in))
		err = ERR_IO;
	for (size_t i = 0; i < LANES_MAX; i++) {
		if (c.lanes[i] == NULL)
			continue;
		report->unsealed += c.lanes[i]->last - c.lanes[i]->first_pending + 1;
		buf_release(&c.lanes[i]->pending);
		free(c.lanes[i]);
	}
	free(text);
	return err == ERR_CONFIG ? ERR_OK : err;
}
