/*
 * What people are told: a subject and plain sentences about a notice, for one reader. Pure; all that is true of the
 * reader and of this moment is an argument.
 */
#ifndef NOTICE_TEXT_H
#define NOTICE_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "activation/notices.h"
#include "base/buf.h"

#define TEXT_BODY_MAX (64 * 1024)
#define TEXT_LINE_MAX 320 /* a subject or a line of a digest, before it is cut for its header */

struct policy_zone;

/* Who of those concerned is who; borrowed. */
struct text_names {
	const char *person;    /* who asked, as people know them */
	const char *user_name; /* "" = not known */
	const char *group, *application;
	const char *decided_by,
		*why; /* the decision that the outcome is; "" = time, policy or a limit has ended it */
};

struct text_reader {
	const struct policy_zone *zone; /* NULL = UTC */
	bool is_requester;
	bool with_justification; /* the configuration lets reasons leave the broker this way */
	const char *public_url;  /* where the broker is reached; "" = not said */
	int64_t now_ms;
};

/* The subject, also good as a line of a digest. Returns `out`. */
const char *text_subject(const struct notice *notice, const struct text_names *names,
			 char out[TEXT_LINE_MAX]);

/* Appends the sentences. */
void text_body(const struct notice *notice, const struct text_names *names, const struct text_reader *reader,
	       struct buf *out);

#endif
