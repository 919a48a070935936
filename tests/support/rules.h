/* The table of states (activation/states.h), asked for one of its rules. */
#ifndef SUPPORT_RULES_H
#define SUPPORT_RULES_H

#include "activation/states.h"

/* The rule for this state and event, or NULL: the event does not happen in that state. */
const struct rule *rules_find(enum state from, enum event on);

#endif
