#include "plugin/plugin_run.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/path.h"
#include "base/pep440.h"
#include "base/version.h"
#include "config/expand.h"
#include "plugin/catalog_cache.h"
#include "plugin/plugin_executable.h"
#include "plugin/singer_args.h"
#include "plugin/singer_files.h"

#include <ctype.h>
#include <string.h>

/* --- preparing ------------------------------------------------------------------------------ */

/* Both kinds of files that can lie ready for a tap; a sync makes its own state. */
static int copy_ready_files(struct invocation *invocation, bool has_cache, struct error *err)
{
    auto_free char *plugin_dir = plugin_directory(invocation->plugin);
    const struct run_dir *cache = has_cache ? &invocation->own_dir : NULL;

    if (catalog_cache_load(cache, plugin_dir, invocation->run_dir, &invocation->catalog_key, err) <
        0)
        return -1;
    return singer_files_copy(STATE_FILE, plugin_dir, has_cache ? cache->shared : NULL,
                             invocation->run_dir, err);
}

static int prepare_singer(struct invocation *invocation, const struct invocation_options *options,
                          struct strmap *env, struct error *err)
{
    struct plugin *plugin = invocation->plugin;
    auto_free char *shared = path_joinf(plugin->project->sys_dir, "run/%s",
                                        plugin->mapper ? plugin->mapper->name : plugin->name);

    if (run_dir_open(shared, options->run_id, &invocation->own_dir, err) < 0)
        return -1;
    if (options->run_dir && dir_make_all(options->run_dir, 0755, err) < 0)
        return -1;
    invocation->run_dir =
        path_absolute(options->run_dir ? options->run_dir : invocation->own_dir.path);
    if (singer_files_write_config(invocation->config, invocation->own_dir.path,
                                  &invocation->config_path, err) < 0 ||
        singer_files_write_logging(invocation->config, invocation->run_dir, env, err) < 0)
        return -1;
    if (plugin->type == PLUGIN_EXTRACTOR &&
        copy_ready_files(invocation, !options->run_dir, err) < 0)
        return -1;
    singer_args_set(invocation, false);
    return 0;
}

/* A transformer of the old kind runs in its dbt project. */
static char *working_directory(const struct invocation *invocation)
{
    const struct setting *setting;

    if (invocation->plugin->type != PLUGIN_TRANSFORMER)
        return NULL;
    setting = setting_list_find(&invocation->config->settings, "project_dir");
    return xstrdup_or_null(setting ? value_text(setting->value) : NULL);
}

static bool has_command_with_executable(const struct plugin *plugin)
{
    for (size_t i = 0; i < plugin->command_count; i++)
        if (plugin->commands[i].executable)
            return true;
    return false;
}

/* Where commands bring programs of their own, that of the plugin may never be wanted. */
static int find_own_executable(const struct plugin *plugin, bool is_optional,
                               const struct strmap *env, char **out, struct error *err)
{
    struct error ignored = {0};

    if (!is_optional && !has_command_with_executable(plugin))
        return plugin_find_executable(env, plugin, plugin->executable, out, err);
    if (plugin_find_executable(env, plugin, plugin->executable, out, &ignored) < 0)
        *out = xstrdup(plugin->executable);
    return 0;
}

static int check_version(const struct plugin *plugin, struct error *err)
{
    bool matches = true;
    char name[256];

    plugin_describe(plugin, name, sizeof name);
    if (!plugin->requires_meltano)
        return 0;
    if (pep440_matches(MELTANO_VERSION, plugin->requires_meltano, &matches, err) < 0)
        return error_wrap(err, "'requires_meltano' of %s", name);
    if (!matches)
        return error_set(err, ERR_VERSION,
                         "%s requires Meltano %s, but this program behaves like " MELTANO_VERSION,
                         name, plugin->requires_meltano);
    return 0;
}

static int prepare(struct config *config, struct invocation *invocation,
                   const struct invocation_options *options, struct error *err)
{
    struct plugin *plugin = invocation->plugin;
    auto_strmap struct strmap env = STRMAP_INIT;

    if (plugin_resolve(plugin, err) < 0 || check_version(plugin, err) < 0 ||
        config_resolve_plugin(config, plugin, options->upstream, options->extra_overrides,
                              &invocation->config, err) < 0 ||
        config_plugin_environment(config, invocation->config, &env, err) < 0 ||
        find_own_executable(plugin, options->files_only, &env, &invocation->executable, err) < 0)
        return -1;
    if (plugin_type_is_singer(plugin->type)) {
        if (prepare_singer(invocation, options, &env, err) < 0)
            return -1;
    } else {
        strlist_add(&invocation->argv, invocation->executable);
    }
    invocation->cwd = working_directory(invocation);
    strmap_to_environ(&env, &invocation->env);
    return 0;
}

