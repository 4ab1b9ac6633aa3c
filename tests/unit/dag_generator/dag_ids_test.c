#include "dag_generator/dag_ids.h"

#include "base/memory.h"

#include <check.h>
#include <string.h>

Suite *dag_generator_dag_ids_suite(void);

static const struct {
    const char *text, *id;
} ids[] = {
    {"flights-daily", "flights-daily"},
    {"a.b_c-D9", "a.b_c-D9"},
    {"tap-x target-y", "tap-x_target-y"},
    {"dbt:run", "dbt_run"},
    {"a  : b", "a_b"},
    {"a _ b", "a__b"},
    {".hidden", "_hidden"},
    {"-x", "_x"},
    {"", "_"},
    {"/", "_"},
    {"caf\xc3\xa9", "caf_cfa40d89"},
    {"\xe6\x97\xa5\xe6\x9c\xac", "_a6d3ce91"},
};

START_TEST(an_id_keeps_what_airflow_knows)
{
    auto_free char *id = dag_id_from_text(ids[_i].text, DAG_ID_LIMIT);

    ck_assert_str_eq(id, ids[_i].id);
}
END_TEST

START_TEST(long_texts_that_begin_alike_stay_different)
{
    char text[2][300] = {{0}};
    auto_free char *first = NULL;
    auto_free char *second = NULL;

    memset(text, 'a', sizeof text);
    text[0][299] = text[1][299] = '\0';
    text[1][298] = 'b';
    first = dag_id_from_text(text[0], DAG_ID_LIMIT);
    second = dag_id_from_text(text[1], DAG_ID_LIMIT);
    ck_assert_uint_eq(strlen(first), DAG_ID_LIMIT);
    ck_assert_uint_eq(strlen(second), DAG_ID_LIMIT);
    ck_assert_str_ne(first, second);
}
END_TEST

START_TEST(a_pattern_is_filled_in)
{
    auto_strmap struct strmap values = STRMAP_INIT;
    auto_free char *text = NULL;
    struct error err = {0};

    strmap_set(&values, "schedule", "daily");
    strmap_set(&values, "job", "{schedule}");
    ck_assert_int_eq(dag_id_fill_pattern("a{schedule}-{job}{", &values, &text, &err), 0);
    ck_assert_str_eq(text, "adaily-{schedule}{");
}
END_TEST

START_TEST(a_pattern_with_a_wrong_or_empty_name_is_refused)
{
    auto_strmap struct strmap values = STRMAP_INIT;
    char *text = NULL;
    struct error err = {0};

    strmap_set(&values, "environment", "");
    ck_assert_int_eq(dag_id_fill_pattern("x_{shedule}", &values, &text, &err), -1);
    ck_assert_str_eq(err.message, "unknown name {shedule} in 'x_{shedule}'");
    ck_assert_int_eq(dag_id_fill_pattern("x_{environment}", &values, &text, &err), -1);
    ck_assert_str_eq(err.message, "there is nothing for {environment} in 'x_{environment}'");
}
END_TEST

Suite *dag_generator_dag_ids_suite(void)
{
    Suite *suite = suite_create("dag_generator/dag_ids");
    TCase *tcase = tcase_create("dag_ids");

    tcase_add_loop_test(tcase, an_id_keeps_what_airflow_knows, 0, ARRAY_LEN(ids));
    tcase_add_test(tcase, long_texts_that_begin_alike_stay_different);
    tcase_add_test(tcase, a_pattern_is_filled_in);
    tcase_add_test(tcase, a_pattern_with_a_wrong_or_empty_name_is_refused);
    suite_add_tcase(suite, tcase);
    return suite;
}
