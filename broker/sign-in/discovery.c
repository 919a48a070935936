#include "sign-in/discovery.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

#define WELL_KNOWN "/.well-known/openid-configuration"

/* 127.0.0.0/8 in its usual notation: four decimal numbers. */
static bool is_loopback_v4(const char *host, size_t len)
{
	int dots = 0;

	if (len < 9 || len > 15 || strncmp(host, "127.", 4) != 0)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (host[i] == '.') {
			if (host[i - 1] == '.')
				return false;
			dots++;
		} else if (host[i] < '0' || host[i] > '9') {
			return false;
		}
	}
	return dots == 3 && host[len - 1] != '.';
}

static bool is_loopback(const char *host, size_t len)
{
	return (len == 9 && memcmp(host, "localhost", 9) == 0) ||
	       (len == 5 && memcmp(host, "[::1]", 5) == 0) || is_loopback_v4(host, len);
}

/* Where the host ends: at the port, the path or the query; a literal of IPv6 holds colons itself. */
static size_t host_length(const char *authority)
{
	size_t bracket = authority[0] == '[' ? strcspn(authority, "]/?") : 0;

	return bracket + strcspn(authority + bracket, ":/?");
}

static bool is_port(const char *text, size_t len)
{
	return len == 0 ||
	       (len >= 2 && len <= 6 && text[0] == ':' && strspn(text + 1, "0123456789") == len - 1);
}

static bool is_http(const char *url)
{
	return strncmp(url, "http://", 7) == 0;
}

bool discovery_url_valid(const char *url, bool loopback)
{
	size_t len = strnlen(url, DISCOVERY_URL_MAX + 1);
	const char *authority;
	size_t host, whole;

	if (len > DISCOVERY_URL_MAX || strcspn(url, "#\\\"<>^`{|}") != len)
		return false;
	for (size_t i = 0; i < len; i++)
		if (url[i] <= ' ' || url[i] > '~')
			return false;
	if (!is_http(url) && strncmp(url, "https://", 8) != 0)
		return false;
	authority = strstr(url, "://") + 3;
	whole = strcspn(authority, "/?");
	host = host_length(authority);
	if (host == 0 || memchr(authority, '@', whole) || !is_port(authority + host, whole - host))
		return false;
	return !is_http(url) || (loopback && is_loopback(authority, host));
}

bool discovery_issuer_valid(const char *issuer)
{
	return discovery_url_valid(issuer, true) && strchr(issuer, '?') == NULL;
}

char *discovery_address(const char *issuer)
{
	size_t len = strlen(issuer);
	size_t size = len + sizeof(WELL_KNOWN);
	char *address = malloc(size);

	if (address == NULL)
		return NULL;
	if (len > 0 && issuer[len - 1] == '/')
		len--;
	snprintf(address, size, "%.*s%s", (int)len, issuer, WELL_KNOWN);
	return address;
}

static enum err read_document(const cJSON *root, const char *issuer, char **jwks_uri, struct errctx *ec)
{
	const char *named = json_string(root, "issuer");
	const char *uri = json_string(root, "jwks_uri");
	char *copy;

	if (named == NULL || strcmp(named, issuer) != 0)
		return err_set(ec, ERR_BAD_REQUEST, "it names another issuer than the configured one");
	if (uri == NULL)
		return err_set(ec, ERR_BAD_REQUEST, "it has no jwks_uri");
	if (!discovery_url_valid(uri, is_http(issuer)))
		return err_set(ec, ERR_BAD_REQUEST, "its jwks_uri is not an https address");
	copy = strdup(uri);
	if (copy == NULL)
		return err_set(ec, ERR_NOMEM, "no memory for its jwks_uri");
	*jwks_uri = copy;
	return ERR_OK;
}

enum err discovery_parse(const char *text, size_t len, const char *issuer, char **jwks_uri, struct errctx *ec)
{
	cJSON *root = NULL;
	enum err err = json_parse(text, len, &root, ec);

	if (err)
		return err;
	err = read_document(root, issuer, jwks_uri, ec);
	cJSON_Delete(root);
	return err;
}
