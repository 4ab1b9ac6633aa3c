/* What every system database has to do. Each test runs against a new SQLite file, and against a new
 * schema of the PostgreSQL that the variable MELTSHIM_TEST_POSTGRES names, if it is set. */
#include "store/store.h"
#include "store/store_impl.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"

#include "tests/unit/states.h"

#include <check.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

Suite *store_store_contract_suite(void);

enum { SQLITE, POSTGRES };

static const char run_1[] = "01a202e5-75e7-7a34-9ad5-4cbbf4a2b6d1";
static const char run_2[] = "01a202e6-0000-7a34-9ad5-4cbbf4a2b6d1";
static const char id[] = "dev:tap-a-to-target-b";

static struct error err;
static char *directory; /* of the SQLite file */
static char *schema;    /* of PostgreSQL */
static char *uri;
static struct store *store;

#define ck_ok(call) ck_assert_msg((call) == 0, "%s (%s)", err.message, err.hint)

static void run_sql(struct store *on, const char *sql)
{
    ck_ok(on->db.driver->script(&on->db, sql, &err));
}

static char *query_text(const char *sql)
{
    auto_db_rows struct db_rows rows = DB_ROWS_INIT;

    ck_ok(db_query(&store->db, sql, DB_NO_VALUES, &rows, &err));
    return rows.count ? xstrdup_or_null(db_rows_text(&rows, 0, 0)) : NULL;
}

static int64_t query_int(const char *sql)
{
    auto_free char *text = query_text(sql);

    ck_assert_ptr_nonnull(text);
    return strtoll(text, NULL, 10);
}

static struct store *open_store(void)
{
    struct store *opened = NULL;

    ck_ok(store_open(uri, NULL, &opened, &err));
    return opened;
}

static struct store *open_read_only(void)
{
    struct store_options options = {.read_only = true};
    struct store *opened = NULL;

    ck_ok(store_open(uri, &options, &opened, &err));
    return opened;
}

/* A new and empty place; start() opens a store there as well. */
static void prepare(int backend)
{
    static int count;
    const char *server = getenv("MELTSHIM_TEST_POSTGRES");

    err = (struct error){0};
    if (backend == SQLITE) {
        char template[] = "/tmp/meltshim-store-XXXXXX";

        directory = xstrdup(mkdtemp(template));
        uri = xasprintf("sqlite:///%s/meltano.db", directory);
        return;
    }
    uri = xstrdup(server);
    store = open_read_only();
    schema = xasprintf("contract_%d_%d", getpid(), ++count);
    auto_free char *sql = xasprintf("CREATE SCHEMA %s", schema);
    run_sql(store, sql);
    store_close(store);
    free(uri);
    uri = xasprintf("%s%coptions=-csearch_path%%3D%s", server, strchr(server, '?') ? '&' : '?',
                    schema);
}

static void start(int backend)
{
    prepare(backend);
    store = open_store();
}

static void finish(void)
{
    clock_set_for_tests(-1);
    if (schema) {
        auto_free char *sql = xasprintf("DROP SCHEMA %s CASCADE", schema);

        run_sql(store, sql);
    }
    store_close(store);
    store = NULL;
    if (directory)
        ck_ok(path_remove_all(directory, &err));
    free(directory);
    free(schema);
    free(uri);
    directory = schema = uri = NULL;
}

static struct store_lock *acquire(struct store *on, const char *state_id)
{
    struct lock_owner self = {.pid = getpid(),
                              .host = "here",
                              .since_us = 1795350000000000,
                              .detail = "DAG flights, try 2"};
    struct store_lock *lock = NULL;

    snprintf(self.run_id, sizeof self.run_id, "%s", run_1);
    ck_ok(store_lock_acquire(on, state_id, 0, &self, &lock, NULL, &err));
    return lock;
}

static int64_t begin(struct store *on, const char *state_id, const char *run_id)
{
    int64_t row_id = 0;

    ck_ok(store_run_begin(on, state_id, run_id, "cli", NULL, &row_id, &err));
    ck_assert_int_gt(row_id, 0);
    return row_id;
}

static void check_parts(const char *state_id, const char *completed, const char *partial)
{
    struct state_parts parts = {0};
    bool found = false;

    ck_ok(states_read(store, state_id, &parts, &found, &err));
    ck_assert(found);
    ck_assert_str_eq(parts.completed, completed);
    ck_assert_str_eq(parts.partial, partial);
    state_parts_clear(&parts);
}

static int64_t write_state(enum state_write kind, const char *value)
{
    int64_t version = 0;

    ck_ok(states_write(store, id, NULL, 0, NULL, kind, value, &version, &err));
    return version;
}

/* --- schema ---------------------------------------------------------------------------------- */

START_TEST(a_new_database_has_the_revision_of_meltano_4)
{
    start(_i);
    auto_free char *revision = query_text("SELECT version_num FROM alembic_version");

    ck_assert_str_eq(revision, "c0efb3c314eb");
    finish();
}
END_TEST

START_TEST(opening_again_changes_nothing)
{
    start(_i);
    write_state(STATE_COMPLETE, "{\"singer_state\": {\"a\": 1}}");
    store_close(store);
    store = open_store();
    check_parts(id, "{\"singer_state\": {\"a\": 1}}", "{}");
    finish();
}
END_TEST

