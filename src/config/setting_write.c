#include "config/setting_write.h"

#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "config/cast.h"
#include "config/dotenv.h"
#include "config/flatten.h"
#include "config/scope.h"
#include "project/edit.h"
#include "store/store.h"

#include <string.h>

/* A subject with its definitions, and the one that a name means. */
struct writer {
    const struct setting_subject *subject;
    struct scope *scope;
    struct scope *own_scope; /* the scope, when it is ours to free */
    bool is_readonly;
};

static void writer_clear(struct writer *writer)
{
    scope_free(writer->own_scope);
}
#define auto_writer ATTR_CLEANUP(writer_clear)

static int writer_open(const struct setting_subject *subject, struct writer *out, struct error *err)
{
    struct scope_options options = {.plugin = subject->plugin};

    out->subject = subject;
    if (config_project_bool(subject->config, "project_readonly", &out->is_readonly, err) < 0)
        return -1;
    if (!subject->plugin)
        return config_project_scope(subject->config, &out->scope, err);
    if (plugin_resolve(subject->plugin, err) < 0 ||
        scope_new(subject->config, &options, &out->own_scope, err) < 0)
        return -1;
    out->scope = out->own_scope;
    return 0;
}

/* --- where --------------------------------------------------------------------------------- */

static bool has_environment(const struct writer *writer)
{
    return writer->subject->plugin && config_environment(writer->subject->config);
}

static enum setting_source choose_place(const struct writer *writer, const struct setting_def *def)
{
    if (writer->is_readonly)
        return SOURCE_DB;
    if (def && (def->sensitive || def->env_specific))
        return SOURCE_DOTENV;
    return has_environment(writer) ? SOURCE_MELTANO_ENVIRONMENT : SOURCE_MELTANO_YML;
}

static int refuse_readonly(struct error *err)
{
    error_set(err, ERR_CONFIG, "this Meltano project is deployed as read-only");
    return error_hint(err, "Use '--store db', or turn project_readonly off.");
}

static int check_place(const struct writer *writer, enum setting_source where, struct error *err)
{
    if (where != SOURCE_DB && writer->is_readonly)
        return refuse_readonly(err);
    if (where != SOURCE_MELTANO_ENVIRONMENT || has_environment(writer))
        return 0;
    return error_set(err, ERR_CONFIG,
                     writer->subject->plugin ? "no active environment found"
                                             : "project config cannot be stored in an Environment");
}

/* --- meltano.yml --------------------------------------------------------------------------- */

/* The path of a setting's keys below a plugin's entry (or the top of the file): extras, whose names
 * begin with '_', are keys of the entry itself. */
static void add_entry_path(const struct writer *writer, const struct strlist *keys,
                           struct strlist *out)
{
    bool is_extra = keys->items[0][0] == '_';

    if (writer->subject->plugin && !is_extra)
        strlist_add(out, "config");
    strlist_add(out, keys->items[0] + (writer->subject->plugin && is_extra));
    for (size_t i = 1; i < keys->count; i++)
        strlist_add(out, keys->items[i]);
}

/* The mapping that such a path begins in. Of an environment without an entry for the plugin NULL
 * without an error, unless it is to be made. */
static int find_entry(const struct writer *writer, struct project_edit *edit,
                      enum setting_source where, const char *first_key, bool make,
                      struct value **out, struct error *err)
{
    const struct setting_subject *subject = writer->subject;
    const struct environment *environment = config_environment(subject->config);

    *out = NULL;
    if (!subject->plugin) {
        *out = project_edit_top_level(edit, first_key);
        return 0;
    }
    if (where == SOURCE_MELTANO_ENVIRONMENT && !make &&
        !environment_plugin_entry(environment, plugin_identity(subject->plugin)))
        return 0;
    *out = project_edit_plugin(edit, subject->plugin,
                               where == SOURCE_MELTANO_ENVIRONMENT ? environment->name : NULL, err);
    return *out ? 0 : -1;
}

static int remove_path(const struct writer *writer, struct project_edit *edit,
                       enum setting_source where, const struct strlist *keys, struct error *err)
{
    auto_strlist struct strlist path = STRLIST_INIT;
    struct value *entry;

    add_entry_path(writer, keys, &path);
    if (find_entry(writer, edit, where, path.items[0], false, &entry, err) < 0)
        return -1;
    if (entry)
        edit_unset_path(entry, &path);
    return 0;
}

static bool is_same_path(const struct strlist *a, const struct strlist *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (strcmp(a->items[i], b->items[i]) != 0)
            return false;
    return true;
}

