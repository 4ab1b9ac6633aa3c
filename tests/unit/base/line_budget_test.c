#include "base/line_budget.h"

#include <check.h>

Suite *base_line_budget_suite(void);

#define SECOND INT64_C(1000000)
#define NOW    (1795436825 * SECOND)

/* How many of so many single lines pass at a time. */
static unsigned count_passing(struct line_budget *budget, unsigned lines, int64_t now_us)
{
    unsigned passing = 0;

    while (lines--)
        passing += line_budget_take(budget, 1, now_us);
    return passing;
}

START_TEST(a_burst_passes_and_the_rest_is_counted)
{
    struct line_budget budget = {0};

    ck_assert_uint_eq(count_passing(&budget, 1000, NOW), LINE_BUDGET_BURST);
    ck_assert_uint_eq(budget.left_out, 1000 - LINE_BUDGET_BURST);
    ck_assert(budget.is_closed);
}
END_TEST

START_TEST(nothing_passes_again_before_a_piece_does)
{
    struct line_budget budget = {0};
    int64_t piece_us = LINE_BUDGET_PIECE * LINE_BUDGET_REGAIN_US;

    count_passing(&budget, 1000, NOW);
    ck_assert_uint_eq(count_passing(&budget, 1, NOW + piece_us - SECOND), 0);
    ck_assert_uint_eq(count_passing(&budget, 1000, NOW + piece_us), LINE_BUDGET_PIECE);
}
END_TEST

START_TEST(an_hour_of_flood_is_a_few_hundred_lines)
{
    struct line_budget budget = {0};
    unsigned passing = 0;

    for (int64_t at = 0; at < 3600 * SECOND; at += SECOND / 10)
        passing += count_passing(&budget, 10, NOW + at);
    ck_assert_uint_ge(passing, 200);
    ck_assert_uint_le(passing, 220);
}
END_TEST

START_TEST(a_trickle_always_passes)
{
    struct line_budget budget = {0};

    for (int64_t at = 0; at < 3600 * SECOND; at += 30 * SECOND)
        ck_assert_uint_eq(count_passing(&budget, 1, NOW + at), 1);
}
END_TEST

START_TEST(what_has_many_lines_costs_as_many)
{
    struct line_budget budget = {0};

    ck_assert(line_budget_take(&budget, LINE_BUDGET_BURST - 10, NOW));
    ck_assert(!line_budget_take(&budget, 11, NOW));
    ck_assert_uint_eq(budget.left_out, 11);
}
END_TEST

START_TEST(a_clock_that_is_set_back_takes_nothing_away)
{
    struct line_budget budget = {0};

    count_passing(&budget, 1000, NOW);
    ck_assert_uint_eq(count_passing(&budget, 1, NOW - 3600 * SECOND), 0);
    ck_assert_uint_eq(count_passing(&budget, 1, NOW), 1);
}
END_TEST

Suite *base_line_budget_suite(void)
{
    Suite *suite = suite_create("base/line_budget");
    TCase *tcase = tcase_create("line_budget");

    tcase_add_test(tcase, a_burst_passes_and_the_rest_is_counted);
    tcase_add_test(tcase, nothing_passes_again_before_a_piece_does);
    tcase_add_test(tcase, an_hour_of_flood_is_a_few_hundred_lines);
    tcase_add_test(tcase, a_trickle_always_passes);
    tcase_add_test(tcase, what_has_many_lines_costs_as_many);
    tcase_add_test(tcase, a_clock_that_is_set_back_takes_nothing_away);
    suite_add_tcase(suite, tcase);
    return suite;
}
