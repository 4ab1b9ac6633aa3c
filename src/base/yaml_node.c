#include "base/yaml_node.h"

#include "base/memory.h"
#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

struct reader {
    yaml_parser_t parser;
    yaml_event_t event;
    const char *text;
    size_t length;
    /* libyaml counts characters; these are the last one asked for and its byte. */
    size_t character, byte;
    struct error *err;
};

static int read_node(struct reader *reader, struct text_node **out);

static int next_event(struct reader *reader)
{
    yaml_event_delete(&reader->event);
    if (yaml_parser_parse(&reader->parser, &reader->event))
        return 0;
    return error_set(reader->err, ERR_CONFIG, "line %zu: %s", reader->parser.problem_mark.line + 1,
                     reader->parser.problem);
}

/* Positions mostly come in rising order, but the end of a node precedes its successor's start. */
static size_t byte_of(struct reader *reader, const yaml_mark_t *mark)
{
    if (mark->index < reader->character)
        reader->character = reader->byte = 0;
    while (reader->character < mark->index && reader->byte < reader->length) {
        unsigned code_point;
        size_t used =
            utf8_decode(reader->text + reader->byte, reader->length - reader->byte, &code_point);

        reader->byte += used ? used : 1;
        reader->character++;
    }
    return reader->byte;
}

static struct text_node *new_node(struct reader *reader, enum text_node_kind kind)
{
    struct text_node *node = xcalloc(1, sizeof *node);

    node->kind = kind;
    node->start = byte_of(reader, &reader->event.start_mark);
    node->end = byte_of(reader, &reader->event.end_mark);
    return node;
}

void text_node_free(struct text_node *node)
{
    if (!node)
        return;
    for (size_t i = 0; i < node->count; i++)
        text_node_free(node->items[i]);
    free(node->items);
    free(node);
}

static char quote_of(yaml_scalar_style_t style)
{
    switch (style) {
    case YAML_SINGLE_QUOTED_SCALAR_STYLE:
        return '\'';
    case YAML_DOUBLE_QUOTED_SCALAR_STYLE:
        return '"';
    case YAML_LITERAL_SCALAR_STYLE:
        return '|';
    case YAML_FOLDED_SCALAR_STYLE:
        return '>';
    default:
        return '\0';
    }
}

static struct text_node *read_scalar(struct reader *reader)
{
    struct text_node *node = new_node(reader, NODE_SCALAR);

    node->quote = quote_of(reader->event.data.scalar.style);
    node->is_merge_key = reader->event.data.scalar.plain_implicit && !node->quote &&
                         !strcmp((const char *)reader->event.data.scalar.value, "<<");
    /* libyaml ends a block scalar where the next line begins, or after blank lines. */
    while ((node->quote == '|' || node->quote == '>') && node->end > node->start &&
           strchr(" \t\r\n", reader->text[node->end - 1]))
        node->end--;
    return node;
}

static int read_items(struct reader *reader, struct text_node *node, yaml_event_type_t last)
{
    if (next_event(reader) < 0)
        return -1;
    while (reader->event.type != last) {
        struct text_node *item = NULL;

        if (read_node(reader, &item) < 0)
            return -1;
        GROW(node->items, node->count, node->capacity);
        node->items[node->count++] = item;
        if (next_event(reader) < 0)
            return -1;
    }
    /* A block collection has no end of its own in the text. */
    if (node->is_flow)
        node->end = byte_of(reader, &reader->event.end_mark);
    else if (node->count)
        node->end = node->items[node->count - 1]->end;
    return 0;
}

static int read_collection(struct reader *reader, struct text_node **out)
{
    bool is_map = reader->event.type == YAML_MAPPING_START_EVENT;
    auto_text_node struct text_node *node = new_node(reader, is_map ? NODE_MAP : NODE_LIST);

    node->is_flow = is_map ? reader->event.data.mapping_start.style == YAML_FLOW_MAPPING_STYLE
                           : reader->event.data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE;
    if (read_items(reader, node, is_map ? YAML_MAPPING_END_EVENT : YAML_SEQUENCE_END_EVENT) < 0)
        return -1;
    *out = take(node);
    return 0;
}

static int read_node(struct reader *reader, struct text_node **out)
{
    if (reader->event.type == YAML_SCALAR_EVENT)
        *out = read_scalar(reader);
    else if (reader->event.type == YAML_ALIAS_EVENT)
        *out = new_node(reader, NODE_ALIAS);
    else
        return read_collection(reader, out);
    return 0;
}

static int read_document(struct reader *reader, struct text_node **out)
{
    *out = NULL;
    /* The stream, the document, its value. */
    if (next_event(reader) < 0 || next_event(reader) < 0)
        return -1;
    if (reader->event.type == YAML_STREAM_END_EVENT)
        return 0;
    return next_event(reader) < 0 ? -1 : read_node(reader, out);
}

int text_node_parse(const char *text, size_t length, struct text_node **out, struct error *err)
{
    struct reader reader = {.text = text, .length = length, .err = err};
    int result;

    if (!yaml_parser_initialize(&reader.parser))
        abort();
    yaml_parser_set_encoding(&reader.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&reader.parser, (const unsigned char *)text, length);
    result = read_document(&reader, out);
    yaml_event_delete(&reader.event);
    yaml_parser_delete(&reader.parser);
    return result;
}
