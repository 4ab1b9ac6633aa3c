#include "base/clock.h"
#include "base/memory.h"
#include "base/path.h"
#include "config/env_name.h"
#include "process/process.h"
#include "shim/app.h"
#include "shim/commands.h"

#include <string.h>

/* --- list --------------------------------------------------------------------------------- */

struct list_args {
    int format;
};

static struct value *copy_or_empty_map(const struct value *map)
{
    return map ? value_copy(map) : value_new_map();
}

/* As isoformat() gives it; null when it never ended well. */
static int add_last_success(struct app *app, const struct schedule *schedule, struct value *out,
                            struct error *err)
{
    auto_strbuf struct strbuf time = STRBUF_INIT;
    struct store *store = app_store(app, STORE_READ, err);
    int64_t ended_at_us;

    if (!store || store_last_success(store, schedule->name, &ended_at_us, err) < 0)
        return -1;
    if (ended_at_us)
        strbuf_add_py_time(&time, ended_at_us, 'T');
    value_set_string_or_null(out, "last_successful_run_ended_at", time.text);
    return 0;
}

static void add_elt_args(const struct schedule *schedule, struct strlist *out)
{
    strlist_add(out, schedule->extractor);
    strlist_add(out, schedule->loader);
    strlist_addf(out, "--transform=%s", schedule->transform);
    strlist_addf(out, "--state-id=%s", schedule->name);
}

static int add_elt_schedule(struct app *app, const struct schedule *schedule, struct value *list,
                            struct error *err)
{
    auto_value struct value *entry = value_new_map();
    auto_strlist struct strlist words = STRLIST_INIT;
    struct value *args = value_new_list();

    value_set_string(entry, "name", schedule->name);
    value_set_string(entry, "extractor", schedule->extractor);
    value_set_string(entry, "loader", schedule->loader);
    value_set_string(entry, "transform", schedule->transform);
    value_set_string_or_null(entry, "interval", schedule->interval);
    /* Meltano 4 prints none any more, but the DAG generator of files-airflow reads it. */
    value_set_string_or_null(entry, "start_date", value_get_text(schedule->entry, "start_date"));
    value_set_take(entry, "env", copy_or_empty_map(schedule->env));
    value_set_string_or_null(entry, "cron_interval", schedule_cron(schedule));
    add_elt_args(schedule, &words);
    for (size_t i = 0; i < words.count; i++)
        value_append_string(args, words.items[i]);
    if (add_last_success(app, schedule, entry, err) < 0) {
        value_free(args);
        return -1;
    }
    value_set_take(entry, "elt_args", args);
    value_append_take(list, take(entry));
    return 0;
}

static int add_job_schedule(const struct project *project, const struct schedule *schedule,
                            struct value *list, struct error *err)
{
    const struct job *job = schedule_require_job(project, schedule, err);
    struct value *entry, *tasks;

    if (!job)
        return -1;
    tasks = value_new_map();
    value_set_string(tasks, "name", job->name);
    value_set_take(tasks, "tasks", value_copy(job->tasks));
    entry = value_new_map();
    value_set_string(entry, "name", schedule->name);
    value_set_string_or_null(entry, "interval", schedule->interval);
    value_set_string_or_null(entry, "cron_interval", schedule_cron(schedule));
    value_set_take(entry, "env", copy_or_empty_map(schedule->env));
    value_set_take(entry, "job", tasks);
    value_append_take(list, entry);
    return 0;
}

static int list_as_json(struct app *app, const struct project *project, struct error *err)
{
    auto_value struct value *out = value_new_map();
    struct value *schedules = value_new_map();
    struct value *jobs = value_new_list(), *elts = value_new_list();

    value_set_take(out, "schedules", schedules);
    value_set_take(schedules, "job", jobs);
    value_set_take(schedules, "elt", elts);
    for (size_t i = 0; i < project->schedule_count; i++) {
        const struct schedule *schedule = &project->schedules[i];

        if ((schedule->job ? add_job_schedule(project, schedule, jobs, err)
                           : add_elt_schedule(app, schedule, elts, err)) < 0)
            return -1;
    }
    app_print_json(app, out);
    return 0;
}

static void print_interval(struct app *app, const struct schedule *schedule)
{
    app_print(app, "[%s] ", schedule->interval ? schedule->interval : "None");
}

static int print_job_schedule(struct app *app, const struct project *project,
                              const struct schedule *schedule, struct error *err)
{
    const struct job *job = schedule_require_job(project, schedule, err);
    auto_strbuf struct strbuf tasks = STRBUF_INIT;

    if (!job)
        return -1;
    strbuf_add_py_repr(&tasks, job->tasks);
    print_interval(app, schedule);
    app_print(app, "job %s: %s \u2192 %s\n", schedule->name, schedule->job, strbuf_text(&tasks));
    return 0;
}

static void print_elt_schedule(struct app *app, const struct schedule *schedule)
{
    const char *load = !strcmp(schedule->transform, "only") ? "\u00d7" : "\u2192";
    const char *transform = !strcmp(schedule->transform, "skip") ? "x" : "\u2192";

    print_interval(app, schedule);
    app_print(app, "elt %s: %s %s %s %s transforms\n", schedule->name, schedule->extractor, load,
              schedule->loader, transform);
}

