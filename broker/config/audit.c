/* Rules over those who only watch: machines with their roles, and the audit. See build.h. */
#include "config/build.h"

#include <string.h>

void config_finish_machine(struct builder *builder, size_t index, const struct element *element)
{
	static const char *const roles[] = {"auditor", "timer"}; /* in the order of enum config_role */
	struct config_machine *machine = &builder->config->machines[index];
	for (size_t i = 0; i < machine->roles.count; i++) {
		size_t role = 0;
		while (role < 2 && strcmp(machine->roles.list[i], roles[role]) != 0)
			role++;
		if (role == 2)
			report_error(builder->reading.report, element_place(element, SET_MACHINE_ROLES),
				     "machines[].roles may hold timer and auditor only");
		else
			machine->role_bits |= 1U << role;
	}
	builder->machines[index] = (struct marks){
		.id = element_place(element, SET_MACHINE_NAME),
		.secret = element_place(element, SET_MACHINE_TOKEN),
	};
}

void builder_check_audit(struct builder *builder)
{
	static const enum setting_id keys[] = {SET_AUDIT_KEY, SET_AUDIT_FORMER_KEY};
	const struct config *config = builder->config;
	struct report *report = builder->reading.report;
	for (size_t i = 0; i < 2; i++) {
		const char *key = i == 0 ? config->audit_key : config->audit_former_key;
		if (key[0] && strlen(key) < AUDIT_KEY_MIN)
			report_error(report, element_place(&builder->root, keys[i]),
				     "%s is too short: at least %d characters", settings[keys[i]].path,
				     AUDIT_KEY_MIN);
	}
	if (config->environment == ENV_PRODUCTION && !builder->root.given[SET_AUDIT_KEY] && !report->errors)
		report_warning(
			report, element_place(&builder->root, SET_AUDIT),
			"audit.key is missing: in production, who can write to Redis could rewrite the "
			"audit unseen");
}
