#include "http/http_mail.h"

#include <stdio.h>

#include "base/clock.h"
#include "http/http_request.h"

#define ADDRESS_SIZE 260 /* "<" 254 characters ">" */

static bool set_recipient(struct http_request *r, const char *to)
{
	char address[ADDRESS_SIZE];
	int len = snprintf(address, sizeof(address), "<%s>", to);

	if (len < 0 || (size_t)len >= sizeof(address))
		return false;
	r->headers = curl_slist_append(NULL, address);
	return r->headers != NULL && curl_easy_setopt(r->easy, CURLOPT_MAIL_RCPT, r->headers) == CURLE_OK;
}

static bool set_sender(struct http_request *r, const char *from)
{
	char address[ADDRESS_SIZE];
	int len = snprintf(address, sizeof(address), "<%s>", from);

	return len > 0 && (size_t)len < sizeof(address) &&
	       curl_easy_setopt(r->easy, CURLOPT_MAIL_FROM, address) == CURLE_OK;
}

static bool set_mail(struct http_request *r, const struct http_mail *mail)
{
	CURL *easy = r->easy;
	bool ok = curl_easy_setopt(easy, CURLOPT_URL, mail->url) == CURLE_OK &&
		  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps") == CURLE_OK &&
		  curl_easy_setopt(easy, CURLOPT_USE_SSL, (long)CURLUSESSL_ALL) == CURLE_OK &&
		  curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L) == CURLE_OK &&
		  curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)r->sending_len) == CURLE_OK;

	if (mail->user[0] != '\0')
		ok = ok && curl_easy_setopt(easy, CURLOPT_USERNAME, mail->user) == CURLE_OK &&
		     curl_easy_setopt(easy, CURLOPT_PASSWORD, mail->password) == CURLE_OK;
	return ok;
}

enum err http_mail_start(struct http_client *client, const struct http_mail *mail,
			 const struct http_hook *hook, struct http_request **out)
{
	struct http_request *r;

	if (mail->deadline_ms <= clock_mono_ms())
		return ERR_TIMEOUT;
	r = http_request_new(client, hook, mail->deadline_ms);
	if (r == NULL)
		return ERR_NOMEM;
	r->is_mail = true;
	if (!http_request_send(r, mail->message) || !set_recipient(r, mail->to) ||
	    !set_sender(r, mail->from) || !set_mail(r, mail) || !http_request_limits(r, mail->ca_file)) {
		http_request_free(r);
		return ERR_NOMEM;
	}
	return http_request_begin(r, out);
}
