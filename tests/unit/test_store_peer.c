/* The store against a Redis that misbehaves: a small RESP server on the same loop that says what the test wants. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <hiredis/hiredis.h>

#include "store/setup.h"
#include "tests/support/store_fixture.h"

#define PEER_PATH_SIZE 64
#define BUFFER_SIZE    65536
#define AFTER_SIZE     ((size_t)17 << 20)

struct client;

/* Answers the setup like a good Redis (unless told otherwise); functions are answered by `on_call`. */
struct peer {
	union {
		uv_stream_t stream;
		uv_pipe_t pipe;
		uv_tcp_t tcp;
	} server;
	char dir[32];
	char url[PEER_PATH_SIZE];
	struct client *client; /* the newest */
	size_t open;           /* handles that are not closed yet */
	size_t connections;
	size_t calls; /* of functions other than jit_version, over all connections */
	char selected[8];
	const char *version_reply; /* to FCALL_RO jit_version; NULL for :7 */
	void (*on_call)(struct peer *peer, const char *arg);
	void (*on_load)(struct peer *peer); /* `arg` is what follows FUNCTION LOAD, cut */
	const char *bytes;                  /* for on_call functions of the tests */
	size_t stuffing;                    /* how many x follow the bytes */
	char arg[32];                       /* of a call that is answered later */
};

struct client {
	union {
		uv_stream_t stream;
		uv_pipe_t pipe;
		uv_tcp_t tcp;
	} handle;
	struct peer *peer;
	redisReader *reader;
	char in[BUFFER_SIZE];
};

struct sending {
	uv_write_t request;
	char bytes[];
};

/* -- the peer --------------------------------------------------------------------------------------------- */

static void on_client_closed(uv_handle_t *handle)
{
	struct client *client = handle->data;
	client->peer->open--;
	redisReaderFree(client->reader);
	free(client);
}

static void hang_up(struct client *client)
{
	if (client->peer->client == client)
		client->peer->client = NULL;
	if (!uv_is_closing((uv_handle_t *)&client->handle.stream))
		uv_close((uv_handle_t *)&client->handle.stream, on_client_closed);
}

static void on_sent(uv_write_t *request, int status)
{
	(void)status; /* the store may have hung up, as it should */
	free(request->data);
}

static void say_bytes(struct peer *peer, const char *bytes, size_t len, size_t stuffing)
{
	struct sending *sending = malloc(sizeof(*sending) + len + stuffing);
	assert_non_null(sending);
	assert_non_null(peer->client);
	memcpy(sending->bytes, bytes, len);
	memset(sending->bytes + len, 'x', stuffing);
	sending->request.data = sending;
	uv_buf_t buf = uv_buf_init(sending->bytes, (unsigned)(len + stuffing));
	assert_int_equal(uv_write(&sending->request, &peer->client->handle.stream, &buf, 1, on_sent), 0);
}

static void say(struct peer *peer, const char *text)
{
	say_bytes(peer, text, strlen(text), 0);
}

static void say_bulk(struct peer *peer, const char *text)
{
	char reply[64];
	(void)snprintf(reply, sizeof(reply), "$%zu\r\n%s\r\n", strlen(text), text);
	say(peer, reply);
}

