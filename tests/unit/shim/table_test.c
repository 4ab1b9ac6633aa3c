#include "shim/table.h"

#include <check.h>

Suite *shim_table_suite(void);

static const char *const titles[] = {"NAME", "N", "LAST"};

START_TEST(columns_are_as_wide_as_their_widest_cell)
{
    auto_table struct table table;
    auto_strbuf struct strbuf out = STRBUF_INIT;

    TABLE_INIT(&table, titles);
    table_add(&table, "a long name");
    table_addf(&table, "%d", 12345);
    table_add(&table, "x");
    table_add(&table, "\xc3\xa4\xc3\xb6");
    table_add(&table, "");
    table_add(&table, "");
    table_print(&table, &out);
    ck_assert_str_eq(strbuf_text(&out), "NAME         N      LAST\n"
                                        "a long name  12345  x\n"
                                        "\xc3\xa4\xc3\xb6                  \n");
}
END_TEST

START_TEST(a_table_without_rows_has_its_titles)
{
    auto_table struct table table;
    auto_strbuf struct strbuf out = STRBUF_INIT;

    TABLE_INIT(&table, titles);
    table_print(&table, &out);
    ck_assert_str_eq(strbuf_text(&out), "NAME  N  LAST\n");
}
END_TEST

Suite *shim_table_suite(void)
{
    Suite *suite = suite_create("shim/table");
    TCase *tcase = tcase_create("table");

    tcase_add_test(tcase, columns_are_as_wide_as_their_widest_cell);
    tcase_add_test(tcase, a_table_without_rows_has_its_titles);
    suite_add_tcase(suite, tcase);
    return suite;
}