START_TEST(the_revision_of_meltano_2_8_is_brought_forward)
{
    start(_i);
    run_sql(store, "UPDATE alembic_version SET version_num = '6828cc5b1a4f';"
                   "CREATE TABLE subscriptions (id INTEGER)");
    store_close(store);
    store = open_store();
    auto_free char *revision = query_text("SELECT version_num FROM alembic_version");
    auto_db_rows struct db_rows tables = DB_ROWS_INIT;

    ck_assert_str_eq(revision, "c0efb3c314eb");
    ck_ok(db_query(&store->db, store->db.driver->tables_sql,
                   DB_VALUES(db_text("subscriptions,alembic_version")), &tables, &err));
    ck_assert_uint_eq(tables.count, 1);
    finish();
}
END_TEST

static const struct {
    const char *sql;
    const char *message;
} refused_schemas[] = {
    {"UPDATE alembic_version SET version_num = 'ffffffffffff'",
     "the system database has the unknown revision 'ffffffffffff'"},
    {"UPDATE alembic_version SET version_num = 'b4c05e463b53'",
     "the system database is of a Meltano of 2019 (revision 'b4c05e463b53')"},
    {"DELETE FROM alembic_version", "the table alembic_version of the system database is empty"},
    {"DROP TABLE alembic_version",
     "the system database has a table 'runs', but no table alembic_version"},
    {"INSERT INTO meltshim_schema VALUES (99)",
     "the system database was used by a newer meltshim (tables 99)"},
};

static void check_refused(int backend, size_t row)
{
    struct store *refused = NULL;

    start(backend);
    run_sql(store, refused_schemas[row].sql);
    ck_assert_int_eq(store_open(uri, NULL, &refused, &err), -1);
    ck_assert_str_eq(err.message, refused_schemas[row].message);
    ck_assert_int_eq(err.code, ERR_DATABASE);
    ck_assert_str_ne(err.hint, "");
    finish();
}

START_TEST(state_of_a_meltano_before_2_8_is_built_from_its_runs)
{
    static const char history[] =
        "DROP TABLE state; UPDATE alembic_version SET version_num = 'f4c225a9492f';"
        "INSERT INTO runs (job_name, state, payload_flags, ended_at, payload) VALUES"
        "('a', 'SUCCESS', 1, '2022-01-01 00:00:00', '{\"singer_state\": {\"old\": 1}}'),"
        "('a', 'SUCCESS', 2, '2022-01-01 12:00:00', '{\"singer_state\": {\"before\": 1}}'),"
        "('a', 'FAIL', 1, '2022-01-02 00:00:00', '{\"singer_state\": {\"u\": 0.10, \"o\": 1}}'),"
        "('a', 'FAIL', 2, '2022-01-04 00:00:00', '{\"singer_state\": {\"u\": 3}}'),"
        "('a', 'FAIL', 2, '2022-01-03 00:00:00', '{\"singer_state\": {\"u\": 2, \"n\": 2}}'),"
        "('a', 'FAIL', 2, '2022-01-05 00:00:00', '{\"error\": \"x\"}'),"
        "('a', 'FAIL', 2, NULL, '{\"singer_state\": {\"u\": 9}}'),"
        "('b', 'FAIL', 0, '2022-01-05 00:00:00', '{\"singer_state\": {\"u\": 9}}')";

    start(_i);
    run_sql(store, history);
    store_close(store);
    store = open_store();
    check_parts("a", "{}", "{\"singer_state\": {\"u\": 3, \"o\": 1, \"n\": 2}}");
    check_parts("b", "{}", "{}");
    finish();
}
END_TEST

START_TEST(a_schema_that_is_not_known_is_refused)
{
    for (size_t i = 0; i < ARRAY_LEN(refused_schemas); i++)
        check_refused(_i, i);
}
END_TEST

START_TEST(a_reader_finds_nothing_in_an_empty_database)
{
    struct run_row_list runs = {0};
    struct strlist ids = STRLIST_INIT;
    struct state_parts parts = {0};
    struct value *settings = NULL;
    char *record = NULL;
    bool found = true;
    int64_t ended = 1;

    prepare(_i);
    store = open_read_only();
    ck_ok(store_list_runs(store, NULL, 0, &runs, &err));
    ck_assert_uint_eq(runs.count, 0);
    ck_ok(store_state_list(store, &ids, &err));
    ck_assert_uint_eq(ids.count, 0);
    ck_ok(states_read(store, id, &parts, &found, &err));
    ck_assert(!found);
    ck_assert_str_eq(parts.completed, "{}");
    state_parts_clear(&parts);
    ck_ok(store_find_record(store, run_1, &record, &err));
    ck_assert_ptr_null(record);
    ck_ok(store_settings_read(store, "meltano", &settings, &err));
    ck_assert_uint_eq(value_count(settings), 0);
    value_free(settings);
    ck_ok(store_last_success(store, id, &ended, &err));
    ck_assert_int_eq(ended, 0);
    finish();
}
END_TEST

/* --- runs ------------------------------------------------------------------------------------ */

