/* process/guard.h - the process between us and a program we start; see process.h for why.
 * Private to src/process. */
#ifndef PROCESS_GUARD_H
#define PROCESS_GUARD_H

#include "process/process.h"

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

/* What the kernel sends us when our parent dies; one of its own, for it is no order from anybody.
 */
#define SIGNAL_PARENT_DIED SIGUSR1

/* Everything the child needs after the fork, when nothing may be allocated or looked up. */
struct exec_plan {
    const char *path;
    char *const *argv;
    char *const *env;
    const char *cwd; /* or NULL */
    int fds[3];      /* as in struct spawn_spec */
    bool new_group;
    int keep_fd;
};

/* What was being done when a program could not be started. */
enum start_step { START_FORK, START_SESSION, START_DESCRIPTORS, START_CHDIR, START_EXEC };

/* What a guard tells us, one packet each: first GUARD_STARTED or GUARD_NOT_STARTED, later
 * GUARD_ENDED. The end of file follows when no descendant is left. */
struct guard_message {
    enum { GUARD_STARTED, GUARD_NOT_STARTED, GUARD_ENDED } kind;
    int value;            /* pid, errno or wait status */
    enum start_step step; /* with GUARD_NOT_STARTED */
    struct process_usage usage;
    int64_t ended_ms; /* clock_monotonic_ms() */
};

/* What we tell a guard, one byte each: a signal to pass on, perhaps with this flag, or
 * GUARD_KILL_ALL. */
#define GUARD_PROGRAM_ONLY 0x80u /* not to the rest of its group */
#define GUARD_KILL_ALL     0

/* Forks a guard and has it start the program. *socket_fd is our end of the socket. Returns the
 * guard's pid, -1 with errno. */
pid_t guard_start(const struct exec_plan *plan, int *socket_fd);

/* Calls visit for every child of this thread, zombies included. Allocates nothing. */
void children_visit(void (*visit)(void *context, pid_t child), void *context);

/* Whether it is our child that was not waited for: then the number cannot be another's. */
bool child_exists(pid_t pid);

struct process_usage usage_from_kernel(const struct rusage *usage);

/* The state in which a program expects its signals: nothing blocked, nothing ignored but what
 * nohup or a shell without job control had ignored for it. */
void signals_restore_for_exec(void);

#endif
