#include "dag_generator/dag_text.h"

#include "base/attrs.h"

#include <check.h>
#include <string.h>

Suite *dag_generator_dag_text_suite(void);

static const struct {
    const char *text, *jinja;
} texts[] = {
    {"", ""},
    {"plain 'text' \"with\" \\ quotes", "plain 'text' \"with\" \\ quotes"},
    {"a\nb", "a\nb"},
    {"{ { }} %} #}", "{ { }} %} #}"},
    {"x.sh y", "x.sh y"},
    {"{{ x }}", "{{ '{{ x }}' }}"},
    {"{% raw %}", "{{ '{% raw %}' }}"},
    {"{# gone #}", "{{ '{# gone #}' }}"},
    {"a\r\nb", "{{ 'a\\r\\nb' }}"},
    {"a\n", "{{ 'a\\n' }}"},
    {"run.sh", "{{ 'run.sh' }}"},
    {"run.bash", "{{ 'run.bash' }}"},
    {"it's {{ \\ }}", "{{ 'it\\'s {{ \\\\ }}' }}"},
};

START_TEST(a_text_that_airflow_would_change_becomes_one_string_literal)
{
    auto_strbuf struct strbuf jinja = STRBUF_INIT;

    strbuf_add_jinja_text(&jinja, texts[_i].text, false);
    ck_assert_str_eq(strbuf_text(&jinja), texts[_i].jinja);
    ck_assert_int_eq(dag_text_is_template(texts[_i].text, false),
                     strcmp(texts[_i].text, texts[_i].jinja) != 0);
}
END_TEST

START_TEST(for_a_pod_other_ends_are_names_of_files)
{
    ck_assert(dag_text_is_template("vars.yml", true));
    ck_assert(dag_text_is_template("/airflow/xcom/return.json", true));
    ck_assert(!dag_text_is_template("run.sh", true));
    ck_assert(!dag_text_is_template("vars.yml", false));
}
END_TEST

static const struct {
    const char *template, *open; /* "": none */
} tags[] = {
    {"plain } }} text", ""},
    {"{{ ds }} and {% if x %}y{% endif %} {# said #}", ""},
    {"{{ {'a': {'b': 1}}['a'] }}", ""},
    {"{{ '}}' ~ \"it's\" ~ 'it\\'s' }}", ""},
    {"{% raw %}{{ {% {# {% endraw %}", ""},
    {"{%- raw -%}{{{%- endraw -%}", ""},
    {"{# {{ 'quoted #}", ""},
    {"{{ ds", "{{ ds"},
    {"{{ ds }", "{{ ds }"},
    {"{{ ds }} {{ 'ds }}", "{{ 'ds }}"},
    {"{% if x }y", "{% if x }y"},
    {"{{ x }} {# never", "{# never"},
    {"{% raw %} {{ x }}", "{% raw %} {{ x }}"},
    {"{% rawish %} {{ x", "{{ x"},
};

START_TEST(a_tag_that_nothing_closes_is_found)
{
    const char *open = dag_text_find_open_tag(tags[_i].template);

    ck_assert_str_eq(open ? open : "", tags[_i].open);
}
END_TEST

START_TEST(a_template_keeps_its_end)
{
    auto_strbuf struct strbuf jinja = STRBUF_INIT;

    strbuf_add_jinja_template(&jinja, "{{ ds }}\n", false);
    ck_assert_str_eq(strbuf_text(&jinja), "{{ ds }}\n{{ '' }}");
    strbuf_reset(&jinja);
    strbuf_add_jinja_template(&jinja, "{{ ds }}.sh", false);
    ck_assert_str_eq(strbuf_text(&jinja), "{{ ds }}.sh{{ '' }}");
    strbuf_reset(&jinja);
    strbuf_add_jinja_template(&jinja, "{{ ds }}", false);
    ck_assert_str_eq(strbuf_text(&jinja), "{{ ds }}");
}
END_TEST

START_TEST(an_identifier_is_what_python_can_assign_to)
{
    ck_assert(dag_text_is_identifier("tap_a2", 6));
    ck_assert(dag_text_is_identifier("_", 1));
    ck_assert(dag_text_is_identifier("imported", 8));
    ck_assert(dag_text_is_identifier("alerts.page", 6));
    ck_assert(!dag_text_is_identifier("", 0));
    ck_assert(!dag_text_is_identifier("2do", 3));
    ck_assert(!dag_text_is_identifier("import", 6));
    ck_assert(!dag_text_is_identifier("tap-a", 5));
    ck_assert(!dag_text_is_identifier("\xc3\xa9", 2));
}
END_TEST

Suite *dag_generator_dag_text_suite(void)
{
    Suite *suite = suite_create("dag_generator/dag_text");
    TCase *tcase = tcase_create("dag_text");

    tcase_add_loop_test(tcase, a_text_that_airflow_would_change_becomes_one_string_literal, 0,
                        ARRAY_LEN(texts));
    tcase_add_test(tcase, for_a_pod_other_ends_are_names_of_files);
    tcase_add_loop_test(tcase, a_tag_that_nothing_closes_is_found, 0, ARRAY_LEN(tags));
    tcase_add_test(tcase, a_template_keeps_its_end);
    tcase_add_test(tcase, an_identifier_is_what_python_can_assign_to);
    suite_add_tcase(suite, tcase);
    return suite;
}
