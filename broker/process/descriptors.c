#include "process/descriptors.h"

#include <sys/resource.h>

#include "base/log.h"

/* For pushes to thousands of applications, the nodes of a cluster, receivers of notices, and files. */
#define OWN_MAX 2048

size_t descriptors_raise(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return 0;
	if (limit.rlim_cur < limit.rlim_max) {
		struct rlimit raised = {limit.rlim_max, limit.rlim_max};

		if (setrlimit(RLIMIT_NOFILE, &raised) == 0)
			limit = raised;
		else
			log_warn("descriptors", "limit=%llu result=%s", (unsigned long long)limit.rlim_cur,
				 "could not be raised");
	}
	return limit.rlim_cur;
}

size_t descriptors_for_callers(size_t limit, size_t wanted)
{
	size_t own = limit / 2 < OWN_MAX ? limit / 2 : OWN_MAX;

	return limit - own < wanted ? limit - own : wanted;
}
