#include "base/memory.h"
#include "plugin/catalog.h"
#include "plugin/invoke.h"
#include "shim/auto_install.h"
#include "shim/commands.h"
#include "shim/plugins.h"
#include "shim/project_change.h"

#include <string.h>

enum { LIST_NONE, LIST_TEXT, LIST_JSON };

struct select_args {
    const char *extractor, *stream, *property;
    int list, install;
    bool all, refresh_catalog, remove, exclude, clear;
};

static struct plugin *find_extractor(const struct project *project, const char *name,
                                     struct error *err)
{
    struct plugin *plugin = project_find_plugin_of_type(project, PLUGIN_EXTRACTOR, name);

    if (!plugin)
        error_set(err, ERR_CONFIG, "extractor '%s' is not known to Meltano", name);
    return plugin;
}

/* --- changing the patterns ---------------------------------------------------------------- */

static int remove_pattern(struct value *patterns, const char *pattern, struct error *err)
{
    for (size_t i = 0; i < value_count(patterns); i++) {
        const char *text = value_text(value_at(patterns, i));

        if (text && !strcmp(text, pattern)) {
            value_list_remove(patterns, i);
            return 0;
        }
    }
    return error_set(err, ERR_CONFIG, "the pattern '%s' is not selected", pattern);
}

/* The level's own list is what changes: the environment's when one was asked for. */
static int change_patterns(struct value *entry, const struct select_args *args, struct error *err)
{
    auto_free char *pattern =
        xasprintf("%s%s.%s", args->exclude ? "!" : "", args->stream ? args->stream : "*",
                  args->property ? args->property : "*");
    struct value *patterns = value_get(entry, "select");

    if (args->clear) {
        value_remove(entry, "select");
        return 0;
    }
    if (args->remove) {
        if (remove_pattern(patterns, pattern, err) < 0)
            return -1;
        if (!value_count(patterns))
            value_remove(entry, "select");
        return 0;
    }
    if (!value_is_list(patterns)) {
        patterns = value_new_list();
        value_set_take(entry, "select", patterns);
    }
    value_append_string(patterns, pattern);
    return 0;
}

static int change_selection(struct app *app, const struct plugin *plugin,
                            const struct select_args *args, struct error *err)
{
    auto_project_edit struct project_edit *edit = NULL;
    const struct environment *environment;
    struct value *entry;

    if (project_change_begin(app, &edit, err) < 0)
        return -1;
    environment = config_environment(app_config(app, err));
    entry = project_edit_plugin(edit, plugin, environment ? environment->name : NULL, err);
    if (!entry || change_patterns(entry, args, err) < 0)
        return -1;
    return project_edit_commit(edit, err);
}

/* --- showing the selection ---------------------------------------------------------------- */

static bool is_shown(const struct value *property, bool all)
{
    const char *selection = value_get_text(property, "selection");

    return all || !strcmp(selection, selection_name(SELECTION_SELECTED)) ||
           !strcmp(selection, selection_name(SELECTION_AUTOMATIC));
}

static void print_text(struct app *app, const struct value *patterns,
                       const struct value *properties, bool all)
{
    int width = 0;

    app_print(app, "Legend:\n");
    for (int i = 0; i < SELECTION_COUNT; i++) {
        const char *name = selection_name((enum selection)i);

        app_print(app, "\t%s\n", name);
        if ((int)strlen(name) > width)
            width = (int)strlen(name);
    }
    app_print(app, "\nEnabled patterns:\n");
    for (size_t i = 0; i < value_count(patterns); i++)
        app_print(app, "\t%s\n", value_text(value_at(patterns, i)));
    app_print(app, "\nSelected properties:\n");
    for (size_t i = 0; i < value_count(properties); i++) {
        const struct value *property = value_at(properties, i);

        if (is_shown(property, all))
            app_print(app, "\t[%-*s] %s.%s\n", width, value_get_text(property, "selection"),
                      value_get_text(property, "stream"), value_get_text(property, "property"));
    }
}

