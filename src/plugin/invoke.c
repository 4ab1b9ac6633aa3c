#include "plugin/invoke.h"

#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/strbuf.h"
#include "plugin/attend.h"
#include "plugin/plugin_run.h"

#include <stdio.h>
#include <string.h>

/* --- what is printed ------------------------------------------------------------------------ */

static int check_output(struct error *err)
{
    if (fflush(stdout) == EOF || ferror(stdout))
        return error_set_errno(err, ERR_IO, "cannot write to standard output");
    return 0;
}

/* A variable that is not set prints as Python's None. */
static void print_variables(const struct invocation *invocation, const struct strlist *names)
{
    auto_strmap struct strmap env = STRMAP_INIT;

    strmap_from_environ(&env, invocation->env.items);
    for (size_t i = 0; names && i < names->count; i++) {
        const char *value = strmap_get(&env, names->items[i]);

        printf("%s=%s\n", names->items[i], value ? value : "None");
    }
}

static int print_file(const struct invocation *invocation, const char *what, struct error *err)
{
    const char *path = !strcmp(what, "config") ? invocation->config_path : invocation->catalog_path;
    auto_strbuf struct strbuf text = STRBUF_INIT;

    if (!path)
        return error_set(err, ERR_CONFIG, "could not find %s", what);
    if (file_read(path, &text, err) < 0)
        return -1;
    fwrite(strbuf_text(&text), 1, text.length, stdout);
    putchar('\n');
    return 0;
}

int plugin_print_commands(struct plugin *plugin, struct error *err)
{
    size_t width = 0;

    if (plugin_resolve(plugin, err) < 0)
        return -1;
    if (!plugin->command_count)
        printf("Plugin '%s' does not define any commands.\n", plugin->name);
    for (size_t i = 0; i < plugin->command_count; i++)
        if (strlen(plugin->commands[i].name) > width)
            width = strlen(plugin->commands[i].name);
    for (size_t i = 0; i < plugin->command_count; i++) {
        const struct plugin_command *command = &plugin->commands[i];

        printf("%s:%-*s  %s\n", plugin->name, (int)width, command->name,
               command->description ? command->description : "");
    }
    return check_output(err);
}

/* --- running -------------------------------------------------------------------------------- */

static int status_of(const struct process_end *end)
{
    return end->kind == EXIT_SIGNAL ? 256 - end->code : process_end_to_status(end);
}

static int run(const struct invocation *invocation, int *status, struct error *err)
{
    auto_value struct value *fields = value_new_map();
    auto_attend_result struct attend_result result = {0};
    struct attend_spec spec = {
        .plugin = invocation->plugin,
        .argv = &invocation->argv,
        .env = &invocation->env,
        .cwd = invocation->cwd,
        .input_fd = SPAWN_INHERIT,
        .output_fd = SPAWN_INHERIT,
        .log_fields = fields,
        .uses_terminal = true,
        .grace_ms = -1,
    };

    value_set_string(fields, "stdio", "stderr");
    value_set_string(fields, "cmd_type", "command");
    if (attend(&spec, &result, err) < 0)
        return -1;
    *status = status_of(&result.end);
    return 0;
}

static int set_arguments(struct invocation *invocation, const struct invoke_options *options,
                         struct error *err)
{
    if (options->command)
        return invocation_set_command(invocation, options->command, options->args, err);
    if (options->args)
        strlist_add_all(&invocation->argv, options->args);
    return 0;
}

static int invoke(struct config *config, struct invocation *invocation,
                  const struct invocation_options *preparation,
                  const struct invoke_options *options, int *status, struct error *err)
{
    bool dumps_config = options->dump && !strcmp(options->dump, "config");
    bool has_args = options->args && options->args->count;

    plugin_config_register_secrets(invocation->config);
    print_variables(invocation, options->variables);
    if (!dumps_config && (options->dump || !has_args) &&
        invocation_prepare_sync(config, invocation, preparation, err) < 0)
        return -1;
    *status = 0;
    if (options->dump)
        return print_file(invocation, options->dump, err) < 0 ? -1 : check_output(err);
    if (set_arguments(invocation, options, err) < 0 || check_output(err) < 0)
        return -1;
    return run(invocation, status, err);
}

int plugin_invoke(struct config *config, struct plugin *plugin,
                  const struct invoke_options *options, int *status, struct error *err)
{
    const struct invocation_options preparation = {
        .is_stateless = true,
        .files_only = options->dump && !strcmp(options->dump, "config"),
        .refresh_catalog = options->refresh_catalog,
    };
    struct invocation invocation;
    int result;

    if (options->command && !plugin_require_command(plugin, options->command, err))
        return -1;
    if (invocation_prepare(config, plugin, &preparation, &invocation, err) < 0)
        return -1;
    result = invoke(config, &invocation, &preparation, options, status, err);
    invocation_end(&invocation);
    return result;
}

int plugin_load_catalog(struct config *config, struct plugin *plugin, bool refresh,
                        struct value **out, struct error *err)
{
    const struct invocation_options options = {
        .is_stateless = true,
        .refresh_catalog = refresh,
    };
    auto_strbuf struct strbuf text = STRBUF_INIT;
    struct invocation invocation;
    int result = -1;

    if (invocation_prepare(config, plugin, &options, &invocation, err) < 0)
        return -1;
    plugin_config_register_secrets(invocation.config);
    if (invocation_prepare_sync(config, &invocation, &options, err) < 0) {
        result = -1;
    } else if (!invocation.catalog_path) {
        error_set(err, ERR_CONFIG, "could not find the catalog of '%s'", plugin->name);
        error_hint(err, "Verify that the tap supports discovery mode and advertises the "
                        "`discover` capability as well as either `catalog` or `properties`.");
    } else if (!file_read(invocation.catalog_path, &text, err)) {
        result = json_parse(strbuf_text(&text), text.length, NULL, out, err);
    }
    invocation_end(&invocation);
    return result;
}
