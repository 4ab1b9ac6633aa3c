#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/path.h"
#include "base/position.h"
#include "base/strbuf.h"
#include "project/check.h"
#include "project/entries.h"
#include "project/project.h"

#include <string.h>

/* The definition of a plugin that neither is custom nor inherits from one of the project: a lock
 * file, or what the definition source has. ------------------------------------------------- */

char *project_lock_path(const struct project *project, enum plugin_type type, const char *name,
                        const char *variant)
{
    return path_joinf(project->root, "plugins/%s/%s--%s.lock", plugin_type_info(type)->plural, name,
                      variant);
}

static int check_definition(const struct value *definition, const char *what, struct error *err)
{
    auto_free char *unused = NULL;

    return check_entry(definition, what, err) < 0 ||
                   check_required_text(definition, what, "namespace", &unused, err) < 0
               ? -1
               : 0;
}

static int read_lock(const struct project *project, const char *path, struct value **out,
                     bool *found, struct error *err)
{
    const char *name = path + strlen(project->root) + 1;
    auto_strbuf struct strbuf text = STRBUF_INIT;

    if (file_read_if_exists(path, &text, found, err) < 0)
        return -1;
    if (!*found)
        return 0;
    if (json_parse(strbuf_text(&text), text.length, name, out, err) < 0) {
        err->code = ERR_CONFIG;
        return error_hint(err, "Delete the file and run 'meltano lock --all'.");
    }
    return 0;
}

static int refuse_missing_lock(const struct plugin *plugin, const char *what, const char *path,
                               struct error *err)
{
    error_set_at(err, ERR_CONFIG, plugin->entry, "%s has no definition: there is no %s", what,
                 path + strlen(plugin->project->root) + 1);
    return error_hint(err,
                      "Run 'meltano lock %s', or give the plugin a 'namespace:' and its own "
                      "definition.",
                      plugin->name);
}

static int fetch_definition(const struct plugin *plugin, const char *what, const char *path,
                            const char *name, const char *variant, struct value **out,
                            struct error *err)
{
    const struct project *project = plugin->project;

    if (!project->fetch_definition)
        return refuse_missing_lock(plugin, what, path, err);
    if (project->fetch_definition(project->fetch_context, plugin, name, variant, out, err) < 0)
        return error_wrap(err, "%s:%u:%u: no definition of %s", plugin->entry->file,
                          plugin->entry->line, plugin->entry->column, what);
    return 0;
}

/* A lock file that was renamed or edited by hand must not pass for another variant. */
static int check_variant(const struct value *lock, const char *what, const char *variant,
                         struct error *err)
{
    const char *locked = value_get_text(lock, "variant");

    if (!strcmp(variant, "default") || !strcmp(variant, "original") ||
        !strcmp(locked ? locked : "", variant))
        return 0;
    error_set_at_key(err, ERR_CONFIG, lock, "variant",
                     "%s is of the variant '%s', and this file defines %s%s%s", what, variant,
                     locked ? "'" : "none", locked ? locked : "", locked ? "'" : "");
    return error_hint(err, "Delete the file and run 'meltano lock --all'.");
}

/* *out is borrowed from the project. */
static int find_definition(const struct plugin *plugin, const char *what, const struct value **out,
                           struct error *err)
{
    struct project *project = plugin->project;
    const char *name = plugin->inherit_from ? plugin->inherit_from : plugin->name;
    const char *variant = plugin->variant ? plugin->variant : "default";
    auto_free char *path = project_lock_path(project, plugin->type, name, variant);
    auto_value struct value *definition = NULL;
    bool found;

    *out = value_get(project->definitions, path);
    if (*out)
        return 0;
    if (strchr(name, '/') || strchr(variant, '/')) {
        error_set_at(err, ERR_CONFIG, plugin->entry, "the name or variant of %s contains '/'",
                     what);
        return error_hint(err, "Take it from the hub: 'meltano hub list' shows what there is.");
    }
    if (read_lock(project, path, &definition, &found, err) < 0)
        return -1;
    if (!found && fetch_definition(plugin, what, path, name, variant, &definition, err) < 0)
        return -1;
    if (check_definition(definition, path + strlen(project->root) + 1, err) < 0 ||
        (found && check_variant(definition, what, variant, err) < 0))
        return -1;
    *out = definition;
    value_set_take(project->definitions, path, take(definition));
    return 0;
}

