#include "api/object.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "api/api.h"
#include "api/list_query.h"
#include "api/render.h"
#include "api/render_policy.h"
#include "base/json.h"

#define OBJECT_MAX (16 * 1024) /* one object; the longest texts have a kilobyte */

/* -- $expand --------------------------------------------------------------------------------------------------- */

static void add_group(struct buf *out, const struct call *call, const struct request *r)
{
	const struct config_group *group = config_group(call->config, r->group);

	buf_adds(out, ",\"group\":{");
	render_text(out, "id", r->group);
	buf_adds(out, ",");
	render_text(out, "displayName", group != NULL ? group->name : "");
	buf_adds(out, "}");
}

static void add_names(struct buf *out, const struct request *r, const struct scim_person *names)
{
	buf_adds(out, ",\"principal\":{");
	render_text(out, "id", r->principal);
	buf_adds(out, ",");
	render_text(out, "displayName", names->display_name);
	buf_adds(out, ",");
	render_text(out, "userPrincipalName", names->user_name);
	buf_adds(out, "}");
}

/* The names of somebody whom the request names: known of the caller, of people of the configuration, and of whose request
 * it is. Nothing in *names where they are not known. */
static void find_names(const struct call *call, const struct request *r, const char *id,
		       struct scim_person *names)
{
	const struct config_person *known = config_person_by_id(call->config, id);

	memset(names, 0, sizeof(*names));
	if (strcmp(id, call->caller.id) == 0) {
		*names = call->caller.names;
	} else if (known != NULL) {
		*names = known->names;
	} else if (strcmp(id, r->principal) == 0) {
		snprintf(names->user_name, sizeof(names->user_name), "%s", r->user_name);
		snprintf(names->display_name, sizeof(names->display_name), "%s", r->display_name);
	}
}

static void add_principal(struct buf *out, const struct call *call, const struct request *r)
{
	struct scim_person names;

	find_names(call, r, r->principal, &names);
	add_names(out, r, &names);
}

/* What a request has given or will give: nothing while it waits for an approver, and nothing when it was an ending. */
static void add_target(struct buf *out, const struct call *call, const struct request *r)
{
	struct about about = {call->about.kind, SHOWN_SCHEDULES, WHOSE_FILTERED};

	buf_adds(out, ",\"targetSchedule\":");
	if ((list_query_states(&about) & 1u << r->state) == 0) {
		buf_adds(out, "null");
		return;
	}
	buf_adds(out, "{");
	render_shown(out, r, &about, "");
	buf_adds(out, "}");
}

/* Which of several eligibilities let somebody activate is not kept. */
static void add_used(struct buf *out, const struct call *call, const struct request *r)
{
	(void)call;
	(void)r;
	buf_adds(out, ",\"activatedUsing\":null");
}

/* What the group asks of those who activate it; ours, as Graph's clients find that elsewhere. */
static void add_policy(struct buf *out, const struct call *call, const struct request *r)
{
	const struct config_group *group = config_group(call->config, r->group);
	struct policy_person person = caller_for_policy(&call->caller);

	if (group == NULL) {
		buf_adds(out, ",\"policy\":null");
		return;
	}
	buf_adds(out, ",\"policy\":{");
	render_policy(
		out, &group->policy,
		policy_may_break_glass(&group->policy, &person, activation_now_ms(call->api->activation)));
	buf_adds(out, "}");
}

/* Of which objects $expand has it. */
enum of { OF_ALL, OF_REQUESTS, OF_ASSIGNMENTS, OF_ELIGIBILITIES };

static const struct expansion {
	const char *name;
	enum of of;
	void (*add)(struct buf *out, const struct call *call, const struct request *r);
} expansions[] = {
	{"group", OF_ALL, add_group},
	{"principal", OF_ALL, add_principal},
	{"targetSchedule", OF_REQUESTS, add_target},
	{"activatedUsing", OF_ASSIGNMENTS, add_used},
	{"policy", OF_ELIGIBILITIES, add_policy},
};

static bool is_of(const struct about *about, enum of of)
{
	switch (of) {
	case OF_ALL:
		return true;
	case OF_REQUESTS:
		return about->shown == SHOWN_REQUESTS;
	case OF_ASSIGNMENTS:
		return about->kind == KIND_ASSIGNMENT;
	case OF_ELIGIBILITIES:
		return about->kind == KIND_ELIGIBILITY;
	}
	return false;
}

static const struct expansion *find(const struct call *call, const char *name)
{
	for (size_t i = 0; i < sizeof(expansions) / sizeof(expansions[0]); i++) {
		const struct expansion *e = &expansions[i];

		if (strcasecmp(e->name, name) == 0 && is_of(&call->about, e->of))
			return e;
	}
	return NULL;
}

enum err object_check_expand(const struct call *call, struct errctx *ec)
{
	for (size_t i = 0; i < call->query.expand.count; i++)
		if (find(call, call->query.expand.names[i]) == NULL)
			return err_set(ec, ERR_INVALID_FILTER, "$expand: there is no '%.32s' here.",
				       call->query.expand.names[i]);
	return ERR_OK;
}

/* -- the object ------------------------------------------------------------------------------------------------ */

const char *object_request_id(const char *id)
{
	static const char middle[] = "_member_";
	const char *found = strstr(id, middle);

	return found != NULL && found - id == ID_SIZE - 1 ? found + strlen(middle) : id;
}

void object_maker(const struct call *call, const struct request *request, char out[NAME_SIZE])
{
	struct scim_person names;

	find_names(call, request, request->created_by, &names);
	snprintf(out, NAME_SIZE, "%s", names.display_name);
}

static void render_object(struct buf *out, const struct call *call, const struct request *r)
{
	char maker[NAME_SIZE];

	object_maker(call, r, maker);
	render_shown(out, r, &call->about, maker);
}

/* -- $select --------------------------------------------------------------------------------------------------- */

/* The members that $select leaves. They are few: rendered whole, read, and written again. */
static void add_selected(struct buf *out, const struct call *call, const struct request *r)
{
	struct buf whole;
	cJSON *object = NULL;
	const cJSON *member;
	struct errctx ec;
	enum err err;
	bool first = true;

	buf_init(&whole, OBJECT_MAX);
	buf_adds(&whole, "{");
	render_object(&whole, call, r);
	buf_adds(&whole, "}");
	err = json_parse(buf_text(&whole), whole.len, &object, &ec);
	if (buf_failed(&whole) || err == ERR_NOMEM)
		buf_fail(out);
	cJSON_ArrayForEach(member, object) {
		if (!odata_selects(&call->query, member->string))
			continue;
		buf_addf(out, "%s\"%s\":", first ? "" : ",", member->string);
		json_add_value(out, member);
		first = false;
	}
	/* What is not there cannot be selected; the commas that follow want something before them. */
	if (first)
		render_text(out, "id", r->id);
	cJSON_Delete(object);
	buf_release(&whole);
}

void object_add(struct buf *out, const struct call *call, const struct request *request)
{
	if (call->query.select.count > 0)
		add_selected(out, call, request);
	else
		render_object(out, call, request);
	for (size_t i = 0; i < call->query.expand.count; i++) {
		const struct expansion *expansion = find(call, call->query.expand.names[i]);

		if (expansion != NULL)
			expansion->add(out, call, request);
	}
}
