#include "base/yaml.h"

#include "base/intern.h"
#include "base/memory.h"
#include "base/position.h"
#include "base/strbuf.h"
#include "base/utf8.h"
#include "base/yaml_scalar.h"

#include <string.h>
#include <yaml.h>

struct anchor {
    char *name;
    struct value *value; /* borrowed; NULL while the anchored value is still being read */
};

struct loader {
    yaml_parser_t parser;
    yaml_event_t event; /* the one being looked at */
    const char *name;
    struct anchor *anchors;
    size_t anchor_count, anchor_capacity;
    struct value *aside; /* list: values that anchors may point to and that are in no map: keys and
                            what was merged */
    size_t aliased_count;
    unsigned depth;
    struct error *err;
};

static int read_value(struct loader *loader, struct value **out);

static int fail_at(struct loader *loader, const yaml_mark_t *mark, const char *message,
                   const char *hint)
{
    error_set(loader->err, ERR_CONFIG, "%s:%zu:%zu: %s", loader->name, mark->line + 1,
              mark->column + 1, message);
    return hint ? error_hint(loader->err, "%s", hint) : -1;
}

/* What libyaml says, and what usually is the matter. */
static const struct {
    const char *problem;
    const char *hint;
} parser_hints[] = {
    {"found character that cannot start any token",
     "Indent with blanks, not tabs; put a text that begins with @, % or ` in quotes."},
    {"found a tab character where an indentation space is expected", "Indent with blanks."},
    {"found a tab character that violates indentation", "Indent with blanks, not tabs."},
    {"mapping values are not allowed in this context",
     "Put a text that contains ': ' in quotes, or correct the indentation."},
    {"could not find expected ':'", "Add the ':' after the key, or correct the indentation."},
    {"did not find expected key", "Correct the indentation of this line or the one before."},
    {"did not find expected '-' indicator", "Correct the indentation of this line."},
    {"block sequence entries are not allowed in this context",
     "Begin a list on a line of its own, or put the text in quotes."},
    {"did not find expected ',' or ']'", "Close the list with ']'."},
    {"did not find expected ',' or '}'", "Close the mapping with '}'."},
    {"found unexpected end of stream", "Close the quotes."},
    {"found unknown escape character", "Write \\\\ for a backslash, or use single quotes."},
};

static int fail_in_parser(struct loader *loader)
{
    const yaml_parser_t *parser = &loader->parser;
    const char *problem = parser->problem ? parser->problem : "this is not YAML";
    yaml_mark_t mark = parser->problem_mark;
    auto_free char *message = NULL;

    if (parser->context && parser->context_mark.line != mark.line)
        message = xasprintf("%s %s that began on line %zu", problem, parser->context,
                            parser->context_mark.line + 1);
    else if (parser->context)
        message = xasprintf("%s %s", problem, parser->context);
    else
        message = xstrdup(problem);
    for (size_t i = 0; i < ARRAY_LEN(parser_hints); i++)
        if (!strcmp(problem, parser_hints[i].problem))
            return fail_at(loader, &mark, message, parser_hints[i].hint);
    return fail_at(loader, &mark, message, NULL);
}

static int next_event(struct loader *loader)
{
    yaml_event_delete(&loader->event);
    return yaml_parser_parse(&loader->parser, &loader->event) ? 0 : fail_in_parser(loader);
}

static void place(struct loader *loader, struct value *value, const yaml_mark_t *mark)
{
    value->file = loader->name;
    value->line = (unsigned)mark->line + 1;
    value->column = (unsigned)mark->column + 1;
}

static int count_aliased(struct loader *loader, const yaml_mark_t *mark)
{
    if (++loader->aliased_count > YAML_MAX_ALIASED)
        return fail_at(loader, mark, "the aliases up to here stand for more than 500,000 values",
                       "Use fewer or smaller aliases.");
    return 0;
}

static int enter(struct loader *loader, const yaml_mark_t *mark)
{
    if (++loader->depth > YAML_MAX_DEPTH)
        return fail_at(loader, mark, "nested too deeply", "200 levels are the limit.");
    return 0;
}

static void leave(struct loader *loader)
{
    loader->depth--;
}

/* Anchors ---------------------------------------------------------------------------------- */

