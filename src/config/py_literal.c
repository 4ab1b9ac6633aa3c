#include "config/py_literal.h"

#include "base/memory.h"
#include "base/strbuf.h"
#include "base/yaml_scalar.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Python's own parser gives up at about this depth. */
#define MAX_DEPTH 90

struct parser {
    const char *at, *end;
    int depth; /* of brackets: inside them line ends are blanks */
};

static struct value *parse_value(struct parser *parser);

/* The byte at the parser, 0 at the end; a NUL in the text ends it too, as no literal holds one. */
static char peek(const struct parser *parser)
{
    return parser->at < parser->end ? *parser->at : '\0';
}

static void skip_blanks(struct parser *parser)
{
    for (;; parser->at++) {
        char c = peek(parser);

        if (c != ' ' && c != '\t' && c != '\f' && !(parser->depth && (c == '\n' || c == '\r')))
            return;
    }
}

static void skip_lines(struct parser *parser)
{
    while (peek(parser) && strchr(" \t\f\r\n", peek(parser)))
        parser->at++;
}

static bool accept(struct parser *parser, char c)
{
    skip_blanks(parser);
    if (peek(parser) != c)
        return false;
    parser->at++;
    return true;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_word_byte(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           (unsigned char)c >= 0x80;
}

/* Reads exactly count digits of the base; false when there are fewer. */
static bool read_code(struct parser *parser, int count, unsigned *code)
{
    *code = 0;
    for (; count > 0; count--, parser->at++) {
        char c = peek(parser);

        if (is_digit(c))
            *code = *code << 4 | (unsigned)(c - '0');
        else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
            *code = *code << 4 | (unsigned)((c | 0x20) - 'a' + 10);
        else
            return false;
    }
    return true;
}

static unsigned read_octal(struct parser *parser)
{
    unsigned code = 0;

    for (int i = 0; i < 3 && peek(parser) >= '0' && peek(parser) <= '7'; i++)
        code = code << 3 | (unsigned)(*parser->at++ - '0');
    return code;
}

static bool add_escape(struct parser *parser, struct strbuf *text)
{
    static const char names[] = "\\'\"abfnrtv";
    static const char bytes[] = "\\'\"\a\b\f\n\r\t\v";
    char c = peek(parser);
    const char *found = c ? strchr(names, c) : NULL;
    unsigned code;

    if (c >= '0' && c <= '7') {
        strbuf_add_utf8(text, read_octal(parser));
        return true;
    }
    parser->at++;
    if (found) {
        strbuf_add_char(text, bytes[found - names]);
        return true;
    }
    switch (c) {
    case '\0':
        return false;
    case '\n':
        return true;
    case 'x':
    case 'u':
    case 'U':
        if (!read_code(parser, c == 'x' ? 2 : c == 'u' ? 4 : 8, &code) || code > 0x10ffff)
            return false;
        strbuf_add_utf8(text, code);
        return true;
    case 'N':
        return false;
    default:
        strbuf_addf(text, "\\%c", c);
        return true;
    }
}

static bool is_triple_quote(const struct parser *parser, char quote)
{
    return parser->end - parser->at >= 3 && parser->at[0] == quote && parser->at[1] == quote &&
           parser->at[2] == quote;
}

/* One string literal behind its prefix; the parser is at the opening quote. */
static bool add_string(struct parser *parser, bool is_raw, struct strbuf *text)
{
    char quote = peek(parser);
    bool is_triple = is_triple_quote(parser, quote);

    parser->at += is_triple ? 3 : 1;
    for (;;) {
        char c = peek(parser);

        if (!c || (c == '\n' && !is_triple))
            return false;
        if (c == quote && (!is_triple || is_triple_quote(parser, quote))) {
            parser->at += is_triple ? 3 : 1;
            return true;
        }
        parser->at++;
        if (c != '\\') {
            strbuf_add_char(text, c);
        } else if (is_raw) {
            strbuf_add_char(text, c);
            if (!peek(parser))
                return false;
            strbuf_add_char(text, *parser->at++);
        } else if (!add_escape(parser, text)) {
            return false;
        }
    }
}

/* Passes over a prefix such as r or u; false when what follows is no text. */
static bool skip_prefix(struct parser *parser, bool *is_raw)
{
    char c = (char)(peek(parser) | 0x20);
    const char *behind = parser->at + 1;

    *is_raw = false;
    if (peek(parser) == '\'' || peek(parser) == '"')
        return true;
    if ((c != 'r' && c != 'u') || behind >= parser->end || (*behind != '\'' && *behind != '"'))
        return false;
    *is_raw = c == 'r';
    parser->at++;
    return true;
}

/* String literals side by side are one. */
static struct value *parse_strings(struct parser *parser)
{
    auto_strbuf struct strbuf text = STRBUF_INIT;
    bool is_raw;

    while (skip_prefix(parser, &is_raw)) {
        if (!add_string(parser, is_raw, &text))
            return NULL;
        skip_blanks(parser);
    }
    return value_new_bytes(strbuf_text(&text), text.length);
}

/* Underscores may stand between digits only, and decimal integers must not begin with 0. */
static bool is_proper_number(const char *text)
{
    size_t length = strlen(text);

    for (size_t i = 0; i < length; i++)
        if (text[i] == '_' && (i == 0 || text[i - 1] == '_' || !is_word_byte(text[i + 1]) ||
                               !is_word_byte(text[i - 1])))
            return false;
    if (text[strspn(text, "0123456789_")] == '\0')
        return *text != '0' || text[strspn(text, "0_")] == '\0';
    return true;
}

/* Numbers of all bases have the notation of YAML 1.2 here. */
static struct value *parse_number(struct parser *parser, bool is_negative)
{
    auto_strbuf struct strbuf text = STRBUF_INIT;
    auto_free char *lower = NULL;
    const char *problem, *tag;
    bool is_hex;

    for (; is_word_byte(peek(parser)) || peek(parser) == '.' ||
           (strchr("+-", peek(parser)) && peek(parser) && text.length > 1 &&
            (text.text[text.length - 1] | 0x20) == 'e' && is_digit(text.text[0]));
         parser->at++)
        strbuf_add_char(&text, peek(parser));
    lower = strbuf_take(&text);
    for (char *c = lower; *c; c++)
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c - 'A' + 'a');
    if (!is_proper_number(lower))
        return NULL;
    is_hex = lower[0] == '0' && lower[1] == 'x';
    tag = !is_hex && strpbrk(lower, ".e") ? "tag:yaml.org,2002:float" : "tag:yaml.org,2002:int";
    strbuf_addf(&text, "%s%s", is_negative ? "-" : "", lower);
    return value_from_yaml_scalar(strbuf_text(&text), text.length, tag, &problem);
}

