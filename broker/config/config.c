/* See config.h. Loads, counts references, and answers the look-ups; the rest is in the other files here. */
#include "config/config.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/digest.h"
#include "config/build.h"

struct config *config_ref(struct config *config)
{
	config->references++;
	return config;
}

static void wipe_tokens(struct scim_target *target)
{
	digest_wipe(target->token, sizeof(target->token));
	digest_wipe(target->next_token, sizeof(target->next_token));
}

void config_unref(struct config *config)
{
	if (!config || --config->references > 0)
		return;
	for (size_t i = 0; i < config->application_count; i++)
		wipe_tokens(&config->applications[i].scim);
	for (size_t i = 0; i < config->source_count; i++) {
		digest_wipe(config->sources[i].secret, sizeof(config->sources[i].secret));
		digest_wipe(config->sources[i].next_secret, sizeof(config->sources[i].next_secret));
	}
	for (size_t i = 0; i < config->machine_count; i++)
		digest_wipe(config->machines[i].token_sha256, sizeof(config->machines[i].token_sha256));
	digest_wipe(config->redis_password, sizeof(config->redis_password));
	digest_wipe(config->redis_sentinel_password, sizeof(config->redis_sentinel_password));
	digest_wipe(config->audit_key, sizeof(config->audit_key));
	digest_wipe(config->audit_former_key, sizeof(config->audit_former_key));
	digest_wipe(config->escrow_key, sizeof(config->escrow_key));
	digest_wipe(config->escrow_former_key, sizeof(config->escrow_former_key));
	for (size_t i = 0; i < config->webhook_count; i++) {
		digest_wipe(config->webhooks[i].secret, sizeof(config->webhooks[i].secret));
		digest_wipe(config->webhooks[i].next_secret, sizeof(config->webhooks[i].next_secret));
	}
	digest_wipe(config->mail.password, sizeof(config->mail.password));
	for (size_t i = 0; i < config->people_count; i++)
		digest_wipe(config->people[i].token_sha256, sizeof(config->people[i].token_sha256));
	free(config->groups);
	free(config->applications);
	free(config->people);
	free(config->machines);
	free(config->sources);
	free(config->issuers);
	free(config->by_name);
	free(config->webhooks);
	memory_release(&config->memory);
	free(config);
}

/* "etc/jit.yaml" -> "etc/"; "jit.yaml" -> "". NULL when memory is short. */
static char *folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	return strndup(path, slash ? (size_t)(slash - path) + 1 : 0);
}

/* Builds into a fresh value with one reference; NULL when anything was reported as an error. */
static struct config *build(const struct config_source *source, struct report *report)
{
	struct config *config = calloc(1, sizeof(*config));
	char *folder = folder_of(source->name);
	struct tree tree;
	if (config && folder && tree_parse(&tree, source->text, source->len, report) == ERR_OK) {
		struct builder builder = {.tree = &tree, .config = config, .layer = ""};
		builder.reading =
			(struct reading){report, folder, source->skip_files, &config->memory, &builder.zones};
		config_build(&builder);
		config->zones = builder.zones;
		builder_release(&builder);
		tree_release(&tree);
	}
	if (!config || !folder)
		report_no_memory(report);
	free(folder);
	if (!config)
		return NULL;
	config->references = 1;
	if (report->errors == 0 && !config_digest_policies(config))
		report_no_memory(report);
	if (report->errors == 0)
		return config;
	config_unref(config);
	return NULL;
}

enum err config_parse(const struct config_source *source, FILE *out_report, struct config **out)
{
	struct report report;
	report_init(&report, source->name);
	struct config *config = build(source, &report);
	report_print(&report, out_report);
	enum err err = ERR_OK;
	if (!config) {
		err = report.out_of_memory ? ERR_NOMEM : ERR_CONFIG;
	} else {
		digest_sha256_hex(source->text, source->len, config->sha256);
		*out = config;
	}
	report_release(&report);
	return err;
}

