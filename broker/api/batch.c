#include "api/batch.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"

static const cJSON *member(const cJSON *object, const char *name)
{
	const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, name);

	return cJSON_IsNull(value) ? NULL : value;
}

static enum err read_headers(const cJSON *value, struct batch_item *item, struct errctx *ec)
{
	const cJSON *header = member(value, "headers"), *field;

	item->headers = header;
	if (header == NULL)
		return ERR_OK;
	if (!cJSON_IsObject(header) || cJSON_GetArraySize(header) > BATCH_HEADERS_MAX)
		return err_set(ec, ERR_BAD_REQUEST,
			       "headers of '%s' must be an object of at most %d strings.", item->id,
			       BATCH_HEADERS_MAX);
	cJSON_ArrayForEach(field, header) {
		if (!cJSON_IsString(field))
			return err_set(ec, ERR_BAD_REQUEST, "headers of '%s' must be strings.", item->id);
	}
	return ERR_OK;
}

static enum err read_item(const cJSON *value, struct batch_item *item, struct errctx *ec)
{
	const char *id = json_string(value, "id");

	if (id == NULL || id[0] == '\0' || strlen(id) >= sizeof(item->id))
		return err_set(ec, ERR_BAD_REQUEST, "Each request needs an id, a string of at most %d bytes.",
			       BATCH_ID_SIZE - 1);
	snprintf(item->id, sizeof(item->id), "%s", id);
	item->method = json_string(value, "method");
	item->url = json_string(value, "url");
	item->body = member(value, "body");
	if (item->method == NULL || item->url == NULL)
		return err_set(ec, ERR_BAD_REQUEST, "Request '%s' needs a method and a url.", item->id);
	if (item->body != NULL && !cJSON_IsObject(item->body))
		return err_set(ec, ERR_BAD_REQUEST, "The body of '%s' must be a JSON object.", item->id);
	return read_headers(value, item, ec);
}

/* The index of that id among the items; -1 when there is none. */
static int find(const struct batch *batch, const char *id)
{
	for (size_t i = 0; i < batch->count; i++)
		if (strcmp(batch->items[i].id, id) == 0)
			return (int)i;
	return -1;
}

static enum err read_dependencies(const cJSON *value, struct batch *batch, struct batch_item *item,
				  struct errctx *ec)
{
	const cJSON *list = member(value, "dependsOn"), *id;

	if (list != NULL && !cJSON_IsArray(list))
		return err_set(ec, ERR_BAD_REQUEST, "dependsOn of '%s' must be a list of ids.", item->id);
	cJSON_ArrayForEach(id, list) {
		int index = cJSON_IsString(id) ? find(batch, id->valuestring) : -1;

		if (index < 0)
			return err_set(ec, ERR_BAD_REQUEST,
				       "dependsOn of '%s' names no request of the batch.", item->id);
		item->after |= 1u << index;
	}
	return ERR_OK;
}

/* Takes away, again and again, those that wait for nothing that is left; whoever stays waits in a circle. */
static bool has_circle(const struct batch *batch)
{
	unsigned all = (1u << batch->count) - 1u, done = 0, before;

	do {
		before = done;
		for (size_t i = 0; i < batch->count; i++)
			if ((batch->items[i].after & ~done) == 0)
				done |= 1u << i;
	} while (done != before);
	return done != all;
}

static enum err read_items(const cJSON *json, struct batch *out, struct errctx *ec)
{
	const cJSON *list = member(json, "requests"), *value;
	int count = cJSON_IsArray(list) ? cJSON_GetArraySize(list) : 0;
	size_t at = 0;
	enum err err;

	if (count < 1 || count > BATCH_MAX)
		return err_set(ec, ERR_BAD_REQUEST, "requests must be a list of 1 to %d requests.",
			       BATCH_MAX);
	cJSON_ArrayForEach(value, list) {
		err = read_item(value, &out->items[out->count], ec);
		if (err != ERR_OK)
			return err;
		if (find(out, out->items[out->count].id) >= 0)
			return err_set(ec, ERR_BAD_REQUEST, "The id '%s' is given twice.",
				       out->items[out->count].id);
		out->count++;
	}
	cJSON_ArrayForEach(value, list) {
		err = read_dependencies(value, out, &out->items[at++], ec);
		if (err != ERR_OK)
			return err;
	}
	if (has_circle(out))
		return err_set(ec, ERR_BAD_REQUEST, "dependsOn goes in a circle.");
	return ERR_OK;
}

enum err batch_read(const char *text, size_t len, struct batch *out, struct errctx *ec)
{
	struct batch batch = {0};
	enum err err = json_parse(text, len, &batch.json, ec);

	if (err != ERR_OK)
		return err;
	err = read_items(batch.json, &batch, ec);
	if (err == ERR_OK)
		*out = batch;
	else
		cJSON_Delete(batch.json);
	return err;
}

void batch_release(struct batch *batch)
{
	cJSON_Delete(batch->json);
	batch->json = NULL;
}
