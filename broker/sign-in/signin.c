#include "sign-in/signin.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "sign-in/issuer.h"
#include "sign-in/remembered.h"

#define SWEEP_MS 60000 /* how long an ended token may stay in memory */

/* A token that waits for its provider's keys. */
struct waiting {
	struct waiting *next;
	struct jwt *jwt; /* owned */
	struct issuer *issuer;
	unsigned rounds; /* of its provider, when it came */
	unsigned char digest[SHA256_BYTES];
	int64_t deadline_ms; /* monotonic */
	signin_done *done;
	void *ctx;
};

/* The timer outlives the sign-in until libuv has closed it. */
struct alarm {
	uv_timer_t timer;
	struct signin *signin;
};

struct signin {
	struct issuer issuers[SIGNIN_ISSUERS_MAX];
	size_t issuer_count;
	struct signin_clock clock;
	struct remembered *remembered;
	struct waiting *first, **last;
	size_t waiting_count;
	int64_t again_ms; /* see signin_again_ms() */
	int64_t sweep_ms;
	struct alarm *alarm; /* NULL without a loop */
};

static int64_t mono_ms(const struct signin *s)
{
	return s->clock.mono_ms ? s->clock.mono_ms(s->clock.ctx) : clock_mono_ms();
}

static int64_t wall_ms(const struct signin *s)
{
	return s->clock.wall_ms ? s->clock.wall_ms(s->clock.ctx) : clock_wall_ms();
}

/* -- timer ------------------------------------------------------------------------------------------------- */

static void on_alarm(uv_timer_t *timer)
{
	struct alarm *alarm = timer->data;

	signin_tick(alarm->signin);
}

static void on_alarm_closed(uv_handle_t *handle)
{
	free(handle->data);
}

int64_t signin_next_ms(const struct signin *s)
{
	int64_t next = s->sweep_ms;

	for (const struct waiting *w = s->first; w; w = w->next)
		if (w->deadline_ms < next)
			next = w->deadline_ms;
	for (size_t i = 0; i < s->issuer_count; i++)
		if (provider_next_ms(s->issuers[i].provider) < next)
			next = provider_next_ms(s->issuers[i].provider);
	return next;
}

/* At the end of every call that may have changed what is due next. */
static void set_alarm(struct signin *s)
{
	int64_t delay;

	if (s->alarm == NULL)
		return;
	delay = signin_next_ms(s) - mono_ms(s);
	/* Never at once: a loop whose notion of time is behind would come back again and again. */
	if (delay < 1)
		delay = 1;
	/* Fails only for a timer that is being closed. */
	(void)uv_timer_start(&s->alarm->timer, on_alarm, (uint64_t)delay, 0);
}

/* -- a token ----------------------------------------------------------------------------------------------- */

static void refuse(signin_done *done, void *ctx, enum err err, const struct errctx *ec)
{
	done(ctx, err, NULL, ec);
}

static void refuse_with(signin_done *done, void *ctx, enum err err, const char *sentence)
{
	struct errctx ec;

	(void)err_set(&ec, err, "%s", sentence);
	refuse(done, ctx, err, &ec);
}

static struct issuer *find_issuer(struct signin *s, const char *name)
{
	for (size_t i = 0; i < s->issuer_count; i++)
		if (strcmp(s->issuers[i].rules.issuer, name) == 0)
			return &s->issuers[i];
	return NULL;
}

static void remember(struct signin *s, const struct waiting *w, const struct jwks_key *key,
		     const struct identity *identity)
{
	struct remembered_token token = {
		.identity = identity,
		.issuer = (size_t)(w->issuer - s->issuers),
		.until_ms = identity->expires_ms + w->issuer->rules.skew_ms,
	};

	memcpy(token.digest, w->digest, sizeof(token.digest));
	memcpy(token.fingerprint, key->fingerprint, sizeof(token.fingerprint));
	memcpy(token.kid, jwt_kid(w->jwt), strlen(jwt_kid(w->jwt)) + 1);
	remembered_keep(s->remembered, &token);
}

