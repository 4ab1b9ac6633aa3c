/* config/flatten.h - settings by dotted name, and the trees that configuration files are.
 *
 * "auth.token" is the key token in the mapping auth. A dot after a backslash is part of the key:
 * "s3\.endpoint" is one key, which the plugin gets as "s3.endpoint". */
#ifndef CONFIG_FLATTEN_H
#define CONFIG_FLATTEN_H

#include "base/error.h"
#include "base/strlist.h"
#include "base/value.h"

#include <stdbool.h>

/* Adds the leaves of map to flat (a map), as copies. Lists and empty mappings are leaves; of equal
 * names the later wins. prefix goes before every name, NULL for none. */
void flatten_into(struct value *flat, const struct value *map, const char *prefix);

bool name_has_unescaped_dot(const char *name);
/* "a.b\.c" gives "a" and "b\.c". */
void name_split(const char *name, struct strlist *segments);
/* "b\.c" gives "b.c". The caller frees it. */
char *name_unescape(const char *segment);

enum nest_mode { NEST_KEEP_ESCAPES, NEST_UNESCAPE };

/* Makes the tree of a map of dotted names. What is there already stays: where both "a" and "a.b"
 * are given, "a.b" adds to the mapping "a". A null leaf becomes an empty mapping (Meltano does so).
 * It is an error when a name leads through a value that is no mapping. The caller frees *out. */
int nest_names(const struct value *flat, enum nest_mode mode, struct value **out,
               struct error *err);

/* Removes the keys that still hold an unescaped dot, at every depth, and resolves the escapes of
 * the others: what is left is what a Singer plugin is given. */
void drop_dotted_keys(struct value *map);

#endif
