#include "config/scope.h"

#include "base/hash.h"
#include "base/memory.h"
#include "base/position.h"
#include "config/cast.h"
#include "config/definitions.h"
#include "config/env_name.h"
#include "config/expand.h"
#include "config/flatten.h"

#include <stdio.h>
#include <string.h>

/* Meltano's word for a secret wherever a command does not ask for another. */
#define REDACTED "(redacted)"

/* --- the settings there are --------------------------------------------------------------- */

/* The slot that holds name, or the free slot where it belongs. */
static size_t find_slot(const struct scope *scope, const char *name)
{
    size_t slot = hash_bytes(name, strlen(name)) & (scope->slot_count - 1);

    while (scope->slots[slot] &&
           strcmp(scope->entries[scope->slots[slot] - 1].def->name, name) != 0)
        slot = (slot + 1) & (scope->slot_count - 1);
    return slot;
}

static void rebuild_slots(struct scope *scope)
{
    scope->slot_count = scope->slot_count ? scope->slot_count * 2 : 64;
    free(scope->slots);
    scope->slots = xcalloc(scope->slot_count, sizeof *scope->slots);
    for (size_t i = 0; i < scope->count; i++)
        scope->slots[find_slot(scope, scope->entries[i].def->name)] = i + 1;
}

/* A second definition of a name takes the place of the first. */
static void add_def(struct scope *scope, const struct setting_def *def)
{
    size_t slot;

    if ((scope->count + 1) * 2 > scope->slot_count)
        rebuild_slots(scope);
    slot = find_slot(scope, def->name);
    if (scope->slots[slot]) {
        scope->entries[scope->slots[slot] - 1].def = def;
        return;
    }
    GROW(scope->entries, scope->count, scope->capacity);
    scope->entries[scope->count] = (struct scope_entry){.def = def};
    scope->slots[slot] = ++scope->count;
}

struct scope_entry *scope_find(const struct scope *scope, const char *name)
{
    size_t position = scope->count ? scope->slots[find_slot(scope, name)] : 0;

    return position ? &scope->entries[position - 1] : NULL;
}

const struct setting_def *scope_find_def(const struct scope *scope, const char *name)
{
    for (size_t i = 0; i < scope->count; i++) {
        const struct setting_def *def = scope->entries[i].def;

        if (!strcmp(def->name, name) || strlist_contains(&def->aliases, name))
            return def;
    }
    return NULL;
}

/* Settings that only a value in meltano.yml tells of. */
static void add_custom_defs(struct scope *scope, const struct value *flat, enum scope_part part)
{
    for (size_t i = 0; i < value_count(flat); i++) {
        const struct value_member *member = value_member_at(flat, i);
        struct setting_def *def;

        if (scope_find(scope, member->key))
            continue;
        def = setting_def_new(member->key, setting_infer_kind(member->value));
        def->is_custom = true;
        if (!scope_has(part, def)) {
            setting_def_free(def);
            continue;
        }
        setting_def_list_add_take(&scope->own_defs, def);
        add_def(scope, def);
    }
}

/* Whether the plugin's own entry defines the setting, and not only what it inherits from. */
static bool entry_defines(const struct plugin *plugin, const char *name)
{
    const struct value *settings = value_get(plugin->entry, "settings");

    for (size_t i = 0; i < value_count(settings); i++) {
        const char *own = value_get_text(value_at(settings, i), "name");

        if (own && !strcmp(own, name))
            return true;
    }
    return false;
}

/* What is inherited comes first, values without a definition in the parent included; then what
 * the plugin defines itself. */
static void add_ordinary_defs(struct scope *scope, const struct plugin *plugin)
{
    for (size_t i = 0; scope->parent && i < scope->parent->inheritable; i++) {
        const struct setting_def *def = scope->parent->entries[i].def;

        if (scope_has(SCOPE_ORDINARY, def) && !entry_defines(plugin, def->name))
            add_def(scope, def);
    }
    for (size_t i = 0; i < plugin->settings.count; i++)
        if (!scope->parent || entry_defines(plugin, plugin->settings.items[i]->name))
            add_def(scope, plugin->settings.items[i]);
    add_custom_defs(scope, scope->yml, SCOPE_ORDINARY);
}