/* The last step, with the key that the token names. */
static enum err verify_with(struct signin *s, const struct waiting *w, const struct jwks_key *key,
			    const struct identity **identity, struct errctx *ec)
{
	enum err err;

	if (((unsigned)jwt_alg(w->jwt) & key->algorithms) == 0)
		return err_set(ec, ERR_UNAUTHENTICATED, "The token's algorithm does not fit its key.");
	err = jwt_verify(w->jwt, key->pkey, ec);
	if (err)
		return err;
	err = identity_make(jwt_claims(w->jwt), &w->issuer->claims, jwt_expires_ms(w->jwt), identity, ec);
	if (err)
		return err;
	if ((*identity)->groups_left_out)
		log_warn("groups_left_out", "issuer=%s person=%s", (*identity)->issuer, (*identity)->id);
	remember(s, w, key, *identity);
	return ERR_OK;
}

/* Looks at the token with the keys of now. False when it has to wait. */
static bool try_token(struct signin *s, const struct waiting *w)
{
	const struct identity *identity = NULL;
	const struct jwks_key *key = NULL;
	struct errctx ec = {.text = ""};
	enum err err = ERR_OK;

	s->again_ms = 0;
	/* Again each time: it may have ended while it waited. */
	err = jwt_check(w->jwt, &w->issuer->rules, wall_ms(s), &ec);
	if (err) {
		refuse(w->done, w->ctx, err, &ec);
		return true;
	}
	switch (provider_key(w->issuer->provider, jwt_kid(w->jwt), w->rounds, mono_ms(s), &key)) {
	case PROVIDER_WAIT:
		return false;
	case PROVIDER_KEY:
		err = verify_with(s, w, key, &identity, &ec);
		break;
	case PROVIDER_NO_KEY:
		err = err_set(&ec, ERR_UNAUTHENTICATED, "The token's key is not known.");
		break;
	case PROVIDER_LATER:
		s->again_ms = provider_again_ms(w->issuer->provider, mono_ms(s));
		err = err_set(&ec, ERR_UNAVAILABLE,
			      "The token's key is not known, and the provider was asked a moment ago.");
		break;
	case PROVIDER_DOWN:
		err = err_set(&ec, ERR_UNAVAILABLE, "The sign-in provider cannot be reached.");
		break;
	}
	w->done(w->ctx, err, identity, &ec);
	identity_release(identity);
	return true;
}

/* Answers out of memory, where the token was verified before and its key still stands. */
static bool answer_remembered(struct signin *s, const struct waiting *w)
{
	const struct remembered_token *token = remembered_find(s->remembered, w->digest);
	struct errctx ec = {.text = ""};
	const struct identity *identity;
	const struct jwks_key *key;
	struct provider *provider;

	if (token == NULL)
		return false;
	provider = s->issuers[token->issuer].provider;
	/* Whatever is different now is for the full way to judge. */
	if (wall_ms(s) >= token->until_ms ||
	    provider_key(provider, token->kid, provider_rounds(provider), mono_ms(s), &key) != PROVIDER_KEY ||
	    !digest_equal(key->fingerprint, token->fingerprint, SHA256_BYTES)) {
		remembered_forget(s->remembered, w->digest);
		return false;
	}
	identity = identity_hold(token->identity);
	w->done(w->ctx, ERR_OK, identity, &ec);
	identity_release(identity);
	return true;
}

static void free_waiting(struct waiting *w)
{
	jwt_free(w->jwt);
	free(w);
}

static void let_wait(struct signin *s, const struct waiting *w)
{
	struct waiting *kept = s->waiting_count < SIGNIN_WAITING_MAX ? malloc(sizeof(*kept)) : NULL;

	if (kept == NULL) {
		jwt_free(w->jwt);
		refuse_with(w->done, w->ctx, ERR_UNAVAILABLE,
			    "Too many sign-ins are waiting for the provider's keys.");
		return;
	}
	*kept = *w;
	kept->next = NULL;
	kept->deadline_ms = mono_ms(s) + SIGNIN_WAIT_MS;
	*s->last = kept;
	s->last = &kept->next;
	s->waiting_count++;
}

