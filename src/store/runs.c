/* Rows of runs, and the run records beside them. */
#include "store/store_impl.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/value.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

SQL_DECLARE(run_begin);
SQL_DECLARE(run_own_begin);
SQL_DECLARE(run_heartbeat);
SQL_DECLARE(run_finish);
SQL_DECLARE(run_finish_late);
SQL_DECLARE(run_payload_late);
SQL_DECLARE(run_record);
SQL_DECLARE(run_payload);
SQL_DECLARE(run_fail_stale);
SQL_DECLARE(run_close);
SQL_DECLARE(runs_stale);
SQL_DECLARE(runs_running);
SQL_DECLARE(runs_abandoned);
SQL_DECLARE(runs_list);
SQL_DECLARE(runs_find);
SQL_DECLARE(runs_last_success);
SQL_DECLARE(record_update);
SQL_DECLARE(record_add);
SQL_DECLARE(records_list);
SQL_DECLARE(records_find);

/* Meltano's rules for runs that nobody looks after any more. */
#define HEARTBEAT_VALID_US    (INT64_C(5) * 60 * 1000000)
#define NO_HEARTBEAT_VALID_US (INT64_C(24) * 60 * 60 * 1000000)

#define HOST_SIZE 256

static const char *const run_state_names[] = {
    [RUN_IDLE] = "IDLE", [RUN_RUNNING] = "RUNNING", [RUN_SUCCESS] = "SUCCESS",
    [RUN_FAIL] = "FAIL", [RUN_DEAD] = "DEAD",       [RUN_STATE_EDIT] = "STATE_EDIT",
};
_Static_assert(ARRAY_LEN(run_state_names) == RUN_STATE_COUNT, "a run state has no name");

const char *run_state_name(enum run_state state)
{
    return run_state_names[state];
}

enum run_state run_state_parse(const char *name)
{
    for (size_t i = 0; name && i < RUN_STATE_COUNT; i++)
        if (!strcmp(run_state_names[i], name))
            return (enum run_state)i;
    return RUN_DEAD;
}

void run_row_clear(struct run_row *row)
{
    free(row->state_id);
    free(row->payload);
    free(row->trigger);
    *row = (struct run_row){0};
}

void run_row_list_clear(struct run_row_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        run_row_clear(&list->items[i]);
    free(list->items);
    *list = (struct run_row_list){0};
}

/* The columns of runs_list.sql and its like. */
static void read_run_row(const struct db_rows *rows, size_t at, struct run_row *out)
{
    const char *state_id = db_rows_text(rows, at, 1);

    *out = (struct run_row){
        .id = db_rows_int(rows, at, 0),
        .state_id = xstrdup(state_id ? state_id : ""),
        .state = run_state_parse(db_rows_text(rows, at, 2)),
        .started_at_us = db_rows_time(rows, at, 3),
        .ended_at_us = db_rows_time(rows, at, 4),
        .last_heartbeat_us = db_rows_time(rows, at, 5),
        .payload = xstrdup_or_null(db_rows_text(rows, at, 6)),
        .payload_flags = (int)db_rows_int(rows, at, 7),
        .trigger = xstrdup_or_null(db_rows_text(rows, at, 9)),
    };
    db_rows_uuid(rows, at, 8, out->run_id);
}

static void read_run_rows(const struct db_rows *rows, struct run_row_list *out)
{
    for (size_t i = 0; i < rows->count; i++) {
        GROW(out->items, out->count, out->capacity);
        read_run_row(rows, i, &out->items[out->count++]);
    }
}

/* The payload with an error beside the state. One that is no JSON object is replaced. */
static char *payload_with_error(const char *payload, const char *error_text)
{
    struct error ignored = {0};
    auto_value struct value *map = NULL;
    size_t length = payload ? strlen(payload) : 0;

    /* A large state need not be taken apart to append to it. */
    if (length > 2 && payload[0] == '{' && payload[length - 1] == '}' &&
        !strstr(payload, "\"error\"")) {
        struct strbuf text = STRBUF_INIT;

        strbuf_add_bytes(&text, payload, length - 1);
        strbuf_add(&text, ", \"error\": ");
        strbuf_add_json_string(&text, error_text, strlen(error_text), true);
        strbuf_add_char(&text, '}');
        return strbuf_take(&text);
    }
    if (!length || json_parse(payload, length, NULL, &map, &ignored) < 0 || !value_is_map(map)) {
        value_free(map);
        map = value_new_map();
    }
    value_set_string(map, "error", error_text);
    return json_to_text(map, &json_python);
}

