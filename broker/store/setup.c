/* The start-up conversation as a table of steps: what is sent, and what is made of the answer. */
#include "store/setup_steps.h"

#include <stdio.h>
#include <string.h>

#include <hiredis/hiredis.h>

#include "base/buf.h"
#include "base/id.h"

#define WHY_MAX 200

enum setup_verdict setup_refuse(struct setup *setup, const char *what, const struct reply *reply)
{
	(void)err_set(&setup->why, ERR_UNAVAILABLE, "%s: Redis answered: %.*s", what, WHY_MAX,
		      reply_is_error(reply) ? reply->text : "something unexpected");
	return SETUP_REFUSED;
}

bool setup_is_ok(const struct reply *reply)
{
	return reply_is_text(reply) && strcmp(reply_text(reply), "OK") == 0;
}

/* -- signing in ------------------------------------------------------------------------------------------- */

static void write_sign_in(const struct setup *setup, struct command *command)
{
	const char *user = setup->wish->user;
	size_t argc = 0;
	command->argv[argc++] = "AUTH";
	if (user != NULL)
		command->argv[argc++] = user;
	command->argv[argc] = setup->wish->password;
}

static enum setup_verdict read_sign_in(struct setup *setup, const struct reply *reply)
{
	return setup_is_ok(reply)
		       ? SETUP_MORE
		       : setup_refuse(setup, "signing in with redis.user and redis.password", reply);
}

/* -- database --------------------------------------------------------------------------------------------- */

static void write_select(const struct setup *setup, struct command *command)
{
	(void)snprintf(command->value, sizeof(command->value), "%u", setup->wish->db);
	command->argv[0] = "SELECT";
	command->argv[1] = command->value;
}

static enum setup_verdict read_select(struct setup *setup, const struct reply *reply)
{
	return setup_is_ok(reply) ? SETUP_MORE
				  : setup_refuse(setup, "the database cannot be selected", reply);
}

/* -- durability ------------------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	const char *needed;
} durable[] = {
	{"appendonly", "yes"},
	{"appendfsync", "always"},
	{"maxmemory-policy", "noeviction"},
};

#define DURABLE_COUNT (sizeof(durable) / sizeof(durable[0]))

static void write_durability(const struct setup *setup, struct command *command)
{
	(void)setup;
	command->argv[0] = "CONFIG";
	command->argv[1] = "GET";
	for (size_t i = 0; i < DURABLE_COUNT; i++)
		command->argv[2 + i] = durable[i].name;
}

/* The value of a setting in the flat list of names and values; "unknown" when it is not there. */
static const char *find_setting(const struct reply *list, const char *name)
{
	for (size_t i = 0; i + 1 < reply_count(list); i += 2)
		if (strcmp(reply_text(reply_at(list, i)), name) == 0)
			return reply_text(reply_at(list, i + 1));
	return "unknown";
}

static void add_wrong_settings(struct buf *why, const struct reply *list)
{
	for (size_t i = 0; i < DURABLE_COUNT; i++) {
		const char *value = find_setting(list, durable[i].name);
		if (strcmp(value, durable[i].needed) == 0)
			continue;
		buf_addf(why, "%s %s is %.24s, set it to %s", why->len == 0 ? "" : ";", durable[i].name,
			 value, durable[i].needed);
	}
}

static enum setup_verdict read_durability(struct setup *setup, const struct reply *reply)
{
	struct buf wrong;
	if (reply_is_error(reply) && strncmp(reply->text, "NOPERM ", strlen("NOPERM ")) == 0) {
		setup->is_hidden = true;
		return SETUP_MORE;
	}
	buf_init(&wrong, sizeof(setup->why.text));
	if (reply_count(reply) == 0)
		(void)err_set(
			&setup->why, ERR_UNAVAILABLE,
			"whether Redis is durable cannot be verified, because CONFIG GET was refused: %.*s",
			WHY_MAX / 2, reply_is_error(reply) ? reply->text : "no answer");
	else
		add_wrong_settings(&wrong, reply);
	bool good = reply_count(reply) > 0 && wrong.len == 0 && !buf_failed(&wrong);
	if (wrong.len > 0)
		(void)err_set(&setup->why, ERR_UNAVAILABLE, "Redis may forget what it has acknowledged:%s",
			      buf_text(&wrong));
	buf_release(&wrong);
	setup->is_volatile = !good;
	return good || setup->wish->allow_volatile ? SETUP_MORE : SETUP_REFUSED;
}

