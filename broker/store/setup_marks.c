/* The steps about what is true of the whole store: which data it is, the schema of its keys, the number of lanes. */
#include <stdio.h>
#include <string.h>

#include "base/id.h"
#include "store/answer.h"
#include "store/setup_steps.h"

/* -- what is written once ---------------------------------------------------------------------------------- */

static void write_once(struct command *command, const char *key, const char *value)
{
	command->argv[0] = "SET";
	command->argv[1] = key;
	command->argv[2] = value;
	command->argv[3] = "NX";
}

static void write_get(struct command *command, const char *key)
{
	command->argv[0] = "GET";
	command->argv[1] = key;
}

/* On a cluster another node may have the key: then it is that node's conversation that cares for it. */
static bool is_elsewhere(const struct setup *setup, const struct reply *reply)
{
	return setup->wish->is_cluster && answer_of(reply) == ANSWER_MOVED;
}

/* A Redis that takes no writes, because it is full or without its replicas, refuses them also where the key is there;
 * whether it is, the next step reads, and access still has to end. */
static enum setup_verdict written(struct setup *setup, const char *what, const struct reply *reply)
{
	enum setup_verdict verdict;

	if (reply->kind == REPLY_NIL || setup_is_ok(reply) || is_elsewhere(setup, reply))
		return SETUP_MORE;
	verdict = setup_refuse(setup, what, reply);
	return answer_of(reply) == ANSWER_FULL ? SETUP_MORE : verdict;
}

/* It could not be written, and is not there. */
static bool is_missing(const struct setup *setup, const struct reply *reply)
{
	return reply->kind == REPLY_NIL && setup->why.text[0] != '\0';
}

/* -- which data ------------------------------------------------------------------------------------------- */

void setup_write_write_store(const struct setup *setup, struct command *command)
{
	write_once(command, SETUP_STORE_KEY, setup->wish->store);
}

enum setup_verdict setup_read_write_store(struct setup *setup, const struct reply *reply)
{
	return written(setup, "which data this is cannot be written", reply);
}

void setup_write_read_store(const struct setup *setup, struct command *command)
{
	(void)setup;
	write_get(command, SETUP_STORE_KEY);
}

/* What was known and is gone is not begun anew: whoever got access by it would be taken for a standing member. */
enum setup_verdict setup_read_read_store(struct setup *setup, const struct reply *reply)
{
	const char *known = setup->wish->known_store;
	if (is_elsewhere(setup, reply))
		return SETUP_MORE;
	if (reply_is_error(reply))
		return setup_refuse(setup, "which data this is cannot be read", reply);
	if (known[0] == '\0' && is_missing(setup, reply))
		return SETUP_REFUSED;
	(void)snprintf(setup->store, sizeof(setup->store), "%s", reply_text(reply));
	if (known[0] == '\0' || strcmp(setup->store, known) == 0)
		return SETUP_MORE;
	(void)err_set(&setup->why, ERR_UNAVAILABLE, "%s", STORE_LOST);
	return SETUP_REFUSED;
}

void setup_learn(struct setup_wish *wish, const struct setup *setup)
{
	if (setup->lanes != 0)
		wish->known_lanes = setup->lanes;
	if (setup->store[0] != '\0')
		memcpy(wish->known_store, setup->store, sizeof(setup->store));
}

/* -- schema ----------------------------------------------------------------------------------------------- */

void setup_write_write_schema(const struct setup *setup, struct command *command)
{
	(void)snprintf(command->number, sizeof(command->number), "%u", setup->wish->schema);
	write_once(command, SETUP_SCHEMA_KEY, command->number);
}

enum setup_verdict setup_read_write_schema(struct setup *setup, const struct reply *reply)
{
	return written(setup, "the schema of the keys cannot be written", reply);
}

void setup_write_read_schema(const struct setup *setup, struct command *command)
{
	(void)setup;
	write_get(command, SETUP_SCHEMA_KEY);
}

enum setup_verdict setup_read_read_schema(struct setup *setup, const struct reply *reply)
{
	int64_t schema = reply_int(reply);
	unsigned ours = setup->wish->schema;
	if (is_elsewhere(setup, reply))
		return SETUP_MORE;
	if (reply_is_error(reply))
		return setup_refuse(setup, "the schema of the keys cannot be read", reply);
	if (is_missing(setup, reply))
		return SETUP_REFUSED;
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

void setup_write_write_lanes(const struct setup *setup, struct command *command)
{
	/* A Redis that lost the number gets the one that this broker works with, whatever the setting says. */
	unsigned lanes = setup->wish->known_lanes != 0 ? setup->wish->known_lanes : setup->wish->lanes;
	(void)snprintf(command->number, sizeof(command->number), "%u", lanes);
	write_once(command, SETUP_LANES_KEY, command->number);
}

enum setup_verdict setup_read_write_lanes(struct setup *setup, const struct reply *reply)
{
	return written(setup, "the number of lanes cannot be written", reply);
}

void setup_write_read_lanes(const struct setup *setup, struct command *command)
{
	(void)setup;
	write_get(command, SETUP_LANES_KEY);
}

enum setup_verdict setup_read_read_lanes(struct setup *setup, const struct reply *reply)
{
	int64_t lanes = reply_int(reply);
	unsigned known = setup->wish->known_lanes;
	if (is_elsewhere(setup, reply))
		return SETUP_READY;
	if (reply_is_error(reply))
		return setup_refuse(setup, "the number of lanes cannot be read", reply);
	if (is_missing(setup, reply))
		return SETUP_REFUSED;
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
		setup->lanes = (unsigned)lanes;
		return SETUP_READY;
	}
	return SETUP_REFUSED;
}
