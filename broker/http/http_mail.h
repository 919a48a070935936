/*
 * Mail on the event loop, over the same client as HTTP: one message to one mailbox by SMTP. smtp:// must be turned into
 * TLS by STARTTLS before anything is said; certificates are always verified.
 */
#ifndef BROKER_HTTP_MAIL_H
#define BROKER_HTTP_MAIL_H

#include "http/http.h"

struct http_mail {                   /* all pointers are borrowed during http_mail_start() only */
	const char *url;             /* smtp://host[:port] or smtps://host[:port] */
	const char *user, *password; /* "" = not signed in */
	const char *ca_file;         /* "" = the system's certificate authorities; else these alone */
	const char *from, *to;       /* addresses without brackets */
	const char *message;         /* as it goes over the wire, with CRLF */
	int64_t deadline_ms;         /* clock_mono_ms(); given up and never sent afterwards */
};

/*
 * As http_start(). The answer's `status` is the server's last reply code: 250 when it has taken the mail, otherwise that
 * of its refusal, with `words` in either case of failure; 0 when it said nothing.
 */
enum err http_mail_start(struct http_client *client, const struct http_mail *mail,
			 const struct http_hook *hook, struct http_request **out) MUST_CHECK;

#endif