/* An anchor with the name of an earlier one replaces it for what follows. */
static size_t add_anchor(struct loader *loader, const yaml_char_t *name)
{
    GROW(loader->anchors, loader->anchor_count, loader->anchor_capacity);
    loader->anchors[loader->anchor_count] = (struct anchor){xstrdup((const char *)name), NULL};
    return loader->anchor_count++;
}

static int copy_aliased(struct loader *loader, const struct value *value, const yaml_mark_t *mark,
                        struct value **out)
{
    auto_value struct value *copy = NULL;

    if (count_aliased(loader, mark) < 0 || enter(loader, mark) < 0)
        return -1;
    if (value_is_map(value) || value_is_list(value)) {
        copy = value_is_map(value) ? value_new_map() : value_new_list();
        copy->file = value->file;
        copy->line = value->line;
        copy->column = value->column;
        for (size_t i = 0; i < value_count(value); i++) {
            const struct value_member *member = value_member_at(value, i);
            struct value *item = NULL;

            if (copy_aliased(loader, member ? member->value : value_at(value, i), mark, &item) < 0)
                return -1;
            if (!member) {
                value_append_take(copy, item);
                continue;
            }
            value_set_take(copy, member->key, item);
            copy->map.members[i].line = member->line;
            copy->map.members[i].column = member->column;
        }
    } else {
        copy = value_copy(value);
    }
    leave(loader);
    *out = take(copy);
    return 0;
}

static int read_alias(struct loader *loader, struct value **out)
{
    const char *name = (const char *)loader->event.data.alias.anchor;
    const yaml_mark_t *mark = &loader->event.start_mark;
    auto_free char *message = NULL;

    for (size_t i = loader->anchor_count; i-- > 0;) {
        const struct anchor *anchor = &loader->anchors[i];

        if (strcmp(anchor->name, name) != 0)
            continue;
        if (anchor->value)
            return copy_aliased(loader, anchor->value, mark, out);
        message = xasprintf("the value with the anchor '%s' contains itself", name);
        return fail_at(loader, mark, message, "Remove this alias.");
    }
    message = xasprintf("there is no anchor '%s' before this alias", name);
    return fail_at(loader, mark, message,
                   "Define the anchor further up with '&', or put a text that begins with * in "
                   "quotes.");
}

/* Scalars ---------------------------------------------------------------------------------- */

static const char *scalar_tag(const yaml_event_t *event)
{
    if (event->data.scalar.tag)
        return (const char *)event->data.scalar.tag;
    return event->data.scalar.plain_implicit ? NULL : "!";
}

static int read_scalar(struct loader *loader, struct value **out)
{
    const yaml_event_t *event = &loader->event;
    const char *text = (const char *)event->data.scalar.value;
    const char *problem = NULL;
    auto_free char *message = NULL;

    *out = value_from_yaml_scalar(text, event->data.scalar.length, scalar_tag(event), &problem);
    if (*out) {
        place(loader, *out, &event->start_mark);
        return 0;
    }
    message = xasprintf("'%.60s': %s", text, problem);
    return fail_at(loader, &event->start_mark, message, "Put the value in quotes to make it text.");
}

/* Maps and lists --------------------------------------------------------------------------- */

static bool is_merge_key(const yaml_event_t *event)
{
    return event->type == YAML_SCALAR_EVENT && event->data.scalar.plain_implicit &&
           !strcmp((const char *)event->data.scalar.value, "<<");
}

static int check_tag(struct loader *loader, const yaml_char_t *tag, const char *expected)
{
    static const char prefix[] = "tag:yaml.org,2002:";
    auto_free char *message = NULL;

    if (!tag || strncmp((const char *)tag, prefix, strlen(prefix)) != 0 ||
        !strcmp((const char *)tag + strlen(prefix), expected))
        return 0;
    message = xasprintf("the tag !!%s cannot be used here", (const char *)tag + strlen(prefix));
    return fail_at(loader, &loader->event.start_mark, message, "Remove the tag.");
}

static int add_merged(struct loader *loader, struct value *merged, const struct value *source)
{
    for (size_t i = 0; i < value_count(source); i++) {
        const struct value_member *member = value_member_at(source, i);
        yaml_mark_t mark = {0, source->line - 1, source->column - 1};
        struct value *copy = NULL;

        if (value_find(merged, member->key))
            continue;
        if (copy_aliased(loader, member->value, &mark, &copy) < 0)
            return -1;
        value_set_take(merged, member->key, copy);
        merged->map.members[merged->map.count - 1].line = member->line;
        merged->map.members[merged->map.count - 1].column = member->column;
    }
    return 0;
}

