/*
 * Signing in by the device authorization grant of RFC 8628: the person opens an address in any browser and types a
 * short code; the command asks the provider until that has been done. Which providers there are the broker tells.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/json.h"
#include "command/command.h"
#include "command/login.h"
#include "command/words.h"

#define GRANT_DEVICE    "urn:ietf:params:oauth:grant-type:device_code"
#define INTERVAL_S      5    /* RFC 8628, 3.2: taken when the provider names none */
#define SLOW_DOWN_S     5    /* 3.5 */
#define PATIENCE_S      1800 /* where the provider does not say how long the code is good */
#define RENEW_BEFORE_MS 30000
#define FORM_MAX        65536

struct provider {
	char issuer[ACCOUNT_TEXT_SIZE], client_id[ACCOUNT_TEXT_SIZE], scope[ACCOUNT_TEXT_SIZE];
	char device_endpoint[ACCOUNT_TEXT_SIZE], token_endpoint[ACCOUNT_TEXT_SIZE];
	bool takes_claims; /* a stronger sign-in is asked for by `claims`, as of Entra ID */
};

struct device {
	char code[ACCOUNT_TEXT_SIZE * 2];
	int64_t till_ms; /* clock_mono_ms() */
	long interval_s;
};

static bool copy_text(const cJSON *json, const char *name, char *out, size_t size)
{
	const char *text = words_text(json, name);

	if (text[0] == '\0' || strlen(text) >= size)
		return false;
	snprintf(out, size, "%s", text);
	return true;
}

/* The provider that is meant: the named one, or the only one that the command can sign in with. */
static int pick_provider(const struct session *session, const cJSON *list, struct provider *out)
{
	const char *wanted = session->options.issuer;
	const cJSON *item;
	size_t found = 0;

	cJSON_ArrayForEach(item, list) {
		const char *issuer = words_text(item, "issuer");

		if (words_text(item, "clientId")[0] == '\0' ||
		    (wanted != NULL && strcmp(wanted, issuer) != 0))
			continue;
		if (copy_text(item, "issuer", out->issuer, sizeof(out->issuer)) &&
		    copy_text(item, "clientId", out->client_id, sizeof(out->client_id)) &&
		    copy_text(item, "scopes", out->scope, sizeof(out->scope))) {
			out->takes_claims = strcmp(words_text(item, "stepUp"), "claims") == 0;
			found++;
		}
	}
	if (found == 1)
		return EXIT_DONE;
	fputs(found == 0 ? "jit: the server names no provider that this command can sign in with\n"
			 : "jit: the server names several providers; choose one with --issuer\n",
	      stderr);
	return EXIT_REFUSED;
}

static int ask_broker(const struct session *session, struct provider *out)
{
	struct answer answer;
	int code;

	call(&session->account, "GET", "/api/sign-in", NULL, &answer);
	code = answer_ok(&answer) ? pick_provider(session, words_at(answer.json, "value"), out)
				  : words_error(&answer);
	answer_release(&answer);
	return code;
}

/* OpenID Connect Discovery 1.0, section 4. */
static int discover(const struct session *session, struct provider *p)
{
	char url[ACCOUNT_TEXT_SIZE + 64];
	struct answer answer;
	size_t len = strlen(p->issuer);
	int code = EXIT_UNAVAILABLE;

	snprintf(url, sizeof(url), "%.*s/.well-known/openid-configuration",
		 (int)(len - (p->issuer[len - 1] == '/')), p->issuer);
	if (!account_url_safe(url)) {
		fputs("jit: the provider's address is not https\n", stderr);
		return EXIT_REFUSED;
	}
	call_form(url, session->account.ca, NULL, &answer);
	if (!answer_ok(&answer))
		fprintf(stderr, "jit: the provider does not answer (%ld) %s\n", answer.status,
			answer.why.text);
	else if (strcmp(words_text(answer.json, "issuer"), p->issuer) != 0)
		fputs("jit: the provider calls itself by another name\n", stderr);
	else if (!copy_text(answer.json, "device_authorization_endpoint", p->device_endpoint,
			    sizeof(p->device_endpoint)) ||
		 !copy_text(answer.json, "token_endpoint", p->token_endpoint, sizeof(p->token_endpoint)) ||
		 !account_url_safe(p->device_endpoint) || !account_url_safe(p->token_endpoint))
		fputs("jit: the provider does not offer to sign devices in\n", stderr);
	else
		code = EXIT_DONE;
	answer_release(&answer);
	return code;
}

