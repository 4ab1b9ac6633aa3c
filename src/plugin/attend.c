#include "plugin/attend.h"

#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "plugin/plugin_log.h"
#include "process/line_reader.h"
#include "process/loop.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#define MAX_LINE_BYTES      65536
#define MAX_TAIL_LINE_BYTES 1000
/* How long what the program left behind may keep its pipes open. */
#define LEFTOVER_MS 2000
/* From SIGTERM to SIGKILL when enough was seen. */
#define ENOUGH_GRACE_MS 3500

/* One of the program's pipes, read by lines. */
struct stream {
    int fd; /* -1 when closed */
    struct line_reader *reader;
    struct loop_watch *watch;
};

struct attendance {
    const struct attend_spec *spec;
    struct attend_result *result;
    struct loop *loop;
    struct process process;
    struct stream output, errors;
    struct loop_watch *kill_timer, *leftover_timer;
    bool has_ended, gave_up_streams;
};

void attend_result_clear(struct attend_result *result)
{
    strlist_clear(&result->tail);
}

static void close_stream(struct stream *stream)
{
    loop_unwatch(stream->watch);
    stream->watch = NULL;
    line_reader_free(stream->reader);
    stream->reader = NULL;
    fd_close(&stream->fd);
}

static void read_stream(struct stream *stream)
{
    if (line_reader_step(stream->reader) != LINE_READER_WANTS_INPUT)
        close_stream(stream);
}

static void notify_readable(void *context, unsigned events)
{
    (void)events;
    read_stream(context);
}

static void open_stream(struct attendance *attendance, struct stream *stream, int fd, size_t limit,
                        void (*receive)(void *context, const struct line *line))
{
    process_set_nonblocking(fd, true);
    stream->fd = fd;
    stream->reader = line_reader_new(fd, limit, receive, attendance);
    stream->watch = loop_watch_fd(attendance->loop, fd, LOOP_READ, notify_readable, stream);
}

static void keep_line(struct strlist *tail, const struct line *line)
{
    size_t length = line->length < MAX_TAIL_LINE_BYTES ? line->length : MAX_TAIL_LINE_BYTES;

    if (line->continues || !length)
        return;
    if (tail->count == ATTEND_TAIL_LINES)
        strlist_remove(tail, 0);
    strlist_add_take(tail, xstrndup(line->text, length));
}

static void receive_error_line(void *context, const struct line *line)
{
    struct attendance *attendance = context;

    keep_line(&attendance->result->tail, line);
    if (attendance->spec->see_error_line)
        attendance->spec->see_error_line(attendance->spec->context, line->text, line->length);
    plugin_log_line_with(attendance->spec->plugin, attendance->spec->log_fields, line->text,
                         line->length);
}

static void receive_output_line(void *context, const struct line *line)
{
    struct attendance *attendance = context;
    const struct attend_spec *spec = attendance->spec;

    if (attendance->result->was_enough || spec->take_line(spec->context, line->text, line->length))
        return;
    attendance->result->was_enough = true;
    process_signal(&attendance->process, SIGTERM);
    loop_timer_set(attendance->kill_timer, ENOUGH_GRACE_MS);
}

static void kill_program(void *context)
{
    struct attendance *attendance = context;

    process_signal(&attendance->process, SIGKILL);
}

static void give_up_streams(void *context)
{
    struct attendance *attendance = context;

    attendance->gave_up_streams = true;
}

static void notify_end(void *context, struct process *process)
{
    struct attendance *attendance = context;

    (void)process;
    attendance->has_ended = true;
    loop_timer_set(attendance->leftover_timer, LEFTOVER_MS);
}

/* Ctrl-C on a terminal reaches the whole group, so the program has had it already and decides what
 * it means. */
static bool has_got_signal(const struct attendance *attendance, int signal_number)
{
    return signal_number == SIGINT && attendance->spec->uses_terminal && isatty(STDIN_FILENO);
}

static void notify_signal(void *context, int signal_number)
{
    struct attendance *attendance = context;

    if (has_got_signal(attendance, signal_number))
        return;
    if (attendance->result->signal_number) {
        kill_program(attendance);
        return;
    }
    attendance->result->signal_number = signal_number;
    process_signal(&attendance->process, signal_number);
    if (attendance->spec->grace_ms >= 0)
        loop_timer_set(attendance->kill_timer, attendance->spec->grace_ms);
}

static int spawn(struct attendance *attendance, struct error *err)
{
    const struct attend_spec *spec = attendance->spec;
    auto_fd int output_read = -1;
    auto_fd int output_write = -1;
    auto_fd int errors_read = -1;
    auto_fd int errors_write = -1;
    int fds[2];
    struct spawn_spec program = {
        .argv = (const char *const *)spec->argv->items,
        .env = (const char *const *)spec->env->items,
        .cwd = spec->cwd,
        .fds = {spec->input_fd, spec->output_fd, SPAWN_INHERIT},
        .new_group = !spec->uses_terminal,
    };

    if (process_pipe(fds, err) < 0)
        return -1;
    errors_read = fds[0];
    program.fds[2] = errors_write = fds[1];
    if (spec->take_line) {
        if (process_pipe(fds, err) < 0)
            return -1;
        output_read = fds[0];
        program.fds[1] = output_write = fds[1];
    }
    if (process_spawn(&program, &attendance->process, err) < 0)
        return -1;
    open_stream(attendance, &attendance->errors, errors_read, MAX_LINE_BYTES, receive_error_line);
    errors_read = -1;
    if (spec->take_line)
        open_stream(attendance, &attendance->output, output_read,
                    spec->max_line_bytes ? spec->max_line_bytes : MAX_LINE_BYTES,
                    receive_output_line);
    output_read = -1;
    return 0;
}

static bool is_done(const struct attendance *attendance)
{
    bool streams_are_closed = attendance->errors.fd < 0 && attendance->output.fd < 0;

    return attendance->has_ended && (streams_are_closed || attendance->gave_up_streams);
}

static void supervise(struct attendance *attendance)
{
    struct loop *loop = attendance->loop;

    loop_watch_process(loop, &attendance->process, notify_end, attendance);
    while (!is_done(attendance))
        loop_run_once(loop, -1);
    if (attendance->gave_up_streams)
        log_warning("What %s has left running is ended", attendance->spec->plugin->name);
    process_end_group(&attendance->process, 0);
    attendance->result->end = attendance->process.end;
}

int attend(const struct attend_spec *spec, struct attend_result *result, struct error *err)
{
    struct attendance attendance = {
        .spec = spec,
        .result = result,
        .loop = loop_new(),
        .process = PROCESS_INIT,
        .output = {.fd = -1},
        .errors = {.fd = -1},
    };
    int status;

    attendance.kill_timer = loop_watch_timer(attendance.loop, -1, 0, kill_program, &attendance);
    attendance.leftover_timer =
        loop_watch_timer(attendance.loop, -1, 0, give_up_streams, &attendance);
    /* Before it starts: a signal in between must not end us and leave it behind. */
    loop_watch_signals(attendance.loop, notify_signal, &attendance);
    status = spawn(&attendance, err);
    if (!status)
        supervise(&attendance);
    close_stream(&attendance.output);
    close_stream(&attendance.errors);
    loop_free(attendance.loop);
    return status;
}

int attend_signal_error(const struct attend_result *result, const char *what, struct error *err)
{
    bool interrupted = result->signal_number == SIGINT;

    return error_set(err, interrupted ? ERR_INTERRUPTED : ERR_TERMINATED, "%s was %s by a signal",
                     what, interrupted ? "interrupted" : "terminated");
}
