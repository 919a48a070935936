/*
 * POST /$batch: up to twenty calls in one. Each goes through the router like any other call, with its own policy,
 * idempotency and errors; this file starts them in their order and puts their answers together.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/api.h"
#include "api/batch.h"
#include "api/handlers.h"
#include "server/error.h"
#include "api/keyed.h"
#include "base/digest.h"
#include "base/json.h"

#define ANSWER_MAX ((size_t)RESPONSE_MAX / BATCH_MAX - 4096) /* of one item, so that all of them fit */

enum progress { WAITS, RUNS, SUCCEEDED, FAILED };

struct running;

struct item {
	struct running *running;
	enum progress progress;
	struct buf answer; /* the object in "responses" */
};

struct running {
	struct call *call;
	struct batch batch;
	size_t left; /* without an answer yet */
	bool going;  /* items are being started; the end waits for that */
	struct item items[BATCH_MAX];
};

static void go_on(struct running *r);

static const struct batch_item *asked_of(const struct item *item)
{
	return &item->running->batch.items[item - item->running->items];
}

/* -- answers --------------------------------------------------------------------------------------------------- */

static void begin_answer(struct item *item, int status)
{
	buf_clear(&item->answer);
	buf_adds(&item->answer, "{\"id\":");
	json_add_string(&item->answer, asked_of(item)->id);
	buf_addf(&item->answer, ",\"status\":%d,\"headers\":{", status);
}

/* Header fields come as "name NUL value NUL ...". */
static void add_headers(struct buf *out, const struct inner_answer *answer)
{
	const char *at = answer->headers, *end = at + answer->headers_len;

	for (bool first = true; at < end; first = false) {
		const char *value = at + strlen(at) + 1;

		buf_adds(out, first ? "" : ",");
		json_add_string(out, at);
		buf_adds(out, ":");
		json_add_string(out, value);
		at = value + strlen(value) + 1;
	}
}

static void fail_item(struct item *item, enum err err, const char *message)
{
	struct error_body error = {.err = err,
				   .message = message,
				   .request_id = exchange_request_id(item->running->call->exchange)};

	begin_answer(item, err_status(err));
	buf_adds(&item->answer, "\"Content-Type\":\"application/json\"},\"body\":");
	error_render(&item->answer, &error);
	buf_adds(&item->answer, "}");
	item->progress = FAILED;
	item->running->left--;
}

/* A call of the batch is answered. */
static void on_answered(void *ctx, const struct inner_answer *answer)
{
	struct item *item = ctx;
	struct running *r = item->running;

	begin_answer(item, answer->status);
	add_headers(&item->answer, answer);
	buf_adds(&item->answer, "}");
	if (answer->len > 0) {
		buf_adds(&item->answer, ",\"body\":");
		buf_add(&item->answer, answer->body, answer->len);
	}
	buf_adds(&item->answer, "}");
	if (buf_failed(&item->answer)) {
		fail_item(item, ERR_TOO_BIG, "The answer is too long for a batch: ask for less with $top.");
	} else {
		item->progress = answer->status < 400 ? SUCCEEDED : FAILED;
		r->left--;
	}
	go_on(r);
}

static void finish(struct running *r)
{
	struct call *call = r->call;
	struct buf body;

	buf_init(&body, RESPONSE_MAX);
	buf_adds(&body, "{\"responses\":[");
	for (size_t i = 0; i < r->batch.count; i++) {
		buf_adds(&body, i > 0 ? "," : "");
		buf_add(&body, buf_text(&r->items[i].answer), r->items[i].answer.len);
		if (buf_failed(&r->items[i].answer))
			buf_fail(&body);
		buf_release(&r->items[i].answer);
	}
	buf_adds(&body, "]}");
	batch_release(&r->batch);
	free(r);
	call_answer(call, 200, NULL, &body);
}

/* -- calls ----------------------------------------------------------------------------------------------------- */

