#include "base/yaml.h"
#include "pipeline/plan.h"
#include "shim/commands.h"
#include "shim/project_change.h"

#include <string.h>

/* --- list --------------------------------------------------------------------------------- */

struct list_args {
    int format;
    const char *name;
};

static struct value *job_to_value(const struct job *job)
{
    struct value *out = value_new_map();

    value_set_string(out, "job_name", job->name);
    value_set_take(out, "tasks", value_copy(job->tasks));
    return out;
}

static void print_job(struct app *app, const struct job *job)
{
    auto_strbuf struct strbuf tasks = STRBUF_INIT;

    strbuf_add_py_repr(&tasks, job->tasks);
    app_print(app, "%s: %s\n", job->name, strbuf_text(&tasks));
}

/* An unknown name is no failure, in Meltano either. */
static void list_one(struct app *app, const struct project *project, const struct list_args *args)
{
    const struct job *job = project_find_job(project, args->name);

    if (!job) {
        app_print(app, "Job '%s' does not exist.\n", args->name);
    } else if (args->format == OUTPUT_JSON) {
        auto_value struct value *out = job_to_value(job);

        app_print_json(app, out);
    } else {
        print_job(app, job);
    }
}

static void list_all(struct app *app, const struct project *project, int format)
{
    auto_value struct value *out = value_new_map();
    struct value *jobs = value_new_list();

    value_set_take(out, "jobs", jobs);
    for (size_t i = 0; i < project->job_count; i++) {
        if (format == OUTPUT_JSON)
            value_append_take(jobs, job_to_value(&project->jobs[i]));
        else
            print_job(app, &project->jobs[i]);
    }
    if (format == OUTPUT_JSON)
        app_print_json(app, out);
}

static int run_list(struct app *app, void *data, struct error *err)
{
    const struct list_args *args = data;
    struct config *config = app_config(app, err);

    if (!config)
        return -1;
    if (args->name)
        list_one(app, config_project(config), args);
    else
        list_all(app, config_project(config), args->format);
    return 0;
}

static const struct option_def list_options[] = {
    FORMAT_OPTION(struct list_args),
    {0},
};

static const struct argument_def list_arguments[] = {
    ARGUMENT_OPTIONAL(struct list_args, name, "JOB_NAME", .word = WORD_JOB),
    {0},
};

static const struct command list_command = {
    .name = "list",
    .summary = "List all jobs, or one.",
    .options = list_options,
    .arguments = list_arguments,
    .args_size = sizeof(struct list_args),
    .run = run_list,
};

/* --- add, set and remove ------------------------------------------------------------------ */

struct change_args {
    const char *name, *tasks;
};

static bool is_text_list(const struct value *list)
{
    for (size_t i = 0; i < value_count(list); i++)
        if (!value_is_string(value_at(list, i)))
            return false;
    return value_is_list(list);
}

static bool are_tasks(const struct value *tasks)
{
    for (size_t i = 0; i < value_count(tasks); i++)
        if (!value_is_string(value_at(tasks, i)) && !is_text_list(value_at(tasks, i)))
            return false;
    return value_is_list(tasks);
}

/* A text alone becomes a list of one. */
static int read_tasks(const struct change_args *args, struct value **out, struct error *err)
{
    auto_value struct value *tasks = NULL;

    if (value_from_yaml(args->tasks, strlen(args->tasks), "--tasks", &tasks, err) < 0)
        return error_wrap(err, "Job '%s' has invalid tasks", args->name);
    if (value_is_string(tasks)) {
        *out = value_new_list();
        value_append_take(*out, take(tasks));
        return 0;
    }
    if (!are_tasks(tasks)) {
        error_set(err, ERR_CONFIG, "Job '%s' has invalid tasks", args->name);
        return error_hint(err, "Give one task or a YAML list of them: "
                               "--tasks '[tap-a target-b, dbt:run]'.");
    }
    *out = take(tasks);
    return 0;
}

static void add_words(const struct value *task, struct strlist *out)
{
    for (size_t i = 0; i < value_count(task); i++)
        add_words(value_at(task, i), out);
    if (value_text(task))
        strlist_split(out, value_text(task), ' ');
}

/* Each task must form blocks, as 'run' would form them. */
static int check_tasks(const struct project *project, const char *name, const struct value *tasks,
                       struct error *err)
{
    for (size_t i = 0; i < value_count(tasks); i++) {
        auto_strlist struct strlist words = STRLIST_INIT;
        auto_plan struct plan plan = PLAN_INIT;

        add_words(value_at(tasks, i), &words);
        if (plan_from_words(project, &words, &plan, err) < 0)
            return error_wrap(err, "Job '%s' has invalid tasks", name);
    }
    return 0;
}

