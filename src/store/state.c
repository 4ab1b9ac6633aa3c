/* State in the system database, and its history. */
#include "store/ledger.h"
#include "store/store_impl.h"

#include "base/json.h"
#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

SQL_DECLARE(state_ids);
SQL_DECLARE(history_list);
SQL_DECLARE(history_find);
SQL_DECLARE(history_oldest);
SQL_DECLARE(history_prune);
SQL_DECLARE(values_prune);

void state_parts_clear(struct state_parts *parts)
{
    free(parts->completed);
    free(parts->partial);
    *parts = (struct state_parts){0};
}

int state_part_parse(const char *text, const char *state_id, struct value **out, struct error *err)
{
    if (json_parse(text, strlen(text), NULL, out, err) == 0)
        return 0;
    err->code = ERR_STATE;
    error_wrap(err, "the stored state of '%s'", state_id);
    return error_hint(err, "'meltshim state history' lists what it was before, 'state rollback' "
                           "and 'state set' replace it.");
}

int state_parts_merge(const struct state_parts *parts, const char *state_id, struct value **out,
                      struct error *err)
{
    auto_value struct value *completed = NULL, *partial = NULL;

    if (state_part_parse(parts->completed, state_id, &completed, err) < 0 ||
        state_part_parse(parts->partial, state_id, &partial, err) < 0)
        return -1;
    value_merge(completed, partial);
    *out = take(completed);
    return 0;
}

int store_state_list(struct store *store, struct strlist *out, struct error *err)
{
    auto_db_rows struct db_rows rows = DB_ROWS_INIT;

    if (store_select(store, SCHEMA_MELTANO_TABLES, SQL(state_ids), DB_NO_VALUES, &rows, err) < 0)
        return -1;
    for (size_t i = 0; i < rows.count; i++)
        strlist_add(out, db_rows_text(&rows, i, 0));
    strlist_sort(out);
    return 0;
}

void state_version_list_clear(struct state_version_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->items[i].kind);
        free(list->items[i].source);
    }
    free(list->items);
    *list = (struct state_version_list){0};
}

int store_state_history(struct store *store, const char *state_id, size_t limit,
                        struct state_version_list *out, struct error *err)
{
    auto_db_rows struct db_rows rows = DB_ROWS_INIT;

    if (store_select(store, SCHEMA_ALL_TABLES, SQL(history_list),
                     DB_VALUES(db_text(state_id), db_int(limit ? (int64_t)limit : INT64_MAX)),
                     &rows, err) < 0)
        return -1;
    for (size_t i = 0; i < rows.count; i++) {
        struct state_version *item;

        GROW(out->items, out->count, out->capacity);
        item = &out->items[out->count++];
        *item = (struct state_version){
            .version = db_rows_int(&rows, i, 0),
            .written_at_us = db_rows_time(&rows, i, 1),
            .kind = xstrdup(db_rows_text(&rows, i, 2)),
            .source = xstrdup(db_rows_text(&rows, i, 3)),
        };
        db_rows_uuid(&rows, i, 4, item->run_id);
        snprintf(item->completed_hash, sizeof item->completed_hash, "%s",
                 db_rows_text(&rows, i, 5));
        snprintf(item->partial_hash, sizeof item->partial_hash, "%s", db_rows_text(&rows, i, 6));
    }
    return 0;
}

int store_state_version(struct store *store, const char *state_id, int64_t version,
                        struct state_parts *out, bool *found, struct error *err)
{
    auto_db_rows struct db_rows rows = DB_ROWS_INIT;
    struct state_parts parts = {0};

    if (store_select(store, SCHEMA_ALL_TABLES, SQL(history_find),
                     DB_VALUES(db_text(state_id), db_int(version)), &rows, err) < 0)
        return -1;
    *found = rows.count > 0;
    if (!*found)
        return 0;
    if (ledger_read_value(&store->db, db_rows_text(&rows, 0, 0), &parts.completed, err) < 0 ||
        ledger_read_value(&store->db, db_rows_text(&rows, 0, 1), &parts.partial, err) < 0) {
        state_parts_clear(&parts);
        return error_wrap(err, "cannot read version %lld of '%s'", (long long)version, state_id);
    }
    *out = parts;
    return 0;
}

int store_history_oldest(struct store *store, const char *state_id, int64_t *version,
                         struct error *err)
{
    auto_db_rows struct db_rows rows = DB_ROWS_INIT;

    if (db_query(&store->db, SQL(history_oldest), DB_VALUES(db_text(state_id)), &rows, err) < 0)
        return -1;
    *version = rows.count ? db_rows_int(&rows, 0, 0) : 0;
    return 0;
}

struct prune_work {
    const char *state_id;
    int64_t keep;
    int64_t removed;
};

static int prune(struct db *db, void *context, struct error *err)
{
    struct prune_work *work = context;
    struct db_rows changed = DB_ROWS_INIT;
    int failed = 0;

    if (db->driver->values_lock_sql &&
        db_query(db, db->driver->values_lock_sql, DB_NO_VALUES, NULL, err) < 0)
        return -1;
    if (db_query(db, SQL(history_prune), DB_VALUES(db_text(work->state_id), db_int(work->keep)),
                 &changed, err) < 0)
        return -1;
    work->removed = changed.changed;
    while (!failed && changed.changed)
        failed = db_query(db, SQL(values_prune), DB_NO_VALUES, &changed, err);
    db_rows_clear(&changed);
    return failed;
}

int store_history_prune(struct store *store, const char *state_id, int64_t keep, int64_t *removed,
                        struct error *err)
{
    struct prune_work work = {.state_id = state_id, .keep = keep};

    if (store_transaction(store, DB_RELAXED, prune, &work, err) < 0)
        return -1;
    *removed = work.removed;
    return 0;
}