START_TEST(a_run_is_seen_from_its_begin_to_its_end)
{
    struct run_row row = {0};
    struct run_row_list runs = {0};
    bool found = false;
    int64_t row_id, ended = 0;

    start(_i);
    clock_set_for_tests(1795350000123456);
    row_id = begin(store, id, run_1);
    ck_ok(store_find_running(store, id, &row, &found, &err));
    ck_assert(found);
    ck_assert_int_eq(row.id, row_id);
    ck_assert_str_eq(row.state_id, id);
    ck_assert_int_eq(row.state, RUN_RUNNING);
    ck_assert_int_eq(row.started_at_us, 1795350000123456);
    ck_assert_int_eq(row.last_heartbeat_us, 1795350000123456);
    ck_assert_int_eq(row.ended_at_us, 0);
    ck_assert_str_eq(row.payload, "{}");
    ck_assert_int_eq(row.payload_flags, 0);
    ck_assert_str_eq(row.run_id, run_1);
    ck_assert_str_eq(row.trigger, "cli");
    run_row_clear(&row);

    clock_set_for_tests(1795350001000000);
    ck_ok(store_run_heartbeat(store, row_id, NULL, &err));
    clock_set_for_tests(1795350002500000);
    ck_ok(store_run_finish(store, row_id, RUN_SUCCESS, NULL, "{\"status\":\"success\"}", &err));
    ck_ok(store_find_running(store, id, &row, &found, &err));
    ck_assert(!found);
    ck_ok(store_list_runs(store, id, 0, &runs, &err));
    ck_assert_uint_eq(runs.count, 1);
    ck_assert_int_eq(runs.items[0].state, RUN_SUCCESS);
    ck_assert_int_eq(runs.items[0].last_heartbeat_us, 1795350001000000);
    ck_assert_int_eq(runs.items[0].ended_at_us, 1795350002500000);
    run_row_list_clear(&runs);
    ck_ok(store_last_success(store, id, &ended, &err));
    ck_assert_int_eq(ended, 1795350002500000);
    finish();
}
END_TEST

START_TEST(the_error_of_a_run_stands_beside_its_state)
{
    struct run_row_list runs = {0};
    int64_t row_id;

    start(_i);
    row_id = begin(store, id, run_1);
    ck_ok(states_write(store, id, NULL, row_id, run_1, STATE_COMPLETE,
                       "{\"singer_state\": {\"a\": 0.10}}", NULL, &err));
    ck_ok(store_run_finish(store, row_id, RUN_FAIL, "tap-a failed", NULL, &err));
    ck_ok(store_find_runs(store, run_1, &runs, &err));
    ck_assert_uint_eq(runs.count, 1);
    ck_assert_str_eq(runs.items[0].payload,
                     "{\"singer_state\": {\"a\": 0.10}, \"error\": \"tap-a failed\"}");
    ck_assert_int_eq(runs.items[0].payload_flags, PAYLOAD_STATE);
    run_row_list_clear(&runs);
    finish();
}
END_TEST

START_TEST(the_newest_runs_come_first)
{
    struct run_row_list runs = {0};

    start(_i);
    clock_set_for_tests(1795350000000000);
    begin(store, id, run_1);
    begin(store, "other", run_1);
    clock_set_for_tests(1795350001000000);
    begin(store, id, run_2);
    ck_ok(store_list_runs(store, NULL, 2, &runs, &err));
    ck_assert_uint_eq(runs.count, 2);
    ck_assert_str_eq(runs.items[0].run_id, run_2);
    ck_assert_str_eq(runs.items[1].state_id, "other");
    run_row_list_clear(&runs);
    ck_ok(store_find_runs(store, "01A202E5", &runs, &err));
    ck_assert_uint_eq(runs.count, 2);
    run_row_list_clear(&runs);
    ck_ok(store_find_runs(store, "no run id", &runs, &err));
    ck_assert_uint_eq(runs.count, 0);
    finish();
}
END_TEST

START_TEST(runs_without_a_heartbeat_become_failed)
{
    const int64_t now = 1795350000000000, minute = 60000000;
    struct run_row_list stale = {0};

    start(_i);
    clock_set_for_tests(now - 5 * minute - 1);
    begin(store, id, run_1);
    clock_set_for_tests(now - 5 * minute);
    begin(store, id, run_2);
    clock_set_for_tests(now - 24 * 60 * minute - 1);
    begin(store, "old", run_1);
    run_sql(store, "UPDATE runs SET last_heartbeat_at = NULL WHERE job_name = 'old'");
    clock_set_for_tests(now);
    ck_ok(store_fail_stale_runs(store, id, &stale, &err));
    ck_assert_uint_eq(stale.count, 1);
    ck_assert_str_eq(stale.items[0].run_id, run_1);
    ck_assert_str_eq(stale.items[0].payload,
                     "{\"error\": \"No heartbeat recorded for 5 minutes. The process was likely "
                     "killed unceremoniously.\"}");
    ck_assert_int_eq(stale.items[0].ended_at_us, now);
    run_row_list_clear(&stale);
    ck_ok(store_fail_stale_runs(store, NULL, &stale, &err));
    ck_assert_uint_eq(stale.count, 1);
    ck_assert_str_eq(stale.items[0].state_id, "old");
    ck_assert_str_eq(stale.items[0].payload,
                     "{\"error\": \"Still running after 24 hours. The process was likely killed "
                     "unceremoniously.\"}");
    run_row_list_clear(&stale);
    ck_assert_int_eq(query_int("SELECT COUNT(*) FROM runs WHERE state = 'FAIL'"), 2);
    finish();
}
END_TEST

START_TEST(the_next_owner_closes_what_a_dead_one_left)
{
    struct store_lock *lock;
    struct run_row_list runs = {0};
    size_t closed = 9;

    start(_i);
    lock = acquire(store, id);
    begin(store, id, run_1);
    run_sql(store, "INSERT INTO runs (job_name, state, payload) "
                   "VALUES ('dev:tap-a-to-target-b', 'RUNNING', '{}')");
    ck_ok(store_close_abandoned_runs(store, lock, &closed, &err));
    ck_assert_uint_eq(closed, 0);
    store_lock_release(lock);
    lock = acquire(store, id);
    ck_ok(store_close_abandoned_runs(store, lock, &closed, &err));
    ck_assert_uint_eq(closed, 1);
    ck_ok(store_find_runs(store, run_1, &runs, &err));
    ck_assert_int_eq(runs.items[0].state, RUN_FAIL);
    ck_assert_ptr_nonnull(strstr(runs.items[0].payload, "ended without closing its run."));
    run_row_list_clear(&runs);
    finish();
}
END_TEST

