#include "base/module.h"

#include <check.h>
#include <string.h>

Suite *base_module_suite(void);

START_TEST(a_module_of_this_build_is_found)
{
    struct error err = {0};

    ck_assert_msg(module_symbol("http", "http_module_perform", &err) != NULL, "%s", err.message);
    ck_assert_ptr_eq(module_symbol("http", "http_module_perform", &err),
                     module_symbol("http", "http_module_perform", &err));
}
END_TEST

START_TEST(a_missing_module_names_the_places)
{
    struct error err = {0};

    ck_assert_ptr_null(module_symbol("nosuch", "x", &err));
    ck_assert_str_eq(err.message, "the module meltshim-nosuch.so was not found");
    ck_assert_ptr_nonnull(strstr(err.hint, "lib/meltshim"));
}
END_TEST

START_TEST(a_missing_symbol_names_the_file)
{
    struct error err = {0};

    ck_assert_ptr_null(module_symbol("http", "no_such_symbol", &err));
    ck_assert_ptr_nonnull(strstr(err.message, "meltshim-http.so"));
    ck_assert_ptr_nonnull(strstr(err.message, "no_such_symbol"));
}
END_TEST

Suite *base_module_suite(void)
{
    Suite *suite = suite_create("base/module");
    TCase *tcase = tcase_create("module");

    tcase_add_test(tcase, a_module_of_this_build_is_found);
    tcase_add_test(tcase, a_missing_module_names_the_places);
    tcase_add_test(tcase, a_missing_symbol_names_the_file);
    suite_add_tcase(suite, tcase);
    return suite;
}
