/* Reads requests with Content-Length, one after the other on each connection. */
#include "tests/support/scim_peer.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IN_MAX   (1 << 20)
#define SEEN_MAX (1 << 20)

struct sending {
	uv_write_t write;
	struct buf bytes;
	bool close;
};

struct request {
	const char *head; /* request line and headers, with their CR LF; not terminated */
	size_t head_len;
	const char *body;
	size_t body_len;
};

static void hang_up(struct peer_connection *c)
{
	if (c->closing)
		return;
	c->closing = true;
	uv_close((uv_handle_t *)&c->tcp, NULL);
}

static void on_sent(uv_write_t *write, int status)
{
	struct sending *s = write->data;

	if (s->close || status < 0)
		hang_up(write->handle->data);
	buf_release(&s->bytes);
	free(s);
}

static void send_answer(struct peer_connection *c, const struct peer_rule *rule)
{
	struct sending *s = calloc(1, sizeof(*s));

	assert(s != NULL);
	buf_init(&s->bytes, 4 * IN_MAX);
	if (rule->deed == PEER_RAW)
		buf_adds(&s->bytes, rule->body);
	else
		buf_addf(&s->bytes, "HTTP/1.1 %d Scripted\r\nContent-Type: application/json\r\n%s",
			 rule->status, rule->headers == NULL ? "" : rule->headers);
	if (rule->deed != PEER_RAW && rule->status != 204)
		buf_addf(&s->bytes, "Content-Length: %zu\r\n", strlen(rule->body));
	if (rule->deed != PEER_RAW)
		buf_addf(&s->bytes, "\r\n%s", rule->body);
	assert(!buf_failed(&s->bytes));
	s->close = rule->deed == PEER_RAW;
	s->write.data = s;
	uv_buf_t out = uv_buf_init(s->bytes.data, (unsigned)s->bytes.len);
	if (uv_write(&s->write, (uv_stream_t *)&c->tcp, &out, 1, on_sent) != 0)
		abort();
}

