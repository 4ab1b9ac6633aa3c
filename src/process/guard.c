#include "process/guard.h"

#include "base/attrs.h"
#include "base/clock.h"
#include "process/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Everything below guard_start() runs in a fork of a program that may have threads: no allocation,
 * no stdio, no locks. */

#define GUARD_NAME "plugin-guard"

/* Where the guard keeps its only two descriptors. */
#define GUARD_SOCKET_FD 0
#define GUARD_CHILD_FD  1

static char *arguments_start, *arguments_end;

/* glibc and musl hand main()'s arguments to constructors, too. */
__attribute__((constructor)) static void remember_arguments(int argc, char **argv)
{
    if (argc < 1)
        return;
    arguments_start = argv[0];
    arguments_end = argv[argc - 1] + strlen(argv[argc - 1]);
}

/* What ps, pgrep and pkill see. The memory is the fork's own copy. */
static void take_guard_name(void)
{
    size_t room = (size_t)(arguments_end - arguments_start);
    size_t length = strlen(GUARD_NAME);

    prctl(PR_SET_NAME, GUARD_NAME);
    if (!arguments_start)
        return;
    memset(arguments_start, 0, room);
    memcpy(arguments_start, GUARD_NAME, length < room ? length : room);
}

void signals_restore_for_exec(void)
{
    sigset_t none;

    for (int number = 1; number < NSIG; number++) {
        struct sigaction action;

        if (sigaction(number, NULL, &action) < 0)
            continue;
        if (action.sa_handler == SIG_IGN &&
            (number == SIGHUP || number == SIGINT || number == SIGQUIT))
            continue;
        action.sa_handler = SIG_DFL;
        action.sa_flags = 0;
        sigaction(number, &action, NULL);
    }
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Applies the call to all descriptors from first on. Kernels before 5.9 (5.11 for the flag) do
 * not have it: then as many as a program usually has. */
static void close_range_from(unsigned first, unsigned flags)
{
    const unsigned usual_limit = 1024;

#ifdef SYS_close_range
    if (syscall(SYS_close_range, first, ~0u, flags) == 0)
        return;
#endif
    for (unsigned fd = first; fd < usual_limit; fd++) {
        if (flags)
            fcntl((int)fd, F_SETFD, FD_CLOEXEC);
        else
            close((int)fd);
    }
}

#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC (1U << 2)
#endif

/* --- in the child that becomes the program ---------------------------------------------------- */

/* Puts the descriptors in place. One that must go to 2 may be numbered 0: those below 3 are first
 * moved out of the way. */
static int place_descriptors(const struct exec_plan *plan)
{
    int sources[3];

    for (int i = 0; i < 3; i++) {
        sources[i] = plan->fds[i];
        if (sources[i] == SPAWN_INHERIT)
            sources[i] = i;
        else if (sources[i] == SPAWN_NULL)
            sources[i] = open("/dev/null", O_RDWR | O_CLOEXEC);
        if (sources[i] >= 0 && sources[i] < 3 && sources[i] != i)
            sources[i] = fcntl(sources[i], F_DUPFD_CLOEXEC, 3);
        if (sources[i] < 0)
            return -1;
    }
    for (int i = 0; i < 3; i++) {
        /* dup2() to itself would leave the close-on-exec flag. */
        if (sources[i] == i ? fcntl(i, F_SETFD, 0) < 0 : dup2(sources[i], i) < 0)
            return -1;
    }
    close_range_from(3, CLOSE_RANGE_CLOEXEC);
    if (plan->keep_fd > 2 && fcntl(plan->keep_fd, F_SETFD, 0) < 0)
        return -1;
    return 0;
}

static ATTR_NORETURN void fail_start(int failure_fd, enum start_step step)
{
    const struct guard_message message = {
        .kind = GUARD_NOT_STARTED,
        .value = errno,
        .step = step,
    };
    ssize_t written = write(failure_fd, &message, sizeof message);

    (void)written; /* the guard is gone, and so are we */
    _exit(127);
}

static ATTR_NORETURN void become_program(const struct exec_plan *plan, pid_t guard, int failure_fd)
{
    /* The signal is only sent to those who asked before the parent died. */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
        fail_start(failure_fd, START_SESSION);
    if (getppid() != guard)
        _exit(127);
    if (plan->new_group && setpgid(0, 0) < 0)
        fail_start(failure_fd, START_SESSION);
    if (failure_fd < 3)
        failure_fd = fcntl(failure_fd, F_DUPFD_CLOEXEC, 3);
    if (place_descriptors(plan) < 0)
        fail_start(failure_fd, START_DESCRIPTORS);
    if (plan->cwd && chdir(plan->cwd) < 0)
        fail_start(failure_fd, START_CHDIR);
    signals_restore_for_exec();
    execve(plan->path, plan->argv, plan->env);
    fail_start(failure_fd, START_EXEC);
}

/* --- in the guard ----------------------------------------------------------------------------- */

struct guard {
    pid_t program;
    bool has_group;
    bool has_ended; /* and was reaped */
    bool is_killing;
    bool is_alone; /* nobody holds the other end of the socket */
};

struct process_usage usage_from_kernel(const struct rusage *usage)
{
    return (struct process_usage){
        .cpu_ms = (usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) * INT64_C(1000) +
                  (usage->ru_utime.tv_usec + usage->ru_stime.tv_usec) / 1000,
        .peak_kib = usage->ru_maxrss,
        .voluntary_switches = usage->ru_nvcsw,
        .involuntary_switches = usage->ru_nivcsw,
        .major_faults = usage->ru_majflt,
    };
}

bool child_exists(pid_t pid)
{
    siginfo_t ignored;

    return waitid(P_PID, (id_t)pid, &ignored, WEXITED | WNOHANG | WNOWAIT) == 0;
}

static bool children_probe_range(pid_t first, pid_t end, void (*visit)(void *context, pid_t child),
                                 void *context)
{
    bool found = false;

    for (pid_t pid = first; pid < end; pid++) {
        if (!child_exists(pid))
            continue;
        found = true;
        visit(context, pid);
    }
    return found;
}

/* Without /proc the kernel can only be asked about each number. Who was started after us has one
 * between ours and that of a process that is made now, unless the numbers began again meanwhile;
 * asking about all of them, up to the kernel's PID_MAX_LIMIT, takes seconds. */
static void children_probe(void (*visit)(void *context, pid_t child), void *context)
{
    const pid_t limit = 4 * 1024 * 1024;
    pid_t newest = fork();

    if (newest == 0)
        _exit(0);
    if (newest > 0)
        waitpid(newest, NULL, 0);
    if (!children_probe_range(getpid() + 1, newest, visit, context))
        children_probe_range(1, limit, visit, context);
}

void children_visit(void (*visit)(void *context, pid_t child), void *context)
{
    char buffer[4096];
    pid_t child = 0;
    ssize_t got;
    int fd = open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);

    if (fd < 0) {
        children_probe(visit, context);
        return;
    }
    while ((got = read(fd, buffer, sizeof buffer)) > 0) {
        for (ssize_t i = 0; i < got; i++) {
            if (buffer[i] >= '0' && buffer[i] <= '9') {
                child = child * 10 + (buffer[i] - '0');
            } else if (child) {
                visit(context, child);
                child = 0;
            }
        }
    }
    close(fd);
}