static void add_extra_defs(struct scope *scope, const struct plugin *plugin)
{
    for (size_t i = 0; scope->parent && i < scope->parent->inheritable; i++)
        if (scope_has(SCOPE_EXTRAS, scope->parent->entries[i].def))
            add_def(scope, scope->parent->entries[i].def);
    if (!scope->parent) {
        size_t first = scope->own_defs.count;

        definitions_add_extras(&scope->own_defs, plugin);
        for (size_t i = first; i < scope->own_defs.count; i++)
            add_def(scope, scope->own_defs.items[i]);
    }
    add_custom_defs(scope, scope->yml, SCOPE_EXTRAS);
}

static void add_project_defs(struct scope *scope)
{
    definitions_add_project(&scope->own_defs);
    for (size_t i = 0; i < scope->own_defs.count; i++)
        add_def(scope, scope->own_defs.items[i]);
}

bool scope_has(enum scope_part part, const struct setting_def *def)
{
    return part & (def->name[0] == '_' ? SCOPE_EXTRAS : SCOPE_ORDINARY);
}

/* --- making a scope ----------------------------------------------------------------------- */

/* Config and extras of an entry under their flat names. */
static struct value *flatten_entry(const struct value *config, const struct value *extras)
{
    struct value *flat = value_new_map();

    flatten_into(flat, config, NULL);
    flatten_into(flat, extras, "_");
    return flat;
}

/* The keys of an environment's entry of a plugin that are its extras. */
static struct value *environment_extras(const struct value *entry)
{
    struct value *extras = value_new_map();

    for (size_t i = 0; i < value_count(entry); i++) {
        const struct value_member *member = value_member_at(entry, i);

        if (strcmp(member->key, "name") != 0 && strcmp(member->key, "config") != 0 &&
            strcmp(member->key, "env") != 0 && strcmp(member->key, "annotations") != 0)
            value_set_take(extras, member->key, value_copy(member->value));
    }
    return extras;
}

static struct value *flatten_environment(const struct config *config, const struct plugin *plugin)
{
    const struct value *entry;
    auto_value struct value *extras = NULL;

    if (!config->environment)
        return value_new_map();
    entry = environment_plugin_entry(config->environment, plugin_identity(plugin));
    extras = environment_extras(entry);
    return flatten_entry(value_get(entry, "config"), extras);
}

/* The keys of meltano.yml that are settings of the project. */
static struct value *flatten_project(const struct project *project)
{
    static const char *const others[] = {"version", "plugins", "schedules",        "environments",
                                         "jobs",    "env",     "requires_meltano", "annotations"};
    struct value *flat = value_new_map();

    for (size_t i = 0; i < value_count(project->document); i++) {
        const struct value_member *member = value_member_at(project->document, i);
        auto_value struct value *one = NULL;
        size_t at = 0;

        while (at < ARRAY_LEN(others) && strcmp(others[at], member->key) != 0)
            at++;
        if (at < ARRAY_LEN(others))
            continue;
        one = value_new_map();
        value_set_take(one, member->key, value_copy(member->value));
        flatten_into(flat, one, NULL);
    }
    return flat;
}

static void add_prefix(struct strlist *prefixes, const char *name)
{
    auto_free char *prefix = env_name(name, "");

    strlist_add_unique(prefixes, prefix);
}

static void add_prefixes(struct scope *scope)
{
    const struct plugin *plugin = scope->plugin;
    auto_free char *generic = NULL;

    if (!plugin) {
        add_prefix(&scope->read_prefixes, "MELTANO");
        add_prefix(&scope->write_prefixes, "MELTANO");
        return;
    }
    add_prefix(&scope->read_prefixes, plugin->name);
    add_prefix(&scope->read_prefixes, plugin->namespace);
    for (; plugin; plugin = plugin->parent) {
        add_prefix(&scope->write_prefixes, plugin->name);
        add_prefix(&scope->write_prefixes, plugin->namespace);
        if (plugin->parent)
            continue;
        add_prefix(&scope->write_prefixes, plugin->definition_name);
        add_prefix(&scope->write_prefixes, plugin->definition_namespace);
    }
    generic = xasprintf("MELTANO_%s", plugin_type_info(scope->plugin->type)->verb);
    add_prefix(&scope->write_prefixes, generic);
}

static int new_parent(struct config *config, const struct scope_options *options,
                      struct scope **out, struct error *err)
{
    struct scope_options parent = *options;

    parent.plugin = options->plugin->parent;
    parent.overrides = NULL;
    if (scope_new(config, &parent, out, err) < 0)
        return -1;
    (*out)->is_parent = true;
    return 0;
}

static int fill_plugin_scope(struct scope *scope, const struct scope_options *options,
                             struct error *err)
{
    struct plugin *plugin = options->plugin;

