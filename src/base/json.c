#include "base/json.h"

#include "base/intern.h"
#include "base/memory.h"
#include "base/utf8.h"

#include <stdio.h>
#include <string.h>

const struct json_style json_compact = {.ascii = false};
const struct json_style json_python = {.spaced = true, .ascii = true};
const struct json_style json_indented = {.indent = 2, .spaced = true, .ascii = true};
const struct json_style json_indented_utf8 = {.indent = 2, .spaced = true};

struct parser {
    const char *at;
    const char *end;
    const char *line_start;
    unsigned line;
    const char *file;
    unsigned depth;
    struct error *err;
};

static int fail(struct parser *parser, const char *what)
{
    unsigned column = (unsigned)(parser->at - parser->line_start) + 1;

    if (parser->file)
        error_set(parser->err, ERR_CONFIG, "%s:%u:%u: invalid JSON: %s", parser->file, parser->line,
                  column, what);
    else
        error_set(parser->err, ERR_CONFIG, "invalid JSON at line %u, column %u: %s", parser->line,
                  column, what);
    return -1;
}

static void skip_blanks(struct parser *parser)
{
    for (; parser->at < parser->end; parser->at++) {
        if (*parser->at == '\n') {
            parser->line++;
            parser->line_start = parser->at + 1;
        } else if (*parser->at != ' ' && *parser->at != '\t' && *parser->at != '\r') {
            return;
        }
    }
}

static int parse_hex4(struct parser *parser, unsigned *out)
{
    unsigned code = 0;

    if (parser->end - parser->at < 4)
        return fail(parser, "a \\u escape needs four hexadecimal digits");
    for (int i = 0; i < 4; i++, parser->at++) {
        char c = *parser->at;

        if (c >= '0' && c <= '9')
            code = code << 4 | (unsigned)(c - '0');
        else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
            code = code << 4 | (unsigned)((c | 0x20) - 'a' + 10);
        else
            return fail(parser, "a \\u escape needs four hexadecimal digits");
    }
    *out = code;
    return 0;
}

static int parse_unicode_escape(struct parser *parser, struct strbuf *text)
{
    unsigned code, low;

    if (parse_hex4(parser, &code) < 0)
        return -1;
    if (code >= 0xd800 && code < 0xdc00 && parser->end - parser->at >= 6 && parser->at[0] == '\\' &&
        parser->at[1] == 'u') {
        const char *before = parser->at;

        parser->at += 2;
        if (parse_hex4(parser, &low) < 0)
            return -1;
        if (low >= 0xdc00 && low < 0xe000)
            code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
        else
            parser->at = before;
    }
    strbuf_add_utf8(text, code);
    return 0;
}

static int parse_escape(struct parser *parser, struct strbuf *text)
{
    static const char letters[] = "\"\\/bfnrt";
    static const char meanings[] = "\"\\/\b\f\n\r\t";
    const char *found;

    if (++parser->at == parser->end)
        return fail(parser, "the text ends inside a string");
    if (*parser->at == 'u') {
        parser->at++;
        return parse_unicode_escape(parser, text);
    }
    found = *parser->at ? strchr(letters, *parser->at) : NULL;
    if (!found)
        return fail(parser, "unknown escape in a string");
    strbuf_add_char(text, meanings[found - letters]);
    parser->at++;
    return 0;
}

/* Expects the opening quote at parser->at. */
static int parse_string(struct parser *parser, struct strbuf *text)
{
    parser->at++;
    while (parser->at < parser->end && *parser->at != '"') {
        const char *start = parser->at;
        unsigned code_point;

        if (*parser->at == '\\') {
            if (parse_escape(parser, text) < 0)
                return -1;
            continue;
        }
        if ((unsigned char)*parser->at < 0x20)
            return fail(parser, "a control character in a string must be escaped");
        while (parser->at < parser->end && *parser->at != '"' && *parser->at != '\\' &&
               (unsigned char)*parser->at >= 0x20) {
            size_t used = utf8_decode(parser->at, (size_t)(parser->end - parser->at), &code_point);

            if (!used)
                return fail(parser, "a string is not valid UTF-8");
            parser->at += used;
        }
        strbuf_add_bytes(text, start, (size_t)(parser->at - start));
    }
    if (parser->at == parser->end)
        return fail(parser, "the text ends inside a string");
    parser->at++;
    return 0;
}

static size_t count_digits(const struct parser *parser)
{
    size_t count = 0;

    while (parser->at + count < parser->end && parser->at[count] >= '0' && parser->at[count] <= '9')
        count++;
    return count;
}

