#include "escrow/escrow.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/log.h"
#include "escrow/volume.h"

#define LINES_MAX (16 * 1024 * 1024) /* that wait while no folder can be written: some 40,000 additions */
#define AGAIN_MS  1000
#define VOLUMES   2

struct saving {
	struct saving *next;
	escrow_saved *done;
	void *ctx;
};

struct escrow {
	uv_loop_t *loop;
	char key[256], former[256];
	size_t volume_count;
	struct buf lines;       /* not given to the thread yet */
	struct saving *savings; /* who waits for these, the last first */
	bool gap;               /* one found no room, and nobody has been told since */
	uv_timer_t again;
	bool stopped, lost; /* lost: lines found no room, or are in no folder any more */
	char trouble[320];
	struct escrow_figures figures;
	/* Of the batch that is with the thread, or has just come back: */
	uv_work_t work;
	bool working;
	struct buf batch;
	size_t batch_lines;
	struct saving *batch_savings;
	bool batch_gap;
	struct volume volumes[VOLUMES];
	bool behind[VOLUMES]; /* it lacks lines that the other one has */
	enum err errs[VOLUMES];
	struct errctx ecs[VOLUMES];
};

static void begin(struct escrow *escrow);

/* -- in the thread ----------------------------------------------------------------------------------------- */

/* One that has missed a batch is written anew from what both have. */
static void catch_up(struct escrow *escrow, size_t i)
{
	size_t other = VOLUMES - 1 - i;

	if (escrow->volume_count < VOLUMES || !escrow->behind[i] || escrow->errs[i] != ERR_OK ||
	    escrow->volumes[other].fd < 0)
		return;
	escrow->errs[i] = volume_compact(&escrow->volumes[i], &escrow->volumes[other], &escrow->ecs[i]);
	escrow->behind[i] = escrow->errs[i] != ERR_OK;
}

static void append(struct escrow *escrow, size_t i)
{
	struct volume *volume = &escrow->volumes[i];
	struct errctx *ec = &escrow->ecs[i];
	bool sync = escrow->batch_savings != NULL;

	if (escrow->errs[i] == ERR_OK && (escrow->batch.len > 0 || sync))
		escrow->errs[i] = volume_append(volume, buf_text(&escrow->batch), sync, ec);
	/* Should that fail, the text says so, and the file goes on growing. */
	if (escrow->errs[i] == ERR_OK && volume_compact(volume, NULL, ec) != ERR_OK)
		err_prefix(ec, "it could not be written anew");
}

static void work(uv_work_t *request)
{
	struct escrow *escrow = request->data;

	for (size_t i = 0; i < escrow->volume_count; i++) {
		escrow->ecs[i].text[0] = '\0';
		escrow->volumes[i].twin_lacks =
			escrow->volume_count == VOLUMES && escrow->behind[VOLUMES - 1 - i];
		escrow->errs[i] = volume_open(&escrow->volumes[i], &escrow->ecs[i]);
	}
	for (size_t i = 0; i < escrow->volume_count; i++)
		catch_up(escrow, i);
	for (size_t i = 0; i < escrow->volume_count; i++)
		append(escrow, i);
}

/* -- on the loop ------------------------------------------------------------------------------------------- */

static void on_again(uv_timer_t *timer)
{
	struct escrow *escrow = timer->data;

	if (!escrow->working)
		begin(escrow);
}

/* The new trouble in words; logged when it is another one than before. */
static void set_trouble(struct escrow *escrow, const char *text)
{
	char words[sizeof(escrow->trouble)] = "";

	if (text != NULL)
		snprintf(words, sizeof(words), "The escrow: %s.", text);
	else if (escrow->lost)
		snprintf(words, sizeof(words),
			 "The escrow: lines of it were lost: not all who have access are in it.");
	if (strcmp(words, escrow->trouble) == 0)
		return;
	if (words[0] != '\0')
		log_error("escrow", "error=%s", words);
	else
		log_info("escrow", "result=%s", "written again");
	memcpy(escrow->trouble, words, sizeof(words));
}

static bool has_all(const struct escrow *escrow, size_t i)
{
	return i < escrow->volume_count && escrow->errs[i] == ERR_OK && !escrow->behind[i];
}

/* Looks at what the thread has left behind: could any folder be written? */
static bool take_outcome(struct escrow *escrow)
{
	const char *trouble = NULL;
	bool ok = false;

	for (size_t i = 0; i < escrow->volume_count; i++)
		ok = ok || escrow->errs[i] == ERR_OK;
	for (size_t i = 0; i < escrow->volume_count; i++) {
		if (escrow->ecs[i].text[0] != '\0' && trouble == NULL)
			trouble = escrow->ecs[i].text;
		if (escrow->errs[i] != ERR_OK) {
			escrow->figures.failures++;
			escrow->behind[i] = escrow->behind[i] || ok;
		} else {
			escrow->figures.bytes = escrow->volumes[i].size;
		}
		if (escrow->volumes[i].set_aside)
			log_error("escrow_broken", "folder=%s note=%s", escrow->volumes[i].folder,
				  "a manifest was not as it was written, and is kept beside the new one");
		escrow->volumes[i].set_aside = false;
		escrow->lost = escrow->lost || (escrow->volumes[i].lost && !has_all(escrow, VOLUMES - 1 - i));
		escrow->volumes[i].lost = false;
	}
	set_trouble(escrow, trouble);
	return ok;
}

static void lose(struct escrow *escrow)
{
	escrow->lost = escrow->gap = true;
}

