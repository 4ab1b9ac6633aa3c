#include "plugin/catalog_rules.h"

#include "base/memory.h"
#include "base/strbuf.h"
#include "plugin/glob.h"

#include <string.h>

void catalog_rule_list_clear(struct catalog_rule_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        struct catalog_rule *rule = &list->items[i];

        strlist_clear(&rule->streams);
        free(rule->breadcrumb);
        free(rule->key);
        value_free(rule->value);
    }
    free(list->items);
    *list = (struct catalog_rule_list)CATALOG_RULE_LIST_INIT;
}

static struct catalog_rule *add_rule(struct catalog_rule_list *list)
{
    struct catalog_rule *rule;

    GROW(list->items, list->count, list->capacity);
    rule = &list->items[list->count++];
    memset(rule, 0, sizeof *rule);
    return rule;
}

/* "properties.a.properties.b" for the first count names. */
static char *join_breadcrumb(const struct strlist *names, size_t count)
{
    struct strbuf text = STRBUF_INIT;

    for (size_t i = 0; i < count; i++)
        strbuf_addf(&text, "%sproperties.%s", i ? "." : "", names->items[i]);
    return strbuf_take(&text);
}

struct select_pattern {
    bool negated;
    char *stream;
    char *property; /* NULL when the pattern names a stream alone */
};

static void select_pattern_clear(struct select_pattern *pattern)
{
    free(pattern->stream);
    free(pattern->property);
}

/* The first dot without a backslash before it; "\." in a stream name is a dot. */
static const char *find_separator(const char *text)
{
    for (const char *dot = strchr(text, '.'); dot; dot = strchr(dot + 1, '.'))
        if (dot == text || dot[-1] != '\\')
            return dot;
    return NULL;
}

static char *unescape_dots(const char *text, size_t length)
{
    struct strbuf out = STRBUF_INIT;

    for (size_t i = 0; i < length; i++)
        if (text[i] != '\\' || i + 1 == length || text[i + 1] != '.')
            strbuf_add_char(&out, text[i]);
    return strbuf_take(&out);
}

static int parse_select_pattern(const struct value *entry, const char *setting,
                                struct select_pattern *out, struct error *err)
{
    const char *text, *dot;

    if (!value_is_string(entry)) {
        error_set(err, ERR_CONFIG, "an entry of '%s' is %s instead of a pattern", setting,
                  value_kind_name(value_kind(entry)));
        return error_hint(err, "Write patterns such as 'users.*' or '!users.email', in quotes.");
    }
    text = value_text(entry);
    out->negated = *text == '!';
    text += out->negated;
    dot = find_separator(text);
    out->stream = unescape_dots(text, dot ? (size_t)(dot - text) : strlen(text));
    /* "users." means the same as "users". */
    out->property = dot && dot[1] ? xstrdup(dot + 1) : NULL;
    return 0;
}

/* The first count of properties, selected or not. A pattern without a stream matches nothing. */
static void add_selection(struct catalog_rule_list *list, const struct select_pattern *pattern,
                          const struct strlist *properties, size_t count)
{
    struct catalog_rule *rule;

    if (!*pattern->stream)
        return;
    rule = add_rule(list);
    strlist_add(&rule->streams, pattern->stream);
    rule->breadcrumb = join_breadcrumb(properties, count);
    rule->key = xstrdup("selected");
    rule->value = value_new_bool(!pattern->negated);
}

static void add_pattern_rules(struct catalog_rule_list *list, const struct select_pattern *pattern)
{
    auto_strlist struct strlist properties = STRLIST_INIT;

    strlist_split(&properties, pattern->property ? pattern->property : "*", '.');
    if (!pattern->property || !pattern->negated || !strcmp(pattern->property, "*"))
        add_selection(list, pattern, &properties, 0);
    add_selection(list, pattern, &properties, properties.count);
    /* Whoever selects a part of a property selects the property. */
    if (!pattern->negated)
        for (size_t count = 1; count < properties.count; count++)
            add_selection(list, pattern, &properties, count);
}

static int check_is_list(const struct value *patterns, const char *setting, struct error *err)
{
    if (value_is_null(patterns) || value_is_list(patterns))
        return 0;
    error_set(err, ERR_CONFIG, "'%s' is %s instead of a list of patterns", setting,
              value_kind_name(value_kind(patterns)));
    return error_hint(err, "Write '%s: [users.*]'.", setting);
}

int catalog_rules_add_select(const struct value *patterns, struct catalog_rule_list *out,
                             struct error *err)
{
    if (check_is_list(patterns, "select", err) < 0)
        return -1;
    for (int negated = 0; negated < 2; negated++) {
        for (size_t i = 0; i < value_count(patterns); i++) {
            struct select_pattern pattern ATTR_CLEANUP(select_pattern_clear) = {0};

            if (parse_select_pattern(value_at(patterns, i), "select", &pattern, err) < 0)
                return -1;
            if (pattern.negated == negated)
                add_pattern_rules(out, &pattern);
        }
    }
    return 0;
}

