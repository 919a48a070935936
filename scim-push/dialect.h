/*
 * What applications make of SCIM 2.0, as data: one row of a table for each, and every knob of a row can be set
 * otherwise for one application. No knob is ever guessed at run time: a form that does not work is a mistake of the
 * configuration, which Test Connection finds, and never a reason to try another one. The wrong form of a removal
 * empties the whole group on one real server, and is ignored with a success on others.
 */
#ifndef SCIM_PUSH_DIALECT_H
#define SCIM_PUSH_DIALECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* In the order of DIALECT_NAMES, by which the configuration knows them. */
enum dialect {
	DIALECT_AWS, /* AWS IAM Identity Center */
	DIALECT_RFC7644,
	DIALECT_GOOGLE, /* Google Cloud Identity */
	DIALECT_SLACK,
	DIALECT_MIRO,
	DIALECT_GITHUB,
	DIALECT_GITLAB,
	DIALECT_ATLASSIAN,
	DIALECT_DATABRICKS,
	DIALECT_SALESFORCE,
	DIALECT_JFROG,
	DIALECT_ZOOM,
	DIALECT_TERRAFORM,
	DIALECT_HUAWEI,
	DIALECT_GOOGLE_WORKFORCE, /* Google Workforce Identity Federation */
	DIALECT_LOGFIRE,          /* Pydantic Logfire */
	DIALECT_ZUORA,
	DIALECT_COUNT
};
#define DIALECT_NAMES                                                                                        \
	"aws|rfc7644|google|slack|miro|github|gitlab|atlassian|databricks|salesforce|jfrog|zoom|terraform|"  \
	"huawei|google-workforce|logfire|zuora"

enum removal_form {
	REMOVE_BY_VALUE, /* {"op":"remove","path":"members","value":[{"value":ID}, …]}: not in the RFC, but common */
	REMOVE_BY_FILTER /* {"op":"remove","path":"members[value eq \"ID\"]"}: the RFC's */
};

/* How a change is read back. */
enum verify_by {
	VERIFY_MEMBERS, /* GET /Groups/ID and its members */
	VERIFY_FILTER, /* GET /Groups?filter=id eq … and members eq …: AWS' own; elsewhere it answers nonsense */
	VERIFY_USER, /* GET /Users/ID and the user's groups */
	VERIFY_NONE  /* the application shows nothing: what it accepts stays unverified */
};

/* How all members of a group are listed. */
enum list_by {
	LIST_MEMBERS, /* GET /Groups/ID and its members */
	LIST_USERS,   /* GET /Users?filter=groups.value eq …, page by page */
	LIST_NONE
};

/* How an operation of a PATCH says what it is about. */
enum path_style {
	PATH_MEMBERS, /* "path":"members","value":[…] */
	PATH_NONE,    /* additions only: "value":{"members":[…]} */
	PATH_NESTED   /* additions only: "path":"members","value":{"members":[…]} */
};

enum op_case { OP_CASE_LOWER, OP_CASE_CAPITAL };

/* How a PATCH names the list of its operations. */
enum operations_key { OPERATIONS_CAPITAL /* the RFC's */, OPERATIONS_LOWER };

/* By what a member is named. */
enum member_value { MEMBER_ID, MEMBER_USER_NAME };

#define DIALECT_LIST_SIZE 160 /* a list of attributes, "a,b,c" */

struct scim_dialect {
	enum dialect name;
	enum removal_form removal;
	enum verify_by verify;
	enum list_by list;
	enum path_style path;
	enum op_case op_case;
	enum operations_key operations_key;
	enum member_value member_value;
	int64_t members_max;    /* member changes in one PATCH; 1 to PUSH_MEMBERS_MAX */
	int64_t operations_max; /* operations in one PATCH */
	int64_t body_max;       /* bytes of a PATCH's body, beyond which it is split; 0 = any */
	int64_t settle_ms;      /* a change is not looked for earlier than that */
	bool hide_members;      /* look-ups ask for groups without their members */
	bool show_names;        /* members are sent with the user's name as `display` */
	/* What the application takes of a user. */
	char required[DIALECT_LIST_SIZE];      /* attributes without which none is created */
	char single_valued[DIALECT_LIST_SIZE]; /* multi-valued attributes that hold one value at most */
	char unspaced[DIALECT_LIST_SIZE];      /* attributes without white space */
	char refused[64];                      /* characters that it takes in no name */
	int64_t user_name_max, display_name_max, external_id_max, text_max; /* characters */
	/* The throttle that is taken where the configuration gives none. */
	int64_t pushes, per_ms;
};

/* The row of the table; never NULL. */
const struct scim_dialect *dialect_row(enum dialect dialect);

/* "aws". */
const char *dialect_name(enum dialect dialect);

/* How many members one push to this application changes at most, so that it needs one PATCH. */
size_t dialect_batch(const struct scim_dialect *dialect);

enum listing_way {
	LISTING_ALL,    /* the group's members are listed */
	LISTING_SINGLE, /* each of some users is asked for */
	LISTING_NONE    /* the application shows nothing */
};

/* By which the dialect shows who is in a group. */
enum listing_way listing_way(const struct scim_dialect *dialect);

/* Appends what decides about the form of requests and the reading of answers, for a fingerprint of it. */
void dialect_print(struct buf *out, const struct scim_dialect *dialect);

/* Is the word in the list "a,b,c"? Compared exactly. */
bool dialect_lists(const char *list, const char *word);

#endif
