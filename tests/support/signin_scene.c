#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "tests/support/signin_scene.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static int64_t mono_now(void *ctx)
{
	const struct signin_scene *s = ctx;

	return MONO_MS + s->passed_ms;
}

static int64_t wall_now(void *ctx)
{
	const struct signin_scene *s = ctx;

	return WALL_MS + s->passed_ms;
}

void *signin_scene_start(void *ctx, const struct fetch_order *order)
{
	struct signin_scene *s = ctx;
	struct signin_scene_peer *peer =
		strncmp(order->url, ONE, strlen(ONE)) == 0 ? &s->peers[0] : &s->peers[1];

	assert_string_equal(peer->url, "");
	peer->order = *order;
	snprintf(peer->url, sizeof(peer->url), "%s", order->url);
	peer->fetches++;
	return peer;
}

void signin_scene_cancel(void *ctx, void *fetch)
{
	struct signin_scene_peer *peer = fetch;

	(void)ctx;
	assert_string_not_equal(peer->url, "");
	peer->url[0] = '\0';
}

void signin_scene_answer(struct signin_scene_peer *peer)
{
	struct fetch_answer given = {.status = peer->is_down ? 500 : 200, .body = peer->keys};
	char discovery[256];

	if (strstr(peer->url, "/.well-known/")) {
		snprintf(discovery, sizeof(discovery), "{\"issuer\":\"%s\",\"jwks_uri\":\"%s/keys\"}",
			 peer->issuer, peer->issuer);
		given.body = discovery;
	}
	given.len = strlen(given.body);
	peer->url[0] = '\0';
	peer->order.done(peer->order.ctx, &given);
}

/* Lets the clock run, ticks, and lets the providers answer everything that is asked. */
void signin_scene_pass(struct signin_scene *s, int64_t ms)
{
	s->passed_ms += ms;
	signin_tick(s->signin);
	for (size_t i = 0; i < COUNT(s->peers); i++)
		while (s->peers[i].url[0] != '\0' && !s->peers[i].is_silent)
			signin_scene_answer(&s->peers[i]);
}

void signin_scene_done(void *ctx, enum err err, const struct identity *identity, const struct errctx *ec)
{
	struct signin_scene_said *said = ctx;

	said->times++;
	said->err = err;
	said->identity = identity;
	assert_int_equal(err == ERR_OK, identity != NULL);
	snprintf(said->subject, sizeof(said->subject), "%s", identity ? identity->subject : "");
	said->groups[0] = '\0';
	for (size_t i = 0; identity && i < identity->groups.count; i++)
		snprintf(said->groups + strlen(said->groups), sizeof(said->groups) - strlen(said->groups),
			 "%s;", identity->groups.texts[i]);
	snprintf(said->text, sizeof(said->text), "%s", err ? ec->text : "");
}

/* A token of one issuer for "amira", which ends `ttl_s` from the start of the test. */
struct buf signin_scene_token(const char *issuer, const char *kid, EVP_PKEY *key, long ttl_s)
{
	bool is_rsa = EVP_PKEY_is_a(key, "RSA");
	char header[128], claims[256];
	struct buf token;

	snprintf(header, sizeof(header), "{\"alg\":\"%s\",\"kid\":\"%s\"}", is_rsa ? "RS256" : "ES256", kid);
	snprintf(claims, sizeof(claims),
		 "{\"iss\":\"%s\",\"sub\":\"amira\",\"aud\":\"api://jit\",\"exp\":%lld,\"groups\":\"a,b\","
		 "\"roles\":[\"r\"]}",
		 issuer, (long long)(WALL_MS / 1000 + ttl_s));
	buf_init(&token, TOKENS_MAX);
	tokens_sign(&token, header, claims, key, is_rsa ? SIGN_RS256 : SIGN_ES256);
	return token;
}

/* Verifies and expects exactly one answer at once: "" or a sentence. */
const char *signin_scene_verify(struct signin_scene *s, const struct buf *token)
{
	s->said.times = 0;
	signin_verify(s->signin, buf_text(token), signin_scene_done, &s->said);
	assert_int_equal(s->said.times, 1);
	return s->said.text;
}

const char *signin_scene_verify_made(struct signin_scene *s, const char *issuer, const char *kid,
				     EVP_PKEY *key)
{
	struct buf token = signin_scene_token(issuer, kid, key, 3600);
	const char *text = signin_scene_verify(s, &token);

	buf_release(&token);
	return text;
}

static void add_set(struct buf *out, EVP_PKEY *key, const char *kid)
{
	buf_init(out, TOKENS_MAX);
	buf_adds(out, "{\"keys\":[");
	tokens_jwk(out, key, kid, "");
	buf_adds(out, "]}");
}

const struct signin_issuer signin_scene_issuers[] = {
	{.issuer = ONE, .audience = "api://jit"},
	{.issuer = TWO, .audience = "api://jit", .algorithms = JWT_ES256, .claims = {.groups = "roles"}},
};

int signin_scene_set_up(void **state)
{
	struct signin_scene *s = calloc(1, sizeof(*s));
	struct signin_options options = {.issuers = signin_scene_issuers, .issuer_count = 2};

	if (s == NULL)
		return -1;
	options.fetcher = (struct fetcher){signin_scene_start, signin_scene_cancel, s};
	options.clock = (struct signin_clock){mono_now, wall_now, s};
	s->first = tokens_rsa(2048);
	s->second = tokens_ec("P-256");
	add_set(&s->keys_one, s->first, "k");
	add_set(&s->keys_two, s->second, "k"); /* the same kid for another key */
	add_set(&s->keys_other, s->second, "n");
	s->peers[0] = (struct signin_scene_peer){.issuer = ONE, .keys = buf_text(&s->keys_one)};
	s->peers[1] = (struct signin_scene_peer){.issuer = TWO, .keys = buf_text(&s->keys_two)};
	*state = s;
	return signin_new(&options, &s->signin, NULL) == ERR_OK ? 0 : -1;
}

int signin_scene_tear_down(void **state)
{
	struct signin_scene *s = *state;

	signin_free(s->signin);
	assert_string_equal(s->peers[0].url, "");
	assert_string_equal(s->peers[1].url, "");
	EVP_PKEY_free(s->first);
	EVP_PKEY_free(s->second);
	buf_release(&s->keys_one);
	buf_release(&s->keys_two);
	buf_release(&s->keys_other);
	free(s);
	return 0;
}
