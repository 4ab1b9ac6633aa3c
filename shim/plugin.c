#include "base/log.h"
#include "shim/app.h"
#include "shim/commands.h"
#include "shim/table.h"

struct list_args {
    int format;
};

/* A plugin whose definition cannot be found is listed with what the project file says. */
static struct value *plugin_to_value(struct plugin *plugin)
{
    struct value *out = value_new_map();
    struct error err = {0};
    bool is_resolved = plugin_resolve(plugin, &err) == 0;

    if (!is_resolved)
        log_warning("%s", err.message);
    value_set_string(out, "type", plugin_type_info(plugin->type)->label);
    value_set_string(out, "name", plugin->name);
    value_set_string_or_null(
        out, "variant", is_resolved ? plugin->variant : value_get_text(plugin->entry, "variant"));
    value_set_string_or_null(out, "inherit_from", plugin->inherit_from);
    value_set_bool(out, "custom", plugin->is_custom);
    value_set_bool(out, "update", false);
    value_set_string_or_null(
        out, "pip_url", is_resolved ? plugin->pip_url : value_get_text(plugin->entry, "pip_url"));
    return out;
}

static void print_table(struct app *app, const struct value *plugins)
{
    static const char *const titles[] = {"TYPE", "NAME", "VARIANT", "INHERIT FROM", "CUSTOM"};
    auto_table struct table table = {0};

    TABLE_INIT(&table, titles);
    for (size_t i = 0; i < value_count(plugins); i++) {
        const struct value *plugin = value_at(plugins, i);
        const char *parent = value_get_text(plugin, "inherit_from");
        const char *variant = value_get_text(plugin, "variant");

        table_add(&table, value_get_text(plugin, "type"));
        table_add(&table, value_get_text(plugin, "name"));
        table_add(&table, parent ? "(inherited)" : variant ? variant : "");
        table_add(&table, parent ? parent : "");
        table_add(&table, value_is_truthy(value_get(plugin, "custom")) ? "\u2713" : "");
    }
    table_print(&table, &app->out);
}

static int run_list(struct app *app, void *data, struct error *err)
{
    const struct list_args *args = data;
    const struct config *config = app_config(app, err);
    auto_value struct value *plugins = value_new_list();
    const struct project *project;

    if (!config)
        return -1;
    project = config_project(config);
    for (size_t i = 0; i < project->plugin_count; i++)
        if (!project->plugins[i]->mapper)
            value_append_take(plugins, plugin_to_value(project->plugins[i]));
    if (args->format == OUTPUT_JSON)
        app_print_json(app, plugins);
    else if (value_count(plugins))
        print_table(app, plugins);
    else
        log_info("No plugins are defined in this project. Describe one in meltano.yml.");
    return 0;
}

static const struct option_def list_options[] = {
    FORMAT_OPTION(struct list_args),
    {0},
};

static const struct command list_command = {
    .name = "list",
    .summary = "List the plugins of the project.",
    .options = list_options,
    .args_size = sizeof(struct list_args),
    .run = run_list,
};

static const struct command *const plugin_commands[] = {
    &list_command,
    NULL,
};

const struct command plugin_command = {
    .name = "plugin",
    .summary = "List plugins.",
    .subcommands = plugin_commands,
    .environment = ENVIRONMENT_DEFAULT,
    .status_when_bare = 2,
};
