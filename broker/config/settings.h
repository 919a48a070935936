/*
 * The table of all settings: what each is called, what it takes, and where its value goes. Reading, checking and
 * the commented example are all made from it.
 */
#ifndef BROKER_CONFIG_SETTINGS_H
#define BROKER_CONFIG_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum setting_type {
	TYPE_SECTION, /* a mapping whose members are "path.x" */
	TYPE_LIST,    /* a sequence of mappings whose members are "path[].x"; min and max bound its length */
	TYPE_BOOL,
	TYPE_COUNT,
	TYPE_DURATION,
	TYPE_CHOICE, /* one of `choices`; stored as its position in an enum or a bool */
	TYPE_TEXT,
	TYPE_UUID,
	TYPE_APP_ID,
	TYPE_SHA256,
	TYPE_LAYER,      /* a mapping with the rules of groups[], which groups inherit */
	TYPE_ITEMS,      /* one mapping or a sequence of them, whose members are "path.x"; or "none" */
	TYPE_APPROVAL,   /* as TYPE_ITEMS: one stage, or what is common to its `stages` */
	TYPE_STAGES,     /* a sequence of mappings with the members of the approval, or how many equal ones */
	TYPE_USER_NAMES, /* a sequence of texts, compared without regard to case */
	TYPE_WORDS,      /* a sequence of texts, compared as they are */
	TYPE_GROUP_IDS,  /* a sequence of UUIDs */
	TYPE_DAYS,       /* a sequence of mon to sun; stored as bits */
	TYPE_ALIASES,    /* a mapping from texts to user names */
	TYPE_CLAIMS,     /* a mapping from the names of claims to sequences of texts */
	TYPE_MAPPING,    /* a mapping from attributes of SCIM users to expressions (scim-push/mapping.h) */
	TYPE_ATTRIBUTE,  /* the path of one such attribute */
	TYPE_TIME,       /* ISO 8601 with an offset; stored in Unix ms */
	TYPE_DAY_TIME,   /* hh:mm; stored in minutes */
	TYPE_ZONE,       /* a time zone of the system's database */
	TYPE_PATTERN,    /* POSIX extended regular expression */
	TYPE_REFERENCE,  /* the id of an application */
	TYPE_FILE,
	TYPE_PATH,           /* of a file that the broker writes */
	TYPE_SECRET,         /* file:PATH */
	TYPE_WEBHOOK_SECRET, /* the same, for the secret of an approval source */
	TYPE_LISTEN,
	TYPE_REDIS_URL,
	TYPE_ISSUER_URL,
	TYPE_HOOK_URL,
	TYPE_MAIL_URL,
	TYPE_MAIL_ADDRESS,
	TYPE_SCIM_URL
};

