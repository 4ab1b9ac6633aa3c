#include "shim/value_diff.h"

#include "base/json.h"
#include "base/memory.h"

#include <string.h>

static void add_line(struct strbuf *out, char sign, const char *path, const struct value *value)
{
    strbuf_addf(out, "%c %s: ", sign, path);
    json_write(out, value, &json_compact);
    strbuf_add_char(out, '\n');
}

/* A key that would be misread in a path is written as in JSON. */
static char *join_path(const char *path, const char *key)
{
    struct strbuf out = STRBUF_INIT;

    strbuf_addf(&out, "%s%s", path, *path ? "." : "");
    if (*key && !strpbrk(key, ".: \"\\\n"))
        strbuf_add(&out, key);
    else
        strbuf_add_json_string(&out, key, strlen(key), false);
    return strbuf_take(&out);
}

static void diff_at(const char *path, const struct value *before, const struct value *after,
                    struct strbuf *out);

static void diff_maps(const char *path, const struct value *before, const struct value *after,
                      struct strbuf *out)
{
    for (size_t i = 0; i < value_count(before); i++) {
        const struct value_member *member = value_member_at(before, i);
        auto_free char *below = join_path(path, member->key);

        diff_at(below, member->value, value_get(after, member->key), out);
    }
    for (size_t i = 0; i < value_count(after); i++) {
        const struct value_member *member = value_member_at(after, i);
        auto_free char *below = join_path(path, member->key);

        if (!value_find(before, member->key))
            diff_at(below, NULL, member->value, out);
    }
}

/* NULL: not there at all. */
static void diff_at(const char *path, const struct value *before, const struct value *after,
                    struct strbuf *out)
{
    if (value_is_map(before) && value_is_map(after)) {
        diff_maps(path, before, after, out);
        return;
    }
    if (before && after && value_is_equal(before, after))
        return;
    if (before)
        add_line(out, '-', path, before);
    if (after)
        add_line(out, '+', path, after);
}

void value_diff(const struct value *before, const struct value *after, struct strbuf *out)
{
    diff_at("", before, after, out);
}
