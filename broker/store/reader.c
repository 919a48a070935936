/* Builds replies in an arena with the parser of hiredis. Works with hiredis 0.14 and 1.x. */
#include "store/reader.h"

#include <stdlib.h>
#include <string.h>

#include <hiredis/hiredis.h>

#define ARENA_BLOCK ((size_t)32 << 10)  /* enough for nearly all replies */
#define INPUT_KEPT  ((size_t)256 << 10) /* an empty input buffer up to this size is kept for the next reply */
#define ALIGNMENT   _Alignof(max_align_t)

struct block {
	struct block *next;
	size_t size; /* of bytes[] */
	size_t used;
	_Alignas(max_align_t) char bytes[];
};

struct reader {
	redisReader *parser;
	redisReplyObjectFunctions builders; /* the parser wants a pointer to non-const */
	struct block *blocks; /* the newest first; the last one is the first that was made and is kept */
	size_t taken;         /* bytes of the current reply in all blocks */
	const char *refused;  /* why a value was not built; NULL while all were */
};

static struct block *block_new(size_t size, struct block *next)
{
	struct block *block = malloc(sizeof(*block) + size);
	if (block == NULL)
		return NULL;
	block->next = next;
	block->size = size;
	block->used = 0;
	return block;
}

/* Memory for a part of the current reply; NULL when the reply becomes too large or memory is short. */
static void *take(struct reader *reader, size_t size)
{
	if (size > REPLY_BYTES_MAX) /* else the next line might overflow */
		size = REPLY_BYTES_MAX + 1;
	size = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
	if (size > REPLY_BYTES_MAX - reader->taken) {
		reader->refused = "a reply is larger than 16 MiB";
		return NULL;
	}
	struct block *block = reader->blocks;
	if (size > block->size - block->used) {
		block = block_new(size > ARENA_BLOCK ? size : ARENA_BLOCK, reader->blocks);
		if (block == NULL) {
			reader->refused = "there is no memory for a reply";
			return NULL;
		}
		reader->blocks = block;
	}
	void *memory = block->bytes + block->used;
	block->used += size;
	reader->taken += size;
	return memory;
}

static void forget_reply(struct reader *reader)
{
	while (reader->blocks->next != NULL) {
		struct block *block = reader->blocks;
		reader->blocks = block->next;
		free(block);
	}
	reader->blocks->used = 0;
	reader->taken = 0;
}

/* Makes a value and hangs it into the array that it belongs to. */
static struct reply *make(const redisReadTask *task, enum reply_kind kind)
{
	struct reply *reply = take(task->privdata, sizeof(*reply));
	if (reply == NULL)
		return NULL;
	*reply = (struct reply){.kind = kind, .text = ""};
	if (task->parent != NULL) {
		struct reply *parent = task->parent->obj;
		parent->items[task->idx] = reply;
	}
	return reply;
}

/* RESP3 is never asked for, so its types have no place here. */
static void *refuse(const redisReadTask *task)
{
	struct reader *reader = task->privdata;
	reader->refused = "a reply is of a type that was not asked for";
	return NULL;
}

static void *make_text(const redisReadTask *task, char *text, size_t len)
{
	if (task->type != REDIS_REPLY_STRING && task->type != REDIS_REPLY_STATUS &&
	    task->type != REDIS_REPLY_ERROR)
		return refuse(task);
	char *copy = take(task->privdata, len + 1);
	struct reply *reply =
		copy != NULL ? make(task, task->type == REDIS_REPLY_ERROR ? REPLY_ERROR : REPLY_TEXT) : NULL;
	if (reply == NULL)
		return NULL;
	memcpy(copy, text, len);
	copy[len] = '\0';
	reply->text = copy;
	reply->len = len;
	return reply;
}

