/*
 * The head of a request: its fields are kept, and what two readers of one message could understand differently is refused
 * (RFC 9112, section 11.2).
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <microhttpd.h>

#include "server/exchange.h"
#include "base/digest.h"

/* Where libmicrohttpd gives its fields from. */
struct head {
	struct exchange *exchange;
	const char *end; /* of what has been read, in libmicrohttpd's own buffer */
};

/* Fields of which two would let two readers of one message understand it differently. */
static bool must_be_single(const char *name)
{
	static const char *const names[] = {
		"Host",          "Content-Length",    "Transfer-Encoding",
		"Authorization", "Content-Type",      "Idempotency-Key",
		"webhook-id",    "webhook-timestamp", "webhook-signature",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (strcasecmp(name, names[i]) == 0)
			return true;
	}
	return false;
}

/* libmicrohttpd gives its memory back as it is, and asks for this field no more. The value lies in its own buffer, which it
 * shows as constant. */
static void wipe_given(const char *value)
{
	char *given;

	memcpy(&given, &value, sizeof(given));
	digest_wipe(given, strlen(given));
}

/*
 * 0.9 says nothing of what it has joined (a folded line, to the name of its field) or cut (a text, at a NUL). But it
 * leaves what it has read where it is, with NULs in the place of blanks, colons and line ends: where something was joined
 * or cut, or a line ends with anything but CR LF, there is a gap, or its count of bytes is another. 1.0 refuses all
 * this itself.
 */
static bool shows_its_buffer(void)
{
	return strncmp(MHD_get_version(), "0.9.", 4) == 0;
}

static bool line_is_whole(const struct exchange *e, const char *method, const char *version)
{
	return e->asked == method + strlen(method) + 1 && version == e->asked + e->asked_len + 1;
}

static bool field_is_whole(const struct head *head, const char *name, size_t name_len, const char *value)
{
	const char *at = name + name_len + 1;

	if (name != head->end || (uintptr_t)value < (uintptr_t)at)
		return false;
	while (at < value && (*at == ' ' || *at == '\t'))
		at++;
	return at == value;
}

#define LINE_END 2 /* CR LF */

static bool head_is_whole(const struct head *head, const char *method)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(head->exchange->connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);

	return info && info->header_size == (size_t)(head->end + LINE_END - method);
}

/* Copies one field: libmicrohttpd's memory goes with the connection, the handler may keep the exchange longer. */
static enum MHD_Result read_field(void *ctx, enum MHD_ValueKind kind, const char *name, size_t name_len,
				  const char *value, size_t value_len)
{
	struct head *head = ctx;
	struct exchange *e = head->exchange;

	(void)kind;
	/* 0.9.75 takes "Content-Length : 5" for a field of another name (RFC 9112, section 5.1). */
	if (!value || !target_token_valid(name, name_len) || !target_value_valid(value, value_len) ||
	    (shows_its_buffer() && !field_is_whole(head, name, name_len, value))) {
		exchange_refuse_and_cut(e, ERR_BAD_REQUEST, "A header field is malformed.");
		return MHD_NO;
	}
	head->end = value + value_len + LINE_END;
	if (must_be_single(name) && exchange_header(e, name))
		exchange_refuse_and_cut(e, ERR_BAD_REQUEST,
					"A header field that may be given once is given twice.");
	exchange_keep_header(e, name, value);
	if (strcasecmp(name, "Authorization") == 0)
		wipe_given(value);
	return MHD_YES;
}

/* How long the body says it is. A number that is none, libmicrohttpd has refused itself. */
static void check_length(struct exchange *e)
{
	const char *text = exchange_header(e, "Content-Length");
	unsigned long long len = text ? strtoull(text, NULL, 10) : 0;

	if (len > BODY_MAX) {
		exchange_refuse(e, ERR_TOO_BIG, NULL);
		e->cut = e->cut || len > DRAIN_MAX;
	}
	/* Who asks before sending need not send (RFC 9110, section 10.1.1). */
	if (e->refused != ERR_OK && exchange_header(e, "Expect"))
		e->cut = true;
}

/* RFC 9112, sections 6.1 and 6.3. */
static void check_framing(struct exchange *e, const char *version)
{
	const char *coding = exchange_header(e, "Transfer-Encoding");

	if (coding && exchange_header(e, "Content-Length"))
		exchange_refuse_and_cut(e, ERR_BAD_REQUEST,
					"The request has both Content-Length and Transfer-Encoding.");
	else if (coding && strcasecmp(coding, "chunked") != 0)
		exchange_refuse_and_cut(e, ERR_BAD_REQUEST,
					"The only Transfer-Encoding understood is chunked.");
	else if (coding && strcmp(version, MHD_HTTP_VERSION_1_1) != 0)
		exchange_refuse_and_cut(e, ERR_BAD_REQUEST, "Transfer-Encoding needs HTTP/1.1.");
	else
		check_length(e);
}

static void read_base_url(struct exchange *e, const char *version, bool secure)
{
	/* RFC 9112, section 3.2.2: an absolute target stands above the Host field. */
	const char *host = e->target.authority ? e->target.authority : exchange_header(e, "Host");

	if (host && !target_host_valid(host))
		exchange_refuse(e, ERR_BAD_REQUEST, "The host is not valid.");
	if (!host && strcmp(version, MHD_HTTP_VERSION_1_0) != 0)
		exchange_refuse(e, ERR_BAD_REQUEST, "The request has no Host.");
	if (!host || e->refused != ERR_OK)
		host = server_authority(e->server);
	snprintf(e->base_url, sizeof(e->base_url), "%s://%s", secure ? "https" : "http", host);
}

void exchange_read_head(struct exchange *e, const char *method, const char *version)
{
	struct head head = {.exchange = e, .end = version + strlen(version) + LINE_END};
	bool secure;

	MHD_get_connection_values_n(e->connection, MHD_HEADER_KIND, read_field, &head);
	if (shows_its_buffer() && (!line_is_whole(e, method, version) || !head_is_whole(&head, method)))
		exchange_refuse_and_cut(e, ERR_BAD_REQUEST, "The header is malformed.");
	if (buf_failed(&e->headers))
		exchange_refuse_and_cut(e, ERR_NOMEM, NULL);
	if (!target_token_valid(method, strlen(method)) || strlen(method) >= METHOD_SIZE)
		exchange_refuse(e, ERR_BAD_REQUEST, "The method is malformed.");
	e->is_head = strcmp(method, "HEAD") == 0;
	snprintf(e->method, sizeof(e->method), "%s", e->is_head ? "GET" : method);
	check_framing(e, version);
	exchange_read_caller(e, &secure);
	read_base_url(e, version, secure);
}
