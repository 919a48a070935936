/*
 * How a SCIM server behaves, as named behaviours: one row each, a choice of words or a number. A dialect is a set of
 * them with rates. The first choice, or the number given, is what a plain server after RFC 7644 does; what AWS does
 * not document has its stricter, or else its documented, choice in the dialect "aws". Pure.
 */
#ifndef SANDBOX_DIALECT_H
#define SANDBOX_DIALECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

/* What is done with an operation of a certain form. */
#define DOES "apply|refuse|ignore|error"

/* X(constant, name, choices, first number, explanation); without choices it is a number, 0 = no limit, no lag. */
#define BEHAVIOURS(X)                                                                                        \
	/* forms of PATCH /Groups */                                                                         \
	X(B_REMOVE_VALUE, "remove-value", DOES "|wipe", 4,                                                   \
	  "remove, path members, value [{value}]; wipe: the value is ignored, all members go")               \
	X(B_REMOVE_FILTER, "remove-filter", DOES, 0, "remove, path members[value eq \"ID\"]")                \
	X(B_REMOVE_ALL, "remove-all", DOES, 0, "remove, path members, no value")                             \
	X(B_REPLACE_MEMBERS, "replace-members", DOES "|add", 0, "replace, path members; add: as if added")   \
	X(B_PATHLESS_MEMBERS, "pathless-members", DOES, 0, "members in the value, without a path")           \
	X(B_PATHLESS_MANY, "pathless-many", DOES, 0, "several attributes in the value, without a path")      \
	X(B_URN_PATH, "urn-path", DOES, 0, "path urn:…:Group:members")                                       \
	X(B_UPPER_OP, "upper-op", DOES, 0, "\"Add\" and \"Remove\"")                                         \
	X(B_UPPER_EQ, "upper-eq", DOES, 0, "EQ instead of eq, in paths and filters")                         \
	X(B_CAPITAL_OPERATIONS, "capital-operations", DOES, 0, "the body's member Operations")               \
	X(B_LOWER_OPERATIONS, "lower-operations", DOES, 0, "the body's member operations")                   \
	X(B_BARE_VALUE, "bare-value", DOES, 1, "a single member as an object instead of an array")           \
	X(B_NESTED_VALUE, "nested-value", DOES, 1, "path members with value {members: [{value}]}")           \
	X(B_NONSENSE, "nonsense", DOES, 1, "unknown operations and paths; apply is as ignore")               \
	X(B_WRONG_SCHEMAS, "wrong-schemas", DOES, 1, "a PATCH without PatchOp's URN")                        \
	X(B_RENAME, "rename", DOES, 0, "another displayName for a group")                                    \
	X(B_ATTRIBUTE_CASE, "attribute-case", "any|exact", 0, "names of attributes in paths and filters")    \
	/* memberships */                                                                                    \
	X(B_RE_ADD, "re-add", "once|twice|conflict", 0, "somebody who is a member; twice: a second entry")   \
	X(B_REMOVE_ABSENT, "remove-absent", "204|404|400|empty-400", 0,                                      \
	  "somebody who is no member; empty-400: 400 when the group is empty and the form is value")         \
	X(B_UNKNOWN_MEMBER, "unknown-member", "400|404|500|stored|skipped", 0, "an unknown id is added")     \
	X(B_UNKNOWN_GROUP, "unknown-group", "404|500", 0, "PATCH of a group that is not there")              \
	X(B_DANGLING, "dangling", "cleaned|kept", 0, "memberships of a deleted user")                        \
	X(B_MEMBER_VALUE, "member-value", "id|name", 0, "what names a member: its id, or its user name")     \
	X(B_MAX_OPERATIONS, "max-operations", NULL, 0, "operations in one PATCH")                            \
	X(B_MAX_CHANGES, "max-changes", NULL, 0, "members named in one PATCH or POST")                       \
	X(B_COUNT_REPEATS, "count-repeats", "no|yes", 0, "a member named twice counts twice towards that")   \
	X(B_MAX_MEMBERS, "max-members", NULL, 0, "members of one group; 413 beyond")                         \
	X(B_MAX_BODY, "max-body", NULL, 0, "bytes of a body; 413 beyond")                                    \
	/* what is read back */                                                                              \
	X(B_MEMBERS, "members", "shown|single|omitted|hidden", 0,                                            \
	  "single: in the GET of one group; omitted: [] in lists, absent else; hidden: never")               \
	X(B_EMPTY_MEMBERS, "empty-members", "array|absent", 0, "of a group without any")                     \
	X(B_USER_GROUPS, "user-groups", "shown|absent", 0, "a user's groups in the GET of one user")         \
	X(B_PATCH_ANSWER, "patch-answer", "200|204|204-unchanged|empty-200", 0,                              \
	  "204-unchanged: 204 when nothing changed, else 200; empty-200: 200 with {}")                       \
	X(B_MEMBERS_LAG, "members-lag", NULL, 0, "ms until reads and filters see a change of members")       \
	X(B_CREATED_LAG, "created-lag", NULL, 0, "ms until a created user or group is found")                \
	X(B_IDS, "id", "shown|hidden", 0, "of a resource that is read")                                      \
	X(B_USER_IDS, "user-ids", "uuid|prefixed|short|name", 0, "prefixed: AWS' older form")                \
	X(B_GROUP_IDS, "group-ids", "uuid|name", 0, "name: the displayName")                                 \
	X(B_LOCATION, "location", "absolute|relative|undefined|none", 0, "meta.location and Location")       \
	X(B_MEDIA_TYPE, "media-type", "scim|json", 0, "application/scim+json or application/json")           \
	X(B_ERRORS, "errors", "rfc|aws|number|html|empty", 0, "bodies of errors; number: status is one")     \
	X(B_SCIM_TYPE, "scim-type", "yes|no", 0, "scimType in errors")                                       \
	X(B_RETRY_AFTER, "retry-after", "seconds|date|absent", 0, "in a 429 because of a rate")              \
	X(B_PROVIDER_CONFIG, "provider-config", "shown|404", 0, "ServiceProviderConfig")                     \
	X(B_MAX_RESULTS, "max-results", NULL, 100, "filter.maxResults in it")                                \
	/* lists */                                                                                          \
	X(B_PAGE, "page", NULL, 100, "resources in one page")                                                \
	X(B_PAGING, "paging", "index|cursor|none", 0, "cursor: without one only the first page")             \
	X(B_TOTAL, "total", "all|page|absent", 0, "totalResults; page: as if the page were all")             \
	X(B_PARAMETERS, "parameters", "honoured|refused|ignored", 0,                                         \
	  "startIndex, attributes, excludedAttributes")                                                      \
	X(B_FILTERS, "filters", "rfc|aws", 0, "aws: only the combinations that AWS lists")                   \
	X(B_FILTER_VALUES, "filter-values", "any-case|exact", 0, "userName and displayName in filters")      \
	X(B_UNKNOWN_FILTER, "unknown-filter", "400|404|nothing|everything", 0, "over unknown attributes")    \
	X(B_ID_AND_MEMBERS, "id-and-members", "answered|400|nothing", 0, "id eq and members eq")             \
	X(B_MEMBERS_VALUE, "members-value", "answered|400|nothing", 0, "members.value eq")                   \
	X(B_GROUPS_VALUE, "groups-value", "answered|400|nothing", 0, "groups.value eq, of users")            \
	X(B_ESCAPED_QUOTES, "escaped-quotes", DOES, 0, "\\\" and \\\\ in a filter's value")                  \
	/* users and groups */                                                                               \
	X(B_USER_RULES, "user-rules", "rfc|aws", 0, "aws: required attributes, single values, no others")    \
	X(B_CHARACTERS, "characters", "any|aws", 0, "aws: none of <>;:% and its limits of lengths")          \
	X(B_NAMES, "names", "any-case|exact", 0, "exact: names that differ in case are different")           \
	X(B_DUPLICATE_GROUP, "duplicate-group", "409|allowed", 0, "a displayName that is there already")     \
	X(B_CREATE_GROUP, "create-group", "allowed|refused", 0, "POST /Groups")                              \
	X(B_PUT_GROUP, "put-group", "applied|400|501", 0, "PUT /Groups/ID; members left out are removed")    \
	X(B_DELETE_AGAIN, "delete-again", "404|500|204", 0, "DELETE of what is not there")                   \
	X(B_IF_MATCH, "if-match", "ignored|412", 0, "412: any version that a client names is old")           \
	X(B_MAX_USERS, "max-users", NULL, 100000, "users altogether; the sandbox keeps them in memory")      \
	X(B_MAX_GROUPS, "max-groups", NULL, 20000, "groups altogether")                                      \
	/* all answers */                                                                                    \
	X(B_QUIRKS, "quirks", NULL, 0, "seed of what no client may notice; 0 = none")