static const struct peer_rule *rule_for(struct peer *peer, const char *line)
{
	for (size_t i = 0; i < peer->rule_count; i++) {
		if (peer->used[i] || strstr(line, peer->rules[i].when) == NULL)
			continue;
		peer->used[i] = true;
		return &peer->rules[i];
	}
	return NULL;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The order of header lines means nothing and differs between versions of libcurl. */
static void note_wire(struct peer *peer, const struct request *r)
{
	char *head = strndup(r->head, r->head_len);
	char *lines[64];
	char port[16];
	size_t count = 0;
	char *rest = head;

	assert(head != NULL);
	for (char *end = strstr(rest, "\r\n"); end != NULL && count < 64; end = strstr(rest, "\r\n")) {
		*end = '\0';
		lines[count++] = rest;
		rest = end + 2;
	}
	assert(count >= 2);
	snprintf(port, sizeof(port), ":%d", peer->port);
	qsort(lines + 1, count - 1, sizeof(lines[0]), by_text);
	for (size_t i = 0; i < count; i++) {
		char *found = strstr(lines[i], port);
		if (lines[i][0] == '\0')
			continue;
		if (found == NULL)
			buf_addf(&peer->wire, "%s\n", lines[i]);
		else
			buf_addf(&peer->wire, "%.*s:PORT%s\n", (int)(found - lines[i]), lines[i],
				 found + strlen(port));
	}
	buf_addf(&peer->wire, "\n%.*s%s", (int)r->body_len, r->body, r->body_len > 0 ? "\n\n" : "");
	free(head);
}

static void on_request(struct peer_connection *c, const struct request *r)
{
	static const struct peer_rule unexpected = {.status = 599, .body = ""};
	struct peer *peer = c->peer;
	const char *version = strstr(r->head, " HTTP/1.1\r\n");
	struct buf line;

	assert(version != NULL);
	peer->requests++;
	note_wire(peer, r);
	buf_init(&line, IN_MAX);
	buf_addf(&line, "%.*s %.*s", (int)(version - r->head), r->head, (int)r->body_len, r->body);
	const struct peer_rule *rule = rule_for(peer, buf_text(&line));
	buf_addf(&peer->seen, "%s%.*s\n", rule == NULL ? "UNEXPECTED " : "", (int)(version - r->head),
		 r->head);
	if (r->body_len > 0)
		buf_addf(&peer->seen, "  %.*s\n", (int)r->body_len, r->body);
	buf_release(&line);
	if (rule == NULL)
		send_answer(c, &unexpected);
	else if (rule->deed == PEER_CLOSE)
		hang_up(c);
	else if (rule->deed != PEER_HANG)
		send_answer(c, rule);
}

/* Takes one whole request off the front. */
static bool take_request(struct peer_connection *c)
{
	const char *text = buf_text(&c->in);
	const char *end = strstr(text, "\r\n\r\n");
	const char *length = strstr(text, "Content-Length: ");

	if (end == NULL || c->closing)
		return false;
	size_t body_len = length != NULL && length < end ? strtoul(length + 16, NULL, 10) : 0;
	size_t head_len = (size_t)(end - text) + 4;
	if (c->in.len < head_len + body_len)
		return false;
	struct request r = {text, head_len, text + head_len, body_len};
	on_request(c, &r);
	size_t rest = c->in.len - head_len - body_len;
	memmove(c->in.data, text + head_len + body_len, rest + 1);
	c->in.len = rest;
	return true;
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *out)
{
	struct peer_connection *c = handle->data;

	(void)suggested;
	*out = uv_buf_init(c->piece, sizeof(c->piece));
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *bytes)
{
	struct peer_connection *c = stream->data;

	if (count > 0) {
		buf_add(&c->in, bytes->base, (size_t)count);
		assert(!buf_failed(&c->in));
	}
	if (count < 0) {
		hang_up(c);
		return;
	}
	while (c->in.len > 0 && take_request(c))
		continue;
}

static void on_connection(uv_stream_t *server, int status)
{
	struct peer *peer = server->data;
	struct peer_connection *c = &peer->connections[peer->connection_count];

	assert(status == 0 && peer->connection_count < PEER_CONNECTIONS_MAX);
	peer->connection_count++;
	uv_tcp_init(server->loop, &c->tcp);
	c->peer = peer;
	c->tcp.data = c;
	buf_init(&c->in, IN_MAX);
	assert(uv_accept(server, (uv_stream_t *)&c->tcp) == 0);
	uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read);
}

void peer_open(struct peer *peer, uv_loop_t *loop)
{
	struct sockaddr_in address;
	struct sockaddr_storage bound;
	int len = sizeof(bound);
	int err = uv_tcp_init(loop, &peer->server);

	uv_ip4_addr("127.0.0.1", 0, &address);
	err |= uv_tcp_bind(&peer->server, (const struct sockaddr *)&address, 0);
	err |= uv_listen((uv_stream_t *)&peer->server, 64, on_connection);
	err |= uv_tcp_getsockname(&peer->server, (struct sockaddr *)&bound, &len);
	assert(err == 0);
	memcpy(&address, &bound, sizeof(address));
	peer->port = ntohs(address.sin_port);
	peer->server.data = peer;
	buf_init(&peer->seen, SEEN_MAX);
	buf_init(&peer->wire, SEEN_MAX);
}

void peer_rewind(struct peer *peer)
{
	memset(peer->used, 0, sizeof(peer->used));
	peer->requests = 0;
	buf_clear(&peer->seen);
	buf_clear(&peer->wire);
}

void peer_script(struct peer *peer, const struct peer_rule *rules, size_t count)
{
	assert(count <= PEER_RULES_MAX);
	peer->rules = rules;
	peer->rule_count = count;
	peer_rewind(peer);
}

bool peer_all_used(const struct peer *peer)
{
	for (size_t i = 0; i < peer->rule_count; i++) {
		if (!peer->used[i])
			return false;
	}
	return true;
}

void peer_close(struct peer *peer)
{
	for (size_t i = 0; i < peer->connection_count; i++)
		hang_up(&peer->connections[i]);
	uv_close((uv_handle_t *)&peer->server, NULL);
}

void peer_release(struct peer *peer)
{
	for (size_t i = 0; i < peer->connection_count; i++)
		buf_release(&peer->connections[i].in);
	buf_release(&peer->seen);
	buf_release(&peer->wire);
}
