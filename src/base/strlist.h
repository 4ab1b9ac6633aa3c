/* base/strlist.h - an ordered list of strings it owns; also usable as an argv. */
#ifndef BASE_STRLIST_H
#define BASE_STRLIST_H

#include "base/attrs.h"

#include <stdbool.h>
#include <stddef.h>

struct strlist {
    char **items; /* items[count] is NULL once something was added */
    size_t count;
    size_t capacity;
};

#define STRLIST_INIT                                                                               \
    {                                                                                              \
        NULL, 0, 0                                                                                 \
    }

void strlist_clear(struct strlist *list);
static inline void strlist_auto(struct strlist *list)
{
    strlist_clear(list);
}
#define auto_strlist ATTR_CLEANUP(strlist_auto)

void strlist_add(struct strlist *list, const char *text);
void strlist_add_take(struct strlist *list, char *text);
void strlist_addf(struct strlist *list, const char *format, ...) ATTR_PRINTF(2, 3);
void strlist_add_all(struct strlist *list, const struct strlist *other);
bool strlist_add_unique(struct strlist *list, const char *text);
void strlist_insert(struct strlist *list, size_t at, const char *text);
void strlist_remove(struct strlist *list, size_t at);
bool strlist_contains(const struct strlist *list, const char *text);
/* Bytewise. */
void strlist_sort(struct strlist *list);
/* Splits at every separator; "a,,b" gives three parts, "" gives one. */
void strlist_split(struct strlist *list, const char *text, char separator);
char *strlist_join(const struct strlist *list, const char *separator);

/* Splits as a POSIX shell would (quotes, backslashes; no expansion). Returns -1 when a quote is
 * not closed or the text ends in a backslash, and leaves list untouched then. */
int strlist_split_shell(struct strlist *list, const char *text);

#endif