static void answer(struct peer *peer, const redisReply *command)
{
	const char *name = command->element[0]->str;
	const char *first = command->element[1]->str;
	if (strcmp(name, "SELECT") == 0) {
		(void)snprintf(peer->selected, sizeof(peer->selected), "%s", first);
		say(peer, "+OK\r\n");
	} else if (strcmp(name, "CONFIG") == 0) {
		say(peer, "*6\r\n$10\r\nappendonly\r\n$3\r\nyes\r\n$11\r\nappendfsync\r\n$6\r\nalways\r\n"
			  "$16\r\nmaxmemory-policy\r\n$10\r\nnoeviction\r\n");
	} else if (strcmp(name, "INFO") == 0) {
		say(peer, "$28\r\n# Replication\r\nrole:master\r\n\r\n");
	} else if (strcmp(name, "GET") == 0 && strcmp(first, "{j0}:store") == 0) {
		say_bulk(peer, "a-store");
	} else if (strcmp(name, "SET") == 0) {
		say(peer, "$-1\r\n");
	} else if (strcmp(name, "GET") == 0) {
		say_bulk(peer, strstr(first, "schema") != NULL ? "1" : "16");
	} else if (strcmp(first, "jit_version") == 0) {
		say(peer, peer->version_reply != NULL ? peer->version_reply : ":7\r\n");
	} else if (strcmp(first, "jit_denied") == 0) {
		say_bulk(peer, "");
	} else if (strcmp(name, "FUNCTION") == 0) {
		(void)snprintf(peer->arg, sizeof(peer->arg), "%.30s", command->element[2]->str);
		peer->on_load(peer);
	} else {
		peer->calls++;
		peer->on_call(peer, command->elements > 4 ? command->element[4]->str : "");
	}
}

static void on_peer_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	struct client *client = handle->data;
	(void)suggested;
	*buf = uv_buf_init(client->in, sizeof(client->in));
}

static void on_peer_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buf)
{
	struct client *client = stream->data;
	struct peer *peer = client->peer;
	void *command = NULL;
	if (count < 0) {
		hang_up(client);
		return;
	}
	assert_int_equal(redisReaderFeed(client->reader, buf->base, (size_t)count), REDIS_OK);
	/* What comes over an old connection after a new one was made is nobody's concern. */
	while (peer->client == client) {
		assert_int_equal(redisReaderGetReply(client->reader, &command), REDIS_OK);
		if (command == NULL)
			return;
		answer(peer, command);
		freeReplyObject(command);
	}
}

static void on_connection(uv_stream_t *server, int status)
{
	struct peer *peer = server->data;
	struct client *client = calloc(1, sizeof(*client));
	assert_int_equal(status, 0);
	assert_non_null(client);
	client->peer = peer;
	client->reader = redisReaderCreate();
	if (server->type == UV_TCP)
		assert_int_equal(uv_tcp_init(server->loop, &client->handle.tcp), 0);
	else
		assert_int_equal(uv_pipe_init(server->loop, &client->handle.pipe, 0), 0);
	client->handle.stream.data = client;
	peer->client = client;
	peer->open++;
	peer->connections++;
	assert_int_equal(uv_accept(server, &client->handle.stream), 0);
	assert_int_equal(uv_read_start(&client->handle.stream, on_peer_alloc, on_peer_read), 0);
}

static void on_server_closed(uv_handle_t *handle)
{
	struct peer *peer = handle->data;
	peer->open--;
}

/* Listens before the store of `f` is opened, on the same loop. */
static void peer_listen(struct peer *peer, struct store_fixture *f)
{
	(void)snprintf(peer->dir, sizeof(peer->dir), "/tmp/jit-peer-XXXXXX");
	assert_non_null(mkdtemp(peer->dir));
	(void)snprintf(peer->url, sizeof(peer->url), "unix:%s/s", peer->dir);
	assert_int_equal(uv_pipe_init(&f->loop, &peer->server.pipe, 0), 0);
	assert_int_equal(uv_pipe_bind(&peer->server.pipe, peer->url + strlen("unix:")), 0);
	assert_int_equal(uv_listen(&peer->server.stream, 16, on_connection), 0);
	peer->server.stream.data = peer;
	peer->open = 1;
}

static void peer_listen_tcp(struct peer *peer, struct store_fixture *f, const char *host)
{
	struct sockaddr_in address;
	int size = sizeof(address);
	assert_int_equal(uv_ip4_addr("127.0.0.1", 0, &address), 0);
	assert_int_equal(uv_tcp_init(&f->loop, &peer->server.tcp), 0);
	assert_int_equal(uv_tcp_bind(&peer->server.tcp, (const struct sockaddr *)&address, 0), 0);
	assert_int_equal(uv_listen(&peer->server.stream, 16, on_connection), 0);
	assert_int_equal(uv_tcp_getsockname(&peer->server.tcp, (struct sockaddr *)&address, &size), 0);
	(void)snprintf(peer->url, sizeof(peer->url), "redis://%s:%d/5", host, ntohs(address.sin_port));
	peer->server.stream.data = peer;
	peer->open = 1;
}

