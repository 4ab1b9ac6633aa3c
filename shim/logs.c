#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/path.h"
#include "pipeline/run_command.h"
#include "shim/app.h"
#include "shim/commands.h"
#include "shim/table.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Longer logs are not printed without asking. */
#define LONG_LOG_BYTES 2097152

/* --- what the commands have in common ----------------------------------------------------- */

static char *time_text(int64_t time_us, char separator)
{
    struct strbuf out = STRBUF_INIT;

    if (!time_us)
        return NULL;
    strbuf_add_py_time(&out, time_us, separator);
    return strbuf_take(&out);
}

/* "elt/<state id>/<run id>/elt.log" below the directory where the Python Meltano keeps logs. */
static char *python_log_path(const struct app *app, const struct run_row *row)
{
    auto_free char *name = state_id_to_dir_name(row->state_id);
    const char *state_home = strmap_get(&app->environment, "XDG_STATE_HOME");
    const char *home = strmap_get(&app->environment, "HOME");
    auto_free char *base = state_home && *state_home ? xstrdup(state_home)
                                                     : path_join(home ? home : "/", ".local/state");

    return path_joinf(base, "meltano/log/elt/%s/%s/elt.log", name, row->run_id);
}

/* Ours, or the Python Meltano's of a run that it made; NULL when there is neither. */
static char *find_log(const struct app *app, const struct project *project,
                      const struct run_row *row)
{
    auto_free char *directory = run_log_directory(project, row->state_id, row->run_id);
    auto_free char *path = path_join(directory, "elt.log");
    auto_free char *other = python_log_path(app, row);

    if (file_exists(path))
        return take(path);
    return file_exists(other) ? take(other) : NULL;
}

/* --- list --------------------------------------------------------------------------------- */

struct list_args {
    long limit;
    int format;
};

/* Seconds with the decimals that Python prints. */
static struct value *duration_value(const struct run_row *row)
{
    auto_strbuf struct strbuf text = STRBUF_INIT;

    if (!row->ended_at_us)
        return value_new_null();
    strbuf_add_py_float(&text, (double)(row->ended_at_us - row->started_at_us) / 1e6);
    return value_new_number(VALUE_REAL, strbuf_text(&text));
}

static struct value *row_to_value(const struct run_row *row)
{
    auto_free char *started = time_text(row->started_at_us, 'T');
    auto_free char *ended = time_text(row->ended_at_us, 'T');
    struct value *out = value_new_map();

    value_set_string(out, "log_id", row->run_id);
    value_set_string(out, "job_name", row->state_id);
    value_set_string(out, "state", run_state_name(row->state));
    value_set_string_or_null(out, "started_at", started);
    value_set_string_or_null(out, "ended_at", ended);
    value_set_take(out, "duration_seconds", duration_value(row));
    value_set_string_or_null(out, "trigger", row->trigger);
    return out;
}

static void print_json(struct app *app, const struct run_row_list *rows)
{
    auto_value struct value *out = value_new_map();
    struct value *runs = value_new_list();

    value_set_take(out, "runs", runs);
    for (size_t i = 0; i < rows->count; i++)
        value_append_take(runs, row_to_value(&rows->items[i]));
    value_set_int(out, "total", (long long)rows->count);
    app_print_json(app, out);
}

static const char *status_text(enum run_state state)
{
    switch (state) {
    case RUN_SUCCESS:
        return "\u2713 PASS";
    case RUN_FAIL:
        return "\u2717 FAIL";
    case RUN_RUNNING:
        return "\u2192 RUN";
    default:
        return run_state_name(state);
    }
}

static void add_duration(struct table *table, const struct run_row *row)
{
    double seconds = (double)(row->ended_at_us - row->started_at_us) / 1e6;

    if (!row->ended_at_us)
        table_add(table, row->state == RUN_RUNNING ? "running" : "unknown");
    else if (seconds < 60)
        table_addf(table, "%.1fs", seconds);
    else if (seconds < 3600)
        table_addf(table, "%.1fm", seconds / 60);
    else
        table_addf(table, "%.1fh", seconds / 3600);
}

static void print_table(struct app *app, const struct run_row_list *rows)
{
    static const char *const titles[] = {"STATUS",  "LOG ID",   "JOB NAME",
                                         "STARTED", "DURATION", "TRIGGER"};
    auto_table struct table table = {0};

    TABLE_INIT(&table, titles);
    for (size_t i = 0; i < rows->count; i++) {
        const struct run_row *row = &rows->items[i];
        auto_free char *started = time_text(row->started_at_us, ' ');

        table_add(&table, status_text(row->state));
        table_add(&table, row->run_id);
        table_add(&table, row->state_id);
        table_addf(&table, "%.19s", started ? started : "");
        add_duration(&table, row);
        table_add(&table, row->trigger ? row->trigger : "manual");
    }
    table_print(&table, &app->out);
    app_print(app, "\nUse '%s logs show <LOG_ID>' to view a specific log.\n", app->program);
}

static int run_list(struct app *app, void *data, struct error *err)
{
    const struct list_args *args = data;
    struct store *store = app_store(app, STORE_READ, err);
    struct run_row_list rows = {0};

    if (!store || store_list_runs(store, NULL, (size_t)args->limit, &rows, err) < 0)
        return -1;
    if (!rows.count)
        app_print(app, "No job runs found.\n");
    else if (args->format == OUTPUT_JSON)
        print_json(app, &rows);
    else
        print_table(app, &rows);
    run_row_list_clear(&rows);
    return 0;
}

static const struct option_def list_options[] = {
    OPTION_NUMBER(struct list_args, limit, "limit", "How many runs at most.", .letter = 'l',
                  .value = 10, .minimum = 1, .has_minimum = true),
    FORMAT_OPTION(struct list_args),
    {0},
};

