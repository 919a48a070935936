/* Inside of the start-up conversation: what setup.c (its order) and setup_marks.c (what is true of the whole store) share. */
#ifndef STORE_SETUP_STEPS_H
#define STORE_SETUP_STEPS_H

#include "store/setup.h"

#define ARGS_MAX 5
#define KEY_SIZE 24

/* Arguments of a command, NULL-terminated; `key` and `value` hold the texts of some of them. */
struct command {
	const char *argv[ARGS_MAX + 1];
	char key[KEY_SIZE], value[SETUP_STORE_SIZE];
};

typedef void writer(const struct setup *setup, struct command *command);
typedef enum setup_verdict reader(struct setup *setup, const struct reply *reply);

/* With Redis' words. Always SETUP_REFUSED. */
enum setup_verdict setup_refuse(struct setup *setup, const char *what, const struct reply *reply);
bool setup_is_ok(const struct reply *reply);

/* setup_marks.c: one mark after the other */
bool setup_mark_is_written(const struct setup *setup); /* or only read */
writer setup_write_mark;
reader setup_read_written;
writer setup_ask_mark;
reader setup_read_mark;

#endif