/* What makes the batch as a whole repeatable makes each of its calls so, under a key of its own. */
static void add_keys(const struct item *item, struct exchange *e)
{
	const struct exchange *outer = item->running->call->exchange;
	const char *key = exchange_header(outer, "Idempotency-Key");
	const char *client_id = exchange_client_request_id(outer);
	char text[KEYED_MAX + BATCH_ID_SIZE + 1], digest[SHA256_HEX];
	int len;

	if (key != NULL && exchange_header(e, "Idempotency-Key") == NULL) {
		len = snprintf(text, sizeof(text), "%s\n%s", key, asked_of(item)->id);
		digest_sha256_hex(text, (size_t)len, digest);
		exchange_add_header(e, "Idempotency-Key", digest);
	}
	if (client_id != NULL && exchange_header(e, "client-request-id") == NULL)
		exchange_add_header(e, "client-request-id", client_id);
}

static void start(struct item *item)
{
	const struct batch_item *asked = asked_of(item);
	struct call *call = item->running->call;
	struct inner inner = {.method = asked->method, .answered = on_answered, .ctx = item};
	struct exchange *e;
	const cJSON *field;
	struct buf target, body;

	item->progress = RUNS;
	buf_init(&target, URL_MAX + 1);
	buf_init(&body, BODY_MAX);
	buf_addf(&target, "%s%s%s", call->beta ? "/beta" : "/v1.0", asked->url[0] == '/' ? "" : "/",
		 asked->url);
	if (asked->body != NULL)
		json_add_value(&body, asked->body);
	inner.target = buf_text(&target);
	inner.body = buf_text(&body);
	inner.len = body.len;
	e = buf_failed(&target) || buf_failed(&body) ? NULL : exchange_inner(call->exchange, &inner);
	if (e != NULL) {
		cJSON_ArrayForEach(field, asked->headers)
			exchange_add_header(e, field->string, field->valuestring);
		add_keys(item, e);
	}
	buf_release(&target);
	buf_release(&body);
	if (e == NULL)
		fail_item(item, ERR_TOO_BIG, NULL);
	else
		api_handle(call->api, e);
}

/* May it start, and if it may not any more, why. */
static void consider(struct item *item)
{
	struct running *r = item->running;
	unsigned after = asked_of(item)->after;
	bool waits = false;

	for (size_t i = 0; i < r->batch.count; i++) {
		if ((after & 1u << i) == 0)
			continue;
		if (r->items[i].progress == FAILED) {
			fail_item(item, ERR_DEPENDENCY, NULL);
			return;
		}
		waits = waits || r->items[i].progress != SUCCEEDED;
	}
	if (waits)
		return;
	if (exchange_abandoned(r->call->exchange))
		fail_item(item, ERR_TIMEOUT, NULL);
	else
		start(item);
}

/* Starts what can be started. A call may be answered while it is being started, and then comes here again. */
static void go_on(struct running *r)
{
	size_t before;

	if (r->going)
		return;
	r->going = true;
	do {
		before = r->left;
		for (size_t i = 0; i < r->batch.count; i++)
			if (r->items[i].progress == WAITS)
				consider(&r->items[i]);
	} while (r->left > 0 && r->left != before);
	r->going = false;
	if (r->left == 0)
		finish(r);
}

void batches_post(struct call *call)
{
	struct running *r;
	struct errctx ec = {""};
	size_t len;
	const char *body = exchange_body(call->exchange, &len);
	enum err err;

	if (exchange_is_inner(call->exchange)) {
		call_error(call, ERR_BAD_REQUEST, "A batch cannot hold a batch.", NULL);
		return;
	}
	if (!call_is_json(call)) {
		call_error(call, ERR_MEDIA_TYPE, NULL, NULL);
		return;
	}
	r = calloc(1, sizeof(*r));
	err = r == NULL ? ERR_NOMEM : batch_read(body, len, &r->batch, &ec);
	if (err != ERR_OK || r == NULL) {
		call_error(call, err, ec.text[0] != '\0' ? ec.text : NULL, NULL);
		free(r);
		return;
	}
	r->call = call;
	r->left = r->batch.count;
	for (size_t i = 0; i < r->batch.count; i++) {
		r->items[i].running = r;
		buf_init(&r->items[i].answer, ANSWER_MAX);
	}
	go_on(r);
}
