#include "shim/app.h"
#include "shim/commands.h"

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

static const struct command *const environment_commands[] = {
    &list_command,
    PASSED_ON("add", "Add an environment."),
    PASSED_ON("remove", "Remove an environment."),
    NULL,
};

const struct command environment_command = {
    .name = "environment",
    .summary = "Manage environments.",
    .subcommands = environment_commands,
    .status_when_bare = 2,
};
