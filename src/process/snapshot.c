#include "process/snapshot.h"

#include "base/attrs.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/path.h"
#include "base/redact.h"
#include "base/strbuf.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A snapshot is part of the run record, which has to fit an Airflow XCom. */
#define MAX_PROCESSES    8
#define MAX_THREADS      8
#define MAX_DESCRIPTORS  24
#define MAX_STACK_FRAMES 8

#define WAITS_FOR_CHILD "waits for a child process"

/* --- reading /proc ---------------------------------------------------------------------------- */

/* A small file below /proc without its last line feed; false when we may not read it. */
static bool read_proc(const char *directory, const char *name, struct strbuf *out)
{
    auto_free char *path = xasprintf("%s/%s", directory, name);
    struct error ignored = {0};
    bool found;

    strbuf_reset(out);
    if (file_read_if_exists(path, out, &found, &ignored) < 0 || !found)
        return false;
    if (strbuf_ends_with(out, "\n"))
        strbuf_truncate(out, out->length - 1);
    return out->length > 0;
}

static struct value *masked(const char *text)
{
    return value_new_string_take(redact_text(text));
}

/* Calls visit for each entry of a directory that is named by a number. */
static void visit_numbers(const char *directory, void (*visit)(void *context, int number),
                          void *context)
{
    DIR *dir = opendir(directory);
    const struct dirent *entry;

    while (dir && (entry = readdir(dir))) {
        char *end;
        long number = strtol(entry->d_name, &end, 10);

        if (end != entry->d_name && !*end && number >= 0 && number <= INT_MAX)
            visit(context, (int)number);
    }
    if (dir)
        closedir(dir);
}

/* The fields of a stat file that we use. The name before them may contain anything. */
struct task_stat {
    char state;
    int parent;
    int64_t cpu_ms;
};

static bool parse_stat(const char *text, struct task_stat *out)
{
    const char *fields = strrchr(text, ')');
    unsigned long user, system;
    long ticks = sysconf(_SC_CLK_TCK);

    if (!fields || sscanf(fields + 1, " %c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
                          &out->state, &out->parent, &user, &system) != 4)
        return false;
    out->cpu_ms = (int64_t)(user + system) * 1000 / (ticks > 0 ? ticks : 100);
    return true;
}

/* --- who belongs to the program --------------------------------------------------------------- */

struct relation {
    int pid, parent;
};

struct relations {
    struct relation *items;
    size_t count, capacity;
};

static void add_relation(void *context, int pid)
{
    struct relations *relations = context;
    char directory[64];
    auto_strbuf struct strbuf text = STRBUF_INIT;
    struct task_stat stat;

    snprintf(directory, sizeof directory, "/proc/%d", pid);
    if (!read_proc(directory, "stat", &text) || !parse_stat(strbuf_text(&text), &stat))
        return;
    GROW(relations->items, relations->count, relations->capacity);
    relations->items[relations->count++] = (struct relation){pid, stat.parent};
}

/* The descendants of a process, generation after generation. */
static size_t find_descendants(int ancestor, int *out, size_t room)
{
    struct relations relations = {0};
    size_t count = 0;

    visit_numbers("/proc", add_relation, &relations);
    for (size_t done = 0;; ancestor = out[done++]) {
        for (size_t i = 0; i < relations.count && count < room; i++)
            if (relations.items[i].parent == ancestor)
                out[count++] = relations.items[i].pid;
        if (done == count)
            break;
    }
    free(relations.items);
    return count;
}

/* --- descriptors ------------------------------------------------------------------------------ */

static const char *const tcp_states[] = {
    [1] = "established",
    [2] = "connecting",
    [3] = "being connected to",
    [4] = "closing",
    [5] = "closing",
    [6] = "closed",
    [7] = "closed",
    [8] = "closed by the peer",
    [9] = "closing",
    [10] = "listening",
    [11] = "closing",
};

