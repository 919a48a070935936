#include "http/http_redirect.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "http/http_request.h"

/* Is that part of both the same? A port that is left out is the scheme's. */
static bool same_part(CURLU *a, CURLU *b, CURLUPart part)
{
	char *left = NULL, *right = NULL;
	bool same = curl_url_get(a, part, &left, CURLU_DEFAULT_PORT) == CURLUE_OK &&
		    curl_url_get(b, part, &right, CURLU_DEFAULT_PORT) == CURLUE_OK &&
		    strcasecmp(left, right) == 0;

	curl_free(left);
	curl_free(right);
	return same;
}

static bool has_part(CURLU *url, CURLUPart part)
{
	char *text = NULL;
	bool has = curl_url_get(url, part, &text, 0) == CURLUE_OK;

	curl_free(text);
	return has;
}

/* An IPv6 address may have a zone, which is no part of the host here: in another one it is another machine's. */
static bool same_zone(CURLU *a, CURLU *b)
{
	if (!has_part(a, CURLUPART_ZONEID) && !has_part(b, CURLUPART_ZONEID))
		return true;
	return same_part(a, b, CURLUPART_ZONEID);
}

char *http_redirect_target(const char *url, const char *location)
{
	CURLU *from = curl_url(), *to = curl_url();
	char *target = NULL, *copy;

	if (from != NULL && to != NULL &&
	    curl_url_set(from, CURLUPART_URL, url, CURLU_PATH_AS_IS) == CURLUE_OK &&
	    curl_url_set(to, CURLUPART_URL, url, CURLU_PATH_AS_IS) == CURLUE_OK &&
	    curl_url_set(to, CURLUPART_URL, location, CURLU_PATH_AS_IS) == CURLUE_OK &&
	    same_part(from, to, CURLUPART_SCHEME) && same_part(from, to, CURLUPART_HOST) &&
	    same_zone(from, to) && same_part(from, to, CURLUPART_PORT) && !has_part(to, CURLUPART_USER) &&
	    curl_url_set(to, CURLUPART_FRAGMENT, NULL, 0) == CURLUE_OK)
		(void)curl_url_get(to, CURLUPART_URL, &target, 0);
	curl_url_cleanup(from);
	curl_url_cleanup(to);
	copy = target != NULL ? strdup(target) : NULL;
	curl_free(target);
	return copy;
}

/* What has come of the answer is forgotten. The token is for this server, and for nobody else. */
static bool send_again(struct http_request *r, const char *url)
{
	int64_t left_ms = r->deadline_ms - clock_mono_ms();

	curl_multi_remove_handle(r->multi, r->easy);
	buf_clear(&r->body);
	r->header_bytes = r->passed_over = r->sending_at = 0;
	return left_ms > 0 && curl_easy_setopt(r->easy, CURLOPT_URL, url) == CURLE_OK &&
	       curl_easy_setopt(r->easy, CURLOPT_TIMEOUT_MS, (long)left_ms) == CURLE_OK &&
	       curl_multi_add_handle(r->multi, r->easy) == CURLM_OK;
}

bool http_redirect_follow(struct http_request *r)
{
	const char *url = NULL;
	char *target = NULL;
	long status = 0;
	bool goes_on;

	curl_easy_getinfo(r->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(r->easy, CURLINFO_EFFECTIVE_URL, &url);
	if (!r->one_redirect || !r->headers_whole || (status != 307 && status != 308))
		return false;
	r->one_redirect = false;
	if (url != NULL && r->location[0] != '\0')
		target = http_redirect_target(url, r->location);
	goes_on = target != NULL && send_again(r, target);
	free(target);
	return goes_on;
}
