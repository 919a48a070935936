/* The body of a request: what is accepted has bounded texts, a group's id, and one end that fits its kind. */
#include <string.h>

#include "api/submission.h"
#include "tests/fuzz/fuzz.h"

static bool ends(const char *text, size_t size)
{
	return memchr(text, '\0', size) != NULL;
}

static void check_end(const struct submission *s)
{
	switch (s->end) {
	case END_DEFAULT:
	case END_NEVER:
		REQUIRE(s->duration_ms == 0 && s->end_ms == 0);
		break;
	case END_AFTER_DURATION:
		REQUIRE(s->duration_ms >= 0 && s->end_ms == 0);
		break;
	case END_AT_TIME:
		REQUIRE(s->end_ms != 0 && s->duration_ms == 0);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct submission s;
	struct errctx ec = {""};

	if (submission_read((const char *)data, size, &s, &ec) != ERR_OK) {
		REQUIRE(ec.text[0] != '\0');
		return 0;
	}
	REQUIRE(submission_action_name(s.action) != NULL);
	REQUIRE(ends(s.group, sizeof(s.group)) && id_valid(s.group));
	REQUIRE(strpbrk(s.group, "ABCDEF") == NULL);
	REQUIRE(ends(s.principal, sizeof(s.principal)) && ends(s.justification, sizeof(s.justification)));
	REQUIRE(ends(s.ticket_number, sizeof(s.ticket_number)) &&
		ends(s.ticket_system, sizeof(s.ticket_system)));
	check_end(&s);
	return 0;
}
