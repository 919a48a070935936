#include "server/exchange.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "server/error.h"
#include "base/log.h"

#define HEADERS_MAX ((size_t)64 * 1024) /* libmicrohttpd's memory per connection is far smaller */

/* The first reason stays. */
void exchange_refuse(struct exchange *e, enum err err, const char *why)
{
	if (e->refused != ERR_OK)
		return;
	e->refused = err;
	e->why = why;
}

/* The message's end cannot be trusted: nothing more may be read from this connection (RFC 9112, section 6.3). */
void exchange_refuse_and_cut(struct exchange *e, enum err err, const char *why)
{
	exchange_refuse(e, err, why);
	e->cut = true;
}

struct exchange *exchange_new(struct server *server, struct MHD_Connection *connection, const char *uri)
{
	size_t len = uri ? strlen(uri) : 0;
	bool long_uri = len > URL_MAX;
	struct exchange *e;
	const char *why;

	if (long_uri)
		len = 0;
	e = calloc(1, sizeof(*e) + len + 1);
	if (!e)
		return NULL;
	e->server = server;
	e->connection = connection;
	e->asked = uri;
	e->asked_len = uri ? strlen(uri) : 0;
	buf_init_secret(&e->headers, HEADERS_MAX);
	buf_init(&e->body, BODY_MAX);
	buf_init(&e->answer_headers, HEADERS_MAX);
	id_make(0, e->request_id);
	if (len > 0)
		memcpy(e->text, uri, len);
	if (long_uri)
		exchange_refuse(e, ERR_HEADERS_TOO_BIG, "The URL is too long.");
	why = target_parse(e->text, &e->target);
	if (why)
		exchange_refuse(e, ERR_BAD_REQUEST, why);
	return e;
}

void exchange_free(struct exchange *e)
{
	exchange_list_remove(e);
	if (e->response)
		MHD_destroy_response(e->response);
	buf_release(&e->headers);
	buf_release(&e->body);
	buf_release(&e->answer_headers);
	free(e);
}

/* -- header ------------------------------------------------------------------------------------------------ */

/* The value of a name in "name NUL value NUL ...", or NULL. */
static const char *find_header(const struct buf *headers, const char *name)
{
	const char *at = buf_text(headers);
	const char *end = at + headers->len;

	while (at < end) {
		const char *value = at + strlen(at) + 1;

		if (strcasecmp(at, name) == 0)
			return value;
		at = value + strlen(value) + 1;
	}
	return NULL;
}

/*
 * Length without the blanks at the end (RFC 9110, section 5.5), which 0.9.75 leaves there. Transfer-Encoding stays
 * as libmicrohttpd understood it.
 */
static size_t value_len(const char *name, const char *value)
{
	size_t len = strlen(value);

	if (strcasecmp(name, "Transfer-Encoding") == 0)
		return len;
	while (len > 0 && (value[len - 1] == ' ' || value[len - 1] == '\t'))
		len--;
	return len;
}

void exchange_keep_header(struct exchange *e, const char *name, const char *value)
{
	buf_add(&e->headers, name, strlen(name) + 1);
	buf_add(&e->headers, value, value_len(name, value));
	buf_add(&e->headers, "", 1);
}

void exchange_add_body(struct exchange *e, const char *bytes, size_t len)
{
	e->body_seen += len;
	if (e->refused == ERR_OK && e->body_seen > BODY_MAX)
		exchange_refuse(e, ERR_TOO_BIG, NULL);
	if (e->body_seen > DRAIN_MAX)
		e->cut = true;
	if (e->refused != ERR_OK) {
		buf_release(&e->body);
		return;
	}
	buf_add(&e->body, bytes, len);
	if (buf_failed(&e->body))
		exchange_refuse(e, ERR_NOMEM, NULL);
}

/* -- answer ------------------------------------------------------------------------------------------------ */

static bool add_header(struct MHD_Response *response, const char *name, const char *value)
{
	return (MHD_get_response_header(response, name) && strcasecmp(name, "Set-Cookie") != 0) ||
	       MHD_add_response_header(response, name, value) == MHD_YES;
}

/*
 * Does the connection end with this answer? It does after a body in chunks: libmicrohttpd 0.9 takes a lone LF between chunks
 * for the end of a line, so that what another reader took for a part of the body could be a request. Nothing is read behind it.
 */
static bool is_last(const struct exchange *e)
{
	return e->refused != ERR_OK || server_quiesced(e->server) || exchange_header(e, "Transfer-Encoding");
}

