/* The configuration of a broker under test, as plain values, and its file. */
#ifndef SUPPORT_BROKER_CONFIG_H
#define SUPPORT_BROKER_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All texts are borrowed. What is 0 or NULL is left out of the file, so that the broker's default holds. */

struct broker_person {
	const char *id;         /* UUID */
	const char *user_name;  /* display name, e-mail and so on are made from it */
	const char *given_name; /* NULL = "Given" */
	const char *token;      /* what the person signs in with */
	const char *zone;       /* NULL = none of their own */
	bool is_operator;
};

struct broker_application {
	const char *id;
	const char *url;        /* of a sandbox */
	const char *token_file; /* path */
	const char *scim;       /* further lines of YAML, indented by six, under `scim:` */
	const char *more;       /* further lines of YAML, indented by four, of the application */
	int64_t pushes, per_ms, overflow_wait_ms, cycle_ms, push_timeout_ms, request_timeout_ms;
	int64_t cycle_reserve;    /* -1 = leave out, because 0 means 0 */
	bool keeps_missing_users; /* users.create: false */
	const char *users;        /* further settings of users, "update: false" */
	bool checks_drift;        /* otherwise check_drift is off: cycles then do nothing but push */
};

struct broker_group {
	const char *id; /* UUID */
	const char *application;
	const char *name;
	const char *const *eligible; /* user names, NULL-terminated; NULL = nobody by name */
	const char *eligible_end;    /* ISO 8601; NULL = for ever */
	const char *eligible_claims; /* YAML, "{groups: [cloud]}" */
	int64_t max_ms, min_ms, default_ms;
	bool justification_optional;
	const char *more;      /* further lines of YAML, indented by six, under `activation:` */
	const char *exclusive; /* report, remove */
};

struct broker_config {
	const char *environment; /* NULL = test */
	const char *redis_url;   /* NULL = left out; then ... */
	const char *redis_more; /* ... another address must be here: further lines of YAML, indented by two */
	bool redis_durable;     /* the broker checks that Redis is; otherwise allow_volatile is set */
	const char *tls_certificate, *tls_key; /* files; NULL = no TLS */
	const char *tls_authority;             /* whom callers trust; not in the configuration */
	int64_t requests_per_caller;           /* 0 = as many as can be */
	int64_t redis_timeout_ms, lanes, poll_ms, history_ms, stop_timeout_ms;
	size_t people_count;
	const struct broker_person *people;
	size_t application_count;
	const struct broker_application *applications;
	size_t group_count;
	const struct broker_group *groups;
	const char *more; /* further top-level lines of YAML */
	const char *const
		*variables;  /* "NAME=value" of its process' environment, NULL-terminated; NULL = none */
	const char *program; /* below the build folder; NULL = jit-broker. Not in the file */
};

/* Writes the file. False, with the reason on standard error, when it cannot. */
bool broker_config_write(const struct broker_config *config, const char *path);

#endif