/* Addresses are written as numbers of this machine's byte order, 32 bits each. */
static void add_address(struct strbuf *out, const char *hex, unsigned port)
{
    uint32_t words[4] = {0};
    size_t count = strlen(hex) / 8;
    char text[INET6_ADDRSTRLEN] = "?";

    for (size_t i = 0; i < count && i < ARRAY_LEN(words); i++) {
        char word[9] = "";

        memcpy(word, hex + i * 8, 8);
        words[i] = (uint32_t)strtoul(word, NULL, 16);
    }
    inet_ntop(count > 1 ? AF_INET6 : AF_INET, words, text, sizeof text);
    strbuf_addf(out, count > 1 ? "[%s]:%u" : "%s:%u", text, port);
}

/* Describes the socket if the table, whose lines the kernel documents in proc_net_tcp.txt, has it.
 */
static bool describe_in_table(const char *table, const char *protocol, unsigned long inode,
                              struct strbuf *out)
{
    for (const char *line = strchr(table, '\n'); line && line[1]; line = strchr(line + 1, '\n')) {
        char local[33], remote[33];
        unsigned local_port, remote_port, state, to_send, unread;
        unsigned long found;

        if (sscanf(line + 1, " %*d: %32[0-9A-F]:%x %32[0-9A-F]:%x %x %x:%x %*x:%*x %*x %*u %*u %lu",
                   local, &local_port, remote, &remote_port, &state, &to_send, &unread,
                   &found) != 8 ||
            found != inode)
            continue;
        strbuf_addf(out, "%s ", protocol);
        add_address(out, local, local_port);
        strbuf_add(out, " to ");
        add_address(out, remote, remote_port);
        if (state < ARRAY_LEN(tcp_states) && tcp_states[state])
            strbuf_addf(out, ", %s", tcp_states[state]);
        strbuf_addf(out, ", %u bytes to send, %u unread", to_send, unread);
        return true;
    }
    return false;
}

static bool describe_unix_socket(const char *table, unsigned long inode, struct strbuf *out)
{
    for (const char *line = strchr(table, '\n'); line && line[1]; line = strchr(line + 1, '\n')) {
        unsigned long found;
        int path_at = 0;

        if (sscanf(line + 1, "%*x: %*x %*x %*x %*x %*x %lu %n", &found, &path_at) != 1 ||
            found != inode)
            continue;
        strbuf_add(out, "Unix socket");
        if (path_at && line[1 + path_at] == '/') {
            const char *path = line + 1 + path_at;

            strbuf_addf(out, " %.*s", (int)strcspn(path, "\n"), path);
        }
        return true;
    }
    return false;
}

/* In the network namespace of the process. */
static void describe_socket(const char *process, unsigned long inode, struct strbuf *out)
{
    static const struct {
        const char *file, *protocol;
    } tables[] = {{"net/tcp", "TCP"}, {"net/tcp6", "TCP"}, {"net/udp", "UDP"}, {"net/udp6", "UDP"}};
    auto_strbuf struct strbuf table = STRBUF_INIT;

    for (size_t i = 0; i < ARRAY_LEN(tables); i++)
        if (read_proc(process, tables[i].file, &table) &&
            describe_in_table(strbuf_text(&table), tables[i].protocol, inode, out))
            return;
    if (!read_proc(process, "net/unix", &table) ||
        !describe_unix_socket(strbuf_text(&table), inode, out))
        strbuf_addf(out, "socket %lu", inode);
}

struct own_pipe {
    ino_t inode;
    int fd; /* of ours; -1: none */
};

static void compare_pipe(void *context, int fd)
{
    struct own_pipe *pipe = context;
    struct stat status;

    if (fstat(fd, &status) == 0 && S_ISFIFO(status.st_mode) && status.st_ino == pipe->inode)
        pipe->fd = fd;
}