/* --- rows that nobody looks after ----------------------------------------------------------- */

struct stale_work {
    const char *state_id;
    int64_t now_us;
    struct run_row_list found;
};

static int fail_stale_row(struct db *db, struct run_row *row, int64_t now_us, struct error *err)
{
    static const char killed[] = "The process was likely killed unceremoniously.";
    auto_free char *text = row->last_heartbeat_us
                               ? xasprintf("No heartbeat recorded for 5 minutes. %s", killed)
                               : xasprintf("Still running after 24 hours. %s", killed);
    auto_db_rows struct db_rows rows = DB_ROWS_INIT;
    char *payload = payload_with_error(row->payload, text);

    free(row->payload);
    row->payload = payload;
    if (db_query(db, SQL(run_fail_stale),
                 DB_VALUES(db_int(row->id), db_time(now_us), db_text(payload),
                           db_time(now_us - HEARTBEAT_VALID_US)),
                 &rows, err) < 0)
        return -1;
    if (rows.changed) {
        row->state = RUN_FAIL;
        row->ended_at_us = now_us;
    }
    return 0;
}

static int fail_stale_rows(struct db *db, void *context, struct error *err)
{
    struct stale_work *work = context;

    for (size_t i = 0; i < work->found.count; i++)
        if (fail_stale_row(db, &work->found.items[i], work->now_us, err) < 0)
            return -1;
    return 0;
}

/* As seen at now_us. */
static int select_stale_rows(struct store *store, const char *state_id, int64_t now_us,
                             struct run_row_list *out, struct error *err)
{
    auto_db_rows struct db_rows rows = DB_ROWS_INIT;

    if (store_select(store, SCHEMA_MELTANO_TABLES, SQL(runs_stale),
                     DB_VALUES(db_text(state_id), db_time(now_us - HEARTBEAT_VALID_US),
                               db_time(now_us - NO_HEARTBEAT_VALID_US)),
                     &rows, err) < 0)
        return -1;
    read_run_rows(&rows, out);
    return 0;
}

int store_list_stale_runs(struct store *store, struct run_row_list *out, struct error *err)
{
    return select_stale_rows(store, NULL, clock_now_us(), out, err);
}

int store_fail_stale_runs(struct store *store, const char *state_id, struct run_row_list *stale,
                          struct error *err)
{
    struct stale_work work = {.state_id = state_id, .now_us = clock_now_us()};
    int failed;

    if (select_stale_rows(store, state_id, work.now_us, &work.found, err) < 0)
        return -1;
    /* Mostly there are none, and then nothing is written. */
    if (!work.found.count)
        return 0;
    failed = store_transaction(store, DB_RELAXED, fail_stale_rows, &work, err);
    for (size_t i = 0; !failed && stale && i < work.found.count; i++) {
        if (work.found.items[i].state != RUN_FAIL)
            continue;
        GROW(stale->items, stale->count, stale->capacity);
        stale->items[stale->count++] = work.found.items[i];
        work.found.items[i] = (struct run_row){0};
    }
    run_row_list_clear(&work.found);
    return failed;
}

int store_find_running(struct store *store, const char *state_id, struct run_row *row, bool *found,
                       struct error *err)
{
    auto_db_rows struct db_rows rows = DB_ROWS_INIT;

    if (store_select(store, SCHEMA_MELTANO_TABLES, SQL(runs_running), DB_VALUES(db_text(state_id)),
                     &rows, err) < 0)
        return -1;
    *found = rows.count > 0;
    if (*found && row)
        read_run_row(&rows, 0, row);
    return 0;
}

struct close_work {
    struct db_rows rows;
    int64_t now_us;
    size_t closed;
};

