#include "pipeline/record_line.h"

#include "base/json.h"
#include "base/memory.h"

#include <string.h>

/* For "left_out" itself, beside the path that it names. */
#define LEFT_OUT_BYTES 256

static long long weigh_equally(const struct value *entry)
{
    (void)entry;
    return 0;
}

static long long weigh_process(const struct value *entry)
{
    const struct value *culprit = value_get(entry, "culprit");

    return value_is_truthy(culprit) ? 1 : 0;
}

static long long weigh_block(const struct value *entry)
{
    const char *status = value_get_text(entry, "status");

    return status && strcmp(status, "success") ? 1 : 0;
}

static long long weigh_stream(const struct value *entry)
{
    return value_to_int(value_get(entry, "records"), 0);
}

/* The lists of a record that can be long, in the order in which they are given room. */
static const struct long_list {
    const char *key;
    const char *bulk[3]; /* what an entry can do without, the first thing first; ends in NULL */
    long long (*weigh)(const struct value *entry);
    unsigned share; /* of the room that is left, in eighths */
} long_lists[] = {
    {"command", {NULL}, weigh_equally, 1},
    {"processes", {"snapshot", "stderr_tail", NULL}, weigh_process, 3},
    {"blocks", {NULL}, weigh_block, 4},
    {"streams", {NULL}, weigh_stream, 8},
};

struct candidate {
    struct value *entry;
    size_t position;
    long long weight;
    bool is_kept;
};

static int compare_weights(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;

    if (x->weight != y->weight)
        return x->weight > y->weight ? -1 : 1;
    return x->position < y->position ? -1 : 1;
}

static int compare_positions(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;

    return x->position < y->position ? -1 : 1;
}

/* With its comma. */
static size_t measure(const struct value *value)
{
    auto_free char *text = json_to_text(value, &json_compact);

    return strlen(text) + 1;
}

/* Keeps the weightiest entries up to the first that does not fit; the bytes that they take. */
static size_t keep_weightiest(const struct long_list *list, struct candidate *candidates,
                              size_t count, size_t room)
{
    size_t used = 0;

    qsort(candidates, count, sizeof *candidates, compare_weights);
    for (size_t i = 0; i < count; i++) {
        size_t size = measure(candidates[i].entry);

        for (const char *const *key = list->bulk; *key && size > room - used; key++)
            if (value_remove(candidates[i].entry, *key))
                size = measure(candidates[i].entry);
        if (size > room - used)
            break;
        candidates[i].is_kept = true;
        used += size;
    }
    qsort(candidates, count, sizeof *candidates, compare_positions);
    return used;
}

/* Puts what fits of a list into the line; the bytes that it takes. */
static size_t add_list(struct value *line, const struct long_list *list, const struct value *whole,
                       size_t room, struct value *left_out)
{
    size_t count = value_count(whole), used;
    auto_free struct candidate *candidates = xcalloc(count + 1, sizeof *candidates);
    struct value *kept = value_new_list();

    for (size_t i = 0; i < count; i++)
        candidates[i] = (struct candidate){
            .entry = value_copy(value_at(whole, i)),
            .position = i,
            .weight = list->weigh(value_at(whole, i)),
        };
    used = keep_weightiest(list, candidates, count, room * list->share / 8);
    for (size_t i = 0; i < count; i++) {
        if (candidates[i].is_kept)
            value_append_take(kept, candidates[i].entry);
        else
            value_free(candidates[i].entry);
    }
    value_set_int(left_out, list->key, (long long)(count - value_count(kept)));
    value_set_take(line, list->key, kept);
    return used;
}

static char *shorten(const struct value *record, const char *whole_path)
{
    auto_value struct value *line = value_new_map();
    struct value *left_out = value_new_map();
    size_t room, taken;

    /* All keys first, in the record's order. */
    for (size_t i = 0; i < value_count(record); i++) {
        const struct value_member *member = value_member_at(record, i);
        bool is_long = false;

        for (size_t j = 0; j < ARRAY_LEN(long_lists); j++)
            if (!strcmp(member->key, long_lists[j].key))
                is_long = true;
        value_set_take(line, member->key, is_long ? value_new_list() : value_copy(member->value));
    }
    value_set_string_or_null(left_out, "record_path", whole_path);
    value_set_take(line, "left_out", left_out);
    taken = measure(line) + LEFT_OUT_BYTES;
    room = taken < RECORD_LINE_LIMIT ? RECORD_LINE_LIMIT - taken : 0;
    for (size_t i = 0; i < ARRAY_LEN(long_lists); i++)
        room -=
            add_list(line, &long_lists[i], value_get(record, long_lists[i].key), room, left_out);
    return json_to_text(line, &json_compact);
}

char *record_line(const struct value *record, const char *whole_path)
{
    char *text = json_to_text(record, &json_compact);

    if (strlen(text) <= RECORD_LINE_LIMIT)
        return text;
    free(text);
    return shorten(record, whole_path);
}
