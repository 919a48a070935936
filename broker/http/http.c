/* One request: an easy handle, what it sends, what becomes of it. Those that are under way are in http_client.c. */
#include "http/http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/digest.h"
#include "http/http_guard.h"
#include "http/http_redirect.h"
#include "http/http_request.h"

#define AUTHORIZATION "Authorization: Bearer "
#define VALUE(field)  ((struct value){field, sizeof(field)})

/* -- one request ------------------------------------------------------------------------------------------- */

static void wipe_headers(struct curl_slist *headers)
{
	for (struct curl_slist *h = headers; h != NULL; h = h->next)
		digest_wipe(h->data, strlen(h->data));
	curl_slist_free_all(headers);
}

void http_request_free(struct http_request *r)
{
	curl_easy_cleanup(r->easy);
	wipe_headers(r->headers);
	buf_release(&r->body);
	free(r->sending);
	free(r);
}

static void request_link(struct http_client *client, struct http_request *r)
{
	r->next = client->requests;
	r->link = &client->requests;
	if (r->next != NULL)
		r->next->link = &r->next;
	client->requests = r;
	if (r->deadline_ms < client->earliest_ms)
		client->earliest_ms = r->deadline_ms;
}

/* Takes the request away from curl, which from then on sends and receives nothing for it. */
static bool request_unlink(struct http_request *r)
{
	long sent = 0;

	curl_easy_getinfo(r->easy, CURLINFO_REQUEST_SIZE, &sent);
	curl_multi_remove_handle(r->multi, r->easy);
	*r->link = r->next;
	if (r->next != NULL)
		r->next->link = r->link;
	return sent > 0;
}

bool http_cancel(struct http_request *request)
{
	bool sent = request_unlink(request);

	http_request_free(request);
	return sent;
}

/* Tells the caller. The request is out of all lists by now but for the one of those to be freed. */
static void request_end(struct http_request *r, const struct http_answer *answer)
{
	r->next = r->client->ended;
	r->client->ended = r;
	r->hook.done(r->hook.ctx, answer);
}

void http_request_give_up(struct http_request *r, const char *words)
{
	struct http_answer answer = {
		.body = "", .retry_after = "", .rate_limit_reset = "", .cache_control = ""};

	answer.words = words;
	answer.sent = request_unlink(r);
	request_end(r, &answer);
}

static const char *failure_words(const struct http_request *r, CURLcode result)
{
	if (r->is_private)
		return "its address is not in the public network, and allow_private is not set";
	/* By curl, or by on_upload(). */
	if (result == CURLE_OPERATION_TIMEDOUT || result == CURLE_ABORTED_BY_CALLBACK)
		return "no answer in time";
	if (buf_failed(&r->body) || r->header_bytes > HTTP_HEADERS_MAX)
		return "its answer is larger than the broker reads";
	if (result == CURLE_OK || result == CURLE_PARTIAL_FILE)
		return "its answer is cut off";
	if (result == CURLE_GOT_NOTHING || result == CURLE_SEND_FAIL_REWIND)
		return "it closed the connection";
	return r->words[0] != '\0' ? r->words : curl_easy_strerror(result);
}

void http_request_finish(struct http_request *r, CURLcode result)
{
	struct http_answer answer = {.retry_after = r->retry_after,
				     .rate_limit_reset = r->rate_limit_reset,
				     .cache_control = r->cache_control,
				     .words = ""};

	/* curl takes a connection that ends within the headers for the end of the answer. */
	if (r->is_mail || (r->headers_whole && (result == CURLE_OK || r->passed_over > HTTP_PASSED_OVER_MAX)))
		curl_easy_getinfo(r->easy, CURLINFO_RESPONSE_CODE, &answer.status);
	if (answer.status == 0 || (r->is_mail && result != CURLE_OK))
		answer.words = failure_words(r, result);
	/* The code before a break is not the answer to what was broken off. */
	if (r->is_mail && result != CURLE_OK && answer.status < 400)
		answer.status = 0;
	answer.body = buf_text(&r->body);
	answer.len = r->body.len;
	answer.sent = request_unlink(r);
	request_end(r, &answer);
}

/* -- what curl sends and receives ------------------------------------------------------------------------------------ */

/* Hands over the body. The last moment at which an overdue request can be held back. */
static size_t on_upload(char *out, size_t size, size_t count, void *ctx)
{
	struct http_request *r = ctx;
	size_t left = r->sending_len - r->sending_at;
	size_t len = size * count < left ? size * count : left;

	if (clock_mono_ms() >= r->deadline_ms)
		return CURL_READFUNC_ABORT;
	memcpy(out, r->sending + r->sending_at, len);
	r->sending_at += len;
	return len;
}

