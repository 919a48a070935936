/* Approval systems of a test: decisions by signed webhook, and clicks on buttons as Slack sends them. */
#ifndef SUPPORT_HOOKS_H
#define SUPPORT_HOOKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/support/http.h"
#include "tests/support/world.h"

#define HOOK_SECRET  "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
#define SLACK_SECRET "8f742231b10e8888abcd99yyyzzz85a5" /* the example of Slack's documentation */

#define HOOK_FILE_SIZE 32

/* Makes a file under /tmp that holds the secret; the caller removes it. */
bool hook_write_secret(char name[HOOK_FILE_SIZE], const char *secret);

/* POST /hooks/approvals/SOURCE. */
struct hook {
	const char *source, *secret, *id, *approver, *decision;
	int64_t age_s; /* of its time stamp */
	size_t broker;
};

/* Sends the webhook for that request. */
void hook_call(const struct world *world, const struct hook *hook, const char *request,
	       struct http_response *response);
/* The status alone. */
int hook_send(const struct world *world, const struct hook *hook, const char *request);

/* A click on a button: POST /hooks/SOURCE. */
struct click {
	const char *secret, *source, *team, *user, *decision;
	int64_t age_s;
	size_t broker;
	int status; /* for the table that holds it */
};

/* `timestamp` "" = now (less its age), which it then is. */
void hook_click_call(const struct world *world, const struct click *click, const char *request,
		     char timestamp[24], struct http_response *response);
int hook_click(const struct world *world, const struct click *click, const char *request, char timestamp[24]);

#endif
