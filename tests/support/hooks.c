#include "tests/support/hooks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/clock.h"
#include "webhook/standard.h"

bool hook_write_secret(char name[HOOK_FILE_SIZE], const char *secret)
{
	int fd;

	snprintf(name, HOOK_FILE_SIZE, "/tmp/jit-secret-XXXXXX");
	fd = mkstemp(name);
	return fd >= 0 && dprintf(fd, "%s\n", secret) > 0 && close(fd) == 0;
}

void hook_call(const struct world *world, const struct hook *hook, const char *request,
	       struct http_response *response)
{
	char body[512], timestamp[24], id[256], when[64], signature[WEBHOOK_HEADER_SIZE],
		line[WEBHOOK_HEADER_SIZE + 32];
	char url[128];
	struct signing_keys keys = {0};
	struct webhook_message message = {.id = hook->id, .timestamp = timestamp, .body = body};

	message.len = (size_t)snprintf(
		body, sizeof(body),
		"{\"type\":\"approval.decided\",\"timestamp\":\"2026-11-24T09:00:00Z\",\"data\":{"
		"\"requestId\":\"%s\",\"decision\":\"%s\",\"approver\":\"%s\"}}",
		request, hook->decision, hook->approver);
	snprintf(timestamp, sizeof(timestamp), "%lld", (long long)(clock_wall_ms() / 1000 - hook->age_s));
	assert_int_equal(webhook_key_add(&keys, hook->secret, NULL), ERR_OK);
	assert_int_equal(webhook_sign(&keys, &message, signature), ERR_OK);
	snprintf(id, sizeof(id), "webhook-id: %s", hook->id);
	snprintf(when, sizeof(when), "webhook-timestamp: %s", timestamp);
	snprintf(line, sizeof(line), "webhook-signature: %s", signature);
	snprintf(url, sizeof(url), "/hooks/approvals/%s", hook->source);
	broker_call(&world->brokers[hook->broker],
		    &(struct http_request){
			    .method = "POST", .url = url, .body = body, .headers = {id, when, line}},
		    response);
}

int hook_send(const struct world *world, const struct hook *hook, const char *request)
{
	struct http_response response;
	int status;

	hook_call(world, hook, request, &response);
	status = response.status;
	http_response_release(&response);
	return status;
}

static void sign_slack(const char *secret, const char *timestamp, const char *body, char out[80])
{
	unsigned char mac[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	char text[2048];

	snprintf(text, sizeof(text), "v0:%s:%s", timestamp, body);
	HMAC(EVP_sha256(), secret, (int)strlen(secret), (const unsigned char *)text, strlen(text), mac, &len);
	snprintf(out, 80, "v0=");
	for (unsigned i = 0; i < len; i++)
		snprintf(out + 3 + 2 * i, 3, "%02x", mac[i]);
}

void hook_click_call(const struct world *world, const struct click *click, const char *request,
		     char timestamp[24], struct http_response *response)
{
	char body[1024], signature[80], when[80], line[128], url[128];

	snprintf(
		body, sizeof(body),
		"payload=%%7B%%22type%%22%%3A%%22block_actions%%22%%2C%%22user%%22%%3A%%7B%%22id%%22%%3A%%22%"
		"s"
		"%%22%%2C%%22team_id%%22%%3A%%22%s%%22%%2C%%22username%%22%%3A%%22somebody%%22%%7D%%2C"
		"%%22actions%%22%%3A%%5B%%7B%%22action_id%%22%%3A%%22jit%%22%%2C%%22value%%22%%3A%%22%s%%3A%s"
		"%%22%%7D%%5D%%7D",
		click->user, click->team, click->decision, request);
	if (timestamp[0] == '\0')
		snprintf(timestamp, 24, "%lld", (long long)(clock_wall_ms() / 1000 - click->age_s));
	sign_slack(click->secret, timestamp, body, signature);
	snprintf(when, sizeof(when), "X-Slack-Request-Timestamp: %s", timestamp);
	snprintf(line, sizeof(line), "X-Slack-Signature: %s", signature);
	snprintf(url, sizeof(url), "/hooks/%s", click->source);
	broker_call(&world->brokers[click->broker],
		    &(struct http_request){
			    .method = "POST",
			    .url = url,
			    .body = body,
			    .headers = {when, line, "Content-Type: application/x-www-form-urlencoded"}},
		    response);
}

int hook_click(const struct world *world, const struct click *click, const char *request, char timestamp[24])
{
	struct http_response response;
	int status;

	hook_click_call(world, click, request, timestamp, &response);
	status = response.status;
	http_response_release(&response);
	return status;
}