#define BEHAVIOUR_ENUM(constant, name, choices, first, about) constant,
enum behaviour { BEHAVIOURS(BEHAVIOUR_ENUM) BEHAVIOUR_COUNT };
#undef BEHAVIOUR_ENUM

/* The places of the choices above. */
enum does { DOES_APPLY, DOES_REFUSE, DOES_IGNORE, DOES_ERROR, DOES_WIPE, DOES_ADD = DOES_WIPE };
enum case_kind { CASE_ANY, CASE_EXACT };
enum re_add { RE_ADD_ONCE, RE_ADD_TWICE, RE_ADD_CONFLICT };
enum remove_absent { ABSENT_204, ABSENT_404, ABSENT_400, ABSENT_EMPTY_400 };
enum unknown_member { UNKNOWN_400, UNKNOWN_404, UNKNOWN_500, UNKNOWN_STORED, UNKNOWN_SKIPPED };
enum members { MEMBERS_SHOWN, MEMBERS_SINGLE, MEMBERS_OMITTED, MEMBERS_HIDDEN };
enum patch_answer { PATCH_200, PATCH_204, PATCH_204_UNCHANGED, PATCH_EMPTY_200 };
enum user_ids { USER_IDS_UUID, USER_IDS_PREFIXED, USER_IDS_SHORT, USER_IDS_NAME };
enum location { LOCATION_ABSOLUTE, LOCATION_RELATIVE, LOCATION_UNDEFINED, LOCATION_NONE };
enum errors { ERRORS_RFC, ERRORS_AWS, ERRORS_NUMBER, ERRORS_HTML, ERRORS_EMPTY };
enum retry_after { AFTER_SECONDS, AFTER_DATE, AFTER_ABSENT };
enum paging { PAGING_INDEX, PAGING_CURSOR, PAGING_NONE };
enum total { TOTAL_ALL, TOTAL_PAGE, TOTAL_ABSENT };
enum parameters { PARAMETERS_HONOURED, PARAMETERS_REFUSED, PARAMETERS_IGNORED };
enum unknown_filter { FILTER_400, FILTER_404, FILTER_NOTHING, FILTER_EVERYTHING };
enum answered { ANSWERED, ANSWERED_400, ANSWERED_NOTHING };
enum rules { RULES_RFC, RULES_AWS };
enum filters { FILTERS_RFC, FILTERS_AWS };
enum put_group { PUT_APPLIED, PUT_400, PUT_501 };