static int close_rows(struct db *db, void *context, struct error *err)
{
    struct close_work *work = context;

    work->closed = 0;
    for (size_t i = 0; i < work->rows.count; i++) {
        const char *host = db_rows_text(&work->rows, i, 3);
        auto_free char *text =
            xasprintf("The process %" PRId64 " on %s ended without closing its run.",
                      db_rows_int(&work->rows, i, 2), host ? host : "an unknown host");
        auto_free char *payload = payload_with_error(db_rows_text(&work->rows, i, 1), text);
        auto_db_rows struct db_rows changed = DB_ROWS_INIT;

        if (db_query(db, SQL(run_close),
                     DB_VALUES(db_int(db_rows_int(&work->rows, i, 0)), db_time(work->now_us),
                               db_text(payload)),
                     &changed, err) < 0)
            return -1;
        work->closed += (size_t)changed.changed;
    }
    return 0;
}

int store_close_abandoned_runs(struct store *store, const struct store_lock *lock, size_t *closed,
                               struct error *err)
{
    struct close_work work = {.rows = DB_ROWS_INIT, .now_us = clock_now_us()};
    int failed =
        db_query(&store->db, SQL(runs_abandoned),
                 DB_VALUES(db_text(lock->state_id), db_int(lock->generation)), &work.rows, err);

    if (!failed && work.rows.count)
        failed = store_transaction(store, DB_RELAXED, close_rows, &work, err);
    db_rows_clear(&work.rows);
    if (failed)
        return -1;
    if (closed)
        *closed = work.closed;
    return 0;
}

/* --- the row of a run ----------------------------------------------------------------------- */

struct begin_work {
    const char *state_id;
    const char *run_id;
    const char *trigger;
    const char *record_if_killed;
    const struct store_lock *lock;
    int64_t now_us;
    int64_t row_id;
};

static int begin_run(struct db *db, void *context, struct error *err)
{
    struct begin_work *work = context;
    auto_db_rows struct db_rows rows = DB_ROWS_INIT;
    char host[HOST_SIZE] = "";

    gethostname(host, sizeof host - 1);
    if (db_query(db, SQL(run_begin),
                 DB_VALUES(db_text(work->state_id), db_time(work->now_us), db_uuid(work->run_id),
                           db_text(work->trigger)),
                 &rows, err) < 0)
        return -1;
    work->row_id = db_rows_int(&rows, 0, 0);
    return db_query(db, SQL(run_own_begin),
                    DB_VALUES(db_int(work->row_id), db_uuid(work->run_id), db_text(work->state_id),
                              work->lock ? db_int(work->lock->generation) : db_null(),
                              db_int(getpid()), db_text(host), db_time(work->now_us),
                              db_text(work->record_if_killed)),
                    NULL, err);
}

int store_run_begin(struct store *store, const char *state_id, const char *run_id,
                    const char *trigger, const char *record_if_killed, int64_t *row_id,
                    struct error *err)
{
    struct begin_work work = {
        .state_id = state_id,
        .run_id = run_id,
        .trigger = trigger,
        .record_if_killed = record_if_killed,
        .lock = store_find_lock(store, state_id),
        .now_us = clock_now_us(),
    };

    if (work.lock && !work.lock->held)
        return store_lost_lock(state_id, err);
    if (store_transaction(store, DB_SHARED, begin_run, &work, err) < 0)
        return -1;
    *row_id = work.row_id;
    return 0;
}

struct row_work {
    int64_t row_id;
    bool payload_is_late;
    const char *run_id;
    int64_t now_us;
    enum run_state state;
    const char *error_text;
    const char *record;
};

/* Why an update guarded by the fence changed no row. */
static int refuse_row(struct db *db, int64_t row_id, struct error *err)
{
    auto_db_rows struct db_rows rows = DB_ROWS_INIT;

    if (db_query(db, SQL(run_payload), DB_VALUES(db_int(row_id)), &rows, err) < 0)
        return -1;
    if (!rows.count)
        return error_set(err, ERR_DATABASE, "the row %" PRId64 " of this run is gone from runs",
                         row_id);
    error_set(err, ERR_LOST_LOCK, "this run has lost the lock of its state id to another one");
    return error_hint(err, "Its row in runs is left as the other run found it.");
}

