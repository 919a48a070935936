/*
 * The configuration: one YAML file, read once into an immutable, reference-counted value. Every setting stands
 * in one table (settings.c) with its type, unit, default, minimum and maximum. Secrets are named by reference
 * (file:…) and read when the file is. All mistakes are found in one pass, each with file, line and column.
 */
#ifndef BROKER_CONFIG_H
#define BROKER_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "activation/drift.h"
#include "activation/policy.h"
#include "base/err.h"
#include "base/id.h"
#include "config/memory.h"
#include "scim-push/push.h"
#include "throttle/throttle.h"

/* Who may sign in with a static token; accepted where environment is demo or test, on loopback only. */
struct config_person {
	char id[ID_SIZE]; /* principalId, a UUID, lower case */
	struct scim_person names;
	char token_sha256[65];          /* hex of the token's SHA-256; the token itself is never stored */
	const struct policy_zone *zone; /* whose clocks mails to them go by; NULL = the usual one */
	bool is_operator;               /* may see every request and the applications */
};

/* Test Connection: a group and two users of the application that nothing depends on. */
struct config_test {
	char group[NAME_SIZE]; /* "" = none */
	struct policy_names users;
	bool required; /* nothing is pushed before a test has passed */
};

/* What becomes of a user whom the broker created, when the last membership is gone. */
enum config_last_removal { LAST_KEEP, LAST_DEACTIVATE, LAST_DELETE };

struct config_application {
	char id[APP_ID_SIZE];
	struct scim_target scim;
	struct config_test test;
	bool users_update; /* their attributes are kept in line by the cycle */
	enum config_last_removal users_last_removal;
	struct throttle throttle;
	bool check_drift;                              /* each cycle compares what its groups hold */
	int64_t push_timeout_ms;                       /* a push is aborted after that; 30 s */
	int64_t quarantine_failures, quarantine_share; /* when it is quarantined: pushes, and in a hundred */
	int64_t quarantine_slowest_ms;                 /* its trials become rarer down to one in that time */
	int64_t guard_members,
		guard_share; /* memberships, and in a hundred: the configuration removes more only when
					     * an operator agrees */
};

struct config_group {
	char id[ID_SIZE];            /* groupId, a UUID, lower case */
	char name[NAME_SIZE];        /* displayName in the application */
	char external_id[NAME_SIZE]; /* externalId there; "" = none */
	const struct config_application *application;
	enum drift_exclusive exclusive; /* what becomes of members whom nobody has granted it */
	struct policy policy;           /* with all that it inherits */
};

/* A provider whose bearer tokens are accepted. "" in a claim's name = OpenID Connect's usual one. */
/* How a provider is asked for a stronger sign-in: OpenID Connect's acr_values, or `claims` with Entra ID's acrs. */
enum config_step_up { STEP_UP_ACR_VALUES, STEP_UP_CLAIMS };

struct config_issuer {
	char issuer[512];   /* as in `iss`: https, or http on loopback */
	char audience[256]; /* as in `aud` */
	char ca_file[256];  /* "" = the system's certificate authorities */
	char client_id[256],
		scopes[256]; /* for people who sign in by the command or the page; client_id "" = none */
	enum config_step_up step_up;
	struct policy_names
		user_names; /* whom its tokens may name, as texts or "*@DOMAIN"; none = everybody */
	struct policy_names algorithms; /* of signatures, "RS256"; none = all that are supported */
	char claim_prefix[64];          /* before the names of its claims, in policies */
	char id_claim[64], user_name_claim[64], groups_claim[64], authentication_claim[64];
};

/* Roles besides those that a group's policy and `operators` give. */
enum config_role { ROLE_AUDITOR = 1 << 0, ROLE_TIMER = 1 << 1 };

/* A program with a static token, accepted everywhere. */
struct config_machine {
	char name[64];
	char token_sha256[65];
	struct policy_names roles; /* as written; `role_bits` is what they are */
	unsigned role_bits;        /* of enum config_role */
};

/* What somebody else calls a person, and the user name here. */
struct config_alias {
	char *name, *user_name;
};

/* Sorted by alias_compare() of build.h. */
struct config_aliases {
	struct config_alias *list;
	size_t count;
};

enum config_source_kind { SOURCE_STANDARD, SOURCE_SLACK };

/* An approval system that decides by signed webhook: POST /hooks/approvals/NAME, or /hooks/slack/NAME. */
struct config_approval_source {
	char name[64];
	enum config_source_kind kind;
	/* Standard Webhooks: "whsec_…"; Slack: the app's signing secret. next_secret "" = none. */
	char secret[256], next_secret[256];
	char workspace[33]; /* Slack's id of the only workspace that counts; "" = any that signs */
	struct config_aliases approvers; /* Slack: whose click counts as whose word */
	struct policy_names groups;      /* ids of the groups that it may decide for; none = all */
};