struct dialect {
	int64_t value[BEHAVIOUR_COUNT]; /* the place of the choice, or the number */
};

#define DIALECT_RATES 4

/* A row of the table of dialects. */
struct dialect_row {
	const char *name;
	const char *behaviours;           /* "NAME=VALUE …" upon the plain server's */
	const char *rates[DIALECT_RATES]; /* see rate.h; NULL behind the last */
	const char *about;
};

/* What a plain server after RFC 7644 does. */
struct dialect dialect_plain(void);

/* NULL when there is none. Static. */
const struct dialect_row *dialect_find(const char *name);
/* The rows in their order; NULL behind the last one. */
const struct dialect_row *dialect_row_at(size_t place);
/* The row's behaviours. */
struct dialect dialect_of(const struct dialect_row *row);

/* "NAME=VALUE"; ERR_BAD_REQUEST with the reason in `ec`, and the dialect as it was. */
enum err dialect_set(struct dialect *dialect, const char *text, struct errctx *ec) MUST_CHECK;

/* The status that stands in the chosen word ("404", "empty-400"), or 0 where none does. */
int dialect_status(const struct dialect *dialect, enum behaviour behaviour);
/* Does it go beyond the number of that behaviour, if there is one? */
bool dialect_exceeds(const struct dialect *dialect, enum behaviour behaviour, size_t count);

/* {"remove-value":"apply","page":100,…} */
void dialect_print(const struct dialect *dialect, struct buf *out);
/* For people: each behaviour with its choices, its first one in front of them. */
void dialect_explain(struct buf *out);

#endif
