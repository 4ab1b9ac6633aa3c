#include "pipeline/extract_load.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "pipeline/flight_recorder.h"
#include "pipeline/stage.h"
#include "process/loop.h"
#include "process/relay.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* A STATE line longer than this is refused. */
#define MAX_STATE_BYTES      ((size_t)256 * 1024 * 1024)
#define HEARTBEAT_MS         5000
#define PROGRESS_MS          30000
#define TERMINAL_PROGRESS_MS 2000
/* How long a process may keep its pipes open by something it left behind. */
#define LEFTOVER_MS 5000
/* After a failure: from SIGTERM to SIGKILL for those that wrote to the one that failed. */
#define FAILURE_GRACE_MS 2000
/* After a signal: how long before the end of the grace writing must be over, and the least time
 * that it is given. */
#define STATE_MARGIN_MS 700
#define STATE_LEAST_MS  300

/* How long a process may stay that has closed its end of a pipe for good, and from SIGTERM to
 * SIGKILL after that. */
#define LINGER_MS       10000
#define LINGER_GRACE_MS 2000

/* How often it is looked whether anything has moved, if that matters. */
#define MAX_IDLE_LOOK_MS 1000

struct transfer;

/* The pipe between two stages, with us in the middle. */
struct link {
    struct transfer *transfer;
    size_t from; /* the stage that writes; from + 1 reads */
    int source_fd, sink_fd;
    struct relay *relay;
    struct message_ring *messages;  /* of the stage that writes; NULL: none are kept */
    struct relay_counts own_counts; /* between two mappers, where the record has no use for them */
    struct loop_watch *source_watch, *sink_watch;
    bool has_ended;
    bool is_broken; /* the reader went away before the end */
};

enum stop_reason { STOP_NONE, STOP_SIGNAL, STOP_TIMEOUT, STOP_IDLE, STOP_FAILURE, STOP_STATE };

struct transfer {
    const struct extract_load *run;
    struct block_record *record;
    struct loop *loop;
    struct stage *stages;
    struct link *links; /* stage_count - 1 */
    size_t stage_count;
    int state_fd; /* our end of the loader's standard output, -1 when closed */
    struct line_reader *state_reader;
    struct message_ring *confirmed; /* the loader's last states; NULL: none are kept */
    struct loop_watch *state_watch;
    struct loop_watch *stop_timer, *leftover_timer, *linger_timer;
    uint64_t state_lines;
    uint64_t moved;       /* at the last look: bytes and lines */
    int64_t idle_from_ms; /* since when that number has been the same */
    unsigned ended_count;
    enum stop_reason stop_reason;
    int stop_signal;
    int64_t stop_signal_ms; /* clock_monotonic_ms() of the first */
    bool is_writing;        /* all processes have ended; the last state is being written */
    int stop_step;
    size_t failed_stage; /* STOP_FAILURE: the stages before it are ended */
    bool gave_up_output;
    struct error state_error; /* why the last state is not committed */
    struct stage *culprit;    /* NULL: none, or not known yet */
};

/* --- stopping ------------------------------------------------------------------------------ */

/* What happens when the run is told to end: the extractor is asked first and everything after it
 * may drain; who has not ended when its time comes is killed. The last step leaves a fifth of the
 * grace for committing and recording what came of it. */
static const struct stop_step {
    int64_t tenths; /* of the grace, since the step before */
    bool extractor_only;
    int signal_number;
} stop_steps[] = {
    {0, true, SIGTERM},
    {3, true, SIGKILL},
    {4, false, SIGTERM},
    {1, false, SIGKILL},
};

static void take_snapshots(struct transfer *transfer, size_t count, const char *reason)
{
    for (size_t i = 0; i < count; i++)
        stage_take_snapshot(&transfer->stages[i], reason);
}

static void signal_stages(struct transfer *transfer, size_t count, int signal_number)
{
    for (size_t i = 0; i < count; i++) {
        struct stage *stage = &transfer->stages[i];

        if (stage->process.pid <= 0 || stage->has_ended)
            continue;
        stage->was_stopped = true;
        process_signal(&stage->process, signal_number);
    }
}

