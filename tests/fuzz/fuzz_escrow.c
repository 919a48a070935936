/*
 * A manifest of the escrow. As it comes, nothing is taken that is not sealed. With each of its lines sealed by the key, a
 * line that is taken is written again as it was, and what the lines come to speaks of each membership once.
 */
#include <string.h>

#include "escrow/ledger.h"
#include "escrow/manifest.h"
#include "tests/fuzz/fuzz.h"

#define KEY "0123456789abcdef0123456789abcdef"

static const struct escrow_keys keys = {KEY, ""};

/* The next line of the input, cut at what a line may hold. False at the end. */
static int next_line(const char **at, char out[ESCROW_LINE_MAX])
{
	size_t len = strcspn(*at, "\n");
	size_t fits = len < ESCROW_LINE_MAX - SHA256_HEX - 1 ? len : ESCROW_LINE_MAX - SHA256_HEX - 1;

	if (**at == '\0')
		return 0;
	memcpy(out, *at, fits);
	out[fits] = '\0';
	*at += (*at)[len] == '\n' ? len + 1 : len;
	return 1;
}

static void as_it_comes(const char *text)
{
	struct manifest_reader reader;
	struct escrow_line line;
	char copy[ESCROW_LINE_MAX];

	manifest_begin(&reader, &keys);
	while (next_line(&text, copy)) {
		enum manifest_line kind = manifest_next(&reader, copy, &line);

		/* Whoever has no key gets no further than the corpus' own head. */
		REQUIRE(kind == MANIFEST_BROKEN || reader.lines >= 1);
		REQUIRE(kind != MANIFEST_BROKEN || reader.why.text[0] != '\0');
	}
}

static void seal(char text[ESCROW_LINE_MAX], char sealed[SHA256_HEX])
{
	size_t len = strlen(text);

	escrow_seal(KEY, text, sealed);
	snprintf(text + len, ESCROW_LINE_MAX - len, "\t%s", sealed);
}

static void take(struct ledger *ledger, const struct escrow_line *line, const char *text)
{
	struct buf again;

	buf_init(&again, 2 * ESCROW_LINE_MAX);
	escrow_line_print(line, &again);
	REQUIRE(strcmp(buf_text(&again), text) == 0);
	buf_release(&again);
	REQUIRE(ledger_take(ledger, (size_t)(line->at_ms % 3), line));
}

static void sealed_by_us(const char *text)
{
	struct ledger *ledger = ledger_new();
	struct manifest_reader reader;
	struct escrow_line line;
	struct buf head;
	char copy[ESCROW_LINE_MAX], was[ESCROW_LINE_MAX], sealed[SHA256_HEX] = "";

	buf_init(&head, ESCROW_LINE_MAX);
	escrow_head_print("host-0", KEY, &head);
	snprintf(copy, sizeof(copy), "%s", buf_text(&head));
	buf_release(&head);
	manifest_begin(&reader, &keys);
	seal(copy, sealed);
	REQUIRE(manifest_next(&reader, copy, &line) == MANIFEST_HEAD);
	while (next_line(&text, copy)) {
		memcpy(was, copy, sizeof(was));
		seal(copy, sealed);
		if (manifest_next(&reader, copy, &line) != MANIFEST_LINE)
			break;
		take(ledger, &line, was);
	}
	for (size_t i = 0; i < ledger_count(ledger); i++)
		for (size_t k = 0; k < i && k < 8; k++)
			REQUIRE(strcmp(ledger_at(ledger, i)->line.application,
				       ledger_at(ledger, k)->line.application) != 0 ||
				strcmp(ledger_at(ledger, i)->line.group, ledger_at(ledger, k)->line.group) !=
					0 ||
				strcmp(ledger_at(ledger, i)->line.principal,
				       ledger_at(ledger, k)->line.principal) != 0);
	ledger_free(ledger);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = calloc(1, size + 1);

	REQUIRE(text != NULL);
	memcpy(text, data, size);
	as_it_comes(text);
	sealed_by_us(text);
	free(text);
	return 0;
}