/* The record of run_1, which both ways of asking for it tell; NULL when there is none. */
static char *look_up_record(void)
{
    struct strlist list = STRLIST_INIT;
    char *record = NULL;

    ck_ok(store_find_record(store, run_1, &record, &err));
    ck_ok(store_list_records(store, NULL, 0, &list, &err));
    ck_assert_uint_eq(list.count, record ? 1 : 0);
    if (record)
        ck_assert_str_eq(list.items[0], record);
    strlist_clear(&list);
    return record;
}

START_TEST(a_record_made_in_advance_is_that_of_a_run_that_others_close)
{
    auto_free char *record = NULL;
    struct store_lock *lock;
    int64_t row_id;

    start(_i);
    lock = acquire(store, id);
    ck_ok(store_run_begin(store, id, run_1, "cli", "{\"n\":1}", &row_id, &err));
    ck_assert_ptr_null(look_up_record());
    ck_ok(store_run_heartbeat(store, row_id, "{\"n\":2}", &err));
    ck_ok(store_run_heartbeat(store, row_id, NULL, &err));
    ck_assert_ptr_null(look_up_record());
    store_lock_release(lock);
    lock = acquire(store, id);
    ck_ok(store_close_abandoned_runs(store, lock, NULL, &err));
    record = look_up_record();
    ck_assert_str_eq(record, "{\"n\":2}");
    finish();
}
END_TEST

START_TEST(a_record_made_in_advance_goes_with_the_end_of_the_run)
{
    int64_t row_id;

    start(_i);
    ck_ok(store_run_begin(store, id, run_1, "cli", "{\"n\":1}", &row_id, &err));
    ck_ok(store_run_finish(store, row_id, RUN_SUCCESS, NULL, NULL, &err));
    ck_assert_ptr_null(look_up_record());
    finish();
}
END_TEST

START_TEST(records_are_found_by_the_start_of_the_run_id)
{
    struct strlist records = STRLIST_INIT;
    char *record = NULL;
    int64_t row_id;

    start(_i);
    clock_set_for_tests(1795350000000000);
    row_id = begin(store, id, run_1);
    ck_ok(store_run_finish(store, row_id, RUN_SUCCESS, NULL, "{\"n\":1}", &err));
    clock_set_for_tests(1795350001000000);
    ck_ok(store_record_add(store, run_2, "{\"n\":0}", &err));
    ck_ok(store_record_add(store, run_2, "{\"n\":2}", &err));
    ck_ok(store_list_records(store, NULL, 0, &records, &err));
    ck_assert_uint_eq(records.count, 2);
    ck_assert_str_eq(records.items[0], "{\"n\":2}");
    strlist_clear(&records);
    ck_ok(store_list_records(store, id, 1, &records, &err));
    ck_assert_uint_eq(records.count, 1);
    ck_assert_str_eq(records.items[0], "{\"n\":1}");
    strlist_clear(&records);
    ck_ok(store_find_record(store, "01a202e6", &record, &err));
    ck_assert_str_eq(record, "{\"n\":2}");
    free(record);
    ck_ok(store_find_record(store, "ff", &record, &err));
    ck_assert_ptr_null(record);
    ck_assert_int_eq(store_find_record(store, "01a202e", &record, &err), -1);
    ck_assert_str_eq(err.message, "more than one run id begins with '01a202e'");
    finish();
}
END_TEST

/* --- locks ----------------------------------------------------------------------------------- */

START_TEST(a_lock_has_one_owner_whose_name_the_others_learn)
{
    struct store *other;
    struct store_lock *lock, *none = NULL;
    struct lock_owner owner = {0};

    start(_i);
    other = open_store();
    lock = acquire(store, id);
    ck_assert_int_eq(store_lock_acquire(other, id, 0, NULL, &none, &owner, &err), -1);
    ck_assert_int_eq(err.code, ERR_LOCKED);
    ck_assert_ptr_null(none);
    auto_free char *message =
        xasprintf("another run of 'dev:tap-a-to-target-b' is active: process %d on here since "
                  "2026-11-22T12:20:00.000000Z, DAG flights, try 2",
                  getpid());
    ck_assert_str_eq(err.message, message);
    ck_assert_int_eq(owner.pid, getpid());
    ck_assert_str_eq(owner.host, "here");
    ck_assert_str_eq(owner.run_id, run_1);
    ck_assert_str_eq(owner.detail, "DAG flights, try 2");
    /* The same store is no exception, and other state ids are free. */
    ck_assert_int_eq(store_lock_acquire(store, id, 0, NULL, &none, NULL, &err), -1);
    store_lock_release(acquire(other, "dev:tap-a-to-target-b:suffix"));
    store_lock_release(lock);
    store_lock_release(acquire(other, id));
    store_close(other);
    finish();
}
END_TEST