static int read_checked_tasks(struct app *app, const struct change_args *args, struct value **out,
                              struct error *err)
{
    struct config *config = app_config(app, err);

    if (!config || read_tasks(args, out, err) < 0)
        return -1;
    return check_tasks(config_project(config), args->name, *out, err);
}

static void print_change(struct app *app, const char *verb, const char *name,
                         const struct value *tasks)
{
    app_print(app, "%s job %s: ", verb, name);
    strbuf_add_py_repr(&app->out, tasks);
    app_print(app, "\n");
}

static int run_add(struct app *app, void *data, struct error *err)
{
    const struct change_args *args = data;
    auto_project_edit struct project_edit *edit = NULL;
    auto_value struct value *tasks = NULL;
    struct value *entry;

    if (read_checked_tasks(app, args, &tasks, err) < 0 || project_change_begin(app, &edit, err) < 0)
        return -1;
    if (project_edit_find_entry(edit, "jobs", args->name))
        return error_set(err, ERR_CONFIG, "Job '%s' already exists", args->name);
    entry = value_new_map();
    value_set_string(entry, "name", args->name);
    value_set_take(entry, "tasks", value_copy(tasks));
    project_edit_append_entry_take(edit, "jobs", entry);
    if (project_edit_commit(edit, err) < 0)
        return -1;
    print_change(app, "Added", args->name, tasks);
    return 0;
}

/* An unknown name is no failure, in Meltano either. */
static int run_set(struct app *app, void *data, struct error *err)
{
    const struct change_args *args = data;
    auto_project_edit struct project_edit *edit = NULL;
    auto_value struct value *tasks = NULL;
    struct value *entry;

    if (read_checked_tasks(app, args, &tasks, err) < 0 || project_change_begin(app, &edit, err) < 0)
        return -1;
    entry = project_edit_find_entry(edit, "jobs", args->name);
    if (!entry) {
        app_print(app, "Job '%s' does not exist.\n", args->name);
        return 0;
    }
    value_set_take(entry, "tasks", value_copy(tasks));
    if (project_edit_commit(edit, err) < 0)
        return -1;
    print_change(app, "Updated", args->name, tasks);
    return 0;
}

static int run_remove(struct app *app, void *data, struct error *err)
{
    const struct change_args *args = data;
    auto_project_edit struct project_edit *edit = NULL;

    if (project_change_begin(app, &edit, err) < 0)
        return -1;
    if (!project_edit_remove_entry(edit, "jobs", args->name))
        return error_set(err, ERR_CONFIG, "Job '%s' was not found", args->name);
    if (project_edit_commit(edit, err) < 0)
        return -1;
    app_print(app, "Removed job '%s'.\n", args->name);
    return 0;
}

static const struct option_def change_options[] = {
    OPTION_STRING(struct change_args, tasks, "tasks",
                  "One task, or a YAML list of tasks and of lists of tasks.", .metavar = "YAML",
                  .is_required = true),
    {0},
};

static const struct argument_def new_name_arguments[] = {
    ARGUMENT_ONE(struct change_args, name, "JOB_NAME"),
    {0},
};

static const struct argument_def name_arguments[] = {
    ARGUMENT_ONE(struct change_args, name, "JOB_NAME", .word = WORD_JOB),
    {0},
};

static const struct command add_command = {
    .name = "add",
    .summary = "Add a job.",
    .details = "For example:\n\n"
               "    meltshim job add nightly --tasks '[tap-a target-b, dbt:run]'",
    .options = change_options,
    .arguments = new_name_arguments,
    .args_size = sizeof(struct change_args),
    .run = run_add,
};

static const struct command set_command = {
    .name = "set",
    .summary = "Change the tasks of a job.",
    .options = change_options,
    .arguments = name_arguments,
    .args_size = sizeof(struct change_args),
    .run = run_set,
};

static const struct command remove_command = {
    .name = "remove",
    .summary = "Remove a job.",
    .arguments = name_arguments,
    .args_size = sizeof(struct change_args),
    .run = run_remove,
};

/* --- the group ---------------------------------------------------------------------------- */

static const struct command *const job_commands[] = {
    &list_command, &add_command, &set_command, &remove_command, NULL,
};

const struct command job_command = {
    .name = "job",
    .summary = "Manage jobs.",
    .subcommands = job_commands,
    .environment = ENVIRONMENT_EXPLICIT,
    .status_when_bare = 2,
};
