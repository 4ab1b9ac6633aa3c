/* base/strbuf.h - a growing string that always ends in NUL and may hold any bytes. */
#ifndef BASE_STRBUF_H
#define BASE_STRBUF_H

#include "base/attrs.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct strbuf {
    char *text; /* never NULL once something was added; borrow with strbuf_text() */
    size_t length;
    size_t capacity;
};

#define STRBUF_INIT                                                                                \
    {                                                                                              \
        NULL, 0, 0                                                                                 \
    }

void strbuf_clear(struct strbuf *buf);
static inline void strbuf_auto(struct strbuf *buf)
{
    strbuf_clear(buf);
}
#define auto_strbuf ATTR_CLEANUP(strbuf_auto)

/* The text, "" when nothing was added. Borrowed until the next change. */
const char *strbuf_text(const struct strbuf *buf);
/* Gives the text away (never NULL) and leaves the buffer empty. */
char *strbuf_take(struct strbuf *buf);
/* Empties the buffer and keeps its memory. */
void strbuf_reset(struct strbuf *buf);
void strbuf_reserve(struct strbuf *buf, size_t extra);
void strbuf_truncate(struct strbuf *buf, size_t length);

void strbuf_add(struct strbuf *buf, const char *text);
void strbuf_add_bytes(struct strbuf *buf, const void *bytes, size_t size);
void strbuf_add_char(struct strbuf *buf, char c);
void strbuf_add_repeat(struct strbuf *buf, char c, size_t times);
void strbuf_addf(struct strbuf *buf, const char *format, ...) ATTR_PRINTF(2, 3);
void strbuf_vaddf(struct strbuf *buf, const char *format, va_list args) ATTR_PRINTF(2, 0);
/* Makes blanks of NULs, for a text that goes on as a C string. */
void strbuf_blank_nuls(struct strbuf *buf);
/* One Unicode code point as UTF-8; a surrogate becomes its three-byte form. */
void strbuf_add_utf8(struct strbuf *buf, unsigned code_point);

bool strbuf_ends_with(const struct strbuf *buf, const char *suffix);

/* One word for a POSIX shell: plain when nothing needs quoting, else in single quotes. */
void strbuf_add_shell_word(struct strbuf *buf, const char *word);
/* A Python string literal in the form that repr() prints: 'text', or "it's". Bytes that are not
 * UTF-8 appear as surrogate escapes. */
void strbuf_add_py_string(struct strbuf *buf, const char *text);
/* The same literal as Python's formatters write it in source files: in double quotes, unless single
 * ones need fewer backslashes. */
void strbuf_add_py_source_string(struct strbuf *buf, const char *text);

#endif
