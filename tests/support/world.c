/* Starts and ends the programs of an integration test. */
#include "tests/support/world.h"
#include "tests/support/certificates.h"

#include <errno.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define APPLICATION_ID "app"
#define SHORT_TEXT     64

#define SANDBOX_ARGUMENTS 20
#define QUIRKS_SEED       "20261126" /* or what the environment says */
/* Hardly ever the same question twice in a row: after that there would be a further push. */
#define READ_BACK "GET /Groups?filter=id%20eq every 13 -> status 500"

/* Everything that the configuration of the brokers points to. */
struct world_names {
	struct broker_person *people;
	struct broker_group *groups;
	const char **eligible; /* all user names, NULL-terminated */
	char (*person_ids)[ID_SIZE], (*user_names)[SHORT_TEXT], (*tokens)[SHORT_TEXT];
	char (*group_ids)[ID_SIZE], (*group_names)[SHORT_TEXT];
	char token_file[PROC_PATH_SIZE + sizeof("/app.token")];
	struct authority authority; /* where the brokers speak TLS */
	struct certificate_files tls;
};

struct world_options world_defaults(void)
{
	return (struct world_options){
		.brokers = 1,
		.people = 12,
		.groups = 2,
		.application = {.cycle_reserve = -1},
	};
}

static void names_free(struct world_names *names)
{
	if (names == NULL)
		return;
	free(names->people);
	free(names->groups);
	free(names->eligible);
	free(names->person_ids);
	free(names->user_names);
	free(names->tokens);
	free(names->group_ids);
	free(names->group_names);
	if (names->authority.key != NULL)
		authority_release(&names->authority);
	free(names);
}

static struct world_names *names_new(size_t people, size_t groups)
{
	struct world_names *names = calloc(1, sizeof(*names));

	if (names == NULL)
		return NULL;
	names->people = calloc(people, sizeof(*names->people));
	names->groups = calloc(groups, sizeof(*names->groups));
	names->eligible = calloc(people + 1, sizeof(*names->eligible));
	names->person_ids = calloc(people, sizeof(*names->person_ids));
	names->user_names = calloc(people, sizeof(*names->user_names));
	names->tokens = calloc(people, sizeof(*names->tokens));
	names->group_ids = calloc(groups, sizeof(*names->group_ids));
	names->group_names = calloc(groups, sizeof(*names->group_names));
	if (names->people && names->groups && names->eligible && names->person_ids && names->user_names &&
	    names->tokens && names->group_ids && names->group_names)
		return names;
	names_free(names);
	return NULL;
}

static void name_people(struct world_names *names, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		snprintf(names->person_ids[i], ID_SIZE, "00000000-0000-4000-8000-%012u", (unsigned)i);
		snprintf(names->user_names[i], SHORT_TEXT, "person%zu@example.com", i);
		snprintf(names->tokens[i], SHORT_TEXT, "token-%zu", i);
		names->eligible[i] = names->user_names[i];
		names->people[i] = (struct broker_person){
			.id = names->person_ids[i],
			.user_name = names->user_names[i],
			.token = names->tokens[i],
			.is_operator = i == 0,
		};
	}
}

static void name_groups(struct world_names *names, const struct world_options *options)
{
	for (size_t i = 0; i < options->groups; i++) {
		snprintf(names->group_ids[i], ID_SIZE, "a0000000-0000-4000-8000-%012u", (unsigned)i);
		snprintf(names->group_names[i], SHORT_TEXT, "group-%zu", i);
		names->groups[i] = options->each_group != NULL ? options->each_group[i] : options->group;
		names->groups[i].id = names->group_ids[i];
		names->groups[i].name = names->group_names[i];
		names->groups[i].application = APPLICATION_ID;
		if (options->each_group == NULL)
			names->groups[i].eligible = names->eligible;
	}
}

static bool write_token(const char *path)
{
	FILE *file = fopen(path, "wb");
	bool ok = file != NULL && fputs(SANDBOX_TOKEN "\n", file) >= 0;

	if (file != NULL && fclose(file) != 0)
		ok = false;
	return ok && chmod(path, 0600) == 0;
}

static void make_certificate(struct world *world)
{
	struct world_names *names = world->names;

	authority_make(&names->authority, world->dir, "authority");
	certificate_make(&names->authority, "IP:127.0.0.1,DNS:localhost", 3600, "broker", &names->tls);
	world->config.tls_certificate = names->tls.certificate;
	world->config.tls_key = names->tls.key;
	world->config.tls_authority = names->authority.path;
}