/* Opens the store on the peer and waits until it is ready, unless `peer` makes it not become so. */
static void open_both(struct peer *peer, struct store_fixture *f, int64_t timeout_ms)
{
	struct store_options options = fixture_options(f, "");
	fixture_prepare(f);
	peer_listen(peer, f);
	options.place.url = peer->url;
	options.call_timeout_ms = timeout_ms;
	fixture_open(f, &options);
}

static void close_both(struct peer *peer, struct store_fixture *f)
{
	uv_close((uv_handle_t *)&peer->server.stream, on_server_closed);
	if (peer->client != NULL)
		hang_up(peer->client);
	fixture_close(f);
	assert_int_equal(peer->open, 0);
	if (peer->dir[0] != '\0')
		assert_int_equal(rmdir(peer->dir), 0);
}

/* -- one hostile answer, then good ones --------------------------------------------------------------------- */

struct hostile_row {
	const char *bytes; /* the answer to the first call; NULL closes the connection */
	size_t stuffing;   /* so many x after them */
	const char *why;   /* why the connection was given up; NULL when it was not */
	enum err err;      /* what the caller is told */
	size_t calls;      /* how often the peer was asked */
};

#define NESTED_7 "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n"
#define BROKEN   "a reply is not in Redis' protocol"
#define LARGE    "a reply is larger than 16 MiB"
#define UNASKED  "Redis sent a reply that nothing asked for"

static const struct hostile_row hostile_rows[] = {
	{"hello\r\n", 0, BROKEN, ERR_OK, 2},
	{"HTTP/1.1 400 Bad Request\r\n\r\n", 0, BROKEN, ERR_OK, 2},
	{"\r\n\r\n", 0, BROKEN, ERR_OK, 2},
	{":12a\r\n", 0, BROKEN, ERR_OK, 2},
	{"$-7\r\n", 0, BROKEN, ERR_OK, 2},
	{"*-7\r\n", 0, BROKEN, ERR_OK, 2},
	{"$17000000\r\n", AFTER_SIZE, LARGE, ERR_OK, 2},
	{"+", AFTER_SIZE, LARGE, ERR_OK, 2},
	{"*100000000\r\n", 0, LARGE, ERR_OK, 2},
	{"*2147483647\r\n", 0, LARGE, ERR_OK, 2},
	{"*2\r\n*2000000\r\n*2000000\r\n", 0, LARGE, ERR_OK, 2},
	{NESTED_7 ":1\r\n", 0, NULL, ERR_OK, 1},
	{NESTED_7 "*1\r\n:1\r\n", 0, "a reply is nested too deeply", ERR_OK, 2},
	{NESTED_7 NESTED_7 NESTED_7, 0, "a reply is nested too deeply", ERR_OK, 2},
	{"*-1\r\n", 0, NULL, ERR_OK, 1},
	{"+fine\r\n+and more\r\n", 0, UNASKED, ERR_OK, 1},
	{NULL, 0, "Redis closed the connection", ERR_OK, 2},
	{"-LOADING Redis is loading\r\n", 0, "Redis answered: LOADING Redis is loading", ERR_OK, 2},
	{"-MASTERDOWN Link with MASTER is down\r\n", 0, "Redis answered: MASTERDOWN Link with MASTER is down",
	 ERR_OK, 2},
	{"-CLUSTERDOWN The cluster is down\r\n", 0, "Redis answered: CLUSTERDOWN The cluster is down", ERR_OK,
	 2},
	{"-NOAUTH Authentication required.\r\n", 0, "Redis answered: NOAUTH Authentication required.", ERR_OK,
	 2},
	{"-OOM command not allowed\r\n", 0, NULL, ERR_UNAVAILABLE, 1},
	{"-MISCONF Errors writing to the AOF file\r\n", 0, NULL, ERR_UNAVAILABLE, 1},
	{"-NOREPLICAS Not enough good replicas to write.\r\n", 0, NULL, ERR_UNAVAILABLE, 1},
	{"-WRONGTYPE Operation against a key\r\n", 0, NULL, ERR_INTERNAL, 1},
	{"-MOVED 3999 127.0.0.1:6381\r\n", 0, NULL, ERR_INTERNAL, 1},
	{"-ERR Function not found\r\n", 0, NULL, ERR_OK, 2},
	{"-\r\n", 0, NULL, ERR_INTERNAL, 1},
};

