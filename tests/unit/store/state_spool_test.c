#include "store/state_spool.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/path.h"
#include "tests/unit/tempdir.h"

#include <check.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

Suite *store_state_spool_suite(void);

static const char run_1[] = "01a202e5-75e7-7a34-9ad5-4cbbf4a2b6d1";
static const char run_2[] = "01a202e6-0000-7a34-9ad5-4cbbf4a2b6d1";
static const char id[] = "dev:tap-a/to:target-b";

static struct error err;
static char *path;
static struct store *store;
static struct state_backend *backend;
static struct store_lock *lock;
static int64_t row_id;

#define ck_ok(call) ck_assert_msg((call) == 0, "%s (%s)", err.message, err.hint)

static void set_up(void)
{
    struct lock_owner self = {.pid = 1};

    err = (struct error){0};
    tempdir_make();
    auto_free char *uri = xasprintf("sqlite:///%s/meltano.db", tempdir_path());
    auto_free char *spool = path_join(tempdir_path(), "spool");

    path = state_spool_path(spool, id, run_1);
    ck_ok(store_open(uri, NULL, &store, &err));
    ck_ok(state_backend_open(NULL, store, &backend, &err));
    ck_ok(store_lock_acquire(store, id, 0, &self, &lock, NULL, &err));
    ck_ok(store_run_begin(store, id, run_1, "cli", NULL, &row_id, &err));
}

static void tear_down(void)
{
    clock_set_for_tests(-1);
    store_lock_release(lock);
    state_backend_close(backend);
    store_close(store);
    tempdir_remove();
    free(path);
}

static void write_state(const char *run_id, int n)
{
    auto_free char *value = xasprintf("{\"singer_state\": {\"n\": %d}}", n);

    ck_ok(
        state_backend_write(backend, id, lock, row_id, run_id, STATE_COMPLETE, value, NULL, &err));
}

static void check_state(const char *expected)
{
    struct state_parts parts = {0};
    bool found;

    ck_ok(state_backend_read(backend, id, &parts, &found, &err));
    ck_assert_str_eq(parts.completed, expected);
    state_parts_clear(&parts);
}

/* What run 1 kept when it had last seen the version. */
static void spool_state(int64_t version, int n)
{
    auto_state_spool struct state_spool spool = {
        .state_id = xstrdup(id),
        .row_id = row_id,
        .written_at_us = clock_now_us(),
        .state = xasprintf("{\"singer_state\": {\"n\": %d, \"x\": 0.10}}", n),
        .base = {.version = version},
        .has_end = true,
        .end = RUN_FAIL,
        .ended_at_us = clock_now_us(),
        .error_text = xstrdup("it is \"away\""),
        .record = xstrdup("{\"run_id\":\"1\"}"),
    };

    snprintf(spool.run_id, sizeof spool.run_id, "%s", run_1);
    ck_ok(state_spool_write(path, &spool, &err));
}

static enum spool_outcome commit(bool force)
{
    auto_state_spool struct state_spool spool = {0};
    enum spool_outcome outcome;

    ck_ok(state_spool_read(path, &spool, &err));
    ck_ok(state_spool_commit(backend, lock, &spool, force, &outcome, &err));
    return outcome;
}

START_TEST(what_was_kept_comes_back_whole)
{
    auto_state_spool struct state_spool spool = {0};
    auto_strlist struct strlist paths = STRLIST_INIT;
    auto_free char *dir = path_join(tempdir_path(), "spool");
    struct stat status;

    spool_state(7, 3);
    ck_assert_int_eq(stat(path, &status), 0);
    ck_assert_int_eq(status.st_mode & 0777, 0600);
    ck_ok(state_spool_list(dir, id, &paths, &err));
    ck_ok(state_spool_list(dir, NULL, &paths, &err));
    ck_assert_int_eq(paths.count, 2);
    ck_assert_str_eq(paths.items[0], path);
    ck_ok(state_spool_read(path, &spool, &err));
    ck_assert_str_eq(spool.state_id, id);
    ck_assert_str_eq(spool.run_id, run_1);
    ck_assert_str_eq(spool.state, "{\"singer_state\": {\"n\": 3, \"x\": 0.10}}");
    ck_assert_int_eq(spool.base.version, 7);
    ck_assert_int_eq(spool.end, RUN_FAIL);
    ck_assert_str_eq(spool.error_text, "it is \"away\"");
    ck_assert_str_eq(spool.record, "{\"run_id\":\"1\"}");
    ck_ok(state_spool_remove(path, &err));
    ck_assert(!file_exists(path));
}
END_TEST