/*
 * curl sends a request again, unasked, when a connection that was open before is closed without an answer, and
 * for that it must go back in the body. A second PATCH is for the caller to decide on: it counts as a push.
 */
static int on_rewind(void *ctx, curl_off_t offset, int origin)
{
	(void)ctx;
	(void)offset;
	(void)origin;
	return CURL_SEEKFUNC_FAIL;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *ctx)
{
	struct http_request *r = ctx;

	/* Of an answer whose status is all that matters the rest is not waited for. */
	if (r->status_only) {
		r->passed_over += size * count;
		return r->passed_over > HTTP_PASSED_OVER_MAX ? 0 : size * count;
	}
	buf_add(&r->body, bytes, size * count);
	return buf_failed(&r->body) ? 0 : size * count;
}

/* Where a header's value is kept. */
struct value {
	char *text;
	size_t size;
};

/* Keeps the value of the header line, when it has this name ("retry-after:"). */
static void keep_value(const char *name, const char *line, size_t len, struct value out)
{
	size_t at = strlen(name);

	if (len < at || strncasecmp(line, name, at) != 0)
		return;
	while (at < len && (line[at] == ' ' || line[at] == '\t'))
		at++;
	while (len > at && strchr(" \t\r\n", line[len - 1]) != NULL)
		len--;
	if (len - at < out.size) {
		memcpy(out.text, line + at, len - at);
		out.text[len - at] = '\0';
	}
}

static size_t on_header(char *line, size_t size, size_t count, void *ctx)
{
	struct http_request *r = ctx;
	size_t len = size * count;

	r->header_bytes += len;
	if (r->header_bytes > HTTP_HEADERS_MAX)
		return 0;
	if (len >= 5 && memcmp(line, "HTTP/", 5) == 0) {
		/* What came before belonged to an interim answer. */
		r->retry_after[0] = '\0';
		r->rate_limit_reset[0] = '\0';
		r->cache_control[0] = '\0';
		r->location[0] = '\0';
		r->headers_whole = false;
	}
	if (len > 0 && (line[0] == '\r' || line[0] == '\n'))
		r->headers_whole = true;
	keep_value("retry-after:", line, len, VALUE(r->retry_after));
	keep_value("x-rate-limit-reset:", line, len, VALUE(r->rate_limit_reset));
	keep_value("cache-control:", line, len, VALUE(r->cache_control));
	if (r->one_redirect)
		keep_value("location:", line, len, VALUE(r->location));
	return len;
}

/* -- what is asked for -------------------------------------------------------------------------------------- */

static bool add_header(struct http_request *r, const char *line)
{
	struct curl_slist *longer = curl_slist_append(r->headers, line);

	if (longer != NULL)
		r->headers = longer;
	return longer != NULL;
}

/* "Name: value"; the line is wiped, because it may hold a token. */
static bool add_value(struct http_request *r, const char *name, const char *value)
{
	char line[sizeof(AUTHORIZATION) + HTTP_TOKEN_MAX];
	int len = snprintf(line, sizeof(line), "%s%s", name, value);
	bool ok = len > 0 && (size_t)len < sizeof(line) && add_header(r, line);

	digest_wipe(line, sizeof(line));
	return ok;
}

static bool add_headers(struct http_request *r, const struct http_call *call)
{
	if (call->token != NULL && !add_value(r, AUTHORIZATION, call->token))
		return false;
	if (!add_value(r, "Accept: ", call->accept))
		return false;
	for (const char *const *line = call->headers; line != NULL && *line != NULL; line++)
		if (!add_header(r, *line))
			return false;
	return call->body == NULL ||
	       (add_value(r, "Content-Type: ", call->media_type) && add_header(r, "Expect:"));
}

bool http_request_send(struct http_request *r, const char *text)
{
	r->sending = strdup(text);
	r->sending_len = strlen(text);
	return r->sending != NULL && curl_easy_setopt(r->easy, CURLOPT_READFUNCTION, on_upload) == CURLE_OK &&
	       curl_easy_setopt(r->easy, CURLOPT_READDATA, r) == CURLE_OK &&
	       curl_easy_setopt(r->easy, CURLOPT_SEEKFUNCTION, on_rewind) == CURLE_OK &&
	       curl_easy_setopt(r->easy, CURLOPT_SEEKDATA, r) == CURLE_OK;
}

