/* config/py_literal.h - lists and mappings in Python's notation: "['a', 1]", "{'k': None}". */
#ifndef CONFIG_PY_LITERAL_H
#define CONFIG_PY_LITERAL_H

#include "base/value.h"

#include <stddef.h>

/* Reads one literal: text, numbers, None, True, False, lists, tuples (they become lists) and
 * mappings, whose keys become text as in JSON. NULL when the text is anything else. */
struct value *py_literal_parse(const char *text, size_t length);

#endif
