#include "config/flatten.h"

#include "base/memory.h"

#include <string.h>

void flatten_into(struct value *flat, const struct value *map, const char *prefix)
{
    for (size_t i = 0; i < value_count(map); i++) {
        const struct value_member *member = value_member_at(map, i);
        auto_free char *name = xasprintf("%s%s", prefix ? prefix : "", member->key);

        if (value_is_map(member->value) && value_count(member->value)) {
            auto_free char *below = xasprintf("%s.", name);

            flatten_into(flat, member->value, below);
        } else {
            value_set_take(flat, name, value_copy(member->value));
        }
    }
}

/* The next dot that separates, NULL when there is none. */
static const char *find_unescaped_dot(const char *name)
{
    for (const char *at = strchr(name, '.'); at; at = strchr(at + 1, '.'))
        if (at == name || at[-1] != '\\')
            return at;
    return NULL;
}

bool name_has_unescaped_dot(const char *name)
{
    return find_unescaped_dot(name) != NULL;
}

void name_split(const char *name, struct strlist *segments)
{
    const char *dot;

    for (; (dot = find_unescaped_dot(name)); name = dot + 1)
        strlist_add_take(segments, xstrndup(name, (size_t)(dot - name)));
    strlist_add(segments, name);
}

char *name_unescape(const char *segment)
{
    struct strbuf out = STRBUF_INIT;

    for (; *segment; segment++)
        if (segment[0] != '\\' || segment[1] != '.')
            strbuf_add_char(&out, *segment);
    return strbuf_take(&out);
}

/* The mapping under key, made when it is missing; NULL when something else is there. */
static struct value *enter(struct value *map, const char *key)
{
    struct value *below = value_get(map, key);

    if (value_is_null(below)) {
        value_set_take(map, key, value_new_map());
        below = value_get(map, key);
    }
    return value_is_map(below) ? below : NULL;
}

static int nest_one(struct value *into, const char *name, const struct value *value,
                    enum nest_mode mode, struct error *err)
{
    auto_strlist struct strlist segments = STRLIST_INIT;
    struct value *map = into;

    name_split(name, &segments);
    for (size_t i = 0; i < segments.count; i++) {
        auto_free char *key =
            mode == NEST_UNESCAPE ? name_unescape(segments.items[i]) : xstrdup(segments.items[i]);

        if (i + 1 == segments.count) {
            if (!value_get(map, key))
                value_set_take(map, key,
                               value_is_null(value) ? value_new_map() : value_copy(value));
            return 0;
        }
        map = enter(map, key);
        if (!map) {
            error_set(err, ERR_CONFIG, "'%s' cannot be set: '%s' in it is not a mapping", name,
                      key);
            return error_hint(err, "Remove the value of '%s' or that of '%s'.", key, name);
        }
    }
    return 0;
}

int nest_names(const struct value *flat, enum nest_mode mode, struct value **out, struct error *err)
{
    auto_value struct value *tree = value_new_map();

    for (size_t i = 0; i < value_count(flat); i++) {
        const struct value_member *member = value_member_at(flat, i);

        if (nest_one(tree, member->key, member->value, mode, err) < 0)
            return -1;
    }
    *out = take(tree);
    return 0;
}

void drop_dotted_keys(struct value *map)
{
    struct value *kept = value_new_map();
    struct value swapped;

    for (int pass = 0; pass < 2; pass++) {
        /* Keys whose escapes are resolved move behind the others, as they do in Meltano. */
        for (size_t i = 0; i < value_count(map); i++) {
            const struct value_member *member = value_member_at(map, i);
            bool is_escaped = strstr(member->key, "\\.") != NULL;
            auto_free char *key = NULL;

            if (name_has_unescaped_dot(member->key) || is_escaped != (pass == 1))
                continue;
            key = name_unescape(member->key);
            value_set_take(kept, key, value_copy(member->value));
            if (value_is_map(member->value))
                drop_dotted_keys(value_get(kept, key));
        }
    }
    swapped = *map;
    map->map = kept->map;
    kept->map = swapped.map;
    value_free(kept);
}