static int list_as_text(struct app *app, const struct project *project, struct error *err)
{
    for (size_t i = 0; i < project->schedule_count; i++) {
        const struct schedule *schedule = &project->schedules[i];

        if (!schedule->job)
            print_elt_schedule(app, schedule);
        else if (print_job_schedule(app, project, schedule, err) < 0)
            return -1;
    }
    return 0;
}

static int run_list(struct app *app, void *data, struct error *err)
{
    const struct list_args *args = data;
    struct config *config = app_config(app, err);

    if (!config)
        return -1;
    if (args->format == OUTPUT_JSON)
        return list_as_json(app, config_project(config), err);
    return list_as_text(app, config_project(config), err);
}

static const struct option_def list_options[] = {
    FORMAT_OPTION(struct list_args),
    {0},
};

static const struct command list_command = {
    .name = "list",
    .summary = "List the schedules.",
    .options = list_options,
    .args_size = sizeof(struct list_args),
    .run = run_list,
};

/* --- run ---------------------------------------------------------------------------------- */

struct run_args {
    const char *name;
    struct strlist words;
};

/* What Meltano gives to the Meltano that it starts for a schedule. An environment that is only the
 * default is left to that one to choose, hence the empty variable. */
static void set_schedule_environment(const struct app *app, const struct config *config,
                                     const struct schedule *schedule, struct strmap *out)
{
    const struct environment *environment = config_environment(config);

    strmap_copy(out, &app->environment);
    strmap_set(out, "MELTANO_PROJECT_ROOT", config_project(config)->root);
    strmap_set(out, "MELTANO_ENVIRONMENT", environment ? environment->name : "");
    for (size_t i = 0; i < app->overrides.count; i++) {
        auto_free char *name = env_name("meltano", app->overrides.entries[i].key);

        strmap_set(out, name, app->overrides.entries[i].value);
    }
    for (size_t i = 0; i < value_count(schedule->env); i++) {
        const struct value_member *member = value_member_at(schedule->env, i);
        auto_strbuf struct strbuf text = STRBUF_INIT;

        strbuf_add_py_str(&text, member->value);
        strmap_set(out, member->key, strbuf_text(&text));
    }
}

static void set_schedule_words(const struct app *app, const struct schedule *schedule,
                               const struct strlist *words, struct strlist *out)
{
    auto_free char *self = path_resolve("/proc/self/exe");

    strlist_add(out, self ? self : app->argv.items[0]);
    if (app->parsed.globals.env_file)
        strlist_addf(out, "--env-file=%s", app->parsed.globals.env_file);
    if (app->parsed.globals.no_environment)
        strlist_add(out, "--no-environment");
    if (schedule->job) {
        strlist_add(out, "run");
        strlist_add_all(out, words);
        strlist_add(out, schedule->job);
    } else {
        strlist_add(out, "elt");
        add_elt_args(schedule, out);
        strlist_add_all(out, words);
    }
}

/* Becomes the run: signals and the exit status need no go-between. */
static int run_run(struct app *app, void *data, struct error *err)
{
    const struct run_args *args = data;
    struct config *config = app_config(app, err);
    auto_strmap struct strmap environment = STRMAP_INIT;
    auto_strlist struct strlist words = STRLIST_INIT;
    auto_strlist struct strlist variables = STRLIST_INIT;
    const struct schedule *schedule;

    if (!config)
        return -1;
    schedule = project_find_schedule(config_project(config), args->name);
    if (!schedule)
        return error_set(err, ERR_CONFIG, "schedule '%s' was not found", args->name);
    set_schedule_environment(app, config, schedule, &environment);
    set_schedule_words(app, schedule, &args->words, &words);
    strmap_to_environ(&environment, &variables);
    return process_replace((const char *const *)words.items, (const char *const *)variables.items,
                           err);
}

static const struct argument_def run_arguments[] = {
    ARGUMENT_ONE(struct run_args, name, "NAME", .word = WORD_SCHEDULE),
    ARGUMENT_MANY(struct run_args, words, "ARGS"),
    {0},
};

static const struct command run_schedule_command = {
    .name = "run",
    .summary = "Run a schedule now.",
    .details = "ARGS are passed to 'run', or to 'elt' for a schedule without a job.",
    .arguments = run_arguments,
    .args_size = sizeof(struct run_args),
    .run = run_run,
    .stops_at_argument = true,
};

/* --- the group ---------------------------------------------------------------------------- */

static const struct command *const schedule_commands[] = {
    &list_command,         &run_schedule_command,    &schedule_add_command,
    &schedule_set_command, &schedule_remove_command, NULL,
};

/* "schedule NAME ..." */
static const struct command *guess_add(struct app *app, const struct command *group, int *count,
                                       char ***words)
{
    (void)app;
    (void)count;
    (void)words;
    return command_find(group, "add");
}

const struct command schedule_command = {
    .name = "schedule",
    .summary = "Manage schedules.",
    .subcommands = schedule_commands,
    .guess = guess_add,
    .environment = ENVIRONMENT_EXPLICIT,
    .status_when_bare = 2,
};
