/* What call.c and follow.c share of libcurl. Nobody else includes this. */
#ifndef COMMAND_CALL_WIRE_H
#define COMMAND_CALL_WIRE_H

#include <curl/curl.h>

/* Each appends a field; without memory the list stays as it is. The token's is left out where there is none. */
struct curl_slist *wire_header(struct curl_slist *list, const char *line);
struct curl_slist *wire_authorize(struct curl_slist *list, const char *token);

/* Whom it asks and trusts: only http and https, no redirects; `ca` "" = the system's authorities. All is borrowed. */
void wire_options(CURL *curl, const char *url, const char *ca, struct curl_slist *headers);

#endif