static int parse_number(struct parser *parser, struct value **out)
{
    const char *start = parser->at;
    enum value_kind kind = VALUE_INT;
    auto_free char *text = NULL;
    size_t digits;

    if (*parser->at == '-')
        parser->at++;
    digits = count_digits(parser);
    if (!digits || (digits > 1 && *parser->at == '0'))
        return fail(parser, "a value was expected");
    parser->at += digits;
    if (parser->at < parser->end && *parser->at == '.') {
        kind = VALUE_REAL;
        parser->at++;
        if (!(digits = count_digits(parser)))
            return fail(parser, "digits were expected after the decimal point");
        parser->at += digits;
    }
    if (parser->at < parser->end && (*parser->at | 0x20) == 'e') {
        kind = VALUE_REAL;
        parser->at++;
        if (parser->at < parser->end && (*parser->at == '+' || *parser->at == '-'))
            parser->at++;
        if (!(digits = count_digits(parser)))
            return fail(parser, "digits were expected in the exponent");
        parser->at += digits;
    }
    text = xstrndup(start, (size_t)(parser->at - start));
    *out = value_new_number(kind, text);
    return 0;
}

static bool accept_word(struct parser *parser, const char *word)
{
    size_t length = strlen(word);

    if ((size_t)(parser->end - parser->at) < length || memcmp(parser->at, word, length) != 0)
        return false;
    parser->at += length;
    return true;
}

static int parse_value(struct parser *parser, struct value **out);

/* Moves past a comma; *more is false at the closing character. */
static int parse_separator(struct parser *parser, char closing, bool *more)
{
    skip_blanks(parser);
    if (parser->at < parser->end && *parser->at == closing) {
        parser->at++;
        *more = false;
        return 0;
    }
    if (parser->at == parser->end || *parser->at != ',')
        return fail(parser, closing == ']' ? "',' or ']' was expected" : "',' or '}' was expected");
    parser->at++;
    *more = true;
    return 0;
}

static int parse_list(struct parser *parser, struct value **out)
{
    auto_value struct value *list = value_new_list();
    bool more;

    parser->at++;
    skip_blanks(parser);
    more = parser->at == parser->end || *parser->at != ']';
    if (!more)
        parser->at++;
    while (more) {
        struct value *item;

        if (parse_value(parser, &item) < 0)
            return -1;
        value_append_take(list, item);
        if (parse_separator(parser, ']', &more) < 0)
            return -1;
    }
    *out = take(list);
    return 0;
}

static int parse_member(struct parser *parser, struct value *map)
{
    auto_strbuf struct strbuf key = STRBUF_INIT;
    struct value *value;

    skip_blanks(parser);
    if (parser->at == parser->end || *parser->at != '"')
        return fail(parser, "a key in double quotes was expected");
    if (parse_string(parser, &key) < 0)
        return -1;
    skip_blanks(parser);
    if (parser->at == parser->end || *parser->at != ':')
        return fail(parser, "':' was expected");
    parser->at++;
    if (parse_value(parser, &value) < 0)
        return -1;
    value_set_take(map, strbuf_text(&key), value);
    return 0;
}

static int parse_map(struct parser *parser, struct value **out)
{
    auto_value struct value *map = value_new_map();
    bool more;

    parser->at++;
    skip_blanks(parser);
    more = parser->at == parser->end || *parser->at != '}';
    if (!more)
        parser->at++;
    while (more)
        if (parse_member(parser, map) < 0 || parse_separator(parser, '}', &more) < 0)
            return -1;
    *out = take(map);
    return 0;
}

static int parse_scalar(struct parser *parser, struct value **out)
{
    auto_strbuf struct strbuf text = STRBUF_INIT;

    if (*parser->at == '"') {
        if (parse_string(parser, &text) < 0)
            return -1;
        *out = value_new_bytes(strbuf_text(&text), text.length);
        return 0;
    }
    if (accept_word(parser, "null"))
        *out = value_new_null();
    else if (accept_word(parser, "true"))
        *out = value_new_bool(true);
    else if (accept_word(parser, "false"))
        *out = value_new_bool(false);
    else if (accept_word(parser, "NaN"))
        *out = value_new_number(VALUE_REAL, "NaN");
    else if (accept_word(parser, "Infinity"))
        *out = value_new_number(VALUE_REAL, "Infinity");
    else if (accept_word(parser, "-Infinity"))
        *out = value_new_number(VALUE_REAL, "-Infinity");
    else
        return parse_number(parser, out);
    return 0;
}

static int parse_value(struct parser *parser, struct value **out)
{
    unsigned line, column;
    int result;

    skip_blanks(parser);
    if (parser->at == parser->end)
        return fail(parser, "a value was expected");
    if (parser->depth == JSON_MAX_DEPTH)
        return fail(parser, "nested too deeply");
    line = parser->line;
    column = (unsigned)(parser->at - parser->line_start) + 1;
    parser->depth++;
    if (*parser->at == '{')
        result = parse_map(parser, out);
    else if (*parser->at == '[')
        result = parse_list(parser, out);
    else
        result = parse_scalar(parser, out);
    parser->depth--;
    if (!result) {
        (*out)->file = parser->file;
        (*out)->line = line;
        (*out)->column = column;
    }
    return result;
}

