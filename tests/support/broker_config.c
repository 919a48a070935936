/* Writes the configuration as YAML, with every text in JSON's quotes, which YAML reads alike. */
#include "tests/support/broker_config.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/json.h"

#define FILE_MAX (64 * 1024 * 1024)

static void add_text(struct buf *b, const char *key, const char *value)
{
	if (value == NULL)
		return;
	buf_addf(b, "%s: ", key);
	json_add_string(b, value);
	buf_adds(b, "\n");
}

static void add_ms(struct buf *b, const char *key, int64_t ms)
{
	if (ms != 0)
		buf_addf(b, "%s: %" PRId64 "ms\n", key, ms);
}

static void add_count(struct buf *b, const char *key, int64_t count)
{
	if (count != 0)
		buf_addf(b, "%s: %" PRId64 "\n", key, count);
}

static void add_top(struct buf *b, const struct broker_config *config)
{
	add_text(b, "environment", config->environment != NULL ? config->environment : "test");
	buf_adds(b, "listen: 127.0.0.1:0\n");
	if (config->tls_certificate != NULL) {
		buf_adds(b, "tls:\n");
		add_text(b, "  certificate", config->tls_certificate);
		add_text(b, "  key", config->tls_key);
	}
	add_ms(b, "poll", config->poll_ms);
	/* Tests look more often than people do. */
	buf_addf(b, "requests_per_caller: %" PRId64 "\n",
		 config->requests_per_caller > 0 ? config->requests_per_caller : 1000000);
	add_ms(b, "history", config->history_ms);
	add_ms(b, "stop_timeout", config->stop_timeout_ms);
	buf_adds(b, "redis:\n");
	add_text(b, "  url", config->redis_url);
	buf_adds(b, config->redis_more != NULL ? config->redis_more : "");
	buf_addf(b, "  allow_volatile: %s\n", config->redis_durable ? "false" : "true");
	add_ms(b, "  timeout", config->redis_timeout_ms);
	add_count(b, "  lanes", config->lanes);
}

static void add_person(struct buf *b, const struct broker_person *person)
{
	char hash[SHA256_HEX];

	add_text(b, "  - id", person->id);
	add_text(b, "    user_name", person->user_name);
	add_text(b, "    display_name", person->user_name);
	add_text(b, "    given_name", person->given_name != NULL ? person->given_name : "Given");
	buf_adds(b, "    family_name: Family\n");
	if (strchr(person->user_name, '@') != NULL)
		add_text(b, "    email", person->user_name);
	add_text(b, "    zone", person->zone);
	if (person->token != NULL) {
		digest_sha256_hex(person->token, strlen(person->token), hash);
		add_text(b, "    token_sha256", hash);
	}
	buf_addf(b, "    operator: %s\n", person->is_operator ? "true" : "false");
}

static void add_application(struct buf *b, const struct broker_application *app)
{
	add_text(b, "  - id", app->id);
	buf_adds(b, "    scim:\n");
	add_text(b, "      url", app->url);
	buf_addf(b, "      token: \"file:%s\"\n", app->token_file);
	add_ms(b, "      request_timeout", app->request_timeout_ms);
	buf_adds(b, app->scim != NULL ? app->scim : "");
	if (app->pushes != 0 || app->per_ms != 0 || app->cycle_reserve >= 0) {
		buf_adds(b, "    throttle:\n");
		add_count(b, "      pushes", app->pushes);
		add_ms(b, "      per", app->per_ms);
		if (app->cycle_reserve >= 0)
			buf_addf(b, "      cycle_reserve: %" PRId64 "\n", app->cycle_reserve);
	}
	if (app->overflow_wait_ms != 0)
		buf_addf(b, "    overflow: {wait: %" PRId64 "ms}\n", app->overflow_wait_ms);
	add_ms(b, "    cycle", app->cycle_ms);
	add_ms(b, "    push_timeout", app->push_timeout_ms);
	buf_addf(b, "    users: {create: %s%s%s}\n", app->keeps_missing_users ? "false" : "true",
		 app->users != NULL ? ", " : "", app->users != NULL ? app->users : "");
	buf_addf(b, "    check_drift: %s\n", app->checks_drift ? "true" : "false");
	buf_adds(b, app->more != NULL ? app->more : "");
}

/* In production each application says whether it has canaries; most tests are not about them. */
static void add_test(struct buf *b, const struct broker_config *config, const struct broker_application *app)
{
	if (config->environment != NULL && strcmp(config->environment, "production") == 0 &&
	    (app->more == NULL || strstr(app->more, "    test:") == NULL))
		buf_adds(b, "    test: {required: false}\n");
}

static void add_group(struct buf *b, const struct broker_group *group)
{
	add_text(b, "  - id", group->id);
	add_text(b, "    application", group->application);
	add_text(b, "    name", group->name);
	add_text(b, "    exclusive", group->exclusive);
	buf_adds(b, "    eligible:\n      principals: [");
	for (const char *const *name = group->eligible; name != NULL && *name != NULL; name++) {
		buf_adds(b, name == group->eligible ? "" : ", ");
		json_add_string(b, *name);
	}
	buf_adds(b, "]\n");
	if (group->eligible_claims != NULL)
		buf_addf(b, "      claims: %s\n", group->eligible_claims);
	if (group->eligible_end != NULL)
		buf_addf(b, "      end: %s\n", group->eligible_end);
	buf_adds(b, "    activation:\n");
	add_ms(b, "      max", group->max_ms);
	add_ms(b, "      min", group->min_ms);
	add_ms(b, "      default", group->default_ms);
	buf_addf(b, "      justification: %s\n", group->justification_optional ? "optional" : "required");
	buf_adds(b, group->more != NULL ? group->more : "");
}

bool broker_config_write(const struct broker_config *config, const char *path)
{
	struct buf b;
	FILE *file = fopen(path, "wb");
	bool ok = file != NULL;

	buf_init(&b, FILE_MAX);
	add_top(&b, config);
	buf_adds(&b, config->people_count > 0 ? "people:\n" : "");
	for (size_t i = 0; i < config->people_count; i++)
		add_person(&b, &config->people[i]);
	buf_adds(&b, config->application_count > 0 ? "applications:\n" : "");
	for (size_t i = 0; i < config->application_count; i++) {
		add_application(&b, &config->applications[i]);
		add_test(&b, config, &config->applications[i]);
	}
	buf_adds(&b, config->group_count > 0 ? "groups:\n" : "");
	for (size_t i = 0; i < config->group_count; i++)
		add_group(&b, &config->groups[i]);
	if (config->more != NULL)
		buf_adds(&b, config->more);
	ok = ok && !buf_failed(&b) && fwrite(b.data, 1, b.len, file) == b.len;
	if (file != NULL && fclose(file) != 0)
		ok = false;
	if (!ok)
		fprintf(stderr, "%s cannot be written\n", path);
	buf_release(&b);
	return ok;
}
