#include "sign-in/jwks.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/json.h"
#include "sign-in/jwks_key.h"
#include "sign-in/jwt.h"

struct jwks {
	size_t count, skipped;
	struct jwks_key keys[JWKS_KEYS_MAX];
};

static bool lists_verify(const cJSON *operations)
{
	const cJSON *operation;

	cJSON_ArrayForEach(operation, operations)
		if (cJSON_IsString(operation) && strcmp(operation->valuestring, "verify") == 0)
			return true;
	return false;
}

/* RFC 7517, sections 4.2 and 4.3. */
static bool is_for_signatures(const cJSON *jwk)
{
	const cJSON *use = cJSON_GetObjectItemCaseSensitive(jwk, "use");
	const cJSON *operations = cJSON_GetObjectItemCaseSensitive(jwk, "key_ops");

	if (use && (!cJSON_IsString(use) || strcmp(use->valuestring, "sig") != 0))
		return false;
	return operations == NULL || (cJSON_IsArray(operations) && lists_verify(operations));
}

static enum err set_fingerprint(struct jwks_key *key)
{
	unsigned char *der = NULL;
	int len = i2d_PUBKEY(key->pkey, &der);

	if (len <= 0)
		return ERR_NOMEM;
	digest_sha256(der, (size_t)len, key->fingerprint);
	OPENSSL_free(der);
	return ERR_OK;
}

/* Takes the key into the set, or skips it. ERR_NOMEM is the only failure. */
static enum err add_key(struct jwks *set, const cJSON *jwk)
{
	const char *kid = json_string(jwk, "kid");
	struct jwks_key *key = &set->keys[set->count];

	if (kid == NULL || *kid == '\0' || strlen(kid) >= JWT_KID_SIZE || !is_for_signatures(jwk)) {
		set->skipped++;
		return ERR_OK;
	}
	if (jwks_key_make(jwk, &key->pkey, &key->algorithms) != ERR_OK)
		return ERR_NOMEM;
	if (key->pkey == NULL) {
		set->skipped++;
		return ERR_OK;
	}
	set->count++;
	key->kid = strdup(kid);
	return key->kid ? set_fingerprint(key) : ERR_NOMEM;
}

static void release_key(struct jwks_key *key)
{
	EVP_PKEY_free(key->pkey);
	free(key->kid);
	memset(key, 0, sizeof(*key));
}

static bool is_ambiguous(const struct jwks *set, size_t index)
{
	for (size_t i = 0; i < set->count; i++)
		if (i != index && strcmp(set->keys[i].kid, set->keys[index].kid) == 0)
			return true;
	return false;
}

static void drop_ambiguous(struct jwks *set)
{
	bool drop[JWKS_KEYS_MAX] = {false};
	size_t kept = 0;

	for (size_t i = 0; i < set->count; i++)
		drop[i] = is_ambiguous(set, i);
	for (size_t i = 0; i < set->count; i++) {
		if (drop[i]) {
			release_key(&set->keys[i]);
			set->skipped++;
		} else if (kept++ != i) {
			set->keys[kept - 1] = set->keys[i];
			memset(&set->keys[i], 0, sizeof(set->keys[i]));
		}
	}
	set->count = kept;
}

static enum err read_set(struct jwks *set, const cJSON *root, struct errctx *ec)
{
	const cJSON *keys = cJSON_GetObjectItemCaseSensitive(root, "keys");
	const cJSON *jwk;

	if (!cJSON_IsArray(keys))
		return err_set(ec, ERR_BAD_REQUEST, "it has no list of keys");
	if (cJSON_GetArraySize(keys) > JWKS_KEYS_MAX)
		return err_set(ec, ERR_BAD_REQUEST, "it has more than %d keys", JWKS_KEYS_MAX);
	cJSON_ArrayForEach(jwk, keys) {
		if (!cJSON_IsObject(jwk))
			return err_set(ec, ERR_BAD_REQUEST, "one of its keys is not an object");
		if (add_key(set, jwk))
			return err_set(ec, ERR_NOMEM, "no memory for its keys");
	}
	drop_ambiguous(set);
	return ERR_OK;
}

enum err jwks_parse(const char *text, size_t len, struct jwks **out, struct errctx *ec)
{
	struct jwks *set;
	cJSON *root = NULL;
	enum err err;

	if (len > JWKS_DOCUMENT_MAX)
		return err_set(ec, ERR_BAD_REQUEST, "it is larger than %d bytes", JWKS_DOCUMENT_MAX);
	err = json_parse(text, len, &root, ec);
	if (err)
		return err;
	set = calloc(1, sizeof(*set));
	err = set ? read_set(set, root, ec) : err_set(ec, ERR_NOMEM, "no memory for its keys");
	cJSON_Delete(root);
	if (err) {
		jwks_free(set);
		return err;
	}
	*out = set;
	return ERR_OK;
}

void jwks_free(struct jwks *set)
{
	if (set == NULL)
		return;
	for (size_t i = 0; i < set->count; i++)
		release_key(&set->keys[i]);
	free(set);
}

const struct jwks_key *jwks_find(const struct jwks *set, const char *kid)
{
	for (size_t i = 0; i < set->count; i++)
		if (strcmp(set->keys[i].kid, kid) == 0)
			return &set->keys[i];
	return NULL;
}

size_t jwks_count(const struct jwks *set)
{
	return set->count;
}

size_t jwks_skipped(const struct jwks *set)
{
	return set->skipped;
}
