/* The application's certificate decides whether the token leaves: wrong authority, wrong host, and the right one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <uv.h>

#include "base/clock.h"
#include "http/http.h"
#include "tests/support/wait.h"

#define TIMEOUT_MS 5000

/* One TLS connection on the test's own loop; OpenSSL reads and writes memory, libuv the socket. */
struct tls_peer {
	uv_loop_t loop;
	uv_tcp_t server, tcp;
	bool connected;
	int port;
	SSL_CTX *ctx;
	SSL *ssl;
	char in[65536];
	char request[4096]; /* what the peer could decrypt */
	size_t request_len;
};

struct sending {
	uv_write_t write;
	char bytes[32768];
};

static void on_written(uv_write_t *write, int status)
{
	(void)status;
	free(write->data);
}

static void flush(struct tls_peer *peer)
{
	struct sending *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	int len = BIO_read(SSL_get_wbio(peer->ssl), s->bytes, sizeof(s->bytes));
	if (len <= 0) {
		free(s);
		return;
	}
	uv_buf_t out = uv_buf_init(s->bytes, (unsigned)len);
	s->write.data = s;
	uv_write(&s->write, (uv_stream_t *)&peer->tcp, &out, 1, on_written);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *out)
{
	struct tls_peer *peer = handle->data;

	(void)suggested;
	*out = uv_buf_init(peer->in, sizeof(peer->in));
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *bytes)
{
	static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
	struct tls_peer *peer = stream->data;

	if (count <= 0) {
		uv_read_stop(stream);
		return;
	}
	BIO_write(SSL_get_rbio(peer->ssl), bytes->base, (int)count);
	int len = SSL_read(peer->ssl, peer->request + peer->request_len,
			   (int)(sizeof(peer->request) - 1 - peer->request_len));
	if (len > 0) {
		peer->request_len += (size_t)len;
		if (strstr(peer->request, "\r\n\r\n") != NULL)
			SSL_write(peer->ssl, answer, sizeof(answer) - 1);
	}
	flush(peer);
}

static void on_connection(uv_stream_t *server, int status)
{
	struct tls_peer *peer = server->data;

	assert_int_equal(status, 0);
	assert_false(peer->connected);
	peer->connected = true;
	uv_tcp_init(server->loop, &peer->tcp);
	peer->tcp.data = peer;
	assert_int_equal(uv_accept(server, (uv_stream_t *)&peer->tcp), 0);
	peer->ssl = SSL_new(peer->ctx);
	SSL_set_bio(peer->ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
	SSL_set_accept_state(peer->ssl);
	uv_read_start((uv_stream_t *)&peer->tcp, on_alloc, on_read);
}

/* A certificate that is its own authority, for this host ("DNS:…" or "IP:…"). */
static X509 *make_certificate(EVP_PKEY *key, const char *host)
{
	X509 *certificate = X509_new();
	X509_NAME *name = X509_get_subject_name(certificate);
	char san[] = "subjectAltName", basic[] = "basicConstraints";

	X509_set_version(certificate, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
	X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
	X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
	X509_set_pubkey(certificate, key);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"test peer", -1, -1, 0);
	X509_set_issuer_name(certificate, name);
	X509_EXTENSION *names = X509V3_EXT_conf(NULL, NULL, san, host);
	X509_EXTENSION *authority = X509V3_EXT_conf(NULL, NULL, basic, "critical,CA:TRUE");
	X509_add_ext(certificate, names, -1);
	X509_add_ext(certificate, authority, -1);
	X509_EXTENSION_free(names);
	X509_EXTENSION_free(authority);
	assert_true(X509_sign(certificate, key, EVP_sha256()) > 0);
	return certificate;
}

static void write_pem(X509 *certificate, char path[64])
{
	snprintf(path, 64, "/tmp/test_http_tls.XXXXXX");
	int fd = mkstemp(path);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "w");

	assert_non_null(file);
	assert_int_equal(PEM_write_X509(file, certificate), 1);
	fclose(file);
}

