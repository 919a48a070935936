#include "command/call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <curl/curl.h>

#include "base/id.h"
#include "base/json.h"
#include "command/call_wire.h"

#define TRIES            4
#define CONNECT_MS       5000L
#define CALL_MS          30000L
#define WAIT_S           2  /* before the next try, when the answer does not say */
#define WAIT_MOST_S      20 /* an answer that asks for more is handed to the caller */
#define AUTHORIZATION    "Authorization: Bearer "
#define HEADER_LINE_SIZE (ACCOUNT_TOKEN_SIZE + sizeof(AUTHORIZATION))

struct wire {
	const char *url, *ca, *method, *body, *media_type;
	const char *token;
	char key[ID_SIZE];
};

bool call_begin(void)
{
	return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
}

void call_end(void)
{
	curl_global_cleanup();
}

static size_t on_body(char *bytes, size_t size, size_t count, void *ctx)
{
	struct buf *body = ctx;

	buf_add(body, bytes, size * count);
	return buf_failed(body) ? 0 : size * count;
}

struct curl_slist *wire_header(struct curl_slist *list, const char *line)
{
	struct curl_slist *longer = curl_slist_append(list, line);

	return longer != NULL ? longer : list;
}

struct curl_slist *wire_authorize(struct curl_slist *list, const char *token)
{
	char *line = token != NULL && token[0] != '\0' ? malloc(HEADER_LINE_SIZE) : NULL;

	if (line == NULL)
		return list;
	snprintf(line, HEADER_LINE_SIZE, AUTHORIZATION "%s", token);
	list = wire_header(list, line);
	free(line);
	return list;
}

void wire_options(CURL *curl, const char *url, const char *ca, struct curl_slist *headers)
{
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS);
	if (ca[0] != '\0')
		curl_easy_setopt(curl, CURLOPT_CAINFO, ca);
}

static struct curl_slist *headers_of(const struct wire *wire)
{
	struct curl_slist *list = wire_authorize(wire_header(NULL, "Accept: application/json"), wire->token);

	if (wire->body != NULL) {
		char type[80];

		snprintf(type, sizeof(type), "Content-Type: %s", wire->media_type);
		list = wire_header(list, type);
	}
	if (wire->key[0] != '\0') {
		char key[ID_SIZE + 20];

		snprintf(key, sizeof(key), "Idempotency-Key: %s", wire->key);
		list = wire_header(list, key);
	}
	return list;
}

static void set_options(CURL *curl, const struct wire *wire, struct curl_slist *headers, struct answer *out)
{
	wire_options(curl, wire->url, wire->ca, headers);
	curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, wire->method);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, CALL_MS);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, &out->body);
	if (wire->body != NULL) {
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, wire->body);
		curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)strlen(wire->body));
	}
}

/* One try. Returns after how many seconds the next one is worth it; 0 = the answer stands. */
static long attempt(const struct wire *wire, struct answer *out)
{
	CURL *curl = curl_easy_init();
	struct curl_slist *headers = headers_of(wire);
	curl_off_t after = 0;
	CURLcode code;

	out->status = 0;
	buf_clear(&out->body);
	if (curl == NULL) {
		curl_slist_free_all(headers);
		err_set(&out->why, ERR_NOMEM, "out of memory");
		return 0;
	}
	set_options(curl, wire, headers, out);
	code = curl_easy_perform(curl);
	if (code == CURLE_OK) {
		curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &out->status);
		curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &after);
	} else {
		err_set(&out->why, ERR_IO, "%s", curl_easy_strerror(code));
	}
	curl_slist_free_all(headers);
	curl_easy_cleanup(curl);
	if (code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_URL_MALFORMAT ||
	    code == CURLE_SSL_CACERT_BADFILE || code == CURLE_WRITE_ERROR)
		return 0;
	if (out->status == 0 || out->status == 429 || out->status == 503 || out->status == 504)
		return after > 0 ? (long)after : WAIT_S;
	/* What the try before this one began is still being done. */
	return out->status == 409 ? (long)after : 0;
}

static void perform(const struct wire *wire, struct answer *out)
{
	buf_init(&out->body, CALL_ANSWER_MAX);
	out->json = NULL;
	out->why.text[0] = '\0';
	for (int i = 0; i < TRIES; i++) {
		long wait_s = attempt(wire, out);
		struct timespec pause = {.tv_sec = wait_s};

		if (wait_s == 0 || wait_s > WAIT_MOST_S || i == TRIES - 1)
			break;
		nanosleep(&pause, NULL);
	}
	if (out->status != 0 && out->body.len > 0) {
		struct errctx ec;

		if (json_parse(buf_text(&out->body), out->body.len, &out->json, &ec) != ERR_OK)
			out->json = NULL;
	}
}

void call(const struct account *account, const char *method, const char *path, const char *body,
	  struct answer *out)
{
	char url[ACCOUNT_TEXT_SIZE + 4096];
	struct wire wire = {.url = url,
			    .ca = account->ca,
			    .method = method,
			    .body = body,
			    .media_type = "application/json",
			    .token = account->token};

	snprintf(url, sizeof(url), "%s%s", account->server, path);
	if (strcmp(method, "POST") == 0)
		id_make(0, wire.key);
	perform(&wire, out);
}

void call_form(const char *url, const char *ca, const char *form, struct answer *out)
{
	struct wire wire = {.url = url,
			    .ca = ca,
			    .method = form != NULL ? "POST" : "GET",
			    .body = form,
			    .media_type = "application/x-www-form-urlencoded"};

	perform(&wire, out);
}

void answer_release(struct answer *answer)
{
	buf_release(&answer->body);
	cJSON_Delete(answer->json);
	answer->json = NULL;
}

bool answer_ok(const struct answer *answer)
{
	return answer->status >= 200 && answer->status < 300;
}

void call_add_encoded(struct buf *out, const char *value)
{
	for (const unsigned char *p = (const unsigned char *)value; *p != '\0'; p++)
		if ((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9') ||
		    strchr("-._~", *p) != NULL)
			buf_add(out, p, 1);
		else
			buf_addf(out, "%%%02X", *p);
}
