/* What faults do to answers. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "scim-push/sandbox/fault.h"

#define HUGE_BYTES (10U << 20)

bool fault_applies(const struct fault *fault)
{
	switch (fault->action) {
	case FAULT_NONE:
	case FAULT_DELAY:
	case FAULT_HANG:
	case FAULT_TRUNCATE:
		return true;
	case FAULT_CLOSE:
	case FAULT_STATUS:
	case FAULT_NOOP:
	case FAULT_HTML:
	case FAULT_HUGE:
	case FAULT_REDIRECT:
		break;
	}
	return fault->after;
}

/* Retry-After of RFC 9110 section 10.2.3. */
static void set_retry(const struct fault *fault, struct answer *answer, int64_t now_ms)
{
	time_t then = (time_t)(now_ms / 1000 + fault->retry_s);
	struct tm tm;

	if (fault->retry == RETRY_SECONDS)
		(void)snprintf(answer->retry_after, sizeof(answer->retry_after), "%ld", fault->retry_s);
	if (fault->retry == RETRY_DATE && gmtime_r(&then, &tm) != NULL)
		(void)strftime(answer->retry_after, sizeof(answer->retry_after), "%a, %d %b %Y %H:%M:%S GMT",
			       &tm);
}

static void set_page(struct answer *answer)
{
	answer->status = 200;
	answer->type = "text/html";
	buf_clear(&answer->body);
	buf_adds(&answer->body,
		 "<!DOCTYPE html><html><head><title>Sign in</title></head><body>Sign in</body></html>");
}

static void set_huge(struct answer *answer)
{
	char block[1024];

	(void)memset(block, 'x', sizeof(block));
	answer->status = 200;
	buf_clear(&answer->body);
	buf_adds(&answer->body, "{\"padding\":\"");
	for (unsigned i = 0; i < HUGE_BYTES / sizeof(block); i++)
		buf_add(&answer->body, block, sizeof(block));
	buf_adds(&answer->body, "\"}");
}

/* An answer without a body becomes half an object, so that there is something to stumble over. */
static void truncate_body(struct answer *answer)
{
	struct buf whole = answer->body;

	buf_init(&answer->body, ANSWER_MAX);
	if (answer->status == 204)
		buf_adds(&answer->body, "{\"schemas\":[\"urn:ietf:params:scim:schemas:core");
	else
		buf_add(&answer->body, buf_text(&whole), whole.len / 2);
	if (answer->status == 204)
		answer->status = 200;
	buf_release(&whole);
}

void fault_spoil(const struct fault *fault, struct answer *answer, int64_t now_ms)
{
	switch (fault->action) {
	case FAULT_NONE:
	case FAULT_DELAY:
	case FAULT_HANG:
	case FAULT_CLOSE:
		break;
	case FAULT_STATUS:
		answer_error(answer, fault->status, "The sandbox was told to fail.", now_ms);
		set_retry(fault, answer, now_ms);
		break;
	case FAULT_NOOP:
		answer->status = 204;
		break;
	case FAULT_HTML:
		set_page(answer);
		break;
	case FAULT_TRUNCATE:
		truncate_body(answer);
		break;
	case FAULT_HUGE:
		set_huge(answer);
		break;
	case FAULT_REDIRECT:
		answer->status = fault->status;
		(void)snprintf(answer->location, sizeof(answer->location), "%s", fault->url);
		break;
	}
}
