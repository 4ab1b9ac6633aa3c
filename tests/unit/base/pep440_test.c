#include "base/pep440.h"

#include <check.h>

Suite *base_pep440_suite(void);

/* In ascending order; the list of PEP 440 with some spellings of our own. */
static const char *const ascending[] = {
    "1.dev0",
    "1.0.dev456",
    "1.0a1",
    "1.0a2.dev456",
    "1.0a12.dev456",
    "1.0a12",
    "1.0b1.dev456",
    "1.0b2",
    "1.0b2.post345.dev456",
    "1.0b2.post345",
    "1.0rc1.dev456",
    "1.0rc1",
    "1.0",
    "1.0+abc.5",
    "1.0+abc.7",
    "1.0+5",
    "1.0.post456.dev34",
    "1.0.post456",
    "1.0.15",
    "1.1.dev1",
    "4.4.1",
    "4.10",
    "2014.4",
    "1!0.5",
};

START_TEST(versions_are_ordered)
{
    for (size_t i = 0; i < ARRAY_LEN(ascending); i++)
        for (size_t j = 0; j < ARRAY_LEN(ascending); j++) {
            int order = pep440_compare(ascending[i], ascending[j]);

            ck_assert_msg((order > 0) - (order < 0) == (i > j) - (i < j), "%s and %s: %d",
                          ascending[i], ascending[j], order);
        }
}
END_TEST

START_TEST(spellings_of_one_version_are_equal)
{
    static const char *const pairs[][2] = {
        {"1.0", "1.0.0"},          {"v1.0", "1.0"},        {"1.0-alpha.1", "1.0a1"},
        {"1.0preview2", "1.0rc2"}, {"1.0-1", "1.0.post1"}, {"1.0rev3", "1.0.post3"},
        {"1.0_dev_4", "1.0.dev4"}, {"1.0+A-b", "1.0+a.b"}, {"01.02", "1.2"},
        {"1.0.C1", "1.0rc1"},
    };

    for (size_t i = 0; i < ARRAY_LEN(pairs); i++)
        ck_assert_msg(pep440_compare(pairs[i][0], pairs[i][1]) == 0, "%s %s", pairs[i][0],
                      pairs[i][1]);
}
END_TEST

START_TEST(what_is_no_version_is_refused)
{
    static const char *const texts[] = {"",     "x",        "1.",   "1..2",
                                        "1.0+", "1.0+a..b", "1.0 ", "latest"};

    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        ck_assert_msg(!pep440_is_valid(texts[i]), "%s", texts[i]);
    ck_assert(pep440_is_valid("4.4.1"));
}
END_TEST

static const struct {
    const char *version, *specifiers;
    bool matches;
} specifier_cases[] = {
    {"4.4.1", "", true},
    {"4.4.1", ">=3.0,<5", true},
    {"4.4.1", " >= 3.0 , < 4 ", false},
    {"4.4.1", "==4.4.1", true},
    {"4.4.1", "==4.4", false},
    {"4.4.0", "==4.4", true},
    {"4.4.1", "==4.*", true},
    {"4.4.1", "==4.4.*", true},
    {"4.4.1", "==4.40.*", false},
    {"4.4.1", "!=4.*", false},
    {"4.4.1", "!=4.4.2", true},
    {"4.4.1", "~=4.4", true},
    {"4.4.1", "~=4.4.0", true},
    {"4.5.0", "~=4.4.0", false},
    {"4.4.1", "~=4.5", false},
    {"4.4.1", "<=4.4", false},
    {"4.4.1", ">4.4", true},
    {"4.4.post1", ">4.4", false},
    {"4.4rc1", "<4.4", false},
    {"4.4rc1", "<4.4rc2", true},
    {"4.4.1+local", "==4.4.1", true},
    {"4.4.1", "==4.4.1+local", false},
    {"4.4.1", "===4.4.1", true},
    {"4.4.1", "===4.4.1.0", false},
};

START_TEST(specifiers_accept_and_refuse)
{
    struct error err = {0};
    bool matches;

    ck_assert_int_eq(
        pep440_matches(specifier_cases[_i].version, specifier_cases[_i].specifiers, &matches, &err),
        0);
    ck_assert_msg(matches == specifier_cases[_i].matches, "%s %s", specifier_cases[_i].version,
                  specifier_cases[_i].specifiers);
}
END_TEST

START_TEST(what_is_no_specifier_is_named)
{
    static const char *const texts[] = {"4.4", "=4.4", ">=", "~=4", ">=4.*", ">=4,nope"};
    struct error err = {0};
    bool matches;

    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        ck_assert_msg(pep440_matches("4.4.1", texts[i], &matches, &err) == -1, "%s", texts[i]);
    ck_assert_str_eq(err.message, "'nope' is not a version specifier such as '>=4.0'");
}
END_TEST

Suite *base_pep440_suite(void)
{
    Suite *suite = suite_create("base/pep440");
    TCase *tcase = tcase_create("pep440");

    tcase_add_test(tcase, versions_are_ordered);
    tcase_add_test(tcase, spellings_of_one_version_are_equal);
    tcase_add_test(tcase, what_is_no_version_is_refused);
    tcase_add_loop_test(tcase, specifiers_accept_and_refuse, 0, ARRAY_LEN(specifier_cases));
    tcase_add_test(tcase, what_is_no_specifier_is_named);
    suite_add_tcase(suite, tcase);
    return suite;
}
