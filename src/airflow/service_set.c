#include "airflow/service_set.h"

#include "airflow/probe.h"
#include "airflow/service_manager.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/redact.h"
#include "process/line_reader.h"
#include "process/loop.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define MAX_LINE_BYTES 65536
#define TAIL_LINES     5
#define TAIL_LINE      150 /* bytes of a line in the message */

/* A gate that does not open: Airflow's first start on a slow machine takes a minute. */
#define GATE_TIMEOUT_MS (5 * 60 * 1000)
/* For those that have no tasks. */
#define STOP_MS 5000
/* From SIGTERM to everything below a process to SIGKILL: a task of ours commits in five. */
#define KILL_MS 10000
/* Signals that follow each other faster are one. */
#define SAME_SIGNAL_MS 2000
/* While we stop, the service manager is told every five seconds to wait for twenty more: its own
 * limit, which may be the shorter one, is for those that say nothing. */
#define EXTEND_PERIOD_MS 5000
#define EXTEND_LINES     "EXTEND_TIMEOUT_USEC=20000000"
/* A reader that stalls holds the processes up when so much waits for it. */
#define MAX_PENDING_BYTES (1024 * 1024)
/* How long a stalled reader is waited for at the end. */
#define LAST_WORDS_MS 2000

struct member {
    const struct service *service;
    struct run *run;
    struct process process;
    int fd; /* what it prints; -1 when it is closed or goes its own way */
    struct line_reader *reader;
    struct loop_watch *watch;
    struct strlist tail;
    bool is_started, has_ended;
};

struct run {
    const struct service_set *set;
    struct loop *loop;
    struct member *members;
    struct loop_watch *output;
    struct strbuf pending; /* what standard output has not taken yet */
    size_t label_width;
    struct member *first_ended; /* by itself */
    int64_t first_signal_ms;
    int64_t extended_ms; /* when more time to stop was asked for */
    int signals;         /* how many we got, one Ctrl-C counted once */
    bool is_output_closed, is_stopping;
};

struct service *service_set_add(struct service_set *set, const char *name)
{
    struct service *service;

    GROW(set->items, set->count, set->capacity);
    service = &set->items[set->count++];
    *service = (struct service){.name = xstrdup(name)};
    return service;
}

void service_set_clear(struct service_set *set)
{
    for (size_t i = 0; i < set->count; i++) {
        free(set->items[i].name);
        strlist_clear(&set->items[i].argv);
    }
    free(set->items);
    free(set->gate.host);
    free(set->gate.port);
    *set = (struct service_set){0};
}

/* --- what they print ---------------------------------------------------------------------- */

/* They may write as long as somebody reads. */
static void let_members_write(struct run *run, bool let)
{
    for (size_t i = 0; i < run->set->count; i++)
        if (run->members[i].watch)
            loop_watch_set_events(run->members[i].watch, let ? LOOP_READ : 0);
}

/* As much as a pipe that is writable takes without blocking us. */
static void write_output(void *context, unsigned events)
{
    struct run *run = context;
    size_t size = run->pending.length < PIPE_BUF ? run->pending.length : PIPE_BUF;
    ssize_t written = write(STDOUT_FILENO, strbuf_text(&run->pending), size);

    (void)events;
    if (written < 0 && errno != EAGAIN && errno != EINTR)
        run->is_output_closed = true;
    if (written > 0) {
        run->pending.length -= (size_t)written;
        memmove(run->pending.text, run->pending.text + written, run->pending.length + 1);
    }
    if (run->is_output_closed)
        strbuf_reset(&run->pending);
    if (run->pending.length < MAX_PENDING_BYTES)
        let_members_write(run, true);
    if (!run->pending.length)
        loop_watch_set_events(run->output, 0);
}

static void keep_line(struct strlist *tail, const struct line *line)
{
    if (line->continues || !line->length)
        return;
    if (tail->count == TAIL_LINES)
        strlist_remove(tail, 0);
    strlist_add_take(tail,
                     xstrndup(line->text, line->length < TAIL_LINE ? line->length : TAIL_LINE));
}

static void receive_line(void *context, const struct line *line)
{
    struct member *member = context;
    struct run *run = member->run;
    size_t start = run->pending.length;

    keep_line(&member->tail, line);
    if (run->is_output_closed)
        return;
    strbuf_addf(&run->pending, "%-*s | ", (int)run->label_width, member->service->name);
    strbuf_add_bytes(&run->pending, line->text, line->length);
    redact_strbuf(&run->pending, start);
    strbuf_add_char(&run->pending, '\n');
    loop_watch_set_events(run->output, LOOP_WRITE);
    if (run->pending.length >= MAX_PENDING_BYTES)
        let_members_write(run, false);
}

