#include "store/state_service.h"

#include "store/state_backend_impl.h"

#include "base/json.h"
#include "base/memory.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

/* --- reading ---------------------------------------------------------------------------------- */

static int merge_parts(const char *state_id, const struct state_parts *parts, char **out,
                       struct error *err)
{
    auto_free char *what = xasprintf("the state of '%s'", state_id);

    return state_merge_texts(parts->completed, parts->partial, what, out, err);
}

int state_service_get(struct state_backend *backend, const char *state_id, char **out,
                      struct error *err)
{
    struct state_parts parts = {0};
    bool found;
    int failed;

    if (state_backend_read(backend, state_id, &parts, &found, err) < 0)
        return -1;
    failed = merge_parts(state_id, &parts, out, err);
    state_parts_clear(&parts);
    return failed;
}

void state_summary_list_clear(struct state_summary_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i].state_id);
    free(list->items);
    *list = (struct state_summary_list){0};
}

static bool has_singer_state(const char *text)
{
    auto_value struct value *value = NULL;
    struct error ignored = {0};

    return !json_parse(text, strlen(text), NULL, &value, &ignored) &&
           value_find(value, "singer_state");
}

/* One state that cannot be read must not hide the others from the list. */
static enum state_condition find_condition(struct state_backend *backend, const char *state_id)
{
    auto_free char *text = NULL;
    struct error ignored = {0};

    if (state_service_get(backend, state_id, &text, &ignored) < 0)
        return STATE_INVALID;
    if (!strcmp(text, "{}"))
        return STATE_EMPTY;
    return has_singer_state(text) ? STATE_VALID : STATE_INVALID;
}

int state_service_list(struct state_backend *backend, const char *pattern,
                       struct state_summary_list *out, struct error *err)
{
    auto_strlist struct strlist ids = STRLIST_INIT;

    if (state_backend_list(backend, &ids, err) < 0)
        return -1;
    for (size_t i = 0; i < ids.count; i++) {
        if (pattern && fnmatch(pattern, ids.items[i], FNM_NOESCAPE))
            continue;
        GROW(out->items, out->count, out->capacity);
        out->items[out->count++] = (struct state_summary){
            .state_id = xstrdup(ids.items[i]),
            .condition = find_condition(backend, ids.items[i]),
        };
    }
    return 0;
}

/* --- writing ---------------------------------------------------------------------------------- */

static int parse_state(const char *text, bool validate, char **out, struct error *err)
{
    auto_value struct value *value = NULL;

    if (json_parse(text, strlen(text), NULL, &value, err) < 0) {
        err->code = ERR_STATE;
        return error_wrap(err, "Invalid JSON provided");
    }
    if (!value_is_map(value))
        return error_set(err, ERR_STATE, "Invalid state format: a JSON object was expected, not %s",
                         value_kind_name(value_kind(value)));
    if (validate && !value_find(value, "singer_state")) {
        error_set(err, ERR_STATE,
                  "Invalid state format: singer_state not found in top level of provided state");
        return error_hint(err, "State must be valid JSON with a top-level 'singer_state' key. Use "
                               "--no-validate to bypass this check.");
    }
    *out = json_to_text(value, &json_python);
    return 0;
}

static int edit(struct state_backend *backend, const char *state_id, enum state_write kind,
                const char *text, bool validate, const char *source, struct error *err)
{
    auto_free char *value = NULL;
    struct state_change change = {
        .state_id = state_id,
        .source = source,
        .kind = kind,
        .adds_edit_row = true,
    };

    if (parse_state(text, validate, &value, err) < 0)
        return -1;
    change.value = value;
    return state_backend_change(backend, &change, NULL, err);
}

int state_service_set(struct state_backend *backend, const char *state_id, const char *text,
                      bool validate, struct error *err)
{
    return edit(backend, state_id, STATE_COMPLETE, text, validate, "state set", err);
}

int state_service_merge(struct state_backend *backend, const char *state_id, const char *text,
                        struct error *err)
{
    return edit(backend, state_id, STATE_PARTIAL, text, true, "state merge", err);
}

int state_service_merge_from(struct state_backend *backend, const char *state_id,
                             const char *source_id, struct error *err)
{
    auto_free char *text = NULL;
    auto_free char *source = xasprintf("state merge from %s", source_id);

    if (state_service_get(backend, source_id, &text, err) < 0)
        return -1;
    return edit(backend, state_id, STATE_PARTIAL, text, true, source, err);
}

