#include "sign-in/provider.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/rand.h>

#include "base/log.h"
#include "sign-in/discovery.h"
#include "sign-in/max_age.h"

#define DISCOVERY_AGE_MS 86400000 /* a provider moves its keys to another address more seldom than that */

enum step { STEP_IDLE, STEP_DISCOVERY, STEP_KEYS };

/*
 * `asked_ms` is when the last round began, `due_ms` when the next one begins by itself. `keys_ms` is when the round
 * began that brought the keys; they are fresh until `fresh_until_ms` and usable, if need be, `stale_max_ms` long.
 */
struct provider {
	struct provider_options options; /* its issuer is the one below */
	char *issuer, *discovery_url;    /* owned */
	char *jwks_uri;                  /* owned; NULL before the first discovery document */
	int64_t discovered_ms;
	struct jwks *keys; /* owned; NULL before the first */
	int64_t keys_ms, fresh_until_ms;
	enum step step;
	void *fetch; /* the owner's handle; not NULL unless STEP_IDLE */
	int64_t fetch_deadline_ms;
	int64_t asked_ms, due_ms;
	unsigned failures, rounds; /* since the last good one; good ones */
	char error[256];
};

static int64_t or_default(int64_t value, int64_t otherwise)
{
	return value > 0 ? value : otherwise;
}

/* `ms` less up to a `part`-th of it, so that brokers that started together do not ask together. */
static int64_t less_by_chance(int64_t ms, int64_t part)
{
	uint32_t chance = 0;

	/* Without randomness the time is merely not spread. */
	if (RAND_bytes((unsigned char *)&chance, sizeof(chance)) != 1)
		chance = 0;
	return ms - (int64_t)chance % (ms / part + 1);
}

/* -- life -------------------------------------------------------------------------------------------------- */

struct provider *provider_new(const struct provider_options *options)
{
	struct provider *p = calloc(1, sizeof(*p));
	struct provider_options *o;

	if (p == NULL)
		return NULL;
	o = &p->options;
	*o = *options;
	p->issuer = strdup(options->issuer);
	p->discovery_url = discovery_address(options->issuer);
	o->issuer = p->issuer;
	if (p->issuer == NULL || p->discovery_url == NULL) {
		provider_free(p);
		return NULL;
	}
	o->age_max_ms = or_default(o->age_max_ms, PROVIDER_AGE_MAX_MS);
	o->age_min_ms = or_default(o->age_min_ms, PROVIDER_AGE_MIN_MS);
	o->stale_max_ms = or_default(o->stale_max_ms, PROVIDER_STALE_MAX_MS);
	o->interval_min_ms = or_default(o->interval_min_ms, PROVIDER_INTERVAL_MIN_MS);
	return p;
}

void provider_free(struct provider *p)
{
	if (p == NULL)
		return;
	if (p->step != STEP_IDLE)
		p->options.fetcher.cancel(p->options.fetcher.ctx, p->fetch);
	jwks_free(p->keys);
	free(p->jwks_uri);
	free(p->discovery_url);
	free(p->issuer);
	free(p);
}

/* -- rounds ------------------------------------------------------------------------------------------------ */

static int64_t retry_delay(unsigned failures)
{
	int64_t delay = PROVIDER_RETRY_MIN_MS;

	for (unsigned i = 1; i < failures && delay < PROVIDER_RETRY_MAX_MS; i++)
		delay *= 2;
	if (delay > PROVIDER_RETRY_MAX_MS)
		delay = PROVIDER_RETRY_MAX_MS;
	return less_by_chance(delay, 2);
}

static void end_failed(struct provider *p, const char *what, const char *why, int64_t now_ms)
{
	p->step = STEP_IDLE;
	p->fetch = NULL;
	p->failures++;
	p->due_ms = now_ms + retry_delay(p->failures);
	snprintf(p->error, sizeof(p->error), "%s: %s", what, why);
	log_warn("sign_in_fetch_failed", "issuer=%s failures=%u retry_in_ms=%lld reason=%s",
		 p->options.issuer, p->failures, (long long)(p->due_ms - now_ms), p->error);
}

static const char *step_name(enum step step)
{
	return step == STEP_DISCOVERY ? "the discovery document" : "the keys";
}

static void start_fetch(struct provider *p, enum step step, int64_t now_ms)
{
	struct fetch_order order = {
		.url = step == STEP_DISCOVERY ? p->discovery_url : p->jwks_uri,
		.max_bytes = JWKS_DOCUMENT_MAX,
		.timeout_ms = PROVIDER_FETCH_TIMEOUT_MS,
		.done = p->options.on_answer,
		.ctx = p->options.on_answer_ctx,
	};

	p->fetch = p->options.fetcher.start(p->options.fetcher.ctx, &order);
	if (p->fetch == NULL) {
		end_failed(p, step_name(step), "the fetch could not be started", now_ms);
		return;
	}
	p->step = step;
	p->fetch_deadline_ms = now_ms + PROVIDER_FETCH_TIMEOUT_MS;
}

static void begin_round(struct provider *p, int64_t now_ms)
{
	bool is_known = p->jwks_uri && p->failures == 0 && now_ms - p->discovered_ms < DISCOVERY_AGE_MS;

	p->asked_ms = now_ms;
	start_fetch(p, is_known ? STEP_KEYS : STEP_DISCOVERY, now_ms);
}

