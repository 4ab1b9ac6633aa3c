#include "project/check.h"

#include "base/memory.h"
#include "base/position.h"
#include "base/strbuf.h"

#include <string.h>

int check_entry(const struct value *entry, const char *what, struct error *err)
{
    if (value_is_map(entry))
        return 0;
    error_set_at(err, ERR_CONFIG, entry, "%s must be a mapping, not %s", what,
                 value_kind_name(value_kind(entry)));
    return error_hint(err, "Write 'name: ...' and its other keys below it.");
}

static bool is_listed(const char *key, const char *const *allowed)
{
    for (; *allowed; allowed++)
        if (!strcmp(key, *allowed))
            return true;
    return false;
}

int check_keys(const struct value *entry, const char *what, const char *const *allowed,
               struct error *err)
{
    for (size_t i = 0; i < value_count(entry); i++) {
        const char *key = value_member_at(entry, i)->key;
        auto_strbuf struct strbuf known = STRBUF_INIT;

        if (is_listed(key, allowed))
            continue;
        for (size_t k = 0; allowed[k]; k++)
            strbuf_addf(&known, "%s%s", k ? ", " : "", allowed[k]);
        error_set_at_key(err, ERR_CONFIG, entry, key, "unknown key '%s' in %s", key, what);
        return error_hint(err, "Remove it; the keys are %s.", strbuf_text(&known));
    }
    return 0;
}

static int refuse_kind(const struct value *value, const char *what, const char *key,
                       const char *expected, struct error *err)
{
    return error_set_at(err, ERR_CONFIG, value, "'%s' of %s must be %s, not %s", key, what,
                        expected, value_kind_name(value_kind(value)));
}

int check_map(const struct value *entry, const char *what, const char *key, struct value **out,
              struct error *err)
{
    struct value *value = value_get(entry, key);

    *out = NULL;
    if (!value_is_truthy(value))
        return 0;
    if (!value_is_map(value)) {
        refuse_kind(value, what, key, "a mapping", err);
        return error_hint(err, "Write the keys below '%s:', indented, each as 'key: value'.", key);
    }
    *out = value;
    return 0;
}

int check_list(const struct value *entry, const char *what, const char *key, struct value **out,
               struct error *err)
{
    struct value *value = value_get(entry, key);

    *out = NULL;
    if (!value_is_truthy(value))
        return 0;
    if (!value_is_list(value)) {
        refuse_kind(value, what, key, "a list", err);
        return error_hint(err, "Write the items below '%s:', each after '- '.", key);
    }
    *out = value;
    return 0;
}

int check_iterable(const struct value *entry, const char *what, const char *key,
                   const struct value **out, struct error *err)
{
    const struct value *value = value_get(entry, key);
    bool is_empty = (value_is_map(value) && !value_count(value)) ||
                    (value_is_string(value) && !*value_text(value));

    *out = NULL;
    if (is_empty)
        return 0;
    if (!value_is_list(value)) {
        error_set_at_key(err, ERR_CONFIG, entry, key, "'%s' of %s must be a list, not %s", key,
                         what, value_kind_name(value_kind(value)));
        return error_hint(err, "List the entries below it, each as '- name: ...', or remove the "
                               "line.");
    }
    *out = value;
    return 0;
}

int check_text(const struct value *entry, const char *what, const char *key, char **out,
               struct error *err)
{
    const struct value *value = value_get(entry, key);
    struct strbuf text = STRBUF_INIT;

    *out = NULL;
    if (value_is_null(value))
        return 0;
    if (value_is_map(value) || value_is_list(value)) {
        refuse_kind(value, what, key, "a text", err);
        return error_hint(err, "Put a text that begins with [ or { in quotes.");
    }
    strbuf_add_py_str(&text, value);
    *out = strbuf_take(&text);
    return 0;
}

int check_required_text(const struct value *entry, const char *what, const char *key, char **out,
                        struct error *err)
{
    if (check_text(entry, what, key, out, err) < 0)
        return -1;
    if (*out)
        return 0;
    error_set_at(err, ERR_CONFIG, entry, "%s has no '%s'", what, key);
    return error_hint(err, "Add '%s: ...'.", key);
}

int check_texts(const struct value *entry, const char *what, const char *key, struct strlist *out,
                struct error *err)
{
    struct value *list;

    if (check_list(entry, what, key, &list, err) < 0)
        return -1;
    for (size_t i = 0; i < value_count(list); i++) {
        const struct value *item = value_at(list, i);
        struct strbuf text = STRBUF_INIT;

        if (value_is_map(item) || value_is_list(item) || value_is_null(item)) {
            error_set_at(err, ERR_CONFIG, item, "'%s' of %s must be a list of texts; this is %s",
                         key, what, value_kind_name(value_kind(item)));
            return error_hint(err, "Write one text after each '- '.");
        }
        strbuf_add_py_str(&text, item);
        strlist_add_take(out, strbuf_take(&text));
    }
    return 0;
}

int check_name(const struct value *entry, const char *what, char **out, struct error *err)
{
    const struct value *name = value_get(entry, "name");

    if (check_entry(entry, what, err) < 0)
        return -1;
    if (value_is_null(name)) {
        error_set_at(err, ERR_CONFIG, entry, "%s has no name", what);
        return error_hint(err, "Add 'name: ...'.");
    }
    if (!value_is_string(name)) {
        refuse_kind(name, what, "name", "a text", err);
        return error_hint(err, "Put the name in quotes.");
    }
    if (strchr(value_text(name), ':')) {
        error_set_at(err, ERR_CONFIG, name, "the name '%s' of %s contains ':'", value_text(name),
                     what);
        return error_hint(err, "Choose a name without ':', which separates the parts of a state "
                               "ID.");
    }
    *out = xstrdup(value_text(name));
    return 0;
}

static bool goes_up(const char *text)
{
    while (*text) {
        size_t length = strcspn(text, "/");

        if (length == 2 && !strncmp(text, "..", 2))
            return true;
        text += length + (text[length] == '/');
    }
    return false;
}

int check_path_part(const struct value *entry, const char *what, const char *key, struct error *err)
{
    const struct value *value = value_get(entry, key);
    const char *text = value_text(value);

    if (!text || (*text != '/' && !goes_up(text)))
        return 0;
    error_set_at(err, ERR_CONFIG, value, "'%s' of %s leads out of the project: '%s'", key, what,
                 text);
    return error_hint(err, "Choose a text without '..' and without '/' at its beginning: files and "
                           "directories are named after it.");
}
