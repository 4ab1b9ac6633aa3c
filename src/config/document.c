#include "config/document.h"

#include "base/memory.h"
#include "config/cast.h"
#include "config/flatten.h"

#include <string.h>

int document_collect(struct scope *scope, const char *redacted, struct value **out,
                     struct error *err)
{
    auto_value struct value *settings = value_new_map();

    for (size_t i = 0; i < scope->count; i++) {
        struct scope_entry *entry = &scope->entries[i];
        auto_value struct value *shown = NULL;
        struct value *processed;

        if (!scope_has(SCOPE_ORDINARY, entry->def))
            continue;
        if (scope_resolve(scope, entry, err) < 0)
            return -1;
        shown = scope_shown_value(entry, redacted);
        if (setting_post_process(entry->def, shown, &processed, err) < 0)
            return error_wrap(err, "setting '%s'", entry->def->name);
        value_set_take(settings, entry->def->name, processed);
    }
    *out = take(settings);
    return 0;
}

static int shape_for_singer(const struct value *settings, struct value **out, struct error *err)
{
    auto_value struct value *given = value_new_map();

    for (size_t i = 0; i < value_count(settings); i++) {
        const struct value_member *member = value_member_at(settings, i);

        if (!value_is_null(member->value))
            value_set_take(given, member->key, value_copy(member->value));
    }
    if (nest_names(given, NEST_KEEP_ESCAPES, out, err) < 0)
        return -1;
    drop_dotted_keys(*out);
    return 0;
}

/* The sections of airflow.cfg, whose values are all text. */
static int shape_for_airflow(const struct value *settings, struct value **out, struct error *err)
{
    auto_value struct value *texts = value_new_map();

    for (size_t i = 0; i < value_count(settings); i++) {
        const struct value_member *member = value_member_at(settings, i);
        struct strbuf text = STRBUF_INIT;

        strbuf_add_py_str(&text, member->value);
        value_set_take(texts, member->key, value_new_string_take(strbuf_take(&text)));
    }
    return nest_names(texts, NEST_UNESCAPE, out, err);
}

int document_shape(const struct plugin *plugin, const struct value *settings, struct value **out,
                   struct error *err)
{
    if (!plugin)
        return nest_names(settings, NEST_UNESCAPE, out, err);
    if (plugin_type_is_singer(plugin->type))
        return shape_for_singer(settings, out, err);
    if (plugin->type == PLUGIN_ORCHESTRATOR && !strcmp(plugin->definition_name, "airflow"))
        return shape_for_airflow(settings, out, err);
    *out = value_copy(settings);
    return 0;
}