void provider_tick(struct provider *p, int64_t now_ms)
{
	enum step step = p->step;

	if (step == STEP_IDLE) {
		if (now_ms >= p->due_ms)
			begin_round(p, now_ms);
		return;
	}
	if (now_ms < p->fetch_deadline_ms)
		return;
	p->options.fetcher.cancel(p->options.fetcher.ctx, p->fetch);
	end_failed(p, step_name(step), "no answer in time", now_ms);
}

int64_t provider_next_ms(const struct provider *p)
{
	return p->step == STEP_IDLE ? p->due_ms : p->fetch_deadline_ms;
}

/* -- answers ----------------------------------------------------------------------------------------------- */

static enum err take_discovery(struct provider *p, const struct fetch_answer *answer, struct errctx *ec)
{
	char *uri = NULL;
	enum err err = discovery_parse(answer->body, answer->len, p->options.issuer, &uri, ec);

	if (err)
		return err;
	free(p->jwks_uri);
	p->jwks_uri = uri;
	p->discovered_ms = p->asked_ms;
	return ERR_OK;
}

/* All times count from when the round began: what the provider withdrew since is not in the answer for sure. */
static enum err take_keys(struct provider *p, const struct fetch_answer *answer, struct errctx *ec)
{
	int64_t age = max_age_ms(answer->cache_control, p->options.age_max_ms);
	struct jwks *keys = NULL;
	enum err err = jwks_parse(answer->body, answer->len, &keys, ec);

	if (err)
		return err;
	if (age < p->options.age_min_ms)
		age = p->options.age_min_ms;
	if (age > p->options.age_max_ms)
		age = p->options.age_max_ms;
	jwks_free(p->keys);
	p->keys = keys;
	p->keys_ms = p->asked_ms;
	p->fresh_until_ms = p->asked_ms + age;
	p->due_ms = p->asked_ms + less_by_chance(age - age / 10, 5);
	p->failures = 0;
	p->rounds++;
	p->error[0] = '\0';
	log_info("sign_in_keys", "issuer=%s keys=%zu skipped=%zu fresh_ms=%lld", p->options.issuer,
		 jwks_count(keys), jwks_skipped(keys), (long long)age);
	return ERR_OK;
}

/* What is wrong with the answer as such, or NULL. */
static const char *answer_fault(const struct fetch_answer *answer, struct errctx *ec)
{
	if (answer->status == 0)
		return answer->words ? answer->words : "no answer";
	if (answer->status == 200)
		return NULL;
	(void)err_set(ec, ERR_IO, "status %d", answer->status);
	return ec->text;
}

void provider_fetched(struct provider *p, const struct fetch_answer *answer, int64_t now_ms)
{
	struct errctx ec = {.text = ""};
	enum step step = p->step;
	const char *fault;
	enum err err;

	if (step == STEP_IDLE)
		return;
	fault = answer_fault(answer, &ec);
	if (fault) {
		end_failed(p, step_name(step), fault, now_ms);
		return;
	}
	err = step == STEP_DISCOVERY ? take_discovery(p, answer, &ec) : take_keys(p, answer, &ec);
	if (err) {
		end_failed(p, step_name(step), ec.text, now_ms);
		return;
	}
	p->step = STEP_IDLE;
	p->fetch = NULL;
	if (step == STEP_DISCOVERY)
		start_fetch(p, STEP_KEYS, now_ms);
}

/* -- questions --------------------------------------------------------------------------------------------- */

bool provider_is_fetching(const struct provider *p)
{
	return p->step != STEP_IDLE;
}

static bool keys_usable(const struct provider *p, int64_t now_ms)
{
	if (p->keys == NULL)
		return false;
	if (now_ms < p->fresh_until_ms)
		return true;
	return p->failures > 0 && now_ms - p->keys_ms < p->options.stale_max_ms;
}

unsigned provider_rounds(const struct provider *p)
{
	return p->rounds;
}

int64_t provider_again_ms(const struct provider *p, int64_t now_ms)
{
	int64_t left = p->asked_ms + p->options.interval_min_ms - now_ms;

	return left > 0 ? left : 0;
}

enum provider_verdict provider_key(struct provider *p, const char *kid, unsigned before, int64_t now_ms,
				   const struct jwks_key **key)
{
	const struct jwks_key *found;
	bool is_usable;

	provider_tick(p, now_ms);
	is_usable = keys_usable(p, now_ms);
	found = is_usable ? jwks_find(p->keys, kid) : NULL;
	if (found) {
		*key = found;
		return PROVIDER_KEY;
	}
	if (p->step != STEP_IDLE)
		return PROVIDER_WAIT;
	if (!is_usable || p->failures > 0)
		return PROVIDER_DOWN;
	if (p->rounds != before)
		return PROVIDER_NO_KEY;
	if (provider_again_ms(p, now_ms) > 0)
		return PROVIDER_LATER;
	begin_round(p, now_ms);
	return p->step != STEP_IDLE ? PROVIDER_WAIT : PROVIDER_DOWN;
}

void provider_status(const struct provider *p, int64_t now_ms, struct provider_status *out)
{
	*out = (struct provider_status){
		.keys = p->keys ? jwks_count(p->keys) : 0,
		.skipped = p->keys ? jwks_skipped(p->keys) : 0,
		.fetched_ms = p->keys ? p->keys_ms : -1,
		.failures = p->failures,
		.is_usable = keys_usable(p, now_ms),
	};
	memcpy(out->error, p->error, sizeof(out->error));
}
