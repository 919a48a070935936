#include "process/core_dump.h"

#include <sys/prctl.h>
#include <sys/resource.h>

#include "base/log.h"

void core_dump_forbid(void)
{
	struct rlimit none = {0, 0};

	if (setrlimit(RLIMIT_CORE, &none) != 0 || prctl(PR_SET_DUMPABLE, 0) != 0)
		log_warn("core_dumps", "result=%s", "could not be turned off");
}
