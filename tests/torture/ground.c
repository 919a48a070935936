#include "tests/torture/ground.h"

#include <errno.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <hiredis/hiredis.h>

#define PATIENCE_MS 30000
#define END_MS      40000

/* -- people and groups ------------------------------------------------------------------------------------------ */

static void name_person(struct ground *ground, size_t i)
{
	struct ground_person *person = &ground->person[i];

	snprintf(person->id, sizeof(person->id), "00000000-0000-4000-8000-%012u", (unsigned)i);
	snprintf(person->user_name, sizeof(person->user_name), "p%zu@example.com", i);
	snprintf(person->token, sizeof(person->token), "secret-of-person-%zu-4f1d", i);
	ground->person_config[i] = (struct broker_person){.id = person->id,
							  .user_name = person->user_name,
							  .token = person->token,
							  .is_operator = i == ground->people};
}

static void name_people(struct ground *ground)
{
	const struct ground_options *o = &ground->options;

	ground->people = o->apps * o->people_each;
	ground->groups = ground->people;
	for (size_t i = 0; i <= ground->people + GROUND_APPROVERS; i++)
		name_person(ground, i);
	for (size_t i = 0; i < ground->people; i++) {
		size_t app = i / o->people_each, first = app * o->people_each;
		size_t group = app == o->apps - 1 ? first + i % 2 : i;
		struct ground_person *owner = &ground->person[group];
		size_t n = 0;

		ground->person[i].app = app;
		ground->person[i].group = group;
		ground->person[i].needs_approval = app % 4 == 1;
		while (owner->eligible[n] != NULL)
			n++;
		owner->eligible[n] = ground->person[i].user_name;
	}
}

/* Who is eligible is an approver, too: that nobody decides their own request is the broker's affair. */
static void configure_approval(struct ground *ground, size_t group)
{
	const struct ground_person *approver = &ground->person[ground->people + 1];
	char *out = ground->approval[group];

	if (!ground->person[group].needs_approval)
		return;
	snprintf(out, sizeof(ground->approval[group]),
		 "      approval: {approvers: [%s, %s, %s], timeout: " APPROVAL_TIMEOUT "}\n",
		 approver[0].user_name, approver[1].user_name, ground->person[group].eligible[0]);
}

static void configure_groups(struct ground *ground)
{
	for (size_t i = 0; i < ground->groups; i++) {
		snprintf(ground->group_ids[i], ID_SIZE, "a0000000-0000-4000-8000-%012u", (unsigned)i);
		snprintf(ground->group_names[i], GROUND_TEXT, "group-%zu.", i);
		/* Those who share a group leave their own to nobody. */
		if (ground->person[i].eligible[0] == NULL)
			continue;
		configure_approval(ground, i);
		ground->group_config[ground->configured++] = (struct broker_group){
			.id = ground->group_ids[i],
			.name = ground->group_names[i],
			.application = ground->apps[ground->person[i].app].id,
			.eligible = ground->person[i].eligible,
			.min_ms = 1000,
			.max_ms = 8LL * 3600 * 1000,
			.more = ground->approval[i],
		};
	}
}

static void configure_apps(struct ground *ground)
{
	for (size_t i = 0; i < ground->options.apps; i++)
		ground->app_config[i] = (struct broker_application){
			.id = ground->apps[i].id,
			.url = ground->apps[i].sandbox.url,
			.token_file = ground->token_file,
			.pushes = PUSHES,
			.per_ms = WINDOW_MS,
			.cycle_ms = CYCLE_MS,
			.push_timeout_ms = PUSH_TIMEOUT_MS,
			.request_timeout_ms = ANSWER_TIMEOUT_MS,
			.cycle_reserve = 2,
		};
}

static void configure_broker(struct ground *ground, size_t i)
{
	const struct redis_cluster *cluster = &ground->cluster;

	snprintf(ground->redis_more[i], sizeof(ground->redis_more[i]),
		 "  cluster: [\"%s\", \"%s\", \"%s\"]\n  replicas: 1\n", cluster->urls[0], cluster->urls[1],
		 cluster->urls[5]);
	ground->config[i] = (struct broker_config){
		.redis_url = ground->options.cluster ? NULL : ground->gates[i].url,
		.redis_more = ground->options.cluster ? ground->redis_more[i] : NULL,
		.redis_durable = true,
		.redis_timeout_ms = 2000,
		.people_count = ground->people + 1 + GROUND_APPROVERS,
		.people = ground->person_config,
		.application_count = ground->options.apps,
		.applications = ground->app_config,
		.group_count = ground->configured,
		.groups = ground->group_config,
		.more = ground->more,
	};
}

