/*
 * Mails as they go over the wire (RFC 5322, MIME): plain text in UTF-8. Pure. Whatever the texts hold, they stay
 * inside their header or the body: what is not printable ASCII is encoded, control characters become blanks.
 */
#ifndef NOTICE_MAIL_H
#define NOTICE_MAIL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#define MAIL_MAX         (256 * 1024) /* a whole message */
#define MAIL_SUBJECT_MAX 200          /* bytes of a subject; a longer one is cut */

struct mail {                  /* all borrowed */
	const char *from, *to; /* as mail_address_valid() takes them */
	const char *subject, *body;
	const char *id;     /* of the delivery, a UUID: the same in every attempt, and so is the Message-ID */
	const char *thread; /* UUID; mails with the same one belong together; "" = none */
	int64_t at_ms;
};

/*
 * An address that can stand in a header and in an SMTP command as it is: local part and domain of ASCII letters, digits
 * and what RFC 5321 allows without quotes, at most 254 characters.
 */
bool mail_address_valid(const char *text);

/* Writes the message into `out`, which is emptied first; its maximum should be MAIL_MAX. ERR_INTERNAL for an address or
 * id that is not valid, ERR_NOMEM. */
enum err mail_write(const struct mail *mail, struct buf *out) MUST_CHECK;

#endif
