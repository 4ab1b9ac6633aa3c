#include "store/db.h"

#include "base/clock.h"
#include "base/deadline.h"
#include "base/memory.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* How often a transaction is run again, and how long a lost connection is looked for. */
#define MAX_ATTEMPTS       4
#define RECONNECT_LIMIT_MS 3000

struct db_value db_null(void)
{
    return (struct db_value){.type = DB_NULL};
}

struct db_value db_int(int64_t number)
{
    return (struct db_value){.type = DB_INT, .number = number};
}

struct db_value db_text(const char *text)
{
    if (!text)
        return db_null();
    return db_slice(text, strlen(text));
}

struct db_value db_slice(const char *text, size_t length)
{
    return (struct db_value){.type = DB_TEXT, .bytes = text, .size = length};
}

struct db_value db_bytes(const void *bytes, size_t size)
{
    return (struct db_value){.type = DB_BYTES, .bytes = bytes, .size = size};
}

struct db_value db_time(int64_t time_us)
{
    if (!time_us)
        return db_null();
    return (struct db_value){.type = DB_TIME, .number = time_us};
}

struct db_value db_uuid(const char *uuid)
{
    if (!uuid || !*uuid)
        return db_null();
    return (struct db_value){.type = DB_UUID, .bytes = uuid};
}

void db_rows_clear(struct db_rows *rows)
{
    for (size_t i = 0; i < rows->count * rows->columns; i++)
        free(rows->cells[i].bytes);
    free(rows->cells);
    *rows = (struct db_rows)DB_ROWS_INIT;
}

struct db_cell *db_rows_add(struct db_rows *rows, size_t columns)
{
    struct db_cell *row;

    assert(!rows->count || rows->columns == columns);
    rows->columns = columns;
    if ((rows->count + 1) * columns > rows->capacity) {
        rows->capacity = rows->capacity ? 2 * rows->capacity : 4 * columns;
        rows->cells = xrealloc(rows->cells, rows->capacity * sizeof *rows->cells);
    }
    row = rows->cells + rows->count++ * columns;
    memset(row, 0, columns * sizeof *row);
    return row;
}

const struct db_cell *db_rows_cell(const struct db_rows *rows, size_t row, size_t column)
{
    assert(row < rows->count && column < rows->columns);
    return &rows->cells[row * rows->columns + column];
}

const char *db_rows_text(const struct db_rows *rows, size_t row, size_t column)
{
    return db_rows_cell(rows, row, column)->bytes;
}

char *db_rows_take_text(struct db_rows *rows, size_t row, size_t column)
{
    assert(row < rows->count && column < rows->columns);
    return take(rows->cells[row * rows->columns + column].bytes);
}

int64_t db_rows_int(const struct db_rows *rows, size_t row, size_t column)
{
    const char *text = db_rows_text(rows, row, column);

    return text ? strtoll(text, NULL, 10) : 0;
}

int64_t db_rows_time(const struct db_rows *rows, size_t row, size_t column)
{
    const char *text = db_rows_text(rows, row, column);
    int64_t time_us;

    return text && !clock_parse(text, &time_us) ? time_us : 0;
}

void db_rows_uuid(const struct db_rows *rows, size_t row, size_t column, char out[UUID_TEXT_SIZE])
{
    const char *text = db_rows_text(rows, row, column);

    if (!text || !uuid_parse(text, out))
        out[0] = '\0';
}

/* Times and UUIDs as the texts that both databases read into their columns. */
static void plain_values(const struct db_value *values, size_t count, struct db_value *plain,
                         struct strbuf *texts)
{
    size_t offsets[DB_MAX_VALUES];

