/* URLs and bodies that are sent. */
#include "scim-push/scim.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "scim-push/push.h"

#define FILTER_MAX 2048
#define USER_URN   "urn:ietf:params:scim:schemas:core:2.0:User"
#define PATCH_URN  "urn:ietf:params:scim:api:messages:2.0:PatchOp"

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
	buf_adds(url, "?filter=");
	add_encoded(url, buf_text(filter));
	if (buf_failed(filter))
		url->failed = true;
	buf_release(filter);
}

static void find_url(struct buf *url, const char *endpoint, const char *attribute, const char *value)
{
	struct buf filter;

	buf_init(&filter, FILTER_MAX);
	add_comparison(&filter, attribute, value);
	buf_adds(url, endpoint);
	add_filter(url, &filter);
}

void scim_url_find_group(struct buf *url, const char *base, const char *display_name)
{
	buf_adds(url, base);
	find_url(url, "/Groups", "displayName", display_name);
}

void scim_url_find_user(struct buf *url, const char *base, const char *user_name)
{
	buf_adds(url, base);
	find_url(url, "/Users", "userName", user_name);
}

void scim_url_users(struct buf *url, const char *base)
{
	buf_adds(url, base);
	buf_adds(url, "/Users");
}

void scim_url_group(struct buf *url, const char *base, const char *group_id)
{
	buf_adds(url, base);
	buf_adds(url, "/Groups/");
	add_encoded(url, group_id);
}

void scim_url_confirm(struct buf *url, const char *base, const char *group_id, const char *user_id)
{
	struct buf filter;

	buf_init(&filter, FILTER_MAX);
	add_comparison(&filter, "id", group_id);
	buf_adds(&filter, " and ");
	add_comparison(&filter, "members", user_id);
	buf_adds(url, base);
	buf_adds(url, "/Groups");
	add_filter(url, &filter);
}

static void add_field(struct buf *body, const char *before, const char *value)
{
	buf_adds(body, before);
	json_add_string(body, value);
}

void scim_body_user(struct buf *body, const struct scim_person *person)
{
	buf_adds(body, "{\"schemas\":[\"" USER_URN "\"]");
	add_field(body, ",\"userName\":", person->user_name);
	add_field(body, ",\"name\":{\"givenName\":", person->given_name);
	add_field(body, ",\"familyName\":", person->family_name);
	add_field(body, "},\"displayName\":", person->display_name);
	buf_adds(body, ",\"active\":true");
	if (person->email[0] != '\0') {
		add_field(body, ",\"emails\":[{\"value\":", person->email);
		buf_adds(body, ",\"type\":\"work\",\"primary\":true}]");
	}
	buf_adds(body, "}");
}

void scim_body_members(struct buf *body, bool add, const char *const ids[], size_t count)
{
	assert(count > 0);
	buf_addf(body,
		 "{\"schemas\":[\"" PATCH_URN
		 "\"],\"Operations\":[{\"op\":\"%s\",\"path\":\"members\",\"value\":[",
		 add ? "add" : "remove");
	for (size_t i = 0; i < count; i++)
		add_field(body, i == 0 ? "{\"value\":" : "},{\"value\":", ids[i]);
	buf_adds(body, "}]}]}");
}

const char *scim_person_flaw(const struct scim_person *person)
{
	/* AWS refuses these in names; the Identity Store's own documentation lists the first five. */
	static const char refused[] = "<>;:%\t\n\r";

	if (person->user_name[0] == '\0')
		return "the person has no user name";
	if (person->display_name[0] == '\0')
		return "the person has no display name, which the application requires of a new user";
	if (person->given_name[0] == '\0')
		return "the person has no given name, which the application requires of a new user";
	if (person->family_name[0] == '\0')
		return "the person has no family name, which the application requires of a new user";
	if (strpbrk(person->user_name, refused) != NULL)
		return "the user name holds one of the characters < > ; : % tab or line end, which the "
		       "application "
		       "refuses";
	if (strpbrk(person->display_name, refused) != NULL)
		return "the display name holds one of the characters < > ; : % tab or line end, which the "
		       "application refuses";
	return NULL;
}