/* Inheriting ------------------------------------------------------------------------------- */

static void inherit_text(char **own, const char *inherited)
{
    if (!*own)
        *own = xstrdup_or_null(inherited);
}

static void inherit_settings(struct plugin *plugin, const struct plugin *base)
{
    struct setting_def_list own = plugin->settings;

    plugin->settings = (struct setting_def_list){0};
    for (size_t i = 0; i < base->settings.count; i++)
        if (!setting_def_list_find(&own, base->settings.items[i]->name))
            setting_def_list_add_take(&plugin->settings, setting_def_copy(base->settings.items[i]));
    for (size_t i = 0; i < own.count; i++)
        setting_def_list_add_take(&plugin->settings, own.items[i]);
    free(own.items);
}

static struct plugin_command *find_command(struct plugin_command *commands, size_t count,
                                           const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (!strcmp(commands[i].name, name))
            return &commands[i];
    return NULL;
}

/* The base's commands first, own ones of the same name in their place, then the others. */
static void inherit_commands(struct plugin *plugin, const struct plugin *base)
{
    size_t own_count = plugin->command_count, count = 0;
    struct plugin_command *own = plugin->commands;
    struct plugin_command *all = xcalloc(own_count + base->command_count + 1, sizeof *all);

    for (size_t i = 0; i < base->command_count; i++) {
        const struct plugin_command *instead = find_command(own, own_count, base->commands[i].name);

        plugin_command_copy(&all[count++], instead ? instead : &base->commands[i]);
    }
    for (size_t i = 0; i < own_count; i++)
        if (!find_command(all, count, own[i].name))
            plugin_command_copy(&all[count++], &own[i]);
    plugin_commands_free(own, own_count);
    plugin->commands = all;
    plugin->command_count = count;
}

static void inherit_requires(struct plugin *plugin, const struct plugin *base)
{
    struct value *own = plugin->requires;

    if (!base->requires)
        return;
    plugin->requires = value_copy(base->requires);
    for (size_t i = 0; i < value_count(own); i++) {
        const struct value_member *member = value_member_at(own, i);
        struct value *list = value_get(plugin->requires, member->key);

        if (!list)
            value_set_take(plugin->requires, member->key, value_copy(member->value));
        for (size_t k = 0; list && k < value_count(member->value); k++)
            value_append_take(list, value_copy(value_at(member->value, k)));
    }
    value_free(own);
}

/* Where several plugins with the same pip_url share an environment, the first ancestor's name. */
static char *choose_dir_name(const struct plugin *plugin, const struct plugin *base)
{
    bool is_same = !plugin->pip_url || !*plugin->pip_url ||
                   (base->pip_url && !strcmp(plugin->pip_url, base->pip_url));
    bool is_shared = plugin->mapper || (plugin->inherit_from && is_same);

    return xstrdup(is_shared ? base->dir_name : plugin->name);
}

static char *derive_namespace(const char *name)
{
    char *namespace = xstrdup(name);

    for (char *at = namespace; *at; at++)
        if (*at == '-')
            *at = '_';
    return namespace;
}

static void derive_names(struct plugin *plugin, const struct plugin *base)
{
    if (!plugin->inherit_from) {
        inherit_text(&plugin->namespace, base->namespace);
        inherit_text(&plugin->label, base->label);
        return;
    }
    if (!plugin->namespace)
        plugin->namespace = derive_namespace(plugin->name);
    if (!plugin->label)
        plugin->label = xasprintf("%s: %s", base->label, plugin->name);
}

/* Whether the plugin's own entry gives a value; an empty one counts, null does not. */
static bool gives(const struct plugin *plugin, const char *key)
{
    return !plugin->mapper && !value_is_null(value_get(plugin->entry, key));
}

