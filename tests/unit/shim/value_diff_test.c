#include "shim/value_diff.h"

#include "base/json.h"

#include <check.h>
#include <string.h>

Suite *shim_value_diff_suite(void);

static const struct {
    const char *before, *after, *diff;
} cases[] = {
    {"{}", "{}", ""},
    {"{\"a\":1,\"b\":{\"c\":[1,2]}}", "{\"b\":{\"c\":[1,2]},\"a\":1}", ""},
    {"{\"a\":1}", "{\"a\":2}", "- a: 1\n+ a: 2\n"},
    {"{\"a\":0.1}", "{\"a\":0.10}", "- a: 0.1\n+ a: 0.10\n"},
    {"{\"a\":{\"b\":1,\"c\":2}}", "{\"a\":{\"c\":3,\"d\":4}}",
     "- a.b: 1\n- a.c: 2\n+ a.c: 3\n+ a.d: 4\n"},
    {"{\"a\":[1]}", "{\"a\":[1,2]}", "- a: [1]\n+ a: [1,2]\n"},
    {"{\"a\":{\"b\":1}}", "{\"a\":5}", "- a: {\"b\":1}\n+ a: 5\n"},
    {"{\"a\":null}", "{}", "- a: null\n"},
    {"{}", "{\"a b.c\":{\"\":1}}", "+ \"a b.c\": {\"\":1}\n"},
};

static struct value *parse(const char *text)
{
    struct error err = {0};
    struct value *value = NULL;

    ck_assert_msg(!json_parse(text, strlen(text), NULL, &value, &err), "%s", err.message);
    return value;
}

START_TEST(what_changed_is_listed_by_its_path)
{
    auto_value struct value *before = parse(cases[_i].before);
    auto_value struct value *after = parse(cases[_i].after);
    auto_strbuf struct strbuf diff = STRBUF_INIT;

    value_diff(before, after, &diff);
    ck_assert_str_eq(strbuf_text(&diff), cases[_i].diff);
}
END_TEST

Suite *shim_value_diff_suite(void)
{
    Suite *suite = suite_create("shim/value_diff");
    TCase *tcase = tcase_create("diff");

    tcase_add_loop_test(tcase, what_changed_is_listed_by_its_path, 0, ARRAY_LEN(cases));
    suite_add_tcase(suite, tcase);
    return suite;
}
