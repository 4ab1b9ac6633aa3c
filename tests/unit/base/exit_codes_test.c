#include "base/error.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/strbuf.h"
#include "base/strlist.h"

#include <check.h>
#include <string.h>

Suite *base_exit_codes_suite(void);

static struct strbuf page;

static void set_up(void)
{
    struct error err = {0};

    ck_assert_msg(!file_read("docs/exit-codes.md", &page, &err), "%s", err.message);
}

static void tear_down(void)
{
    strbuf_clear(&page);
}

START_TEST(the_page_has_a_row_for_every_class)
{
    auto_free char *row = xasprintf("\n| %d | %s | ", error_exit_status((enum error_code)_i),
                                    error_class((enum error_code)_i));

    ck_assert_msg(strstr(strbuf_text(&page), row), "docs/exit-codes.md has no row '%s'", row + 1);
}
END_TEST

START_TEST(the_page_has_no_other_rows)
{
    auto_strlist struct strlist lines = STRLIST_INIT;
    size_t rows = 0;

    strlist_split(&lines, strbuf_text(&page), '\n');
    for (size_t i = 0; i < lines.count; i++)
        rows += !strncmp(lines.items[i], "| ", 2);
    ck_assert_uint_eq(rows, ERR_CODE_COUNT + 1);
}
END_TEST

Suite *base_exit_codes_suite(void)
{
    Suite *suite = suite_create("base/exit_codes");
    TCase *tcase = tcase_create("page");

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, the_page_has_a_row_for_every_class, 0, ERR_CODE_COUNT);
    tcase_add_test(tcase, the_page_has_no_other_rows);
    suite_add_tcase(suite, tcase);
    return suite;
}
