#include "tests/support/lane.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "activation/library.h"

static void free_checked(redisReply *reply, const char *what)
{
	if (reply == NULL)
		fail_msg("%s: no answer", what);
	else if (reply->type == REDIS_REPLY_ERROR)
		fail_msg("%s: %s", what, reply->str);
	freeReplyObject(reply);
}

void lane_open(struct lane *lane)
{
	/* Nothing is written to the disk: these tests end before the server does. */
	static const char *const no_file[] = {"--appendonly", "no", NULL};

	memset(lane, 0, sizeof(*lane));
	assert_true(redis_server_start(&lane->redis, no_file));
	lane->context = redisConnectUnix(lane->redis.socket_path);
	assert_non_null(lane->context);
	assert_int_equal(lane->context->err, 0);
	free_checked(redisCommand(lane->context, "FUNCTION LOAD %b", jit_library, jit_library_len),
		     "FUNCTION LOAD");
	lane_empty(lane);
}

void lane_close(struct lane *lane)
{
	redisFree(lane->context);
	redis_server_stop(&lane->redis);
}

void lane_empty(struct lane *lane)
{
	free_checked(redisCommand(lane->context, "FLUSHALL"), "FLUSHALL");
	lane->now_ms = LANE_EPOCH_MS;
	lane->keep_ms = 3600 * 1000;
	lane->terms = LANE_TERMS;
	lane->policies = NULL;
	lane->tells[0] = '\0';
}

void lane_arg(struct lane *lane, const char *text)
{
	size_t len = strlen(text);

	assert_true(lane->count < LANE_ARGS_MAX && lane->used + len < sizeof(lane->text));
	memcpy(lane->text + lane->used, text, len + 1);
	lane->at[lane->count] = lane->used;
	lane->len[lane->count++] = len;
	lane->used += len + 1;
}

void lane_argf(struct lane *lane, const char *format, ...)
{
	char text[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	lane_arg(lane, text);
}

void lane_begin(struct lane *lane, const char *function)
{
	lane->count = 0;
	lane->used = 0;
	lane_arg(lane, "FCALL");
	lane_arg(lane, function);
	lane_arg(lane, "1");
	lane_arg(lane, LANE_PREFIX);
	lane_argf(lane, "%lld%s", (long long)lane->now_ms, lane->tells);
	lane_argf(lane, "%lld%s%s", (long long)lane->keep_ms, lane->policies != NULL ? ":" : "",
		  lane->policies != NULL ? lane->policies : "");
}

redisReply *lane_send(struct lane *lane)
{
	const char *argv[LANE_ARGS_MAX];
	redisReply *reply;

	for (size_t i = 0; i < lane->count; i++)
		argv[i] = lane->text + lane->at[i];
	reply = redisCommandArgv(lane->context, (int)lane->count, argv, lane->len);
	if (reply == NULL || reply->type == REDIS_REPLY_ERROR)
		fail_msg("%s: %s", lane->text + lane->at[1], reply == NULL ? "no answer" : reply->str);
	return reply;
}

redisReply *lane_command(struct lane *lane, const char *format, ...)
{
	redisReply *reply;
	va_list args;

	va_start(args, format);
	reply = redisvCommand(lane->context, format, args);
	va_end(args);
	if (reply == NULL || reply->type == REDIS_REPLY_ERROR)
		fail_msg("%s: %s", format, reply == NULL ? "no answer" : reply->str);
	return reply;
}

const redisReply *lane_at(const redisReply *reply, size_t index)
{
	return reply != NULL && reply->type == REDIS_REPLY_ARRAY && index < reply->elements
		       ? reply->element[index]
		       : NULL;
}

const char *lane_text(const redisReply *reply)
{
	return reply != NULL && reply->str != NULL ? reply->str : "";
}

int64_t lane_int(const redisReply *reply)
{
	if (reply != NULL && reply->type == REDIS_REPLY_INTEGER)
		return reply->integer;
	return strtoll(lane_text(reply), NULL, 10);
}

const redisReply *lane_field(const redisReply *pairs, const char *name)
{
	for (size_t i = 0; lane_at(pairs, i + 1) != NULL; i += 2)
		if (strcmp(lane_text(lane_at(pairs, i)), name) == 0)
			return lane_at(pairs, i + 1);
	return NULL;
}

/* Knuth's MMIX generator; its upper bits are good enough to choose by. */
uint32_t lane_random(uint64_t *seed, uint32_t bound)
{
	*seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)((*seed >> 33) % bound);
}
