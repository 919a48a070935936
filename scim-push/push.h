/*
 * One push: make the memberships of some people in one group of one application present, or absent, by SCIM.
 * Look-ups, the creation of missing users, the PATCH and its confirmation belong to one push. This module knows
 * nothing of requests, tokens and Redis: it is told what to do and says what came of each member.
 */
#ifndef SCIM_PUSH_PUSH_H
#define SCIM_PUSH_PUSH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uv.h>

#include "base/err.h"
#include "base/id.h"
#include "scim-push/attribute.h"
#include "scim-push/dialect.h"
#include "scim-push/mapping.h"

enum group_match { GROUPS_BY_NAME, GROUPS_BY_EXTERNAL_ID };

/* Where and how an application is reached. Read-only for this module; one per application, kept by the caller
 * for as long as a push to it runs. */
struct scim_target {
	char app[APP_ID_SIZE];      /* for log lines and the id cache */
	char url[512];              /* …/scim/v2, without a closing slash */
	char token[4096];           /* bearer token; never logged */
	char next_token[4096];      /* "" = none; taken when the application refuses the first with 401 */
	int64_t token_expires_ms;   /* Unix time at which the token in use ends; 0 = not known */
	char ca_file[256];          /* "" = the system's certificate authorities */
	int64_t request_timeout_ms; /* of one HTTP request */
	struct scim_dialect dialect;
	struct attribute match; /* by which users are found */
	struct mapping mapping; /* of a user's attributes; has a rule for `match` */
	bool create_users;      /* create a user who is missing */
	bool keep_standing;     /* look whether somebody is a member already, before making them one */
	enum group_match match_groups;
	bool create_groups; /* create a group that is missing */
	bool rename_groups; /* a group whose id is known gets the name of the configuration */
};

enum push_verdict {
	PUSH_DONE,    /* the application has confirmed the wanted membership */
	PUSH_RETRY,   /* not now: transport error, 429, 5xx, not confirmed */
	PUSH_REFUSED, /* the application (or a check before sending) says no for good */
	PUSH_SKIPPED, /* the caller no longer wanted it at the moment of sending; nothing was sent for it */
	PUSH_SPLIT /* refused together with others, which changed nothing for any of them: to be sent again in parts */
};

#define PUSH_ID_SIZE                                                                                         \
	129 /* an id in the application; AWS: 47 characters, others use e-mail addresses and hashes */

struct push_member {
	struct scim_person person; /* in, with the two below: what the user's attributes are made from */
	const char *principal;     /* borrowed until on_end; NULL = none */
	const struct person_claim *claims; /* the same */
	size_t claim_count;
	/* In, for a removal: the id under which the person was made a member; a name may have changed since. "" = look up
	 * by name. Out: the id that the push worked with. */
	char user_id[PUSH_ID_SIZE];
	unsigned failures; /* in: pushes that failed in a row before this one */
	/* In, for an addition: nobody can have made them a member but somebody else. Where the application shows it, they
	 * are found to be one already, and nothing is sent. */
	bool look_first;
	bool standing; /* out: they were a member before */
	bool is_ready; /* out, in on_ready: about to be sent */
	/* In, for an addition: what the caller knows of the user. */
	char known_id
		[PUSH_ID_SIZE]; /* under which the application has this user; "" = not known, or there is none */
	bool look_up;           /* the user may have been deleted since an id was remembered */
	bool inactive;          /* is to be made active first */
	bool maybe_created; /* an earlier creation has no answer: the user who is found may be the one that it made */
	enum push_verdict verdict; /* out */
	bool in_doubt;             /* out: it may have been applied although the verdict is not PUSH_DONE */
	bool unverified; /* out: PUSH_DONE because the application accepted it; it shows nothing that would prove it */
	/* Out: this push has created the user, or an earlier one that had no answer. That is said of a user who is found only
	 * where their externalId is the one that the mapping gives: without that, it may be anybody's. */
	bool created;
	bool creation_lost; /* out: the user may have been created: there was no answer that would tell */
	bool activated;     /* out: the user was made active */
	/* Out: the status of the answer that decided about this member: of the PATCH when that was accepted and confirmed. 0
	 * when no answer did. */
	long status;
	char error[TEXT_SIZE]; /* out: plain words with the application's own answer; "" when done */
};