    if (plugin->parent && new_parent(scope->config, options, &scope->parent, err) < 0)
        return -1;
    if (config_settings_env(scope->config, plugin, scope->parent, options->upstream, &scope->env,
                            err) < 0)
        return -1;
    scope->yml = flatten_entry(plugin->config, plugin->extras);
    scope->environment = flatten_environment(scope->config, plugin);
    add_ordinary_defs(scope, plugin);
    add_extra_defs(scope, plugin);
    scope->inheritable = scope->count;
    add_custom_defs(scope, scope->environment, SCOPE_ALL);
    return 0;
}

static void fill_project_scope(struct scope *scope)
{
    strmap_copy(&scope->env, config_project_env(scope->config));
    scope->yml = flatten_project(scope->config->project);
    add_project_defs(scope);
}

int scope_new(struct config *config, const struct scope_options *options, struct scope **out,
              struct error *err)
{
    auto_scope struct scope *scope = xcalloc(1, sizeof *scope);

    scope->config = config;
    scope->plugin =
        options->plugin && options->plugin->mapper ? options->plugin->mapper : options->plugin;
    scope->redacted = options->redacted;
    scope->reads_db = options->reads_db;
    scope->overrides = value_copy(options->overrides);
    add_prefixes(scope);
    if (!options->plugin)
        fill_project_scope(scope);
    else if (fill_plugin_scope(scope, options, err) < 0)
        return -1;
    *out = take(scope);
    return 0;
}

static void clear_setting(struct setting *setting)
{
    value_free(setting->value);
    value_free(setting->unexpanded);
    free(setting->source_variable);
    *setting = (struct setting){0};
}

void scope_free(struct scope *scope)
{
    if (!scope)
        return;
    for (size_t i = 0; i < scope->count; i++)
        clear_setting(&scope->entries[i].setting);
    free(scope->entries);
    free(scope->slots);
    setting_def_list_clear(&scope->own_defs);
    strlist_clear(&scope->read_prefixes);
    strlist_clear(&scope->write_prefixes);
    strmap_clear(&scope->env);
    strmap_clear(&scope->written);
    value_free(scope->environment);
    value_free(scope->yml);
    value_free(scope->overrides);
    value_free(scope->db);
    scope_free(scope->parent);
    free(scope);
}

const char *scope_describe(const struct scope *scope, char *buffer, size_t size)
{
    if (!scope->plugin)
        return "Meltano";
    return plugin_describe(scope->plugin, buffer, size);
}

char *scope_db_namespace(const struct scope *scope)
{
    if (!scope->plugin)
        return xstrdup("meltano");
    return xasprintf("%s.%s.default", plugin_type_info(scope->plugin->type)->plural,
                     scope->plugin->name);
}

/* --- names of variables ------------------------------------------------------------------- */

static void add_names(struct strlist *out, const struct strlist *prefixes, const char *setting)
{
    for (size_t i = 0; i < prefixes->count; i++) {
        auto_free char *name = env_name(prefixes->items[i], setting);

        strlist_add_unique(out, name);
    }
}

static void add_all_unique(struct strlist *out, const struct strlist *names)
{
    for (size_t i = 0; i < names->count; i++)
        strlist_add_unique(out, names->items[i]);
}

void scope_read_names(const struct scope *scope, const struct setting_def *def, struct strlist *out)
{
    add_names(out, &scope->read_prefixes, def->name);
    for (size_t i = 0; i < def->aliases.count; i++)
        add_names(out, &scope->read_prefixes, def->aliases.items[i]);
    if (!scope->plugin || !scope->plugin->inherit_from)
        add_all_unique(out, &def->env_aliases);
}

void scope_written_names(const struct scope *scope, const struct setting_def *def,
                         struct strlist *out)
{
    if (def->env && *def->env && def->env[0] != '!')
        strlist_add_unique(out, def->env);
    add_names(out, &scope->write_prefixes, def->name);
    for (size_t i = 0; i < def->env_aliases.count; i++)
        if (def->env_aliases.items[i][0] != '!')
            strlist_add_unique(out, def->env_aliases.items[i]);
}

/* --- looking a value up ------------------------------------------------------------------- */

/* What a layer has for a setting. */
struct found {
    struct value *value; /* owned; NULL: nothing */
    enum setting_source source;
    bool is_expandable;
    bool is_decimal;
    bool is_redacted;
    char *variable; /* owned */
};

