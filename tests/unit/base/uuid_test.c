#include "base/uuid.h"

#include "base/attrs.h"
#include "base/clock.h"

#include <check.h>
#include <string.h>

Suite *base_uuid_suite(void);

static void check_form(const char *uuid, char version)
{
    ck_assert_uint_eq(strlen(uuid), 36);
    for (int i = 0; i < 36; i++) {
        if (i == 8 || i == 13 || i == 18 || i == 23)
            ck_assert_int_eq(uuid[i], '-');
        else
            ck_assert_msg(strchr("0123456789abcdef", uuid[i]) != NULL, "%s", uuid);
    }
    ck_assert_int_eq(uuid[14], version);
    ck_assert_ptr_nonnull(strchr("89ab", uuid[19]));
}

START_TEST(a_random_uuid_is_never_the_same)
{
    char one[UUID_TEXT_SIZE], other[UUID_TEXT_SIZE];

    uuid_new_v4(one);
    uuid_new_v4(other);
    check_form(one, '4');
    ck_assert_str_ne(one, other);
}
END_TEST

START_TEST(a_uuid_by_time_sorts_by_age)
{
    char old[UUID_TEXT_SIZE], new[UUID_TEXT_SIZE];

    clock_set_for_tests(1795350000123456);
    uuid_new_v7(old);
    clock_set_for_tests(1795350000124456);
    uuid_new_v7(new);
    clock_set_for_tests(-1);
    check_form(old, '7');
    ck_assert_int_eq(strncmp(old, "01a20332-f1fb-7", 15), 0);
    ck_assert_int_lt(strcmp(old, new), 0);
}
END_TEST

static const struct {
    const char *text;
    bool is_valid;
} texts[] = {
    {"01a02ba1-e47b-7abc-8def-0123456789ab", true},
    {"01A02BA1E47B7ABC8DEF0123456789AB", true},
    {"{01a02ba1-e47b-7abc-8def-0123456789ab}", true},
    {"urn:uuid:01a02ba1-e47b-7abc-8def-0123456789ab", true},
    {"01a0-2ba1e47b7abc8def01234567-89ab", true},
    {"", false},
    {"01a02ba1-e47b-7abc-8def-0123456789a", false},
    {"01a02ba1-e47b-7abc-8def-0123456789abc", false},
    {"01a02ba1-e47b-7abc-8def-0123456789ag", false},
    {"not a uuid", false},
};

START_TEST(a_uuid_is_read_in_all_its_forms)
{
    char uuid[UUID_TEXT_SIZE];

    ck_assert_int_eq(uuid_parse(texts[_i].text, uuid), texts[_i].is_valid);
    if (texts[_i].is_valid)
        ck_assert_str_eq(uuid, "01a02ba1-e47b-7abc-8def-0123456789ab");
}
END_TEST

START_TEST(hexadecimal_digits_have_no_dashes)
{
    char hex[UUID_HEX_SIZE];

    uuid_to_hex("01a02ba1-e47b-7abc-8def-0123456789ab", hex);
    ck_assert_str_eq(hex, "01a02ba1e47b7abc8def0123456789ab");
}
END_TEST

Suite *base_uuid_suite(void)
{
    Suite *suite = suite_create("base/uuid");
    TCase *tcase = tcase_create("uuid");

    tcase_add_test(tcase, a_random_uuid_is_never_the_same);
    tcase_add_test(tcase, a_uuid_by_time_sorts_by_age);
    tcase_add_loop_test(tcase, a_uuid_is_read_in_all_its_forms, 0, ARRAY_LEN(texts));
    tcase_add_test(tcase, hexadecimal_digits_have_no_dashes);
    suite_add_tcase(suite, tcase);
    return suite;
}
