#include "plugin/catalog.h"

#include "base/memory.h"
#include "plugin/catalog_walk.h"

#include <assert.h>
#include <string.h>

struct listed {
    char *name;
    enum selection selection;
};

struct listed_set {
    struct listed *items;
    size_t count, capacity;
};

struct listed_stream {
    char *id;
    struct listed_set own; /* the stream's entries; more than one only when it is ambiguous */
    struct listed_set properties; /* of the last stream with this id */
};

struct listing {
    struct listed_stream *streams;
    size_t count, capacity;
    struct listed_stream *current;
};

const char *selection_name(enum selection selection)
{
    static const char *const names[] = {
        [SELECTION_SELECTED] = "selected",
        [SELECTION_EXCLUDED] = "excluded",
        [SELECTION_AUTOMATIC] = "automatic",
        [SELECTION_UNSUPPORTED] = "unsupported",
    };
    _Static_assert(ARRAY_LEN(names) == SELECTION_COUNT, "a selection has no name");

    assert(selection < SELECTION_COUNT);
    return names[selection];
}

static void listed_set_clear(struct listed_set *set)
{
    for (size_t i = 0; i < set->count; i++)
        free(set->items[i].name);
    free(set->items);
    *set = (struct listed_set){NULL, 0, 0};
}

static void listed_set_add(struct listed_set *set, const char *name, enum selection selection)
{
    GROW(set->items, set->count, set->capacity);
    set->items[set->count++] = (struct listed){xstrdup(name), selection};
}

static int compare_listed(const void *left, const void *right)
{
    const struct listed *a = left, *b = right;
    int order = strcmp(a->name, b->name);

    return order ? order : strcmp(selection_name(a->selection), selection_name(b->selection));
}

/* Sorts, and keeps one of equal entries. */
static void listed_set_normalize(struct listed_set *set)
{
    size_t kept = 0;

    if (!set->count)
        return;
    qsort(set->items, set->count, sizeof *set->items, compare_listed);
    for (size_t i = 0; i < set->count; i++) {
        if (kept && !compare_listed(&set->items[kept - 1], &set->items[i]))
            free(set->items[i].name);
        else
            set->items[kept++] = set->items[i];
    }
    set->count = kept;
}

static int compare_streams(const void *left, const void *right)
{
    const struct listed_stream *a = left, *b = right;

    return strcmp(a->id, b->id);
}

static void listing_clear(struct listing *listing)
{
    for (size_t i = 0; i < listing->count; i++) {
        free(listing->streams[i].id);
        listed_set_clear(&listing->streams[i].own);
        listed_set_clear(&listing->streams[i].properties);
    }
    free(listing->streams);
}

static enum selection combine(enum selection stream, enum selection property)
{
    static const enum selection by_strength[] = {
        SELECTION_EXCLUDED,
        SELECTION_AUTOMATIC,
        SELECTION_UNSUPPORTED,
    };

    for (size_t i = 0; i < ARRAY_LEN(by_strength); i++)
        if (stream == by_strength[i] || property == by_strength[i])
            return by_strength[i];
    return SELECTION_SELECTED;
}

static enum selection selection_of(const struct value *metadata)
{
    const char *inclusion = value_get_text(metadata, "inclusion");
    const struct value *selected = value_get(metadata, "selected");

    if (inclusion && !strcmp(inclusion, "automatic"))
        return SELECTION_AUTOMATIC;
    if (inclusion && !strcmp(inclusion, "unsupported"))
        return SELECTION_UNSUPPORTED;
    if (value_kind(selected) == VALUE_BOOL && selected->boolean)
        return SELECTION_SELECTED;
    if (value_is_null(selected) && value_is_truthy(value_get(metadata, "selected-by-default")))
        return SELECTION_SELECTED;
    return SELECTION_EXCLUDED;
}

/* "addr.zip" for "properties.addr.properties.zip": what follows each "properties." up to a dot. */
static char *property_name(const char *breadcrumb)
{
    static const char marker[] = "properties.";
    struct strbuf name = STRBUF_INIT;
    const char *at = breadcrumb;

    while ((at = strstr(at, marker))) {
        size_t length = strcspn(at + strlen(marker), ".");

        if (!length) {
            at++;
            continue;
        }
        if (name.length)
            strbuf_add_char(&name, '.');
        strbuf_add_bytes(&name, at + strlen(marker), length);
        at += strlen(marker) + length;
    }
    return strbuf_take(&name);
}

static int list_stream(struct catalog_walk *walk, struct value *stream, struct error *err)
{
    struct listing *listing = walk->context;
    const char *id;

    if (catalog_stream_id(walk, stream, &id, err) < 0)
        return -1;
    if (!id)
        return 0;
    listing->current = NULL;
    for (size_t i = 0; i < listing->count; i++)
        if (!strcmp(listing->streams[i].id, id))
            listing->current = &listing->streams[i];
    if (!listing->current) {
        GROW(listing->streams, listing->count, listing->capacity);
        listing->current = &listing->streams[listing->count++];
        *listing->current = (struct listed_stream){.id = xstrdup(id)};
    }
    listed_set_clear(&listing->current->properties);
    return 0;
}

static int list_entry(struct catalog_walk *walk, struct value *entry, struct error *err)
{
    struct listing *listing = walk->context;
    const struct value *metadata = value_get(entry, "metadata");
    auto_strbuf struct strbuf breadcrumb = STRBUF_INIT;
    enum selection selection = SELECTION_EXCLUDED;

    if (!listing->current)
        return catalog_walk_error(walk, err, "a metadata entry stands outside of a stream");
    if (catalog_breadcrumb_text(walk, value_get(entry, "breadcrumb"), &breadcrumb, err) < 0)
        return -1;
    if (value_find(entry, "metadata")) {
        if (!value_is_map(metadata))
            return catalog_walk_error(walk, err, "its metadata is %s instead of an object",
                                      value_kind_name(value_kind(metadata)));
        selection = selection_of(metadata);
    }
    if (!value_count(value_get(entry, "breadcrumb"))) {
        listed_set_add(&listing->current->own, listing->current->id, selection);
    } else {
        auto_free char *name = property_name(strbuf_text(&breadcrumb));

        listed_set_add(&listing->current->properties, name, selection);
    }
    return 0;
}

static void add_stream(struct value *list, struct listed_stream *stream)
{
    listed_set_normalize(&stream->own);
    listed_set_normalize(&stream->properties);
    for (size_t i = 0; i < stream->own.count; i++) {
        for (size_t j = 0; j < stream->properties.count; j++) {
            const struct listed *property = &stream->properties.items[j];
            struct value *item = value_new_map();

            value_set_string(item, "stream", stream->id);
            value_set_string(item, "property", property->name);
            value_set_string(
                item, "selection",
                selection_name(combine(stream->own.items[i].selection, property->selection)));
            value_append_take(list, item);
        }
    }
}

int catalog_list_selection(const struct value *catalog, struct value **out, struct error *err)
{
    static const struct catalog_visitor visitor = {
        .on_stream = list_stream,
        .on_metadata = list_entry,
    };
    auto_value struct value *copy = value_copy(catalog);
    auto_value struct value *list = value_new_list();
    struct listing listing ATTR_CLEANUP(listing_clear) = {NULL, 0, 0, NULL};

    if (catalog_walk(copy, &visitor, &listing, err) < 0)
        return -1;
    if (listing.count)
        qsort(listing.streams, listing.count, sizeof *listing.streams, compare_streams);
    for (size_t i = 0; i < listing.count; i++)
        add_stream(list, &listing.streams[i]);
    *out = take(list);
    return 0;
}
