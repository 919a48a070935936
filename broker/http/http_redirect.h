/* One redirect, on the same server (RFC 7644, 3.12). Private to broker/http/. */
#ifndef BROKER_HTTP_REDIRECT_H
#define BROKER_HTTP_REDIRECT_H

#include <stdbool.h>

struct http_request;

/*
 * The request, whose answer is whole, is sent once more as it was, where that answer is 307 or 308 to the same scheme, host
 * and port and the request may follow it. True when it goes on; false when the answer stands.
 */
bool http_redirect_follow(struct http_request *r);

/*
 * The address that a Location header's value names, which may be relative to `url` (RFC 9110, 10.2.2): on the same
 * scheme, host and port, without user information and fragment. NULL when it is none of these, and when memory is short.
 * For free().
 */
char *http_redirect_target(const char *url, const char *location);

#endif
