/* After the turmoil: everything comes to rest, and what is there then goes into the history. */
#ifndef TORTURE_CLOSING_H
#define TORTURE_CLOSING_H

#include "tests/torture/load.h"

/* Waits until the applications hold who is to be there, at most so long. What does not come is the judge's affair. */
void closing_settle(struct ground *ground, const struct load *load, int64_t timeout_ms);

/* Writes "end", and then requests, members, names, the audit and its verification. False, with the reason on standard
 * error, when something cannot be read. */
bool closing_take(struct ground *ground, struct history *history);

/* Where secrets must not be, after everything has ended. */
void closing_files(struct ground *ground, struct history *history);

#endif