static void peer_start(struct tls_peer *peer, EVP_PKEY *key, X509 *certificate)
{
	struct sockaddr_in address;
	struct sockaddr_storage bound;
	int len = sizeof(bound);

	assert_int_equal(uv_loop_init(&peer->loop), 0);
	uv_tcp_init(&peer->loop, &peer->server);
	peer->server.data = peer;
	uv_ip4_addr("127.0.0.1", 0, &address);
	assert_int_equal(uv_tcp_bind(&peer->server, (const struct sockaddr *)&address, 0), 0);
	assert_int_equal(uv_listen((uv_stream_t *)&peer->server, 1, on_connection), 0);
	assert_int_equal(uv_tcp_getsockname(&peer->server, (struct sockaddr *)&bound, &len), 0);
	memcpy(&address, &bound, sizeof(address));
	peer->port = ntohs(address.sin_port);
	peer->ctx = SSL_CTX_new(TLS_server_method());
	assert_int_equal(SSL_CTX_use_PrivateKey(peer->ctx, key), 1);
	assert_int_equal(SSL_CTX_use_certificate(peer->ctx, certificate), 1);
}

static void peer_stop(struct tls_peer *peer)
{
	uv_close((uv_handle_t *)&peer->server, NULL);
	if (peer->connected)
		uv_close((uv_handle_t *)&peer->tcp, NULL);
	uv_run(&peer->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&peer->loop), 0);
	SSL_free(peer->ssl);
	SSL_CTX_free(peer->ctx);
}

struct result {
	bool done, sent;
	long status;
};

static void on_done(void *ctx, const struct http_answer *answer)
{
	struct result *result = ctx;

	result->done = true;
	result->sent = answer->sent;
	result->status = answer->status;
	print_message("%ld %s\n", answer->status, answer->words);
}

static bool is_done(void *ctx)
{
	const struct result *result = ctx;

	return result->done;
}

static struct result ask(struct tls_peer *peer, const char *ca_file)
{
	struct http_client *client = NULL;
	struct http_request *request;
	struct result result = {0};
	struct http_hook hook = {on_done, &result};
	struct http_call call = {.method = HTTP_GET,
				 .token = "s3cret",
				 .accept = "application/json",
				 .ca_file = ca_file,
				 .deadline_ms = clock_mono_ms() + TIMEOUT_MS};
	char url[64];

	snprintf(url, sizeof(url), "https://127.0.0.1:%d/", peer->port);
	call.url = url;
	assert_int_equal(http_client_new(&peer->loop, &client, NULL), ERR_OK);
	assert_int_equal(http_start(client, &call, &hook, &request), ERR_OK);
	assert_true(wait_in_loop(&peer->loop, is_done, &result, 60000));
	http_client_free(client);
	return result;
}

/* Serves `host` and asks for 127.0.0.1, trusting the peer's own certificate or only the system's authorities. */
static void check(const char *host, bool trusted, bool reached)
{
	struct tls_peer peer = {.port = 0};
	EVP_PKEY *key = EVP_EC_gen("P-256");
	char path[64];

	assert_non_null(key);
	X509 *certificate = make_certificate(key, host);
	write_pem(certificate, path);
	peer_start(&peer, key, certificate);
	struct result result = ask(&peer, trusted ? path : "");
	unlink(path);
	peer_stop(&peer);
	X509_free(certificate);
	EVP_PKEY_free(key);
	assert_int_equal(result.status, reached ? 200 : 0);
	assert_int_equal(result.sent, reached);
	assert_int_equal(strstr(peer.request, "Bearer s3cret") != NULL, reached);
}

static void the_right_certificate(void **state)
{
	check("IP:127.0.0.1", true, true);
	(void)state;
}

static void an_unknown_authority(void **state)
{
	check("IP:127.0.0.1", false, false);
	(void)state;
}

static void another_host(void **state)
{
	check("DNS:scim.example.com", true, false);
	(void)state;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_right_certificate),
		cmocka_unit_test(an_unknown_authority),
		cmocka_unit_test(another_host),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
