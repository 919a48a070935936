/* Who the caller is, in the shape of Graph's /me, and what they may be here. */
#include "api/api.h"
#include "api/handlers.h"
#include "api/render.h"

static void add_roles(struct buf *out, const struct caller *caller)
{
	const struct {
		bool has;
		const char *name;
	} roles[] = {
		{caller_takes_part(caller), "requester"},
		{caller->is_operator, "operator"},
		{caller->is_auditor, "auditor"},
		{caller->is_timer, "timer"},
	};
	const char *comma = "";

	buf_adds(out, "\"roles\":[");
	for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++) {
		if (!roles[i].has)
			continue;
		buf_addf(out, "%s\"%s\"", comma, roles[i].name);
		comma = ",";
	}
	buf_adds(out, "]");
}

void me_get(struct call *call)
{
	const struct caller *caller = &call->caller;
	struct buf body;

	buf_init(&body, RESPONSE_MAX);
	buf_addf(&body, "{\"@odata.context\":\"%s/%s/$metadata#users/$entity\",",
		 exchange_base_url(call->exchange), call->beta ? "beta" : "v1.0");
	render_text(&body, "id", caller->id);
	buf_adds(&body, ",");
	render_text(&body, "displayName", caller->names.display_name);
	buf_adds(&body, ",");
	render_text(&body, "userPrincipalName", caller->names.user_name);
	buf_adds(&body, ",");
	render_text(&body, "givenName", caller->names.given_name);
	buf_adds(&body, ",");
	render_text(&body, "surname", caller->names.family_name);
	buf_adds(&body, ",");
	render_text(&body, "mail", caller->names.email);
	buf_adds(&body, ",");
	add_roles(&body, caller);
	buf_adds(&body, "}");
	call_answer(call, 200, NULL, &body);
}
