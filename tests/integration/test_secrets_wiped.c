/*
 * What is not needed any more is not in the broker's memory any more: callers' tokens once they are answered, signatures once
 * they are verified, and the secrets of a configuration once another one is read.
 */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "sign-in/base64url.h"
#include "tests/support/office.h"
#include "tests/support/scene.h"
#include "tests/support/sought.h"

#define WRONG "a-bearer-that-nobody-has"
#define MANY  32 /* connections at once: what one of them leaves, the next does not overwrite */

static int open_world(void **state)
{
	struct world_options options = scene_defaults();

	return scene_open(state, &options);
}

/* -- callers' tokens ---------------------------------------------------------------------------------------- */

static int connect_to(const struct broker *broker)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	address.sin_port = htons((uint16_t)strtoul(strrchr(broker->root, ':') + 1, NULL, 10));
	assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

/* Many callers at once. */
static void ask_at_once(const struct broker *broker, const char *bearer, int fds[MANY])
{
	char text[8192];
	int len = snprintf(text, sizeof(text),
			   "GET /api/applications HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer %s\r\n"
			   "X-More: %01000d\r\nConnection: close\r\n\r\n",
			   bearer, 0);

	for (int i = 0; i < MANY; i++)
		fds[i] = connect_to(broker);
	for (int i = 0; i < MANY; i++)
		assert_int_equal(write(fds[i], text, (size_t)len), len);
}

/* All have their answer, and their connections are closed. */
static void hear_all(const int fds[MANY])
{
	char text[4096];

	for (int i = 0; i < MANY; i++) {
		assert_true(read(fds[i], text, sizeof(text)) > 0);
		while (read(fds[i], text, sizeof(text)) > 0)
			;
		close(fds[i]);
	}
}

/* Nothing of a caller's token is left when the answer is there. What a push has sent is not looked for: the configuration
 * holds the applications' tokens all the time, which shows that the search finds what is there. */
static void callers_tokens_are_forgotten(void **state)
{
	struct world *world = *state;
	pid_t pid = world->brokers[0].proc.pid;
	struct world_ask ask = {.person = 1, .duration = "PT1H"};
	struct sought all[] = {{SANDBOX_TOKEN, 0, 0},
			       {WRONG, 0, 0},
			       {world_token(world, 0), 0, 0},
			       {world_token(world, 1), 0, 0},
			       {NULL, 0, 0}};
	char id[ID_SIZE], wrong[800];
	int fds[MANY];

	scene_activate(world, &ask, id);
	scene_wait(world, &ask, id, "provisioned");
	snprintf(wrong, sizeof(wrong), "%0700d" WRONG, 0);
	ask_at_once(&world->brokers[0], wrong, fds);
	hear_all(fds);
	sought_count(pid, all);
	assert_true(all[0].count > 0);
	for (size_t i = 1; all[i].bytes != NULL; i++)
		assert_int_equal(all[i].count, 0);
	world_passed(world);
}

/* -- tokens of a provider ----------------------------------------------------------------------------------- */

/*
 * Neither the signature's text nor its first bytes are left; with the rest, which is no secret, they would be a token. Many
 * callers wait at once, until the provider stands still no longer, so that what one of them leaves no other overwrites.
 */
static void forget_signature(struct office *o, const char *wanted)
{
	char *token = office_token(o, wanted);
	const char *signature = strrchr(token, '.') + 1;
	uint8_t bytes[1024];
	struct sought all[] = {
		{"amira@example.com", 0, 0}, {signature, 0, 0}, {(const char *)bytes, 24, 0}, {NULL, 0, 0}};
	int fds[MANY];

	assert_true(base64url_decode(signature, strlen(signature), bytes));
	proc_stop(&o->provider.proc);
	office_open(o);
	ask_at_once(&o->world.brokers[0], token, fds);
	proc_cont(&o->provider.proc);
	hear_all(fds);
	sought_count(o->world.brokers[0].proc.pid, all);
	/* The person is remembered, which shows that the search finds what is there. */
	assert_true(all[0].count > 0);
	if (all[1].count + all[2].count > 0)
		fail_msg("%s: %zu texts, %zu signatures", wanted, all[1].count, all[2].count);
	free(token);
	world_passed(&o->world);
}

static void signatures_of_rsa_are_forgotten(void **state)
{
	forget_signature(*state, "{\"alg\":\"RS256\",\"sub\":\"amira\"}");
}