static void describe_pipe(unsigned long inode, bool is_write_end, struct strbuf *out)
{
    struct own_pipe ours = {.inode = (ino_t)inode, .fd = -1};
    int unread;

    visit_numbers("/proc/self/fd", compare_pipe, &ours);
    if (ours.fd < 0) {
        strbuf_addf(out, "%s end of pipe %lu", is_write_end ? "writing" : "reading", inode);
        return;
    }
    strbuf_add(out, is_write_end ? "pipe to meltshim" : "pipe from meltshim");
    if (ioctl(ours.fd, FIONREAD, &unread) == 0)
        strbuf_addf(out, ", %d bytes unread", unread);
}

static bool is_write_end(const char *process, int fd)
{
    auto_free char *name = xasprintf("fdinfo/%d", fd);
    auto_strbuf struct strbuf text = STRBUF_INIT;
    const char *flags;

    if (!read_proc(process, name, &text))
        return false;
    flags = strstr(strbuf_text(&text), "flags:");
    return flags && (strtoul(flags + strlen("flags:"), NULL, 8) & O_ACCMODE) == O_WRONLY;
}

/* False when the process has no such descriptor, or when we may not see it. */
static bool describe_descriptor(const char *process, int fd, struct strbuf *out)
{
    auto_free char *link = xasprintf("%s/fd/%d", process, fd);
    char target[PATH_MAX];
    ssize_t length = readlink(link, target, sizeof target - 1);
    unsigned long inode;

    if (length < 0)
        return false;
    target[length] = '\0';
    if (sscanf(target, "pipe:[%lu]", &inode) == 1)
        describe_pipe(inode, is_write_end(process, fd), out);
    else if (sscanf(target, "socket:[%lu]", &inode) == 1)
        describe_socket(process, inode, out);
    else
        strbuf_add(out, target);
    return true;
}

struct descriptor_list {
    const char *process;
    struct value *list;
};

static void add_descriptor(void *context, int fd)
{
    struct descriptor_list *descriptors = context;
    auto_strbuf struct strbuf text = STRBUF_INIT;
    struct value *map;

    if (value_count(descriptors->list) == MAX_DESCRIPTORS ||
        !describe_descriptor(descriptors->process, fd, &text))
        return;
    map = value_new_map();
    value_set_int(map, "fd", fd);
    value_set_take(map, "what", masked(strbuf_text(&text)));
    value_append_take(descriptors->list, map);
}

/* --- what it waits for ------------------------------------------------------------------------ */

static const char *state_name(char state)
{
    switch (state) {
    case 'R':
        return "running";
    case 'S':
    case 'I':
        return "sleeping";
    case 'D':
        return "in the kernel";
    case 'T':
    case 't':
        return "stopped";
    case 'Z':
    case 'X':
        return "ended";
    default:
        return "unknown";
    }
}

/* The system calls that block, and whether their first argument is a descriptor. */
static const struct call {
    long number;
    const char *name;
    const char *phrase;
    bool has_descriptor;
} calls[] = {
    {SYS_read, "read", "reads from", true},
    {SYS_pread64, "pread64", "reads from", true},
    {SYS_readv, "readv", "reads from", true},
    {SYS_recvfrom, "recvfrom", "reads from", true},
    {SYS_recvmsg, "recvmsg", "reads from", true},
    {SYS_write, "write", "writes to", true},
    {SYS_pwrite64, "pwrite64", "writes to", true},
    {SYS_writev, "writev", "writes to", true},
    {SYS_sendto, "sendto", "writes to", true},
    {SYS_sendmsg, "sendmsg", "writes to", true},
    {SYS_connect, "connect", "connects with", true},
    {SYS_accept, "accept", "waits for a connection on", true},
    {SYS_accept4, "accept4", "waits for a connection on", true},
    {SYS_flock, "flock", "waits for a lock on", true},
    {SYS_fcntl, "fcntl", "waits for a lock on", true},
    {SYS_fsync, "fsync", "waits for the disk of", true},
    {SYS_fdatasync, "fdatasync", "waits for the disk of", true},
    {SYS_openat, "openat", "opens a file", false},
#ifdef SYS_open
    {SYS_open, "open", "opens a file", false},
#endif
#ifdef SYS_poll
    {SYS_poll, "poll", "waits for one of its descriptors", false},
#endif
    {SYS_ppoll, "ppoll", "waits for one of its descriptors", false},
#ifdef SYS_select
    {SYS_select, "select", "waits for one of its descriptors", false},
#endif
    {SYS_pselect6, "pselect6", "waits for one of its descriptors", false},
#ifdef SYS_epoll_wait
    {SYS_epoll_wait, "epoll_wait", "waits for one of its descriptors", false},
#endif
    {SYS_epoll_pwait, "epoll_pwait", "waits for one of its descriptors", false},
    {SYS_futex, "futex", "waits for a lock or another thread", false},
    {SYS_wait4, "wait4", WAITS_FOR_CHILD, false},
    {SYS_waitid, "waitid", WAITS_FOR_CHILD, false},
    {SYS_nanosleep, "nanosleep", "sleeps", false},
    {SYS_clock_nanosleep, "clock_nanosleep", "sleeps", false},
#ifdef SYS_pause
    {SYS_pause, "pause", "waits for a signal", false},
#endif
    {SYS_rt_sigsuspend, "rt_sigsuspend", "waits for a signal", false},
    {SYS_rt_sigtimedwait, "rt_sigtimedwait", "waits for a signal", false},
};

