/*
 * One page of a list answer. Without a cursor there is only the first page and no way to a next one; with one
 * (RFC 9865) `nextCursor` leads on for as long as the filter stays the same.
 */
#ifndef SANDBOX_PAGE_H
#define SANDBOX_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scim-push/sandbox/answer.h"
#include "scim-push/sandbox/query.h"

struct page {
	struct buf items;
	size_t count;
	size_t limit;
	bool with_cursor;
	uint64_t filter_hash; /* binds a cursor to its filter */
	uint64_t after;       /* only resources with a higher number are on this page */
	uint64_t last;
	bool more;
};

/* false: the cursor or the count is wrong (400). */
bool page_init(struct page *page, const struct query *query, int most);
/* Does the resource of that number belong on this page? Then the caller prints it to page->items. */
bool page_takes(struct page *page, uint64_t number);
/* Writes the answer and releases the page. */
void page_finish(struct page *page, struct answer *answer);

#endif