static void take_stop_step(void *context)
{
    struct transfer *transfer = context;
    const struct stop_step *step = &stop_steps[transfer->stop_step++];
    size_t count = step->extractor_only ? 1 : transfer->stage_count;

    if (step->signal_number == SIGKILL)
        take_snapshots(transfer, count, "deaf");
    signal_stages(transfer, count, step->signal_number);
    if ((size_t)transfer->stop_step < ARRAY_LEN(stop_steps))
        loop_timer_set(transfer->stop_timer, transfer->run->settings->stop_grace_ms / 10 *
                                                 stop_steps[transfer->stop_step].tenths);
}

static void stop(struct transfer *transfer, enum stop_reason reason)
{
    if (transfer->stop_reason != STOP_NONE && reason != STOP_SIGNAL)
        return;
    if (transfer->stop_step) {
        /* Told a second time: no more patience. */
        signal_stages(transfer, transfer->stage_count, SIGKILL);
        return;
    }
    transfer->stop_reason = reason;
    take_stop_step(transfer);
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* No more state will come. What is left to be written may take its time, unless a signal told the
 * run to end. */
static void end_states(struct transfer *transfer, bool hurry)
{
    const struct run_settings *settings = transfer->run->settings;
    int64_t now_ms = clock_monotonic_ms(), until_ms = now_ms, limit_ms;

    if (hurry || transfer->stop_signal) {
        if (!hurry)
            until_ms = transfer->stop_signal_ms + settings->stop_grace_ms - STATE_MARGIN_MS;
        limit_ms = until_ms = later(until_ms, now_ms + STATE_LEAST_MS);
    } else {
        until_ms = now_ms + settings->database_patience_ms;
        limit_ms = later(until_ms, now_ms + DATABASE_ANSWER_MS);
    }
    transfer->is_writing = true;
    state_writer_end(transfer->run->states, until_ms, limit_ms);
}

static void notify_signal(void *context, int signal_number)
{
    struct transfer *transfer = context;
    bool is_first = !transfer->stop_signal;

    if (is_first) {
        transfer->stop_signal = signal_number;
        transfer->stop_signal_ms = clock_monotonic_ms();
    }
    if (transfer->is_writing) {
        log_warning("Received a signal while the last state is written");
        transfer->stop_reason = STOP_SIGNAL;
        end_states(transfer, !is_first);
        return;
    }
    log_warning("Received %s: ending the extractor and letting the loader finish",
                signal_number == SIGINT   ? "SIGINT"
                : signal_number == SIGHUP ? "SIGHUP"
                                          : "SIGTERM");
    stop(transfer, STOP_SIGNAL);
}

static void notify_deadline(void *context)
{
    struct transfer *transfer = context;

    log_error("Run timed out");
    take_snapshots(transfer, transfer->stage_count, "timeout");
    stop(transfer, STOP_TIMEOUT);
    if (transfer->is_writing)
        end_states(transfer, true);
}

/* Bytes on their way and lines that came back, of states and of logs. */
static uint64_t count_moved(const struct transfer *transfer)
{
    uint64_t moved = transfer->state_lines;

    for (size_t i = 0; i < transfer->stage_count; i++)
        moved += transfer->stages[i].error_lines;
    for (size_t i = 0; i + 1 < transfer->stage_count; i++)
        moved += relay_moved(transfer->links[i].relay);
    return moved;
}

/* The process that has to do something next: the last one that does not take what it is given, else
 * the first one that runs. */
static struct stage *find_idle(struct transfer *transfer)
{
    for (size_t i = transfer->stage_count - 1; i > 0; i--) {
        const struct link *link = &transfer->links[i - 1];

        if (!link->has_ended && relay_waits_for_reader(link->relay))
            return &transfer->stages[i];
    }
    for (size_t i = 0; i < transfer->stage_count; i++)
        if (!transfer->stages[i].has_ended)
            return &transfer->stages[i];
    return NULL;
}

static void check_idle(void *context)
{
    struct transfer *transfer = context;
    uint64_t moved = count_moved(transfer);
    int64_t now_ms = clock_monotonic_ms();

    if (moved != transfer->moved)
        transfer->idle_from_ms = now_ms;
    transfer->moved = moved;
    if (now_ms - transfer->idle_from_ms < transfer->run->settings->idle_timeout_ms ||
        transfer->stop_reason != STOP_NONE || transfer->is_writing)
        return;
    log_error("No byte has moved for %lld s",
              (long long)transfer->run->settings->idle_timeout_ms / 1000);
    transfer->culprit = find_idle(transfer);
    take_snapshots(transfer, transfer->stage_count, "idle");
    stop(transfer, STOP_IDLE);
}

static void kill_upstream(void *context)
{
    struct transfer *transfer = context;

    signal_stages(transfer, transfer->failed_stage, SIGKILL);
}

/* A stage is gone: those that wrote to it have nobody to write to; those after it may finish. */
static void stop_upstream(struct transfer *transfer, size_t stage)
{
    if (transfer->stop_reason != STOP_NONE)
        return;
    transfer->stop_reason = STOP_FAILURE;
    transfer->failed_stage = stage;
    signal_stages(transfer, stage, SIGTERM);
    loop_watch_timer(transfer->loop, FAILURE_GRACE_MS, 0, kill_upstream, transfer);
}

/* Whether a process runs on although nothing is left for it to do: it has closed its input, or it
 * has closed its output and everybody after it has ended. */
static bool is_lingering(const struct transfer *transfer, size_t i)
{
    if (transfer->stages[i].has_ended)
        return false;
    if (i > 0 && transfer->links[i - 1].is_broken)
        return true;
    for (size_t after = i + 1; after < transfer->stage_count; after++)
        if (!transfer->stages[after].has_ended)
            return false;
    return i + 1 < transfer->stage_count && transfer->links[i].has_ended;
}

static void end_lingering(void *context)
{
    struct transfer *transfer = context;

    for (size_t i = 0; i < transfer->stage_count; i++) {
        struct stage *stage = &transfer->stages[i];

        if (!is_lingering(transfer, i))
            continue;
        stage_take_snapshot(stage, "lingering");
        process_signal(&stage->process, stage->has_lingered ? SIGKILL : SIGTERM);
        stage->has_lingered = true;
        loop_timer_set(transfer->linger_timer, LINGER_GRACE_MS);
    }
}

static void watch_lingering(struct transfer *transfer)
{
    for (size_t i = 0; i < transfer->stage_count; i++)
        if (is_lingering(transfer, i))
            loop_timer_set(transfer->linger_timer, LINGER_MS);
}

/* --- the data path ------------------------------------------------------------------------- */

static void close_link(struct link *link)
{
    loop_unwatch(link->source_watch);
    loop_unwatch(link->sink_watch);
    link->source_watch = link->sink_watch = NULL;
    fd_close(&link->source_fd);
    fd_close(&link->sink_fd);
    link->has_ended = true;
}

static void break_link(struct link *link)
{
    link->is_broken = true;
    close_link(link);
    stop_upstream(link->transfer, link->from + 1);
    watch_lingering(link->transfer);
}

static void step_link(struct link *link)
{
    if (link->has_ended)
        return;
    switch (relay_step(link->relay)) {
    case RELAY_WANTS_INPUT:
        loop_watch_set_events(link->source_watch, LOOP_READ);
        loop_watch_set_events(link->sink_watch, LOOP_HANGUP);
        break;
    case RELAY_WANTS_OUTPUT:
        loop_watch_set_events(link->source_watch, 0);
        loop_watch_set_events(link->sink_watch, LOOP_WRITE);
        break;
    case RELAY_END:
        close_link(link);
        break;
    case RELAY_BROKEN:
        break_link(link);
        break;
    case RELAY_ERROR:
        log_error("cannot pass on the output of %s: %s",
                  link->transfer->stages[link->from].plugin->name, strerror(errno));
        break_link(link);
        break;
    }
}

static void notify_source(void *context, unsigned events)
{
    (void)events;
    step_link(context);
}

static void notify_sink(void *context, unsigned events)
{
    struct link *link = context;

    if (events & LOOP_WRITE)
        step_link(link);
    else if (!link->has_ended)
        break_link(link);
}

/* The link's sink is open already. */
static int open_link(struct transfer *transfer, size_t from, int source_fd, struct error *err)
{
    struct link *link = &transfer->links[from];
    bool reaches_loader = from + 2 == transfer->stage_count;
    struct relay_counts *counts = reaches_loader   ? &transfer->record->counts
                                  : from == 0      ? &transfer->record->tap_counts
                                  : link->messages ? &link->own_counts
                                                   : NULL;

    link->source_fd = source_fd;
    link->relay = relay_new(source_fd, link->sink_fd, counts, err);
    if (!link->relay)
        return -1;
    if (link->messages)
        relay_keep(link->relay, link->messages);
    process_set_nonblocking(source_fd, true);
    process_set_nonblocking(link->sink_fd, true);
    link->source_watch = loop_watch_fd(transfer->loop, source_fd, LOOP_READ, notify_source, link);
    link->sink_watch = loop_watch_fd(transfer->loop, link->sink_fd, LOOP_HANGUP, notify_sink, link);
    return 0;
}

/* --- state --------------------------------------------------------------------------------- */

/* A run that lost its lock is ended: going on would only load what another one loads. */
static void notify_news(void *context, unsigned events)
{
    struct transfer *transfer = context;
    struct error err = {0};

    (void)events;
    if (!state_writer_tell(transfer->run->states, &err) || transfer->state_error.code != ERR_NONE)
        return;
    transfer->state_error = err;
    log_error("%s", err.message);
    stop(transfer, STOP_STATE);
}

static void keep_state_line(struct transfer *transfer, const struct line *line)
{
    const struct kept_message message = {
        .bytes = line->length,
        .number = transfer->state_lines,
        .passed_us = clock_now_us(),
    };

    if (transfer->confirmed && !line->continues)
        message_ring_add(transfer->confirmed, RING_STATE, &message, "", 0, line->text,
                         line->length);
}

static void receive_state_line(void *context, const struct line *line)
{
    struct transfer *transfer = context;

    transfer->state_lines++;
    keep_state_line(transfer, line);
    if (!line->continues && !line->is_continued)
        state_writer_accept(transfer->run->states, line->text, line->length);
    else if (!line->continues)
        state_writer_refuse_long_line(transfer->run->states);
}

static void close_states(struct transfer *transfer)
{
    loop_unwatch(transfer->state_watch);
    transfer->state_watch = NULL;
    line_reader_free(transfer->state_reader);
    transfer->state_reader = NULL;
    fd_close(&transfer->state_fd);
}

static void notify_states(void *context, unsigned events)
{
    struct transfer *transfer = context;

    (void)events;
    if (line_reader_step(transfer->state_reader) != LINE_READER_WANTS_INPUT)
        close_states(transfer);
}

static void open_states(struct transfer *transfer, int fd)
{
    process_set_nonblocking(fd, true);
    transfer->state_fd = fd;
    transfer->state_reader = line_reader_new(fd, MAX_STATE_BYTES, receive_state_line, transfer);
    transfer->state_watch = loop_watch_fd(transfer->loop, fd, LOOP_READ, notify_states, transfer);
}

/* --- processes ----------------------------------------------------------------------------- */

static void notify_end(void *context, struct process *process)
{
    struct transfer *transfer = context;

    for (size_t i = 0; i < transfer->stage_count; i++) {
        struct stage *stage = &transfer->stages[i];

        if (&stage->process != process)
            continue;
        stage->has_ended = true;
        stage->end_order = ++transfer->ended_count;
        if (i > 0 && !transfer->links[i - 1].has_ended)
            break_link(&transfer->links[i - 1]);
    }
    loop_timer_set(transfer->leftover_timer, LEFTOVER_MS);
    watch_lingering(transfer);
}

/* Something that an ended process left behind holds a pipe open. */
static void end_leftovers(void *context)
{
    struct transfer *transfer = context;
    bool all_ended = true;

    for (size_t i = 0; i < transfer->stage_count; i++) {
        struct stage *stage = &transfer->stages[i];

        if (!stage->has_ended)
            all_ended = false;
        else if (process_has_leftovers(&stage->process))
            process_end_group(&stage->process, 0);
    }
    if (all_ended)
        transfer->gave_up_output = true;
}

/* Everything is in place before anything runs, and the loader starts first, so that no extractor
 * ever writes to nobody. */
static int start_stages(struct transfer *transfer, struct error *err)
{
    size_t last = transfer->stage_count - 1;
    int output_fd; /* our end of the standard output of the stage that was started last */
    int pipe_fds[2];

    for (size_t i = transfer->stage_count; i-- > 0;) {
        int input[2] = {-1, -1};
        int result;

        if (process_pipe(pipe_fds, err) < 0)
            return -1;
        output_fd = pipe_fds[0];
        if (i > 0 && process_pipe(input, err) < 0) {
            fd_close(&pipe_fds[0]);
            fd_close(&pipe_fds[1]);
            return -1;
        }
        result = stage_start(&transfer->stages[i], transfer->loop,
                             i > 0                  ? input[0]
                             : isatty(STDIN_FILENO) ? SPAWN_NULL
                                                    : SPAWN_INHERIT,
                             pipe_fds[1], false, notify_end, transfer, err);
        fd_close(&pipe_fds[1]);
        fd_close(&input[0]);
        if (result < 0) {
            fd_close(&output_fd);
            fd_close(&input[1]);
            return -1;
        }
        if (i > 0)
            transfer->links[i - 1].sink_fd = input[1];
        if (i == last)
            open_states(transfer, output_fd);
        else if (open_link(transfer, i, output_fd, err) < 0)
            return -1;
    }
    return 0;
}

static bool is_done(const struct transfer *transfer)
{
    if (transfer->ended_count < transfer->stage_count)
        return false;
    if (transfer->gave_up_output)
        return true;
    for (size_t i = 0; i + 1 < transfer->stage_count; i++)
        if (!transfer->links[i].has_ended)
            return false;
    for (size_t i = 0; i < transfer->stage_count; i++)
        if (transfer->stages[i].error_fd >= 0)
            return false;
    return transfer->state_fd < 0;
}

static void beat(void *context)
{
    const struct extract_load *run = ((struct transfer *)context)->run;

    state_writer_beat_take(run->states, run->record_if_killed(run->context));
}

static void log_progress(void *context)
{
    struct transfer *transfer = context;
    const struct relay_counts *counts = &transfer->record->counts;
    uint64_t records = 0;

    for (size_t i = 0; i < counts->stream_count; i++)
        records += counts->streams[i].records;
    log_info("Progress: %llu records in %zu streams, %.1f MB, %llu states saved",
             (unsigned long long)records, counts->stream_count, (double)counts->bytes / 1e6,
             (unsigned long long)state_writer_counts(transfer->run->states)->checkpoints);
}

static void set_timers(struct transfer *transfer)
{
    const struct extract_load *run = transfer->run;
    int64_t progress_ms = isatty(STDERR_FILENO) ? TERMINAL_PROGRESS_MS : PROGRESS_MS;

    transfer->stop_timer = loop_watch_timer(transfer->loop, -1, 0, take_stop_step, transfer);
    transfer->leftover_timer = loop_watch_timer(transfer->loop, -1, 0, end_leftovers, transfer);
    transfer->linger_timer = loop_watch_timer(transfer->loop, -1, 0, end_lingering, transfer);
    loop_watch_timer(transfer->loop, progress_ms, progress_ms, log_progress, transfer);
    if (state_writer_fd(run->states) >= 0) {
        loop_watch_fd(transfer->loop, state_writer_fd(run->states), LOOP_READ, notify_news,
                      transfer);
        loop_watch_timer(transfer->loop, HEARTBEAT_MS, HEARTBEAT_MS, beat, transfer);
    }
    if (run->deadline_ms) {
        int64_t left = run->deadline_ms - clock_monotonic_ms();

        loop_watch_timer(transfer->loop, left > 0 ? left : 0, 0, notify_deadline, transfer);
    }
}

static void supervise(struct transfer *transfer)
{
    const int64_t idle_ms = transfer->run->settings->idle_timeout_ms;
    const int64_t period_ms = idle_ms < 10 * MAX_IDLE_LOOK_MS ? idle_ms / 10 : MAX_IDLE_LOOK_MS;

    transfer->idle_from_ms = clock_monotonic_ms();
    if (idle_ms)
        loop_watch_timer(transfer->loop, period_ms, period_ms, check_idle, transfer);
    loop_watch_signals(transfer->loop, notify_signal, transfer);
    while (!is_done(transfer))
        loop_run_once(transfer->loop, -1);
    end_states(transfer, false);
    while (!state_writer_has_ended(transfer->run->states))
        loop_run_once(transfer->loop, -1);
}

/* --- what came of it ----------------------------------------------------------------------- */

/* A process that failed by itself: not ended by us, and not because its reader went away. */
static bool has_failed(const struct transfer *transfer, size_t i)
{
    const struct stage *stage = &transfer->stages[i];
    const struct process_end *end = &stage->process.end;
    bool is_last = i + 1 == transfer->stage_count;

    if (stage->has_lingered)
        return true;
    if (stage->was_stopped || (!is_last && transfer->links[i].is_broken))
        return false;
    if (i > 0 && transfer->links[i - 1].is_broken)
        return true;
    return end->kind != EXIT_STATUS || end->code != 0;
}

static struct stage *find_culprit(struct transfer *transfer)
{
    struct stage *culprit = NULL;

    for (size_t i = 0; i < transfer->stage_count; i++) {
        struct stage *stage = &transfer->stages[i];

        if (has_failed(transfer, i) && (!culprit || stage->end_order < culprit->end_order))
            culprit = stage;
    }
    return culprit;
}

static struct stage *find_not_started(struct transfer *transfer)
{
    for (size_t i = 0; i < transfer->stage_count; i++)
        if (transfer->stages[i].process.end.kind == EXIT_NOT_STARTED)
            return &transfer->stages[i];
    return NULL;
}

static enum end_cause cause_of(const struct transfer *transfer, size_t i)
{
    const struct stage *stage = &transfer->stages[i];
    struct end_facts facts = {
        .end = &stage->process.end,
        .was_started = stage->process.pid > 0,
        .was_stopped = stage->was_stopped,
        .stop_cause = transfer->stop_reason == STOP_TIMEOUT ? CAUSE_TIMEOUT
                      : transfer->stop_reason == STOP_IDLE  ? CAUSE_IDLE
                                                            : CAUSE_STOPPED,
        .has_lingered = stage->has_lingered,
        .reader_left = i + 1 < transfer->stage_count && transfer->links[i].is_broken,
        .left_early = i > 0 && transfer->links[i - 1].is_broken,
    };

    return end_cause_find(&facts);
}

static int set_lingering(const struct stage *stage, struct error *err)
{
    char name[256];

    error_set(err,
              stage->role == ROLE_TAP      ? ERR_TAP
              : stage->role == ROLE_TARGET ? ERR_TARGET
                                           : ERR_MAPPER,
              "%s closed its %s and did not end", plugin_describe(stage->plugin, name, sizeof name),
              stage->role == ROLE_TAP ? "output" : "pipes");
    return error_hint(err, "It %s; it was ended after %d seconds.", stage_waits_for(stage),
                      LINGER_MS / 1000);
}

static int set_early_end(const struct stage *stage, struct error *err)
{
    char name[256];

    error_set(err, stage->role == ROLE_TARGET ? ERR_TARGET : ERR_MAPPER,
              "%s ended with exit status 0 before everything was handed to it",
              plugin_describe(stage->plugin, name, sizeof name));
    return error_hint(err, "What it has confirmed is saved as state; the rest is loaded by the "
                           "next run. Look into its log for why it stopped.");
}

static int set_idle(const struct transfer *transfer, struct error *err)
{
    long long seconds = transfer->run->settings->idle_timeout_ms / 1000;
    const struct stage *stage = transfer->culprit;
    char name[256];

    if (!stage)
        return error_set(err, ERR_IDLE, "no byte has moved for %lld s", seconds);
    return error_set(err, ERR_IDLE, "no byte has moved for %lld s: %s %s", seconds,
                     plugin_describe(stage->plugin, name, sizeof name), stage_waits_for(stage));
}

/* Where the next run begins. */
static const char *describe_saved(const struct transfer *transfer)
{
    if (transfer->state_error.code == ERR_SPOOLED)
        return transfer->state_error.hint;
    if (transfer->state_error.code != ERR_NONE)
        return "What the loader confirmed last could not be saved and is loaded again.";
    return state_writer_counts(transfer->run->states)->checkpoints
               ? "What the loader confirmed is saved; the next run continues there."
               : "The loader had confirmed nothing yet; the next run starts where this one did.";
}

static int set_stop_error(const struct transfer *transfer, struct error *err)
{
    const char *saved = describe_saved(transfer);

    switch (transfer->stop_reason) {
    case STOP_STATE:
        *err = transfer->state_error;
        return -1;
    case STOP_SIGNAL:
        if (transfer->stop_signal == SIGINT)
            error_set(err, ERR_INTERRUPTED, "the run was interrupted (SIGINT)");
        else
            error_set(err, ERR_TERMINATED, "the run was terminated (%s)",
                      transfer->stop_signal == SIGHUP ? "SIGHUP" : "SIGTERM");
        return error_hint(err, "%s", saved);
    case STOP_TIMEOUT:
        error_set(err, ERR_TIMEOUT, "the run timed out");
        return error_hint(err, "%s", saved);
    case STOP_IDLE:
        set_idle(transfer, err);
        return error_hint(err, "%s", saved);
    case STOP_NONE:
    case STOP_FAILURE:
        break;
    }
    return 0;
}

static int judge_processes(struct transfer *transfer, struct error *err)
{
    struct stage *culprit = find_culprit(transfer);

    if (set_stop_error(transfer, err) < 0)
        return -1;
    if (!culprit)
        return 0;
    transfer->culprit = culprit;
    stage_log_tail(culprit);
    if (culprit->has_lingered)
        return set_lingering(culprit, err);
    if (culprit->process.end.kind == EXIT_STATUS && culprit->process.end.code == 0)
        return set_early_end(culprit, err);
    return stage_set_failure(culprit, transfer->record->log_path, err);
}

/* The run's own failure, if any, says more than that its last state has to wait. */
static int judge(struct transfer *transfer, struct error *err)
{
    const struct error *state_error = &transfer->state_error;
    int result = judge_processes(transfer, err);

    if (state_error->code == ERR_NONE)
        return result;
    if (!result)
        *err = *state_error;
    else if (transfer->stop_reason != STOP_STATE)
        log_error("%s. %s", state_error->message, state_error->hint);
    return -1;
}

/* Keeps what passed last beside the log, and says where. */
static void write_flight(struct transfer *transfer, struct error *err)
{
    auto_free struct flight_process *processes = xcalloc(transfer->stage_count, sizeof *processes);
    char hint[sizeof err->hint];

    if (!transfer->confirmed)
        return;
    for (size_t i = 0; i < transfer->stage_count; i++) {
        const struct stage *stage = &transfer->stages[i];
        bool is_last = i + 1 == transfer->stage_count;

        if (!is_last && transfer->links[i].relay)
            relay_keep_unfinished(transfer->links[i].relay);
        processes[i] = (struct flight_process){
            .plugin = stage->plugin->name,
            .role = stage->role,
            .messages = is_last ? transfer->confirmed : transfer->links[i].messages,
            .error_lines = &stage->tail,
        };
    }
    transfer->record->flight_path =
        flight_recorder_write(transfer->record->log_path, transfer->run->invocation.run_id,
                              processes, transfer->stage_count);
    if (!transfer->record->flight_path)
        return;
    memcpy(hint, err->hint, sizeof hint);
    error_hint(err, "%s%sThe last messages are in %s.", hint, *hint ? " " : "",
               transfer->record->flight_path);
}

/* --- preparation --------------------------------------------------------------------------- */

static enum process_role role_of(const struct transfer *transfer, size_t i)
{
    return i == 0 ? ROLE_TAP : i + 1 == transfer->stage_count ? ROLE_TARGET : ROLE_MAPPER;
}

/* All plugins first, so that one that is not installed is found before anything is started; then
 * what the extractor needs for its sync. */
static int prepare_stages(struct transfer *transfer, struct error *err)
{
    const struct extract_load *run = transfer->run;
    struct invocation_options options = run->invocation;
    auto_strmap struct strmap upstream = STRMAP_INIT;

    for (size_t i = 0; i < transfer->stage_count; i++) {
        struct stage *stage = &transfer->stages[i];

        options.upstream = &upstream;
        options.extra_overrides = i == 0 ? run->invocation.extra_overrides : NULL;
        if (invocation_prepare(run->config, stage->plugin, &options, &stage->invocation, err) < 0)
            return -1;
        stage->is_prepared = true;
        plugin_config_register_secrets(stage->invocation.config);
        plugin_config_downstream(stage->invocation.config, &upstream);
    }
    return invocation_prepare_sync(run->config, &transfer->stages[0].invocation, &run->invocation,
                                   err);
}

static void init_transfer(struct transfer *transfer, const struct extract_load *run,
                          struct block_record *record)
{
    size_t count = run->block->plugin_count;
    bool is_recorded = run->settings->flight_recorder && record->log_path;

    *transfer = (struct transfer){
        .run = run,
        .record = record,
        .loop = loop_new(),
        .stages = xcalloc(count, sizeof(*transfer->stages)),
        .links = xcalloc(count - 1, sizeof(*transfer->links)),
        .stage_count = count,
        .state_fd = -1,
    };
    for (size_t i = 0; i < count; i++)
        stage_init(&transfer->stages[i], run->block->plugins[i], role_of(transfer, i));
    for (size_t i = 0; i + 1 < count; i++) {
        transfer->links[i] =
            (struct link){.transfer = transfer, .from = i, .source_fd = -1, .sink_fd = -1};
        if (is_recorded)
            transfer->links[i].messages = message_ring_new();
    }
    if (is_recorded)
        transfer->confirmed = message_ring_new();
    record->has_mappers = count > 2;
    block_record_set_processes(record, count);
}

static void clear_transfer(struct transfer *transfer, bool failed)
{
    struct block_record *record = transfer->record;
    struct link *last = &transfer->links[transfer->stage_count - 2];

    if (last->relay)
        relay_wait_times(last->relay, &record->tap_wait_ms, &record->target_wait_ms);
    for (size_t i = 0; i + 1 < transfer->stage_count; i++) {
        close_link(&transfer->links[i]);
        relay_free(transfer->links[i].relay);
        relay_counts_clear(&transfer->links[i].own_counts);
        message_ring_free(transfer->links[i].messages);
    }
    message_ring_free(transfer->confirmed);
    close_states(transfer);
    for (size_t i = 0; i < transfer->stage_count; i++) {
        record->processes[i].cause = cause_of(transfer, i);
        stage_finish(&transfer->stages[i], failed, &record->processes[i]);
    }
    if (transfer->culprit)
        block_record_set_culprit(record, (size_t)(transfer->culprit - transfer->stages));
    loop_free(transfer->loop);
    free(transfer->stages);
    free(transfer->links);
}

int extract_load_run(const struct extract_load *run, struct block_record *record, struct error *err)
{
    struct transfer transfer;
    int result;

    init_transfer(&transfer, run, record);
    set_timers(&transfer);
    result = prepare_stages(&transfer, err);
    if (!result && start_stages(&transfer, err) < 0) {
        transfer.culprit = find_not_started(&transfer);
        result = -1;
    }
    if (!result)
        supervise(&transfer);
    state_writer_close(run->states, &transfer.state_error);
    if (!result) {
        result = judge(&transfer, err);
        if (result)
            write_flight(&transfer, err);
    }
    clear_transfer(&transfer, result != 0);
    return result;
}