/* Removes one spelling of a setting, as one key and as nested keys, but for the path that is about
 * to be set: replacing a value in place keeps the comments around it. */
static int remove_spelling(const struct writer *writer, struct project_edit *edit,
                           enum setting_source where, const char *name, const struct strlist *keep,
                           struct error *err)
{
    auto_strlist struct strlist key = STRLIST_INIT;
    auto_strlist struct strlist nested = STRLIST_INIT;

    strlist_add(&key, name);
    name_split(name, &nested);
    if (!(keep && is_same_path(&key, keep)) && remove_path(writer, edit, where, &key, err) < 0)
        return -1;
    if (nested.count < 2 || (keep && is_same_path(&nested, keep)))
        return 0;
    return remove_path(writer, edit, where, &nested, err);
}

static int remove_spellings(const struct writer *writer, struct project_edit *edit,
                            enum setting_source where, const struct setting_def *def,
                            const char *name, const struct strlist *keep, struct error *err)
{
    if (remove_spelling(writer, edit, where, def ? def->name : name, keep, err) < 0)
        return -1;
    for (size_t i = 0; def && i < def->aliases.count; i++)
        if (remove_spelling(writer, edit, where, def->aliases.items[i], keep, err) < 0)
            return -1;
    return 0;
}

static int set_in_yml(const struct writer *writer, enum setting_source where,
                      const struct setting_def *def, const char *name, const struct strlist *path,
                      const struct value *value, struct error *err)
{
    auto_project_edit struct project_edit *edit = NULL;
    auto_strlist struct strlist entry_path = STRLIST_INIT;
    struct value *entry;

    add_entry_path(writer, path, &entry_path);
    if (project_edit_begin(config_project(writer->subject->config), &edit, err) < 0 ||
        remove_spellings(writer, edit, where, def, name, path, err) < 0 ||
        find_entry(writer, edit, where, entry_path.items[0], true, &entry, err) < 0)
        return -1;
    /* YAML has no decimals: 1.50 would be read as 1.5, so that is what is written. */
    edit_set_path_take(entry, &entry_path, value_copy_as_python(value));
    return project_edit_commit(edit, err);
}

static int unset_in_yml(const struct writer *writer, enum setting_source where,
                        const struct setting_def *def, const char *name, const struct strlist *path,
                        struct error *err)
{
    auto_project_edit struct project_edit *edit = NULL;

    if (project_edit_begin(config_project(writer->subject->config), &edit, err) < 0 ||
        remove_spellings(writer, edit, where, def, name, NULL, err) < 0 ||
        remove_path(writer, edit, where, path, err) < 0)
        return -1;
    return project_edit_commit(edit, err);
}

/* Everything that is a setting or an extra. Settings that only their value in the file tells of
 * have a definition in the scope, too. */
static int reset_yml(const struct writer *writer, enum setting_source where, struct error *err)
{
    auto_project_edit struct project_edit *edit = NULL;

    if (project_edit_begin(config_project(writer->subject->config), &edit, err) < 0)
        return -1;
    for (size_t i = 0; i < writer->scope->count; i++) {
        const struct setting_def *def = writer->scope->entries[i].def;

        if (remove_spellings(writer, edit, where, def, def->name, NULL, err) < 0)
            return -1;
    }
    return project_edit_commit(edit, err);
}

/* --- .env ---------------------------------------------------------------------------------- */

static void read_variable_names(const struct writer *writer, const struct setting_def *def,
                                struct strlist *out)
{
    auto_strlist struct strlist names = STRLIST_INIT;

    scope_read_names(writer->scope, def, &names);
    for (size_t i = 0; i < names.count; i++)
        strlist_add_unique(out, names.items[i] + (names.items[i][0] == '!'));
}

static int remove_variables(const struct writer *writer, const struct strlist *names, size_t from,
                            struct error *err)
{
    bool found;

    for (size_t i = from; i < names->count; i++)
        if (dotenv_unset(writer->subject->config->dotenv_path, names->items[i], &found, err) < 0)
            return -1;
    return 0;
}

static int refuse_unknown(const char *name, const char *verb, struct error *err)
{
    error_set(err, ERR_CONFIG, "unknown setting '%s' can not be %s in `.env`", name, verb);
    return error_hint(err, "Define the setting in 'meltano.yml' or use a different setting store.");
}

