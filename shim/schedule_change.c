#include "shim/commands.h"
#include "shim/project_change.h"

static const char *const transforms[] = {"skip", "only", "run", NULL};

struct change_args {
    const char *name, *interval, *job, *extractor, *loader;
    int transform;
};

static int check_interval(const char *interval, struct error *err)
{
    if (!interval || interval_is_valid(interval))
        return 0;
    return error_set(err, ERR_CONFIG,
                     "invalid Cron expression or alias: '%s'. Please use a valid "
                     "cron expression",
                     interval);
}

static int refuse_mixture(struct error *err)
{
    return error_set(err, ERR_CONFIG, "cannot mix --job with --extractor/--loader/--transform");
}

static int check_new(const struct change_args *args, struct error *err)
{
    if (check_interval(args->interval, err) < 0)
        return -1;
    if (args->job && (args->extractor || args->loader))
        return refuse_mixture(err);
    if (!args->job && !args->extractor)
        return error_set(err, ERR_USAGE, "Missing --extractor");
    if (!args->job && !args->loader)
        return error_set(err, ERR_USAGE, "Missing --loader");
    return 0;
}

static struct value *new_entry(const struct change_args *args)
{
    struct value *entry = value_new_map();

    value_set_string(entry, "name", args->name);
    value_set_string(entry, "interval", args->interval);
    if (args->job) {
        value_set_string(entry, "job", args->job);
        return entry;
    }
    value_set_string(entry, "extractor", args->extractor);
    value_set_string(entry, "loader", args->loader);
    value_set_string(entry, "transform", transforms[args->transform ? args->transform - 1 : 0]);
    return entry;
}

/* A name that is taken is no failure, in Meltano either. */
static int run_add(struct app *app, void *data, struct error *err)
{
    const struct change_args *args = data;
    auto_project_edit struct project_edit *edit = NULL;

    if (check_new(args, err) < 0 || project_change_begin(app, &edit, err) < 0)
        return -1;
    if (project_edit_find_entry(edit, "schedules", args->name)) {
        app_print(app, "Schedule '%s' already exists.\n", args->name);
        return 0;
    }
    project_edit_append_entry_take(edit, "schedules", new_entry(args));
    if (project_edit_commit(edit, err) < 0)
        return -1;
    app_print(app, "Scheduled %s '%s' at %s\n", args->job ? "job" : "elt", args->name,
              args->interval);
    return 0;
}

#define SCHEDULE_OPTIONS                                                                           \
    OPTION_STRING(struct change_args, job, "job", "The job to run.", .word = WORD_JOB),            \
        OPTION_STRING(struct change_args, extractor, "extractor",                                  \
                      "Without a job: the extractor to run.", .word = WORD_EXTRACTOR),             \
        OPTION_STRING(struct change_args, loader, "loader", "Without a job: the loader to run.",   \
                      .word = WORD_LOADER),                                                        \
        OPTION_CHOICE(struct change_args, transform, "transform",                                  \
                      "Without a job: transformations, as Meltano 2 had them.",                    \
                      .choices = transforms)
#define INTERVAL_HELP                                                                              \
    "When: @hourly, @daily, @weekly, @monthly, @yearly, five cron fields, or @once, @manual, "     \
    "@none for a schedule that is run by hand."

static const struct option_def add_options[] = {
    OPTION_STRING(struct change_args, interval, "interval", INTERVAL_HELP, .is_required = true),
    SCHEDULE_OPTIONS,
    {0},
};

static const struct option_def set_options[] = {
    OPTION_STRING(struct change_args, interval, "interval", INTERVAL_HELP),
    SCHEDULE_OPTIONS,
    {0},
};

static const struct argument_def new_name_arguments[] = {
    ARGUMENT_ONE(struct change_args, name, "NAME"),
    {0},
};

static const struct argument_def name_arguments[] = {
    ARGUMENT_ONE(struct change_args, name, "NAME", .word = WORD_SCHEDULE),
    {0},
};

const struct command schedule_add_command = {
    .name = "add",
    .summary = "Add a schedule for a job, or for an extractor and a loader.",
    .details = "'schedule NAME ...' means the same.",
    .options = add_options,
    .arguments = new_name_arguments,
    .args_size = sizeof(struct change_args),
    .run = run_add,
};

static void set_if_given(struct value *entry, const char *key, const char *text)
{
    if (text)
        value_set_string(entry, key, text);
}

/* A schedule cannot change from one kind to the other. */
static int run_set(struct app *app, void *data, struct error *err)
{
    const struct change_args *args = data;
    auto_project_edit struct project_edit *edit = NULL;
    struct value *entry;

    if (check_interval(args->interval, err) < 0 || project_change_begin(app, &edit, err) < 0)
        return -1;
    entry = project_edit_find_entry(edit, "schedules", args->name);
    if (!entry)
        return error_set(err, ERR_CONFIG, "schedule '%s' was not found", args->name);
    if (value_is_truthy(value_get(entry, "job"))
            ? args->extractor || args->loader || args->transform
            : args->job != NULL)
        return refuse_mixture(err);
    set_if_given(entry, "interval", args->interval);
    set_if_given(entry, "job", args->job);
    set_if_given(entry, "extractor", args->extractor);
    set_if_given(entry, "loader", args->loader);
    set_if_given(entry, "transform", args->transform ? transforms[args->transform - 1] : NULL);
    if (project_edit_commit(edit, err) < 0)
        return -1;
    app_print(app, "Updated schedule '%s'\n", args->name);
    return 0;
}

const struct command schedule_set_command = {
    .name = "set",
    .summary = "Change a schedule.",
    .options = set_options,
    .arguments = name_arguments,
    .args_size = sizeof(struct change_args),
    .run = run_set,
};

static int run_remove(struct app *app, void *data, struct error *err)
{
    const struct change_args *args = data;
    auto_project_edit struct project_edit *edit = NULL;

    if (project_change_begin(app, &edit, err) < 0)
        return -1;
    if (!project_edit_remove_entry(edit, "schedules", args->name))
        return error_set(err, ERR_CONFIG, "schedule '%s' was not found", args->name);
    return project_edit_commit(edit, err);
}

const struct command schedule_remove_command = {
    .name = "remove",
    .summary = "Remove a schedule.",
    .arguments = name_arguments,
    .args_size = sizeof(struct change_args),
    .run = run_remove,
};
