/* A hash table of lists, with a second, doubly linked list through all entries in the order in which they were seen. */
#include "sign-in/remembered.h"

#include <stdlib.h>
#include <string.h>

#define BUCKETS 4096 /* as many as entries at most; a digest's first bytes are as good as random */

struct entry {
	struct entry *next;          /* in its bucket */
	struct entry *newer, *older; /* in the order of use */
	struct remembered_token token;
};

struct remembered {
	struct entry *buckets[BUCKETS];
	struct entry *newest, *oldest;
	size_t count, bytes;
};

struct remembered *remembered_new(void)
{
	return calloc(1, sizeof(struct remembered));
}

static struct entry **bucket_of(struct remembered *table, const unsigned char digest[SHA256_BYTES])
{
	return &table->buckets[((size_t)digest[0] << 8 | digest[1]) % BUCKETS];
}

/* What points to the entry; it points to NULL when there is none. */
static struct entry **find_link(struct remembered *table, const unsigned char digest[SHA256_BYTES])
{
	struct entry **link = bucket_of(table, digest);

	while (*link && memcmp((*link)->token.digest, digest, SHA256_BYTES) != 0)
		link = &(*link)->next;
	return link;
}

static void unlink_order(struct remembered *table, struct entry *entry)
{
	if (entry->newer)
		entry->newer->older = entry->older;
	else
		table->newest = entry->older;
	if (entry->older)
		entry->older->newer = entry->newer;
	else
		table->oldest = entry->newer;
}

static void link_newest(struct remembered *table, struct entry *entry)
{
	entry->newer = NULL;
	entry->older = table->newest;
	if (table->newest)
		table->newest->newer = entry;
	else
		table->oldest = entry;
	table->newest = entry;
}

static size_t size_of(const struct entry *entry)
{
	return sizeof(*entry) + entry->token.identity->size;
}

void remembered_forget(struct remembered *table, const unsigned char digest[SHA256_BYTES])
{
	struct entry **link = find_link(table, digest);
	struct entry *entry = *link;

	if (entry == NULL)
		return;
	*link = entry->next;
	unlink_order(table, entry);
	table->count--;
	table->bytes -= size_of(entry);
	identity_release(entry->token.identity);
	free(entry);
}

void remembered_free(struct remembered *table)
{
	if (table == NULL)
		return;
	while (table->oldest)
		remembered_forget(table, table->oldest->token.digest);
	free(table);
}

const struct remembered_token *remembered_find(struct remembered *table,
					       const unsigned char digest[SHA256_BYTES])
{
	struct entry *entry = *find_link(table, digest);

	if (entry == NULL)
		return NULL;
	unlink_order(table, entry);
	link_newest(table, entry);
	return &entry->token;
}

void remembered_keep(struct remembered *table, const struct remembered_token *token)
{
	struct entry *entry = calloc(1, sizeof(*entry));
	struct entry **bucket = bucket_of(table, token->digest);

	if (entry == NULL)
		return;
	entry->token = *token;
	identity_hold(token->identity);
	remembered_forget(table, entry->token.digest);
	entry->next = *bucket;
	*bucket = entry;
	link_newest(table, entry);
	table->count++;
	table->bytes += size_of(entry);
	while (table->count > REMEMBERED_TOKENS_MAX || table->bytes > REMEMBERED_BYTES_MAX)
		remembered_forget(table, table->oldest->token.digest);
}

void remembered_sweep(struct remembered *table, int64_t wall_ms)
{
	struct entry *entry = table->oldest;

	while (entry) {
		struct entry *newer = entry->newer;

		if (wall_ms >= entry->token.until_ms)
			remembered_forget(table, entry->token.digest);
		entry = newer;
	}
}

size_t remembered_count(const struct remembered *table)
{
	return table->count;
}
