#include "config/config_write.h"

#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "config/cast.h"
#include "config/config_print.h"
#include "config/dotenv.h"
#include "config/flatten.h"
#include "config/scope.h"
#include "project/edit.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define REDACTED "(redacted)"

/* One command at work. */
struct writing {
    struct config *config;
    struct plugin *plugin; /* NULL: the project */
    const struct config_write_options *options;
    struct scope *scope;
    struct strlist path;
    char *name;                    /* the path with dots */
    const struct setting_def *def; /* NULL when the setting is not known */
    struct strbuf *out;
};

static const char *const store_names[] = {
    [CONFIG_STORE_AUTO] = "auto",
    [CONFIG_STORE_DOTENV] = "dotenv",
    [CONFIG_STORE_MELTANO_ENVIRONMENT] = "meltano_environment",
    [CONFIG_STORE_MELTANO_YML] = "meltano_yml",
    [CONFIG_STORE_DB] = "db",
};
_Static_assert(ARRAY_LEN(store_names) == CONFIG_STORE_COUNT, "a store has no name");

bool config_store_parse(const char *word, enum config_store *out)
{
    auto_free char *name = xstrdup(word);

    for (char *at = name; *at; at++)
        if (*at == '-')
            *at = '_';
    for (size_t i = 0; i < ARRAY_LEN(store_names); i++) {
        if (strcmp(store_names[i], name) != 0)
            continue;
        *out = (enum config_store)i;
        return true;
    }
    return false;
}

/* What a store is as a source of values. */
static enum setting_source store_source(enum config_store store)
{
    static const enum setting_source sources[] = {
        [CONFIG_STORE_DOTENV] = SOURCE_DOTENV,
        [CONFIG_STORE_MELTANO_ENVIRONMENT] = SOURCE_MELTANO_ENVIRONMENT,
        [CONFIG_STORE_MELTANO_YML] = SOURCE_MELTANO_YML,
        [CONFIG_STORE_DB] = SOURCE_DB,
    };

    assert(store > CONFIG_STORE_AUTO && store < CONFIG_STORE_COUNT);
    return sources[store];
}

static const char *store_label(enum config_store store)
{
    if (store == CONFIG_STORE_AUTO)
        return "the system database, `meltano.yml`, and `.env`";
    return setting_source_label(store_source(store));
}

static void writing_clear(struct writing *writing)
{
    scope_free(writing->scope);
    strlist_clear(&writing->path);
    free(writing->name);
}
#define auto_writing ATTR_CLEANUP(writing_clear)

static int open_scope(struct config *config, struct plugin *plugin, struct scope **out,
                      struct error *err)
{
    struct scope_options options = {.plugin = plugin, .reads_db = true};

    if (plugin && plugin_resolve(plugin, err) < 0)
        return -1;
    if (!plugin)
        options.overrides = config->overrides;
    return scope_new(config, &options, out, err);
}

static int writing_init(struct writing *writing, const struct strlist *name, struct error *err)
{
    if (open_scope(writing->config, writing->plugin, &writing->scope, err) < 0)
        return -1;
    if (!name)
        return 0;
    strlist_add_all(&writing->path, name);
    writing->name = strlist_join(name, ".");
    writing->def = scope_find_def(writing->scope, writing->name);
    return 0;
}

/* "Extractor 'tap-x'", at the beginning of a sentence. */
static void add_subject(const struct writing *writing)
{
    char buffer[256];
    const char *what = scope_describe(writing->scope, buffer, sizeof buffer);

    strbuf_add_char(writing->out, (char)(*what >= 'a' && *what <= 'z' ? *what - 'a' + 'A' : *what));
    strbuf_add(writing->out, what + 1);
}

static bool hides_value(const struct writing *writing)
{
    return !writing->options->unsafe && writing->def && writing->def->sensitive;
}

/* --- which store -------------------------------------------------------------------------- */

static int refuse_readonly(struct error *err)
{
    error_set(err, ERR_CONFIG, "This Meltano project is deployed as read-only");
    return error_hint(err, "Use '--store db', or turn project_readonly off.");
}

