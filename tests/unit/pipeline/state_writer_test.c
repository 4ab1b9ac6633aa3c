#include "pipeline/state_writer.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/path.h"
#include "store/state_spool.h"
#include "store/store_impl.h"
#include "tests/unit/states.h"
#include "tests/unit/tempdir.h"

#include <check.h>
#include <poll.h>
#include <string.h>
#include <sys/resource.h>

Suite *pipeline_state_writer_suite(void);

static const char run_1[] = "01a202e5-75e7-7a34-9ad5-4cbbf4a2b6d1";
static const char id[] = "dev:tap-a-to-target-b";

static struct error err;
static char *uri, *spool_path;
static struct store *store, *other; /* other: somebody else's connection */
static struct state_backend *backend;
static struct store_lock *lock;
static int64_t row_id;

#define ck_ok(call) ck_assert_msg((call) == 0, "%s (%s)", err.message, err.hint)

static void set_up(void)
{
    err = (struct error){0};
    tempdir_make();
    uri = xasprintf("sqlite:///%s/meltano.db", tempdir_path());
    auto_free char *dir = path_join(tempdir_path(), "spool");

    spool_path = state_spool_path(dir, id, run_1);
    ck_ok(store_open(uri, NULL, &store, &err));
    ck_ok(store_open(uri, NULL, &other, &err));
    ck_ok(state_backend_open(NULL, store, &backend, &err));
    ck_ok(store_lock_acquire(store, id, 0, NULL, &lock, NULL, &err));
    ck_ok(store_run_begin(store, id, run_1, "cli", NULL, &row_id, &err));
}

static void tear_down(void)
{
    state_backend_close(backend);
    store_lock_release(lock);
    store_close(store);
    store_close(other);
    free(uri);
    free(spool_path);
    tempdir_remove();
}

static struct state_writer *start(enum state_write kind)
{
    struct state_writer_options options = {
        .store = store,
        .backend = backend,
        .lock = lock,
        .state_id = id,
        .run_id = run_1,
        .row_id = row_id,
        .kind = kind,
        .spool_path = spool_path,
    };

    return state_writer_new(&options, &err);
}

static void accept(struct state_writer *writer, const char *line)
{
    state_writer_accept(writer, line, strlen(line));
}

/* Polls the news until condition() holds. */
static void wait_until(struct state_writer *writer, bool (*condition)(struct state_writer *writer))
{
    int64_t until_ms = clock_monotonic_ms() + 10000;
    struct error ignored = {0};

    while (!condition(writer)) {
        struct pollfd news = {.fd = state_writer_fd(writer), .events = POLLIN};

        ck_assert_msg(clock_monotonic_ms() < until_ms, "the condition did not come true in time");
        poll(&news, 1, 20);
        state_writer_tell(writer, &ignored);
    }
}

static bool has_committed(struct state_writer *writer)
{
    return state_writer_counts(writer)->checkpoints > 0;
}

static bool has_spooled(struct state_writer *writer)
{
    (void)writer;
    return file_exists(spool_path);
}

/* Ends the writer and gives what state_writer_close() gives. */
static int end(struct state_writer *writer)
{
    state_writer_end(writer, clock_monotonic_ms() + 5000, 0);
    wait_until(writer, (bool (*)(struct state_writer *))state_writer_has_ended);
    return state_writer_close(writer, &err);
}

static void check_state(const char *completed, const char *partial)
{
    struct state_parts parts = {0};
    bool found;

    ck_ok(states_read(other, id, &parts, &found, &err));
    ck_assert_str_eq(parts.completed, completed);
    ck_assert_str_eq(parts.partial, partial);
    state_parts_clear(&parts);
}

static void run_sql(const char *sql)
{
    ck_ok(other->db.driver->script(&other->db, sql, &err));
}

START_TEST(the_newest_state_is_committed_at_the_end)
{
    struct state_writer *writer = start(STATE_COMPLETE);

    for (int n = 1; n <= 100; n++) {
        auto_free char *line = xasprintf("{\"n\":%d,\"x\":0.10}", n);

        accept(writer, line);
    }
    ck_ok(end(writer));
    check_state("{\"singer_state\": {\"n\": 100, \"x\": 0.10}}", "{}");
    ck_assert_uint_eq(state_writer_counts(writer)->received, 100);
    ck_assert_uint_le(state_writer_counts(writer)->checkpoints, 2);
    ck_assert(!file_exists(spool_path));
    state_writer_free(writer);
}
END_TEST

START_TEST(what_was_accepted_is_committed_without_an_end_as_well)
{
    struct state_writer *writer = start(STATE_COMPLETE);

    accept(writer, "{\"n\": 1}");
    accept(writer, "{\"n\": 2}");
    ck_ok(state_writer_close(writer, &err));
    check_state("{\"singer_state\": {\"n\": 2}}", "{}");
    state_writer_free(writer);
}
END_TEST

static const char *const no_states[] = {
    "nonsense", "{\"n\":", "[1]", "5", "{}", "null", "1}, {\"a\": 2", "\"text\"",
};

START_TEST(a_line_that_is_no_state_does_not_take_the_place_of_one)
{
    struct state_writer *writer = start(STATE_COMPLETE);

    accept(writer, "{\"n\": 1}");
    accept(writer, no_states[_i]);
    accept(writer, "   ");
    ck_ok(end(writer));
    check_state("{\"singer_state\": {\"n\": 1}}", "{}");
    ck_assert_uint_eq(state_writer_counts(writer)->received, 2);
    state_writer_free(writer);
}
END_TEST

