#include "store/state_backend.h"
#include "store/state_backend_impl.h"
#include "store/store_impl.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "tests/unit/tempdir.h"

#include <check.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

Suite *store_state_backend_suite(void);

static struct error err;
static struct store *store;
static struct state_backend *backend;
static const char id[] = "dev:tap-a-to-target-b";

#define ck_ok(call) ck_assert_msg((call) == 0, "%s (%s)", err.message, err.hint)

static void set_up(void)
{
    tempdir_make();
    auto_free char *database = xasprintf("sqlite:///%s/meltano.db", tempdir_path());
    auto_free char *uri = xasprintf("file://%s/state", tempdir_path());
    struct state_backend_options options = {.uri = uri};

    ck_ok(store_open(database, NULL, &store, &err));
    ck_ok(state_backend_open(&options, store, &backend, &err));
}

static void tear_down(void)
{
    clock_set_for_tests(-1);
    state_backend_close(backend);
    store_close(store);
    tempdir_remove();
}

static int64_t write_state(enum state_write kind, const char *value)
{
    int64_t version = 0;

    ck_ok(state_backend_write(backend, id, NULL, 0, NULL, kind, value, &version, &err));
    return version;
}

START_TEST(a_file_holds_both_parts_on_one_line)
{
    write_state(STATE_COMPLETE, "{\"singer_state\": {\"n\": 0.10}}");
    write_state(STATE_PARTIAL, "{\"singer_state\": {\"b\": 1}}");
    auto_free char *text = tempdir_read("state/dev:tap-a-to-target-b/state.json");

    ck_assert_str_eq(text, "{\"completed\": {\"singer_state\": {\"n\": 0.10}}, "
                           "\"partial\": {\"singer_state\": {\"b\": 1}}}");
    ck_assert(!file_exists(tempdir_join("state/dev:tap-a-to-target-b/lock")));
}
END_TEST

START_TEST(members_that_are_missing_read_as_empty)
{
    struct state_parts parts = {0};
    bool found = false;

    tempdir_write("state/dev:tap-a-to-target-b/state.json", "{\"partial\": null}");
    ck_ok(state_backend_read(backend, id, &parts, &found, &err));
    ck_assert(found);
    ck_assert_str_eq(parts.completed, "{}");
    ck_assert_str_eq(parts.partial, "{}");
    state_parts_clear(&parts);
}
END_TEST

static const struct {
    const char *text;
    const char *problem;
} damaged_files[] = {
    {"", "is damaged: invalid JSON at line 1, column 1: a value was expected"},
    {"{\"completed\": {", "is damaged: invalid JSON at line 1, column 16"},
    {"[]", "a JSON object was expected, not a list"},
    {"{\"completed\": 5}", "a JSON object was expected, not an integer"},
};

START_TEST(a_damaged_file_is_named)
{
    struct state_parts parts = {0};
    bool found;

    tempdir_write("state/dev:tap-a-to-target-b/state.json", damaged_files[_i].text);
    ck_assert_int_eq(state_backend_read(backend, id, &parts, &found, &err), -1);
    ck_assert_int_eq(err.code, ERR_STATE);
    ck_assert_ptr_nonnull(
        strstr(err.message, tempdir_join("state/dev:tap-a-to-target-b/state.json")));
    ck_assert_ptr_nonnull(strstr(err.message, damaged_files[_i].problem));
    ck_assert_ptr_null(parts.completed);
}
END_TEST

START_TEST(a_version_that_meltano_wrote_is_kept_in_the_ledger)
{
    struct state_version_list versions = {0};

    tempdir_write("state/dev:tap-a-to-target-b/state.json",
                  "{\"completed\": {\"singer_state\": {\"a\": 1}}, \"partial\": {}}");
    ck_assert_int_eq(write_state(STATE_COMPLETE, "{\"singer_state\": {\"a\": 2}}"), 2);
    ck_assert_int_eq(write_state(STATE_COMPLETE, "{\"singer_state\": {\"a\": 3}}"), 3);
    ck_ok(store_state_history(store, id, 0, &versions, &err));
    ck_assert_uint_eq(versions.count, 3);
    ck_assert_str_eq(versions.items[2].kind, "found");
    ck_assert_str_eq(versions.items[0].kind, "complete");
    state_version_list_clear(&versions);
}
END_TEST

START_TEST(a_fresh_lock_is_waited_for_and_an_old_one_broken)
{
    auto_strbuf struct strbuf lock = STRBUF_INIT;
    int64_t begun;

    state_backend_close(backend);
    auto_free char *uri = xasprintf("file://localhost%s/state", tempdir_path());
    struct state_backend_options options = {.uri = uri, .lock_timeout_s = 1};

    ck_ok(state_backend_open(&options, store, &backend, &err));
    state_lock_render(&lock, clock_now_us());
    tempdir_write("state/dev:tap-a-to-target-b/lock", strbuf_text(&lock));
    begun = clock_monotonic_ms();
    write_state(STATE_COMPLETE, "{\"singer_state\": {}}");
    ck_assert_int_ge(clock_monotonic_ms() - begun, 900);
    ck_assert(!file_exists(tempdir_join("state/dev:tap-a-to-target-b/lock")));
}
END_TEST

