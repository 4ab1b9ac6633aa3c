/* process/process.h - starting, watching and ending child processes.
 *
 * The only module that forks and the only one that installs signal handlers. Each child has its
 * own process group and a parent-death signal; the program is a child subreaper, so that
 * grandchildren come back to it. Nothing that was started survives process_group_end(). */
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
    bool new_group;          /* its own process group, with a parent-death signal */
    int keep_fd;             /* a further descriptor to hand down as it is numbered, 0: none */
};

/* How a process ended; one function decodes wait statuses. */
enum exit_kind { EXIT_RUNNING, EXIT_STATUS, EXIT_SIGNAL, EXIT_NOT_STARTED };

struct process_end {
    enum exit_kind kind;
    int code;           /* exit status, signal number or errno */
    bool out_of_memory; /* the kernel's OOM killer, where that can be told */
    int64_t cpu_ms;     /* user and system */
    int64_t peak_kib;   /* resident */
    int64_t wall_ms;
};

struct process {
    pid_t pid;
    int pidfd; /* readable when it ended; -1 when not running */
    bool in_own_group;
    int64_t started_ms; /* clock_monotonic_ms() */
    struct process_end end;
};

#define PROCESS_INIT                                                                               \
    {                                                                                              \
        .pid = -1, .pidfd = -1                                                                     \
    }

/* Once, before anything is started: subreaper, SIGPIPE ignored, descriptor 0 moved away when it is
 * Airflow's socket. */
void process_setup(void);

/* A program that cannot be executed is an error here (ERR_START with errno), not an exit 127. */
int process_spawn(const struct spawn_spec *spec, struct process *out, struct error *err);
/* Collects the end if it has come; true when it has. */
bool process_poll(struct process *process);
/* Waits without limit. */
void process_wait(struct process *process);
/* To the whole group, if it has its own. */
void process_signal(struct process *process, int signal_number);
/* SIGTERM, then SIGKILL after grace_ms to whatever of its group is left; returns when the process
 * was waited for and its group is empty. */
void process_end_group(struct process *process, int64_t grace_ms);

/* "exit status 3", "signal 9 (SIGKILL)", "not started: No such file or directory" */
const char *process_end_describe(const struct process_end *end, char *buffer, size_t size);
/* As a shell has it: 128 + signal; EXIT_NOT_STARTED 127. */
int process_end_to_status(const struct process_end *end);

/* --- signals sent to us ------------------------------------------------------------------- */

/* Watches SIGTERM, SIGINT, SIGHUP (and SIGCHLD); returns a descriptor that becomes readable. */
int signals_watch(void);
/* The next pending one of SIGTERM, SIGINT, SIGHUP; 0 when none is. */
int signals_next(void);
void signals_unwatch(void);

/* --- small commands ----------------------------------------------------------------------- */

/* Runs a program to its end and captures its output (each limited to limit bytes, 0: no limit).
 * Either buffer may be NULL: then that stream goes to stderr. -1 only when it could not be run. */
struct strbuf;
int process_capture(const struct spawn_spec *spec, struct strbuf *out, struct strbuf *errors,
                    size_t limit, int64_t timeout_ms, struct process_end *end, struct error *err);

#endif