START_TEST(a_state_that_nobody_has_followed_is_committed)
{
    struct run_row_list rows = {0};

    write_state(run_1, 1);
    spool_state(1, 2);
    ck_assert_int_eq(commit(false), SPOOL_COMMITTED);
    check_state("{\"singer_state\": {\"n\": 2, \"x\": 0.10}}");
    ck_ok(store_find_runs(store, run_1, &rows, &err));
    ck_assert_int_eq(rows.items[0].state, RUN_FAIL);
    ck_assert_ptr_nonnull(strstr(rows.items[0].payload, "it is \\\"away\\\""));
    run_row_list_clear(&rows);
}
END_TEST

START_TEST(a_state_that_another_run_has_followed_is_left_alone)
{
    write_state(run_1, 1);
    spool_state(1, 2);
    write_state(run_2, 3);
    ck_assert_int_eq(commit(false), SPOOL_IS_OUTDATED);
    check_state("{\"singer_state\": {\"n\": 3}}");
    ck_assert_int_eq(commit(true), SPOOL_COMMITTED);
    check_state("{\"singer_state\": {\"n\": 2, \"x\": 0.10}}");
}
END_TEST

START_TEST(a_commit_without_an_answer_is_no_reason_to_forget_what_follows_it)
{
    clock_set_for_tests(INT64_C(1000000) * 1000);
    write_state(run_1, 1);
    /* Version 2 was written, but the run never learned it. */
    write_state(run_1, 2);
    clock_set_for_tests(INT64_C(1000000) * 1001);
    spool_state(1, 3);
    ck_assert_int_eq(commit(false), SPOOL_COMMITTED);
    check_state("{\"singer_state\": {\"n\": 3, \"x\": 0.10}}");
}
END_TEST

START_TEST(a_file_that_stayed_behind_never_takes_the_state_back)
{
    clock_set_for_tests(INT64_C(1000000) * 1000);
    write_state(run_1, 1);
    spool_state(1, 2);
    clock_set_for_tests(INT64_C(1000000) * 1001);
    write_state(run_1, 5);
    ck_assert_int_eq(commit(false), SPOOL_WAS_COMMITTED);
    check_state("{\"singer_state\": {\"n\": 5}}");
}
END_TEST

static const struct damaged_row {
    const char *content, *message;
} damaged_rows[] = {
    {"{", "a key in double quotes was expected"},
    {"[]", "its schema is not meltshim.spool/1"},
    {"{\"schema\": \"meltshim.spool/1\"}", "state_id, run_id or kind is missing"},
    {"{\"schema\": \"meltshim.spool/1\", \"state_id\": \"a\", \"kind\": \"complete\", \"run_id\": "
     "\"b\"}",
     "its run_id is no UUID"},
};

START_TEST(a_file_that_holds_something_else_is_named)
{
    const struct damaged_row *row = &damaged_rows[_i];
    auto_strbuf struct strbuf text = STRBUF_INIT;
    auto_state_spool struct state_spool spool = {0};

    spool_state(1, 1);
    strbuf_add(&text, row->content);
    ck_ok(file_replace(path, &text, 0600, NULL, &err));
    ck_assert_int_eq(state_spool_read(path, &spool, &err), -1);
    ck_assert_int_eq(err.code, ERR_STATE);
    ck_assert_ptr_nonnull(strstr(err.message, row->message));
    ck_assert_ptr_nonnull(strstr(err.message, path));
}
END_TEST

START_TEST(no_directory_is_no_file)
{
    auto_strlist struct strlist paths = STRLIST_INIT;

    ck_ok(state_spool_list("/nonexistent/spool", NULL, &paths, &err));
    ck_ok(state_spool_list("/nonexistent/spool", id, &paths, &err));
    ck_assert_int_eq(paths.count, 0);
}
END_TEST

Suite *store_state_spool_suite(void)
{
    Suite *suite = suite_create("store/state_spool");
    TCase *tcase = tcase_create("state_spool");

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, what_was_kept_comes_back_whole);
    tcase_add_test(tcase, a_state_that_nobody_has_followed_is_committed);
    tcase_add_test(tcase, a_state_that_another_run_has_followed_is_left_alone);
    tcase_add_test(tcase, a_commit_without_an_answer_is_no_reason_to_forget_what_follows_it);
    tcase_add_test(tcase, a_file_that_stayed_behind_never_takes_the_state_back);
    tcase_add_loop_test(tcase, a_file_that_holds_something_else_is_named, 0,
                        (int)(sizeof damaged_rows / sizeof *damaged_rows));
    tcase_add_test(tcase, no_directory_is_no_file);
    suite_add_tcase(suite, tcase);
    return suite;
}
