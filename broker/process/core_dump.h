/* Secrets are in this process's memory: none of it may end in a core dump. */
#ifndef PROCESS_CORE_DUMP_H
#define PROCESS_CORE_DUMP_H

/* Forbids core dumps and the reading of this process's memory by others; where that fails, the log says so. */
void core_dump_forbid(void);

#endif
