#include "pipeline/stage.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/redact.h"
#include "pipeline/failure_words.h"
#include "plugin/plugin_log.h"
#include "process/snapshot.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#define MAX_LOG_LINE_BYTES  65536
#define MAX_TAIL_LINE_BYTES 500
/* A structured event is of use only as a whole, with the exception in it. */
#define MAX_TAIL_EVENT_BYTES 16384
/* How many of the last lines are shown again when the block has failed. */
#define SHOWN_TAIL_LINES 10

static const enum error_code failure_codes[] = {
    [ROLE_TAP] = ERR_TAP,
    [ROLE_MAPPER] = ERR_MAPPER,
    [ROLE_TARGET] = ERR_TARGET,
    [ROLE_COMMAND] = ERR_COMMAND,
};
_Static_assert(ARRAY_LEN(failure_codes) == ROLE_COUNT, "a process role has no error code");

void stage_init(struct stage *stage, struct plugin *plugin, enum process_role role)
{
    *stage = (struct stage){
        .plugin = plugin,
        .role = role,
        .process = PROCESS_INIT,
        .error_fd = -1,
    };
}

static void keep_line(struct stage *stage, const struct line *line)
{
    size_t limit = line->length && *line->text == '{' ? MAX_TAIL_EVENT_BYTES : MAX_TAIL_LINE_BYTES;
    struct strbuf text = STRBUF_INIT;

    if (line->continues)
        return;
    if (stage->tail.count == STAGE_TAIL_LINES)
        strlist_remove(&stage->tail, 0);
    strbuf_add_bytes(&text, line->text, line->length < limit ? line->length : limit);
    strbuf_blank_nuls(&text);
    if (line->length > limit)
        redact_cut_strbuf(&text);
    strlist_add_take(&stage->tail, strbuf_take(&text));
}

static void receive_error_line(void *context, const struct line *line)
{
    struct stage *stage = context;

    stage->error_lines++;
    if (!line->length)
        return;
    keep_line(stage, line);
    plugin_log_line(stage->plugin, line->text, line->length);
}

static void log_snapshot(const struct stage *stage)
{
    char name[256];

    plugin_describe(stage->plugin, name, sizeof name);
    for (size_t i = 0; i < value_count(stage->snapshot); i++) {
        const struct value *process = value_at(stage->snapshot, i);
        const struct value *descriptors = value_get(process, "descriptors");

        log_warning("Process %s (%s) of %s %s", value_get_text(process, "pid"),
                    value_get_text(process, "command"), name, value_get_text(process, "waits_for"));
        for (size_t j = 0; j < value_count(descriptors); j++)
            log_debug("Its descriptor %s: %s", value_get_text(value_at(descriptors, j), "fd"),
                      value_get_text(value_at(descriptors, j), "what"));
    }
}

void stage_take_snapshot(struct stage *stage, const char *reason)
{
    if (stage->snapshot || stage->has_ended || stage->process.pid <= 0)
        return;
    stage->snapshot = process_snapshot(&stage->process);
    stage->snapshot_reason = reason;
    stage->snapshot_us = clock_now_us();
    log_snapshot(stage);
}

const char *stage_waits_for(const struct stage *stage)
{
    const char *summary = process_snapshot_summary(stage->snapshot);

    return summary ? summary : "does not say what it waits for";
}

static void close_errors(struct stage *stage)
{
    loop_unwatch(stage->error_watch);
    stage->error_watch = NULL;
    line_reader_free(stage->error_reader);
    stage->error_reader = NULL;
    fd_close(&stage->error_fd);
}

void stage_drain_errors(struct stage *stage)
{
    if (stage->error_reader && line_reader_step(stage->error_reader) != LINE_READER_WANTS_INPUT)
        close_errors(stage);
}

static void notify_errors(void *context, unsigned events)
{
    (void)events;
    stage_drain_errors(context);
}

