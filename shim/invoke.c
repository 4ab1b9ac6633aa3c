#include "plugin/invoke.h"

#include "airflow/airflow.h"
#include "base/memory.h"
#include "shim/airflow_invoke.h"
#include "shim/app.h"
#include "shim/auto_install.h"
#include "shim/commands.h"
#include "shim/plugins.h"
#include "shim/python_meltano.h"

#include <string.h>

static const char *const dump_choices[] = {"catalog", "config", NULL};

struct invoke_args {
    const char *name; /* PLUGIN or PLUGIN:COMMAND */
    struct strlist words, print_vars;
    int plugin_type, dump, install;
    bool refresh_catalog, list_commands, containers;
};

/* "dbt:run"; with more than one colon it is a plugin's name, which then is not found. */
static const char *split_command(const char *name, char **plugin_name)
{
    const char *colon = strchr(name, ':');

    if (!colon || strchr(colon + 1, ':')) {
        *plugin_name = xstrdup(name);
        return NULL;
    }
    *plugin_name = xstrndup(name, (size_t)(colon - name));
    return colon + 1;
}

static bool wants_container(const struct plugin *plugin, const struct invoke_args *args,
                            const char *command)
{
    const struct plugin_command *found = command ? plugin_find_command(plugin, command) : NULL;

    return args->containers && found && found->container_spec;
}

/* The glue that Meltano has for these two writes their configuration files: Superset's, and that of
 * a script which a project has in place of Airflow's program. */
static bool needs_python_meltano(const struct plugin *plugin)
{
    return (plugin->type == PLUGIN_ORCHESTRATOR && !strcmp(plugin->name, "airflow")) ||
           (plugin->type == PLUGIN_UTILITY && !strcmp(plugin->name, "superset"));
}

static int invoke(struct app *app, struct plugin *plugin, const char *command,
                  const struct invoke_args *args, struct error *err)
{
    struct invoke_options options = {
        .command = command,
        .args = &args->words,
        .variables = &args->print_vars,
        .dump = args->dump ? dump_choices[args->dump - 1] : NULL,
        .refresh_catalog = args->refresh_catalog,
    };
    struct config *config = app_config(app, err);

    return config ? plugin_invoke(config, plugin, &options, &app->exit_status, err) : -1;
}

static int invoke_airflow(struct app *app, struct plugin *plugin, const char *command,
                          const struct invoke_args *args, struct error *err)
{
    const struct airflow_call call = {
        .command = command,
        .words = &args->words,
        .variables = &args->print_vars,
        .dumps_config = args->dump && !strcmp(dump_choices[args->dump - 1], "config"),
    };

    return airflow_call(app, plugin, &call, err);
}

static int run_invoke(struct app *app, void *data, struct error *err)
{
    const struct invoke_args *args = data;
    struct config *config = app_config(app, err);
    auto_free char *plugin_name = NULL;
    const char *command = split_command(args->name, &plugin_name);
    struct plugin *plugin;
    bool is_airflow;

    if (!config)
        return -1;
    plugin = plugins_find(config_project(config), plugin_name, args->plugin_type, err);
    if (!plugin || plugin_resolve(plugin, err) < 0)
        return -1;
    if (args->list_commands)
        return plugin_print_commands(plugin, err);
    is_airflow = airflow_takes_call(plugin, command);
    if (wants_container(plugin, args, command) || (!is_airflow && needs_python_meltano(plugin)))
        return python_meltano_exec(&app->argv, &app->environment, err);
    if (!app->is_airflow &&
        auto_install(app, &plugin, 1, (enum auto_install)args->install, err) < 0)
        return -1;
    if (args->install == AUTO_INSTALL_ONLY)
        return 0;
    if (is_airflow && !airflow_is_elsewhere(plugin))
        return invoke_airflow(app, plugin, command, args, err);
    return invoke(app, plugin, command, args, err);
}

static const struct option_def invoke_options[] = {
    PLUGIN_TYPE_OPTION(struct invoke_args),
    OPTION_CHOICE(struct invoke_args, dump, "dump",
                  "Print a file that the plugin would get, and do not start it.",
                  .choices = dump_choices),
    OPTION_FLAG(struct invoke_args, refresh_catalog, "refresh-catalog",
                "Discover the catalog anew."),
    OPTION_FLAG(struct invoke_args, list_commands, "list-commands",
                "List the commands of the plugin, and do not start it."),
    OPTION_LIST(struct invoke_args, print_vars, "print-var",
                "Print a variable of the plugin's environment first. May be repeated.",
                .metavar = "NAME"),
    OPTION_FLAG(struct invoke_args, containers, "containers",
                "Run a command that has a container in it; the Python Meltano does that."),
    AUTO_INSTALL_OPTIONS(struct invoke_args),
    {0},
};

static const struct argument_def invoke_arguments[] = {
    ARGUMENT_ONE(struct invoke_args, name, "PLUGIN_NAME[:COMMAND_NAME]",
                 .word = WORD_PLUGIN_COMMAND),
    ARGUMENT_MANY(struct invoke_args, words, "PLUGIN_ARGS"),
    {0},
};

const struct command invoke_command = {
    .name = "invoke",
    .summary = "Start a plugin's program, or one of its commands.",
    .details = "Standard input and output are the plugin's; what it says on standard error is "
               "logged. The exit status is the plugin's; 256 - N when signal N ended it.",
    .options = invoke_options,
    .arguments = invoke_arguments,
    .args_size = sizeof(struct invoke_args),
    .run = run_invoke,
    .environment = ENVIRONMENT_DEFAULT,
    .stops_at_argument = true,
};