static void *make_array_of(const redisReadTask *task, size_t count)
{
	struct reader *reader = task->privdata;
	if (task->type != REDIS_REPLY_ARRAY)
		return refuse(task);
	struct reply *reply = make(task, REPLY_ARRAY);
	if (reply == NULL)
		return NULL;
	const struct reply *parent = task->parent != NULL ? task->parent->obj : NULL;
	reply->depth = parent != NULL ? parent->depth + 1 : 1;
	if (reply->depth > REPLY_DEPTH_MAX) {
		reader->refused = "a reply is nested too deeply";
		return NULL;
	}
	if (count > REPLY_BYTES_MAX) /* else the product below might overflow */
		count = REPLY_BYTES_MAX;
	reply->items = take(reader, count * sizeof(struct reply *));
	if (reply->items == NULL)
		return NULL;
	reply->count = count;
	return reply;
}

static void *make_integer(const redisReadTask *task, long long value)
{
	struct reply *reply = make(task, REPLY_INTEGER);
	if (reply != NULL)
		reply->integer = value;
	return reply;
}

static void *make_nil(const redisReadTask *task)
{
	return make(task, REPLY_NIL);
}

/* The arena frees all values of a reply together. */
static void free_nothing(void *object)
{
	(void)object;
}

#if HIREDIS_MAJOR >= 1
static void *make_array(const redisReadTask *task, size_t count)
{
	return make_array_of(task, count);
}

static void *refuse_double(const redisReadTask *task, double value, char *text, size_t len)
{
	(void)value;
	(void)text;
	(void)len;
	return refuse(task);
}

static void *refuse_bool(const redisReadTask *task, int value)
{
	(void)value;
	return refuse(task);
}
#else
static void *make_array(const redisReadTask *task, int count)
{
	return count < 0 ? NULL : make_array_of(task, (size_t)count);
}
#endif

static const redisReplyObjectFunctions builders = {
	.createString = make_text,
	.createArray = make_array,
	.createInteger = make_integer,
#if HIREDIS_MAJOR >= 1
	.createDouble = refuse_double,
	.createBool = refuse_bool,
#endif
	.createNil = make_nil,
	.freeObject = free_nothing,
};

struct reader *reader_new(void)
{
	struct reader *reader = calloc(1, sizeof(*reader));
	if (reader == NULL)
		return NULL;
	reader->builders = builders;
	reader->parser = redisReaderCreateWithFunctions(&reader->builders);
	reader->blocks = block_new(ARENA_BLOCK, NULL);
	if (reader->parser == NULL || reader->blocks == NULL) {
		reader_free(reader);
		return NULL;
	}
	reader->parser->privdata = reader;
	reader->parser->maxbuf = INPUT_KEPT;
	return reader;
}

void reader_free(struct reader *reader)
{
	if (reader == NULL)
		return;
	if (reader->parser != NULL)
		redisReaderFree(reader->parser);
	while (reader->blocks != NULL) {
		struct block *block = reader->blocks;
		reader->blocks = block->next;
		free(block);
	}
	free(reader);
}

bool reader_feed(struct reader *reader, const char *bytes, size_t len)
{
	return redisReaderFeed(reader->parser, bytes, len) == REDIS_OK;
}

enum reader_result reader_next(struct reader *reader, const struct reply **reply)
{
	void *parsed = NULL;
	if (reader->parser->reply == NULL)
		forget_reply(reader);
	if (redisReaderGetReply(reader->parser, &parsed) != REDIS_OK || reader->refused != NULL)
		return READER_BROKEN;
	if (parsed != NULL) {
		*reply = parsed;
		return READER_REPLY;
	}
	if (reader->parser->len - reader->parser->pos > REPLY_BYTES_MAX - reader->taken) {
		reader->refused = "a reply is larger than 16 MiB";
		return READER_BROKEN;
	}
	return READER_MORE;
}

const char *reader_why(const struct reader *reader)
{
	return reader->refused != NULL ? reader->refused : "a reply is not in Redis' protocol";
}
