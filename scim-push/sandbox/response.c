/* An answer on its way out: its headers, and its body in one or in pieces. */
#include "scim-push/sandbox/response.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/id.h"

#define HEADER_SIZE 64
#define PIECE_MOST  32768

static void add_header(struct MHD_Response *response, struct quirk *quirk, const char *name,
		       const char *value)
{
	char spelled[HEADER_SIZE];

	if (value[0] == '\0')
		return;
	(void)snprintf(spelled, sizeof(spelled), "%s", name);
	quirk_header(quirk, spelled);
	(void)MHD_add_response_header(response, spelled, value);
}

static void add_headers(struct MHD_Response *response, struct quirk *quirk, const struct answer *answer)
{
	char id[ID_SIZE];

	id_make(0, id);
	add_header(response, quirk, "Content-Type", answer->type);
	add_header(response, quirk, "x-amzn-RequestId", id);
	add_header(response, quirk, "Location", answer->location);
	add_header(response, quirk, "Retry-After", answer->retry_after);
	if (!quirk->on)
		return;
	add_header(response, quirk, "ETag", "W/\"e180ee84f0671b1\"");
	add_header(response, quirk, "Set-Cookie", "visited=yes; Path=/; HttpOnly");
	/* Which libmicrohttpd then does. */
	if (quirk_draw(quirk, 6) == 0)
		(void)MHD_add_response_header(response, "Connection", "close");
}

/* A body that is sent in pieces, its length not told before. */
struct pieces {
	struct quirk quirk;
	size_t len;
	char text[];
};

static ssize_t next_piece(void *context, uint64_t at, char *out, size_t most)
{
	struct pieces *pieces = context;
	size_t len = pieces->len - (size_t)at;

	if (len == 0)
		return MHD_CONTENT_READER_END_OF_STREAM;
	len = quirk_piece(&pieces->quirk, len);
	len = len < most ? len : most;
	(void)memcpy(out, pieces->text + at, len);
	return (ssize_t)len;
}

/* NULL: out of memory. */
static struct MHD_Response *in_pieces(const struct buf *body, const struct quirk *quirk)
{
	struct pieces *pieces = malloc(sizeof(*pieces) + body->len);
	struct MHD_Response *response = NULL;

	if (pieces == NULL)
		return NULL;
	pieces->quirk = *quirk;
	pieces->len = body->len;
	(void)memcpy(pieces->text, buf_text(body), body->len);
	response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, PIECE_MOST, next_piece, pieces, free);
	if (response == NULL)
		free(pieces);
	return response;
}

/* NULL: out of memory. */
static struct MHD_Response *in_one(struct answer *answer)
{
	size_t len = answer->body.len;
	char *body = len > 0 ? buf_detach(&answer->body) : NULL;
	struct MHD_Response *response = MHD_create_response_from_buffer(
		len, body, body != NULL ? MHD_RESPMEM_MUST_FREE : MHD_RESPMEM_PERSISTENT);

	if (response == NULL)
		free(body);
	return response;
}

struct MHD_Response *response_make(struct answer *answer, struct quirk *quirk)
{
	bool chunked = answer->body.len > 0 && quirk_draw(quirk, 3) > 0;
	struct MHD_Response *response = chunked ? in_pieces(&answer->body, quirk) : in_one(answer);

	if (response != NULL)
		add_headers(response, quirk, answer);
	return response;
}