START_TEST(states_that_are_merged_all_count)
{
    struct state_writer *writer = start(STATE_PARTIAL);

    accept(writer, "{\"a\": {\"x\": 1}}");
    wait_until(writer, has_committed);
    accept(writer, "{\"a\": {\"y\": 2}}");
    accept(writer, "{\"b\": 3}");
    ck_ok(end(writer));
    check_state("{}", "{\"singer_state\": {\"a\": {\"x\": 1, \"y\": 2}, \"b\": 3}}");
    state_writer_free(writer);
}
END_TEST

START_TEST(what_the_database_refuses_is_kept_until_it_takes_it)
{
    struct state_writer *writer = start(STATE_COMPLETE);

    run_sql("ALTER TABLE state RENAME TO away");
    accept(writer, "{\"n\": 1}");
    wait_until(writer, has_spooled);
    accept(writer, "{\"n\": 2}");
    run_sql("ALTER TABLE away RENAME TO state");
    ck_ok(end(writer));
    ck_assert(!state_writer_is_away(writer));
    check_state("{\"singer_state\": {\"n\": 2}}", "{}");
    ck_assert(!file_exists(spool_path));
    state_writer_free(writer);
}
END_TEST

START_TEST(what_is_refused_until_the_end_stays_in_a_file)
{
    struct state_writer *writer = start(STATE_COMPLETE);
    auto_state_spool struct state_spool spool = {0};
    struct error cause = {.code = ERR_DATABASE, .message = "gone"};

    run_sql("ALTER TABLE state RENAME TO away");
    accept(writer, "{\"n\": 1}");
    wait_until(writer, has_spooled);
    accept(writer, "{\"n\": 2}");
    ck_assert_int_eq(end(writer), -1);
    ck_assert_int_eq(err.code, ERR_SPOOLED);
    ck_assert_ptr_nonnull(strstr(err.hint, spool_path));
    ck_assert_int_eq(
        state_writer_spool_end(writer, RUN_FAIL, "it failed", "{\"a\":1}", &cause, &err), -1);
    ck_assert_int_eq(err.code, ERR_SPOOLED);
    ck_ok(state_spool_read(spool_path, &spool, &err));
    ck_assert_str_eq(spool.state, "{\"singer_state\": {\"n\": 2}}");
    ck_assert_str_eq(spool.error_text, "it failed");
    run_sql("ALTER TABLE away RENAME TO state");
    state_writer_free(writer);
}
END_TEST

START_TEST(a_run_that_lost_its_lock_keeps_nothing)
{
    struct state_writer *writer = start(STATE_COMPLETE);

    accept(writer, "{\"n\": 1}");
    wait_until(writer, has_committed);
    run_sql("UPDATE meltshim_locks SET generation = generation + 1");
    accept(writer, "{\"n\": 2}");
    ck_assert_int_eq(end(writer), -1);
    ck_assert_int_eq(err.code, ERR_LOST_LOCK);
    check_state("{\"singer_state\": {\"n\": 1}}", "{}");
    ck_assert(!file_exists(spool_path));
    state_writer_free(writer);
}
END_TEST

START_TEST(without_a_descriptor_there_is_no_writer)
{
    struct rlimit before, none;

    getrlimit(RLIMIT_NOFILE, &before);
    none = (struct rlimit){.rlim_cur = 0, .rlim_max = before.rlim_max};
    setrlimit(RLIMIT_NOFILE, &none);
    ck_assert_ptr_null(start(STATE_COMPLETE));
    setrlimit(RLIMIT_NOFILE, &before);
    ck_assert_int_eq(err.code, ERR_IO);
    ck_assert_str_eq(err.message, "cannot watch over the state of 'dev:tap-a-to-target-b': Too "
                                  "many open files");
}
END_TEST

START_TEST(a_run_without_state_counts_its_lines)
{
    struct state_writer *writer = state_writer_new(NULL, &err);

    accept(writer, "{\"n\": 1}");
    state_writer_beat_take(writer, xstrdup("{\"n\":1}"));
    state_writer_end(writer, 0, 0);
    ck_assert(state_writer_has_ended(writer));
    ck_ok(state_writer_close(writer, &err));
    ck_assert_uint_eq(state_writer_counts(writer)->received, 1);
    ck_assert_ptr_null(state_writer_last_state(writer));
    state_writer_free(writer);
}
END_TEST

Suite *pipeline_state_writer_suite(void)
{
    Suite *suite = suite_create("pipeline/state_writer");
    TCase *tcase = tcase_create("state_writer");

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, the_newest_state_is_committed_at_the_end);
    tcase_add_test(tcase, what_was_accepted_is_committed_without_an_end_as_well);
    tcase_add_loop_test(tcase, a_line_that_is_no_state_does_not_take_the_place_of_one, 0,
                        (int)ARRAY_LEN(no_states));
    tcase_add_test(tcase, states_that_are_merged_all_count);
    tcase_add_test(tcase, what_the_database_refuses_is_kept_until_it_takes_it);
    tcase_add_test(tcase, what_is_refused_until_the_end_stays_in_a_file);
    tcase_add_test(tcase, a_run_that_lost_its_lock_keeps_nothing);
    tcase_add_test(tcase, without_a_descriptor_there_is_no_writer);
    tcase_add_test(tcase, a_run_without_state_counts_its_lines);
    suite_add_tcase(suite, tcase);
    return suite;
}
