#include "command/account.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cjson/cJSON.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/json.h"

#define FILE_MAX (3 * ACCOUNT_TOKEN_SIZE)

/* The folder of the session's file; false when nobody's home is known. */
static bool folder(char out[ACCOUNT_TEXT_SIZE])
{
	const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	int len = -1;

	if (config != NULL && config[0] == '/')
		len = snprintf(out, ACCOUNT_TEXT_SIZE, "%s/jit", config);
	else if (home != NULL && home[0] == '/')
		len = snprintf(out, ACCOUNT_TEXT_SIZE, "%s/.config/jit", home);
	return len > 0 && len < ACCOUNT_TEXT_SIZE - 32;
}

static bool session_path(char out[ACCOUNT_TEXT_SIZE], const char *name)
{
	if (!folder(out))
		return false;
	snprintf(out + strlen(out), ACCOUNT_TEXT_SIZE - strlen(out), "/%s", name);
	return true;
}

bool account_url_safe(const char *url)
{
	static const char *const local[] = {"http://127.0.0.1", "http://[::1]", "http://localhost"};

	if (strncmp(url, "https://", 8) == 0 && url[8] != '\0')
		return true;
	for (size_t i = 0; i < sizeof(local) / sizeof(local[0]); i++) {
		size_t len = strlen(local[i]);

		if (strncmp(url, local[i], len) == 0 &&
		    (url[len] == '\0' || url[len] == ':' || url[len] == '/'))
			return true;
	}
	return false;
}

static enum err take_text(char *out, size_t size, const char *what, const char *text, struct errctx *ec)
{
	if (strlen(text) >= size)
		return err_set(ec, ERR_CONFIG, "%s is too long.", what);
	snprintf(out, size, "%s", text);
	return ERR_OK;
}

enum err account_set_server(struct account *account, const char *url, struct errctx *ec)
{
	size_t len = strlen(url);

	if (!account_url_safe(url))
		return err_set(ec, ERR_CONFIG,
			       "The server must be https://…, or http://… on this machine: %.100s", url);
	if (len >= sizeof(account->server))
		return err_set(ec, ERR_CONFIG, "The server's address is too long.");
	while (len > 0 && url[len - 1] == '/')
		len--;
	snprintf(account->server, sizeof(account->server), "%.*s", (int)len, url);
	return ERR_OK;
}

/* Reads a file that holds a secret whole; refuses one that others may read. */
static enum err read_private(const char *path, struct buf *out, struct errctx *ec)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	char chunk[4096];
	ssize_t got;

	if (fd < 0)
		return err_set(ec, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "%.150s: %s", path,
			       strerror(errno));
	if (fstat(fd, &st) != 0 || (st.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
		close(fd);
		return err_set(ec, ERR_CONFIG, "%.150s can be read by others; chmod 600 it.", path);
	}
	while ((got = read(fd, chunk, sizeof(chunk))) > 0)
		buf_add(out, chunk, (size_t)got);
	digest_wipe(chunk, sizeof(chunk));
	close(fd);
	if (got < 0 || buf_failed(out))
		return err_set(ec, ERR_CONFIG, "%.150s cannot be read, or is too long.", path);
	return ERR_OK;
}

static void wipe_buf(struct buf *b)
{
	if (b->data != NULL)
		digest_wipe(b->data, b->len);
	buf_release(b);
}

enum err account_read_token(struct account *account, const char *path, struct errctx *ec)
{
	struct buf text;
	enum err err;
	size_t len;

	buf_init(&text, ACCOUNT_TOKEN_SIZE - 1);
	err = read_private(path, &text, ec);
	if (err == ERR_OK) {
		len = strcspn(buf_text(&text), "\r\n");
		if (len == 0 || strspn(buf_text(&text) + len, "\r\n") != text.len - len)
			err = err_set(ec, ERR_CONFIG, "%.150s does not hold one token on one line.", path);
		else
			snprintf(account->token, sizeof(account->token), "%.*s", (int)len, buf_text(&text));
	} else if (err == ERR_NOT_FOUND) {
		err = ERR_CONFIG;
	}
	wipe_buf(&text);
	return err;
}

/* The members of the file, and where they go. */
struct member {
	const char *name;
	size_t offset, size;
};

#define MEMBER(name, field)                                                                                  \
	{                                                                                                    \
		name, offsetof(struct account, field), sizeof(((struct account *)0)->field)                  \
	}
