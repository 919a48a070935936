/* What libmicrohttpd sends of an answer. */
#ifndef SANDBOX_RESPONSE_H
#define SANDBOX_RESPONSE_H

#include <microhttpd.h>

#include "scim-push/sandbox/answer.h"
#include "scim-push/sandbox/quirk.h"

/* Takes the answer's body. NULL: out of memory. Destroyed by the caller. */
struct MHD_Response *response_make(struct answer *answer, struct quirk *quirk);

#endif
