/* As whom one is signed in, and what one may be here. */
#include <stdio.h>

#include "command/command.h"
#include "command/words.h"

static void say_roles(const cJSON *roles)
{
	const cJSON *role;
	const char *before = "roles    ";

	cJSON_ArrayForEach(role, roles) {
		char text[WORDS_SIZE];

		printf("%s%s", before, words_safe(words_text(role, ""), text));
		before = ", ";
	}
	putchar('\n');
}

int command_whoami(struct session *session)
{
	static const struct column lines[] = {
		{"user", "userPrincipalName", 0, AS_TEXT},
		{"name", "displayName", 0, AS_TEXT},
		{"id", "id", 0, AS_TEXT},
	};
	struct answer answer;
	int code = EXIT_DONE;

	call(&session->account, "GET", "/v1.0/me", NULL, &answer);
	if (!answer_ok(&answer)) {
		code = words_error(&answer);
	} else if (session->options.json) {
		words_json(&answer);
	} else {
		words_lines(answer.json, lines, sizeof(lines) / sizeof(lines[0]));
		say_roles(words_at(answer.json, "roles"));
	}
	answer_release(&answer);
	return code;
}