/* Python's repr() of a list of texts. */
static void add_quoted_names(struct strbuf *out, const struct strlist *names)
{
    strbuf_add_char(out, '[');
    for (size_t i = 0; i < names->count; i++) {
        strbuf_add(out, i ? ", " : "");
        strbuf_add_py_string(out, names->items[i]);
    }
    strbuf_add_char(out, ']');
}

/* Adds where the value was found to a message about it. */
static int wrap_error(const struct scope *scope, const struct setting_def *def,
                      const char *variable, enum setting_source source, const struct value *where,
                      struct error *err)
{
    char message[sizeof err->message], hint[sizeof err->hint], buffer[256];
    const char *what = scope_describe(scope, buffer, sizeof buffer);
    enum error_code code = err->code;

    memcpy(message, err->message, sizeof message);
    memcpy(hint, err->hint, sizeof hint);
    if (variable)
        error_set(err, code, "setting '%s' of %s, from the variable %s%s: %s", def->name, what,
                  variable, source == SOURCE_DOTENV ? " in .env" : "", message);
    else
        error_set_at(err, code, where, "setting '%s' of %s: %s", def->name, what, message);
    memcpy(err->hint, hint, sizeof hint);
    return -1;
}

static int refuse_names(const struct scope *scope, const struct setting_def *def,
                        const struct strlist *names, bool all_equal, const struct value *where,
                        struct error *err)
{
    auto_strbuf struct strbuf list = STRBUF_INIT;

    add_quoted_names(&list, names);
    if (all_equal)
        error_set(err, ERR_CONFIG, "Setting value set via multiple environment variables: %s",
                  strbuf_text(&list));
    else
        error_set(err, ERR_CONFIG, "Conflicting values for setting found in: %s",
                  strbuf_text(&list));
    error_hint(err, "Keep one of them and remove the others.");
    return wrap_error(scope, def, NULL, SOURCE_DEFAULT, where, err);
}

static const char *read_variable(const struct strmap *env, const char *name)
{
    const char *value;

    if (*name != '!')
        return strmap_get(env, name);
    value = strmap_get(env, name + 1);
    if (!value)
        return NULL;
    return text_is_truthy(value) ? "False" : "True";
}

static int find_in_env(const struct scope *scope, const struct setting_def *def,
                       const struct strmap *env, enum setting_source source, struct found *found,
                       struct error *err)
{
    auto_strlist struct strlist names = STRLIST_INIT, set = STRLIST_INIT;
    const char *first = NULL;
    bool all_equal = true;

    scope_read_names(scope, def, &names);
    for (size_t i = 0; i < names.count; i++) {
        const char *value = read_variable(env, names.items[i]);

        if (!value)
            continue;
        strlist_add(&set, names.items[i] + (names.items[i][0] == '!'));
        if (!first)
            first = value;
        all_equal = all_equal && !strcmp(first, value);
    }
    if (set.count > 1)
        return refuse_names(scope, def, &set, all_equal, NULL, err);
    if (first) {
        found->value = value_new_string(first);
        found->source = source;
        found->variable = xstrdup(set.items[0]);
    }
    return 0;
}

/* In a flat map of meltano.yml, where aliases are accepted as well. */
static int find_in_yml(const struct scope *scope, const struct setting_def *def,
                       const struct value *flat, enum setting_source source, struct found *found,
                       struct error *err)
{
    auto_strlist struct strlist set = STRLIST_INIT;
    const struct value *first = NULL;
    bool all_equal = true;

    for (size_t i = 0; i <= def->aliases.count; i++) {
        const char *key = i ? def->aliases.items[i - 1] : def->name;
        const struct value_member *member = value_find(flat, key);

        if (!member)
            continue;
        strlist_add(&set, key);
        /* One value agrees with itself, and that of NaN would not be equal. */
        if (set.count == 1)
            first = member->value;
        else
            all_equal = all_equal && value_is_equal_in_python(first, member->value);
    }
    if (!all_equal)
        return refuse_names(scope, def, &set, false, first, err);
    if (!value_is_null(first)) {
        found->value = value_copy(first);
        found->source = source;
        found->is_expandable = true;
    }
    return 0;
}

static void find_by_name(const struct setting_def *def, const struct value *map,
                         enum setting_source source, struct found *found)
{
    const struct value *value = value_get(map, def->name);

    if (value_is_null(value))
        return;
    found->value = value_copy_as_python(value);
    found->source = source;
}

static int find_in_db(struct scope *scope, const struct setting_def *def, struct found *found,
                      struct error *err)
{
    struct config *config = scope->config;