int stage_start(struct stage *stage, struct loop *loop, int input_fd, int output_fd,
                bool output_to_log, void (*ended)(void *context, struct process *process),
                void *context, struct error *err)
{
    int errors[2];
    struct spawn_spec spec = {
        .argv = (const char *const *)stage->invocation.argv.items,
        .env = (const char *const *)stage->invocation.env.items,
        .cwd = stage->invocation.cwd,
        .new_group = true,
    };
    int result;

    if (process_pipe(errors, err) < 0)
        return -1;
    spec.fds[0] = input_fd;
    spec.fds[1] = output_to_log ? errors[1] : output_fd;
    spec.fds[2] = errors[1];
    result = process_spawn(&spec, &stage->process, err);
    fd_close(&errors[1]);
    if (result < 0) {
        char name[256];

        fd_close(&errors[0]);
        return error_wrap(err, "cannot start %s",
                          plugin_describe(stage->plugin, name, sizeof name));
    }
    process_set_nonblocking(errors[0], true);
    stage->error_fd = errors[0];
    stage->error_reader =
        line_reader_new(stage->error_fd, MAX_LOG_LINE_BYTES, receive_error_line, stage);
    stage->error_watch = loop_watch_fd(loop, stage->error_fd, LOOP_READ, notify_errors, stage);
    loop_watch_process(loop, &stage->process, ended, context);
    return 0;
}

/* The position of the first of the last so many lines. */
static size_t first_of_last(const struct strlist *lines, size_t count)
{
    return lines->count > count ? lines->count - count : 0;
}

void stage_finish(struct stage *stage, bool block_failed, struct process_record *record)
{
    if (stage->process.pid > 0)
        process_end_group(&stage->process, 0);
    stage_drain_errors(stage);
    close_errors(stage);
    record->plugin = xstrdup(stage->plugin->name);
    record->role = stage->role;
    record->end = stage->process.end;
    if (stage->process.pid <= 0)
        record->end.kind = EXIT_NOT_STARTED;
    strlist_add_all(&record->argv, &stage->invocation.argv);
    if (block_failed)
        record->last_words = failure_words_of_lines(&stage->tail);
    record->snapshot = take(stage->snapshot);
    record->snapshot_reason = stage->snapshot_reason;
    record->snapshot_us = stage->snapshot_us;
    for (size_t i = first_of_last(&stage->tail, RECORD_TAIL_LINES);
         block_failed && i < stage->tail.count; i++)
        strlist_add(&record->stderr_tail, stage->tail.items[i]);
    strlist_clear(&stage->tail);
    if (stage->is_prepared)
        invocation_end(&stage->invocation);
}

static void set_failure_hint(const struct stage *stage, const char *log_path, struct error *err)
{
    const struct process_end *end = &stage->process.end;

    if (end->out_of_memory)
        error_hint(err, "It ran out of memory: give it more, or make its batches smaller.");
    else if (end->oom_kills)
        error_hint(err,
                   "While it ran the kernel killed %llu processes for want of memory, perhaps some "
                   "that it had started: give it more, or make its batches smaller.",
                   (unsigned long long)end->oom_kills);
    else if (end->kind == EXIT_SIGNAL && end->code == SIGKILL)
        error_hint(err, "Something killed it from outside, perhaps the kernel for want of memory: "
                        "see the kernel's log.");
    else if (log_path)
        error_hint(err, "Its last lines stand above; the whole log is %s.", log_path);
    else
        error_hint(err, "Its last lines stand above; run it alone with 'meltshim invoke %s'.",
                   stage->plugin->name);
}

int stage_set_failure(const struct stage *stage, const char *log_path, struct error *err)
{
    char name[256], how[128];

    error_set(err, failure_codes[stage->role], "%s failed: %s",
              plugin_describe(stage->plugin, name, sizeof name),
              process_end_describe(&stage->process.end, how, sizeof how));
    set_failure_hint(stage, log_path, err);
    return -1;
}

void stage_log_tail(const struct stage *stage)
{
    if (stage->tail.count)
        log_error("The last lines of %s:", stage->plugin->name);
    for (size_t i = first_of_last(&stage->tail, SHOWN_TAIL_LINES); i < stage->tail.count; i++)
        log_event(LOG_ERROR, stage->plugin->name, NULL, "%.*s", MAX_TAIL_LINE_BYTES,
                  stage->tail.items[i]);
}