static struct value *parse_word(struct parser *parser)
{
    size_t length = 0;

    while (parser->at + length < parser->end && is_word_byte(parser->at[length]))
        length++;
    parser->at += length;
    if (length == 4 && !memcmp(parser->at - 4, "None", 4))
        return value_new_null();
    if (length == 4 && !memcmp(parser->at - 4, "True", 4))
        return value_new_bool(true);
    if (length == 5 && !memcmp(parser->at - 5, "False", 5))
        return value_new_bool(false);
    return NULL;
}

/* Items up to the closing bracket; *has_comma tells a tuple from a value in parentheses. */
static struct value *parse_items(struct parser *parser, char closing, bool *has_comma)
{
    auto_value struct value *list = value_new_list();

    *has_comma = false;
    for (;;) {
        struct value *item;

        if (accept(parser, closing))
            return take(list);
        item = parse_value(parser);
        if (!item)
            return NULL;
        value_append_take(list, item);
        if (!accept(parser, ','))
            return accept(parser, closing) ? take(list) : NULL;
        *has_comma = true;
    }
}

static struct value *parse_parentheses(struct parser *parser)
{
    bool has_comma;
    auto_value struct value *list = parse_items(parser, ')', &has_comma);

    if (!list || has_comma || value_count(list) != 1)
        return take(list);
    return value_copy(value_at(list, 0));
}

/* What json.dumps() makes of a key; NULL for a key it refuses. */
static char *key_text(const struct value *key)
{
    switch (value_kind(key)) {
    case VALUE_STRING:
    case VALUE_INT:
    case VALUE_REAL:
        return xstrdup(value_text(key));
    case VALUE_BOOL:
        return xstrdup(key->boolean ? "true" : "false");
    case VALUE_NULL:
        return xstrdup("null");
    default:
        return NULL;
    }
}

static bool parse_member(struct parser *parser, struct value *map)
{
    auto_value struct value *key = parse_value(parser);
    auto_free char *text = key ? key_text(key) : NULL;
    struct value *item = text && accept(parser, ':') ? parse_value(parser) : NULL;

    if (item)
        value_set_take(map, text, item);
    return item != NULL;
}

static struct value *parse_mapping(struct parser *parser)
{
    auto_value struct value *map = value_new_map();

    for (;;) {
        if (accept(parser, '}'))
            return take(map);
        if (!parse_member(parser, map))
            return NULL;
        if (!accept(parser, ','))
            return accept(parser, '}') ? take(map) : NULL;
    }
}

static struct value *parse_bracketed(struct parser *parser)
{
    struct value *value;
    bool has_comma;

    if (parser->depth == MAX_DEPTH)
        return NULL;
    parser->depth++;
    switch (*parser->at++) {
    case '[':
        value = parse_items(parser, ']', &has_comma);
        break;
    case '(':
        value = parse_parentheses(parser);
        break;
    default:
        value = parse_mapping(parser);
    }
    parser->depth--;
    return value;
}

static struct value *parse_value(struct parser *parser)
{
    char c;
    bool is_raw;
    struct parser ahead;

    skip_blanks(parser);
    c = peek(parser);
    ahead = *parser;
    if (skip_prefix(&ahead, &is_raw))
        return parse_strings(parser);
    if (c == '[' || c == '(' || c == '{')
        return parse_bracketed(parser);
    if (c == '-' || c == '+') {
        parser->at++;
        skip_blanks(parser);
        if (!is_digit(peek(parser)) && peek(parser) != '.')
            return NULL;
        return parse_number(parser, c == '-');
    }
    if (is_digit(c) || c == '.')
        return parse_number(parser, false);
    return parse_word(parser);
}

struct value *py_literal_parse(const char *text, size_t length)
{
    struct parser parser = {.at = text, .end = text + length};
    auto_value struct value *value = NULL, *tuple = NULL;

    skip_lines(&parser);
    value = parse_value(&parser);
    /* Without brackets, a comma makes a tuple. */
    while (value && accept(&parser, ',')) {
        if (!tuple)
            tuple = value_new_list();
        value_append_take(tuple, take(value));
        skip_blanks(&parser);
        if (!peek(&parser) || peek(&parser) == '\n')
            break;
        value = parse_value(&parser);
        if (!value)
            return NULL;
    }
    if (tuple && value)
        value_append_take(tuple, take(value));
    skip_lines(&parser);
    if (parser.at != parser.end)
        return NULL;
    return tuple ? take(tuple) : take(value);
}