static const struct command list_command = {
    .name = "list",
    .summary = "List the last runs that have a log.",
    .options = list_options,
    .args_size = sizeof(struct list_args),
    .run = run_list,
};

/* --- show --------------------------------------------------------------------------------- */

struct show_args {
    const char *log_id;
    long tail;
    int format;
};

static void print_row(struct app *app, const struct run_row *row, int format)
{
    auto_free char *started = time_text(row->started_at_us, format == OUTPUT_JSON ? 'T' : ' ');
    auto_free char *ended = time_text(row->ended_at_us, format == OUTPUT_JSON ? 'T' : ' ');
    auto_value struct value *out = value_new_map();

    if (format != OUTPUT_JSON) {
        app_print(app, "Job: %s\nRun ID: %s\nState: %s\nStarted: %s\nEnded: %s\nTrigger: %s\n\n",
                  row->state_id, row->run_id, run_state_name(row->state), started ? started : "",
                  ended ? ended : "Running", row->trigger ? row->trigger : "Manual");
        return;
    }
    value_set_string(out, "job_name", row->state_id);
    value_set_string(out, "run_id", row->run_id);
    value_set_string(out, "state", run_state_name(row->state));
    value_set_string_or_null(out, "started_at", started);
    value_set_string_or_null(out, "ended_at", ended);
    value_set_string_or_null(out, "trigger", row->trigger);
    app_print_json(app, out);
    app_print(app, "\n");
}

/* Where the last `count` lines begin. */
static size_t find_tail(const struct strbuf *text, size_t count)
{
    size_t at = text->length;

    if (at && text->text[at - 1] == '\n')
        at--;
    for (; at > 0; at--)
        if (text->text[at - 1] == '\n' && !--count)
            break;
    return at;
}

static size_t count_lines(const char *text)
{
    size_t count = 0;

    for (; (text = strchr(text, '\n')); text++)
        count++;
    return count;
}

static int print_log(struct app *app, const char *path, long tail, struct error *err)
{
    auto_strbuf struct strbuf text = STRBUF_INIT;
    size_t begin;

    if (file_read(path, &text, err) < 0)
        return -1;
    begin = tail ? find_tail(&text, (size_t)tail) : 0;
    if (tail) {
        app_print(app, "Last %zu lines:\n", count_lines(strbuf_text(&text) + begin));
        strbuf_add_repeat(&app->out, '-', 40);
    } else {
        app_print(app, "Log content:\n");
        strbuf_add_repeat(&app->out, '-', 12);
    }
    app_print(app, "\n");
    strbuf_add_bytes(&app->out, strbuf_text(&text) + begin, text.length - begin);
    return 0;
}

static bool is_too_long(const char *path)
{
    struct stat info;
    auto_free char *question = NULL;

    if (stat(path, &info) < 0 || info.st_size <= LONG_LOG_BYTES)
        return false;
    question = xasprintf("Log file is large (%.1fMB). Do you want to display it anyway?",
                         (double)info.st_size / 1024 / 1024);
    return !app_confirm(question);
}

static int show_log(struct app *app, const struct run_row *row, const struct show_args *args,
                    struct error *err)
{
    const struct project *project = app_project(app, err);
    auto_free char *path = project ? find_log(app, project, row) : NULL;

    if (!project)
        return -1;
    print_row(app, row, args->format);
    if (!path) {
        error_set(err, ERR_FAILED, "log file not found for job run '%s'", args->log_id);
        return error_hint(err, "It may have been removed, or the run made none.");
    }
    if (!args->tail && is_too_long(path)) {
        app_print(app, "Log file path: %s\n", path);
        return 0;
    }
    return print_log(app, path, args->tail, err);
}

static int run_show(struct app *app, void *data, struct error *err)
{
    const struct show_args *args = data;
    struct store *store = app_store(app, STORE_READ, err);
    struct run_row_list rows = {0};
    int result;

    if (!store || store_find_runs(store, args->log_id, &rows, err) < 0)
        return -1;
    if (rows.count)
        result = show_log(app, &rows.items[0], args, err);
    else
        result = error_set(err, ERR_FAILED, "no job found with log ID '%s'", args->log_id);
    run_row_list_clear(&rows);
    return result;
}

static const struct option_def show_options[] = {
    OPTION_NUMBER(struct show_args, tail, "tail", "Only the last lines.", .letter = 'n',
                  .minimum = 1, .has_minimum = true),
    FORMAT_OPTION(struct show_args),
    {0},
};

static const struct argument_def show_arguments[] = {
    ARGUMENT_ONE(struct show_args, log_id, "LOG_ID"),
    {0},
};

static const struct command show_command = {
    .name = "show",
    .summary = "Print the log of a run.",
    .details = "LOG_ID is the id of the run, or its beginning if no other begins so.",
    .options = show_options,
    .arguments = show_arguments,
    .args_size = sizeof(struct show_args),
    .run = run_show,
};

/* --- dir ---------------------------------------------------------------------------------- */

static int run_dir(struct app *app, void *data, struct error *err)
{
    const struct project *project = app_project(app, err);
    auto_free char *path = project ? path_join(project->sys_dir, "logs") : NULL;

    (void)data;
    if (!project)
        return -1;
    app_print(app, "%s\n", path);
    return 0;
}

static const struct command dir_command = {
    .name = "dir",
    .summary = "Print the directory of the logs.",
    .run = run_dir,
};

/* --- the group ---------------------------------------------------------------------------- */

static const struct command *const logs_commands[] = {
    &list_command,
    &show_command,
    &dir_command,
    NULL,
};

const struct command logs_command = {
    .name = "logs",
    .summary = "Show the logs of runs.",
    .subcommands = logs_commands,
    .status_when_bare = 2,
};