static const struct call *find_call(long number)
{
    for (size_t i = 0; i < ARRAY_LEN(calls); i++)
        if (calls[i].number == number)
            return &calls[i];
    return NULL;
}

/* "read(5)", "futex" or, for a call that is not in the table, its number. False when it is in none,
 * or when we may not see it. */
static bool describe_call(const char *task, const struct call **call, int *fd, struct strbuf *out)
{
    auto_strbuf struct strbuf text = STRBUF_INIT;
    unsigned long argument;
    long number;

    *call = NULL;
    if (!read_proc(task, "syscall", &text) ||
        sscanf(strbuf_text(&text), "%ld %lx", &number, &argument) != 2 || number < 0)
        return false;
    *call = find_call(number);
    *fd = (int)argument;
    if (!*call)
        strbuf_addf(out, "system call %ld", number);
    else if ((*call)->has_descriptor)
        strbuf_addf(out, "%s(%d)", (*call)->name, *fd);
    else
        strbuf_add(out, (*call)->name);
    return true;
}

/* State, wait channel and system call of a process or thread; says in words what it waits for. */
static bool add_task(struct value *map, const char *task, struct strbuf *words)
{
    auto_strbuf struct strbuf text = STRBUF_INIT;
    auto_strbuf struct strbuf call_text = STRBUF_INIT;
    struct task_stat stat;
    const struct call *call;
    int fd;
    bool has_call;

    if (!read_proc(task, "stat", &text) || !parse_stat(strbuf_text(&text), &stat))
        return false;
    value_set_string(map, "state", state_name(stat.state));
    value_set_int(map, "cpu_ms", stat.cpu_ms);
    if (!read_proc(task, "wchan", &text) || !strcmp(strbuf_text(&text), "0"))
        strbuf_reset(&text);
    value_set_string_or_null(map, "wait_channel", text.length ? strbuf_text(&text) : NULL);
    has_call = describe_call(task, &call, &fd, &call_text);
    value_set_string_or_null(map, "system_call", has_call ? strbuf_text(&call_text) : NULL);

    if (stat.state == 'R')
        strbuf_add(words, "computes");
    else if (stat.state != 'S' && stat.state != 'D' && stat.state != 'I')
        strbuf_addf(words, "is %s", state_name(stat.state));
    else if (call && call->has_descriptor) {
        strbuf_addf(words, "%s descriptor %d (", call->phrase, fd);
        if (!describe_descriptor(task, fd, words))
            strbuf_add(words, "not open");
        strbuf_add_char(words, ')');
    } else if (call)
        strbuf_add(words, call->phrase);
    else if (has_call)
        strbuf_addf(words, "waits in %s", strbuf_text(&call_text));
    else if (text.length)
        strbuf_addf(words, "waits in the kernel's %s", strbuf_text(&text));
    else
        strbuf_add(words, "waits");
    return true;
}

