/* Lists of calls, and the only place that writes an FCALL. */
#include "store/call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hiredis/hiredis.h>

#include "store/slots.h"

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

/* Takes the calls from the front that are in the order of their numbers. */
static struct calls take_run(struct calls *from)
{
	struct calls run = {.head = NULL};
	do
		calls_push(&run, calls_pop(from));
	while (from->head != NULL && from->head->number > run.tail->number);
	return run;
}

static void merge_run(struct calls *to, struct calls *run)
{
	struct calls merged = {.head = NULL};
	while (run->head != NULL) {
		bool is_older = to->head != NULL && to->head->number < run->head->number;
		calls_push(&merged, calls_pop(is_older ? to : run));
	}
	if (merged.head == NULL)
		return;
	merged.tail->next = to->head;
	if (to->head != NULL)
		merged.tail = to->tail;
	merged.count += to->count;
	*to = merged;
}

void calls_merge(struct calls *to, struct calls *from)
{
	while (from->head != NULL) {
		struct calls run = take_run(from);
		merge_run(to, &run);
	}
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
	/*
	 * A prefix, which never exists as a key. While a cluster moves the lane from one node to another, each of them has
	 * a part of its keys, and a function that ran there would take the rest for absent. That this key is absent keeps
	 * it from running: the old node answers ASK, whatever keys it still has, and the new one MOVED to those who do not
	 * send ASKING.
	 */
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
	call->at_once = wanted->read_only || wanted->at_once;
	call->lane = wanted->lane;
	call->slot = slot_of_lane(wanted->lane);
	(void)snprintf(call->function, sizeof(call->function), "%s", wanted->function);
	return ERR_OK;
}

void call_release(struct call *call)
{
	if (call->text != NULL)
		redisFreeCommand(call->text);
	call->text = NULL;
	free(call->kept);
	call->kept = NULL;
}
