/* One HTTP request by libcurl, and readers of its answer. */
#include "tests/support/http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "base/clock.h"
#include "tests/support/http_transfer.h"

#define ANSWER_MAX         (64 * 1024 * 1024)
#define DEFAULT_TIMEOUT_MS 20000

static size_t keep(char *bytes, size_t size, size_t count, void *ctx)
{
	struct buf *b = ctx;

	buf_add(b, bytes, size * count);
	return buf_failed(b) ? 0 : size * count;
}

static size_t keep_header(char *bytes, size_t size, size_t count, void *ctx)
{
	struct buf *b = ctx;

	/* A new status line begins the headers of the final answer; those before it were interim. */
	if (size * count > 5 && memcmp(bytes, "HTTP/", 5) == 0)
		buf_clear(b);
	return keep(bytes, size, count, ctx);
}

static bool add_header(struct curl_slist **list, const char *line)
{
	struct curl_slist *longer = curl_slist_append(*list, line);

	if (longer == NULL)
		return false;
	*list = longer;
	return true;
}

static bool add_headers(struct curl_slist **list, const struct http_request *request)
{
	bool has_type = false;
	char line[4200];

	for (size_t i = 0; i < HTTP_HEADERS_MAX && request->headers[i] != NULL; i++) {
		if (strncasecmp(request->headers[i], "Content-Type:", strlen("Content-Type:")) == 0)
			has_type = true;
		if (!add_header(list, request->headers[i]))
			return false;
	}
	if (request->body != NULL && !has_type && !add_header(list, "Content-Type: application/json"))
		return false;
	if (request->bearer == NULL)
		return true;
	snprintf(line, sizeof(line), "Authorization: Bearer %s", request->bearer);
	return add_header(list, line);
}

static void set_options(CURL *easy, const struct http_request *request, struct http_response *response)
{
	int64_t timeout_ms = request->timeout_ms > 0 ? request->timeout_ms : DEFAULT_TIMEOUT_MS;

	curl_easy_setopt(easy, CURLOPT_URL, request->url);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, response->error);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, keep);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, &response->body);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, keep_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, &response->headers);
	if (request->body != NULL) {
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(request->body));
		curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, request->body);
	}
	if (request->ca_file != NULL)
		curl_easy_setopt(easy, CURLOPT_CAINFO, request->ca_file);
	if (request->method != NULL)
		curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
	if (request->method != NULL && strcmp(request->method, "HEAD") == 0)
		curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
}

bool http_transfer_init(struct http_transfer *transfer, const struct http_request *request,
			struct http_response *response)
{
	memset(response, 0, sizeof(*response));
	buf_init(&response->headers, ANSWER_MAX);
	buf_init(&response->body, ANSWER_MAX);
	memset(transfer, 0, sizeof(*transfer));
	transfer->response = response;
	transfer->easy = curl_easy_init();
	if (transfer->easy == NULL || !add_headers(&transfer->headers, request)) {
		snprintf(response->error, sizeof(response->error), "out of memory");
		http_transfer_release(transfer);
		return false;
	}
	set_options(transfer->easy, request, response);
	curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, transfer->headers);
	response->sent_ms = clock_mono_ms();
	return true;
}

void http_transfer_finish(struct http_transfer *transfer, CURLcode result)
{
	struct http_response *response = transfer->response;
	long status = 0;

	response->ended_ms = clock_mono_ms();
	if (result != CURLE_OK) {
		if (response->error[0] == '\0')
			snprintf(response->error, sizeof(response->error), "%s", curl_easy_strerror(result));
		return;
	}
	curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
	response->status = (int)status;
	response->json = cJSON_ParseWithLength(buf_text(&response->body), response->body.len);
}

void http_transfer_release(struct http_transfer *transfer)
{
	curl_easy_cleanup(transfer->easy);
	curl_slist_free_all(transfer->headers);
	transfer->easy = NULL;
	transfer->headers = NULL;
}

void http_call(const struct http_request *request, struct http_response *response)
{
	struct http_transfer transfer;

	if (!http_transfer_init(&transfer, request, response))
		return;
	http_transfer_finish(&transfer, curl_easy_perform(transfer.easy));
	http_transfer_release(&transfer);
}

void http_response_release(struct http_response *response)
{
	buf_release(&response->headers);
	buf_release(&response->body);
	cJSON_Delete(response->json);
	response->json = NULL;
}

bool http_header(const struct http_response *response, const char *name, char *value, size_t size)
{
	const char *line = buf_text(&response->headers);
	size_t name_len = strlen(name);

	for (; line != NULL && *line != '\0';
	     line = strchr(line, '\n'), line = line == NULL ? NULL : line + 1) {
		if (strncasecmp(line, name, name_len) != 0 || line[name_len] != ':')
			continue;
		line += name_len + 1;
		line += strspn(line, " \t");
		snprintf(value, size, "%.*s", (int)strcspn(line, "\r\n"), line);
		return true;
	}
	return false;
}

const cJSON *http_json(const struct http_response *response, const char *path)
{
	const cJSON *at = response->json;
	char name[128];

	while (at != NULL && *path != '\0') {
		size_t len = strcspn(path, ".");

		snprintf(name, sizeof(name), "%.*s", (int)len, path);
		if (cJSON_IsArray(at))
			at = cJSON_GetArrayItem(at, (int)strtol(name, NULL, 10));
		else
			at = response->any_case ? cJSON_GetObjectItem(at, name)
						: cJSON_GetObjectItemCaseSensitive(at, name);
		path += len;
		path += *path == '.';
	}
	return at;
}

const char *http_json_text(const struct http_response *response, const char *path)
{
	return cJSON_GetStringValue(http_json(response, path));
}

int http_dial(const char *root)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct timeval patience = {.tv_sec = 10};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	to.sin_port = htons((uint16_t)strtoul(strrchr(root, ':') + 1, NULL, 10));
	if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) == 0 &&
	    connect(fd, (const struct sockaddr *)&to, sizeof(to)) == 0)
		return fd;
	perror(root);
	if (fd >= 0)
		close(fd);
	return -1;
}
