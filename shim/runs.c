/* runs: what earlier runs left in the system database. */
#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "pipeline/run_record.h"
#include "shim/app.h"
#include "shim/commands.h"
#include "shim/failures.h"
#include "shim/table.h"

#include <string.h>
#include <unistd.h>

#define DEFAULT_LIMIT 20
/* A run reports every five seconds, Meltano's every second. */
#define SILENT_AFTER_US (60 * INT64_C(1000000))

static const char *text_or(const struct value *map, const char *key, const char *fallback)
{
    const char *text = value_get_text(map, key);

    return text ? text : fallback;
}

/* "2026-11-22 12:19:01" of a record's time. */
static void add_time(struct table *table, const char *time)
{
    if (strlen(time) < 19)
        table_add(table, "");
    else
        table_addf(table, "%.10s %.8s", time, time + 11);
}

static void add_duration(struct table *table, long long duration_ms)
{
    if (duration_ms < 1000)
        table_addf(table, "%lldms", duration_ms);
    else if (duration_ms < 60 * 1000)
        table_addf(table, "%lld.%llds", duration_ms / 1000, duration_ms % 1000 / 100);
    else
        table_addf(table, "%lldm %02llds", duration_ms / 60000, duration_ms / 1000 % 60);
}

static long long sum_of(const struct value *list, const char *key)
{
    long long sum = 0;

    for (size_t i = 0; i < value_count(list); i++)
        sum += value_to_int(value_get(value_at(list, i), key), 0);
    return sum;
}

static int parse_record(const char *text, struct value **out, struct error *err)
{
    return json_parse(text, strlen(text), "run record", out, err);
}

/* --- list --------------------------------------------------------------------------------- */

struct list_args {
    const char *state_id;
    long limit;
    int format;
};

static const char *const list_titles[] = {"STATUS",   "RUN ID",  "STATE ID", "STARTED (UTC)",
                                          "DURATION", "RECORDS", "TRIGGER"};

static void add_record_row(struct table *table, const struct value *record)
{
    table_add(table, text_or(record, "status", ""));
    table_add(table, text_or(record, "run_id", ""));
    table_add(table, text_or(record, "state_id", "-"));
    add_time(table, text_or(record, "started_at", ""));
    add_duration(table, value_to_int(value_get(record, "duration_ms"), 0));
    table_addf(table, "%lld", sum_of(value_get(record, "streams"), "records"));
    table_add(table, text_or(value_get(record, "trigger"), "kind", ""));
}

static bool is_silent(const struct run_row *row)
{
    int64_t last_us =
        row->last_heartbeat_us > row->started_at_us ? row->last_heartbeat_us : row->started_at_us;

    return clock_now_us() - last_us > SILENT_AFTER_US;
}

/* "cli, process 4711 on etl-1": what started the run, and where it is. */
static void add_whereabouts(struct table *table, struct store *store, const struct run_row *row)
{
    const char *trigger = row->trigger ? row->trigger : "";
    struct lock_owner owner = {0};

    if (row->state_id)
        store_lock_owner(store, row->state_id, &owner);
    /* A Meltano takes no lock, and the last owner was another run. */
    if (owner.pid && !strcmp(owner.run_id, row->run_id))
        table_addf(table, "%s, process %d on %s", trigger, owner.pid, owner.host);
    else
        table_add(table, trigger);
}

static void add_running_row(struct table *table, struct store *store, const struct run_row *row)
{
    auto_strbuf struct strbuf started = STRBUF_INIT;

    strbuf_add_iso_time(&started, row->started_at_us);
    table_add(table, is_silent(row) ? "silent" : "running");
    table_add(table, row->run_id);
    table_add(table, row->state_id ? row->state_id : "-");
    add_time(table, strbuf_text(&started));
    add_duration(table, (clock_now_us() - row->started_at_us) / 1000);
    table_add(table, "");
    add_whereabouts(table, store, row);
}

/* Runs that have no record yet: those that go on, Meltano's own among them. */
static int add_running(struct store *store, const char *state_id, struct table *table,
                       struct error *err)
{
    struct run_row_list rows = {0};

    if (store_list_runs(store, state_id, 0, &rows, err) < 0)
        return -1;
    for (size_t i = 0; i < rows.count; i++)
        if (rows.items[i].state == RUN_RUNNING)
            add_running_row(table, store, &rows.items[i]);
    run_row_list_clear(&rows);
    return 0;
}

