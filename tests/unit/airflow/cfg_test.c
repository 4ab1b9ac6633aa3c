#include "airflow/cfg.h"

#include "base/memory.h"

#include <check.h>
#include <string.h>

Suite *airflow_cfg_suite(void);

static const struct {
    const char *before, *section, *key, *value, *after;
} changes[] = {
    {"", "core", "executor", "LocalExecutor", "[core]\nexecutor = LocalExecutor\n"},
    {"[core]\n", "core", "a", "1", "[core]\na = 1\n"},
    {"[core]\na = 1\n", "core", "a", "2", "[core]\na = 2\n"},
    {"[core]\n# why\nA: 1\n\n[api]\nport = 1\n", "core", "a", "2",
     "[core]\n# why\na = 2\n\n[api]\nport = 1\n"},
    /* A new option goes before the blank lines at the end of its section. */
    {"[core]\na = 1\n\n\n[api]\n", "core", "b", "2", "[core]\na = 1\nb = 2\n\n\n[api]\n"},
    {"[core]\na = 1\n", "api", "port", "1", "[core]\na = 1\n\n[api]\nport = 1\n"},
    /* Neither a comment nor a longer name is the option. */
    {"[core]\n# a = 0\nab = 1\n", "core", "a", "2", "[core]\n# a = 0\nab = 1\na = 2\n"},
    /* The same key in another section is another option. */
    {"[x]\na = 1\n[core]\na = 2\n[y]\na = 3\n", "core", "a", "4",
     "[x]\na = 1\n[core]\na = 4\n[y]\na = 3\n"},
    {"[core]\na = 1\n    2\n  3\nb = 1\n", "core", "a", "4", "[core]\na = 4\nb = 1\n"},
    {"[core]\na = 1", "core", "b", "2", "[core]\na = 1\nb = 2\n"},
    {"[core]\na = 1\n", "core", "a", "50%", "[core]\na = 50%%\n"},
    {"[core]\n", "core", "a", "{\n}", "[core]\na = {\n    }\n"},
    {"[common.io]\n", "common.io", "a", "1", "[common.io]\na = 1\n"},
    {"[core]\na = 1\nb = 2\n", "core", "a", NULL, "[core]\nb = 2\n"},
    {"[core]\nb = 2\n", "core", "a", NULL, "[core]\nb = 2\n"},
    {"[core]\nb = 2\n", "api", "b", NULL, "[core]\nb = 2\n"},
};

START_TEST(a_change_touches_nothing_but_its_option)
{
    auto_strbuf struct strbuf text = STRBUF_INIT;

    strbuf_add(&text, changes[_i].before);
    if (changes[_i].value)
        cfg_set(&text, changes[_i].section, changes[_i].key, changes[_i].value);
    else
        cfg_remove(&text, changes[_i].section, changes[_i].key);
    ck_assert_str_eq(strbuf_text(&text), changes[_i].after);
}
END_TEST

static const char *const values[] = {
    "",
    "plain",
    "a = b",
    "postgresql://u:p%40ss@h/d?a=%",
    "%(x)s",
    "two\nlines",
    "# no",
    "a\n  b]",
    "[not/a/list",
    "100%%",
};

START_TEST(what_is_set_is_read_back)
{
    auto_strbuf struct strbuf text = STRBUF_INIT;
    auto_free char *value = NULL;

    strbuf_add(&text, "[api]\nhost = x\n");
    cfg_set(&text, "core", "key", values[_i]);
    cfg_set(&text, "core", "next", "n");
    value = cfg_get(strbuf_text(&text), "core", "key");
    /* The file format has no leading blanks in the lines of a value. */
    ck_assert_str_eq(value, strcmp(values[_i], "a\n  b]") ? values[_i] : "a\nb]");
}
END_TEST

START_TEST(what_is_not_there_has_no_value)
{
    const char *text = "[core]\n# a = 1\n;a = 1\nab = 1\n[api]\na = 1\n";

    ck_assert_ptr_null(cfg_get(text, "core", "a"));
    ck_assert_ptr_null(cfg_get(text, "web", "a"));
    ck_assert_ptr_null(cfg_get("", "core", "a"));
}
END_TEST

Suite *airflow_cfg_suite(void)
{
    Suite *suite = suite_create("airflow/cfg");
    TCase *tcase = tcase_create("cfg");

    tcase_add_loop_test(tcase, a_change_touches_nothing_but_its_option, 0, ARRAY_LEN(changes));
    tcase_add_loop_test(tcase, what_is_set_is_read_back, 0, ARRAY_LEN(values));
    tcase_add_test(tcase, what_is_not_there_has_no_value);
    suite_add_tcase(suite, tcase);
    return suite;
}
