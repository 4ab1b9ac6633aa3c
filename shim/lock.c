#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/strlist.h"
#include "shim/app.h"
#include "shim/commands.h"

#include <ctype.h>
#include <string.h>

struct lock_args {
    struct strlist names;
    int plugin_type;
    bool update;
};

static bool is_wanted(const struct plugin *plugin, const struct lock_args *args)
{
    if (plugin->mapper)
        return false;
    if (args->plugin_type && plugin->type != app_plugin_type(args->plugin_type))
        return false;
    return !args->names.count || strlist_contains(&args->names, plugin->name);
}

/* "Extractor tap-x is ..." */
static void warn_skipped(const struct plugin *plugin, const char *reason)
{
    const char *label = plugin_type_info(plugin->type)->label;

    log_warning("%c%s %s %s", toupper((unsigned char)label[0]), label + 1, plugin->name, reason);
}

static const char *path_below(const char *path, const char *root)
{
    size_t length = strlen(root);

    return !strncmp(path, root, length) && path[length] == '/' ? path + length + 1 : path;
}

/* Whether there is a lock file already; its variant is the one of the entry, or else the hub's
 * default, which has to be asked for. */
static int find_lock(struct hub *hub, const struct plugin *plugin, char **path, struct error *err)
{
    const char *variant = value_get_text(plugin->entry, "variant");
    auto_value struct value *definition = NULL;

    if (!variant) {
        if (hub_find_definition(hub, plugin->type, plugin->name, NULL, &definition, err) < 0)
            return -1;
        variant = value_get_text(definition, "variant");
    }
    *path = project_lock_path(plugin->project, plugin->type, plugin->name, variant);
    return 0;
}

static int lock_plugin(struct hub *hub, const struct plugin *plugin, bool update, struct error *err)
{
    const struct project *project = plugin->project;
    const char *label = plugin_type_info(plugin->type)->label;
    auto_free char *path = NULL;

    if (plugin->is_custom) {
        warn_skipped(plugin, "is a custom plugin");
        return 0;
    }
    if (plugin->inherit_from) {
        warn_skipped(plugin, "is an inherited plugin");
        return 0;
    }
    if (find_lock(hub, plugin, &path, err) < 0)
        return -1;
    if (!update && file_exists(path)) {
        log_error("Lockfile exists for %s %s at %s", label, plugin->name,
                  path_below(path, project->root));
        return 0;
    }
    if (hub_lock_plugin(hub, project, plugin->type, plugin->name,
                        value_get_text(plugin->entry, "variant"), NULL, NULL, err) < 0)
        return -1;
    log_info("Locked definition for %s %s", label, plugin->name);
    return 0;
}

static size_t count_wanted(const struct project *project, const struct lock_args *args)
{
    size_t count = 0;

    for (size_t i = 0; i < project->plugin_count; i++)
        count += is_wanted(project->plugins[i], args);
    return count;
}

static int run_lock(struct app *app, void *data, struct error *err)
{
    const struct lock_args *args = data;
    const struct project *project = app_project(app, err);
    struct hub *hub = project ? app_hub(app, args->update, err) : NULL;
    size_t count;

    if (!hub)
        return -1;
    count = count_wanted(project, args);
    if (!count)
        return error_set(err, ERR_CONFIG, "no matching plugin(s) found");
    log_info("Locking %zu plugin(s)...", count);
    for (size_t i = 0; i < project->plugin_count; i++)
        if (is_wanted(project->plugins[i], args) &&
            lock_plugin(hub, project->plugins[i], args->update, err) < 0)
            return -1;
    return 0;
}

static const struct option_def lock_options[] = {
    PLUGIN_TYPE_OPTION(struct lock_args),
    OPTION_FLAG(struct lock_args, update, "update", "Replace lock files that exist.",
                .letter = 'u'),
    {0},
};

static const struct argument_def lock_arguments[] = {
    ARGUMENT_MANY(struct lock_args, names, "PLUGIN_NAME", .word = WORD_PLUGIN),
    {0},
};

const struct command lock_command = {
    .name = "lock",
    .summary = "Write the definitions of plugins to lock files.",
    .options = lock_options,
    .arguments = lock_arguments,
    .args_size = sizeof(struct lock_args),
    .run = run_lock,
};