START_TEST(a_starter_waits_as_long_as_it_is_told)
{
    struct store *other;
    struct store_lock *none = NULL;
    int64_t begun;

    start(_i);
    other = open_store();
    acquire(store, id);
    begun = clock_monotonic_ms();
    ck_assert_int_eq(store_lock_acquire(other, id, 150, NULL, &none, NULL, &err), -1);
    ck_assert_int_ge(clock_monotonic_ms() - begun, 150);
    store_close(other);
    finish();
}
END_TEST

/* Runs action in a child that has its own store; returns its exit status or -signal. */
static pid_t in_child(void (*action)(struct store *own))
{
    pid_t pid = fork();

    ck_assert_int_ge(pid, 0);
    if (!pid) {
        struct store *own = open_store();

        action(own);
        store_close(own);
        _exit(0);
    }
    return pid;
}

static struct {
    int inside, collisions, entered;
    bool holds;
} * shared;

static void map_shared(void)
{
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(shared, MAP_FAILED);
}

static void enter_once(struct store *own)
{
    struct store_lock *lock = NULL;

    if (store_lock_acquire(own, id, 30000, NULL, &lock, NULL, &err) < 0)
        _exit(1);
    if (__atomic_add_fetch(&shared->inside, 1, __ATOMIC_SEQ_CST) > 1)
        __atomic_add_fetch(&shared->collisions, 1, __ATOMIC_SEQ_CST);
    usleep(2000);
    __atomic_sub_fetch(&shared->inside, 1, __ATOMIC_SEQ_CST);
    __atomic_add_fetch(&shared->entered, 1, __ATOMIC_SEQ_CST);
    store_lock_release(lock);
}

START_TEST(fifty_starters_enter_one_after_the_other)
{
    pid_t pids[50];

    start(_i);
    map_shared();
    for (size_t i = 0; i < ARRAY_LEN(pids); i++)
        pids[i] = in_child(enter_once);
    for (size_t i = 0; i < ARRAY_LEN(pids); i++) {
        int status;

        ck_assert_int_eq(waitpid(pids[i], &status, 0), pids[i]);
        ck_assert_int_eq(status, 0);
    }
    ck_assert_int_eq(shared->entered, 50);
    ck_assert_int_eq(shared->collisions, 0);
    finish();
}
END_TEST

static void hold_until_killed(struct store *own)
{
    acquire(own, id);
    begin(own, id, run_1);
    shared->holds = true;
    for (;;)
        pause();
}

/* Kills the owner of a lock and returns how long it took to get it, in milliseconds. */
static int64_t take_from_killed_owner(void)
{
    struct store_lock *lock;
    int64_t killed, took;
    size_t closed = 0;
    pid_t pid;

    shared->holds = false;
    pid = in_child(hold_until_killed);
    while (!__atomic_load_n(&shared->holds, __ATOMIC_SEQ_CST))
        usleep(1000);
    killed = clock_monotonic_ms();
    kill(pid, SIGKILL);
    ck_ok(store_lock_acquire(store, id, 20000, NULL, &lock, NULL, &err));
    took = clock_monotonic_ms() - killed;
    ck_ok(store_close_abandoned_runs(store, lock, &closed, &err));
    ck_assert_uint_eq(closed, 1);
    store_lock_release(lock);
    waitpid(pid, NULL, 0);
    return took;
}

START_TEST(a_killed_owner_blocks_nobody)
{
    int64_t shortest = INT64_MAX;

    start(_i);
    map_shared();
    /* A loaded machine makes some of them slow, a fault all. */
    for (int tries = 0; tries < 20 && shortest >= 100; tries++) {
        int64_t took = take_from_killed_owner();

        shortest = took < shortest ? took : shortest;
    }
    ck_assert_int_lt(shortest, 100);
    finish();
}
END_TEST

START_TEST(a_run_without_its_lock_cannot_write)
{
    struct store_lock *lock;
    struct run_row_list runs = {0};
    int64_t row_id;

    start(_i);
    lock = acquire(store, id);
    row_id = begin(store, id, run_1);
    ck_ok(states_write(store, id, lock, row_id, run_1, STATE_COMPLETE,
                       "{\"singer_state\": {\"a\": 1}}", NULL, &err));
    run_sql(store, "UPDATE meltshim_locks SET generation = generation + 1");

    ck_assert_int_eq(states_write(store, id, lock, row_id, run_1, STATE_COMPLETE,
                                  "{\"singer_state\": {\"a\": 2}}", NULL, &err),
                     -1);
    ck_assert_int_eq(err.code, ERR_LOST_LOCK);
    ck_assert_str_eq(err.message,
                     "this run has lost the lock of 'dev:tap-a-to-target-b' to another one");
    ck_assert_int_eq(store_run_heartbeat(store, row_id, NULL, &err), -1);
    ck_assert_int_eq(err.code, ERR_LOST_LOCK);
    ck_assert_int_eq(store_run_finish(store, row_id, RUN_SUCCESS, NULL, "{}", &err), -1);
    ck_assert_int_eq(err.code, ERR_LOST_LOCK);
    check_parts(id, "{\"singer_state\": {\"a\": 1}}", "{}");
    ck_ok(store_find_runs(store, run_1, &runs, &err));
    ck_assert_int_eq(runs.items[0].state, RUN_RUNNING);
    run_row_list_clear(&runs);
    ck_assert_int_eq(query_int("SELECT COUNT(*) FROM meltshim_state_history"), 1);
    finish();
}
END_TEST

/* --- state ----------------------------------------------------------------------------------- */