int catalog_rules_add_select_filter(const struct value *patterns, struct catalog_rule_list *out,
                                    struct error *err)
{
    if (check_is_list(patterns, "select_filter", err) < 0)
        return -1;
    for (int negated = 0; negated < 2; negated++) {
        struct catalog_rule *rule = NULL;

        for (size_t i = 0; i < value_count(patterns); i++) {
            struct select_pattern pattern ATTR_CLEANUP(select_pattern_clear) = {0};

            if (parse_select_pattern(value_at(patterns, i), "select_filter", &pattern, err) < 0)
                return -1;
            if (pattern.negated != negated)
                continue;
            if (!rule) {
                rule = add_rule(out);
                rule->is_filter = true;
                rule->negated = !negated;
                rule->breadcrumb = xstrdup("");
                rule->key = xstrdup("selected");
                rule->value = value_new_bool(false);
            }
            strlist_add(&rule->streams, pattern.stream);
        }
    }
    return 0;
}

/* Leaves by their keys joined with dots; of two with the same key the later one counts, in the
 * place of the earlier. The values are borrowed. */
struct leaf {
    char *key;
    const struct value *value;
};

struct leaf_list {
    struct leaf *items;
    size_t count, capacity;
};

static void leaf_list_clear(struct leaf_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i].key);
    free(list->items);
}

static void set_leaf(struct leaf_list *list, const char *key, const struct value *value)
{
    for (size_t i = 0; i < list->count; i++) {
        if (!strcmp(list->items[i].key, key)) {
            list->items[i].value = value;
            return;
        }
    }
    GROW(list->items, list->count, list->capacity);
    list->items[list->count++] = (struct leaf){xstrdup(key), value};
}

static void flatten(const struct value *map, const char *prefix, struct leaf_list *out)
{
    for (size_t i = 0; i < value_count(map); i++) {
        const struct value_member *member = value_member_at(map, i);
        auto_free char *key = prefix ? xasprintf("%s.%s", prefix, member->key) : NULL;
        const char *name = key ? key : member->key;

        if (value_is_map(member->value) && value_count(member->value))
            flatten(member->value, name, out);
        else
            set_leaf(out, name, member->value);
    }
}

static int check_is_map(const struct value *map, const char *setting, const char *example,
                        struct error *err)
{
    if (value_is_null(map) || value_is_map(map))
        return 0;
    error_set(err, ERR_CONFIG, "'%s' is %s instead of a mapping", setting,
              value_kind_name(value_kind(map)));
    return error_hint(err, "Write '%s: %s'.", setting, example);
}

int catalog_rules_add_metadata(const struct value *metadata, struct catalog_rule_list *out,
                               struct error *err)
{
    struct leaf_list leaves ATTR_CLEANUP(leaf_list_clear) = {NULL, 0, 0};

    if (check_is_map(metadata, "metadata", "{users: {replication-method: FULL_TABLE}}", err) < 0)
        return -1;
    flatten(metadata, NULL, &leaves);
    for (size_t i = 0; i < leaves.count; i++) {
        auto_strlist struct strlist parts = STRLIST_INIT;
        struct catalog_rule *rule;

        strlist_split(&parts, leaves.items[i].key, '.');
        if (parts.count < 2) {
            error_set(err, ERR_CONFIG, "'metadata' has the key '%s', which belongs to no stream",
                      leaves.items[i].key);
            return error_hint(err, "Write 'metadata: {STREAM: {%s: ...}}'; '*' is every stream.",
                              leaves.items[i].key);
        }
        rule = add_rule(out);
        strlist_add(&rule->streams, parts.items[0]);
        rule->key = xstrdup(parts.items[parts.count - 1]);
        strlist_remove(&parts, 0);
        rule->breadcrumb = join_breadcrumb(&parts, parts.count - 1);
        rule->value = value_copy(leaves.items[i].value);
    }
    return 0;
}

int catalog_rules_add_schema(const struct value *schema, struct catalog_rule_list *out,
                             struct error *err)
{
    if (check_is_map(schema, "schema", "{users: {id: {type: [string, 'null']}}}", err) < 0)
        return -1;
    for (size_t i = 0; i < value_count(schema); i++) {
        const struct value_member *stream = value_member_at(schema, i);

        if (!value_is_map(stream->value)) {
            error_set(err, ERR_CONFIG, "'schema' has %s for the stream '%s' instead of a mapping",
                      value_kind_name(value_kind(stream->value)), stream->key);
            return error_hint(err, "Write 'schema: {%s: {PROPERTY: {type: string}}}'.",
                              stream->key);
        }
        for (size_t j = 0; j < value_count(stream->value); j++) {
            const struct value_member *property = value_member_at(stream->value, j);
            struct catalog_rule *rule;

            if (!value_is_map(property->value)) {
                error_set(err, ERR_CONFIG, "'schema' has %s for '%s.%s' instead of a JSON schema",
                          value_kind_name(value_kind(property->value)), stream->key, property->key);
                return error_hint(err, "Write 'schema: {%s: {%s: {type: string}}}'.", stream->key,
                                  property->key);
            }
            rule = add_rule(out);
            strlist_add(&rule->streams, stream->key);
            rule->breadcrumb = xasprintf("properties.%s", property->key);
            rule->value = value_copy(property->value);
        }
    }
    return 0;
}

bool catalog_rule_matches_stream(const struct catalog_rule *rule, const char *stream_id)
{
    for (size_t i = 0; i < rule->streams.count; i++)
        if (glob_match(rule->streams.items[i], stream_id))
            return !rule->negated;
    return rule->negated;
}

bool catalog_rule_matches_place(const struct catalog_rule *rule, const char *breadcrumb)
{
    return glob_match(rule->breadcrumb, breadcrumb);
}