/* INFO tells two of the three settings. The third decides whether an acknowledged change is on the disk: unseen it
 * counts as wrong. */
static void write_memory(const struct setup *setup, struct command *command)
{
	(void)setup;
	command->argv[0] = "INFO";
	command->argv[1] = "everything";
}

static enum setup_verdict read_memory(struct setup *setup, const struct reply *reply)
{
	const char *info = reply_text(reply);
	const char *found = "its user may read INFO neither";
	if (strstr(info, "\naof_enabled:0\r") != NULL)
		found = "INFO says that appendonly is no, set it to yes";
	else if (strstr(info, "\nmaxmemory_policy:") != NULL &&
		 strstr(info, "\nmaxmemory_policy:noeviction\r") == NULL)
		found = "INFO says that maxmemory-policy is not noeviction, set it to that";
	else if (info[0] != '\0')
		found = "INFO says that appendonly is yes, but does not tell appendfsync";
	(void)err_set(
		&setup->why, ERR_UNAVAILABLE,
		"whether Redis is durable cannot be verified, because its user may not CONFIG GET (%s); "
		"allow it with +config|get",
		found);
	setup->is_volatile = true;
	return setup->wish->allow_volatile ? SETUP_MORE : SETUP_REFUSED;
}

/* -- role ------------------------------------------------------------------------------------------------- */

static void write_role(const struct setup *setup, struct command *command)
{
	(void)setup;
	command->argv[0] = "INFO";
	command->argv[1] = "replication";
}

static enum setup_verdict read_role(struct setup *setup, const struct reply *reply)
{
	const char *info = reply_text(reply);
	if (strstr(info, "\nrole:master\r") != NULL)
		return SETUP_MORE;
	if (strstr(info, "\nrole:slave\r") == NULL)
		return setup_refuse(setup, "the role of Redis cannot be read", reply);
	(void)err_set(&setup->why, ERR_UNAVAILABLE, "this Redis is a replica; the broker needs the master");
	return SETUP_REFUSED;
}

/* -- functions -------------------------------------------------------------------------------------------- */

static void write_version(const struct setup *setup, struct command *command)
{
	(void)setup;
	command->argv[0] = "FCALL_RO";
	command->argv[1] = "jit_version";
	command->argv[2] = "0";
}

static enum setup_verdict read_version(struct setup *setup, const struct reply *reply)
{
	if (reply_is_error(reply) && strncmp(reply->text, "ERR Function not found", 22) != 0)
		return setup_refuse(setup, "the version of the function library cannot be read", reply);
	setup->library_is_absent = reply_is_error(reply);
	setup->library_is_old = !setup->library_is_absent && reply_int(reply) < setup->wish->library_version;
	return SETUP_MORE;
}

/* Where there was none, one that has come meanwhile, and may be newer, is not replaced. */
static void write_load(const struct setup *setup, struct command *command)
{
	size_t argc = 0;
	command->argv[argc++] = "FUNCTION";
	command->argv[argc++] = "LOAD";
	if (setup->library_is_old)
		command->argv[argc++] = "REPLACE";
	command->argv[argc] = setup->wish->library;
}

static enum setup_verdict read_load(struct setup *setup, const struct reply *reply)
{
	if (setup->library_is_absent && reply_is_error(reply) &&
	    strstr(reply->text, "already exists") != NULL) {
		setup->step = SETUP_VERSION;
		return SETUP_MORE;
	}
	setup->has_replaced = setup->library_is_old;
	return reply_is_text(reply) ? SETUP_MORE
				    : setup_refuse(setup, "the function library cannot be loaded", reply);
}

/* -- permissions ------------------------------------------------------------------------------------------ */

static void write_permitted(const struct setup *setup, struct command *command)
{
	(void)setup;
	command->argv[0] = "FCALL_RO";
	command->argv[1] = "jit_denied";
	command->argv[2] = "0";
}

static enum setup_verdict read_permitted(struct setup *setup, const struct reply *reply)
{
	if (!reply_is_text(reply))
		return setup_refuse(setup, "what the functions may do cannot be read", reply);
	if (reply_text_len(reply) == 0)
		return SETUP_MORE;
	(void)err_set(
		&setup->why, ERR_UNAVAILABLE,
		"the user of Redis may not %.40s on the keys {j*}:*, which the functions need: see redis.acl",
		reply_text(reply));
	return SETUP_REFUSED;
}

