/* What others send is read while memory runs out: it is understood as ever, or refused for want of memory. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <hiredis/hiredis.h>
#include <openssl/evp.h>

#include "api/batch.h"
#include "api/submission.h"
#include "base/json.h"
#include "notice/mail.h"
#include "sign-in/discovery.h"
#include "sign-in/identity.h"
#include "sign-in/jwks.h"
#include "scim-push/outcome.h"
#include "scim-push/scim.h"
#include "scim-push/user.h"
#include "sign-in/jwt.h"
#include "store/setup.h"
#include "tests/support/sweep.h"
#include "tests/support/tokens.h"
#include "webhook/approval.h"
#include "webhook/event.h"
#include "webhook/slack.h"

#define INPUT_MAX 65536
#define NOW_MS    INT64_C(1700000000000)

#define LIST(resources) "\n{\"Resources\":[" resources "]}"
#define INPUT(literal)  (&(struct input){literal, sizeof(literal) - 1})

struct input {
	const char *text;
	size_t len;
};

/* Notes an error; false for the one that this is about. */
static bool note(struct seen *seen, enum err err)
{
	seen_add(seen, "%d ", (int)err);
	return err != ERR_NOMEM;
}

/* Sweeps the work over every known input of a fuzz target. */
static void sweep_corpus(const char *folder, sweep_work *work)
{
	static char text[INPUT_MAX];
	struct dirent **names = NULL;
	int count = scandir(folder, &names, NULL, alphasort);
	long allocations = 0;

	for (int i = 0; i < count; i++) {
		char path[512];
		struct input input = {.text = text};
		FILE *file;

		snprintf(path, sizeof(path), "%s/%s", folder, names[i]->d_name);
		file = names[i]->d_name[0] == '.' ? NULL : fopen(path, "rb");
		if (file != NULL) {
			input.len = fread(text, 1, sizeof(text), file);
			fclose(file);
			allocations += sweep(path, work, &input);
		}
		free(names[i]);
	}
	free(names);
	print_message("%s: %ld allocations\n", folder, allocations);
	assert_true(allocations > 0);
}

/* -- calls of the API --------------------------------------------------------------------------------------- */

static bool read_json(const void *given, struct seen *seen)
{
	const struct input *input = given;
	struct errctx ec = {""};
	cJSON *value = NULL;
	enum err err = json_parse(input->text, input->len, &value, &ec);
	struct buf printed;
	bool ok = note(seen, err);

	buf_init(&printed, INPUT_MAX);
	if (err == ERR_OK)
		json_add_value(&printed, value);
	ok = ok && !buf_failed(&printed);
	seen_add(seen, "%.4000s", buf_text(&printed));
	buf_release(&printed);
	cJSON_Delete(value);
	return ok;
}

static bool read_submission(const void *given, struct seen *seen)
{
	const struct input *input = given;
	struct errctx ec = {""};
	struct submission s;
	enum err err = submission_read(input->text, input->len, &s, &ec);

	if (err == ERR_OK)
		seen_add(seen, "%d %s %s %s ", (int)s.action, s.group, s.principal, s.justification);
	return note(seen, err);
}

static bool read_batch(const void *given, struct seen *seen)
{
	const struct input *input = given;
	struct errctx ec = {""};
	struct batch batch = {.json = NULL};
	enum err err = batch_read(input->text, input->len, &batch, &ec);

	for (size_t i = 0; err == ERR_OK && i < batch.count; i++)
		seen_add(seen, "%s %s %s %u ", batch.items[i].id, batch.items[i].method, batch.items[i].url,
			 batch.items[i].after);
	if (err == ERR_OK)
		batch_release(&batch);
	return note(seen, err);
}

static void calls(void **state)
{
	(void)state;
	sweep_corpus("tests/fuzz/corpus/json", read_json);
	sweep_corpus("tests/fuzz/corpus/submission", read_submission);
	sweep_corpus("tests/fuzz/corpus/batch", read_batch);
}