START_TEST(state_is_merged_by_the_rules_of_meltano)
{
    start(_i);
    write_state(STATE_COMPLETE, "{\"singer_state\": {\"bookmarks\": {\"u\": 1, \"o\": 1}}}");
    write_state(STATE_PARTIAL, "{\"singer_state\": {\"bookmarks\": {\"u\": 5}}}");
    check_parts(id, "{\"singer_state\": {\"bookmarks\": {\"u\": 1, \"o\": 1}}}",
                "{\"singer_state\": {\"bookmarks\": {\"u\": 5}}}");
    write_state(STATE_PARTIAL, "{\"singer_state\": {\"bookmarks\": {\"o\": [9]}}}");
    check_parts(id, "{\"singer_state\": {\"bookmarks\": {\"u\": 1, \"o\": 1}}}",
                "{\"singer_state\": {\"bookmarks\": {\"u\": 5, \"o\": [9]}}}");
    write_state(STATE_COMPLETE, "{}");
    check_parts(id, "{\"singer_state\": {\"bookmarks\": {\"u\": 1, \"o\": 1}}}",
                "{\"singer_state\": {\"bookmarks\": {\"u\": 5, \"o\": [9]}}}");
    write_state(STATE_COMPLETE, "{\"singer_state\": {}}");
    check_parts(id, "{\"singer_state\": {}}", "{}");
    finish();
}
END_TEST

START_TEST(a_first_partial_state_completes_nothing)
{
    start(_i);
    write_state(STATE_PARTIAL, "{\"singer_state\": {\"a\": 1}}");
    check_parts(id, "{}", "{\"singer_state\": {\"a\": 1}}");
    finish();
}
END_TEST

START_TEST(of_an_object_and_another_value_the_newer_wins)
{
    start(_i);
    write_state(STATE_PARTIAL, "{\"singer_state\": {\"a\": \"2020\", \"b\": {\"c\": 1}}}");
    write_state(STATE_PARTIAL, "{\"singer_state\": {\"a\": {\"d\": 2}, \"b\": null}}");
    check_parts(id, "{}", "{\"singer_state\": {\"a\": {\"d\": 2}, \"b\": null}}");
    finish();
}
END_TEST

START_TEST(values_keep_their_digits_and_their_order)
{
    static const char value[] = "{\"z\": 0.10, \"singer_state\": {\"n\": "
                                "123456789012345678901234567890, \"e\": 1E+2, \"\\u00e9\": "
                                "\"\\ud83d\\ude00\\u0000\\ud800\"}, \"a\": -0}";

    start(_i);
    write_state(STATE_PARTIAL, value);
    write_state(STATE_PARTIAL, value);
    check_parts(id, "{}", value);
    write_state(STATE_COMPLETE, value);
    check_parts(id, value, "{}");
    finish();
}
END_TEST

START_TEST(a_cleared_state_is_gone_but_not_forgotten)
{
    struct strlist ids = STRLIST_INIT;
    struct state_parts parts = {0};
    bool found = true;

    start(_i);
    write_state(STATE_COMPLETE, "{\"singer_state\": {\"a\": 1}}");
    ck_ok(states_clear(store, id, &err));
    ck_ok(states_clear(store, "never seen", &err));
    ck_ok(states_read(store, id, &parts, &found, &err));
    ck_assert(!found);
    state_parts_clear(&parts);
    ck_ok(store_state_list(store, &ids, &err));
    ck_assert_uint_eq(ids.count, 0);
    ck_ok(store_state_version(store, id, 1, &parts, &found, &err));
    ck_assert(found);
    ck_assert_str_eq(parts.completed, "{\"singer_state\": {\"a\": 1}}");
    state_parts_clear(&parts);
    ck_assert_int_eq(query_int("SELECT COUNT(*) FROM meltshim_state_history"), 2);
    finish();
}
END_TEST

START_TEST(every_version_is_kept_with_what_made_it)
{
    struct state_version_list versions = {0};
    struct store_lock *lock;
    int64_t row_id, version = 0;

    start(_i);
    lock = acquire(store, id);
    row_id = begin(store, id, run_1);
    clock_set_for_tests(1795350000000000);
    ck_ok(states_write(store, id, lock, row_id, run_1, STATE_COMPLETE,
                       "{\"singer_state\": {\"a\": 1}}", &version, &err));
    ck_assert_int_eq(version, 1);
    ck_ok(states_write(store, id, lock, row_id, run_1, STATE_PARTIAL,
                       "{\"singer_state\": {\"b\": 1}}", &version, &err));
    ck_assert_int_eq(version, 2);
    ck_ok(states_set(store, id, NULL, "{\"singer_state\": {\"a\": 1}}", &err));
    ck_assert_int_eq(query_int("SELECT COUNT(*) FROM runs WHERE state = 'STATE_EDIT'"), 1);
    ck_ok(store_state_history(store, id, 0, &versions, &err));
    ck_assert_uint_eq(versions.count, 3);
    ck_assert_int_eq(versions.items[0].version, 3);
    ck_assert_str_eq(versions.items[0].source, "state set");
    ck_assert_str_eq(versions.items[1].kind, "partial");
    ck_assert_str_eq(versions.items[2].kind, "complete");
    ck_assert_str_eq(versions.items[2].source, "run");
    ck_assert_str_eq(versions.items[2].run_id, run_1);
    ck_assert_int_eq(versions.items[2].written_at_us, 1795350000000000);
    ck_assert_str_eq(versions.items[2].completed_hash, versions.items[0].completed_hash);
    state_version_list_clear(&versions);
    /* Three different values: the state, the partial one, and the empty one. */
    ck_assert_int_eq(query_int("SELECT COUNT(*) FROM meltshim_state_values"), 3);
    finish();
}
END_TEST

