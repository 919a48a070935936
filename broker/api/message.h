/* A signed message (a webhook, a click) that is refused: its repetition is answered like the first time. */
#ifndef API_MESSAGE_H
#define API_MESSAGE_H

#include "api/approvals.h"
#include "base/err.h"

struct call;

/*
 * Answers the call with what the message was refused with when it came first, by whatever broker: `err` and `why` (NULL =
 * the usual sentence) when that is now. What may be different the next time (the store is away) is answered as it is,
 * and not kept. Only `id`, `request`, `approve` and `status` of the message are looked at.
 */
void message_refuse(struct call *call, const struct approval_message *message, enum err err, const char *why);

#endif
