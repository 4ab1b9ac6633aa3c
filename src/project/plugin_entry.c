#include "base/memory.h"
#include "base/position.h"
#include "project/check.h"
#include "project/entries.h"

#include <string.h>

/* Who takes a key as an attribute of the plugin; for everybody else it is an extra. */
enum attribute_scope {
    SCOPE_ALL,        /* every entry */
    SCOPE_DEFINITION, /* definitions, and custom plugins, whose entry is one */
};

enum attribute_kind {
    ATTRIBUTE_TEXT,
    ATTRIBUTE_OTHER,   /* read by a function of its own */
    ATTRIBUTE_IGNORED, /* without a meaning here */
};

struct attribute {
    const char *key;
    enum attribute_kind kind;
    enum attribute_scope scope;
    size_t offset; /* of the text in struct plugin */
};

#define TEXT(member)                                                                               \
    {                                                                                              \
#member, ATTRIBUTE_TEXT, SCOPE_ALL, offsetof(struct plugin, member)                        \
    }
#define DEFINITION(member)                                                                         \
    {                                                                                              \
#member, ATTRIBUTE_TEXT, SCOPE_DEFINITION, offsetof(struct plugin, member)                 \
    }

static const struct attribute attributes[] = {
    TEXT(namespace),
    TEXT(inherit_from),
    TEXT(variant),
    TEXT(label),
    TEXT(logo_url),
    TEXT(description),
    TEXT(pip_url),
    TEXT(python),
    TEXT(executable),
    TEXT(requires_meltano),
    DEFINITION(docs),
    DEFINITION(repo),
    {"name", ATTRIBUTE_OTHER, SCOPE_ALL, 0},
    {"capabilities", ATTRIBUTE_OTHER, SCOPE_ALL, 0},
    {"settings_group_validation", ATTRIBUTE_OTHER, SCOPE_ALL, 0},
    {"settings", ATTRIBUTE_OTHER, SCOPE_ALL, 0},
    {"commands", ATTRIBUTE_OTHER, SCOPE_ALL, 0},
    {"requires", ATTRIBUTE_OTHER, SCOPE_ALL, 0},
    {"config", ATTRIBUTE_OTHER, SCOPE_ALL, 0},
    {"env", ATTRIBUTE_OTHER, SCOPE_ALL, 0},
    {"supported_python_versions", ATTRIBUTE_OTHER, SCOPE_DEFINITION, 0},
    {"hidden", ATTRIBUTE_IGNORED, SCOPE_ALL, 0},
    {"default_variant", ATTRIBUTE_IGNORED, SCOPE_ALL, 0},
    {"annotations", ATTRIBUTE_IGNORED, SCOPE_ALL, 0},
    {"plugin_type", ATTRIBUTE_IGNORED, SCOPE_DEFINITION, 0},
    {"original", ATTRIBUTE_IGNORED, SCOPE_DEFINITION, 0},
    {"deprecated", ATTRIBUTE_IGNORED, SCOPE_DEFINITION, 0},
    {"is_default_variant", ATTRIBUTE_IGNORED, SCOPE_DEFINITION, 0},
};

static const struct attribute *find_attribute(const char *key, bool is_definition)
{
    for (size_t i = 0; i < ARRAY_LEN(attributes); i++)
        if (!strcmp(attributes[i].key, key))
            return is_definition || attributes[i].scope == SCOPE_ALL ? &attributes[i] : NULL;
    return NULL;
}

static int read_texts(const struct value *entry, const char *what, bool is_definition,
                      struct plugin *plugin, struct error *err)
{
    for (size_t i = 0; i < ARRAY_LEN(attributes); i++) {
        char **text = (char **)((char *)plugin + attributes[i].offset);

        if (attributes[i].kind == ATTRIBUTE_TEXT &&
            (is_definition || attributes[i].scope == SCOPE_ALL) &&
            check_text(entry, what, attributes[i].key, text, err) < 0)
            return -1;
    }
    return 0;
}

static int read_settings(const struct value *entry, const char *what, struct plugin *plugin,
                         struct error *err)
{
    struct value *list;

    if (check_list(entry, what, "settings", &list, err) < 0)
        return -1;
    for (size_t i = 0; i < value_count(list); i++) {
        struct setting_def *def = NULL;

        if (setting_def_from_value(value_at(list, i), &def, err) < 0)
            return -1;
        setting_def_list_add_take(&plugin->settings, def);
    }
    return 0;
}

static int read_container_spec(const struct value *command, const char *what,
                               struct plugin_command *out, struct error *err)
{
    static const char *const keys[] = {"image",   "command", "entrypoint",  "ports",
                                       "volumes", "env",     "annotations", NULL};
    auto_free char *spec_what = xasprintf("the container_spec of %s", what);
    auto_free char *image = NULL;
    struct value *spec;