static void add_field(struct buf *form, const char *name, const char *value)
{
	buf_addf(form, "%s%s=", form->len > 0 ? "&" : "", name);
	call_add_encoded(form, value);
}

/* How strong a sign-in is wanted: the values, which blanks separate, in the way that the provider takes them. */
static void add_strength(struct buf *form, const struct provider *p, const char *values)
{
	const char *separator = "";
	struct buf claims;

	if (!p->takes_claims) {
		add_field(form, "acr_values", values);
		return;
	}
	buf_init(&claims, FORM_MAX);
	buf_adds(&claims, "{\"access_token\":{\"acrs\":{\"essential\":true,\"values\":[");
	for (const char *at = values + strspn(values, " "); *at != '\0'; at += strspn(at, " ")) {
		char value[256];
		size_t len = strcspn(at, " ");

		snprintf(value, sizeof(value), "%.*s", (int)len, at);
		buf_adds(&claims, separator);
		json_add_string(&claims, value);
		separator = ",";
		at += len;
	}
	buf_adds(&claims, "]}}}");
	add_field(form, "claims", buf_text(&claims));
	buf_release(&claims);
}

static long number_or(const cJSON *json, const char *name, long otherwise, long most)
{
	const cJSON *value = words_at(json, name);

	if (!cJSON_IsNumber(value) || value->valuedouble < 1)
		return otherwise;
	return value->valuedouble > (double)most ? most : (long)value->valuedouble;
}

static void invite(const cJSON *json)
{
	char address[WORDS_SIZE], code[WORDS_SIZE];
	const char *complete = words_text(json, "verification_uri_complete");

	if (complete[0] != '\0')
		printf("Open %s\n", words_safe(complete, address));
	else
		printf("Open %s\n", words_safe(words_text(json, "verification_uri"), address));
	printf("and confirm the code %s\n", words_safe(words_text(json, "user_code"), code));
	fflush(stdout);
}

static int begin_device(const struct session *session, const struct provider *p, struct device *out)
{
	struct answer answer;
	struct buf form;
	int code = EXIT_REFUSED;

	buf_init(&form, FORM_MAX);
	add_field(&form, "client_id", p->client_id);
	add_field(&form, "scope", p->scope);
	if (session->options.acr_values != NULL)
		add_strength(&form, p, session->options.acr_values);
	call_form(p->device_endpoint, session->account.ca, buf_text(&form), &answer);
	if (!answer_ok(&answer) || !copy_text(answer.json, "device_code", out->code, sizeof(out->code))) {
		fprintf(stderr, "jit: the provider refuses (%ld)\n", answer.status);
	} else {
		out->interval_s = number_or(answer.json, "interval", INTERVAL_S, 60);
		out->till_ms =
			clock_mono_ms() + 1000 * number_or(answer.json, "expires_in", PATIENCE_S, PATIENCE_S);
		invite(answer.json);
		code = EXIT_DONE;
	}
	answer_release(&answer);
	buf_release(&form);
	return code;
}

/* Keeps what the token endpoint gave. */
static bool take_tokens(struct account *account, const cJSON *json)
{
	if (!copy_text(json, "access_token", account->token, sizeof(account->token)))
		return false;
	/* A refresh that brings no new one leaves the old one good (RFC 6749, section 6). */
	copy_text(json, "refresh_token", account->refresh_token, sizeof(account->refresh_token));
	account->expires_ms = clock_wall_ms() + 1000 * number_or(json, "expires_in", 300, 86400);
	return true;
}

/* Asks for the token once. -1 = not yet. */
static int poll_once(struct session *session, const struct provider *p, struct device *device)
{
	struct answer answer;
	struct buf form;
	const char *error;
	int code = EXIT_REFUSED;

	buf_init(&form, FORM_MAX);
	add_field(&form, "grant_type", GRANT_DEVICE);
	add_field(&form, "device_code", device->code);
	add_field(&form, "client_id", p->client_id);
	call_form(p->token_endpoint, session->account.ca, buf_text(&form), &answer);
	error = words_text(answer.json, "error");
	if (answer_ok(&answer) && take_tokens(&session->account, answer.json)) {
		code = EXIT_DONE;
	} else if (strcmp(error, "authorization_pending") == 0 || answer.status == 0) {
		code = -1;
	} else if (strcmp(error, "slow_down") == 0) {
		device->interval_s += SLOW_DOWN_S;
		code = -1;
	} else if (strcmp(error, "expired_token") == 0) {
		fputs("jit: the code is no longer good\n", stderr);
	} else {
		fputs("jit: the provider has refused the sign-in\n", stderr);
	}
	if (answer.body.data != NULL)
		digest_wipe(answer.body.data, answer.body.len);
	answer_release(&answer);
	buf_release(&form);
	return code;
}

