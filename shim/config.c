#include "config/config_print.h"
#include "plugin/test_plugin.h"
#include "shim/auto_install.h"
#include "shim/commands.h"
#include "shim/config_subject.h"
#include "shim/plugins.h"

#include <string.h>

int config_subject_find(const struct project *project, const char *name, int plugin_type,
                        struct plugin **out, struct error *err)
{
    bool is_project =
        !plugin_type && !strcmp(name, "meltano") && !project_find_plugin(project, name);

    *out = is_project ? NULL : plugins_find(project, name, plugin_type, err);
    return *out || is_project ? 0 : -1;
}

/* --- print -------------------------------------------------------------------------------- */

static const char *const print_formats[] = {"json", "env", NULL};
enum { PRINT_ENV = 2 };

struct print_args {
    const char *name;
    int plugin_type, format;
    bool extras;
};

static int run_print(struct app *app, void *data, struct error *err)
{
    const struct print_args *args = data;
    struct config_print_options options = {.as_env = args->format == PRINT_ENV,
                                           .extras = args->extras,
                                           .unsafe = app->parsed.globals.unsafe};
    struct config *config = app_config(app, err);
    struct plugin *plugin;

    if (!config || config_subject_find(config_project(config), args->name, args->plugin_type,
                                       &plugin, err) < 0)
        return -1;
    return config_print(config, plugin, &options, &app->out, err);
}

static const struct option_def print_options[] = {
    OPTION_CHOICE(struct print_args, format, "format", "JSON, or lines for a .env file.",
                  .choices = print_formats),
    OPTION_FLAG(struct print_args, extras, "extras", "Show the extras instead."),
    PLUGIN_TYPE_OPTION(struct print_args),
    {0},
};

static const struct argument_def print_arguments[] = {
    ARGUMENT_ONE(struct print_args, name, "PLUGIN_NAME", .word = WORD_CONFIGURABLE),
    {0},
};

static const struct command print_command = {
    .name = "print",
    .summary = "Print the configuration of a plugin, or of the project ('meltano').",
    .options = print_options,
    .arguments = print_arguments,
    .args_size = sizeof(struct print_args),
    .run = run_print,
};

/* --- list --------------------------------------------------------------------------------- */

struct list_args {
    const char *name, *filter;
    int plugin_type;
    bool extras, all;
};

static int run_list(struct app *app, void *data, struct error *err)
{
    const struct list_args *args = data;
    struct config_list_options options = {.extras = args->extras,
                                          .all = args->all,
                                          .filter = args->filter,
                                          .unsafe = app->parsed.globals.unsafe};
    struct config *config = app_config(app, err);
    struct plugin *plugin;

    if (!config || config_subject_find(config_project(config), args->name, args->plugin_type,
                                       &plugin, err) < 0)
        return -1;
    return config_list(config, plugin, &options, &app->out, err);
}

static const struct option_def list_options[] = {
    OPTION_FLAG(struct list_args, extras, "extras", "Show the extras instead."),
    OPTION_FLAG(struct list_args, all, "all", "Show optional settings at their defaults, too."),
    OPTION_STRING(struct list_args, filter, "filter",
                  "Show only settings whose name contains this, whatever their value.",
                  .metavar = "SUBSTRING"),
    PLUGIN_TYPE_OPTION(struct list_args),
    {0},
};

static const struct argument_def list_arguments[] = {
    ARGUMENT_ONE(struct list_args, name, "PLUGIN_NAME", .word = WORD_CONFIGURABLE),
    {0},
};

static const struct command list_command = {
    .name = "list",
    .summary = "List settings, their variables and where their values come from.",
    .options = list_options,
    .arguments = list_arguments,
    .args_size = sizeof(struct list_args),
    .run = run_list,
};

/* --- test --------------------------------------------------------------------------------- */

struct test_args {
    const char *name;
    int plugin_type, install;
};

static int run_test(struct app *app, void *data, struct error *err)
{
    const struct test_args *args = data;
    struct config *config = app_config(app, err);
    struct plugin *plugin;

    if (!config || config_subject_find(config_project(config), args->name, args->plugin_type,
                                       &plugin, err) < 0)
        return -1;
    if (!plugin)
        return error_set(err, ERR_CONFIG,
                         "testing of the Meltano project configuration is not supported");
    if (auto_install(app, &plugin, 1, (enum auto_install)args->install, err) < 0)
        return -1;
    if (args->install == AUTO_INSTALL_ONLY)
        return 0;
    if (plugin_test_config(config, plugin, err) < 0)
        return -1;
    app_print(app, "Plugin configuration is valid\n");
    return 0;
}

static const struct option_def test_options[] = {
    PLUGIN_TYPE_OPTION(struct test_args),
    AUTO_INSTALL_OPTIONS(struct test_args),
    {0},
};

static const struct argument_def test_arguments[] = {
    ARGUMENT_ONE(struct test_args, name, "PLUGIN_NAME", .word = WORD_PLUGIN),
    {0},
};

static const struct command test_config_command = {
    .name = "test",
    .summary = "Start an extractor or a loader to see whether its configuration works.",
    .options = test_options,
    .arguments = test_arguments,
    .args_size = sizeof(struct test_args),
    .run = run_test,
};

/* --- the group ---------------------------------------------------------------------------- */

/* The older order of words, "config PLUGIN set NAME VALUE", and "config PLUGIN" for "print". */
static const struct command *guess_older_form(struct app *app, const struct command *group,
                                              int *count, char ***words)
{
    const struct command *found = *count > 1 ? command_find(group, (*words)[1]) : NULL;
    char *name = (*words)[0];
    struct error ignored = {0};
    const struct project *project;

    if (found) {
        (*words)[0] = (*words)[1];
        (*words)[1] = name;
        (*words)++;
        (*count)--;
        return found;
    }
    project = name[0] == '-' ? NULL : app_project(app, &ignored);
    if (project && (!strcmp(name, "meltano") || project_find_plugin(project, name)))
        return &print_command;
    return NULL;
}

static const struct option_def config_options[] = {
    OPTION_FLAG(struct global_options, unsafe, "unsafe", "Show the values of secrets."),
    OPTION_UNFLAG(struct global_options, unsafe, "safe", "Hide them; this is the default."),
    {0},
};

static const struct command *const config_commands[] = {
    &print_command,
    &list_command,
    &config_set_command,
    &config_unset_command,
    &config_reset_command,
    &test_config_command,
    NULL,
};

const struct command config_command = {
    .name = "config",
    .summary = "Show and change settings.",
    .details = "The older order of words, 'config PLUGIN set NAME VALUE', is understood as well.",
    .options = config_options,
    .subcommands = config_commands,
    .guess = guess_older_form,
    .environment = ENVIRONMENT_EXPLICIT,
};
