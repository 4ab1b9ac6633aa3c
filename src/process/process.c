#include "process/process.h"

#include "base/attrs.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "process/find_program.h"
#include "process/guard.h"
#include "process/oom.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* How long SIGKILL may take before we stop waiting: it does not reach a process that hangs in the
 * kernel. */
#define KILL_WAIT_MS 5000

static pid_t first_parent;
static bool follows_parent;

static struct {
    pid_t *items;
    size_t count, capacity;
} guards;

/* --- ourselves -------------------------------------------------------------------------------- */

static void open_null_at(int fd, int flags)
{
    int null_fd = open("/dev/null", flags | O_CLOEXEC);

    if (null_fd < 0)
        return;
    dup2(null_fd, fd);
    if (null_fd != fd)
        close(null_fd);
    else
        fcntl(fd, F_SETFD, 0);
}

void process_setup(void)
{
    struct sigaction action = {.sa_handler = SIG_DFL};
    sigset_t none;
    struct stat status;

    first_parent = getppid();
    for (int fd = 0; fd < 3; fd++) {
        if (fcntl(fd, F_GETFD) < 0)
            open_null_at(fd, fd == 0 ? O_RDONLY : O_WRONLY);
    }
    if (fstat(0, &status) == 0 && S_ISSOCK(status.st_mode))
        open_null_at(0, O_RDONLY);

    /* With SIGCHLD ignored the kernel would throw the ends of our children away. */
    sigaction(SIGCHLD, &action, NULL);
    /* write() then says EPIPE and EFBIG, which we can report. */
    action.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &action, NULL);
    sigaction(SIGXFSZ, &action, NULL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
}

void process_follow_parent(void)
{
    follows_parent = true;
    prctl(PR_SET_PDEATHSIG, SIGNAL_PARENT_DIED);
    if (getppid() != first_parent)
        raise(SIGNAL_PARENT_DIED);
}

int process_replace(const char *const *argv, const char *const *env, struct error *err)
{
    auto_free char *path = NULL;
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigset_t before;

    if (find_program(argv[0], env, NULL, &path, err) < 0)
        return -1;
    sigprocmask(SIG_SETMASK, NULL, &before);
    signals_restore_for_exec();
    /* It outlasts the exec, and no other program knows what ours means. */
    if (follows_parent)
        prctl(PR_SET_PDEATHSIG, SIGTERM);
    execve(path, (char *const *)argv, (char *const *)env);
    describe_exec_failure(path, env, errno, err);
    sigprocmask(SIG_SETMASK, &before, NULL);
    sigaction(SIGPIPE, &ignore, NULL);
    sigaction(SIGXFSZ, &ignore, NULL);
    return -1;
}

int process_pipe(int fds[2], struct error *err)
{
    /* Four times the usual size: fewer switches between the two sides. More gains little and would
     * use up what an unprivileged user may have in pipes (64 MiB) with a few dozen runs. */
    const int size = 256 * 1024;

    if (pipe2(fds, O_CLOEXEC) < 0)
        return error_set_errno(err, ERR_START, "cannot make a pipe");
    fcntl(fds[1], F_SETPIPE_SZ, size);
    return 0;
}

int process_set_nonblocking(int fd, bool nonblocking)
{
    int flags = fcntl(fd, F_GETFL);

    if (flags < 0)
        return -1;
    flags = nonblocking ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
    return fcntl(fd, F_SETFL, flags);
}

/* --- start ------------------------------------------------------------------------------------ */

static void remember_guard(pid_t guard)
{
    GROW(guards.items, guards.count, guards.capacity);
    guards.items[guards.count++] = guard;
}

static void forget_guard(pid_t guard)
{
    for (size_t i = 0; i < guards.count; i++) {
        if (guards.items[i] == guard)
            guards.items[i] = guards.items[--guards.count];
    }
    if (!guards.count) {
        free(guards.items);
        memset(&guards, 0, sizeof guards);
    }
}

