#include "project/lock_file.h"

#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/path.h"
#include "base/position.h"
#include "project/check.h"
#include "project/entries.h"

#include <string.h>

static bool is_false(const struct value *value)
{
    return value_kind(value) == VALUE_BOOL && !value->boolean;
}

/* What is kept of an attribute: everything that Python takes for true, and false itself. */
static void copy_kept(struct value *into, const struct value *from, const char *key)
{
    const struct value *value = value_get(from, key);

    if (value_is_truthy(value) || is_false(value))
        value_set_take(into, key, value_copy(value));
}

static bool is_listed(const char *key, const char *const *keys, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!strcmp(key, keys[i]))
            return true;
    return false;
}

/* Settings --------------------------------------------------------------------------------- */

static const char *const setting_keys[] = {
    "name",
    "aliases",
    "env",
    "env_aliases",
    "kind",
    "value",
    "label",
    "documentation",
    "description",
    "tooltip",
    "options",
    "oauth",
    "placeholder",
    "env_specific",
    "hidden",
    "sensitive",
    "value_processor",
    "value_post_processor",
};

/* A kind that says "secret" or "hidden" is kept, with the flag beside it; with the flag already
 * there it is no more than a string. */
static void settle_kind(struct value *setting, const char *kind, const char *flag)
{
    if (!value_get_text(setting, "kind") || strcmp(value_get_text(setting, "kind"), kind) != 0)
        return;
    if (value_is_truthy(value_get(setting, flag)))
        value_set_string(setting, "kind", "string");
    value_set_bool(setting, flag, true);
}

static struct value *convert_setting(const struct value *entry)
{
    auto_value struct value *raw = value_copy(entry);
    struct value *setting = value_new_map();

    settle_kind(raw, "hidden", "hidden");
    settle_kind(raw, "password", "sensitive");
    settle_kind(raw, "oauth", "sensitive");
    for (size_t i = 0; i < ARRAY_LEN(setting_keys); i++) {
        const struct value *value = value_get(raw, setting_keys[i]);

        /* A default of 0 or "" is one; only null is none. */
        if (!strcmp(setting_keys[i], "value") && !value_is_null(value))
            value_set_take(setting, "value", value_copy(value));
        else
            copy_kept(setting, raw, setting_keys[i]);
    }
    for (size_t i = 0; i < value_count(raw); i++) {
        const char *key = value_member_at(raw, i)->key;

        if (!is_listed(key, setting_keys, ARRAY_LEN(setting_keys)))
            copy_kept(setting, raw, key);
    }
    return setting;
}

static void add_settings(struct value *lock, const struct value *definition)
{
    const struct value *settings = value_get(definition, "settings");
    struct value *list;

    if (!value_count(settings))
        return;
    list = value_new_list();
    for (size_t i = 0; i < value_count(settings); i++)
        value_append_take(list, convert_setting(value_at(settings, i)));
    value_set_take(lock, "settings", list);
}

/* Commands and requirements ---------------------------------------------------------------- */

static void add_container_spec(struct value *command, const struct value *entry)
{
    static const char *const keys[] = {"image", "command", "entrypoint", "ports", "volumes", "env"};
    struct value *spec;

    if (!value_count(entry))
        return;
    spec = value_new_map();
    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        copy_kept(spec, entry, keys[i]);
    value_set_take(command, "container_spec", spec);
}

/* A command that has only arguments is written as a text. */
static struct value *convert_command(const struct value *entry)
{
    static const char *const keys[] = {"args", "description", "executable"};
    struct value *command;

    if (!value_is_map(entry))
        return value_copy(entry);
    command = value_new_map();
    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        copy_kept(command, entry, keys[i]);
    add_container_spec(command, value_get(entry, "container_spec"));
    if (value_count(command) == 1 && value_get(command, "args")) {
        struct value *args = value_copy(value_get(command, "args"));

        value_free(command);
        return args;
    }
    return command;
}

static void add_commands(struct value *lock, const struct value *definition)
{
    const struct value *commands = value_get(definition, "commands");
    struct value *map;

    if (!value_count(commands))
        return;
    map = value_new_map();
    for (size_t i = 0; i < value_count(commands); i++) {
        const struct value_member *member = value_member_at(commands, i);

        value_set_take(map, member->key, convert_command(member->value));
    }
    value_set_take(lock, "commands", map);
}

static void add_requires(struct value *lock, const struct value *definition)
{
    const struct value *requires = value_get(definition, "requires");
    struct value *map;

    if (!value_count(requires))
        return;
    map = value_new_map();
    for (size_t i = 0; i < value_count(requires); i++) {
        const struct value_member *member = value_member_at(requires, i);
        struct value *list = value_new_list();

        for (size_t k = 0; k < value_count(member->value); k++) {
            struct value *requirement = value_new_map();

            copy_kept(requirement, value_at(member->value, k), "name");
            copy_kept(requirement, value_at(member->value, k), "variant");
            value_append_take(list, requirement);
        }
        value_set_take(map, member->key, list);
    }
    value_set_take(lock, "requires", map);
}