START_TEST(a_lock_that_is_none_is_left_alone)
{
    tempdir_write("state/dev:tap-a-to-target-b/lock", "not a time");
    ck_assert_int_eq(
        state_backend_write(backend, id, NULL, 0, NULL, STATE_COMPLETE, "{\"a\": 1}", NULL, &err),
        -1);
    ck_assert_ptr_nonnull(strstr(err.message, "does not hold a time"));
    ck_assert(file_exists(tempdir_join("state/dev:tap-a-to-target-b/lock")));
}
END_TEST

START_TEST(a_cleared_state_takes_its_directory_along)
{
    auto_strlist struct strlist ids = STRLIST_INIT;

    write_state(STATE_COMPLETE, "{\"singer_state\": {}}");
    ck_ok(state_backend_list(backend, &ids, &err));
    ck_assert_uint_eq(ids.count, 1);
    ck_assert_str_eq(ids.items[0], id);
    ck_ok(state_backend_clear(backend, id, NULL, &err));
    ck_assert(!file_exists(tempdir_join("state/dev:tap-a-to-target-b")));
    ck_ok(state_backend_clear(backend, id, NULL, &err));
}
END_TEST

static const char *const wrong_ids[] = {"../other", "/etc", "a/../b", ".", "", "a//b", "a/"};

START_TEST(a_state_id_cannot_leave_the_directory)
{
    struct state_parts parts = {0};
    bool found;

    ck_assert_int_eq(state_backend_read(backend, wrong_ids[_i], &parts, &found, &err), -1);
    ck_assert_int_eq(state_backend_write(backend, wrong_ids[_i], NULL, 0, NULL, STATE_COMPLETE,
                                         "{\"a\": 1}", NULL, &err),
                     -1);
    auto_free char *message =
        xasprintf("the state id '%s' cannot be part of a path", wrong_ids[_i]);
    ck_assert_str_eq(err.message, message);
}
END_TEST

START_TEST(a_run_without_its_lock_writes_no_file)
{
    struct store_lock *lock = NULL;
    int64_t row_id = 0;

    ck_ok(store_lock_acquire(store, id, 0, NULL, &lock, NULL, &err));
    ck_ok(store_run_begin(store, id, "01a202e5-75e7-7a34-9ad5-4cbbf4a2b6d1", "cli", NULL, &row_id,
                          &err));
    ck_ok(store->db.driver->script(&store->db,
                                   "UPDATE meltshim_locks SET generation = generation + 1", &err));
    ck_assert_int_eq(state_backend_write(backend, id, lock, row_id, NULL, STATE_COMPLETE,
                                         "{\"singer_state\": {\"a\": 2}}", NULL, &err),
                     -1);
    ck_assert_int_eq(err.code, ERR_LOST_LOCK);
    ck_assert(!file_exists(tempdir_join("state/dev:tap-a-to-target-b/state.json")));
}
END_TEST

static const struct {
    const char *uri;
    const char *message;
} refused_uris[] = {
    {"gs://bucket/x",
     "the state backend 'gs' is one of the Python Meltano and not of this program"},
    {"azure://container",
     "the state backend 'azure' is one of the Python Meltano and not of this program"},
    {"foo://x", "No state backend found for scheme 'foo'"},
    {"elsewhere", "No state backend found for scheme ''"},
    {"file://state", "the setting state_backend.uri 'file://state' names no directory"},
};

START_TEST(a_backend_that_is_not_built_in_is_refused)
{
    struct state_backend_options options = {.uri = refused_uris[_i].uri};
    struct state_backend *refused = NULL;

    ck_assert_int_eq(state_backend_open(&options, store, &refused, &err), -1);
    ck_assert_int_eq(err.code, ERR_CONFIG);
    ck_assert_str_eq(err.message, refused_uris[_i].message);
    ck_assert_str_ne(err.hint, "");
}
END_TEST

Suite *store_state_backend_suite(void)
{
    Suite *suite = suite_create("store/state_backend");
    TCase *tcase = tcase_create("state_backend");

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, a_file_holds_both_parts_on_one_line);
    tcase_add_test(tcase, members_that_are_missing_read_as_empty);
    tcase_add_loop_test(tcase, a_damaged_file_is_named, 0, ARRAY_LEN(damaged_files));
    tcase_add_test(tcase, a_version_that_meltano_wrote_is_kept_in_the_ledger);
    tcase_add_test(tcase, a_fresh_lock_is_waited_for_and_an_old_one_broken);
    tcase_add_test(tcase, a_lock_that_is_none_is_left_alone);
    tcase_add_test(tcase, a_cleared_state_takes_its_directory_along);
    tcase_add_loop_test(tcase, a_state_id_cannot_leave_the_directory, 0, ARRAY_LEN(wrong_ids));
    tcase_add_test(tcase, a_run_without_its_lock_writes_no_file);
    tcase_add_loop_test(tcase, a_backend_that_is_not_built_in_is_refused, 0,
                        ARRAY_LEN(refused_uris));
    suite_add_tcase(suite, tcase);
    return suite;
}
