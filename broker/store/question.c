/* AUTH, where there is a password, and the command go out together; the last reply is the answer. */
#include "store/question.h"

#include <string.h>

#include <hiredis/hiredis.h>
#include <openssl/crypto.h>

#define ARGS_MAX 5

static void forget(struct question *question)
{
	connection_close(question->connection);
	question->connection = NULL;
	(void)uv_timer_stop(&question->timer);
	for (size_t i = 0; i < 2; i++) {
		if (question->parts[i] == NULL)
			continue;
		OPENSSL_cleanse(question->parts[i], question->lens[i]);
		redisFreeCommand(question->parts[i]);
		question->parts[i] = NULL;
	}
}

/* The reply's memory lives on until the loop has closed the connection. */
static void finish(struct question *question, const struct reply *reply, const char *why)
{
	forget(question);
	question->answered(question->ctx, &question->address, reply, why);
}

static void on_opened(void *ctx)
{
	struct question *question = ctx;
	connection_flush(question->connection);
}

static size_t on_fill(void *ctx, char *to, size_t room)
{
	struct question *question = ctx;
	size_t filled = 0;
	while (question->part < 2 && filled < room) {
		size_t left = question->parts[question->part] != NULL
				      ? question->lens[question->part] - question->sent
				      : 0;
		size_t piece = left < room - filled ? left : room - filled;
		if (piece > 0)
			memcpy(to + filled, question->parts[question->part] + question->sent, piece);
		filled += piece;
		question->sent += piece;
		if (piece == left) {
			question->part++;
			question->sent = 0;
		}
	}
	return filled;
}

static void on_reply(void *ctx, const struct reply *reply)
{
	struct question *question = ctx;
	question->to_come--;
	/* Who is not let in is told so by the first reply. */
	if (question->to_come == 0 || reply_is_error(reply))
		finish(question, reply, reply_is_error(reply) ? reply->text : NULL);
}

static void on_lost(void *ctx, const char *why)
{
	finish(ctx, NULL, why);
}

static const struct connection_events events = {
	.opened = on_opened,
	.fill = on_fill,
	.reply = on_reply,
	.lost = on_lost,
};

static void on_timer(uv_timer_t *timer)
{
	struct question *question = timer->data;
	finish(question, NULL, question->connection != NULL ? "no answer in time" : "there is no memory");
}

void question_init(struct question *question)
{
	(void)uv_timer_init(question->loop, &question->timer); /* cannot fail */
	question->timer.data = question;
}

bool question_is_open(const struct question *question)
{
	return uv_is_active((const uv_handle_t *)&question->timer) != 0;
}

/* Formats a NULL-terminated list of arguments. False without memory. */
static bool format(struct question *question, size_t part, const char *const *argv)
{
	const char *args[ARGS_MAX];
	size_t lens[ARGS_MAX];
	int argc = 0;
	for (; argc < ARGS_MAX && argv[argc] != NULL; argc++) {
		args[argc] = argv[argc];
		lens[argc] = strlen(argv[argc]);
	}
	long long len = redisFormatCommandArgv(&question->parts[part], argc, args, lens);
	if (len < 0)
		question->parts[part] = NULL;
	question->lens[part] = len < 0 ? 0 : (size_t)len;
	return len >= 0;
}

void question_ask(struct question *question, const struct address *address, const char *const *argv)
{
	const char *sign_in[] = {"AUTH", question->user != NULL ? question->user : question->password,
				 question->user != NULL ? question->password : NULL, NULL};
	struct connection_target target = {.address = &question->address,
					   .tls = question->tls,
					   .turn = question->turn++,
					   .events = &events,
					   .ctx = question};
	bool with_password = question->password != NULL;
	question->address = *address;
	question->part = 0;
	question->sent = 0;
	question->to_come = with_password ? 2 : 1;
	bool formatted = (!with_password || format(question, 0, sign_in)) && format(question, 1, argv);
	question->connection = formatted ? connection_new(question->loop, &target) : NULL;
	/* Without memory the timer tells so at once: never from within this call. */
	(void)uv_timer_start(&question->timer, on_timer,
			     question->connection != NULL ? (uint64_t)question->timeout_ms : 0, 0);
}

void question_close(struct question *question, uv_close_cb closed)
{
	forget(question);
	uv_close((uv_handle_t *)&question->timer, closed);
}