static bool add_headers(struct exchange *e, const char *content_type)
{
	const char *at = buf_text(&e->answer_headers);
	const char *end = at + e->answer_headers.len;
	const char *caller_id = exchange_client_request_id(e);
	bool ok = true;

	while (ok && at < end) {
		const char *value = at + strlen(at) + 1;

		ok = add_header(e->response, at, value);
		at = value + strlen(value) + 1;
	}
	return ok && (!content_type || add_header(e->response, MHD_HTTP_HEADER_CONTENT_TYPE, content_type)) &&
	       add_header(e->response, "request-id", e->request_id) &&
	       (!caller_id || add_header(e->response, "client-request-id", caller_id)) &&
	       add_header(e->response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store") &&
	       add_header(e->response, "X-Content-Type-Options", "nosniff") &&
	       (!is_last(e) || add_header(e->response, MHD_HTTP_HEADER_CONNECTION, "close"));
}

void exchange_finish_response(struct exchange *e, const char *content_type)
{
	if (e->response && !add_headers(e, content_type)) {
		MHD_destroy_response(e->response);
		e->response = NULL;
	}
}

static void make_response(struct exchange *e, int status, const char *content_type, const char *body,
			  size_t len)
{
	/* libmicrohttpd copies the body, whatever its prototype says. */
	e->response = MHD_create_response_from_buffer(len, len > 0 ? (void *)(uintptr_t)body : NULL,
						      MHD_RESPMEM_MUST_COPY);
	e->status = (unsigned)status;
	e->answer_len = len;
	exchange_finish_response(e, len > 0 ? content_type : NULL);
}

struct paced *exchange_paced(const struct exchange *e)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(e->connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info ? info->socket_context : NULL;
}

enum MHD_Result exchange_queue(struct exchange *e)
{
	enum MHD_Result result;

	if (!e->response)
		return MHD_NO;
	/* One without an end is said in small pieces: libmicrohttpd's own time-out is enough for that. */
	if (e->stream.give)
		pace_ours(exchange_paced(e));
	else
		pace_answer(exchange_paced(e), e->answer_len);
	result = MHD_queue_response(e->connection, e->status, e->response);
	MHD_destroy_response(e->response);
	e->response = NULL;
	return result;
}

void exchange_fail(struct exchange *e, enum err err)
{
	struct error_body body = {
		.err = err, .request_id = e->request_id, .client_request_id = exchange_client_request_id(e)};
	struct buf out;

	buf_clear(&e->answer_headers);
	if (error_retry_later(err))
		exchange_set_header(e, "Retry-After", "1");
	buf_init(&out, RESPONSE_MAX);
	error_render(&out, &body);
	make_response(e, err_status(err), "application/json", buf_text(&out), out.len);
	buf_release(&out);
}

void exchange_set_header(struct exchange *e, const char *name, const char *value)
{
	size_t name_size = strlen(name) + 1, value_size = strlen(value) + 1;

	if (!target_token_valid(name, name_size - 1) || !target_value_valid(value, value_size - 1)) {
		log_warn("answer_header_dropped", "name=%s", name);
		return;
	}
	if (strcasecmp(name, "Set-Cookie") != 0 && find_header(&e->answer_headers, name))
		return;
	buf_add(&e->answer_headers, name, name_size);
	buf_add(&e->answer_headers, value, value_size);
}

void exchange_answer(struct exchange *e, int status, const char *content_type, const char *body, size_t len)
{
	e->held = false;
	if (e->answered)
		exchange_answer_inner(e, (struct inner_answer){.status = status, .body = body, .len = len},
				      content_type);
	if (!e->connection) {
		exchange_free(e);
		return;
	}
	if (e->late) {
		exchange_list_remove(e);
		return;
	}
	if (len > RESPONSE_MAX || buf_failed(&e->answer_headers)) {
		log_error(len > RESPONSE_MAX ? "answer_too_large" : "answer_headers", "path=%s bytes=%zu",
			  e->target.path, len);
		exchange_fail(e, len > RESPONSE_MAX ? ERR_INTERNAL : ERR_NOMEM);
	} else {
		make_response(e, status, content_type ? content_type : "application/json", body, len);
	}
	if (e->suspended)
		server_wake(e);
}

/* -- what handlers read ------------------------------------------------------------------------------------ */

const char *exchange_method(const struct exchange *e)
{
	return e->method;
}

const char *exchange_path(const struct exchange *e)
{
	return e->target.path;
}

const char *exchange_query(const struct exchange *e, const char *name)
{
	for (size_t i = 0; i < e->target.count; i++) {
		if (strcmp(e->target.params[i].name, name) == 0)
			return e->target.params[i].value;
	}
	return NULL;
}

const struct query_param *exchange_query_list(const struct exchange *e, size_t *count)
{
	*count = e->target.count;
	return e->target.params;
}

const char *exchange_header(const struct exchange *e, const char *name)
{
	return find_header(&e->headers, name);
}

const char *exchange_body(const struct exchange *e, size_t *len)
{
	*len = e->body.len;
	return buf_text(&e->body);
}

const char *exchange_address(const struct exchange *e)
{
	return e->address;
}

const char *exchange_request_id(const struct exchange *e)
{
	return e->request_id;
}

const char *exchange_client_request_id(const struct exchange *e)
{
	const char *id = exchange_header(e, "client-request-id");

	return id && id_valid(id) ? id : NULL;
}

const char *exchange_base_url(const struct exchange *e)
{
	return e->base_url;
}

enum err exchange_refused(const struct exchange *e)
{
	return e->refused;
}

const char *exchange_refused_reason(const struct exchange *e)
{
	return e->why;
}

/* -- lists ------------------------------------------------------------------------------------------------- */

void exchange_answer_within(struct exchange *e, int64_t ms)
{
	e->within_ms = ms;
	if (e->list != NULL && !e->late)
		server_await(e);
}

void exchange_list_append(struct exchange_list *list, struct exchange *e)
{
	e->list = list;
	e->next = NULL;
	e->prev = list->last;
	if (list->last)
		list->last->next = e;
	else
		list->first = e;
	list->last = e;
}

void exchange_list_insert(struct exchange_list *list, struct exchange *e)
{
	struct exchange *before = list->last;

	while (before && before->deadline_ms > e->deadline_ms)
		before = before->prev;
	if (before == list->last) {
		exchange_list_append(list, e);
		return;
	}
	e->list = list;
	e->prev = before;
	e->next = before ? before->next : list->first;
	e->next->prev = e;
	if (before)
		before->next = e;
	else
		list->first = e;
}

void exchange_list_remove(struct exchange *e)
{
	struct exchange_list *list = e->list;

	if (!list)
		return;
	if (e->prev)
		e->prev->next = e->next;
	else
		list->first = e->next;
	if (e->next)
		e->next->prev = e->prev;
	else
		list->last = e->prev;
	e->list = NULL;
	e->prev = NULL;
	e->next = NULL;
}
