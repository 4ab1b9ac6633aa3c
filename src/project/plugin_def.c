#include "project/plugin_def.h"

#include "base/memory.h"
#include "base/position.h"
#include "project/check.h"

#include <string.h>

static const char *const kind_names[] = {
    [SETTING_NONE] = "",           [SETTING_STRING] = "string",     [SETTING_INTEGER] = "integer",
    [SETTING_BOOLEAN] = "boolean", [SETTING_DECIMAL] = "decimal",   [SETTING_DATE] = "date_iso8601",
    [SETTING_EMAIL] = "email",     [SETTING_PASSWORD] = "password", [SETTING_OAUTH] = "oauth",
    [SETTING_OPTIONS] = "options", [SETTING_FILE] = "file",         [SETTING_ARRAY] = "array",
    [SETTING_OBJECT] = "object",   [SETTING_HIDDEN] = "hidden",
};
_Static_assert(ARRAY_LEN(kind_names) == SETTING_KIND_COUNT, "a setting kind has no name");

bool setting_kind_parse(const char *word, enum setting_kind *out)
{
    for (size_t i = SETTING_STRING; i < ARRAY_LEN(kind_names); i++)
        if (!strcmp(word, kind_names[i])) {
            *out = (enum setting_kind)i;
            return true;
        }
    return false;
}

struct setting_def *setting_def_new(const char *name, enum setting_kind kind)
{
    struct setting_def *def = xcalloc(1, sizeof *def);

    def->name = xstrdup(name);
    def->kind = kind;
    return def;
}

struct setting_def *setting_def_copy(const struct setting_def *def)
{
    struct setting_def *copy = setting_def_new(def->name, def->kind);

    strlist_add_all(&copy->aliases, &def->aliases);
    strlist_add_all(&copy->env_aliases, &def->env_aliases);
    copy->env = xstrdup_or_null(def->env);
    copy->value = def->value ? value_copy(def->value) : NULL;
    copy->options = def->options ? value_copy(def->options) : NULL;
    copy->sensitive = def->sensitive;
    copy->env_specific = def->env_specific;
    copy->is_custom = def->is_custom;
    copy->value_processor = xstrdup_or_null(def->value_processor);
    copy->value_post_processor = xstrdup_or_null(def->value_post_processor);
    copy->label = xstrdup_or_null(def->label);
    copy->description = xstrdup_or_null(def->description);
    return copy;
}

void setting_def_free(struct setting_def *def)
{
    if (!def)
        return;
    free(def->name);
    strlist_clear(&def->aliases);
    strlist_clear(&def->env_aliases);
    free(def->env);
    value_free(def->value);
    value_free(def->options);
    free(def->value_processor);
    free(def->value_post_processor);
    free(def->label);
    free(def->description);
    free(def);
}
DEFINE_AUTO_FREE(struct setting_def, setting_def, setting_def_free)

static int read_kind(const struct value *entry, struct setting_def *def, const char *what,
                     struct error *err)
{
    const struct value *kind = value_get(entry, "kind");

    if (!value_is_truthy(kind))
        return 0;
    if (!value_is_string(kind) || !setting_kind_parse(value_text(kind), &def->kind)) {
        auto_strbuf struct strbuf text = STRBUF_INIT;

        strbuf_add_py_str(&text, kind);
        error_set_at(err, ERR_CONFIG, kind, "'%s' is not a kind of setting (%s)",
                     strbuf_text(&text), what);
        return error_hint(err, "Use string, integer, boolean, decimal, date_iso8601, email, "
                               "options, file, array or object.");
    }
    if (def->kind == SETTING_PASSWORD || def->kind == SETTING_OAUTH)
        def->sensitive = true;
    if (def->kind == SETTING_PASSWORD || def->kind == SETTING_HIDDEN)
        def->kind = SETTING_STRING;
    return 0;
}

int setting_def_from_value(const struct value *entry, struct setting_def **out, struct error *err)
{
    const struct {
        const char *key;
        size_t offset;
    } texts[] = {
        {"env", offsetof(struct setting_def, env)},
        {"value_processor", offsetof(struct setting_def, value_processor)},
        {"value_post_processor", offsetof(struct setting_def, value_post_processor)},
        {"label", offsetof(struct setting_def, label)},
        {"description", offsetof(struct setting_def, description)},
    };
    ATTR_CLEANUP(setting_def_auto) struct setting_def *def = NULL;
    auto_free char *name = NULL;
    auto_free char *what = NULL;
    struct value *options;

    if (check_entry(entry, "a setting", err) < 0 ||
        check_required_text(entry, "a setting", "name", &name, err) < 0)
        return -1;
    what = xasprintf("setting '%s'", name);
    def = setting_def_new(name, SETTING_NONE);
    def->sensitive = value_is_truthy(value_get(entry, "sensitive"));
    def->env_specific = value_is_truthy(value_get(entry, "env_specific"));
    if (read_kind(entry, def, what, err) < 0 ||
        check_texts(entry, what, "aliases", &def->aliases, err) < 0 ||
        check_texts(entry, what, "env_aliases", &def->env_aliases, err) < 0 ||
        check_list(entry, what, "options", &options, err) < 0)
        return -1;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        if (check_text(entry, what, texts[i].key, (char **)((char *)def + texts[i].offset), err) <
            0)
            return -1;
    if (options)
        def->options = value_copy(options);
    if (!value_is_null(value_get(entry, "value")))
        def->value = value_copy(value_get(entry, "value"));
    *out = take(def);
    return 0;
}

void setting_def_list_add_take(struct setting_def_list *list, struct setting_def *def)
{
    GROW(list->items, list->count, list->capacity);
    list->items[list->count++] = def;
}

void setting_def_list_clear(struct setting_def_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        setting_def_free(list->items[i]);
    free(list->items);
    *list = (struct setting_def_list){0};
}

struct setting_def *setting_def_list_find(const struct setting_def_list *list, const char *name)
{
    for (size_t i = 0; i < list->count; i++)
        if (!strcmp(list->items[i]->name, name))
            return list->items[i];
    return NULL;
}
