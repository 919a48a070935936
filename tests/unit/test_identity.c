/* What is read from the claims of a verified token, and the table of tokens that have been verified. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sign-in/identity.h"
#include "sign-in/remembered.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))
#define WHO         "\"iss\":\"https://i\",\"sub\":\"s1\""

static enum err make(const char *claims, const struct identity_claims *names, const struct identity **out,
		     struct errctx *ec)
{
	cJSON *root = NULL;
	enum err err;

	assert_int_equal(json_parse(claims, strlen(claims), &root, NULL), ERR_OK);
	err = identity_make(root, names, 1700000000000, out, ec);
	cJSON_Delete(root);
	return err;
}

static void add_list(struct buf *out, const char *name, const struct identity_list *list)
{
	buf_addf(out, " %s=", name);
	for (size_t i = 0; i < list->count; i++)
		buf_addf(out, "[%s]", list->texts[i]);
}

/* The identity in one line, or the sentence of the refusal. The claims are freed by then. */
static void print_identity(const char *claims, const struct identity_claims *names, struct buf *out)
{
	const struct identity *who = NULL;
	struct errctx ec = {.text = ""};
	enum err err = make(claims, names, &who, &ec);

	buf_clear(out);
	if (err) {
		assert_int_equal(err, ERR_UNAUTHENTICATED);
		assert_null(who);
		buf_adds(out, ec.text);
		return;
	}
	buf_addf(out, "%s %s id=%s user=%s names=%s/%s/%s/%s oid=%s client=%s jti=%s", who->issuer,
		 who->subject, who->id, who->user_name, who->display_name, who->given_name, who->family_name,
		 who->email, who->oid, who->client_id, who->jti);
	add_list(out, "groups", &who->groups);
	add_list(out, "methods", &who->methods);
	if (who->groups_left_out)
		buf_adds(out, " left out");
	assert_true(who->expires_ms == 1700000000000);
	identity_release(who);
}

struct row {
	const char *claims;
	const char *printed;
};

static void check_rows(const struct row *rows, size_t count, const struct identity_claims *names)
{
	struct buf out;

	buf_init(&out, 100000);
	for (size_t i = 0; i < count; i++) {
		print_identity(rows[i].claims, names, &out);
		if (strcmp(buf_text(&out), rows[i].printed) != 0)
			fail_msg("%s: %s", rows[i].claims, buf_text(&out));
	}
	buf_release(&out);
}

#define PLAIN    "https://i s1 id=s1 user= names=/// oid= client= jti="
#define NO_LISTS " groups= methods="
#define NO_TEXT  "A claim of the token that must be a text is not one."
#define NO_LIST  "A claim of the token that must be a list of texts is not one."
#define UNFIT    "A claim of the token is too long or holds control characters."

