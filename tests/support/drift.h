/* What the tests of the drift check do with a world, and look at. */
#ifndef SUPPORT_DRIFT_H
#define SUPPORT_DRIFT_H

#include "tests/support/scene.h"

#define DRIFT_WINDOW 300 /* ms; what was confirmed less than that ago is not judged */
#define DRIFT_GROUP  "group-0"

/* A world of two brokers that compare; `scim` as in struct broker_application. */
int drift_open(void **state, const char *const *sandbox, const char *scim, const char *exclusive);

/* A cycle by the operator, from its beginning to its end. */
void drift_let_settle(void);
void drift_cycle(struct world *world);

/* The person gets it, for an hour. */
void drift_activate(const struct world *world, size_t person);
bool drift_is_member(const struct world *world, size_t person);
/* By hand. */
void drift_change(const struct world *world, size_t person, bool member);

/* How often the answer to that path has the word; how many such events the audit has. */
size_t drift_count(const struct world *world, const char *path, const char *word);
size_t drift_events(const struct world *world, const char *event);
/* How many such requests, and how many PATCHes of members, the application has seen. */
size_t drift_requests(const struct world *world, const char *method, const char *prefix);
size_t drift_changes(const struct world *world);

#endif
