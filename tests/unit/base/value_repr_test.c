#include "base/json.h"
#include "base/memory.h"

#include <check.h>
#include <string.h>

Suite *base_value_repr_suite(void);

static const struct {
    const char *json;
    const char *repr;
} cases[] = {
    {"null", "None"},
    {"[true,false]", "[True, False]"},
    {"\"it's\"", "\"it's\""},
    {"{\"k.z\":1,\"a\":[]}", "{'k.z': 1, 'a': []}"},
    {"123456789012345678901234567890", "123456789012345678901234567890"},
    {"0.10", "0.1"},
    {"0.5", "0.5"},
    {"1e3", "1000.0"},
    {"-2.50", "-2.5"},
    {"100.0", "100.0"},
    {"0.30000000000000004", "0.30000000000000004"},
    {"0.00001", "1e-05"},
    {"0.0001", "0.0001"},
    {"1e15", "1000000000000000.0"},
    {"1e16", "1e+16"},
    {"1.5e300", "1.5e+300"},
    {"-0.0", "-0.0"},
    {"NaN", "nan"},
    {"-Infinity", "-inf"},
};

START_TEST(a_value_reads_as_in_python)
{
    struct error err = {0};
    struct value *value = NULL;
    struct strbuf text = STRBUF_INIT;

    ck_assert_msg(!json_parse(cases[_i].json, strlen(cases[_i].json), NULL, &value, &err), "%s",
                  err.message);
    strbuf_add_py_repr(&text, value);
    ck_assert_str_eq(strbuf_text(&text), cases[_i].repr);
    strbuf_clear(&text);
    value_free(value);
}
END_TEST

Suite *base_value_repr_suite(void)
{
    Suite *suite = suite_create("base/value_repr");
    TCase *tcase = tcase_create("repr");

    tcase_add_loop_test(tcase, a_value_reads_as_in_python, 0, ARRAY_LEN(cases));
    suite_add_tcase(suite, tcase);
    return suite;
}
