/* Slack: its request signature and the body of a click on a button. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "webhook/slack.h"

#define LEN(a) (sizeof(a) / sizeof(*(a)))

/* The example in Slack's documentation of request signatures. */
#define SECRET "8f742231b10e8888abcd99yyyzzz85a5"
#define AT     "1531420618"
#define AT_MS  INT64_C(1531420618000)
#define BODY                                                                                                 \
	"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V"      \
	"&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="       \
	"&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F"               \
	"96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
#define HEX       "a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
#define SIGNATURE "v0=" HEX
#define WRONG     "v0=b2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"

static void test_verify(void **state)
{
	static const struct {
		const char *what, *timestamp, *body, *signature;
		int64_t now_ms;
		enum signing_verdict want;
	} rows[] = {
		{"valid", AT, BODY, SIGNATURE, AT_MS, SIGNING_VALID},
		{"old enough", AT, BODY, SIGNATURE, AT_MS + 300000, SIGNING_VALID},
		{"too old", AT, BODY, SIGNATURE, AT_MS + 301000, SIGNING_TOO_OLD},
		{"new enough", AT, BODY, SIGNATURE, AT_MS - 300000, SIGNING_VALID},
		{"too new", AT, BODY, SIGNATURE, AT_MS - 301000, SIGNING_TOO_NEW},
		{"no time", NULL, BODY, SIGNATURE, AT_MS, SIGNING_TIME_MISSING},
		{"no number", AT "x", BODY, SIGNATURE, AT_MS, SIGNING_TIME_INVALID},
		{"other time", "1531420619", BODY, SIGNATURE, AT_MS, SIGNING_WRONG},
		{"other body", AT, BODY "&", SIGNATURE, AT_MS, SIGNING_WRONG},
		{"no signature", AT, BODY, NULL, AT_MS, SIGNING_MISSING},
		{"empty", AT, BODY, "", AT_MS, SIGNING_MISSING},
		{"wrong", AT, BODY, WRONG, AT_MS, SIGNING_WRONG},
		{"no version", AT, BODY, HEX, AT_MS, SIGNING_UNKNOWN_VERSION},
		{"next version", AT, BODY, "v1=" HEX, AT_MS, SIGNING_UNKNOWN_VERSION},
		{"version only", AT, BODY, "v0=", AT_MS, SIGNING_WRONG},
		{"more", AT, BODY, SIGNATURE "0", AT_MS, SIGNING_WRONG},
		{"list", AT, BODY, SIGNATURE " " SIGNATURE, AT_MS, SIGNING_WRONG},
		{"cut", AT, BODY, "v0=a2114d57b48eac39b9ad189dd8316235", AT_MS, SIGNING_WRONG},
		{"upper case", AT, BODY,
		 "v0=A2114D57B48EAC39B9AD189DD8316235A7B4A8D21A10BD27519666489C69B503", AT_MS, SIGNING_WRONG},
	};
	struct signing_keys keys = {.count = 0};

	(void)state;
	assert_int_equal(slack_key_add(&keys, SECRET, NULL), ERR_OK);
	for (size_t i = 0; i < LEN(rows); i++) {
		struct slack_message m = {rows[i].timestamp, rows[i].body, strlen(rows[i].body)};
		enum signing_verdict got = slack_verify(&keys, &m, rows[i].signature, rows[i].now_ms);

		if (got != rows[i].want)
			fail_msg("%s: %s", rows[i].what, signing_reason(got));
	}
}

static void test_keys(void **state)
{
	static const struct {
		const char *secret;
		bool valid;
	} rows[] = {
		{SECRET, true},
		{"0123456789abcdef", true},
		{"0123456789abcde", false},
		{"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", true},
		{"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0", false},
		{"", false},
		{SECRET "\n", false},
		{"8f742231b10e8888 abcd99yyyzzz85a5", false},
		{"8f742231b10e8888abcd99yyyzzz85\xc3\xa4", false},
	};
	struct slack_message m = {AT, BODY, strlen(BODY)};
	struct signing_keys keys = {.count = 0};
	struct errctx ec;

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		struct signing_keys one = {.count = 0};

		assert_int_equal(slack_key_add(&one, rows[i].secret, &ec),
				 rows[i].valid ? ERR_OK : ERR_CONFIG);
		assert_int_equal(one.count, rows[i].valid ? 1 : 0);
	}
	assert_int_equal(slack_verify(&keys, &m, SIGNATURE, AT_MS), SIGNING_NO_KEY);
	assert_int_equal(slack_key_add(&keys, "another-secret-of-some-length", &ec), ERR_OK);
	assert_int_equal(slack_verify(&keys, &m, SIGNATURE, AT_MS), SIGNING_WRONG);
	assert_int_equal(slack_key_add(&keys, SECRET, &ec), ERR_OK);
	assert_int_equal(slack_verify(&keys, &m, SIGNATURE, AT_MS), SIGNING_VALID);
	assert_int_equal(slack_key_add(&keys, "one-more-secret-of-some-length", &ec), ERR_OK);
	assert_int_equal(slack_verify(&keys, &m, SIGNATURE, AT_MS), SIGNING_VALID);
	m.len = SIGNING_BODY_MAX + 1; /* refused before a byte of it is read */
	assert_int_equal(slack_verify(&keys, &m, SIGNATURE, AT_MS), SIGNING_BODY_TOO_BIG);
}

