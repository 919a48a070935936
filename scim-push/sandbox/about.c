/* What the service says about itself, and what all resources have at their head. */
#include <stdio.h>
#include <string.h>

#include "base/iso8601.h"
#include "base/json.h"
#include "scim-push/sandbox/scim.h"

#define LIST_HEAD                                                                                            \
	"{\"totalResults\":%d,\"itemsPerPage\":%d,\"startIndex\":1,"                                         \
	"\"schemas\":[\"urn:ietf:params:scim:api:messages:2.0:ListResponse\"],\"Resources\":["

void about_config(struct scim *scim, const struct scim_request *request, struct answer *answer)
{
	const struct dialect *dialect = &scim->dialect;

	if (dialect->value[B_PROVIDER_CONFIG] != 0) {
		answer_error(answer, 404, PROBLEM_NOT_FOUND, request->now_ms);
		return;
	}
	answer->status = 200;
	buf_addf(&answer->body,
		 "{\"schemas\":[\"urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig\"],"
		 "\"documentationUri\":\"https://docs.aws.amazon.com/singlesignon/latest/userguide/"
		 "manage-your-identity-source-idp.html\","
		 "\"authenticationSchemes\":[{\"type\":\"oauthbearertoken\",\"name\":\"OAuth Bearer Token\","
		 "\"description\":\"Authentication scheme using the OAuth Bearer Token Standard\","
		 "\"specUri\":\"https://www.rfc-editor.org/info/rfc6750\",\"primary\":true}],"
		 "\"patch\":{\"supported\":true},\"bulk\":{\"supported\":false,\"maxOperations\":0,"
		 "\"maxPayloadSize\":0},\"filter\":{\"supported\":true,\"maxResults\":%d},"
		 "\"changePassword\":{\"supported\":false},\"sort\":{\"supported\":false},"
		 "\"etag\":{\"supported\":%s}}",
		 (int)dialect->value[B_MAX_RESULTS], dialect->value[B_IF_MATCH] != 0 ? "true" : "false");
}

void about_resource_types(struct scim *scim, const struct scim_request *request, struct answer *answer)
{
	(void)scim;
	(void)request;
	answer->status = 200;
	buf_addf(&answer->body, LIST_HEAD, 2, 2);
	for (int i = 0; i < 2; i++) {
		const char *name = i == 0 ? "User" : "Group";

		buf_addf(&answer->body,
			 "%s{\"schemas\":[\"urn:ietf:params:scim:schemas:core:2.0:ResourceType\"],\"id\":\"%"
			 "s\","
			 "\"name\":\"%s\",\"endpoint\":\"/%ss\",\"schema\":"
			 "\"urn:ietf:params:scim:schemas:core:2.0:%s\"}",
			 i == 0 ? "" : ",", name, name, name, name);
	}
	buf_adds(&answer->body, "]}");
}

/* Names only: no client of a sandbox reads attribute definitions. */
void about_schemas(struct scim *scim, const struct scim_request *request, struct answer *answer)
{
	static const char *const list[][2] = {
		{"urn:ietf:params:scim:schemas:core:2.0:User", "User"},
		{"urn:ietf:params:scim:schemas:core:2.0:Group", "Group"},
		{"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User", "EnterpriseUser"},
	};

	(void)scim;
	(void)request;
	answer->status = 200;
	buf_addf(&answer->body, LIST_HEAD, 3, 3);
	for (size_t i = 0; i < 3; i++)
		buf_addf(&answer->body, "%s{\"id\":\"%s\",\"name\":\"%s\"}", i == 0 ? "" : ",", list[i][0],
			 list[i][1]);
	buf_adds(&answer->body, "]}");
}

/* -- heads of resources ------------------------------------------------------------------------------------------ */

/* One path segment (RFC 3986): ids may be names. */
static void add_segment(struct buf *out, const char *text)
{
	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;
		bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
			     strchr("-._~", c) != NULL;

		buf_addf(out, plain ? "%c" : "%%%02X", c);
	}
}

/* False: this dialect has none. */
static bool add_location(const struct scim *scim, const struct scim_request *request,
			 const struct scim_head *head, struct buf *out)
{
	enum location location = (enum location)scim->dialect.value[B_LOCATION];

	if (location == LOCATION_NONE)
		return false;
	buf_addf(out, "%s/%ss/", location == LOCATION_ABSOLUTE ? request->base : "", head->type);
	if (location == LOCATION_UNDEFINED)
		buf_adds(out, "undefined");
	else
		add_segment(out, head->id);
	return true;
}

void scim_print_head(const struct scim *scim, const struct scim_request *request,
		     const struct scim_head *head, struct buf *out)
{
	char created[ISO8601_TIME_SIZE], modified[ISO8601_TIME_SIZE];
	struct buf location;

	iso8601_format_time(head->created_ms, created);
	iso8601_format_time(head->modified_ms, modified);
	buf_adds(out, "{");
	if (scim->dialect.value[B_IDS] == 0) {
		buf_adds(out, "\"id\":");
		json_add_string(out, head->id);
		buf_adds(out, ",");
	}
	buf_addf(out, "\"meta\":{\"resourceType\":\"%s\",\"created\":\"%s\",\"lastModified\":\"%s\"",
		 head->type, created, modified);
	buf_init(&location, ANSWER_MAX);
	if (add_location(scim, request, head, &location)) {
		buf_adds(out, ",\"location\":");
		json_add_string(out, buf_text(&location));
	}
	buf_release(&location);
	buf_adds(out, "},");
}

void scim_set_location(const struct scim *scim, const struct scim_request *request,
		       const struct scim_head *head, struct answer *answer)
{
	struct buf location;

	buf_init(&location, sizeof(answer->location) - 1);
	if (add_location(scim, request, head, &location) && !buf_failed(&location))
		(void)snprintf(answer->location, sizeof(answer->location), "%s", buf_text(&location));
	buf_release(&location);
}
