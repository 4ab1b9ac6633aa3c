/* base/yaml_node.h - where the parts of a YAML text stand: the shape of the document with byte
 * offsets, for changing the text in place. The values come from base/yaml.h. */
#ifndef BASE_YAML_NODE_H
#define BASE_YAML_NODE_H

#include "base/attrs.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

enum text_node_kind { NODE_SCALAR, NODE_ALIAS, NODE_LIST, NODE_MAP };

struct text_node {
    enum text_node_kind kind;
    size_t start; /* of its anchor or tag, if it has one */
    size_t end;   /* behind its last character; where an empty value would stand */
    bool is_flow; /* [...], {...} */
    bool is_merge_key;
    char quote;               /* ' or " or, of a block scalar, | or >; else NUL */
    struct text_node **items; /* of a map: key, value, key, value, ... */
    size_t count, capacity;
};

/* text must be what value_from_yaml() accepts, without a byte order mark. NULL in *out for a text
 * without a document. */
int text_node_parse(const char *text, size_t length, struct text_node **out, struct error *err);
void text_node_free(struct text_node *node);
DEFINE_AUTO_FREE(struct text_node, text_node, text_node_free)
#define auto_text_node ATTR_CLEANUP(text_node_auto)

#endif