/* Reads the token and finds its issuer. */
static enum err read_token(struct signin *s, const char *text, size_t len, struct waiting *w,
			   struct errctx *ec)
{
	struct jwt *jwt = NULL;
	enum err err = jwt_read(text, len, &jwt, ec);

	if (err)
		return err;
	w->issuer = find_issuer(s, jwt_issuer(jwt));
	if (w->issuer == NULL) {
		jwt_free(jwt);
		return err_set(ec, ERR_UNAUTHENTICATED, "The token's issuer is not accepted here.");
	}
	w->jwt = jwt;
	w->rounds = provider_rounds(w->issuer->provider);
	return ERR_OK;
}

/* -- those that wait --------------------------------------------------------------------------------------- */

/* Takes the first one out of the list. */
static struct waiting *take_first(struct signin *s)
{
	struct waiting *w = s->first;

	s->first = w->next;
	if (s->first == NULL)
		s->last = &s->first;
	s->waiting_count--;
	w->next = NULL;
	return w;
}

static void put_back(struct signin *s, struct waiting *w)
{
	*s->last = w;
	s->last = &w->next;
	s->waiting_count++;
}

/*
 * Looks at each of them once. What still has to wait goes back to the end. A done() may bring new ones or cancel others
 * meanwhile: no place in the list is held over its call.
 */
static void try_waiting(struct signin *s)
{
	for (size_t left = s->waiting_count; left > 0 && s->first; left--) {
		struct waiting *w = take_first(s);

		if (!try_token(s, w)) {
			if (mono_ms(s) < w->deadline_ms) {
				put_back(s, w);
				continue;
			}
			refuse_with(w->done, w->ctx, ERR_UNAVAILABLE,
				    "The sign-in provider did not answer in time.");
		}
		free_waiting(w);
	}
}

void signin_verify(struct signin *s, const char *token, signin_done *done, void *ctx)
{
	struct waiting w = {.done = done, .ctx = ctx};
	size_t len = strnlen(token, JWT_TOKEN_MAX + 1);
	struct errctx ec = {.text = ""};
	enum err err;

	if (len <= JWT_TOKEN_MAX)
		digest_sha256(token, len, w.digest);
	if (len > JWT_TOKEN_MAX || !answer_remembered(s, &w)) {
		err = read_token(s, token, len, &w, &ec);
		if (err)
			refuse(done, ctx, err, &ec);
		else if (try_token(s, &w))
			jwt_free(w.jwt);
		else
			let_wait(s, &w);
	}
	/* Asking for the key may have ended a round whose time was over. */
	if (s->first && !provider_is_fetching(s->first->issuer->provider))
		try_waiting(s);
	set_alarm(s);
}

/* A fetch has ended: which tokens may go on depends on their provider alone, and asking it is cheap. */
static void on_answer(void *ctx, const struct fetch_answer *answer)
{
	struct issuer *issuer = ctx;
	struct signin *s = issuer->signin;

	provider_fetched(issuer->provider, answer, mono_ms(s));
	if (!provider_is_fetching(issuer->provider))
		try_waiting(s);
	set_alarm(s);
}

void signin_tick(struct signin *s)
{
	int64_t now_ms = mono_ms(s);

	for (size_t i = 0; i < s->issuer_count; i++)
		provider_tick(s->issuers[i].provider, now_ms);
	try_waiting(s);
	if (now_ms >= s->sweep_ms) {
		remembered_sweep(s->remembered, wall_ms(s));
		s->sweep_ms = now_ms + SWEEP_MS;
	}
	set_alarm(s);
}

/* -- life -------------------------------------------------------------------------------------------------- */