/* -- sign-in ------------------------------------------------------------------------------------------------ */

struct signed_token {
	struct buf token, keys;
};

static bool read_identity(const struct jwt *jwt, struct seen *seen)
{
	static const struct identity_claims names = {.user_name = NULL};
	const struct identity *who = NULL;
	struct errctx ec = {""};
	enum err err = identity_make(jwt_claims(jwt), &names, jwt_expires_ms(jwt), &who, &ec);

	if (err == ERR_OK)
		seen_add(seen, "%s %s %zu %zu ", who->id, who->user_name, who->groups.count,
			 who->claims.count);
	identity_release(who);
	return note(seen, err);
}

/* A whole sign-in: the provider's keys, the token, its signature, who that is. OpenSSL does not always tell want of memory
 * from a key or signature that is wrong: nobody is then let in, which is all that counts. */
static bool sign_in(const void *given, struct seen *seen)
{
	static const struct jwt_rules rules = {"https://issuer", "api://jit", JWT_ALGS_ALL, 60000};
	const struct signed_token *t = given;
	struct errctx ec = {""};
	struct jwks *keys = NULL;
	struct jwt *jwt = NULL;
	const struct jwks_key *key;
	bool ok = note(seen, jwks_parse(t->keys.data, t->keys.len, &keys, &ec));

	ok = ok && note(seen, jwt_read(t->token.data, t->token.len, &jwt, &ec)) &&
	     note(seen, jwt_check(jwt, &rules, NOW_MS, &ec));
	key = ok ? jwks_find(keys, "k") : NULL;
	ok = key != NULL && jwt_verify(jwt, key->pkey, &ec) == ERR_OK && read_identity(jwt, seen);
	jwt_free(jwt);
	jwks_free(keys);
	return ok;
}

static void sweep_sign_in(const char *name, EVP_PKEY *key, const char *header, enum tokens_method method)
{
	struct signed_token t;
	long allocations;

	buf_init(&t.token, TOKENS_MAX);
	buf_init(&t.keys, TOKENS_MAX);
	tokens_sign(&t.token, header,
		    "{\"iss\":\"https://issuer\",\"aud\":\"api://jit\",\"sub\":\"s\",\"exp\":1700000600,"
		    "\"preferred_username\":\"amira\",\"groups\":[\"a\",\"b\"],\"amr\":[\"mfa\"],\"dept\":7}",
		    key, method);
	buf_adds(&t.keys, "{\"keys\":[");
	tokens_jwk(&t.keys, key, "k", "");
	buf_adds(&t.keys, "]}");
	allocations = sweep(name, sign_in, &t);
	print_message("%s: %ld allocations\n", name, allocations);
	assert_true(allocations > 20);
	buf_release(&t.token);
	buf_release(&t.keys);
	EVP_PKEY_free(key);
}

static bool read_discovery(const void *given, struct seen *seen)
{
	const struct input *input = given;
	struct errctx ec = {""};
	char *uri = NULL;
	enum err err = discovery_parse(input->text, input->len, "https://issuer", &uri, &ec);

	seen_add(seen, "%s ", err == ERR_OK ? uri : "");
	free(uri);
	return note(seen, err);
}

static void tokens(void **state)
{
	(void)state;
	sweep_sign_in("RS256", tokens_rsa(2048), "{\"alg\":\"RS256\",\"kid\":\"k\"}", SIGN_RS256);
	sweep_sign_in("ES256", tokens_ec("P-256"), "{\"alg\":\"ES256\",\"kid\":\"k\"}", SIGN_ES256);
	sweep_sign_in("EdDSA", tokens_ed25519(), "{\"alg\":\"EdDSA\",\"kid\":\"k\"}", SIGN_EDDSA);
	sweep_corpus("tests/fuzz/corpus/jwt", read_discovery);
}

