/* The small bodies of the API: what is accepted has bounded texts that say one of two things, or ids in lower case. */
#include <string.h>

#include "api/bodies.h"
#include "tests/fuzz/fuzz.h"

static int ends(const char *text, size_t size)
{
	return memchr(text, '\0', size) != NULL;
}

/* ERR_OK, or a reason. */
static int is_taken(enum err err, struct errctx *ec)
{
	REQUIRE(err == ERR_OK || err == ERR_BAD_REQUEST || err == ERR_INVALID_REQUEST);
	REQUIRE((err == ERR_OK) == (ec->text[0] == '\0'));
	ec->text[0] = '\0';
	return err == ERR_OK;
}

static int holds(const char *text, size_t len, const char *word)
{
	return memmem(text, len, word, strlen(word)) != NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* Not terminated, and of exactly this size, so that reading on is found out. */
	char *text = malloc(size > 0 ? size : 1);
	struct body_membership membership;
	struct body_review review;
	struct errctx ec = {""};
	bool yes;

	REQUIRE(text != NULL);
	if (size > 0)
		memcpy(text, data, size);
	if (is_taken(body_read_review(text, size, &review, &ec), &ec))
		REQUIRE(ends(review.justification, sizeof(review.justification)) &&
			holds(text, size, "reviewResult"));
	if (is_taken(body_read_membership(text, size, &membership, &ec), &ec)) {
		REQUIRE(ends(membership.principal, sizeof(membership.principal)) &&
			membership.principal[0] != '\0');
		REQUIRE(id_valid(membership.group) && strpbrk(membership.group, "ABCDEF") == NULL);
		REQUIRE(!id_valid(membership.principal) || strpbrk(membership.principal, "ABCDEF") == NULL);
	}
	if (is_taken(body_read_pause(text, size, &yes, &ec), &ec))
		REQUIRE(!yes || holds(text, size, "removals"));
	/* Nobody is removed without that word. */
	if (is_taken(body_read_guard(text, size, &yes, &ec), &ec))
		REQUIRE(holds(text, size, "answer") &&
			(!yes || holds(text, size, "remove") || holds(text, size, "\\u")));
	free(text);
	return 0;
}
