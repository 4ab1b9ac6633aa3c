/* base/yaml_render.h - values as YAML text that reads back as the same values. */
#ifndef BASE_YAML_RENDER_H
#define BASE_YAML_RENDER_H

#include "base/strbuf.h"
#include "base/value.h"

struct block_style {
    size_t map_indent;  /* of a mapping below its key: 2 */
    size_t list_indent; /* of the dashes below their key: 0 or 2 */
    const char *newline;
};

/* One line: a scalar, [a, b] or {k: v}. quote is ' or " to put a text into these quotes where they
 * can hold it, NUL to quote only what needs it (words such as yes and 1:30, which older readers of
 * YAML take for something else, are quoted, too). */
void strbuf_add_yaml_inline(struct strbuf *out, const struct value *value, char quote);

/* A key with its ':'. */
void strbuf_add_yaml_key(struct strbuf *out, const char *key);

/* What follows "key:" of a key in that column: " scalar" on the same line, or the lines below,
 * without a newline at the end. */
void strbuf_add_yaml_after_key(struct strbuf *out, const struct value *value, size_t key_column,
                               const struct block_style *style);

/* A value whose first character stands in that column, after "- " or at the top. */
void strbuf_add_yaml_block(struct strbuf *out, const struct value *value, size_t column,
                           const struct block_style *style);

#endif
