#include "store/legacy_state.h"

#include "store/state_change.h"
#include "store/store.h"

#include "base/json.h"
#include "base/memory.h"
#include "base/value.h"

#include <string.h>

SQL_DECLARE(legacy_ids);
SQL_DECLARE(legacy_payloads);
SQL_DECLARE(legacy_state_add);

static bool has_flag(const struct db_rows *rows, size_t row, enum payload_flag flag)
{
    return (db_rows_int(rows, row, 1) & flag) != 0;
}

/* Payloads without state, and those that cannot be read, count for nothing. */
static void merge_payload(const char *payload, struct value *into)
{
    auto_value struct value *value = NULL;
    struct error ignored = {0};

    if (payload && !json_parse(payload, strlen(payload), NULL, &value, &ignored) &&
        value_find(value, "singer_state"))
        value_merge(into, value);
}

/* The newest complete state, and onto it the incomplete ones that came later, oldest first. The
 * rows are sorted by their end. */
static void merge_history(const struct db_rows *rows, struct value *state)
{
    size_t newest = rows->count;

    for (size_t i = 0; i < rows->count; i++)
        if (has_flag(rows, i, PAYLOAD_STATE))
            newest = i;
    if (newest < rows->count)
        merge_payload(db_rows_text(rows, newest, 0), state);
    for (size_t i = 0; i < rows->count; i++) {
        bool is_later =
            newest == rows->count || db_rows_time(rows, i, 2) > db_rows_time(rows, newest, 2);

        if (is_later && has_flag(rows, i, PAYLOAD_INCOMPLETE_STATE))
            merge_payload(db_rows_text(rows, i, 0), state);
    }
}

static int fill_one(struct db *db, const char *state_id, struct error *err)
{
    auto_db_rows struct db_rows rows = DB_ROWS_INIT;
    auto_value struct value *state = value_new_map();
    auto_free char *text = NULL;

    if (db_query(db, SQL(legacy_payloads), DB_VALUES(db_text(state_id)), &rows, err) < 0)
        return -1;
    merge_history(&rows, state);
    text = json_to_text(state, &json_python);
    return db_query(db, SQL(legacy_state_add), DB_VALUES(db_text(state_id), db_text(text)), NULL,
                    err);
}

int legacy_state_fill(struct db *db, struct error *err)
{
    auto_db_rows struct db_rows ids = DB_ROWS_INIT;

    if (db_query(db, SQL(legacy_ids), DB_NO_VALUES, &ids, err) < 0)
        return -1;
    for (size_t i = 0; i < ids.count; i++)
        if (fill_one(db, db_rows_text(&ids, i, 0), err) < 0)
            return -1;
    return 0;
}
