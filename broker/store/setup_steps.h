/* Inside of the start-up conversation: what setup.c (its order) and setup_marks.c (what is true of the whole store) share. */
#ifndef STORE_SETUP_STEPS_H
#define STORE_SETUP_STEPS_H

#include "store/setup.h"

#define ARGS_MAX    5
#define NUMBER_SIZE 24

/* Arguments of a command, NULL-terminated; `number` holds the text of one of them. */
struct command {
	const char *argv[ARGS_MAX + 1];
	char number[NUMBER_SIZE];
};

typedef void writer(const struct setup *setup, struct command *command);
typedef enum setup_verdict reader(struct setup *setup, const struct reply *reply);

/* With Redis' words. Always SETUP_REFUSED. */
enum setup_verdict setup_refuse(struct setup *setup, const char *what, const struct reply *reply);
bool setup_is_ok(const struct reply *reply);

/* setup_marks.c */
writer setup_write_write_store;
reader setup_read_write_store;
writer setup_write_read_store;
reader setup_read_read_store;
writer setup_write_write_schema;
reader setup_read_write_schema;
writer setup_write_read_schema;
reader setup_read_read_schema;
writer setup_write_write_lanes;
reader setup_read_write_lanes;
writer setup_write_read_lanes;
reader setup_read_read_lanes;

#endif