    if (!scope->reads_db || !config->read_db_settings)
        return 0;
    if (!scope->db) {
        auto_free char *setting_namespace = scope_db_namespace(scope);

        if (config->read_db_settings(config->db_context, setting_namespace, &scope->db, err) < 0)
            return -1;
        if (!scope->db)
            scope->db = value_new_map();
    }
    find_by_name(def, scope->db, SOURCE_DB, found);
    return 0;
}

static int find_inherited(const struct scope *scope, const struct setting_def *def,
                          struct found *found, struct error *err)
{
    struct scope_entry *entry = scope->parent ? scope_find(scope->parent, def->name) : NULL;

    if (!entry)
        return 0;
    if (scope_resolve(scope->parent, entry, err) < 0)
        return -1;
    if (value_is_null(entry->setting.value) || entry->setting.source == SOURCE_DEFAULT)
        return 0;
    found->is_redacted = entry->is_redacted || (scope->redacted && entry->def->sensitive &&
                                                value_is_truthy(entry->setting.value));
    found->value = scope_shown_value(entry, scope->redacted);
    found->source = SOURCE_INHERITED;
    found->is_expandable = entry->is_expandable;
    found->is_decimal = entry->setting.is_decimal;
    return 0;
}

static void find_default(const struct setting_def *def, struct found *found)
{
    found->source = SOURCE_DEFAULT;
    if (value_is_null(def->value))
        return;
    found->value = value_copy_as_python(def->value);
    found->is_expandable = true;
}

static int find_layer(struct scope *scope, const struct setting_def *def,
                      enum setting_source source, struct found *found, struct error *err)
{
    switch (source) {
    case SOURCE_OVERRIDE:
        find_by_name(def, scope->overrides, source, found);
        return 0;
    case SOURCE_ENV:
        return find_in_env(scope, def, &scope->env, source, found, err);
    case SOURCE_DOTENV:
        return find_in_env(scope, def, &scope->config->dotenv, source, found, err);
    case SOURCE_MELTANO_ENVIRONMENT:
        return find_in_yml(scope, def, scope->environment, source, found, err);
    case SOURCE_MELTANO_YML:
        return find_in_yml(scope, def, scope->yml, source, found, err);
    case SOURCE_DB:
        return find_in_db(scope, def, found, err);
    case SOURCE_INHERITED:
        return find_inherited(scope, def, found, err);
    default:
        find_default(def, found);
        return 0;
    }
}

/* The first layer that has a value wins. */
static int find_value(struct scope *scope, const struct setting_def *def, struct found *found,
                      struct error *err)
{
    for (int source = SOURCE_OVERRIDE; source < SOURCE_COUNT && !found->value; source++)
        if (find_layer(scope, def, (enum setting_source)source, found, err) < 0)
            return -1;
    return 0;
}

/* --- resolving ---------------------------------------------------------------------------- */

/* Extras can refer to the plugin's own settings by their variables. */
static int make_written(struct scope *scope, struct error *err)
{
    if (scope->has_written)
        return 0;
    scope->has_written = true;
    return scope_written_variables(scope, SCOPE_ORDINARY, scope->redacted ? REDACTED : NULL,
                                   &scope->written, err);
}

static int expand_setting(struct scope *scope, struct scope_entry *entry, struct error *err)
{
    struct setting *setting = &entry->setting;
    const struct strmap *layers[4] = {&scope->written, &scope->env, &scope->config->dotenv, NULL};
    bool is_extra = scope_has(SCOPE_EXTRAS, entry->def);
    enum expand_missing missing;
    struct value *expanded;

    if (!expand_has_reference(setting->value))
        return 0;
    if (is_extra && make_written(scope, err) < 0)
        return -1;
    if (config_expand_missing(scope->config, &missing, err) < 0)
        return -1;
    if (expand_value_in(setting->value, is_extra ? layers : layers + 1, missing, &expanded, err) <
        0)
        return wrap_error(scope, entry->def, NULL, setting->source, setting->value, err);
    if (expanded && value_is_equal(expanded, setting->value)) {
        value_free(expanded);
        return 0;
    }
    setting->unexpanded = setting->value;
    setting->value = expanded ? expanded : value_new_null();
    return 0;
}

/* Adds the settings below "prefix." to the mapping that an object setting becomes. */
static int add_leaves(struct scope *scope, const char *prefix, struct value *object,
                      enum setting_source *source, struct error *err)
{
    size_t length = strlen(prefix);