static const struct member members[] = {
	MEMBER("server", server),
	MEMBER("ca", ca),
	MEMBER("tokenFile", token_file),
	MEMBER("accessToken", token),
	MEMBER("refreshToken", refresh_token),
	MEMBER("clientId", client_id),
	MEMBER("tokenEndpoint", token_endpoint),
	MEMBER("issuer", issuer),
};
#undef MEMBER

static enum err read_members(struct account *account, const cJSON *json, struct errctx *ec)
{
	const cJSON *expires = cJSON_GetObjectItemCaseSensitive(json, "expires");

	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		const char *text = json_string(json, members[i].name);

		if (text != NULL && take_text((char *)account + members[i].offset, members[i].size,
					      members[i].name, text, ec) != ERR_OK)
			return ERR_CONFIG;
	}
	if (cJSON_IsNumber(expires))
		account->expires_ms = (int64_t)expires->valuedouble;
	if (account->server[0] != '\0' && !account_url_safe(account->server))
		return err_set(ec, ERR_CONFIG, "The session names a server that a token may not be sent to.");
	return ERR_OK;
}

enum err account_read(struct account *account, struct errctx *ec)
{
	char path[ACCOUNT_TEXT_SIZE];
	struct buf text;
	cJSON *json = NULL;
	enum err err;

	memset(account, 0, sizeof(*account));
	if (!session_path(path, "session.json"))
		return ERR_OK;
	buf_init(&text, FILE_MAX);
	err = read_private(path, &text, ec);
	if (err == ERR_OK)
		err = json_parse(buf_text(&text), text.len, &json, ec);
	if (err == ERR_OK)
		err = read_members(account, json, ec);
	wipe_buf(&text);
	cJSON_Delete(json);
	if (err == ERR_NOT_FOUND && ec != NULL)
		ec->text[0] = '\0';
	return err == ERR_OK || err == ERR_NOT_FOUND ? ERR_OK : ERR_CONFIG;
}

static void print_members(const struct account *account, struct buf *out)
{
	buf_adds(out, "{");
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		buf_addf(out, "\"%s\":", members[i].name);
		json_add_string(out, (const char *)account + members[i].offset);
		buf_adds(out, ",");
	}
	buf_addf(out, "\"expires\":%lld}\n", (long long)account->expires_ms);
}

/* Writes beside the old file and renames: a full disk leaves the old session whole. */
static enum err write_private(const char *path, const struct buf *text, struct errctx *ec)
{
	char fresh[ACCOUNT_TEXT_SIZE + 8];
	ssize_t put = -1;
	int fd;

	snprintf(fresh, sizeof(fresh), "%s.new", path);
	unlink(fresh);
	fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd >= 0) {
		put = write(fd, buf_text(text), text->len);
		if (close(fd) != 0)
			put = -1;
	}
	if (put != (ssize_t)text->len || rename(fresh, path) != 0) {
		err_set(ec, ERR_IO, "%.150s cannot be written: %s", path, strerror(errno));
		unlink(fresh);
		return ERR_IO;
	}
	return ERR_OK;
}

enum err account_write(const struct account *account, struct errctx *ec)
{
	char dir[ACCOUNT_TEXT_SIZE], path[ACCOUNT_TEXT_SIZE];
	struct buf text;
	enum err err;
	char *slash;

	if (!folder(dir) || !session_path(path, "session.json"))
		return err_set(ec, ERR_IO, "HOME is not set: there is nowhere to keep the session.");
	slash = strrchr(dir, '/');
	*slash = '\0';
	mkdir(dir, 0700);
	*slash = '/';
	if (mkdir(dir, 0700) != 0 && errno != EEXIST)
		return err_set(ec, ERR_IO, "%.150s: %s", dir, strerror(errno));
	buf_init(&text, FILE_MAX);
	print_members(account, &text);
	err = buf_failed(&text) ? err_set(ec, ERR_NOMEM, "out of memory") : write_private(path, &text, ec);
	wipe_buf(&text);
	return err;
}

enum err account_forget(struct errctx *ec)
{
	char path[ACCOUNT_TEXT_SIZE];

	if (session_path(path, "session.json") && unlink(path) != 0 && errno != ENOENT)
		return err_set(ec, ERR_IO, "%.150s: %s", path, strerror(errno));
	return ERR_OK;
}

void account_wipe(struct account *account)
{
	digest_wipe(account->token, sizeof(account->token));
	digest_wipe(account->refresh_token, sizeof(account->refresh_token));
}