static void close_member(struct member *member)
{
    loop_unwatch(member->watch);
    member->watch = NULL;
    line_reader_free(member->reader);
    member->reader = NULL;
    fd_close(&member->fd);
}

static void read_member(void *context, unsigned events)
{
    struct member *member = context;

    (void)events;
    if (line_reader_step(member->reader) != LINE_READER_WANTS_INPUT)
        close_member(member);
}

static void flush_output(struct run *run)
{
    int64_t deadline_ms = clock_monotonic_ms() + LAST_WORDS_MS;

    while (run->pending.length && clock_monotonic_ms() < deadline_ms)
        loop_run_once(run->loop, 100);
}

/* --- events ------------------------------------------------------------------------------- */

static void notify_signal(void *context, int signal_number)
{
    struct run *run = context;
    int64_t now_ms = clock_monotonic_ms();

    (void)signal_number;
    if (run->signals && now_ms - run->first_signal_ms < SAME_SIGNAL_MS)
        return;
    if (!run->signals)
        run->first_signal_ms = now_ms;
    run->signals++;
}

static void notify_end(void *context, struct process *process)
{
    struct member *member = context;

    (void)process;
    member->has_ended = true;
    if (!member->run->is_stopping && !member->run->signals && !member->run->first_ended)
        member->run->first_ended = member;
}

static bool wants_to_stop(const struct run *run)
{
    return run->signals || run->first_ended;
}

/* --- start -------------------------------------------------------------------------------- */

/* A pipe for both streams when there are several; else its own streams. */
static int choose_streams(struct member *member, struct spawn_spec *spec, int fds[2],
                          struct error *err)
{
    const struct service_set *set = member->run->set;

    spec->fds[0] = SPAWN_NULL;
    spec->fds[1] = SPAWN_INHERIT;
    spec->fds[2] = set->errors_to_output ? STDOUT_FILENO : SPAWN_INHERIT;
    if (set->count == 1)
        return 0;
    if (process_pipe(fds, err) < 0)
        return -1;
    spec->fds[1] = spec->fds[2] = fds[1];
    return 0;
}

static int start_member(struct member *member, struct error *err)
{
    struct run *run = member->run;
    int fds[2] = {-1, -1};
    struct spawn_spec spec = {
        .argv = (const char *const *)member->service->argv.items,
        .env = (const char *const *)run->set->env->items,
        .new_group = true,
    };
    int status = choose_streams(member, &spec, fds, err);

    if (!status)
        status = process_spawn(&spec, &member->process, err);
    fd_close(&fds[1]);
    if (status < 0) {
        fd_close(&fds[0]);
        return error_wrap(err, "airflow %s", member->service->name);
    }
    member->is_started = true;
    loop_watch_process(run->loop, &member->process, notify_end, member);
    if (fds[0] < 0)
        return 0;
    process_set_nonblocking(fds[0], true);
    member->fd = fds[0];
    member->reader = line_reader_new(fds[0], MAX_LINE_BYTES, receive_line, member);
    member->watch = loop_watch_fd(run->loop, fds[0], LOOP_READ, read_member, member);
    return 0;
}

static int pass_gate(struct run *run, struct error *err)
{
    const struct service_gate *gate = &run->set->gate;
    struct probe *probe = probe_new(run->loop, gate->host, gate->port, gate->path);
    int64_t deadline_ms = clock_monotonic_ms() + GATE_TIMEOUT_MS;
    bool is_late = false;

    while (!probe_is_answered(probe) && !wants_to_stop(run) && !is_late) {
        loop_run_once(run->loop, 1000);
        is_late = clock_monotonic_ms() > deadline_ms;
    }
    probe_free(probe);
    if (!is_late)
        return 0;
    error_set(err, ERR_TIMEOUT, "airflow %s does not answer on %s:%s", gate->service, gate->host,
              gate->port);
    return error_hint(err, "What it printed above says why, or something between is in the way.");
}

static int start_members(struct run *run, struct error *err)
{
    const struct service_gate *gate = &run->set->gate;

    for (size_t i = 0; i < run->set->count && !wants_to_stop(run); i++) {
        struct member *member = &run->members[i];

        if (start_member(member, err) < 0)
            return -1;
        if (i + 1 < run->set->count)
            log_info("airflow %s is started", member->service->name);
        if (gate->service && !strcmp(gate->service, member->service->name) &&
            pass_gate(run, err) < 0)
            return -1;
    }
    if (!wants_to_stop(run))
        service_manager_tell(run->set->notify_socket, "READY=1");
    return 0;
}

/* --- stop --------------------------------------------------------------------------------- */

static void ask_for_time(struct run *run)
{
    int64_t now_ms = clock_monotonic_ms();

    if (run->extended_ms && now_ms - run->extended_ms < EXTEND_PERIOD_MS)
        return;
    run->extended_ms = now_ms;
    service_manager_tell(run->set->notify_socket, EXTEND_LINES);
}