static int refuse_no_environment(struct error *err)
{
    error_set(err, ERR_CONFIG, "No active environment found");
    return error_hint(err, "Choose one with --environment.");
}

static enum config_store choose_store(const struct writing *writing, bool is_readonly)
{
    if (is_readonly)
        return CONFIG_STORE_DB;
    if (writing->def && (writing->def->sensitive || writing->def->env_specific))
        return CONFIG_STORE_DOTENV;
    if (writing->plugin && writing->config->environment)
        return CONFIG_STORE_MELTANO_ENVIRONMENT;
    return CONFIG_STORE_MELTANO_YML;
}

/* The store that was asked for, as far as that is possible. CONFIG_STORE_AUTO stays. */
static int check_store(const struct writing *writing, enum config_store *store, bool *is_readonly,
                       struct error *err)
{
    const struct config *config = writing->config;
    bool takes_environment = writing->plugin && config->environment;

    *store = writing->options->store;
    if (config_project_bool(writing->config, "project_readonly", is_readonly, err) < 0)
        return -1;
    if (*store == CONFIG_STORE_MELTANO_ENVIRONMENT && !takes_environment)
        return refuse_no_environment(err);
    if (*store == CONFIG_STORE_MELTANO_YML && takes_environment && !config->environment_is_default)
        *store = CONFIG_STORE_MELTANO_ENVIRONMENT;
    if (*is_readonly && *store != CONFIG_STORE_AUTO && *store != CONFIG_STORE_DB)
        return refuse_readonly(err);
    return 0;
}

/* --- meltano.yml -------------------------------------------------------------------------- */

/* The path of a setting within the entry of a plugin: extras stand beside config. */
static void add_entry_path(const struct writing *writing, const struct strlist *path,
                           struct strlist *out)
{
    if (!writing->plugin) {
        strlist_add_all(out, path);
    } else if (path->items[0][0] == '_') {
        strlist_add(out, path->items[0] + 1);
        for (size_t i = 1; i < path->count; i++)
            strlist_add(out, path->items[i]);
    } else {
        strlist_add(out, "config");
        strlist_add_all(out, path);
    }
}

/* The mapping that holds the settings: the plugin's entry, or the top level that has the key. */
static struct value *find_holder(const struct writing *writing, struct project_edit *edit,
                                 bool in_environment, const char *key, struct error *err)
{
    const char *environment = in_environment ? writing->config->environment->name : NULL;

    if (!writing->plugin)
        return project_edit_top_level(edit, key);
    return project_edit_plugin(edit, writing->plugin, environment, err);
}

static int unset_in_yml(const struct writing *writing, struct project_edit *edit,
                        bool in_environment, const struct strlist *path, struct error *err)
{
    auto_strlist struct strlist entry_path = STRLIST_INIT;
    struct value *holder = find_holder(writing, edit, in_environment, path->items[0], err);

    if (!holder)
        return -1;
    add_entry_path(writing, path, &entry_path);
    edit_unset_path(holder, &entry_path);
    return 0;
}

/* Removes one name of the setting, as one key and as a path. A path that is kept is not touched:
 * it is about to be replaced in its place. */
static int unset_spellings(const struct writing *writing, struct project_edit *edit,
                           bool in_environment, const char *name, const struct strlist *kept,
                           struct error *err)
{
    auto_strlist struct strlist key = STRLIST_INIT, path = STRLIST_INIT;
    auto_free char *kept_text = kept ? strlist_join(kept, "\n") : NULL;
    auto_free char *path_text = NULL;

    strlist_add(&key, name);
    name_split(name, &path);
    path_text = strlist_join(&path, "\n");
    if ((!kept_text || strcmp(kept_text, name) != 0) &&
        unset_in_yml(writing, edit, in_environment, &key, err) < 0)
        return -1;
    if (path.count > 1 && (!kept_text || strcmp(kept_text, path_text) != 0))
        return unset_in_yml(writing, edit, in_environment, &path, err);
    return 0;
}

