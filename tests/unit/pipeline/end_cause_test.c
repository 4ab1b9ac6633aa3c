#include "pipeline/end_cause.h"

#include "base/attrs.h"

#include <check.h>
#include <errno.h>
#include <signal.h>

Suite *pipeline_end_cause_suite(void);

#define STATUS(number)                                                                             \
    {                                                                                              \
        .kind = EXIT_STATUS, .code = (number)                                                      \
    }
#define SIGNAL(number)                                                                             \
    {                                                                                              \
        .kind = EXIT_SIGNAL, .code = (number)                                                      \
    }

static const struct {
    struct process_end end;
    struct end_facts facts;
    const char *name;
} cases[] = {
    {STATUS(0), {.was_started = true}, "finished"},
    {STATUS(3), {.was_started = true}, "failed"},
    {SIGNAL(SIGSEGV), {.was_started = true}, "crashed"},
    {SIGNAL(SIGKILL), {.was_started = true}, "killed"},
    {{.kind = EXIT_SIGNAL, .code = SIGKILL, .out_of_memory = true},
     {.was_started = true},
     "out_of_memory"},
    {{.kind = EXIT_NOT_STARTED, .code = ENOENT}, {0}, "not_started"},
    {{.kind = EXIT_RUNNING}, {0}, "skipped"},
    {{.kind = EXIT_RUNNING}, {.was_started = true}, "stopped"},
    /* A reader that went away: its writer gets an error, a signal, or ours. */
    {STATUS(1), {.was_started = true, .reader_left = true}, "broken_pipe"},
    {SIGNAL(SIGPIPE), {.was_started = true, .reader_left = true}, "broken_pipe"},
    {SIGNAL(SIGTERM),
     {.was_started = true, .reader_left = true, .was_stopped = true, .stop_cause = CAUSE_STOPPED},
     "stopped"},
    {STATUS(0), {.was_started = true, .reader_left = true}, "finished"},
    {SIGNAL(SIGPIPE), {.was_started = true}, "killed"},
    {STATUS(0), {.was_started = true, .left_early = true}, "early_end"},
    {STATUS(4), {.was_started = true, .left_early = true}, "failed"},
    {SIGNAL(SIGTERM), {.was_started = true, .has_lingered = true}, "lingered"},
    {STATUS(0), {.was_started = true, .was_stopped = true, .stop_cause = CAUSE_TIMEOUT}, "timeout"},
    {SIGNAL(SIGKILL), {.was_started = true, .was_stopped = true, .stop_cause = CAUSE_IDLE}, "idle"},
};

START_TEST(why_is_told_apart_from_how)
{
    struct end_facts facts = cases[_i].facts;

    facts.end = &cases[_i].end;
    ck_assert_str_eq(end_cause_name(end_cause_find(&facts)), cases[_i].name);
}
END_TEST

Suite *pipeline_end_cause_suite(void)
{
    Suite *suite = suite_create("pipeline/end_cause");
    TCase *tcase = tcase_create("end_cause");

    tcase_add_loop_test(tcase, why_is_told_apart_from_how, 0, ARRAY_LEN(cases));
    suite_add_tcase(suite, tcase);
    return suite;
}
