#include "config/flatten.h"

#include "base/json.h"
#include "base/memory.h"
#include "config/env_name.h"

#include <check.h>
#include <string.h>

Suite *config_flatten_suite(void);

static struct value *parse(const char *json)
{
    struct error err = {0};
    struct value *value = NULL;

    ck_assert_msg(!json_parse(json, strlen(json), NULL, &value, &err), "%s", err.message);
    return value;
}

static void check_json(const struct value *value, const char *expected)
{
    auto_free char *json = json_to_text(value, &json_python);

    ck_assert_str_eq(json, expected);
}

START_TEST(flattening_keeps_lists_and_empty_mappings_and_lets_the_later_win)
{
    auto_value struct value *map =
        parse("{\"a.b\": 1, \"c\": [1, {\"d\": 2}], \"a\": {\"b\": 2, \"e\": {}, \"f\": null}}");
    auto_value struct value *flat = value_new_map();

    flatten_into(flat, map, NULL);
    check_json(flat, "{\"a.b\": 2, \"c\": [1, {\"d\": 2}], \"a.e\": {}, \"a.f\": null}");
}
END_TEST

static const struct {
    const char *flat, *nested, *unescaped, *singer;
} trees[] = {
    {"{\"a.b\": 1, \"a.c\": 2}", "{\"a\": {\"b\": 1, \"c\": 2}}", "{\"a\": {\"b\": 1, \"c\": 2}}",
     "{\"a\": {\"b\": 1, \"c\": 2}}"},
    {"{\"o\": {\"k.z\": 1}, \"o.k.z\": 1}", "{\"o\": {\"k.z\": 1, \"k\": {\"z\": 1}}}",
     "{\"o\": {\"k.z\": 1, \"k\": {\"z\": 1}}}", "{\"o\": {\"k\": {\"z\": 1}}}"},
    {"{\"o\": {\"a.b\": 1}}", "{\"o\": {\"a.b\": 1}}", "{\"o\": {\"a.b\": 1}}", "{\"o\": {}}"},
    {"{\"o\": {\"only\": 1}, \"o.k\": 2, \"o.only\": 3}", "{\"o\": {\"only\": 1, \"k\": 2}}",
     "{\"o\": {\"only\": 1, \"k\": 2}}", "{\"o\": {\"only\": 1, \"k\": 2}}"},
    {"{\"aws.s3\\\\.url\": 1, \"x\\\\.y\": 2, \"z\": 3}",
     "{\"aws\": {\"s3\\\\.url\": 1}, \"x\\\\.y\": 2, \"z\": 3}",
     "{\"aws\": {\"s3.url\": 1}, \"x.y\": 2, \"z\": 3}",
     "{\"aws\": {\"s3.url\": 1}, \"z\": 3, \"x.y\": 2}"},
    {"{\"a\": null, \"a.b\": null}", "{\"a\": {\"b\": {}}}", "{\"a\": {\"b\": {}}}",
     "{\"a\": {\"b\": {}}}"},
};

START_TEST(names_nest_as_in_meltano)
{
    auto_value struct value *flat = parse(trees[_i].flat);
    auto_value struct value *nested = NULL, *unescaped = NULL;
    struct error err = {0};

    ck_assert_int_eq(nest_names(flat, NEST_KEEP_ESCAPES, &nested, &err), 0);
    check_json(nested, trees[_i].nested);
    ck_assert_int_eq(nest_names(flat, NEST_UNESCAPE, &unescaped, &err), 0);
    check_json(unescaped, trees[_i].unescaped);
    drop_dotted_keys(nested);
    check_json(nested, trees[_i].singer);
}
END_TEST

START_TEST(a_name_that_leads_through_a_text_is_refused)
{
    auto_value struct value *flat = parse("{\"a\": \"text\", \"a.b\": 1}");
    struct value *nested = NULL;
    struct error err = {0};

    ck_assert_int_eq(nest_names(flat, NEST_UNESCAPE, &nested, &err), -1);
    ck_assert_str_eq(err.message, "'a.b' cannot be set: 'a' in it is not a mapping");
    ck_assert_str_eq(err.hint, "Remove the value of 'a' or that of 'a.b'.");
    ck_assert_ptr_null(nested);
}
END_TEST

static const struct {
    const char *prefix, *setting, *name;
} env_names[] = {
    {"tap-x--eu", "auth.token", "TAP_X__EU_AUTH_TOKEN"},
    {"tap_x", "_select", "TAP_X__SELECT"},
    {"meltano_extract", "_load_schema", "MELTANO_EXTRACT__LOAD_SCHEMA"},
    {"tap-\xc3\xa9", "s3\\.url", "TAP___S3__URL"},
    {"", "a", "A"},
};

START_TEST(a_variable_is_named_after_its_setting)
{
    auto_free char *name = env_name(env_names[_i].prefix, env_names[_i].setting);

    ck_assert_str_eq(name, env_names[_i].name);
}
END_TEST

Suite *config_flatten_suite(void)
{
    Suite *suite = suite_create("config/flatten");
    TCase *tcase = tcase_create("flatten");

    tcase_add_test(tcase, flattening_keeps_lists_and_empty_mappings_and_lets_the_later_win);
    tcase_add_loop_test(tcase, names_nest_as_in_meltano, 0, ARRAY_LEN(trees));
    tcase_add_test(tcase, a_name_that_leads_through_a_text_is_refused);
    tcase_add_loop_test(tcase, a_variable_is_named_after_its_setting, 0, ARRAY_LEN(env_names));
    suite_add_tcase(suite, tcase);
    return suite;
}
