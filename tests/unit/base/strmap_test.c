#include "base/strmap.h"

#include "base/memory.h"

#include <check.h>
#include <stdio.h>

Suite *base_strmap_suite(void);

START_TEST(an_entry_that_is_set_again_keeps_its_place)
{
    auto_strmap struct strmap map = STRMAP_INIT;

    ck_assert_ptr_null(strmap_get(&map, "a"));
    ck_assert(!strmap_has(&map, "a"));
    strmap_set(&map, "a", "1");
    strmap_set(&map, "b", "2");
    strmap_setf(&map, "a", "%d", 3);
    ck_assert_uint_eq(map.count, 2);
    ck_assert_str_eq(map.entries[0].key, "a");
    ck_assert_str_eq(strmap_get(&map, "a"), "3");
    ck_assert_str_eq(strmap_get(&map, "b"), "2");
    ck_assert_ptr_null(strmap_get(&map, ""));
}
END_TEST

START_TEST(many_entries_are_found_and_removed)
{
    auto_strmap struct strmap map = STRMAP_INIT;
    char key[16];

    for (int i = 0; i < 1000; i++) {
        snprintf(key, sizeof key, "k%d", i);
        strmap_set(&map, key, key);
    }
    for (int i = 0; i < 1000; i += 2) {
        snprintf(key, sizeof key, "k%d", i);
        ck_assert(strmap_remove(&map, key));
        ck_assert(!strmap_remove(&map, key));
    }
    ck_assert_uint_eq(map.count, 500);
    for (int i = 0; i < 1000; i++) {
        snprintf(key, sizeof key, "k%d", i);
        ck_assert_int_eq(strmap_has(&map, key), i % 2);
        if (i % 2) {
            ck_assert_str_eq(strmap_get(&map, key), key);
            ck_assert_str_eq(map.entries[i / 2].key, key);
        }
    }
}
END_TEST

START_TEST(a_merge_goes_over_what_is_there)
{
    auto_strmap struct strmap map = STRMAP_INIT;
    auto_strmap struct strmap other = STRMAP_INIT;

    strmap_set(&map, "a", "1");
    strmap_set(&map, "b", "1");
    strmap_set(&other, "c", "2");
    strmap_set(&other, "b", "2");
    strmap_merge(&map, &other);
    ck_assert_uint_eq(map.count, 3);
    ck_assert_str_eq(map.entries[1].value, "2");
    ck_assert_str_eq(map.entries[2].key, "c");
    strmap_copy(&map, &map);
    ck_assert_uint_eq(map.count, 3);
    strmap_copy(&map, &other);
    ck_assert_uint_eq(map.count, 2);
    ck_assert(!strmap_has(&map, "a"));
}
END_TEST

START_TEST(an_environment_goes_in_and_out)
{
    char texts[][10] = {"A=1", "B==x=", "noequals", "=C:=x", "D=", "A=2"};
    char *const environment[] = {texts[0], texts[1], texts[2], texts[3], texts[4], texts[5], NULL};
    auto_strmap struct strmap map = STRMAP_INIT;
    auto_strlist struct strlist out = STRLIST_INIT;
    auto_free char *joined = NULL;

    strmap_from_environ(&map, environment);
    strmap_to_environ(&map, &out);
    joined = strlist_join(&out, "|");
    ck_assert_str_eq(joined, "A=2|B==x=|D=");
}
END_TEST

Suite *base_strmap_suite(void)
{
    Suite *suite = suite_create("base/strmap");
    TCase *tcase = tcase_create("strmap");

    tcase_add_test(tcase, an_entry_that_is_set_again_keeps_its_place);
    tcase_add_test(tcase, many_entries_are_found_and_removed);
    tcase_add_test(tcase, a_merge_goes_over_what_is_there);
    tcase_add_test(tcase, an_environment_goes_in_and_out);
    suite_add_tcase(suite, tcase);
    return suite;
}
