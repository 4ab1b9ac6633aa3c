#include "project/plugin_def.h"

#include "base/json.h"
#include "base/memory.h"

#include <check.h>
#include <string.h>

Suite *project_plugin_def_suite(void);

static struct setting_def *read_setting(const char *json)
{
    auto_value struct value *entry = NULL;
    struct setting_def *def = NULL;
    struct error err = {0};

    ck_assert_int_eq(json_parse(json, strlen(json), NULL, &entry, &err), 0);
    ck_assert_msg(!setting_def_from_value(entry, &def, &err), "%s", err.message);
    return def;
}

START_TEST(a_setting_is_read_with_all_it_has)
{
    struct setting_def *read =
        read_setting("{\"name\": \"auth.token\", \"aliases\": [\"tok\"], \"env\": \"E\", "
                     "\"env_aliases\": [\"A\", \"!B\"], \"kind\": \"options\", \"value\": 0, "
                     "\"options\": [{\"label\": \"L\", \"value\": \"v\"}], \"sensitive\": true, "
                     "\"env_specific\": true, \"value_processor\": \"nest_object\", "
                     "\"value_post_processor\": \"parse_date\", \"label\": \"La\", "
                     "\"description\": \"De\", \"tooltip\": \"To\", \"other\": 1}");
    struct setting_def *def = setting_def_copy(read);

    setting_def_free(read);
    ck_assert_str_eq(def->name, "auth.token");
    ck_assert_str_eq(def->aliases.items[0], "tok");
    ck_assert_str_eq(def->env, "E");
    ck_assert_str_eq(def->env_aliases.items[1], "!B");
    ck_assert_int_eq(def->kind, SETTING_OPTIONS);
    ck_assert_str_eq(value_text(def->value), "0");
    ck_assert_uint_eq(value_count(def->options), 1);
    ck_assert(def->sensitive && def->env_specific && !def->is_custom);
    ck_assert_str_eq(def->value_processor, "nest_object");
    ck_assert_str_eq(def->value_post_processor, "parse_date");
    ck_assert_str_eq(def->label, "La");
    ck_assert_str_eq(def->description, "De");
    setting_def_free(def);
}
END_TEST

static const struct {
    const char *json;
    enum setting_kind kind;
    bool sensitive;
} kinds[] = {
    {"{\"name\": \"a\"}", SETTING_NONE, false},
    {"{\"name\": \"a\", \"kind\": null}", SETTING_NONE, false},
    {"{\"name\": \"a\", \"kind\": \"string\"}", SETTING_STRING, false},
    {"{\"name\": \"a\", \"kind\": \"date_iso8601\"}", SETTING_DATE, false},
    {"{\"name\": \"a\", \"kind\": \"password\"}", SETTING_STRING, true},
    {"{\"name\": \"a\", \"kind\": \"oauth\"}", SETTING_OAUTH, true},
    {"{\"name\": \"a\", \"kind\": \"hidden\"}", SETTING_STRING, false},
    {"{\"name\": \"a\", \"kind\": \"integer\"}", SETTING_INTEGER, false},
    {"{\"name\": \"a\", \"kind\": \"boolean\"}", SETTING_BOOLEAN, false},
    {"{\"name\": \"a\", \"kind\": \"decimal\"}", SETTING_DECIMAL, false},
    {"{\"name\": \"a\", \"kind\": \"email\"}", SETTING_EMAIL, false},
    {"{\"name\": \"a\", \"kind\": \"options\"}", SETTING_OPTIONS, false},
    {"{\"name\": \"a\", \"kind\": \"file\"}", SETTING_FILE, false},
    {"{\"name\": \"a\", \"kind\": \"array\"}", SETTING_ARRAY, false},
    {"{\"name\": \"a\", \"kind\": \"object\"}", SETTING_OBJECT, false},
};

START_TEST(a_kind_is_read_by_its_name_and_old_ones_mean_newer_ones)
{
    struct setting_def *def = read_setting(kinds[_i].json);

    ck_assert_int_eq(def->kind, kinds[_i].kind);
    ck_assert_int_eq(def->sensitive, kinds[_i].sensitive);
    ck_assert_ptr_null(def->value);
    setting_def_free(def);
}
END_TEST

START_TEST(other_words_are_no_kinds)
{
    enum setting_kind kind;

    ck_assert(!setting_kind_parse("", &kind));
    ck_assert(!setting_kind_parse("text", &kind));
}
END_TEST

START_TEST(a_setting_is_found_by_name_and_not_by_alias)
{
    struct setting_def_list list = {0};

    setting_def_list_add_take(&list,
                              read_setting("{\"name\": \"a\", \"aliases\": [\"b\", \"c\"]}"));
    setting_def_list_add_take(&list, read_setting("{\"name\": \"b\"}"));
    ck_assert_ptr_eq(setting_def_list_find(&list, "b"), list.items[1]);
    ck_assert_ptr_null(setting_def_list_find(&list, "c"));
    setting_def_list_clear(&list);
}
END_TEST

Suite *project_plugin_def_suite(void)
{
    Suite *suite = suite_create("project/plugin_def");
    TCase *tcase = tcase_create("plugin_def");

    tcase_add_test(tcase, a_setting_is_read_with_all_it_has);
    tcase_add_loop_test(tcase, a_kind_is_read_by_its_name_and_old_ones_mean_newer_ones, 0,
                        ARRAY_LEN(kinds));
    tcase_add_test(tcase, other_words_are_no_kinds);
    tcase_add_test(tcase, a_setting_is_found_by_name_and_not_by_alias);
    suite_add_tcase(suite, tcase);
    return suite;
}
