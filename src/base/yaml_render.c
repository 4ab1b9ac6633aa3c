#include "base/yaml_render.h"

#include "base/utf8.h"
#include "base/yaml_scalar.h"

#include <string.h>
#include <strings.h>

/* Scalars ---------------------------------------------------------------------------------- */

/* YAML 1.1, which other programs still read, takes these for booleans and numbers. */
static bool looks_like_yaml_1_1(const char *text)
{
    static const char *const words[] = {"yes", "no", "on", "off", "=", "<<"};

    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (!strcasecmp(text, words[i]))
            return true;
    return strchr(text, ':') && !text[strspn(text, "+-0123456789_:.")];
}

static bool needs_escapes(const char *text, size_t length)
{
    for (size_t at = 0; at < length;) {
        unsigned code_point;
        size_t used = utf8_decode(text + at, length - at, &code_point);

        if (!used || !utf8_is_printable(code_point))
            return true;
        at += used;
    }
    return false;
}

/* Whether a printable text can stand without quotes, inside [] and {} as well. */
static bool is_plain(const char *text, size_t length)
{
    if (value_kind_of_yaml_scalar(text, length) != VALUE_STRING || looks_like_yaml_1_1(text))
        return false;
    if (strchr("?:,[]{}#&*!|>'\"%@` ", *text) || text[length - 1] == ' ' || text[length - 1] == ':')
        return false;
    /* A dash alone, or one that could begin a list or a document. */
    if (*text == '-' && (length == 1 || text[1] == ' ' || !strncmp(text, "---", 3)))
        return false;
    return !strstr(text, ": ") && !strstr(text, " #") && !strpbrk(text, ",[]{}") &&
           strncmp(text, "...", 3) != 0;
}

static void add_single_quoted(struct strbuf *out, const char *text)
{
    strbuf_add_char(out, '\'');
    for (; *text; text++) {
        if (*text == '\'')
            strbuf_add_char(out, '\'');
        strbuf_add_char(out, *text);
    }
    strbuf_add_char(out, '\'');
}

static void add_escape(struct strbuf *out, unsigned code_point)
{
    static const struct {
        unsigned code_point;
        const char *escape;
    } short_ones[] = {{0, "\\0"},    {'\t', "\\t"}, {'\n', "\\n"},
                      {'\r', "\\r"}, {'"', "\\\""}, {'\\', "\\\\"}};

    for (size_t i = 0; i < ARRAY_LEN(short_ones); i++)
        if (short_ones[i].code_point == code_point) {
            strbuf_add(out, short_ones[i].escape);
            return;
        }
    if (utf8_is_printable(code_point))
        strbuf_add_utf8(out, code_point);
    else if (code_point < 0x100)
        strbuf_addf(out, "\\x%02X", code_point);
    else
        strbuf_addf(out, code_point < 0x10000 ? "\\u%04X" : "\\U%08X", code_point);
}

static void add_double_quoted(struct strbuf *out, const char *text, size_t length)
{
    strbuf_add_char(out, '"');
    for (size_t at = 0; at < length;) {
        unsigned code_point;
        size_t used = utf8_decode(text + at, length - at, &code_point);

        /* A byte that is no UTF-8 cannot be written; the reader of the result will notice. */
        add_escape(out, used ? code_point : 0xfffd);
        at += used ? used : 1;
    }
    strbuf_add_char(out, '"');
}

static void add_text(struct strbuf *out, const char *text, size_t length, char quote)
{
    if (quote == '"' || strlen(text) != length || needs_escapes(text, length))
        add_double_quoted(out, text, length);
    else if (quote == '\'' || !is_plain(text, length))
        add_single_quoted(out, text);
    else
        strbuf_add(out, text);
}

/* With a 'T' or an offset a time would lose its fraction and its zone again (base/yaml_scalar.c).
 */
static void add_date(struct strbuf *out, const char *text)
{
    const char *zone = strchr(text, '+');

    if (!zone && !strchr(text, '.')) {
        strbuf_add(out, text);
        return;
    }
    for (; *text && text != zone; text++)
        strbuf_add_char(out, *text == 'T' ? ' ' : *text);
    if (zone)
        strbuf_add_char(out, 'Z');
}

static void add_scalar(struct strbuf *out, const struct value *value, char quote)
{
    const char *text = value_text(value);

    switch (value_kind(value)) {
    case VALUE_NULL:
        strbuf_add(out, "null");
        break;
    case VALUE_BOOL:
        strbuf_add(out, value->boolean ? "true" : "false");
        break;
    case VALUE_REAL:
        if (strpbrk(text, "0123456789"))
            strbuf_add(out, text);
        else
            strbuf_add(out, strchr(text, 'a') ? ".nan" : *text == '-' ? "-.inf" : ".inf");
        break;
    case VALUE_STRING:
        add_text(out, text, value->text.length, quote);
        break;
    case VALUE_DATE:
        add_date(out, text);
        break;
    default:
        strbuf_add(out, text);
    }
}

void strbuf_add_yaml_key(struct strbuf *out, const char *key)
{
    add_text(out, key, strlen(key), '\0');
    strbuf_add_char(out, ':');
}

/* Collections ------------------------------------------------------------------------------ */

void strbuf_add_yaml_inline(struct strbuf *out, const struct value *value, char quote)
{
    bool is_map = value_is_map(value);

    if (!is_map && !value_is_list(value)) {
        add_scalar(out, value, quote);
        return;
    }
    strbuf_add_char(out, is_map ? '{' : '[');
    for (size_t i = 0; i < value_count(value); i++) {
        const struct value_member *member = value_member_at(value, i);

        if (i)
            strbuf_add(out, ", ");
        if (member) {
            strbuf_add_yaml_key(out, member->key);
            strbuf_add_char(out, ' ');
        }
        strbuf_add_yaml_inline(out, member ? member->value : value_at(value, i), '\0');
    }
    strbuf_add_char(out, is_map ? '}' : ']');
}

static void begin_line(struct strbuf *out, size_t column, const struct block_style *style)
{
    strbuf_add(out, style->newline);
    strbuf_add_repeat(out, ' ', column);
}

void strbuf_add_yaml_block(struct strbuf *out, const struct value *value, size_t column,
                           const struct block_style *style)
{
    if (!value_count(value)) {
        strbuf_add_yaml_inline(out, value, '\0');
        return;
    }
    for (size_t i = 0; i < value_count(value); i++) {
        const struct value_member *member = value_member_at(value, i);

        if (i)
            begin_line(out, column, style);
        if (member) {
            strbuf_add_yaml_key(out, member->key);
            strbuf_add_yaml_after_key(out, member->value, column, style);
        } else {
            strbuf_add(out, "- ");
            strbuf_add_yaml_block(out, value_at(value, i), column + 2, style);
        }
    }
}

void strbuf_add_yaml_after_key(struct strbuf *out, const struct value *value, size_t key_column,
                               const struct block_style *style)
{
    size_t column = key_column + (value_is_map(value) ? style->map_indent : style->list_indent);

    if (!value_count(value)) {
        strbuf_add_char(out, ' ');
        strbuf_add_yaml_inline(out, value, '\0');
        return;
    }
    begin_line(out, column, style);
    strbuf_add_yaml_block(out, value, column, style);
}
