/*
 * The table. Sources of a row are the application's own documentation, or what its clients were seen to send; where
 * nobody could say, the row has the RFC's form, and Test Connection finds out before the application is used.
 */
#include "scim-push/dialect.h"

#include <string.h>

#include "scim-push/push.h"

#define SECOND INT64_C(1000)

/* What the broker itself needs to be kept short, where an application names no limits. */
#define LIMITS .user_name_max = 256, .display_name_max = 256, .external_id_max = 256, .text_max = 1024

/* The broker's own rule, five in ten seconds, is stricter than what most applications publish. */
#define FIVE_IN_TEN .pushes = 5, .per_ms = 10 * SECOND

#define RFC7644                                                                                              \
	.removal = REMOVE_BY_FILTER, .verify = VERIFY_MEMBERS, .list = LIST_MEMBERS,                         \
	.members_max = PUSH_MEMBERS_MAX, .operations_max = PUSH_MEMBERS_MAX, .required = "userName", LIMITS

/* Nothing of what was changed can be read back. */
#define UNSEEN                                                                                               \
	.removal = REMOVE_BY_FILTER, .verify = VERIFY_NONE, .list = LIST_NONE,                               \
	.members_max = PUSH_MEMBERS_MAX, .operations_max = PUSH_MEMBERS_MAX, .required = "userName", LIMITS

/* One attribute may be named in several fields; AWS documents the same store for its API. */
#define AWS                                                                                                  \
	.removal = REMOVE_BY_VALUE, .verify = VERIFY_FILTER, .list = LIST_USERS, .members_max = 100,         \
	.operations_max = 100, .required = "userName,displayName,name.givenName,name.familyName",            \
	.single_valued = "emails,addresses,phoneNumbers,roles", .unspaced = "userName,externalId",           \
	.refused = "<>;:%\t\n\r", .user_name_max = 128, .display_name_max = 1024, .external_id_max = 256,    \
	.text_max = 1024, FIVE_IN_TEN

static const struct scim_dialect table[DIALECT_COUNT] = {
	[DIALECT_AWS] = {.name = DIALECT_AWS, AWS},
	[DIALECT_RFC7644] = {.name = DIALECT_RFC7644, RFC7644, .hide_members = true, FIVE_IN_TEN},
	/* "1 member change, 2 operations"; no replacing of members. */
	[DIALECT_GOOGLE] = {.name = DIALECT_GOOGLE,
			    .removal = REMOVE_BY_FILTER,
			    .verify = VERIFY_MEMBERS,
			    .list = LIST_MEMBERS,
			    .members_max = 1,
			    .operations_max = 2,
			    .required = "userName,name.givenName,name.familyName",
			    LIMITS,
			    FIVE_IN_TEN},
	/* Its limits (180 changes of groups a minute) are shared by all of an organisation's applications. */
	[DIALECT_SLACK] = {.name = DIALECT_SLACK, RFC7644, FIVE_IN_TEN},
	/* PATCH: 100 in 30 s while the body is shorter than 500 bytes, else 5; a list of groups: 5 in 30 s. */
	[DIALECT_MIRO] = {.name = DIALECT_MIRO, RFC7644, .body_max = 499, .pushes = 5, .per_ms = 30 * SECOND},
	[DIALECT_GITHUB] = {.name = DIALECT_GITHUB, RFC7644, .hide_members = true, FIVE_IN_TEN},
	/* A worker applies the change after it has been answered. */
	[DIALECT_GITLAB] = {.name = DIALECT_GITLAB, RFC7644, .settle_ms = 3 * SECOND, FIVE_IN_TEN},
	[DIALECT_ATLASSIAN] = {.name = DIALECT_ATLASSIAN,
			       .removal = REMOVE_BY_VALUE,
			       .verify = VERIFY_MEMBERS,
			       .list = LIST_MEMBERS,
			       .members_max = PUSH_MEMBERS_MAX,
			       .operations_max = PUSH_MEMBERS_MAX,
			       .show_names = true,
			       .required = "userName",
			       LIMITS,
			       FIVE_IN_TEN},
	[DIALECT_DATABRICKS] = {.name = DIALECT_DATABRICKS, RFC7644, .path = PATH_NONE, FIVE_IN_TEN},
	[DIALECT_SALESFORCE] = {.name = DIALECT_SALESFORCE,
				.removal = REMOVE_BY_VALUE,
				.verify = VERIFY_MEMBERS,
				.list = LIST_MEMBERS,
				.path = PATH_NESTED,
				.members_max = PUSH_MEMBERS_MAX,
				.operations_max = PUSH_MEMBERS_MAX,
				.required = "userName,name.familyName",
				LIMITS,
				FIVE_IN_TEN},
	/* A group's id is its name. */
	[DIALECT_JFROG] = {.name = DIALECT_JFROG,
			   .removal = REMOVE_BY_VALUE,
			   .verify = VERIFY_MEMBERS,
			   .list = LIST_MEMBERS,
			   .op_case = OP_CASE_CAPITAL,
			   .members_max = PUSH_MEMBERS_MAX,
			   .operations_max = PUSH_MEMBERS_MAX,
			   .required = "userName",
			   LIMITS,
			   FIVE_IN_TEN},
	[DIALECT_ZOOM] = {.name = DIALECT_ZOOM, RFC7644, .body_max = 100000, FIVE_IN_TEN},
	[DIALECT_TERRAFORM] = {.name = DIALECT_TERRAFORM, RFC7644, FIVE_IN_TEN},
	/* Modelled on AWS; shows 50 resources in a page. */
	[DIALECT_HUAWEI] = {.name = DIALECT_HUAWEI, AWS},
	/* Shows no members in any way. */
	[DIALECT_GOOGLE_WORKFORCE] = {.name = DIALECT_GOOGLE_WORKFORCE, UNSEEN, FIVE_IN_TEN},
	/* Members are e-mail addresses; unknown ones are passed over, with a success. */
	[DIALECT_LOGFIRE] = {.name = DIALECT_LOGFIRE, UNSEEN, .member_value = MEMBER_USER_NAME, FIVE_IN_TEN},
	[DIALECT_ZUORA] = {.name = DIALECT_ZUORA, RFC7644, .operations_key = OPERATIONS_LOWER, FIVE_IN_TEN},
};

