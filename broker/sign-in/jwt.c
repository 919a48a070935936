/* Reads the compact form, the header and the claims that every token has. Signatures are in jwt_verify.c. */
#include "sign-in/jwt.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/digest.h"
#include "sign-in/base64url.h"
#include "sign-in/jwt_parts.h"

#define SECONDS_MAX 253402300799.0 /* the end of the year 9999 */

struct part {
	const char *text;
	size_t len;
};

static enum err refuse(struct errctx *ec, const char *sentence)
{
	return err_set(ec, ERR_UNAUTHENTICATED, "%s", sentence);
}

/* -- compact form ------------------------------------------------------------------------------------------ */

/* Exactly three parts, none empty. */
static bool split(const char *token, size_t len, struct part parts[3])
{
	const char *end = token + len;
	const char *at = token;

	for (int i = 0; i < 3; i++) {
		const char *dot = memchr(at, '.', (size_t)(end - at));

		if ((dot == NULL) != (i == 2))
			return false;
		parts[i] = (struct part){at, (size_t)((dot ? dot : end) - at)};
		if (parts[i].len == 0)
			return false;
		at = dot ? dot + 1 : end;
	}
	return true;
}

/* Decodes a part that must be a JSON object. The parser's own words would quote the token: `sentence` replaces them. */
static enum err read_object(const struct part *part, cJSON **out, const char *sentence, struct errctx *ec)
{
	unsigned char bytes[BASE64URL_BYTES(JWT_TOKEN_MAX)];
	size_t len = BASE64URL_BYTES(part->len);
	cJSON *root = NULL;
	enum err err;

	if (!base64url_decode(part->text, part->len, bytes))
		return refuse(ec, "The token is not canonical base64url.");
	err = json_parse((const char *)bytes, len, &root, NULL);
	if (err == ERR_NOMEM)
		return err_set(ec, err, "No memory to read the token.");
	if (err || !cJSON_IsObject(root)) {
		cJSON_Delete(root);
		return refuse(ec, sentence);
	}
	*out = root;
	return ERR_OK;
}

static enum err read_signature(struct jwt *jwt, const struct part *part, struct errctx *ec)
{
	jwt->signature_len = BASE64URL_BYTES(part->len);
	if (jwt->signature_len > sizeof(jwt->signature))
		return refuse(ec, "The token's signature is too long.");
	if (!base64url_decode(part->text, part->len, jwt->signature))
		return refuse(ec, "The token is not canonical base64url.");
	return ERR_OK;
}

/* -- header ------------------------------------------------------------------------------------------------ */

static const struct {
	const char *name;
	enum jwt_alg alg;
} algorithms[] = {
	{"RS256", JWT_RS256}, {"PS256", JWT_PS256},   {"ES256", JWT_ES256},
	{"EdDSA", JWT_EDDSA}, {"Ed25519", JWT_EDDSA},
};

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static bool find_algorithm(const char *name, enum jwt_alg *out)
{
	for (size_t i = 0; name && i < COUNT(algorithms); i++) {
		if (strcmp(name, algorithms[i].name) != 0)
			continue;
		*out = algorithms[i].alg;
		return true;
	}
	return false;
}

unsigned jwt_alg_bit(const char *name)
{
	enum jwt_alg alg;

	return find_algorithm(name, &alg) ? (unsigned)alg : 0;
}

/* RFC 7515, section 4.1.9, and RFC 9068, section 4: other types (logout, DPoP proofs, …) are for other purposes. */
static bool type_fits(const cJSON *header)
{
	static const char *const types[] = {"JWT", "at+jwt", "application/jwt", "application/at+jwt"};
	const cJSON *typ = cJSON_GetObjectItemCaseSensitive(header, "typ");

	if (typ == NULL)
		return true;
	for (size_t i = 0; cJSON_IsString(typ) && i < COUNT(types); i++)
		if (strcasecmp(typ->valuestring, types[i]) == 0)
			return true;
	return false;
}

/* RFC 8725, section 3.10: a key that comes with the token says nothing about who signed it. */
static bool brings_a_key(const cJSON *header)
{
	static const char *const names[] = {"jwk", "jku", "x5u", "x5c"};

	for (size_t i = 0; i < COUNT(names); i++)
		if (cJSON_HasObjectItem(header, names[i]))
			return true;
	return false;
}

static bool has_control(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7F)
			return true;
	return false;
}

static enum err take_header(struct jwt *jwt, const cJSON *header, struct errctx *ec)
{
	const char *kid = json_string(header, "kid");

	if (!find_algorithm(json_string(header, "alg"), &jwt->alg))
		return refuse(ec, "The token's algorithm is not accepted.");
	if (!type_fits(header))
		return refuse(ec, "The token is of a type that is not for signing in.");
	if (cJSON_HasObjectItem(header, "crit"))
		return refuse(ec, "The token demands an extension that is not known here.");
	if (brings_a_key(header))
		return refuse(ec, "The token brings its own key.");
	if (kid == NULL || *kid == '\0')
		return refuse(ec, "The token does not name its key.");
	if (strlen(kid) >= sizeof(jwt->kid) || has_control(kid))
		return refuse(ec, "The name of the token's key is not usable.");
	memcpy(jwt->kid, kid, strlen(kid) + 1);
	return ERR_OK;
}

static enum err read_header(struct jwt *jwt, const struct part *part, struct errctx *ec)
{
	cJSON *header = NULL;
	enum err err;

	if (part->len > JWT_HEADER_MAX)
		return refuse(ec, "The token's header is too long.");
	err = read_object(part, &header, "The token's header is not a strict JSON object.", ec);
	if (err)
		return err;
	err = take_header(jwt, header, ec);
	cJSON_Delete(header);
	return err;
}