/* NULL: there is none, or it is in the row of the run's last block. */
static int write_record(struct db *db, const struct row_work *work, struct error *err)
{
    return db_query(db, SQL(run_record), DB_VALUES(db_int(work->row_id), db_text(work->record)),
                    NULL, err);
}

static int write_heartbeat(struct db *db, void *context, struct error *err)
{
    const struct row_work *work = context;
    auto_db_rows struct db_rows rows = DB_ROWS_INIT;

    if (db_query(db, SQL(run_heartbeat), DB_VALUES(db_int(work->row_id), db_time(work->now_us)),
                 &rows, err) < 0)
        return -1;
    if (!rows.changed)
        return refuse_row(db, work->row_id, err);
    return work->record ? write_record(db, work, err) : 0;
}

int store_run_heartbeat(struct store *store, int64_t row_id, const char *record_if_killed,
                        struct error *err)
{
    struct row_work work = {
        .row_id = row_id,
        .now_us = clock_now_us(),
        .record = record_if_killed,
    };

    return store_transaction(store, DB_RELAXED, write_heartbeat, &work, err);
}

static int write_late_payload(struct db *db, const struct row_work *work, struct error *err)
{
    if (!work->payload_is_late)
        return 0;
    return db_query(db, SQL(run_payload_late), DB_VALUES(db_int(work->row_id)), NULL, err);
}

static int make_error_payload(struct db *db, const struct row_work *work, char **out,
                              struct error *err)
{
    auto_db_rows struct db_rows rows = DB_ROWS_INIT;

    if (db_query(db, SQL(run_payload), DB_VALUES(db_int(work->row_id)), &rows, err) < 0)
        return -1;
    *out = payload_with_error(rows.count ? db_rows_text(&rows, 0, 0) : NULL, work->error_text);
    return 0;
}

static int finish_run(struct db *db, void *context, struct error *err)
{
    const struct row_work *work = context;
    auto_db_rows struct db_rows rows = DB_ROWS_INIT;
    auto_free char *payload = NULL;

    if (write_late_payload(db, work, err) < 0)
        return -1;
    if (work->error_text && make_error_payload(db, work, &payload, err) < 0)
        return -1;
    if (db_query(db, SQL(run_finish),
                 DB_VALUES(db_int(work->row_id), db_text(run_state_names[work->state]),
                           db_time(work->now_us), db_text(payload)),
                 &rows, err) < 0)
        return -1;
    return rows.changed ? write_record(db, work, err) : refuse_row(db, work->row_id, err);
}

int store_run_finish(struct store *store, int64_t row_id, enum run_state state,
                     const char *error_text, const char *record, struct error *err)
{
    struct row_work work = {
        .row_id = row_id,
        .payload_is_late = store->late_payload_row == row_id,
        .now_us = clock_now_us(),
        .state = state,
        .error_text = error_text,
        .record = record,
    };

    return store_transaction(store, DB_DURABLE, finish_run, &work, err);
}

static int finish_late(struct db *db, void *context, struct error *err)
{
    const struct row_work *work = context;
    auto_db_rows struct db_rows changed = DB_ROWS_INIT;
    auto_free char *payload = NULL;

    if (write_late_payload(db, work, err) < 0)
        return -1;
    if (work->error_text && make_error_payload(db, work, &payload, err) < 0)
        return -1;
    if (db_query(db, SQL(run_finish_late),
                 DB_VALUES(db_int(work->row_id), db_text(run_state_names[work->state]),
                           db_time(work->now_us), db_text(payload), db_uuid(work->run_id)),
                 &changed, err) < 0)
        return -1;
    return changed.changed ? write_record(db, work, err) : 0;
}

int store_run_finish_late(struct store *store, int64_t row_id, const char *run_id,
                          enum run_state state, int64_t ended_at_us, const char *error_text,
                          const char *record, struct error *err)
{
    struct row_work work = {
        .row_id = row_id,
        .payload_is_late = store->late_payload_row == row_id,
        .run_id = run_id,
        .now_us = ended_at_us,
        .state = state,
        .error_text = error_text,
        .record = record,
    };

    return store_transaction(store, DB_DURABLE, finish_late, &work, err);
}

