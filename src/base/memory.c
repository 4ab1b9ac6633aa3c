#include "base/memory.h"

#include <stdio.h>
#include <string.h>

static ATTR_NORETURN void die_out_of_memory(void)
{
    fputs("meltshim: out of memory\n", stderr);
    abort();
}

void *xmalloc(size_t size)
{
    void *pointer = malloc(size ? size : 1);

    if (!pointer)
        die_out_of_memory();
    return pointer;
}

void *xcalloc(size_t count, size_t size)
{
    void *pointer = calloc(count ? count : 1, size ? size : 1);

    if (!pointer)
        die_out_of_memory();
    return pointer;
}

void *xrealloc(void *pointer, size_t size)
{
    void *grown = realloc(pointer, size ? size : 1);

    if (!grown)
        die_out_of_memory();
    return grown;
}

char *xstrdup(const char *text)
{
    return xmemdup(text, strlen(text) + 1);
}

char *xstrdup_or_null(const char *text)
{
    return text ? xstrdup(text) : NULL;
}

char *xstrndup(const char *text, size_t length)
{
    size_t used = strnlen(text, length);
    char *copy = xmalloc(used + 1);

    memcpy(copy, text, used);
    copy[used] = '\0';
    return copy;
}

void *xmemdup(const void *bytes, size_t size)
{
    void *copy = xmalloc(size);

    if (size)
        memcpy(copy, bytes, size);
    return copy;
}

char *xvasprintf(const char *format, va_list args)
{
    char *text = NULL;

    if (vasprintf(&text, format, args) < 0)
        die_out_of_memory();
    return text;
}

char *xasprintf(const char *format, ...)
{
    va_list args;
    char *text;

    va_start(args, format);
    text = xvasprintf(format, args);
    va_end(args);
    return text;
}