/* The whole -------------------------------------------------------------------------------- */

/* Keys of a definition that never reach the lock file. */
static const char *const dropped_keys[] = {
    "hidden",      "original",    "deprecated",         "variants",
    "annotations", "plugin_type", "is_default_variant",
};

/* In the order they are written. */
static const char *const lock_keys[] = {
    "plugin_type",  "name",
    "namespace",    "variant",
    "label",        "docs",
    "repo",         "pip_url",
    "python",       "executable",
    "description",  "logo_url",
    "capabilities", "settings_group_validation",
    "settings",     "commands",
    "requires",     "requires_meltano",
    "env",          "supported_python_versions",
};

static void add_known_key(struct value *lock, const struct value *definition, enum plugin_type type,
                          const char *key)
{
    if (!strcmp(key, "plugin_type"))
        value_set_string(lock, key, plugin_type_info(type)->plural);
    else if (!strcmp(key, "label") && !value_is_truthy(value_get(definition, key)))
        value_set_string(lock, key, value_get_text(definition, "name"));
    else if (!strcmp(key, "settings"))
        add_settings(lock, definition);
    else if (!strcmp(key, "commands"))
        add_commands(lock, definition);
    else if (!strcmp(key, "requires"))
        add_requires(lock, definition);
    else
        copy_kept(lock, definition, key);
}

/* Extras are kept whatever they hold. */
static void add_extras(struct value *lock, const struct value *definition)
{
    for (size_t i = 0; i < value_count(definition); i++) {
        const struct value_member *member = value_member_at(definition, i);

        if (!is_listed(member->key, lock_keys, ARRAY_LEN(lock_keys)) &&
            !is_listed(member->key, dropped_keys, ARRAY_LEN(dropped_keys)))
            value_set_take(lock, member->key, value_copy(member->value));
    }
}

int lock_file_from_definition(enum plugin_type type, const struct value *definition,
                              const char *where, struct value **out, struct error *err)
{
    auto_plugin struct plugin *checked = NULL;
    auto_free char *namespace = NULL;
    auto_value struct value *lock = value_new_map();

    if (check_entry(definition, where, err) < 0 ||
        check_required_text(definition, where, "namespace", &namespace, err) < 0 ||
        plugin_from_entry(type, definition, true, &checked, err) < 0)
        return -1;
    for (size_t i = 0; i < ARRAY_LEN(lock_keys); i++)
        add_known_key(lock, definition, type, lock_keys[i]);
    add_extras(lock, definition);
    *out = take(lock);
    return 0;
}

/* Numbers as Python's json module writes them. */
static void settle_numbers(struct value *value)
{
    if (value_kind(value) == VALUE_REAL && strpbrk(value_text(value), "0123456789")) {
        auto_strbuf struct strbuf text = STRBUF_INIT;

        strbuf_add_py_float(&text, strtod(value_text(value), NULL));
        free(value->text.bytes);
        value->text.length = text.length;
        value->text.bytes = strbuf_take(&text);
    }
    for (size_t i = 0; i < value_count(value); i++)
        settle_numbers(value_is_map(value) ? value_member_at(value, i)->value : value_at(value, i));
}

void lock_file_render(struct strbuf *out, const struct value *lock)
{
    auto_value struct value *copy = value_copy(lock);

    settle_numbers(copy);
    json_write(out, copy, &json_indented);
    if (!strbuf_ends_with(out, "\n"))
        strbuf_add_char(out, '\n');
}

int lock_file_save(const struct project *project, const struct value *lock, char **path,
                   struct error *err)
{
    const char *name = value_get_text(lock, "name"), *variant = value_get_text(lock, "variant");
    auto_strbuf struct strbuf bytes = STRBUF_INIT;
    auto_free char *file = NULL;
    auto_free char *dir = NULL;
    enum plugin_type type = PLUGIN_UTILITY;

    if (!variant || strchr(name, '/') || strchr(variant, '/')) {
        error_set(err, ERR_HUB, "the definition of '%s' has no variant, or a '/' in its names",
                  name);
        return error_hint(err, "Report this to whoever runs the hub.");
    }
    plugin_type_parse(value_get_text(lock, "plugin_type"), &type);
    file = project_lock_path(project, type, name, variant);
    dir = path_parent(file);
    lock_file_render(&bytes, lock);
    if (dir_make_all(dir, 0777, err) < 0 || file_replace(file, &bytes, 0644, NULL, err) < 0)
        return -1;
    if (path)
        *path = take(file);
    return 0;
}
