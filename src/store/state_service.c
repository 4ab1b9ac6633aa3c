#include "store/state_service.h"

#include "store/state_backend_impl.h"

#include "base/json.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

/* --- reading ---------------------------------------------------------------------------------- */

int state_service_parse(const char *text, struct value **out, struct error *err)
{
    auto_value struct value *state = NULL;

    if (json_parse(text, strlen(text), NULL, &state, err) < 0) {
        err->code = ERR_STATE;
        return error_wrap(err, "invalid JSON provided");
    }
    if (!value_is_map(state))
        return error_set(err, ERR_STATE, "a state is a JSON object, not %s",
                         value_kind_name(value_kind(state)));
    *out = take(state);
    return 0;
}

int state_service_check(const struct value *state, struct error *err)
{
    if (value_find(state, "singer_state"))
        return 0;
    error_set(err, ERR_STATE,
              "invalid state format: singer_state not found in top level of provided state");
    return error_hint(err, "State must be valid JSON with a top-level 'singer_state' key. Use "
                           "--no-validate to bypass this check.");
}

int state_service_get(struct state_backend *backend, const char *state_id, struct value **out,
                      struct error *err)
{
    struct state_parts parts = {0};
    bool found;
    int failed;

    if (state_backend_read(backend, state_id, &parts, &found, err) < 0)
        return -1;
    failed = state_parts_merge(&parts, state_id, out, err);
    state_parts_clear(&parts);
    return failed;
}

/* --- writing ---------------------------------------------------------------------------------- */

static int edit(struct state_backend *backend, const char *state_id, const struct store_lock *lock,
                enum state_write kind, const struct value *state, const char *source,
                struct error *err)
{
    auto_free char *text = json_to_text(state, &json_python);
    struct state_change change = {
        .state_id = state_id,
        .lock = lock,
        .source = source,
        .kind = kind,
        .value = text,
        .adds_edit_row = true,
    };

    return state_change_make(backend->store, &backend->medium, &change, NULL, err);
}

int state_service_set(struct state_backend *backend, const char *state_id,
                      const struct store_lock *lock, const struct value *state, struct error *err)
{
    return edit(backend, state_id, lock, STATE_COMPLETE, state, "state set", err);
}

int state_service_merge(struct state_backend *backend, const char *state_id,
                        const struct store_lock *lock, const struct value *state, struct error *err)
{
    return edit(backend, state_id, lock, STATE_PARTIAL, state, "state merge", err);
}

/* verb is what the ledger says: "copy" or "move". */
static int transfer(struct state_backend *backend, const char *source_id, const char *target_id,
                    const struct store_lock *target_lock, const char *verb, struct error *err)
{
    auto_free char *source = xasprintf("state %s from %s", verb, source_id);
    auto_value struct value *state = NULL;

    if (!strcmp(source_id, target_id))
        return error_set(err, ERR_USAGE, "source and destination are the same state id");
    if (state_service_get(backend, source_id, &state, err) < 0 ||
        state_service_check(state, err) < 0)
        return -1;
    return edit(backend, target_id, target_lock, STATE_COMPLETE, state, source, err);
}

int state_service_copy(struct state_backend *backend, const char *source_id, const char *target_id,
                       const struct store_lock *target_lock, struct error *err)
{
    return transfer(backend, source_id, target_id, target_lock, "copy", err);
}

int state_service_move(struct state_backend *backend, const char *source_id,
                       const struct store_lock *source_lock, const char *target_id,
                       const struct store_lock *target_lock, struct error *err)
{
    if (transfer(backend, source_id, target_id, target_lock, "move", err) < 0)
        return -1;
    return state_backend_clear(backend, source_id, source_lock, err);
}

/* --- all at once ------------------------------------------------------------------------------ */

static int export_one(struct state_backend *backend, const char *state_id, struct value *map,
                      struct error *err)
{
    auto_value struct value *completed = NULL, *partial = NULL;
    struct state_parts parts = {0};
    struct value *entry;
    bool found;
    int failed;