    assert(count <= DB_MAX_VALUES);
    for (size_t i = 0; i < count; i++) {
        char uuid[UUID_TEXT_SIZE], hex[UUID_HEX_SIZE];

        offsets[i] = texts->length;
        if (values[i].type == DB_TIME) {
            strbuf_add_sql_time(texts, values[i].number);
        } else if (values[i].type == DB_UUID && uuid_parse(values[i].bytes, uuid)) {
            uuid_to_hex(uuid, hex);
            strbuf_add(texts, hex);
        }
        strbuf_add_char(texts, '\0');
    }
    for (size_t i = 0; i < count; i++) {
        plain[i] = values[i];
        if (values[i].type == DB_TIME || values[i].type == DB_UUID)
            plain[i] = db_text(texts->text + offsets[i]);
    }
}

static int query_once(struct db *db, const char *sql, const struct db_value *values, size_t count,
                      struct db_rows *rows, struct error *err)
{
    db->failure = DB_FAILURE_NONE;
    if (rows)
        db_rows_clear(rows);
    return db->driver->query(db, sql, values, count, rows, err);
}

static int tell_reconnected(struct db *db, struct error *err)
{
    int failed;

    db->is_reconnecting = true;
    failed = db->reconnected(db->context, err);
    db->is_reconnecting = false;
    return failed;
}

/* Connects anew, for as long as a server takes that is being restarted. */
static int reconnect(struct db *db, struct error *err)
{
    int64_t deadline = clock_monotonic_ms() + deadline_left_ms(RECONNECT_LIMIT_MS);

    db->driver->disconnect(db);
    for (int64_t pause_ms = 50;; pause_ms *= 2) {
        if (!db->driver->connect(db, err))
            return tell_reconnected(db, err);
        if (db->failure != DB_FAILURE_CONNECTION || clock_monotonic_ms() + pause_ms > deadline)
            return -1;
        deadline_sleep_ms(pause_ms);
    }
}

int db_query(struct db *db, const char *sql, const struct db_value *values, size_t count,
             struct db_rows *rows, struct error *err)
{
    struct db_value plain[DB_MAX_VALUES];
    auto_strbuf struct strbuf texts = STRBUF_INIT;

    plain_values(values, count, plain, &texts);
    if (!query_once(db, sql, plain, count, rows, err))
        return 0;
    if (db->in_transaction || db->is_reconnecting || db->failure != DB_FAILURE_CONNECTION ||
        reconnect(db, err) < 0)
        return -1;
    return query_once(db, sql, plain, count, rows, err);
}

enum outcome { OUTCOME_DONE, OUTCOME_FAILED, OUTCOME_UNKNOWN };

static enum outcome run_transaction(struct db *db, enum db_durability durability, db_work *work,
                                    void *context, struct error *err)
{
    int failed;

    db->failure = DB_FAILURE_NONE;
    if (db->driver->begin(db, durability, err) < 0) {
        /* It may have begun nevertheless. */
        db->driver->rollback(db);
        return OUTCOME_FAILED;
    }
    db->in_transaction = true;
    failed = work(db, context, err);
    db->in_transaction = false;
    if (failed) {
        db->driver->rollback(db);
        return OUTCOME_FAILED;
    }
    if (!db->driver->commit(db, err))
        return OUTCOME_DONE;
    if (db->failure == DB_FAILURE_CONNECTION)
        return OUTCOME_UNKNOWN;
    db->driver->rollback(db);
    return OUTCOME_FAILED;
}

int db_transaction(struct db *db, enum db_durability durability, db_work *work, void *context,
                   struct error *err)
{
    assert(!db->in_transaction);
    for (int attempt = 1;; attempt++) {
        enum outcome outcome = run_transaction(db, durability, work, context, err);

        if (outcome == OUTCOME_DONE)
            return 0;
        if (db->failure == DB_FAILURE_CONNECTION) {
            if (attempt == MAX_ATTEMPTS || reconnect(db, err) < 0)
                return -1;
            if (outcome == OUTCOME_UNKNOWN && db->driver->was_committed(db))
                return 0;
        } else if (db->failure != DB_FAILURE_CONFLICT || attempt == MAX_ATTEMPTS) {
            return -1;
        }
    }
}
