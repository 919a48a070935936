/* The session's token, kept good. */
#ifndef COMMAND_LOGIN_H
#define COMMAND_LOGIN_H

#include "command/command.h"

/*
 * Where the session's own token is about to end and can be renewed (RFC 6749, section 6): does so and writes the
 * session's file. Blocks for one call at most. A failure leaves everything as it was.
 */
void login_renew(struct session *session);

#endif
