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

static bool ask(struct listing *listing);

static void go_on(struct listing *listing)
{
	if (!ask(listing))
		end(listing, LISTING_BROKEN,
		    "listing the group's members: no time is left for the next page");
}

/* The page is a list of users; another one follows as long as there is a cursor. Who knows of more than they have shown by
 * then does not take cursors, and half a list is no list. */
static void on_users(struct listing *listing, const struct http_answer *answer)
{
	struct scim_page *page = &listing->page;
	char before[sizeof(page->cursor)];

	memcpy(before, page->cursor, sizeof(before));
	if (!scim_read_page(answer->body, answer->len, listing->on_member, listing->ctx, page)) {
		end(listing, LISTING_BROKEN, "listing the group's members: the answer is no page of users");
		return;
	}
	listing->shown += page->shown;
	if (page->cursor[0] == '\0' && page->total > (double)listing->shown) {
		end(listing, LISTING_BROKEN, "listing the group's members: not all of them are shown");
	} else if (page->cursor[0] == '\0') {
		end(listing, LISTING_WHOLE, "");
	} else if (listing->pages == LISTING_PAGES_MAX || strcmp(before, page->cursor) == 0) {
		end(listing, LISTING_BROKEN, "listing the group's members: the pages have no end");
	} else {
		go_on(listing);
	}
}

/* Members that are left out may be shown when they are asked for by their name; if not, there are none. */
static void on_group(struct listing *listing, const struct http_answer *answer)
{
	enum scim_members way = scim_read_member_list(answer->body, answer->len, listing->group_id,
						      listing->on_member, listing->ctx);

	if (way == MEMBERS_UNREADABLE) {
		end(listing, LISTING_BROKEN, "listing the group's members: the answer is not this group");
	} else if (way == MEMBERS_LEFT_OUT && !listing->members_by_name) {
		listing->members_by_name = true;
		go_on(listing);
	} else {
		end(listing, LISTING_WHOLE, "");
	}
}

/* The next user is asked for, if there is one. */
static void on_single(struct listing *listing, enum scim_membership shown)
{
	if (shown == MEMBERSHIP_UNCLEAR) {
		end(listing, LISTING_BROKEN, "asking for a member: the answer does not say it");
		return;
	}
	if (shown == MEMBERSHIP_PRESENT)
		listing->on_member(listing->ctx, listing->users[listing->asked]);
	listing->asked++;
	if (listing->asked == listing->user_count)
		end(listing, LISTING_WHOLE, "");
	else
		go_on(listing);
}

static void group_names(const struct listing *listing, struct scim_find *find)
{
	target_find_group(listing->target, listing->group_name, listing->group_external_id, find);
}

static void on_found(struct listing *listing, const struct http_answer *answer)
{
	struct scim_find find;

	group_names(listing, &find);
	switch (scim_read_found(answer->body, answer->len, &find, listing->group_id)) {
	case HIT_ONE:
		go_on(listing);
		break;
	case HIT_NONE:
		end(listing, LISTING_GONE, "the application has no group of that name");
		break;
	case HIT_SEVERAL:
		end(listing, LISTING_BROKEN, "the application has several groups of that name");
		break;
	case HIT_UNREADABLE:
		end(listing, LISTING_BROKEN, "looking up the group: the answer is no list of groups");
		break;
	}
}

static void on_read(struct listing *listing, const struct http_answer *answer)
{
	const char *user = listing->user_count > 0 ? listing->users[listing->asked] : "";

	if (listing->op == OP_FIND_GROUP)
		on_found(listing, answer);
	else if (listing->op == OP_LIST_MEMBERS)
		on_users(listing, answer);
	else if (listing->op == OP_CONFIRM)
		on_single(listing, scim_read_membership(answer->body, answer->len, listing->group_id));
	else if (listing->op == OP_READ_USER)
		on_single(listing, scim_read_groups(answer->body, answer->len, user, listing->group_id));
	else
		on_group(listing, answer);
}

/* 404: of a single user it says that they are no member (any more), of a group that there is none. */
static void on_missing(struct listing *listing, const char *words)
{
	if (listing->op == OP_CONFIRM || listing->op == OP_READ_USER)
		on_single(listing, MEMBERSHIP_ABSENT);
	else
		end(listing, LISTING_GONE, words);
}

static void on_answer(void *ctx, const struct http_answer *answer)
{
	struct listing *listing = ctx;
	struct scim_result result = outcome_of(listing->op, answer, clock_wall_ms());
	char words[TEXT_SIZE];

	listing->pages++;
	listing->closed_for_ms = result.wait_ms;
	listing->unanswered = answer->status == 0 && answer->sent;
	if (result.outcome == OUTCOME_DONE) {
		on_read(listing, answer);
		return;
	}
	answer_text(listing->target, listing->op, answer, words);
	if (answer->status == 404 && listing->op != OP_FIND_GROUP) {
		on_missing(listing, words);
		return;
	}
	end(listing, LISTING_BROKEN, words);
}

/* What comes next, and its address. */
static enum scim_op next_request(const struct listing *listing, struct buf *url)
{
	const struct scim_dialect *dialect = &listing->target->dialect;
	const char *base = listing->target->url;
	struct scim_find find;

	if (listing->group_id[0] == '\0') {
		group_names(listing, &find);
		scim_url_find(url, base, &find);
		return OP_FIND_GROUP;
	}
	if (listing_way(dialect) == LISTING_SINGLE && dialect->verify == VERIFY_USER) {
		scim_url_resource(url, base, "Users", listing->users[listing->asked]);
		return OP_READ_USER;
	}
	if (listing_way(dialect) == LISTING_SINGLE) {
		scim_url_confirm(url, base, listing->group_id, listing->users[listing->asked]);
		return OP_CONFIRM;
	}
	if (dialect->list == LIST_USERS) {
		scim_url_users_of(url, base, listing->group_id, listing->page.cursor);
		return OP_LIST_MEMBERS;
	}
	scim_url_members(url, base, listing->group_id, listing->members_by_name);
	return OP_READ_MEMBERS;
}

static bool ask(struct listing *listing)
{
	const struct scim_target *target = listing->target;
	struct http_hook hook = {on_answer, listing};
	struct http_call call;
	struct buf url;

	buf_init(&url, SCIM_URL_MAX);
	listing->op = next_request(listing, &url);
	target_call(target, listing->op, pusher_uses_next_token(listing->pusher, target), &call);
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
	enum listing_way way = listing_way(&listing->target->dialect);

	listing->pusher = pusher;
	listing->page.cursor[0] = '\0';
	listing->pages = listing->asked = listing->shown = 0;
	listing->unanswered = listing->members_by_name = false;
	if (way == LISTING_NONE || (way == LISTING_SINGLE && listing->user_count == 0) || !ask(listing)) {
		snprintf(listing->words, sizeof(listing->words), "%s",
			 way == LISTING_NONE ? "the application lists no members"
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
		listing->unanswered = http_cancel(listing->request);
		end(listing, LISTING_ABORTED, "the broker stops");
	}
}
