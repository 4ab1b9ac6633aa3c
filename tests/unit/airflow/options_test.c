#include "airflow/options.h"

#include "base/memory.h"

#include <check.h>

Suite *airflow_options_suite(void);

static const struct {
    const char *version, *section, *key, *new_section, *new_key;
} names[] = {
    {"3.3.2", "core", "sql_alchemy_conn", "database", "sql_alchemy_conn"},
    {"2.11.2", "core", "sql_alchemy_conn", "database", "sql_alchemy_conn"},
    {"2.2.5", "core", "sql_alchemy_conn", "core", "sql_alchemy_conn"},
    {"2.2.5", "database", "sql_alchemy_conn", "core", "sql_alchemy_conn"},
    {"3.3.2", "webserver", "web_server_port", "api", "port"},
    {"2.11.2", "webserver", "web_server_port", "webserver", "web_server_port"},
    {"2.11.2", "api", "port", "webserver", "web_server_port"},
    {"3.0.0", "webserver", "secret_key", "webserver", "secret_key"},
    {"3.0.2", "webserver", "secret_key", "api", "secret_key"},
    {"3.3.2", "scheduler", "dag_dir_list_interval", "dag_processor", "refresh_interval"},
    {"3.3.2", "core", "executor", "core", "executor"},
    /* It changed its name twice. */
    {"3.1.0", "webserver", "page_size", "api", "page_size"},
    {"3.3.2", "webserver", "page_size", "api", "fallback_page_limit"},
    /* The commands and secrets that values come from go with them. */
    {"3.3.2", "core", "sql_alchemy_conn_cmd", "database", "sql_alchemy_conn_cmd"},
    {"3.3.2", "core", "sql_alchemy_conn_secret", "database", "sql_alchemy_conn_secret"},
};

START_TEST(an_option_has_the_name_of_the_installed_version)
{
    auto_free char *section = xstrdup(names[_i].section), *key = xstrdup(names[_i].key);

    airflow_option_rename(names[_i].version, &section, &key);
    ck_assert_str_eq(section, names[_i].new_section);
    ck_assert_str_eq(key, names[_i].new_key);
}
END_TEST

START_TEST(variables_are_told_from_others)
{
    auto_free char *section = NULL, *key = NULL, *name = NULL;

    ck_assert(!airflow_variable_parse("AIRFLOW_HOME", &section, &key));
    ck_assert(!airflow_variable_parse("AIRFLOW_CORE_EXECUTOR", &section, &key));
    ck_assert(!airflow_variable_parse("AIRFLOW__MELTSHIM_PROCESSES", &section, &key));
    ck_assert(!airflow_variable_parse("AIRFLOW__CORE__", &section, &key));
    ck_assert(airflow_variable_parse("AIRFLOW__API_AUTH__JWT_SECRET", &section, &key));
    ck_assert_str_eq(section, "api_auth");
    ck_assert_str_eq(key, "jwt_secret");
    name = airflow_variable_name("common.io", "xcom_objectstorage_path");
    ck_assert_str_eq(name, "AIRFLOW__COMMON_IO__XCOM_OBJECTSTORAGE_PATH");
}
END_TEST

Suite *airflow_options_suite(void)
{
    Suite *suite = suite_create("airflow/options");
    TCase *tcase = tcase_create("options");

    tcase_add_loop_test(tcase, an_option_has_the_name_of_the_installed_version, 0,
                        ARRAY_LEN(names));
    tcase_add_test(tcase, variables_are_told_from_others);
    suite_add_tcase(suite, tcase);
    return suite;
}