static int unset_all_spellings(const struct writing *writing, struct project_edit *edit,
                               bool in_environment, const struct strlist *kept, struct error *err)
{
    const struct setting_def *def = writing->def;

    if (!def)
        return unset_spellings(writing, edit, in_environment, writing->name, kept, err);
    for (size_t i = 0; i <= def->aliases.count; i++)
        if (unset_spellings(writing, edit, in_environment,
                            i ? def->aliases.items[i - 1] : def->name, kept, err) < 0)
            return -1;
    return 0;
}

static int set_in_yml(const struct writing *writing, bool in_environment, const struct value *value,
                      struct error *err)
{
    auto_project_edit struct project_edit *edit = NULL;
    auto_strlist struct strlist entry_path = STRLIST_INIT;
    struct value *holder;

    if (project_edit_begin(writing->config->project, &edit, err) < 0 ||
        unset_all_spellings(writing, edit, in_environment, &writing->path, err) < 0)
        return -1;
    holder = find_holder(writing, edit, in_environment, writing->path.items[0], err);
    if (!holder)
        return -1;
    add_entry_path(writing, &writing->path, &entry_path);
    /* YAML has no decimals: 1.50 reads as 1.5, so it is written so. */
    edit_set_path_take(holder, &entry_path, value_copy_as_python(value));
    return project_edit_commit(edit, err);
}

/* Whether the active environment says anything about the plugin; if not, nothing needs to be
 * removed, and no entry is made for it. */
static bool has_environment_entry(const struct writing *writing)
{
    return writing->plugin && writing->config->environment &&
           environment_plugin_entry(writing->config->environment,
                                    plugin_identity(writing->plugin)) != NULL;
}

static int remove_from_yml(const struct writing *writing, bool in_environment, struct error *err)
{
    auto_project_edit struct project_edit *edit = NULL;

    if (in_environment && !has_environment_entry(writing))
        return 0;
    if (project_edit_begin(writing->config->project, &edit, err) < 0 ||
        unset_all_spellings(writing, edit, in_environment, NULL, err) < 0 ||
        unset_in_yml(writing, edit, in_environment, &writing->path, err) < 0)
        return -1;
    return project_edit_commit(edit, err);
}

/* Removes config and the extras from an entry. */
static void reset_entry(struct value *entry, const struct value *extras)
{
    value_remove(entry, "config");
    for (size_t i = 0; i < value_count(extras); i++)
        value_remove(entry, value_member_at(extras, i)->key);
}

/* The keys of an environment's entry that are extras. */
static struct value *environment_extras(const struct writing *writing)
{
    static const char *const others[] = {"name", "config", "env", "annotations"};
    struct value *extras = value_copy(
        environment_plugin_entry(writing->config->environment, plugin_identity(writing->plugin)));

    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        value_remove(extras, others[i]);
    return extras;
}

static void reset_project(const struct writing *writing, struct project_edit *edit)
{
    for (size_t i = 0; i < writing->scope->count; i++) {
        auto_strlist struct strlist key = STRLIST_INIT, path = STRLIST_INIT;
        const char *name = writing->scope->entries[i].def->name;

        strlist_add(&key, name);
        name_split(name, &path);
        edit_unset_path(project_edit_top_level(edit, name), &key);
        edit_unset_path(project_edit_top_level(edit, path.items[0]), &path);
    }
}

static int reset_yml(const struct writing *writing, bool in_environment, struct error *err)
{
    auto_project_edit struct project_edit *edit = NULL;
    auto_value struct value *extras = NULL;
    struct value *entry;

    if (in_environment && !has_environment_entry(writing))
        return 0;
    if (project_edit_begin(writing->config->project, &edit, err) < 0)
        return -1;
    if (!writing->plugin) {
        reset_project(writing, edit);
        return project_edit_commit(edit, err);
    }
    entry = find_holder(writing, edit, in_environment, NULL, err);
    if (!entry)
        return -1;
    extras = in_environment ? environment_extras(writing) : value_copy(writing->plugin->extras);
    reset_entry(entry, extras);
    return project_edit_commit(edit, err);
}