/* -- webhooks and mail -------------------------------------------------------------------------------------- */

/* The body behind three lines of header fields. */
static struct input body_of(const struct input *input)
{
	struct input body = *input;

	for (int line = 0; line < 3; line++) {
		const char *end = body.len == 0 ? NULL : memchr(body.text, '\n', body.len);
		size_t skip = end == NULL ? body.len : (size_t)(end - body.text) + 1;
		body.text += skip;
		body.len -= skip;
	}
	return body;
}

static bool read_webhook(const void *given, struct seen *seen)
{
	struct input body = body_of(given);
	struct errctx ec = {""};
	struct approval approval;
	struct slack_action action;
	enum err standard = approval_read(body.text, body.len, &approval, &ec);
	enum err slack;

	if (standard == ERR_OK)
		seen_add(seen, "%s %d %s ", approval.id, (int)approval.decision, approval.approver);
	slack = slack_read(body.text, body.len, &action, &ec);
	if (slack == ERR_OK)
		seen_add(seen, "%s %s ", action.user_id, action.value);
	return note(seen, standard) && note(seen, slack);
}

static bool write_event(const void *given, struct seen *seen)
{
	const struct webhook_event event = {.type = "activation.failed",
					    .at_ms = NOW_MS,
					    .application = "app",
					    .group_name = given,
					    .user_name = given,
					    .reason = given};
	struct buf out;
	bool ok;

	buf_init(&out, EVENT_BODY_MAX);
	ok = note(seen, event_write(&event, &out));
	seen_add(seen, "%s", buf_text(&out));
	buf_release(&out);
	return ok;
}

static bool write_mail(const void *given, struct seen *seen)
{
	const struct mail mail = {.from = "jit@example.com",
				  .to = "a@example.com",
				  .subject = given,
				  .body = given,
				  .id = "00000000-0000-8000-8000-000000000000",
				  .thread = ""};
	struct buf out;
	bool ok;

	buf_init(&out, MAIL_MAX);
	ok = note(seen, mail_write(&mail, &out));
	seen_add(seen, "%s", buf_text(&out));
	buf_release(&out);
	return ok;
}

static void webhooks_and_mail(void **state)
{
	(void)state;
	sweep_corpus("tests/fuzz/corpus/webhook", read_webhook);
	sweep("event", write_event, "Zoë \"admins\" \n and a long word of why it could not be done at all");
	sweep("mail", write_mail, "Zoë asks for admins, with a long word of why it could not be done at all");
}

/* -- Redis' replies ----------------------------------------------------------------------------------------- */

static bool same(const struct reply *a, const struct reply *b)
{
	bool equal = a->kind == b->kind && a->integer == b->integer && a->len == b->len &&
		     a->count == b->count && memcmp(a->text, b->text, a->len) == 0;

	for (size_t i = 0; equal && i < a->count; i++)
		equal = same(a->items[i], b->items[i]);
	return equal;
}

/* The command that a connection sends next; false when memory is short. */
static bool converse(struct setup *setup, const struct reply *reply, struct seen *seen)
{
	char *text = NULL;
	size_t len = 0;

	if (setup_command(setup, &text, &len) != ERR_OK)
		return false;
	redisFreeCommand(text);
	seen_add(seen, "%d ", (int)setup_reply(setup, reply));
	return true;
}

/* All replies, each copied. The connection is given up when memory is short: that is READER_BROKEN. */
static bool read_replies(struct reader *reader, struct seen *seen)
{
	static struct setup_wish wish;
	struct setup setup;
	const struct reply *reply;
	enum reader_result result;

	wish = (struct setup_wish){
		.library = "x", .library_len = 1, .library_version = 2, .lanes = 16, .schema = 1};
	setup_begin(&setup, &wish);
	while ((result = reader_next(reader, &reply)) == READER_REPLY) {
		struct reply *copy = reply_copy(reply);
		bool ok = copy != NULL && same(reply, copy) &&
			  (setup.step == SETUP_STEPS || converse(&setup, reply, seen));

		free(copy);
		if (!ok)
			return false;
		seen_add(seen, "%d %zu %.40s ", (int)reply->kind, reply->count, reply->text);
	}
	seen_add(seen, "%s", result == READER_BROKEN ? reader_why(reader) : "");
	return result == READER_MORE || strstr(reader_why(reader), "memory") == NULL;
}