static int await_person(struct session *session, const struct provider *p, struct device *device)
{
	for (;;) {
		struct timespec pause = {.tv_sec = device->interval_s};
		int code;

		nanosleep(&pause, NULL);
		code = poll_once(session, p, device);
		if (code >= 0)
			return code;
		if (clock_mono_ms() > device->till_ms) {
			fputs("jit: nobody has confirmed the code in time\n", stderr);
			return EXIT_REFUSED;
		}
	}
}

static int keep(struct session *session)
{
	struct errctx ec;

	if (account_write(&session->account, &ec) == ERR_OK) {
		if (!session->options.json)
			puts("signed in");
		return EXIT_DONE;
	}
	fprintf(stderr, "jit: %s\n", ec.text);
	return EXIT_UNAVAILABLE;
}

int command_login(struct session *session)
{
	struct account *account = &session->account;
	struct provider provider = {.issuer = ""};
	struct device device = {.code = ""};
	int code;

	account_wipe(account);
	account->expires_ms = 0;
	snprintf(account->token_file, sizeof(account->token_file), "%s",
		 session->options.token_file != NULL ? session->options.token_file : "");
	/* Somebody else keeps the token, such as the agent of a machine: only its place is remembered. */
	if (account->token_file[0] != '\0')
		return keep(session);
	code = ask_broker(session, &provider);
	if (code == EXIT_DONE)
		code = discover(session, &provider);
	if (code == EXIT_DONE)
		code = begin_device(session, &provider, &device);
	if (code == EXIT_DONE)
		code = await_person(session, &provider, &device);
	digest_wipe(device.code, sizeof(device.code));
	if (code != EXIT_DONE)
		return code;
	snprintf(account->client_id, sizeof(account->client_id), "%s", provider.client_id);
	snprintf(account->token_endpoint, sizeof(account->token_endpoint), "%s", provider.token_endpoint);
	snprintf(account->issuer, sizeof(account->issuer), "%s",
		 session->options.issuer != NULL ? provider.issuer : "");
	return keep(session);
}

/* Can it stand in single quotes, in whatever shell, as one word that is no option? */
static bool is_quotable(const char *text)
{
	for (const char *p = text; *p != '\0'; p++)
		if (*p < ' ' || *p > '~' || strchr("'\\\"`$", *p) != NULL)
			return false;
	return text[0] != '\0' && text[0] != '-';
}

void login_hint(const struct session *session, const struct answer *answer)
{
	const struct account *account = &session->account;
	const cJSON *detail;

	cJSON_ArrayForEach(detail, words_at(answer->json, "error.details")) {
		const char *values = words_text(detail, "acrValues");

		if (account->client_id[0] == '\0' || !is_quotable(values))
			continue;
		fputs("jit: sign in again, stronger: `jit login", stderr);
		if (is_quotable(account->issuer))
			fprintf(stderr, " --issuer '%s'", account->issuer);
		fprintf(stderr, " --acr-values '%s'`\n", values);
	}
}

int command_logout(struct session *session)
{
	struct errctx ec;

	if (account_forget(&ec) == ERR_OK) {
		if (!session->options.json)
			puts("signed out");
		return EXIT_DONE;
	}
	fprintf(stderr, "jit: %s\n", ec.text);
	return EXIT_UNAVAILABLE;
}

void login_renew(struct session *session)
{
	struct account *account = &session->account;
	struct answer answer;
	struct errctx ec;
	struct buf form;

	if (account->refresh_token[0] == '\0' || clock_wall_ms() < account->expires_ms - RENEW_BEFORE_MS ||
	    !account_url_safe(account->token_endpoint))
		return;
	buf_init(&form, FORM_MAX);
	add_field(&form, "grant_type", "refresh_token");
	add_field(&form, "refresh_token", account->refresh_token);
	add_field(&form, "client_id", account->client_id);
	call_form(account->token_endpoint, account->ca, buf_text(&form), &answer);
	/* Where this fails the old token is tried: the server then says that one has to sign in again. */
	if (answer_ok(&answer) && take_tokens(account, answer.json) && account_write(account, &ec) != ERR_OK)
		fprintf(stderr, "jit: %s\n", ec.text);
	if (answer.body.data != NULL)
		digest_wipe(answer.body.data, answer.body.len);
	if (form.data != NULL)
		digest_wipe(form.data, form.len);
	answer_release(&answer);
	buf_release(&form);
}
