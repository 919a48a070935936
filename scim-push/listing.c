#include "scim-push/listing.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "scim-push/run.h"

static void unlink_listing(struct listing *listing)
{
	struct listing **link = &listing->pusher->listings;

	while (*link != listing)
		link = &(*link)->next;
	*link = listing->next;
	listing->request = NULL;
	listing->pusher->running--;
}

static void end(struct listing *listing, enum listing_end how, const char *words)
{
	snprintf(listing->words, sizeof(listing->words), "%s", words);
	unlink_listing(listing);
	listing->on_end(listing->ctx, listing, how);
}

static bool ask_page(struct listing *listing);

/* The page is a list of users; another one follows as long as there is a cursor. */
static void on_users(struct listing *listing, const struct http_answer *answer)
{
	char before[LISTING_CURSOR_SIZE];

	memcpy(before, listing->cursor, sizeof(before));
	if (!scim_read_page(answer->body, answer->len, listing->on_member, listing->ctx, listing->cursor)) {
		end(listing, LISTING_BROKEN, "listing the group's members: the answer is no page of users");
	} else if (listing->cursor[0] == '\0') {
		end(listing, LISTING_WHOLE, "");
	} else if (listing->pages == LISTING_PAGES_MAX || strcmp(before, listing->cursor) == 0) {
		end(listing, LISTING_BROKEN, "listing the group's members: the pages have no end");
	} else if (!ask_page(listing)) {
		end(listing, LISTING_BROKEN,
		    "listing the group's members: no time is left for the next page");
	}
}

static void on_group(struct listing *listing, const struct http_answer *answer)
{
	if (scim_read_member_list(answer->body, answer->len, listing->group_id, listing->on_member,
				  listing->ctx))
		end(listing, LISTING_WHOLE, "");
	else
		end(listing, LISTING_BROKEN, "listing the group's members: the answer is not this group");
}

static void on_page(void *ctx, const struct http_answer *answer)
{
	struct listing *listing = ctx;
	enum scim_op op = listing->target->dialect.list == LIST_USERS ? OP_LIST_MEMBERS : OP_READ_MEMBERS;
	struct scim_result result = outcome_of(op, answer, clock_wall_ms());
	char words[TEXT_SIZE];

	listing->pages++;
	listing->closed_for_ms = result.wait_ms;
	listing->misconfigured = result.outcome == OUTCOME_MISCONFIGURED;
	listing->sick = result.outcome == OUTCOME_SICK;
	if (result.outcome == OUTCOME_DONE && op == OP_LIST_MEMBERS) {
		on_users(listing, answer);
	} else if (result.outcome == OUTCOME_DONE) {
		on_group(listing, answer);
	} else {
		answer_text(listing->target, op, answer, words);
		end(listing, result.outcome == OUTCOME_LOOK_AGAIN ? LISTING_GONE : LISTING_BROKEN, words);
	}
}

static bool ask_page(struct listing *listing)
{
	const struct scim_target *target = listing->target;
	struct http_hook hook = {on_page, listing};
	struct http_call call;
	struct buf url;

	buf_init(&url, SCIM_URL_MAX);
	if (target->dialect.list == LIST_USERS)
		scim_url_users_of(&url, target->url, listing->group_id, listing->cursor);
	else
		scim_url_resource(&url, target->url, "Groups", listing->group_id);
	target_call(target, OP_LIST_MEMBERS, pusher_uses_next_token(listing->pusher, target), &call);
	call.url = buf_text(&url);
	if (call.deadline_ms > listing->deadline_ms)
		call.deadline_ms = listing->deadline_ms;
	enum err err = buf_failed(&url) ? ERR_NOMEM
					: http_start(listing->pusher->http, &call, &hook, &listing->request);
	buf_release(&url);
	return err == ERR_OK;
}

bool listing_start(struct pusher *pusher, struct listing *listing)
{
	listing->pusher = pusher;
	listing->cursor[0] = '\0';
	listing->pages = 0;
	if (listing->target->dialect.list == LIST_NONE || !ask_page(listing)) {
		snprintf(listing->words, sizeof(listing->words), "%s",
			 listing->target->dialect.list == LIST_NONE ? "the application lists no members"
								    : "no time or memory is left");
		return false;
	}
	listing->next = pusher->listings;
	pusher->listings = listing;
	pusher->running++;
	return true;
}

void listing_abort_all(struct pusher *pusher)
{
	while (pusher->listings != NULL) {
		struct listing *listing = pusher->listings;
		(void)http_cancel(listing->request);
		end(listing, LISTING_BROKEN, "the broker stops");
	}
}
