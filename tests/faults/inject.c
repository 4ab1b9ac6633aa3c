/* inject.c - preloaded into meltshim, it makes what is durable fail at a chosen moment.
 *
 * A durable write is a call after which something is to outlive the process: a sync, a write into
 * the database's files, a rename, a removal, a message to the database server. They are counted
 * from 1. What is to happen comes from the environment:
 *
 *   INJECT_TRACE=FILE    append a line for each durable write: its name, and the file's
 *   INJECT_AT=N          at the Nth one ...
 *   INJECT_HOW=before    ... kill the process instead
 *   INJECT_HOW=after     ... kill the process afterwards
 *   INJECT_HOW=ERRNO     ... and at all later ones fail with that number
 *   INJECT_SHADOW=DIR    keep there what each file would hold if the power failed now, that is,
 *                        what it held at its last sync
 *   INJECT_CLOCK=FILE    add the seconds that stand in the file to the time of day
 *   INJECT_PASSED=FILE   the same to all clocks, as if so much time had passed
 *
 * Only the process that is called meltshim is touched: not its guards, and not the plugins, which
 * inherit the environment. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static pid_t target;
static long count, chosen;
static const char *how, *clock_path, *passed_path, *shadow;
static int trace_fd = -1;

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

__attribute__((constructor)) static void prepare(void)
{
    const char *at = getenv("INJECT_AT"), *trace = getenv("INJECT_TRACE");

    if (strcmp(program_invocation_short_name, "meltshim"))
        return;
    target = getpid();
    chosen = at ? strtol(at, NULL, 10) : 0;
    how = getenv("INJECT_HOW");
    clock_path = getenv("INJECT_CLOCK");
    passed_path = getenv("INJECT_PASSED");
    shadow = getenv("INJECT_SHADOW");
    if (trace)
        trace_fd = open(trace, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static void die(void)
{
    kill(target, SIGKILL);
    pause();
}

static void note(const char *call, const char *file)
{
    char line[4200];
    int length = snprintf(line, sizeof line, "%s %s\n", call, file);

    if (trace_fd >= 0 && write(trace_fd, line, (size_t)length) < 0)
        abort();
}

static const char *name_of(int fd, char *buffer, size_t size)
{
    char link[64];
    ssize_t length;

    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    length = readlink(link, buffer, size - 1);
    buffer[length > 0 ? length : 0] = '\0';
    return buffer;
}

/* False: the call is to fail, with errno. */
static bool begin(const char *call, const char *file)
{
    if (getpid() != target)
        return true;
    count++;
    note(call, file);
    if (!chosen || count < chosen)
        return true;
    if (!strcmp(how, "before"))
        die();
    if (!strcmp(how, "after"))
        return true;
    errno = atoi(how);
    return false;
}

static void end(void)
{
    if (getpid() == target && count == chosen && !strcmp(how, "after"))
        die();
}

#define WRAP(type, name, parameters, arguments, file)                                              \
    type name parameters                                                                           \
    {                                                                                              \
        type result;                                                                               \
                                                                                                   \
        if (!begin(#name, file))                                                                   \
            return -1;                                                                             \
        result = NEXT(name) arguments;                                                             \
        end();                                                                                     \
        return result;                                                                             \
    }

static void copy(int fd, const char *name)
{
    char path[4200], fresh[4210], buffer[65536];
    const char *base = strrchr(name, '/');
    off_t offset = 0;
    ssize_t size;
    int out;

    /* In one step, for the process may be killed at any moment. */
    snprintf(path, sizeof path, "%s/%s", shadow, base ? base + 1 : name);
    snprintf(fresh, sizeof fresh, "%s/../fresh", shadow);
    out = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    while ((size = pread(fd, buffer, sizeof buffer, offset)) > 0) {
        if (write(out, buffer, (size_t)size) != size)
            abort();
        offset += size;
    }
    close(out);
    NEXT(rename)(fresh, path);
}

static int sync_file(const char *call, int (*sync)(int), int fd)
{
    char name[4096];
    struct stat info;
    int result;

    if (!begin(call, name_of(fd, name, sizeof name)))
        return -1;
    result = sync(fd);
    if (shadow && getpid() == target && !fstat(fd, &info) && S_ISREG(info.st_mode))
        copy(fd, name);
    end();
    return result;
}

int fsync(int fd)
{
    return sync_file("fsync", NEXT(fsync), fd);
}

int fdatasync(int fd)
{
    return sync_file("fdatasync", NEXT(fdatasync), fd);
}

WRAP(int, rename, (const char *from, const char *to), (from, to), to)
WRAP(int, unlink, (const char *path), (path), path)
WRAP(int, ftruncate64, (int fd, off64_t size), (fd, size), name_of(fd, (char[4096]){0}, 4096))
WRAP(ssize_t, pwrite64, (int fd, const void *bytes, size_t size, off64_t at), (fd, bytes, size, at),
     name_of(fd, (char[4096]){0}, 4096))
WRAP(ssize_t, send, (int fd, const void *bytes, size_t size, int flags), (fd, bytes, size, flags),
     "the server")

static time_t read_seconds(const char *path)
{
    char text[32] = "";
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;

    if (fd >= 0) {
        if (read(fd, text, sizeof text - 1) < 0)
            text[0] = '\0';
        close(fd);
    }
    return (time_t)strtol(text, NULL, 10);
}

static time_t shift(clockid_t clock)
{
    time_t passed = read_seconds(passed_path);

    return clock == CLOCK_REALTIME ? passed + read_seconds(clock_path) : passed;
}

int clock_gettime(clockid_t clock, struct timespec *out)
{
    int result = NEXT(clock_gettime)(clock, out);

    if (!result && (clock == CLOCK_REALTIME || clock == CLOCK_MONOTONIC))
        out->tv_sec += shift(clock);
    return result;
}

int gettimeofday(struct timeval *restrict out, void *restrict zone)
{
    int result = NEXT(gettimeofday)(out, zone);

    if (!result)
        out->tv_sec += shift(CLOCK_REALTIME);
    return result;
}

time_t time(time_t *out)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    if (out)
        *out = now.tv_sec;
    return now.tv_sec;
}
