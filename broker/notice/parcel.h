/* One delivery on its way: a signed webhook or a mail. Private to broker/notice/. */
#ifndef NOTICE_PARCEL_H
#define NOTICE_PARCEL_H

#include <stdbool.h>
#include <stdint.h>

#include "activation/notices.h"
#include "base/buf.h"
#include "config/config.h"
#include "notice/audience.h"
#include "notice/text.h"

struct http_answer;
struct http_client;
struct http_request;
struct parcel;

/* What came of it. */
struct parcel_result {
	const char *word; /* as in struct notice_end */
	int64_t delay_ms, silent_ms;
	char answer[256]; /* in plain words */
};

struct parcel {
	struct parcel *next, **link; /* of the courier's */
	struct courier *courier;
	struct target *target;
	struct config *config;             /* one reference */
	const struct config_webhook *hook; /* NULL: a mail */
	unsigned lane, tries;
	char id[ID_SIZE];
	char to[NAME_SIZE];
	char person[NAME_SIZE];   /* on whose account it is sent */
	char line[TEXT_LINE_MAX]; /* its subject */
	bool is_alarm;            /* sent whatever else is sent to that mailbox … */
	bool is_glass;            /* … but in a number of its own: somebody has broken the glass */
	char fingerprint[AUDIENCE_FINGERPRINT_SIZE];
	struct buf text;              /* the webhook's body or the whole mail */
	struct http_request *request; /* NULL: not on the wire */
};

/*
 * Writes what is to be sent. ERR_NOMEM (also where it is too long), ERR_NOT_FOUND (the configuration has no such target),
 * ERR_INTERNAL (it can never be written); *out is then untouched. `now_ms` is Redis' time.
 */
enum err parcel_new(struct config *config, const struct notice *notice, int64_t now_ms,
		    struct parcel **out) MUST_CHECK;
void parcel_free(struct parcel *parcel);

/* Sends it; `done` is told once, as by http_start(). */
enum err parcel_send(struct parcel *parcel, struct http_client *http, int64_t now_ms,
		     void (*done)(void *ctx, const struct http_answer *answer)) MUST_CHECK;

/* What the answer means; `chance` is any number, evenly spread. */
void parcel_judge(const struct parcel *parcel, const struct http_answer *answer, uint32_t chance,
		  struct parcel_result *out);

#endif
