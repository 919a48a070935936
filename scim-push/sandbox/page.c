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

/* RFC 7644 section 3.4.2.4: a startIndex below 1 is 1, a count above the server's most is that. */
static void init_index(struct page *page, const struct query *query)
{
	bool honoured = page->dialect->value[B_PARAMETERS] == PARAMETERS_HONOURED;

	if (honoured && query->start_index > 1)
		page->start = (size_t)query->start_index - 1;
	if (query->count >= 0 && (size_t)query->count < page->limit)
		page->limit = (size_t)query->count;
}

bool page_init(struct page *page, const struct query *query, const struct dialect *dialect)
{
	int64_t most = dialect->value[B_PAGE] > 0 ? dialect->value[B_PAGE] : INT32_MAX;

	*page = (struct page){
		.dialect = dialect,
		.limit = (size_t)most,
		.filter_hash = hash_text(query->filter),
	};
	buf_init(&page->items, ANSWER_MAX);
	switch ((enum paging)dialect->value[B_PAGING]) {
	case PAGING_INDEX:
		init_index(page, query);
		return !query->has_cursor;
	case PAGING_CURSOR:
		page->with_cursor = query->has_cursor;
		page->limit = (size_t)(query->count > 0 ? query->count : most);
		return query->count != 0 && query->count <= most && read_cursor(page, query->cursor);
	case PAGING_NONE:
		page->limit = SIZE_MAX;
		break;
	}
	return true;
}

size_t page_begin(struct page *page, const struct roll *roll, bool all)
{
	size_t place = roll_after(roll, page->after);

	if (!all || page->start == 0)
		return place;
	place = page->start < roll->count ? page->start : roll->count;
	page->passed = page->start;
	return place;
}

bool page_is_full(const struct page *page)
{
	return page->more;
}

bool page_takes(struct page *page, uint64_t number)
{
	if (number <= page->after || page->passed++ < page->start)
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

/* AWS' totalResults is that of the page: 69 users, and it says 50. */
static size_t total_of(const struct page *page, size_t all)
{
	if (page->dialect->value[B_TOTAL] == TOTAL_PAGE)
		return page->count;
	return all > 0 ? all : page->passed;
}

void page_finish(struct page *page, size_t all, struct answer *answer)
{
	struct buf *out = &answer->body;

	answer->status = 200;
	buf_adds(out, "{");
	if (!page->with_cursor && page->dialect->value[B_TOTAL] != TOTAL_ABSENT)
		buf_addf(out, "\"totalResults\":%zu,\"startIndex\":%zu,", total_of(page, all),
			 page->start + 1);
	buf_addf(out, "\"itemsPerPage\":%zu,", page->count);
	if (page->with_cursor && page->more)
		buf_addf(out, "\"nextCursor\":\"%" PRIx64 ":%" PRIx64 "\",", page->last, page->filter_hash);
	buf_adds(out, "\"schemas\":[\"urn:ietf:params:scim:api:messages:2.0:ListResponse\"],\"Resources\":[");
	buf_add(out, buf_text(&page->items), page->items.len);
	buf_adds(out, "]}");
	if (buf_failed(&page->items))
		answer->status = 500;
	page_release(page);
}

void page_release(struct page *page)
{
	buf_release(&page->items);
}
