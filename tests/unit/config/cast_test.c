#include "config/cast.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"

#include <check.h>
#include <string.h>

Suite *config_cast_suite(void);

static struct value *parse(const char *json)
{
    struct error err = {0};
    struct value *value = NULL;

    ck_assert_msg(!json_parse(json, strlen(json), NULL, &value, &err), "%s", err.message);
    return value;
}

static const struct {
    enum setting_kind kind;
    const char *given; /* JSON */
    const char *cast;  /* JSON, NULL: refused */
    const char *message;
} casts[] = {
    {SETTING_NONE, "\"5\"", "\"5\"", NULL},
    {SETTING_STRING, "5", "5", NULL},
    {SETTING_STRING, "null", "null", NULL},
    {SETTING_BOOLEAN, "\"Yes\"", "true", NULL},
    {SETTING_BOOLEAN, "\"on\"", "true", NULL},
    {SETTING_BOOLEAN, "\"garbage\"", "false", NULL},
    {SETTING_BOOLEAN, "\"\"", "false", NULL},
    {SETTING_BOOLEAN, "5", "5", NULL},
    {SETTING_INTEGER, "\" +1_000 \"", "1000", NULL},
    {SETTING_INTEGER, "\"-007\"", "-7", NULL},
    {SETTING_INTEGER, "\"-0\"", "0", NULL},
    {SETTING_INTEGER, "\"123456789012345678901\"", "123456789012345678901", NULL},
    {SETTING_INTEGER, "\"1.0\"", NULL, "invalid literal for int() with base 10: '1.0'"},
    {SETTING_INTEGER, "\"1__0\"", NULL, "invalid literal for int() with base 10: '1__0'"},
    {SETTING_INTEGER, "\"it's\"", NULL, "invalid literal for int() with base 10: \"it's\""},
    {SETTING_INTEGER, "\"\"", NULL, "invalid literal for int() with base 10: ''"},
    {SETTING_DECIMAL, "\"1.50\"", "1.50", NULL},
    {SETTING_DECIMAL, "\" .5 \"", "0.5", NULL},
    {SETTING_DECIMAL, "\"5.\"", "5", NULL},
    {SETTING_DECIMAL, "\"-00.5\"", "-0.5", NULL},
    {SETTING_DECIMAL, "\"1e3\"", "1E+3", NULL},
    {SETTING_DECIMAL, "\"12.5e3\"", "1.25E+4", NULL},
    {SETTING_DECIMAL, "\"0.0000001\"", "1E-7", NULL},
    {SETTING_DECIMAL, "\"0.000001\"", "0.000001", NULL},
    {SETTING_DECIMAL, "\"0.00\"", "0.00", NULL},
    {SETTING_DECIMAL, "\"x\"", NULL, "'x' is not a decimal number"},
    {SETTING_DECIMAL, "\"1.2.3\"", NULL, "'1.2.3' is not a decimal number"},
    {SETTING_OBJECT, "\"{\\\"a\\\": 0.10}\"", "{\"a\": 0.1}", NULL},
    {SETTING_OBJECT, "\"{'a': (1, None)}\"", "{\"a\": [1, null]}", NULL},
    {SETTING_OBJECT, "\"[]\"", NULL, "Failed to parse JSON object from string: '[]'"},
    {SETTING_ARRAY, "\"[1, \\\"b\\\"]\"", "[1, \"b\"]", NULL},
    {SETTING_ARRAY, "\"['a', 2]\"", "[\"a\", 2]", NULL},
    {SETTING_ARRAY, "\"'a', 'b'\"", "[\"a\", \"b\"]", NULL},
    {SETTING_ARRAY, "\"a,b\"", NULL, "Failed to parse JSON array from string: 'a,b'"},
    {SETTING_ARRAY, "\"\\\"text\\\"\"", NULL, "Failed to parse JSON array from string: '\"text\"'"},
    {SETTING_ARRAY, "{\"a\": 1}", "{\"a\": 1}", NULL},
};

