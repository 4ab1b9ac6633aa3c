/* process/oom.h - how often the kernel killed for want of memory where we can see it. Private to
 * src/process. */
#ifndef PROCESS_OOM_H
#define PROCESS_OOM_H

#include <stdint.h>

/* Kills in our control group (its memory.events, or memory.oom_control of version 1), else on the
 * whole machine; 0 when neither can be read. Only differences mean something. */
uint64_t oom_kill_count(void);

#endif