const struct scim_dialect *dialect_row(enum dialect dialect)
{
	return &table[dialect < DIALECT_COUNT ? dialect : DIALECT_RFC7644];
}

const char *dialect_name(enum dialect dialect)
{
	static const char *const names[DIALECT_COUNT] = {
		[DIALECT_AWS] = "aws",
		[DIALECT_RFC7644] = "rfc7644",
		[DIALECT_GOOGLE] = "google",
		[DIALECT_SLACK] = "slack",
		[DIALECT_MIRO] = "miro",
		[DIALECT_GITHUB] = "github",
		[DIALECT_GITLAB] = "gitlab",
		[DIALECT_ATLASSIAN] = "atlassian",
		[DIALECT_DATABRICKS] = "databricks",
		[DIALECT_SALESFORCE] = "salesforce",
		[DIALECT_JFROG] = "jfrog",
		[DIALECT_ZOOM] = "zoom",
		[DIALECT_TERRAFORM] = "terraform",
		[DIALECT_HUAWEI] = "huawei",
		[DIALECT_GOOGLE_WORKFORCE] = "google-workforce",
		[DIALECT_LOGFIRE] = "logfire",
		[DIALECT_ZUORA] = "zuora",
	};

	return names[dialect < DIALECT_COUNT ? dialect : DIALECT_RFC7644];
}

/* What one member adds to a body at most, with the id of a UUID's length that applications use. */
#define MEMBER_BYTES 80
#define BODY_BYTES   120 /* of a PATCH without members */

size_t dialect_batch(const struct scim_dialect *dialect)
{
	int64_t most = dialect->members_max;

	if (dialect->removal == REMOVE_BY_FILTER && dialect->operations_max < most)
		most = dialect->operations_max;
	if (dialect->body_max > 0 && (dialect->body_max - BODY_BYTES) / MEMBER_BYTES < most)
		most = (dialect->body_max - BODY_BYTES) / MEMBER_BYTES;
	return most < 1 ? 1 : (size_t)(most < PUSH_MEMBERS_MAX ? most : PUSH_MEMBERS_MAX);
}

enum listing_way listing_way(const struct scim_dialect *dialect)
{
	if (dialect->list != LIST_NONE)
		return LISTING_ALL;
	return dialect->verify == VERIFY_FILTER || dialect->verify == VERIFY_USER ? LISTING_SINGLE
										  : LISTING_NONE;
}

void dialect_print(struct buf *out, const struct scim_dialect *d)
{
	buf_addf(out, "removal=%d verify=%d path=%d case=%d display=%d", (int)d->removal, (int)d->verify,
		 (int)d->path, (int)d->op_case, (int)d->show_names);
	/* Where they are as everywhere, the fingerprint is what it was before there were these. */
	if (d->operations_key != OPERATIONS_CAPITAL)
		buf_addf(out, " key=%d", (int)d->operations_key);
	if (d->member_value != MEMBER_ID)
		buf_addf(out, " member=%d", (int)d->member_value);
}

bool dialect_lists(const char *list, const char *word)
{
	size_t len = strlen(word);

	while (*list != '\0') {
		size_t item = strcspn(list, ",");
		if (item == len && memcmp(list, word, len) == 0)
			return true;
		list += item;
		list += *list == ',' ? 1 : 0;
	}
	return false;
}
