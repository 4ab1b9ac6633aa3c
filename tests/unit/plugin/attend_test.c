#include "plugin/attend.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"

#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

Suite *plugin_attend_suite(void);

#define PATIENCE_MS 20000

static char tap_name[] = "tap-x";
static struct plugin tap = {.type = PLUGIN_EXTRACTOR, .name = tap_name};
static struct strlist argv, env;
static struct attend_result result;
static struct error err;

static void set_up(void)
{
    log_set_level(LOG_CRITICAL);
    process_setup();
    strlist_add(&env, "PATH=/bin:/usr/bin");
    memset(&err, 0, sizeof err);
}

static void tear_down(void)
{
    strlist_clear(&argv);
    strlist_clear(&env);
    attend_result_clear(&result);
    result = (struct attend_result){0};
}

static struct attend_spec shell(const char *script)
{
    strlist_add(&argv, "/bin/sh");
    strlist_add(&argv, "-c");
    strlist_add(&argv, script);
    return (struct attend_spec){
        .plugin = &tap,
        .argv = &argv,
        .env = &env,
        .input_fd = SPAWN_NULL,
        .output_fd = SPAWN_NULL,
        .grace_ms = -1,
    };
}

START_TEST(the_end_and_the_last_lines_are_kept)
{
    struct attend_spec spec =
        shell("i=0; while [ $i -lt 30 ]; do echo line $i >&2; i=$((i+1)); done; exit 3");

    ck_assert_msg(!attend(&spec, &result, &err), "%s", err.message);
    ck_assert_int_eq(result.end.kind, EXIT_STATUS);
    ck_assert_int_eq(result.end.code, 3);
    ck_assert_uint_eq(result.tail.count, ATTEND_TAIL_LINES);
    ck_assert_str_eq(result.tail.items[0], "line 10");
    ck_assert_str_eq(result.tail.items[ATTEND_TAIL_LINES - 1], "line 29");
    ck_assert_int_eq(result.signal_number, 0);
}
END_TEST

static bool count_to_three(void *context, const char *line, size_t length)
{
    int *count = context;

    ck_assert_uint_eq(length, strlen(line));
    return ++*count < 3;
}

START_TEST(enough_output_ends_the_program)
{
    struct attend_spec spec = shell("while :; do echo a; done");
    int count = 0;

    spec.take_line = count_to_three;
    spec.context = &count;
    ck_assert(!attend(&spec, &result, &err));
    ck_assert_int_eq(count, 3);
    ck_assert(result.was_enough);
    ck_assert_int_eq(result.end.kind, EXIT_SIGNAL);
}
END_TEST

static bool send_signal(void *context, const char *line, size_t length)
{
    (void)line;
    (void)length;
    raise(*(const int *)context);
    return true;
}

START_TEST(a_signal_is_passed_on_and_told_of)
{
    int number = SIGTERM;
    struct attend_spec spec =
        shell("trap 'echo stopping >&2; exit 5' TERM; echo ready; while :; do sleep 0.05; done");

    spec.take_line = send_signal;
    spec.context = &number;
    ck_assert(!attend(&spec, &result, &err));
    ck_assert_int_eq(result.signal_number, SIGTERM);
    ck_assert_int_eq(result.end.code, 5);
    ck_assert(strlist_contains(&result.tail, "stopping"));
    ck_assert_int_eq(attend_signal_error(&result, "the test", &err), -1);
    ck_assert_int_eq(err.code, ERR_TERMINATED);
    ck_assert_str_eq(err.message, "the test was terminated by a signal");
}
END_TEST

START_TEST(a_program_that_ignores_the_signal_is_killed_after_the_grace)
{
    int number = SIGINT;
    struct attend_spec spec = shell("trap '' TERM INT; echo ready; while :; do sleep 0.05; done");
    int64_t before_ms = clock_monotonic_ms();

    spec.take_line = send_signal;
    spec.context = &number;
    spec.grace_ms = 200;
    ck_assert(!attend(&spec, &result, &err));
    ck_assert_int_eq(result.end.kind, EXIT_SIGNAL);
    ck_assert_int_eq(result.end.code, SIGKILL);
    ck_assert_int_lt(clock_monotonic_ms() - before_ms, PATIENCE_MS);
    ck_assert_int_eq(attend_signal_error(&result, "the test", &err), -1);
    ck_assert_int_eq(err.code, ERR_INTERRUPTED);
}
END_TEST

START_TEST(what_it_left_behind_does_not_hold_us_up)
{
    struct attend_spec spec = shell("sleep 1000 & echo done >&2");
    int64_t before_ms = clock_monotonic_ms();

    ck_assert(!attend(&spec, &result, &err));
    ck_assert_int_eq(result.end.code, 0);
    ck_assert_str_eq(result.tail.items[0], "done");
    ck_assert_int_lt(clock_monotonic_ms() - before_ms, PATIENCE_MS);
}
END_TEST

START_TEST(a_program_that_cannot_be_started_is_an_error)
{
    struct attend_spec spec = shell("");

    strlist_clear(&argv);
    strlist_add(&argv, "/nonexistent/program");
    ck_assert_int_eq(attend(&spec, &result, &err), -1);
    ck_assert_int_eq(err.code, ERR_START);
}
END_TEST

Suite *plugin_attend_suite(void)
{
    Suite *suite = suite_create("plugin/attend");
    TCase *tcase = tcase_create("attend");

    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, the_end_and_the_last_lines_are_kept);
    tcase_add_test(tcase, enough_output_ends_the_program);
    tcase_add_test(tcase, a_signal_is_passed_on_and_told_of);
    tcase_add_test(tcase, a_program_that_ignores_the_signal_is_killed_after_the_grace);
    tcase_add_test(tcase, what_it_left_behind_does_not_hold_us_up);
    tcase_add_test(tcase, a_program_that_cannot_be_started_is_an_error);
    suite_add_tcase(suite, tcase);
    return suite;
}