/* -- claims ------------------------------------------------------------------------------------------------ */

/* A NumericDate of RFC 7519, section 2. An absent one leaves *ms alone. */
static bool read_date(const cJSON *claims, const char *name, int64_t *ms)
{
	const cJSON *date = cJSON_GetObjectItemCaseSensitive(claims, name);

	if (date == NULL)
		return true;
	if (!cJSON_IsNumber(date) || date->valuedouble < 0 || date->valuedouble > SECONDS_MAX)
		return false;
	*ms = (int64_t)(date->valuedouble * 1000);
	return true;
}

static enum err take_claims(struct jwt *jwt, struct errctx *ec)
{
	const char *subject = json_string(jwt->claims, "sub");

	if (json_string(jwt->claims, "iss") == NULL)
		return refuse(ec, "The token does not name its issuer.");
	if (subject == NULL || *subject == '\0')
		return refuse(ec, "The token does not name its subject.");
	if (strlen(subject) > JWT_SUBJECT_MAX || has_control(subject))
		return refuse(ec, "The token's subject is not usable.");
	if (!cJSON_GetObjectItemCaseSensitive(jwt->claims, "exp"))
		return refuse(ec, "The token does not say when it ends.");
	if (!read_date(jwt->claims, "exp", &jwt->exp_ms) || !read_date(jwt->claims, "nbf", &jwt->nbf_ms) ||
	    !read_date(jwt->claims, "iat", &jwt->iat_ms))
		return refuse(ec, "A date of the token is not a number of seconds since 1970.");
	if (cJSON_HasObjectItem(jwt->claims, "cnf"))
		return refuse(ec, "The token is bound to a key of its sender, which cannot be checked here.");
	return ERR_OK;
}

static enum err read_parts(struct jwt *jwt, const struct part parts[3], struct errctx *ec)
{
	enum err err = read_header(jwt, &parts[0], ec);

	if (!err)
		err = read_object(&parts[1], &jwt->claims, "The token's claims are not a strict JSON object.",
				  ec);
	if (!err)
		err = take_claims(jwt, ec);
	if (!err)
		err = read_signature(jwt, &parts[2], ec);
	if (err)
		return err;
	jwt->signed_len = parts[0].len + 1 + parts[1].len;
	jwt->signed_text = malloc(jwt->signed_len);
	if (jwt->signed_text == NULL)
		return err_set(ec, ERR_NOMEM, "No memory to read the token.");
	memcpy(jwt->signed_text, parts[0].text, jwt->signed_len);
	return ERR_OK;
}

enum err jwt_read(const char *token, size_t len, struct jwt **out, struct errctx *ec)
{
	struct part parts[3];
	struct jwt *jwt;
	enum err err;

	if (len > JWT_TOKEN_MAX)
		return refuse(ec, "The token is too long.");
	if (!split(token, len, parts))
		return refuse(ec, "The token does not have three parts.");
	jwt = calloc(1, sizeof(*jwt));
	if (jwt == NULL)
		return err_set(ec, ERR_NOMEM, "No memory to read the token.");
	err = read_parts(jwt, parts, ec);
	if (err) {
		jwt_free(jwt);
		return err;
	}
	*out = jwt;
	return ERR_OK;
}

void jwt_free(struct jwt *jwt)
{
	if (jwt == NULL)
		return;
	cJSON_Delete(jwt->claims);
	if (jwt->signed_text != NULL)
		digest_wipe(jwt->signed_text, jwt->signed_len);
	free(jwt->signed_text);
	digest_wipe(jwt, sizeof(*jwt));
	free(jwt);
}

/* -- rules ------------------------------------------------------------------------------------------------- */

/* RFC 7519, section 4.1.3: one text, or an array of texts. */
static bool is_for(const cJSON *claims, const char *audience)
{
	const cJSON *aud = cJSON_GetObjectItemCaseSensitive(claims, "aud");
	const cJSON *element;
	bool found = false;
	int count = 0;

	if (cJSON_IsString(aud))
		return strcmp(aud->valuestring, audience) == 0;
	if (!cJSON_IsArray(aud))
		return false;
	cJSON_ArrayForEach(element, aud) {
		if (!cJSON_IsString(element) || ++count > JWT_AUDIENCES_MAX)
			return false;
		if (strcmp(element->valuestring, audience) == 0)
			found = true;
	}
	return found;
}

enum err jwt_check(const struct jwt *jwt, const struct jwt_rules *rules, int64_t now_ms, struct errctx *ec)
{
	if (strcmp(jwt_issuer(jwt), rules->issuer) != 0)
		return refuse(ec, "The token's issuer is not accepted here.");
	if (((unsigned)jwt->alg & rules->algorithms) == 0)
		return refuse(ec, "The token's algorithm is not accepted.");
	if (!is_for(jwt->claims, rules->audience))
		return refuse(ec, "The token is meant for another audience.");
	if (now_ms >= jwt->exp_ms + rules->skew_ms)
		return refuse(ec, "The token has expired.");
	if (now_ms < jwt->nbf_ms - rules->skew_ms)
		return refuse(ec, "The token is not valid yet.");
	if (now_ms < jwt->iat_ms - rules->skew_ms)
		return refuse(ec, "The token was issued in the future.");
	return ERR_OK;
}

const char *jwt_kid(const struct jwt *jwt)
{
	return jwt->kid;
}

const char *jwt_issuer(const struct jwt *jwt)
{
	return json_string(jwt->claims, "iss");
}

const cJSON *jwt_claims(const struct jwt *jwt)
{
	return jwt->claims;
}

enum jwt_alg jwt_alg(const struct jwt *jwt)
{
	return jwt->alg;
}

int64_t jwt_expires_ms(const struct jwt *jwt)
{
	return jwt->exp_ms;
}