    if (check_map(command, what, "container_spec", &spec, err) < 0)
        return -1;
    if (!spec)
        return 0;
    if (check_keys(spec, spec_what, keys, err) < 0 ||
        check_required_text(spec, spec_what, "image", &image, err) < 0)
        return -1;
    out->container_spec = value_copy(spec);
    return 0;
}

static int read_command(const struct value_member *member, const char *plugin_what,
                        struct plugin_command *out, struct error *err)
{
    static const char *const keys[] = {"args",           "description", "executable",
                                       "container_spec", "annotations", NULL};
    const struct value *command = member->value;
    auto_free char *what = xasprintf("command '%s' of %s", member->key, plugin_what);

    if (value_is_string(command)) {
        out->args = xstrdup(value_text(command));
        return 0;
    }
    if (!value_is_map(command)) {
        error_set_at(err, ERR_CONFIG, command, "%s must be a text or a mapping, not %s", what,
                     value_kind_name(value_kind(command)));
        return error_hint(err, "Write its arguments as a text, or 'args: ...' below it.");
    }
    if (check_keys(command, what, keys, err) < 0 ||
        check_text(command, what, "args", &out->args, err) < 0 ||
        check_text(command, what, "description", &out->description, err) < 0 ||
        check_text(command, what, "executable", &out->executable, err) < 0 ||
        read_container_spec(command, what, out, err) < 0)
        return -1;
    if (!out->args)
        out->args = xstrdup("");
    return 0;
}

static int read_commands(const struct value *entry, const char *what, struct plugin *plugin,
                         struct error *err)
{
    struct value *commands;

    if (check_map(entry, what, "commands", &commands, err) < 0)
        return -1;
    if (!commands)
        return 0;
    plugin->commands = xcalloc(value_count(commands), sizeof *plugin->commands);
    for (size_t i = 0; i < value_count(commands); i++) {
        const struct value_member *member = value_member_at(commands, i);
        struct plugin_command *command = &plugin->commands[plugin->command_count];

        if (value_is_null(member->value))
            continue;
        plugin->command_count++;
        command->name = xstrdup(member->key);
        if (read_command(member, what, command, err) < 0)
            return -1;
    }
    return 0;
}

static int check_requirement(const struct value *requirement, const char *what, struct error *err)
{
    static const char *const keys[] = {"name", "variant", "annotations", NULL};
    auto_free char *requirement_what = xasprintf("a requirement of %s", what);
    auto_free char *name = NULL;

    return check_entry(requirement, requirement_what, err) < 0 ||
                   check_keys(requirement, requirement_what, keys, err) < 0 ||
                   check_required_text(requirement, requirement_what, "name", &name, err) < 0
               ? -1
               : 0;
}

static int read_requires(const struct value *entry, const char *what, struct plugin *plugin,
                         struct error *err)
{
    struct value *requires;

    if (check_map(entry, what, "requires", &requires, err) < 0)
        return -1;
    for (size_t i = 0; i < value_count(requires); i++) {
        const char *type = value_member_at(requires, i)->key;
        struct value *list;

        if (check_list(requires, what, type, &list, err) < 0)
            return -1;
        for (size_t k = 0; k < value_count(list); k++)
            if (check_requirement(value_at(list, k), what, err) < 0)
                return -1;
    }
    if (requires)
    plugin->requires = value_copy(requires);
    return 0;
}

static int read_structures(const struct value *entry, const char *what, bool is_definition,
                           struct plugin *plugin, struct error *err)
{
    struct value *groups, *config, *env;

    if (check_texts(entry, what, "capabilities", &plugin->capabilities, err) < 0 ||
        check_list(entry, what, "settings_group_validation", &groups, err) < 0 ||
        check_map(entry, what, "config", &config, err) < 0 ||
        check_map(entry, what, "env", &env, err) < 0 ||
        (is_definition && check_texts(entry, what, "supported_python_versions",
                                      &plugin->supported_python_versions, err) < 0) ||
        read_settings(entry, what, plugin, err) < 0 ||
        read_commands(entry, what, plugin, err) < 0 || read_requires(entry, what, plugin, err) < 0)
        return -1;
    if (groups)
        plugin->settings_group_validation = value_copy(groups);
    if (config)
        plugin->config = value_copy(config);
    if (env)
        plugin->env = value_copy(env);
    return 0;
}

static struct value *read_extras(const struct value *entry, bool is_definition)
{
    struct value *extras = NULL;

