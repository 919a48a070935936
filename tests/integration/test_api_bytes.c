/* Bytes that no HTTP client would send: refused, nothing changed, and the broker goes on serving. */
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
#include <hiredis/hiredis.h>

#include "tests/support/scene.h"

#define TARGET "/v1.0/identityGovernance/privilegedAccess/group/assignmentScheduleRequests"
#define HEAD   "Host: localhost\r\nAuthorization: Bearer token-1\r\nContent-Type: application/json\r\n"
#define START                                                                                                \
	"{\"action\":\"selfActivate\",\"accessId\":\"member\",\"groupId\":\"a0000000-0000-4000-8000-"        \
	"000000000000\","

struct message {
	const char *name, *bytes;
	size_t len;
	int status; /* 0 = closed without an answer, or refused with any 4xx: the HTTP library decides */
};

#define MESSAGE(name, bytes, status)                                                                         \
	{                                                                                                    \
		name, bytes, sizeof(bytes) - 1, status                                                       \
	}

static const struct message messages[] = {
	MESSAGE("a NUL in a text",
		"POST " TARGET " HTTP/1.1\r\n" HEAD "Content-Length: 116\r\n\r\n" START
		"\"justification\":\"a\0b\"}",
		400),
	MESSAGE("a NUL behind the object",
		"POST " TARGET " HTTP/1.1\r\n" HEAD "Content-Length: 116\r\n\r\n" START
		"\"justification\":\"ab\"}\0",
		400),
	MESSAGE("nothing but NULs", "POST " TARGET " HTTP/1.1\r\n" HEAD "Content-Length: 4\r\n\r\n\0\0\0\0",
		400),
	MESSAGE("a NUL in the path", "GET " TARGET "/a\0b HTTP/1.1\r\n" HEAD "\r\n", 0),
	MESSAGE("a NUL in a header", "GET " TARGET " HTTP/1.1\r\nX-Name: a\0b\r\n" HEAD "\r\n", 0),
	MESSAGE("two lengths",
		"POST " TARGET " HTTP/1.1\r\n" HEAD "Content-Length: 4\r\nContent-Length: 40\r\n\r\n{}{}", 0),
	MESSAGE("a length that is none", "POST " TARGET " HTTP/1.1\r\n" HEAD "Content-Length: many\r\n\r\n{}",
		0),
	MESSAGE("two tokens", "GET " TARGET " HTTP/1.1\r\nAuthorization: Bearer token-0\r\n" HEAD "\r\n",
		400),
	MESSAGE("no HTTP", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 0),
};

static int open_world(void **state)
{
	static const char *const redis_arguments[] = {"--enable-debug-command", "yes", NULL};
	struct world_options options = scene_defaults();

	options.redis_arguments = redis_arguments;
	return scene_open(state, &options);
}

/* The status of the answer; 0 when the connection is closed without one. Fails the test when neither comes. */
static int say(const struct world *world, const struct message *message)
{
	char answer[64] = "";
	size_t len = 0;
	int fd = http_dial(world->brokers[0].root), status = 0;

	assert_int_equal(send(fd, message->bytes, message->len, MSG_NOSIGNAL), (ssize_t)message->len);
	while (len < 12) {
		ssize_t more = recv(fd, answer + len, 12 - len, 0);

		if (more < 0)
			fail_msg("\"%s\" is not answered", message->name);
		if (more == 0)
			break;
		len += (size_t)more;
	}
	close(fd);
	if (len == 12)
		status = (int)strtol(answer + 9, NULL, 10);
	return status;
}

static void bytes_that_are_no_request(void **state)
{
	struct world *world = *state;
	struct world_ask ask = {.person = 1};
	char before[SHA256_HEX], after[SHA256_HEX], id[ID_SIZE];

	for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++) {
		int status;

		scene_digest(world, before);
		status = say(world, &messages[i]);
		if (status != messages[i].status &&
		    !(messages[i].status == 0 && status >= 400 && status < 500))
			fail_msg("\"%s\" is answered with %d", messages[i].name, status);
		scene_digest(world, after);
		if (strcmp(before, after) != 0)
			fail_msg("\"%s\" has changed Redis", messages[i].name);
	}
	scene_activate(world, &ask, id);
	scene_wait(world, &ask, id, "provisioned");
	world_passed(world);
}

static void a_body_that_never_ends_holds_up_nobody(void **state)
{
	struct world *world = *state;
	const char *half = "POST " TARGET " HTTP/1.1\r\n" HEAD "Content-Length: 1000\r\n\r\n" START;
	struct world_ask ask = {.person = 1};
	int fds[50];
	char id[ID_SIZE];

	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
		fds[i] = http_dial(world->brokers[0].root);
		assert_int_equal(send(fds[i], half, strlen(half), MSG_NOSIGNAL), (ssize_t)strlen(half));
	}
	scene_activate(world, &ask, id);
	scene_wait(world, &ask, id, "provisioned");
	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		close(fds[i]);
	assert_true(world_wait_state(world, &ask, id, "provisioned", SECOND));
	world_passed(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(bytes_that_are_no_request, open_world, scene_close),
		cmocka_unit_test_setup_teardown(a_body_that_never_ends_holds_up_nobody, open_world,
						scene_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