static int read_merge(struct loader *loader, const yaml_mark_t *key_mark, struct value **merged)
{
    struct value *source = NULL;

    if (*merged)
        return fail_at(loader, key_mark, "duplicate merge key '<<'",
                       "Write one: '<<: [*first, *second]'.");
    *merged = value_new_map();
    if (next_event(loader) < 0 || read_value(loader, &source) < 0)
        return -1;
    value_append_take(loader->aside, source);
    if (value_is_map(source))
        return add_merged(loader, *merged, source);
    for (size_t i = 0; i < value_count(source); i++) {
        if (!value_is_map(value_at(source, i)))
            break;
        if (add_merged(loader, *merged, value_at(source, i)) < 0)
            return -1;
        if (i + 1 == value_count(source))
            return 0;
    }
    if (value_is_list(source) && !value_count(source))
        return 0;
    return fail_at(loader, key_mark, "'<<' needs a mapping or a list of mappings",
                   "Give it an alias such as '*defaults', or put << in quotes.");
}

static int read_key(struct loader *loader, struct strbuf *text)
{
    const yaml_mark_t mark = loader->event.start_mark;
    struct value *key = NULL;

    if (read_value(loader, &key) < 0)
        return -1;
    value_append_take(loader->aside, key);
    if (value_is_map(key) || value_is_list(key))
        return fail_at(loader, &mark, "a mapping or a list cannot be a key",
                       "Put a text that begins with [, { or ? in quotes.");
    strbuf_add_py_str(text, key);
    if (strlen(strbuf_text(text)) != text->length)
        return fail_at(loader, &mark, "a key must not contain a NUL character", NULL);
    return 0;
}

static int refuse_duplicate(struct loader *loader, const yaml_mark_t *mark,
                            const struct value_member *first)
{
    auto_free char *message = xasprintf("duplicate key '%s', first given on line %u, column %u",
                                        first->key, first->line, first->column);

    return fail_at(loader, mark, message, "Keep one of the two.");
}

static int read_member(struct loader *loader, struct value *map, struct value **merged)
{
    const yaml_mark_t mark = loader->event.start_mark;
    auto_strbuf struct strbuf key = STRBUF_INIT;
    const struct value_member *first;
    struct value_member *member;
    struct value *value = NULL;

    if (is_merge_key(&loader->event))
        return read_merge(loader, &mark, merged);
    if (read_key(loader, &key) < 0)
        return -1;
    first = value_find(map, strbuf_text(&key));
    if (first)
        return refuse_duplicate(loader, &mark, first);
    if (next_event(loader) < 0 || read_value(loader, &value) < 0)
        return -1;
    value_set_take(map, strbuf_text(&key), value);
    member = &map->map.members[map->map.count - 1];
    member->line = (unsigned)mark.line + 1;
    member->column = (unsigned)mark.column + 1;
    return 0;
}

static int read_map(struct loader *loader, struct value *map)
{
    auto_value struct value *merged = NULL;

    if (check_tag(loader, loader->event.data.mapping_start.tag, "map") < 0 ||
        enter(loader, &loader->event.start_mark) < 0 || next_event(loader) < 0)
        return -1;
    while (loader->event.type != YAML_MAPPING_END_EVENT)
        if (read_member(loader, map, &merged) < 0 || next_event(loader) < 0)
            return -1;
    leave(loader);
    return merged ? add_merged(loader, map, merged) : 0;
}

static int read_list(struct loader *loader, struct value *list)
{
    if (check_tag(loader, loader->event.data.sequence_start.tag, "seq") < 0 ||
        enter(loader, &loader->event.start_mark) < 0 || next_event(loader) < 0)
        return -1;
    while (loader->event.type != YAML_SEQUENCE_END_EVENT) {
        struct value *item = NULL;

        if (read_value(loader, &item) < 0)
            return -1;
        value_append_take(list, item);
        if (next_event(loader) < 0)
            return -1;
    }
    leave(loader);
    return 0;
}

static const yaml_char_t *event_anchor(const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return event->data.scalar.anchor;
    case YAML_SEQUENCE_START_EVENT:
        return event->data.sequence_start.anchor;
    case YAML_MAPPING_START_EVENT:
        return event->data.mapping_start.anchor;
    default:
        return NULL;
    }
}