#define AUDIT_KEY_MIN 32 /* characters: 128 bits where they are hexadecimal digits */

/* Who is told of events by signed webhook. */
struct config_webhook {
	char name[64];
	char url[512];
	char secret[256], next_secret[256]; /* Standard Webhooks: "whsec_…"; next_secret "" = none */
	char ca_file[256];                  /* "" = the system's certificate authorities */
	struct policy_names events, groups; /* types of events, ids of groups; none = all */
	bool allow_private;                 /* addresses outside of the public network are taken */
	bool justification;                 /* the reasons that people give are told too */
};

/* The server that takes the broker's mail. */
struct config_mail {
	char server[300]; /* smtp://… or smtps://…; "" = no mail */
	char user[256], password[256];
	char from[256];
	char ca_file[256];
	struct policy_names events; /* types of events; none = all */
	int64_t most, most_for_one; /* mails to one mailbox, and of those on account of one person … */
	int64_t most_break_glass;   /* … instead of both for mails about one person's broken glasses … */
	int64_t window_ms;          /* … inside any such time */
	const struct policy_zone *zone; /* of those who have none of their own */
	struct policy_names
		zones; /* that people's tokens may name, besides all others of the configuration */
	bool justification;
};

#define CONFIG_POLICIES_SIZE 17 /* hexadecimal digits, and the NUL */

enum config_environment { ENV_PRODUCTION, ENV_DEMO, ENV_TEST };

struct config {
	int references;
	char sha256[65]; /* of the file, for the audit */
	/* A digest of who is eligible for what and loses it with that: the same in equal configurations. */
	char policies[CONFIG_POLICIES_SIZE];
	enum config_environment environment;
	char listen_host[256]; /* numeric address, or "unix" with listen_path */
	uint16_t listen_port;  /* 0 = any free one, told in the log */
	char listen_path[108];
	char tls_certificate[256], tls_key[256]; /* files; "" = no TLS (loopback and sockets only) */
	/* The store: one server, the nodes of a cluster, or the sentinels that know the master. "" and empty = not given. */
	char redis_url[512];
	struct policy_names redis_cluster, redis_sentinels;
	char redis_master[128];
	char redis_user[128], redis_password[256];
	char redis_sentinel_user[128], redis_sentinel_password[256];
	char redis_ca[256], redis_certificate[256], redis_key[256]; /* files */
	int64_t redis_replicas, redis_replicas_timeout_ms;
	bool redis_allow_volatile;
	int64_t redis_timeout_ms; /* deadline of one store call */
	int64_t redis_lanes;      /* lanes of a store that is used for the first time */
	int64_t poll_ms;          /* longest sleep of the timetable */
	int64_t history_ms;       /* ended requests are kept so long */
	int64_t log_keep_ms;      /* entries of the provisioning log are kept so long … */
	int64_t log_most;         /* … and about so many of an application */
	int64_t policy_grace_ms; /* all brokers must have had the same policies for so long before one takes away */
	int64_t stop_ms;         /* on SIGTERM, what is under way may take so long */
	char user[64];           /* whom it becomes when root starts it; "" = stays who it is */
	int all_calls;           /* 1: no filter of system calls */
	int64_t connections; /* open connections, in all */
	int64_t connections_per_address;
	int64_t requests_per_caller;
	struct policy_names proxies;   /* addresses, networks and "unix" */
	struct config_issuer *issuers; /* in the order of the file */
	size_t issuer_count;
	struct policy_people operators; /* who may see everything, assign and remove, by name or claim */
	struct policy_people auditors;  /* who may read everything and change nothing */
	struct policy_people timers;    /* who may call what timer jobs call, and nothing else */
	struct config_machine *machines;
	size_t machine_count;
	char audit_key[256], audit_former_key[256]; /* "" = none */
	char audit_file[256];                       /* "" = none */
	int64_t audit_seal_ms, audit_keep_ms;
	char escrow_path[256], escrow_second_path[256]; /* folders; "" = none */
	char escrow_key[256], escrow_former_key[256];   /* "" = none */
	bool escrow_required;                           /* nothing is added while it cannot be written */
	struct config_approval_source *sources;         /* in the order of the file */
	size_t source_count;
	char public_url[512];            /* where people reach the broker; "" = not told */
	int64_t ending_before_ms;        /* "ends soon" is told so long before */
	int64_t overdue_after_ms;        /* an unconfirmed removal is overdue after that */
	struct config_webhook *webhooks; /* in the order of the file */
	size_t webhook_count;
	struct config_mail mail;
	struct config_aliases
		accounts,             /* second accounts, whose names are the same in upper and lower case */
		owners;               /* those behind them */
	struct config_person *people; /* all three sorted by id */
	size_t people_count;
	struct config_application *applications;
	size_t application_count;
	struct config_group *groups;
	size_t group_count;
	/* Which claims with which values policies and roles look at, and (value "") those that mappings are made from: by name
	 * and value, each once. */
	struct policy_attribute *claims;
	size_t claim_count;
	struct policy_names strengths;        /* all that policies want of a sign-in, sorted, each once */
	const struct config_person **by_name; /* all people, sorted by user name */
	const struct policy_zone *zones;      /* all that it names, each once */
	struct memory memory;                 /* what the policies point to */
};

