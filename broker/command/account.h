/*
 * Which broker is asked, and as whom: from the options, the environment, and the file that `jit login` writes,
 * ~/.config/jit/session.json, which nobody but its owner may read. Tokens come from files only: what stands on a
 * command line can be seen by everybody on the machine.
 */
#ifndef COMMAND_ACCOUNT_H
#define COMMAND_ACCOUNT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#define ACCOUNT_TEXT_SIZE  1024
#define ACCOUNT_TOKEN_SIZE 16384 /* tokens of some providers carry hundreds of groups */

struct account {
	char server[ACCOUNT_TEXT_SIZE];     /* without a closing '/' */
	char ca[ACCOUNT_TEXT_SIZE];         /* certificate authorities in PEM; "" = the system's */
	char token_file[ACCOUNT_TEXT_SIZE]; /* a token that somebody else keeps; "" = the session's own */
	char token[ACCOUNT_TOKEN_SIZE];     /* "" = none */
	char refresh_token[ACCOUNT_TOKEN_SIZE];
	char client_id[ACCOUNT_TEXT_SIZE], token_endpoint[ACCOUNT_TEXT_SIZE];
	char issuer[ACCOUNT_TEXT_SIZE]; /* as it was named to sign in with; "" = there was no choice */
	int64_t expires_ms;             /* of the token, Unix ms; 0 = not known */
};

/*
 * Reads the session's file, if there is one. ERR_CONFIG with one sentence when it is damaged, or readable by others.
 */
enum err account_read(struct account *account, struct errctx *ec) MUST_CHECK;
enum err account_write(const struct account *account, struct errctx *ec) MUST_CHECK;
/* Removes the file; there being none is fine. */
enum err account_forget(struct errctx *ec) MUST_CHECK;

/* Sets the server: https, or http to this machine, because a token goes there. ERR_CONFIG otherwise. */
enum err account_set_server(struct account *account, const char *url, struct errctx *ec) MUST_CHECK;

/* Reads the token out of its file into account->token. */
enum err account_read_token(struct account *account, const char *path, struct errctx *ec) MUST_CHECK;

/* May a token be sent there? https, or http to a loopback address. */
bool account_url_safe(const char *url);

/* Overwrites the secrets. */
void account_wipe(struct account *account);

#endif
