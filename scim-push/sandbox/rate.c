/* Rates by the time at which a full burst would be there again (GCRA): one number for each rate. */
#include "scim-push/sandbox/rate.h"

#include <limits.h>
#include <string.h>

#define MILLION 1000000

static bool read_rate(struct words *words, struct rate *out)
{
	if (!words_take_method(words, out->method, sizeof(out->method)) ||
	    !words_take_path(words, out->path, sizeof(out->path)) ||
	    !words_take_number(words, 1, MILLION, &out->count) || !words_accept(words, "per") ||
	    !words_take_number(words, 1, 86400 * 1000, &out->per_ms))
		return false;
	out->burst = out->count;
	out->most_bytes = LONG_MAX;
	if (words_accept(words, "burst") && !words_take_number(words, 1, MILLION, &out->burst))
		return false;
	if (words_accept(words, "below")) {
		if (!words_take_number(words, 1, 1000 * MILLION, &out->most_bytes))
			return false;
		out->most_bytes--;
	} else if (words_accept(words, "from") &&
		   !words_take_number(words, 1, 1000 * MILLION, &out->least_bytes)) {
		return false;
	}
	return words_are_over(words);
}

enum err rates_add(struct rates *rates, const char *text, struct errctx *ec)
{
	struct rate rate = {0};
	struct words words = {0};

	if (rates->count == RATES_MAX)
		return err_set(ec, ERR_TOO_MANY, "there are %d rates already", RATES_MAX);
	if (!words_split(&words, text) || !read_rate(&words, &rate))
		return err_set(
			ec, ERR_BAD_REQUEST,
			"METHOD PATH COUNT per MS [burst COUNT] [below BYTES | from BYTES] is wanted: %.200s",
			text);
	(void)memcpy(rate.text, text, strlen(text) + 1);
	rates->list[rates->count++] = rate;
	return ERR_OK;
}

static bool falls_under(const struct rate *rate, const struct rate_request *request)
{
	return words_match(rate->method, rate->path, request->method, request->target) &&
	       (long)request->body_len >= rate->least_bytes && (long)request->body_len <= rate->most_bytes;
}

/* Thousandths of a millisecond that one request costs. */
static int64_t cost(const struct rate *rate)
{
	return (int64_t)rate->per_ms * 1000 / rate->count;
}

static int64_t wait_of(const struct rate *rate, int64_t now_ms)
{
	int64_t used = rate->full_ms - now_ms * 1000 + cost(rate), most = cost(rate) * rate->burst;

	return rate->begun && used > most ? (used - most + 999) / 1000 : 0;
}

static void use(struct rate *rate, int64_t now_ms)
{
	if (!rate->begun || rate->full_ms < now_ms * 1000)
		rate->full_ms = now_ms * 1000;
	rate->begun = true;
	rate->full_ms += cost(rate);
}

int64_t rates_wait(struct rates *rates, const struct rate_request *request)
{
	int64_t longest = 0;

	for (size_t i = 0; i < rates->count; i++) {
		int64_t wait = 0;

		if (falls_under(&rates->list[i], request))
			wait = wait_of(&rates->list[i], request->now_ms);
		if (wait > 0)
			rates->list[i].refused++;
		longest = wait > longest ? wait : longest;
	}
	for (size_t i = 0; longest == 0 && i < rates->count; i++)
		if (falls_under(&rates->list[i], request))
			use(&rates->list[i], request->now_ms);
	return longest;
}
