/* base/yaml_edit.h - the smallest change of a YAML text that gives it other values.
 *
 * What the change does not concern keeps its bytes: comments, order, quoting, anchors, blank lines.
 * A new key goes behind the last one of its mapping, a new item where it belongs in its list; items
 * of a list are recognised by their content, and mappings by their "name". A value that replaces
 * another keeps its quotes and its comment. New lines are indented like the others. */
#ifndef BASE_YAML_EDIT_H
#define BASE_YAML_EDIT_H

#include "base/error.h"
#include "base/strbuf.h"
#include "base/value.h"

#include <stddef.h>

/* Appends the text, changed so that it reads as want, to out. The result has been read again and
 * found to be exactly that; where it cannot be (an anchor whose value changes for its aliases, too,
 * or a key that comes out of "<<" and is not wanted), the change is refused. name is the file. */
int value_edit_yaml(const char *text, size_t length, const char *name, const struct value *want,
                    struct strbuf *out, struct error *err);

#endif
