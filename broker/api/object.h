/* One of Graph's objects as a call wants it: what its route shows, $select and $expand. */
#ifndef API_OBJECT_H
#define API_OBJECT_H

#include "activation/request.h"
#include "base/buf.h"
#include "base/err.h"

struct call;

/* Appends the object's members, with those that $expand asks for; the braces are the caller's. */
void object_add(struct buf *out, const struct call *call, const struct request *request);

/* ERR_INVALID_FILTER when $expand names what the route's objects do not have. */
enum err object_check_expand(const struct call *call, struct errctx *ec) MUST_CHECK;

#endif
