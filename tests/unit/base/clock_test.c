#include "base/clock.h"

#include <check.h>

Suite *base_clock_suite(void);

#define MOMENT 1795350000123456LL /* 2026-11-22 12:20:00.123456 UTC */

static void expect(struct strbuf *text, const char *expected)
{
    ck_assert_str_eq(strbuf_text(text), expected);
    strbuf_reset(text);
}

START_TEST(a_time_has_three_forms)
{
    auto_strbuf struct strbuf text = STRBUF_INIT;

    strbuf_add_iso_time(&text, MOMENT);
    expect(&text, "2026-11-22T12:20:00.123456Z");
    strbuf_add_sql_time(&text, MOMENT);
    expect(&text, "2026-11-22 12:20:00.123456");
    strbuf_add_py_time(&text, MOMENT, 'T');
    expect(&text, "2026-11-22T12:20:00.123456+00:00");
    strbuf_add_py_time(&text, MOMENT - 123456, ' ');
    expect(&text, "2026-11-22 12:20:00+00:00");
    strbuf_add_iso_time(&text, 0);
    expect(&text, "1970-01-01T00:00:00.000000Z");
}
END_TEST

static const struct {
    const char *text;
    int64_t time_us;
} readable[] = {
    {"2026-11-22T12:20:00.123456Z", MOMENT},      {"2026-11-22 12:20:00.123456", MOMENT},
    {"2026-11-22T12:20:00.123456+00:00", MOMENT}, {"2026-11-22T14:20:00.123456+02:00", MOMENT},
    {"2026-11-22 06:50:00.123456-05:30", MOMENT}, {"2026-11-22 12:20:00", MOMENT - 123456},
    {"2026-11-22 12:20:00.1234567", MOMENT},      {"2026-11-22 12:20:00.12", MOMENT - 3456},
    {"2024-02-29T00:00:00Z", 1709164800000000},
};

START_TEST(a_time_is_read_back)
{
    int64_t time_us;

    ck_assert_int_eq(clock_parse(readable[_i].text, &time_us), 0);
    ck_assert_int_eq(time_us, readable[_i].time_us);
}
END_TEST

static const char *const unreadable[] = {
    "",
    "yesterday",
    "2026-11-22",
    "2026-11-22T12:20",
    "2026-11-22T12:20:00 UTC",
    "2026-11-22T12:20:00Zx",
    "2026-11-22T12:20:00+02",
    "2026-11-22x12:20:00",
};

START_TEST(other_texts_are_no_times)
{
    int64_t time_us;

    ck_assert_msg(clock_parse(unreadable[_i], &time_us) == -1, "%s", unreadable[_i]);
}
END_TEST

START_TEST(tests_can_set_the_clock)
{
    clock_set_for_tests(MOMENT);
    ck_assert_int_eq(clock_now_us(), MOMENT);
    clock_set_for_tests(-1);
    ck_assert_int_gt(clock_now_us(), 1700000000000000);
}
END_TEST

START_TEST(durations_never_run_backwards)
{
    int64_t before = clock_monotonic_ms();

    clock_set_for_tests(0);
    ck_assert_int_ge(clock_monotonic_ms(), before);
    clock_set_for_tests(-1);
}
END_TEST

Suite *base_clock_suite(void)
{
    Suite *suite = suite_create("base/clock");
    TCase *tcase = tcase_create("clock");

    tcase_add_test(tcase, a_time_has_three_forms);
    tcase_add_loop_test(tcase, a_time_is_read_back, 0, ARRAY_LEN(readable));
    tcase_add_loop_test(tcase, other_texts_are_no_times, 0, ARRAY_LEN(unreadable));
    tcase_add_test(tcase, tests_can_set_the_clock);
    tcase_add_test(tcase, durations_never_run_backwards);
    suite_add_tcase(suite, tcase);
    return suite;
}
