#include "dag_generator/dag_cron.h"

#include "base/attrs.h"

#include <check.h>

Suite *dag_generator_dag_cron_suite(void);

static const struct {
    const char *text, *cron;
} valid_texts[] = {
    {"* * * * *", "* * * * *"},
    {"  0   6\t*  *\n1 ", "0 6 * * 1"},
    {"*/15 0-23/2 1,15 * mon-fri", "*/15 0-23/2 1,15 * mon-fri"},
    {"0 0 1 JAN,jul SUN", "0 0 1 JAN,jul SUN"},
    {"0 0 L * *", "0 0 L * *"},
    {"0 0 15,l * *", "0 0 15,L * *"},
    {"0 0 * * mon#1,3#5", "0 0 * * 1#1,3#5"},
    {"0 0 * * L5", "0 0 * * L5"},
    {"*/90 * * * *", "*/90 * * * *"},
    {"0 0 29 2 *", "0 0 29 2 *"},
    {"0 0 30 2,4 *", "0 0 30 2,4 *"},
    /* What some version of Airflow's library refuses or reads in another way. */
    {"0 0 ? * ?", "0 0 * * *"},
    {"0 0 * * fri-mon", "0 0 * * 5,6,0,1"},
    {"0 0 * * 5-7", "0 0 * * 5,6,0"},
    {"0 0 * * 0-7", "0 0 * * 0,1,2,3,4,5,6"},
    {"0 0 * * 7", "0 0 * * 7"},
    {"0 22-2 * * *", "0 22,23,0,1,2 * * *"},
    {"0 0 30-2 * *", "0 0 30,31,1,2 * *"},
    {"0 0 1 nov-feb *", "0 0 1 11,12,1,2 *"},
    {"5-5 * * * *", "5 * * * *"},
    {"10/20 * * * *", "10-59/20 * * * *"},
    {"59/15 * * * *", "59 * * * *"},
    {"*,*/3 1,* * * *", "* * * * *"},
};

START_TEST(a_valid_expression_becomes_one_that_every_airflow_reads_alike)
{
    auto_strbuf struct strbuf cron = STRBUF_INIT;
    struct error err = {0};

    ck_assert_msg(!dag_cron_check(valid_texts[_i].text, &cron, &err), "%s", err.message);
    ck_assert_str_eq(strbuf_text(&cron), valid_texts[_i].cron);
}
END_TEST

static const struct {
    const char *text, *message;
} invalid_texts[] = {
    {"", "a cron expression has 5 fields (minute, hour, day, month, day of the week), this one "
         "has 0"},
    {"0 0 0 * * *", "a cron expression has 5 fields (minute, hour, day, month, day of the week), "
                    "this one has 6"},
    {"@reboot", "a cron expression has 5 fields (minute, hour, day, month, day of the week), this "
                "one has 1"},
    {"60 * * * *", "the minute '60' is not within 0-59"},
    {"1,99 * * * *", "the minute '99' is not within 0-59"},
    {"1,,2 * * * *", "the minute has an empty element"},
    {"-5 * * * *", "the minute has an empty element"},
    {"* 24 * * *", "the hour '24' is not within 0-23"},
    {"* * 0 * *", "the day of the month '0' is not within 1-31"},
    {"* * * 13 *", "the month '13' is not within 1-12"},
    {"* * * mon *", "the month 'mon' is not within 1-12"},
    {"* * * * 8", "the day of the week '8' is not within 0-7"},
    {"* * * * monday", "the day of the week 'monday' is not within 0-7"},
    {"? * * * *", "the minute '?' is not within 0-59"},
    {"* L * * *", "the hour 'L' is not within 0-23"},
    {"* * 1-L * *", "the day of the month 'L' is not within 1-31"},
    {"* * 15W * *", "the day of the month '15W' is not within 1-31"},
    {"*/0 * * * *", "the step of the minute '*/0' is 0"},
    {"*/x * * * *", "the step of the minute '*/x' is no number"},
    {"/5 * * * *", "the minute has an empty element"},
    {"1/2/3 * * * *", "the step of the minute '1/2/3' is no number"},
    {"99999999999 * * * *", "the minute '99999999999' is not within 0-59"},
    {"0 22-4/3 * * *", "the hour '22-4/3' wraps around with a step; write its values as a list"},
    {"* * * * 1#6", "'1#6' asks for no day between the first and the fifth of a month"},
    {"* * * * L9", "the day of the week '9' is not within 0-7"},
    {"* * * * 1,2#1",
     "the day of the week '1,2#1' mixes plain days with days of one week of the month"},
    {"0 0 31 2 *", "no month of '2' has a day '31'"},
    {"0 0 31 4,jun *", "no month of '4,jun' has a day '31'"},
    {"\xd9\xa1 * * * *", "the minute '\xd9\xa1' is not within 0-59"},
};

START_TEST(an_invalid_expression_is_refused_by_the_part_that_is_wrong)
{
    auto_strbuf struct strbuf cron = STRBUF_INIT;
    struct error err = {0};

    ck_assert_int_eq(dag_cron_check(invalid_texts[_i].text, &cron, &err), -1);
    ck_assert_str_eq(err.message, invalid_texts[_i].message);
    ck_assert_uint_eq(cron.length, 0);
}
END_TEST

Suite *dag_generator_dag_cron_suite(void)
{
    Suite *suite = suite_create("dag_generator/dag_cron");
    TCase *tcase = tcase_create("dag_cron");

    tcase_add_loop_test(tcase, a_valid_expression_becomes_one_that_every_airflow_reads_alike, 0,
                        ARRAY_LEN(valid_texts));
    tcase_add_loop_test(tcase, an_invalid_expression_is_refused_by_the_part_that_is_wrong, 0,
                        ARRAY_LEN(invalid_texts));
    suite_add_tcase(suite, tcase);
    return suite;
}
