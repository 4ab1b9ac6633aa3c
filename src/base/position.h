/* base/position.h - error messages that begin with FILE:LINE:COLUMN. */
#ifndef BASE_POSITION_H
#define BASE_POSITION_H

#include "base/attrs.h"
#include "base/error.h"
#include "base/value.h"

/* As error_set(), after the place of where, as far as it is known. where may be NULL. */
int error_set_at(struct error *err, enum error_code code, const struct value *where,
                 const char *format, ...) ATTR_PRINTF(4, 5);
/* The same with the place of a key of map; that of map itself when it has no such key. */
int error_set_at_key(struct error *err, enum error_code code, const struct value *map,
                     const char *key, const char *format, ...) ATTR_PRINTF(5, 6);

#endif
