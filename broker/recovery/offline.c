#include "broker/recovery/offline.h"

#include <stdio.h>

#include "broker/recovery/backup.h"
#include "broker/recovery/drain.h"

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