static void misbehave_once(struct peer *peer, const char *arg)
{
	(void)arg;
	if (peer->calls > 1)
		say(peer, "+good\r\n");
	else if (peer->bytes == NULL)
		hang_up(peer->client);
	else
		say_bytes(peer, peer->bytes, strlen(peer->bytes), peer->stuffing);
}

/* Whatever the peer says, the caller hears once, and the store is there again for the next call. */
static void run_hostile_row(const struct hostile_row *row)
{
	struct store_fixture f;
	struct outcome outcome = {.times = 0};
	struct peer peer = {.on_call = misbehave_once, .bytes = row->bytes, .stuffing = row->stuffing};
	open_both(&peer, &f, 10000);
	fixture_wait(&f, &f.times_ready, 1);
	fixture_send(&f, "t_x", "first", &outcome);
	if (row->why != NULL) {
		fixture_wait(&f, &f.times_lost, 1);
		assert_string_equal(f.why, row->why);
		fixture_wait(&f, &f.times_ready, 2);
	}
	fixture_wait(&f, &outcome.times, 1);
	assert_int_equal(outcome.err, row->err);
	assert_int_equal(peer.calls, row->calls);
	assert_int_equal(peer.connections, row->why != NULL ? 2 : 1);
	peer.calls = 2;
	assert_string_equal(fixture_ask(&f, "t_x", "second").text, "good");
	close_both(&peer, &f);
}

static void test_hostile_replies(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(hostile_rows) / sizeof(hostile_rows[0]); i++)
		run_hostile_row(&hostile_rows[i]);
}

/* -- another broker is first -------------------------------------------------------------------------------- */

static void load_second(struct peer *peer)
{
	peer->version_reply = ":9\r\n";
	say(peer, "-ERR Library 'jit' already exists\r\n");
}

/* Where there was no library, one that a newer broker has loaded meanwhile stays. */
static void test_library_of_another(void **state)
{
	struct store_fixture f;
	struct peer peer = {.version_reply = "-ERR Function not found\r\n", .on_load = load_second};
	(void)state;
	open_both(&peer, &f, 10000);
	fixture_wait(&f, &f.times_ready, 1);
	assert_memory_equal(peer.arg, "#!lua", 5);
	assert_int_equal(f.times_lost, 0);
	close_both(&peer, &f);
}

/* -- late replies ------------------------------------------------------------------------------------------- */

static void keep_for_later(struct peer *peer, const char *arg)
{
	if (strcmp(arg, "early") == 0)
		return; /* answered by the test */
	(void)snprintf(peer->arg, sizeof(peer->arg), "%s", arg);
}

/*
 * "slow" times out while the connection lives, because "early" was answered not long ago; its late reply is read
 * past, and "next" gets its own.
 */