/* In the order of the example. */
enum setting_id {
	SET_ENVIRONMENT,
	SET_LISTEN,
	SET_TLS,
	SET_TLS_CERTIFICATE,
	SET_TLS_KEY,
	SET_REDIS,
	SET_REDIS_URL,
	SET_REDIS_CLUSTER,
	SET_REDIS_SENTINEL,
	SET_REDIS_MASTER,
	SET_REDIS_SENTINELS,
	SET_REDIS_SENTINEL_USER,
	SET_REDIS_SENTINEL_PASSWORD,
	SET_REDIS_USER,
	SET_REDIS_PASSWORD,
	SET_REDIS_TLS,
	SET_REDIS_CA,
	SET_REDIS_CERTIFICATE,
	SET_REDIS_KEY,
	SET_REDIS_REPLICAS,
	SET_REDIS_REPLICAS_TIMEOUT,
	SET_REDIS_ALLOW_VOLATILE,
	SET_REDIS_TIMEOUT,
	SET_REDIS_LANES,
	SET_POLL,
	SET_HISTORY,
	SET_LOG_KEEP,
	SET_LOG_ENTRIES,
	SET_STOP_TIMEOUT,
	SET_USER,
	SET_SYSTEM_CALLS,
	SET_CONNECTIONS,
	SET_CONNECTIONS_PER_ADDRESS,
	SET_REQUESTS_PER_CALLER,
	SET_PROXIES,
	SET_SIGN_IN,
	SET_ISSUER,
	SET_ISSUER_AUDIENCE,
	SET_ISSUER_CA,
	SET_ISSUER_USER_NAMES,
	SET_ISSUER_CLAIM_PREFIX,
	SET_ISSUER_ALGORITHMS,
	SET_ISSUER_CLIENT,
	SET_ISSUER_SCOPES,
	SET_ISSUER_STEP_UP,
	SET_ISSUER_CLAIMS,
	SET_ISSUER_ID,
	SET_ISSUER_USER_NAME,
	SET_ISSUER_GROUPS,
	SET_ISSUER_AUTHENTICATION,
	SET_OPERATORS,
	SET_OPERATORS_PRINCIPALS,
	SET_OPERATORS_CLAIMS,
	SET_AUDITORS,
	SET_AUDITORS_PRINCIPALS,
	SET_AUDITORS_CLAIMS,
	SET_TIMERS,
	SET_TIMERS_PRINCIPALS,
	SET_TIMERS_CLAIMS,
	SET_MACHINES,
	SET_MACHINE_NAME,
	SET_MACHINE_TOKEN,
	SET_MACHINE_ROLES,
	SET_AUDIT,
	SET_AUDIT_KEY,
	SET_AUDIT_FORMER_KEY,
	SET_AUDIT_SEAL,
	SET_AUDIT_KEEP,
	SET_AUDIT_FILE,
	SET_ESCROW,
	SET_ESCROW_PATH,
	SET_ESCROW_SECOND_PATH,
	SET_ESCROW_KEY,
	SET_ESCROW_FORMER_KEY,
	SET_ESCROW_REQUIRED,
	SET_SOURCES,
	SET_SOURCE_NAME,
	SET_SOURCE_KIND,
	SET_SOURCE_SECRET,
	SET_SOURCE_NEXT_SECRET,
	SET_SOURCE_WORKSPACE,
	SET_SOURCE_APPROVERS,
	SET_SOURCE_GROUPS,
	SET_NOTICES,
	SET_NOTICES_PUBLIC_URL,
	SET_NOTICES_ENDING_BEFORE,
	SET_NOTICES_OVERDUE_AFTER,
	SET_WEBHOOKS,
	SET_WEBHOOK_NAME,
	SET_WEBHOOK_URL,
	SET_WEBHOOK_SECRET,
	SET_WEBHOOK_NEXT_SECRET,
	SET_WEBHOOK_CA,
	SET_WEBHOOK_EVENTS,
	SET_WEBHOOK_GROUPS,
	SET_WEBHOOK_ALLOW_PRIVATE,
	SET_WEBHOOK_JUSTIFICATION,
	SET_MAIL,
	SET_MAIL_SERVER,
	SET_MAIL_USER,
	SET_MAIL_PASSWORD,
	SET_MAIL_FROM,
	SET_MAIL_CA,
	SET_MAIL_EVENTS,
	SET_MAIL_MOST,
	SET_MAIL_MOST_FOR_ONE,
	SET_MAIL_MOST_BREAK_GLASS,
	SET_MAIL_PER,
	SET_MAIL_ZONE,
	SET_MAIL_ZONES,
	SET_MAIL_JUSTIFICATION,
	SET_POLICY,
	SET_POLICY_GRACE,
	SET_POLICY_DEFAULTS,
	SET_PEOPLE,
	SET_PERSON_ID,
	SET_PERSON_USER_NAME,
	SET_PERSON_DISPLAY_NAME,
	SET_PERSON_GIVEN_NAME,
	SET_PERSON_FAMILY_NAME,
	SET_PERSON_EMAIL,
	SET_PERSON_ZONE,
	SET_PERSON_TOKEN,
	SET_PERSON_OPERATOR,
	SET_ACCOUNTS,
	SET_APPLICATIONS,
	SET_APP_ID,
	SET_APP_SCIM,
	SET_APP_URL,
	SET_APP_TOKEN,
	SET_APP_NEXT_TOKEN,
	SET_APP_TOKEN_EXPIRES,
	SET_APP_CA,
	SET_APP_REQUEST_TIMEOUT,
	SET_APP_DIALECT,
	SET_APP_REMOVAL,
	SET_APP_VERIFY,
	SET_APP_LIST,
	SET_APP_ADDITION,
	SET_APP_OP_CASE,
	SET_APP_OPERATIONS_KEY,
	SET_APP_MEMBER_VALUE,
	SET_APP_MEMBERS_MAX,
	SET_APP_OPERATIONS_MAX,
	SET_APP_BODY_MAX,
	SET_APP_SETTLE,
	SET_APP_HIDE_MEMBERS,
	SET_APP_SHOW_NAMES,
	SET_APP_THROTTLE,
	SET_APP_PUSHES,
	SET_APP_PER,
	SET_APP_CYCLE_RESERVE,
	SET_APP_OVERFLOW,
	SET_APP_OVERFLOW_WAIT,
	SET_APP_CYCLE,
	SET_APP_CHECK_DRIFT,
	SET_APP_PUSH_TIMEOUT,
	SET_APP_QUARANTINE,
	SET_APP_QUARANTINE_FAILURES,
	SET_APP_QUARANTINE_SHARE,
	SET_APP_QUARANTINE_SLOWEST,
	SET_APP_GUARD,
	SET_APP_GUARD_MEMBERS,
	SET_APP_GUARD_SHARE,
	SET_APP_USERS,
	SET_APP_USERS_CREATE,
	SET_APP_USERS_UPDATE,
	SET_APP_USERS_LAST,
	SET_APP_USERS_MATCH,
	SET_APP_USERS_ATTRIBUTES,
	SET_APP_USERS_REQUIRED,
	SET_APP_USERS_SINGLE,
	SET_APP_USERS_UNSPACED,
	SET_APP_USERS_REFUSED,
	SET_APP_LONGEST,
	SET_APP_LONGEST_USER_NAME,
	SET_APP_LONGEST_DISPLAY_NAME,
	SET_APP_LONGEST_EXTERNAL_ID,
	SET_APP_LONGEST_OTHER,
	SET_APP_GROUPS,
	SET_APP_GROUPS_MATCH,
	SET_APP_GROUPS_CREATE,
	SET_APP_GROUPS_RENAME,
	SET_APP_GROUPS_STANDING,
	SET_APP_TEST,
	SET_APP_TEST_GROUP,
	SET_APP_TEST_USERS,
	SET_APP_TEST_REQUIRED,
	SET_APP_POLICY,
	SET_GROUPS,
	SET_GROUP_ID,
	SET_GROUP_APPLICATION,
	SET_GROUP_NAME,
	SET_GROUP_EXTERNAL_ID,
	SET_GROUP_ONLY,
	SET_GROUP_ELIGIBLE,
	SET_GROUP_PRINCIPALS,
	SET_GROUP_CLAIMS,
	SET_GROUP_START,
	SET_GROUP_END,
	SET_GROUP_ACTIVATION,
	SET_GROUP_MAX,
	SET_GROUP_MIN,
	SET_GROUP_DEFAULT,
	SET_GROUP_JUSTIFICATION,
	SET_GROUP_JUSTIFICATION_MIN,
	SET_GROUP_TICKET,
	SET_GROUP_TICKET_REQUIRED,
	SET_GROUP_TICKET_PATTERN,
	SET_GROUP_AUTHENTICATION,
	SET_GROUP_APPROVAL,
	SET_STAGE_APPROVERS,
	SET_STAGE_APPROVER_CLAIMS,
	SET_STAGE_NEEDED,
	SET_STAGE_TIMEOUT,
	SET_STAGE_ESCALATION,
	SET_STAGE_AFTER,
	SET_STAGE_OTHERS,
	SET_STAGE_OTHER_CLAIMS,
	SET_STAGE_NOTIFY,
	SET_APPROVAL_STAGES,
	SET_GROUP_HOURS,
	SET_HOURS_ZONE,
	SET_HOURS_DAYS,
	SET_HOURS_FROM,
	SET_HOURS_TO,
	SET_GROUP_MAX_ACTIVE,
	SET_GROUP_EXCLUSIVE,
	SET_GROUP_BREAK_GLASS,
	SET_GLASS_PRINCIPALS,
	SET_GLASS_CLAIMS,
	SET_GROUP_CLOCK,
	SET_GROUP_ON_LOST,
	SET_GROUP_NOTIFY,
	SETTING_COUNT
};