/* --- looking runs up ------------------------------------------------------------------------ */

static struct db_value limit_value(size_t limit)
{
    return db_int(limit ? (int64_t)limit : INT64_MAX);
}

int store_list_runs(struct store *store, const char *state_id, size_t limit,
                    struct run_row_list *out, struct error *err)
{
    auto_db_rows struct db_rows rows = DB_ROWS_INIT;

    if (store_select(store, SCHEMA_MELTANO_TABLES, SQL(runs_list),
                     DB_VALUES(db_text(state_id), limit_value(limit)), &rows, err) < 0)
        return -1;
    read_run_rows(&rows, out);
    return 0;
}

int store_find_runs(struct store *store, const char *run_id, struct run_row_list *out,
                    struct error *err)
{
    auto_db_rows struct db_rows rows = DB_ROWS_INIT;
    auto_free char *prefix = store_run_id_prefix(run_id);

    if (!prefix)
        return 0;
    if (store_select(store, SCHEMA_MELTANO_TABLES, SQL(runs_find), DB_VALUES(db_text(prefix)),
                     &rows, err) < 0)
        return -1;
    read_run_rows(&rows, out);
    return 0;
}

int store_last_success(struct store *store, const char *state_id, int64_t *ended_at_us,
                       struct error *err)
{
    auto_db_rows struct db_rows rows = DB_ROWS_INIT;

    if (store_select(store, SCHEMA_MELTANO_TABLES, SQL(runs_last_success),
                     DB_VALUES(db_text(state_id)), &rows, err) < 0)
        return -1;
    *ended_at_us = rows.count ? db_rows_time(&rows, 0, 0) : 0;
    return 0;
}

/* --- records -------------------------------------------------------------------------------- */

struct record_work {
    const char *run_id;
    const char *record;
    int64_t now_us;
};

static int put_record(struct db *db, void *context, struct error *err)
{
    const struct record_work *work = context;
    auto_db_rows struct db_rows rows = DB_ROWS_INIT;

    if (db_query(db, SQL(record_update), DB_VALUES(db_uuid(work->run_id), db_text(work->record)),
                 &rows, err) < 0)
        return -1;
    if (rows.changed)
        return 0;
    return db_query(db, SQL(record_add),
                    DB_VALUES(db_uuid(work->run_id), db_time(work->now_us), db_text(work->record)),
                    NULL, err);
}

int store_record_add(struct store *store, const char *run_id, const char *record, struct error *err)
{
    struct record_work work = {.run_id = run_id, .record = record, .now_us = clock_now_us()};

    return store_transaction(store, DB_DURABLE, put_record, &work, err);
}

int store_list_records(struct store *store, const char *state_id, size_t limit, struct strlist *out,
                       struct error *err)
{
    auto_db_rows struct db_rows rows = DB_ROWS_INIT;

    if (store_select(store, SCHEMA_ALL_TABLES, SQL(records_list),
                     DB_VALUES(db_text(state_id), limit_value(limit)), &rows, err) < 0)
        return -1;
    for (size_t i = 0; i < rows.count; i++)
        strlist_add(out, db_rows_text(&rows, i, 0));
    return 0;
}

int store_find_record(struct store *store, const char *run_id, char **out, struct error *err)
{
    auto_db_rows struct db_rows rows = DB_ROWS_INIT;
    auto_free char *prefix = store_run_id_prefix(run_id);

    *out = NULL;
    if (!prefix)
        return 0;
    if (store_select(store, SCHEMA_ALL_TABLES, SQL(records_find), DB_VALUES(db_text(prefix)), &rows,
                     err) < 0)
        return -1;
    for (size_t i = 1; i < rows.count; i++) {
        if (!strcmp(db_rows_text(&rows, i, 1), db_rows_text(&rows, 0, 1)))
            continue;
        error_set(err, ERR_USAGE, "more than one run id begins with '%s'", run_id);
        return error_hint(err, "Give more of its digits.");
    }
    if (rows.count)
        *out = xstrdup(db_rows_text(&rows, 0, 0));
    return 0;
}
