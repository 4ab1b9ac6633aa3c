#include "base/value.h"

#include "base/hash.h"
#include "base/memory.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Maps up to this size are searched one by one, which is faster than hashing. */
#define INDEX_FROM 12

static struct value *new_value(enum value_kind kind)
{
    struct value *value = xcalloc(1, sizeof *value);

    value->kind = kind;
    return value;
}

struct value *value_new_null(void)
{
    return new_value(VALUE_NULL);
}

struct value *value_new_bool(bool boolean)
{
    struct value *value = new_value(VALUE_BOOL);

    value->boolean = boolean;
    return value;
}

static struct value *new_text(enum value_kind kind, const char *bytes, size_t length)
{
    struct value *value = new_value(kind);

    value->text.bytes = xmalloc(length + 1);
    memcpy(value->text.bytes, bytes, length);
    value->text.bytes[length] = '\0';
    value->text.length = length;
    return value;
}

struct value *value_new_int(long long number)
{
    char text[32];
    int length = snprintf(text, sizeof text, "%lld", number);

    return new_text(VALUE_INT, text, (size_t)length);
}

struct value *value_new_number(enum value_kind kind, const char *text)
{
    assert(kind == VALUE_INT || kind == VALUE_REAL);
    return new_text(kind, text, strlen(text));
}

struct value *value_new_string(const char *text)
{
    return new_text(VALUE_STRING, text, strlen(text));
}

struct value *value_new_string_take(char *text)
{
    struct value *value = new_value(VALUE_STRING);

    value->text.bytes = text;
    value->text.length = strlen(text);
    return value;
}

struct value *value_new_bytes(const char *bytes, size_t length)
{
    return new_text(VALUE_STRING, bytes, length);
}

struct value *value_new_list(void)
{
    return new_value(VALUE_LIST);
}

struct value *value_new_map(void)
{
    return new_value(VALUE_MAP);
}

static bool has_text(enum value_kind kind)
{
    return kind == VALUE_INT || kind == VALUE_REAL || kind == VALUE_STRING || kind == VALUE_DATE;
}

static void copy_members(struct value *copy, const struct value *value)
{
    for (size_t i = 0; i < value->map.count; i++) {
        const struct value_member *member = &value->map.members[i];

        value_set_take(copy, member->key, value_copy(member->value));
        copy->map.members[i].line = member->line;
        copy->map.members[i].column = member->column;
    }
}

struct value *value_copy(const struct value *value)
{
    struct value *copy;

    if (!value)
        return value_new_null();
    if (has_text(value->kind))
        copy = new_text(value->kind, value->text.bytes, value->text.length);
    else
        copy = new_value(value->kind);
    copy->boolean = value->boolean;
    copy->file = value->file;
    copy->line = value->line;
    copy->column = value->column;
    if (value->kind == VALUE_LIST)
        for (size_t i = 0; i < value->list.count; i++)
            value_append_take(copy, value_copy(value->list.items[i]));
    else if (value->kind == VALUE_MAP)
        copy_members(copy, value);
    return copy;
}

void value_free(struct value *value)
{
    if (!value)
        return;
    if (has_text(value->kind)) {
        free(value->text.bytes);
    } else if (value->kind == VALUE_LIST) {
        for (size_t i = 0; i < value->list.count; i++)
            value_free(value->list.items[i]);
        free(value->list.items);
    } else if (value->kind == VALUE_MAP) {
        for (size_t i = 0; i < value->map.count; i++) {
            free(value->map.members[i].key);
            value_free(value->map.members[i].value);
        }
        free(value->map.members);
        free(value->map.slots);
    }
    free(value);
}

enum value_kind value_kind(const struct value *value)
{
    return value ? value->kind : VALUE_NULL;
}

const char *value_kind_name(enum value_kind kind)
{
    static const char *const names[] = {
        [VALUE_NULL] = "null",     [VALUE_BOOL] = "a boolean",  [VALUE_INT] = "an integer",
        [VALUE_REAL] = "a number", [VALUE_STRING] = "a string", [VALUE_DATE] = "a date",
        [VALUE_LIST] = "a list",   [VALUE_MAP] = "a mapping",
    };

    assert((size_t)kind < ARRAY_LEN(names));
    return names[kind];
}

bool value_is_truthy(const struct value *value)
{
    switch (value_kind(value)) {
    case VALUE_NULL:
        return false;
    case VALUE_BOOL:
        return value->boolean;
    case VALUE_INT:
    case VALUE_REAL:
        return strpbrk(value->text.bytes, "123456789naN") != NULL;
    case VALUE_STRING:
    case VALUE_DATE:
        return value->text.length > 0;
    case VALUE_LIST:
    case VALUE_MAP:
        return value_count(value) > 0;
    }
    return false;
}

static bool is_equal_map(const struct value *a, const struct value *b)
{
    for (size_t i = 0; i < a->map.count; i++) {
        const struct value_member *other = value_find(b, a->map.members[i].key);

        if (!other || !value_is_equal(a->map.members[i].value, other->value))
            return false;
    }
    return true;
}

bool value_is_equal(const struct value *a, const struct value *b)
{
    if (value_kind(a) != value_kind(b))
        return false;
    if (value_is_null(a))
        return true;
    if (has_text(a->kind))
        return a->text.length == b->text.length &&
               !memcmp(a->text.bytes, b->text.bytes, a->text.length);
    if (a->kind == VALUE_BOOL)
        return a->boolean == b->boolean;
    if (value_count(a) != value_count(b))
        return false;
    if (a->kind == VALUE_MAP)
        return is_equal_map(a, b);
    for (size_t i = 0; i < a->list.count; i++)
        if (!value_is_equal(a->list.items[i], b->list.items[i]))
            return false;
    return true;
}