    if (state_backend_read(backend, state_id, &parts, &found, err) < 0)
        return -1;
    failed = state_part_parse(parts.completed, state_id, &completed, err) < 0 ||
             state_part_parse(parts.partial, state_id, &partial, err) < 0;
    state_parts_clear(&parts);
    if (failed)
        return -1;
    entry = value_new_map();
    value_set_take(entry, "completed", take(completed));
    value_set_take(entry, "partial", take(partial));
    value_set_take(map, state_id, entry);
    return 0;
}

int state_service_export(struct state_backend *backend, struct value **out, struct error *err)
{
    auto_strlist struct strlist ids = STRLIST_INIT;
    auto_value struct value *map = value_new_map();

    if (state_backend_list(backend, &ids, err) < 0)
        return -1;
    for (size_t i = 0; i < ids.count; i++)
        if (export_one(backend, ids.items[i], map, err) < 0)
            return -1;
    *out = take(map);
    return 0;
}

static bool is_part(const struct value *part)
{
    return value_is_null(part) || value_is_map(part);
}

int state_service_check_export(const struct value *states, struct error *err)
{
    if (!value_is_map(states))
        return error_set(err, ERR_USAGE, "expected a JSON object, got %s",
                         value_kind_name(value_kind(states)));
    for (size_t i = 0; i < value_count(states); i++) {
        const struct value_member *member = value_member_at(states, i);

        if (!value_is_map(member->value) || !is_part(value_get(member->value, "completed")) ||
            !is_part(value_get(member->value, "partial")))
            return error_set(err, ERR_STATE,
                             "the state of '%s': {\"completed\": {...}, \"partial\": {...}} was "
                             "expected",
                             member->key);
    }
    return 0;
}

static char *part_text(const struct value *entry, const char *key)
{
    const struct value *part = value_get(entry, key);

    return value_is_map(part) ? json_to_text(part, &json_python) : xstrdup("{}");
}

int state_service_import(struct state_backend *backend, const char *state_id,
                         const struct store_lock *lock, const struct value *entry,
                         struct error *err)
{
    struct state_parts parts = {
        .completed = part_text(entry, "completed"),
        .partial = part_text(entry, "partial"),
    };
    struct state_change change = {
        .state_id = state_id,
        .lock = lock,
        .source = "state import",
        .parts = &parts,
    };
    int failed = state_change_make(backend->store, &backend->medium, &change, NULL, err);

    state_parts_clear(&parts);
    return failed;
}

/* --- versions --------------------------------------------------------------------------------- */

static int read_version(struct state_backend *backend, const char *state_id, int64_t version,
                        struct state_parts *out, struct error *err)
{
    bool found;

    if (store_state_version(backend->store, state_id, version, out, &found, err) < 0)
        return -1;
    if (found)
        return 0;
    error_set(err, ERR_STATE, "the state of '%s' has no version %lld", state_id,
              (long long)version);
    return error_hint(err, "'state history %s' lists its versions.", state_id);
}

int state_service_show(struct state_backend *backend, const char *state_id, int64_t version,
                       struct value **out, struct error *err)
{
    struct state_parts parts = {0};
    int failed;

    if (read_version(backend, state_id, version, &parts, err) < 0)
        return -1;
    failed = state_parts_merge(&parts, state_id, out, err);
    state_parts_clear(&parts);
    return failed;
}

static int roll_back(struct state_backend *backend, const char *state_id,
                     const struct store_lock *lock, const char *source,
                     const struct state_parts *parts, struct error *err)
{
    auto_value struct value *merged = NULL;
    auto_free char *text = NULL;
    struct state_change change = {
        .state_id = state_id,
        .lock = lock,
        .source = source,
        .parts = parts,
        .adds_edit_row = true,
    };

    if (state_parts_merge(parts, state_id, &merged, err) < 0)
        return -1;
    text = json_to_text(merged, &json_python);
    change.edit_value = text;
    return state_change_make(backend->store, &backend->medium, &change, NULL, err);
}

int state_service_rollback(struct state_backend *backend, const char *state_id,
                           const struct store_lock *lock, int64_t version, struct error *err)
{
    auto_free char *source = xasprintf("state rollback to %lld", (long long)version);
    struct state_parts parts = {0};
    int failed;

    if (read_version(backend, state_id, version, &parts, err) < 0)
        return -1;
    failed = roll_back(backend, state_id, lock, source, &parts, err);
    state_parts_clear(&parts);
    return failed;
}
