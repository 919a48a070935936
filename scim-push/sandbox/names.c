/* A hash index over names: FNV-1a over the lower-cased key, chains, doubled when it is full. */
#include "scim-push/sandbox/names.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define FIRST_SIZE 1024

static uint64_t hash_of(const char *key)
{
	uint64_t hash = UINT64_C(14695981039346656037);

	for (; *key != '\0'; key++) {
		unsigned char c = (unsigned char)*key;

		if (c >= 'A' && c <= 'Z')
			c = (unsigned char)(c - 'A' + 'a');
		hash = (hash ^ c) * UINT64_C(1099511628211);
	}
	return hash;
}

bool names_init(struct names *names)
{
	*names = (struct names){.buckets = calloc(FIRST_SIZE, sizeof(struct names_node *)),
				.size = FIRST_SIZE};
	return names->buckets != NULL;
}

void names_release(struct names *names)
{
	free(names->buckets);
	*names = (struct names){0};
}

static void insert(struct names_node **buckets, size_t size, struct names_node *node)
{
	struct names_node **place = &buckets[node->hash & (size - 1)];

	node->next = *place;
	*place = node;
}

/* Doubles the buckets. Without memory for it the chains only get longer. */
static void grow(struct names *names)
{
	size_t size = names->size * 2;
	struct names_node **buckets = calloc(size, sizeof(struct names_node *));

	if (buckets == NULL)
		return;
	for (size_t i = 0; i < names->size; i++) {
		struct names_node *node = names->buckets[i];

		while (node != NULL) {
			struct names_node *next = node->next;

			insert(buckets, size, node);
			node = next;
		}
	}
	free(names->buckets);
	names->buckets = buckets;
	names->size = size;
}

void names_add(struct names *names, struct names_node *node, const char *key, void *item)
{
	if (names->count >= names->size)
		grow(names);
	*node = (struct names_node){.key = key, .item = item, .hash = hash_of(key)};
	insert(names->buckets, names->size, node);
	names->count++;
}

void names_remove(struct names *names, struct names_node *node)
{
	struct names_node **place = &names->buckets[node->hash & (names->size - 1)];

	while (*place != node)
		place = &(*place)->next;
	*place = node->next;
	node->next = NULL;
	names->count--;
}

static struct names_node *first_equal(struct names_node *node, uint64_t hash, const char *key)
{
	while (node != NULL && (node->hash != hash || strcasecmp(node->key, key) != 0))
		node = node->next;
	return node;
}

struct names_node *names_find(const struct names *names, const char *key)
{
	uint64_t hash = hash_of(key);

	return first_equal(names->buckets[hash & (names->size - 1)], hash, key);
}

struct names_node *names_next(const struct names_node *node)
{
	return first_equal(node->next, node->hash, node->key);
}

bool names_have_other(const struct names *names, const char *key, bool exact, const void *self)
{
	for (const struct names_node *node = names_find(names, key); node != NULL; node = names_next(node))
		if (node->item != self && (!exact || strcmp(node->key, key) == 0))
			return true;
	return false;
}