START_TEST(a_large_state_costs_what_changes_in_it)
{
    struct strbuf padding = STRBUF_INIT;
    struct state_parts parts = {0};
    bool found;

    start(_i);
    strbuf_add_repeat(&padding, 'x', 100000);
    for (int i = 1; i <= 40; i++) {
        auto_free char *value = xasprintf("{\"singer_state\": {\"before\": \"%s\", \"n\": %d, "
                                          "\"after\": \"%s\"}}",
                                          strbuf_text(&padding), i, strbuf_text(&padding));

        write_state(STATE_COMPLETE, value);
    }
    ck_assert_int_lt(query_int("SELECT SUM(LENGTH(value)) FROM meltshim_state_values"), 600000);
    for (int i = 1; i <= 40; i++) {
        auto_free char *expected = xasprintf("{\"singer_state\": {\"before\": \"%s\", \"n\": %d, "
                                             "\"after\": \"%s\"}}",
                                             strbuf_text(&padding), i, strbuf_text(&padding));

        ck_ok(store_state_version(store, id, i, &parts, &found, &err));
        ck_assert_str_eq(parts.completed, expected);
        state_parts_clear(&parts);
    }
    strbuf_clear(&padding);
    finish();
}
END_TEST

START_TEST(old_versions_can_be_forgotten_and_the_others_stay_whole)
{
    static char filler[8192];
    struct state_parts parts = {0};
    int64_t removed, oldest;
    bool found;

    start(_i);
    memset(filler, 'x', sizeof filler - 1);
    for (int n = 1; n <= 12; n++) {
        auto_free char *value =
            xasprintf("{\"singer_state\": {\"n\": %d, \"x\": \"%s\"}}", n, filler);

        write_state(STATE_COMPLETE, value);
    }
    ck_ok(states_write(store, "other", NULL, 0, NULL, STATE_COMPLETE, "{\"a\": 1}", NULL, &err));
    ck_ok(store_history_prune(store, id, 3, &removed, &err));
    ck_assert_int_eq(removed, 9);
    ck_ok(store_history_oldest(store, id, &oldest, &err));
    ck_assert_int_eq(oldest, 10);
    for (int64_t version = 10; version <= 12; version++) {
        ck_ok(store_state_version(store, id, version, &parts, &found, &err));
        ck_assert(found);
        state_parts_clear(&parts);
    }
    ck_ok(store_history_prune(store, NULL, 1, &removed, &err));
    ck_assert_int_eq(removed, 2);
    ck_assert_int_eq(query_int("SELECT COUNT(*) FROM meltshim_state_history"), 2);
    /* The newest is the difference from the one before, and so on back to the first. */
    ck_ok(store_state_version(store, id, 12, &parts, &found, &err));
    ck_assert(found);
    state_parts_clear(&parts);
    ck_ok(states_clear(store, id, &err));
    ck_ok(store_history_prune(store, NULL, 1, &removed, &err));
    ck_assert_int_eq(query_int("SELECT COUNT(*) FROM meltshim_state_values"), 2);
    finish();
}
END_TEST

START_TEST(a_damaged_version_is_noticed)
{
    struct state_parts parts = {0};
    bool found;

    start(_i);
    write_state(STATE_COMPLETE, "{\"singer_state\": {\"a\": 1}}");
    run_sql(store, "UPDATE meltshim_state_values SET value = '{\"singer_state\": {\"a\": 2}}'");
    ck_assert_int_eq(store_state_version(store, id, 1, &parts, &found, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.message, "is damaged: its content has another hash"));
    finish();
}
END_TEST

START_TEST(what_another_program_wrote_becomes_a_version)
{
    struct state_version_list versions = {0};
    struct state_parts parts = {0};
    bool found;

    start(_i);
    run_sql(store, "INSERT INTO state (state_id, completed_state, partial_state) VALUES "
                   "('dev:tap-a-to-target-b', '{\"singer_state\": {\"a\": 1}}', '{}')");
    ck_assert_int_eq(write_state(STATE_COMPLETE, "{\"singer_state\": {\"a\": 2}}"), 2);
    run_sql(store, "UPDATE state SET completed_state = '{\"singer_state\": {\"a\": 3}}', "
                   "updated_at = '2026-11-22 12:00:00.000001'");
    ck_assert_int_eq(write_state(STATE_PARTIAL, "{\"singer_state\": {\"a\": 4}}"), 4);
    ck_ok(store_state_history(store, id, 0, &versions, &err));
    ck_assert_uint_eq(versions.count, 4);
    ck_assert_str_eq(versions.items[3].kind, "found");
    ck_assert_str_eq(versions.items[1].kind, "found");
    ck_assert_str_eq(versions.items[1].source, "another program");
    state_version_list_clear(&versions);
    ck_ok(store_state_version(store, id, 3, &parts, &found, &err));
    ck_assert_str_eq(parts.completed, "{\"singer_state\": {\"a\": 3}}");
    state_parts_clear(&parts);
    finish();
}
END_TEST

