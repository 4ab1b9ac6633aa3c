#include "pipeline/command_block.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "pipeline/stage.h"
#include "process/loop.h"

#include <signal.h>
#include <unistd.h>

/* How often a log that nobody watches says that the command runs on. */
#define PROGRESS_MS 30000
/* The part of the grace, in tenths, that the command has until SIGKILL; the rest is ours. */
#define COMMAND_SHARE 7
/* How long what a command left behind may keep its output open. */
#define LEFTOVER_MS 2000

struct command_run {
    struct stage stage;
    const char *words, *log_path;
    struct loop *loop;
    const struct run_settings *settings;
    struct loop_watch *kill_timer, *leftover_timer;
    int stop_signal;
    bool timed_out;
    bool gave_up_output;
};

static void notify_end(void *context, struct process *process)
{
    struct command_run *run = context;

    (void)process;
    run->stage.has_ended = true;
    loop_timer_set(run->leftover_timer, LEFTOVER_MS);
}

/* Its output is still open: something it started lives on. */
static void give_up_output(void *context)
{
    struct command_run *run = context;

    run->gave_up_output = true;
}

static void kill_command(void *context)
{
    struct command_run *run = context;

    stage_take_snapshot(&run->stage, "deaf");
    process_signal(&run->stage.process, SIGKILL);
}

static void stop_command(struct command_run *run)
{
    if (run->stage.was_stopped) {
        kill_command(run);
        return;
    }
    run->stage.was_stopped = true;
    process_signal(&run->stage.process, SIGTERM);
    loop_timer_set(run->kill_timer, run->settings->stop_grace_ms / 10 * COMMAND_SHARE);
}

static void notify_signal(void *context, int signal_number)
{
    struct command_run *run = context;

    if (!run->stop_signal)
        run->stop_signal = signal_number;
    log_warning("Ending on signal %d", signal_number);
    stop_command(run);
}

static void notify_deadline(void *context)
{
    struct command_run *run = context;

    run->timed_out = true;
    log_error("Run timed out");
    stage_take_snapshot(&run->stage, "timeout");
    stop_command(run);
}

static void log_progress(void *context)
{
    const struct command_run *run = context;
    int64_t passed_ms = clock_monotonic_ms() - run->stage.process.started_ms;

    log_info("Progress: %s has been running for %lld s", run->words, (long long)passed_ms / 1000);
}

static int judge(const struct command_run *run, struct error *err)
{
    const struct process_end *end = &run->stage.process.end;

    if (run->stop_signal)
        return error_set(err, run->stop_signal == SIGINT ? ERR_INTERRUPTED : ERR_TERMINATED,
                         "the run was %s by a signal while '%s' ran",
                         run->stop_signal == SIGINT ? "interrupted" : "terminated",
                         run->stage.plugin->name);
    if (run->timed_out)
        return error_set(err, ERR_TIMEOUT, "the run timed out while '%s' ran",
                         run->stage.plugin->name);
    if (end->kind != EXIT_STATUS || end->code != 0)
        return stage_set_failure(&run->stage, run->log_path, err);
    return 0;
}

static enum end_cause cause_of(const struct command_run *run)
{
    const struct end_facts facts = {
        .end = &run->stage.process.end,
        .was_started = run->stage.process.pid > 0,
        .was_stopped = run->stage.was_stopped,
        .stop_cause = run->timed_out && !run->stop_signal ? CAUSE_TIMEOUT : CAUSE_STOPPED,
    };

    return end_cause_find(&facts);
}

static int supervise(struct command_run *run, int64_t deadline_ms, struct error *err)
{
    int64_t left = deadline_ms ? deadline_ms - clock_monotonic_ms() : -1;

    run->kill_timer = loop_watch_timer(run->loop, -1, 0, kill_command, run);
    run->leftover_timer = loop_watch_timer(run->loop, -1, 0, give_up_output, run);
    if (!isatty(STDERR_FILENO))
        loop_watch_timer(run->loop, PROGRESS_MS, PROGRESS_MS, log_progress, run);
    if (deadline_ms)
        loop_watch_timer(run->loop, left > 0 ? left : 0, 0, notify_deadline, run);
    if (stage_start(&run->stage, run->loop, SPAWN_NULL, SPAWN_NULL, true, notify_end, run, err) < 0)
        return -1;
    loop_watch_signals(run->loop, notify_signal, run);
    while (!run->stage.has_ended || (run->stage.error_fd >= 0 && !run->gave_up_output))
        loop_run_once(run->loop, -1);
    return judge(run, err);
}

int command_block_run(struct config *config, const struct block *block,
                      const struct run_settings *settings, int64_t deadline_ms,
                      struct block_record *record, struct error *err)
{
    struct command_run run = {
        .words = record->words,
        .log_path = record->log_path,
        .settings = settings,
    };
    struct invocation_options options = {0};
    int result;
    struct process_record *process;

    stage_init(&run.stage, block->plugins[0], ROLE_COMMAND);
    block_record_set_processes(record, 1);
    process = &record->processes[0];
    result = invocation_prepare(config, run.stage.plugin, &options, &run.stage.invocation, err);
    run.stage.is_prepared = !result;
    if (!result)
        plugin_config_register_secrets(run.stage.invocation.config);
    if (!result && block->command)
        result = invocation_set_command(&run.stage.invocation, block->command, NULL, err);
    if (!result) {
        run.loop = loop_new();
        result = supervise(&run, deadline_ms, err);
        if (result)
            stage_log_tail(&run.stage);
    }
    process->cause = cause_of(&run);
    stage_finish(&run.stage, result != 0, process);
    if (err->code == ERR_COMMAND || process->cause == CAUSE_NOT_STARTED)
        block_record_set_culprit(record, 0);
    loop_free(run.loop);
    return result;
}
