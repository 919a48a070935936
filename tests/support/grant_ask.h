/* What people and administrators ask for in the walk of tests/unit/test_grants.c, of the library and of the oracle. */
#ifndef TESTS_SUPPORT_GRANT_ASK_H
#define TESTS_SUPPORT_GRANT_ASK_H

#include "tests/support/grant_world.h"

/* Somebody activates or extends, through policy, or an administrator assigns, extends or updates. */
void grants_submit(struct grants *g);

/* Administrators make eligible, for longer, for another time, or not any more. */
void grants_give_word(struct grants *g);

#endif