START_TEST(the_ids_are_listed_in_order)
{
    struct strlist ids = STRLIST_INIT;

    start(_i);
    ck_ok(states_write(store, "b", NULL, 0, NULL, STATE_COMPLETE, "{\"a\": 1}", NULL, &err));
    ck_ok(states_write(store, "B", NULL, 0, NULL, STATE_COMPLETE, "{\"a\": 1}", NULL, &err));
    ck_ok(states_write(store, "a_%", NULL, 0, NULL, STATE_COMPLETE, "{\"a\": 1}", NULL, &err));
    ck_ok(store_state_list(store, &ids, &err));
    ck_assert_uint_eq(ids.count, 3);
    ck_assert_str_eq(ids.items[0], "B");
    ck_assert_str_eq(ids.items[1], "a_%");
    ck_assert_str_eq(ids.items[2], "b");
    strlist_clear(&ids);
    finish();
}
END_TEST

/* --- settings -------------------------------------------------------------------------------- */

START_TEST(settings_come_back_as_they_were_set)
{
    struct value *map = NULL;
    auto_value struct value *list = value_new_list();
    auto_value struct value *text = value_new_string("it's");
    auto_value struct value *no = value_new_bool(false);
    bool found = false;

    start(_i);
    value_append_string(list, "a");
    value_append_take(list, value_new_number(VALUE_REAL, "0.1"));
    ck_ok(store_setting_write(store, "extractors.tap-a.default", "list", text, &err));
    ck_ok(store_setting_write(store, "extractors.tap-a.default", "list", list, &err));
    ck_ok(store_setting_write(store, "extractors.tap-a.default", "off", no, &err));
    ck_ok(store_setting_write(store, "meltano", "x", text, &err));
    run_sql(store, "INSERT INTO plugin_settings (name, namespace, enabled) "
                   "SELECT 'hidden', 'meltano', NOT enabled FROM plugin_settings WHERE name = 'x'");
    ck_ok(store_settings_read(store, "extractors.tap-a.default", &map, &err));
    ck_assert_uint_eq(value_count(map), 2);
    ck_assert(value_is_equal(value_get(map, "list"), list));
    ck_assert(value_is_equal(value_get(map, "off"), no));
    value_free(map);
    ck_ok(store_setting_delete(store, "extractors.tap-a.default", "off", &found, &err));
    ck_assert(found);
    ck_ok(store_setting_delete(store, "extractors.tap-a.default", "off", &found, &err));
    ck_assert(!found);
    ck_ok(store_settings_clear(store, "extractors.tap-a.default", &err));
    ck_ok(store_settings_read(store, "extractors.tap-a.default", &map, &err));
    ck_assert_uint_eq(value_count(map), 0);
    value_free(map);
    ck_ok(store_settings_read(store, "meltano", &map, &err));
    ck_assert_uint_eq(value_count(map), 1);
    value_free(map);
    finish();
}
END_TEST

START_TEST(a_statement_that_fails_leaves_the_store_usable)
{
    start(_i);
    ck_assert_int_eq(db_query(&store->db, "SELECT nonsense FROM nowhere", DB_NO_VALUES, NULL, &err),
                     -1);
    ck_assert_int_eq(err.code, ERR_DATABASE);
    ck_assert(!store_may_recover(store));
    write_state(STATE_COMPLETE, "{\"singer_state\": {\"a\": 1}}");
    finish();
}
END_TEST

Suite *store_store_contract_suite(void)
{
    const TTest *const tests[] = {
        a_new_database_has_the_revision_of_meltano_4,
        opening_again_changes_nothing,
        the_revision_of_meltano_2_8_is_brought_forward,
        state_of_a_meltano_before_2_8_is_built_from_its_runs,
        a_schema_that_is_not_known_is_refused,
        a_reader_finds_nothing_in_an_empty_database,
        a_run_is_seen_from_its_begin_to_its_end,
        the_error_of_a_run_stands_beside_its_state,
        the_newest_runs_come_first,
        runs_without_a_heartbeat_become_failed,
        the_next_owner_closes_what_a_dead_one_left,
        a_record_made_in_advance_is_that_of_a_run_that_others_close,
        a_record_made_in_advance_goes_with_the_end_of_the_run,
        records_are_found_by_the_start_of_the_run_id,
        a_lock_has_one_owner_whose_name_the_others_learn,
        a_starter_waits_as_long_as_it_is_told,
        fifty_starters_enter_one_after_the_other,
        a_killed_owner_blocks_nobody,
        a_run_without_its_lock_cannot_write,
        state_is_merged_by_the_rules_of_meltano,
        a_first_partial_state_completes_nothing,
        of_an_object_and_another_value_the_newer_wins,
        values_keep_their_digits_and_their_order,
        a_cleared_state_is_gone_but_not_forgotten,
        every_version_is_kept_with_what_made_it,
        a_large_state_costs_what_changes_in_it,
        old_versions_can_be_forgotten_and_the_others_stay_whole,
        a_damaged_version_is_noticed,
        what_another_program_wrote_becomes_a_version,
        the_ids_are_listed_in_order,
        settings_come_back_as_they_were_set,
        a_statement_that_fails_leaves_the_store_usable,
    };
    bool has_postgres = getenv("MELTSHIM_TEST_POSTGRES") != NULL;
    Suite *suite = suite_create("store/store_contract");
    TCase *tcase = tcase_create("contract");

    if (!has_postgres)
        fputs("store/store_contract: MELTSHIM_TEST_POSTGRES is not set, PostgreSQL is SKIPPED\n",
              stderr);
    tcase_set_timeout(tcase, 60);
    for (size_t i = 0; i < ARRAY_LEN(tests); i++)
        tcase_add_loop_test(tcase, tests[i], SQLITE, has_postgres ? POSTGRES + 1 : POSTGRES);
    suite_add_tcase(suite, tcase);
    return suite;
}