static int list_as_json(struct app *app, const struct strlist *records, struct error *err)
{
    auto_value struct value *result = value_new_map();
    struct value *runs = value_new_list();

    value_set_take(result, "runs", runs);
    for (size_t i = 0; i < records->count; i++) {
        struct value *record;

        if (parse_record(records->items[i], &record, err) < 0)
            return -1;
        value_append_take(runs, record);
    }
    app_print_json(app, result);
    return 0;
}

static int list_as_table(struct app *app, struct store *store, const struct list_args *args,
                         const struct strlist *records, struct error *err)
{
    auto_table struct table table = {0};

    TABLE_INIT(&table, list_titles);
    if (add_running(store, args->state_id, &table, err) < 0)
        return -1;
    for (size_t i = 0; i < records->count; i++) {
        auto_value struct value *record = NULL;

        if (args->limit && table.cells.count / ARRAY_LEN(list_titles) > (size_t)args->limit)
            break;
        if (parse_record(records->items[i], &record, err) < 0)
            return -1;
        add_record_row(&table, record);
    }
    if (table.cells.count == ARRAY_LEN(list_titles))
        app_print(app, "No runs are recorded.\n");
    else
        table_print(&table, &app->out);
    return 0;
}

static int run_list(struct app *app, void *data, struct error *err)
{
    const struct list_args *args = data;
    struct store *store = app_store(app, STORE_READ, err);
    auto_strlist struct strlist records = STRLIST_INIT;

    if (!store || store_list_records(store, args->state_id, (size_t)args->limit, &records, err) < 0)
        return -1;
    return args->format == OUTPUT_JSON ? list_as_json(app, &records, err)
                                       : list_as_table(app, store, args, &records, err);
}

static const struct option_def list_options[] = {
    OPTION_STRING(struct list_args, state_id, "state-id", "Show only runs of this state ID.",
                  .word = WORD_STATE_ID),
    OPTION_NUMBER(struct list_args, limit, "limit", "Show this many at the most; 0 for all.",
                  .letter = 'l', .value = DEFAULT_LIMIT, .has_minimum = true, .minimum = 0),
    FORMAT_OPTION(struct list_args),
    {0},
};

static const struct command list_command = {
    .name = "list",
    .summary = "List runs, the newest first.",
    .details = "Those that go on come first, with their process. One that has given no sign of "
               "life for a minute is 'silent': most likely it was killed, and the next run of its "
               "state ID says so in its record. Runs of the Python Meltano that have ended are in "
               "'logs list'.",
    .options = list_options,
    .args_size = sizeof(struct list_args),
    .run = run_list,
};

/* --- failures ----------------------------------------------------------------------------- */

/* How many of the newest runs are looked at. */
#define FAILURE_RUNS 1000

static void add_failure_row(struct table *table, const struct failure *failure)
{
    table_addf(table, "%zu", failure->run_ids.count);
    add_time(table, failure->first_at);
    add_time(table, failure->last_at);
    table_add(table, failure->fingerprint);
    table_addf(table, failure->state_ids.count > 1 ? "%s, ..." : "%s",
               failure->state_ids.count ? failure->state_ids.items[0] : "-");
    table_add(table, failure->signature);
}

static struct value *list_value(const struct strlist *list)
{
    struct value *value = value_new_list();

    for (size_t i = 0; i < list->count; i++)
        value_append_string(value, list->items[i]);
    return value;
}

static struct value *failure_value(const struct failure *failure)
{
    struct value *value = value_new_map();

    value_set_string(value, "fingerprint", failure->fingerprint);
    value_set_string(value, "signature", failure->signature);
    value_set_string(value, "message", failure->message);
    value_set_int(value, "times", (long long)failure->run_ids.count);
    value_set_string(value, "first_at", failure->first_at);
    value_set_string(value, "last_at", failure->last_at);
    value_set_take(value, "state_ids", list_value(&failure->state_ids));
    value_set_take(value, "run_ids", list_value(&failure->run_ids));
    return value;
}

static void print_failures(struct app *app, const struct failure_list *failures)
{
    static const char *const titles[] = {"TIMES",       "FIRST (UTC)", "LAST (UTC)",
                                         "FINGERPRINT", "STATE ID",    "FAILURE"};
    auto_table struct table table = {0};

    TABLE_INIT(&table, titles);
    for (size_t i = 0; i < failures->count; i++)
        add_failure_row(&table, &failures->items[i]);
    if (failures->count)
        table_print(&table, &app->out);
    else
        app_print(app, "No failures are recorded.\n");
}

