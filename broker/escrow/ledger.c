#include "escrow/ledger.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define TEXTS       8 /* of a line */
#define TABLE_LEAST 64
#define SLAB_SIZE   (1024 * 1024)

/* Texts, one behind the other, until the ledger is freed. */
struct slab {
	struct slab *next;
	size_t used; /* of `bytes` */
	char bytes[];
};

#define SLAB_ROOM (SLAB_SIZE - sizeof(struct slab))

struct ledger {
	struct slab *slabs; /* the one that is being filled first */
	struct ledger_entry *entries;
	size_t count, room;
	size_t *table; /* index + 1 of an entry, 0 = free; by hash, linear probing */
	size_t size;   /* of the table: a power of two, more than twice `count` */
};

/* -- memory ------------------------------------------------------------------------------------------------ */

/*
 * Ledgers are read in threads, may be of hundreds of MiB, and are there for seconds in a broker that lives for months. What a
 * thread's heap has held it keeps; the system gets all of this back.
 */
static void *pages_get(size_t size)
{
	void *pages = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return pages != MAP_FAILED ? pages : NULL;
}

static void pages_free(void *pages, size_t size)
{
	if (pages != NULL)
		munmap(pages, size);
}

static char *text_room(struct ledger *ledger, size_t len)
{
	struct slab *slab = ledger->slabs;

	if (slab == NULL || len > SLAB_ROOM - slab->used) {
		slab = len <= SLAB_ROOM ? pages_get(SLAB_SIZE) : NULL;
		if (slab == NULL)
			return NULL;
		slab->next = ledger->slabs;
		ledger->slabs = slab;
	}
	slab->used += len;
	return slab->bytes + slab->used - len;
}

/* -- where a membership is --------------------------------------------------------------------------------- */

static uint64_t hash_text(uint64_t hash, const char *text)
{
	for (; *text != '\0'; text++)
		hash = (hash ^ (unsigned char)*text) * UINT64_C(1099511628211);
	return (hash ^ '\t') * UINT64_C(1099511628211);
}

static uint64_t hash_line(const struct escrow_line *line)
{
	uint64_t hash = hash_text(UINT64_C(14695981039346656037), line->application);

	return hash_text(hash_text(hash, line->group), line->principal);
}

static bool same(const struct escrow_line *a, const struct escrow_line *b)
{
	return strcmp(a->principal, b->principal) == 0 && strcmp(a->group, b->group) == 0 &&
	       strcmp(a->application, b->application) == 0;
}

struct ledger *ledger_new(void)
{
	struct ledger *ledger = calloc(1, sizeof(*ledger));

	if (ledger == NULL)
		return NULL;
	ledger->size = TABLE_LEAST;
	ledger->table = pages_get(ledger->size * sizeof(*ledger->table));
	if (ledger->table == NULL) {
		free(ledger);
		return NULL;
	}
	return ledger;
}

void ledger_free(struct ledger *ledger)
{
	if (ledger == NULL)
		return;
	for (struct slab *slab = ledger->slabs, *next; slab != NULL; slab = next) {
		next = slab->next;
		pages_free(slab, SLAB_SIZE);
	}
	pages_free(ledger->entries, ledger->room * sizeof(*ledger->entries));
	pages_free(ledger->table, ledger->size * sizeof(*ledger->table));
	free(ledger);
}

/* -- entries ----------------------------------------------------------------------------------------------- */

static bool copy_texts(struct ledger *ledger, struct escrow_line *to, const struct escrow_line *from)
{
	const char *const texts[TEXTS] = {from->application, from->group,     from->principal,
					  from->group_name,  from->group_id,  from->user_name,
					  from->user_id,     from->assignment};
	const char **const out[TEXTS] = {&to->application, &to->group,     &to->principal, &to->group_name,
					 &to->group_id,    &to->user_name, &to->user_id,   &to->assignment};
	size_t room = 0;
	char *at;

	for (size_t i = 0; i < TEXTS; i++)
		room += strlen(texts[i]) + 1;
	at = text_room(ledger, room);
	if (at == NULL)
		return false;
	for (size_t i = 0; i < TEXTS; i++) {
		size_t len = strlen(texts[i]) + 1;

		memcpy(at, texts[i], len);
		*out[i] = at;
		at += len;
	}
	return true;
}

