#include "shim/app.h"
#include "shim/commands.h"
#include "shim/project_change.h"

#include <string.h>

static int run_list(struct app *app, void *data, struct error *err)
{
    const struct project *project = app_project(app, err);

    (void)data;
    if (!project)
        return -1;
    for (size_t i = 0; i < project->environment_count; i++)
        app_print(app, "%s\n", project->environments[i].name);
    return 0;
}

static const struct command list_command = {
    .name = "list",
    .summary = "List the environments.",
    .run = run_list,
};

struct name_args {
    const char *name;
};

static const struct argument_def name_arguments[] = {
    ARGUMENT_ONE(struct name_args, name, "NAME", .word = WORD_ENVIRONMENT),
    {0},
};

static int run_add(struct app *app, void *data, struct error *err)
{
    const struct name_args *args = data;
    auto_project_edit struct project_edit *edit = NULL;
    struct value *entry;

    if (!*args->name || strchr(args->name, ':'))
        return error_set(err, ERR_CONFIG,
                         "'%s' cannot name an environment: ':' separates the parts of state ids",
                         args->name);
    if (project_change_begin(app, &edit, err) < 0)
        return -1;
    if (project_edit_find_entry(edit, "environments", args->name))
        return error_set(err, ERR_CONFIG, "an Environment named '%s' already exists", args->name);
    entry = value_new_map();
    value_set_string(entry, "name", args->name);
    project_edit_append_entry_take(edit, "environments", entry);
    if (project_edit_commit(edit, err) < 0)
        return -1;
    app_print(app, "Created new environment '%s'\n", args->name);
    return 0;
}

static const struct command add_command = {
    .name = "add",
    .summary = "Add an environment.",
    .arguments = name_arguments,
    .args_size = sizeof(struct name_args),
    .run = run_add,
};

static int run_remove(struct app *app, void *data, struct error *err)
{
    const struct name_args *args = data;
    auto_project_edit struct project_edit *edit = NULL;

    if (project_change_begin(app, &edit, err) < 0)
        return -1;
    if (!project_edit_remove_entry(edit, "environments", args->name))
        return error_set(err, ERR_CONFIG, "environment '%s' was not found", args->name);
    if (project_edit_commit(edit, err) < 0)
        return -1;
    app_print(app, "Removed environment '%s'\n", args->name);
    return 0;
}

static const struct command remove_command = {
    .name = "remove",
    .summary = "Remove an environment.",
    .arguments = name_arguments,
    .args_size = sizeof(struct name_args),
    .run = run_remove,
};

static const struct command *const environment_commands[] = {
    &list_command,
    &add_command,
    &remove_command,
    NULL,
};

const struct command environment_command = {
    .name = "environment",
    .summary = "Manage environments.",
    .subcommands = environment_commands,
    .status_when_bare = 2,
};