/* True when the guard has done its work: then no descendant is left. */
static bool release_guard(struct process *process)
{
    int status = SIGKILL;

    fd_close(&process->end_fd);
    while (waitpid(process->guard, &status, 0) < 0 && errno == EINTR)
        ;
    forget_guard(process->guard);
    process->guard = -1;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static int refuse_start(const struct exec_plan *plan, const struct guard_message *message,
                        struct error *err)
{
    switch (message->step) {
    case START_EXEC:
        return describe_exec_failure(plan->path, (const char *const *)plan->env, message->value,
                                     err);
    case START_CHDIR:
        errno = message->value;
        return error_set_errno(err, ERR_START, "cannot start '%s' in directory '%s'", plan->path,
                               plan->cwd);
    default:
        errno = message->value;
        return error_set_errno(err, ERR_START, "cannot start '%s'", plan->path);
    }
}

/* Sets errno and out->end on failure. */
static int start_plan(const struct exec_plan *plan, struct process *out, struct error *err)
{
    struct guard_message message;
    ssize_t got;

    out->guard = guard_start(plan, &out->end_fd);
    if (out->guard < 0) {
        out->end.code = errno;
        return error_set_errno(err, ERR_START, "cannot start '%s'", plan->path);
    }
    remember_guard(out->guard);
    do
        got = recv(out->end_fd, &message, sizeof message, 0);
    while (got < 0 && errno == EINTR);
    if (got == sizeof message && message.kind == GUARD_STARTED) {
        out->pid = message.value;
        return 0;
    }
    if (got != sizeof message)
        message = (struct guard_message){.value = ECHILD, .step = START_SESSION};
    release_guard(out);
    out->end.code = message.value;
    return refuse_start(plan, &message, err);
}

int process_spawn(const struct spawn_spec *spec, struct process *out, struct error *err)
{
    auto_free char *path = NULL;
    struct exec_plan plan = {
        .argv = (char *const *)spec->argv,
        .env = (char *const *)spec->env,
        .cwd = spec->cwd,
        .fds = {spec->fds[0], spec->fds[1], spec->fds[2]},
        .new_group = spec->new_group,
        .keep_fd = spec->keep_fd,
    };

    *out = (struct process)PROCESS_INIT;
    out->end.kind = EXIT_NOT_STARTED;
    if (find_program(spec->argv[0], spec->env, spec->cwd, &path, err) < 0) {
        out->end.code = ENOENT;
        return -1;
    }
    plan.path = path;
    out->in_own_group = spec->new_group;
    out->oom_kills_before = oom_kill_count();
    out->started_ms = clock_monotonic_ms();
    if (start_plan(&plan, out, err) < 0)
        return -1;
    out->end.kind = EXIT_RUNNING;
    return 0;
}

/* --- end -------------------------------------------------------------------------------------- */

static void set_end(struct process *process, int status, const struct process_usage *usage,
                    int64_t ended_ms)
{
    struct process_end *end = &process->end;

    end->kind = WIFSIGNALED(status) ? EXIT_SIGNAL : EXIT_STATUS;
    end->code = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
    end->usage = *usage;
    end->wall_ms = ended_ms - process->started_ms;
    end->oom_kills = oom_kill_count() - process->oom_kills_before;
    end->out_of_memory = end->kind == EXIT_SIGNAL && end->code == SIGKILL && !process->was_killed &&
                         end->oom_kills > 0;
}

static void kill_unless_guard(void *context, pid_t child)
{
    bool *found = context;

    for (size_t i = 0; i < guards.count; i++) {
        if (guards.items[i] == child)
            return;
    }
    *found = true;
    kill(child, SIGKILL);
    waitpid(child, NULL, WNOHANG);
}

/* Ends what came to us because its guard was killed: children that are no guards. */
static void end_strays(void)
{
    const struct timespec pause = {.tv_nsec = 1000000};
    int64_t give_up_ms = clock_monotonic_ms() + KILL_WAIT_MS;
    bool found;

    do {
        found = false;
        children_visit(kill_unless_guard, &found);
        if (found)
            nanosleep(&pause, NULL);
    } while (found && clock_monotonic_ms() < give_up_ms);
}

/* The guard was killed before it told us the end. The program is our child now and got SIGKILL from
 * the kernel, unless it took on rights that we do not have (a setuid program): then the kernel has
 * forgotten what was agreed. One that hangs in the kernel is taken for ended. */
static void collect_without_guard(struct process *process)
{
    const struct timespec pause = {.tv_nsec = 1000000};
    int64_t give_up_ms = clock_monotonic_ms() + KILL_WAIT_MS;
    struct rusage rusage = {0};
    struct process_usage usage;
    int status = SIGKILL;

    if (child_exists(process->pid))
        kill(process->pid, SIGKILL);
    while (wait4(process->pid, &status, WNOHANG, &rusage) == 0 && clock_monotonic_ms() < give_up_ms)
        nanosleep(&pause, NULL);
    usage = usage_from_kernel(&rusage);
    set_end(process, status, &usage, clock_monotonic_ms());
}

/* Takes in what the guard has to say, waiting at most timeout_ms for it (< 0: no limit). */
static void hear_guard(struct process *process, int64_t timeout_ms)
{
    struct pollfd wait = {.fd = process->end_fd, .events = POLLIN};
    struct guard_message message;
    ssize_t got;

    if (poll(&wait, 1, (int)timeout_ms) <= 0)
        return;
    got = recv(process->end_fd, &message, sizeof message, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got == sizeof message) {
        set_end(process, message.value, &message.usage, message.ended_ms);
        return;
    }
    if (release_guard(process))
        return;
    if (process->end.kind == EXIT_RUNNING)
        collect_without_guard(process);
    end_strays();
}

bool process_poll(struct process *process)
{
    if (process->end_fd >= 0)
        hear_guard(process, 0);
    return process->end.kind != EXIT_RUNNING;
}

void process_wait(struct process *process)
{
    while (process->end.kind == EXIT_RUNNING)
        hear_guard(process, -1);
}

bool process_has_leftovers(const struct process *process)
{
    return process->end_fd >= 0 && process->end.kind != EXIT_RUNNING;
}

static void tell_guard(const struct process *process, unsigned char command)
{
    if (process->end_fd < 0)
        return;
    send(process->end_fd, &command, 1, MSG_NOSIGNAL);
    kill(process->guard, SIGCONT); /* if somebody has stopped it */
}

void process_signal(struct process *process, int signal_number)
{
    if (signal_number == SIGKILL && process->end.kind == EXIT_RUNNING)
        process->was_killed = true;
    tell_guard(process, (unsigned char)signal_number);
}

void process_signal_program(struct process *process, int signal_number)
{
    tell_guard(process, (unsigned char)signal_number | GUARD_PROGRAM_ONLY);
}

static void wait_until_gone(struct process *process, int64_t limit_ms)
{
    int64_t give_up_ms = clock_monotonic_ms() + limit_ms;
    int64_t left_ms = limit_ms;

    while (process->end_fd >= 0 && left_ms >= 0) {
        hear_guard(process, left_ms);
        left_ms = give_up_ms - clock_monotonic_ms();
    }
}

void process_end_group(struct process *process, int64_t grace_ms)
{
    if (process->end_fd < 0)
        return;
    process_poll(process);
    if (grace_ms > 0) {
        process_signal(process, SIGTERM);
        wait_until_gone(process, grace_ms);
    }
    if (process->end_fd < 0)
        return;
    process->was_killed |= process->end.kind == EXIT_RUNNING;
    tell_guard(process, GUARD_KILL_ALL);
    wait_until_gone(process, KILL_WAIT_MS);
    if (process->end_fd < 0)
        return;
    /* Either the guard does not obey, being stopped, or a descendant cannot die. Without the guard
     * what is left comes to us. */
    kill(process->guard, SIGKILL);
    wait_until_gone(process, KILL_WAIT_MS);
}

static const char *const signal_names[] = {
    [SIGHUP] = "SIGHUP",   [SIGINT] = "SIGINT",   [SIGQUIT] = "SIGQUIT", [SIGILL] = "SIGILL",
    [SIGTRAP] = "SIGTRAP", [SIGABRT] = "SIGABRT", [SIGBUS] = "SIGBUS",   [SIGFPE] = "SIGFPE",
    [SIGKILL] = "SIGKILL", [SIGUSR1] = "SIGUSR1", [SIGSEGV] = "SIGSEGV", [SIGUSR2] = "SIGUSR2",
    [SIGPIPE] = "SIGPIPE", [SIGALRM] = "SIGALRM", [SIGTERM] = "SIGTERM", [SIGXCPU] = "SIGXCPU",
    [SIGXFSZ] = "SIGXFSZ", [SIGSYS] = "SIGSYS",
};

static const char *signal_name(int number)
{
    const char *name =
        number > 0 && number < (int)ARRAY_LEN(signal_names) ? signal_names[number] : NULL;

    return name ? name : strsignal(number);
}

const char *process_end_describe(const struct process_end *end, char *buffer, size_t size)
{
    switch (end->kind) {
    case EXIT_RUNNING:
        snprintf(buffer, size, "running");
        break;
    case EXIT_STATUS:
        snprintf(buffer, size, "exit status %d", end->code);
        break;
    case EXIT_SIGNAL:
        snprintf(buffer, size, "signal %d (%s)%s", end->code, signal_name(end->code),
                 end->out_of_memory ? ", out of memory" : "");
        break;
    case EXIT_NOT_STARTED:
        /* Without an errno nobody has tried: something else was wrong before. */
        snprintf(buffer, size, "not started%s%s", end->code ? ": " : "",
                 end->code ? strerror(end->code) : "");
        break;
    }
    return buffer;
}

int process_end_to_status(const struct process_end *end)
{
    switch (end->kind) {
    case EXIT_SIGNAL:
        return 128 + end->code;
    case EXIT_NOT_STARTED:
        return 127;
    default:
        return end->code;
    }
}
