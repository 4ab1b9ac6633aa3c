#include "base/position.h"

#include "base/memory.h"

#include <stdarg.h>

static int set_at(struct error *err, enum error_code code, const char *file, unsigned line,
                  unsigned column, const char *message)
{
    if (!file)
        return error_set(err, code, "%s", message);
    if (!line)
        return error_set(err, code, "%s: %s", file, message);
    return error_set(err, code, "%s:%u:%u: %s", file, line, column, message);
}

int error_set_at(struct error *err, enum error_code code, const struct value *where,
                 const char *format, ...)
{
    auto_free char *message = NULL;
    va_list args;

    va_start(args, format);
    message = xvasprintf(format, args);
    va_end(args);
    if (!where)
        return error_set(err, code, "%s", message);
    return set_at(err, code, where->file, where->line, where->column, message);
}

int error_set_at_key(struct error *err, enum error_code code, const struct value *map,
                     const char *key, const char *format, ...)
{
    const struct value_member *member = value_find(map, key);
    auto_free char *message = NULL;
    va_list args;

    va_start(args, format);
    message = xvasprintf(format, args);
    va_end(args);
    if (!member || !member->value->file)
        return error_set_at(err, code, map, "%s", message);
    return set_at(err, code, member->value->file, member->line, member->column, message);
}
