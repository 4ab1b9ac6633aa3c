/* base/value.h - the data of YAML and JSON documents as one tree.
 *
 * Maps keep the order of their keys. Numbers are kept as text, because values that the program
 * only carries must keep their bytes: 0.1 stays 0.1, and integers may be longer than 64 bits.
 * A tree has one owner; value_free() frees it whole. Read access accepts NULL everywhere. */
#ifndef BASE_VALUE_H
#define BASE_VALUE_H

#include "base/attrs.h"
#include "base/strbuf.h"

#include <stdbool.h>
#include <stddef.h>

enum value_kind {
    VALUE_NULL,
    VALUE_BOOL,
    VALUE_INT,    /* text: an optional '-' and decimal digits */
    VALUE_REAL,   /* text: as JSON writes a number with a fraction or an exponent, or NaN, ... */
    VALUE_STRING, /* UTF-8; may hold NUL bytes and lone surrogates when it came from JSON */
    VALUE_DATE,   /* an unquoted YAML date or timestamp; text: its ISO 8601 form */
    VALUE_LIST,
    VALUE_MAP,
};

struct value_member {
    char *key;
    struct value *value;
    unsigned line, column; /* of the key, 1-based; 0 when it comes from no file */
};

struct value {
    enum value_kind kind;
    bool boolean;
    unsigned line, column; /* 1-based; 0 when it comes from no file */
    const char *file;      /* interned (base/intern.h), NULL when it comes from no file */
    union {
        struct {
            char *bytes;
            size_t length;
        } text;
        struct {
            struct value **items;
            size_t count, capacity;
        } list;
        struct {
            struct value_member *members;
            size_t count, capacity;
            size_t *slots; /* hash index, made when the map grows beyond a handful */
            size_t slot_count;
        } map;
    };
};

struct value *value_new_null(void);
struct value *value_new_bool(bool boolean);
struct value *value_new_int(long long number);
struct value *value_new_number(enum value_kind kind, const char *text);
struct value *value_new_string(const char *text);
struct value *value_new_string_take(char *text);
struct value *value_new_bytes(const char *bytes, size_t length);
struct value *value_new_list(void);
struct value *value_new_map(void);
struct value *value_copy(const struct value *value);
void value_free(struct value *value);
DEFINE_AUTO_FREE(struct value, value, value_free)
#define auto_value ATTR_CLEANUP(value_auto)

/* NULL has the kind VALUE_NULL. */
enum value_kind value_kind(const struct value *value);
static inline bool value_is_null(const struct value *value)
{
    return value_kind(value) == VALUE_NULL;
}
static inline bool value_is_map(const struct value *value)
{
    return value_kind(value) == VALUE_MAP;
}
static inline bool value_is_list(const struct value *value)
{
    return value_kind(value) == VALUE_LIST;
}
static inline bool value_is_string(const struct value *value)
{
    return value_kind(value) == VALUE_STRING;
}
/* A word for messages: "a string", "a list", ... */
const char *value_kind_name(enum value_kind kind);
/* As Python has it: null, false, 0, "", [] and {} are not. */
bool value_is_truthy(const struct value *value);
/* The same kind and content; the order of map keys does not matter, number text does. */
bool value_is_equal(const struct value *a, const struct value *b);

/* The text of a string, date or number; NULL for anything else. Borrowed. */
const char *value_text(const struct value *value);
/* The integer, or fallback when it is none or does not fit. */
long long value_to_int(const struct value *value, long long fallback);

/* Items of a list or members of a map; 0 for anything else. */
size_t value_count(const struct value *value);
/* Borrowed; NULL when it is not a list or too short. */
struct value *value_at(const struct value *list, size_t position);
void value_append_take(struct value *list, struct value *item);
void value_append_string(struct value *list, const char *text);
void value_list_remove(struct value *list, size_t position);

/* Borrowed; NULL when it is not a map or the position is beyond its end. */
const struct value_member *value_member_at(const struct value *map, size_t position);
const struct value_member *value_find(const struct value *map, const char *key);
/* Borrowed; NULL when it is not a map or has no such key. */
struct value *value_get(const struct value *map, const char *key);
/* The text under key, NULL when there is none (or null). */
const char *value_get_text(const struct value *map, const char *key);
/* Replaces in place (the key keeps its position) or appends. */
void value_set_take(struct value *map, const char *key, struct value *value);
void value_set_string(struct value *map, const char *key, const char *text);
void value_set_string_or_null(struct value *map, const char *key, const char *text);
void value_set_int(struct value *map, const char *key, long long number);
void value_set_bool(struct value *map, const char *key, bool boolean);
bool value_remove(struct value *map, const char *key);

/* Merges from onto into: objects key by key at any depth, everything else is replaced by from's
 * value. Meltano's rule for reading partial state, made tolerant: where one side is an object and
 * the other is not, from wins. */
void value_merge(struct value *into, const struct value *from);

/* As Python's repr() prints it: 'text', True, None, 1.5, ['a', 1], {'k': None}. */
void strbuf_add_py_repr(struct strbuf *out, const struct value *value);
/* As Python's str() prints it: a string without quotes, a number as it was read, everything else
 * as repr(). */
void strbuf_add_py_str(struct strbuf *out, const struct value *value);
/* As Python's repr() prints a float: 1.0, 1e+16, inf. */
void strbuf_add_py_float(struct strbuf *out, double number);

#endif
