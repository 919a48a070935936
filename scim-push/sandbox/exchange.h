/*
 * One HTTP request and its answer: received, perhaps held by a fault, answered or closed, logged. The only
 * callers are libmicrohttpd's callbacks and the server's loop.
 */
#ifndef SANDBOX_EXCHANGE_H
#define SANDBOX_EXCHANGE_H

#include <microhttpd.h>

#include "scim-push/sandbox/server.h"

/* MHD_OPTION_URI_LOG_CALLBACK: makes the exchange, which keeps the target as it was sent. */
void *exchange_begin(void *server, const char *uri, struct MHD_Connection *connection);
/* The access handler. */
enum MHD_Result exchange_handle(void *server, struct MHD_Connection *connection, const char *url,
				const char *method, const char *version, const char *upload,
				size_t *upload_size, void **exchange);
/* MHD_OPTION_NOTIFY_COMPLETED: logs what is not logged yet and frees the exchange. */
void exchange_end(void *server, struct MHD_Connection *connection, void **exchange,
		  enum MHD_RequestTerminationCode code);

/* Lets go what is due: delays that have passed, hung requests whose clients have gone away. */
void exchange_check_held(struct server *server);
/* Closes every held request without an answer. */
void exchange_drop_held(struct server *server);

#endif
