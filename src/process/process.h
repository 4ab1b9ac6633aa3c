/* process/process.h - starting, watching and ending child processes.
 *
 * The only module that forks and the only one that deals with signals. What keeps the promise
 * that nothing survives:
 *
 *   meltshim --- guard --- plugin --- whatever the plugin starts
 *
 * Every program runs under a guard of its own: a fork of ours that executes nothing, has its own
 * session, blocks all signals and is the child subreaper of the program. A descendant of the
 * program can leave its group, make a session or fork twice: its parent then is the guard. The
 * guard holds one end of a socket whose other end is ours. When we die, however that comes about,
 * the guard reads the end of file and kills its descendants until there is none. When the guard is
 * killed, the program gets SIGKILL (parent-death signal) and what it leaves behind comes to us,
 * for we are a subreaper, too.
 *
 * The guard is also why no process is signalled by a number that may have been given to another
 * one: the guard sends the signals, and only it reaps. A guard costs a fork and an exit (measured:
 * 0.6 ms beside the 0.6 ms of a bare posix_spawn() of /bin/true) and then sleeps in poll(). It
 * calls itself "plugin-guard", so that a pkill by the program's name leaves it at work. */
#ifndef PROCESS_PROCESS_H
#define PROCESS_PROCESS_H

#include "base/error.h"
#include "base/strlist.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define SPAWN_INHERIT (-1) /* the child gets our descriptor of that number */
#define SPAWN_NULL    (-2) /* /dev/null */

struct spawn_spec {
    const char *const *argv; /* argv[0] is the path that is executed, or a name looked up in PATH
                                of env */
    const char *const *env;  /* "KEY=value", NULL-terminated */
    const char *cwd;         /* NULL: ours */
    int fds[3];              /* a descriptor, SPAWN_INHERIT or SPAWN_NULL */
    bool new_group;          /* its own process group, in a session without a terminal; else it
                                stays in our group: for programs that talk to the terminal */
    int keep_fd;             /* a further descriptor to hand down as it is numbered, 0: none;
                                beyond these four the child gets none of ours */
};

/* What a process and its children that it waited for have used. */
struct process_usage {
    int64_t cpu_ms;                                   /* user and system */
    int64_t peak_kib;                                 /* resident */
    int64_t voluntary_switches, involuntary_switches; /* it waited; its turn was over */
    int64_t major_faults;                             /* pages that had to be read in */
};

/* How a process ended; one function decodes wait statuses. */
enum exit_kind { EXIT_RUNNING, EXIT_STATUS, EXIT_SIGNAL, EXIT_NOT_STARTED };

struct process_end {
    enum exit_kind kind;
    int code;           /* exit status, signal number or errno */
    bool out_of_memory; /* the kernel's OOM killer, where that can be told */
    uint64_t oom_kills; /* what it killed around us while the process ran: perhaps its children */
    struct process_usage usage;
    int64_t wall_ms;
};

struct process {
    pid_t pid;  /* of the program; -1 when none was started */
    int end_fd; /* becomes readable when it ended, then call process_poll(); -1 when nothing is
                   left of it */
    bool in_own_group;
    int64_t started_ms; /* clock_monotonic_ms() */
    struct process_end end;
    /* private */
    pid_t guard;
    uint64_t oom_kills_before;
    bool was_killed; /* by us, with SIGKILL */
};

#define PROCESS_INIT                                                                               \
    {                                                                                              \
        .pid = -1, .end_fd = -1, .guard = -1                                                       \
    }

/* Once, before anything is started: subreaper; SIGPIPE ignored; signals unblocked and SIGCHLD at
 * its default whatever our parent left us; descriptors 0 to 2 open; descriptor 0 replaced by
 * /dev/null when it is a socket (Airflow's). */
void process_setup(void);
/* From now on the death of our parent is a SIGTERM to us; for runs under Airflow, whose task
 * runner may be killed. If it died since process_setup() the signal comes at once. A task runner
 * that tells its task to end ends soon itself: the two together are one order, for a second one
 * would mean haste. */
void process_follow_parent(void);

/* Starts a program. One that cannot be executed is an error here (ERR_START with errno), not an
 * exit 127; out->end then is EXIT_NOT_STARTED with that errno. To be called from a thread that
 * outlives the child. Everything that was started is ended with process_end_group(), also when it
 * ended by itself: only that ends what it left behind. */
int process_spawn(const struct spawn_spec *spec, struct process *out, struct error *err);
/* Collects the end if it has come; true when it has. */
bool process_poll(struct process *process);
/* Waits without limit. */
void process_wait(struct process *process);
/* To the whole group, if it has its own. Once the program has ended: to what it left behind. What
 * was stopped goes on, so that it can obey. */
void process_signal(struct process *process, int signal_number);
/* To the program alone: one that has workers in its group and ends them itself. */
void process_signal_program(struct process *process, int signal_number);
/* Whether descendants of a program that ended are still there. */
bool process_has_leftovers(const struct process *process);
/* SIGTERM (not when grace_ms is 0), then SIGKILL after grace_ms to whatever is left of the program
 * and its descendants, wherever they went; returns when all are gone. Costs nothing when they are
 * already. A process that the kernel cannot end (stuck in a dead file system) is given up after
 * three times 5 s, and taken for killed. */
void process_end_group(struct process *process, int64_t grace_ms);

/* "exit status 3", "signal 9 (SIGKILL)", "signal 9 (SIGKILL), out of memory",
 * "not started: No such file or directory", "running" */
const char *process_end_describe(const struct process_end *end, char *buffer, size_t size);
/* As a shell has it: 128 + signal; EXIT_NOT_STARTED 127. */
int process_end_to_status(const struct process_end *end);

/* Becomes the program: returns only when it could not be executed (ERR_START). */
int process_replace(const char *const *argv, const char *const *env, struct error *err);

/* A pipe between two children or a child and us: [0] reads, [1] writes, both close-on-exec, with a
 * larger buffer where the kernel grants it. -1 with ERR_START. */
int process_pipe(int fds[2], struct error *err);
int process_set_nonblocking(int fd, bool nonblocking);

/* --- signals sent to us ------------------------------------------------------------------- */

/* Watches SIGTERM, SIGINT and SIGHUP, except those our caller had ignored (nohup, a background
 * job); returns a descriptor that becomes readable. Each signals_watch() wants its
 * signals_unwatch(). */
int signals_watch(void);
/* The next pending one of them; 0 when none is. */
int signals_next(void);
/* Whether one is, without taking it. */
bool signals_are_pending(void);
/* Takes one; -1 when there was one, with ERR_TERMINATED or ERR_INTERRUPTED and what it met. */
int signals_check(const char *meanwhile, struct error *err);
void signals_unwatch(void);

/* --- small commands ----------------------------------------------------------------------- */

/* Runs a program to its end and captures its output (each limited to limit bytes, 0: no limit;
 * the rest is read and dropped). Either buffer may be NULL: then that stream goes to stderr; the
 * same buffer for both gives both in the order of the writes. After timeout_ms (0: no limit) it
 * is ended and -1 returned with ERR_TIMEOUT; else -1 only when it could not be run. */
struct strbuf;
int process_capture(const struct spawn_spec *spec, struct strbuf *out, struct strbuf *errors,
                    size_t limit, int64_t timeout_ms, struct process_end *end, struct error *err);

#endif