#define PUSH_MEMBERS_MAX 100 /* AWS: at most 100 membership changes in one PATCH */

/* One request of a push, for whoever shows what was done. All borrowed. */
struct push_step {
	const char *name;    /* "find_group" */
	const char *method;  /* "GET" */
	const char *path;    /* below the tenant URL; never holds a secret */
	const char *body;    /* what was sent, attributes of a person perhaps; "" = nothing */
	long status;         /* 0 = no answer */
	int64_t ms;          /* how long it took */
	const char *outcome; /* what the answer means: "done", "refused", … */
	const char *words;   /* the application's own, cleaned; "" = none */
};

struct push {
	const struct scim_target *target; /* borrowed until on_end */
	char id[ID_SIZE];
	char group_id[PUSH_ID_SIZE]; /* as user_id of a member */
	char known_group_id
		[PUSH_ID_SIZE]; /* in: under which it was last found; "" = none. Asked when its name finds nothing */
	char group_name[NAME_SIZE];        /* the group's displayName in the application */
	char group_external_id[NAME_SIZE]; /* may be "" */
	bool add;                          /* true: make them members; false: remove them */
	int64_t deadline_ms; /* clock_mono_ms() at which the push is aborted, whatever it is doing */
	size_t count;
	struct push_member *members; /* owned by the caller until on_end returns */

	/*
	 * Called after the look-ups, immediately before each PATCH (a push makes a second one when ids were looked
	 * up anew, or when not all members fit into one): the caller finds out which members are still
	 * wanted and calls push_send() with the answer, at once or later. Not called when there is nothing to send. The
	 * ids of the group and of who is about to be sent are known then.
	 */
	void (*on_ready)(void *ctx, struct push *push);
	/* Called for every request that was answered, or of which no answer will come; NULL = nobody looks. */
	void (*on_step)(void *ctx, struct push *push, const struct push_step *step);
	/* Called exactly once; afterwards this module has forgotten the push. Comes from the loop, or from
	 * pusher_abort_all(); never from within push_start() and push_send(). */
	void (*on_end)(void *ctx, struct push *push);
	void *ctx;

	/* Out, for the whole application: */
	bool nothing_reached;  /* no request of this push can have reached the application */
	bool unanswered;       /* a request was given up without an answer: it may still be running there */
	int64_t closed_for_ms; /* 429 or 503 with Retry-After: nothing more before that has passed; else 0 */
	bool misconfigured;    /* the token or the URL is wrong */
	bool sick;             /* no answer, or one that no healthy application gives */
	bool alien;            /* what answers there does not speak SCIM: a page, a redirect */
	long status;           /* of the last answer that was no success; 0 = none */

	void *state; /* this module's own */
};

struct pusher; /* libcurl's multi handle on the loop, connections and remembered ids */

/* NULL with the reason in `ec`: memory, or libcurl. */
struct pusher *pusher_new(uv_loop_t *loop, struct errctx *ec) MUST_CHECK;
/* All pushes must have ended; not from within on_end. The memory is given back when the loop has run once more. */
void pusher_free(struct pusher *pusher);
size_t pusher_running(const struct pusher *pusher);
/* Has the application refused the target's first token, and taken the next one? Forgotten when the first is changed. */
bool pusher_uses_next_token(const struct pusher *pusher, const struct scim_target *target);

/* Starts the push; `push` must stay where it is until on_end. Everything goes wrong through on_end. */
void push_start(struct pusher *pusher, struct push *push);

/* The answer to on_ready: wanted[i] says whether members[i] is still to be sent; NULL ends the push with all
 * members that have no verdict yet skipped (the claim is lost). May end the push, but not from within this call.
 * Without effect when the deadline has ended the push meanwhile, as long as `push` itself is still there. */
void push_send(struct push *push, const bool *wanted);

/* Ends every running push with PUSH_RETRY and in_doubt as it stands; on_end is called from within. For the end of
 * the process. */
void pusher_abort_all(struct pusher *pusher);

#endif