static void inherit(struct plugin *plugin, const struct plugin *base)
{
    inherit_text(&plugin->pip_url, base->pip_url);
    inherit_text(&plugin->python, base->python);
    inherit_text(&plugin->executable, base->executable);
    inherit_text(&plugin->variant, base->variant);
    inherit_text(&plugin->description, base->description);
    inherit_text(&plugin->logo_url, base->logo_url);
    inherit_text(&plugin->docs, base->docs);
    inherit_text(&plugin->repo, base->repo);
    inherit_text(&plugin->requires_meltano, base->requires_meltano);
    inherit_text(&plugin->definition_name, base->definition_name);
    inherit_text(&plugin->definition_namespace, base->definition_namespace);
    derive_names(plugin, base);
    plugin->dir_name = choose_dir_name(plugin, base);
    if (!gives(plugin, "capabilities"))
        strlist_add_all(&plugin->capabilities, &base->capabilities);
    if (!gives(plugin, "settings_group_validation") && base->settings_group_validation)
        plugin->settings_group_validation = value_copy(base->settings_group_validation);
    strlist_add_all(&plugin->supported_python_versions, &base->supported_python_versions);
    if (base->default_extras)
        plugin->default_extras = value_copy(base->default_extras);
    inherit_settings(plugin, base);
    inherit_commands(plugin, base);
    inherit_requires(plugin, base);
}

/* What a plugin has when nothing gives it anything. */
static void apply_defaults(struct plugin *plugin)
{
    inherit_text(&plugin->variant, "default");
    inherit_text(&plugin->label, plugin->name);
    inherit_text(&plugin->executable, plugin->name);
    inherit_text(&plugin->dir_name, plugin->name);
    inherit_text(&plugin->definition_name, plugin->name);
    inherit_text(&plugin->definition_namespace, plugin->namespace);
}

static int inherit_from_definition(struct plugin *plugin, const char *what, struct error *err)
{
    auto_plugin struct plugin *base = NULL;
    const struct value *definition;

    if (find_definition(plugin, what, &definition, err) < 0 ||
        plugin_from_entry(plugin->type, definition, true, &base, err) < 0)
        return -1;
    base->default_extras = take(base->extras);
    apply_defaults(base);
    inherit(plugin, base);
    return 0;
}

static int refuse_cycle(const struct plugin *plugin, struct error *err)
{
    auto_strbuf struct strbuf chain = STRBUF_INIT;
    const struct plugin *at = plugin;

    do {
        strbuf_addf(&chain, "%s -> ", at->name);
        at = project_find_plugin_of_type(plugin->project, plugin->type, at->inherit_from);
    } while (at != plugin);
    error_set_at_key(err, ERR_CONFIG, plugin->entry, "inherit_from",
                     "%s '%s' inherits from itself: %s%s", plugin_type_info(plugin->type)->label,
                     plugin->name, strbuf_text(&chain), plugin->name);
    return error_hint(err, "Let one of them inherit from another plugin, or from none.");
}

/* Only an entry that names no variant can mean a plugin of the project. */
static struct plugin *find_parent(const struct plugin *plugin)
{
    if (!plugin->inherit_from || plugin->variant)
        return NULL;
    return project_find_plugin_of_type(plugin->project, plugin->type, plugin->inherit_from);
}

static int resolve_from_parent(struct plugin *plugin, struct plugin *parent, struct error *err)
{
    int result;

    plugin->is_resolving = true;
    result = plugin_resolve(parent, err);
    plugin->is_resolving = false;
    if (result < 0)
        return -1;
    plugin->parent = parent;
    inherit(plugin, parent);
    return 0;
}

/* A mapping has no definition of its own: it is its mapper under another name. */
static int resolve_mapping(struct plugin *mapping, struct error *err)
{
    if (plugin_resolve(mapping->mapper, err) < 0)
        return -1;
    mapping->parent = mapping->mapper->parent;
    inherit(mapping, mapping->mapper);
    return 0;
}

static int resolve(struct plugin *plugin, struct error *err)
{
    char what[512];
    struct plugin *parent;

    if (plugin->mapper)
        return resolve_mapping(plugin, err);
    if (plugin->is_custom)
        return 0;
    parent = find_parent(plugin);
    if (parent)
        return resolve_from_parent(plugin, parent, err);
    return inherit_from_definition(plugin, plugin_describe(plugin, what, sizeof what), err);
}

int plugin_resolve(struct plugin *plugin, struct error *err)
{
    if (plugin->is_resolved)
        return 0;
    if (plugin->is_resolving)
        return refuse_cycle(plugin, err);
    if (resolve(plugin, err) < 0)
        return -1;
    apply_defaults(plugin);
    plugin->is_resolved = true;
    return 0;
}

bool plugin_has_capability(const struct plugin *plugin, const char *capability)
{
    return strlist_contains(&plugin->capabilities, capability);
}

const struct plugin_command *plugin_find_command(const struct plugin *plugin, const char *name)
{
    return find_command(plugin->commands, plugin->command_count, name);
}