/* Room for 10,000 applications and as many groups and people. */
#define CONFIG_FILE_MAX (16 * 1024 * 1024)

/*
 * Reads and checks the file. Every mistake is written to `report`, one line each:
 * "FILE:LINE:COLUMN: message" (for an unknown key with the nearest known one). Warnings ("…: warning: message")
 * are written too, also on success. Paths in the file are relative to its folder. Blocks (files).
 * On success *out has one reference; otherwise ERR_CONFIG (or ERR_NOMEM) and *out is untouched.
 */
enum err config_load(const char *path, FILE *report, struct config **out) MUST_CHECK;

/* A configuration that is in memory already. All borrowed for the call. */
struct config_source {
	const char *name; /* of the file, for the report; its folder is where relative paths begin */
	const char *text;
	size_t len;
	bool skip_files; /* do not look at the files that it names: tokens stay empty */
};

/* As config_load(), without reading the configuration's own file. */
enum err config_parse(const struct config_source *source, FILE *report, struct config **out) MUST_CHECK;

/* One reference more, which is the caller's; returns its argument. */
struct config *config_ref(struct config *config);
void config_unref(struct config *config); /* NULL is legal; frees at the last one, wiping secrets */

/* Does b differ from a in a setting that is read once, when the broker starts? */
bool config_needs_restart(const struct config *a, const struct config *b);
/* Are the two the same texts? Both in order, as lists are kept. */
bool config_words_same(const struct policy_names *a, const struct policy_names *b);

/* Ids compare without regard to case; NULL when there is none. Borrowed from the configuration. */
const struct config_group *config_group(const struct config *config, const char *id);
const struct config_application *config_application(const struct config *config, const char *id);
/* issuers.c: by its exact name. */
const struct config_issuer *config_issuer(const struct config *config, const char *issuer);
/* May its tokens name that user, or is that another's person? */
bool config_issuer_may_name(const struct config_issuer *issuer, const char *user_name);

/* By its exact name. */
const struct config_approval_source *config_approval_source(const struct config *config, const char *name);
/* accounts.c: the user name behind what the source calls exactly so; NULL when it knows nobody of that name. */
const char *config_source_approver(const struct config_approval_source *source, const char *name);
const struct config_person *config_person_by_id(const struct config *config, const char *id);
/* The machine whose token this is; compared in constant time with each. */
const struct config_machine *config_machine_by_token(const struct config *config, const char *token);
/* By user name, in upper or lower case. */
const struct config_person *config_person_by_name(const struct config *config, const char *user_name);
/* The user name of the person behind an account, which may be the account's own. Borrowed. */
const char *config_person_behind(const struct config *config, const char *user_name);
/* The same where that person has several accounts; NULL where this is their only one. */
const char *config_person_of_several(const struct config *config, const char *user_name);
bool config_same_person(const struct config *config, const char *one, const char *other);
/* All user names of the person behind that one, as a JSON array; the person's own is the first. */
void config_print_accounts(const struct config *config, const char *user_name, struct buf *out);
/* The person whose token this is; compared in constant time with each. */
const struct config_person *config_person_by_token(const struct config *config, const char *token);

/* zone.c: the time zone of that name, where the configuration names it somewhere; NULL otherwise. */
const struct policy_zone *config_zone(const struct config *config, const char *name);

/* Does any policy or mapping look at that claim? A policy at that value of it (NULL = any)? */
bool config_names_claim(const struct config *config, const char *name, const char *value);

/* Does any policy's `authentication` want that? */
bool config_names_strength(const struct config *config, const char *text);

/* The name by which policies know the claim of an issuer with that prefix; NULL when none looks at it, or when the name
 * begins with another issuer's longer prefix. Borrowed. */
const char *config_claim_name(const struct config *config, const char *prefix, const char *claim);

/* The commented example of all settings with unit, default, minimum and maximum, made from the table. */
void config_print_example(FILE *out);

struct store_place;

/* redis.c: where the store is, borrowed from the configuration; and do both name the same store, to be used in
 * the same way? */
void config_redis_place(const struct config *config, struct store_place *place);
bool config_redis_same(const struct config *a, const struct config *b);

#endif
