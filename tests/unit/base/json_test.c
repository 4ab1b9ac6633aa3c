#include "base/json.h"

#include "base/memory.h"

#include <check.h>
#include <string.h>

Suite *base_json_suite(void);

static struct value *parse(const char *text)
{
    struct error err = {0};
    struct value *value = NULL;

    ck_assert_msg(!json_parse(text, strlen(text), NULL, &value, &err), "%s", err.message);
    return value;
}

START_TEST(numbers_keep_their_text)
{
    auto_value struct value *value =
        parse("{\"a\":0.10,\"b\":123456789012345678901234567890,\"c\":1E5,\"d\":-0}");
    auto_free char *text = json_to_text(value, &json_compact);

    ck_assert_str_eq(text, "{\"a\":0.10,\"b\":123456789012345678901234567890,\"c\":1E5,\"d\":-0}");
}
END_TEST

START_TEST(strings_keep_nul_and_lone_surrogates)
{
    auto_value struct value *value = parse("[\"a\\u0000b\", \"\\ud800\", \"\\ud83d\\ude00\"]");
    auto_free char *text = json_to_text(value, &json_python);

    ck_assert_str_eq(text, "[\"a\\u0000b\", \"\\ud800\", \"\\ud83d\\ude00\"]");
}
END_TEST

START_TEST(the_delete_character_is_escaped_in_ascii_text_only)
{
    auto_value struct value *value = parse("[\"\x7f\"]");
    auto_free char *ascii = json_to_text(value, &json_python);
    auto_free char *utf8 = json_to_text(value, &json_compact);

    ck_assert_str_eq(ascii, "[\"\\u007f\"]");
    ck_assert_str_eq(utf8, "[\"\x7f\"]");
}
END_TEST

START_TEST(indented_text_has_the_form_of_python)
{
    auto_value struct value *value = parse("{\"a\":[1,{}],\"b\":[],\"\\u00e9\":null}");
    auto_free char *text = json_to_text(value, &json_indented);

    ck_assert_str_eq(text, "{\n  \"a\": [\n    1,\n    {}\n  ],\n  \"b\": [],\n"
                           "  \"\\u00e9\": null\n}");
}
END_TEST

static const struct {
    const char *text;
    const char *message;
} invalid_texts[] = {
    {"", "invalid JSON at line 1, column 1: a value was expected"},
    {"{\"a\":1,}", "invalid JSON at line 1, column 8: a key in double quotes was expected"},
    {"[1\n 2]", "invalid JSON at line 2, column 2: ',' or ']' was expected"},
    {"01", "invalid JSON at line 1, column 1: a value was expected"},
    {"\"a\nb\"",
     "invalid JSON at line 1, column 3: a control character in a string must be escaped"},
    {"\"\xff\"", "invalid JSON at line 1, column 2: a string is not valid UTF-8"},
    {"\"\\x\"", "invalid JSON at line 1, column 3: unknown escape in a string"},
    {"{} {}", "invalid JSON at line 1, column 4: there is more text after the value"},
    {"1.", "invalid JSON at line 1, column 3: digits were expected after the decimal point"},
};

START_TEST(an_invalid_text_is_refused_with_its_place)
{
    struct error err = {0};
    struct value *value = NULL;
    const char *text = invalid_texts[_i].text;

    ck_assert_int_eq(json_parse(text, strlen(text), NULL, &value, &err), -1);
    ck_assert_str_eq(err.message, invalid_texts[_i].message);
    ck_assert_ptr_null(value);
}
END_TEST

static const char *const copied_texts[] = {
    "{\"b\": 0.10, \"a\": [1E5, -0, 123456789012345678901234567890], \"b\": null}",
    "\"a\\u0000b\\ud800 \\ud83d\\ude00\\n\"",
    "[true, false, NaN, -Infinity, {}, [], \"\", {\"\": {}}]",
    "5",
};

START_TEST(a_copy_keeps_what_it_carries)
{
    struct error err = {0};
    auto_strbuf struct strbuf compact = STRBUF_INIT, copy = STRBUF_INIT;
    const char *text = copied_texts[_i];

    ck_assert_msg(!json_copy_as_member("a", text, strlen(text), &json_compact, &compact, &err),
                  "%s", err.message);
    ck_assert_msg(
        !json_copy_as_member("b", compact.text, compact.length, &json_python, &copy, &err), "%s",
        err.message);
    auto_free char *expected = xasprintf("{\"b\": {\"a\": %s}}", text);

    ck_assert_str_eq(copy.text, expected);
}
END_TEST

START_TEST(a_copy_is_refused_where_a_document_is)
{
    struct error err = {0};
    auto_strbuf struct strbuf out = STRBUF_INIT;
    const char *text = invalid_texts[_i].text;

    strbuf_add(&out, "before");
    ck_assert_int_eq(json_copy_as_member("a", text, strlen(text), &json_compact, &out, &err), -1);
    ck_assert_str_eq(err.message, invalid_texts[_i].message);
    ck_assert_str_eq(out.text, "before");
}
END_TEST

START_TEST(nesting_has_a_limit)
{
    struct error err = {0};
    struct value *value = NULL;
    char text[2 * JSON_MAX_DEPTH];

    memset(text, '[', sizeof text);
    ck_assert_int_eq(json_parse(text, sizeof text, "deep.json", &value, &err), -1);
    ck_assert_str_eq(err.message, "deep.json:1:513: invalid JSON: nested too deeply");
}
END_TEST

Suite *base_json_suite(void)
{
    Suite *suite = suite_create("base/json");
    TCase *tcase = tcase_create("json");

    tcase_add_test(tcase, numbers_keep_their_text);
    tcase_add_test(tcase, strings_keep_nul_and_lone_surrogates);
    tcase_add_test(tcase, the_delete_character_is_escaped_in_ascii_text_only);
    tcase_add_test(tcase, indented_text_has_the_form_of_python);
    tcase_add_loop_test(tcase, an_invalid_text_is_refused_with_its_place, 0,
                        ARRAY_LEN(invalid_texts));
    tcase_add_loop_test(tcase, a_copy_keeps_what_it_carries, 0, ARRAY_LEN(copied_texts));
    tcase_add_loop_test(tcase, a_copy_is_refused_where_a_document_is, 0, ARRAY_LEN(invalid_texts));
    tcase_add_test(tcase, nesting_has_a_limit);
    suite_add_tcase(suite, tcase);
    return suite;
}