int state_service_copy(struct state_backend *backend, const char *source_id, const char *target_id,
                       struct error *err)
{
    auto_free char *text = NULL;
    auto_free char *source = xasprintf("state copy from %s", source_id);

    if (state_service_get(backend, source_id, &text, err) < 0)
        return -1;
    return edit(backend, target_id, STATE_COMPLETE, text, true, source, err);
}

int state_service_move(struct state_backend *backend, const char *source_id, const char *target_id,
                       struct error *err)
{
    auto_free char *text = NULL;
    auto_free char *source = xasprintf("state move from %s", source_id);

    if (!strcmp(source_id, target_id))
        return error_set(err, ERR_USAGE, "the state of '%s' cannot be moved to itself", source_id);
    if (state_service_get(backend, source_id, &text, err) < 0 ||
        edit(backend, target_id, STATE_COMPLETE, text, true, source, err) < 0)
        return -1;
    return state_backend_clear(backend, source_id, err);
}

int state_service_clear(struct state_backend *backend, const char *state_id, struct error *err)
{
    return state_backend_clear(backend, state_id, err);
}

int state_service_clear_all(struct state_backend *backend, size_t *count, struct error *err)
{
    auto_strlist struct strlist ids = STRLIST_INIT;

    if (state_backend_list(backend, &ids, err) < 0)
        return -1;
    for (size_t i = 0; i < ids.count; i++)
        if (state_backend_clear(backend, ids.items[i], err) < 0)
            return -1;
    *count = ids.count;
    return 0;
}

/* --- all at once ------------------------------------------------------------------------------ */

static int parse_part(const char *text, struct value *entry, const char *key, struct error *err)
{
    struct value *part;

    if (json_parse(text, strlen(text), NULL, &part, err) < 0)
        return -1;
    value_set_take(entry, key, part);
    return 0;
}

static int export_one(struct state_backend *backend, const char *state_id, struct value *map,
                      struct error *err)
{
    struct value *entry = value_new_map();
    struct state_parts parts = {0};
    bool found;
    int failed;

    value_set_take(map, state_id, entry);
    if (state_backend_read(backend, state_id, &parts, &found, err) < 0)
        return -1;
    failed = parse_part(parts.completed, entry, "completed", err) < 0 ||
             parse_part(parts.partial, entry, "partial", err) < 0;
    state_parts_clear(&parts);
    return failed ? error_wrap(err, "the state of '%s'", state_id) : 0;
}

int state_service_export(struct state_backend *backend, char **out, struct error *err)
{
    auto_strlist struct strlist ids = STRLIST_INIT;
    auto_value struct value *map = value_new_map();
    struct json_style style = json_compact;

    if (state_backend_list(backend, &ids, err) < 0)
        return -1;
    for (size_t i = 0; i < ids.count; i++)
        if (export_one(backend, ids.items[i], map, err) < 0)
            return -1;
    style.ascii = true;
    *out = json_to_text(map, &style);
    return 0;
}

static int check_import_part(const struct value *entry, const char *state_id, const char *key,
                             struct error *err)
{
    const struct value *part = value_get(entry, key);

    if (value_is_null(part) || value_is_map(part))
        return 0;
    return error_set(err, ERR_STATE, "'%s' of '%s': a JSON object was expected, not %s", key,
                     state_id, value_kind_name(value_kind(part)));
}

static int check_import(const struct value *map, struct error *err)
{
    for (size_t i = 0; i < value_count(map); i++) {
        const struct value_member *member = value_member_at(map, i);

        if (!value_is_map(member->value))
            return error_set(err, ERR_STATE, "'%s': a JSON object was expected, not %s",
                             member->key, value_kind_name(value_kind(member->value)));
        if (check_import_part(member->value, member->key, "completed", err) < 0 ||
            check_import_part(member->value, member->key, "partial", err) < 0)
            return -1;
    }
    return 0;
}

static char *part_text(const struct value *entry, const char *key)
{
    const struct value *part = value_get(entry, key);

    return value_is_map(part) ? json_to_text(part, &json_python) : xstrdup("{}");
}

static int import_one(struct state_backend *backend, const struct value_member *member,
                      struct error *err)
{
    struct state_parts parts = {
        .completed = part_text(member->value, "completed"),
        .partial = part_text(member->value, "partial"),
    };
    struct state_change change = {
        .state_id = member->key, .source = "state import", .parts = &parts};
    int failed = state_backend_change(backend, &change, NULL, err);

    state_parts_clear(&parts);
    return failed;
}

int state_service_import(struct state_backend *backend, const char *text, size_t *count,
                         struct error *err)
{
    auto_value struct value *map = NULL;

