#include "base/strmap.h"

#include "base/hash.h"
#include "base/memory.h"

#include <string.h>

void strmap_clear(struct strmap *map)
{
    for (size_t i = 0; i < map->count; i++) {
        free(map->entries[i].key);
        free(map->entries[i].value);
    }
    free(map->entries);
    free(map->slots);
    *map = (struct strmap)STRMAP_INIT;
}

/* The slot that holds key, or the free slot where it belongs. */
static size_t find_slot(const struct strmap *map, const char *key)
{
    size_t slot = hash_bytes(key, strlen(key)) & (map->slot_count - 1);

    while (map->slots[slot] && strcmp(map->entries[map->slots[slot] - 1].key, key) != 0)
        slot = (slot + 1) & (map->slot_count - 1);
    return slot;
}

static void rebuild_slots(struct strmap *map, size_t slot_count)
{
    free(map->slots);
    map->slots = xcalloc(slot_count, sizeof *map->slots);
    map->slot_count = slot_count;
    for (size_t i = 0; i < map->count; i++)
        map->slots[find_slot(map, map->entries[i].key)] = i + 1;
}

static struct strmap_entry *find_entry(const struct strmap *map, const char *key)
{
    size_t position;

    if (!map->count)
        return NULL;
    position = map->slots[find_slot(map, key)];
    return position ? &map->entries[position - 1] : NULL;
}

const char *strmap_get(const struct strmap *map, const char *key)
{
    const struct strmap_entry *entry = find_entry(map, key);

    return entry ? entry->value : NULL;
}

bool strmap_has(const struct strmap *map, const char *key)
{
    return find_entry(map, key) != NULL;
}

static void set_take(struct strmap *map, const char *key, char *value)
{
    struct strmap_entry *entry = find_entry(map, key);

    if (entry) {
        free(entry->value);
        entry->value = value;
        return;
    }
    if ((map->count + 1) * 2 > map->slot_count)
        rebuild_slots(map, map->slot_count ? map->slot_count * 2 : 16);
    GROW(map->entries, map->count, map->capacity);
    map->slots[find_slot(map, key)] = map->count + 1;
    map->entries[map->count++] = (struct strmap_entry){xstrdup(key), value};
}

void strmap_set(struct strmap *map, const char *key, const char *value)
{
    set_take(map, key, xstrdup(value));
}

void strmap_setf(struct strmap *map, const char *key, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    set_take(map, key, xvasprintf(format, args));
    va_end(args);
}

bool strmap_remove(struct strmap *map, const char *key)
{
    struct strmap_entry *entry = find_entry(map, key);
    size_t at;

    if (!entry)
        return false;
    at = (size_t)(entry - map->entries);
    free(entry->key);
    free(entry->value);
    memmove(entry, entry + 1, (map->count - at - 1) * sizeof *entry);
    map->count--;
    rebuild_slots(map, map->slot_count);
    return true;
}

void strmap_merge(struct strmap *map, const struct strmap *other)
{
    for (size_t i = 0; i < other->count; i++)
        strmap_set(map, other->entries[i].key, other->entries[i].value);
}

void strmap_copy(struct strmap *map, const struct strmap *other)
{
    struct strmap copy = STRMAP_INIT;

    strmap_merge(&copy, other);
    strmap_clear(map);
    *map = copy;
}

void strmap_from_environ(struct strmap *map, char *const *environ_strings)
{
    for (; *environ_strings; environ_strings++) {
        const char *equals = strchr(*environ_strings, '=');
        auto_free char *key = NULL;

        if (!equals || equals == *environ_strings)
            continue;
        key = xstrndup(*environ_strings, (size_t)(equals - *environ_strings));
        strmap_set(map, key, equals + 1);
    }
}

void strmap_to_environ(const struct strmap *map, struct strlist *out)
{
    for (size_t i = 0; i < map->count; i++)
        strlist_addf(out, "%s=%s", map->entries[i].key, map->entries[i].value);
}