static void print_json(struct app *app, const struct value *patterns,
                       const struct value *properties, bool all)
{
    auto_value struct value *out = value_new_map();
    struct value *streams = value_new_list();

    value_set_take(out, "enabled_patterns", patterns ? value_copy(patterns) : value_new_list());
    value_set_take(out, "streams", streams);
    for (size_t i = 0; i < value_count(properties); i++)
        if (is_shown(value_at(properties, i), all))
            value_append_take(streams, value_copy(value_at(properties, i)));
    app_print_json(app, out);
}

/* The patterns in force. */
static int read_patterns(struct config *config, struct plugin *plugin, struct value **out,
                         struct error *err)
{
    auto_plugin_config struct plugin_config *resolved = NULL;
    const struct value *patterns;

    if (config_resolve_plugin(config, plugin, NULL, NULL, &resolved, err) < 0)
        return -1;
    patterns = plugin_config_extra(resolved, "_select");
    *out = value_is_list(patterns) ? value_copy(patterns) : value_new_list();
    return 0;
}

static int show_selection(struct app *app, struct config *config, struct plugin *plugin,
                          const struct select_args *args, struct error *err)
{
    auto_value struct value *catalog = NULL;
    auto_value struct value *patterns = NULL;
    auto_value struct value *properties = NULL;

    if (auto_install(app, &plugin, 1, (enum auto_install)args->install, err) < 0)
        return -1;
    if (args->install == AUTO_INSTALL_ONLY)
        return 0;
    if (read_patterns(config, plugin, &patterns, err) < 0)
        return -1;
    if (plugin_load_catalog(config, plugin, args->refresh_catalog, &catalog, err) < 0 ||
        catalog_list_selection(catalog, &properties, err) < 0)
        return error_wrap(err, "cannot list the selected properties");
    (args->list == LIST_JSON ? print_json : print_text)(app, patterns, properties, args->all);
    return 0;
}

static int run_select(struct app *app, void *data, struct error *err)
{
    const struct select_args *args = data;
    struct config *config = app_config(app, err);
    struct plugin *plugin =
        config ? find_extractor(config_project(config), args->extractor, err) : NULL;

    if (!plugin)
        return -1;
    if (args->list && !args->clear)
        return show_selection(app, config, plugin, args, err);
    return change_selection(app, plugin, args, err);
}

static const struct option_def select_options[] = {
    OPTION_VALUE(struct select_args, list, "list", "Show what is selected.", .value = LIST_TEXT),
    OPTION_VALUE(struct select_args, list, "json", "Show what is selected, as JSON.",
                 .value = LIST_JSON),
    OPTION_FLAG(struct select_args, all, "all", "Show also what is not selected."),
    OPTION_FLAG(struct select_args, refresh_catalog, "refresh-catalog",
                "Discover the catalog anew."),
    OPTION_FLAG(struct select_args, remove, "rm", "Remove the pattern instead of adding it.",
                .alias = "remove"),
    OPTION_FLAG(struct select_args, exclude, "exclude", "Add (or remove) a pattern that excludes."),
    OPTION_FLAG(struct select_args, clear, "clear", "Remove all patterns."),
    AUTO_INSTALL_OPTIONS(struct select_args),
    {0},
};

static const struct argument_def select_arguments[] = {
    ARGUMENT_ONE(struct select_args, extractor, "EXTRACTOR", .word = WORD_EXTRACTOR),
    ARGUMENT_OPTIONAL(struct select_args, stream, "STREAMS_FILTER"),
    ARGUMENT_OPTIONAL(struct select_args, property, "PROPERTIES_FILTER"),
    {0},
};

const struct command select_command = {
    .name = "select",
    .summary = "Choose what an extractor extracts, or show it.",
    .options = select_options,
    .arguments = select_arguments,
    .args_size = sizeof(struct select_args),
    .run = run_select,
    .environment = ENVIRONMENT_EXPLICIT,
};