int json_parse(const char *text, size_t length, const char *name, struct value **out,
               struct error *err)
{
    struct parser parser = {
        .at = text,
        .end = text + length,
        .line_start = text,
        .line = 1,
        .file = intern(name),
        .err = err,
    };
    auto_value struct value *value = NULL;

    if (parse_value(&parser, &value) < 0)
        return -1;
    skip_blanks(&parser);
    if (parser.at != parser.end)
        return fail(&parser, "there is more text after the value");
    *out = take(value);
    return 0;
}

static void add_escape(struct strbuf *out, unsigned unit)
{
    strbuf_addf(out, "\\u%04x", unit);
}

static void add_code_point(struct strbuf *out, unsigned code_point, bool ascii)
{
    if (code_point >= 0xd800 && code_point < 0xe000) {
        add_escape(out, code_point);
    } else if (!ascii) {
        strbuf_add_utf8(out, code_point);
    } else if (code_point < 0x10000) {
        add_escape(out, code_point);
    } else {
        add_escape(out, 0xd800 + ((code_point - 0x10000) >> 10));
        add_escape(out, 0xdc00 + ((code_point - 0x10000) & 0x3ff));
    }
}

static bool is_plain(unsigned char c)
{
    return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

void strbuf_add_json_string(struct strbuf *out, const char *bytes, size_t length, bool ascii)
{
    static const char special[] = "\"\\\b\f\n\r\t";
    static const char letters[] = "\"\\bfnrt";
    const char *end = bytes + length;

    strbuf_add_char(out, '"');
    while (bytes < end) {
        const char *start = bytes;
        const char *found;
        unsigned code_point;
        size_t used;

        while (bytes < end && is_plain((unsigned char)*bytes))
            bytes++;
        strbuf_add_bytes(out, start, (size_t)(bytes - start));
        if (bytes == end)
            break;
        found = *bytes ? strchr(special, *bytes) : NULL;
        used = utf8_decode(bytes, (size_t)(end - bytes), &code_point);
        if (found) {
            strbuf_add_char(out, '\\');
            strbuf_add_char(out, letters[found - special]);
        } else if (!used) {
            /* A byte that is no UTF-8 becomes the replacement character: JSON must stay valid. */
            add_code_point(out, 0xfffd, ascii);
            used = 1;
        } else if (code_point < 0x20 || (code_point == 0x7f && ascii)) {
            add_escape(out, code_point);
        } else {
            add_code_point(out, code_point, ascii);
        }
        bytes += used;
    }
    strbuf_add_char(out, '"');
}

struct copier {
    struct parser parser;
    const struct json_style *style;
    struct strbuf *out;
};

static int copy_value(struct copier *copier);

/* Most strings need no change at all. */
static int copy_string(struct copier *copier)
{
    struct parser *parser = &copier->parser;
    auto_strbuf struct strbuf text = STRBUF_INIT;
    const char *end = parser->at + 1;

    while (end < parser->end && is_plain((unsigned char)*end))
        end++;
    if (end < parser->end && *end == '"') {
        end++;
        strbuf_add_bytes(copier->out, parser->at, (size_t)(end - parser->at));
        parser->at = end;
        return 0;
    }
    if (parse_string(parser, &text) < 0)
        return -1;
    strbuf_add_json_string(copier->out, strbuf_text(&text), text.length, copier->style->ascii);
    return 0;
}

static int copy_key(struct copier *copier)
{
    struct parser *parser = &copier->parser;

    skip_blanks(parser);
    if (parser->at == parser->end || *parser->at != '"')
        return fail(parser, "a key in double quotes was expected");
    if (copy_string(copier) < 0)
        return -1;
    skip_blanks(parser);
    if (parser->at == parser->end || *parser->at != ':')
        return fail(parser, "':' was expected");
    parser->at++;
    strbuf_add_bytes(copier->out, ": ", copier->style->spaced ? 2 : 1);
    return 0;
}

static int copy_items(struct copier *copier, char closing)
{
    struct parser *parser = &copier->parser;
    bool more;

    strbuf_add_char(copier->out, *parser->at++);
    skip_blanks(parser);
    more = parser->at == parser->end || *parser->at != closing;
    if (!more)
        parser->at++;
    while (more) {
        if ((closing == '}' && copy_key(copier) < 0) || copy_value(copier) < 0 ||
            parse_separator(parser, closing, &more) < 0)
            return -1;
        if (more)
            strbuf_add_bytes(copier->out, ", ", copier->style->spaced ? 2 : 1);
    }
    strbuf_add_char(copier->out, closing);
    return 0;
}

static int copy_scalar(struct copier *copier)
{
    const char *start = copier->parser.at;
    auto_value struct value *value = NULL;

    if (*start == '"')
        return copy_string(copier);
    if (parse_scalar(&copier->parser, &value) < 0)
        return -1;
    strbuf_add_bytes(copier->out, start, (size_t)(copier->parser.at - start));
    return 0;
}

static int copy_value(struct copier *copier)
{
    struct parser *parser = &copier->parser;
    int result;

    skip_blanks(parser);
    if (parser->at == parser->end)
        return fail(parser, "a value was expected");
    if (parser->depth == JSON_MAX_DEPTH)
        return fail(parser, "nested too deeply");
    parser->depth++;
    if (*parser->at == '{')
        result = copy_items(copier, '}');
    else if (*parser->at == '[')
        result = copy_items(copier, ']');
    else
        result = copy_scalar(copier);
    parser->depth--;
    return result;
}

/* As a member, one level down. */
static int copy_document(const char *text, size_t length, const struct json_style *style,
                         struct strbuf *out, struct error *err)
{
    struct copier copier = {
        .parser = {.at = text,
                   .end = text + length,
                   .line_start = text,
                   .line = 1,
                   .depth = 1,
                   .err = err},
        .style = style,
        .out = out,
    };

    strbuf_reserve(out, length + length / 8);
    if (copy_value(&copier) < 0)
        return -1;
    skip_blanks(&copier.parser);
    if (copier.parser.at != copier.parser.end)
        return fail(&copier.parser, "there is more text after the value");
    return 0;
}

int json_copy_as_member(const char *key, const char *text, size_t length,
                        const struct json_style *style, struct strbuf *out, struct error *err)
{
    size_t before = out->length;

    strbuf_add_char(out, '{');
    strbuf_add_json_string(out, key, strlen(key), style->ascii);
    strbuf_add(out, style->spaced ? ": " : ":");
    if (!copy_document(text, length, style, out, err)) {
        strbuf_add_char(out, '}');
        return 0;
    }
    strbuf_truncate(out, before);
    return -1;
}

static void add_line_break(struct strbuf *out, const struct json_style *style, int level)
{
    if (!style->indent)
        return;
    strbuf_add_char(out, '\n');
    strbuf_add_repeat(out, ' ', (size_t)(style->indent * level));
}

static void write_value(struct strbuf *out, const struct value *value,
                        const struct json_style *style, int level);

static void write_separator(struct strbuf *out, const struct json_style *style, bool first)
{
    if (!first)
        strbuf_add(out, style->spaced && !style->indent ? ", " : ",");
}

static void write_container(struct strbuf *out, const struct value *value,
                            const struct json_style *style, int level)
{
    bool is_map = value_is_map(value);
    size_t count = value_count(value);

    strbuf_add_char(out, is_map ? '{' : '[');
    for (size_t i = 0; i < count; i++) {
        write_separator(out, style, i == 0);
        add_line_break(out, style, level + 1);
        if (is_map) {
            const struct value_member *member = value_member_at(value, i);

            strbuf_add_json_string(out, member->key, strlen(member->key), style->ascii);
            strbuf_add(out, style->spaced ? ": " : ":");
            write_value(out, member->value, style, level + 1);
        } else {
            write_value(out, value_at(value, i), style, level + 1);
        }
    }
    if (count)
        add_line_break(out, style, level);
    strbuf_add_char(out, is_map ? '}' : ']');
}

static void write_value(struct strbuf *out, const struct value *value,
                        const struct json_style *style, int level)
{
    switch (value_kind(value)) {
    case VALUE_NULL:
        strbuf_add(out, "null");
        break;
    case VALUE_BOOL:
        strbuf_add(out, value->boolean ? "true" : "false");
        break;
    case VALUE_INT:
    case VALUE_REAL:
        strbuf_add_bytes(out, value->text.bytes, value->text.length);
        break;
    case VALUE_STRING:
    case VALUE_DATE:
        strbuf_add_json_string(out, value->text.bytes, value->text.length, style->ascii);
        break;
    case VALUE_LIST:
    case VALUE_MAP:
        write_container(out, value, style, level);
        break;
    }
}

void json_write(struct strbuf *out, const struct value *value, const struct json_style *style)
{
    write_value(out, value, style, 0);
    if (style->final_newline)
        strbuf_add_char(out, '\n');
}

char *json_to_text(const struct value *value, const struct json_style *style)
{
    struct strbuf out = STRBUF_INIT;

    json_write(&out, value, style);
    return strbuf_take(&out);
}
