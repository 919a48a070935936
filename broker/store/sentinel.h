/* Finds the master that sentinels name. Whether it is one, the node asks itself. Internal to the store. */
#ifndef STORE_SENTINEL_H
#define STORE_SENTINEL_H

#include <stdbool.h>
#include <stddef.h>

#include "store/question.h"
#include "store/store.h"

struct node;
struct topology;

#define SENTINEL_MASTER_SIZE 128

struct sentinel {
	struct topology *topology; /* NULL before it has been started */
	struct question question;  /* its first members are filled in by the owner */
	struct address sentinels[STORE_SERVERS_MAX];
	size_t count;
	size_t turn;  /* whom to ask next */
	size_t asked; /* how many, for this attempt */
	struct node *node;
	char master[SENTINEL_MASTER_SIZE];
	struct errctx why;
};

/* The master that a sentinel's answer names, reached like the sentinel. False when it names none. */
bool sentinel_read(struct address *master, const struct reply *reply, const struct address *asked) MUST_CHECK;

/* Answers node_found() or, once no sentinel knows, node_not_found(). One node at a time. */
void sentinel_seek(struct sentinel *sentinel, struct node *node);

/* Of the question. */
void sentinel_answered(void *ctx, const struct address *asked, const struct reply *reply, const char *why);

#endif
