/*
 * Mails about whatever people and applications call themselves: every text of a notice comes from the input. The message
 * that is written must be headers of ours, an empty line, and a body of printable lines, whatever they held.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "activation/states.h"
#include "notice/mail.h"
#include "notice/text.h"
#include "tests/fuzz/fuzz.h"

#define TEXTS 8

/* Each header begins a line, or goes on behind a blank. */
static const char *check_headers(const char *at)
{
	static const char *const known[] = {"Date: ",
					    "From: ",
					    "To: ",
					    "Subject: ",
					    "Message-ID: ",
					    "List-Id: ",
					    "Auto-Submitted: ",
					    "X-Auto-Response-Suppress: ",
					    "MIME-Version: ",
					    "Content-Type: ",
					    "Content-Transfer-Encoding: "};
	size_t next = 0;

	while (strncmp(at, "\r\n", 2) != 0) {
		size_t len = strcspn(at, "\r\n");

		if (at[0] != ' ') {
			REQUIRE(next < sizeof(known) / sizeof(known[0]));
			REQUIRE(strncmp(at, known[next], strlen(known[next])) == 0);
			next++;
		}
		for (size_t i = 0; i < len; i++)
			REQUIRE(at[i] >= ' ' && at[i] <= '~');
		REQUIRE(len < 998 && at[len] == '\r' && at[len + 1] == '\n');
		at += len + 2;
	}
	REQUIRE(next == sizeof(known) / sizeof(known[0]));
	return at + 2;
}

static void check_body(const char *at)
{
	while (*at != '\0') {
		size_t len = strcspn(at, "\r\n");

		for (size_t i = 0; i < len; i++)
			REQUIRE(at[i] >= ' ' && at[i] <= '~');
		REQUIRE(len <= 76 && at[len] == '\r' && at[len + 1] == '\n');
		at += len + 2;
	}
}

static void send_to(const struct notice *n, const struct text_names *names, bool is_requester)
{
	const struct text_reader reader = {
		.is_requester = is_requester, .with_justification = true, .public_url = ""};
	struct buf body, message;
	char subject[TEXT_LINE_MAX];
	struct mail mail = {.from = "jit@example.com",
			    .to = "a@example.com",
			    .subject = subject,
			    .id = "00000000-0000-8000-8000-000000000000",
			    .thread = ""};

	buf_init(&body, TEXT_BODY_MAX);
	buf_init(&message, MAIL_MAX);
	text_subject(n, names, subject);
	text_body(n, names, &reader, &body);
	mail.body = buf_text(&body);
	REQUIRE(mail_write(&mail, &message) == ERR_OK);
	check_body(check_headers(buf_text(&message)));
	buf_release(&body);
	buf_release(&message);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *copy = calloc(1, size + 1), *texts[TEXTS];
	size_t count, at = 0;
	const struct tell *tells = states_tells(&count);
	struct notice n = {.lines = ""};
	struct text_names names;

	if (copy == NULL)
		return 0;
	if (size > 0)
		memcpy(copy, data, size);
	/* The texts stand one behind the other, a NUL between them; the last ones are empty. */
	for (size_t i = 0; i < TEXTS; i++) {
		texts[i] = copy + at;
		at += at < size ? strlen(copy + at) + (at + strlen(copy + at) < size) : 0;
	}
	names = (struct text_names){texts[0], texts[1], texts[2], texts[3], texts[4], texts[5]};
	snprintf(n.request.error, sizeof(n.request.error), "%s", texts[6]);
	snprintf(n.request.justification, sizeof(n.request.justification), "%s", texts[7]);
	n.lines = texts[7];
	n.held = 3;
	for (size_t i = 0; i <= count; i++) {
		snprintf(n.kind, sizeof(n.kind), "%s", i < count ? tells[i].name : "notices.held");
		send_to(&n, &names, i % 2 == 0);
	}
	free(copy);
	return 0;
}
