#include "provision/cycle_steps.h"

#include <stdio.h>
#include <string.h>

#include "provision/drift.h"
#include "provision/users.h"

/* In their order. */
static const struct step {
	const char *name; /* letters only */
	/* How much work it has in this application; 0 = it is left out. */
	int64_t (*work)(const struct config *config, const struct config_application *application);
	/* As cycle_steps_take(). */
	void (*take)(const struct step_tools *tools, struct piece *piece);
} steps[] = {
	{"leavers", users_leavers_work, users_take_step},
	{"attributes", users_attributes_work, users_take_step},
	{"drift", drift_work, drift_take},
};

#define STEPS (sizeof(steps) / sizeof(steps[0]))

void cycle_steps_print(const struct config *config, const char *application, char out[STEPS_SIZE])
{
	const struct config_application *of = config_application(config, application);
	size_t len = 0;

	out[0] = '\0';
	for (size_t i = 0; of != NULL && i < STEPS; i++) {
		int64_t work = steps[i].work(config, of);

		if (work > 0)
			len += (size_t)snprintf(out + len, STEPS_SIZE - len, "%s%s:%lld", len > 0 ? " " : "",
						steps[i].name, (long long)work);
	}
}

void cycle_steps_take(const struct step_tools *tools, struct piece *piece)
{
	for (size_t i = 0; i < STEPS; i++) {
		if (strcmp(steps[i].name, piece->step) == 0) {
			steps[i].take(tools, piece);
			return;
		}
	}
	/* A newer broker's, which it left behind. */
	piece->is_last = true;
	piece_end(piece);
}