START_TEST(a_value_is_cast_by_its_kind)
{
    struct setting_def def = {.kind = casts[_i].kind};
    auto_value struct value *given = parse(casts[_i].given), *cast = NULL;
    auto_free char *json = NULL;
    struct error err = {0};

    if (!casts[_i].cast) {
        ck_assert_int_eq(setting_cast(&def, given, &cast, &err), -1);
        ck_assert_str_eq(err.message, casts[_i].message);
        ck_assert_str_ne(err.hint, "");
        return;
    }
    ck_assert_msg(!setting_cast(&def, given, &cast, &err), "%s", err.message);
    json = json_to_text(cast, &json_python);
    ck_assert_str_eq(json, casts[_i].cast);
}
END_TEST

START_TEST(a_date_of_yaml_becomes_text)
{
    struct setting_def def = {.kind = SETTING_NONE};
    auto_value struct value *date = value_new_string("2021-01-05"), *cast = NULL;
    struct error err = {0};

    date->kind = VALUE_DATE;
    ck_assert_int_eq(setting_cast(&def, date, &cast, &err), 0);
    ck_assert(value_is_string(cast));
    ck_assert_str_eq(value_text(cast), "2021-01-05");
}
END_TEST

START_TEST(an_option_must_be_one_of_the_choices)
{
    auto_value struct value *options = parse("[{\"value\": \"a\"}, {\"value\": 1}]");
    struct setting_def def = {
        .name = (char[]){"mode"}, .kind = SETTING_OPTIONS, .options = options};
    auto_value struct value *good = parse("1.0"), *bad = parse("\"1\""), *cast = NULL;
    struct error err = {0};

    ck_assert_int_eq(setting_cast(&def, good, &cast, &err), 0);
    value_free(take(cast));
    ck_assert_int_eq(setting_cast(&def, bad, &cast, &err), -1);
    ck_assert_str_eq(err.message, "'1' is not a valid choice for 'mode'");
    ck_assert_str_eq(err.hint, "Choose one of: a, 1.");
}
END_TEST

START_TEST(a_sensitive_value_stays_out_of_messages)
{
    struct setting_def def = {.kind = SETTING_INTEGER, .sensitive = true};
    auto_value struct value *secret = value_new_string("hunter2"), *cast = NULL;
    struct error err = {0};

    ck_assert_int_eq(setting_cast(&def, secret, &cast, &err), -1);
    ck_assert_str_eq(err.message, "invalid literal for int() with base 10: '(redacted)'");
}
END_TEST

static const struct {
    const char *processor;
    const char *given, *processed; /* JSON */
} processings[] = {
    {"nest_object", "{\"a.b\": 1, \"c\\\\.d\": 2}", "{\"a\": {\"b\": 1}, \"c.d\": 2}"},
    {"upcase_string", "\"abc \\u00e9\\u00df\"", "\"ABC \\u00c9SS\""},
    {"stringify", "{\"a\": [1, true]}", "\"{\\\"a\\\": [1, true]}\""},
    {"stringify", "\"text\"", "\"text\""},
    {"parse_date", "\"1 day ago\"", "\"2026-03-30T14:05:06.789012\""},
    {"parse_date", "\"2021-01-05T10:00:00Z\"", "\"2021-01-05T10:00:00Z\""},
    {"parse_date", "\"whenever\"", "\"whenever\""},
};

START_TEST(a_processor_changes_the_value)
{
    auto_free char *name = xstrdup(processings[_i].processor);
    struct setting_def early = {.value_processor = name};
    struct setting_def late = {.value_post_processor = name};
    auto_value struct value *given = parse(processings[_i].given), *a = NULL, *b = NULL;
    auto_free char *json = NULL;
    struct error err = {0};

    clock_set_for_tests(1774965906789012LL);
    ck_assert_int_eq(setting_cast(&early, given, &a, &err), 0);
    json = json_to_text(a, &json_python);
    ck_assert_str_eq(json, processings[_i].processed);
    ck_assert_int_eq(setting_post_process(&late, given, &b, &err), 0);
    ck_assert(value_is_equal(a, b));
}
END_TEST

