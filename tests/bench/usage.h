/* What the benchmark reads of its surroundings: what a process uses, by proc(5) (0 when it cannot be read), and settings. */
#ifndef BENCH_USAGE_H
#define BENCH_USAGE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

int64_t usage_cpu_ms(pid_t pid); /* of processor, since it began */
size_t usage_rss_kib(pid_t pid); /* resident memory */

/* The number that this environment variable holds, or the fallback. */
size_t usage_setting(const char *name, size_t fallback);

#endif
