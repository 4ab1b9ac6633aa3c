#include "plugin/catalog.h"

#include "base/log.h"
#include "base/memory.h"
#include "base/strlist.h"
#include "plugin/catalog_rules.h"
#include "plugin/catalog_walk.h"

#include <string.h>

/* What a visitor carries along. */
struct applying {
    const struct catalog_rule_list *rules;
    /* Those of the rules that match the stream being visited. */
    const struct catalog_rule **active;
    size_t active_count;
};

static void activate_rules(struct applying *applying, const char *stream_id)
{
    applying->active_count = 0;
    for (size_t i = 0; stream_id && i < applying->rules->count; i++)
        if (catalog_rule_matches_stream(&applying->rules->items[i], stream_id))
            applying->active[applying->active_count++] = &applying->rules->items[i];
}

static int walk_with_rules(struct value *catalog, const struct catalog_visitor *visitor,
                           const struct catalog_rule_list *rules, struct error *err)
{
    auto_free const struct catalog_rule **active = xcalloc(rules->count + 1, sizeof *active);
    struct applying applying = {rules, active, 0};

    return catalog_walk(catalog, visitor, &applying, err);
}

/* --- schema rules --------------------------------------------------------------------------- */

static int require_map(const struct catalog_walk *walk, const struct value *value, const char *what,
                       struct error *err)
{
    if (value_is_map(value))
        return 0;
    return catalog_walk_error(walk, err, "%s is %s instead of an object", what,
                              value_kind_name(value_kind(value)));
}

/* A name that begins like a pattern creates nothing: it only matches what is there. */
static int ensure_property(const struct catalog_walk *walk, struct value *schema,
                           const char *breadcrumb, struct error *err)
{
    const char *name = breadcrumb + strlen("properties.");
    struct value *properties;

    if (!value_find(schema, "properties"))
        value_set_take(schema, "properties", value_new_map());
    properties = value_get(schema, "properties");
    if (require_map(walk, properties, "'properties' of its schema", err) < 0)
        return -1;
    if ((!*name || !strchr("*?[]", *name)) && !value_find(properties, name))
        value_set_take(properties, name, value_new_map());
    return 0;
}

static int add_schema_properties(struct catalog_walk *walk, struct value *stream, struct error *err)
{
    struct applying *applying = walk->context;
    const char *id;

    if (catalog_stream_id(walk, stream, &id, err) < 0)
        return -1;
    activate_rules(applying, id);
    if (!id)
        return 0;
    if (!value_find(stream, "schema")) {
        value_set_take(stream, "schema", value_new_map());
        value_set_string(value_get(stream, "schema"), "type", "object");
    }
    for (size_t i = 0; i < applying->active_count; i++) {
        struct value *schema = value_get(stream, "schema");

        if (require_map(walk, schema, "its schema", err) < 0 ||
            ensure_property(walk, schema, applying->active[i]->breadcrumb, err) < 0)
            return -1;
    }
    return 0;
}

static int require_stream(const struct catalog_walk *walk, const char *what, struct error *err)
{
    return walk->stream ? 0 : catalog_walk_error(walk, err, "%s stands outside of a stream", what);
}

static void replace_members(struct value *map, const struct value *from)
{
    while (value_count(map))
        value_remove(map, value_member_at(map, value_count(map) - 1)->key);
    value_merge(map, from);
}

static int replace_schema(struct catalog_walk *walk, struct value *property, struct error *err)
{
    const struct applying *applying = walk->context;

    if (require_stream(walk, "a property", err) < 0)
        return -1;
    for (size_t i = 0; i < applying->active_count; i++)
        if (catalog_rule_matches_place(applying->active[i], catalog_walk_breadcrumb(walk)))
            replace_members(property, applying->active[i]->value);
    return 0;
}

/* --- metadata rules, selection included ----------------------------------------------------- */

static bool is_unsupported(const struct value *metadata)
{
    const char *inclusion = value_get_text(metadata, "inclusion");

    return inclusion && !strcmp(inclusion, "unsupported");
}

static bool is_boolean(const struct value *value, bool boolean)
{
    return value_kind(value) == VALUE_BOOL && value->boolean == boolean;
}

static bool is_selection(const struct catalog_rule *rule)
{
    return !strcmp(rule->key, "selected");
}

/* What is unsupported cannot be selected. */
static void set_metadata(struct value *map, const char *key, const struct catalog_rule *rule)
{
    if (!strcmp(key, "selected") && is_boolean(rule->value, true) && is_unsupported(map))
        return;
    value_set_take(map, key, value_copy(rule->value));
}

/* Streams carry their metadata a second time, with '_' for '-': older taps read it there. */
static void set_stream_metadata(struct value *stream, const struct catalog_rule *rule)
{
    auto_free char *key = xstrdup(rule->key);

    for (char *dash = strchr(key, '-'); dash; dash = strchr(dash, '-'))
        *dash = '_';
    set_metadata(stream, key, rule);
}

