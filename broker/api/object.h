/* One of Graph's objects as a call wants it: what its route shows, $select and $expand. */
#ifndef API_OBJECT_H
#define API_OBJECT_H

#include <stdbool.h>

#include "activation/request.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/id.h"

struct call;

/* Appends the object's members, with those that $expand asks for; the braces are the caller's. */
void object_add(struct buf *out, const struct call *call, const struct request *request);

/* The display name of who made the request; "" where it is not known. */
void object_maker(const struct call *call, const struct request *request, char out[NAME_SIZE]);

/* The id of a schedule or an instance is "GROUP_member_REQUEST": the request's part of it, or the id as it is. Borrowed. */
const char *object_request_id(const char *id);

/* ERR_INVALID_FILTER when $expand names what the route's objects do not have. */
enum err object_check_expand(const struct call *call, struct errctx *ec) MUST_CHECK;

#endif