/* The lines of the batch come before those that have been noted since. */
static void keep_batch(struct escrow *escrow)
{
	buf_add(&escrow->batch, buf_text(&escrow->lines), escrow->lines.len);
	buf_release(&escrow->lines);
	if (buf_failed(&escrow->batch)) {
		buf_release(&escrow->batch);
		lose(escrow);
	}
	escrow->lines = escrow->batch;
	buf_init(&escrow->batch, LINES_MAX);
}

static void on_worked(uv_work_t *request, int status)
{
	struct escrow *escrow = request->data;
	struct saving *saving = escrow->batch_savings, *next;
	bool ok = status == 0 && take_outcome(escrow), whole = ok && !escrow->batch_gap;
	bool untried = escrow->lines.len > 0;

	escrow->working = false;
	escrow->batch_savings = NULL;
	escrow->figures.syncs += ok && saving != NULL;
	if (ok) {
		escrow->figures.lines += escrow->batch_lines;
		buf_release(&escrow->batch);
	} else {
		keep_batch(escrow);
	}
	for (; saving != NULL; saving = next) {
		next = saving->next;
		saving->done(saving->ctx, whole ? ERR_OK : ERR_IO);
		free(saving);
	}
	if (!ok && !escrow->stopped)
		uv_timer_start(&escrow->again, on_again, AGAIN_MS, 0);
	if (!escrow->working &&
	    (escrow->savings != NULL || (escrow->lines.len > 0 && (ok || (escrow->stopped && untried)))))
		begin(escrow);
}

static size_t count_lines(const char *text)
{
	size_t count = 0;

	for (const char *at = strchr(text, '\n'); at != NULL; at = strchr(at + 1, '\n'))
		count++;
	return count;
}

/* Gives the thread all that there is. */
static void begin(struct escrow *escrow)
{
	escrow->batch = escrow->lines;
	escrow->batch_lines = count_lines(buf_text(&escrow->batch));
	escrow->batch_savings = escrow->savings;
	escrow->savings = NULL;
	escrow->batch_gap = escrow->gap;
	escrow->gap = escrow->gap && escrow->batch_savings == NULL;
	buf_init(&escrow->lines, LINES_MAX);
	escrow->working = true;
	escrow->work.data = escrow;
	uv_queue_work(escrow->loop, &escrow->work, work, on_worked);
}

struct escrow *escrow_new(const struct escrow_options *options)
{
	struct escrow *escrow = calloc(1, sizeof(*escrow));
	const char *folders[VOLUMES] = {options->path, options->second_path};
	struct escrow_keys keys;

	if (escrow == NULL)
		return NULL;
	escrow->loop = options->loop;
	snprintf(escrow->key, sizeof(escrow->key), "%s", options->key);
	snprintf(escrow->former, sizeof(escrow->former), "%s", options->former_key);
	keys = (struct escrow_keys){escrow->key, escrow->former};
	buf_init(&escrow->lines, LINES_MAX);
	buf_init(&escrow->batch, LINES_MAX);
	uv_timer_init(options->loop, &escrow->again);
	escrow->again.data = escrow;
	for (size_t i = 0; i < VOLUMES && folders[i][0] != '\0'; i++) {
		volume_init(&escrow->volumes[escrow->volume_count++], folders[i], &keys);
		escrow->behind[i] = true; /* of what the other one has from before */
	}
	/* From the loop: by then the process is the user that it stays. */
	uv_timer_start(&escrow->again, on_again, 0, 0);
	return escrow;
}

static void on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

void escrow_free(struct escrow *escrow)
{
	if (escrow == NULL)
		return;
	for (size_t i = 0; i < escrow->volume_count; i++)
		volume_close(&escrow->volumes[i]);
	buf_release(&escrow->lines);
	buf_release(&escrow->batch);
	digest_wipe(escrow->key, sizeof(escrow->key));
	digest_wipe(escrow->former, sizeof(escrow->former));
	uv_close((uv_handle_t *)&escrow->again, on_closed);
}

void escrow_note(struct escrow *escrow, const struct escrow_line *line)
{
	if (escrow->lines.len + escrow->batch.len + 2 * ESCROW_LINE_MAX > LINES_MAX) {
		lose(escrow);
		return;
	}
	escrow_line_print(line, &escrow->lines);
	buf_adds(&escrow->lines, "\n");
	if (buf_failed(&escrow->lines)) { /* no memory */
		buf_release(&escrow->lines);
		lose(escrow);
	}
	/* Whoever wants it on the disk says so before the loop goes on. */
	if (!escrow->working && !uv_is_active((uv_handle_t *)&escrow->again))
		uv_timer_start(&escrow->again, on_again, 0, 0);
}

bool escrow_save(struct escrow *escrow, escrow_saved *done, void *ctx)
{
	struct saving *saving = malloc(sizeof(*saving));

	if (saving == NULL)
		return false;
	*saving = (struct saving){escrow->savings, done, ctx};
	escrow->savings = saving;
	if (!escrow->working)
		begin(escrow);
	return true;
}

bool escrow_busy(const struct escrow *escrow)
{
	bool will_try = !escrow->stopped || uv_is_active((const uv_handle_t *)&escrow->again);

	return escrow->working || escrow->savings != NULL || (will_try && escrow->lines.len > 0);
}

void escrow_stop(struct escrow *escrow)
{
	escrow->stopped = true;
	uv_timer_stop(&escrow->again);
	if (!escrow->working && escrow->lines.len > 0)
		begin(escrow);
}

const char *escrow_trouble(const struct escrow *escrow)
{
	return escrow->trouble[0] != '\0' ? escrow->trouble : NULL;
}

const struct escrow_figures *escrow_figures(const struct escrow *escrow)
{
	return &escrow->figures;
}
