/* What a list of Graph's is asked for: its query options, read into what activation/list.h understands. */
#ifndef API_LIST_QUERY_H
#define API_LIST_QUERY_H

#include <stdbool.h>

#include "activation/list.h"
#include "base/buf.h"
#include "base/err.h"

struct about;
struct call;

#define PAGE_DEFAULT 100

/*
 * Reads the call's query options into call->query and `out`, and limits both to what the caller may see. *none is set
 * when nothing can match. ERR_INVALID_FILTER, ERR_FORBIDDEN with the reason in `ec`.
 */
enum err list_query_read(struct call *call, struct list_query *out, bool *none, struct errctx *ec) MUST_CHECK;

/* The states of what is shown so. */
unsigned list_query_states(const struct about *about);

/* Appends the "@odata.nextLink" member: this call again, from where `next` says. */
void list_query_add_next(const struct call *call, struct buf *out, const char *next);

#endif