/* Waits until nothing of it is left, or, with program_only, until the program itself has ended. */
static bool wait_for_end(struct run *run, struct member *member, bool program_only,
                         int64_t timeout_ms, int most_signals)
{
    int64_t deadline_ms = clock_monotonic_ms() + timeout_ms;

    for (;;) {
        process_poll(&member->process);
        if (member->has_ended && (program_only || !process_has_leftovers(&member->process)))
            return true;
        if ((timeout_ms >= 0 && clock_monotonic_ms() >= deadline_ms) || run->signals > most_signals)
            return false;
        ask_for_time(run);
        loop_run_once(run->loop, 100);
    }
}

static void stop_member(struct run *run, struct member *member, bool is_last)
{
    bool has_tasks = is_last && run->set->has_tasks;
    int64_t limit_ms = has_tasks ? run->set->stop_timeout_ms : STOP_MS;

    if (!member->is_started)
        return;
    log_debug("airflow %s is stopped", member->service->name);
    process_signal_program(&member->process, SIGTERM);
    if (!wait_for_end(run, member, true, limit_ms, 1) && has_tasks)
        log_warning("airflow %s still has running tasks; they are ended now",
                    member->service->name);
    /* What it started and did not end goes as well. */
    if (!member->has_ended || process_has_leftovers(&member->process)) {
        process_signal(&member->process, SIGTERM);
        wait_for_end(run, member, false, KILL_MS, 2);
    }
    process_end_group(&member->process, 0);
    if (member->reader)
        read_member(member, LOOP_READ);
    close_member(member);
}

static void stop_members(struct run *run)
{
    run->is_stopping = true;
    service_manager_tell(run->set->notify_socket, "STOPPING=1");
    if (run->signals && run->set->has_tasks && run->set->stop_timeout_ms)
        log_info("Airflow is stopped; running tasks are waited for (a second signal ends them)");
    for (size_t i = run->set->count; i-- > 0;)
        stop_member(run, &run->members[i], i + 1 == run->set->count);
}

/* --- the whole ---------------------------------------------------------------------------- */

static int name_culprit(const struct member *member, struct error *err)
{
    auto_strbuf struct strbuf tail = STRBUF_INIT;
    char how[64];

    for (size_t i = 0; i < member->tail.count; i++)
        strbuf_addf(&tail, "\n    %s", member->tail.items[i]);
    redact_strbuf(&tail, 0);
    process_end_describe(&member->process.end, how, sizeof how);
    return error_set(err, ERR_COMMAND, "airflow %s ended by itself (%s)%s%s%s",
                     member->service->name, how,
                     member->run->set->count > 1 ? ", and so the others were ended" : "",
                     tail.length ? "; its last lines:" : "", strbuf_text(&tail));
}

static int judge(const struct run *run, int *status, struct error *err)
{
    const struct member *ended = run->first_ended;
    const struct member *last = &run->members[run->set->count - 1];
    const struct process_end *end;

    *status = 0;
    if (!ended)
        return 0;
    end = &ended->process.end;
    if (ended != last || (run->set->count > 1 && (end->kind != EXIT_STATUS || end->code)))
        return name_culprit(ended, err);
    *status = end->kind == EXIT_SIGNAL ? 256 - end->code : process_end_to_status(end);
    return 0;
}

static void find_label_width(struct run *run)
{
    for (size_t i = 0; i < run->set->count; i++) {
        size_t length = strlen(run->set->items[i].name);

        if (length > run->label_width)
            run->label_width = length;
    }
}

int service_set_run(const struct service_set *set, int *status, struct error *err)
{
    struct run run = {
        .set = set,
        .loop = loop_new(),
        .members = xcalloc(set->count, sizeof *run.members),
    };
    int result;

    for (size_t i = 0; i < set->count; i++)
        run.members[i] = (struct member){
            .service = &set->items[i], .run = &run, .process = PROCESS_INIT, .fd = -1};
    find_label_width(&run);
    run.output = loop_watch_fd(run.loop, STDOUT_FILENO, 0, write_output, &run);
    /* Before anything starts: a signal in between must not end us and leave it behind. */
    loop_watch_signals(run.loop, notify_signal, &run);
    if (set->follows_parent)
        process_follow_parent();
    result = start_members(&run, err);
    while (!result && !wants_to_stop(&run))
        loop_run_once(run.loop, -1);
    stop_members(&run);
    if (!result)
        result = judge(&run, status, err);
    flush_output(&run);
    for (size_t i = 0; i < set->count; i++)
        strlist_clear(&run.members[i].tail);
    loop_free(run.loop);
    strbuf_clear(&run.pending);
    free(run.members);
    return result;
}