static bool read_redis(const void *given, struct seen *seen)
{
	const struct input *input = given;
	struct reader *reader = reader_new();
	bool ok = reader != NULL && input->len > 0 && reader_feed(reader, input->text + 1, input->len - 1) &&
		  read_replies(reader, seen);

	reader_free(reader);
	return ok;
}

static void replies(void **state)
{
	(void)state;
	sweep_corpus("tests/fuzz/corpus/redis_reply", read_redis);
}

/* -- an application's answers ------------------------------------------------------------------------------- */

/* What is read of an answer. That it cannot be read, or is to be looked at again, is no want of truth. */
static bool read_answer(const void *given, struct seen *seen)
{
	static const struct attribute user_name = {.path = "userName", .name = "userName"};
	const struct scim_find ada = {
		.endpoint = "Users", .attribute = &user_name, .value = "ada@example.com"};
	const struct input *input = given;
	const char *end = memchr(input->text, '\n', input->len);
	size_t skip = end == NULL ? input->len : (size_t)(end - input->text) + 1, len = input->len - skip;
	const char *body = input->text + skip;
	char id[SCIM_ID_SIZE] = "";
	enum scim_hit hit = scim_read_found(body, len, &ada, id);
	enum scim_membership membership = scim_read_membership(body, len, "g-1");

	seen_add(seen, "%d %s %d", (int)hit, id, (int)membership);
	return hit != HIT_UNREADABLE && membership != MEMBERSHIP_UNCLEAR;
}

static bool judge_answer(const void *given, struct seen *seen)
{
	struct http_answer answer = {.status = 400,
				     .body = given,
				     .len = strlen(given),
				     .retry_after = "",
				     .rate_limit_reset = "",
				     .cache_control = "",
				     .words = ""};
	enum outcome creation = outcome_of(OP_CREATE_USER, &answer, NOW_MS).outcome;
	enum outcome change = outcome_of(OP_ADD_MEMBERS, &answer, NOW_MS).outcome;

	seen_add(seen, "%d %d", (int)creation, (int)change);
	return creation != OUTCOME_LOOK_AGAIN && change != OUTCOME_LOOK_AGAIN;
}

static bool make_body(const void *given, struct seen *seen)
{
	const struct mapping_source source = {.names = given};
	struct user user;
	struct errctx why;
	struct buf body;
	bool ok = note(seen, user_make(&user, &mapping_default, &source, &why));

	buf_init(&body, SCIM_BODY_MAX);
	if (ok) {
		user_body(&body, &user);
		user_release(&user);
	}
	seen_add(seen, "%s", buf_text(&body));
	ok = ok && !buf_failed(&body);
	buf_release(&body);
	return ok;
}

static void answers(void **state)
{
	static const struct scim_person ada = {"ada@example.com", "Ada L", "Ada", "L", "ada@example.com"};

	(void)state;
	sweep("a list", read_answer, INPUT(LIST("{\"id\":\"g-1\",\"userName\":\"ada@example.com\"}")));
	sweep("an empty list", read_answer, INPUT(LIST("")));
	sweep("an error", judge_answer, "{\"status\":\"400\",\"scimType\":\"invalidValue\"}");
	sweep("a body", make_body, &ada);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(calls),   cmocka_unit_test(tokens),  cmocka_unit_test(webhooks_and_mail),
		cmocka_unit_test(replies), cmocka_unit_test(answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