static bool is_breadcrumb(const struct value *list, const struct strlist *parts)
{
    if (!value_is_list(list) || value_count(list) != parts->count)
        return false;
    for (size_t i = 0; i < parts->count; i++)
        if (!value_is_string(value_at(list, i)) ||
            strcmp(value_text(value_at(list, i)), parts->items[i]) != 0)
            return false;
    return true;
}

/* The last rule for the place decides. */
static bool is_deselected(const struct applying *applying, const char *breadcrumb)
{
    bool deselected = false;

    for (size_t i = 0; i < applying->active_count; i++)
        if (is_selection(applying->active[i]) &&
            catalog_rule_matches_place(applying->active[i], breadcrumb))
            deselected = is_boolean(applying->active[i]->value, false);
    return deselected;
}

static struct value *new_entry(const struct strlist *parts)
{
    struct value *entry = value_new_map();
    struct value *breadcrumb = value_new_list();
    struct value *metadata = value_new_map();

    for (size_t i = 0; i < parts->count; i++)
        value_append_string(breadcrumb, parts->items[i]);
    /* Streams and top-level properties are included, what is nested can be. */
    value_set_string(metadata, "inclusion", parts->count <= 2 ? "automatic" : "available");
    value_set_take(entry, "breadcrumb", breadcrumb);
    value_set_take(entry, "metadata", metadata);
    return entry;
}

enum presence { PRESENCE_SURE, PRESENCE_UNKNOWN };

/* Adds a metadata entry for the place unless there is one. That is unknown where the stream has
 * no metadata or an entry without a breadcrumb stands before: the catalog is left alone then. */
static int ensure_entry(const struct catalog_walk *walk, const char *breadcrumb,
                        enum presence *presence, struct error *err)
{
    auto_strlist struct strlist parts = STRLIST_INIT;
    struct value *list = value_get(walk->stream, "metadata");
    struct value *entry;

    *presence = PRESENCE_UNKNOWN;
    if (!value_find(walk->stream, "metadata"))
        return 0;
    if (!value_is_list(list))
        return catalog_walk_error(walk, err, "the metadata of its stream is %s instead of a list",
                                  value_kind_name(value_kind(list)));
    if (*breadcrumb)
        strlist_split(&parts, breadcrumb, '.');
    for (size_t i = 0; i < value_count(list); i++) {
        entry = value_at(list, i);
        if (require_map(walk, entry, "an entry of the metadata of its stream", err) < 0)
            return -1;
        if (!value_find(entry, "breadcrumb"))
            return 0;
        if (is_breadcrumb(value_get(entry, "breadcrumb"), &parts)) {
            *presence = PRESENCE_SURE;
            return 0;
        }
    }
    entry = new_entry(&parts);
    if (walk->is_past_stream_metadata && is_deselected(walk->context, breadcrumb))
        value_set_bool(value_get(entry, "metadata"), "selected", false);
    value_append_take(list, entry);
    *presence = PRESENCE_SURE;
    return 0;
}

static int apply_to_stream(struct catalog_walk *walk, struct value *stream, struct error *err)
{
    struct applying *applying = walk->context;
    enum presence presence;
    const char *id;

    if (catalog_stream_id(walk, stream, &id, err) < 0)
        return -1;
    activate_rules(applying, id);
    if (!id)
        return 0;
    if (!value_find(stream, "metadata"))
        value_set_take(stream, "metadata", value_new_list());
    if (ensure_entry(walk, "", &presence, err) < 0)
        return -1;
    if (presence == PRESENCE_UNKNOWN)
        return 0;
    for (size_t i = 0; i < applying->active_count; i++)
        if (catalog_rule_matches_place(applying->active[i], ""))
            set_stream_metadata(stream, applying->active[i]);
    /* A rule may have changed the id; the rules for what is in the stream go by the new one. */
    if (catalog_stream_id(walk, stream, &id, err) < 0)
        return -1;
    activate_rules(applying, id);
    return 0;
}

static int add_property_entry(struct catalog_walk *walk, struct value *property, struct error *err)
{
    enum presence presence;

    (void)property;
    if (require_stream(walk, "a property", err) < 0)
        return -1;
    return ensure_entry(walk, catalog_walk_breadcrumb(walk), &presence, err);
}

