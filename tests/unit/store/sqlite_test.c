/* What only SQLite does: files that are missing, damaged, locked or on a full disk. */
#include "store/store.h"
#include "store/store_impl.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "tests/unit/states.h"
#include "tests/unit/tempdir.h"

#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

Suite *store_sqlite_suite(void);

static struct error err;
static struct store *store;

#define ck_ok(call) ck_assert_msg((call) == 0, "%s (%s)", err.message, err.hint)

static int open_file(const char *name)
{
    auto_free char *uri = xasprintf("sqlite:///%s", tempdir_join(name));

    return store_open(uri, NULL, &store, &err);
}

static char *query_text(const char *sql)
{
    auto_db_rows struct db_rows rows = DB_ROWS_INIT;

    ck_ok(db_query(&store->db, sql, DB_NO_VALUES, &rows, &err));
    return rows.count ? xstrdup_or_null(db_rows_text(&rows, 0, 0)) : NULL;
}

static void run_sql(const char *sql)
{
    ck_ok(store->db.driver->script(&store->db, sql, &err));
}

static int write_state(const char *value)
{
    return states_set(store, "a", NULL, value, &err);
}

START_TEST(the_tables_have_the_text_of_meltanos)
{
    ck_ok(open_file("meltano.db"));
    auto_free char *runs = query_text("SELECT sql FROM sqlite_master WHERE name = 'runs'");
    auto_free char *names = query_text("SELECT GROUP_CONCAT(name) FROM sqlite_master WHERE name "
                                       "NOT LIKE '%meltshim%'");

    ck_assert_str_eq(runs, "CREATE TABLE \"runs\" (\n\tid INTEGER NOT NULL, \n\tjob_name VARCHAR, "
                           "\n\tstate VARCHAR(7), \n\tstarted_at DATETIME, \n\tended_at DATETIME, "
                           "\n\tpayload VARCHAR, \n\tpayload_flags INTEGER, run_id CHAR(32), "
                           "\"trigger\" VARCHAR, last_heartbeat_at DATETIME, \n\tPRIMARY KEY (id)"
                           "\n)");
    ck_assert_str_eq(names, "alembic_version,sqlite_autoindex_alembic_version_1,runs,"
                            "plugin_settings,sqlite_autoindex_plugin_settings_1,state,"
                            "sqlite_autoindex_state_1");
    store_close(store);
}
END_TEST

START_TEST(values_are_stored_in_the_form_of_meltanos)
{
    int64_t row_id;

    ck_ok(open_file("meltano.db"));
    clock_set_for_tests(1795350000000000);
    ck_ok(store_run_begin(store, "a", "01A202E5-75E7-7A34-9AD5-4CBBF4A2B6D1", "cli", NULL, &row_id,
                          &err));
    auto_free char *row = query_text("SELECT run_id || ' ' || started_at || ' ' || payload FROM "
                                     "runs");

    ck_assert_str_eq(row, "01a202e575e77a349ad54cbbf4a2b6d1 2026-11-22 12:20:00.000000 {}");
    store_close(store);
}
END_TEST

START_TEST(the_journal_is_the_one_of_meltano)
{
    ck_ok(open_file("meltano.db"));
    auto_free char *mode = query_text("PRAGMA journal_mode");

    ck_assert_str_eq(mode, "wal");
    store_close(store);
}
END_TEST

START_TEST(a_directory_that_is_missing_is_made)
{
    ck_ok(open_file(".meltano/meltano.db"));
    store_close(store);
    ck_assert(file_exists(tempdir_join(".meltano/meltano.db")));
    ck_assert_int_eq(open_file("not/mounted/meltano.db"), -1);
    ck_assert_ptr_nonnull(strstr(err.message, "cannot make the directory of the system database"));
    ck_assert_str_eq(err.hint, "Check the setting database_uri.");
}
END_TEST

START_TEST(a_symlink_leads_to_the_same_locks)
{
    struct store *other;
    struct store_lock *lock = NULL, *none = NULL;

    ck_ok(open_file("meltano.db"));
    other = store;
    auto_free char *target = xstrdup(tempdir_join("meltano.db"));

    ck_assert_int_eq(symlink(target, tempdir_join("link.db")), 0);
    ck_ok(open_file("link.db"));
    ck_ok(store_lock_acquire(store, "a", 0, NULL, &lock, NULL, &err));
    ck_assert_int_eq(store_lock_acquire(other, "a", 0, NULL, &none, NULL, &err), -1);
    ck_assert_int_eq(err.code, ERR_LOCKED);
    store_close(store);
    store_close(other);
}
END_TEST