/* -- replicas --------------------------------------------------------------------------------------------- */

static void write_wait(const struct setup *setup, struct command *command)
{
	(void)setup;
	command->argv[0] = "WAIT";
	command->argv[1] = "0";
	command->argv[2] = "1";
}

static enum setup_verdict read_wait(struct setup *setup, const struct reply *reply)
{
	return reply->kind == REPLY_INTEGER ? SETUP_MORE
					    : setup_refuse(setup, "replicas cannot be waited for", reply);
}

static void write_waitaof(const struct setup *setup, struct command *command)
{
	(void)setup;
	command->argv[0] = "WAITAOF";
	command->argv[1] = "0";
	command->argv[2] = "0";
	command->argv[3] = "1";
}

static enum setup_verdict read_waitaof(struct setup *setup, const struct reply *reply)
{
	static const char unknown[] = "ERR unknown command"; /* Redis 7.0 */
	setup->has_waitaof = reply_count(reply) == 2;
	return setup->has_waitaof ||
			       (reply_is_error(reply) && strncmp(reply->text, unknown, strlen(unknown)) == 0)
		       ? SETUP_MORE
		       : setup_refuse(setup, "replicas cannot be waited for", reply);
}

/* -- the conversation ------------------------------------------------------------------------------------- */

static const struct {
	writer *write;
	reader *read;
} steps[SETUP_STEPS] = {
	[SETUP_SIGN_IN] = {write_sign_in, read_sign_in},
	[SETUP_SELECT] = {write_select, read_select},
	[SETUP_DURABILITY] = {write_durability, read_durability},
	[SETUP_MEMORY] = {write_memory, read_memory},
	[SETUP_ROLE] = {write_role, read_role},
	[SETUP_WRITE_MARK] = {setup_write_mark, setup_read_written},
	[SETUP_READ_MARK] = {setup_ask_mark, setup_read_mark},
	[SETUP_VERSION] = {write_version, read_version},
	[SETUP_LOAD] = {write_load, read_load},
	[SETUP_PERMITTED] = {write_permitted, read_permitted},
	[SETUP_WAIT] = {write_wait, read_wait},
	[SETUP_WAITAOF] = {write_waitaof, read_waitaof},
};

static bool step_is_needed(const struct setup *setup)
{
	switch (setup->step) {
	case SETUP_SIGN_IN:
		return setup->wish->password != NULL;
	case SETUP_SELECT:
		return setup->wish->db != 0;
	case SETUP_MEMORY:
		return setup->is_hidden;
	case SETUP_WRITE_MARK:
		return setup_mark_is_written(setup);
	case SETUP_LOAD:
		return setup->library_is_absent || setup->library_is_old;
	case SETUP_WAIT:
	case SETUP_WAITAOF:
		return setup->wish->waits;
	case SETUP_DURABILITY:
	case SETUP_ROLE:
	case SETUP_READ_MARK:
	case SETUP_VERSION:
	case SETUP_PERMITTED:
	case SETUP_STEPS:
		break;
	}
	return true;
}

void setup_begin(struct setup *setup, struct setup_wish *wish)
{
	*setup = (struct setup){.wish = wish, .step = SETUP_SIGN_IN};
	while (!step_is_needed(setup))
		setup->step++;
}

enum err setup_command(const struct setup *setup, char **text, size_t *len)
{
	struct command command = {.argv = {NULL}};
	size_t lens[ARGS_MAX];
	int argc = 0;
	steps[setup->step].write(setup, &command);
	for (; command.argv[argc] != NULL; argc++)
		lens[argc] = command.argv[argc] == setup->wish->library ? setup->wish->library_len
									: strlen(command.argv[argc]);
	long long length = redisFormatCommandArgv(text, argc, command.argv, lens);
	if (length < 0)
		return ERR_NOMEM;
	*len = (size_t)length;
	return ERR_OK;
}

enum setup_verdict setup_reply(struct setup *setup, const struct reply *reply)
{
	enum setup_step step = setup->step;
	enum setup_verdict verdict = steps[step].read(setup, reply);
	if (verdict != SETUP_MORE)
		return verdict;
	if (setup->step == step)
		setup->step++;
	while (!step_is_needed(setup))
		setup->step++;
	return setup->step == SETUP_STEPS ? SETUP_READY : SETUP_MORE;
}