static void test_late_reply(void **state)
{
	struct store_fixture f;
	struct peer peer = {.on_call = keep_for_later};
	struct outcome early = {.times = 0}, slow = {.times = 0}, next = {.times = 0};
	(void)state;
	open_both(&peer, &f, 2000);
	fixture_wait(&f, &f.times_ready, 1);
	fixture_send(&f, "t_x", "early", &early);
	fixture_wait(&f, &peer.calls, 1);
	fixture_send(&f, "t_x", "slow", &slow);
	fixture_wait(&f, &peer.calls, 2);
	fixture_run_for(&f, 1000);
	say_bulk(&peer, "early");
	fixture_wait(&f, &slow.times, 1);
	assert_string_equal(early.text, "early");
	assert_int_equal(slow.err, ERR_TIMEOUT);
	fixture_send(&f, "t_x", "next", &next);
	fixture_wait(&f, &peer.calls, 3);
	assert_int_equal(store_waiting(f.store), 1);
	say_bulk(&peer, "slow");
	say_bulk(&peer, "next");
	fixture_wait(&f, &next.times, 1);
	assert_string_equal(next.text, "next");
	assert_int_equal(slow.times, 1);
	assert_int_equal(peer.connections, 1);
	close_both(&peer, &f);
}

/* -- the conversation ----------------------------------------------------------------------------------------- */

static void say_good(struct peer *peer, const char *arg)
{
	(void)arg;
	say(peer, "+good\r\n");
}

static void test_hostile_setup(void **state)
{
	static const struct {
		const char *version_reply;
		const char *why;
	} rows[] = {
		{"what?\r\n", BROKEN},
		{"-LOADING Redis is loading\r\n", "the version of the function library cannot be read: Redis "
						  "answered: LOADING Redis is loading"},
		{":7\r\n:7\r\n",
		 "what the functions may do cannot be read: Redis answered: something unexpected"},
		{"", "Redis did not answer in time"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct store_fixture f;
		struct peer peer = {.on_call = say_good, .version_reply = rows[i].version_reply};
		open_both(&peer, &f, 300);
		fixture_wait(&f, &f.times_lost, 1);
		assert_string_equal(f.why, rows[i].why);
		assert_int_equal(f.times_ready, 0);
		peer.version_reply = NULL;
		fixture_wait(&f, &f.times_ready, 1);
		assert_string_equal(fixture_ask(&f, "t_x", NULL).text, "good");
		close_both(&peer, &f);
	}
}

/* A peer that refuses everybody is tried ever more rarely: without growing pauses it would be hundreds of times. */
static void test_attempts_become_rare(void **state)
{
	struct store_fixture f;
	struct peer peer = {.on_call = say_good, .version_reply = "what?\r\n"};
	(void)state;
	open_both(&peer, &f, 2000);
	fixture_run_for(&f, 500);
	assert_int_equal(f.times_ready, 0);
	assert_in_range(peer.connections, 1, 40);
	close_both(&peer, &f);
}

static void test_tcp(void **state)
{
	static const char *const hosts[] = {"127.0.0.1", "localhost"};
	(void)state;
	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		struct store_fixture f;
		struct peer peer = {.on_call = say_good};
		struct store_options options = fixture_options(&f, "");
		fixture_prepare(&f);
		peer_listen_tcp(&peer, &f, hosts[i]);
		options.place.url = peer.url;
		fixture_open(&f, &options);
		fixture_wait(&f, &f.times_ready, 1);
		assert_string_equal(peer.selected, "5");
		assert_string_equal(fixture_ask(&f, "t_x", NULL).text, "good");
		close_both(&peer, &f);
	}
}

/* Closing while the name is still being looked up must neither leak nor touch what is gone. */
static void test_close_while_resolving(void **state)
{
	struct store_fixture f;
	struct store_options options = fixture_options(&f, "redis://localhost:1");
	(void)state;
	fixture_prepare(&f);
	fixture_open(&f, &options);
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hostile_replies),
		cmocka_unit_test(test_library_of_another),
		cmocka_unit_test(test_late_reply),
		cmocka_unit_test(test_hostile_setup),
		cmocka_unit_test(test_tcp),
		cmocka_unit_test(test_close_while_resolving),
		cmocka_unit_test(test_attempts_become_rare),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
