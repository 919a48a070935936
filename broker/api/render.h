/* Requests and what follows from them, as JSON objects in Microsoft Graph's shape. Pure. */
#ifndef API_RENDER_H
#define API_RENDER_H

#include <stdbool.h>

#include "activation/activation.h"
#include "activation/request.h"
#include "api/route.h"
#include "base/buf.h"

#define GRAPH_PATH "/identityGovernance/privilegedAccess/group"

/*
 * The members of what a route shows: a request, the schedule that it has given, or the instance that is in force; ours
 * (`provisioning`, `source`) last. The braces are the caller's. `maker` is the display name of who made the request; "" = it is
 * not known.
 */
void render_shown(struct buf *out, const struct request *request, const struct about *about,
		  const char *maker);

/* A request, or with `only_try` what would be one. */
void render_request(struct buf *out, const struct request *request, enum kind kind, bool only_try,
		    const char *maker);

/* "name":"2026-11-24T09:00:00.000Z" or "name":null when ms is 0. */
void render_time(struct buf *out, const char *name, int64_t ms);

/* "name":"text" or "name":null when it is empty. */
void render_text(struct buf *out, const char *name, const char *text);

#endif