const char *value_text(const struct value *value)
{
    return has_text(value_kind(value)) ? value->text.bytes : NULL;
}

long long value_to_int(const struct value *value, long long fallback)
{
    char *end;
    long long number;

    if (value_kind(value) != VALUE_INT)
        return fallback;
    errno = 0;
    number = strtoll(value->text.bytes, &end, 10);
    return errno || *end ? fallback : number;
}

size_t value_count(const struct value *value)
{
    if (value_is_list(value))
        return value->list.count;
    return value_is_map(value) ? value->map.count : 0;
}

struct value *value_at(const struct value *list, size_t position)
{
    return value_is_list(list) && position < list->list.count ? list->list.items[position] : NULL;
}

void value_append_take(struct value *list, struct value *item)
{
    assert(list->kind == VALUE_LIST);
    GROW(list->list.items, list->list.count, list->list.capacity);
    list->list.items[list->list.count++] = item;
}

void value_append_string(struct value *list, const char *text)
{
    value_append_take(list, value_new_string(text));
}

void value_list_remove(struct value *list, size_t position)
{
    assert(value_is_list(list) && position < list->list.count);
    value_free(list->list.items[position]);
    list->list.count--;
    memmove(list->list.items + position, list->list.items + position + 1,
            (list->list.count - position) * sizeof *list->list.items);
}

const struct value_member *value_member_at(const struct value *map, size_t position)
{
    return value_is_map(map) && position < map->map.count ? &map->map.members[position] : NULL;
}

static size_t find_slot(const struct value *map, const char *key)
{
    size_t slot = hash_bytes(key, strlen(key)) & (map->map.slot_count - 1);

    while (map->map.slots[slot] && strcmp(map->map.members[map->map.slots[slot] - 1].key, key) != 0)
        slot = (slot + 1) & (map->map.slot_count - 1);
    return slot;
}

static void rebuild_slots(struct value *map, size_t slot_count)
{
    free(map->map.slots);
    map->map.slots = xcalloc(slot_count, sizeof *map->map.slots);
    map->map.slot_count = slot_count;
    for (size_t i = 0; i < map->map.count; i++)
        map->map.slots[find_slot(map, map->map.members[i].key)] = i + 1;
}

static struct value_member *find_member(const struct value *map, const char *key)
{
    if (!value_is_map(map))
        return NULL;
    if (map->map.slots) {
        size_t position = map->map.slots[find_slot(map, key)];

        return position ? &map->map.members[position - 1] : NULL;
    }
    for (size_t i = 0; i < map->map.count; i++)
        if (!strcmp(map->map.members[i].key, key))
            return &map->map.members[i];
    return NULL;
}

const struct value_member *value_find(const struct value *map, const char *key)
{
    return find_member(map, key);
}

struct value *value_get(const struct value *map, const char *key)
{
    const struct value_member *member = find_member(map, key);

    return member ? member->value : NULL;
}

const char *value_get_text(const struct value *map, const char *key)
{
    return value_text(value_get(map, key));
}

void value_set_take(struct value *map, const char *key, struct value *value)
{
    struct value_member *member = find_member(map, key);

    assert(map->kind == VALUE_MAP);
    if (member) {
        value_free(member->value);
        member->value = value;
        return;
    }
    GROW(map->map.members, map->map.count, map->map.capacity);
    map->map.members[map->map.count++] =
        (struct value_member){xstrdup(key), value, value->line, value->column};
    if (map->map.slots && map->map.count * 2 <= map->map.slot_count)
        map->map.slots[find_slot(map, key)] = map->map.count;
    else if (map->map.slots || map->map.count > INDEX_FROM)
        rebuild_slots(map, map->map.slot_count ? map->map.slot_count * 2 : 4 * 16);
}

void value_set_string(struct value *map, const char *key, const char *text)
{
    value_set_take(map, key, value_new_string(text));
}

void value_set_string_or_null(struct value *map, const char *key, const char *text)
{
    value_set_take(map, key, text ? value_new_string(text) : value_new_null());
}

void value_set_int(struct value *map, const char *key, long long number)
{
    value_set_take(map, key, value_new_int(number));
}

void value_set_bool(struct value *map, const char *key, bool boolean)
{
    value_set_take(map, key, value_new_bool(boolean));
}

bool value_remove(struct value *map, const char *key)
{
    struct value_member *member = find_member(map, key);
    size_t at;

    if (!member)
        return false;
    at = (size_t)(member - map->map.members);
    free(member->key);
    value_free(member->value);
    map->map.count--;
    memmove(member, member + 1, (map->map.count - at) * sizeof *member);
    if (map->map.slots)
        rebuild_slots(map, map->map.slot_count);
    return true;
}

void value_merge(struct value *into, const struct value *from)
{
    for (size_t i = 0; i < value_count(from); i++) {
        const struct value_member *member = value_member_at(from, i);
        struct value *there = value_get(into, member->key);

        if (value_is_map(there) && value_is_map(member->value))
            value_merge(there, member->value);
        else
            value_set_take(into, member->key, value_copy(member->value));
    }
}
