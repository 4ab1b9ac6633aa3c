#include "base/nearest.h"

#include "base/attrs.h"

#include <check.h>

Suite *base_nearest_suite(void);

static const struct {
    const char *a, *b;
    size_t distance;
} distances[] = {
    {"", "", 0},
    {"", "abc", 3},
    {"abc", "", 3},
    {"pool", "pool", 0},
    {"poool", "pool", 1},
    {"retires", "retries", 1},
    {"kitten", "sitting", 3},
    {"ca", "abc", 3},
};

START_TEST(distance_counts_single_slips)
{
    ck_assert_uint_eq(word_distance(distances[_i].a, distances[_i].b), distances[_i].distance);
    ck_assert_uint_eq(word_distance(distances[_i].b, distances[_i].a), distances[_i].distance);
}
END_TEST

static const char *const words[] = {"retries", NULL, "retry_delay", "pool", "tags"};

START_TEST(a_slip_finds_the_word_that_was_meant)
{
    ck_assert_str_eq(word_nearest("retires", words, ARRAY_LEN(words)), "retries");
    ck_assert_str_eq(word_nearest("retry-delay", words, ARRAY_LEN(words)), "retry_delay");
    ck_assert_str_eq(word_nearest("tag", words, ARRAY_LEN(words)), "tags");
}
END_TEST

START_TEST(something_else_finds_nothing)
{
    ck_assert_ptr_null(word_nearest("schedule", words, ARRAY_LEN(words)));
    ck_assert_ptr_null(word_nearest("", words, 0));
}
END_TEST

Suite *base_nearest_suite(void)
{
    Suite *suite = suite_create("base/nearest");
    TCase *tcase = tcase_create("nearest");

    tcase_add_loop_test(tcase, distance_counts_single_slips, 0, ARRAY_LEN(distances));
    tcase_add_test(tcase, a_slip_finds_the_word_that_was_meant);
    tcase_add_test(tcase, something_else_finds_nothing);
    suite_add_tcase(suite, tcase);
    return suite;
}