START_TEST(a_file_that_is_no_database_is_called_damaged)
{
    auto_strbuf struct strbuf text = STRBUF_INIT;

    strbuf_add_repeat(&text, 'x', 8192);
    tempdir_write("meltano.db", strbuf_text(&text));
    ck_assert_int_eq(open_file("meltano.db"), -1);
    ck_assert_int_eq(err.code, ERR_DATABASE);
    auto_free char *message = xasprintf(
        "the system database '%s' is damaged: file is not a database", tempdir_join("meltano.db"));
    ck_assert_str_eq(err.message, message);
    ck_assert_ptr_nonnull(strstr(err.hint, "Restore it from a backup"));
}
END_TEST

START_TEST(a_database_in_memory_is_refused)
{
    ck_assert_int_eq(store_open("sqlite://", NULL, &store, &err), -1);
    ck_assert_int_eq(err.code, ERR_CONFIG);
    ck_assert_int_eq(store_open("sqlite:///:memory:", NULL, &store, &err), -1);
    ck_assert_int_eq(store_open("sqlite:///file:x?uri=true", NULL, &store, &err), -1);
    ck_assert_int_eq(err.code, ERR_CONFIG);
}
END_TEST

START_TEST(a_reader_makes_no_file)
{
    struct store_options options = {.read_only = true};
    auto_free char *uri = xasprintf("sqlite:///%s", tempdir_join("none/meltano.db"));

    ck_ok(store_open(uri, &options, &store, &err));
    store_close(store);
    ck_assert(!file_exists(tempdir_join("none")));
}
END_TEST

