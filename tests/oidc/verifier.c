/*
 * Judges tokens for another program: verifier ISSUER AUDIENCE KEYS, where KEYS is a file with a JSON Web Key Set. A line
 * is "NOW TOKEN": Unix milliseconds, and the token in hexadecimal. Answers "ok" or "refused" and the sentence.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sign-in/jwks.h"
#include "sign-in/jwt.h"

#define TOKEN_LINE_MAX (4 * JWT_TOKEN_MAX)
#define KEYS_SIZE      (JWKS_DOCUMENT_MAX + 1)

static struct jwks *read_keys(const char *path)
{
	char *text = malloc(KEYS_SIZE);
	FILE *file = fopen(path, "r");
	struct jwks *keys = NULL;
	struct errctx ec;

	if (text != NULL && file != NULL &&
	    jwks_parse(text, fread(text, 1, KEYS_SIZE, file), &keys, &ec) != ERR_OK)
		fprintf(stderr, "%s: %s\n", path, ec.text);
	if (file != NULL)
		fclose(file);
	free(text);
	return keys;
}

static int hex_value(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c == '\0' ? NULL : strchr(digits, c);

	return at == NULL ? -1 : (int)(at - digits);
}

/* Decodes in its place; the number of bytes. */
static size_t decode(char *text)
{
	size_t len = 0;

	for (const char *p = text; hex_value(p[0]) >= 0 && hex_value(p[1]) >= 0; p += 2)
		text[len++] = (char)(hex_value(p[0]) * 16 + hex_value(p[1]));
	return len;
}

/* The three steps of jwt.h, with the key that the token names, as signin.c takes them. */
static enum err judge(const struct jwt_rules *rules, const struct jwks *keys, struct jwt *jwt, int64_t now_ms,
		      struct errctx *ec)
{
	const struct jwks_key *key = jwks_find(keys, jwt_kid(jwt));
	enum err err = jwt_check(jwt, rules, now_ms, ec);

	if (err != ERR_OK)
		return err;
	if (key == NULL)
		return err_set(ec, ERR_UNAUTHENTICATED, "The token's key is not known.");
	if (((unsigned)jwt_alg(jwt) & key->algorithms) == 0)
		return err_set(ec, ERR_UNAUTHENTICATED, "The token's algorithm does not fit its key.");
	return jwt_verify(jwt, key->pkey, ec);
}

static void answer(const struct jwt_rules *rules, const struct jwks *keys, char *line)
{
	char *token;
	int64_t now_ms = strtoll(line, &token, 10);
	struct errctx ec = {""};
	struct jwt *jwt = NULL;
	enum err err;

	token += strspn(token, " ");
	err = jwt_read(token, decode(token), &jwt, &ec);
	if (err == ERR_OK)
		err = judge(rules, keys, jwt, now_ms, &ec);
	jwt_free(jwt);
	if (err == ERR_OK)
		puts("ok");
	else
		printf("refused %s\n", ec.text);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	struct jwks *keys = argc == 4 ? read_keys(argv[3]) : NULL;
	struct jwt_rules rules = {.algorithms = JWT_ALGS_ALL, .skew_ms = 60000};
	char *line = malloc(TOKEN_LINE_MAX);

	if (keys == NULL || line == NULL)
		return 2;
	rules.issuer = argv[1];
	rules.audience = argv[2];
	while (fgets(line, TOKEN_LINE_MAX, stdin) != NULL)
		answer(&rules, keys, line);
	free(line);
	jwks_free(keys);
	return 0;
}
