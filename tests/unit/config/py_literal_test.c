#include "config/py_literal.h"

#include "base/json.h"
#include "base/memory.h"

#include <check.h>
#include <string.h>

Suite *config_py_literal_suite(void);

static const struct {
    const char *text;
    const char *json; /* NULL: not a literal */
} literals[] = {
    {"['a', 2]", "[\"a\", 2]"},
    {"(1,2)", "[1, 2]"},
    {"(1)", "1"},
    {"(1,)", "[1]"},
    {"'a', 'b'", "[\"a\", \"b\"]"},
    {"{'a': [None, True, {'b': \"it's\"}],}", "{\"a\": [null, true, {\"b\": \"it's\"}]}"},
    {"{1: 'a', True: 2, None: 3, 1.50: 4}", "{\"1\": \"a\", \"true\": 2, \"null\": 3, \"1.5\": 4}"},
    {"\n [1,\n 2]\n", "[1, 2]"},
    {"'a' \"b\" r'\\n'", "\"ab\\\\n\""},
    {"'''x\ny'''", "\"x\\ny\""},
    {"'\\x41\\u00e9\\101\\q\\\n'", "\"A\\u00e9A\\\\q\""},
    {"-1_000", "-1000"},
    {"[0x1f, 0b101, 0o17, .5, 1e3]", "[31, 5, 15, 0.5, 1000.0]"},
    {"[]", "[]"},
    {"{}", "{}"},
    {"", NULL},
    {"a", NULL},
    {"[a]", NULL},
    {"[1 2]", NULL},
    {"[,]", NULL},
    {"[1", NULL},
    {"{'a'}", NULL},
    {"{(1, 2): 3}", NULL},
    {"'a\nb'", NULL},
    {"b'x'", NULL},
    {"012", NULL},
    {"1__0", NULL},
    {"1j", NULL},
    {"[1]]", NULL},
    {"__import__('os')", NULL},
};

START_TEST(a_literal_is_read_as_python_reads_it)
{
    auto_value struct value *value = py_literal_parse(literals[_i].text, strlen(literals[_i].text));
    auto_free char *json = value ? json_to_text(value, &json_python) : NULL;

    if (literals[_i].json)
        ck_assert_str_eq(json, literals[_i].json);
    else
        ck_assert_ptr_null(value);
}
END_TEST

START_TEST(nesting_has_a_limit)
{
    char text[1000];

    memset(text, '[', sizeof text);
    ck_assert_ptr_null(py_literal_parse(text, sizeof text));
}
END_TEST

Suite *config_py_literal_suite(void)
{
    Suite *suite = suite_create("config/py_literal");
    TCase *tcase = tcase_create("py_literal");

    tcase_add_loop_test(tcase, a_literal_is_read_as_python_reads_it, 0, ARRAY_LEN(literals));
    tcase_add_test(tcase, nesting_has_a_limit);
    suite_add_tcase(suite, tcase);
    return suite;
}
