/* Values that are addresses: where the broker listens, its store, and the applications' endpoints. */
#include "config/values.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "config/config.h"

/* "0" to "65535", digits only. */
static bool parse_port(const char *text, uint16_t *port)
{
	size_t digits = strspn(text, "0123456789");
	if (digits == 0 || digits > 5 || text[digits] != '\0')
		return false;
	long number = strtol(text, NULL, 10);
	if (number > UINT16_MAX)
		return false;
	*port = (uint16_t)number;
	return true;
}

/* "127.0.0.1:80" or "[::1]:80", split into the numeric address and the port. */
static bool parse_endpoint(const char *text, char *host, size_t size, uint16_t *port)
{
	struct in6_addr address;
	bool six = text[0] == '[';
	const char *colon = strrchr(text, ':');
	if (!colon || !parse_port(colon + 1, port))
		return false;
	size_t len = (size_t)(colon - text);
	if (six && (len < 2 || text[len - 1] != ']'))
		return false;
	if (six) {
		text++;
		len -= 2;
	}
	if (len >= size)
		return false;
	memcpy(host, text, len);
	host[len] = '\0';
	return inet_pton(six ? AF_INET6 : AF_INET, host, &address) == 1;
}

static void read_socket(const struct reading *reading, const struct value *value, struct config *config)
{
	const char *path = value->text + strlen("unix:");
	char resolved[sizeof(config->listen_path)];
	if (path[0] == '\0' || value_has_control(path))
		report_error(reading->report, value->place, "listen: unix: must be followed by a path");
	else if (!path_resolve(reading, path, resolved, sizeof(resolved)))
		report_error(reading->report, value->place,
			     "listen: the path of a socket has at most %zu bytes", sizeof(resolved) - 1);
	else {
		memcpy(config->listen_path, resolved, strlen(resolved) + 1);
		snprintf(config->listen_host, sizeof(config->listen_host), "unix");
		config->listen_port = 0;
	}
}

void value_read_listen(const struct reading *reading, const struct value *value, struct config *config)
{
	char host[sizeof(config->listen_host)], quoted[REPORT_QUOTE_SIZE];
	uint16_t port;
	if (strncmp(value->text, "unix:", 5) == 0) {
		read_socket(reading, value, config);
	} else if (parse_endpoint(value->text, host, sizeof(host), &port)) {
		memcpy(config->listen_host, host, strlen(host) + 1);
		config->listen_port = port;
		config->listen_path[0] = '\0';
	} else {
		report_error(reading->report, value->place,
			     "listen is %s, but must be a numeric address and a port (127.0.0.1:8080, "
			     "[::1]:8080) or unix:PATH",
			     report_quote(value->text, quoted));
	}
}

bool config_listens_on_loopback(const struct config *config)
{
	struct in_addr four;
	struct in6_addr six;
	if (config->listen_path[0])
		return true;
	if (inet_pton(AF_INET, config->listen_host, &four) == 1)
		return (ntohl(four.s_addr) >> 24) == 127;
	return inet_pton(AF_INET6, config->listen_host, &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six);
}

/* A URL's authority, taken apart. `host` keeps the brackets of an IPv6 address. */
struct authority {
	char host[256];
	bool has_port;
	uint16_t port;
	const char *rest; /* from the first '/', or the end */
};

static bool is_host(const char *host)
{
	struct in6_addr address;
	char inside[256];
	size_t len = strlen(host);
	if (host[0] != '[')
		return len && host[strspn(host, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
						"0123456789.-")] == '\0';
	if (len < 2 || host[len - 1] != ']')
		return false;
	memcpy(inside, host + 1, len - 2);
	inside[len - 2] = '\0';
	return inet_pton(AF_INET6, inside, &address) == 1;
}

static bool parse_authority(const char *text, struct authority *authority)
{
	size_t len = strcspn(text, "/");
	if (len >= sizeof(authority->host))
		return false;
	memcpy(authority->host, text, len);
	authority->host[len] = '\0';
	authority->rest = text + len;
	char *colon = strrchr(authority->host, ':');
	const char *bracket = strrchr(authority->host, ']');
	authority->has_port = colon && (!bracket || colon > bracket);
	authority->port = 0;
	if (authority->has_port) {
		if (!parse_port(colon + 1, &authority->port) || authority->port == 0)
			return false;
		*colon = '\0';
	}
	return is_host(authority->host);
}

/* What makes any URL unusable here, in words, or NULL. The text may hold a password: it is never repeated. */
static const char *refuse_url(const char *text)
{
	for (const char *at = text; *at; at++)
		if (*at <= 0x20 || *at >= 0x7f)
			return "holds a blank, a control or a non-ASCII character";
	if (strchr(text, '@'))
		return "must not hold credentials";
	if (strchr(text, '?') || strchr(text, '#'))
		return "must not have a query or a fragment";
	return NULL;
}

/* "/15": what may follow the host in a redis URL. */
static bool is_database(const char *rest)
{
	uint16_t number;
	return rest[0] == '\0' || strcmp(rest, "/") == 0 || (rest[0] == '/' && parse_port(rest + 1, &number));
}

static bool is_redis(const char *text, struct authority *authority)
{
	if (strncmp(text, "redis://", 8) == 0)
		return parse_authority(text + 8, authority);
	return strncmp(text, "rediss://", 9) == 0 && parse_authority(text + 9, authority);
}

