/* base/json.h - JSON text (RFC 8259) to and from value trees.
 *
 * Number text is kept as it was read. Strings may hold NUL and lone surrogates, which are written
 * back as escapes. NaN and Infinity, which Python's json module writes and reads, are accepted. */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include "base/error.h"
#include "base/strbuf.h"
#include "base/value.h"

#include <stddef.h>

/* Deeper documents are refused. */
#define JSON_MAX_DEPTH 512

/* Parses exactly one document. name is the file for messages (interned), NULL for none.
 * Of duplicate keys the last wins, as in Python. */
int json_parse(const char *text, size_t length, const char *name, struct value **out,
               struct error *err);

struct json_style {
    int indent;  /* blanks per level; 0: one line */
    bool spaced; /* one line: ", " and ": " instead of "," and ":" */
    bool ascii;  /* escape everything beyond ASCII */
    bool final_newline;
};

extern const struct json_style json_compact;  /* {"a":1}    UTF-8 */
extern const struct json_style json_python;   /* {"a": 1}   ASCII, as Python's json.dumps() */
extern const struct json_style json_indented; /* two blanks, ASCII, as json.dumps(indent=2) */
extern const struct json_style json_indented_utf8;

void json_write(struct strbuf *out, const struct value *value, const struct json_style *style);
/* Checks one document and appends an object that has it as its only member, in a one-line style and
 * without building its tree, for large ones that are only carried: the order of keys stays, and so
 * do repeated keys. On failure out is as it was. */
int json_copy_as_member(const char *key, const char *text, size_t length,
                        const struct json_style *style, struct strbuf *out, struct error *err);
/* The caller frees it. */
char *json_to_text(const struct value *value, const struct json_style *style);
/* A JSON string literal with its quotes. */
void strbuf_add_json_string(struct strbuf *out, const char *bytes, size_t length, bool ascii);

#endif