static int apply_to_entry(struct catalog_walk *walk, struct value *entry, struct error *err)
{
    const struct applying *applying = walk->context;
    const struct value *breadcrumb = value_get(entry, "breadcrumb");
    struct value *metadata = value_get(entry, "metadata");
    auto_strbuf struct strbuf place = STRBUF_INIT;

    if (require_stream(walk, "a metadata entry", err) < 0)
        return -1;
    /* A breadcrumb of null is every place. */
    if (!value_is_null(breadcrumb) && catalog_breadcrumb_text(walk, breadcrumb, &place, err) < 0)
        return -1;
    for (size_t i = 0; i < applying->active_count; i++) {
        const struct catalog_rule *rule = applying->active[i];

        if (!value_is_null(breadcrumb) && !catalog_rule_matches_place(rule, strbuf_text(&place)))
            continue;
        if (!value_find(entry, "metadata"))
            return 0;
        if (require_map(walk, metadata, "its metadata", err) < 0)
            return -1;
        set_metadata(metadata, rule->key, rule);
    }
    return 0;
}

/* --- warnings ------------------------------------------------------------------------------- */

/* The last stream of that id, as a look-up by id finds it. */
static const struct value *find_stream(const struct value *catalog, const char *id)
{
    const struct value *streams = value_get(catalog, "streams");

    for (size_t i = value_count(streams); i-- > 0;) {
        const char *text = value_get_text(value_at(streams, i), "tap_stream_id");

        if (text && !strcmp(text, id))
            return value_at(streams, i);
    }
    return NULL;
}

/* The part of the breadcrumb before the first name with a '*' exists in the schema. */
static bool schema_has(const struct value *schema, const char *breadcrumb)
{
    auto_strlist struct strlist parts = STRLIST_INIT;

    strlist_split(&parts, breadcrumb, '.');
    for (size_t i = 0; i < parts.count && !strchr(parts.items[i], '*'); i++) {
        if (i > 0 && !value_find(schema, parts.items[i]))
            return false;
        schema = value_get(schema, parts.items[i]);
    }
    return true;
}

static void warn_about_missing(const struct value *catalog, const struct catalog_rule_list *rules)
{
    auto_strlist struct strlist warned = STRLIST_INIT;

    for (size_t i = 0; i < rules->count; i++) {
        const struct catalog_rule *rule = &rules->items[i];
        const struct value *stream;
        const char *id = rule->streams.items[0];
        auto_free char *place = NULL;

        if (rule->is_filter || strchr(id, '*'))
            continue;
        stream = find_stream(catalog, id);
        if (!stream) {
            if (strlist_add_unique(&warned, id))
                log_warning("Stream `%s` was not found in the catalog", id);
            continue;
        }
        if (!*rule->breadcrumb || schema_has(value_get(stream, "schema"), rule->breadcrumb))
            continue;
        place = xasprintf("%s %s", id, rule->breadcrumb);
        if (strlist_add_unique(&warned, place))
            log_warning("Property `%s` was not found in the schema of stream `%s`",
                        rule->breadcrumb + strlen("properties."), id);
    }
}

/* --- all of them ---------------------------------------------------------------------------- */

static int add_deselect_all(struct catalog_rule_list *rules, struct error *err)
{
    auto_value struct value *patterns = value_new_list();

    value_append_string(patterns, "!*.*");
    return catalog_rules_add_select(patterns, rules, err);
}

int catalog_apply_rules(struct value *catalog, const struct catalog_rules *rules, struct error *err)
{
    static const struct catalog_visitor schema_visitor = {
        .on_stream = add_schema_properties,
        .on_property = replace_schema,
    };
    static const struct catalog_visitor metadata_visitor = {
        .on_stream = apply_to_stream,
        .on_property = add_property_entry,
        .on_metadata = apply_to_entry,
    };
    auto_catalog_rule_list struct catalog_rule_list schema = CATALOG_RULE_LIST_INIT;
    auto_catalog_rule_list struct catalog_rule_list metadata = CATALOG_RULE_LIST_INIT;

    if (catalog_rules_add_schema(rules->schema, &schema, err) < 0 ||
        (rules->select && add_deselect_all(&metadata, err) < 0) ||
        catalog_rules_add_select(rules->select, &metadata, err) < 0 ||
        catalog_rules_add_metadata(rules->metadata, &metadata, err) < 0 ||
        catalog_rules_add_select_filter(rules->select_filter, &metadata, err) < 0)
        return -1;
    if (!schema.count && !metadata.count)
        return 0;
    if (!value_is_map(catalog))
        return error_set(err, ERR_TAP, "the catalog is %s instead of an object",
                         value_kind_name(value_kind(catalog)));
    if (value_find(catalog, "streams") && !value_is_list(value_get(catalog, "streams")))
        return error_set(err, ERR_TAP, "'streams' of the catalog is %s instead of a list",
                         value_kind_name(value_kind(value_get(catalog, "streams"))));
    if (schema.count && walk_with_rules(catalog, &schema_visitor, &schema, err) < 0)
        return -1;
    if (!metadata.count)
        return 0;
    warn_about_missing(catalog, &metadata);
    return walk_with_rules(catalog, &metadata_visitor, &metadata, err);
}