static void test_default_claims(void **state)
{
	static const struct identity_claims names = {NULL};
	static const struct row rows[] = {
		{"{" WHO "}", PLAIN NO_LISTS},
		{"{" WHO ",\"preferred_username\":\"a@x\",\"name\":\"Amira Z\",\"given_name\":\"Amira\","
		 "\"family_name\":\"Z\",\"email\":\"m@x\",\"oid\":\"o1\",\"jti\":\"j1\"}",
		 "https://i s1 id=s1 user=a@x names=Amira Z/Amira/Z/m@x oid=o1 client= jti=j1" NO_LISTS},
		{"{" WHO ",\"name\":null,\"groups\":null,\"amr\":null}", PLAIN NO_LISTS},
		{"{" WHO ",\"name\":\"J\xC3\xBCrgen\"}",
		 "https://i s1 id=s1 user= names=J\xC3\xBCrgen/// oid= client= jti=" NO_LISTS},
		/* The program behind the token, by three providers. */
		{"{" WHO ",\"appid\":\"p1\"}",
		 "https://i s1 id=s1 user= names=/// oid= client=p1 jti=" NO_LISTS},
		{"{" WHO ",\"appid\":\"p1\",\"azp\":\"p2\"}",
		 "https://i s1 id=s1 user= names=/// oid= client=p2 jti=" NO_LISTS},
		{"{" WHO ",\"client_id\":\"p3\",\"azp\":\"p2\"}",
		 "https://i s1 id=s1 user= names=/// oid= client=p3 jti=" NO_LISTS},
		/* Groups, as a list and as one text. */
		{"{" WHO ",\"groups\":[\"a\",\"b,c\",\" d \"]}", PLAIN " groups=[a][b,c][d] methods="},
		{"{" WHO ",\"groups\":\"a,b , c,,\"}", PLAIN " groups=[a][b][c] methods="},
		{"{" WHO ",\"groups\":\"\"}", PLAIN NO_LISTS},
		{"{" WHO ",\"groups\":[]}", PLAIN NO_LISTS},
		{"{" WHO ",\"groups\":[\"\"]}", PLAIN NO_LISTS},
		{"{" WHO ",\"Groups\":[\"a\"]}", PLAIN NO_LISTS},
		{"{" WHO ",\"_claim_names\":{\"groups\":\"src1\"}}", PLAIN NO_LISTS " left out"},
		{"{" WHO ",\"_claim_names\":{\"roles\":\"src1\"}}", PLAIN NO_LISTS},
		{"{" WHO ",\"_claim_names\":7}", PLAIN NO_LISTS},
		/* How they authenticated. */
		{"{" WHO ",\"amr\":[\"pwd\",\"mfa\"],\"acr\":\"urn:x\",\"acrs\":[\"p1\"]}",
		 PLAIN " groups= methods=[pwd][mfa][urn:x][p1]"},
		{"{" WHO ",\"amr\":\"mfa,pwd\",\"groups\":\"g\"}", PLAIN " groups=[g] methods=[mfa,pwd]"},
		/* What is of the wrong type, or not fit to be shown and kept. */
		{"{" WHO ",\"preferred_username\":7}", NO_TEXT},
		{"{" WHO ",\"preferred_username\":[\"a\"]}", NO_TEXT},
		{"{" WHO ",\"name\":{\"x\":1}}", NO_TEXT},
		{"{" WHO ",\"jti\":5}", NO_TEXT},
		{"{" WHO ",\"groups\":7}", NO_LIST},
		{"{" WHO ",\"groups\":{\"a\":1}}", NO_LIST},
		{"{" WHO ",\"groups\":[\"a\",1]}", NO_LIST},
		{"{" WHO ",\"groups\":[[\"a\"]]}", NO_LIST},
		{"{" WHO ",\"amr\":true}", NO_LIST},
		{"{" WHO ",\"preferred_username\":\"a\\nb\"}", UNFIT},
		{"{" WHO ",\"name\":\"a\\u001bb\"}", UNFIT},
		{"{" WHO ",\"groups\":[\"a\\tb\"]}", UNFIT},
		{"{" WHO ",\"groups\":\"a,b\\u007f\"}", UNFIT},
	};

	(void)state;
	check_rows(rows, COUNT(rows), &names);
}

static void test_configured_claims(void **state)
{
	static const struct identity_claims names = {
		.id = "oid",
		.user_name = "upn",
		.groups = "https://x/roles",
		.authentication = "acrs",
		.display_name = "",
		.email = "mail",
	};
	static const struct row rows[] = {
		{"{" WHO ",\"oid\":\"o1\",\"upn\":\"a@x\",\"preferred_username\":\"no\",\"name\":\"no\","
		 "\"mail\":\"m@x\",\"email\":\"no\",\"groups\":[\"no\"],\"https://x/roles\":[\"r1\"],"
		 "\"amr\":[\"no\"],\"acrs\":\"c1\"}",
		 "https://i s1 id=o1 user=a@x names=///m@x oid=o1 client= jti= groups=[r1] methods=[c1]"},
		{"{" WHO ",\"upn\":\"a@x\"}", "The token does not have the claim that names the principal."},
		{"{" WHO ",\"oid\":\"\"}", "The token does not have the claim that names the principal."},
		{"{" WHO ",\"oid\":null}", "The token does not have the claim that names the principal."},
	};

	(void)state;
	check_rows(rows, COUNT(rows), &names);
}