static int read_collection(struct loader *loader, struct value **out)
{
    bool is_map = loader->event.type == YAML_MAPPING_START_EVENT;
    auto_value struct value *value = is_map ? value_new_map() : value_new_list();

    place(loader, value, &loader->event.start_mark);
    if ((is_map ? read_map(loader, value) : read_list(loader, value)) < 0)
        return -1;
    *out = take(value);
    return 0;
}

/* Reads the value that begins with the current event and ends on its last one. */
static int read_value(struct loader *loader, struct value **out)
{
    const yaml_char_t *anchor_name = event_anchor(&loader->event);
    size_t anchor = anchor_name ? add_anchor(loader, anchor_name) : 0;
    bool has_anchor = anchor_name != NULL;

    if (loader->event.type == YAML_ALIAS_EVENT)
        return read_alias(loader, out);
    if (loader->event.type == YAML_SCALAR_EVENT) {
        if (read_scalar(loader, out) < 0)
            return -1;
    } else if (read_collection(loader, out) < 0) {
        return -1;
    }
    if (has_anchor)
        loader->anchors[anchor].value = *out;
    return 0;
}

/* The document ----------------------------------------------------------------------------- */

static int read_document(struct loader *loader, struct value **out)
{
    auto_value struct value *value = NULL;
    const yaml_version_directive_t *version;

    if (next_event(loader) < 0 || next_event(loader) < 0)
        return -1;
    if (loader->event.type == YAML_STREAM_END_EVENT) {
        value = value_new_null();
        place(loader, value, &loader->event.start_mark);
        *out = take(value);
        return 0;
    }
    version = loader->event.data.document_start.version_directive;
    if (version && version->minor < 2)
        return fail_at(loader, &loader->event.start_mark, "YAML 1.1 is not supported",
                       "Remove the line '%YAML 1.1'.");
    if (next_event(loader) < 0 || read_value(loader, &value) < 0 || next_event(loader) < 0 ||
        next_event(loader) < 0)
        return -1;
    if (loader->event.type != YAML_STREAM_END_EVENT)
        return fail_at(loader, &loader->event.start_mark, "a second document begins here",
                       "Keep one document per file: remove the line '---' or '...'.");
    *out = take(value);
    return 0;
}

static bool is_allowed(unsigned code_point)
{
    return code_point == '\t' || code_point == '\n' || code_point == '\r' ||
           (code_point >= 0x20 && code_point < 0x7f) || code_point == 0x85 ||
           (code_point >= 0xa0 && code_point < 0xd800) ||
           (code_point >= 0xe000 && code_point != 0xfffe && code_point != 0xffff);
}

/* Before libyaml sees the text, because its messages about characters have no line. */
static int check_characters(struct loader *loader, const char *text, size_t length)
{
    yaml_mark_t mark = {0};
    unsigned code_point;

    for (size_t at = 0; at < length;) {
        size_t used = utf8_decode(text + at, length - at, &code_point);

        if (!used || (code_point >= 0xd800 && code_point < 0xe000))
            return fail_at(loader, &mark, "the text is not UTF-8", "Save the file as UTF-8.");
        if (!is_allowed(code_point)) {
            auto_free char *message =
                xasprintf("the character U+%04X is not allowed in YAML", code_point);

            return fail_at(loader, &mark, message,
                           "Remove it, or write it as an escape in double quotes.");
        }
        mark.column++;
        if (code_point == '\n') {
            mark.line++;
            mark.column = 0;
        }
        at += used;
    }
    return 0;
}

int value_from_yaml(const char *text, size_t length, const char *name, struct value **out,
                    struct error *err)
{
    struct loader loader = {.name = intern(name), .err = err, .aside = value_new_list()};
    int result;

    if (length >= 3 && !memcmp(text, "\xef\xbb\xbf", 3)) {
        text += 3;
        length -= 3;
    }
    if (!yaml_parser_initialize(&loader.parser))
        abort();
    yaml_parser_set_encoding(&loader.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&loader.parser, (const unsigned char *)text, length);
    result = check_characters(&loader, text, length);
    if (!result)
        result = read_document(&loader, out);
    yaml_event_delete(&loader.event);
    yaml_parser_delete(&loader.parser);
    value_free(loader.aside);
    for (size_t i = 0; i < loader.anchor_count; i++)
        free(loader.anchors[i].name);
    free(loader.anchors);
    return result;
}