static int run_failures(struct app *app, void *data, struct error *err)
{
    const struct list_args *args = data;
    struct store *store = app_store(app, STORE_READ, err);
    auto_failure_list struct failure_list failures = {0};
    auto_value struct value *result = NULL;
    struct value *list;

    if (!store || failures_collect(store, args->state_id, (size_t)args->limit, &failures, err) < 0)
        return -1;
    if (args->format != OUTPUT_JSON) {
        print_failures(app, &failures);
        return 0;
    }
    result = value_new_map();
    list = value_new_list();
    value_set_take(result, "failures", list);
    for (size_t i = 0; i < failures.count; i++)
        value_append_take(list, failure_value(&failures.items[i]));
    app_print_json(app, result);
    return 0;
}

static const struct option_def failures_options[] = {
    OPTION_STRING(struct list_args, state_id, "state-id", "Look only at runs of this state ID.",
                  .word = WORD_STATE_ID),
    OPTION_NUMBER(struct list_args, limit, "limit",
                  "Look at this many of the newest runs; 0 for all; 1000 if not given.",
                  .letter = 'l', .value = FAILURE_RUNS, .has_minimum = true, .minimum = 0),
    FORMAT_OPTION(struct list_args),
    {0},
};

static const struct command failures_command = {
    .name = "failures",
    .summary = "List what made runs fail and how often, the newest first.",
    .details = "Failures of the same cause have the same fingerprint: numbers, identifiers, times "
               "and paths in what they say do not count (docs/reliability.md).",
    .options = failures_options,
    .args_size = sizeof(struct list_args),
    .run = run_failures,
};

/* --- show --------------------------------------------------------------------------------- */

struct show_args {
    const char *run_id;
    int format;
};

static void print_heading(struct app *app, const struct value *record)
{
    static const struct {
        const char *title, *key;
    } lines[] = {
        {"Run", "run_id"},         {"Status", "status"},
        {"State ID", "state_id"},  {"Environment", "environment"},
        {"Started", "started_at"}, {"Ended", "ended_at"},
        {"Host", "host"},          {"Log", "log_path"},
    };
    const struct value *trigger = value_get(record, "trigger");
    const struct value *error = value_get(record, "error");

    for (size_t i = 0; i < ARRAY_LEN(lines); i++)
        if (value_get_text(record, lines[i].key))
            app_print(app, "%-12s %s\n", lines[i].title, value_get_text(record, lines[i].key));
    app_print(app, "%-12s %s", "Trigger", text_or(trigger, "kind", ""));
    if (value_get_text(trigger, "dag_id"))
        app_print(app, ": DAG %s, task %s, try %s", value_get_text(trigger, "dag_id"),
                  text_or(trigger, "task_id", "?"), text_or(trigger, "try_number", "?"));
    app_print(app, "\n");
    if (value_is_map(error))
        app_print(app, "%-12s %s\n%-12s %s\n", "Error", text_or(error, "message", ""), "",
                  text_or(error, "hint", ""));
}

/* How often the same failure was seen, in as many runs as 'failures' looks at. */
static int print_seen(struct app *app, struct store *store, const struct value *record,
                      struct error *err)
{
    const char *fingerprint = value_get_text(value_get(record, "error"), "fingerprint");
    auto_failure_list struct failure_list failures = {0};
    const struct failure *failure;

    if (!fingerprint)
        return 0;
    if (failures_collect(store, NULL, FAILURE_RUNS, &failures, err) < 0)
        return -1;
    app_print(app, "%-12s %s", "Fingerprint", fingerprint);
    failure = failures_find(&failures, fingerprint);
    if (failure && failure->run_ids.count > 1)
        app_print(app, ", seen %zu times since %s", failure->run_ids.count, failure->first_at);
    app_print(app, "\n");
    return 0;
}

static void print_streams(struct app *app, const struct value *streams)
{
    static const char *const titles[] = {"STREAM", "RECORDS", "BYTES", "BOOKMARK BEFORE",
                                         "BOOKMARK AFTER"};
    auto_table struct table table = {0};

    if (!value_count(streams))
        return;
    TABLE_INIT(&table, titles);
    for (size_t i = 0; i < value_count(streams); i++) {
        const struct value *stream = value_at(streams, i);
        auto_free char *before = json_to_text(value_get(stream, "bookmark_before"), &json_compact);
        auto_free char *after = json_to_text(value_get(stream, "bookmark_after"), &json_compact);

        table_add(&table, text_or(stream, "name", ""));
        table_add(&table, text_or(stream, "records", "0"));
        table_add(&table, text_or(stream, "bytes", "0"));
        table_add(&table, strcmp(before, "null") ? before : "-");
        table_add(&table, strcmp(after, "null") ? after : "-");
    }
    app_print(app, "\n");
    table_print(&table, &app->out);
}

