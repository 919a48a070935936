/* The applications' condition: tokens, queues, cycles. */
#include <stdlib.h>
#include <string.h>

#include "api/api.h"
#include "api/handlers.h"
#include "api/render_application.h"
#include "broker/terms.h"

#define APPLICATIONS_PAGE 200 /* one page of the list; each application is one call to the store */

/* A list that is being put together: one call after the other, in the order of the configuration. */
struct listing {
	struct call *call;
	size_t at, end;
	struct buf body;
};

static void list_next(struct listing *listing);

static void on_listed(void *ctx, enum err err, const struct application_status *status)
{
	struct listing *listing = ctx;
	const struct config_application *application = &listing->call->config->applications[listing->at];
	struct terms terms;

	if (err != ERR_OK) {
		buf_release(&listing->body);
		call_error(listing->call, err, NULL, NULL);
		free(listing);
		return;
	}
	terms_from(listing->call->config, application, &terms);
	render_application(&listing->body, &application->scim, &terms, status);
	listing->at++;
	if (listing->at < listing->end)
		buf_adds(&listing->body, ",");
	list_next(listing);
}

static void list_next(struct listing *listing)
{
	struct call *call = listing->call;

	if (listing->at < listing->end) {
		activation_status(call->api->activation, call->config->applications[listing->at].id,
				  on_listed, listing);
		return;
	}
	buf_adds(&listing->body, "]");
	if (listing->end < call->config->application_count)
		buf_addf(&listing->body, ",\"@odata.nextLink\":\"%s/api/applications?$skip=%zu\"",
			 exchange_base_url(call->exchange), listing->end);
	buf_adds(&listing->body, "}");
	call_answer(call, 200, NULL, &listing->body);
	free(listing);
}

/* How many applications an earlier page has shown; false when the text is no such number. */
static bool read_skip(const char *text, size_t *skip)
{
	size_t digits = text != NULL ? strspn(text, "0123456789") : 0;

	*skip = digits > 0 ? strtoul(text, NULL, 10) : 0;
	return text == NULL || (digits > 0 && digits < 10 && text[digits] == '\0');
}

void applications_list(struct call *call)
{
	size_t skip;
	struct listing *listing = calloc(1, sizeof(*listing));
	size_t count = call->config->application_count;

	if (listing == NULL) {
		call_error(call, ERR_NOMEM, NULL, NULL);
		return;
	}
	if (!read_skip(exchange_query(call->exchange, "$skip"), &skip)) {
		free(listing);
		call_error(call, ERR_INVALID_FILTER, "$skip is a number, as @odata.nextLink gives it.", NULL);
		return;
	}
	listing->call = call;
	listing->at = skip;
	if (listing->at > count)
		listing->at = count;
	listing->end = count - listing->at > APPLICATIONS_PAGE ? listing->at + APPLICATIONS_PAGE : count;
	buf_init(&listing->body, RESPONSE_MAX);
	buf_adds(&listing->body, "{\"value\":[");
	list_next(listing);
}

static void on_status(void *ctx, enum err err, const struct application_status *status)
{
	struct call *call = ctx;
	const struct config_application *application = config_application(call->config, call->param);
	struct terms terms;
	struct buf body;

	if (err != ERR_OK || application == NULL) {
		call_error(call, err == ERR_OK ? ERR_NOT_FOUND : err, NULL, NULL);
		return;
	}
	terms_from(call->config, application, &terms);
	buf_init(&body, RESPONSE_MAX);
	render_application(&body, &application->scim, &terms, status);
	call_answer(call, 200, NULL, &body);
}

void applications_get(struct call *call)
{
	const struct config_application *application = config_application(call->config, call->param);

	if (application == NULL)
		call_error(call, ERR_NOT_FOUND, "There is no such application.", NULL);
	else
		activation_status(call->api->activation, application->id, on_status, call);
}