    for (size_t i = 0; i < value_count(entry); i++) {
        const struct value_member *member = value_member_at(entry, i);

        if (find_attribute(member->key, is_definition))
            continue;
        if (!extras)
            extras = value_new_map();
        value_set_take(extras, member->key, value_copy(member->value));
    }
    return extras;
}

int plugin_from_entry(enum plugin_type type, const struct value *entry, bool is_definition,
                      struct plugin **out, struct error *err)
{
    auto_free char *a_plugin = xasprintf("an entry of %s", plugin_type_info(type)->plural);
    auto_plugin struct plugin *plugin = xcalloc(1, sizeof *plugin);
    auto_free char *inherit_from = NULL;
    auto_free char *what = NULL;

    plugin->type = type;
    plugin->entry = entry;
    if (check_name(entry, a_plugin, &plugin->name, err) < 0)
        return -1;
    what = xasprintf("%s '%s'", plugin_type_info(type)->label, plugin->name);
    if (check_path_part(entry, a_plugin, "name", err) < 0 ||
        check_path_part(entry, what, "variant", err) < 0 ||
        check_path_part(entry, what, "inherit_from", err) < 0 ||
        check_text(entry, what, "inherit_from", &inherit_from, err) < 0)
        return -1;
    /* Inheriting from itself is what every plugin does from its definition. */
    if (inherit_from && (!*inherit_from || !strcmp(inherit_from, plugin->name)))
        free(take(inherit_from));
    plugin->is_custom =
        !is_definition && !inherit_from && value_is_truthy(value_get(entry, "namespace"));
    is_definition = is_definition || plugin->is_custom;
    if (read_texts(entry, what, is_definition, plugin, err) < 0 ||
        read_structures(entry, what, is_definition, plugin, err) < 0)
        return -1;
    free(plugin->inherit_from);
    plugin->inherit_from = take(inherit_from);
    if (plugin->python && !*plugin->python)
        free(take(plugin->python));
    plugin->extras = read_extras(entry, is_definition);
    *out = take(plugin);
    return 0;
}

int plugin_from_mapping(struct plugin *mapper, const struct value *mapping, struct plugin **out,
                        struct error *err)
{
    auto_free char *what = xasprintf("a mapping of mapper '%s'", mapper->name);
    auto_plugin struct plugin *plugin = xcalloc(1, sizeof *plugin);
    struct value *config;

    if (check_entry(mapping, what, err) < 0 ||
        check_required_text(mapping, what, "name", &plugin->name, err) < 0 ||
        check_path_part(mapping, what, "name", err) < 0 ||
        check_map(mapping, what, "config", &config, err) < 0)
        return -1;
    plugin->type = PLUGIN_MAPPER;
    plugin->entry = mapper->entry;
    plugin->is_custom = mapper->is_custom;
    plugin->mapper = mapper;
    plugin->mapping_config = config;
    plugin->config = config ? value_copy(config) : NULL;
    plugin->env = mapper->env ? value_copy(mapper->env) : NULL;
    plugin->extras = mapper->extras ? value_copy(mapper->extras) : value_new_map();
    value_set_bool(plugin->extras, "mapping", true);
    value_set_string(plugin->extras, "mapping_name", plugin->name);
    *out = take(plugin);
    return 0;
}

void plugin_command_copy(struct plugin_command *copy, const struct plugin_command *command)
{
    *copy = (struct plugin_command){
        .name = xstrdup(command->name),
        .args = xstrdup(command->args),
        .description = xstrdup_or_null(command->description),
        .executable = xstrdup_or_null(command->executable),
        .container_spec = command->container_spec ? value_copy(command->container_spec) : NULL,
    };
}

void plugin_commands_free(struct plugin_command *commands, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(commands[i].name);
        free(commands[i].args);
        free(commands[i].description);
        free(commands[i].executable);
        value_free(commands[i].container_spec);
    }
    free(commands);
}

void plugin_free(struct plugin *plugin)
{
    if (!plugin)
        return;
    free(plugin->name);
    free(plugin->dir_name);
    free(plugin->definition_name);
    free(plugin->definition_namespace);
    for (size_t i = 0; i < ARRAY_LEN(attributes); i++)
        if (attributes[i].kind == ATTRIBUTE_TEXT)
            free(*(char **)((char *)plugin + attributes[i].offset));
    value_free(plugin->config);
    value_free(plugin->extras);
    value_free(plugin->env);
    value_free(plugin->settings_group_validation);
    value_free(plugin->default_extras);
    value_free(plugin->requires);
    strlist_clear(&plugin->capabilities);
    strlist_clear(&plugin->supported_python_versions);
    setting_def_list_clear(&plugin->settings);
    plugin_commands_free(plugin->commands, plugin->command_count);
    free(plugin);
}
