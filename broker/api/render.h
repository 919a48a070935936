/* Requests and what follows from them, as JSON objects in Microsoft Graph's shape. Pure. */
#ifndef API_RENDER_H
#define API_RENDER_H

#include <stdbool.h>

#include "activation/activation.h"
#include "activation/request.h"
#include "base/buf.h"

#define GRAPH_PATH "/identityGovernance/privilegedAccess/group"

/* The members of an assignmentScheduleRequest, ours (`provisioning`) last; the braces are the caller's. */
void render_request(struct buf *out, const struct request *request, bool only_try);

/* An assignmentScheduleInstance: what a granted request gives now. */
void render_instance(struct buf *out, const struct request *request);

/* "name":"2026-11-24T09:00:00.000Z" or "name":null when ms is 0. */
void render_time(struct buf *out, const char *name, int64_t ms);

/* "name":"text" or "name":null when it is empty. */
void render_text(struct buf *out, const char *name, const char *text);

/* An application's condition. */
void render_application(struct buf *out, const struct terms *terms, const struct application_status *status);

#endif
