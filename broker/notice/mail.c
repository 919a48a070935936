#include "notice/mail.h"

#include <string.h>

#include <openssl/evp.h>

#include "base/id.h"
#include "base/utf8.h"
#include "notice/words.h"

#define LINE_MAX_QP  76 /* RFC 2045, section 6.7 */
#define WORD_BYTES   45 /* of text in one encoded word: 60 characters of base64 and 12 around them, of 75 */
#define ADDRESS_MAX  254
#define LOCAL_MAX    64
#define ALPHANUMERIC "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

/* Labels of letters, digits and hyphens, with one full stop between two of them. */
static bool is_domain(const char *text)
{
	size_t len = strlen(text);

	return len > 0 && strspn(text, ALPHANUMERIC "-.") == len && strstr(text, "..") == NULL &&
	       strchr(".-", text[0]) == NULL && strchr(".-", text[len - 1]) == NULL;
}

bool mail_address_valid(const char *text)
{
	const char *at = strchr(text, '@');
	size_t local = at != NULL ? (size_t)(at - text) : 0;

	return local > 0 && local <= LOCAL_MAX && strlen(text) <= ADDRESS_MAX && text[0] != '.' &&
	       strspn(text, ALPHANUMERIC ".!#$%&'*+/=?^_`{|}~-") == local && text[local - 1] != '.' &&
	       strstr(text, "..") == NULL && is_domain(at + 1);
}

/* -- headers ------------------------------------------------------------------------------------------------ */

/* Printable ASCII that nobody can take for an encoded word. */
static bool is_plain(const char *text)
{
	for (const char *at = text; *at != '\0'; at++)
		if (*at < ' ' || *at > '~')
			return false;
	return strstr(text, "=?") == NULL;
}

/* RFC 2047: as many encoded words as it takes, none of which ends inside a character. */
static void add_encoded(struct buf *out, const char *text)
{
	unsigned char base64[(WORD_BYTES + 2) / 3 * 4 + 1];

	for (size_t len; *text != '\0'; text += len) {
		len = strnlen(text, WORD_BYTES + 1);
		if (len > WORD_BYTES)
			len = utf8_cut(text, WORD_BYTES);
		if (len == 0)
			len = 1; /* no UTF-8: the byte alone */
		EVP_EncodeBlock(base64, (const unsigned char *)text, (int)len);
		buf_addf(out, "=?UTF-8?B?%s?=%s", (const char *)base64, text[len] != '\0' ? "\r\n " : "");
	}
}

static void add_subject(struct buf *out, const char *subject)
{
	char clean[MAIL_SUBJECT_MAX + 1];
	size_t len = strnlen(subject, MAIL_SUBJECT_MAX + 1);

	if (len > MAIL_SUBJECT_MAX)
		len = utf8_cut(subject, MAIL_SUBJECT_MAX);
	memcpy(clean, subject, len);
	clean[len] = '\0';
	for (char *at = clean; *at != '\0'; at++)
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			*at = ' ';
	buf_adds(out, "Subject: ");
	if (is_plain(clean))
		buf_adds(out, clean);
	else
		add_encoded(out, clean);
	buf_adds(out, "\r\n");
}

static void add_headers(struct buf *out, const struct mail *mail)
{
	const char *domain = strchr(mail->from, '@') + 1;
	char date[WORDS_SIZE];

	buf_addf(out, "Date: %s\r\nFrom: <%s>\r\nTo: <%s>\r\n", words_mail_date(mail->at_ms, date),
		 mail->from, mail->to);
	add_subject(out, mail->subject);
	buf_addf(out, "Message-ID: <%s@%s>\r\n", mail->id, domain);
	if (mail->thread[0] != '\0')
		buf_addf(out, "In-Reply-To: <request-%s@%s>\r\nReferences: <request-%s@%s>\r\n", mail->thread,
			 domain, mail->thread, domain);
	buf_addf(out, "List-Id: <jit-broker.%s>\r\n", domain);
	buf_adds(out, "Auto-Submitted: auto-generated\r\nX-Auto-Response-Suppress: All\r\n"
		      "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
		      "Content-Transfer-Encoding: quoted-printable\r\n\r\n");
}

/* -- body --------------------------------------------------------------------------------------------------- */

/* May the byte stand as it is? A blank may not at the end of a line, where it would get lost. */
static bool stands(const char *at)
{
	return (*at > ' ' && *at <= '~' && *at != '=') || (*at == ' ' && at[1] != '\n' && at[1] != '\0');
}

static void add_body(struct buf *out, const char *body)
{
	size_t column = 0;

	for (const char *at = body; *at != '\0'; at++) {
		size_t width = stands(at) ? 1 : 3;

		if (*at == '\n') {
			buf_adds(out, "\r\n");
			column = 0;
			continue;
		}
		if (column + width >= LINE_MAX_QP) {
			buf_adds(out, "=\r\n");
			column = 0;
		}
		if (width == 1)
			buf_add(out, at, 1);
		else
			buf_addf(out, "=%02X", (unsigned)(unsigned char)*at);
		column += width;
	}
	buf_adds(out, "\r\n");
}

enum err mail_write(const struct mail *mail, struct buf *out)
{
	buf_clear(out);
	if (!mail_address_valid(mail->from) || !mail_address_valid(mail->to) || !id_valid(mail->id) ||
	    (mail->thread[0] != '\0' && !id_valid(mail->thread)))
		return ERR_INTERNAL;
	add_headers(out, mail);
	add_body(out, mail->body);
	return buf_failed(out) ? ERR_NOMEM : ERR_OK;
}
