#include "audit/verify.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct verifying {
	struct audit_check check;
	struct audit_verdict verdict;
	int64_t read_after; /* the event before the page that is asked for */
	bool begun;         /* the anchor has been looked at */
	bool apart;         /* the range of `seal` is read on its own */
	bool is_short;      /* of memory: nothing can be said */
	struct seal seal;
	audit_verified *done;
	void *ctx;
};

void audit_place_print(const struct audit_place *place, char out[AUDIT_PLACE_SIZE])
{
	snprintf(out, AUDIT_PLACE_SIZE, "%u.%" PRId64 ".%s.%" PRId64 ".%s", place->lane, place->number,
		 place->link, place->sealed_to, place->digest);
}

/* Copies the hexadecimal digits at *at, all of them or none, and the dot behind them. */
static bool take_hex(const char **at, char *out, size_t size, char end)
{
	size_t len = strspn(*at, "0123456789abcdef");

	if ((len != 0 && len != size - 1) || (*at)[len] != end)
		return false;
	memcpy(out, *at, len);
	out[len] = '\0';
	*at += len + (end != '\0');
	return true;
}

static bool take_number(const char **at, int64_t most, int64_t *out)
{
	size_t digits = strspn(*at, "0123456789");

	if (digits == 0 || digits > 15 || (*at)[digits] != '.')
		return false;
	*out = strtoll(*at, NULL, 10);
	*at += digits + 1;
	return *out <= most;
}

bool audit_place_read(struct audit_place *place, const char *text)
{
	int64_t lane;

	memset(place, 0, sizeof(*place));
	if (!take_number(&text, LANES_MAX - 1, &lane) || !take_number(&text, INT64_MAX, &place->number) ||
	    !take_hex(&text, place->link, sizeof(place->link), '.') ||
	    !take_number(&text, INT64_MAX, &place->sealed_to) ||
	    !take_hex(&text, place->digest, sizeof(place->digest), '\0'))
		return false;
	place->lane = (unsigned)lane;
	return true;
}

static void finish(struct verifying *v, enum err err)
{
	v->done(v->ctx, err, err == ERR_OK ? &v->verdict : NULL);
	free(v);
}

/* The first thing that is wrong; the rest is not looked at. */
static bool broken(struct verifying *v, int64_t number, const char *what, const char *why)
{
	if (v->verdict.broken_at == 0) {
		v->verdict.broken_at = number;
		err_set(&v->verdict.why, ERR_INTERNAL, "%s%s%s.", what, why[0] != '\0' ? ": " : "", why);
	}
	return false;
}

static bool run_short(struct verifying *v)
{
	v->is_short = true;
	return false;
}

/* Where the lane begins now: at its first event, or behind those that have been forgotten. */
static bool begin(struct verifying *v, const struct audit_page *page)
{
	struct audit_place *place = &v->verdict.place;
	struct errctx why = {""};

	v->begun = true;
	if (page->anchor.number == 0 || place->number >= page->anchor.number)
		return true;
	if (!seal_anchor_holds(&page->anchor, place->lane, &v->check.keys, &why))
		return broken(v, page->anchor.number,
			      "The note of the events that were forgotten is not genuine", why.text);
	place->number = place->sealed_to = page->anchor.number;
	snprintf(place->link, sizeof(place->link), "%s", page->anchor.link);
	snprintf(place->digest, sizeof(place->digest), "%s", page->anchor.digest);
	return true;
}

/* The digest of the seal's range, when all of it is on the page. */
static bool digest_of(const struct verifying *v, const struct audit_page *page, char digest[SHA256_HEX])
{
	int64_t wanted = v->seal.from;
	struct audit_event event;
	struct buf lines;

	seal_lines_begin(&lines, v->verdict.place.digest);
	for (size_t i = 0; i < page->count && wanted <= v->seal.to; i++) {
		if (!audit_page_event(page, i, &event) || event.number < wanted)
			continue;
		if (event.number != wanted)
			break;
		seal_lines_add(&lines, v->verdict.place.lane, &event);
		wanted++;
	}
	return seal_lines_end(&lines, digest) && wanted == v->seal.to + 1;
}

static bool seal_fits(struct verifying *v, const char *digest)
{
	struct audit_place *place = &v->verdict.place;
	struct errctx why = {""};

	if (strcmp(digest, v->seal.digest) != 0)
		return broken(v, place->number,
			      "The events that this seal covers are not those that were sealed", "");
	if (!seal_holds(&v->seal, place->lane, &v->check.keys, &why))
		return broken(v, place->number, "This seal is not genuine", why.text);
	v->verdict.seals++;
	place->sealed_to = v->seal.to;
	memcpy(place->digest, v->seal.digest, sizeof(place->digest));
	return true;
}

