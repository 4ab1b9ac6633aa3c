#include "plugin/catalog_walk.h"

#include "base/json.h"
#include "base/memory.h"
#include "base/utf8.h"

#include <stdio.h>
#include <string.h>

/* What Meltano's patterns end in is '$', which also matches before a final line feed. */
static size_t length_to_match(const struct strbuf *path)
{
    size_t length = path->length;

    return length && path->text[length - 1] == '\n' ? length - 1 : length;
}

static bool ends_with(const char *text, size_t length, const char *suffix)
{
    size_t size = strlen(suffix);

    return length >= size && !memcmp(text + length - size, suffix, size);
}

/* "...<name>[7]" */
static bool is_item_of(const struct strbuf *path, const char *name)
{
    const char *text = strbuf_text(path);
    size_t length = length_to_match(path);
    size_t end;

    if (!ends_with(text, length, "]"))
        return false;
    end = --length;
    while (length && text[length - 1] >= '0' && text[length - 1] <= '9')
        length--;
    return length < end && length && text[length - 1] == '[' && ends_with(text, length - 1, name);
}

static bool is_word(const char *text, size_t length)
{
    while (length) {
        unsigned code_point;
        size_t used = utf8_decode(text, length, &code_point);

        if (!used || !utf8_is_word(code_point))
            return false;
        text += used;
        length -= used;
    }
    return true;
}

/* "...schema", then one or more times ".properties.<word>" */
static bool is_property_path(const struct strbuf *path)
{
    const char *text = strbuf_text(path);
    size_t length = length_to_match(path);

    do {
        const char *dot = memrchr(text, '.', length);
        size_t name_at = dot ? (size_t)(dot - text) + 1 : 0;

        if (!dot || !is_word(text + name_at, length - name_at) ||
            !ends_with(text, name_at, ".properties."))
            return false;
        length = name_at - strlen(".properties.");
    } while (!ends_with(text, length, "schema"));
    return true;
}

const char *catalog_walk_breadcrumb(const struct catalog_walk *walk)
{
    return strstr(strbuf_text(&walk->path), "properties");
}

int catalog_walk_error(const struct catalog_walk *walk, struct error *err, const char *format, ...)
{
    auto_free char *what = NULL;
    const char *path = strbuf_text(&walk->path);
    va_list args;

    va_start(args, format);
    what = xvasprintf(format, args);
    va_end(args);
    return error_set(err, ERR_TAP, "%s: %s", *path == '.' ? path + 1 : "the document", what);
}

int catalog_stream_id(const struct catalog_walk *walk, const struct value *stream, const char **id,
                      struct error *err)
{
    const struct value_member *member = value_find(stream, "tap_stream_id");

    *id = NULL;
    if (!member)
        return 0;
    if (!value_is_string(member->value))
        return catalog_walk_error(walk, err, "tap_stream_id is %s instead of a string",
                                  value_kind_name(value_kind(member->value)));
    *id = value_text(member->value);
    return 0;
}

int catalog_breadcrumb_text(const struct catalog_walk *walk, const struct value *breadcrumb,
                            struct strbuf *out, struct error *err)
{
    if (!value_is_list(breadcrumb))
        return catalog_walk_error(walk, err, "the breadcrumb is %s instead of a list",
                                  value_kind_name(value_kind(breadcrumb)));
    for (size_t i = 0; i < value_count(breadcrumb); i++) {
        const struct value *part = value_at(breadcrumb, i);

        if (!value_is_string(part))
            return catalog_walk_error(walk, err, "the breadcrumb holds %s",
                                      value_kind_name(value_kind(part)));
        if (i)
            strbuf_add_char(out, '.');
        strbuf_add_bytes(out, part->text.bytes, part->text.length);
    }
    return 0;
}

static int visit(struct catalog_walk *walk, struct value *node, struct error *err);

static int visit_list(struct catalog_walk *walk, struct value *list, struct error *err)
{
    size_t length = walk->path.length;

    /* Entries appended on the way are visited too. */
    for (size_t i = 0; i < value_count(list); i++) {
        strbuf_addf(&walk->path, "[%zu]", i);
        if (visit(walk, value_at(list, i), err) < 0)
            return -1;
        strbuf_truncate(&walk->path, length);
    }
    return 0;
}

static int visit_members(struct catalog_walk *walk, struct value *map, bool is_property,
                         struct error *err)
{
    size_t length = walk->path.length;

    for (size_t i = 0; i < value_count(map); i++) {
        const char *key = value_member_at(map, i)->key;
        bool is_metadata = !strcmp(key, "metadata");

        if (is_property && (!strcmp(key, "anyOf") || !strcmp(key, "type")))
            continue;
        strbuf_add_char(&walk->path, '.');
        strbuf_add(&walk->path, key);
        if (visit(walk, value_member_at(map, i)->value, err) < 0)
            return -1;
        strbuf_truncate(&walk->path, length);
        if (is_metadata && map == walk->stream)
            walk->is_past_stream_metadata = true;
    }
    return 0;
}

static int visit_map(struct catalog_walk *walk, struct value *map, struct error *err)
{
    const struct catalog_visitor *visitor = walk->visitor;
    bool is_property = is_property_path(&walk->path);
    int result = 0;

    if (is_property) {
        if (visitor->on_property)
            result = visitor->on_property(walk, map, err);
    } else if (is_item_of(&walk->path, "streams")) {
        walk->stream = map;
        walk->is_past_stream_metadata = false;
        result = visitor->on_stream(walk, map, err);
    } else if (is_item_of(&walk->path, "metadata") && value_find(map, "breadcrumb")) {
        if (visitor->on_metadata)
            result = visitor->on_metadata(walk, map, err);
    }
    return result < 0 ? -1 : visit_members(walk, map, is_property, err);
}

static int visit(struct catalog_walk *walk, struct value *node, struct error *err)
{
    int result = 0;

    /* Schema rules can put a schema into itself without end. */
    if (++walk->depth > JSON_MAX_DEPTH)
        return error_set(err, ERR_TAP, "the schema of a stream is nested too deeply");
    if (value_is_map(node))
        result = visit_map(walk, node, err);
    else if (value_is_list(node))
        result = visit_list(walk, node, err);
    walk->depth--;
    return result;
}

int catalog_walk(struct value *catalog, const struct catalog_visitor *visitor, void *context,
                 struct error *err)
{
    struct catalog_walk walk = {.visitor = visitor, .context = context};
    int result = visit(&walk, catalog, err);

    strbuf_clear(&walk.path);
    return result;
}
