/* What operators do to an application: pause, resume, restart, the guard's question, and its cycles. */
#include <string.h>

#include "activation/operate.h"
#include "api/api.h"
#include "api/bodies.h"
#include "api/handlers.h"
#include "api/render_application.h"
#include "base/log.h"

/* The application that the path names; NULL after having answered that there is none. */
static const struct config_application *application_of(struct call *call)
{
	const struct config_application *application = config_application(call->config, call->param);

	if (application == NULL)
		call_error(call, ERR_NOT_FOUND, "There is no such application.", NULL);
	return application;
}

static struct operate_ask ask_of(const struct call *call, const struct config_application *application)
{
	return (struct operate_ask){
		.app = application->id, .actor = buf_text(&call->actor), .who = call->caller.names.user_name};
}

/* Answers with the application's condition as it is now. */
static void on_operated(void *ctx, enum err err, const char *word)
{
	struct call *call = ctx;

	if (err != ERR_OK) {
		call_error(call, err, NULL, NULL);
		return;
	}
	log_info("operate", "app=%s path=%s result=%s", call->param, exchange_path(call->exchange), word);
	applications_get(call);
}

static void operate_call(struct call *call, enum operation operation)
{
	const struct config_application *application = application_of(call);
	struct operate_ask ask;

	if (application == NULL)
		return;
	ask = ask_of(call, application);
	operate(call->api->activation, operation, &ask, on_operated, call);
}

void applications_pause(struct call *call)
{
	struct errctx ec = {""};
	bool removals;
	size_t len;
	const char *body = exchange_body(call->exchange, &len);
	enum err err = body_read_pause(body, len, &removals, &ec);

	if (err != ERR_OK)
		call_error(call, err, ec.text, NULL);
	else
		operate_call(call, removals ? OPERATE_PAUSE_ALL : OPERATE_PAUSE);
}

void applications_resume(struct call *call)
{
	operate_call(call, OPERATE_RESUME);
}

void applications_restart(struct call *call)
{
	operate_call(call, OPERATE_RESTART);
}

/* -- the guard ---------------------------------------------------------------------------------------------- */

static void on_guard(void *ctx, enum err err, const char *word)
{
	struct call *call = ctx;

	if (err == ERR_OK && strcmp(word, "none") == 0)
		call_error(call, ERR_NOTHING_HELD, NULL, NULL);
	else
		on_operated(ctx, err, word);
}

void applications_guard(struct call *call)
{
	const struct config_application *application = application_of(call);
	struct errctx ec = {""};
	struct operate_ask ask;
	const char *body;
	size_t len;
	bool remove;
	enum err err;

	if (application == NULL)
		return;
	body = exchange_body(call->exchange, &len);
	err = body_read_guard(body, len, &remove, &ec);
	if (err != ERR_OK) {
		call_error(call, err, ec.text, NULL);
		return;
	}
	ask = ask_of(call, application);
	operate_guard(call->api->activation, remove ? GUARD_REMOVE : GUARD_KEEP, &ask, on_guard, call);
}

/* -- cycles ------------------------------------------------------------------------------------------------- */

static void on_current(void *ctx, enum err err, const struct application_status *status)
{
	struct call *call = ctx;
	struct buf body;

	if (err != ERR_OK) {
		call_error(call, err, NULL, NULL);
		return;
	}
	buf_init(&body, RESPONSE_MAX);
	buf_adds(&body, "{");
	render_cycles(&body, status);
	buf_adds(&body, "}");
	call_answer(call, exchange_method(call->exchange)[0] == 'P' ? 202 : 200, NULL, &body);
}

void cycles_current(struct call *call)
{
	const struct config_application *application = application_of(call);

	if (application != NULL)
		activation_status(call->api->activation, application->id, on_current, call);
}

static void on_begun(void *ctx, enum err err, const char *word)
{
	struct call *call = ctx;

	if (err != ERR_OK) {
		call_error(call, err, NULL, NULL);
		return;
	}
	if (strcmp(word, "paused") == 0) {
		call_error(call, ERR_PAUSED, NULL, NULL);
		return;
	}
	log_info("operate", "app=%s path=%s result=%s", call->param, exchange_path(call->exchange), word);
	cycles_current(call);
}

void cycles_begin(struct call *call)
{
	const struct config_application *application = application_of(call);
	struct operate_ask ask;

	if (application == NULL)
		return;
	ask = ask_of(call, application);
	operate_cycle(call->api->activation, &ask, on_begun, call);
}

static void on_cycles(void *ctx, enum err err, const struct cycle_record *cycles, size_t count)
{
	struct call *call = ctx;
	struct buf body;

	if (err != ERR_OK) {
		call_error(call, err, NULL, NULL);
		return;
	}
	buf_init(&body, RESPONSE_MAX);
	buf_adds(&body, "{\"value\":[");
	for (size_t i = 0; i < count; i++) {
		buf_adds(&body, i > 0 ? "," : "");
		render_cycle(&body, &cycles[i]);
	}
	buf_adds(&body, "]}");
	call_answer(call, 200, NULL, &body);
}

void cycles_list(struct call *call)
{
	const struct config_application *application = application_of(call);

	if (application != NULL)
		operate_cycles(call->api->activation, application->id, on_cycles, call);
}
