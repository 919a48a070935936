/* URLs and bodies that are sent. */
#include "scim-push/scim.h"

#include <assert.h>
#include <string.h>

#include "base/json.h"

#define FILTER_MAX 2048
#define GROUP_URN  "urn:ietf:params:scim:schemas:core:2.0:Group"

/* RFC 3986: everything but the unreserved characters, so that the text stays one path segment or one value. */
static void add_encoded(struct buf *url, const char *text)
{
	static const char hex[] = "0123456789ABCDEF";

	for (const unsigned char *c = (const unsigned char *)text; *c != '\0'; c++) {
		bool unreserved = (*c >= 'A' && *c <= 'Z') || (*c >= 'a' && *c <= 'z') ||
				  (*c >= '0' && *c <= '9') || strchr("-._~", *c) != NULL;
		char encoded[3] = {'%', hex[*c >> 4], hex[*c & 15]};
		if (unreserved)
			buf_add(url, c, 1);
		else
			buf_add(url, encoded, sizeof(encoded));
	}
}

/* `name eq "value"`; the value is a JSON string: RFC 7644, 3.4.2.2. */
static void add_comparison(struct buf *filter, const char *name, const char *value)
{
	buf_adds(filter, name);
	buf_adds(filter, " eq ");
	json_add_string(filter, value);
}

/* Appends the encoded filter and releases it. A filter that failed fails the URL. */
static void add_filter(struct buf *url, struct buf *filter)
{
	buf_adds(url, "filter=");
	add_encoded(url, buf_text(filter));
	if (buf_failed(filter))
		buf_fail(url);
	buf_release(filter);
}

void scim_url_endpoint(struct buf *url, const char *base, const char *endpoint)
{
	buf_adds(url, base);
	buf_adds(url, "/");
	buf_adds(url, endpoint);
}

void scim_url_find(struct buf *url, const char *base, const struct scim_find *find)
{
	struct buf filter;

	buf_init(&filter, FILTER_MAX);
	attribute_filter(&filter, find->attribute, find->value);
	scim_url_endpoint(url, base, find->endpoint);
	buf_adds(url, find->hide_members ? "?excludedAttributes=members&" : "?");
	add_filter(url, &filter);
}

void scim_url_resource(struct buf *url, const char *base, const char *endpoint, const char *id)
{
	scim_url_endpoint(url, base, endpoint);
	buf_adds(url, "/");
	add_encoded(url, id);
}

void scim_url_members(struct buf *url, const char *base, const char *group_id, bool by_name)
{
	scim_url_resource(url, base, "Groups", group_id);
	buf_adds(url, by_name ? "?attributes=members" : "");
}

void scim_url_confirm(struct buf *url, const char *base, const char *group_id, const char *user_id)
{
	struct buf filter;

	buf_init(&filter, FILTER_MAX);
	add_comparison(&filter, "id", group_id);
	buf_adds(&filter, " and ");
	add_comparison(&filter, "members", user_id);
	scim_url_endpoint(url, base, "Groups?");
	add_filter(url, &filter);
}

void scim_url_users_of(struct buf *url, const char *base, const char *group_id, const char *cursor)
{
	struct buf filter;

	buf_init(&filter, FILTER_MAX);
	add_comparison(&filter, "groups.value", group_id);
	scim_url_endpoint(url, base, cursor[0] == '\0' ? "Users?cursor&" : "Users?cursor=");
	if (cursor[0] != '\0') {
		add_encoded(url, cursor);
		buf_adds(url, "&");
	}
	add_filter(url, &filter);
}

void scim_url_groups_of(struct buf *url, const char *base, const char *user_id)
{
	struct buf filter;

	buf_init(&filter, FILTER_MAX);
	add_comparison(&filter, "members.value", user_id);
	scim_url_endpoint(url, base, "Groups?");
	add_filter(url, &filter);
}

static void add_field(struct buf *body, const char *before, const char *value)
{
	buf_adds(body, before);
	json_add_string(body, value);
}