struct thread_list {
    const char *process;
    int pid;
    struct value *list;
};

static void add_thread(void *context, int tid)
{
    struct thread_list *threads = context;
    auto_free char *task = xasprintf("%s/task/%d", threads->process, tid);
    auto_strbuf struct strbuf text = STRBUF_INIT;
    auto_strbuf struct strbuf words = STRBUF_INIT;
    auto_value struct value *map = value_new_map();

    if (tid == threads->pid || value_count(threads->list) == MAX_THREADS)
        return;
    value_set_int(map, "tid", tid);
    value_set_take(map, "name", masked(read_proc(task, "comm", &text) ? strbuf_text(&text) : ""));
    if (!add_task(map, task, &words))
        return;
    value_set_take(map, "waits_for", masked(strbuf_text(&words)));
    value_append_take(threads->list, take(map));
}

/* "[<0>] pipe_read+0x1c2/0x3a0" of each line becomes "pipe_read". */
static struct value *kernel_stack(const char *process)
{
    auto_strbuf struct strbuf text = STRBUF_INIT;
    struct value *list = value_new_list();

    if (!read_proc(process, "stack", &text))
        return list;
    for (const char *at = strchr(strbuf_text(&text), ']');
         at && value_count(list) < MAX_STACK_FRAMES; at = strchr(at, ']')) {
        auto_free char *frame = NULL;

        at += 1 + strspn(at + 1, " ");
        frame = xstrndup(at, strcspn(at, "+\n"));
        value_append_string(list, frame);
    }
    return list;
}

/* Adds an empty list to the map and lends it. */
static struct value *add_list(struct value *map, const char *key)
{
    struct value *list = value_new_list();

    value_set_take(map, key, list);
    return list;
}

static void append_process(struct value *snapshot, int pid)
{
    auto_free char *directory = xasprintf("/proc/%d", pid);
    auto_free char *tasks = path_join(directory, "task");
    auto_free char *descriptors = path_join(directory, "fd");
    auto_value struct value *map = value_new_map();
    auto_strbuf struct strbuf text = STRBUF_INIT;
    auto_strbuf struct strbuf words = STRBUF_INIT;

    value_set_int(map, "pid", pid);
    value_set_take(map, "command",
                   masked(read_proc(directory, "comm", &text) ? strbuf_text(&text) : ""));
    if (!add_task(map, directory, &words))
        return;
    value_set_take(map, "waits_for", masked(strbuf_text(&words)));
    value_set_take(map, "oom_score",
                   read_proc(directory, "oom_score", &text)
                       ? value_new_int(strtoll(strbuf_text(&text), NULL, 10))
                       : value_new_null());
    value_set_take(map, "kernel_stack", kernel_stack(directory));
    visit_numbers(tasks, add_thread,
                  &(struct thread_list){directory, pid, add_list(map, "threads")});
    visit_numbers(descriptors, add_descriptor,
                  &(struct descriptor_list){directory, add_list(map, "descriptors")});
    value_append_take(snapshot, take(map));
}

struct value *process_snapshot(const struct process *process)
{
    struct value *snapshot = value_new_list();
    int pids[MAX_PROCESSES];
    size_t count = process->guard > 0 ? find_descendants(process->guard, pids, MAX_PROCESSES) : 0;

    for (size_t i = 0; i < count; i++)
        append_process(snapshot, pids[i]);
    return snapshot;
}

const char *process_snapshot_summary(const struct value *snapshot)
{
    const char *summary = NULL;

    for (size_t i = 0; i < value_count(snapshot); i++) {
        const char *words = value_get_text(value_at(snapshot, i), "waits_for");

        if (!summary || !strcmp(summary, WAITS_FOR_CHILD))
            summary = words;
    }
    return summary;
}