static void print_claims(const char *claims, struct buf *out)
{
	static const struct identity_claims names = {.groups = "roles"};
	const struct identity *who = NULL;
	struct errctx ec;

	buf_clear(out);
	assert_int_equal(make(claims, &names, &who, &ec), ERR_OK);
	for (size_t i = 0; i < who->claims.count; i++)
		buf_addf(out, "%s%s=%s", i > 0 ? " " : "", who->claims.list[i].name,
			 who->claims.list[i].value);
	if (who->claims_left_out)
		buf_adds(out, " left out");
	identity_release(who);
}

/* What policies may look at: everything that is a text or can be written as one. */
static void test_other_claims(void **state)
{
	static const struct row rows[] = {
		{"{" WHO "}", ""},
		{"{" WHO ",\"department\":\"it, ops\"}", " department=it, ops"},
		{"{" WHO ",\"d\":[\"a\",\"b\"],\"e\":[]}", " d=a d=b"},
		{"{" WHO ",\"n\":3,\"m\":-4,\"big\":999999999999999,\"list\":[1,\"x\",true]}",
		 " n=3 m=-4 big=999999999999999 list=1 list=x list=true"},
		{"{" WHO ",\"t\":true,\"f\":false,\"z\":null}", " t=true f=false"},
		{"{" WHO ",\"n\":3.5}", ""},
		{"{" WHO ",\"o\":{\"a\":\"b\"},\"l\":[[\"a\"],{\"b\":1},\"c\"]}", " l=c"},
		/* Whatever the provider calls groups, this is not it. */
		{"{" WHO ",\"groups\":[\"a\"],\"roles\":[\"b\"]}", " roles=b"},
		{"{" WHO ",\"c\":\"a\\nb\",\"a\\tb\":\"c\",\"e\":\"\"}", ""},
	};
	struct buf out;

	(void)state;
	buf_init(&out, 100000);
	for (size_t i = 0; i < COUNT(rows); i++) {
		char wanted[256];

		print_claims(rows[i].claims, &out);
		snprintf(wanted, sizeof(wanted), "iss=https://i sub=s1%s", rows[i].printed);
		if (strcmp(buf_text(&out), wanted) != 0)
			fail_msg("%s: %s", rows[i].claims, buf_text(&out));
	}
	buf_release(&out);
}

/* What is too long to be named is passed over, and so is what is beyond the bound; neither keeps anybody out. */
static void test_many_claims(void **state)
{
	struct buf claims, out;

	(void)state;
	buf_init(&claims, 100000);
	buf_init(&out, 100000);
	buf_adds(&claims, "{" WHO ",\"long\":\"");
	for (int i = 0; i <= IDENTITY_TEXT_MAX; i++)
		buf_adds(&claims, "x");
	buf_adds(&claims, "\",\"d\":[");
	for (int i = 0; i < IDENTITY_CLAIMS_MAX - 2; i++)
		buf_addf(&claims, "%s\"%d\"", i > 0 ? "," : "", i);
	buf_adds(&claims, "]");
	buf_adds(&out, buf_text(&claims));
	buf_adds(&claims, "}");
	buf_adds(&out, ",\"one\":\"more\"}");
	char *more = strdup(buf_text(&out));
	print_claims(buf_text(&claims), &out);
	assert_non_null(strstr(buf_text(&out), "d=509"));
	assert_null(strstr(buf_text(&out), "left out"));
	assert_null(strstr(buf_text(&out), "long"));
	print_claims(more, &out);
	assert_non_null(strstr(buf_text(&out), " d=509 left out"));
	free(more);
	buf_release(&claims);
	buf_release(&out);
}