/* --- .env --------------------------------------------------------------------------------- */

static int require_known(const struct writing *writing, const char *verb, struct error *err)
{
    if (writing->def)
        return 0;
    error_set(err, ERR_CONFIG, "Unknown setting '%s' can not be %s in `.env`", writing->name, verb);
    return error_hint(err, "Define the setting in 'meltano.yml' or use a different setting store.");
}

/* Removes the variables of the setting from position first on. */
static int unset_in_dotenv(const struct writing *writing, const struct strlist *names, size_t first,
                           struct error *err)
{
    const char *path = writing->config->dotenv_path;
    bool found;

    for (size_t i = first; i < names->count; i++) {
        const char *name = names->items[i] + (names->items[i][0] == '!');

        if (file_exists(path) && dotenv_unset(path, name, &found, err) < 0)
            return -1;
    }
    return 0;
}

static int set_in_dotenv(const struct writing *writing, const struct value *value,
                         struct error *err)
{
    auto_strlist struct strlist names = STRLIST_INIT;
    auto_free char *text = NULL;

    if (require_known(writing, "set", err) < 0)
        return -1;
    scope_read_names(writing->scope, writing->def, &names);
    text = setting_value_to_text(value, writing->def->kind);
    if (unset_in_dotenv(writing, &names, 1, err) < 0)
        return -1;
    return dotenv_set(writing->config->dotenv_path, names.items[0], text, err);
}

static int remove_from_dotenv(const struct writing *writing, struct error *err)
{
    auto_strlist struct strlist names = STRLIST_INIT;

    if (require_known(writing, "unset", err) < 0)
        return -1;
    scope_read_names(writing->scope, writing->def, &names);
    return unset_in_dotenv(writing, &names, 0, err);
}

/* --- the system database ------------------------------------------------------------------ */

static struct store *open_store(const struct writing *writing, struct error *err)
{
    return writing->options->open_store(writing->options->store_context, err);
}

static int set_in_db(const struct writing *writing, const struct value *value, struct error *err)
{
    auto_free char *setting_namespace = scope_db_namespace(writing->scope);
    struct store *store = open_store(writing, err);

    if (!store)
        return -1;
    return store_setting_write(store, setting_namespace, writing->name, value, err);
}

static int remove_from_db(const struct writing *writing, struct error *err)
{
    auto_free char *setting_namespace = scope_db_namespace(writing->scope);
    struct store *store = open_store(writing, err);
    bool found;

    if (!store)
        return -1;
    return store_setting_delete(store, setting_namespace, writing->name, &found, err);
}

static int reset_db(const struct writing *writing, struct error *err)
{
    auto_free char *setting_namespace = scope_db_namespace(writing->scope);
    struct store *store = open_store(writing, err);

    return store ? store_settings_clear(store, setting_namespace, err) : -1;
}

/* --- all stores --------------------------------------------------------------------------- */

static int set_in_store(const struct writing *writing, enum config_store store,
                        const struct value *value, struct error *err)
{
    switch (store) {
    case CONFIG_STORE_DOTENV:
        return set_in_dotenv(writing, value, err);
    case CONFIG_STORE_DB:
        return set_in_db(writing, value, err);
    default:
        return set_in_yml(writing, store == CONFIG_STORE_MELTANO_ENVIRONMENT, value, err);
    }
}

static int remove_from_store(const struct writing *writing, enum config_store store,
                             struct error *err)
{
    switch (store) {
    case CONFIG_STORE_DOTENV:
        return remove_from_dotenv(writing, err);
    case CONFIG_STORE_DB:
        return remove_from_db(writing, err);
    default:
        return remove_from_yml(writing, store == CONFIG_STORE_MELTANO_ENVIRONMENT, err);
    }
}