/* As a form encoder writes it: everything but letters and digits becomes %XX, a blank becomes '+'. */
static size_t encode(const char *json, char *out, size_t size)
{
	size_t at = (size_t)snprintf(out, size, "payload=");

	for (; *json != '\0'; json++) {
		unsigned char c = (unsigned char)*json;
		bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');

		if (plain || c == ' ')
			at += (size_t)snprintf(out + at, size - at, "%c", c == ' ' ? '+' : c);
		else
			at += (size_t)snprintf(out + at, size - at, "%%%02X", c);
	}
	return at;
}

#define USER    "\"user\":{\"id\":\"U1\",\"username\":\"ada\",\"name\":\"ada.l\",\"team_id\":\"T1\"}"
#define ACTIONS "\"actions\":[{\"action_id\":\"approve\",\"value\":\"Approve:1\",\"type\":\"button\"}]"
#define CLICK   "{\"type\":\"block_actions\"," USER "," ACTIONS "}"

static void test_click(void **state)
{
	static const char json[] =
		"{\"type\": \"block_actions\", \"user\": {\"id\": \"U2CERLKJA\", \"username\": "
		"\"J\xc3\xb6rg +&=%41\", \"name\": \"x\", \"team_id\": \"T1DC2JH3J\"}, "
		"\"api_app_id\": \"A0\", \"token\": \"t\", \"trigger_id\": \"1.2\", "
		"\"container\": {\"type\": \"message\"}, \"response_url\": \"https://h/x\", "
		"\"actions\": [{\"action_id\": \"approve\", \"block_id\": \"b\", \"text\": "
		"{\"type\": \"plain_text\", \"text\": \"Approve\"}, \"value\": \"Approve:42\", "
		"\"type\": \"button\", \"action_ts\": \"1.5\"}]}";
	struct slack_action action;
	char body[2048];
	struct errctx ec;

	(void)state;
	assert_int_equal(slack_read(body, encode(json, body, sizeof(body)), &action, &ec), ERR_OK);
	assert_string_equal(action.action_id, "approve");
	assert_string_equal(action.value, "Approve:42");
	assert_string_equal(action.team_id, "T1DC2JH3J");
	assert_string_equal(action.user_id, "U2CERLKJA");
	assert_string_equal(action.user_name, "J\xc3\xb6rg +&=%41");
}

static void test_user_name(void **state)
{
	static const struct {
		const char *json, *name;
	} rows[] = {
		{CLICK, "ada"},
		{"{\"type\":\"block_actions\",\"user\":{\"id\":\"U1\",\"name\":\"ada.l\"}," ACTIONS "}",
		 "ada.l"},
		{"{\"type\":\"block_actions\",\"user\":{\"id\":\"U1\"}," ACTIONS "}", ""},
	};
	struct slack_action action;
	char body[1024];
	struct errctx ec;

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		size_t len = encode(rows[i].json, body, sizeof(body));

		assert_int_equal(slack_read(body, len, &action, &ec), ERR_OK);
		assert_string_equal(action.user_name, rows[i].name);
	}
}