START_TEST(an_unknown_processor_is_refused)
{
    struct setting_def def = {.value_processor = (char[]){"shout"}};
    auto_value struct value *given = parse("\"a\""), *cast = NULL;
    struct error err = {0};

    ck_assert_int_eq(setting_cast(&def, given, &cast, &err), -1);
    ck_assert_str_eq(err.message, "'shout' is not a value processor");
}
END_TEST

START_TEST(dates_in_words_are_read_for_their_kind_only)
{
    struct setting_def date = {.kind = SETTING_DATE}, text = {.kind = SETTING_STRING};
    auto_value struct value *given = value_new_string("yesterday"), *a = NULL, *b = NULL;
    struct error err = {0};

    clock_set_for_tests(1774965906789012LL);
    ck_assert_int_eq(setting_post_process(&date, given, &a, &err), 0);
    ck_assert_str_eq(value_text(a), "2026-03-30T14:05:06.789012");
    ck_assert_int_eq(setting_post_process(&text, given, &b, &err), 0);
    ck_assert_str_eq(value_text(b), "yesterday");
}
END_TEST

static const struct {
    enum setting_kind kind;
    const char *json;
    const char *text;
} texts[] = {
    {SETTING_NONE, "\"a b\"", "a b"},
    {SETTING_NONE, "true", "True"},
    {SETTING_STRING, "5", "5"},
    {SETTING_STRING, "1.0", "1.0"},
    {SETTING_DECIMAL, "0.10", "0.10"},
    {SETTING_STRING, "[\"a\", 1.5, null]", "['a', 1.5, None]"},
    {SETTING_STRING, "{\"k\": false}", "{'k': False}"},
    {SETTING_BOOLEAN, "true", "true"},
    {SETTING_BOOLEAN, "\"as is\"", "as is"},
    {SETTING_ARRAY, "[\"a\", 1]", "[\"a\", 1]"},
    {SETTING_OBJECT, "{\"k\": \"\\u00e9\"}", "{\"k\": \"\\u00e9\"}"},
    {SETTING_OPTIONS, "1", "1"},
};

START_TEST(the_text_of_a_value_depends_on_its_kind)
{
    auto_value struct value *value = parse(texts[_i].json);
    auto_free char *text = setting_value_to_text(value, texts[_i].kind);

    ck_assert_str_eq(text, texts[_i].text);
}
END_TEST

START_TEST(numbers_and_booleans_are_equal_by_value)
{
    auto_value struct value *a = parse("[1, {\"k\": true}, \"1\"]");
    auto_value struct value *b = parse("[1.0, {\"k\": 1}, \"1\"]");
    auto_value struct value *c = parse("[1, {\"k\": true}, 1]");

    ck_assert(value_is_equal_in_python(a, b));
    ck_assert(!value_is_equal_in_python(a, c));
}
END_TEST

Suite *config_cast_suite(void)
{
    Suite *suite = suite_create("config/cast");
    TCase *tcase = tcase_create("cast");

    tcase_add_loop_test(tcase, a_value_is_cast_by_its_kind, 0, ARRAY_LEN(casts));
    tcase_add_test(tcase, a_date_of_yaml_becomes_text);
    tcase_add_test(tcase, an_option_must_be_one_of_the_choices);
    tcase_add_test(tcase, a_sensitive_value_stays_out_of_messages);
    tcase_add_loop_test(tcase, a_processor_changes_the_value, 0, ARRAY_LEN(processings));
    tcase_add_test(tcase, an_unknown_processor_is_refused);
    tcase_add_test(tcase, dates_in_words_are_read_for_their_kind_only);
    tcase_add_loop_test(tcase, the_text_of_a_value_depends_on_its_kind, 0, ARRAY_LEN(texts));
    tcase_add_test(tcase, numbers_and_booleans_are_equal_by_value);
    suite_add_tcase(suite, tcase);
    return suite;
}
