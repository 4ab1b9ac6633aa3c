#include "base/strbuf.h"

#include "base/memory.h"
#include "base/utf8.h"

#include <stdio.h>
#include <string.h>

void strbuf_clear(struct strbuf *buf)
{
    free(buf->text);
    *buf = (struct strbuf)STRBUF_INIT;
}

const char *strbuf_text(const struct strbuf *buf)
{
    return buf->text ? buf->text : "";
}

char *strbuf_take(struct strbuf *buf)
{
    char *text = buf->text ? buf->text : xstrdup("");

    *buf = (struct strbuf)STRBUF_INIT;
    return text;
}

void strbuf_reset(struct strbuf *buf)
{
    strbuf_truncate(buf, 0);
}

void strbuf_reserve(struct strbuf *buf, size_t extra)
{
    size_t needed = buf->length + extra + 1;

    if (needed <= buf->capacity)
        return;
    if (needed < buf->capacity * 2)
        needed = buf->capacity * 2;
    if (needed < 64)
        needed = 64;
    buf->text = xrealloc(buf->text, needed);
    buf->capacity = needed;
}

void strbuf_truncate(struct strbuf *buf, size_t length)
{
    if (length < buf->length)
        buf->length = length;
    if (buf->text)
        buf->text[buf->length] = '\0';
}

void strbuf_add_bytes(struct strbuf *buf, const void *bytes, size_t size)
{
    strbuf_reserve(buf, size);
    if (size)
        memcpy(buf->text + buf->length, bytes, size);
    buf->length += size;
    buf->text[buf->length] = '\0';
}

void strbuf_add(struct strbuf *buf, const char *text)
{
    strbuf_add_bytes(buf, text, strlen(text));
}

void strbuf_add_char(struct strbuf *buf, char c)
{
    strbuf_reserve(buf, 1);
    buf->text[buf->length++] = c;
    buf->text[buf->length] = '\0';
}

void strbuf_add_repeat(struct strbuf *buf, char c, size_t times)
{
    strbuf_reserve(buf, times);
    memset(buf->text + buf->length, c, times);
    buf->length += times;
    buf->text[buf->length] = '\0';
}

void strbuf_vaddf(struct strbuf *buf, const char *format, va_list args)
{
    auto_free char *text = xvasprintf(format, args);

    strbuf_add(buf, text);
}

void strbuf_addf(struct strbuf *buf, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    strbuf_vaddf(buf, format, args);
    va_end(args);
}

void strbuf_blank_nuls(struct strbuf *buf)
{
    for (size_t i = 0; i < buf->length; i++)
        if (!buf->text[i])
            buf->text[i] = ' ';
}

void strbuf_add_utf8(struct strbuf *buf, unsigned code_point)
{
    char bytes[4];
    size_t size = utf8_encode(code_point, bytes);

    strbuf_add_bytes(buf, bytes, size);
}

bool strbuf_ends_with(const struct strbuf *buf, const char *suffix)
{
    size_t length = strlen(suffix);

    return length <= buf->length && !memcmp(buf->text + buf->length - length, suffix, length);
}

static bool is_shell_safe(const char *word)
{
    return *word && word[strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                      "0123456789_@%+=:,./-")] == '\0';
}

void strbuf_add_shell_word(struct strbuf *buf, const char *word)
{
    if (is_shell_safe(word)) {
        strbuf_add(buf, word);
        return;
    }
    strbuf_add_char(buf, '\'');
    for (; *word; word++) {
        if (*word == '\'')
            strbuf_add(buf, "'\"'\"'");
        else
            strbuf_add_char(buf, *word);
    }
    strbuf_add_char(buf, '\'');
}

static void add_py_code_point(struct strbuf *buf, unsigned code_point, char quote)
{
    if (code_point == (unsigned)quote || code_point == '\\')
        strbuf_addf(buf, "\\%c", (char)code_point);
    else if (code_point >= 0x20 && code_point < 0x7f)
        strbuf_add_char(buf, (char)code_point);
    else if (code_point == '\n')
        strbuf_add(buf, "\\n");
    else if (code_point == '\r')
        strbuf_add(buf, "\\r");
    else if (code_point == '\t')
        strbuf_add(buf, "\\t");
    else if (code_point < 0xa1 || code_point == 0xad)
        strbuf_addf(buf, "\\x%02x", code_point);
    else if (!utf8_is_printable(code_point))
        strbuf_addf(buf, code_point > 0xffff ? "\\U%08x" : "\\u%04x", code_point);
    else
        strbuf_add_utf8(buf, code_point);
}

static void add_py_string(struct strbuf *buf, const char *text, char quote)
{
    const char *end = text + strlen(text);

    strbuf_add_char(buf, quote);
    while (text < end) {
        unsigned code_point;
        size_t used = utf8_decode(text, (size_t)(end - text), &code_point);

        if (used) {
            add_py_code_point(buf, code_point, quote);
            text += used;
        } else {
            strbuf_addf(buf, "\\udc%02x", (unsigned char)*text++);
        }
    }
    strbuf_add_char(buf, quote);
}

void strbuf_add_py_string(struct strbuf *buf, const char *text)
{
    add_py_string(buf, text, strchr(text, '\'') && !strchr(text, '"') ? '"' : '\'');
}

void strbuf_add_py_source_string(struct strbuf *buf, const char *text)
{
    size_t singles = 0, doubles = 0;

    for (const char *at = text; *at; at++) {
        singles += *at == '\'';
        doubles += *at == '"';
    }
    add_py_string(buf, text, doubles > singles ? '\'' : '"');
}
