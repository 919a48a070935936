/*
 * A scripted application on the test's own loop: answers each request by the first rule that fits it and was not
 * used yet, and writes down what came. No SCIM is understood here; the test says every answer.
 */
#ifndef SUPPORT_SCIM_PEER_H
#define SUPPORT_SCIM_PEER_H

#include <stdbool.h>
#include <stddef.h>

#include <uv.h>

#include "base/buf.h"

enum peer_deed {
	PEER_ANSWER,
	PEER_HANG,  /* never answer, keep the connection */
	PEER_CLOSE, /* close the connection without an answer */
	PEER_RAW    /* send `body` as it is, status line and all, then close */
};

struct peer_rule {
	const char *when;    /* part of "METHOD PATH BODY" */
	int status;          /* with PEER_ANSWER */
	const char *body;    /* "" or JSON */
	const char *headers; /* NULL, or more header lines, each with its CR LF */
	enum peer_deed deed;
};

#define PEER_RULES_MAX       16
#define PEER_CONNECTIONS_MAX 32

struct peer_connection {
	uv_tcp_t tcp;
	struct peer *peer;
	char piece[16384]; /* what libuv reads into */
	struct buf in;
	bool closing;
};

struct peer {
	uv_tcp_t server;
	int port; /* chosen by the kernel, on 127.0.0.1 */
	const struct peer_rule *rules;
	size_t rule_count;
	bool used[PEER_RULES_MAX];
	size_t requests;
	struct buf seen; /* "METHOD PATH\n" and, where there is one, "  BODY\n", in the order of arrival */
	struct buf wire; /* the same as it was on the wire, header lines sorted, CR taken out, port as PORT */
	struct peer_connection connections[PEER_CONNECTIONS_MAX];
	size_t connection_count;
};

void peer_open(struct peer *peer, uv_loop_t *loop);
void peer_script(struct peer *peer, const struct peer_rule *rules, size_t count);
/* Forgets what was seen; the script begins anew. */
void peer_rewind(struct peer *peer);
bool peer_all_used(const struct peer *peer);
/* Closes everything; the loop must run once more. */
void peer_close(struct peer *peer);
void peer_release(struct peer *peer); /* after the loop is closed */

#endif
