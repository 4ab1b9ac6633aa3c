/* base/memory.h - allocation that cannot fail: running out of memory ends the process. */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include "base/attrs.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

void *xmalloc(size_t size);
void *xcalloc(size_t count, size_t size);
void *xrealloc(void *pointer, size_t size);
char *xstrdup(const char *text);
/* NULL stays NULL. */
char *xstrdup_or_null(const char *text);
char *xstrndup(const char *text, size_t length);
void *xmemdup(const void *bytes, size_t size);
char *xasprintf(const char *format, ...) ATTR_PRINTF(1, 2);
char *xvasprintf(const char *format, va_list args) ATTR_PRINTF(1, 0);

/* Makes room for one more element in a growing array. */
#define GROW(array, count, capacity)                                                               \
    do {                                                                                           \
        if ((count) == (capacity)) {                                                               \
            (capacity) = (capacity) ? (capacity)*2 : 8;                                            \
            (array) = xrealloc((array), (capacity) * sizeof(*(array)));                            \
        }                                                                                          \
    } while (0)

static inline void memory_free_auto(void *pointer)
{
    free(*(void **)pointer);
}
#define auto_free ATTR_CLEANUP(memory_free_auto)

#endif