static int reset_store(const struct writing *writing, enum config_store store, struct error *err)
{
    switch (store) {
    case CONFIG_STORE_DOTENV:
        return path_remove_all(writing->config->dotenv_path, err);
    case CONFIG_STORE_DB:
        return reset_db(writing, err);
    default:
        return reset_yml(writing, store == CONFIG_STORE_MELTANO_ENVIRONMENT, err);
    }
}

/* Does it in the store, or for CONFIG_STORE_AUTO in all of those that can be written. */
static int for_stores(const struct writing *writing, enum config_store store, bool is_readonly,
                      int (*act)(const struct writing *writing, enum config_store store,
                                 struct error *err),
                      struct error *err)
{
    if (store != CONFIG_STORE_AUTO)
        return act(writing, store, err);
    for (int each = CONFIG_STORE_DOTENV; each < CONFIG_STORE_COUNT; each++) {
        if (is_readonly && each != CONFIG_STORE_DB)
            continue;
        if (each == CONFIG_STORE_DOTENV && writing->name && !writing->def)
            continue;
        if (each == CONFIG_STORE_MELTANO_ENVIRONMENT && !has_environment_entry(writing))
            continue;
        if (act(writing, (enum config_store)each, err) < 0)
            return -1;
    }
    return 0;
}

/* --- what counts afterwards --------------------------------------------------------------- */

/* The project and its settings, loaded anew. */
struct reloaded {
    struct project *project;
    struct config *config;
    struct scope *scope;
    struct setting setting; /* of an unknown name; borrows nothing */
};

static void reloaded_clear(struct reloaded *reloaded)
{
    value_free(reloaded->setting.value);
    scope_free(reloaded->scope);
    config_free(reloaded->config);
    project_free(reloaded->project);
}
#define auto_reloaded ATTR_CLEANUP(reloaded_clear)

static struct plugin *find_again(const struct project *project, const struct plugin *plugin)
{
    if (plugin->mapper)
        return project_find_plugin(project, plugin->name);
    return project_find_plugin_of_type(project, plugin->type, plugin->name);
}

static int reload(const struct writing *writing, struct reloaded *out, struct error *err)
{
    const struct config *old = writing->config;
    auto_strmap struct strmap overrides = STRMAP_INIT;
    struct config_options options = {
        .env_file = old->dotenv_path,
        .environment = old->environment ? old->environment->name : NULL,
        .environment_is_default = old->environment_is_default,
        .overrides = &overrides,
        .read_db_settings = old->read_db_settings,
        .db_context = old->db_context,
    };
    struct plugin *plugin = NULL;

    for (size_t i = 0; i < value_count(old->overrides); i++)
        strmap_set(&overrides, value_member_at(old->overrides, i)->key,
                   value_text(value_member_at(old->overrides, i)->value));
    if (project_load(old->project->root, &out->project, err) < 0)
        return -1;
    project_set_definition_source(out->project, old->project->fetch_definition,
                                  old->project->fetch_context);
    if (config_open(out->project, &old->environ_map, &options, &out->config, err) < 0)
        return -1;
    if (writing->plugin) {
        plugin = find_again(out->project, writing->plugin);
        if (!plugin)
            return error_set(err, ERR_CONFIG, "'%s' is no longer in meltano.yml",
                             writing->plugin->name);
    }
    return open_scope(out->config, plugin, &out->scope, err);
}

/* A value without a definition: only meltano.yml and the system database can hold one. */
static int find_undefined(const struct writing *writing, struct reloaded *reloaded,
                          struct error *err)
{
    const struct config *config = reloaded->config;
    auto_free char *setting_namespace = scope_db_namespace(reloaded->scope);
    auto_value struct value *rows = NULL;
    const struct value *value = value_get(reloaded->scope->yml, writing->name);