/* Where the line's membership is in the table, or would be. */
static size_t find(const struct ledger *ledger, const struct escrow_line *line)
{
	size_t at = (size_t)hash_line(line) & (ledger->size - 1);

	while (ledger->table[at] != 0 && !same(&ledger->entries[ledger->table[at] - 1].line, line))
		at = (at + 1) & (ledger->size - 1);
	return at;
}

static bool make_room(struct ledger *ledger)
{
	if (ledger->count == ledger->room) {
		size_t was = ledger->room * sizeof(*ledger->entries);
		size_t room = ledger->room > 0 ? 2 * ledger->room : TABLE_LEAST;
		struct ledger_entry *grown = pages_get(room * sizeof(*grown));

		if (grown == NULL)
			return false;
		if (was > 0)
			memcpy(grown, ledger->entries, was);
		pages_free(ledger->entries, was);
		ledger->entries = grown;
		ledger->room = room;
	}
	if (2 * (ledger->count + 1) >= ledger->size) {
		size_t *table = pages_get(2 * ledger->size * sizeof(*table));

		if (table == NULL)
			return false;
		pages_free(ledger->table, ledger->size * sizeof(*table));
		ledger->table = table;
		ledger->size *= 2;
		for (size_t i = 0; i < ledger->count; i++)
			ledger->table[find(ledger, &ledger->entries[i].line)] = i + 1;
	}
	return true;
}

static struct ledger_entry *entry_of(struct ledger *ledger, size_t file, const struct escrow_line *line)
{
	size_t at = find(ledger, line);
	struct ledger_entry *entry;

	if (ledger->table[at] != 0)
		return &ledger->entries[ledger->table[at] - 1];
	if (!make_room(ledger))
		return NULL;
	entry = &ledger->entries[ledger->count];
	*entry = (struct ledger_entry){.line = {.kind = line->kind}, .file = file, .named_ms = -1};
	if (line->kind == ESCROW_ADD)
		entry->named_ms = line->at_ms;
	entry->line.at_ms = -1;
	if (!copy_texts(ledger, &entry->line, line))
		return NULL;
	ledger->count++;
	ledger->table[find(ledger, line)] = ledger->count;
	return entry;
}

static bool counts(const struct ledger_entry *entry, size_t file, const struct escrow_line *line)
{
	if (file == entry->file || line->at_ms > entry->line.at_ms)
		return true;
	return line->at_ms == entry->line.at_ms && line->end_ms > entry->line.end_ms;
}

/* How it was added last is how it is found in the application. */
static bool take_names(struct ledger *ledger, struct ledger_entry *entry, const struct escrow_line *line)
{
	struct escrow_line texts = entry->line;

	if (line->kind != ESCROW_ADD || line->at_ms < entry->named_ms)
		return true;
	if (!copy_texts(ledger, &texts, line))
		return false;
	entry->line = texts;
	entry->named_ms = line->at_ms;
	return true;
}

bool ledger_take(void *ctx, size_t file, const struct escrow_line *line)
{
	struct ledger *ledger = ctx;
	size_t known = ledger->count;
	struct ledger_entry *entry = entry_of(ledger, file, line);

	/* A new one has been made with the line's texts. */
	if (entry == NULL || (ledger->count == known && !take_names(ledger, entry, line)))
		return false;
	entry->is_ours = entry->is_ours || file == 0 || file == LEDGER_TWIN;
	entry->is_theirs = entry->is_theirs || (file != 0 && line->kind != ESCROW_GONE);
	if (counts(entry, file, line)) {
		entry->file = file;
		entry->line.at_ms = line->at_ms;
		entry->line.end_ms = line->end_ms;
		entry->line.kind = line->kind;
	}
	if (entry->line.kind == ESCROW_END && entry->named_ms >= 0)
		entry->line.kind = ESCROW_ADD;
	return true;
}

size_t ledger_count(const struct ledger *ledger)
{
	return ledger->count;
}

const struct ledger_entry *ledger_at(const struct ledger *ledger, size_t index)
{
	return &ledger->entries[index];
}