static void configure_clock(struct ground *ground, size_t i)
{
	const char **variables = ground->variables[i];

	if (ground->island.clock == NULL)
		return;
	snprintf(ground->clocks[i], sizeof(ground->clocks[i]), "%s/clock-%zu", ground->dir, i);
	snprintf(ground->preload, sizeof(ground->preload), "LD_PRELOAD=%s", ground->island.clock);
	snprintf(ground->clock_files[i], sizeof(ground->clock_files[i]), "FAKETIME_TIMESTAMP_FILE=%s",
		 ground->clocks[i]);
	variables[0] = ground->preload;
	variables[1] = ground->clock_files[i];
	variables[2] = "FAKETIME_CACHE_DURATION=1";
	variables[3] = "FAKETIME_DONT_FAKE_MONOTONIC=1";
	/* In a build with ASan the clock's library comes before the sanitizer's, and takes nothing of it away. */
	variables[4] = "ASAN_OPTIONS=verify_asan_link_order=0";
	ground->config[i].variables = variables;
}

bool ground_set_clock(struct ground *ground, size_t broker, int64_t seconds)
{
	FILE *file = fopen(ground->clocks[broker], "wbe");
	bool good = file != NULL && fprintf(file, "%+lld\n", (long long)seconds) > 0;

	if (file != NULL && fclose(file) != 0)
		good = false;
	return good;
}

static bool write_secret(const char *path, const char *text)
{
	FILE *file = fopen(path, "wbe");
	bool good = file != NULL && fprintf(file, "%s\n", text) > 0;

	if (file != NULL && fclose(file) != 0)
		good = false;
	return good && chmod(path, 0600) == 0;
}

static bool write_secrets(struct ground *ground)
{
	char path[sizeof(ground->dir) + 16];

	snprintf(ground->token_file, sizeof(ground->token_file), "%s/app.token", ground->dir);
	snprintf(path, sizeof(path), "%s/audit.key", ground->dir);
	snprintf(ground->more, sizeof(ground->more), "audit:\n  key: \"file:%s\"\n  seal: 2s\n", path);
	return write_secret(ground->token_file, SANDBOX_TOKEN) &&
	       write_secret(path, "0123456789abcdef0123456789abcdef");
}

/* -- starting --------------------------------------------------------------------------------------------------- */

static bool start_redis(struct ground *ground)
{
	char dir[sizeof(ground->dir) + 32];

	if (ground->options.cluster)
		return redis_cluster_start(&ground->cluster, 3, 3, NULL, NULL);
	if (!redis_server_start(&ground->redis, NULL))
		return false;
	for (size_t i = 0; i < ground->options.brokers; i++) {
		snprintf(dir, sizeof(dir), "%s/b%zu", ground->dir, i);
		if (mkdir(dir, 0700) != 0 ||
		    !redis_gate_start(&ground->gates[i], dir, ground->redis.socket_path))
			return false;
	}
	return true;
}

static bool make_groups(struct ground *ground, size_t app)
{
	const struct sandbox *sandbox = &ground->apps[app].sandbox;
	char body[256];

	for (size_t i = 0; i < ground->groups; i++) {
		struct http_response response;
		bool good;

		if (ground->person[i].app != app)
			continue;
		snprintf(body, sizeof(body), "{\"users\":[\"%s\"],\"groups\":{\"%s\":[\"%s\"]}}", STANDING,
			 ground->group_names[i], STANDING);
		sandbox_control(sandbox, "POST", "/sandbox/state", body, &response);
		good = response.status / 100 == 2;
		if (!good)
			fprintf(stderr, "%s: %d %s\n", body, response.status, buf_text(&response.body));
		http_response_release(&response);
		if (!good)
			return false;
		history_note(ground->history, "standing", "\"app\":%zu,\"group\":\"%s\",\"user\":\"%s\"", app,
			     ground->group_names[i], STANDING);
	}
	return true;
}