static int set_in_dotenv(const struct writer *writer, const struct setting_def *def,
                         const char *name, const struct value *value, struct error *err)
{
    auto_strlist struct strlist names = STRLIST_INIT;
    auto_free char *text = NULL;

    if (!def)
        return refuse_unknown(name, "set", err);
    read_variable_names(writer, def, &names);
    text = setting_value_to_text(value, def->kind);
    if (dotenv_set(writer->subject->config->dotenv_path, names.items[0], text, err) < 0)
        return -1;
    return remove_variables(writer, &names, 1, err);
}

static int unset_in_dotenv(const struct writer *writer, const struct setting_def *def,
                           const char *name, struct error *err)
{
    auto_strlist struct strlist names = STRLIST_INIT;

    if (!def)
        return refuse_unknown(name, "unset", err);
    read_variable_names(writer, def, &names);
    return remove_variables(writer, &names, 0, err);
}

static bool is_blank(const struct strbuf *text)
{
    return strspn(strbuf_text(text), " \t\r\n") == text->length;
}

/* Meltano removes the whole file, with the secrets of all the others; here it goes when nothing
 * is left in it. */
static int reset_dotenv(const struct writer *writer, struct error *err)
{
    const char *path = writer->subject->config->dotenv_path;
    auto_strlist struct strlist names = STRLIST_INIT;
    auto_strbuf struct strbuf text = STRBUF_INIT;
    bool found;

    for (size_t i = 0; i < writer->scope->count; i++)
        read_variable_names(writer, writer->scope->entries[i].def, &names);
    if (remove_variables(writer, &names, 0, err) < 0 ||
        file_read_if_exists(path, &text, &found, err) < 0)
        return -1;
    return found && is_blank(&text) ? path_remove_all(path, err) : 0;
}

/* --- the system database ------------------------------------------------------------------- */

static struct store *open_store(const struct writer *writer, bool for_writing, struct error *err)
{
    return writer->subject->open_store(writer->subject->context, for_writing, err);
}

static int set_in_db(const struct writer *writer, const char *name, const struct value *value,
                     struct error *err)
{
    auto_free char *setting_namespace = scope_db_namespace(writer->scope);
    struct store *store = open_store(writer, true, err);

    return store ? store_setting_write(store, setting_namespace, name, value, err) : -1;
}

/* Removes one setting (NULL: all of them), and makes no database only to remove it from that. */
static int remove_from_db(const struct writer *writer, const char *name, struct error *err)
{
    auto_free char *setting_namespace = scope_db_namespace(writer->scope);
    struct store *store = open_store(writer, false, err);
    auto_value struct value *there = NULL;
    bool found;

    if (!store || store_settings_read(store, setting_namespace, &there, err) < 0)
        return -1;
    if (name ? !value_find(there, name) : !value_count(there))
        return 0;
    store = open_store(writer, true, err);
    if (!store)
        return -1;
    if (name)
        return store_setting_delete(store, setting_namespace, name, &found, err);
    return store_settings_clear(store, setting_namespace, err);
}

/* --- set, unset, reset --------------------------------------------------------------------- */

/* "s3\.endpoint" is one key, and its own root. */
static void warn_unknown(const struct writer *writer, const char *name)
{
    auto_strlist struct strlist segments = STRLIST_INIT;

    name_split(name, &segments);
    if (segments.count < 2 || !scope_find_def(writer->scope, segments.items[0]))
        log_warning("Unknown setting '%s'", name);
}

/* A mapping is a name and a config. */
static int refuse_mapping_extra(const struct plugin *plugin, const char *name, struct error *err)
{
    if (!plugin || !plugin->mapper || *name != '_')
        return 0;
    error_set(err, ERR_CONFIG, "mapping '%s' has no extras of its own", plugin->name);
    return error_hint(err, "Set '%s' of mapper '%s'.", name, plugin->mapper->name);
}

int setting_set(const struct setting_subject *subject, const struct strlist *path, const char *text,
                enum setting_source where_to, enum setting_source *where, struct value **value,
                struct error *err)
{
    auto_writer struct writer writer = {0};
    auto_strlist struct strlist keys = STRLIST_INIT;
    auto_value struct value *given = value_new_string(text);
    auto_value struct value *cast = NULL;
    auto_free char *name = strlist_join(path, ".");
    const struct setting_def *def;
    char what[256];
    int result;

