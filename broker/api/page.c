/*
 * Serves the page. It may load nothing from elsewhere, run nothing but its own files, be framed by nobody, and speak to
 * nobody but this server and the configured providers.
 */
#include "api/page.h"

#include <string.h>

#include "api/api.h"
#include "api/handlers.h"

#define POLICY_MAX 20000

struct page_file {
	const char *name, *type, *text;
	const size_t *len;
};

#define PAGE_ROW(file, type, array) {file, type, array, &array##_len},
static const struct page_file files[] = {PAGE_FILES(PAGE_ROW)};
#undef PAGE_ROW

/* The issuer's scheme, host and port: the browser fetches its documents and tokens there. */
static void add_origin(struct buf *policy, const char *issuer)
{
	const char *host = strstr(issuer, "://");

	if (host != NULL)
		buf_addf(policy, " %.*s", (int)(host + 3 - issuer + (long)strcspn(host + 3, "/")), issuer);
}

/* False without memory: the page is never shown without what closes it in. */
static bool set_headers(struct call *call)
{
	const struct config *config = call->config;
	struct buf policy;
	bool ok;

	buf_init(&policy, POLICY_MAX);
	buf_adds(&policy,
		 "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; base-uri 'none'; "
		 "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; "
		 "connect-src 'self'");
	for (size_t i = 0; i < config->issuer_count; i++)
		if (config->issuers[i].client_id[0] != '\0')
			add_origin(&policy, config->issuers[i].issuer);
	ok = !buf_failed(&policy);
	exchange_set_header(call->exchange, "Content-Security-Policy", buf_text(&policy));
	exchange_set_header(call->exchange, "Referrer-Policy", "no-referrer");
	exchange_set_header(call->exchange, "Cross-Origin-Opener-Policy", "same-origin");
	buf_release(&policy);
	return ok;
}

static void serve(struct call *call, const char *name)
{
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		if (strcmp(files[i].name, name) == 0) {
			struct buf body;

			buf_init(&body, RESPONSE_MAX);
			if (!set_headers(call))
				buf_fail(&body);
			buf_add(&body, files[i].text, *files[i].len);
			call_answer(call, 200, files[i].type, &body);
			return;
		}
	call_error(call, ERR_NOT_FOUND, "There is nothing at this path.", NULL);
}

void page_get(struct call *call)
{
	serve(call, "page.html");
}

void page_file_get(struct call *call)
{
	serve(call, call->param);
}
