#include "config/expand.h"

#include "base/memory.h"
#include "base/strbuf.h"

#include <string.h>

struct reference {
    bool is_escaped, is_braced;
    const char *name;
    size_t name_length;
    const char *end; /* first byte after it */
};

/* Python's \w, which counts every letter of every script: here, all bytes beyond ASCII. */
static bool is_word_byte(char c)
{
    unsigned char byte = (unsigned char)c;

    return (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= 'a' && byte <= 'z') || byte == '_' || byte >= 0x80;
}

static bool is_bare_byte(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* Reads the reference that begins at text, if one does. */
static bool read_reference(const char *text, const char *end, struct reference *out)
{
    const char *at = text;

    out->is_escaped = at < end && *at == '\\';
    at += out->is_escaped;
    if (at == end || *at++ != '$' || at == end)
        return false;
    out->is_braced = *at == '{';
    if (out->is_braced) {
        out->name = ++at;
        while (at < end && is_word_byte(*at))
            at++;
        out->name_length = (size_t)(at - out->name);
        out->end = at + 1;
        return out->name_length && at < end && *at == '}';
    }
    if (*at < 'A' || *at > 'Z')
        return false;
    out->name = at;
    while (at < end && is_bare_byte(*at))
        at++;
    out->name_length = (size_t)(at - out->name);
    out->end = at;
    return true;
}

static const char *find_variable(const struct strmap *const *layers, const char *name)
{
    for (; *layers; layers++) {
        const char *value = strmap_get(*layers, name);

        if (value)
            return value;
    }
    return NULL;
}

static int add_reference(struct strbuf *out, const struct reference *reference,
                         const struct strmap *const *layers, enum expand_missing missing,
                         struct error *err)
{
    auto_free char *name = xstrndup(reference->name, reference->name_length);
    const char *value = reference->is_escaped ? NULL : find_variable(layers, name);

    if (value) {
        strbuf_add(out, value);
    } else if (reference->is_escaped || missing == EXPAND_MISSING_KEEP) {
        strbuf_addf(out, reference->is_braced ? "${%s}" : "$%s", name);
    } else if (missing == EXPAND_MISSING_REFUSE) {
        error_set(err, ERR_CONFIG, "Environment variable '%s' referenced but not set", name);
        return error_hint(err, "Make sure the environment variable is set, or turn "
                               "ff.strict_env_var_mode off.");
    }
    return 0;
}

static int expand_bytes(const char *text, size_t length, const struct strmap *const *layers,
                        enum expand_missing missing, struct strbuf *out, struct error *err)
{
    const char *end = text + length;

    while (text < end) {
        struct reference reference;
        const char *plain = text;

        while (text < end && *text != '$' && *text != '\\')
            text++;
        strbuf_add_bytes(out, plain, (size_t)(text - plain));
        if (text == end)
            break;
        if (!read_reference(text, end, &reference)) {
            strbuf_add_char(out, *text++);
            continue;
        }
        if (add_reference(out, &reference, layers, missing, err) < 0)
            return -1;
        text = reference.end;
    }
    return 0;
}

int expand_text_in(const char *text, const struct strmap *const *layers,
                   enum expand_missing missing, char **out, struct error *err)
{
    auto_strbuf struct strbuf expanded = STRBUF_INIT;

    if (expand_bytes(text, strlen(text), layers, missing, &expanded, err) < 0)
        return -1;
    *out = *text && !expanded.length ? NULL : strbuf_take(&expanded);
    return 0;
}

static int expand_at(const struct value *value, const struct strmap *const *layers,
                     enum expand_missing missing, bool is_nested, struct value **out,
                     struct error *err);

static int expand_list(const struct value *list, const struct strmap *const *layers,
                       enum expand_missing missing, struct value **out, struct error *err)
{
    auto_value struct value *expanded = value_new_list();

    for (size_t i = 0; i < value_count(list); i++) {
        struct value *item;

        if (expand_at(value_at(list, i), layers, missing, true, &item, err) < 0)
            return -1;
        value_append_take(expanded, item);
    }
    *out = take(expanded);
    return 0;
}

static int expand_map(const struct value *map, const struct strmap *const *layers,
                      enum expand_missing missing, struct value **out, struct error *err)
{
    auto_value struct value *expanded = value_new_map();

    for (size_t i = 0; i < value_count(map); i++) {
        const struct value_member *member = value_member_at(map, i);
        struct value *item;

        if (expand_at(member->value, layers, missing, true, &item, err) < 0)
            return -1;
        value_set_take(expanded, member->key, item);
    }
    *out = take(expanded);
    return 0;
}

static int expand_string(const struct value *string, const struct strmap *const *layers,
                         enum expand_missing missing, bool is_nested, struct value **out,
                         struct error *err)
{
    auto_strbuf struct strbuf text = STRBUF_INIT;

    if (expand_bytes(string->text.bytes, string->text.length, layers, missing, &text, err) < 0)
        return -1;
    if (!is_nested && string->text.length && !text.length)
        *out = NULL;
    else
        *out = value_new_bytes(strbuf_text(&text), text.length);
    return 0;
}

static int expand_at(const struct value *value, const struct strmap *const *layers,
                     enum expand_missing missing, bool is_nested, struct value **out,
                     struct error *err)
{
    struct value *expanded = NULL;
    int status = 0;

    switch (value_kind(value)) {
    case VALUE_STRING:
        status = expand_string(value, layers, missing, is_nested, &expanded, err);
        break;
    case VALUE_LIST:
        status = expand_list(value, layers, missing, &expanded, err);
        break;
    case VALUE_MAP:
        status = expand_map(value, layers, missing, &expanded, err);
        break;
    default:
        expanded = value_copy(value);
    }
    if (status < 0)
        return -1;
    if (expanded && value) {
        expanded->file = value->file;
        expanded->line = value->line;
        expanded->column = value->column;
    }
    *out = expanded;
    return 0;
}

int expand_value_in(const struct value *value, const struct strmap *const *layers,
                    enum expand_missing missing, struct value **out, struct error *err)
{
    return expand_at(value, layers, missing, false, out, err);
}

int expand_text(const char *text, const struct strmap *variables, enum expand_missing missing,
                char **out, struct error *err)
{
    return expand_text_in(text, (const struct strmap *const[]){variables, NULL}, missing, out, err);
}

char *expand_find_missing(const char *text, const struct strmap *variables)
{
    const char *end = text + strlen(text);

    while (text < end) {
        struct reference reference;
        auto_free char *name = NULL;

        if (!read_reference(text, end, &reference)) {
            text++;
            continue;
        }
        name = xstrndup(reference.name, reference.name_length);
        if (!reference.is_escaped && !strmap_has(variables, name))
            return take(name);
        text = reference.end;
    }
    return NULL;
}

bool expand_has_reference(const struct value *value)
{
    switch (value_kind(value)) {
    case VALUE_STRING:
        return memchr(value->text.bytes, '$', value->text.length) != NULL;
    case VALUE_LIST:
        for (size_t i = 0; i < value_count(value); i++)
            if (expand_has_reference(value_at(value, i)))
                return true;
        return false;
    case VALUE_MAP:
        for (size_t i = 0; i < value_count(value); i++)
            if (expand_has_reference(value_member_at(value, i)->value))
                return true;
        return false;
    default:
        return false;
    }
}
