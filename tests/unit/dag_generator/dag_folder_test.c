#include "dag_generator/dag_folder.h"

#include "base/memory.h"
#include "base/path.h"
#include "tests/unit/tempdir.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

Suite *dag_generator_dag_folder_suite(void);

static void set_up(void)
{
    unsetenv("MELTANO_PROJECT_ROOT");
    unsetenv("MELTANO_SYS_DIR_ROOT");
    tempdir_make();
}

static int find(const char *meltano_yml, const char *output, char **folder, struct error *err)
{
    auto_project struct project *project = NULL;
    auto_config struct config *config = NULL;
    auto_strmap struct strmap environment = STRMAP_INIT;
    const struct config_options options = {0};

    tempdir_write("meltano.yml", meltano_yml);
    ck_assert_msg(!project_load(tempdir_path(), &project, err), "%s", err->message);
    ck_assert_msg(!config_open(project, &environment, &options, &config, err), "%s", err->message);
    return dag_folder_find(config, output, folder, err);
}

#define AIRFLOW(type, folder)                                                                      \
    "plugins:\n  " type ":\n  - name: airflow\n    namespace: airflow\n    settings:\n"            \
    "    - {name: core.dags_folder, value: '" folder "'}\n"

static const struct {
    const char *meltano_yml;
    const char *folder; /* below the project's root */
} projects[] = {
    {"version: 1\n", "orchestrate/dags"},
    {AIRFLOW("orchestrators", "$MELTANO_PROJECT_ROOT/airflow/dags"), "airflow/dags"},
    {AIRFLOW("utilities", "flows"), "flows"},
    {AIRFLOW("utilities", "flows") "    config: {core: {dags_folder: mine}}\n", "mine"},
    {AIRFLOW("extractors", "flows"), "orchestrate/dags"},
    {"plugins: {utilities: [{name: airflow, namespace: airflow}]}\n", "orchestrate/dags"},
};

START_TEST(the_folder_is_what_the_airflow_plugin_says)
{
    auto_free char *expected = xstrdup(tempdir_join(projects[_i].folder));
    auto_free char *folder = NULL;
    struct error err = {0};

    ck_assert_msg(!find(projects[_i].meltano_yml, NULL, &folder, &err), "%s", err.message);
    ck_assert_str_eq(folder, expected);
}
END_TEST

START_TEST(an_output_needs_no_definition_and_is_relative_to_the_current_directory)
{
    auto_free char *expected = path_absolute("build/dags");
    auto_free char *folder = NULL;
    struct error err = {0};

    ck_assert_int_eq(find("plugins: {utilities: [{name: airflow}]}\n", "build/dags", &folder, &err),
                     0);
    ck_assert_str_eq(folder, expected);
}
END_TEST

START_TEST(a_plugin_without_definition_is_an_error)
{
    char *folder = NULL;
    struct error err = {0};

    ck_assert_int_eq(find("plugins: {utilities: [{name: airflow}]}\n", NULL, &folder, &err), -1);
    ck_assert_int_eq(strncmp(err.message, "cannot find out the DAG folder: ",
                             strlen("cannot find out the DAG folder: ")),
                     0);
    ck_assert_str_ne(err.hint, "");
}
END_TEST

Suite *dag_generator_dag_folder_suite(void)
{
    Suite *suite = suite_create("dag_generator/dag_folder");
    TCase *tcase = tcase_create("dag_folder");

    tcase_add_checked_fixture(tcase, set_up, tempdir_remove);
    tcase_add_loop_test(tcase, the_folder_is_what_the_airflow_plugin_says, 0, ARRAY_LEN(projects));
    tcase_add_test(tcase, an_output_needs_no_definition_and_is_relative_to_the_current_directory);
    tcase_add_test(tcase, a_plugin_without_definition_is_an_error);
    suite_add_tcase(suite, tcase);
    return suite;
}
