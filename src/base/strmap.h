/* base/strmap.h - strings by name, in the order they were first set: an environment, mostly. */
#ifndef BASE_STRMAP_H
#define BASE_STRMAP_H

#include "base/attrs.h"
#include "base/strlist.h"

#include <stdbool.h>
#include <stddef.h>

struct strmap_entry {
    char *key;
    char *value;
};

struct strmap {
    struct strmap_entry *entries; /* in insertion order */
    size_t count;
    size_t capacity;
    size_t *slots; /* open addressing: position + 1, 0 is free */
    size_t slot_count;
};

#define STRMAP_INIT                                                                                \
    {                                                                                              \
        NULL, 0, 0, NULL, 0                                                                        \
    }

void strmap_clear(struct strmap *map);
static inline void strmap_auto(struct strmap *map)
{
    strmap_clear(map);
}
#define auto_strmap ATTR_CLEANUP(strmap_auto)

/* Borrowed until the entry changes; NULL when there is none. */
const char *strmap_get(const struct strmap *map, const char *key);
bool strmap_has(const struct strmap *map, const char *key);
/* Replaces in place: an entry that exists keeps its position. */
void strmap_set(struct strmap *map, const char *key, const char *value);
void strmap_setf(struct strmap *map, const char *key, const char *format, ...) ATTR_PRINTF(3, 4);
bool strmap_remove(struct strmap *map, const char *key);
/* Every entry of other, over what is there. */
void strmap_merge(struct strmap *map, const struct strmap *other);
void strmap_copy(struct strmap *map, const struct strmap *other);

/* From "KEY=value" strings (entries without '=' are passed over), and back. */
void strmap_from_environ(struct strmap *map, char *const *environ_strings);
void strmap_to_environ(const struct strmap *map, struct strlist *out);

#endif