/* Runs check in a child that is not root, because root may write everywhere. */
static void without_rights(void (*check)(void))
{
    pid_t pid = fork();
    int status;

    if (!pid) {
        if (geteuid() == 0 && setuid(65534) < 0)
            _exit(2);
        check();
        _exit(0);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(status, 0);
}

static void check_unwritable(void)
{
    if (open_file("meltano.db") != -1 || err.code != ERR_DATABASE ||
        !strstr(err.message, "cannot write the system database") ||
        !strstr(err.hint, "must be able to write the file and its directory"))
        _exit(1);
}

START_TEST(a_directory_that_cannot_be_written_is_named)
{
    ck_assert_int_eq(chmod(tempdir_path(), 0555), 0);
    without_rights(check_unwritable);
    ck_assert_int_eq(chmod(tempdir_path(), 0755), 0);
}
END_TEST

START_TEST(a_file_that_cannot_be_written_is_named)
{
    ck_ok(open_file("meltano.db"));
    store_close(store);
    ck_assert_int_eq(chmod(tempdir_join("meltano.db"), 0444), 0);
    ck_assert_int_eq(chmod(tempdir_path(), 0755), 0);
    without_rights(check_unwritable);
}
END_TEST

/* Keeps the write lock for a while, as a migration of Meltano may. */
static pid_t hold_write_lock(int seconds)
{
    int fds[2];
    char ready;
    pid_t pid;

    ck_assert_int_eq(pipe(fds), 0);
    pid = fork();
    if (!pid) {
        struct store *own = NULL;
        auto_free char *uri = xasprintf("sqlite:///%s", tempdir_join("meltano.db"));

        if (store_open(uri, NULL, &own, &err) < 0 ||
            own->db.driver->begin(&own->db, DB_DURABLE, &err) < 0 || write(fds[1], "x", 1) < 0)
            _exit(1);
        sleep((unsigned)seconds);
        _exit(0);
    }
    ck_assert_int_eq(read(fds[0], &ready, 1), 1);
    return pid;
}

START_TEST(a_lock_of_another_program_is_waited_for)
{
    pid_t pid;

    ck_ok(open_file("meltano.db"));
    ck_ok(write_state("{\"n\":1}"));
    pid = hold_write_lock(6);
    ck_ok(write_state("{\"n\":2}"));
    waitpid(pid, NULL, 0);
    store_close(store);
}
END_TEST

START_TEST(a_full_disk_loses_nothing_that_was_committed)
{
    struct state_parts parts = {0};
    struct strbuf large = STRBUF_INIT;
    bool found;

    if (mkdir(tempdir_join("small"), 0755) < 0 ||
        mount("none", tempdir_join("small"), "tmpfs", 0, "size=600k") < 0) {
        fprintf(stderr, "a full disk: SKIPPED, no file system can be mounted here: %s\n",
                strerror(errno));
        return;
    }
    ck_ok(open_file("small/meltano.db"));
    ck_ok(write_state("{\"singer_state\": {\"n\": 1}}"));
    strbuf_add(&large, "{\"singer_state\": \"");
    strbuf_add_repeat(&large, 'x', 500000);
    strbuf_add(&large, "\"}");
    ck_assert_int_eq(write_state(strbuf_text(&large)), -1);
    ck_assert_int_eq(err.code, ERR_DATABASE);
    ck_assert_ptr_nonnull(strstr(err.message, "is full"));
    ck_ok(states_read(store, "a", &parts, &found, &err));
    ck_assert_str_eq(parts.completed, "{\"singer_state\": {\"n\": 1}}");
    state_parts_clear(&parts);
    store_close(store);
    /* Another start finds it as well. */
    ck_ok(open_file("small/meltano.db"));
    ck_ok(states_read(store, "a", &parts, &found, &err));
    ck_assert_str_eq(parts.completed, "{\"singer_state\": {\"n\": 1}}");
    state_parts_clear(&parts);
    store_close(store);
    strbuf_clear(&large);
    ck_assert_int_eq(umount(tempdir_join("small")), 0);
}
END_TEST

START_TEST(a_writer_that_was_killed_leaves_whole_versions)
{
    struct state_parts parts = {0};
    bool found;

    for (int round = 0; round < 10; round++) {
        int wrote[2];
        char byte;
        pid_t pid;

        ck_assert_int_eq(pipe(wrote), 0);
        pid = fork();
        if (!pid) {
            if (open_file("meltano.db") < 0)
                _exit(1);
            for (int n = 0;; n++) {
                auto_free char *value = xasprintf("{\"singer_state\": {\"n\": %d}}", n);

                if (write_state(value) < 0 || write(wrote[1], "", 1) != 1)
                    _exit(1);
            }
        }
        /* Kill it in one of its later writes, however slow the machine is. */
        ck_assert_int_eq(read(wrote[0], &byte, 1), 1);
        usleep(10000);
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        close(wrote[0]);
        close(wrote[1]);
    }
    ck_ok(open_file("meltano.db"));
    auto_free char *damaged = query_text("PRAGMA integrity_check");
    auto_free char *lonely =
        query_text("SELECT COUNT(*) FROM runs WHERE NOT EXISTS (SELECT 1 FROM "
                   "meltshim_state_history AS h WHERE h.run_id = runs.run_id)");
    auto_free char *last = query_text("SELECT MAX(version) FROM meltshim_state_history");
    auto_free char *count = query_text("SELECT COUNT(*) FROM meltshim_state_history");

    ck_assert_str_eq(damaged, "ok");
    ck_assert_str_eq(lonely, "0");
    ck_assert_str_eq(last, count);
    ck_ok(states_read(store, "a", &parts, &found, &err));
    ck_assert(found);
    state_parts_clear(&parts);
    store_close(store);
}
END_TEST

START_TEST(a_database_that_was_opened_by_two_at_once_is_created_once)
{
    for (int i = 0; i < 8; i++) {
        if (!fork()) {
            if (!open_file("meltano.db"))
                _exit(0);
            fprintf(stderr, "%s (%s)\n", err.message, err.hint);
            _exit(1);
        }
    }
    for (int i = 0; i < 8; i++) {
        int status;

        wait(&status);
        ck_assert_int_eq(status, 0);
    }
    ck_ok(open_file("meltano.db"));
    run_sql("SELECT 1");
    store_close(store);
}
END_TEST

Suite *store_sqlite_suite(void)
{
    Suite *suite = suite_create("store/sqlite");
    TCase *tcase = tcase_create("sqlite");

    tcase_add_checked_fixture(tcase, tempdir_make, tempdir_remove);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, the_tables_have_the_text_of_meltanos);
    tcase_add_test(tcase, values_are_stored_in_the_form_of_meltanos);
    tcase_add_test(tcase, the_journal_is_the_one_of_meltano);
    tcase_add_test(tcase, a_directory_that_is_missing_is_made);
    tcase_add_test(tcase, a_symlink_leads_to_the_same_locks);
    tcase_add_test(tcase, a_file_that_is_no_database_is_called_damaged);
    tcase_add_test(tcase, a_database_in_memory_is_refused);
    tcase_add_test(tcase, a_reader_makes_no_file);
    tcase_add_test(tcase, a_directory_that_cannot_be_written_is_named);
    tcase_add_test(tcase, a_file_that_cannot_be_written_is_named);
    tcase_add_test(tcase, a_lock_of_another_program_is_waited_for);
    tcase_add_test(tcase, a_full_disk_loses_nothing_that_was_committed);
    tcase_add_test(tcase, a_writer_that_was_killed_leaves_whole_versions);
    tcase_add_test(tcase, a_database_that_was_opened_by_two_at_once_is_created_once);
    suite_add_tcase(suite, tcase);
    return suite;
}
