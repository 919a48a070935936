/* The sentinels are asked in turn: the next attempt begins with the next one, so that one that is cut off from the
 * others does not lead to an old master for ever. */
#include "store/sentinel.h"

#include "store/node.h"

static void ask(struct sentinel *sentinel)
{
	const char *const argv[] = {"SENTINEL", "get-master-addr-by-name", sentinel->master, NULL};
	question_ask(&sentinel->question, &sentinel->sentinels[sentinel->turn % sentinel->count], argv);
}

void sentinel_seek(struct sentinel *sentinel, struct node *node)
{
	sentinel->node = node;
	sentinel->asked = 0;
	/* One that is still being asked, although the node has given that up, answers for this attempt, too. */
	if (!question_is_open(&sentinel->question))
		ask(sentinel);
}

bool sentinel_read(struct address *master, const struct reply *reply, const struct address *asked)
{
	return reply_count(reply) == 2 &&
	       address_make(master, reply_text(reply_at(reply, 0)), reply_text(reply_at(reply, 1)), asked);
}

void sentinel_answered(void *ctx, const struct address *asked, const struct reply *reply, const char *why)
{
	struct sentinel *sentinel = ctx;
	struct address master;
	char name[ADDRESS_TEXT_SIZE];
	if (sentinel_read(&master, reply, asked)) {
		sentinel->turn++;
		node_found(sentinel->node, &master);
		return;
	}
	(void)err_set(&sentinel->why, ERR_UNAVAILABLE,
		      "no sentinel knows the master %.60s; %.60s says: %.100s", sentinel->master,
		      address_print(asked, name), why != NULL ? why : "unknown master");
	sentinel->turn++;
	if (++sentinel->asked < sentinel->count)
		ask(sentinel);
	else
		node_not_found(sentinel->node, sentinel->why.text);
}