    reloaded->setting.source = SOURCE_MELTANO_YML;
    if (value_is_null(value) && config->read_db_settings) {
        if (config->read_db_settings(config->db_context, setting_namespace, &rows, err) < 0)
            return -1;
        value = value_get(rows, writing->name);
        reloaded->setting.source = SOURCE_DB;
    }
    if (value_is_null(value))
        reloaded->setting.source = SOURCE_DEFAULT;
    reloaded->setting.value = value_copy(value);
    return 0;
}

/* The setting as it is now. */
static int find_current(const struct writing *writing, struct reloaded *reloaded,
                        const struct setting **out, struct error *err)
{
    const struct setting_def *def = scope_find_def(reloaded->scope, writing->name);
    struct scope_entry *entry;

    if (!def) {
        *out = &reloaded->setting;
        return find_undefined(writing, reloaded, err);
    }
    entry = scope_find(reloaded->scope, def->name);
    *out = &entry->setting;
    return scope_resolve(reloaded->scope, entry, err);
}

/* Says so when another layer hides what was set. */
static int report_still(const struct writing *writing, enum setting_source set, struct error *err)
{
    auto_reloaded struct reloaded reloaded = {0};
    const struct setting *current;

    if (reload(writing, &reloaded, err) < 0 || find_current(writing, &reloaded, &current, err) < 0)
        return -1;
    if (current->source == set)
        return 0;
    strbuf_add(writing->out, "Current value is still: ");
    if (hides_value(writing))
        strbuf_add(writing->out, REDACTED);
    else
        strbuf_add_setting_repr(writing->out, current);
    strbuf_addf(writing->out, " (from %s)\n", setting_source_label(current->source));
    return 0;
}

/* Says what is left when there still is a value. */
static int report_now(const struct writing *writing, struct error *err)
{
    auto_reloaded struct reloaded reloaded = {0};
    const struct setting *current;

    if (reload(writing, &reloaded, err) < 0 || find_current(writing, &reloaded, &current, err) < 0)
        return -1;
    if (current->source == SOURCE_DEFAULT)
        return 0;
    strbuf_add(writing->out, "Current value is now: ");
    if (hides_value(writing) && value_is_truthy(current->value))
        strbuf_add_py_string(writing->out, REDACTED);
    else
        strbuf_add_setting_repr(writing->out, current);
    strbuf_add(writing->out, " (");
    strbuf_add_setting_origin(writing->out, current);
    strbuf_add(writing->out, ")\n");
    return 0;
}

/* --- the commands ------------------------------------------------------------------------- */

static void warn_if_unknown(const struct writing *writing)
{
    auto_strlist struct strlist segments = STRLIST_INIT;

    name_split(writing->name, &segments);
    if (!writing->def &&
        (segments.count == 1 || !scope_find_def(writing->scope, segments.items[0])))
        log_warning("Unknown setting '%s'", writing->name);
}

static int refuse_mapping_extra(const struct writing *writing, struct error *err)
{
    if (!writing->plugin || !writing->plugin->mapper || writing->name[0] != '_')
        return 0;
    error_set(err, ERR_CONFIG, "mapping '%s' has no extras of its own", writing->plugin->name);
    return error_hint(err, "Set '%s' of mapper '%s'.", writing->name,
                      writing->plugin->mapper->name);
}

static int cast_given(const struct writing *writing, const char *text, struct value **out,
                      struct error *err)
{
    auto_value struct value *given = value_new_string(text);
    char buffer[256];

    if (!writing->def) {
        *out = take(given);
        return 0;
    }
    if (setting_cast(writing->def, given, out, err) == 0)
        return 0;
    return error_wrap(err, "setting '%s' of %s", writing->name,
                      scope_describe(writing->scope, buffer, sizeof buffer));
}

static void report_set(const struct writing *writing, enum config_store store,
                       const struct value *value)
{
    struct setting given = {.value = value_copy(value),
                            .is_decimal = writing->def && writing->def->kind == SETTING_DECIMAL};

    add_subject(writing);
    strbuf_addf(writing->out, " setting '%s' was set in %s: ", writing->name, store_label(store));
    if (hides_value(writing))
        strbuf_add(writing->out, REDACTED);
    else
        strbuf_add_setting_repr(writing->out, &given);
    strbuf_add_char(writing->out, '\n');
    value_free(given.value);
}

