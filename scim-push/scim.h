/*
 * SCIM 2.0 (RFC 7643, RFC 7644) in the dialect of AWS IAM Identity Center: what is written into URLs and bodies,
 * and what the answers mean. Pure. An answer is never believed further than it can be checked: a look-up's hits
 * are compared with what was asked for, and a list that is not whole proves no absence.
 */
#ifndef SCIM_PUSH_SCIM_H
#define SCIM_PUSH_SCIM_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "scim-push/push.h"

#define SCIM_ID_SIZE     PUSH_ID_SIZE
#define SCIM_URL_MAX     8192 /* base of 511 bytes and two names, escaped and percent-encoded */
#define SCIM_BODY_MAX    65536
#define SCIM_DETAIL_SIZE 401 /* what is kept of the application's own words */

struct scim_person;

/* Request URLs, appended to `url`. `base` has no closing slash. */
void scim_url_find_group(struct buf *url, const char *base, const char *display_name);
void scim_url_find_user(struct buf *url, const char *base, const char *user_name);
void scim_url_users(struct buf *url, const char *base);
void scim_url_group(struct buf *url, const char *base, const char *group_id);
/* Is this user a member of this group? AWS never shows members; it answers this filter. */
void scim_url_confirm(struct buf *url, const char *base, const char *group_id, const char *user_id);

/* Request bodies, appended to `body`. */
void scim_body_user(struct buf *body, const struct scim_person *person);
/* The PATCH that adds or removes these users. `count` > 0: a removal of nobody would mean everybody. */
void scim_body_members(struct buf *body, bool add, const char *const ids[], size_t count);

/* Why AWS would refuse to create this user, in plain words, or NULL when nothing speaks against it. */
const char *scim_person_flaw(const struct scim_person *person);

enum scim_hit {
	HIT_NONE, /* the application has no such resource */
	HIT_ONE,
	HIT_SEVERAL,   /* more than one resource of exactly this name */
	HIT_UNREADABLE /* no list, a list that is cut off, or a hit without a usable id */
};

/* Reads a ListResponse. `id` is written with HIT_ONE only. displayName is compared exactly, userName without
 * regard to (ASCII) case: RFC 7643, 4.1.1. */
enum scim_hit scim_read_group(const char *body, size_t len, const char *display_name, char id[SCIM_ID_SIZE]);
enum scim_hit scim_read_user(const char *body, size_t len, const char *user_name, char id[SCIM_ID_SIZE]);

/* The id in the answer to the user's creation. False when it holds none or is about another user. */
bool scim_read_created(const char *body, size_t len, const char *user_name, char id[SCIM_ID_SIZE]);

enum scim_membership { MEMBERSHIP_PRESENT, MEMBERSHIP_ABSENT, MEMBERSHIP_UNCLEAR };

/* The answer to scim_url_confirm(). */
enum scim_membership scim_read_membership(const char *body, size_t len, const char *group_id);

/*
 * The application's own words out of an error body (`detail`; "" when there are none), cut to fit, without control
 * characters, and with `secret` blotted out should it have been echoed.
 */
void scim_read_detail(const char *body, size_t len, const char *secret, char detail[SCIM_DETAIL_SIZE]);

/* The same cleaning for any text from outside. */
void scim_clean_text(const char *text, const char *secret, char *out, size_t size);

#endif
