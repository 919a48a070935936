/* Takes a Redis URL apart. Decides nothing about how the address is reached. */
#include "store/address.h"

#include <stdio.h>
#include <string.h>

#define UNIX_SCHEME "unix:"
#define TCP_SCHEME  "redis://"
#define TLS_SCHEME  "rediss://"
#define DB_MAX      65535u
#define PORT_MAX    65535u

/* Reads decimal digits up to `max`; false when `len` is 0 or anything else than digits is there. */
static bool read_number(const char *text, size_t len, unsigned max, unsigned *number)
{
	unsigned value = 0;
	if (len == 0)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		value = value * 10 + (unsigned)(text[i] - '0');
		if (value > max)
			return false;
	}
	*number = value;
	return true;
}

/* Copies a non-empty text that fits with its NUL. */
static bool copy_text(const char *text, size_t len, char *to, size_t size)
{
	if (len == 0 || len >= size)
		return false;
	memcpy(to, text, len);
	to[len] = '\0';
	return true;
}

static enum err parse_path(const char *path, struct address *address, struct errctx *ec)
{
	if (path[0] != '/')
		return err_set(ec, ERR_CONFIG, "the path of a Unix socket must start with /");
	if (!copy_text(path, strlen(path), address->path, sizeof(address->path)))
		return err_set(ec, ERR_CONFIG, "the path of a Unix socket may have at most %d bytes",
			       ADDRESS_PATH_SIZE - 1);
	return ERR_OK;
}

static enum err parse_port(const char *text, size_t len, struct address *address, struct errctx *ec)
{
	unsigned number;
	if (!read_number(text, len, PORT_MAX, &number) || number == 0 ||
	    !copy_text(text, len, address->port, sizeof(address->port)))
		return err_set(ec, ERR_CONFIG, "the port of Redis must be a number from 1 to 65535");
	return ERR_OK;
}

/* `text` is host[:port] of `len` bytes. */
static enum err parse_host(const char *text, size_t len, struct address *address, struct errctx *ec)
{
	const char *end = text + len;
	const char *host = text;
	const char *host_end = memchr(text, ':', len);
	if (len > 0 && text[0] == '[') {
		host = text + 1;
		host_end = memchr(text, ']', len);
		if (host_end == NULL)
			return err_set(ec, ERR_CONFIG, "the ] after the IPv6 address of Redis is missing");
	}
	if (host_end == NULL)
		host_end = end;
	if (!copy_text(host, (size_t)(host_end - host), address->host, sizeof(address->host)))
		return err_set(ec, ERR_CONFIG, "the host of Redis is missing or too long");
	const char *rest = host_end < end && *host_end == ']' ? host_end + 1 : host_end;
	if (rest == end)
		return parse_port("6379", 4, address, ec);
	if (*rest != ':')
		return err_set(ec, ERR_CONFIG, "the host of Redis must be followed by :port, /db or nothing");
	return parse_port(rest + 1, (size_t)(end - rest - 1), address, ec);
}

static enum err parse_tcp(const char *text, struct address *address, struct errctx *ec)
{
	if (strchr(text, '@') != NULL)
		return err_set(ec, ERR_CONFIG, "a Redis URL must not hold a user or a password");
	const char *slash = strchr(text, '/');
	size_t len = slash != NULL ? (size_t)(slash - text) : strlen(text);
	if (slash != NULL && slash[1] != '\0' &&
	    !read_number(slash + 1, strlen(slash + 1), DB_MAX, &address->db))
		return err_set(ec, ERR_CONFIG, "the database of Redis must be a number from 0 to 65535");
	return parse_host(text, len, address, ec);
}

enum err address_parse(const char *url, struct address *address, struct errctx *ec)
{
	struct address parsed = {.db = 0};
	enum err err;
	if (strncmp(url, UNIX_SCHEME, strlen(UNIX_SCHEME)) == 0)
		err = parse_path(url + strlen(UNIX_SCHEME), &parsed, ec);
	else if (strncmp(url, TCP_SCHEME, strlen(TCP_SCHEME)) == 0)
		err = parse_tcp(url + strlen(TCP_SCHEME), &parsed, ec);
	else if (strncmp(url, TLS_SCHEME, strlen(TLS_SCHEME)) == 0)
		err = parse_tcp(url + strlen(TLS_SCHEME), &parsed, ec);
	else
		err = err_set(ec, ERR_CONFIG, "a Redis URL must be unix:/path or redis[s]://host:port[/db]");
	parsed.with_tls = strncmp(url, TLS_SCHEME, strlen(TLS_SCHEME)) == 0;
	if (err == ERR_OK)
		*address = parsed;
	return err;
}

bool address_make(struct address *address, const char *host, const char *port, const struct address *like)
{
	struct address made = {.db = like->db, .with_tls = like->with_tls};
	unsigned number;
	if (!read_number(port, strlen(port), PORT_MAX, &number) || number == 0 ||
	    !copy_text(port, strlen(port), made.port, sizeof(made.port)) ||
	    !copy_text(host, strlen(host), made.host, sizeof(made.host)))
		return false;
	*address = made;
	return true;
}

bool address_same(const struct address *a, const struct address *b)
{
	return strcmp(a->path, b->path) == 0 && strcmp(a->host, b->host) == 0 &&
	       strcmp(a->port, b->port) == 0;
}

const char *address_print(const struct address *address, char out[ADDRESS_TEXT_SIZE])
{
	bool is_ipv6 = strchr(address->host, ':') != NULL;
	if (address->path[0] != '\0')
		(void)snprintf(out, ADDRESS_TEXT_SIZE, "%s", address->path);
	else
		(void)snprintf(out, ADDRESS_TEXT_SIZE, "%s%s%s:%s", is_ipv6 ? "[" : "", address->host,
			       is_ipv6 ? "]" : "", address->port);
	return out;
}