    if (json_parse(text, strlen(text), NULL, &map, err) < 0) {
        err->code = ERR_STATE;
        return error_wrap(err, "Invalid JSON");
    }
    if (!value_is_map(map))
        return error_set(err, ERR_USAGE, "expected a JSON object, got %s",
                         value_kind_name(value_kind(map)));
    if (check_import(map, err) < 0)
        return -1;
    for (size_t i = 0; i < value_count(map); i++)
        if (import_one(backend, value_member_at(map, i), err) < 0)
            return -1;
    *count = value_count(map);
    return 0;
}

/* --- versions --------------------------------------------------------------------------------- */

static int read_version(struct state_backend *backend, const char *state_id, int64_t version,
                        struct state_parts *out, struct error *err)
{
    bool found;

    if (version == STATE_VERSION_NOW)
        return state_backend_read(backend, state_id, out, &found, err);
    if (store_state_version(backend->store, state_id, version, out, &found, err) < 0)
        return -1;
    if (found)
        return 0;
    error_set(err, ERR_USAGE, "the state of '%s' has no version %lld", state_id,
              (long long)version);
    return error_hint(err, "List its versions with 'state history %s'.", state_id);
}

int state_service_show(struct state_backend *backend, const char *state_id, int64_t version,
                       char **out, struct error *err)
{
    struct state_parts parts = {0};
    int failed;

    if (read_version(backend, state_id, version, &parts, err) < 0)
        return -1;
    failed = merge_parts(state_id, &parts, out, err);
    state_parts_clear(&parts);
    return failed;
}

int state_service_rollback(struct state_backend *backend, const char *state_id, int64_t version,
                           int64_t *new_version, struct error *err)
{
    auto_free char *merged = NULL;
    auto_free char *source = xasprintf("state rollback to %lld", (long long)version);
    struct state_parts parts = {0};
    struct state_change change = {
        .state_id = state_id,
        .source = source,
        .parts = &parts,
        .adds_edit_row = true,
    };
    int failed;

    if (read_version(backend, state_id, version, &parts, err) < 0)
        return -1;
    failed = merge_parts(state_id, &parts, &merged, err);
    change.edit_value = merged;
    if (!failed)
        failed = state_backend_change(backend, &change, new_version, err);
    state_parts_clear(&parts);
    return failed;
}

static void add_change(struct value *changes, const char *path, const struct value *before,
                       const struct value *after)
{
    struct value *change = value_new_map();

    value_set_string(change, "path", path);
    if (before)
        value_set_take(change, "before", value_copy(before));
    if (after)
        value_set_take(change, "after", value_copy(after));
    value_append_take(changes, change);
}

static void compare(struct value *changes, const char *path, const struct value *before,
                    const struct value *after);

static void compare_member(struct value *changes, const char *path, const char *key,
                           const struct value *before, const struct value *after)
{
    auto_free char *member_path = xasprintf("%s%s%s", path, *path ? "." : "", key);

    compare(changes, member_path, value_get(before, key), value_get(after, key));
}

/* Objects are compared member by member; everything else is one value. */
static void compare(struct value *changes, const char *path, const struct value *before,
                    const struct value *after)
{
    if (!value_is_map(before) || !value_is_map(after)) {
        if (!before || !after || !value_is_equal(before, after))
            add_change(changes, path, before, after);
        return;
    }
    for (size_t i = 0; i < value_count(before); i++)
        compare_member(changes, path, value_member_at(before, i)->key, before, after);
    for (size_t i = 0; i < value_count(after); i++) {
        const char *key = value_member_at(after, i)->key;

        if (!value_find(before, key))
            compare_member(changes, path, key, before, after);
    }
}

static int read_merged_version(struct state_backend *backend, const char *state_id, int64_t version,
                               struct value **out, struct error *err)
{
    auto_free char *text = NULL;

    if (!version)
        text = xstrdup("{}");
    else if (state_service_show(backend, state_id, version, &text, err) < 0)
        return -1;
    return json_parse(text, strlen(text), NULL, out, err);
}

int state_service_diff(struct state_backend *backend, const char *state_id, int64_t from,
                       int64_t to, struct value **changes, struct error *err)
{
    auto_value struct value *before = NULL, *after = NULL;

    if (read_merged_version(backend, state_id, from, &before, err) < 0 ||
        read_merged_version(backend, state_id, to, &after, err) < 0)
        return -1;
    *changes = value_new_list();
    compare(*changes, "", before, after);
    return 0;
}