/* One word is a path of its own; several are taken as they are. */
static void add_path(const struct strlist *name, struct strlist *path)
{
    if (name->count == 1)
        name_split(name->items[0], path);
    else
        strlist_add_all(path, name);
}

int config_set(struct config *config, struct plugin *plugin, const struct strlist *name,
               const char *value, const struct config_write_options *options, struct strbuf *out,
               struct error *err)
{
    auto_writing struct writing writing = {
        .config = config, .plugin = plugin, .options = options, .out = out};
    auto_strlist struct strlist path = STRLIST_INIT;
    auto_value struct value *cast = NULL;
    enum config_store store;
    bool is_readonly;

    add_path(name, &path);
    if (writing_init(&writing, &path, err) < 0 || refuse_mapping_extra(&writing, err) < 0 ||
        check_store(&writing, &store, &is_readonly, err) < 0)
        return -1;
    warn_if_unknown(&writing);
    /* What 'config print' shows for a secret is no new value for it. */
    if (!strcmp(value, REDACTED)) {
        report_set(&writing, store, NULL);
        return report_still(&writing, SOURCE_COUNT, err);
    }
    if (store == CONFIG_STORE_AUTO)
        store = choose_store(&writing, is_readonly);
    if (cast_given(&writing, value, &cast, err) < 0 || set_in_store(&writing, store, cast, err) < 0)
        return -1;
    report_set(&writing, store, cast);
    return report_still(&writing, store_source(store), err);
}

/* Whether .env or meltano.yml, which a read-only project keeps as they are, has the setting. */
static bool is_in_files(const struct writing *writing)
{
    const struct scope *scope = writing->scope;
    auto_strlist struct strlist names = STRLIST_INIT;

    if (!writing->def)
        return value_get(scope->yml, writing->name) || value_get(scope->environment, writing->name);
    scope_read_names(scope, writing->def, &names);
    for (size_t i = 0; i < names.count; i++)
        if (strmap_has(&scope->config->dotenv, names.items[i] + (names.items[i][0] == '!')))
            return true;
    for (size_t i = 0; i <= writing->def->aliases.count; i++) {
        const char *key = i ? writing->def->aliases.items[i - 1] : writing->def->name;

        if (value_get(scope->yml, key) || value_get(scope->environment, key))
            return true;
    }
    return false;
}

int config_unset(struct config *config, struct plugin *plugin, const struct strlist *name,
                 const struct config_write_options *options, struct strbuf *out, struct error *err)
{
    auto_writing struct writing writing = {
        .config = config, .plugin = plugin, .options = options, .out = out};
    enum config_store store;
    bool is_readonly;

    if (writing_init(&writing, name, err) < 0 ||
        check_store(&writing, &store, &is_readonly, err) < 0 ||
        for_stores(&writing, store, is_readonly, remove_from_store, err) < 0)
        return -1;
    if (is_readonly && store == CONFIG_STORE_AUTO && is_in_files(&writing))
        return refuse_readonly(err);
    add_subject(&writing);
    strbuf_addf(out, " setting '%s' in %s was unset\n", writing.name,
                store_label(store == CONFIG_STORE_AUTO ? CONFIG_STORE_DB : store));
    return report_now(&writing, err);
}

int config_reset(struct config *config, struct plugin *plugin,
                 const struct config_write_options *options, struct strbuf *out, struct error *err)
{
    auto_writing struct writing writing = {
        .config = config, .plugin = plugin, .options = options, .out = out};
    enum config_store store;
    bool is_readonly;

    if (writing_init(&writing, NULL, err) < 0 ||
        check_store(&writing, &store, &is_readonly, err) < 0 ||
        for_stores(&writing, store, is_readonly, reset_store, err) < 0)
        return -1;
    add_subject(&writing);
    strbuf_addf(out, " settings in %s were reset\n", store_label(store));
    return 0;
}
