/* Rules over the audit and the escrow. See build.h. */
#include "config/build.h"

#include <string.h>

/* A key is long enough to be none that can be guessed. */
static void check_key(const struct builder *builder, enum setting_id id, const char *key)
{
	if (key[0] && strlen(key) < AUDIT_KEY_MIN)
		report_error(builder->reading.report, element_place(&builder->root, id),
			     "%s is too short: at least %d characters", settings[id].path, AUDIT_KEY_MIN);
}

static void check_escrow(const struct builder *builder)
{
	const struct config *config = builder->config;
	struct report *report = builder->reading.report;
	const char *path = config->escrow_path, *second = config->escrow_second_path;
	check_key(builder, SET_ESCROW_KEY, config->escrow_key);
	check_key(builder, SET_ESCROW_FORMER_KEY, config->escrow_former_key);
	if (path[0] && !config->escrow_key[0] && !builder->reading.skip_files)
		report_error(report, element_place(&builder->root, SET_ESCROW_PATH),
			     "escrow.path needs escrow.key: without seals anybody who can write there could "
			     "have access removed, or kept");
	if (!path[0] && second[0])
		report_error(report, element_place(&builder->root, SET_ESCROW_SECOND_PATH),
			     "escrow.second_path needs escrow.path");
	if (path[0] && strcmp(path, second) == 0)
		report_error(report, element_place(&builder->root, SET_ESCROW_SECOND_PATH),
			     "escrow.second_path is escrow.path once more");
}

void builder_check_audit(struct builder *builder)
{
	const struct config *config = builder->config;
	check_key(builder, SET_AUDIT_KEY, config->audit_key);
	check_key(builder, SET_AUDIT_FORMER_KEY, config->audit_former_key);
	if (config->environment == ENV_PRODUCTION && !builder->root.given[SET_AUDIT_KEY] &&
	    !builder->reading.report->errors)
		report_warning(
			builder->reading.report, element_place(&builder->root, SET_AUDIT),
			"audit.key is missing: in production, who can write to Redis could rewrite the "
			"audit unseen");
	check_escrow(builder);
}
