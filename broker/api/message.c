#include "api/message.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "activation/decision.h"
#include "api/api.h"

#define TEXT_MAX 1024 /* of a refusal as it is kept: "STATUS CODE\nSENTENCE" */

struct refused {
	struct call *call;
	int status; /* of a good answer */
};

/* The error of that status and code; several that are the same to callers are one. */
static enum err find_error(int status, const char *code, size_t len)
{
	for (int i = 0; i < ERR_COUNT; i++) {
		enum err err = (enum err)i;

		if (err_status(err) == status && strlen(err_code(err)) == len &&
		    strncmp(err_code(err), code, len) == 0)
			return err;
	}
	return ERR_FORBIDDEN;
}

static void answer_as_before(struct call *call, const char *text)
{
	char *code = NULL;
	int status = (int)strtol(text, &code, 10);
	size_t len = code[0] == ' ' ? strcspn(code + 1, "\n") : 0;

	if (code[0] != ' ' || code[1 + len] != '\n')
		call_error(call, ERR_FORBIDDEN, NULL, NULL);
	else
		call_error(call, find_error(status, code + 1, len), code + 1 + len + 1, NULL);
}

static void on_kept(void *ctx, enum err err, const char *text)
{
	struct refused *refused = ctx;
	struct call *call = refused->call;
	struct buf body;

	if (err != ERR_OK) {
		call_error(call, err, NULL, NULL);
	} else if (text != NULL) {
		answer_as_before(call, text);
	} else {
		buf_init(&body, 1);
		call_answer(call, refused->status, NULL, &body);
	}
	free(refused);
}

void message_refuse(struct call *call, const struct approval_message *message, enum err err, const char *why)
{
	struct refused *refused = !err_retryable(err) ? malloc(sizeof(*refused)) : NULL;
	char text[TEXT_MAX];

	if (refused == NULL) {
		call_error(call, err, why, NULL);
		return;
	}
	*refused = (struct refused){call, message->status};
	snprintf(text, sizeof(text), "%d %s\n%s", err_status(err), err_code(err),
		 why != NULL ? why : err_message(err));
	activation_refuse_message(call->api->activation,
				  &(struct refused_message){.request = message->request,
							    .id = message->id,
							    .approve = message->approve,
							    .text = text},
				  on_kept, refused);
}