void scim_body_group(struct buf *body, const char *display_name, const char *external_id)
{
	buf_adds(body, "{\"schemas\":[\"" GROUP_URN "\"]");
	add_field(body, ",\"displayName\":", display_name);
	if (external_id[0] != '\0')
		add_field(body, ",\"externalId\":", external_id);
	buf_adds(body, "}");
}

void scim_begin_patch(struct buf *body, const struct scim_dialect *dialect)
{
	buf_addf(body, "{\"schemas\":[\"urn:ietf:params:scim:api:messages:2.0:PatchOp\"],\"%s\":[",
		 dialect->operations_key == OPERATIONS_LOWER ? "operations" : "Operations");
}

void scim_add_op(struct buf *body, const struct scim_dialect *dialect, const char *op)
{
	char first = op[0];

	if (dialect->op_case == OP_CASE_CAPITAL)
		first = (char)(first - 'a' + 'A');
	buf_addf(body, "{\"op\":\"%c%s\"", first, op + 1);
}

void scim_body_rename(struct buf *body, const struct scim_dialect *dialect, const char *display_name)
{
	scim_begin_patch(body, dialect);
	scim_add_op(body, dialect, "replace");
	add_field(body, ",\"path\":\"displayName\",\"value\":", display_name);
	buf_adds(body, "}]}");
}

/* A member of whom only the id is known is named by that. */
static const char *member_value(const struct scim_dialect *dialect, const struct scim_member *member)
{
	return dialect->member_value == MEMBER_USER_NAME && member->name[0] != '\0' ? member->name
										    : member->id;
}

static void add_member(struct buf *body, const struct scim_dialect *dialect, const struct scim_member *member)
{
	add_field(body, "{\"value\":", member_value(dialect, member));
	if (dialect->show_names && member->name[0] != '\0')
		add_field(body, ",\"display\":", member->name);
	buf_adds(body, "}");
}

static void add_list(struct buf *body, const struct scim_dialect *dialect, const struct scim_member members[],
		     size_t count)
{
	buf_adds(body, "[");
	for (size_t i = 0; i < count; i++) {
		buf_adds(body, i == 0 ? "" : ",");
		add_member(body, dialect, &members[i]);
	}
	buf_adds(body, "]");
}

static void add_addition(struct buf *body, const struct scim_dialect *dialect,
			 const struct scim_member members[], size_t count)
{
	static const char *const before[] = {
		[PATH_MEMBERS] = ",\"path\":\"members\",\"value\":",
		[PATH_NONE] = ",\"value\":{\"members\":",
		[PATH_NESTED] = ",\"path\":\"members\",\"value\":{\"members\":",
	};

	scim_add_op(body, dialect, "add");
	buf_adds(body, before[dialect->path]);
	add_list(body, dialect, members, count);
	buf_adds(body, dialect->path == PATH_MEMBERS ? "}" : "}}");
}

/* One operation for each: members[value eq "ID"]. The path is a JSON string that holds one. */
static void add_filter_removals(struct buf *body, const struct scim_dialect *dialect,
				const struct scim_member members[], size_t count)
{
	struct buf path;

	buf_init(&path, FILTER_MAX);
	for (size_t i = 0; i < count; i++) {
		buf_clear(&path);
		add_comparison(&path, "members[value", member_value(dialect, &members[i]));
		buf_adds(&path, "]");
		buf_adds(body, i == 0 ? "" : ",");
		scim_add_op(body, dialect, "remove");
		add_field(body, ",\"path\":", buf_text(&path));
		buf_adds(body, "}");
		if (buf_failed(&path))
			buf_fail(body);
	}
	buf_release(&path);
}

void scim_body_members(struct buf *body, const struct scim_dialect *dialect, bool add,
		       const struct scim_member members[], size_t count)
{
	assert(count > 0);
	scim_begin_patch(body, dialect);
	if (add) {
		add_addition(body, dialect, members, count);
	} else if (dialect->removal == REMOVE_BY_FILTER) {
		add_filter_removals(body, dialect, members, count);
	} else {
		scim_add_op(body, dialect, "remove");
		buf_adds(body, ",\"path\":\"members\",\"value\":");
		add_list(body, dialect, members, count);
		buf_adds(body, "}");
	}
	buf_adds(body, "]}");
}
