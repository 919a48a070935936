#include "tests/support/listener.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <curl/curl.h>

#include "base/clock.h"

#define TEXT_MAX ((size_t)16 * 1024 * 1024)
#define OPEN_MS  20000
#define SMALL    4096 /* of the kernel for what is not read yet */

static size_t on_text(char *bytes, size_t size, size_t count, void *ctx)
{
	struct listener *l = ctx;

	buf_add(&l->text, bytes, size * count);
	return size * count;
}

/* Before the connection is made, so that the other side learns of it. */
static int on_socket(void *ctx, curl_socket_t fd, curlsocktype purpose)
{
	const int small = SMALL;

	(void)ctx;
	(void)purpose;
	return setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)) == 0 ? CURL_SOCKOPT_OK
										 : CURL_SOCKOPT_ERROR;
}

/* Lets what has come come in; waits for more, a little. */
static void turn(struct listener *l, int wait_ms)
{
	int running = 0, left = 0;
	curl_off_t after = 0;
	long status = 0;
	CURLMsg *message;

	curl_multi_poll(l->multi, NULL, 0, wait_ms, NULL);
	curl_multi_perform(l->multi, &running);
	curl_easy_getinfo(l->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(l->easy, CURLINFO_RETRY_AFTER, &after);
	l->status = (int)status;
	l->retry_after = (long)after;
	while ((message = curl_multi_info_read(l->multi, &left)) != NULL)
		if (message->msg == CURLMSG_DONE) {
			l->ended = true;
			l->cleanly = message->data.result == CURLE_OK;
		}
}

static void set_options(struct listener *l, const struct broker *broker, const char *last_id)
{
	char url[256], line[128];

	snprintf(url, sizeof(url), "%s/api/events", broker->root);
	curl_easy_setopt(l->easy, CURLOPT_URL, url);
	curl_easy_setopt(l->easy, CURLOPT_WRITEFUNCTION, on_text);
	curl_easy_setopt(l->easy, CURLOPT_WRITEDATA, l);
	curl_easy_setopt(l->easy, CURLOPT_SOCKOPTFUNCTION, on_socket);
	curl_easy_setopt(l->easy, CURLOPT_BUFFERSIZE, 1024L);
	if (broker->ca_file[0] != '\0')
		curl_easy_setopt(l->easy, CURLOPT_CAINFO, broker->ca_file);
	if (last_id != NULL) {
		snprintf(line, sizeof(line), "Last-Event-ID: %s", last_id);
		l->headers = curl_slist_append(l->headers, line);
	}
	curl_easy_setopt(l->easy, CURLOPT_HTTPHEADER, l->headers);
}

void listener_open(struct listener *l, const struct broker *broker, const char *token, const char *last_id)
{
	int64_t till = clock_mono_ms() + OPEN_MS;
	struct buf line;

	*l = (struct listener){.multi = curl_multi_init(), .easy = curl_easy_init()};
	assert_non_null(l->multi);
	assert_non_null(l->easy);
	buf_init(&l->text, TEXT_MAX);
	buf_init(&line, 32768);
	buf_addf(&line, "Authorization: Bearer %s", token);
	l->headers = curl_slist_append(NULL, buf_text(&line));
	buf_release(&line);
	set_options(l, broker, last_id);
	assert_int_equal(curl_multi_add_handle(l->multi, l->easy), CURLM_OK);
	while (!l->ended && l->text.len == 0 && clock_mono_ms() < till)
		turn(l, 100);
	assert_true(l->ended || l->text.len > 0);
}

bool listener_has(const struct listener *l, const char *text)
{
	return strstr(buf_text(&l->text), text) != NULL;
}

bool listener_wait(struct listener *l, const char *text, int64_t timeout_ms)
{
	int64_t till = clock_mono_ms() + timeout_ms;

	while (!listener_has(l, text) && !l->ended && clock_mono_ms() < till)
		turn(l, 50);
	return listener_has(l, text);
}

bool listener_wait_end(struct listener *l, int64_t timeout_ms)
{
	int64_t till = clock_mono_ms() + timeout_ms;

	while (!l->ended && clock_mono_ms() < till)
		turn(l, 50);
	return l->ended;
}

void listener_last_id(const struct listener *l, char out[32])
{
	const char *at = buf_text(&l->text), *last = NULL;

	while ((at = strstr(at, "id: ")) != NULL) {
		last = at += strlen("id: ");
	}
	assert_non_null(last);
	snprintf(out, 32, "%.*s", (int)strcspn(last, "\n"), last);
}

void listener_forget(struct listener *l)
{
	buf_clear(&l->text);
}

void listener_close(struct listener *l)
{
	if (l->multi == NULL)
		return;
	curl_multi_remove_handle(l->multi, l->easy);
	curl_easy_cleanup(l->easy);
	curl_multi_cleanup(l->multi);
	curl_slist_free_all(l->headers);
	buf_release(&l->text);
	*l = (struct listener){0};
}
