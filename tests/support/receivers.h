/*
 * Who is told, as real programs: a webhook receiver that checks signatures with the reference library (receiver.mjs), and
 * an SMTP server that insists on STARTTLS and sign-in (server.py). Functions that fail say why on standard error and
 * return false.
 */
#ifndef SUPPORT_RECEIVERS_H
#define SUPPORT_RECEIVERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/support/http.h"
#include "tests/support/proc.h"
#include "tests/support/world.h"

struct receiver {
	struct proc proc;
	char folder[PROC_PATH_SIZE]; /* removed at the end */
	char url[64];                /* hooks are URL/hook/NAME */
};

bool receiver_start(struct receiver *receiver,
		    const char *const *secrets); /* NULL-terminated; each must have signed */
void receiver_end(struct receiver *receiver);    /* legal also when it was not started */

/* How messages are answered from now on, as JSON: receiver.mjs says how. */
bool receiver_answer(const struct receiver *receiver, const char *json);

/* All messages so far: "count", "messages.0.id" … Release the response. */
void receiver_received(const struct receiver *receiver, struct http_response *response);

/* Waits until `count` messages were answered with 2xx. */
bool receiver_wait(const struct receiver *receiver, size_t count, int64_t timeout_ms);

#define MAIL_USER     "jit"
#define MAIL_PASSWORD "mail-secret"

struct mail_server {
	struct proc proc;
	char folder[32];
	char certificate[64], key[64]; /* its own authority */
	int port;                      /* the same after a restart */
};

bool mail_server_start(struct mail_server *server); /* again after mail_server_kill9(): the same port */
void mail_server_kill9(struct mail_server *server);
void mail_server_end(struct mail_server *server);

/* Waits until it has taken a mail with all of these texts (NULL = none) in its line of JSON; it is copied to `line`. */
bool mail_server_wait(struct mail_server *server, const char *text, int64_t timeout_ms, char *line,
		      size_t size);

/* How many mails it has taken whose line of JSON holds the text. */
size_t mail_server_count(const struct mail_server *server, const char *text);

/* Makes all deliveries of the world's lanes so many ms older, as if that time had passed for them. */
bool notices_pass(const struct world *world, int64_t ms);

#endif
