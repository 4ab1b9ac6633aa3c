/* process/snapshot.h - what a program and its descendants wait for at this moment, as /proc tells.
 *
 * For the record of a run that does not go on: state, wait channel, system call, threads, open
 * descriptors with the other end of pipes and the addresses of sockets. What the kernel does not
 * let us see is left out. Known secrets are masked, and everything is bounded. */
#ifndef PROCESS_SNAPSHOT_H
#define PROCESS_SNAPSHOT_H

#include "base/value.h"
#include "process/process.h"

#include <stddef.h>

/* A list of maps, the program first; docs/run-record.schema.json has the keys. Empty when nothing
 * is left of it, or without /proc. The caller frees it. */
struct value *process_snapshot(const struct process *process);

/* "reads from descriptor 0 (pipe from meltshim)": of the process in a snapshot that decides what
 * the program waits for, which is not a wrapper that waits for its child. Borrowed; NULL when the
 * snapshot is empty. */
const char *process_snapshot_summary(const struct value *snapshot);

#endif
