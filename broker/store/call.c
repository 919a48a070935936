/* Lists of calls, and the only place that writes an FCALL. */
#include "store/call.h"

#include <stdio.h>
#include <string.h>

#include <hiredis/hiredis.h>

#define HEAD_ARGS 4  /* FCALL, the function, the number of keys, the key */
#define KEY_SIZE  16 /* "{j" lane "}:" */

void calls_push(struct calls *calls, struct call *call)
{
	call->next = NULL;
	if (calls->head == NULL)
		calls->head = call;
	else
		calls->tail->next = call;
	calls->tail = call;
	calls->count++;
}

struct call *calls_pop(struct calls *calls)
{
	struct call *call = calls->head;
	if (call == NULL)
		return NULL;
	calls->head = call->next;
	calls->count--;
	call->next = NULL;
	return call;
}

void calls_put_back(struct calls *to, struct calls *a, struct calls *b)
{
	struct calls merged = {.head = NULL};
	while (a->head != NULL || b->head != NULL) {
		bool from_a = b->head == NULL || (a->head != NULL && a->head->number < b->head->number);
		calls_push(&merged, calls_pop(from_a ? a : b));
	}
	if (merged.head == NULL)
		return;
	merged.tail->next = to->head;
	if (to->head != NULL)
		merged.tail = to->tail;
	merged.count += to->count;
	*to = merged;
}

enum err call_format(struct call *call, const struct store_call *wanted)
{
	const char *argv[HEAD_ARGS + STORE_ARGS_MAX];
	size_t lens[HEAD_ARGS + STORE_ARGS_MAX];
	char key[KEY_SIZE];
	if (wanted->argc < 0 || wanted->argc > STORE_ARGS_MAX)
		return ERR_INTERNAL;
	(void)snprintf(key, sizeof(key), "{j%u}:", wanted->lane);
	argv[0] = wanted->read_only ? "FCALL_RO" : "FCALL";
	argv[1] = wanted->function;
	argv[2] = "1";
	argv[3] = key;
	for (int i = 0; i < HEAD_ARGS; i++)
		lens[i] = strlen(argv[i]);
	for (int i = 0; i < wanted->argc; i++) {
		const char *arg = wanted->argv[i] != NULL ? wanted->argv[i] : "";
		argv[HEAD_ARGS + i] = arg;
		lens[HEAD_ARGS + i] =
			wanted->argv[i] != NULL && wanted->lens[i] != 0 ? wanted->lens[i] : strlen(arg);
	}
	char *text;
	/* hiredis 0.14 answers with an int, 1.x with a long long. */
	long long len = redisFormatCommandArgv(&text, HEAD_ARGS + wanted->argc, argv, lens);
	if (len < 0)
		return ERR_NOMEM;
	call->text = text;
	call->len = (size_t)len;
	(void)snprintf(call->function, sizeof(call->function), "%s", wanted->function);
	return ERR_OK;
}

void call_release(struct call *call)
{
	if (call->text != NULL)
		redisFreeCommand(call->text);
	call->text = NULL;
}
