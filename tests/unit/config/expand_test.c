#include "config/expand.h"

#include "base/json.h"
#include "base/memory.h"

#include <check.h>
#include <string.h>

Suite *config_expand_suite(void);

static struct strmap variables;

static void set_variables(void)
{
    variables = (struct strmap)STRMAP_INIT;
    strmap_set(&variables, "VAR", "v");
    strmap_set(&variables, "low", "w");
    strmap_set(&variables, "EMPTY", "");
    strmap_set(&variables, "NESTED", "$VAR");
    strmap_set(&variables, "\xc3\xa9t\xc3\xa9", "summer");
}

static void clear_variables(void)
{
    strmap_clear(&variables);
}

static const struct {
    const char *text;
    const char *expanded; /* NULL: unset */
} texts[] = {
    {"", ""},
    {"plain", "plain"},
    {"$VAR", "v"},
    {"x${VAR}y", "xvy"},
    {"$VAR_X", NULL},
    {"$VAR-x", "v-x"},
    {"$VARx", "vx"},
    {"$low", "$low"},
    {"${low}", "w"},
    {"$1", "$1"},
    {"${1}", NULL},
    {"$_VAR", "$_VAR"},
    {"${VAR:-x}", "${VAR:-x}"},
    {"${VAR", "${VAR"},
    {"${}", "${}"},
    {"$", "$"},
    {"a\\", "a\\"},
    {"\\$VAR", "$VAR"},
    {"\\${VAR}", "${VAR}"},
    {"\\$low", "\\$low"},
    {"$$VAR", "$v"},
    {"\\\\$VAR", "\\$VAR"},
    {"pre$MISSING", "pre"},
    {"$MISSING", NULL},
    {"${MISSING}${MISSING}", NULL},
    {"$EMPTY", NULL},
    {"$NESTED", "$VAR"},
    {"${\xc3\xa9t\xc3\xa9}", "summer"},
};

START_TEST(a_text_expands_as_in_meltano)
{
    struct error err = {0};
    auto_free char *out = NULL;

    ck_assert_int_eq(expand_text(texts[_i].text, &variables, EXPAND_MISSING_EMPTY, &out, &err), 0);
    if (texts[_i].expanded)
        ck_assert_str_eq(out, texts[_i].expanded);
    else
        ck_assert_ptr_null(out);
}
END_TEST

START_TEST(a_missing_variable_can_stay_as_text)
{
    struct error err = {0};
    auto_free char *out = NULL;

    ck_assert_int_eq(
        expand_text("$VAR/$MISSING/${MISSING}", &variables, EXPAND_MISSING_KEEP, &out, &err), 0);
    ck_assert_str_eq(out, "v/$MISSING/${MISSING}");
}
END_TEST

START_TEST(a_missing_variable_can_be_refused)
{
    struct error err = {0};
    char *out = NULL;

    ck_assert_int_eq(expand_text("a$MISSING", &variables, EXPAND_MISSING_REFUSE, &out, &err), -1);
    ck_assert_str_eq(err.message, "Environment variable 'MISSING' referenced but not set");
    ck_assert_ptr_null(out);
}
END_TEST

START_TEST(values_expand_at_any_depth_but_keys_do_not)
{
    static const char text[] = "{\"$VAR\": [\"$VAR\", {\"k\": \"$MISSING\"}, 1, null, true]}";
    struct error err = {0};
    auto_value struct value *value = NULL, *out = NULL;
    auto_free char *json = NULL;

    ck_assert_int_eq(json_parse(text, strlen(text), NULL, &value, &err), 0);
    ck_assert(expand_has_reference(value));
    ck_assert_int_eq(expand_value_in(value, (const struct strmap *const[]){&variables, NULL},
                                     EXPAND_MISSING_EMPTY, &out, &err),
                     0);
    json = json_to_text(out, &json_python);
    ck_assert_str_eq(json, "{\"$VAR\": [\"v\", {\"k\": \"\"}, 1, null, true]}");
}
END_TEST

START_TEST(the_first_layer_that_has_a_name_wins)
{
    struct error err = {0};
    auto_strmap struct strmap top = STRMAP_INIT;
    auto_free char *out = NULL;

    strmap_set(&top, "VAR", "top");
    ck_assert_int_eq(expand_text_in("$VAR ${low}",
                                    (const struct strmap *const[]){&top, &variables, NULL},
                                    EXPAND_MISSING_EMPTY, &out, &err),
                     0);
    ck_assert_str_eq(out, "top w");
}
END_TEST

static const struct {
    const char *text, *missing;
} references[] = {
    {"plain $low ${low}", NULL},
    {"$$low \\$NOT_SET \\${not_set}", NULL},
    {"a $NOT_SET $ALSO", "NOT_SET"},
    {"${low}${not_set}", "not_set"},
    {"${low", NULL},
};

START_TEST(the_first_missing_variable_is_named)
{
    auto_free char *missing = expand_find_missing(references[_i].text, &variables);

    ck_assert_pstr_eq(missing, references[_i].missing);
}
END_TEST

Suite *config_expand_suite(void)
{
    Suite *suite = suite_create("config/expand");
    TCase *tcase = tcase_create("expand");

    tcase_add_checked_fixture(tcase, set_variables, clear_variables);
    tcase_add_loop_test(tcase, a_text_expands_as_in_meltano, 0, ARRAY_LEN(texts));
    tcase_add_test(tcase, a_missing_variable_can_stay_as_text);
    tcase_add_test(tcase, a_missing_variable_can_be_refused);
    tcase_add_test(tcase, values_expand_at_any_depth_but_keys_do_not);
    tcase_add_test(tcase, the_first_layer_that_has_a_name_wins);
    tcase_add_loop_test(tcase, the_first_missing_variable_is_named, 0, ARRAY_LEN(references));
    suite_add_tcase(suite, tcase);
    return suite;
}
