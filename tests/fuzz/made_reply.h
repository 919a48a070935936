/* Redis' replies made of JSON: arrays, texts and whole numbers are what they are, everything else is nil. */
#ifndef FUZZ_MADE_REPLY_H
#define FUZZ_MADE_REPLY_H

#include <string.h>

#include <cjson/cJSON.h>

#include "store/reader.h"
#include "tests/fuzz/fuzz.h"

/* Texts are borrowed from `json`; `depth` is 1 for the outermost array. For reply_free(). */
static inline struct reply *reply_make(const cJSON *json, unsigned depth)
{
	struct reply *reply = calloc(1, sizeof(*reply));
	const cJSON *element;

	REQUIRE(reply != NULL);
	reply->kind = REPLY_NIL;
	reply->text = "";
	if (cJSON_IsNumber(json)) {
		reply->kind = REPLY_INTEGER;
		reply->integer = (int64_t)(json->valuedouble > 9e15    ? 9e15
					   : json->valuedouble < -9e15 ? -9e15
								       : json->valuedouble);
	} else if (cJSON_IsString(json)) {
		reply->kind = REPLY_TEXT;
		reply->text = json->valuestring;
		reply->len = strlen(json->valuestring);
	} else if (cJSON_IsArray(json) && depth <= REPLY_DEPTH_MAX) {
		reply->kind = REPLY_ARRAY;
		reply->depth = depth;
		reply->items = calloc((size_t)cJSON_GetArraySize(json) + 1, sizeof(*reply->items));
		REQUIRE(reply->items != NULL);
		cJSON_ArrayForEach(element, json)
			reply->items[reply->count++] = reply_make(element, depth + 1);
	}
	return reply;
}

static inline void reply_free(struct reply *reply)
{
	for (size_t i = 0; i < reply->count; i++)
		reply_free(reply->items[i]);
	free(reply->items);
	free(reply);
}

#endif