static bool make_config(struct world *world, const struct world_options *options)
{
	struct world_names *names = world->names;

	name_people(names, options->people);
	name_groups(names, options);
	snprintf(names->token_file, sizeof(names->token_file), "%s/app.token", world->dir);
	world->application = options->application;
	world->application.id = APPLICATION_ID;
	if (options->application.url == NULL)
		world->application.url = world->sandbox.url;
	world->application.token_file = names->token_file;
	world->config = (struct broker_config){
		.environment = options->environment,
		.redis_url = world->redis.url,
		.redis_durable = !options->redis_volatile,
		.redis_timeout_ms = options->redis_timeout_ms,
		.lanes = options->lanes,
		.requests_per_caller = options->requests_per_caller,
		.poll_ms = options->poll_ms,
		.history_ms = options->history_ms,
		.people_count = options->without_people ? 0 : options->people,
		.people = names->people,
		.application_count = 1,
		.applications = &world->application,
		.group_count = options->groups,
		.groups = names->groups,
		.more = options->more,
		.program = options->program,
	};
	if (options->tls)
		make_certificate(world);
	return write_token(names->token_file);
}

static const char *quirks_seed(void)
{
	const char *seed = getenv("QUIRKS_SEED");

	return seed != NULL && seed[0] != '\0' ? seed : QUIRKS_SEED;
}

/* The application is hostile in all that a client has to put up with, unless the test says otherwise: it says everything
 * in odd ways, and where it is asked whether a change was made the answer fails now and then, which costs a second
 * question and no push. */
static bool start_sandbox(struct world *world, const struct world_options *options)
{
	const char *arguments[SANDBOX_ARGUMENTS + 5] = {NULL};
	char quirks[SHORT_TEXT];
	size_t count = 0;

	for (; options->sandbox_arguments != NULL && options->sandbox_arguments[count] != NULL; count++) {
		if (count == SANDBOX_ARGUMENTS)
			return false;
		arguments[count] = options->sandbox_arguments[count];
	}
	snprintf(quirks, sizeof(quirks), "quirks=%s", quirks_seed());
	if (!options->plain_sandbox)
		memcpy(arguments + count, (const char *const[]){"--behaviour", quirks, "--fault", READ_BACK},
		       4 * sizeof(arguments[0]));
	return sandbox_start(&world->sandbox, world->dir, "sandbox", arguments);
}

static bool start_servers(struct world *world, const struct world_options *options)
{
	if (!redis_server_start(&world->redis, options->redis_arguments) || !start_sandbox(world, options))
		return false;
	world->names = names_new(options->people, options->groups);
	if (world->names == NULL || !make_config(world, options))
		return false;
	for (size_t i = 0; i < options->groups && !options->without_groups_in_application; i++)
		if (!sandbox_make_group(&world->sandbox, world->names->group_names[i]))
			return false;
	return true;
}

static bool start_brokers(struct world *world, size_t count)
{
	char name[SHORT_TEXT];

	for (size_t i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "broker-%zu", i);
		world->broker_count = i + 1;
		if (!broker_start(&world->brokers[i], world->dir, name, &world->config))
			return false;
	}
	return true;
}

bool world_start(struct world *world, const struct world_options *options)
{
	struct world_options filled = *options;

	memset(world, 0, sizeof(*world));
	filled.brokers = filled.brokers > 0 ? filled.brokers : 1;
	filled.people = filled.people > 0 ? filled.people : 12;
	filled.groups = filled.groups > 0 ? filled.groups : 2;
	snprintf(world->dir, sizeof(world->dir), "/tmp/jit-test-XXXXXX");
	if (filled.brokers > WORLD_BROKERS || mkdtemp(world->dir) == NULL) {
		fprintf(stderr, "no world: %s\n", strerror(errno));
		world->dir[0] = '\0';
		return false;
	}
	if (start_servers(world, &filled) &&
	    start_brokers(world, filled.without_brokers ? 0 : filled.brokers))
		return true;
	world_stop(world);
	return false;
}

void world_passed(struct world *world)
{
	world->passed = true;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *where)
{
	(void)st;
	(void)kind;
	(void)where;
	return remove(path);
}

static void print_logs(const struct world *world)
{
	for (size_t i = 0; i < world->broker_count; i++)
		proc_print_log(&world->brokers[i].proc, stderr);
	if (world->sandbox.proc.log_path[0] != '\0')
		proc_print_log(&world->sandbox.proc, stderr);
}

bool world_stop(struct world *world)
{
	bool clean = true;

	if (world->dir[0] == '\0')
		return true;
	for (size_t i = 0; i < world->broker_count; i++)
		clean = broker_stop(&world->brokers[i]) && clean;
	clean = sandbox_stop(&world->sandbox) && clean;
	redis_server_stop(&world->redis);
	if (!world->passed || !clean)
		print_logs(world);
	names_free(world->names);
	if (world->passed || getenv("KEEP_WORLD") == NULL)
		nftw(world->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	else
		fprintf(stderr, "kept: %s\n", world->dir);
	memset(world, 0, sizeof(*world));
	return clean;
}

const char *world_person_id(const struct world *world, size_t person)
{
	return world->names->person_ids[person];
}

const char *world_user_name(const struct world *world, size_t person)
{
	return world->names->user_names[person];
}

const char *world_token(const struct world *world, size_t person)
{
	return world->names->tokens[person];
}

const char *world_group_id(const struct world *world, size_t group)
{
	return world->names->group_ids[group];
}

const char *world_group_name(const struct world *world, size_t group)
{
	return world->names->group_names[group];
}
