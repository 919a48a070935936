/* What faults do to answers. */
#include <stdio.h>
#include <string.h>

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

static void set_page(int status, struct answer *answer)
{
	answer->status = status;
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

/* What a real service would say besides that status. */
static enum problem problem_of(int status)
{
	static const struct {
		int status;
		enum problem problem;
	} usual[] = {{401, PROBLEM_UNAUTHORISED}, {404, PROBLEM_NOT_FOUND}, {409, PROBLEM_CONFLICT},
		     {412, PROBLEM_VERSION},      {413, PROBLEM_TOO_LARGE}, {429, PROBLEM_THROTTLED}};

	for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++)
		if (usual[i].status == status)
			return usual[i].problem;
	return PROBLEM_TOLD;
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
		answer_error(answer, fault->status, problem_of(fault->status), now_ms);
		answer_retry(answer, fault->retry, fault->retry_s, now_ms);
		break;
	case FAULT_NOOP:
		answer->status = fault->status;
		break;
	case FAULT_HTML:
		set_page(fault->status, answer);
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