/* At most `size` bytes into `text`. False with errno when the file cannot be read. */
static bool read_file(const char *path, char *text, size_t size, size_t *len)
{
	FILE *file = fopen(path, "re");
	if (!file)
		return false;
	errno = 0;
	*len = fread(text, 1, size, file);
	int error = ferror(file) ? errno : 0;
	fclose(file);
	errno = error;
	return error == 0;
}

enum err config_load(const char *path, FILE *report, struct config **out)
{
	char *text = malloc(CONFIG_FILE_MAX + 1);
	if (!text) {
		fprintf(report, "%s:1:1: out of memory\n", path);
		return ERR_NOMEM;
	}
	struct config_source source = {.name = path, .text = text};
	enum err err = ERR_CONFIG;
	if (!read_file(path, text, CONFIG_FILE_MAX + 1, &source.len))
		fprintf(report, "%s:1:1: the configuration cannot be read: %s\n", path, strerror(errno));
	else if (source.len > CONFIG_FILE_MAX)
		fprintf(report, "%s:1:1: the configuration is larger than %d bytes\n", path, CONFIG_FILE_MAX);
	else
		err = config_parse(&source, report, out);
	free(text);
	/* The tree of a large file is larger than what is kept of it: the system gets that back. */
	malloc_trim(0);
	return err;
}

static int compare_group_id(const void *key, const void *element)
{
	return strcasecmp(key, ((const struct config_group *)element)->id);
}

static int compare_application_id(const void *key, const void *element)
{
	return strcasecmp(key, ((const struct config_application *)element)->id);
}

static int compare_person_id(const void *key, const void *element)
{
	return strcasecmp(key, ((const struct config_person *)element)->id);
}

const struct config_group *config_group(const struct config *config, const char *id)
{
	if (config->group_count == 0)
		return NULL;
	return bsearch(id, config->groups, config->group_count, sizeof(*config->groups), compare_group_id);
}

const struct config_application *config_application(const struct config *config, const char *id)
{
	if (config->application_count == 0)
		return NULL;
	return bsearch(id, config->applications, config->application_count, sizeof(*config->applications),
		       compare_application_id);
}

const struct config_approval_source *config_approval_source(const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->source_count; i++)
		if (strcmp(config->sources[i].name, name) == 0)
			return &config->sources[i];
	return NULL;
}

const struct config_machine *config_machine_by_token(const struct config *config, const char *token)
{
	const struct config_machine *found = NULL;
	char hash[SHA256_HEX];
	digest_sha256_hex(token, strlen(token), hash);
	for (size_t i = 0; i < config->machine_count; i++)
		if (digest_equal(config->machines[i].token_sha256, hash, SHA256_HEX))
			found = &config->machines[i];
	return found;
}

const struct config_person *config_person_by_id(const struct config *config, const char *id)
{
	if (config->people_count == 0)
		return NULL;
	return bsearch(id, config->people, config->people_count, sizeof(*config->people), compare_person_id);
}

static int compare_user_name(const void *key, const void *element)
{
	return strcasecmp(key, (*(const struct config_person *const *)element)->names.user_name);
}

const struct config_person *config_person_by_name(const struct config *config, const char *user_name)
{
	if (config->people_count == 0)
		return NULL;
	const struct config_person *const *found = bsearch(user_name, config->by_name, config->people_count,
							   sizeof(struct config_person *), compare_user_name);
	return found ? *found : NULL;
}

const struct config_person *config_person_by_token(const struct config *config, const char *token)
{
	const struct config_person *found = NULL;
	char hash[SHA256_HEX];
	digest_sha256_hex(token, strlen(token), hash);
	for (size_t i = 0; i < config->people_count; i++)
		if (digest_equal(config->people[i].token_sha256, hash, SHA256_HEX))
			found = &config->people[i];
	return found;
}