static void print_processes(struct app *app, const struct value *processes)
{
    static const char *const titles[] = {"PROCESS", "ROLE", "ENDED", "TIME", "CPU", "MEMORY"};
    auto_table struct table table = {0};

    if (!value_count(processes))
        return;
    TABLE_INIT(&table, titles);
    for (size_t i = 0; i < value_count(processes); i++) {
        const struct value *process = value_at(processes, i);

        table_add(&table, text_or(process, "plugin", ""));
        table_add(&table, text_or(process, "role", ""));
        table_add(&table, text_or(process, "ended", ""));
        add_duration(&table, value_to_int(value_get(process, "duration_ms"), 0));
        add_duration(&table, value_to_int(value_get(process, "cpu_ms"), 0));
        table_addf(&table, "%lld MiB",
                   value_to_int(value_get(process, "peak_memory_kib"), 0) / 1024);
    }
    app_print(app, "\n");
    table_print(&table, &app->out);
}

/* The last lines of whoever made the run fail. */
static void print_last_lines(struct app *app, const struct value *processes)
{
    for (size_t i = 0; i < value_count(processes); i++) {
        const struct value *process = value_at(processes, i);
        const struct value *culprit = value_get(process, "culprit");
        const struct value *tail = value_get(process, "stderr_tail");

        if (!value_is_truthy(culprit) || !value_count(tail))
            continue;
        app_print(app, "\nLast lines of %s:\n", text_or(process, "plugin", ""));
        for (size_t j = 0; j < value_count(tail); j++)
            app_print(app, "  %s\n", value_text(value_at(tail, j)));
    }
}

static int find_record(struct store *store, const char *run_id, char **out, struct error *err)
{
    auto_strlist struct strlist newest = STRLIST_INIT;

    if (run_id) {
        if (store_find_record(store, run_id, out, err) < 0)
            return -1;
        if (*out)
            return 0;
        error_set(err, ERR_FAILED, "no run with the ID '%s' is recorded", run_id);
        return error_hint(err,
                          "A run has its record when it has ended; 'meltshim runs list' shows "
                          "all. 'meltshim logs show %s' shows its log.",
                          run_id);
    }
    if (store_list_records(store, NULL, 1, &newest, err) < 0)
        return -1;
    if (!newest.count)
        return error_set(err, ERR_FAILED, "no run is recorded");
    *out = xstrdup(newest.items[0]);
    return 0;
}

static int run_show(struct app *app, void *data, struct error *err)
{
    const struct show_args *args = data;
    struct store *store = app_store(app, STORE_READ, err);
    auto_free char *text = NULL;
    auto_value struct value *record = NULL;

    if (!store || find_record(store, args->run_id, &text, err) < 0 ||
        parse_record(text, &record, err) < 0)
        return -1;
    if (args->format == OUTPUT_JSON || (!args->format && !isatty(STDOUT_FILENO))) {
        app_print_json(app, record);
        return 0;
    }
    print_heading(app, record);
    if (print_seen(app, store, record, err) < 0)
        return -1;
    print_streams(app, value_get(record, "streams"));
    print_processes(app, value_get(record, "processes"));
    print_last_lines(app, value_get(record, "processes"));
    return 0;
}

static const struct option_def show_options[] = {
    OPTION_CHOICE(struct show_args, format, "format",
                  "Form of the output; text on a terminal, else JSON, if not given.",
                  .choices = output_formats),
    {0},
};

static const struct argument_def show_arguments[] = {
    ARGUMENT_OPTIONAL(struct show_args, run_id, "RUN_ID"),
    {0},
};

static const struct command show_command = {
    .name = "show",
    .summary = "Show the record of a run: the newest, or the one whose ID begins with RUN_ID.",
    .options = show_options,
    .arguments = show_arguments,
    .args_size = sizeof(struct show_args),
    .run = run_show,
};

const struct command runs_command = {
    .name = "runs",
    .summary = "Show what runs did.",
    .status_when_bare = 2,
    .subcommands =
        (const struct command *const[]){&list_command, &show_command, &failures_command, NULL},
};