static bool set_upload(struct http_request *r, const struct http_call *call)
{
	CURL *easy = r->easy;

	if (call->method == HTTP_DELETE &&
	    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, "DELETE") != CURLE_OK)
		return false;
	if (call->body == NULL)
		return true;
	return http_request_send(r, call->body) && curl_easy_setopt(easy, CURLOPT_POST, 1L) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long)r->sending_len) == CURLE_OK &&
	       (call->method != HTTP_PATCH ||
		curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, "PATCH") == CURLE_OK);
}

/* Where curl would open a socket for a call that must stay in the public network. */
static curl_socket_t on_open(void *ctx, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct http_request *r = ctx;

	(void)purpose;
	if (http_guard_is_public(&address->addr))
		return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
	r->is_private = true;
	return CURL_SOCKET_BAD;
}

/* A proxy of the environment would see addresses in our place. */
static bool set_guard(struct http_request *r, const struct http_call *call)
{
	return !call->public_only ||
	       (curl_easy_setopt(r->easy, CURLOPT_PROXY, "") == CURLE_OK &&
		curl_easy_setopt(r->easy, CURLOPT_OPENSOCKETDATA, r) == CURLE_OK &&
		curl_easy_setopt(r->easy, CURLOPT_OPENSOCKETFUNCTION, on_open) == CURLE_OK);
}

/* What keeps a request inside its bounds. Each of these must hold, so each is checked. */
bool http_request_limits(struct http_request *r, const char *ca_file)
{
	CURL *easy = r->easy;
	int64_t left_ms = r->deadline_ms - clock_mono_ms();
	bool ok = curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
		  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L) == CURLE_OK &&
		  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L) == CURLE_OK &&
		  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, left_ms > 0 ? (long)left_ms : 1L) == CURLE_OK &&
		  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_TIMEOUT_MS) == CURLE_OK &&
		  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
		  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK &&
		  curl_easy_setopt(easy, CURLOPT_WRITEDATA, r) == CURLE_OK &&
		  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header) == CURLE_OK &&
		  curl_easy_setopt(easy, CURLOPT_HEADERDATA, r) == CURLE_OK &&
		  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, r->words) == CURLE_OK &&
		  curl_easy_setopt(easy, CURLOPT_PRIVATE, r) == CURLE_OK;

	/* The given authorities are the only ones: the system's directory would otherwise be asked as well. */
	if (ca_file[0] != '\0')
		ok = ok && curl_easy_setopt(easy, CURLOPT_CAINFO, ca_file) == CURLE_OK &&
		     curl_easy_setopt(easy, CURLOPT_CAPATH, NULL) == CURLE_OK;
	return ok;
}

static bool set_transfer(struct http_request *r, const struct http_call *call)
{
	CURL *easy = r->easy;

	return curl_easy_setopt(easy, CURLOPT_URL, call->url) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_USERAGENT, "jit-broker") == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_HTTPHEADER, r->headers) == CURLE_OK;
}

struct http_request *http_request_new(struct http_client *client, const struct http_hook *hook,
				      int64_t deadline_ms)
{
	struct http_request *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return NULL;
	r->client = client;
	r->hook = *hook;
	r->deadline_ms = deadline_ms;
	buf_init(&r->body, HTTP_BODY_MAX);
	r->easy = curl_easy_init();
	if (r->easy == NULL) {
		http_request_free(r);
		return NULL;
	}
	return r;
}

enum err http_request_begin(struct http_request *r, struct http_request **out)
{
	r->multi = http_client_multi(r->client);
	if (r->multi == NULL || curl_multi_add_handle(r->multi, r->easy) != CURLM_OK) {
		http_request_free(r);
		return ERR_NOMEM;
	}
	request_link(r->client, r);
	*out = r;
	return ERR_OK;
}

enum err http_start(struct http_client *client, const struct http_call *call, const struct http_hook *hook,
		    struct http_request **out)
{
	struct http_request *r;

	if (call->deadline_ms <= clock_mono_ms())
		return ERR_TIMEOUT;
	r = http_request_new(client, hook, call->deadline_ms);
	if (r == NULL)
		return ERR_NOMEM;
	if (call->answer_max > 0)
		buf_init(&r->body, call->answer_max);
	r->status_only = call->status_only;
	r->one_redirect = call->one_redirect;
	if (!add_headers(r, call) || !set_upload(r, call) || !http_request_limits(r, call->ca_file) ||
	    !set_transfer(r, call) || !set_guard(r, call)) {
		http_request_free(r);
		return ERR_NOMEM;
	}
	return http_request_begin(r, out);
}
