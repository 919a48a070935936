/* What approvers have decided on a request so far, as the store keeps it (activation/approval.lua). */
#ifndef API_DECISIONS_H
#define API_DECISIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "activation/request.h"

/* All of them in *out, or NULL: none; to be deleted. False without memory: *out is NULL, and says nothing. */
bool decisions_read(const struct request *request, cJSON **out);

/* The last one on that stage, or NULL. */
const cJSON *decisions_last(const cJSON *decisions, unsigned stage);

/* When it was made, Unix ms, and one of its texts; 0 and "" when there is none. */
int64_t decisions_time_ms(const cJSON *decision);
const char *decisions_text(const cJSON *decision, const char *name);

#define DECISIONS_OUTCOME_SIZE (TEXT_SIZE + 128)

/* Who decided it and how, or what else became of it, and when: one sentence. */
void decisions_print_outcome(const struct request *request, char *out, size_t size);

#endif