/* The struct that holds the value. */
enum setting_owner {
	OF_ROOT,
	OF_ISSUER,
	OF_MACHINE,
	OF_SOURCE,
	OF_WEBHOOK,
	OF_PERSON,
	OF_APPLICATION,
	OF_GROUP,
	OF_POLICY,      /* inherited, setting by setting */
	OF_ELIGIBILITY, /* struct policy_eligibility, and so on: one of a list of a policy */
	OF_STAGE,
	OF_WINDOW
};

struct setting {
	const char *path; /* "redis.url", "applications[].scim.url" */
	const char *help; /* one line */
	enum setting_type type;
	bool is_required;
	bool at_start;        /* a change is taken up by a restart only */
	bool off_in_example;  /* shown there, but commented out */
	const char *fallback; /* the default, as one would write it; NULL when there is none */
	const char
		*absent; /* in words, what is taken where the default depends on something else; else NULL */
	const char *example; /* shown in the example where it is not the default; else NULL */
	const char *unit;    /* of a count: what is counted */
	const char *choices; /* "a|b|c" */
	int64_t min, max;    /* milliseconds, a count, or bytes of text */
	enum setting_owner owner;
	size_t offset, size;      /* of the field in the owner */
	enum setting_owner items; /* of TYPE_ITEMS and TYPE_APPROVAL: what is listed */
};