/* In every way that no client may notice, and each application in another one. */
static bool start_sandbox(struct ground *ground, size_t i)
{
	struct ground_app *app = &ground->apps[i];
	char quirks[GROUND_TEXT];
	const char *const arguments[] = {"--behaviour", quirks, NULL};

	snprintf(quirks, sizeof(quirks), "quirks=%u", (unsigned)(ground->options.seed % 1000000 + i + 1));
	return sandbox_start(&app->sandbox, ground->dir, app->id, arguments);
}

static bool start_apps(struct ground *ground)
{
	for (size_t i = 0; i < ground->options.apps; i++) {
		struct ground_app *app = &ground->apps[i];

		snprintf(app->id, sizeof(app->id), "app-%zu", i);
		if (!start_sandbox(ground, i) || !make_groups(ground, i))
			return false;
		history_note(ground->history, "app", "\"app\":%zu,\"log\":\"%s\"", i,
			     app->sandbox.requests_path);
	}
	return true;
}

static void note_people(struct ground *ground)
{
	for (size_t i = 0; i < ground->people; i++)
		history_note(ground->history, "person",
			     "\"person\":%zu,\"app\":%zu,\"group\":\"%s\",\"user\":\"%s\",\"id\":\"%s\","
			     "\"approval\":%s",
			     i, ground->person[i].app, ground->group_names[ground->person[i].group],
			     ground->person[i].user_name, ground->person[i].id,
			     ground->person[i].needs_approval ? "true" : "false");
}

bool ground_open(struct ground *ground, const struct ground_options *options, struct history *history)
{
	ground->options = *options;
	ground->history = history;
	pthread_mutex_init(&ground->lock, NULL);
	name_people(ground);
	configure_groups(ground);
	configure_apps(ground);
	if (!write_secrets(ground) || !start_redis(ground) || !start_apps(ground))
		return false;
	note_people(ground);
	for (size_t i = 0; i < options->brokers; i++) {
		configure_broker(ground, i);
		configure_clock(ground, i);
		if ((ground->island.clock != NULL && !ground_set_clock(ground, i, 0)) ||
		    !ground_broker_start(ground, i))
			return false;
	}
	return ground_wait_ready(ground);
}

/* -- the store --------------------------------------------------------------------------------------------------- */

static bool tells(const struct redis_server *node, const char *command, const char *wanted,
		  const char *unwanted)
{
	struct redisReply *reply = redis_server_command(node, command);
	bool good = reply != NULL && reply->type == REDIS_REPLY_STRING &&
		    (strstr(reply->str, wanted) != NULL || strstr(reply->str, "role:slave") != NULL) &&
		    strstr(reply->str, unwanted) == NULL;

	if (reply != NULL)
		freeReplyObject(reply);
	return good;
}

bool ground_store_is_whole(struct ground *ground)
{
	for (size_t i = 0; i < ground->cluster.count; i++)
		if (!tells(&ground->cluster.nodes[i], "CLUSTER INFO", "cluster_state:ok",
			   "cluster_state:fail") ||
		    !tells(&ground->cluster.nodes[i], "INFO replication", "state=online",
			   "master_link_status:down"))
			return false;
	return true;
}

/* -- brokers ---------------------------------------------------------------------------------------------------- */

static void set_root(struct ground *ground, size_t broker, const char *root)
{
	pthread_mutex_lock(&ground->lock);
	snprintf(ground->roots[broker], sizeof(ground->roots[broker]), "%s", root);
	pthread_mutex_unlock(&ground->lock);
}

bool ground_broker_start(struct ground *ground, size_t broker)
{
	char name[16], root[sizeof(ground->brokers[broker].root)];

	snprintf(name, sizeof(name), "broker-%zu", broker);
	if (!broker_start_unready(&ground->brokers[broker], ground->dir, name, &ground->config[broker]))
		return false;
	snprintf(root, sizeof(root), "%s", ground->brokers[broker].root);
	set_root(ground, broker, root);
	return true;
}

