#include "tests/support/receivers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/support/wait.h"

#define START_MS 30000

/* -- webhooks ----------------------------------------------------------------------------------------------- */

bool receiver_start(struct receiver *r, const char *const *secrets)
{
	static const char word[] = "listening ";
	char modules[PROC_PATH_SIZE], log[PROC_PATH_SIZE + 16], line[256];
	const char *argv[8] = {"node", "tests/webhooks/receiver.mjs", modules};

	memset(r, 0, sizeof(*r));
	for (size_t i = 0; i < 4 && secrets[i] != NULL; i++)
		argv[3 + i] = secrets[i];
	snprintf(r->folder, sizeof(r->folder), "/tmp/jit-receiver-XXXXXX");
	if (mkdtemp(r->folder) == NULL || !proc_build_path("webhooks", modules, sizeof(modules)))
		return false;
	snprintf(log, sizeof(log), "%s/log", r->folder);
	if (!proc_start(&r->proc, argv, NULL, log) ||
	    !proc_wait_text(&r->proc, word, START_MS, line, sizeof(line)))
		return false;
	snprintf(r->url, sizeof(r->url), "%.*s", (int)strcspn(line + strlen(word), "\r\n"),
		 line + strlen(word));
	return true;
}

void receiver_end(struct receiver *r)
{
	proc_kill9(&r->proc);
	if (r->folder[0] == '\0')
		return;
	unlink(r->proc.log_path);
	rmdir(r->folder);
}

static bool call(const struct receiver *r, const char *path, const char *body, struct http_response *response)
{
	char url[128];

	snprintf(url, sizeof(url), "%s%s", r->url, path);
	http_call(&(struct http_request){.url = url, .body = body}, response);
	if (response->status != 200)
		fprintf(stderr, "receiver: %s: %d %s\n", path, response->status, response->error);
	return response->status == 200;
}

bool receiver_answer(const struct receiver *r, const char *json)
{
	struct http_response response;
	bool done = call(r, "/test/answer", json, &response);

	http_response_release(&response);
	return done;
}

void receiver_received(const struct receiver *r, struct http_response *response)
{
	call(r, "/test/received", NULL, response);
}

static size_t taken(const struct receiver *r)
{
	struct http_response response;
	const cJSON *message;
	size_t count = 0;

	receiver_received(r, &response);
	cJSON_ArrayForEach(message, http_json(&response, "messages")) {
		const cJSON *answered = cJSON_GetObjectItemCaseSensitive(message, "answered");

		count += cJSON_IsNumber(answered) && answered->valueint >= 200 && answered->valueint < 300;
	}
	http_response_release(&response);
	return count;
}

bool receiver_wait(const struct receiver *r, size_t count, int64_t timeout_ms)
{
	int64_t until = clock_mono_ms() + timeout_ms;

	while (taken(r) < count) {
		if (clock_mono_ms() >= until) {
			struct http_response response;

			receiver_received(r, &response);
			fprintf(stderr, "the receiver has taken %zu messages, not %zu: %s\n", taken(r), count,
				buf_text(&response.body));
			http_response_release(&response);
			return false;
		}
		wait_a_little(10);
	}
	return true;
}

/* -- mail --------------------------------------------------------------------------------------------------- */

static bool make_certificate(struct mail_server *s)
{
	char log[64];
	struct proc openssl = {0};
	const char *argv[] = {"openssl",
			      "req",
			      "-x509",
			      "-newkey",
			      "ec",
			      "-pkeyopt",
			      "ec_paramgen_curve:P-256",
			      "-nodes",
			      "-keyout",
			      s->key,
			      "-out",
			      s->certificate,
			      "-subj",
			      "/CN=mail.test",
			      "-addext",
			      "subjectAltName=IP:127.0.0.1",
			      "-days",
			      "2",
			      NULL};

	snprintf(log, sizeof(log), "%s/openssl.log", s->folder);
	if (!proc_start(&openssl, argv, NULL, log) || proc_end(&openssl, 0, START_MS) != 0) {
		proc_print_log(&openssl, stderr);
		return false;
	}
	unlink(log);
	return true;
}

bool mail_server_start(struct mail_server *s)
{
	char port[12], log[64], line[256];
	/* Debian's own Python, which has the server's library. */
	const char *argv[] = {"/usr/bin/python3",
			      "tests/mail/server.py",
			      s->certificate,
			      s->key,
			      port,
			      MAIL_USER,
			      MAIL_PASSWORD,
			      NULL};

	if (s->folder[0] == '\0') {
		snprintf(s->folder, sizeof(s->folder), "/tmp/jit-mail-XXXXXX");
		if (mkdtemp(s->folder) == NULL)
			return false;
		snprintf(s->certificate, sizeof(s->certificate), "%s/mail.crt", s->folder);
		snprintf(s->key, sizeof(s->key), "%s/mail.key", s->folder);
		if (!make_certificate(s))
			return false;
	}
	snprintf(log, sizeof(log), "%s/log", s->folder);
	snprintf(port, sizeof(port), "%d", s->port);
	if (!proc_start(&s->proc, argv, NULL, log) ||
	    !proc_wait_text(&s->proc, "listening ", START_MS, line, sizeof(line)))
		return false;
	s->port = (int)strtol(line + strlen("listening "), NULL, 10);
	return true;
}

void mail_server_kill9(struct mail_server *s)
{
	proc_kill9(&s->proc);
}

void mail_server_end(struct mail_server *s)
{
	proc_kill9(&s->proc);
	if (s->folder[0] == '\0')
		return;
	unlink(s->certificate);
	unlink(s->key);
	unlink(s->proc.log_path);
	rmdir(s->folder);
}

bool mail_server_wait(struct mail_server *s, const char *text, int64_t timeout_ms, char *line, size_t size)
{
	return proc_wait_text(&s->proc, text, timeout_ms, line, size);
}

size_t mail_server_count(const struct mail_server *s, const char *text)
{
	FILE *log = fopen(s->proc.log_path, "r");
	char *line = NULL;
	size_t size = 0, count = 0;

	while (log != NULL && getline(&line, &size, log) > 0)
		count += line[0] == '{' && strstr(line, text) != NULL;
	free(line);
	if (log != NULL)
		fclose(log);
	return count;
}

/* -- time --------------------------------------------------------------------------------------------------- */

bool notices_pass(const struct world *world, int64_t ms)
{
	static const char script[] =
		"for _, key in ipairs(redis.call('KEYS', '*:nq:*')) do "
		"for _, id in ipairs(redis.call('ZRANGE', key, 0, -1)) do redis.call('ZINCRBY', key, "
		"ARGV[1], id) end end "
		"for _, key in ipairs(redis.call('KEYS', '*:tt')) do "
		"for _, id in ipairs(redis.call('ZRANGE', key, 0, -1)) do "
		"if id:match('^[dn]:') then redis.call('ZINCRBY', key, ARGV[1], id) end end end return 1";

	return redis_server_do(&world->redis, "EVAL %s 0 %lld", script, -(long long)ms);
}
