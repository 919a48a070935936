/*
 * One page of a list answer, as the dialect pages: by startIndex, by cursor (RFC 9865; without one there is only the
 * first page and no way to a next one), or not at all.
 */
#ifndef SANDBOX_PAGE_H
#define SANDBOX_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scim-push/sandbox/answer.h"
#include "scim-push/sandbox/query.h"
#include "scim-push/sandbox/roll.h"

struct page {
	const struct dialect *dialect;
	struct buf items;
	size_t count;  /* on this page */
	size_t passed; /* matches so far, on this page or not */
	size_t limit;
	size_t start; /* 0-based: matches before that are not on this page */
	bool with_cursor;
	uint64_t filter_hash; /* binds a cursor to its filter */
	uint64_t after;       /* only resources with a higher number are on this page */
	uint64_t last;
	bool more;
};

/* false: the cursor or the count is wrong (400). */
bool page_init(struct page *page, const struct query *query, const struct dialect *dialect);
/* Where to begin in the roll; `all`: every entry of it is a match, so that those before the page are only counted. */
size_t page_begin(struct page *page, const struct roll *roll, bool all);
/* With `all`: the rest of the roll need not be looked at. */
bool page_is_full(const struct page *page);
/* Does the matching resource of that number belong on this page? Then the caller prints it to page->items. */
bool page_takes(struct page *page, uint64_t number);
/* Writes the answer and releases the page. `all`: how many entries there are in the roll, or 0. */
void page_finish(struct page *page, size_t all, struct answer *answer);
void page_release(struct page *page);

#endif
