/*
 * A bearer token that was to be sent: what libcurl gives back of our list of headers no longer holds it. (What it has
 * copied for a transfer is its own; so nothing is sent here.)
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <curl/curl.h>
#include <malloc.h>
#include <uv.h>

#include "base/clock.h"
#include "http/http.h"

#define SECRET "t0ken-that-is-given-back"
#define HEADER "X-Plain: kept-as-it-is" /* wiped as well */
#define URL    "http://127.0.0.1:1/found-when-it-is-given-back"

static size_t secrets, headers, urls; /* blocks with them that were given back */

static bool holds(const void *block, const char *text)
{
	return memmem(block, malloc_usable_size((void *)(uintptr_t)block), text, strlen(text)) != NULL;
}

static void look_and_free(void *block)
{
	if (block != NULL) {
		secrets += holds(block, SECRET);
		headers += holds(block, HEADER);
		urls += holds(block, URL);
	}
	free(block);
}

static void on_done(void *ctx, const struct http_answer *answer)
{
	(void)answer;
	*(bool *)ctx = true;
}

static void a_token_is_forgotten(void **state)
{
	static const char *const further[] = {HEADER, NULL};
	const struct http_call call = {.method = HTTP_GET,
				       .url = URL,
				       .token = SECRET,
				       .accept = "application/json",
				       .headers = further,
				       .ca_file = "",
				       .deadline_ms = clock_mono_ms() + 60000};
	bool done = false;
	const struct http_hook hook = {on_done, &done};
	struct http_request *request;
	struct http_client *client;
	uv_loop_t loop;

	(void)state;
	assert_int_equal(uv_loop_init(&loop), 0);
	assert_int_equal(http_client_new(&loop, &client, NULL), ERR_OK);
	assert_int_equal(http_start(client, &call, &hook, &request), ERR_OK);
	assert_false(http_cancel(request));
	http_client_free(client);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
	assert_false(done);
	assert_int_equal(secrets, 0);
	assert_int_equal(headers, 0);
	assert_true(urls > 0); /* the search finds what is there */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_token_is_forgotten),
	};

	if (curl_global_init_mem(CURL_GLOBAL_DEFAULT, malloc, look_and_free, realloc, strdup, calloc) !=
	    CURLE_OK)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
