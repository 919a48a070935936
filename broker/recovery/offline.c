#include "recovery/offline.h"

#include <stdio.h>

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