int invocation_prepare(struct config *config, struct plugin *plugin,
                       const struct invocation_options *options, struct invocation *out,
                       struct error *err)
{
    struct invocation invocation = {.plugin = plugin, .own_dir = RUN_DIR_INIT};

    if (prepare(config, &invocation, options, err) < 0) {
        invocation_end(&invocation);
        return -1;
    }
    *out = invocation;
    return 0;
}

void invocation_end(struct invocation *invocation)
{
    run_dir_close(&invocation->own_dir);
    plugin_config_free(invocation->config);
    strlist_clear(&invocation->argv);
    strlist_clear(&invocation->env);
    free(invocation->cwd);
    free(invocation->run_dir);
    free(invocation->config_path);
    free(invocation->catalog_path);
    free(invocation->state_path);
    free(invocation->executable);
    free(invocation->catalog_key);
    *invocation = (struct invocation){.own_dir = RUN_DIR_INIT};
}

/* --- commands ------------------------------------------------------------------------------- */

const struct plugin_command *plugin_require_command(struct plugin *plugin, const char *name,
                                                    struct error *err)
{
    const char *label = plugin_type_info(plugin->type)->label;
    auto_strlist struct strlist names = STRLIST_INIT;
    auto_free char *joined = NULL;
    const struct plugin_command *command;

    if (plugin_resolve(plugin, err) < 0)
        return NULL;
    command = plugin_find_command(plugin, name);
    if (command)
        return command;
    for (size_t i = 0; i < plugin->command_count; i++)
        strlist_add(&names, plugin->commands[i].name);
    joined = strlist_join(&names, ", ");
    error_set(err, ERR_USAGE, "command '%s' could not be found", name);
    error_hint(err, "%c%s '%s' %s%s.", toupper((unsigned char)*label), label + 1, plugin->name,
               names.count ? "supports the following commands: " : "does not define any commands",
               joined);
    return NULL;
}

/* The words are split first, so that a value with blanks stays one argument. */
int plugin_command_expand(const struct plugin_command *command, const struct strmap *env,
                          struct strlist *out, struct error *err)
{
    auto_strlist struct strlist words = STRLIST_INIT;

    if (command->args && strlist_split_shell(&words, command->args) < 0) {
        error_set(err, ERR_CONFIG, "the arguments of command '%s' cannot be split: %s",
                  command->name, command->args);
        return error_hint(err, "Close every quote, and do not end with a backslash.");
    }
    for (size_t i = 0; i < words.count; i++) {
        char *word = NULL;

        if (expand_text(words.items[i], env, EXPAND_MISSING_EMPTY, &word, err) < 0)
            return -1;
        if (!word || !*word) {
            free(word);
            error_set(err, ERR_CONFIG,
                      "command '%s' referenced unset environment variable '%s' in an argument",
                      command->name, words.items[i]);
            return error_hint(err, "Set the environment variable or update the command "
                                   "definition.");
        }
        strlist_add_take(out, word);
    }
    return 0;
}

int invocation_set_command(struct invocation *invocation, const char *name,
                           const struct strlist *args, struct error *err)
{
    const struct plugin *plugin = invocation->plugin;
    const struct plugin_command *command = plugin_require_command(invocation->plugin, name, err);
    auto_strmap struct strmap env = STRMAP_INIT;
    auto_strlist struct strlist argv = STRLIST_INIT;
    auto_free char *executable = NULL;

    if (!command)
        return -1;
    strmap_from_environ(&env, invocation->env.items);
    if (plugin_find_executable(&env, plugin,
                               command->executable ? command->executable : plugin->executable,
                               &executable, err) < 0)
        return -1;
    strlist_add(&argv, executable);
    if (plugin_command_expand(command, &env, &argv, err) < 0)
        return -1;
    if (args)
        strlist_add_all(&argv, args);
    strlist_clear(&invocation->argv);
    invocation->argv = argv;
    argv = (struct strlist)STRLIST_INIT;
    return 0;
}
