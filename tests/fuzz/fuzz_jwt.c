/*
 * The input is a line with a token's header, a line with its claims, and the rest. It is tried as a token as it is; as the
 * header and claims of one, encoded; as a key set; and as a discovery document. What is accepted must keep its promises.
 */
#include <string.h>

#include "base/buf.h"
#include "sign-in/base64url.h"
#include "sign-in/discovery.h"
#include "sign-in/identity.h"
#include "sign-in/jwks.h"
#include "sign-in/jwt.h"
#include "sign-in/max_age.h"
#include "tests/fuzz/fuzz.h"

#define TOKEN_SIZE ((size_t)1 << 20)

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static void encode(struct buf *out, const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i += 3) {
		size_t left = len - i < 3 ? len - i : 3;
		uint32_t group = (uint32_t)bytes[i] << 16;

		group |= left > 1 ? (uint32_t)bytes[i + 1] << 8 : 0;
		group |= left > 2 ? bytes[i + 2] : 0;
		for (size_t k = 0; k <= left; k++)
			buf_add(out, &alphabet[group >> (18 - 6 * k) & 63], 1);
	}
}

/* What is decoded and encoded again is the same text: there is one spelling only. */
static void check_base64url(const char *text, size_t len)
{
	uint8_t *bytes = malloc(BASE64URL_BYTES(len) + 1);
	struct buf again;

	REQUIRE(bytes != NULL);
	if (base64url_decode(text, len, bytes)) {
		buf_init(&again, TOKEN_SIZE);
		encode(&again, bytes, BASE64URL_BYTES(len));
		REQUIRE(again.len == len && (len == 0 || memcmp(again.data, text, len) == 0));
		buf_release(&again);
	}
	free(bytes);
}

static void check_sentence(enum err err, const struct errctx *ec)
{
	REQUIRE(err == ERR_UNAUTHENTICATED);
	REQUIRE(ec->text[0] != '\0' && !strchr(ec->text, '"') && !strchr(ec->text, '\\'));
}

static void check_identity(const struct jwt *jwt)
{
	static const struct identity_claims names = {NULL};
	const struct identity *who = NULL;
	struct errctx ec = {.text = ""};
	enum err err = identity_make(jwt_claims(jwt), &names, jwt_expires_ms(jwt), &who, &ec);

	if (err) {
		check_sentence(err, &ec);
		return;
	}
	REQUIRE(who->id[0] != '\0' && strcmp(who->issuer, jwt_issuer(jwt)) == 0);
	REQUIRE(who->groups.count <= IDENTITY_GROUPS_MAX && who->methods.count <= IDENTITY_METHODS_MAX);
	for (size_t i = 0; i < who->groups.count; i++)
		REQUIRE(who->groups.texts[i][0] != '\0' && strlen(who->groups.texts[i]) <= IDENTITY_TEXT_MAX);
	identity_release(who);
}

static void check_token(const char *token, size_t len)
{
	static const struct jwt_rules rules = {"https://issuer", "api://jit", JWT_ALGS_ALL, 60000};
	struct errctx ec = {.text = ""};
	struct jwt *jwt = NULL;
	enum err err = jwt_read(token, len, &jwt, &ec);

	if (err) {
		check_sentence(err, &ec);
		REQUIRE(jwt == NULL);
		return;
	}
	REQUIRE(len <= JWT_TOKEN_MAX && strlen(jwt_kid(jwt)) > 0);
	REQUIRE(jwt_expires_ms(jwt) >= 0);
	err = jwt_check(jwt, &rules, 1700000000000, &ec);
	if (err)
		check_sentence(err, &ec);
	else
		REQUIRE(jwt_expires_ms(jwt) > 1700000000000 - 60000);
	check_identity(jwt);
	jwt_free(jwt);
}

/* The two lines as header and claims, with the rest as the signature. */
static void check_lines(const uint8_t *data, size_t size)
{
	const uint8_t *first = size > 0 ? memchr(data, '\n', size) : NULL;
	const uint8_t *second = first ? memchr(first + 1, '\n', (size_t)(data + size - first - 1)) : NULL;
	struct buf token;

	if (second == NULL)
		return;
	buf_init(&token, TOKEN_SIZE);
	encode(&token, data, (size_t)(first - data));
	buf_adds(&token, ".");
	encode(&token, first + 1, (size_t)(second - first - 1));
	buf_adds(&token, ".");
	encode(&token, second + 1, (size_t)(data + size - second - 1));
	if (!buf_failed(&token))
		check_token(token.data, token.len);
	buf_release(&token);
}

static void check_documents(const char *text, size_t len)
{
	struct errctx ec = {.text = ""};
	struct jwks *set = NULL;
	char *uri = NULL;

	if (jwks_parse(text, len, &set, &ec) == ERR_OK)
		REQUIRE(jwks_count(set) + jwks_skipped(set) <= JWKS_KEYS_MAX);
	jwks_free(set);
	if (discovery_parse(text, len, "https://issuer", &uri, &ec) == ERR_OK)
		REQUIRE(strncmp(uri, "https://", 8) == 0);
	free(uri);
}

static void check_texts(const char *bytes, size_t len)
{
	char *text = malloc(len + 1);

	REQUIRE(text != NULL);
	if (len > 0)
		memcpy(text, bytes, len);
	text[len] = '\0';
	REQUIRE(max_age_ms(text, 7) >= 0);
	REQUIRE(!discovery_url_valid(text, false) || strncmp(text, "https://", 8) == 0);
	REQUIRE(!discovery_url_valid(text, false) || discovery_url_valid(text, true));
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;

	check_base64url(text, size);
	check_token(text, size);
	check_lines(data, size);
	check_documents(text, size);
	check_texts(text, size);
	return 0;
}
