#include "shim/airflow_report.h"

#include "base/json.h"
#include "base/memory.h"
#include "tests/unit/tempdir.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

Suite *shim_airflow_report_suite(void);

static const char meltano_yml[] =
    "annotations: {meltshim: {airflow: {cwd: /srv/shop, retries: 2}}}\n"
    "environments: [{name: prod}, {name: dev}]\n"
    "schedules:\n"
    "- name: orders\n"
    "  interval: '@daily'\n"
    "  job: orders\n"
    "  env: {TOKEN: \"{{ x }}\"}\n"
    "- name: customers\n"
    "  interval: '@manual'\n"
    "  extractor: tap-shop\n"
    "  loader: target-lake\n"
    "  transform: skip\n"
    "- name: test\n"
    "  interval: '@daily'\n"
    "  job: orders\n"
    "  annotations: {meltshim: {airflow: {environment: [prod, dev]}}}\n"
    "jobs:\n"
    "- name: orders\n"
    "  tasks: [tap-shop target-lake, dbt:run]\n"
    "  annotations: {meltshim: {airflow: {tasks: {dbt:run: {pool: dbt, group: dbt}}}}}\n";

static struct project *project;
static struct dag_list *list;
static struct dag_plan *plan;

static void set_up(void)
{
    static const struct dag_request request = {.default_program = "meltshim"};
    struct error err = {0};

    unsetenv("MELTANO_PROJECT_ROOT");
    unsetenv("MELTANO_SYS_DIR_ROOT");
    tempdir_make();
    tempdir_write("meltano.yml", meltano_yml);
    ck_assert_msg(!project_load(tempdir_path(), &project, &err), "%s", err.message);
    ck_assert_msg(!dag_list_build(project, &request, &list, NULL, &err), "%s", err.message);
    ck_assert_msg(!dag_plan_make(list, project, "dags", DAG_PLAN_LOOK, &plan, &err), "%s",
                  err.message);
}

static void tear_down(void)
{
    dag_plan_free(plan);
    dag_list_free(list);
    project_free(project);
    tempdir_remove();
}

START_TEST(the_list_shows_every_dag_and_why_a_schedule_has_none)
{
    auto_strbuf struct strbuf text = STRBUF_INIT;

    airflow_report_list(list, plan, &text);
    ck_assert_str_eq(strbuf_text(&text), "DAG        SCHEDULE   TASKS  FILE               STATUS\n"
                                         "orders     0 0 * * *  2      dags/orders.py     missing\n"
                                         "customers  by hand    1      dags/customers.py  missing\n"
                                         "no DAG for schedule 'test': it belongs to prod, dev\n");
}
END_TEST

START_TEST(the_list_as_data_has_the_commands)
{
    auto_value struct value *value = airflow_report_list_value(list, plan);
    auto_free char *text = json_to_text(value_at(value_get(value, "dags"), 0), &json_compact);

    ck_assert_str_eq(text, "{\"schedule\":\"orders\",\"dag_id\":\"orders\",\"cron\":\"0 0 * * *\","
                           "\"file\":\"dags/orders.py\",\"status\":\"missing\",\"tasks\":["
                           "{\"task_id\":\"tap_shop_target_lake\",\"group\":null,"
                           "\"command\":\"exec meltshim run tap-shop target-lake\",\"after\":[]},"
                           "{\"task_id\":\"dbt_run\",\"group\":\"dbt\","
                           "\"command\":\"exec meltshim run dbt:run\","
                           "\"after\":[\"tap_shop_target_lake\"]}]}");
    ck_assert_str_eq(value_get_text(value_get(value, "left_out"), "test"),
                     "it belongs to prod, dev");
}
END_TEST

START_TEST(an_explanation_names_the_place_of_every_value)
{
    auto_strbuf struct strbuf text = STRBUF_INIT;

    airflow_report_explain(dag_list_find(list, "orders"), &text);
    ck_assert_str_eq(
        strbuf_text(&text),
        "DAG              VALUE                                         FROM\n"
        "dag_id           \"orders\"                                      schedule, meltano.yml:4\n"
        "description      \"Meltano schedule orders: job orders\"         default\n"
        "schedule         \"0 0 * * *\"                                   schedule, meltano.yml:5\n"
        "start_date       pendulum.datetime(2024, 1, 1, tz=\"UTC\")       default\n"
        "catchup          False                                         default\n"
        "max_active_runs  1                                             default\n"
        "tags             [\"meltano\", \"schedule:orders\", \"job:orders\"]  "
        "schedule, meltano.yml:4\n"
        "\n"
        "ALL TASKS    VALUE                 FROM\n"
        "program      meltshim              default\n"
        "retries      2                     project, meltano.yml:1\n"
        "retry_delay  timedelta(minutes=5)  default\n"
        "append_env   True                  default\n"
        "cwd          \"/srv/shop\"           project, meltano.yml:1\n"
        "env SHLVL    \"1\"                   default\n"
        "env TOKEN    \"{{ '{{ x }}' }}\"     schedule, meltano.yml:7\n"
        "\n"
        "TASK tap_shop_target_lake  VALUE                                   FROM\n"
        "bash_command               exec meltshim run tap-shop target-lake  job, meltano.yml:19\n"
        "\n"
        "TASK dbt_run  VALUE                      FROM\n"
        "bash_command  exec meltshim run dbt:run  job, meltano.yml:19\n"
        "group         dbt                        job, meltano.yml:20\n"
        "after         tap_shop_target_lake       default\n"
        "pool          \"dbt\"                      job, meltano.yml:20\n");
}
END_TEST

Suite *shim_airflow_report_suite(void)
{
    Suite *suite = suite_create("shim/airflow_report");
    TCase *tcase = tcase_create("airflow_report");

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, the_list_shows_every_dag_and_why_a_schedule_has_none);
    tcase_add_test(tcase, the_list_as_data_has_the_commands);
    tcase_add_test(tcase, an_explanation_names_the_place_of_every_value);
    suite_add_tcase(suite, tcase);
    return suite;
}