/* Its range is right. False when it is broken, or when its events have to be read apart. */
static bool take_seal(struct verifying *v, const struct audit_page *page, const struct audit_event *event)
{
	const struct audit_place *place = &v->verdict.place;
	struct errctx why = {""};
	char digest[SHA256_HEX];
	enum err err = seal_read(&v->seal, &event->fields[AUDIT_DETAILS]);

	if (err == ERR_NOMEM)
		return run_short(v);
	if (err != ERR_OK)
		return broken(v, event->number, "This is no seal, but says so", "");
	if (v->seal.to <= page->anchor.number) /* what it covers has been forgotten */
		return seal_holds(&v->seal, place->lane, &v->check.keys, &why) ||
		       broken(v, event->number, "This seal is not genuine", why.text);
	if (v->seal.from != place->sealed_to + 1 || v->seal.to < v->seal.from ||
	    v->seal.to >= event->number || v->seal.to - v->seal.from >= AUDIT_BATCH)
		return broken(v, event->number, "This seal does not go on where the one before ended", "");
	if (digest_of(v, page, digest))
		return seal_fits(v, digest);
	v->apart = true;
	return false;
}

static bool take_event(struct verifying *v, const struct audit_page *page, const struct audit_event *event)
{
	struct audit_place *place = &v->verdict.place;
	const struct audit_witness *witness = v->check.witness;
	char link[SHA1_HEX];

	if (event->number != place->number + 1)
		return broken(v, place->number + 1, "This event is missing", "");
	if (!audit_event_link(event, place->link, link))
		return run_short(v);
	if (strcmp(link, event->link) != 0)
		return broken(v, event->number, "This event, or the one before, is not as it was written",
			      "");
	if (witness != NULL && witness->number == event->number && strcmp(witness->link, link) != 0)
		return broken(v, event->number, "This event is not the one that this broker has seen here",
			      "");
	place->number = event->number;
	memcpy(place->link, link, sizeof(place->link));
	v->verdict.events++;
	if (v->verdict.first == 0)
		v->verdict.first = event->number;
	if (strcmp(event->fields[AUDIT_EVENT].text, "seal") != 0)
		return true;
	return take_seal(v, page, event);
}

/* At the end of the stream: is it the end of what was written? */
static bool check_end(struct verifying *v, const struct audit_page *page)
{
	const struct audit_place *place = &v->verdict.place;

	v->verdict.at_end = true;
	if (place->number != page->last || strcmp(place->link, page->link) != 0)
		return broken(v, place->number + 1, "The last events are missing", "");
	if (v->check.witness != NULL && v->check.witness->number > page->last)
		return broken(v, place->number + 1, "Events that this broker has seen are missing at the end",
			      "");
	if (page->sealed_to > place->sealed_to)
		return broken(v, place->number + 1, "The last seal is missing", "");
	return true;
}

static void read_on(struct verifying *v);

/* The range of a seal, which was too far before it to be on its page. */
static bool take_range(struct verifying *v, const struct audit_page *page)
{
	char digest[SHA256_HEX] = "";

	v->apart = false;
	return (digest_of(v, page, digest) || digest[0] != '\0') && seal_fits(v, digest);
}

static void on_page(void *ctx, enum err err, const struct audit_page *page)
{
	struct verifying *v = ctx;
	struct audit_place *place = &v->verdict.place;
	struct audit_event event;
	bool good = true, is_new = false;

	if (err != ERR_OK) {
		finish(v, err);
		return;
	}
	if (v->apart) {
		good = is_new = take_range(v, page);
		if (!good && v->verdict.broken_at == 0) {
			finish(v, ERR_NOMEM);
			return;
		}
	} else {
		good = v->begun || begin(v, page);
		for (size_t i = 0; good && i < page->count; i++) {
			if (!audit_page_event(page, i, &event))
				good = broken(v, place->number + 1,
					      "Something that is no event is in its place", "");
			else if (event.number > place->number && event.number > page->anchor.number)
				good = is_new = take_event(v, page, &event);
		}
		if (good && page->count < AUDIT_BATCH)
			good = check_end(v, page);
	}
	if (v->is_short) {
		finish(v, ERR_NOMEM);
		return;
	}
	if (v->verdict.broken_at > 0 || v->verdict.at_end || (good && v->verdict.events >= v->check.most)) {
		finish(v, ERR_OK);
		return;
	}
	/* A page begins with what the next seal covers, unless that alone is more than a page. */
	v->read_after = is_new && place->sealed_to < place->number ? place->sealed_to : place->number;
	read_on(v);
}

static void read_on(struct verifying *v)
{
	if (v->apart)
		v->read_after = v->seal.from - 1;
	audit_read(v->check.activation,
		   &(struct audit_range){v->verdict.place.lane, v->read_after,
					 v->apart ? (size_t)(v->seal.to - v->seal.from + 1) : AUDIT_BATCH},
		   on_page, v);
}

void audit_verify(const struct audit_check *check, const struct audit_place *from, audit_verified *done,
		  void *ctx)
{
	struct verifying *v = calloc(1, sizeof(*v));

	if (v == NULL) {
		done(ctx, ERR_NOMEM, NULL);
		return;
	}
	v->check = *check;
	v->verdict.place = *from;
	v->done = done;
	v->ctx = ctx;
	v->read_after = from->sealed_to < from->number ? from->sealed_to : from->number;
	read_on(v);
}