/* A process that was stopped keeps its signals until it goes on. */
static void signal_child(void *context, pid_t child)
{
    kill(child, *(const int *)context);
    kill(child, SIGCONT);
}

/* To the program's group while there is a program, whose pid cannot be anybody else's before we
 * have reaped it; then to the descendants that came to us. */
static void pass_on_signal(const struct guard *guard, int number, bool program_only)
{
    if (!guard->has_ended)
        signal_child(&number, guard->has_group && !program_only ? -guard->program : guard->program);
    else if (!program_only)
        children_visit(signal_child, &number);
}

/* One generation: the children of those who die come to us and are next. */
static void kill_generation(const struct guard *guard)
{
    int number = SIGKILL;

    if (!guard->has_ended)
        pass_on_signal(guard, number, false);
    children_visit(signal_child, &number);
}

static void report_end(int status, const struct rusage *usage)
{
    const struct guard_message message = {
        .kind = GUARD_ENDED,
        .value = status,
        .usage = usage_from_kernel(usage),
        .ended_ms = clock_monotonic_ms(),
    };

    send(GUARD_SOCKET_FD, &message, sizeof message, MSG_NOSIGNAL);
}

/* True when no descendant is left. */
static bool reap_children(struct guard *guard)
{
    struct rusage usage;
    int status;
    pid_t pid;

    while ((pid = wait4(-1, &status, WNOHANG, &usage)) > 0) {
        if (pid != guard->program)
            continue;
        guard->has_ended = true;
        report_end(status, &usage);
    }
    return pid < 0 && errno == ECHILD;
}

