/*
 * What a server answers to the command `jit`: one byte says which subcommand, the rest is the answers' bodies, a NUL byte
 * between them. Whatever they are, it ends with one of its exit statuses, and no control character reaches the terminal.
 */
#include <string.h>

#include "base/json.h"
#include "base/utf8.h"
#include "command/command.h"
#include "tests/fuzz/fuzz.h"

#define ID        "00010000-0000-8000-8000-000000000000"
#define CALLS_MAX 8 /* then nobody answers any more */

/* What the linker makes of call(), which is told --wrap=call. */
void __wrap_call(const struct account *account, const char *method, const char *path, const char *body,
		 struct answer *out);

static const struct {
	command_run *run;
	const char *words[3];
	size_t count;
} commands[] = {
	{command_groups, {NULL}, 0},
	{command_activate, {"admins"}, 1},
	{command_extend, {"admins"}, 1},
	{command_deactivate, {"admins"}, 1},
	{command_list, {NULL}, 0},
	{command_show, {ID}, 1},
	{command_cancel, {ID}, 1},
	{command_approvals, {NULL}, 0},
	{command_approve, {ID}, 1},
	{command_deny, {ID}, 1},
	{command_apps, {NULL}, 0},
	{command_apps, {"app"}, 1},
	{command_cycles, {"app"}, 1},
	{command_test, {"app"}, 1},
	{command_guard, {"app", "keep"}, 2},
	{command_provision, {"app", "amira", "admins"}, 3},
	{command_log, {NULL}, 0},
	{command_audit, {"verify"}, 1},
	{command_whoami, {NULL}, 0},
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static struct {
	const char *at, *end;
	int calls;
} server;

/* The next body; an answer of 400 where it begins with an error. */
void __wrap_call(const struct account *account, const char *method, const char *path, const char *body,
		 struct answer *out)
{
	size_t len = strnlen(server.at, (size_t)(server.end - server.at));
	struct errctx ec;

	(void)account;
	REQUIRE(strpbrk(path, " \r\n") == NULL && method[0] != '\0');
	if (body != NULL) {
		cJSON *sent = NULL;

		REQUIRE(json_parse(body, strlen(body), &sent, &ec) == ERR_OK);
		cJSON_Delete(sent);
	}
	*out = (struct answer){.status = 0};
	buf_init(&out->body, CALL_ANSWER_MAX);
	if (++server.calls > CALLS_MAX)
		return;
	buf_add(&out->body, server.at, len);
	out->status = len > 8 && memcmp(server.at, "{\"error\"", 8) == 0 ? 400 : 200;
	if (json_parse(buf_text(&out->body), out->body.len, &out->json, &ec) != ERR_OK)
		out->json = NULL;
	server.at += len + (server.at + len < server.end);
}

/* Lines of text, without anything that moves the cursor or turns the direction of writing. */
static void check_shown(const char *text, size_t len)
{
	size_t step;

	for (size_t i = 0; i<len; i += step> 0 ? step : 1) {
		step = utf8_char(text + i, len - i);
		REQUIRE(memchr("\n\r\t", text[i], 3) != NULL || !utf8_is_control(text + i, step));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct session session;
	FILE *out = stdout, *err = stderr, *shown;
	char *text = NULL;
	size_t len = 0;
	int code;

	if (size == 0)
		return 0;
	session = (struct session){.options = {.reason = "why", .limit = "5"}};
	for (size_t i = 0; i < 3; i++)
		session.options.words[i] = commands[data[0] % COMMANDS].words[i];
	session.options.word_count = commands[data[0] % COMMANDS].count;
	server.at = (const char *)data + 1;
	server.end = (const char *)data + size;
	server.calls = 0;
	shown = open_memstream(&text, &len);
	REQUIRE(shown != NULL);
	stdout = stderr = shown;
	code = commands[data[0] % COMMANDS].run(&session);
	stdout = out;
	stderr = err;
	fclose(shown);
	REQUIRE(code >= EXIT_DONE && code <= EXIT_BROKEN);
	check_shown(text, len);
	free(text);
	return 0;
}
