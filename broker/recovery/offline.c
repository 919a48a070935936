#include "recovery/offline.h"

#include <stdio.h>

#include "activation/library.h"
#include "activation/states.h"
#include "recovery/backup.h"
#include "recovery/drain.h"

bool offline_run(struct config *config, const struct arguments *arguments, int *status)
{
	if (arguments->check)
		printf("%s: no mistakes\n", arguments->config);
	else if (arguments->escrow != NULL)
		*status = drain_main(config, arguments);
	else if (arguments->backup != NULL)
		*status = backup_verify(config, arguments->backup);
	else
		return false;
	return true;
}

struct store_options offline_store(const struct config *config)
{
	struct store_options options = {
		.library = jit_library,
		.library_len = jit_library_len,
		.library_version = jit_library_version,
		.schema = SCHEMA_VERSION,
		.lanes = (unsigned)config->redis_lanes,
		.call_timeout_ms = config->redis_timeout_ms,
		.allow_volatile = config->redis_allow_volatile,
	};

	config_redis_place(config, &options.place);
	return options;
}