static void obey(struct guard *guard)
{
    unsigned char command;
    ssize_t got = recv(GUARD_SOCKET_FD, &command, 1, MSG_DONTWAIT);

    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0)
        guard->is_alone = true;
    if (got <= 0 || command == GUARD_KILL_ALL)
        guard->is_killing = true;
    else
        pass_on_signal(guard, command & ~GUARD_PROGRAM_ONLY, command & GUARD_PROGRAM_ONLY);
}

static ATTR_NORETURN void watch_program(struct guard *guard)
{
    const int retry_ms = 10; /* a child that forks while we look at the list is found next time */
    struct signalfd_siginfo ignored[8];
    sigset_t child_ended;
    int signal_fd;

    sigemptyset(&child_ended);
    sigaddset(&child_ended, SIGCHLD);
    signal_fd = signalfd(-1, &child_ended, SFD_NONBLOCK | SFD_CLOEXEC);
    while (!reap_children(guard)) {
        struct pollfd waits[2] = {
            {.fd = guard->is_alone ? -1 : GUARD_SOCKET_FD, .events = POLLIN},
            {.fd = signal_fd, .events = POLLIN},
        };

        if (guard->is_killing)
            kill_generation(guard);
        if (poll(waits, ARRAY_LEN(waits), guard->is_killing || signal_fd < 0 ? retry_ms : -1) <= 0)
            continue;
        if (waits[0].revents)
            obey(guard);
        while (waits[1].revents && read(signal_fd, ignored, sizeof ignored) > 0)
            ;
    }
    _exit(0);
}

/* Tells the program's parent whether the program runs; ends the guard if not. */
static void report_start(const struct guard *guard)
{
    struct guard_message message;
    ssize_t got;

    do
        got = read(GUARD_CHILD_FD, &message, sizeof message);
    while (got < 0 && errno == EINTR);
    close(GUARD_CHILD_FD);
    if (got != sizeof message)
        message = (struct guard_message){.kind = GUARD_STARTED, .value = guard->program};
    send(GUARD_SOCKET_FD, &message, sizeof message, MSG_NOSIGNAL);
    if (message.kind == GUARD_NOT_STARTED)
        _exit(0);
}

static ATTR_NORETURN void run_guard(const struct exec_plan *plan, int socket_fd)
{
    struct guard guard = {.has_group = plan->new_group};
    pid_t self = getpid();
    int failure[2], failure_copy, socket_copy;

    if (plan->new_group && setsid() < 0)
        fail_start(socket_fd, START_SESSION);
    if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0 || pipe2(failure, O_CLOEXEC) < 0)
        fail_start(socket_fd, START_SESSION);
    guard.program = fork();
    if (guard.program < 0)
        fail_start(socket_fd, START_FORK);
    if (guard.program == 0)
        become_program(plan, self, failure[1]);

    /* The reader of a pipe waits until we have closed our copy of the other end; a file system
     * cannot be unmounted while it is somebody's working directory. */
    failure_copy = fcntl(failure[0], F_DUPFD_CLOEXEC, 3);
    socket_copy = fcntl(socket_fd, F_DUPFD_CLOEXEC, 3);
    if (failure_copy < 0 || socket_copy < 0 || dup2(failure_copy, GUARD_CHILD_FD) < 0)
        fail_start(socket_fd, START_DESCRIPTORS);
    if (dup2(socket_copy, GUARD_SOCKET_FD) < 0)
        _exit(1);
    close_range_from(2, 0);
    take_guard_name(); /* after the fork: the program's argv may be part of ours */
    if (chdir("/") < 0 || (!plan->new_group && setpgid(0, 0) < 0))
        _exit(1);
    report_start(&guard);
    watch_program(&guard);
}

pid_t guard_start(const struct exec_plan *plan, int *socket_fd)
{
    sigset_t all, before;
    int sockets[2], saved_errno;
    pid_t pid;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) < 0)
        return -1;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    pid = fork();
    saved_errno = errno;
    if (pid == 0)
        run_guard(plan, sockets[1]);
    sigprocmask(SIG_SETMASK, &before, NULL);
    close(sockets[1]);
    if (pid < 0)
        close(sockets[0]);
    else
        *socket_fd = sockets[0];
    errno = saved_errno;
    return pid;
}
