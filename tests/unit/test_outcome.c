/* What answers mean: by operation, status, body and headers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "scim-push/outcome.h"

static char letter(enum outcome outcome)
{
	static const char letters[OUTCOME_COUNT] = {
		[OUTCOME_DONE] = 'D',          [OUTCOME_ALREADY] = 'a', [OUTCOME_LOOK_AGAIN] = 'l',
		[OUTCOME_RETRY] = '.',         [OUTCOME_REFUSED] = 'X', [OUTCOME_THROTTLED] = 'T',
		[OUTCOME_MISCONFIGURED] = 'M', [OUTCOME_SICK] = 's',
	};

	return letters[outcome];
}

/* A look-up, a creation, an addition, a removal, the reading of one resource. */
static const enum scim_op ops[] = {OP_FIND_GROUP, OP_CREATE_USER, OP_ADD_MEMBERS, OP_REMOVE_MEMBERS,
				   OP_CONFIRM};

static struct http_answer answer_of(long status, const char *body)
{
	return (struct http_answer){.status = status,
				    .body = body,
				    .len = strlen(body),
				    .retry_after = "",
				    .rate_limit_reset = "",
				    .cache_control = "",
				    .words = ""};
}

/* Every kind of operation against every status that was ever seen. */
static void matrix(void **state)
{
	static const struct {
		long status;
		const char *outcomes;
	} rows[] = {
		{0, "sssss"},   {200, "DDDDD"}, {201, "sDsss"}, {202, "sssss"}, {204, "ssDDs"},
		{206, "sssss"}, {301, "sssss"}, {302, "sssss"}, {307, "sssss"}, {308, "sssss"},
		{400, "XXXaX"}, {401, "MMMMM"}, {403, "MMMMM"}, {404, "MMlal"}, {405, "XXXXX"},
		{408, "....."}, {409, ".l..."}, {412, "....."}, {413, "XXXXX"}, {415, "XXXXX"},
		{422, "XXXXX"}, {425, "....."}, {429, "TTTTT"}, {499, "XXXXX"}, {500, "sssss"},
		{501, "sssss"}, {502, "sssss"}, {503, "TTTTT"}, {504, "sssss"}, {599, "sssss"},
		{100, "sssss"}, {999, "sssss"}, {-1, "sssss"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (size_t k = 0; k < sizeof(ops) / sizeof(ops[0]); k++) {
			struct http_answer answer = answer_of(rows[i].status, "");
			char found = letter(outcome_of(ops[k], &answer, 0).outcome);
			if (found != rows[i].outcomes[k])
				fail_msg("%s %ld: %c, not %c", scim_op_name(ops[k]), rows[i].status, found,
					 rows[i].outcomes[k]);
		}
	}
	(void)state;
}

#define ERROR_URN "urn:ietf:params:scim:api:messages:2.0:Error"
/* As AWS IAM Identity Center writes them: no scimType. */
#define AWS_ERROR(status, detail)                                                                            \
	"{\"schema\":[\"" ERROR_URN "\"],\"schemas\":[\"" ERROR_URN "\"],\"detail\":\"" detail "\","         \
	"\"status\":\"" status "\",\"exceptionRequestId\":\"0f6ab5a1-7a5e-4b53-a8f5-2a0f5a2d0e11\","         \
	"\"timeStamp\":\"2024-12-10 19:50:00.531\"}"
#define TYPED(status, type)                                                                                  \
	"{\"schemas\":[\"" ERROR_URN "\"],\"status\":\"" status "\",\"scimType\":\"" type                    \
	"\",\"detail\":\"d\"}"

/* Bodies that were seen on the wire, and what they decide. */
static void real_bodies(void **state)
{
	static const struct {
		enum scim_op op;
		long status;
		const char *body;
		char letter;
	} rows[] = {
		{OP_ADD_MEMBERS, 400,
		 AWS_ERROR("400", "Request is unparsable, syntactically incorrect, or violates schema."),
		 'X'},
		{OP_REMOVE_MEMBERS, 400,
		 AWS_ERROR("400", "Request is unparsable, syntactically incorrect, or violates schema."),
		 'a'},
		{OP_CREATE_USER, 409, AWS_ERROR("409", "Refused to create a new, duplicate resource."), 'l'},
		{OP_ADD_MEMBERS, 409, AWS_ERROR("409", "Conflict"), '.'},
		{OP_CONFIRM, 404, AWS_ERROR("404", "Resource not found"), 'l'},
		{OP_REMOVE_MEMBERS, 404, AWS_ERROR("404", "Resource not found"), 'a'},
		/* Servers that say 400 for what others say 409 and 404 for. */
		{OP_CREATE_USER, 400, TYPED("400", "uniqueness"), 'l'},
		{OP_CREATE_GROUP, 400, TYPED("400", "uniqueness"), 'l'},
		{OP_CREATE_USER, 400, TYPED("400", "invalidValue"), 'X'},
		{OP_ADD_MEMBERS, 400, TYPED("400", "noTarget"), 'l'},
		{OP_ADD_MEMBERS, 400, TYPED("400", "invalidValue"), 'X'}, /* better-auth: an unknown user */
		{OP_REMOVE_MEMBERS, 400, TYPED("400", "noTarget"), 'a'},
		{OP_FIND_USER, 400, TYPED("400", "invalidFilter"), 'X'},
		{OP_ADD_MEMBERS, 412, TYPED("412", "versionMismatch"), '.'},
		/* Huawei: a status that is a number; scimgateway: 500 for an unknown group. */
		{OP_ADD_MEMBERS, 404, "{\"schemas\":[\"" ERROR_URN "\"],\"status\":404}", 'l'},
		{OP_ADD_MEMBERS, 500, TYPED("500", "noTarget"), 's'},
		/* A page for people is no success, whatever its status is. */
		{OP_FIND_USER, 200, "<!DOCTYPE html><title>Sign in</title>", 's'},
		{OP_ADD_MEMBERS, 200, "  <html>Sign in</html>", 's'},
		{OP_REMOVE_MEMBERS, 200, "<html>", 's'},
		{OP_ADD_MEMBERS, 200, "{\"id\":\"g\"}", 'D'},
		/* A creation's answer is read; one that cannot be is looked up. */
		{OP_CREATE_USER, 201, "<html>", 'D'},
		{OP_ADD_MEMBERS, 400, "<html>Bad Request</html>", 'X'},
		{OP_DELETE_USER, 404, "", 'a'},
		{OP_DELETE_USER, 204, "", 'D'},
		{OP_READ_CONFIG, 404, "", 'l'},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct http_answer answer = answer_of(rows[i].status, rows[i].body);
		char found = letter(outcome_of(rows[i].op, &answer, 0).outcome);
		if (found != rows[i].letter)
			fail_msg("%s %ld %s: %c, not %c", scim_op_name(rows[i].op), rows[i].status,
				 rows[i].body, found, rows[i].letter);
	}
	(void)state;
}

static void waits(void **state)
{
	static const struct {
		long status;
		const char *retry_after, *reset;
		char letter;
		int64_t wait_ms;
	} rows[] = {
		{429, "", "", 'T', 0},
		{429, "7", "", 'T', 7000},
		{429, "Sun, 06 Nov 1994 08:49:37 GMT", "", 'T', 37000},
		{429, "soon", "12", 'T', 12000},
		{429, "", "12", 'T', 12000},
		{429, "7", "12", 'T', 7000},
		{429, "", "784111777", 'T', 3600000}, /* a number of seconds, and no date: bounded */
		{429, "", "1784111777", 'T', 3600000},
		{429, "", "-1", 'T', 0},
		{503, "30", "", 'T', 30000},
		{503, "", "", 'T', 0},
		/* Some applications throttle with 403, and then say so. */
		{403, "60", "", 'T', 60000},
		{403, "", "60", 'M', 0},
		/* Elsewhere it is of no interest. */
		{500, "60", "", 's', 0},
		{0, "60", "", 's', 0},
	};
	/* 37 s before that date. */
	const int64_t now_ms = INT64_C(784111740000);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct http_answer answer = answer_of(rows[i].status, "");
		answer.retry_after = rows[i].retry_after;
		answer.rate_limit_reset = rows[i].reset;
		struct scim_result result = outcome_of(OP_ADD_MEMBERS, &answer, now_ms);
		if (letter(result.outcome) != rows[i].letter || result.wait_ms != rows[i].wait_ms)
			fail_msg("row %zu: %c %lld", i, letter(result.outcome), (long long)result.wait_ms);
	}
	(void)state;
}

static void operations_have_different_names(void **state)
{
	for (int a = 0; a < OP_COUNT; a++) {
		for (int b = a + 1; b < OP_COUNT; b++) {
			assert_string_not_equal(scim_op_name((enum scim_op)a), scim_op_name((enum scim_op)b));
			assert_string_not_equal(scim_op_words((enum scim_op)a),
						scim_op_words((enum scim_op)b));
		}
	}
	for (int a = 0; a < OUTCOME_COUNT; a++)
		for (int b = a + 1; b < OUTCOME_COUNT; b++)
			assert_string_not_equal(outcome_name((enum outcome)a), outcome_name((enum outcome)b));
	(void)state;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(matrix),
		cmocka_unit_test(real_bodies),
		cmocka_unit_test(waits),
		cmocka_unit_test(operations_have_different_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