void value_read_redis_url(const struct reading *reading, const struct setting *setting,
			  const struct value *value, void *base)
{
	struct authority authority;
	char resolved[sizeof("unix:") + 108] = "unix:"; /* sun_path */
	struct value socket = {resolved, value->place};
	const char *refused = refuse_url(value->text);
	if (strncmp(value->text, "unix:", 5) == 0 && value->text[5] && !value_has_control(value->text)) {
		if (path_resolve(reading, value->text + 5, resolved + 5, 108))
			(void)value_store_text(reading, setting, &socket, base);
		else
			report_error(reading->report, value->place,
				     "%s: the path of a socket has at most 107 bytes", setting->path);
	} else if (refused) {
		report_error(reading->report, value->place, "%s %s", setting->path, refused);
	} else if (is_redis(value->text, &authority) && is_database(authority.rest)) {
		(void)value_store_text(reading, setting, value, base);
	} else {
		report_error(reading->report, value->place,
			     "%s must be unix:PATH or redis[s]://HOST[:PORT][/DATABASE]", setting->path);
	}
}

static bool is_loopback_host(const char *host)
{
	return strcmp(host, "127.0.0.1") == 0 || strcmp(host, "[::1]") == 0 ||
	       strcasecmp(host, "localhost") == 0;
}

/* Why this is no address of a server, in words, or NULL; `danger` says what http would do beyond loopback. */
static const char *refuse_server(const char *text, struct authority *authority, const char *danger)
{
	const char *refused = refuse_url(text);
	if (refused)
		return refused;
	bool secure = strncasecmp(text, "https://", 8) == 0;
	bool plain = strncasecmp(text, "http://", 7) == 0;
	if (!secure && !plain)
		return "must begin with https://";
	if (!parse_authority(text + (secure ? 8 : 7), authority))
		return "has no usable host and port";
	return plain && !is_loopback_host(authority->host) ? danger : NULL;
}

/* Why this is no SCIM endpoint, in words, or NULL. */
static const char *refuse_scim_url(const char *text)
{
	struct authority authority;
	const char *refused =
		refuse_server(text, &authority,
			      "must begin with https://: over http the token would be readable on the way "
			      "(http is accepted for 127.0.0.1, [::1] and localhost only)");
	if (refused)
		return refused;
	return strstr(authority.rest, "//") ? "holds an empty path segment (//)" : NULL;
}

/*
 * Why this is no issuer, in words, or NULL. What passes here passes sign-in too. Tokens are compared with it
 * byte by byte, so that one in another spelling would be no use.
 */
static const char *refuse_issuer(const char *text)
{
	struct authority authority;
	const char *refused =
		refuse_server(text, &authority,
			      "must begin with https://: over http anybody on the way could give the broker "
			      "keys of their own (http is accepted for 127.0.0.1, [::1] and localhost only)");
	if (refused)
		return refused;
	bool secure = strncmp(text, "https://", 8) == 0, plain = strncmp(text, "http://", 7) == 0;
	if ((!secure && !plain) || (plain && strpbrk(authority.host, "LOCALHST")))
		return "must have https://, or http:// and localhost, in lower case";
	return strpbrk(text, "\"\\<>^`{|}") ? "holds a character that no address has" : NULL;
}

void value_read_issuer_url(const struct reading *reading, const struct setting *setting,
			   const struct value *value, void *base)
{
	const char *refused = refuse_issuer(value->text);
	if (refused)
		report_error(reading->report, value->place, "%s %s", setting->path, refused);
	else
		(void)value_store_text(reading, setting, value, base);
}

void value_read_scim_url(const struct reading *reading, const struct setting *setting,
			 const struct value *value, void *base)
{
	const char *refused = refuse_scim_url(value->text);
	if (refused) {
		report_error(reading->report, value->place, "%s %s", setting->path, refused);
		return;
	}
	if (!value_store_text(reading, setting, value, base))
		return;
	char *url = (char *)base + setting->offset;
	size_t len = strlen(url);
	if (url[len - 1] == '/') /* paths are appended with theirs */
		url[len - 1] = '\0';
}

void value_read_hook_url(const struct reading *reading, const struct setting *setting,
			 const struct value *value, void *base)
{
	struct authority authority;
	const char *refused = refuse_server(value->text, &authority,
					    "must begin with https://: over http what it is told would be "
					    "readable on the way (http is accepted for 127.0.0.1, [::1] and "
					    "localhost only)");
	if (refused)
		report_error(reading->report, value->place, "%s %s", setting->path, refused);
	else
		(void)value_store_text(reading, setting, value, base);
}

void value_read_mail_url(const struct reading *reading, const struct setting *setting,
			 const struct value *value, void *base)
{
	struct authority authority;
	const char *refused = refuse_url(value->text), *rest = strstr(value->text, "://");
	bool known = strncmp(value->text, "smtp://", 7) == 0 || strncmp(value->text, "smtps://", 8) == 0;
	if (refused)
		report_error(reading->report, value->place, "%s %s", setting->path, refused);
	else if (known && parse_authority(rest + 3, &authority) && authority.rest[0] == '\0')
		(void)value_store_text(reading, setting, value, base);
	else
		report_error(reading->report, value->place,
			     "%s must be smtp://HOST[:PORT] or smtps://HOST[:PORT]", setting->path);
}
