/* The session's token, kept good. */
#ifndef COMMAND_LOGIN_H
#define COMMAND_LOGIN_H

#include "command/command.h"

/*
 * Where the session's own token is about to end and can be renewed (RFC 6749, section 6): does so and writes the
 * session's file. Blocks for one call at most. A failure leaves everything as it was.
 */
void login_renew(struct session *session);

/*
 * Where somebody has signed in with `jit login`, and the answer refuses because that was too weak: says on standard error
 * how to sign in for it, as it can be typed. Nothing of what a shell would read in another way.
 */
void login_hint(const struct session *session, const struct answer *answer);

#endif
