/*
 * A private scim-sandbox: the application of a test. Its log is the measure of what an application really saw.
 * Functions that fail say why on standard error and return false or NULL.
 */
#ifndef SUPPORT_SANDBOX_PROC_H
#define SUPPORT_SANDBOX_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "tests/support/http.h"
#include "tests/support/proc.h"

#define SANDBOX_TOKEN "sandbox-token" /* what the sandbox and the brokers of a test agree on */

struct sandbox {
	struct proc proc;
	char url[128];                      /* "http://127.0.0.1:PORT/scim/v2" */
	char root[128];                     /* "http://127.0.0.1:PORT" */
	char requests_path[PROC_PATH_SIZE]; /* JSON lines, one a request */
};

/* Starts one with its files in `dir`, named after `name`. `more` are further arguments, NULL-terminated, or NULL. */
bool sandbox_start(struct sandbox *sandbox, const char *dir, const char *name, const char *const *more);

/* Ends it by SIGTERM. False when it did not exit with 0 (a sanitizer's report, for one). */
bool sandbox_stop(struct sandbox *sandbox);

/* Calls SCIM with the right token: `path` begins with "/Users" or "/Groups". Release the response. */
void sandbox_scim(const struct sandbox *sandbox, const char *method, const char *path, const char *body,
		  struct http_response *response);

/* Calls the control endpoints: "/sandbox/faults" (POST, GET, DELETE), "/sandbox/state" … Release the response. */
void sandbox_control(const struct sandbox *sandbox, const char *method, const char *path, const char *body,
		     struct http_response *response);

/* Adds one rule of scim-push/sandbox/fault.h: "PATCH /Groups once -> status 503 retry-after 2". */
bool sandbox_add_fault(const struct sandbox *sandbox, const char *rule);
bool sandbox_clear_faults(const struct sandbox *sandbox);
bool sandbox_release_hung(const struct sandbox *sandbox); /* lets go of what `hang` holds */
int sandbox_hung(const struct sandbox *sandbox);          /* how many it holds; -1 when it does not answer */

/* {"groups":{"NAME":["userName", …]},"users":["userName", …]}; owned by the caller; NULL on failure. */
cJSON *sandbox_state(const struct sandbox *sandbox);

/* Made by hand, without a SCIM request. It is no failure when they exist. */
bool sandbox_make_group(const struct sandbox *sandbox, const char *display_name);
bool sandbox_make_user(const struct sandbox *sandbox, const char *user_name);

/* An administrator of the application makes the user a member, or none any more, without a SCIM request. */
bool sandbox_change_by_hand(const struct sandbox *sandbox, const char *group_name, const char *user_name,
			    bool member);

/* Is the user a member of the group now? Asked behind SCIM's back: neither logged nor subject to faults. */
bool sandbox_is_member(const struct sandbox *sandbox, const char *group_name, const char *user_name);
/* Waits until the membership is as wanted. */
bool sandbox_wait_member(const struct sandbox *sandbox, const char *group_name, const char *user_name,
			 bool wanted, int64_t timeout_ms);

#endif
