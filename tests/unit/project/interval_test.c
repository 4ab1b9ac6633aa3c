#include "project/project.h"

#include <check.h>

Suite *project_interval_suite(void);

static const struct {
    const char *interval;
    const char *cron; /* NULL: only by hand */
} crons[] = {
    {"@once", NULL},
    {"@manual", NULL},
    {"@none", NULL},
    {NULL, NULL},
    {"", NULL},
    {"@hourly", "0 * * * *"},
    {"@daily", "0 0 * * *"},
    {"@midnight", "0 0 * * *"},
    {"@weekly", "0 0 * * 0"},
    {"@monthly", "0 0 1 * *"},
    {"@yearly", "0 0 1 1 *"},
    {"@annually", "0 0 1 1 *"},
    {"@Daily", "@Daily"},
    {"*/5 * * * *", "*/5 * * * *"},
    {"bogus", "bogus"},
};

START_TEST(an_interval_means_a_cron_expression)
{
    struct schedule schedule = {.interval = (char *)crons[_i].interval};

    if (crons[_i].cron)
        ck_assert_str_eq(schedule_cron(&schedule), crons[_i].cron);
    else
        ck_assert_ptr_null(schedule_cron(&schedule));
}
END_TEST

static const char *const valid[] = {
    "@once",           "@daily",          "@DAILY",          "* * * * *",      "*/5 * * * *",
    "0 0 1 1 0",       "59 23 31 12 6",   "0 0 * * 7",       "0 0 L * *",      "0 0 ? * ?",
    "0 0 * jan-MAR *", "0 0 * * fri-mon", "1,2,3-5 * * * *", "0 0 * * sun,2",  "10-40/5 * * * *",
    "5/10 * * * *",    "5-1 * * * *",     " 0  0 * *  * ",   "0 0 1-7,15 * *", "00 05 * * *",
};

START_TEST(a_valid_interval_is_accepted)
{
    ck_assert_msg(interval_is_valid(valid[_i]), "%s", valid[_i]);
}
END_TEST

static const char *const invalid[] = {
    "",
    "bogus",
    "@ONCE",
    "@every",
    "* * * *",
    "* * * * * *",
    "60 * * * *",
    "* 24 * * *",
    "* * 0 * *",
    "* * 32 * *",
    "* * * 0 *",
    "* * * 13 *",
    "* * * * 8",
    "*/0 * * * *",
    "/5 * * * *",
    "*/x * * * *",
    "? * * * *",
    "L * * * *",
    "0 0 * * sun#1",
    "1, * * * *",
    "1,99 * * * *",
    "1- * * * *",
    "-1 * * * *",
    "mon * * * *",
    "* * * * jan",
    "99999999999999999999 * * * *",
    "a b c d e",
    "1.5 * * * *",
};

START_TEST(an_invalid_interval_is_refused)
{
    ck_assert_msg(!interval_is_valid(invalid[_i]), "%s", invalid[_i]);
}
END_TEST

Suite *project_interval_suite(void)
{
    Suite *suite = suite_create("project/interval");
    TCase *tcase = tcase_create("interval");

    tcase_add_loop_test(tcase, an_interval_means_a_cron_expression, 0, ARRAY_LEN(crons));
    tcase_add_loop_test(tcase, a_valid_interval_is_accepted, 0, ARRAY_LEN(valid));
    tcase_add_loop_test(tcase, an_invalid_interval_is_refused, 0, ARRAY_LEN(invalid));
    suite_add_tcase(suite, tcase);
    return suite;
}