/* What TYPE_ITEMS, TYPE_APPROVAL and the lists of texts are stored as, whatever is listed. */
struct setting_items {
	void *list;
	size_t count;
};

extern const struct setting settings[SETTING_COUNT];

/* The part of the path that is the key in the file. */
const char *setting_key(const struct setting *setting);

/*
 * Is this setting a direct member of the mapping "redis." or "people[]."? The file itself is "". The members of
 * the layers "policy.defaults." and "applications[].policy." are those of "groups[]." that groups inherit.
 */
bool setting_within(const struct setting *setting, const char *prefix);

#define PATH_SIZE 96 /* longer than any path */

/* The setting's path as it is called within that layer ("" = a group itself). Returns `out`. */
const char *setting_path_in(const struct setting *setting, const char *layer, char out[PATH_SIZE]);

/* The setting of that key in that mapping, or NULL. */
const struct setting *setting_find(const char *prefix, const char *key);

/* The known key of that mapping that was probably meant, or NULL when none is close. */
const char *setting_nearest(const char *prefix, const char *key);

#define CHOICES_TEXT_SIZE 160

/* "a|b|c" as "a, b or c". Returns `out`. */
const char *choices_print(const char *choices, char out[CHOICES_TEXT_SIZE]);

#define DURATION_TEXT_SIZE 32

/* "90s", "500ms", "30d": whole numbers with one unit. False when it is not that; too large is INT64_MAX. */
bool duration_parse(const char *text, int64_t *ms);
/* The largest unit that leaves a whole number. Returns `out`. */
const char *duration_print(int64_t ms, char out[DURATION_TEXT_SIZE]);

#endif
