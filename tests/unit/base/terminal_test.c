#include "base/terminal.h"

#include "base/attrs.h"

#include <check.h>
#include <string.h>

Suite *base_terminal_suite(void);

#define ALL (TERMINAL_KEEP_LINES | TERMINAL_KEEP_COLORS)

static const struct row {
    const char *text;
    unsigned keep;
    const char *shown;
} rows[] = {
    {"tap-a", TERMINAL_KEEP_NOTHING, "tap-a"},
    {"M\u00fcnchen \u2713", TERMINAL_KEEP_NOTHING, "M\u00fcnchen \u2713"},
    {"a\033[31mb\007", TERMINAL_KEEP_NOTHING, "a\\u001b[31mb\\u0007"},
    {"a\nb\tc\r", TERMINAL_KEEP_NOTHING, "a\\nb\\tc\\r"},
    {"a\nb\tc\r", TERMINAL_KEEP_LINES, "a\nb\tc\\r"},
    {"\033[1;31mred\033[0m\033[m", ALL, "\033[1;31mred\033[0m\033[m"},
    {"\033[2J\033]0;title\007", ALL, "\\u001b[2J\\u001b]0;title\\u0007"},
    {"\033[31", ALL, "\\u001b[31"},
    {"\033", ALL, "\\u001b"},
    {"\302\2332J\177", ALL, "\\u009b2J\\u007f"},
    {"\2332J", ALL, "\\x9b2J"},
    {"a\u202eb\u2028", ALL, "a\\u202eb\\u2028"},
};

START_TEST(what_would_steer_a_terminal_is_spelt_out)
{
    const struct row *row = &rows[_i];
    auto_strbuf struct strbuf text = STRBUF_INIT;

    strbuf_add_visible(&text, row->text, strlen(row->text), row->keep);
    ck_assert_str_eq(strbuf_text(&text), row->shown);
}
END_TEST

Suite *base_terminal_suite(void)
{
    Suite *suite = suite_create("base/terminal");
    TCase *tcase = tcase_create("terminal");

    tcase_add_loop_test(tcase, what_would_steer_a_terminal_is_spelt_out, 0, ARRAY_LEN(rows));
    suite_add_tcase(suite, tcase);
    return suite;
}