    if (writer_open(subject, &writer, err) < 0 ||
        refuse_mapping_extra(subject->plugin, name, err) < 0)
        return -1;
    if (path->count == 1)
        name_split(path->items[0], &keys);
    else
        strlist_add_all(&keys, path);
    def = scope_find_def(writer.scope, name);
    if (!def)
        warn_unknown(&writer, name);
    else if (setting_cast(def, given, &cast, err) < 0)
        return error_wrap(err, "setting '%s' of %s", name,
                          scope_describe(writer.scope, what, sizeof what));
    if (where_to == SETTING_ANYWHERE)
        where_to = choose_place(&writer, def);
    if (check_place(&writer, where_to, err) < 0)
        return -1;
    if (!cast)
        cast = take(given);
    if (where_to == SOURCE_DB)
        result = set_in_db(&writer, def ? def->name : name, cast, err);
    else if (where_to == SOURCE_DOTENV)
        result = set_in_dotenv(&writer, def, name, cast, err);
    else
        result = set_in_yml(&writer, where_to, def, name, &keys, cast, err);
    if (result < 0)
        return -1;
    *where = where_to;
    *value = take(cast);
    return 0;
}

static int unset_in(const struct writer *writer, enum setting_source from,
                    const struct setting_def *def, const char *name, const struct strlist *path,
                    struct error *err)
{
    if (check_place(writer, from, err) < 0)
        return -1;
    if (from == SOURCE_DB)
        return remove_from_db(writer, def ? def->name : name, err);
    if (from == SOURCE_DOTENV)
        return unset_in_dotenv(writer, def, name, err);
    return unset_in_yml(writer, from, def, name, path, err);
}

/* The places that exist for the subject, in the order in which Meltano clears them. */
static size_t list_places(const struct writer *writer, enum setting_source places[4])
{
    size_t count = 0;

    if (!writer->is_readonly) {
        places[count++] = SOURCE_DOTENV;
        if (has_environment(writer))
            places[count++] = SOURCE_MELTANO_ENVIRONMENT;
        places[count++] = SOURCE_MELTANO_YML;
    }
    places[count++] = SOURCE_DB;
    return count;
}

/* Whether .env or meltano.yml, which a read-only project keeps as they are, has the setting. */
static bool is_in_files(const struct writer *writer, const struct setting_def *def,
                        const char *name)
{
    const struct scope *scope = writer->scope;
    auto_strlist struct strlist variables = STRLIST_INIT;

    if (def)
        read_variable_names(writer, def, &variables);
    for (size_t i = 0; i < variables.count; i++)
        if (strmap_has(&scope->config->dotenv, variables.items[i]))
            return true;
    for (size_t i = 0; i <= (def ? def->aliases.count : 0); i++) {
        const char *key = i ? def->aliases.items[i - 1] : def ? def->name : name;

        if (value_get(scope->yml, key) || value_get(scope->environment, key))
            return true;
    }
    return false;
}

int setting_unset(const struct setting_subject *subject, const struct strlist *path,
                  enum setting_source from, enum setting_source *where, struct error *err)
{
    auto_writer struct writer writer = {0};
    auto_free char *name = strlist_join(path, ".");
    const struct setting_def *def;
    enum setting_source places[4] = {from};
    size_t count = 1;

    if (writer_open(subject, &writer, err) < 0)
        return -1;
    def = scope_find_def(writer.scope, name);
    if (from == SETTING_ANYWHERE)
        count = list_places(&writer, places);
    for (size_t i = 0; i < count; i++) {
        if (from == SETTING_ANYWHERE && places[i] == SOURCE_DOTENV && !def)
            continue;
        if (unset_in(&writer, places[i], def, name, path, err) < 0)
            return -1;
    }
    if (from == SETTING_ANYWHERE && writer.is_readonly && is_in_files(&writer, def, name))
        return refuse_readonly(err);
    *where = places[count - 1];
    return 0;
}

static int reset_in(const struct writer *writer, enum setting_source from, struct error *err)
{
    if (check_place(writer, from, err) < 0)
        return -1;
    if (from == SOURCE_DB)
        return remove_from_db(writer, NULL, err);
    if (from == SOURCE_DOTENV)
        return reset_dotenv(writer, err);
    return reset_yml(writer, from, err);
}

int settings_reset(const struct setting_subject *subject, enum setting_source from,
                   struct error *err)
{
    auto_writer struct writer writer = {0};
    enum setting_source places[4] = {from};
    size_t count = 1;

    if (writer_open(subject, &writer, err) < 0)
        return -1;
    if (from == SETTING_ANYWHERE)
        count = list_places(&writer, places);
    for (size_t i = 0; i < count; i++)
        if (reset_in(&writer, places[i], err) < 0)
            return -1;
    return 0;
}
