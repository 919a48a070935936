/* For the judge's readers only: lines of JSON, and the applications' logs. */
#ifndef TORTURE_JUDGE_LOG_H
#define TORTURE_JUDGE_LOG_H

#include "tests/torture/judge.h"

/* -1 when it is no number */
int64_t judge_number(const cJSON *line, const char *name);
/* "" when it is no text */
void judge_text(const cJSON *line, const char *name, char *out, size_t size);
/* Gives each line of the file to `take` until that says no. */
bool judge_lines(const char *path, bool (*take)(struct judge *judge, const char *text), struct judge *judge);

/* After the history, which has the names of the logs and of all ids. */
bool judge_read_logs(struct judge *judge);
void judge_release_log(struct judge_app *app);

#endif