/* An address that the person may have typed in is no name; as a mere address it is kept. */
static void test_unverified_email(void **state)
{
	static const struct identity_claims by_email = {.user_name = "email"}, plain = {NULL};
	static const char refusal[] =
		"The token's e-mail address, which names the principal, is not verified.";
	static const char accepted[] = "https://i s1 id=s1 user=m@x names=///m@x oid= client= jti=" NO_LISTS;
	static const struct row rows[] = {
		{"{" WHO ",\"email\":\"m@x\"}", accepted},
		{"{" WHO ",\"email\":\"m@x\",\"email_verified\":true}", accepted},
		{"{" WHO ",\"email\":\"m@x\",\"email_verified\":\"true\"}", accepted},
		{"{" WHO ",\"email\":\"m@x\",\"email_verified\":false}", refusal},
		{"{" WHO ",\"email\":\"m@x\",\"email_verified\":\"false\"}", refusal},
		{"{" WHO ",\"email\":\"m@x\",\"email_verified\":1}", refusal},
	};
	static const struct row unused[] = {
		{"{" WHO ",\"email\":\"m@x\",\"email_verified\":false}",
		 "https://i s1 id=s1 user= names=///m@x oid= client= jti=" NO_LISTS},
	};

	(void)state;
	check_rows(rows, COUNT(rows), &by_email);
	check_rows(unused, COUNT(unused), &plain);
}

/* Claims with `count` groups and as many methods, or one name of `length` characters. */
static enum err make_large(size_t groups, size_t methods, size_t length)
{
	static const struct identity_claims names = {NULL};
	const struct identity *who = NULL;
	struct errctx ec;
	struct buf b;
	enum err err;

	buf_init(&b, 1000000);
	buf_adds(&b, "{" WHO ",\"groups\":[\"g\"");
	for (size_t i = 1; i < groups; i++)
		buf_adds(&b, ",\"g\"");
	buf_adds(&b, "],\"amr\":[\"m\"");
	for (size_t i = 1; i < methods; i++)
		buf_adds(&b, ",\"m\"");
	buf_adds(&b, "],\"name\":\"");
	for (size_t i = 0; i < length; i++)
		buf_adds(&b, "n");
	buf_adds(&b, "\"}");
	err = make(buf_text(&b), &names, &who, &ec);
	buf_release(&b);
	if (err)
		return err;
	assert_int_equal(who->groups.count, groups);
	assert_int_equal(who->methods.count, methods);
	assert_int_equal(strlen(who->display_name), length);
	assert_true(who->size > length + 2 * (groups + methods));
	identity_release(who);
	return ERR_OK;
}

static void test_bounds(void **state)
{
	(void)state;
	assert_int_equal(make_large(IDENTITY_GROUPS_MAX, IDENTITY_METHODS_MAX, IDENTITY_TEXT_MAX), ERR_OK);
	assert_int_equal(make_large(IDENTITY_GROUPS_MAX + 1, 1, 1), ERR_UNAUTHENTICATED);
	assert_int_equal(make_large(1, IDENTITY_METHODS_MAX + 1, 1), ERR_UNAUTHENTICATED);
	assert_int_equal(make_large(1, 1, IDENTITY_TEXT_MAX + 1), ERR_UNAUTHENTICATED);
}

static void test_references(void **state)
{
	static const struct identity_claims names = {NULL};
	const struct identity *who = NULL, *again;

	(void)state;
	assert_int_equal(make("{" WHO "}", &names, &who, NULL), ERR_OK);
	again = identity_hold(who);
	identity_release(who);
	assert_string_equal(again->subject, "s1");
	identity_release(again);
	identity_release(NULL);
}

/* -- verified tokens --------------------------------------------------------------------------------------- */

/* An entry whose digest is made of the number, with a fresh identity that the caller releases. */
static struct remembered_token entry_of(unsigned number, int64_t until_ms, const char *claims)
{
	static const struct identity_claims names = {NULL};
	struct remembered_token token = {.until_ms = until_ms, .issuer = number};