/* By itself: nobody has killed it, or told it to end. */
static bool has_ended(struct ground *ground, size_t broker)
{
	struct proc *proc = &ground->brokers[broker].proc;

	if (proc->pid == 0 || proc_alive(proc))
		return false;
	history_note(ground->history, "unclean", "\"what\":\"broker %zu\"", broker);
	return true;
}

bool ground_look_after(struct ground *ground)
{
	bool good = true;

	for (size_t i = 0; i < ground->options.brokers; i++)
		if (has_ended(ground, i))
			good = ground_broker_start(ground, i) && good;
	return good;
}

void ground_broker_kill(struct ground *ground, size_t broker)
{
	/* One that has ended by itself is no better for being killed now. */
	(void)has_ended(ground, broker);
	broker_kill9(&ground->brokers[broker]);
	set_root(ground, broker, "");
}

bool ground_broker_end(struct ground *ground, size_t broker)
{
	bool good = broker_stop(&ground->brokers[broker]);

	set_root(ground, broker, "");
	if (!good)
		history_note(ground->history, "unclean", "\"what\":\"broker %zu\"", broker);
	return good;
}

bool ground_wait_ready(struct ground *ground)
{
	for (size_t i = 0; i < ground->options.brokers; i++)
		if (!broker_wait_ready(&ground->brokers[i], PATIENCE_MS))
			return false;
	return true;
}

void ground_call(struct ground *ground, size_t broker, const struct http_request *request,
		 struct http_response *response)
{
	struct http_request whole = *request;
	char root[128], url[1024];

	pthread_mutex_lock(&ground->lock);
	snprintf(root, sizeof(root), "%s", ground->roots[broker]);
	pthread_mutex_unlock(&ground->lock);
	/* Port 9 refuses: as one who has died does. */
	snprintf(url, sizeof(url), "%s%s", root[0] != '\0' ? root : "http://127.0.0.1:9", request->url);
	whole.url = url;
	http_call(&whole, response);
}

/* -- ending ----------------------------------------------------------------------------------------------------- */

void ground_stop(struct ground *ground)
{
	for (size_t i = 0; i < ground->options.brokers; i++)
		if (ground->brokers[i].proc.pid != 0)
			(void)ground_broker_end(ground, i);
	for (size_t i = 0; i < ground->options.apps; i++) {
		if (ground->apps[i].sandbox.proc.pid == 0 || sandbox_stop(&ground->apps[i].sandbox))
			continue;
		history_note(ground->history, "unclean", "\"what\":\"application %zu\"", i);
	}
	for (size_t i = 0; i < ground->options.brokers; i++)
		redis_gate_stop(&ground->gates[i]);
	redis_server_kill9(&ground->redis);
	for (size_t i = 0; i < ground->cluster.count; i++)
		redis_server_kill9(&ground->cluster.nodes[i]);
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *where)
{
	(void)st;
	(void)kind;
	(void)where;
	return remove(path);
}

/* The store's own words, which go with its disk otherwise. */
static void keep_log(const struct ground *ground, const struct redis_server *server, size_t number)
{
	char from_path[sizeof(server->dir) + 16], to_path[sizeof(ground->dir) + 48], bytes[4096];
	FILE *from, *to;
	size_t len;

	snprintf(from_path, sizeof(from_path), "%s/redis.log", server->dir);
	snprintf(to_path, sizeof(to_path), "%s/redis-%zu.log", ground->dir, number);
	from = fopen(from_path, "rbe");
	to = fopen(to_path, "wbe");
	while (from != NULL && to != NULL && (len = fread(bytes, 1, sizeof(bytes), from)) > 0)
		(void)fwrite(bytes, 1, len, to);
	if (from != NULL)
		(void)fclose(from);
	if (to != NULL)
		(void)fclose(to);
}

void ground_remove(struct ground *ground, bool keep)
{
	if (!ground->options.cluster)
		keep_log(ground, &ground->redis, 0);
	for (size_t i = 0; i < ground->cluster.count; i++)
		keep_log(ground, &ground->cluster.nodes[i], i);
	redis_server_stop(&ground->redis);
	redis_cluster_stop(&ground->cluster);
	if (keep)
		fprintf(stderr, "kept: %s\n", ground->dir);
	else
		nftw(ground->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}
