#include "command/follow.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/id.h"
#include "command/call_wire.h"

#define LINE_MAX_SIZE  4096
#define SILENT_S       45L   /* three signs of life have not come */
#define LOOK_MS        60000 /* though nothing was heard */
#define LASTED_MS      10000 /* a stream that worked */
#define PAUSE_FIRST_MS 100
#define PAUSE_MOST_MS  2000
#define LAST_ID_SIZE   32

struct follow {
	const struct account *account;
	const char *id;
	CURLM *multi;
	CURL *easy; /* the stream; NULL = none */
	struct curl_slist *headers;
	struct buf line; /* as far as it has come */
	char last_id[LAST_ID_SIZE];
	bool begun, heard; /* the stream is there; something has come that is worth a look */
	int64_t opened_ms, pause_ms;
};

/* Whatever kind of event it is: its data names the object. "anew" says that some events are missing. */
static void take_line(struct follow *f)
{
	const char *line = buf_text(&f->line);

	if (strncmp(line, "id: ", 4) == 0 && strchr(line, '\r') == NULL)
		snprintf(f->last_id, sizeof(f->last_id), "%s", line + 4);
	else if (strcmp(line, "event: anew") == 0 ||
		 (strncmp(line, "data:", 5) == 0 && strstr(line, f->id) != NULL))
		f->heard = true;
	buf_clear(&f->line);
}

static size_t on_text(char *bytes, size_t size, size_t count, void *ctx)
{
	struct follow *f = ctx;

	/* What was changed before it began is not told. */
	if (!f->begun)
		f->begun = f->heard = true;
	for (size_t i = 0; i < size * count; i++)
		if (bytes[i] == '\n')
			take_line(f);
		else
			buf_add(&f->line, &bytes[i], 1);
	return size * count;
}

static void close_stream(struct follow *f)
{
	if (f->easy == NULL)
		return;
	curl_multi_remove_handle(f->multi, f->easy);
	curl_easy_cleanup(f->easy);
	curl_slist_free_all(f->headers);
	f->easy = NULL;
	f->headers = NULL;
	buf_clear(&f->line);
}

static void open_stream(struct follow *f)
{
	char url[ACCOUNT_TEXT_SIZE + 32], last[LAST_ID_SIZE + 32];

	f->begun = false;
	f->opened_ms = clock_mono_ms();
	f->easy = curl_easy_init();
	if (f->easy == NULL)
		return;
	snprintf(url, sizeof(url), "%s/api/events", f->account->server);
	f->headers = wire_authorize(wire_header(NULL, "Accept: text/event-stream"), f->account->token);
	if (f->last_id[0] != '\0') {
		snprintf(last, sizeof(last), "Last-Event-ID: %s", f->last_id);
		f->headers = wire_header(f->headers, last);
	}
	wire_options(f->easy, url, f->account->ca, f->headers);
	curl_easy_setopt(f->easy, CURLOPT_FAILONERROR, 1L);
	curl_easy_setopt(f->easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl_easy_setopt(f->easy, CURLOPT_LOW_SPEED_TIME, SILENT_S);
	curl_easy_setopt(f->easy, CURLOPT_WRITEFUNCTION, on_text);
	curl_easy_setopt(f->easy, CURLOPT_WRITEDATA, f);
	if (curl_multi_add_handle(f->multi, f->easy) != CURLM_OK)
		close_stream(f);
}

/* Lets come in what has come; or waits for more, not beyond then. */
static void read_stream(struct follow *f, int64_t till_ms)
{
	int64_t left_ms = till_ms - clock_mono_ms();
	int running = 0;

	curl_multi_perform(f->multi, &running);
	if (running == 0)
		close_stream(f);
	else if (!f->heard && left_ms > 0)
		curl_multi_poll(f->multi, NULL, 0, left_ms > 1000 ? 1000 : (int)left_ms, NULL);
}

/* It has ended or never begun; the server may be busy, or know no events. */
static void rest(struct follow *f, int64_t till_ms)
{
	int64_t now_ms = clock_mono_ms(), left_ms = till_ms - now_ms;
	struct timespec pause;

	if (now_ms - f->opened_ms > LASTED_MS)
		f->pause_ms = PAUSE_FIRST_MS;
	if (left_ms > f->pause_ms)
		left_ms = f->pause_ms;
	f->pause_ms = 2 * f->pause_ms < PAUSE_MOST_MS ? 2 * f->pause_ms : PAUSE_MOST_MS;
	if (left_ms <= 0)
		return;
	pause = (struct timespec){.tv_sec = left_ms / 1000, .tv_nsec = (left_ms % 1000) * 1000000};
	nanosleep(&pause, NULL);
}

void follow_wait(struct follow *f, int64_t till_ms)
{
	int64_t look_ms = clock_mono_ms() + LOOK_MS;

	f->heard = false;
	if (look_ms > till_ms)
		look_ms = till_ms;
	if (f->easy == NULL)
		open_stream(f);
	while (f->easy != NULL && !f->heard && clock_mono_ms() < look_ms)
		read_stream(f, look_ms);
	if (f->easy == NULL && !f->heard)
		rest(f, till_ms);
}

struct follow *follow_new(const struct account *account, const char *id)
{
	struct follow *f = calloc(1, sizeof(*f));

	if (f == NULL)
		return NULL;
	*f = (struct follow){
		.account = account, .id = id, .multi = curl_multi_init(), .pause_ms = PAUSE_FIRST_MS};
	buf_init(&f->line, LINE_MAX_SIZE);
	if (f->multi == NULL) {
		free(f);
		return NULL;
	}
	return f;
}

void follow_free(struct follow *f)
{
	if (f == NULL)
		return;
	close_stream(f);
	curl_multi_cleanup(f->multi);
	buf_release(&f->line);
	free(f);
}
