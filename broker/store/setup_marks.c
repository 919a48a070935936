/*
 * The steps about what is true of the whole store: the schema of its keys, the number of lanes, and which data each lane
 * holds. Each of these marks is one key, written unless somebody has, and read.
 */
#include <stdio.h>
#include <string.h>

#include "base/id.h"
#include "store/answer.h"
#include "store/setup_steps.h"

enum { MARK_SCHEMA, MARK_LANES, MARK_STORE }; /* the last one is lane 0's; those of the others follow */

/* -- schema ----------------------------------------------------------------------------------------------- */

static void write_schema(const struct setup *setup, struct command *command)
{
	(void)snprintf(command->key, sizeof(command->key), "%s", SETUP_SCHEMA_KEY);
	(void)snprintf(command->value, sizeof(command->value), "%u", setup->wish->schema);
}

static enum setup_verdict read_schema(struct setup *setup, const struct reply *reply)
{
	int64_t schema = reply_int(reply);
	unsigned ours = setup->wish->schema;
	if (schema == ours)
		return SETUP_MORE;
	if (schema > ours)
		(void)err_set(&setup->why, ERR_UNAVAILABLE,
			      "the store was written by a newer broker (key schema %lld, this one knows %u): "
			      "start that version or a newer one",
			      (long long)schema, ours);
	else if (schema > 0)
		(void)err_set(&setup->why, ERR_UNAVAILABLE,
			      "the store was written by an older broker (key schema %lld, this one knows %u) "
			      "and this version cannot take it over: start the version before it first",
			      (long long)schema, ours);
	else
		(void)err_set(&setup->why, ERR_UNAVAILABLE,
			      "the key " SETUP_SCHEMA_KEY " must hold a number from 1 on");
	return SETUP_REFUSED;
}

/* -- lanes ------------------------------------------------------------------------------------------------ */

static void write_lanes(const struct setup *setup, struct command *command)
{
	/* A Redis that lost the number gets the one that this broker works with, whatever the setting says. */
	unsigned lanes = setup->wish->known_lanes != 0 ? setup->wish->known_lanes : setup->wish->lanes;
	(void)snprintf(command->key, sizeof(command->key), "%s", SETUP_LANES_KEY);
	(void)snprintf(command->value, sizeof(command->value), "%u", lanes);
}

static enum setup_verdict read_lanes(struct setup *setup, const struct reply *reply)
{
	int64_t lanes = reply_int(reply);
	unsigned known = setup->wish->known_lanes;
	if (lanes < 1 || lanes > LANES_MAX)
		(void)err_set(&setup->why, ERR_UNAVAILABLE,
			      "the key " SETUP_LANES_KEY " must hold a number from 1 to %d", LANES_MAX);
	else if (known != 0 && lanes != known)
		(void)err_set(
			&setup->why, ERR_UNAVAILABLE,
			"the number of lanes in Redis has changed from %u to %d: this is another store, "
			"restart the broker to use it",
			known, (int)lanes);
	else {
		setup->wish->known_lanes = (unsigned)lanes;
		return SETUP_MORE;
	}
	return SETUP_REFUSED;
}

/* -- which data ------------------------------------------------------------------------------------------- */

static char *known_store(const struct setup *setup)
{
	return setup->wish->known_store[setup->mark - MARK_STORE];
}

static void write_store(const struct setup *setup, struct command *command)
{
	(void)snprintf(command->key, sizeof(command->key), SETUP_STORE_KEY, setup->mark - MARK_STORE);
	(void)snprintf(command->value, sizeof(command->value), "%s", setup->wish->store);
}

static enum setup_verdict read_store(struct setup *setup, const struct reply *reply)
{
	char *known = known_store(setup);
	if (known[0] == '\0')
		(void)snprintf(known, SETUP_STORE_SIZE, "%s", reply_text(reply));
	if (known[0] != '\0' && strcmp(reply_text(reply), known) == 0)
		return SETUP_MORE;
	(void)err_set(&setup->why, ERR_UNAVAILABLE, "%s", STORE_LOST);
	return SETUP_REFUSED;
}

/* -- each of them ----------------------------------------------------------------------------------------- */

static const struct {
	const char *what;
	writer *write; /* key and value */
	reader *read;  /* what is there */
} marks[] = {
	[MARK_SCHEMA] = {"the schema of the keys", write_schema, read_schema},
	[MARK_LANES] = {"the number of lanes", write_lanes, read_lanes},
	[MARK_STORE] = {"which data this is", write_store, read_store},
};

static unsigned kind(const struct setup *setup)
{
	return setup->mark < MARK_STORE ? setup->mark : MARK_STORE;
}

/* What was known and is gone is not begun anew: whoever got access by it would be taken for a standing member. */
bool setup_mark_is_written(const struct setup *setup)
{
	return kind(setup) != MARK_STORE || known_store(setup)[0] == '\0';
}

/* On a cluster another node may have the key: then it is that node's conversation that cares for it. So it is with a key
 * that is on its way to another node, if it is known: the node that has the rest of the lanes is not kept waiting. */
static bool is_elsewhere(const struct setup *setup, const struct reply *reply)
{
	enum answer answer = answer_of(reply);
	return setup->wish->is_cluster &&
	       (answer == ANSWER_MOVED || (answer == ANSWER_OPEN && !setup_mark_is_written(setup)));
}

static enum setup_verdict refuse(struct setup *setup, const char *done, const struct reply *reply)
{
	struct errctx what;
	(void)err_set(&what, ERR_UNAVAILABLE, "%s cannot be %s", marks[kind(setup)].what, done);
	return setup_refuse(setup, what.text, reply);
}

void setup_write_mark(const struct setup *setup, struct command *command)
{
	marks[kind(setup)].write(setup, command);
	command->argv[0] = "SET";
	command->argv[1] = command->key;
	command->argv[2] = command->value;
	command->argv[3] = "NX";
}

/* A Redis that takes no writes, because it is full or without its replicas, refuses them also where the key is there;
 * whether it is, the next step reads, and access still has to end. */
enum setup_verdict setup_read_written(struct setup *setup, const struct reply *reply)
{
	enum setup_verdict verdict;

	if (reply->kind == REPLY_NIL || setup_is_ok(reply) || is_elsewhere(setup, reply))
		return SETUP_MORE;
	verdict = refuse(setup, "written", reply);
	return answer_of(reply) == ANSWER_FULL ? SETUP_MORE : verdict;
}

void setup_ask_mark(const struct setup *setup, struct command *command)
{
	marks[kind(setup)].write(setup, command);
	command->argv[0] = "GET";
	command->argv[1] = command->key;
}

/* One server has the data of all lanes; on a cluster each lane may be on a node of its own. */
static unsigned count_marks(const struct setup *setup)
{
	unsigned lanes = setup->wish->known_lanes;
	return MARK_STORE + (setup->wish->is_cluster || lanes == 0 ? lanes : 1);
}

enum setup_verdict setup_read_mark(struct setup *setup, const struct reply *reply)
{
	if (!is_elsewhere(setup, reply)) {
		if (reply_is_error(reply))
			return refuse(setup, "read", reply);
		/* It could not be written, and is not there. */
		if (reply->kind == REPLY_NIL && setup->why.text[0] != '\0' && setup_mark_is_written(setup))
			return SETUP_REFUSED;
		if (marks[kind(setup)].read(setup, reply) != SETUP_MORE)
			return SETUP_REFUSED;
	}
	setup->has_lanes = setup->wish->known_lanes != 0;
	if (++setup->mark < count_marks(setup))
		setup->step = SETUP_WRITE_MARK;
	return SETUP_MORE;
}
