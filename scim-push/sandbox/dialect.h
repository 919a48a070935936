/*
 * What AWS IAM Identity Center does not document about its SCIM endpoint, as switches. The defaults (dialect_aws)
 * are the documented choice, or else the stricter one; a client must work with every other choice, too.
 */
#ifndef SANDBOX_DIALECT_H
#define SANDBOX_DIALECT_H

#include <stdbool.h>
#include <stdint.h>

struct dialect {
	int unknown_member;     /* status when an unknown user is added to a group: 404 or 400 */
	int absent_member;      /* status when somebody is removed who is no member: 404, 400 or 204 */
	bool filter_remove;     /* accept remove with path members[value eq "…"] */
	bool exact_filters;     /* userName and displayName in filters match case-sensitively */
	bool exact_names;       /* names that differ only in case are different names */
	bool repeats_count;     /* a member named twice in one PATCH counts twice towards the limit */
	bool ignore_parameters; /* ignore startIndex, attributes, excludedAttributes instead of refusing them */
	bool show_members;      /* GET of one group lists its members; AWS never does */
	int page;               /* resources in one page, 100 (older: 50) */
	int64_t members_lag_ms; /* filters over members see a change only after so long */
};

static inline struct dialect dialect_aws(void)
{
	return (struct dialect){
		.unknown_member = 404,
		.absent_member = 404,
		.exact_filters = true,
		.exact_names = true,
		.repeats_count = true,
		.page = 100,
	};
}

#endif
