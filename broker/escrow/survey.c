#include "escrow/survey.h"

#include <string.h>

#include "base/iso8601.h"
#include "base/json.h"
#include "escrow/manifest.h"

#define PATH_SIZE 768

struct reading {
	const struct survey_place *place;
	FILE *report;
	struct survey *survey;
	size_t file; /* counts over both folders */
};

static void tell(const struct reading *reading, const char *path, const struct manifest_file *file)
{
	const struct manifest_reader *reader = &file->reader;

	if (reader->is_broken)
		fprintf(reading->report,
			"%s: BROKEN at line %lld: %s; the %lld lines before it are used, what comes behind "
			"is not\n",
			path, (long long)reader->lines + 1, reader->why.text, (long long)reader->lines);
	else
		fprintf(reading->report, "%s: intact, %lld lines%s\n", path, (long long)reader->lines,
			file->is_cut ? ", and one that was not written to its end" : "");
}

/* One file; whatever the disk has lost, the rest is still to be removed. */
static enum err read_one(struct reading *reading, const char *path, struct errctx *ec)
{
	struct manifest_to to = {ledger_take, reading->survey->ledger, reading->file++};
	struct manifest_file file;
	enum err err = manifest_read(path, &reading->place->keys, &to, &file, ec);

	if (err == ERR_NOT_FOUND) /* somebody has tidied up */
		return ERR_OK;
	if (err != ERR_OK && err != ERR_IO)
		return err;
	reading->survey->manifests++;
	if (err == ERR_IO) {
		fprintf(reading->report, "UNREADABLE, and so left out: %s\n", ec->text);
		reading->survey->broken++;
		return ERR_OK;
	}
	reading->survey->lines += file.reader.lines;
	reading->survey->broken += file.reader.is_broken ? 1 : 0;
	tell(reading, path, &file);
	return ERR_OK;
}

static enum err read_folder(struct reading *reading, const char *folder, struct errctx *ec)
{
	struct manifest_names names = {0};
	char path[PATH_SIZE];
	enum err err = manifest_names(folder, &names, ec);

	for (size_t i = 0; i < names.count && err == ERR_OK; i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, names.list[i]);
		err = read_one(reading, path, ec);
	}
	manifest_names_release(&names);
	return err;
}

enum err survey_read(const struct survey_place *place, FILE *report, struct survey *out, struct errctx *ec)
{
	const char *const folders[] = {place->path, place->second_path};
	struct reading reading = {place, report, out, 0};
	enum err err = ERR_OK;
	bool any = false;

	memset(out, 0, sizeof(*out));
	out->ledger = ledger_new();
	if (out->ledger == NULL)
		return err_set(ec, ERR_NOMEM, "%s", err_message(ERR_NOMEM));
	for (size_t i = 0; i < 2 && err != ERR_NOMEM; i++) {
		if (folders[i][0] == '\0')
			continue;
		err = read_folder(&reading, folders[i], ec);
		any = any || err == ERR_OK;
		if (err != ERR_OK) {
			fprintf(report, "%s\n", ec->text);
			out->broken++;
		}
	}
	if (any && err != ERR_NOMEM)
		return ERR_OK;
	survey_release(out);
	return err;
}

void survey_release(struct survey *survey)
{
	ledger_free(survey->ledger);
	survey->ledger = NULL;
}

static void add_text(struct buf *out, const char *name, const char *text)
{
	buf_addf(out, ",\"%s\":", name);
	json_add_string(out, text);
}

void survey_print(const struct escrow_line *line, int64_t now_ms, struct buf *out)
{
	char end[ISO8601_TIME_SIZE];

	iso8601_format_time(line->end_ms, end);
	buf_adds(out, "{\"application\":");
	json_add_string(out, line->application);
	add_text(out, "groupId", line->group);
	add_text(out, "groupName", line->group_name);
	add_text(out, "principalId", line->principal);
	add_text(out, "userName", line->user_name);
	add_text(out, "assignmentId", line->assignment);
	add_text(out, "endDateTime", end);
	buf_addf(out, ",\"due\":%s}", line->end_ms <= now_ms ? "true" : "false");
}