static enum err add_issuer(struct signin *s, const struct signin_options *options,
			   const struct signin_issuer *from, struct errctx *ec)
{
	int64_t skew_ms = options->skew_ms == 0 ? SIGNIN_SKEW_MS : options->skew_ms;
	struct issuer *issuer = &s->issuers[s->issuer_count];
	struct provider_options provider = {
		.issuer = from->issuer,
		.fetcher = options->fetcher,
		.on_answer = on_answer,
		.on_answer_ctx = issuer,
	};
	enum err err;

	if (from->issuer && find_issuer(s, from->issuer))
		return err_set(ec, ERR_CONFIG, "issuer %s comes twice", from->issuer);
	s->issuer_count++;
	err = issuer_init(issuer, from, skew_ms > 0 ? skew_ms : 0, ec);
	if (err)
		return err;
	issuer->signin = s;
	issuer->provider = provider_new(&provider);
	return issuer->provider ? ERR_OK : err_set(ec, ERR_NOMEM, "no memory for the issuers");
}

static enum err add_alarm(struct signin *s, uv_loop_t *loop)
{
	struct alarm *alarm;

	if (loop == NULL)
		return ERR_OK;
	alarm = calloc(1, sizeof(*alarm));
	if (alarm == NULL)
		return ERR_NOMEM;
	(void)uv_timer_init(loop, &alarm->timer); /* cannot fail */
	alarm->timer.data = alarm;
	alarm->signin = s;
	s->alarm = alarm;
	return ERR_OK;
}

static enum err fill(struct signin *s, const struct signin_options *options, struct errctx *ec)
{
	enum err err;

	if (options->issuer_count == 0 || options->issuer_count > SIGNIN_ISSUERS_MAX)
		return err_set(ec, ERR_CONFIG, "between 1 and %d issuers can be configured",
			       SIGNIN_ISSUERS_MAX);
	if (options->skew_ms > SIGNIN_SKEW_MAX_MS)
		return err_set(ec, ERR_CONFIG, "the clocks' difference may be %d ms at most",
			       SIGNIN_SKEW_MAX_MS);
	for (size_t i = 0; i < options->issuer_count; i++) {
		err = add_issuer(s, options, &options->issuers[i], ec);
		if (err)
			return err;
	}
	s->remembered = remembered_new();
	if (s->remembered == NULL || add_alarm(s, options->loop))
		return err_set(ec, ERR_NOMEM, "no memory for the sign-in");
	return ERR_OK;
}

enum err signin_new(const struct signin_options *options, struct signin **out, struct errctx *ec)
{
	struct signin *s = calloc(1, sizeof(*s));
	enum err err;

	if (s == NULL)
		return err_set(ec, ERR_NOMEM, "no memory for the sign-in");
	s->last = &s->first;
	s->clock = options->clock;
	err = fill(s, options, ec);
	if (err) {
		signin_free(s);
		return err;
	}
	s->sweep_ms = mono_ms(s) + SWEEP_MS;
	if (s->alarm)
		signin_tick(s);
	*out = s;
	return ERR_OK;
}

void signin_free(struct signin *s)
{
	if (s == NULL)
		return;
	s->again_ms = 0;
	while (s->first) {
		struct waiting *w = take_first(s);

		refuse_with(w->done, w->ctx, ERR_UNAVAILABLE, "The broker is stopping.");
		free_waiting(w);
	}
	for (size_t i = 0; i < s->issuer_count; i++)
		issuer_release(&s->issuers[i]);
	remembered_free(s->remembered);
	if (s->alarm)
		uv_close((uv_handle_t *)&s->alarm->timer, on_alarm_closed);
	free(s);
}

size_t signin_issuer_count(const struct signin *s)
{
	return s->issuer_count;
}

const char *signin_issuer_status(const struct signin *s, size_t index, struct provider_status *out)
{
	provider_status(s->issuers[index].provider, mono_ms(s), out);
	return s->issuers[index].rules.issuer;
}

int64_t signin_again_ms(const struct signin *s)
{
	return s->again_ms;
}

size_t signin_remembered(const struct signin *s)
{
	return remembered_count(s->remembered);
}

size_t signin_waiting(const struct signin *s)
{
	return s->waiting_count;
}
