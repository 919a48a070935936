/* The calls below /sandbox. */
#include "scim-push/sandbox/control.h"

#include <inttypes.h>
#include <string.h>

#include "base/json.h"
#include "scim-push/sandbox/state.h"

void control_error(struct answer *answer, int status, const char *text)
{
	answer->status = status;
	buf_clear(&answer->body);
	buf_adds(&answer->body, "{\"error\":");
	json_add_string(&answer->body, text);
	buf_adds(&answer->body, "}");
}

/* -- faults ------------------------------------------------------------------------------------------------------ */

static void faults_get(const struct control_call *call, struct answer *answer)
{
	const struct faults *faults = call->control->faults;

	answer->status = 200;
	buf_adds(&answer->body, "[");
	for (size_t i = 0; i < faults->count; i++) {
		buf_adds(&answer->body, i > 0 ? ",{\"rule\":" : "{\"rule\":");
		json_add_string(&answer->body, faults->rules[i].text);
		buf_addf(&answer->body, ",\"seen\":%ld}", faults->rules[i].seen);
	}
	buf_adds(&answer->body, "]");
}

static enum err add_rule(struct faults *faults, const cJSON *item, struct errctx *ec)
{
	const char *rule = cJSON_IsString(item) ? item->valuestring : json_string(item, "rule");

	if (rule == NULL)
		return err_set(ec, ERR_BAD_REQUEST, "a rule is {\"rule\":\"…\"}");
	return faults_add(faults, rule, ec);
}

/* One rule or an array of them; all or none. */
static void faults_post(const struct control_call *call, struct answer *answer)
{
	struct faults *faults = call->control->faults;
	size_t before = faults->count;
	struct errctx ec = {""};
	enum err err = ERR_OK;

	if (!cJSON_IsArray(call->body))
		err = add_rule(faults, call->body, &ec);
	else
		for (const cJSON *item = call->body->child; item != NULL && err == ERR_OK; item = item->next)
			err = add_rule(faults, item, &ec);
	if (err == ERR_OK) {
		faults_get(call, answer);
		return;
	}
	faults->count = before;
	control_error(answer, 400, ec.text);
}

static void faults_delete(const struct control_call *call, struct answer *answer)
{
	call->control->faults->count = 0;
	answer->status = 204;
}

/* -- behaviours and rates -------------------------------------------------------------------------------------- */

static void behaviours_get(const struct control_call *call, struct answer *answer)
{
	answer->status = 200;
	dialect_print(&call->control->scim->dialect, &answer->body);
}

/* {"dialect":NAME,"behaviours":["NAME=VALUE",…]}, both optional; all or nothing. */
static void behaviours_post(const struct control_call *call, struct answer *answer)
{
	struct scim *scim = call->control->scim;
	struct dialect dialect = scim->dialect;
	const char *name = json_string(call->body, "dialect");
	const struct dialect_row *row = name != NULL ? dialect_find(name) : NULL;
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(call->body, "behaviours");
	struct errctx ec = {""};

	if (name != NULL && row == NULL) {
		control_error(answer, 400, "no such dialect");
		return;
	}
	if (row != NULL)
		dialect = dialect_of(row);
	for (const cJSON *item = cJSON_GetArrayItem(list, 0); item != NULL; item = item->next) {
		if (dialect_set(&dialect, cJSON_IsString(item) ? item->valuestring : "", &ec) == ERR_OK)
			continue;
		control_error(answer, 400, ec.text);
		return;
	}
	scim_use(scim, &dialect);
	if (row != NULL)
		scim_use_rates(scim, row);
	behaviours_get(call, answer);
}

static void rates_get(const struct control_call *call, struct answer *answer)
{
	const struct rates *rates = &call->control->scim->rates;

	answer->status = 200;
	buf_adds(&answer->body, "[");
	for (size_t i = 0; i < rates->count; i++) {
		buf_adds(&answer->body, i > 0 ? ",{\"rate\":" : "{\"rate\":");
		json_add_string(&answer->body, rates->list[i].text);
		buf_addf(&answer->body, ",\"refused\":%" PRIu64 "}", rates->list[i].refused);
	}
	buf_adds(&answer->body, "]");
}

/* {"rate":"…"} */
static void rates_post(const struct control_call *call, struct answer *answer)
{
	const char *rate = json_string(call->body, "rate");
	struct errctx ec = {"a rate is {\"rate\":\"…\"}"};

	if (rate == NULL || rates_add(&call->control->scim->rates, rate, &ec) != ERR_OK)
		control_error(answer, 400, ec.text);
	else
		rates_get(call, answer);
}

static void rates_delete(const struct control_call *call, struct answer *answer)
{
	call->control->scim->rates.count = 0;
	answer->status = 204;
}

static const struct route {
	const char *resource;
	const char *method;
	bool with_name;
	bool with_body;
	void (*handle)(const struct control_call *call, struct answer *answer);
} routes[] = {
	{"faults", "GET", false, false, faults_get},
	{"faults", "POST", false, true, faults_post},
	{"faults", "DELETE", false, false, faults_delete},
	{"state", "GET", false, false, state_get},
	{"state", "POST", false, true, state_post},
	{"users", "DELETE", true, false, state_delete_user},
	{"groups", "DELETE", true, false, state_delete_group},
	{"behaviours", "GET", false, false, behaviours_get},
	{"behaviours", "POST", false, true, behaviours_post},
	{"rates", "GET", false, false, rates_get},
	{"rates", "POST", false, true, rates_post},
	{"rates", "DELETE", false, false, rates_delete},
};

void control_handle(const struct control *control, const struct scim_call *call, struct answer *answer)
{
	struct control_call inner = {.control = control, .now_ms = call->now_ms};
	struct errctx ec = {""};
	struct query query;
	cJSON *body = NULL;

	if (query_parse(call->target, &query, &ec) != ERR_OK) {
		control_error(answer, 400, ec.text);
		return;
	}
	inner.name = query.id;
	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		if (strcmp(routes[i].resource, query.resource) != 0 ||
		    strcmp(routes[i].method, call->method) != 0 ||
		    routes[i].with_name != (query.id[0] != '\0'))
			continue;
		if (routes[i].with_body && json_parse(call->body, call->body_len, &body, &ec) != ERR_OK) {
			control_error(answer, 400, ec.text);
			return;
		}
		inner.body = body;
		routes[i].handle(&inner, answer);
		cJSON_Delete(body);
		return;
	}
	control_error(answer, 404, "no such call");
}