    for (size_t i = 0; i < scope->count; i++) {
        struct scope_entry *leaf = &scope->entries[i];
        const char *name = leaf->def->name;

        if (strncmp(name, prefix, length) != 0 || name[length] != '.' ||
            value_get(object, name + length + 1))
            continue;
        if (scope_resolve(scope, leaf, err) < 0)
            return -1;
        value_set_take(object, name + length + 1,
                       scope_shown_value(leaf, scope->redacted ? REDACTED : NULL));
        if (leaf->setting.source < *source)
            *source = leaf->setting.source;
    }
    return 0;
}

/* An object that is given leaf by leaf, by names with dots. */
static int assemble_object(struct scope *scope, struct scope_entry *entry, struct error *err)
{
    const struct setting_def *def = entry->def;
    auto_value struct value *object = NULL;
    enum setting_source source = entry->setting.source;

    if (def->kind != SETTING_OBJECT || (source != SOURCE_DEFAULT && source != SOURCE_INHERITED))
        return 0;
    object = value_new_map();
    for (size_t i = 0; i <= def->aliases.count; i++)
        if (add_leaves(scope, i ? def->aliases.items[i - 1] : def->name, object, &source, err) < 0)
            return -1;
    if (!value_count(object))
        return 0;
    value_free(entry->setting.value);
    entry->setting.value = take(object);
    entry->setting.source = source;
    return 0;
}

static int cast_entry(const struct scope *scope, struct scope_entry *entry, struct error *err)
{
    struct setting *setting = &entry->setting;
    struct value *cast;

    /* The word that stands for a secret need not be of its kind. */
    if (entry->is_redacted)
        return 0;
    setting->is_decimal |= entry->def->kind == SETTING_DECIMAL && value_is_string(setting->value);
    if (setting_cast(entry->def, setting->value, &cast, err) < 0)
        return wrap_error(scope, entry->def, setting->source_variable, setting->source,
                          setting->unexpanded ? setting->unexpanded : setting->value, err);
    value_free(setting->value);
    setting->value = cast;
    return 0;
}

static int resolve_entry(struct scope *scope, struct scope_entry *entry, struct error *err)
{
    struct setting *setting = &entry->setting;
    struct found found = {0};

    setting->def = entry->def;
    if (find_value(scope, entry->def, &found, err) < 0)
        return -1;
    setting->value = found.value ? found.value : value_new_null();
    setting->source = found.source;
    setting->source_variable = found.variable;
    setting->is_decimal = found.is_decimal;
    if (found.source == SOURCE_INHERITED)
        setting->inherited_from = scope->parent->plugin->name;
    entry->is_redacted = found.is_redacted;
    entry->is_expandable = found.is_expandable && scope->is_parent;
    if (found.is_expandable && !scope->is_parent && expand_setting(scope, entry, err) < 0)
        return -1;
    if (assemble_object(scope, entry, err) < 0)
        return -1;
    return entry->is_expandable ? 0 : cast_entry(scope, entry, err);
}

int scope_resolve(struct scope *scope, struct scope_entry *entry, struct error *err)
{
    /* A setting that is made of itself by way of aliases counts as unset in that place. */
    if (entry->state != ENTRY_UNRESOLVED)
        return 0;
    entry->state = ENTRY_RESOLVING;
    if (resolve_entry(scope, entry, err) < 0) {
        clear_setting(&entry->setting);
        entry->state = ENTRY_UNRESOLVED;
        return -1;
    }
    entry->state = ENTRY_RESOLVED;
    return 0;
}

struct value *scope_shown_value(const struct scope_entry *entry, const char *redacted)
{
    const struct value *value = entry->setting.value;

    if (redacted && entry->def->sensitive && value_is_truthy(value))
        return value_new_string(redacted);
    return value_copy(value);
}

int scope_written_variables(struct scope *scope, enum scope_part part, const char *redacted,
                            struct strmap *out, struct error *err)
{
    for (size_t i = 0; i < scope->count; i++) {
        struct scope_entry *entry = &scope->entries[i];
        auto_strlist struct strlist names = STRLIST_INIT;
        auto_value struct value *value = NULL;
        auto_free char *text = NULL;

        if (!scope_has(part, entry->def))
            continue;
        if (scope_resolve(scope, entry, err) < 0)
            return -1;
        if (value_is_null(entry->setting.value))
            continue;
        value = scope_shown_value(entry, redacted);
        text = setting_value_to_text(value, entry->def->kind);
        scope_written_names(scope, entry->def, &names);
        for (size_t k = 0; k < names.count; k++)
            strmap_set(out, names.items[k], text);
    }
    return 0;
}
