/* The API's description in OpenAPI's form, printed from the table of routes (api/route.h). */
#ifndef API_OPENAPI_H
#define API_OPENAPI_H

#include <stddef.h>

#include "base/buf.h"

/* Of the bodies: schemas.json, which the Makefile makes a C array. */
extern const char openapi_schemas[];
extern const size_t openapi_schemas_len;

/* Appends the whole document; `base_url` is where the caller has found the broker. */
void openapi_print(struct buf *out, const char *base_url);

#endif
