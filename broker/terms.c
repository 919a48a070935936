#include "broker/terms.h"

#include <stdio.h>

#include "scim-push/probe.h"

void terms_from(const struct config *config, const struct config_application *application, struct terms *out)
{
	snprintf(out->app, sizeof(out->app), "%s", application->id);
	out->throttle = application->throttle;
	out->push_timeout_ms = application->push_timeout_ms;
	out->batch = (int64_t)dialect_batch(&application->scim.dialect);
	out->quarantine_failures = application->quarantine_failures;
	out->quarantine_share = application->quarantine_share;
	out->quarantine_slowest_ms = application->quarantine_slowest_ms;
	out->guard_members = application->guard_members;
	out->guard_share = application->guard_share;
	out->log_keep_ms = config->log_keep_ms;
	out->log_most = config->log_most;
	out->token_ends_ms = application->scim.token_expires_ms;
	out->proof[0] = '\0';
	if (application->test.group[0] != '\0' && application->test.required)
		probe_fingerprint(&application->scim, out->proof);
}

bool terms_find(const struct config *config, const char *app, struct terms *out)
{
	const struct config_application *application = config_application(config, app);

	if (application != NULL)
		terms_from(config, application, out);
	return application != NULL;
}
