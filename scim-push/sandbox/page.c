/* Pages of list answers. */
#include "scim-push/sandbox/page.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t hash_text(const char *text)
{
	uint64_t hash = UINT64_C(14695981039346656037);

	for (; *text != '\0'; text++)
		hash = (hash ^ (unsigned char)*text) * UINT64_C(1099511628211);
	return hash;
}

/* "NUMBER:HASH" in hexadecimal, as page_finish() writes it. */
static bool read_cursor(struct page *page, const char *cursor)
{
	char again[64];
	char *end;

	if (cursor[0] == '\0')
		return true;
	page->after = strtoull(cursor, &end, 16);
	(void)snprintf(again, sizeof(again), "%" PRIx64 ":%" PRIx64, page->after, page->filter_hash);
	return strcmp(again, cursor) == 0;
}

bool page_init(struct page *page, const struct query *query, int most)
{
	*page = (struct page){
		.limit = (size_t)(query->count > 0 ? query->count : most),
		.with_cursor = query->has_cursor,
		.filter_hash = hash_text(query->filter),
	};
	buf_init(&page->items, ANSWER_MAX);
	return query->count != 0 && query->count <= most && read_cursor(page, query->cursor);
}

bool page_takes(struct page *page, uint64_t number)
{
	if (number <= page->after)
		return false;
	if (page->count == page->limit) {
		page->more = true;
		return false;
	}
	if (page->count++ > 0)
		buf_adds(&page->items, ",");
	page->last = number;
	return true;
}

void page_finish(struct page *page, struct answer *answer)
{
	struct buf *out = &answer->body;

	answer->status = 200;
	buf_adds(out, "{");
	/* totalResults is that of the page: 69 users, and AWS says 50. */
	if (!page->with_cursor)
		buf_addf(out, "\"totalResults\":%zu,\"startIndex\":1,", page->count);
	buf_addf(out, "\"itemsPerPage\":%zu,", page->count);
	if (page->with_cursor && page->more)
		buf_addf(out, "\"nextCursor\":\"%" PRIx64 ":%" PRIx64 "\",", page->last, page->filter_hash);
	buf_adds(out, "\"schemas\":[\"urn:ietf:params:scim:api:messages:2.0:ListResponse\"],\"Resources\":[");
	buf_add(out, buf_text(&page->items), page->items.len);
	buf_adds(out, "]}");
	if (buf_failed(&page->items))
		answer->status = 500;
	buf_release(&page->items);
}
