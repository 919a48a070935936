/*
 * What is left to who takes a broker over: a user who owns nothing, and the few system calls that a broker makes. Both are
 * for good, and for all threads. To be called once all is open that only root may open, before anybody is served.
 */
#ifndef PROCESS_CONFINE_H
#define PROCESS_CONFINE_H

#include <stdbool.h>

#include "base/err.h"

/*
 * To be called before the loop is made, which goes without io_uring then: no filter sees what is called through it, so
 * confine() cannot permit it, and libuv would not do without what it has begun with. Where the kernel has no filters,
 * nothing happens.
 */
void confine_prepare(bool all_calls);

/* Both, as the configuration says; what the kernel does not have is warned of. Core dumps, which a
 * change of user may permit again, are forbidden in between. */
enum err confine(const char *user, bool all_calls, struct errctx *ec) MUST_CHECK;

/* Becomes that user with its groups where this process is root's; "" = stays who it is. ERR_CONFIG when there is no such
 * user, this is another one than it, or the system does not let go of root. */
enum err confine_user(const char *name, struct errctx *ec) MUST_CHECK;

/* From now on other calls than a broker's are answered with ENOSYS. No program can be run, no process made or looked into,
 * no memory made executable that was written, no socket opened but of Unix, IPv4 and IPv6. ERR_UNAVAILABLE when the kernel
 * has no such filters. */
enum err confine_calls(struct errctx *ec) MUST_CHECK;

#endif
