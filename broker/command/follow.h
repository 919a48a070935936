/*
 * Waiting for what becomes of a request. The broker tells when it has changed (GET /api/events); while it cannot be heard,
 * the waits are short at first and longer each time. Either way the request has to be looked at afterwards.
 */
#ifndef COMMAND_FOLLOW_H
#define COMMAND_FOLLOW_H

#include <stdint.h>

#include "base/err.h"
#include "command/account.h"

struct follow;

/* `account` and `id` are borrowed as long as it lives. NULL: no memory. */
struct follow *follow_new(const struct account *account, const char *id) MUST_CHECK;
void follow_free(struct follow *follow); /* NULL is legal */

/* Blocks until it is worth looking at the request again, at most until `till_ms` (clock_mono_ms()). */
void follow_wait(struct follow *follow, int64_t till_ms);

#endif