	memcpy(token.digest, &number, sizeof(number));
	assert_int_equal(make(claims, &names, &token.identity, NULL), ERR_OK);
	return token;
}

static void keep(struct remembered *table, unsigned number, int64_t until_ms, const char *claims)
{
	struct remembered_token token = entry_of(number, until_ms, claims);

	remembered_keep(table, &token);
	identity_release(token.identity);
}

static bool is_kept(struct remembered *table, unsigned number)
{
	unsigned char digest[SHA256_BYTES] = {0};
	const struct remembered_token *token;

	memcpy(digest, &number, sizeof(number));
	token = remembered_find(table, digest);
	if (token == NULL)
		return false;
	assert_int_equal(token->issuer, number);
	assert_string_equal(token->identity->subject, "s1");
	return true;
}

static void test_table(void **state)
{
	struct remembered *table = remembered_new();
	unsigned char digest[SHA256_BYTES] = {0};

	(void)state;
	assert_non_null(table);
	keep(table, 1, 100, "{" WHO "}");
	keep(table, 2, 200, "{" WHO "}");
	keep(table, 1 << 16 | 1, 300, "{" WHO "}"); /* same bucket as 1 */
	keep(table, 1, 150, "{" WHO "}");           /* in place of the first */
	assert_int_equal(remembered_count(table), 3);
	assert_true(is_kept(table, 1) && is_kept(table, 2) && is_kept(table, 1 << 16 | 1));
	assert_false(is_kept(table, 3));
	remembered_sweep(table, 149);
	assert_int_equal(remembered_count(table), 3);
	remembered_sweep(table, 150);
	assert_false(is_kept(table, 1));
	assert_true(is_kept(table, 2) && is_kept(table, 1 << 16 | 1));
	digest[0] = 2;
	remembered_forget(table, digest);
	remembered_forget(table, digest);
	assert_false(is_kept(table, 2));
	assert_int_equal(remembered_count(table), 1);
	remembered_free(table);
	remembered_free(NULL);
}

/* The one that was not seen for the longest time gives way. */
static void test_table_is_full(void **state)
{
	struct remembered *table = remembered_new();

	(void)state;
	assert_non_null(table);
	for (unsigned i = 0; i < REMEMBERED_TOKENS_MAX; i++)
		keep(table, i, 100, "{" WHO "}");
	assert_int_equal(remembered_count(table), REMEMBERED_TOKENS_MAX);
	assert_true(is_kept(table, 0));
	keep(table, 70000, 100, "{" WHO "}");
	assert_int_equal(remembered_count(table), REMEMBERED_TOKENS_MAX);
	assert_true(is_kept(table, 0));
	assert_false(is_kept(table, 1));
	assert_true(is_kept(table, 2) && is_kept(table, 70000));
	remembered_free(table);
}

static void test_table_is_bounded_in_bytes(void **state)
{
	struct remembered *table = remembered_new();
	size_t most = 0;
	struct buf b;

	(void)state;
	assert_non_null(table);
	buf_init(&b, 100000);
	buf_adds(&b, "{" WHO ",\"groups\":[\"g\"");
	for (int i = 0; i < 1000; i++)
		buf_adds(&b, ",\"gggg\"");
	buf_adds(&b, "]}");
	for (unsigned i = 0; i < REMEMBERED_TOKENS_MAX; i++) {
		keep(table, i, 100, buf_text(&b));
		assert_true(is_kept(table, i));
		most = remembered_count(table);
	}
	/* Each takes 13 bytes a group and some hundred more. */
	assert_in_range(most, 500, 660);
	buf_release(&b);
	remembered_free(table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_default_claims),   cmocka_unit_test(test_configured_claims),
		cmocka_unit_test(test_other_claims),     cmocka_unit_test(test_many_claims),
		cmocka_unit_test(test_unverified_email), cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_references),       cmocka_unit_test(test_table),
		cmocka_unit_test(test_table_is_full),    cmocka_unit_test(test_table_is_bounded_in_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