static void signatures_of_ed25519_are_forgotten(void **state)
{
	forget_signature(*state, "{\"alg\":\"EdDSA\",\"sub\":\"amira\"}");
}

/* -- secrets of the configuration --------------------------------------------------------------------------- */

#define SECRETS 10

/* Each with the setting that names its file; the first is the world's own token. */
static const struct {
	const char *former, *present;
} secrets[SECRETS] = {
	{SANDBOX_TOKEN, "another-token-of-the-application"},
	{"next-token-of-the-application-1", "next-token-of-the-application-2"},
	{"whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2NzAwMDE=",
	 "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2NzEwMDE="},
	{"whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2NzAwMDI=",
	 "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2NzEwMDI="},
	{"8f742231b10e8888abcd99yyyzzz85a1", "8f742231b10e8888abcd99yyyzzz85a2"},
	{"whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2NzAwMDM=",
	 "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2NzEwMDM="},
	{"whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2NzAwMDQ=",
	 "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2NzEwMDQ="},
	{"the-password-of-the-mail-server-1", "the-password-of-the-mail-server-2"},
	{"the-key-that-seals-the-audit-0001", "the-key-that-seals-the-audit-0002"},
	{"the-key-that-sealed-it-once-00001", "the-key-that-sealed-it-once-00002"},
};

static void write_secret(const char *path, const char *secret)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_true(fprintf(file, "%s\n", secret) > 0);
	assert_int_equal(fclose(file), 0);
}

static void write_secrets(const struct world *world, bool former)
{
	char path[PROC_PATH_SIZE + 32];

	for (size_t i = 0; i < SECRETS; i++) {
		if (i == 0)
			snprintf(path, sizeof(path), "%s", world->application.token_file);
		else
			snprintf(path, sizeof(path), "%s/secret-%zu", world->dir, i);
		write_secret(path, former ? secrets[i].former : secrets[i].present);
	}
}

static void expect_in_memory(const struct world *world, bool former)
{
	struct sought all[2 * SECRETS + 1] = {{NULL, 0, 0}};

	for (size_t i = 0; i < SECRETS; i++) {
		all[2 * i].bytes = former ? secrets[i].former : secrets[i].present;
		all[2 * i + 1].bytes = former ? secrets[i].present : secrets[i].former;
	}
	sought_count(world->brokers[0].proc.pid, all);
	for (size_t i = 0; i < SECRETS; i++)
		if (all[2 * i].count == 0 || all[2 * i + 1].count > 0)
			fail_msg("%s: %zu, %s: %zu", all[2 * i].bytes, all[2 * i].count, all[2 * i + 1].bytes,
				 all[2 * i + 1].count);
}

/* Their files stand beside the configuration's. */
static const char settings[] =
	"approval_sources:\n"
	"  - {name: desk, secret: file:secret-2, next_secret: file:secret-3}\n"
	"  - {name: chat, kind: slack, secret: file:secret-4, workspace: T1, approvers: {U1: "
	"person1@example.com}}\n"
	"notices:\n"
	"  webhooks: [{name: hook, url: \"https://hooks.example.com/\", secret: file:secret-5, next_secret: "
	"file:secret-6, events: [approval.requested]}]\n"
	"  mail: {server: \"smtps://mail.example.com\", from: jit@example.com, user: jit, password: "
	"file:secret-7}\n"
	"audit: {key: file:secret-8, former_key: file:secret-9}\n";

/* The broker has used none of them: what libraries have been given is theirs. */
static void a_former_configuration_is_forgotten(void **state)
{
	struct world *world = *state;

	write_secrets(world, true);
	world->application.scim = "      next_token: file:secret-1\n";
	world->config.more = settings;
	assert_true(scene_reload(world, 0));
	expect_in_memory(world, true);
	write_secrets(world, false);
	assert_true(scene_reload(world, 0));
	expect_in_memory(world, false);
	world_passed(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(callers_tokens_are_forgotten, open_world, scene_close),
		cmocka_unit_test_setup_teardown(signatures_of_rsa_are_forgotten, office_setup,
						office_teardown),
		cmocka_unit_test_setup_teardown(signatures_of_ed25519_are_forgotten, office_setup,
						office_teardown),
		cmocka_unit_test_setup_teardown(a_former_configuration_is_forgotten, open_world, scene_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
