#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "tests/support/token_judge.h"

const struct jwt_rules judge_rules = {"https://issuer", "api://jit", JWT_ALGS_ALL, 60000};

/* No quote, no backslash, plain ASCII. */
static void assert_sentence(enum err err, const char *text)
{
	assert_int_equal(err, ERR_UNAUTHENTICATED);
	assert_true(strlen(text) > 10);
	for (; *text != '\0'; text++)
		assert_true(*text >= ' ' && *text <= '~' && *text != '"' && *text != '\\');
}

enum err judge_token(const struct buf *token, const struct jwt_rules *rules, EVP_PKEY *key, struct errctx *ec)
{
	char *copy = malloc(token->len > 0 ? token->len : 1);
	struct jwt *jwt = NULL;
	enum err err;

	assert_non_null(copy);
	if (token->len > 0)
		memcpy(copy, token->data, token->len);
	ec->text[0] = '\0';
	err = jwt_read(copy, token->len, &jwt, ec);
	free(copy);
	if (!err)
		err = jwt_check(jwt, rules, JUDGE_NOW_MS, ec);
	if (!err)
		err = jwt_verify(jwt, key, ec);
	jwt_free(jwt);
	if (err)
		assert_sentence(err, ec->text);
	return err;
}

const char *judge_signed(const char *header, const char *claims, EVP_PKEY *key, enum tokens_method method,
			 struct errctx *ec)
{
	struct buf token;
	enum err err;

	buf_init(&token, TOKENS_MAX);
	tokens_sign(&token, header, claims, key, method);
	err = judge_token(&token, &judge_rules, key, ec);
	buf_release(&token);
	return err ? ec->text : "";
}