/* What each body is refused for; a row whose body begins with '{' is encoded first. */
static const struct refusal_row {
	const char *body, *want;
} refusal_rows[] = {
	{"", "The body must be the form field \"payload\"."},
	{"payload", "The body must be the form field \"payload\"."},
	{"Payload=%7B%7D", "The body must be the form field \"payload\"."},
	{"token=1&payload=%7B%7D", "The body must be the form field \"payload\"."},
	{"payload=%7B%7D&token=1", "The body must be one form field only."},
	{"payload=%7B%7D&", "The body must be one form field only."},
	{"payload=%7", "The form is not well encoded at byte 8."},
	{"payload=a%", "The form is not well encoded at byte 9."},
	{"payload=%zz", "The form is not well encoded at byte 8."},
	{"payload=%+1", "The form is not well encoded at byte 8."},
	{"payload={}", "The form is not well encoded at byte 8."},
	{"payload=a=b", "The form is not well encoded at byte 9."},
	{"payload=\xc3\xa4", "The form is not well encoded at byte 8."},
	{"payload=%5B%5D", "payload: It must be an object."},
	{"{\"type\":\"view_submission\"}", "payload: type must be \"block_actions\"."},
	{"{\"type\":7}", "payload: type must be \"block_actions\"."},
	{"{}", "payload: type must be \"block_actions\"."},
	{"{\"type\":\"block_actions\"}", "payload: user must be an object."},
	{"{\"type\":\"block_actions\",\"user\":\"U1\"}", "payload: user must be an object."},
	{"{\"type\":\"block_actions\",\"user\":{}}", "payload: user: id is required."},
	{"{\"type\":\"block_actions\",\"user\":{\"id\":\"\"}}", "payload: user: id is required."},
	{"{\"type\":\"block_actions\",\"user\":{\"id\":7}}", "payload: user: id must be a string."},
	{"{\"type\":\"block_actions\",\"user\":{\"id\":\"U\\n\"}}",
	 "payload: user: id holds a control character."},
	{"{\"type\":\"block_actions\",\"user\":{\"id\":\"U12345678901234567890123456789012\"}}",
	 "payload: user: id may have 32 bytes at most."},
	{"{\"type\":\"block_actions\"," USER "}", "payload: actions must be an array of one action."},
	{"{\"type\":\"block_actions\"," USER ",\"actions\":[]}",
	 "payload: actions must be an array of one action."},
	{"{\"type\":\"block_actions\"," USER ",\"actions\":[{},{}]}",
	 "payload: actions must be an array of one action."},
	{"{\"type\":\"block_actions\"," USER ",\"actions\":[7]}",
	 "payload: actions must be an array of one action."},
	{"{\"type\":\"block_actions\"," USER ",\"actions\":{\"action_id\":\"a\"}}",
	 "payload: actions must be an array of one action."},
	{"{\"type\":\"block_actions\"," USER ",\"actions\":[{\"action_id\":\"a\"}]}",
	 "payload: actions: value is required."},
	{"{\"type\":\"block_actions\"," USER ",\"actions\":[{\"value\":\"a\"}]}",
	 "payload: actions: action_id is required."},
};

static void test_refusals(void **state)
{
	struct slack_action action = {.value = "as before"}, before = action;
	char body[1024];

	(void)state;
	for (size_t i = 0; i < LEN(refusal_rows); i++) {
		const char *text = refusal_rows[i].body;
		size_t len = strlen(text);
		struct errctx ec = {""};
		enum err err;

		if (*text == '{') {
			len = encode(text, body, sizeof(body));
			text = body;
		}
		err = slack_read(text, len, &action, &ec);
		if (err != ERR_BAD_REQUEST || strcmp(ec.text, refusal_rows[i].want) != 0)
			fail_msg("%s gives %d \"%s\"", refusal_rows[i].body, err, ec.text);
		assert_memory_equal(&action, &before, sizeof(action));
	}
}

static void test_strict_json(void **state)
{
	static const char *const bodies[] = {
		"payload=",
		"payload=%00",
		"payload=%FF",
		"payload=%7B%7D%00",
		"payload=%7B%22type%22%3A1%2C%22type%22%3A2%7D",
		"payload=%7B%22type%22%3A%22block_actions%22%7D%7D",
	};
	struct slack_action action;

	(void)state;
	for (size_t i = 0; i < LEN(bodies); i++) {
		struct errctx ec = {""};

		assert_int_equal(slack_read(bodies[i], strlen(bodies[i]), &action, &ec), ERR_BAD_REQUEST);
		assert_int_equal(strncmp(ec.text, "payload: ", 9), 0);
	}
}

/* What stands behind the given length is not read. */
static void test_length(void **state)
{
	static const char body[] = "payload=%7B%7D";
	struct slack_action action;
	struct errctx ec;

	(void)state;
	for (size_t cut = 1; cut <= 2; cut++) {
		assert_int_equal(slack_read(body, strlen(body) - cut, &action, &ec), ERR_BAD_REQUEST);
		assert_string_equal(ec.text, "The form is not well encoded at byte 11.");
	}
	assert_int_equal(slack_read(body, strlen(body) - 7, &action, &ec), ERR_BAD_REQUEST);
	assert_string_equal(ec.text, "The body must be the form field \"payload\".");
}

static void test_size(void **state)
{
	static char body[SIGNING_BODY_MAX + 1];
	struct slack_action action;
	struct errctx ec;
	size_t len = encode(CLICK, body, sizeof(body));

	(void)state;
	memset(body + len, '+', sizeof(body) - len); /* blanks behind the JSON */
	assert_int_equal(slack_read(body, SIGNING_BODY_MAX, &action, &ec), ERR_OK);
	assert_int_equal(slack_read(body, SIGNING_BODY_MAX + 1, &action, &ec), ERR_TOO_BIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_verify),   cmocka_unit_test(test_keys),
		cmocka_unit_test(test_click),    cmocka_unit_test(test_user_name),
		cmocka_unit_test(test_refusals), cmocka_unit_test(test_strict_json),
		cmocka_unit_test(test_length),   cmocka_unit_test(test_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
