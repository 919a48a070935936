#include "escrow/line.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#define HEAD    "jit-escrow\t1\t"
#define FIELDS  11 /* of ESCROW_ADD; the others have the first SHORT of them */
#define SHORT   6
#define TAG_LEN 16 /* bytes that make a head unlike any other */

static const char *const kinds[ESCROW_KINDS] = {"add", "end", "gone"};

static void add_text(struct buf *out, const char *text)
{
	buf_adds(out, "\t");
	for (const char *p = text; *p != '\0'; p++) {
		unsigned char c = (unsigned char)*p;

		if (c < 0x20 || c == 0x7f || c == '\\')
			buf_addf(out, "\\x%02x", c);
		else
			buf_add(out, p, 1);
	}
}

void escrow_line_print(const struct escrow_line *line, struct buf *out)
{
	const char *const texts[] = {line->application, line->group,     line->principal, line->group_name,
				     line->group_id,    line->user_name, line->user_id,   line->assignment};
	size_t count = line->kind == ESCROW_ADD ? FIELDS - 3 : SHORT - 3;

	buf_addf(out, "%s\t%lld\t%lld", kinds[line->kind], (long long)line->at_ms, (long long)line->end_ms);
	for (size_t i = 0; i < count; i++)
		add_text(out, texts[i]);
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* In place. Only what add_text() escapes may be escaped, so that a text has one form. */
static bool unescape(char *text)
{
	char *to = text;

	for (const char *p = text; *p != '\0'; p++) {
		int high, low, c = (unsigned char)*p;

		if (c < 0x20 || c == 0x7f)
			return false;
		if (c == '\\') {
			high = p[1] == 'x' ? hex_digit(p[2]) : -1;
			low = high >= 0 ? hex_digit(p[3]) : -1;
			c = high * 16 + low;
			if (high < 0 || low < 0 || c == 0 || (c >= 0x20 && c != 0x7f && c != '\\'))
				return false;
			p += 3;
		}
		*to++ = (char)c;
	}
	*to = '\0';
	return true;
}

/* Cuts the text at its tabs. */
static size_t split(char *text, char *fields[FIELDS])
{
	size_t count = 0;

	for (char *next = text; next != NULL; count++) {
		char *at = next;

		if (count == FIELDS)
			return FIELDS + 1;
		next = strchr(at, '\t');
		if (next != NULL)
			*next++ = '\0';
		fields[count] = at;
	}
	return count;
}

static bool read_ms(const char *text, int64_t *out)
{
	int64_t value = 0;
	size_t len = strlen(text);

	if (len == 0 || len > 15 || (len > 1 && text[0] == '0'))
		return false;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		value = value * 10 + (text[i] - '0');
	}
	*out = value;
	return true;
}

bool escrow_line_read(char *text, struct escrow_line *line)
{
	char *fields[FIELDS] = {NULL};
	size_t count = split(text, fields), kind = 0;

	if (count < SHORT)
		return false;
	while (kind < ESCROW_KINDS && strcmp(fields[0], kinds[kind]) != 0)
		kind++;
	if (kind == ESCROW_KINDS || count != (kind == ESCROW_ADD ? FIELDS : SHORT))
		return false;
	for (size_t i = 3; i < count; i++)
		if (!unescape(fields[i]))
			return false;
	*line = (struct escrow_line){.kind = (enum escrow_kind)kind,
				     .application = fields[3],
				     .group = fields[4],
				     .principal = fields[5],
				     .group_name = count > SHORT ? fields[6] : "",
				     .group_id = count > SHORT ? fields[7] : "",
				     .user_name = count > SHORT ? fields[8] : "",
				     .user_id = count > SHORT ? fields[9] : "",
				     .assignment = count > SHORT ? fields[10] : ""};
	return read_ms(fields[1], &line->at_ms) && read_ms(fields[2], &line->end_ms);
}

void escrow_key_name(const char *key, char out[ESCROW_KEY_NAME])
{
	char text[512], digest[SHA256_HEX];

	snprintf(text, sizeof(text), "the name of a key of the escrow\n%s", key);
	digest_sha256_hex(text, strlen(text), digest);
	digest_wipe(text, sizeof(text));
	snprintf(out, ESCROW_KEY_NAME, "%.8s", digest);
}

void escrow_head_print(const char *name, const char *key, struct buf *out)
{
	unsigned char tag[TAG_LEN] = {0};
	char key_name[ESCROW_KEY_NAME];

	/* Without randomness two manifests of one name could begin alike, which spoils nothing but their order. */
	if (getrandom(tag, sizeof(tag), 0) != (ssize_t)sizeof(tag))
		memset(tag, 0, sizeof(tag));
	escrow_key_name(key, key_name);
	buf_addf(out, "%s%s", HEAD, key_name);
	add_text(out, name);
	buf_adds(out, "\t");
	for (size_t i = 0; i < sizeof(tag); i++)
		buf_addf(out, "%02x", tag[i]);
}

bool escrow_head_read(char *text, char key[ESCROW_KEY_NAME])
{
	size_t len = strlen(HEAD);
	const char *end;

	if (strncmp(text, HEAD, len) != 0)
		return false;
	end = strchr(text + len, '\t');
	if (end == NULL || end - (text + len) != ESCROW_KEY_NAME - 1)
		return false;
	snprintf(key, ESCROW_KEY_NAME, "%s", text + len);
	return true;
}

void escrow_seal(const char *key, const char *text, char seal[SHA256_HEX])
{
	const struct digest_piece pieces[] = {{seal, strlen(seal)}, {"\n", 1}, {text, strlen(text)}};
	unsigned char sum[SHA256_BYTES];

	digest_hmac(key, strlen(key), pieces, sizeof(pieces) / sizeof(pieces[0]), sum);
	digest_hex(sum, seal);
}
