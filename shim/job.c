#include "shim/app.h"
#include "shim/commands.h"

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

static const struct command *const job_commands[] = {
    &list_command,
    PASSED_ON("add", "Add a job."),
    PASSED_ON("set", "Change the tasks of a job."),
    PASSED_ON("remove", "Remove a job."),
    NULL,
};

const struct command job_command = {
    .name = "job",
    .summary = "Manage jobs.",
    .subcommands = job_commands,
    .environment = ENVIRONMENT_EXPLICIT,
    .status_when_bare = 2,
};
