#include "dag_generator/dag_ids.h"

#include "base/hash.h"
#include "base/memory.h"
#include "base/strbuf.h"

#include <stdbool.h>
#include <string.h>

#define HASH_LENGTH 9 /* with its '_' */

static char *id_from_text(const char *text, const char *more_characters, size_t limit)
{
    static const char characters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_"
                                     "0123456789";
    struct strbuf id = STRBUF_INIT;
    bool lost_letters = false;

    for (const char *at = text; *at; at++) {
        lost_letters |= (*at & 0x80) != 0;
        if (strchr(characters, *at) || (at > text && strchr(more_characters, *at)))
            strbuf_add_char(&id, *at);
        else if (!strbuf_ends_with(&id, "_"))
            strbuf_add_char(&id, '_');
    }
    if (!id.length)
        strbuf_add_char(&id, '_');
    if (lost_letters || id.length > limit) {
        if (id.length > limit - HASH_LENGTH)
            strbuf_truncate(&id, limit - HASH_LENGTH);
        while (strbuf_ends_with(&id, "_"))
            strbuf_truncate(&id, id.length - 1);
        strbuf_addf(&id, "_%08x", (unsigned)hash_bytes(text, strlen(text)));
    }
    return strbuf_take(&id);
}

char *dag_id_from_text(const char *text, size_t limit)
{
    return id_from_text(text, "-.", limit);
}

char *dag_task_id_from_text(const char *text, size_t limit)
{
    return id_from_text(text, "", limit);
}

int dag_id_fill_pattern(const char *pattern, const struct strmap *values, char **out,
                        struct error *err)
{
    auto_strbuf struct strbuf text = STRBUF_INIT;
    const char *at = pattern;

    while (*at) {
        const char *end = *at == '{' ? strchr(at, '}') : NULL;
        auto_free char *name = end ? xstrndup(at + 1, (size_t)(end - at - 1)) : NULL;

        if (!name) {
            strbuf_add_char(&text, *at++);
            continue;
        }
        if (!strmap_has(values, name))
            return error_set(err, ERR_CONFIG, "unknown name {%s} in '%s'", name, pattern);
        if (!*strmap_get(values, name))
            return error_set(err, ERR_CONFIG, "there is nothing for {%s} in '%s'", name, pattern);
        strbuf_add(&text, strmap_get(values, name));
        at = end + 1;
    }
    *out = strbuf_take(&text);
    return 0;
}
